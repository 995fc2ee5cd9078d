// SPDX-License-Identifier: GPL-2.0
/*
 * BBR's model of the path (draft-ietf-ccwg-bbr-05, section 5.5): the bandwidth, the least round
 * trip, how bursty ACKs are, and by losses and CE marks how much in flight is too much. A mark
 * counts as a lost packet does (RFC 3168 5), but that nothing has to be sent again.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include "cc_bbr.h"

#define HAUL_BBR_USEC		1000000U
#define HAUL_BBR_LOSS_DIVISOR	50	/* 2.7: LossThresh, 2 % */
#define HAUL_BBR_MIN_RTT_MS	10000U	/* 2.13: MinRTTFilterLen */
#define HAUL_BBR_PROBE_RTT_MS	5000U	/* 2.13: ProbeRTTInterval */

/* 2.7: Beta, 0.7 */
static u32 haul_bbr_beta(u32 x)
{
	return div_u64((u64)x * 7, 10);
}

void haul_bbr_reset_full_bw(struct haul_bbr *bbr)
{
	bbr->full_bw = 0;
	bbr->full_bw_count = 0;
	bbr->full_bw_now = false;
}

/* BBRResetShortTermModel() */
void haul_bbr_reset_lower_bounds(struct haul_bbr *bbr)
{
	bbr->bw_lo = HAUL_BBR_NONE;
	bbr->inflight_lo = HAUL_BBR_NONE;
}

/* BBRResetCongestionSignals() */
void haul_bbr_reset_congestion(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	bbr->loss_round_lost = snd->lost_total;
	bbr->loss_round_delivered = snd->delivered;
	bbr->loss_in_round = false;
	bbr->loss_events = 0;
	bbr->marks = 0;
	bbr->bw_latest = 0;
	bbr->inflight_latest = 0;
}

/**
 * haul_bbr_model_init() - nothing is known of the path but what the handshake measured
 * @snd: sending half
 * @now: microseconds
 *
 * Context: socket lock.
 */
void haul_bbr_model_init(struct haul_sender *snd, u64 now)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 now_ms = div_u64(now, 1000);

	bbr->min_rtt = snd->rtt.srtt8 ? haul_rtt_srtt(&snd->rtt) : HAUL_BBR_NONE;
	bbr->min_rtt_ms = now_ms;
	bbr->probe_rtt_min = bbr->min_rtt;
	bbr->probe_rtt_min_ms = now_ms;
	bbr->ack_epoch_us = now;
	bbr->inflight_hi = HAUL_BBR_NONE;
	bbr->loss_round_end = snd->delivered;
	haul_bbr_start_round(snd);
	haul_bbr_reset_lower_bounds(bbr);
	haul_bbr_reset_congestion(snd);
	haul_bbr_reset_full_bw(bbr);
}

/* --- what the others ask of it --- */

u32 haul_bbr_bw(const struct haul_sender *snd)
{
	const struct haul_bbr *bbr = haul_bbr(snd);

	return min(haul_bbr_max_bw(bbr), bbr->bw_lo);
}

u32 haul_bbr_bdp(const struct haul_sender *snd, u32 bw, u32 percent)
{
	const struct haul_bbr *bbr = haul_bbr(snd);
	u64 bytes;

	if (bbr->min_rtt == HAUL_BBR_NONE)
		return haul_sender_initial_window(snd);
	bytes = mul_u64_u64_div_u64((u64)bw << HAUL_BBR_BW_SHIFT, (u64)bbr->min_rtt * percent,
				    100ULL * HAUL_BBR_USEC);
	return min_t(u64, bytes, HAUL_SSTHRESH_INFINITE);
}

u32 haul_bbr_extra_acked(const struct haul_bbr *bbr)
{
	return max(bbr->extra_acked[0], bbr->extra_acked[1]);
}

/* of a few segments two may be lost by chance, as one of a hundred is */
bool haul_bbr_too_high(const struct haul_sender *snd, u32 lost, u32 in_flight)
{
	u64 marked = (u64)haul_bbr(snd)->marks * snd->mss;

	return lost + marked > max(in_flight / HAUL_BBR_LOSS_DIVISOR, 2 * snd->mss);
}

