// SPDX-License-Identifier: GPL-2.0
/*
 * The congestion window over the life of a loss, a timeout, a mark and a mistake. OPEN and DISORDER
 * let the controller grow it; CWR and FAST bring it down to ssthresh by PRR (RFC 9937); LOSS starts
 * again from one segment (RFC 5681 3.1). A reduction that timestamps (Eifel, RFC 3522) or D-SACKs
 * (RFC 2883) show to have been a mistake is taken back (RFC 4015). What is lost is RACK's business
 * (rack.c), which segments those are is sender.c's.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "sender.h"

/**
 * haul_recovery_init() - nothing is amiss
 * @snd: sending half
 *
 * Context: socket lock.
 */
void haul_recovery_init(struct haul_sender *snd)
{
	memset(&snd->rec, 0, sizeof(snd->rec));
	snd->rec.state = HAUL_RECOVERY_OPEN;
}

/* A model-based controller sets cwnd by itself in every state. */
static bool haul_recovery_sets_cwnd(const struct haul_sender *snd)
{
	return !(snd->cc->flags & HAUL_CC_MODEL);
}

static bool haul_recovery_in_prr(const struct haul_sender *snd)
{
	return snd->rec.state == HAUL_RECOVERY_CWR || snd->rec.state == HAUL_RECOVERY_FAST;
}

/*
 * RFC 9937 6: cwnd becomes what is in flight and what may be sent now. While more than ssthresh is
 * in flight, for every byte delivered ssthresh / RecoverFS of a byte. Below, up to ssthresh, as
 * much as was delivered (the conservative reduction bound), and one segment more where recovery
 * goes well (@safe; the slow start reduction bound): SND.UNA advances and nothing more is lost.
 */
static void haul_recovery_prr(struct haul_sender *snd, u32 delivered, bool safe)
{
	struct haul_recovery *rec = &snd->rec;
	u32 pipe = haul_sender_in_flight(snd);
	u32 owed, count;

	if (!haul_recovery_sets_cwnd(snd))
		return;
	rec->prr_delivered += delivered;
	if (pipe > snd->ssthresh) {
		u64 share = (u64)rec->prr_delivered * snd->ssthresh + rec->recover_fs - 1;

		share = div_u64(share, rec->recover_fs);
		count = share > rec->prr_out ? share - rec->prr_out : 0;
	} else {
		owed = rec->prr_delivered > rec->prr_out ? rec->prr_delivered - rec->prr_out : 0;
		count = max(owed, delivered) + (safe ? snd->mss : 0);
		count = min(count, snd->ssthresh - pipe);
	}
	/* The fast retransmit itself waits for nothing (RFC 5681 3.2 step 3). */
	if (!rec->prr_out)
		count = max(count, snd->mss);
	/* As Linux: where a repair was lost too, no ACK may come to open cwnd for the next try. */
	snd->cwnd = min(max(pipe + count, snd->mss), snd->cwnd_clamp);
}

/* bytes: FlightSize as @ack found it; NULL: as it is */
static u32 haul_recovery_flight(const struct haul_sender *snd, const struct haul_ack *ack)
{
	return snd->nxt - (ack ? ack->prior_una : snd->una);
}

/*
 * The controller says how far, PRR starts, marks within this round trip call for nothing more.
 * @ack: what told the reason; NULL: no ACK did
 */
static void haul_recovery_reduce(struct haul_sender *snd, enum haul_cc_cause cause,
				 const struct haul_ack *ack, u64 now)
{
	struct haul_recovery *rec = &snd->rec;
	/* RFC 9937 6: what was SACKed before is not delivered again, what @ack brings will count */
	u32 coming = haul_sender_outstanding(snd) - snd->sacked + (ack ? ack->delivered : 0);

	rec->flight = max(haul_recovery_flight(snd, ack), 1U);
	rec->recover_fs = max(coming, 1U);
	rec->high_seq = snd->nxt;
	rec->prr_delivered = 0;
	rec->prr_out = 0;
	rec->tlp_out = false;
	snd->ssthresh = snd->cc->reduce(snd, cause, now);
	snd->cwr_seq = snd->nxt;
	snd->cwr_valid = true;
}

/*
 * RFC 4015 3.2, pipe_prev: what to restore if the reduction that follows proves spurious. Copies on
 * their way now may yet be reported as duplicates, so they count.
 */
