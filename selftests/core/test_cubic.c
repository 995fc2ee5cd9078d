// SPDX-License-Identifier: GPL-2.0
/* cc_cubic.c: the numbers of RFC 9438 and RFC 9406, against a reference in floating point. */
#include "queue.h"

#define SRTT	100000U		/* us: long enough that Reno is slower than the cubic function */
#define HUGE_WINDOW	(1U << 30)

static double cubed(double x)
{
	return x * x * x;
}

/* by halving: libm is not linked */
static double cube_root(double x)
{
	double low = 0, high = 10000, mid;
	int i;

	for (i = 0; i < 100; i++) {
		mid = (low + high) / 2;
		if (cubed(mid) > x)
			high = mid;
		else
			low = mid;
	}
	return low;
}

/* RFC 9438 (1) and (2): bytes and seconds */
static double w_cubic(double t, double w_max, double cwnd_epoch)
{
	double k = cube_root((w_max - cwnd_epoch) / MSS / 0.4);

	return (0.4 * cubed(t - k) + w_max / MSS) * MSS;
}

#define EXPECT_NEAR(want, got) ({							\
	double near_want_ = (want);							\
	EXPECT_LE(near_want_ * 0.99999 - 2, got);					\
	EXPECT_GE(near_want_ * 1.00001 + 2, got); })

static void srtt_is(struct queue *q, u32 us)
{
	q->snd.rtt.srtt8 = us * 8;
}

static void open_cubic(struct queue *q, u32 cwnd)
{
	queue_open(q, 10);
	haul_sender_set_cc(&q->snd, &haul_cc_cubic, NULL, q->now);
	srtt_is(q, SRTT);
	q->snd.cwnd = cwnd;
	q->snd.cwnd_limited = true;
}

static void ack_after(struct queue *q, u64 us, u32 bytes)
{
	struct haul_ack ack = {
		.acked = bytes, .delivered = bytes, .una_advanced = true, .rtt_us = HAUL_RTT_NONE,
	};

	q->now += us;
	ack.now = q->now;
	q->snd.cc->ack(&q->snd, &ack);
}

/* the whole window was in flight: cwnd becomes ssthresh, recovery is over */
static void lose(struct queue *q)
{
	q->snd.rec.flight = q->snd.cwnd;
	q->snd.ssthresh = q->snd.cc->reduce(&q->snd, HAUL_CC_LOSS, q->now);
	q->snd.cwnd = q->snd.ssthresh;
}

static void time_out(struct queue *q)
{
	q->snd.rec.flight = q->snd.cwnd;
	q->snd.ssthresh = q->snd.cc->timeout(&q->snd, q->now);
	q->snd.cwnd = q->snd.mss;
}

/* @us of use pass; cwnd is what it was */
static void pass(struct queue *q, u32 us)
{
	u32 srtt8 = q->snd.rtt.srtt8, cwnd = q->snd.cwnd;

	srtt_is(q, us);
	ack_after(q, us, 1);
	q->snd.rtt.srtt8 = srtt8;
	q->snd.cwnd = cwnd;
}

/* one full window is acknowledged at once: cwnd gets where it is bound for */
static void ack_window(struct queue *q)
{
	ack_after(q, 0, q->snd.cwnd);
}

TEST(cubic_reduce__seven_tenths_of_flight_size)
{
	struct queue q;

	open_cubic(&q, 20000);
	q.snd.rec.flight = 12000;
	EXPECT_EQ(haul_cc_cubic.reduce(&q.snd, HAUL_CC_LOSS, q.now), 8400);
	EXPECT_EQ(haul_cc_cubic.timeout(&q.snd, q.now), 8400);
	q.snd.rec.flight = 50000;
	EXPECT_EQ(haul_cc_cubic.reduce(&q.snd, HAUL_CC_LOSS, q.now), 14000);
}

