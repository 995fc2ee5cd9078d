// SPDX-License-Identifier: GPL-2.0
/*
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406). The window is a cubic function of the time since the
 * last reduction: fast towards where the loss happened, slow around it, fast again beyond; never
 * less than Reno would have. The first slow start ends when round trips grow, before anything is
 * lost. Names are the RFCs'; windows are bytes where those have segments, times microseconds.
 */
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "cc.h"
#include "sender.h"

/* RFC 9438 4.1, 4.6: C = 0.4 = 2/5, beta_cubic = 0.7 = 7/10, alpha_cubic = 3 * 0.3 / 1.7 = 9/17 */
#define HAUL_CUBIC_T_MAX	(1U << 31)	/* us: by then C * t^3 is more than 2^31 segments */

/* RFC 9406 4.3 */
#define HAUL_HYSTART_MIN_RTT_THRESH	4000U	/* us */
#define HAUL_HYSTART_MAX_RTT_THRESH	16000U	/* us */
#define HAUL_HYSTART_MIN_RTT_DIVISOR	8
#define HAUL_HYSTART_N_RTT_SAMPLE	8
#define HAUL_HYSTART_CSS_GROWTH_DIVISOR	4
#define HAUL_HYSTART_CSS_ROUNDS		5

/**
 * struct haul_cubic_epoch - a stage of congestion avoidance: what an undo brings back (RFC 9438
 * 4.9)
 * @t_us:	us, time in this stage during which the window was in use; it stops at 71 minutes
 * @w_max:	bytes, W_max; 0: undefined, this stage starts at its plateau
 * @w_est:	bytes, W_est, what Reno would have
 * @est_part:	bytes acknowledged towards the next increase of @w_est
 * @k_us:	us, K, when the cubic function reaches @w_max
 * @begun:	the stage has begun; else the next ACK past slow start begins it
 * @cwnd_prior:	bytes, cwnd before the last reduction
 */
struct haul_cubic_epoch {
	u32	t_us;
	u32	w_max;
	u32	w_est;
	u32	est_part;
	u32	k_us:31;	/* at most 1751 s: cwnd_clamp is 2^31, an MSS a byte at least */
	u32	begun:1;
	u32	cwnd_prior;
};

/**
 * struct haul_hystart - RFC 9406 4.2
 * @window_end:	SND.NXT when the present round started
 * @last_min:	us, least sample of the round before, HAUL_RTT_NONE if none
 * @round_min:	us, least sample of this one
 * @css_base:	us, cssBaselineMinRtt
 * @samples:	in this round, counted up to HAUL_HYSTART_N_RTT_SAMPLE
 * @css_rounds:	rounds of conservative slow start that are over
 * @css:	conservative slow start it is
 */
struct haul_hystart {
	u32	window_end;
	u32	last_min;
	u32	round_min;
	u32	css_base;
	u8	samples;
	u8	css_rounds;
	bool	css;
};

/*
 * @last_us: the latest ACK of congestion avoidance, modulo 2^32: at most a round trip counts
 *	anyway.
 * @saved: @epoch before the last reduction
 */
struct haul_cubic {
	struct haul_cubic_epoch	epoch;
	struct haul_cubic_epoch	saved;
	u32			last_us;
	struct haul_hystart	hystart;
};

static_assert(sizeof(struct haul_cubic) <= HAUL_CC_PRIV_WORDS * sizeof(u64));

static struct haul_cubic *haul_cubic(struct haul_sender *snd)
{
	return (struct haul_cubic *)snd->priv;
}

/* --- arithmetic --- */

/* largest y with y^3 <= x, bit by bit */
static u32 haul_cubic_root(u64 x)
{
	u64 y = 0, bit;
	int shift;

	for (shift = 63; shift >= 0; shift -= 3) {
		y *= 2;
		/* (y + 1)^3 - y^3 */
		bit = 3 * y * (y + 1) + 1;
		if ((x >> shift) >= bit) {
			x -= bit << shift;
			y++;
		}
	}
	return y;
}

/*
 * RFC 9438 4.2: K = cubic root of (W_max - cwnd_epoch) / C, in seconds. The cube is taken in ms^3
 * and scaled up by eights until the root has 20 bits: exact to a millionth.
 */