static void haul_recovery_arm_undo(struct haul_sender *snd, u32 flight)
{
	struct haul_recovery *rec = &snd->rec;

	rec->prior_cwnd = snd->cwnd;
	rec->prior_ssthresh = max(snd->ssthresh, min(flight, snd->cwnd));
	rec->undo_marker = snd->una;
	rec->undo_retrans = snd->retrans;
	rec->retrans_stamped = false;
	rec->undo_armed = true;
}

/* RFC 6675 5, RFC 8985 6: something is lost. @ack: as haul_recovery_reduce() */
static u32 haul_recovery_enter(struct haul_sender *snd, const struct haul_ack *ack, u64 now)
{
	struct haul_recovery *rec = &snd->rec;

	if (!snd->lost || rec->state >= HAUL_RECOVERY_FAST)
		return 0;
	if (rec->state == HAUL_RECOVERY_CWR) {
		/* RFC 3168 6.1.2: one reduction for mark and loss; the mark was real, so no undo */
		rec->high_seq = snd->nxt;
		rec->tlp_out = false;
		rec->undo_armed = false;
	} else {
		haul_recovery_arm_undo(snd, haul_recovery_flight(snd, ack));
		haul_recovery_reduce(snd, HAUL_CC_LOSS, ack, now);
	}
	rec->state = HAUL_RECOVERY_FAST;
	return HAUL_EVENT_FAST;
}

/*
 * Was the window that is on its way now reduced already? A number beyond SND.NXT is from 2 GB ago
 * or more, and only seems to be ahead.
 */
static bool haul_recovery_is_reduced(const struct haul_sender *snd)
{
	return snd->cwr_valid && haul_after(snd->cwr_seq, snd->una) &&
	       !haul_after(snd->cwr_seq, snd->nxt);
}

/* RFC 3168 6.1.2: a mark is answered as a loss is, once per window of data for both together */
static u32 haul_recovery_enter_cwr(struct haul_sender *snd, const struct haul_ack *ack, u64 now)
{
	struct haul_recovery *rec = &snd->rec;

	if (rec->state >= HAUL_RECOVERY_CWR)
		return 0;
	if (haul_recovery_is_reduced(snd))
		return 0;
	haul_recovery_reduce(snd, HAUL_CC_MARK, ack, now);
	rec->undo_armed = false;
	rec->state = HAUL_RECOVERY_CWR;
	return HAUL_EVENT_CWR;
}

/* RFC 6582 3.2 step 3, RFC 6675 5 (A): all that was outstanding when it began is acknowledged. */
static u32 haul_recovery_leave(struct haul_sender *snd)
{
	struct haul_recovery *rec = &snd->rec;

	if (rec->state < HAUL_RECOVERY_CWR || haul_before(snd->una, rec->high_seq))
		return 0;
	/* PRR may end a little below its goal; after a timeout cwnd has grown by itself. */
	if (haul_recovery_in_prr(snd) && haul_recovery_sets_cwnd(snd))
		snd->cwnd = min(snd->ssthresh, snd->cwnd_clamp);
	if (rec->state != HAUL_RECOVERY_CWR)
		haul_rack_recovered(&snd->rack);
	rec->state = HAUL_RECOVERY_OPEN;
	return HAUL_EVENT_LEFT;
}

/*
 * RFC 3522 3.2: the first ACK that advances after the first retransmission. Does it echo a time
 * before that? Then it is the original that arrived. A later ACK tells nothing.
 */
static bool haul_recovery_eifel(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_recovery *rec = &snd->rec;

	if (!haul_sender_recovering(snd) || !rec->retrans_stamped || !ack->una_advanced)
		return false;
	rec->retrans_stamped = false;
	return haul_before(ack->tsecr, rec->retrans_tsval);
}

/*
 * RFC 2883 5, RFC 3708: when every byte that was retransmitted since the reduction is reported as a
 * duplicate, none had been lost. Reports of data from before or after do not count.
 */
static bool haul_recovery_all_duplicate(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_recovery *rec = &snd->rec;
	u32 start;

	if (!ack->dsack || !rec->undo_retrans)
		return false;
	if (!haul_after(ack->dsack_end, rec->undo_marker) ||
	    haul_after(ack->dsack_end, rec->high_seq))
		return false;
	start = haul_seq_max(ack->dsack_start, rec->undo_marker);
	rec->undo_retrans -= min(ack->dsack_end - start, rec->undo_retrans);
	return !rec->undo_retrans;
}

/*
 * RFC 4015 3.2: cwnd gets what is in flight and what this ACK took out of it, up to an initial
 * window, so there is no burst; slow start does the rest, up to where the path had been filled
 * before.
 */