TEST(cubic_reduce__never_below_two_segments)
{
	struct queue q;

	open_cubic(&q, 20000);
	q.snd.rec.flight = 1000;
	EXPECT_EQ(haul_cc_cubic.reduce(&q.snd, HAUL_CC_LOSS, q.now), 2 * MSS);
	EXPECT_EQ(haul_cc_cubic.timeout(&q.snd, q.now), 2 * MSS);
}

TEST(cubic_reduce__does_not_wrap)
{
	struct queue q;

	open_cubic(&q, HUGE_WINDOW);
	lose(&q);
	EXPECT_EQ(q.snd.ssthresh, 751619276);
}

/* before K, at K and after it, for windows of 100 to a million segments */
TEST(cubic_window__follows_the_function)
{
	static const u32 w_max[] = { 100000, 1000000, 12345678, 100000000, HUGE_WINDOW };
	unsigned int i, tenths;

	for (i = 0; i < 5; i++) {
		double k = cube_root(0.3 * w_max[i] / MSS / 0.4);

		for (tenths = 0; tenths <= 20; tenths++) {
			u32 t_us = k * tenths / 10 * 1e6;
			struct queue q;
			double want;
			u32 start;

			open_cubic(&q, w_max[i]);
			lose(&q);
			start = q.snd.cwnd;
			q.snd.ssthresh = 2 * MSS;
			pass(&q, 1);	/* the epoch begins */
			pass(&q, t_us);
			want = w_cubic((t_us + SRTT) / 1e6, w_max[i], start);
			/* near enough that it may be reached, and above Reno */
			q.snd.cwnd = want * 0.9;
			ack_window(&q);
			EXPECT_NEAR(want, q.snd.cwnd);
		}
	}
}

/* RFC 9438 4.4: (target - cwnd) / cwnd of each byte acknowledged, nothing lost by rounding */
TEST(cubic_ack__grows_in_proportion_to_what_is_acknowledged)
{
	struct queue q;
	double want;
	u32 i, cwnd;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	cwnd = q.snd.cwnd;
	want = cwnd + (w_cubic(SRTT / 1e6, 1000000, cwnd) - cwnd) * 350000 / cwnd;
	ack_after(&q, 0, 350000);
	EXPECT_NEAR(want, q.snd.cwnd);
	/* in small pieces: less than a byte for each, and yet */
	q.snd.cwnd = cwnd;
	for (i = 0; i < 35000; i++)
		ack_after(&q, 0, 10);
	EXPECT_GT(q.snd.cwnd, want - 2500);
	EXPECT_LT(q.snd.cwnd, want + 10);
}

/* a whole epoch, ACK by ACK: the window is the function, not just bound for it */
TEST(cubic_ack__an_epoch)
{
	struct queue q;
	u32 i;

	open_cubic(&q, 1000000);
	lose(&q);
	for (i = 1; i <= 20 * 20 * 10; i++) {	/* 20 s, 20 ACKs in each round trip */
		ack_after(&q, SRTT / 20, q.snd.cwnd / 20);
		if (i % 200 == 0) {
			double want = w_cubic(i * 0.005, 1000000, 700000);

			EXPECT_GT(q.snd.cwnd, want * 0.99);
			EXPECT_LT(q.snd.cwnd, want * 1.01);
		}
	}
}

TEST(cubic_ack__target_is_half_as_much_again_at_most)
{
	struct queue q;

	open_cubic(&q, 100000);
	lose(&q);
	pass(&q, 1);
	pass(&q, 60000000);
	ack_window(&q);
	EXPECT_EQ(q.snd.cwnd, 105000);
	/* a stretch ACK does not go past the target either */
	ack_after(&q, 0, 50 * q.snd.cwnd);
	EXPECT_EQ(q.snd.cwnd, 157500);
}

TEST(cubic_ack__target_is_no_less_than_cwnd)
{
	struct queue q;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	q.snd.cwnd = 900000;	/* far above the function at this time */
	ack_window(&q);
	EXPECT_EQ(q.snd.cwnd, 900000);
}

