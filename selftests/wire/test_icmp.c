// SPDX-License-Identifier: GPL-2.0
/* ICMP errors are believed only when they fit something in flight: protocol.rst 8; RFC 5927. */
#include "fixture.h"

WIRE_FIXTURE(error);
WIRE_FIXTURE(pmtu);

/* the same thing said by ICMP and by ICMPv6 */
static int unreachable(const struct wire *w)
{
	return w->family == AF_INET ? 3 : 1;
}

static int port(const struct wire *w)
{
	return w->family == AF_INET ? 3 : 4;
}

static int host(const struct wire *w)
{
	return w->family == AF_INET ? 1 : 3;
}

WIRE_TEST(error, refuses_in_syn_sent)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject_icmp(p, unreachable(w), port(w), 0, "SYN seq=0");
	expect_silence(p);
	host_wait(p, fd, POLLERR);
	host_expect_error(p, fd, ECONNREFUSED);
	EXPECT_EQ(1, wire_counter(w, "IcmpHard"));
}

/* All that a router is sure to quote: ports and sequence number. */
WIRE_TEST(error, of_eight_bytes)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	p->quote = 8;
	inject_icmp(p, unreachable(w), port(w), 0, "SYN seq=0");
	expect_silence(p);
	host_expect_error(p, fd, ECONNREFUSED);
}

WIRE_TEST(error, that_is_not_believed)
{
	static const char *const forged[] = {
		"SYN seq=1000", "SYN seq=-1", "SYN seq=0 tag=0x77", "SYN seq=0 kind=2",
		"SYN seq=0 version=2",
	};
	int fd = host_connect(p);
	size_t i;

	expect(p, "SYN");
	for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		wire_note = forged[i];
		inject_icmp(p, unreachable(w), port(w), 0, "%s", forged[i]);
		expect_silence(p);
		host_expect_state(p, fd, HAUL_SYN_SENT);
	}
	EXPECT_EQ(0, wire_counter(w, "IcmpHard"));
	EXPECT_LE(3, wire_counter(w, "IcmpIgnored"));
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 init");
}

/* RFC 1122 4.2.3.9: a soft error must not end the attempt. */
WIRE_TEST(error, soft_in_syn_sent)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject_icmp(p, unreachable(w), host(w), 0, "SYN seq=0");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_SYN_SENT);
	EXPECT_EQ(1, wire_counter(w, "IcmpSoft"));
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 init");
}

WIRE_TEST(error, removes_the_half_open)
{
	host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject_icmp(p, unreachable(w), port(w), 0, "SYN ACK seq=1000");
	expect_silence(p);
	inject(p, "SYN seq=0");
	expect(p, "SYN ACK seq=0 ack=1");
	inject_icmp(p, unreachable(w), port(w), 0, "SYN ACK seq=0");
	expect_silence(p);
	inject(p, "ACK seq=1 ack=1 init");
	expect(p, "RST REFLECTED seq=1");
}

/* An error about a SYN-ACK after which the third step still makes a connection. */
static void leaves_the_half_open(struct peer *p, int code, const char *quoted)
{
	int listener = host_listen(p->w, p->host_port, 8);

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject_icmp(p, unreachable(p->w), code, 0, "%s", quoted);
	expect_silence(p);
	inject(p, "ACK init");
	host_accept(p, listener);
}

/* RFC 1122 4.2.3.9: nor must a soft error end it before it has begun. */
WIRE_TEST(error, soft_leaves_the_half_open)
{
	leaves_the_half_open(p, host(w), "SYN ACK seq=0");
	EXPECT_EQ(0, wire_counter(w, "IcmpHard"));
	EXPECT_EQ(0, wire_counter(w, "IcmpIgnored"));
}

/* Who did not see the SYN can guess the number of its answer, but not the tag in it besides. */
WIRE_TEST(error, with_another_tag_leaves_the_half_open)
{
	leaves_the_half_open(p, port(w), "SYN ACK seq=0 tag=0x77");
	EXPECT_EQ(1, wire_counter(w, "IcmpIgnored"));
}

