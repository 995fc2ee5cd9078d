// SPDX-License-Identifier: GPL-2.0
/*
 * BBR version 3 (draft-ietf-ccwg-bbr-05): sends at the bandwidth that the path was seen to deliver,
 * with no more in flight than that takes. To find the bandwidth it doubles its rate until that no
 * longer grows; then it probes for more every few seconds (up), gives back what it queued by that
 * (down), cruises, and fills the pipe before the next probe (refill). Every five seconds, unless
 * the path was idle, it sends less for a moment to see the least round trip. What was lost or
 * marked bounds both. The model that all of this goes by is in cc_bbr_model.c.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include "cc_bbr.h"

#define HAUL_BBR_FULL_BW_ROUNDS	3	/* 5.3.1.2 */
#define HAUL_BBR_FULL_LOSS	6	/* 5.3.1.3: StartupFullLossCnt */
#define HAUL_BBR_DRAIN_ROUNDS	3	/* 5.3.2 */
#define HAUL_BBR_RENO_ROUNDS	63U	/* 5.3.3.5.3 */
#define HAUL_BBR_PROBE_MIN_US	2000000U
#define HAUL_BBR_PROBE_MORE_US	1000000U
#define HAUL_BBR_PROBE_RTT_TIME	200U	/* ms, 2.13: ProbeRTTDuration */
#define HAUL_BBR_MARGIN		99	/* percent, 5.6.2: PacingMarginPercent is 1 */
#define HAUL_BBR_QUANTUM_SHIFT	10	/* 5.6.3: about a millisecond's worth */
#define HAUL_BBR_QUANTUM_MAX	65536U

/* percent (5.6.1) */
static const struct {
	u16	pacing;
	u16	cwnd;
} haul_bbr_gains[HAUL_BBR_NUM_STATES] = {
	[HAUL_BBR_STARTUP]	= { 277, 200 },
	[HAUL_BBR_DRAIN]	= { 50, 200 },
	[HAUL_BBR_DOWN]		= { 90, 200 },
	[HAUL_BBR_CRUISE]	= { 100, 200 },
	[HAUL_BBR_REFILL]	= { 100, 200 },
	[HAUL_BBR_UP]		= { 125, 225 },
	[HAUL_BBR_PROBE_RTT]	= { 100, 50 },
};

/* --- how fast, how much: 5.6 --- */

static u64 haul_bbr_rate(u32 bw, u32 percent)
{
	return mul_u64_u64_div_u64((u64)bw << HAUL_BBR_BW_SHIFT, percent * HAUL_BBR_MARGIN, 10000);
}

/* 5.6.2: until the path is full, a low sample must not slow the search down */
static void haul_bbr_set_pacing_rate(struct haul_sender *snd, u32 percent)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u64 rate = haul_bbr_rate(haul_bbr_bw(snd), percent);

	if (rate && (bbr->full_bw_reached || rate > snd->pacing_rate))
		snd->pacing_rate = rate;
}

/* 5.6.2: an initial window in the round trip that the handshake took, or in a millisecond */
static void haul_bbr_init_pacing_rate(struct haul_sender *snd)
{
	u32 rtt = max_t(u32, haul_rtt_srtt(&snd->rtt), 1);

	if (!snd->rtt.srtt8)
		rtt = 1000;
	snd->pacing_rate = div_u64((u64)snd->cwnd * haul_bbr_gains[HAUL_BBR_STARTUP].pacing *
				   10000, rtt);
}

/* 5.6.3: what may leave as one */
static u32 haul_bbr_quantum(const struct haul_sender *snd)
{
	u64 bytes = snd->pacing_rate >> HAUL_BBR_QUANTUM_SHIFT;

	return max_t(u64, min_t(u64, bytes, HAUL_BBR_QUANTUM_MAX), 2 * snd->mss);
}

/* 5.6.4.2, BBRQuantizationBudget(): room for large segments on both sides, and for delayed ACKs */
static u32 haul_bbr_with_budget(const struct haul_sender *snd, u32 inflight)
{
	inflight = max3(inflight, 3 * haul_bbr_quantum(snd), HAUL_BBR_MIN_SEGS * snd->mss);
	if (haul_bbr(snd)->state == HAUL_BBR_UP)
		inflight += 2 * snd->mss;
	return inflight;
}