static void haul_recovery_restore(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_recovery *rec = &snd->rec;
	/* what was taken for lost was not, so it is on its way */
	u32 pipe = haul_sender_in_flight(snd) + snd->lost;
	u32 fresh = min(ack->acked, haul_sender_initial_window(snd));

	if (!haul_recovery_sets_cwnd(snd))
		return;
	snd->cwnd = max(snd->cwnd, min(rec->prior_cwnd, pipe + fresh));
	snd->ssthresh = max(snd->ssthresh, rec->prior_ssthresh);
}

static u32 haul_recovery_undo(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_recovery *rec = &snd->rec;
	u32 event = 0;

	if (!rec->undo_armed)
		return 0;
	if (haul_recovery_eifel(snd, ack))
		event = HAUL_EVENT_UNDO_EIFEL;
	else if (haul_recovery_all_duplicate(snd, ack))
		event = HAUL_EVENT_UNDO_DSACK;
	if (!event)
		return 0;
	haul_recovery_restore(snd, ack);
	/* RFC 4015 3.3: it fired too early; the late ACK shows what it should have waited for */
	if (rec->state == HAUL_RECOVERY_LOSS && ack->rtt_us != HAUL_RTT_NONE)
		haul_rtt_spurious(&snd->rtt, ack->rtt_us);
	if (haul_sender_recovering(snd))
		haul_rack_recovered(&snd->rack);
	rec->undo_armed = false;
	rec->state = HAUL_RECOVERY_OPEN;
	if (snd->cc->undo)
		snd->cc->undo(snd, ack->now);
	return event;
}

/* RFC 8985 7.4.2: the probe filled a hole that nothing else told of: reduce as for any loss. */
static u32 haul_recovery_probe_repaired(struct haul_sender *snd, const struct haul_ack *ack)
{
	haul_recovery_reduce(snd, HAUL_CC_LOSS, ack, ack->now);
	snd->rec.undo_armed = false;
	if (haul_recovery_sets_cwnd(snd))
		snd->cwnd = min(snd->cwnd, snd->ssthresh);
	return HAUL_EVENT_TLP_REPAIRED;
}

/*
 * RFC 8985 7.4.2: what became of the loss probe? New data: nothing to learn. A D-SACK that ends
 * where it did: the original had arrived too. SND.UNA past it without one: it repaired a loss, to
 * be answered unless a reduction is under way. (The RFC's third case, a peer without D-SACK, can't
 * be: every peer sends them.)
 */
static u32 haul_recovery_probe_acked(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_recovery *rec = &snd->rec;

	if (!rec->tlp_out || haul_before(snd->una, rec->tlp_high_seq))
		return 0;
	if (!rec->tlp_retrans || rec->state >= HAUL_RECOVERY_CWR ||
	    (ack->dsack && ack->dsack_end == rec->tlp_high_seq)) {
		rec->tlp_out = false;
		return 0;
	}
	if (snd->una == rec->tlp_high_seq)
		return 0;
	return haul_recovery_probe_repaired(snd, ack);
}

/* What an ACK does to cwnd in the state that it led to. */
static void haul_recovery_cwnd(struct haul_sender *snd, const struct haul_ack *ack, u32 events)
{
	if (!haul_recovery_sets_cwnd(snd)) {
		snd->cc->ack(snd, ack);
		return;
	}
	if (haul_recovery_in_prr(snd)) {
		/* an ACK that delivers nothing clocks nothing out, or duplicates would */
		if (ack->delivered || ack->lost || (events & (HAUL_EVENT_FAST | HAUL_EVENT_CWR)))
			haul_recovery_prr(snd, ack->delivered, ack->una_advanced && !ack->lost);
		return;
	}
	/* An undo, or the end of a reduction, has just said what cwnd is. */
	if ((events & HAUL_EVENT_UNDO) ||
	    ((events & HAUL_EVENT_LEFT) && !haul_sender_in_slow_start(snd)))
		return;
	/* RFC 3042 2: it stays while ACKs only report holes. */
	if (ack->una_advanced && ack->delivered)
		snd->cc->ack(snd, ack);
}

/**
 * haul_recovery_ack() - everything that an ACK changes in recovery and congestion window
 * @snd: sending half, SND.UNA moved, segments marked and counted
 * @ack: what the ACK told; its delivery rate sample is cleared if it can't be right
 *
 * Context: socket lock.
 * Return: HAUL_EVENT_*; with HAUL_EVENT_UNDO haul_sender_seg_unlost() is due for every outstanding
 * segment.
 */