/* a time without end, a window without bound: no wrap, and the clamp holds */
TEST(cubic_ack__no_overflow)
{
	static const u32 clamps[] = { HUGE_WINDOW, 0x7fffffff };
	struct queue q;
	u32 i, j, before;

	for (j = 0; j < 2; j++) {
		open_cubic(&q, HUGE_WINDOW);
		q.snd.cwnd_clamp = clamps[j];
		lose(&q);
		pass(&q, 1);
		for (i = 0; i < 200; i++) {
			pass(&q, 500000000);	/* 28 hours in all */
			before = q.snd.cwnd;
			ack_window(&q);
			EXPECT_GE(q.snd.cwnd, before);
			EXPECT_LE(q.snd.cwnd, clamps[j]);
		}
		EXPECT_EQ(q.snd.cwnd, clamps[j]);
		ack_after(&q, 1ULL << 50, 0x7fffffff);
		EXPECT_EQ(q.snd.cwnd, clamps[j]);
	}
}

/* 2^32 us: the square of it would be 0 */
TEST(cubic_ack__seventy_two_minutes)
{
	struct queue q;
	u32 i;

	open_cubic(&q, 500000);
	q.snd.ssthresh = 500000;
	srtt_is(&q, 0);
	ack_after(&q, 0, 1);
	for (i = 0; i < 16; i++)
		pass(&q, 1U << 28);
	ack_window(&q);
	EXPECT_EQ(q.snd.cwnd, 750000);
}

TEST(cubic_ack__smallest_and_largest_mss)
{
	static const u32 mss[] = { 1, 65535 };
	struct queue q;
	u32 i, j;

	for (i = 0; i < 2; i++) {
		open_cubic(&q, HUGE_WINDOW);
		q.snd.mss = mss[i];
		q.snd.cwnd_clamp = 0x7fffffff;
		lose(&q);
		for (j = 0; j < 100; j++) {
			u32 before = q.snd.cwnd;

			pass(&q, 400000000);
			ack_window(&q);
			EXPECT_GE(q.snd.cwnd, before);
		}
		EXPECT_EQ(q.snd.cwnd, 0x7fffffff);
	}
}

/*
 * RFC 9438 4.3: where Reno would be faster, 9/17 of a segment for each window, a whole one after
 * the window before the loss is reached
 */
TEST(cubic_ack__reno_friendly_region)
{
	struct queue q;
	double want = 7000;
	u32 i;

	open_cubic(&q, 10000);
	srtt_is(&q, 1000);	/* so short that the function does not move */
	lose(&q);
	for (i = 0; i < 40; i++) {
		want += want < 10000 ? MSS * 9.0 / 17 : MSS;
		ack_after(&q, 10, q.snd.cwnd);
		EXPECT_LE(want - 1.3 * MSS, q.snd.cwnd);
		EXPECT_GE(want + 1.3 * MSS, q.snd.cwnd);
	}
	EXPECT_GE(q.snd.cwnd, 43000);
}

TEST(cubic_ack__alpha_before_and_after_the_window_of_the_loss)
{
	struct queue q;
	u32 i;

	open_cubic(&q, 10000);
	srtt_is(&q, 0);
	lose(&q);
	for (i = 0; i < 13; i++)	/* 17/9 * 7000 = 13222 bytes */
		ack_after(&q, 0, 1000);
	EXPECT_LE(q.snd.cwnd, 7001);	/* K is rounded down */
	ack_after(&q, 0, 230);
	EXPECT_LE(q.snd.cwnd, 7001 + 230);	/* not faster than slow start */
	EXPECT_GE(q.snd.cwnd, 7000 + 230);
	ack_after(&q, 0, 1000);
	EXPECT_EQ(q.snd.cwnd, 8000);
	for (i = 0; i < 10000 && q.snd.cwnd < 10000; i++)
		ack_after(&q, 0, 10);
	ASSERT_EQ(q.snd.cwnd, 10000);
	for (i = 0; i < 9; i++)
		ack_after(&q, 0, 1000);
	EXPECT_LT(q.snd.cwnd, 11000);
	ack_after(&q, 0, 1000);
	EXPECT_EQ(q.snd.cwnd, 11000);
}