static u32 haul_bbr_inflight(const struct haul_sender *snd, u32 percent)
{
	return haul_bbr_with_budget(snd, haul_bbr_bdp(snd, haul_bbr_max_bw(haul_bbr(snd)),
						      percent));
}

/* 5.3.3.6: some of what the path can take is left to others */
static u32 haul_bbr_headroom(const struct haul_sender *snd)
{
	const struct haul_bbr *bbr = haul_bbr(snd);
	u32 room;

	if (bbr->inflight_hi == HAUL_BBR_NONE)
		return HAUL_BBR_NONE;
	room = max_t(u32, div_u64((u64)bbr->inflight_hi * 15, 100), snd->mss);
	return max(bbr->inflight_hi > room ? bbr->inflight_hi - room : 0,
		   HAUL_BBR_MIN_SEGS * snd->mss);
}

/* 5.6.4.5 */
static u32 haul_bbr_probe_rtt_cwnd(const struct haul_sender *snd)
{
	return max(haul_bbr_bdp(snd, haul_bbr_bw(snd), haul_bbr_gains[HAUL_BBR_PROBE_RTT].cwnd),
		   HAUL_BBR_MIN_SEGS * snd->mss);
}

/* 5.6.4.7: the model's bounds */
static u32 haul_bbr_cap(const struct haul_sender *snd)
{
	const struct haul_bbr *bbr = haul_bbr(snd);
	u32 cap = HAUL_BBR_NONE;

	if (bbr->state == HAUL_BBR_PROBE_RTT || bbr->state == HAUL_BBR_CRUISE)
		cap = haul_bbr_headroom(snd);
	else if (haul_bbr_in_probe_bw(bbr))
		cap = bbr->inflight_hi;
	return max(min(cap, bbr->inflight_lo), HAUL_BBR_MIN_SEGS * snd->mss);
}

/*
 * 5.6.4.6. Packet conservation in fast recovery (5.6.4.4) is left out: pacing keeps what is sent to
 * what is delivered, and inflight_lo keeps what is in flight to what was safe.
 */
static void haul_bbr_set_cwnd(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 target = haul_bbr_bdp(snd, haul_bbr_bw(snd), haul_bbr_gains[bbr->state].cwnd);
	u64 cwnd = snd->cwnd;

	target = haul_bbr_with_budget(snd, target + haul_bbr_extra_acked(bbr));
	if (bbr->full_bw_reached)
		cwnd = min_t(u64, cwnd + ack->delivered, target);
	else if (cwnd < target || cwnd < 2 * haul_sender_initial_window(snd))
		cwnd += ack->delivered;
	cwnd = max_t(u64, cwnd, HAUL_BBR_MIN_SEGS * snd->mss);
	if (bbr->state == HAUL_BBR_PROBE_RTT)
		cwnd = min_t(u64, cwnd, haul_bbr_probe_rtt_cwnd(snd));
	snd->cwnd = min3(cwnd, (u64)haul_bbr_cap(snd), (u64)snd->cwnd_clamp);
}

/* 5.6.4.4: BBRSaveCwnd() and BBRRestoreCwnd() */
static void haul_bbr_save_cwnd(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!haul_sender_recovering(snd) && bbr->state != HAUL_BBR_PROBE_RTT)
		bbr->prior_cwnd = snd->cwnd;
	else
		bbr->prior_cwnd = max(bbr->prior_cwnd, snd->cwnd);
}

static void haul_bbr_restore_cwnd(struct haul_sender *snd)
{
	snd->cwnd = min(max(snd->cwnd, haul_bbr(snd)->prior_cwnd), snd->cwnd_clamp);
}

/* --- Startup and Drain: 5.3.1, 5.3.2 --- */

/* 5.3.1.2: three rounds in which the bandwidth did not grow by a quarter */
static void haul_bbr_check_full_bw(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 bw = bbr->bw_latest;

	if (bbr->full_bw_now || !bbr->round_start || ack->app_limited)
		return;
	if (bw >= bbr->full_bw + (u64)bbr->full_bw / 4) {
		haul_bbr_reset_full_bw(bbr);
		bbr->full_bw = bw;
		return;
	}
	if (++bbr->full_bw_count >= HAUL_BBR_FULL_BW_ROUNDS) {
		bbr->full_bw_now = true;
		bbr->full_bw_reached = true;
	}
}

