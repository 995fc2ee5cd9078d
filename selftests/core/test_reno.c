// SPDX-License-Identifier: GPL-2.0
/* cc.c and cc_reno.c: how the window grows and shrinks. */
#include "queue.h"

static void ack_bytes(struct queue *q, u32 bytes)
{
	struct haul_ack ack = {
		.now = q->now, .acked = bytes, .delivered = bytes, .una_advanced = true,
	};

	q->snd.cc->ack(&q->snd, &ack);
}

TEST(cc_slow_start__grows_by_bytes_delivered)
{
	struct queue q;

	queue_open(&q, 10);
	EXPECT_EQ(haul_cc_slow_start(&q.snd, 3000), 0);
	EXPECT_EQ(q.snd.cwnd, 13000);
	/* RFC 3465: two halves of a segment are one segment, not two */
	haul_cc_slow_start(&q.snd, 500);
	haul_cc_slow_start(&q.snd, 500);
	EXPECT_EQ(q.snd.cwnd, 14000);
}

TEST(cc_slow_start__stops_at_ssthresh_and_gives_the_rest_back)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.ssthresh = 12000;
	EXPECT_EQ(haul_cc_slow_start(&q.snd, 5000), 3000);
	EXPECT_EQ(q.snd.cwnd, 12000);
}

TEST(cc_slow_start__respects_the_clamp)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.cwnd_clamp = 11000;
	haul_cc_slow_start(&q.snd, 5000);
	EXPECT_EQ(q.snd.cwnd, 11000);
}

TEST(cc_additive__one_mss_per_window)
{
	struct queue q;

	queue_open(&q, 10);
	haul_cc_additive(&q.snd, 9999, 10000);
	EXPECT_EQ(q.snd.cwnd, 10000);
	haul_cc_additive(&q.snd, 1, 10000);
	EXPECT_EQ(q.snd.cwnd, 11000);
	EXPECT_EQ(q.snd.acked_part, 0);
	haul_cc_additive(&q.snd, 25000, 10000);
	EXPECT_EQ(q.snd.cwnd, 13000);
	EXPECT_EQ(q.snd.acked_part, 5000);
}

TEST(cc_additive__credit_of_a_larger_window_is_one_step)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.acked_part = 90000;
	haul_cc_additive(&q.snd, 1, 10000);
	EXPECT_EQ(q.snd.cwnd, 11000);
	EXPECT_EQ(q.snd.acked_part, 1);
}

TEST(cc_additive__clamp_and_zero_window)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.cwnd_clamp = 10500;
	haul_cc_additive(&q.snd, 100000, 0);
	EXPECT_EQ(q.snd.cwnd, 10500);
}

TEST(reno_ack__doubles_in_slow_start)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.cwnd_limited = true;
	ack_bytes(&q, 10000);
	EXPECT_EQ(q.snd.cwnd, 20000);
}

TEST(reno_ack__adds_one_mss_per_round_trip_past_ssthresh)
{
	struct queue q;
	int i;

	queue_open(&q, 10);
	q.snd.ssthresh = 10000;
	q.snd.cwnd_limited = true;
	for (i = 0; i < 10; i++)
		ack_bytes(&q, 1000);
	EXPECT_EQ(q.snd.cwnd, 11000);
}

TEST(reno_ack__crosses_ssthresh_within_one_ack)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.ssthresh = 11000;
	q.snd.cwnd_limited = true;
	ack_bytes(&q, 12000);	/* 1000 in slow start, 11000 are a window */
	EXPECT_EQ(q.snd.cwnd, 12000);
}

TEST(reno_ack__does_not_grow_a_window_that_is_not_used)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.cwnd_used = 5000;
	ack_bytes(&q, 1000);
	EXPECT_EQ(q.snd.cwnd, 10000);
	/* in slow start more than half of it is enough */
	q.snd.cwnd_used = 5001;
	ack_bytes(&q, 1000);
	EXPECT_EQ(q.snd.cwnd, 11000);
	/* but not later */
	q.snd.ssthresh = 5000;
	q.snd.cwnd_used = 10000;
	ack_bytes(&q, 50000);
	EXPECT_EQ(q.snd.cwnd, 11000);
}

TEST(reno_reduce__half_of_flight_size)
{
	struct queue q;

	queue_open(&q, 20);
	q.snd.rec.flight = 12000;
	EXPECT_EQ(haul_cc_reno.reduce(&q.snd, HAUL_CC_LOSS, q.now), 6000);
	EXPECT_EQ(haul_cc_reno.timeout(&q.snd, q.now), 6000);
}

TEST(reno_reduce__never_below_two_segments)
{
	struct queue q;

	queue_open(&q, 20);
	q.snd.rec.flight = 1000;
	EXPECT_EQ(haul_cc_reno.reduce(&q.snd, HAUL_CC_LOSS, q.now), 2 * MSS);
	EXPECT_EQ(haul_cc_reno.timeout(&q.snd, q.now), 2 * MSS);
}

TEST(reno_reduce__flight_above_cwnd_counts_as_cwnd)
{
	struct queue q;

	queue_open(&q, 20);
	q.snd.rec.flight = 50000;
	EXPECT_EQ(haul_cc_reno.reduce(&q.snd, HAUL_CC_LOSS, q.now), 10000);
}

TEST(cc_pacing_rate__twice_in_slow_start_then_a_fifth_more)
{
	struct queue q;

	queue_open(&q, 10);
	/* 10000 bytes per 10 ms are 1 MB/s */
	EXPECT_EQ(haul_cc_pacing_rate(&q.snd), 2000000);
	q.snd.ssthresh = 15000;
	EXPECT_EQ(haul_cc_pacing_rate(&q.snd), 1200000);
	q.snd.rtt.srtt8 = 0;
	EXPECT_EQ(haul_cc_pacing_rate(&q.snd) == ~0ULL, 1);
}