static u32 haul_cubic_k(u32 distance, u32 mss)
{
	u64 cube = div_u64((u64)distance * 2500000000U, mss);
	unsigned int shift = 0;

	while (cube && cube < 1ULL << 60) {
		cube <<= 3;
		shift++;
	}
	return ((u64)haul_cubic_root(cube) * 1000) >> shift;
}

/* RFC 9438 (1): W_cubic(t) = C * (t - K)^3 + W_max; bytes, between 0 and 2^32 - 1 */
static u32 haul_cubic_window(const struct haul_cubic_epoch *epoch, u64 t_us, u32 mss)
{
	bool convex = t_us >= epoch->k_us;
	u64 d = min_t(u64, convex ? t_us - epoch->k_us : epoch->k_us - t_us, HAUL_CUBIC_T_MAX);
	u64 cube, delta;

	/* d^2 <= 2^62; in s^3 / 10^6 the cube is below 10^16, in bytes below 2^48: nothing wraps */
	cube = mul_u64_u64_div_u64(d * d, d, 1000000000000ULL);
	delta = mul_u64_u64_div_u64(cube, (u64)mss * 2, 5000000);
	if (convex)
		return min_t(u64, epoch->w_max + delta, ~0U);
	return epoch->w_max > delta ? epoch->w_max - delta : 0;
}

/* --- congestion avoidance: RFC 9438 4 --- */

/*
 * RFC 9438 4.2. W_max is undefined after HyStart++ (4.10) and a timeout (4.8): then, and when cwnd
 * is past it already, growth starts from the plateau, with K = 0.
 */
static void haul_cubic_begin(struct haul_sender *snd, u64 now)
{
	struct haul_cubic *cubic = haul_cubic(snd);
	struct haul_cubic_epoch *epoch = &cubic->epoch;

	epoch->begun = true;
	epoch->t_us = 0;
	epoch->est_part = 0;
	epoch->w_est = snd->cwnd;
	epoch->w_max = max(epoch->w_max, snd->cwnd);
	epoch->k_us = haul_cubic_k(epoch->w_max - snd->cwnd, snd->mss);
	if (!epoch->cwnd_prior)
		epoch->cwnd_prior = snd->cwnd;
	cubic->last_us = now;
	snd->acked_part = 0;
}

/*
 * RFC 9438 5.8: time during which cwnd was not in use does not count, or it would grow by idleness.
 * A sender that fills cwnd is acknowledged once per round trip at least; a longer silence between
 * two ACKs was a pause, a recovery, or somebody else's.
 */
static void haul_cubic_pass_time(struct haul_sender *snd, u64 now)
{
	struct haul_cubic *cubic = haul_cubic(snd);

	u32 passed = min_t(u32, (u32)now - cubic->last_us, haul_rtt_srtt(&snd->rtt));

	cubic->epoch.t_us = min_t(u64, (u64)cubic->epoch.t_us + passed, ~0U);
	cubic->last_us = now;
}

/*
 * RFC 9438 4.3: alpha_cubic MSS for every window acknowledged, one whole MSS after cwnd_prior is
 * reached. That is, one MSS for every 17/9 of a window, or for every window.
 */
static void haul_cubic_estimate_reno(struct haul_sender *snd, u32 acked)
{
	struct haul_cubic_epoch *epoch = &haul_cubic(snd)->epoch;
	u64 window = max(snd->cwnd, snd->mss), part;
	u32 steps = 0;

	if (epoch->w_est < epoch->cwnd_prior)
		window = min_t(u64, div_u64(window * 17, 9), ~0U);
	/* as in haul_cc_additive(): credit of a larger window is worth one step */
	if (epoch->est_part >= window) {
		epoch->est_part = 0;
		steps = 1;
	}
	part = (u64)epoch->est_part + acked;
	steps += div_u64_rem(part, window, &epoch->est_part);
	epoch->w_est = min_t(u64, epoch->w_est + (u64)steps * snd->mss, snd->cwnd_clamp);
}

/*
 * RFC 9438 4.4, 4.5: (target - cwnd) / cwnd of what is acknowledged, so that cwnd is at W_cubic one
 * round trip ahead by then; by half of itself at most.
 */