u32 haul_recovery_ack(struct haul_sender *snd, struct haul_ack *ack)
{
	struct haul_recovery *rec = &snd->rec;
	u32 events;

	haul_sender_rate_done(snd, ack);
	if (snd->cc->sample)
		snd->cc->sample(snd, ack);
	events = haul_recovery_probe_acked(snd, ack);
	events |= haul_recovery_undo(snd, ack);
	events |= haul_recovery_leave(snd);
	/* after an undo the marks are void; the caller is about to remove them */
	if (!(events & HAUL_EVENT_UNDO))
		events |= haul_recovery_enter(snd, ack, ack->now);
	if (ack->ce)
		events |= haul_recovery_enter_cwr(snd, ack, ack->now);
	if (rec->state < HAUL_RECOVERY_CWR)
		rec->state = snd->sacked ? HAUL_RECOVERY_DISORDER : HAUL_RECOVERY_OPEN;
	haul_recovery_cwnd(snd, ack, events);
	return events;
}

/**
 * haul_recovery_timeout() - the retransmission timer fired (RFC 5681 3.1)
 * @snd: sending half; every outstanding segment that is not SACKed is marked lost
 * @now: microseconds
 *
 * ssthresh is lowered unless the segment at SND.UNA timed out before; cwnd starts again from one
 * segment. A timeout in fast recovery is a second sign of congestion and lowers ssthresh again (RFC
 * 5681 4.3), from where fast recovery would have ended; an undo takes back both.
 *
 * Context: socket lock.
 */
void haul_recovery_timeout(struct haul_sender *snd, u64 now)
{
	struct haul_recovery *rec = &snd->rec;
	bool again = rec->state == HAUL_RECOVERY_LOSS && rec->timeout_una == snd->una;
	bool fast = rec->state == HAUL_RECOVERY_FAST && rec->undo_armed;

	if (!again) {
		if (haul_recovery_in_prr(snd) && haul_recovery_sets_cwnd(snd))
			snd->cwnd = snd->ssthresh;
		rec->flight = max(haul_sender_outstanding(snd), 1U);
		if (!fast)
			haul_recovery_arm_undo(snd, rec->flight);
		snd->ssthresh = snd->cc->timeout(snd, now);
	}
	if (haul_recovery_sets_cwnd(snd))
		snd->cwnd = snd->mss;
	snd->acked_part = 0;
	snd->cwr_seq = snd->nxt;
	snd->cwr_valid = true;
	rec->high_seq = snd->nxt;
	rec->timeout_una = snd->una;
	rec->tlp_out = false;
	rec->state = HAUL_RECOVERY_LOSS;
}

/**
 * haul_recovery_lost() - RACK's reordering timer marked segments lost (RFC 8985 6.2 step 5)
 * @snd: sending half
 * @lost: bytes
 * @now: microseconds
 *
 * Context: socket lock.
 * Return: HAUL_EVENT_FAST if fast recovery starts, else 0.
 */
u32 haul_recovery_lost(struct haul_sender *snd, u32 lost, u64 now)
{
	u32 events;

	if (!lost)
		return 0;
	events = haul_recovery_enter(snd, NULL, now);
	if (haul_recovery_in_prr(snd))
		haul_recovery_prr(snd, 0, false);
	return events;
}

/**
 * haul_recovery_sent() - bytes were sent, for the first time or again (RFC 9937 6: prr_out)
 * @snd: sending half
 * @bytes: bytes
 *
 * Context: socket lock.
 */
void haul_recovery_sent(struct haul_sender *snd, u32 bytes)
{
	if (haul_recovery_in_prr(snd))
		snd->rec.prr_out += bytes;
}

/**
 * haul_recovery_probe_sent() - a loss probe was sent (RFC 8985 7.3)
 * @snd: sending half, SND.NXT past the probe
 * @retransmission: it repeated the last segment, for want of new data or of window for it
 *
 * Context: socket lock.
 */
void haul_recovery_probe_sent(struct haul_sender *snd, bool retransmission)
{
	snd->rec.tlp_out = true;
	snd->rec.tlp_retrans = retransmission;
	snd->rec.tlp_high_seq = snd->nxt;
}

/**
 * haul_recovery_marked() - the peer reported CE marks (RFC 3168 6.1.2)
 * @snd: sending half
 * @now: microseconds
 *
 * Context: socket lock.
 * Return: HAUL_EVENT_CWR if a reduction starts, 0 if one was made within this round trip.
 */
u32 haul_recovery_marked(struct haul_sender *snd, u64 now)
{
	u32 events = haul_recovery_enter_cwr(snd, NULL, now);

	if (events)
		haul_recovery_prr(snd, 0, false);
	return events;
}
