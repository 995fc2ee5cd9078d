// SPDX-License-Identifier: GPL-2.0
/* Explicit congestion notification: protocol.rst 4.8; RFC 3168, RFC 9768's counting. */
#include "fixture.h"

WIRE_FIXTURE(ecn);

static int agreed(struct peer *p)
{
	wire_sysctl(p->w, "haul.ecn", "1");
	p->ecn = true;
	p->mss = 1000;
	return peer_establish(p);
}

WIRE_TEST(ecn, host_asks)
{
	int fd;

	wire_sysctl(w, "haul.ecn", "1");
	p->ecn = true;
	fd = host_connect(p);
	expect(p, "SYN ecn notect");
	inject(p, "SYN ACK");
	expect(p, "ACK init ecn notect");
	EXPECT_TRUE(host_info(p, fd).options & HAUL_INFO_ECN);
}

WIRE_TEST(ecn, peer_does_not)
{
	int fd;

	wire_sysctl(w, "haul.ecn", "1");
	fd = host_connect(p);
	expect(p, "SYN ecn");
	inject(p, "SYN ACK");
	expect(p, "ACK init");
	EXPECT_FALSE(host_info(p, fd).options & HAUL_INFO_ECN);
	inject(p, "ACK");
	host_write(p, fd, 100);
	expect(p, "ACK len=100 notect");
	inject(p, "ACK ce-mark ce=7");
	inject(p, "ACK len=10 ce-mark");
	expect(p, "ACK ce=0");
}

WIRE_TEST(ecn, on_new_data_only)
{
	int fd = agreed(p), i;

	inject(p, "ACK len=10");
	expect(p, "ACK len=0 notect");
	host_write(p, fd, 5000);
	for (i = 0; i < 5; i++)
		expect(p, "ACK seq=%d len=1000 ect0", 1 + i * 1000);
	inject(p, "ACK ack=1 sack=1001-5001");
	expect(p, "ACK seq=1 len=1000 notect");
}

/* Every packet with the mark counts, once, whatever it carries. */
WIRE_TEST(ecn, marks_are_counted)
{
	int fd = agreed(p);

	inject(p, "ACK len=10 ect0");
	expect(p, "ACK ce=0");
	inject(p, "ACK len=10 ce-mark");
	expect(p, "ACK ce=1");
	inject(p, "ACK ce-mark");
	inject(p, "ACK len=10 ect0");
	expect(p, "ACK ce=2");
	EXPECT_EQ(2, host_info(p, fd).ce_received);
}

/* What is dropped for its tag or checksum says nothing about the path of this connection. */
WIRE_TEST(ecn, dropped_packets_do_not_count)
{
	agreed(p);
	inject(p, "ACK ce-mark tag=bad");
	inject(p, "ACK ce-mark badsum");
	expect_silence(p);
	inject(p, "ACK len=10");
	expect(p, "ACK ce=0");
}

/* One reduction for each round trip, and nothing sent again. */
WIRE_TEST(ecn, reduces_once_in_a_round_trip)
{
	int fd = agreed(p), i;
	uint32_t before, after;

	host_write(p, fd, 10000);
	for (i = 0; i < 10; i++)
		expect(p, "ACK seq=%d len=1000 ect0", 1 + i * 1000);
	before = host_info(p, fd).snd_cwnd;
	inject(p, "ACK ack=1001 ce=1");
	expect_silence(p);
	after = host_info(p, fd).snd_ssthresh;
	EXPECT_GT(before, after);
	EXPECT_LE(before / 2 - 1000, after);
	inject(p, "ACK ack=2001 ce=2");
	inject(p, "ACK ack=3001 ce=9");
	expect_silence(p);
	EXPECT_EQ(after, host_info(p, fd).snd_ssthresh);
	EXPECT_EQ(9, host_info(p, fd).ce_delivered);
	EXPECT_EQ(0, host_info(p, fd).retrans_segs);
}

/* The counter has 16 bits, and runs over. */
WIRE_TEST(ecn, counter_wraps)
{
	int fd = agreed(p), i;

	for (i = 0; i < 3; i++) {
		host_write(p, fd, 10);
		expect(p, "ACK len=10");
		inject(p, "ACK ce=%d", (i + 1) * 30000 & 0xffff);
		expect_silence(p);
	}
	EXPECT_EQ(90000, host_info(p, fd).ce_delivered);
}

/*
 * DCTCP (RFC 8257): by half of Alpha, and Alpha follows the share of marked packets: after many
 * windows without a mark, one mark costs next to nothing, where another controller would halve.
 */
WIRE_TEST(ecn, dctcp_reduces_by_the_share_of_marks)
{
	uint32_t una = 1, before;
	int fd, i, n, ce = 0;

	fd = agreed(p);
	ASSERT_EQ(0, setsockopt(fd, SOL_HAUL, HAUL_CONGESTION, "dctcp", 5));
	for (i = 0; i < 60; i++) {
		host_write(p, fd, 4000);
		for (n = 0; n < 4; n++)
			expect(p, "ACK len=1000 ect0");
		una += 4000;
		inject(p, "ACK ack=%u", una);
	}
	before = host_info(p, fd).snd_cwnd;
	EXPECT_LE(10000, before);
	for (i = 0; i < 2; i++) {
		host_write(p, fd, 4000);
		for (n = 0; n < 4; n++)
			expect(p, "ACK len=1000 ect0");
		una += 4000;
		ce += 4 * i;
		inject(p, "ACK ack=%u ce=%d", una, ce);
	}
	/* Alpha is (15/16)^61 and then 1/16 more: 8 % of the window, of which half goes */
	EXPECT_GT(before, host_info(p, fd).snd_ssthresh);
	EXPECT_LE(before * 93 / 100, host_info(p, fd).snd_ssthresh);
	EXPECT_EQ(4, host_info(p, fd).ce_delivered);
}

TEST_HARNESS_MAIN
