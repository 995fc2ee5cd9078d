// SPDX-License-Identifier: GPL-2.0
/*
 * What is said about losses and done about them, where no clock is needed: SACK, D-SACK,
 * retransmission of what SACK shows to be lost, resegmentation. Timeouts are test_timing_*.c's.
 */
#include "fixture.h"

WIRE_FIXTURE(receiver);
WIRE_FIXTURE(sender);

/* ---- what the host says ---- */

WIRE_TEST(receiver, sack_newest_first)
{
	int fd = peer_establish(p);

	inject(p, "ACK seq=1001 len=100");
	expect(p, "ACK ack=1 sack=1001-1101");
	inject(p, "ACK seq=3001 len=100");
	expect(p, "ACK ack=1 sack=3001-3101,1001-1101");
	inject(p, "ACK seq=2001 len=100");
	expect(p, "ACK ack=1 sack=2001-2101,3001-3101,1001-1101");
	/* grows: becomes the newest */
	inject(p, "ACK seq=1101 len=100");
	expect(p, "ACK ack=1 sack=1001-1201,2001-2101,3001-3101");
	/* joins two */
	inject(p, "ACK seq=2101 len=900");
	expect(p, "ACK ack=1 sack=2001-3101,1001-1201");
	inject(p, "ACK seq=1 len=1000");
	expect(p, "ACK ack=1201 sack=2001-3101");
	inject(p, "ACK seq=1201 len=800");
	expect(p, "ACK ack=3101");
	host_read(p, fd, 3100);
}