/* 5.3.1.3: the queue overflows, or the path marks, for a whole round */
static void haul_bbr_check_startup_loss(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (bbr->state != HAUL_BBR_STARTUP || !bbr->loss_round_start ||
	    bbr->loss_events < HAUL_BBR_FULL_LOSS || !haul_bbr_congested(snd))
		return;
	bbr->full_bw_reached = true;
	bbr->inflight_hi = max(haul_bbr_bdp(snd, haul_bbr_max_bw(bbr), 100),
			       bbr->inflight_latest);
}

static void haul_bbr_check_startup_done(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_check_startup_loss(snd);
	if (bbr->state == HAUL_BBR_STARTUP && bbr->full_bw_reached) {
		bbr->state = HAUL_BBR_DRAIN;
		bbr->drain_rounds = 0;
	}
}

/* --- ProbeBW: 5.3.3 --- */

/* core/ has no source of randomness; it is enough that flows do not all probe at once */
static u32 haul_bbr_random(const struct haul_sender *snd, u64 now)
{
	u64 mix = (now ^ snd->iss ^ ((u64)snd->delivered << 32)) * 0x9e3779b97f4a7c15ULL;

	return mix >> 32;
}

/* 5.3.3.5.3: two to three seconds, or sooner, so that Reno and CUBIC are not left behind */
static void haul_bbr_pick_wait(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 random = haul_bbr_random(snd, now);

	bbr->probe_rounds = random & 1;
	bbr->probe_wait_us = HAUL_BBR_PROBE_MIN_US +
			     ((u64)(random >> 1) * HAUL_BBR_PROBE_MORE_US >> 31);
}

static void haul_bbr_start_down(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_reset_congestion(snd);
	bbr->up_bytes = HAUL_BBR_NONE;
	haul_bbr_pick_wait(snd, now);
	bbr->cycle_us = now;
	bbr->ack_phase = HAUL_BBR_ACKS_STOPPING;
	haul_bbr_start_round(snd);
	bbr->state = HAUL_BBR_DOWN;
}

static void haul_bbr_start_refill(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_reset_lower_bounds(bbr);
	bbr->up_rounds = 0;
	bbr->up_acked = 0;
	bbr->ack_phase = HAUL_BBR_ACKS_REFILLING;
	haul_bbr_start_round(snd);
	bbr->state = HAUL_BBR_REFILL;
}

/* BBRRaiseInflightLongtermSlope(): one segment in the first round, then two, four, ... */
static void haul_bbr_raise_slope(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	bbr->up_bytes = max(snd->cwnd >> bbr->up_rounds, snd->mss);
	bbr->up_rounds = min(bbr->up_rounds + 1, 31);
}

static void haul_bbr_start_up(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	bbr->ack_phase = HAUL_BBR_ACKS_STARTING;
	haul_bbr_start_round(snd);
	haul_bbr_reset_full_bw(bbr);
	bbr->full_bw = bbr->bw_latest;
	bbr->cycle_us = now;
	bbr->up_clear = snd->rtt.latest <= bbr->min_rtt + bbr->min_rtt / 8;
	bbr->state = HAUL_BBR_UP;
	haul_bbr_raise_slope(snd);
}

/* BBRProbeInflightLongtermUpward() */
static void haul_bbr_raise_inflight_hi(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 steps;

	if (!snd->cwnd_limited || snd->cwnd < bbr->inflight_hi)
		return;
	bbr->up_acked += ack->delivered;
	steps = bbr->up_acked / bbr->up_bytes;
	bbr->up_acked -= steps * bbr->up_bytes;
	bbr->inflight_hi = min_t(u64, bbr->inflight_hi + (u64)steps * snd->mss, snd->cwnd_clamp);
	if (bbr->round_start)
		haul_bbr_raise_slope(snd);
}

