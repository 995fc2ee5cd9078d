// SPDX-License-Identifier: GPL-2.0
/*
 * More SYNs than a server can remember (TEXTBOOK 6, RFC 4987): cookies, and real clients in the
 * middle of a flood from forged sources.
 */
#include <netinet/ip.h>
#include <sys/wait.h>
#include "capture.h"
#include "kselftest_harness.h"

#define CLIENTS	30

HOSTS_FIXTURE(syn_flood);

struct forged {
	struct iphdr ip;
	uint8_t haul[HEADER + INIT_LENGTH];
};

/* protocol.rst 3.1, step 1; @h of HEADER + INIT_LENGTH bytes */
static void forge_syn(uint8_t *h, uint16_t source, uint16_t dest, uint32_t isn, uint32_t tag)
{
	memset(h, 0, HEADER + INIT_LENGTH);
	put16(h, source);
	put16(h + 2, dest);
	put32(h + 4, isn);
	h[8] = 0x11;
	h[9] = (HEADER + INIT_LENGTH) / 4;
	put16(h + 10, SEEN_SYN);
	put32(h + 24, 65535);
	put32(h + 28, 1000000);
	h[HEADER] = 1;
	h[HEADER + 1] = INIT_LENGTH;
	put16(h + HEADER + 2, 1400);
	put32(h + HEADER + 4, tag);
	put32(h + HEADER + 8, isn);
	put16(h + 14, internet_checksum(h, HEADER + INIT_LENGTH));
}

/* SYNs from 198.18.0.0/15 or 2001:db8:f00d::/64, which are near's side and where nobody answers */
static void flood(int family, int num)
{
	struct sockaddr_in6 to = address(far_address(family), 0);
	struct forged packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_HAUL }
	};
	static uint8_t packet6[40 + HEADER + INIT_LENGTH];
	int fd = socket(family, SOCK_RAW, IPPROTO_RAW), i;

	packet.ip.daddr = ((struct sockaddr_in *)&to)->sin_addr.s_addr;
	packet6[0] = 0x60;
	put16(packet6 + 4, HEADER + INIT_LENGTH);
	packet6[6] = IPPROTO_HAUL;
	packet6[7] = 64;
	memcpy(packet6 + 24, &to.sin6_addr, 16);
	inet_pton(AF_INET6, "2001:db8:f00d::", packet6 + 8);
	for (i = 0; i < num; i++) {
		uint8_t *h = family == AF_INET ? packet.haul : packet6 + 40;

		forge_syn(h, 1024 + i % 60000, PORT, random(), random() | 1);
		packet.ip.saddr = htonl(0xc6120000 + i % 65536);
		put32(packet6 + 20, i);
		if (sendto(fd, family == AF_INET ? (void *)&packet : (void *)packet6,
			   family == AF_INET ? sizeof(packet) : sizeof(packet6), 0,
			   (void *)&to, sizeof(to)) < 0 && errno != ENOBUFS)
			die("flood");
	}
	close(fd);
}

static void route_to_nowhere(void)
{
	run_at(far_host, "ip route add 198.18.0.0/15 via " NEAR4 "; "
	       "ip route add 2001:db8:f00d::/64 via " NEAR6);
}

/* every connection through a cookie: nothing is lost by it, in either direction */
TEST_F(syn_flood, cookies_lose_nothing)
{
	struct pair p;
	char c;

	setting(far_host, "syncookies", 2);
	link_set("delay 5ms");
	p = connected(variant->family);
	EXPECT_TRUE(info_of(p.server).options & HAUL_INFO_COOKIE);
	EXPECT_EQ(1, counter(far_host, "CookiesSent"));
	EXPECT_EQ(1, counter(far_host, "CookiesRecv"));
	ASSERT_EQ(1, send(p.server, "s", 1, 0));
	EXPECT_EQ(1, recv(p.client, &c, 1, 0));
	transfer(p.client, p.server, 500000);
	transfer(p.server, p.client, 500000);
	/* what a handshake agrees on is there */
	EXPECT_EQ(variant->family == AF_INET ? 1444 : 1424, info_of(p.server).snd_mss);
	EXPECT_LE(65535, info_of(p.server).snd_wnd);
	done(&p);
}