TEST(cubic_ack__smallest_windows_grow)
{
	struct queue q;
	u32 i;

	open_cubic(&q, 2000);
	srtt_is(&q, 1000);
	lose(&q);
	EXPECT_EQ(q.snd.cwnd, 2000);
	for (i = 0; i < 30; i++)
		ack_after(&q, 1000, 1000);
	EXPECT_GE(q.snd.cwnd, 7000);
	EXPECT_LE(q.snd.cwnd, 9000);
}

/* RFC 9438 4.7: a second loss below the first one's window: 0.85 of it is the new plateau */
TEST(cubic_reduce__fast_convergence)
{
	struct queue q;
	double want;

	open_cubic(&q, 1000000);
	lose(&q);
	q.snd.cwnd = 800000;
	lose(&q);
	pass(&q, 1);
	pass(&q, 2000000);
	want = w_cubic(2.1, 680000, 560000);
	ack_window(&q);
	EXPECT_NEAR(want, q.snd.cwnd);
	/* and the third one above it: no convergence */
	q.snd.cwnd = 700000;
	lose(&q);
	pass(&q, 1);
	pass(&q, 2000000);
	want = w_cubic(2.1, 700000, 490000);
	ack_window(&q);
	EXPECT_NEAR(want, q.snd.cwnd);
}

/* RFC 9438 4.10: slow start ended without a loss: K = 0, the plateau is here; Reno's alpha is 1 */
TEST(cubic_ack__first_epoch_without_a_loss)
{
	struct queue q;

	open_cubic(&q, 500000);
	q.snd.ssthresh = 500000;
	pass(&q, 1);
	pass(&q, 5000000);
	ack_window(&q);
	EXPECT_NEAR(w_cubic(5.1, 500000, 500000), q.snd.cwnd);
}

/* RFC 9438 4.8: after a timeout the plateau is where slow start ends, K = 0 */
TEST(cubic_timeout__starts_from_a_plateau)
{
	struct queue q;

	open_cubic(&q, 1000000);
	lose(&q);	/* there is a W_max to forget */
	q.snd.cwnd = 1000000;
	time_out(&q);
	EXPECT_EQ(q.snd.ssthresh, 700000);
	ack_after(&q, SRTT, 5000);
	EXPECT_EQ(q.snd.cwnd, 6000);
	q.snd.cwnd = 700000;
	pass(&q, 1);
	pass(&q, 5000000);
	ack_window(&q);
	EXPECT_NEAR(w_cubic(5.1, 700000, 700000), q.snd.cwnd);
}

/* RFC 9438 5.8: neither a window that is not used grows, nor does its time count */
TEST(cubic_ack__time_out_of_use_does_not_count)
{
	struct queue q;
	u32 i;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	pass(&q, 1000000);
	q.snd.cwnd_limited = false;
	for (i = 0; i < 100; i++)
		ack_after(&q, SRTT, 10000);
	EXPECT_EQ(q.snd.cwnd, 700000);
	q.snd.cwnd_limited = true;
	ack_window(&q);
	EXPECT_NEAR(w_cubic(1.1, 1000000, 700000), q.snd.cwnd);
}

TEST(cubic_ack__a_pause_counts_as_one_round_trip)
{
	struct queue q;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	pass(&q, 1000000);
	ack_after(&q, 30000000, 700000);
	EXPECT_NEAR(w_cubic(1.2, 1000000, 700000), q.snd.cwnd);
}