bool haul_bbr_congested(const struct haul_sender *snd)
{
	const struct haul_bbr *bbr = haul_bbr(snd);
	u32 lost = snd->lost_total - bbr->loss_round_lost;
	u32 delivered = snd->delivered - bbr->loss_round_delivered;

	return haul_bbr_too_high(snd, lost, lost + delivered);
}

u32 haul_bbr_target_inflight(const struct haul_sender *snd)
{
	return min(haul_bbr_bdp(snd, haul_bbr_bw(snd), 100), snd->cwnd);
}

/* --- rounds and bandwidth --- */

/* in the struct's units; 0: the ACK has no sample */
static u32 haul_bbr_sample(const struct haul_ack *ack)
{
	u64 rate;

	if (!ack->rate_delivered)
		return 0;
	rate = div_u64((u64)ack->rate_delivered * HAUL_BBR_USEC, ack->rate_interval_us);
	return clamp_t(u64, rate >> HAUL_BBR_BW_SHIFT, 1, HAUL_BBR_NONE - 1);
}

/* 5.5.1: a round ends when something is delivered that was sent after it had begun */
static void haul_bbr_update_round(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	bbr->round_start = false;
	if (!ack->rate_delivered || haul_before(ack->rate_prior, bbr->round_end))
		return;
	haul_bbr_start_round(snd);
	bbr->round_start = true;
	if (bbr->probe_rounds < U8_MAX)
		bbr->probe_rounds++;
}

/* 5.5.5: a sample that the application held down counts only when it is a record all the same */
static void haul_bbr_update_max_bw(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 bw = haul_bbr_sample(ack);

	if (bw >= haul_bbr_max_bw(bbr) || !ack->app_limited)
		bbr->max_bw[0] = max(bbr->max_bw[0], bw);
}

/* --- bursts of ACKs: 5.5.9 --- */

static void haul_bbr_age_extra_acked(struct haul_bbr *bbr)
{
	/* while the bandwidth is still being found, one round's memory is right (5.5.9) */
	u8 rounds = bbr->full_bw_reached ? HAUL_BBR_EXTRA_ROUNDS : 1;

	if (!bbr->round_start || ++bbr->extra_rounds < rounds)
		return;
	bbr->extra_rounds = 0;
	bbr->extra_acked[1] = bbr->extra_acked[0];
	bbr->extra_acked[0] = 0;
}

static void haul_bbr_update_extra_acked(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 passed = (u32)ack->now - bbr->ack_epoch_us;
	u64 rate = (u64)haul_bbr_bw(snd) << HAUL_BBR_BW_SHIFT;
	u64 expected = mul_u64_u64_div_u64(rate, passed, HAUL_BBR_USEC);

	haul_bbr_age_extra_acked(bbr);
	if (bbr->ack_epoch_acked <= expected) {
		bbr->ack_epoch_acked = 0;
		bbr->ack_epoch_us = ack->now;
		expected = 0;
	}
	bbr->ack_epoch_acked = min_t(u64, (u64)bbr->ack_epoch_acked + ack->delivered, U32_MAX);
	if (bbr->ack_epoch_acked > expected)
		bbr->extra_acked[0] = max_t(u64, bbr->extra_acked[0],
					    min_t(u64, bbr->ack_epoch_acked - expected, snd->cwnd));
}

/* --- losses and marks: 5.5.10 --- */

/**
 * haul_bbr_note_loss() - something was lost, or came marked (BBRNoteLoss())
 * @snd: sending half
 *
 * Context: socket lock.
 */
void haul_bbr_note_loss(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (bbr->loss_in_round)
		return;
	bbr->loss_in_round = true;
	bbr->loss_round_end = snd->delivered;
	bbr->undo_state = bbr->state;
	bbr->undo_bw_lo = bbr->bw_lo;
	bbr->undo_inflight_lo = bbr->inflight_lo;
	bbr->undo_inflight_hi = bbr->inflight_hi;
}

static void haul_bbr_note_marks(struct haul_sender *snd, u32 ce)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!ce)
		return;
	haul_bbr_note_loss(snd);
	bbr->marks = min_t(u32, bbr->marks + ce, U16_MAX);
	bbr->loss_events = min_t(u32, bbr->loss_events + ce, U8_MAX);
}