/* BBRHandleInflightTooHigh(): @in_flight was too much */
static void haul_bbr_handle_too_high(struct haul_sender *snd, u32 in_flight, bool app_limited,
				     u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 least = div_u64((u64)haul_bbr_target_inflight(snd) * 7, 10);

	bbr->probe_samples = false;
	if (!app_limited)
		bbr->inflight_hi = max(in_flight, least);
	if (bbr->state == HAUL_BBR_UP)
		haul_bbr_start_down(snd, now);
}

/* 5.3.3.6, BBRAdaptLongTermModel() */
static void haul_bbr_adapt_inflight_hi(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (bbr->ack_phase == HAUL_BBR_ACKS_STARTING && bbr->round_start)
		bbr->ack_phase = HAUL_BBR_ACKS_FEEDBACK;
	if (bbr->ack_phase == HAUL_BBR_ACKS_STOPPING && bbr->round_start) {
		bbr->probe_samples = false;
		bbr->ack_phase = HAUL_BBR_ACKS_INIT;
		if (haul_bbr_in_probe_bw(bbr) && !ack->app_limited) {
			/* 5.5.6: a cycle is over */
			bbr->max_bw[1] = bbr->max_bw[0];
			bbr->max_bw[0] = 0;
		}
	}
	if (!ack->rate_delivered)
		return;
	if (haul_bbr_too_high(snd, ack->rate_lost, ack->rate_in_flight)) {
		/* lost segments have told it themselves already, marks have not */
		if (bbr->probe_samples)
			haul_bbr_handle_too_high(snd, ack->rate_in_flight, ack->app_limited,
						 ack->now);
		return;
	}
	if (bbr->inflight_hi == HAUL_BBR_NONE)
		return;
	bbr->inflight_hi = max(bbr->inflight_hi, ack->rate_in_flight);
	if (bbr->state == HAUL_BBR_UP)
		haul_bbr_raise_inflight_hi(snd, ack);
}

/* BBRIsTimeToProbeBW() */
static bool haul_bbr_time_to_probe(const struct haul_sender *snd, u64 now)
{
	const struct haul_bbr *bbr = haul_bbr(snd);
	u32 segs = haul_bbr_target_inflight(snd) / snd->mss;

	return (u32)now - bbr->cycle_us > bbr->probe_wait_us ||
	       bbr->probe_rounds >= min(segs, HAUL_BBR_RENO_ROUNDS);
}

/* BBRIsTimeToCruise(): the queue that the probe made is gone */
static bool haul_bbr_time_to_cruise(const struct haul_sender *snd)
{
	u32 in_flight = haul_sender_in_flight(snd);

	return in_flight <= haul_bbr_headroom(snd) && in_flight <= haul_bbr_inflight(snd, 100);
}

/*
 * Nobody had queued anything when the probe began, it has lasted a round trip, and there is more in
 * flight than it adds to what the path holds: the path was full, what is queued is ours. Each round
 * more would add as much to it. (The draft has three rounds without growth tell so; they do where
 * others keep a queue, for then growth comes slowly.)
 */
static bool haul_bbr_queue_is_ours(const struct haul_sender *snd, u64 now)
{
	const struct haul_bbr *bbr = haul_bbr(snd);

	return bbr->up_clear && (u32)now - bbr->cycle_us > bbr->min_rtt &&
	       haul_sender_in_flight(snd) >= haul_bbr_bdp(snd, haul_bbr_max_bw(bbr),
							  haul_bbr_gains[HAUL_BBR_UP].pacing);
}

/* BBRIsTimeToGoDown(): while inflight_hi is what limits, the bandwidth can't be seen to grow */
static bool haul_bbr_time_to_go_down(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!snd->cwnd_limited || snd->cwnd < bbr->inflight_hi)
		return bbr->full_bw_now || haul_bbr_queue_is_ours(snd, now);
	haul_bbr_reset_full_bw(bbr);
	bbr->full_bw = bbr->bw_latest;
	return false;
}

