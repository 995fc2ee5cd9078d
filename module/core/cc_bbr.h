/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BBR version 3 (draft-ietf-ccwg-bbr-05): what its two halves share. cc_bbr_model.c learns what the
 * path is like (section 5.5), cc_bbr.c decides by that what to do next, how fast and how much (5.3,
 * 5.4, 5.6). Section numbers are that draft's. Its inflight_longterm, inflight_shortterm and
 * bw_shortterm have the shorter names here that they had in drafts before: inflight_hi,
 * inflight_lo, bw_lo.
 */
#ifndef HAUL_CORE_CC_BBR_H
#define HAUL_CORE_CC_BBR_H

#include <linux/types.h>
#include "cc.h"
#include "sender.h"

#define HAUL_BBR_NONE		(~0U)	/* no bound, nothing measured */
#define HAUL_BBR_BW_SHIFT	4	/* bandwidths are kept in units of 16 bytes per second */
#define HAUL_BBR_MIN_SEGS	4	/* 2.7: MinPipeCwnd */
#define HAUL_BBR_EXTRA_ROUNDS	5	/* half of 2.11's ExtraAckedFilterLen */

/* section 3.3; the order matters: DOWN to UP are ProbeBW's phases */
enum haul_bbr_state {
	HAUL_BBR_STARTUP,
	HAUL_BBR_DRAIN,
	HAUL_BBR_DOWN,
	HAUL_BBR_CRUISE,
	HAUL_BBR_REFILL,
	HAUL_BBR_UP,
	HAUL_BBR_PROBE_RTT,
	HAUL_BBR_NUM_STATES
};

/* 5.3.3.6: what the ACKs that arrive now tell of the probe */
enum haul_bbr_ack_phase {
	HAUL_BBR_ACKS_INIT,
	HAUL_BBR_ACKS_REFILLING,
	HAUL_BBR_ACKS_STARTING,
	HAUL_BBR_ACKS_FEEDBACK,
	HAUL_BBR_ACKS_STOPPING,
};

/**
 * struct haul_bbr - a sender's model of its path, and where in the cycle it is
 * @max_bw:	highest delivery rate in this cycle of ProbeBW and in the one before (5.5.5)
 * @bw_lo:	bandwidth that is safe by what was lost lately
 * @bw_latest:	highest delivery rate of this round
 * @full_bw:	baseline to find the plateau by (5.3.1.2)
 * @inflight_hi: bytes in flight that were too many when the path was last probed
 * @inflight_lo: bytes in flight that are safe by what was lost lately
 * @inflight_latest: most bytes delivered within a round trip, in this round
 * @round_end:	snd->delivered that ends this round
 * @loss_round_end: the same for the round over which losses are judged
 * @loss_round_lost: snd->lost_total when that began
 * @loss_round_delivered: snd->delivered then
 * @last_lost:	end of the segment that was lost last: contiguous losses are one event
 * @min_rtt:	us, of the last 10 s (5.3.4.3)
 * @min_rtt_ms:	when that was
 * @probe_rtt_min: us, of the last 5 s
 * @probe_rtt_min_ms: when that was
 * @probe_rtt_done_ms: when ProbeRTT has lasted long enough; valid with @probe_rtt_timed
 * @prior_cwnd:	bytes, to be restored after ProbeRTT or a timeout
 * @cycle_us:	when the phase of ProbeBW began
 * @probe_wait_us: us, how long to wait before the next probe
 * @up_bytes:	bytes to be acknowledged for one segment more of @inflight_hi
 * @up_acked:	bytes acknowledged towards that
 * @extra_acked: bytes that ACKs were ahead of the bandwidth by (5.5.9), at most, in two halves of
 *		the window
 * @ack_epoch_us: since when ACKs are counted for that
 * @ack_epoch_acked: bytes acknowledged since
 * @undo_bw_lo:	what a spurious loss brings back (5.5.11)
 * @undo_inflight_lo: the same
 * @undo_inflight_hi: the same
 * @marks:	packets reported CE-marked in this loss round
 * @state:	enum haul_bbr_state
 * @undo_state:	of before the loss
 * @ack_phase:	enum haul_bbr_ack_phase
 * @probe_rounds: rounds since the last probe
 * @up_rounds:	rounds of this probe
 * @full_bw_count: rounds without growth of bandwidth
 * @loss_events: in this loss round
 * @extra_rounds: rounds in the present half of @extra_acked's window
 * @drain_rounds: rounds of Drain
 */