WIRE_TEST(receiver, sack_of_many_holes)
{
	int fd = peer_establish(p), i;

	for (i = 0; i < 35; i++) {
		inject(p, "ACK seq=%d len=10", 101 + i * 100);
		expect(p, "ACK ack=1 sack=*");
		EXPECT_EQ(i < 31 ? i + 1 : 31, p->rx.num_sack);
		EXPECT_EQ(p->iss + 101 + i * 100, p->rx.sack[0].start);
	}
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

/* At most four blocks beside payload, and room is made for them. */
WIRE_TEST(receiver, sack_beside_payload)
{
	int fd, i;

	p->mss = 1000;
	fd = peer_establish(p);
	for (i = 0; i < 8; i++) {
		inject(p, "ACK seq=%d len=10", 101 + i * 100);
		expect(p, "ACK ack=1 sack=*");
	}
	host_write(p, fd, 2000);
	expect(p, "ACK seq=1 ack=1 sack=*");
	EXPECT_EQ(4, p->rx.num_sack);
	EXPECT_EQ(1000 - 36, p->rx.len);
}

WIRE_TEST(receiver, dsack_below_the_acknowledgment)
{
	int fd = peer_establish(p);

	inject(p, "ACK len=100");
	expect(p, "ACK ack=101");
	inject(p, "ACK seq=1 len=100");
	expect(p, "ACK ack=101 sack=1-101");
	/* once */
	inject(p, "ACK seq=201 len=100");
	expect(p, "ACK ack=101 sack=201-301");
	host_read(p, fd, 100);
}

WIRE_TEST(receiver, dsack_of_a_part)
{
	int fd = peer_establish(p);

	inject(p, "ACK len=100");
	expect(p, "ACK ack=101");
	inject(p, "ACK seq=51 len=100");
	expect(p, "ACK ack=151 sack=51-101");
	host_read(p, fd, 150);
}

WIRE_TEST(receiver, dsack_inside_a_block)
{
	peer_establish(p);
	inject(p, "ACK seq=1001 len=100");
	expect(p, "ACK ack=1 sack=1001-1101");
	inject(p, "ACK seq=1001 len=100");
	expect(p, "ACK ack=1 sack=1001-1101,1001-1101");
	inject(p, "ACK seq=1021 len=20");
	expect(p, "ACK ack=1 sack=1021-1041,1001-1101");
}

WIRE_TEST(receiver, overlapping_segments)
{
	int fd = peer_establish(p);

	inject(p, "ACK seq=101 len=200");
	expect(p, "ACK ack=1 sack=101-301");
	inject(p, "ACK seq=51 len=150");
	expect(p, "ACK ack=1 sack=*");
	inject(p, "ACK seq=251 len=250");
	expect(p, "ACK ack=1 sack=*");
	inject(p, "ACK seq=1 len=600");
	expect(p, "ACK ack=601 sack=?");
	host_read(p, fd, 600);
}

/* Sequence numbers wrap after 1024 bytes in these tests; reassembly must not notice. */
WIRE_TEST(receiver, out_of_order_across_the_wrap)
{
	int fd = peer_establish(p);

	EXPECT_GT(p->iss, p->iss + 1100);
	inject(p, "ACK seq=901 len=300");
	expect(p, "ACK ack=1 sack=901-1201");
	inject(p, "ACK seq=1201 len=300");
	expect(p, "ACK ack=1 sack=901-1501");
	inject(p, "ACK seq=1 len=900");
	expect(p, "ACK ack=1501");
	host_read(p, fd, 1500);
}

WIRE_TEST(receiver, echoes_the_segment_that_covers_the_last_ack)
{
	uint32_t first;

	peer_establish(p);
	inject(p, "ACK len=100");
	expect(p, "ACK ack=101 tsecr=%u", p->last_tsval);
	first = p->last_tsval;
	inject(p, "ACK seq=201 len=100");
	expect(p, "ACK ack=101 sack=* tsecr=%u", first);
	inject(p, "ACK seq=101 len=100");
	expect(p, "ACK ack=301 tsecr=%u", p->last_tsval);
}

/* ---- what the host does ---- */

static int send_ten(struct peer *p)
{
	int fd, i;

	p->mss = 1000;
	p->far = true;
	fd = peer_establish(p);
	host_write(p, fd, 10000);
	for (i = 0; i < 10; i++)
		expect(p, "ACK seq=%d len=1000", 1 + i * 1000);
	return fd;
}

/* Three segments' worth of SACK above a hole: it is sent again at once, and only it. */
WIRE_TEST(sender, fast_retransmit)
{
	int fd = send_ten(p);

	inject(p, "ACK ack=1 sack=1001-4001");
	expect(p, "ACK seq=1 len=1000");
	EXPECT_EQ(HAUL_RECOVERY_FAST, host_info(p, fd).recovery);
	EXPECT_EQ(1, host_info(p, fd).retrans_segs);
	inject(p, "ACK ack=10001");
	expect_silence(p);
	EXPECT_EQ(HAUL_RECOVERY_OPEN, host_info(p, fd).recovery);
	EXPECT_EQ(0, host_info(p, fd).unacked);
}

WIRE_TEST(sender, two_holes)
{
	send_ten(p);
	inject(p, "ACK ack=1 sack=5001-9001,1001-4001");
	expect(p, "ACK seq=1 len=1000");
	inject(p, "ACK ack=1 sack=9001-10001,5001-9001,1001-4001");
	expect(p, "ACK seq=4001 len=1000");
	inject(p, "ACK ack=10001");
	expect_silence(p);
}

WIRE_TEST(sender, one_duplicate_ack_retransmits_nothing)
{
	int fd = send_ten(p);

	inject(p, "ACK ack=1");
	inject(p, "ACK ack=1");
	inject(p, "ACK ack=1");
	inject(p, "ACK ack=1");
	expect_silence(p);
	EXPECT_EQ(0, host_info(p, fd).retrans_segs);
}

/* Blocks that can't be are ignored one by one. */
WIRE_TEST(sender, impossible_sack_blocks)
{
	int fd = send_ten(p);

	inject(p, "ACK ack=1 sack=1001-20001,4001-1001,-5000--4000,1001-1001");
	expect_silence(p);
	EXPECT_EQ(0, host_info(p, fd).sacked);
	inject(p, "ACK ack=1 sack=30001-40001,5001-6001");
	expect_silence(p);
	EXPECT_EQ(1000, host_info(p, fd).sacked);
}

WIRE_TEST(sender, partial_acknowledgment_of_a_segment)
{
	int fd = send_ten(p);

	inject(p, "ACK ack=501");
	inject(p, "ACK ack=501 sack=1001-5001");
	/* what is cut to fit may reach into the block */
	expect(p, "ACK seq=501");
	inject(p, "ACK ack=10001");
	expect_silence(p);
	EXPECT_EQ(0, host_info(p, fd).unacked);
	EXPECT_EQ(10000, host_info(p, fd).bytes_acked);
}

/* The window is halved once for the whole episode (RFC 5681 3.2, RFC 9937). */
WIRE_TEST(sender, one_reduction_for_one_episode)
{
	struct haul_info info;
	int fd = send_ten(p);

	inject(p, "ACK ack=1 sack=1001-4001");
	expect(p, "ACK seq=1 len=1000");
	info = host_info(p, fd);
	EXPECT_GE(7000, info.snd_ssthresh);
	EXPECT_LE(4000, info.snd_ssthresh);
	inject(p, "ACK ack=1 sack=1001-10001");
	/* a true echo: of the retransmission, so nothing is undone */
	p->rtt_us = 0;
	inject(p, "ACK ack=10001");
	expect_silence(p);
	EXPECT_EQ(info.snd_ssthresh, host_info(p, fd).snd_ssthresh);
	EXPECT_EQ(1, host_info(p, fd).recoveries);
}

/* A FIN counts as a segment: lost, it is sent again. */
WIRE_TEST(sender, lost_data_before_fin)
{
	int fd;

	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 4000);
	host_close(fd);
	expect(p, "ACK seq=1 len=1000");
	expect(p, "ACK seq=1001 len=1000");
	expect(p, "ACK seq=2001 len=1000");
	expect(p, "ACK seq=3001 len=1000");
	expect(p, "FIN ACK seq=4001 len=0");
	inject(p, "ACK ack=1 sack=1001-4002");
	expect(p, "ACK seq=1 len=1000");
	inject(p, "ACK ack=4002");
	inject(p, "FIN ACK");
	expect(p, "ACK seq=4002 ack=2");
}

/* Acknowledged by halves and wholes, whatever was sent as one large packet. */
WIRE_TEST(sender, acknowledged_in_odd_pieces)
{
	int fd = send_ten(p), acked;

	for (acked = 333; acked < 10000; acked += 333)
		inject(p, "ACK ack=%d", acked + 1);
	inject(p, "ACK ack=10001");
	expect_silence(p);
	EXPECT_EQ(0, host_info(p, fd).unacked);
	EXPECT_EQ(0, host_info(p, fd).retrans_segs);
}

TEST_HARNESS_MAIN
