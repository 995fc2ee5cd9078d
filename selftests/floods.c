// SPDX-License-Identifier: GPL-2.0
/*
 * Too much of everything: peers who fill buffers and never read, or never let anything through;
 * connections by the hundred; packets that mean nothing, as fast as one can send. Memory stays
 * within net.haul.mem, queues within their limits, and an honest connection beside all that keeps
 * at least half of what it carried without. What a packet of a flood costs is told by wire_floods.
 * (SYNs are syn_flood.c's.)
 */
#include <netinet/ip.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "capture.h"
#include "kselftest_harness.h"

#define MANY		200		/* connections of somebody who means ill */
#define PAGE		4096
#define MEMORY		1500		/* pages: net.haul.mem's limit here */
/*
 * pages that may be out beyond the limit: what each processor keeps (a megabyte of reserves), and
 * the piece (of 32 kB at most) that goes over a send buffer's edge, which the kernel lets every
 * stream have whatever the limit is
 */
#define SLACK		(2 * 256 + 8 * MANY)
#define HONEST_PORT	(PORT + 1)
#define HONEST_BYTES	400000
#define LINK		"rate 20mbit delay 1ms limit 200"

static long mem_before[3];

static void set_memory(long low, long pressure, long limit)
{
	char text[96];

	snprintf(text, sizeof(text), "%ld %ld %ld", low, pressure, limit);
	write_file("/proc/sys/net/haul/mem", text);
}

FIXTURE(floods) {
	int old;
};

FAMILIES(floods);

FIXTURE_SETUP(floods)
{
	struct rlimit files = { 4096, 4096 };
	FILE *file = fopen("/proc/sys/net/haul/mem", "r");

	if (!file || fscanf(file, "%ld %ld %ld", mem_before, mem_before + 1, mem_before + 2) != 3)
		die("net.haul.mem");
	fclose(file);
	setrlimit(RLIMIT_NOFILE, &files);
	/* the limits are one for all namespaces, and writable in the first */
	self->old = here();
	hosts_up();
}

FIXTURE_TEARDOWN(floods)
{
	go_to(self->old);
	set_memory(mem_before[0], mem_before[1], mem_before[2]);
}

/* pages that all sockets of ours have been granted */
static long memory(void)
{
	return line_of("/proc/thread-self/net/protocols", "HAUL %*u %*d %ld");
}

/* us that an honest connection takes for HONEST_BYTES, near to far; the most memory meanwhile */
static uint64_t honest(int family, long *most)
{
	int listener = listener_at(far_host, family == AF_INET ? "0.0.0.0" : "::", HONEST_PORT, 4);
	struct pair p = connected_with(family, listener, stream(near_host, family));
	struct flow f = { .from = p.client, .to = p.server };
	uint64_t before = now_us();

	while (f.received < HONEST_BYTES) {
		uint64_t step = f.received + 20000;

		flow_run(&f, step < HONEST_BYTES ? step : HONEST_BYTES, 65536, 65536);
		if (memory() > *most)
			*most = memory();
	}
	before = now_us() - before;
	done(&p);
	return before;
}

/* near's connections to far's listener, all accepted */
struct crowd {
	int listener;
	int client[MANY], server[MANY];
};

static void gather(struct crowd *c, int family)
{
	int i;

	c->listener = listener_at(far_host, family == AF_INET ? "0.0.0.0" : "::", PORT, MANY);
	for (i = 0; i < MANY; i++) {
		c->client[i] = stream(near_host, family);
		/* what counts is the server's memory; this host is its peers', too */
		option(c->client[i], SOL_SOCKET, SO_SNDBUF, 2304);
		if (connect_to(c->client[i], far_address(family), PORT))
			die("connection %d", i);
		c->server[i] = accepted(c->listener);
		nonblocking(c->client[i], true);
		nonblocking(c->server[i], true);
	}
}

static void scatter(struct crowd *c)
{
	int i;

	for (i = 0; i < MANY; i++) {
		close(c->client[i]);
		close(c->server[i]);
	}
	close(c->listener);
}