static void haul_bbr_update_cycle(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!bbr->full_bw_reached)
		return;
	haul_bbr_adapt_inflight_hi(snd, ack);
	switch (bbr->state) {
	case HAUL_BBR_DOWN:
	case HAUL_BBR_CRUISE:
		if (haul_bbr_time_to_probe(snd, ack->now))
			haul_bbr_start_refill(snd);
		else if (bbr->state == HAUL_BBR_DOWN && haul_bbr_time_to_cruise(snd))
			bbr->state = HAUL_BBR_CRUISE;
		break;
	case HAUL_BBR_REFILL:
		if (bbr->round_start) {
			bbr->probe_samples = true;
			haul_bbr_start_up(snd, ack->now);
		}
		break;
	case HAUL_BBR_UP:
		if (haul_bbr_time_to_go_down(snd, ack->now))
			haul_bbr_start_down(snd, ack->now);
		break;
	}
}

static void haul_bbr_check_drain(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (bbr->state != HAUL_BBR_DRAIN)
		return;
	bbr->drain_rounds += bbr->round_start;
	if (haul_sender_in_flight(snd) <= haul_bbr_inflight(snd, 100) ||
	    bbr->drain_rounds > HAUL_BBR_DRAIN_ROUNDS)
		haul_bbr_start_down(snd, now);
}

/* --- ProbeRTT: 5.3.4 --- */

static void haul_bbr_exit_probe_rtt(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_reset_lower_bounds(bbr);
	if (!bbr->full_bw_reached) {
		bbr->state = HAUL_BBR_STARTUP;
		return;
	}
	haul_bbr_start_down(snd, now);
	bbr->state = HAUL_BBR_CRUISE;
}

static void haul_bbr_check_probe_rtt_done(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 now_ms = div_u64(now, 1000);

	if (!bbr->probe_rtt_timed || (s32)(now_ms - bbr->probe_rtt_done_ms) <= 0)
		return;
	/* the next one five seconds from here */
	bbr->probe_rtt_min_ms = now_ms;
	haul_bbr_restore_cwnd(snd);
	haul_bbr_exit_probe_rtt(snd, now);
}

static void haul_bbr_handle_probe_rtt(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	/* what is delivered now tells of our restraint, not of the path */
	snd->app_limited = (snd->delivered + haul_sender_in_flight(snd)) ?: 1;
	if (!bbr->probe_rtt_timed) {
		if (haul_sender_in_flight(snd) > haul_bbr_probe_rtt_cwnd(snd))
			return;
		bbr->probe_rtt_timed = true;
		bbr->probe_rtt_done_ms = (u32)div_u64(now, 1000) + HAUL_BBR_PROBE_RTT_TIME;
		bbr->probe_rtt_round_done = false;
		haul_bbr_start_round(snd);
		return;
	}
	if (bbr->round_start)
		bbr->probe_rtt_round_done = true;
	if (bbr->probe_rtt_round_done)
		haul_bbr_check_probe_rtt_done(snd, now);
}

static void haul_bbr_check_probe_rtt(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (bbr->state != HAUL_BBR_PROBE_RTT && bbr->probe_rtt_expired && !bbr->idle_restart) {
		haul_bbr_save_cwnd(snd);
		bbr->state = HAUL_BBR_PROBE_RTT;
		bbr->probe_rtt_timed = false;
		bbr->ack_phase = HAUL_BBR_ACKS_STOPPING;
		haul_bbr_start_round(snd);
	}
	if (bbr->state == HAUL_BBR_PROBE_RTT)
		haul_bbr_handle_probe_rtt(snd, ack->now);
	if (ack->delivered)
		bbr->idle_restart = false;
}

/* --- the hooks --- */

static void haul_bbr_init(struct haul_sender *snd, u64 now)
{
	haul_bbr_model_init(snd, now);
	haul_bbr(snd)->state = HAUL_BBR_STARTUP;
	haul_bbr_init_pacing_rate(snd);
}

/* 5.2.3: the model, the state, and what follows from both */
static void haul_bbr_ack(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_model_ack(snd, ack);
	haul_bbr_check_full_bw(snd, ack);
	haul_bbr_check_startup_done(snd);
	haul_bbr_check_drain(snd, ack->now);
	haul_bbr_update_cycle(snd, ack);
	haul_bbr_update_min_rtt(snd, ack);
	haul_bbr_check_probe_rtt(snd, ack);
	haul_bbr_model_advance(snd, ack);

	if (bbr->timed_out && snd->rec.state != HAUL_RECOVERY_LOSS) {
		bbr->timed_out = false;
		haul_bbr_restore_cwnd(snd);
	}
	haul_bbr_set_pacing_rate(snd, haul_bbr_gains[bbr->state].pacing);
	haul_bbr_set_cwnd(snd, ack);
}