TEST(cubic_idle__begins_a_new_epoch)
{
	struct queue q;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	pass(&q, 8000000);
	q.now += 50000000;
	haul_sender_restart(&q.snd, 50000000, true, q.now);
	EXPECT_EQ(q.snd.cwnd, 10000);
	q.snd.cwnd = 700000;
	q.snd.cwnd_limited = true;
	pass(&q, 1);
	ack_window(&q);
	EXPECT_NEAR(w_cubic(0.1, 1000000, 700000), q.snd.cwnd);
}

static void expect_undone(struct queue *q)
{
	haul_cc_cubic.undo(&q->snd, q->now);
	q->snd.ssthresh = 700000;
	q->snd.cwnd = 800000;
	ack_window(q);
	EXPECT_NEAR(w_cubic(3.1, 1000000, 700000), q->snd.cwnd);
}

/* RFC 9438 4.9: epoch, W_max, K are what they were; the time of the mistake is not counted */
TEST(cubic_undo__brings_the_epoch_back)
{
	struct queue q;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	pass(&q, 3000000);
	q.snd.cwnd = 900000;
	lose(&q);
	pass(&q, 2000000);
	expect_undone(&q);
	/* and once more, for a timeout */
	time_out(&q);
	q.now += 5000000;
	expect_undone(&q);
}

/* a timeout in fast recovery is undone with it; one after a mark's reduction by itself */
TEST(cubic_undo__of_loss_and_timeout_together)
{
	struct queue q;

	open_cubic(&q, 1000000);
	lose(&q);
	pass(&q, 1);
	pass(&q, 3000000);
	q.snd.cwnd = 900000;
	q.snd.rec.prior_cwnd = 900000;
	lose(&q);
	q.snd.rec.state = HAUL_RECOVERY_FAST;
	time_out(&q);
	q.snd.rec.state = HAUL_RECOVERY_OPEN;
	expect_undone(&q);
}

TEST(cubic_undo__of_a_timeout_that_armed_it_itself)
{
	struct queue q;

	open_cubic(&q, 1000000);
	q.snd.cwnd_clamp = HUGE_WINDOW;
	lose(&q);	/* for a mark */
	q.snd.rec.prior_cwnd = q.snd.cwnd;
	q.snd.rec.state = HAUL_RECOVERY_FAST;
	time_out(&q);
	haul_cc_cubic.undo(&q.snd, q.now);
	q.snd.cwnd = 700000;
	pass(&q, 1);
	ack_window(&q);
	EXPECT_NEAR(w_cubic(0.1, 1000000, 700000), q.snd.cwnd);
}

/* --- HyStart++ --- */

/* one round: @num ACKs with samples of @rtt_us for @bytes each */
static void hystart_round(struct queue *q, u32 num, u32 rtt_us, u32 bytes)
{
	struct haul_ack ack = {
		.acked = bytes, .delivered = bytes, .una_advanced = true, .rtt_us = rtt_us,
	};
	u32 end = q->snd.nxt;

	q->snd.nxt += num * bytes;
	while (num--) {
		q->now += 1000;
		ack.now = q->now;
		q->snd.una = end - num;	/* only the last one ends the round */
		q->snd.cc->ack(&q->snd, &ack);
	}
}

/* a round of @base, in flight from now on */
static void hystart_open(struct queue *q, u32 base)
{
	open_cubic(q, 10000);
	hystart_round(q, 8, base, 1000);
}

TEST(hystart__doubles_while_round_trips_stay)
{
	struct queue q;

	hystart_open(&q, 50000);
	EXPECT_EQ(q.snd.cwnd, 18000);
	hystart_round(&q, 10, 56249, 1000);
	EXPECT_EQ(q.snd.cwnd, 28000);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
}