struct haul_bbr {
	u32	max_bw[2];
	u32	bw_lo;
	u32	bw_latest;
	u32	full_bw;
	u32	inflight_hi;
	u32	inflight_lo;
	u32	inflight_latest;
	u32	round_end;
	u32	loss_round_end;
	u32	loss_round_lost;
	u32	loss_round_delivered;
	u32	last_lost;
	u32	min_rtt;
	u32	min_rtt_ms;
	u32	probe_rtt_min;
	u32	probe_rtt_min_ms;
	u32	probe_rtt_done_ms;
	u32	prior_cwnd;
	u32	cycle_us;
	u32	probe_wait_us;
	u32	up_bytes;
	u32	up_acked;
	u32	extra_acked[2];
	u32	ack_epoch_us;
	u32	ack_epoch_acked;
	u32	undo_bw_lo;
	u32	undo_inflight_lo;
	u32	undo_inflight_hi;
	u16	marks;
	u8	state;
	u8	undo_state;
	u8	ack_phase;
	u8	probe_rounds;
	u8	up_rounds;
	u8	full_bw_count;
	u8	loss_events;
	u8	extra_rounds;
	u8	drain_rounds;
	u8	round_start:1;		/* this ACK begins a round */
	u8	loss_round_start:1;
	u8	loss_in_round:1;
	u8	full_bw_now:1;
	u8	full_bw_reached:1;
	u8	probe_samples:1;	/* ACKs and losses tell of what a probe sent */
	u8	idle_restart:1;
	u8	probe_rtt_expired:1;
	u8	probe_rtt_timed:1;
	u8	probe_rtt_round_done:1;
	u8	up_clear:1;		/* nothing was queued when the probe began */
	u8	timed_out:1;		/* cwnd is to be restored when that is over */
};

static inline struct haul_bbr *haul_bbr(const struct haul_sender *snd)
{
	return snd->more;
}

/* ProbeBW, in any phase */
static inline bool haul_bbr_in_probe_bw(const struct haul_bbr *bbr)
{
	return bbr->state >= HAUL_BBR_DOWN && bbr->state <= HAUL_BBR_UP;
}

/* 5.5.1 */
static inline void haul_bbr_start_round(struct haul_sender *snd)
{
	haul_bbr(snd)->round_end = snd->delivered;
}

static inline u32 haul_bbr_max_bw(const struct haul_bbr *bbr)
{
	return bbr->max_bw[0] > bbr->max_bw[1] ? bbr->max_bw[0] : bbr->max_bw[1];
}

/* --- cc_bbr_model.c --- */
void haul_bbr_model_init(struct haul_sender *snd, u64 now);
/* bandwidth that is right for this path now, in the struct's units */
u32 haul_bbr_bw(const struct haul_sender *snd);
/* bytes: @percent of what @bw sends in the least round trip (5.6.4.2) */
u32 haul_bbr_bdp(const struct haul_sender *snd, u32 bw, u32 percent);
u32 haul_bbr_extra_acked(const struct haul_bbr *bbr);
/* 5.5.10.2: did more than a fiftieth of what was in flight get lost, or come marked? */
bool haul_bbr_too_high(const struct haul_sender *snd, u32 lost, u32 in_flight);
/* the same of this loss round: more than random loss, that is to say congestion? */
bool haul_bbr_congested(const struct haul_sender *snd);
/* 5.3.3.5.3: bytes, what is in flight when all is well */
u32 haul_bbr_target_inflight(const struct haul_sender *snd);
/* the ACK's part of the model, before the state machine looks at it and after */
void haul_bbr_model_ack(struct haul_sender *snd, const struct haul_ack *ack);
void haul_bbr_model_advance(struct haul_sender *snd, const struct haul_ack *ack);
void haul_bbr_update_min_rtt(struct haul_sender *snd, const struct haul_ack *ack);
void haul_bbr_reset_full_bw(struct haul_bbr *bbr);
void haul_bbr_reset_lower_bounds(struct haul_bbr *bbr);
void haul_bbr_reset_congestion(struct haul_sender *snd);
void haul_bbr_note_loss(struct haul_sender *snd);

#endif /* HAUL_CORE_CC_BBR_H */