/* the client's first data comes with or right behind the third step */
TEST_F(syn_flood, cookies_and_early_payload)
{
	int listener = listening(variant->family), server;
	int client = stream(near_host, variant->family);
	static char out[30000], in[30000];
	size_t i;

	for (i = 0; i < sizeof(out); i++)
		out[i] = byte_at(i);
	setting(far_host, "syncookies", 2);
	link_set("delay 5ms");
	ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
	ASSERT_EQ(sizeof(out), send(client, out, sizeof(out), 0));
	ASSERT_EQ(0, shutdown(client, SHUT_WR));
	server = accepted(listener);
	ASSERT_EQ(sizeof(in), recv(server, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	EXPECT_EQ(0, recv(server, in, 1, 0));
	close(server);
	close(client);
	close(listener);
}

/* below the limit there are no cookies, above there are; and never when they are off */
TEST_F(syn_flood, cookies_begin_when_the_queue_is_full)
{
	int listener = listening(variant->family);

	route_to_nowhere();
	setting(far_host, "max_syn_backlog", 64);
	flood(variant->family, 32);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") == 32));
	EXPECT_EQ(0, counter(far_host, "CookiesSent"));
	flood(variant->family, 200);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") >= 232));
	EXPECT_LE(200 - 64, counter(far_host, "CookiesSent"));
	EXPECT_EQ(0, counter(far_host, "PassiveOpens"));
	EXPECT_EQ(0, poll_for(listener, POLLIN, 0));
	close(listener);
}

/* a flood of forged sources, and real clients in it: every one gets in and is served */
TEST_F(syn_flood, every_real_client_gets_in)
{
	int listener = listening(variant->family), stop[2], pid, i, status;
	char c = 0;

	route_to_nowhere();
	setting(far_host, "max_syn_backlog", 32);
	ASSERT_EQ(0, pipe(stop));
	pid = fork();
	if (!pid) {
		close(stop[1]);
		do
			flood(variant->family, 50);
		while (!poll_for(stop[0], POLLIN, 1));
		_exit(0);
	}
	close(stop[0]);
	ASSERT_TRUE(wait_until(counter(far_host, "CookiesSent") > 100));
	for (i = 0; i < CLIENTS; i++) {
		int client = stream(near_host, variant->family), server;

		ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
		server = accepted(listener);
		ASSERT_EQ(1, send(client, "q", 1, MSG_NOSIGNAL));
		ASSERT_EQ(1, recv(server, &c, 1, 0));
		ASSERT_EQ(1, send(server, "a", 1, MSG_NOSIGNAL));
		ASSERT_EQ(1, recv(client, &c, 1, 0));
		EXPECT_EQ('a', c);
		close(client);
		close(server);
	}
	close(stop[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_LE(CLIENTS, counter(far_host, "PassiveOpens"));
	EXPECT_LE(1, counter(far_host, "CookiesRecv"));
	close(listener);
}

/* third steps that answer no SYN-ACK of ours open nothing */
TEST_F(syn_flood, forged_third_steps)
{
	struct sockaddr_in6 to = address(far_address(variant->family), 0);
	int fd = socket(variant->family, SOCK_RAW, IPPROTO_HAUL), i;
	int listener = listening(variant->family);
	uint8_t h[HEADER + INIT_LENGTH];

	setting(far_host, "syncookies", 2);
	for (i = 0; i < 100; i++) {
		uint32_t isn = random();

		forge_syn(h, 1024 + i, PORT, isn, random() | 1);
		put32(h + 4, isn + 1);
		put16(h + 10, SEEN_ACK);
		put32(h + 16, random() | 1);
		put32(h + 20, random());
		put16(h + 14, 0);
		put16(h + 14, internet_checksum(h, sizeof(h)));
		ASSERT_EQ(sizeof(h), sendto(fd, h, sizeof(h), 0, (void *)&to, sizeof(to)));
	}
	EXPECT_TRUE(wait_until(counter(far_host, "CookiesFailed") == 100));
	EXPECT_EQ(0, counter(far_host, "CookiesRecv"));
	EXPECT_EQ(0, counter(far_host, "PassiveOpens"));
	EXPECT_EQ(0, poll_for(listener, POLLIN, 0));
	close(fd);
	close(listener);
}

/* kB of the kernel's memory in objects */
static long slab(void)
{
	return line_of("/proc/meminfo", "SUnreclaim: %ld");
}

/* what was kept of a SYN goes with it when it becomes no connection */
TEST_F(syn_flood, saved_syns_of_nobody)
{
	const int each = 4000, rounds = 9;
	int listener, i;
	long before = 0;

	route_to_nowhere();
	run_at(far_host, "sysctl -qw net.core.somaxconn=%d", 2 * each);
	setting(far_host, "max_syn_backlog", 2 * each);
	setting(far_host, "syncookies", 0);
	for (i = 0; i < rounds; i++) {
		listener = listener_at(far_host, far_address(variant->family), PORT, 2 * each);
		option(listener, SOL_HAUL, HAUL_SAVE_SYN, 1);
		flood(variant->family, each);
		ASSERT_TRUE(wait_until(counter(far_host, "InSegs") == (i + 1) * each));
		close(listener);
		/* what the first round has left is what all leave together */
		if (!i)
			before = slab();
	}
	EXPECT_EQ(0, counter(far_host, "RequestOverflow"));
	/* eight rounds would have left 4 MB; who was in use frees its memory a moment later */
	EXPECT_TRUE(wait_until(slab() < before + 1024));
}

TEST_HARNESS_MAIN