static void haul_cubic_approach(struct haul_sender *snd, u32 acked)
{
	const struct haul_cubic_epoch *epoch = &haul_cubic(snd)->epoch;
	u32 cwnd = max(snd->cwnd, snd->mss), target;
	u64 ahead = (u64)epoch->t_us + haul_rtt_srtt(&snd->rtt), grow;

	target = haul_cubic_window(epoch, ahead, snd->mss);
	target = clamp_t(u64, target, cwnd, (u64)cwnd + cwnd / 2);
	grow = (u64)(target - cwnd) * acked + snd->acked_part;
	grow = div_u64_rem(grow, cwnd, &snd->acked_part);
	snd->cwnd = min3((u64)target, cwnd + grow, (u64)snd->cwnd_clamp);
}

static void haul_cubic_avoid(struct haul_sender *snd, u32 acked, u64 now)
{
	struct haul_cubic_epoch *epoch = &haul_cubic(snd)->epoch;

	if (!epoch->begun)
		haul_cubic_begin(snd, now);
	haul_cubic_pass_time(snd, now);
	haul_cubic_estimate_reno(snd, acked);
	if (haul_cubic_window(epoch, epoch->t_us, snd->mss) >= epoch->w_est)
		haul_cubic_approach(snd, acked);
	else if (snd->cwnd < epoch->w_est)
		/* at once, but not faster than slow start: an undo may have left it far below */
		snd->cwnd += min(epoch->w_est - snd->cwnd, acked);
}

/* --- the first slow start: RFC 9406 --- */

static void haul_hystart_round(struct haul_sender *snd)
{
	struct haul_hystart *hy = &haul_cubic(snd)->hystart;

	hy->window_end = snd->nxt;
	hy->last_min = hy->round_min;
	hy->round_min = HAUL_RTT_NONE;
	hy->samples = 0;
}

static void haul_hystart_init(struct haul_sender *snd)
{
	struct haul_hystart *hy = &haul_cubic(snd)->hystart;

	hy->round_min = HAUL_RTT_NONE;
	hy->css = false;
	haul_hystart_round(snd);
}

/* RFC 9406 4.2: does the round trip grow by an eighth, within limits? */
static bool haul_hystart_grew(const struct haul_hystart *hy)
{
	u32 thresh;

	if (hy->last_min == HAUL_RTT_NONE)
		return false;
	thresh = clamp(hy->last_min / HAUL_HYSTART_MIN_RTT_DIVISOR, HAUL_HYSTART_MIN_RTT_THRESH,
		       HAUL_HYSTART_MAX_RTT_THRESH);
	return hy->round_min >= (u64)hy->last_min + thresh;
}

/* a sample; into conservative slow start, and out if the baseline shows that it was a mistake */
static void haul_hystart_sample(struct haul_hystart *hy, u32 rtt_us)
{
	if (rtt_us == HAUL_RTT_NONE)
		return;
	hy->round_min = min(hy->round_min, rtt_us);
	if (hy->samples < HAUL_HYSTART_N_RTT_SAMPLE)
		hy->samples++;
	if (hy->samples < HAUL_HYSTART_N_RTT_SAMPLE)
		return;
	if (hy->css) {
		hy->css = hy->round_min >= hy->css_base;
	} else if (haul_hystart_grew(hy)) {
		hy->css = true;
		hy->css_base = hy->round_min;
		hy->css_rounds = 0;
	}
}

/* a round that CSS was entered in the middle of counts, too */
static void haul_hystart_end_round(struct haul_sender *snd)
{
	struct haul_hystart *hy = &haul_cubic(snd)->hystart;

	if (haul_before(snd->una, hy->window_end))
		return;
	haul_hystart_round(snd);
	if (hy->css && ++hy->css_rounds >= HAUL_HYSTART_CSS_ROUNDS)
		snd->ssthresh = snd->cwnd;
}

/*
 * RFC 9406 4.3 advises it for the initial slow start only, and L = 8 segments per ACK for a sender
 * that does not pace. L is infinite here, as haul_cc_slow_start() explains: our ACKs stand for
 * segments of up to 64 KB, and 8 MSS of each would not double but crawl. For the same reason a
 * round may give fewer samples than N_RTT_SAMPLE; then it judges nothing, as the RFC says.
 */