/*
 * 5.5.10.3: who probes for more is told by inflight_hi; all others give way at once. The draft has
 * them do so for any loss in the round. Here it must be more than LossThresh, as for inflight_hi:
 * each round delivers a little less than it sent, by what was lost, and a path that loses now and
 * then would let bw_lo sink from round to round until the next probe. A mark is never an accident.
 */
static void haul_bbr_lower_bounds(struct haul_sender *snd)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!bbr->loss_in_round || (!bbr->marks && !haul_bbr_congested(snd)))
		return;
	if (bbr->state == HAUL_BBR_STARTUP ||
	    bbr->state == HAUL_BBR_REFILL || bbr->state == HAUL_BBR_UP)
		return;
	if (bbr->bw_lo == HAUL_BBR_NONE)
		bbr->bw_lo = haul_bbr_max_bw(bbr);
	if (bbr->inflight_lo == HAUL_BBR_NONE)
		bbr->inflight_lo = snd->cwnd;
	bbr->bw_lo = max(bbr->bw_latest, haul_bbr_beta(bbr->bw_lo));
	bbr->inflight_lo = max(bbr->inflight_latest, haul_bbr_beta(bbr->inflight_lo));
}

/**
 * haul_bbr_model_ack() - what an ACK tells of the path
 * @snd: sending half
 * @ack: what it told
 *
 * Context: socket lock.
 */
void haul_bbr_model_ack(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	haul_bbr_note_marks(snd, ack->ce);
	bbr->loss_round_start = false;
	if (ack->rate_delivered) {
		bbr->bw_latest = max(bbr->bw_latest, haul_bbr_sample(ack));
		bbr->inflight_latest = max(bbr->inflight_latest, ack->rate_delivered);
		if (!haul_before(ack->rate_prior, bbr->loss_round_end)) {
			bbr->loss_round_end = snd->delivered;
			bbr->loss_round_start = true;
		}
	}
	haul_bbr_update_round(snd, ack);
	haul_bbr_update_max_bw(snd, ack);
	if (bbr->loss_round_start)
		haul_bbr_lower_bounds(snd);
	haul_bbr_update_extra_acked(snd, ack);
}

/**
 * haul_bbr_model_advance() - a loss round is over: the next one's maxima begin (5.5.10.3)
 * @snd: sending half
 * @ack: what the ACK told
 *
 * Context: socket lock.
 */
void haul_bbr_model_advance(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);

	if (!bbr->loss_round_start)
		return;
	haul_bbr_reset_congestion(snd);
	bbr->bw_latest = haul_bbr_sample(ack);
	bbr->inflight_latest = ack->rate_delivered;
}

/* --- the least round trip: 5.3.4.3 --- */

static bool haul_bbr_older(u32 stamp_ms, u32 now_ms, u32 age_ms)
{
	return (s32)(now_ms - stamp_ms) > (s32)age_ms;
}

/**
 * haul_bbr_update_min_rtt() - the round trip that an ACK measured
 * @snd: sending half
 * @ack: what it told
 *
 * Context: socket lock.
 */
void haul_bbr_update_min_rtt(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_bbr *bbr = haul_bbr(snd);
	u32 now_ms = div_u64(ack->now, 1000);

	bbr->probe_rtt_expired = haul_bbr_older(bbr->probe_rtt_min_ms, now_ms,
						HAUL_BBR_PROBE_RTT_MS);
	if (ack->rtt_us != HAUL_RTT_NONE &&
	    (ack->rtt_us < bbr->probe_rtt_min || bbr->probe_rtt_expired)) {
		bbr->probe_rtt_min = ack->rtt_us;
		bbr->probe_rtt_min_ms = now_ms;
	}
	if (bbr->probe_rtt_min < bbr->min_rtt ||
	    haul_bbr_older(bbr->min_rtt_ms, now_ms, HAUL_BBR_MIN_RTT_MS)) {
		bbr->min_rtt = bbr->probe_rtt_min;
		bbr->min_rtt_ms = bbr->probe_rtt_min_ms;
	}
}