/* Hard errors end nothing that is established (RFC 5927 5.2). */
WIRE_TEST(error, is_soft_when_established)
{
	int fd = peer_establish(p);

	host_write(p, fd, 100);
	expect(p, "ACK seq=1 len=100");
	inject_icmp(p, unreachable(w), port(w), 0, "ACK seq=1");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	EXPECT_EQ(1, wire_counter(w, "IcmpSoft"));
	inject_icmp(p, unreachable(w), port(w), 0, "ACK seq=102");
	inject_icmp(p, unreachable(w), port(w), 0, "ACK seq=0");
	inject_icmp(p, unreachable(w), port(w), 0, "ACK seq=1 tag=0x77");
	expect_silence(p);
	EXPECT_EQ(1, wire_counter(w, "IcmpSoft"));
	EXPECT_LE(3, wire_counter(w, "IcmpIgnored"));
	inject(p, "ACK");
	expect_silence(p);
}

/* ---- path MTU ---- */

static void too_big(struct peer *p, int mtu, const char *quoted)
{
	if (p->w->family == AF_INET)
		inject_icmp(p, 3, 4, mtu, "%s", quoted);
	else
		inject_icmp(p, 2, 0, mtu, "%s", quoted);
}

static int headers(const struct wire *w)
{
	return (w->family == AF_INET ? 20 : 40) + 36;
}

/* What was too large goes again, cut to what passes; so does all that follows. */
WIRE_TEST(pmtu, shrinks_and_sends_again)
{
	int fd = peer_establish(p), mss = p->mss, less = 1300 - headers(w);

	host_write(p, fd, 3 * mss);
	expect(p, "ACK seq=1 len=%d", mss);
	expect(p, "ACK seq=%d len=%d", 1 + mss, mss);
	expect(p, "ACK seq=%d len=%d", 1 + 2 * mss, mss);
	too_big(p, 1300, "ACK seq=1");
	expect(p, "ACK seq=1 len=%d", less);
	EXPECT_EQ(1300, host_info(p, fd).pmtu);
	EXPECT_EQ(less, host_info(p, fd).snd_mss);
	inject(p, "ACK ack=%d", 1 + 3 * mss);
	while (peer_receive(p, 20))
		EXPECT_GE(less, p->rx.len);
	host_write(p, fd, 2 * less);
	expect(p, "ACK len=%d", less);
}

WIRE_TEST(pmtu, that_is_not_believed)
{
	int fd = peer_establish(p);

	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=1000");
	too_big(p, 1300, "ACK seq=1002");
	too_big(p, 1300, "ACK seq=0");
	too_big(p, 1300, "ACK seq=1 tag=0x77");
	too_big(p, 1500, "ACK seq=1");
	too_big(p, 9000, "ACK seq=1");
	too_big(p, w->family == AF_INET ? 300 : 1000, "ACK seq=1");
	expect_silence(p);
	EXPECT_EQ(1500, host_info(p, fd).pmtu);
	inject(p, "ACK");
	expect_silence(p);
}

/* Who goes by the interface alone does not ask the path, and is not told (ip(7), ipv6(7)). */
WIRE_TEST(pmtu, who_does_not_ask_is_not_told)
{
	int fd = peer_establish(p), mss = p->mss;

	if (w->family == AF_INET)
		host_option(p, fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE);
	else
		host_option(p, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_INTERFACE);
	host_write(p, fd, mss);
	expect(p, "ACK seq=1 len=%d", mss);
	too_big(p, 1300, "ACK seq=1");
	expect_silence(p);
	EXPECT_EQ(1500, host_info(p, fd).pmtu);
	EXPECT_EQ(1, wire_counter(w, "IcmpIgnored"));
	EXPECT_EQ(0, wire_counter(w, "PmtuReduced"));
	inject(p, "ACK");
	host_write(p, fd, mss);
	expect(p, "ACK seq=%d len=%d", 1 + mss, mss);
}

WIRE_TEST(pmtu, of_the_interface)
{
	int fd;

	wire_set_mtu(w, 1400);
	fd = host_connect(p);
	expect(p, "SYN mss=%d", 1400 - headers(w));
	inject(p, "SYN ACK");
	expect(p, "ACK init");
	inject(p, "ACK");
	host_write(p, fd, 2000);
	expect(p, "ACK seq=1 len=%d", 1400 - headers(w));
}

TEST_HARNESS_MAIN