/* an eighth of the round before, between 4 and 16 ms; the eighth sample decides */
TEST(hystart__threshold)
{
	static const struct {
		u32 base, grown;
	} cases[] = {
		{ 50000, 56250 }, { 1000, 5000 }, { 32000, 36000 }, { 33600, 37800 },
		{ 128000, 144000 }, { 400000, 416000 },
	};
	unsigned int i;

	for (i = 0; i < 6; i++) {
		struct queue q;

		hystart_open(&q, cases[i].base);
		hystart_round(&q, 12, cases[i].grown, 1000);
		/* seven at full speed, five at a quarter of it */
		EXPECT_EQ(q.snd.cwnd, 18000 + 7000 + 5 * 250);
		hystart_open(&q, cases[i].base);
		hystart_round(&q, 12, cases[i].grown - 1, 1000);
		EXPECT_EQ(q.snd.cwnd, 18000 + 12000);
	}
}

TEST(hystart__too_few_samples_tell_nothing)
{
	struct queue q;

	hystart_open(&q, 50000);
	hystart_round(&q, 7, 90000, 1000);
	EXPECT_EQ(q.snd.cwnd, 25000);
	/* ACKs without a sample are none */
	hystart_open(&q, 50000);
	hystart_round(&q, 20, HAUL_RTT_NONE, 1000);
	EXPECT_EQ(q.snd.cwnd, 38000);
}

/* large segments: L is infinite, an ACK of 45 segments opens by as many */
TEST(hystart__no_limit_for_large_segments)
{
	struct queue q;

	open_cubic(&q, 100000);
	hystart_round(&q, 2, 50000, 45000);
	EXPECT_EQ(q.snd.cwnd, 190000);
}

/* the partial round counts: five ends of rounds, and congestion avoidance starts here */
TEST(hystart__five_rounds_of_css)
{
	struct queue q;
	u32 i, cwnd;

	hystart_open(&q, 50000);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
		hystart_round(&q, 10, 60000, 1000);
	}
	cwnd = q.snd.cwnd;
	EXPECT_EQ(cwnd, 18000 + 7000 + 43 * 250);
	EXPECT_EQ(q.snd.ssthresh, cwnd);
	/* the plateau is here: hardly any growth in the first round trip but Reno's */
	ack_after(&q, SRTT, cwnd);
	EXPECT_GE(q.snd.cwnd, cwnd);
	EXPECT_LE(q.snd.cwnd, cwnd + MSS);
}

/* RFC 9406 4.2: round trips fall below the baseline: it was jitter, slow start goes on */
TEST(hystart__spurious_exit_resumes_slow_start)
{
	struct queue q;
	u32 cwnd, i;

	hystart_open(&q, 50000);
	hystart_round(&q, 10, 60000, 1000);
	hystart_round(&q, 10, 60000, 1000);	/* not below: CSS it stays */
	EXPECT_EQ(q.snd.cwnd, 18000 + 7000 + 13 * 250);
	cwnd = q.snd.cwnd;
	hystart_round(&q, 10, 59999, 1000);
	EXPECT_EQ(q.snd.cwnd, cwnd + 7 * 250 + 3 * 1000);
	for (i = 0; i < 6; i++)
		hystart_round(&q, 10, 59999, 1000);
	EXPECT_EQ(q.snd.cwnd, cwnd + 7 * 250 + 63 * 1000);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
	/* and may be left again, with rounds counted anew */
	for (i = 0; i < 4; i++)
		hystart_round(&q, 10, 80000, 1000);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
	hystart_round(&q, 10, 80000, 1000);
	EXPECT_EQ(q.snd.ssthresh, q.snd.cwnd);
}

/* RFC 9406 4.3: the initial slow start only */
TEST(hystart__not_after_a_loss)
{
	struct queue q;

	hystart_open(&q, 50000);
	q.snd.ssthresh = 100000;
	hystart_round(&q, 12, 90000, 1000);
	EXPECT_EQ(q.snd.cwnd, 30000);
}

TEST(hystart__does_not_grow_a_window_that_is_not_used)
{
	struct queue q;

	hystart_open(&q, 50000);
	q.snd.cwnd_limited = false;
	q.snd.cwnd_used = 9000;
	hystart_round(&q, 10, 50000, 1000);
	EXPECT_EQ(q.snd.cwnd, 18000);
}