static u32 haul_cubic_slow_start(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_hystart *hy = &haul_cubic(snd)->hystart;
	bool used = haul_sender_cwnd_in_use(snd);
	u32 grow = ack->delivered, left = 0;

	if (snd->ssthresh != HAUL_SSTHRESH_INFINITE)
		return used ? haul_cc_slow_start(snd, grow) : 0;
	haul_hystart_sample(hy, ack->rtt_us);
	if (hy->css)
		grow /= HAUL_HYSTART_CSS_GROWTH_DIVISOR;
	if (used)
		left = haul_cc_slow_start(snd, grow);
	haul_hystart_end_round(snd);
	return left;
}

/* --- the hooks --- */

static void haul_cubic_init(struct haul_sender *snd, u64 now)
{
	snd->acked_part = 0;
	haul_hystart_init(snd);
}

static void haul_cubic_ack(struct haul_sender *snd, const struct haul_ack *ack)
{
	u32 left = ack->delivered;

	if (haul_sender_in_slow_start(snd))
		left = haul_cubic_slow_start(snd, ack);
	else if (!haul_sender_cwnd_in_use(snd))
		haul_cubic(snd)->last_us = ack->now;
	if (left && haul_sender_cwnd_in_use(snd))
		haul_cubic_avoid(snd, left, ack->now);
}

/* RFC 9438 4.6: by 0.7, and not below two segments */
static u32 haul_cubic_ssthresh(const struct haul_sender *snd)
{
	return max_t(u32, div_u64((u64)haul_cc_flight(snd) * 7, 10), 2 * snd->mss);
}

/*
 * RFC 9438 4.6, 4.7: W_max is where it happened; below the former one flows are joining, and this
 * one leaves them some of its share (fast convergence).
 */
static u32 haul_cubic_reduce(struct haul_sender *snd, enum haul_cc_cause cause, u64 now)
{
	struct haul_cubic *cubic = haul_cubic(snd);
	struct haul_cubic_epoch *epoch = &cubic->epoch;

	cubic->saved = *epoch;
	epoch->w_max = snd->cwnd < epoch->w_max ? div_u64((u64)snd->cwnd * 17, 20) : snd->cwnd;
	epoch->cwnd_prior = snd->cwnd;
	epoch->begun = false;
	return haul_cubic_ssthresh(snd);
}

/*
 * RFC 9438 4.8: ssthresh as for a loss; W_max is where slow start will end. A timeout in fast
 * recovery is undone together with that, so the state of before that one is kept: recovery.c has
 * then left prior_cwnd as it was and set cwnd to ssthresh.
 */
static u32 haul_cubic_timeout(struct haul_sender *snd, u64 now)
{
	struct haul_cubic *cubic = haul_cubic(snd);
	struct haul_cubic_epoch *epoch = &cubic->epoch;

	if (snd->rec.state != HAUL_RECOVERY_FAST || snd->rec.prior_cwnd == snd->cwnd)
		cubic->saved = *epoch;
	epoch->w_max = 0;
	epoch->cwnd_prior = snd->cwnd;
	epoch->begun = false;
	return haul_cubic_ssthresh(snd);
}

/* RFC 9438 4.9; the time that the mistake took is not part of the epoch: cwnd did not grow in it */
static void haul_cubic_undo(struct haul_sender *snd, u64 now)
{
	struct haul_cubic *cubic = haul_cubic(snd);

	cubic->epoch = cubic->saved;
	cubic->last_us = now;
	snd->acked_part = 0;
	haul_hystart_init(snd);
}

/* cwnd fell back: once slow start has brought it to ssthresh, growth begins from there */
static void haul_cubic_idle(struct haul_sender *snd, u64 now)
{
	haul_cubic(snd)->epoch.begun = false;
	haul_hystart_init(snd);
}

const struct haul_cc_ops haul_cc_cubic = {
	.name		= "cubic",
	.init		= haul_cubic_init,
	.ack		= haul_cubic_ack,
	.reduce		= haul_cubic_reduce,
	.timeout	= haul_cubic_timeout,
	.undo		= haul_cubic_undo,
	.idle		= haul_cubic_idle,
};