/*
 * 5.5.10.2: a segment is lost. If those lost since it was sent are too many, inflight_hi becomes
 * what was in flight when the limit was reached: within this segment.
 */
static void haul_bbr_lost(struct haul_sender *snd, const struct haul_seg *seg, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 len = haul_seg_len(seg), lost = snd->lost_total - seg->lost_total;
	u32 before, allowed, lost_before;

	if (seg->seq != bbr->last_lost || !bbr->loss_in_round)
		bbr->loss_events = min_t(u32, bbr->loss_events + 1, U8_MAX);
	bbr->last_lost = seg->end_seq;
	haul_bbr_note_loss(snd);
	if (!bbr->probe_samples || !haul_bbr_too_high(snd, lost, seg->in_flight))
		return;
	before = seg->in_flight > len ? seg->in_flight - len : 0;
	lost_before = lost > len ? lost - len : 0;
	allowed = before / 50;
	/* lost_before + x = 2 % of (before + x) */
	if (allowed > lost_before)
		before += div_u64((u64)(allowed - lost_before) * 50, 49);
	haul_bbr_handle_too_high(snd, before, seg->marks & HAUL_SEG_APP_LIMITED, now);
}

/* losses are answered by the model */
static u32 haul_bbr_reduce(struct haul_sender *snd, enum haul_cc_cause cause, u64 now)
{
	haul_bbr_save_cwnd(snd);
	return snd->ssthresh;
}

/* 5.6.4.4: one segment more than is still on its way; a probe was too much if it came to this */
static u32 haul_bbr_timeout(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_save_cwnd(snd);
	haul_bbr_note_loss(snd);
	if (bbr->probe_samples)
		haul_bbr_handle_too_high(snd, snd->rec.flight, false, now);
	bbr->timed_out = true;
	snd->cwnd = min(haul_sender_in_flight(snd) + snd->mss, snd->cwnd_clamp);
	return snd->ssthresh;
}

/* 5.5.11: the loss was none */
static void haul_bbr_undo(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	bbr->loss_in_round = false;
	bbr->loss_events = 0;
	bbr->timed_out = false;
	haul_bbr_reset_full_bw(bbr);
	bbr->bw_lo = max(bbr->bw_lo, bbr->undo_bw_lo);
	bbr->inflight_lo = max(bbr->inflight_lo, bbr->undo_inflight_lo);
	bbr->inflight_hi = max(bbr->inflight_hi, bbr->undo_inflight_hi);
	haul_bbr_restore_cwnd(snd);
	if (bbr->state == HAUL_BBR_PROBE_RTT || bbr->state == bbr->undo_state)
		return;
	if (bbr->undo_state == HAUL_BBR_STARTUP) {
		bbr->full_bw_reached = false;
		bbr->state = HAUL_BBR_STARTUP;
	} else if (bbr->undo_state == HAUL_BBR_UP) {
		haul_bbr_start_up(snd, now);
	}
}

/* 5.4: the path is as it was, as far as is known, and empty */
static void haul_bbr_idle(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!snd->app_limited)
		return;
	bbr->idle_restart = true;
	bbr->ack_epoch_us = now;
	bbr->ack_epoch_acked = 0;
	if (haul_bbr_in_probe_bw(bbr))
		haul_bbr_set_pacing_rate(snd, 100);
	else if (bbr->state == HAUL_BBR_PROBE_RTT)
		haul_bbr_check_probe_rtt_done(snd, now);
}

const struct haul_cc_ops haul_cc_bbr = {
	.name		= "bbr",
	.flags		= HAUL_CC_MODEL | HAUL_CC_PACES,
	.more		= sizeof(struct haul_bbr),
	.init		= haul_bbr_init,
	.ack		= haul_bbr_ack,
	.lost		= haul_bbr_lost,
	.reduce		= haul_bbr_reduce,
	.timeout	= haul_bbr_timeout,
	.undo		= haul_bbr_undo,
	.idle		= haul_bbr_idle,
};