/* writes to all of them, in turn, whatever they take; the most memory meanwhile */
static long stuff(const int *fds, int rounds, size_t size)
{
	static char bytes[65536];
	long most = 0;
	int i, j;

	for (j = 0; j < rounds; j++)
		for (i = 0; i < MANY; i++) {
			if (fds[i] >= 0)
				(void)!send(fds[i], bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (i % 16 == 0 && memory() > most)
				most = memory();
		}
	return most;
}

/* times with and without, and memory, as they should be */
static void judge(struct __test_metadata *_metadata, uint64_t alone, uint64_t beside, long most)
{
	TH_LOG("alone %llu us, beside the flood %llu us; %ld pages at most",
	       (unsigned long long)alone, (unsigned long long)beside, most);
	EXPECT_GE(2 * alone, beside);
	EXPECT_GE(MEMORY + SLACK, most);
}

/* an honest connection, then the crowd, and little memory for all. us that the former took */
static uint64_t gather_in_little_memory(struct crowd *c, int old, int family)
{
	uint64_t alone;
	long most = 0;

	link_set(LINK);
	alone = honest(family, &most);
	link_set("limit 10000");
	gather(c, family);
	go_to(old);
	set_memory(MEMORY / 2, MEMORY * 3 / 4, MEMORY);
	go_to(near_host);
	return alone;
}

/* they send, and nobody reads: in large pieces, then byte by byte */
TEST_F(floods, unread)
{
	struct crowd c;
	uint64_t alone = gather_in_little_memory(&c, self->old, variant->family);
	long most;

	most = stuff(c.client, 4, 65536);
	EXPECT_GE(MEMORY + SLACK, most);
	most = stuff(c.client, 4, 1);
	link_set(LINK);
	judge(_metadata, alone, honest(variant->family, &most), most);
	scatter(&c);
}

/* they ask for much and take nothing: windows of zero, and our send buffers full */
TEST_F(floods, zero_windows)
{
	struct crowd c;
	uint64_t alone = gather_in_little_memory(&c, self->old, variant->family);
	long most;
	int i;

	most = stuff(c.server, 8, 65536);
	link_set(LINK);
	judge(_metadata, alone, honest(variant->family, &most), most);
	/* the server goes: what is left of it has no program, and is not kept for ever */
	setting(far_host, "orphan_retries", 1);
	for (i = 0; i < MANY; i++) {
		close(c.server[i]);
		c.server[i] = -1;
	}
	most = 0;
	judge(_metadata, alone, honest(variant->family, &most), most);
	scatter(&c);
}

/* more orphans than net.haul.max_orphans: the others are told at once, and gone */
TEST_F(floods, orphans)
{
	struct crowd c;
	int i, reset = 0;

	gather(&c, variant->family);
	go_to(self->old);
	write_file("/proc/sys/net/haul/max_orphans", "20");
	go_to(near_host);
	deaf(near_host, true);
	deaf(far_host, true);
	for (i = 0; i < MANY; i++)
		close(c.server[i]);
	EXPECT_LE(MANY - 20 - 64, counter(far_host, "AbortOnMemory"));
	deaf(near_host, false);
	deaf(far_host, false);
	for (i = 0; i < MANY; i++) {
		char byte;

		(void)!send(c.client[i], "x", 1, MSG_NOSIGNAL);
		poll_for(c.client[i], POLLIN, 10000);
		reset += recv(c.client[i], &byte, 1, 0) < 0 && errno == ECONNRESET;
		close(c.client[i]);
	}
	EXPECT_LE(MANY - 20 - 64, reset);
	close(c.listener);
	go_to(self->old);
	write_file("/proc/sys/net/haul/max_orphans", "65536");
	go_to(near_host);
}

/* what TIME-WAIT keeps has a limit; who is over it is over */
TEST_F(floods, time_wait)
{
	struct crowd c;
	int i;
	char byte;

	setting(near_host, "max_remnants", 50);
	gather(&c, variant->family);
	for (i = 0; i < MANY; i++) {
		shutdown(c.client[i], SHUT_WR);
		ASSERT_TRUE(poll_for(c.server[i], POLLIN, 10000));
		EXPECT_EQ(0, recv(c.server[i], &byte, 1, 0));
		close(c.server[i]);
		c.server[i] = -1;
	}
	ASSERT_TRUE(wait_until(counter(near_host, "TimeWaits") +
			       counter(near_host, "TimeWaitOverflow") == MANY));
	EXPECT_EQ(MANY - 50, counter(near_host, "TimeWaitOverflow"));
	scatter(&c);
}

/* a listener whose program is slow: no more wait than it said; another listener is not concerned */
TEST_F(floods, connections_to_one_listener)
{
	int family = variant->family, i, fds[MANY], queued = 0;
	int listener = listener_at(far_host, family == AF_INET ? "0.0.0.0" : "::", PORT, 16);
	uint64_t alone;
	long most = 0;

	link_set(LINK);
	alone = honest(family, &most);
	for (i = 0; i < MANY; i++) {
		fds[i] = stream(near_host, family);
		nonblocking(fds[i], true);
		connect_to(fds[i], far_address(family), PORT);
	}
	judge(_metadata, alone, honest(family, &most), most);
	nonblocking(listener, true);
	while ((i = accept(listener, NULL, NULL)) >= 0) {
		close(i);
		queued++;
	}
	EXPECT_LE(16, queued);
	EXPECT_GE(2 * 17, queued);
	for (i = 0; i < MANY; i++)
		close(fds[i]);
	close(listener);
}

/* ---------------------------------------------------------------- packets that mean nothing */

/* from near to far, to a connection's ports or nobody's, with a random tag and numbers */
static void hostile(int fd, const struct sockaddr_in6 *to, uint16_t flags, uint16_t sport,
		    uint16_t dport)
{
	uint8_t h[HEADER];
	size_t i;

	for (i = 0; i < HEADER; i++)
		h[i] = random();
	put16(h, sport);
	put16(h + 2, dport);
	h[8] = 0x11;
	h[9] = HEADER / 4;
	put16(h + 10, flags);
	put16(h + 14, 0);
	put16(h + 14, internet_checksum(h, HEADER));
	if (sendto(fd, h, HEADER, MSG_DONTWAIT, (void *)to, sizeof(*to)) < 0 && errno != ENOBUFS &&
	    errno != EAGAIN)
		die("hostile packet");
}

/* a thousand in a burst, again and again, to @ports that a child of ours does while it lives */
TEST_F(floods, packets)
{
	static const uint16_t flags[] = { SEEN_ACK, SEEN_ACK | SEEN_FIN, SEEN_RST, SEEN_SYN };
	struct pair p = connected(variant->family);
	struct sockaddr_in6 to = address(far_address(variant->family), 0);
	int client = port_of(p.client), stop[2], pid, status;
	uint64_t alone;
	long most = 0;

	link_set(LINK);
	alone = honest(variant->family, &most);
	ASSERT_EQ(0, pipe(stop));
	pid = fork();
	if (!pid) {
		int fd = socket(variant->family, SOCK_RAW, IPPROTO_HAUL), i;

		close(stop[1]);
		do {
			for (i = 0; i < 40; i++)
				hostile(fd, &to, flags[i % 4],
					i % 8 < 4 ? client : 1024 + random() % 60000,
					i % 8 < 4 ? PORT : HONEST_PORT);
		} while (!poll_for(stop[0], POLLIN, 4));
		_exit(0);
	}
	close(stop[0]);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") > 1000));
	judge(_metadata, alone, honest(variant->family, &most), most);
	close(stop[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* and the one that it was aimed at lives */
	transfer(p.client, p.server, 100000);
	transfer(p.server, p.client, 100000);
	done(&p);
}

TEST_HARNESS_MAIN
