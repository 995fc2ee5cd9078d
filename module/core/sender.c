// SPDX-License-Identifier: GPL-2.0
/*
 * The sending half of a connection: what is acceptable, what is outstanding and marked how, what
 * may be sent. The marks' counters (sacked, lost, retrans) always equal the sums over the queue's
 * segments.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include "sender.h"
#include "wire.h"

#define HAUL_IW_BYTES	1460U	/* RFC 6928 2: the segment that its 14600 bytes are ten of */

/**
 * haul_sender_init() - before the handshake
 * @snd: sending half
 * @iss: initial sequence number; SND.UNA and SND.NXT start there
 * @rto_min: us
 * @initial_cwnd: segments
 *
 * Context: any.
 */
void haul_sender_init(struct haul_sender *snd, u32 iss, u32 rto_min, u16 initial_cwnd)
{
	memset(snd, 0, sizeof(*snd));
	snd->iss = iss;
	snd->una = iss;
	snd->nxt = iss;
	snd->small_end = iss;
	snd->cwnd_round = iss;
	snd->mss = HAUL_DEFAULT_MSS;
	snd->cwnd = HAUL_DEFAULT_MSS;
	snd->ssthresh = HAUL_SSTHRESH_INFINITE;
	snd->cwnd_clamp = HAUL_SSTHRESH_INFINITE;
	snd->initial_cwnd = initial_cwnd;
	snd->pacing_rate = ~0ULL;
	snd->cc = &haul_cc_reno;
	haul_rtt_init(&snd->rtt, rto_min);
	haul_rack_init(&snd->rack, iss);
	haul_recovery_init(snd);
}

/**
 * haul_sender_initial_window() - RFC 6928 2 for any number of segments
 * @snd: sending half
 *
 * Context: socket lock.
 * Return: bytes: min(n * MSS, max(2 * MSS, n * 1460)); one MSS for n = 1.
 */
u32 haul_sender_initial_window(const struct haul_sender *snd)
{
	u32 segs = max_t(u32, snd->initial_cwnd, 1);

	return min(segs * snd->mss, max(2 * snd->mss, segs * HAUL_IW_BYTES));
}

/**
 * haul_sender_established() - the handshake is over, the MSS is known
 * @snd: sending half
 * @now: microseconds
 *
 * Context: socket lock.
 */
void haul_sender_established(struct haul_sender *snd, u64 now)
{
	/* RFC 5681 3.1: a lost SYN or SYN-ACK leaves one segment */
	u32 window = snd->syn_resent ? snd->mss : haul_sender_initial_window(snd);

	snd->cwnd = min(window, snd->cwnd_clamp);
	snd->ssthresh = HAUL_SSTHRESH_INFINITE;
	snd->cwnd_round = snd->nxt;
	snd->cwnd_used = 0;
	snd->cwnd_limited = false;
	snd->delivered_us = now;
	snd->first_sent_us = now;
	haul_recovery_init(snd);
	haul_sender_set_cc(snd, snd->cc, haul_sender_more(snd), now);
}

/**
 * haul_sender_set_cc() - take a controller, or change to another
 * @snd: sending half
 * @cc: controller; its private state starts zeroed
 * @more: cc->more bytes for that, or NULL where it is 0; the caller's to free when another is taken
 * @now: microseconds
 *
 * Context: socket lock.
 */
void haul_sender_set_cc(struct haul_sender *snd, const struct haul_cc_ops *cc, void *more, u64 now)
{
	memset(snd->priv, 0, sizeof(snd->priv));
	if (cc->more) {
		memset(more, 0, cc->more);
		snd->more = more;
	}
	snd->cc = cc;
	snd->pacing_rate = ~0ULL;
	cc->init(snd, now);
}

/**
 * haul_sender_set_mss() - a new MSS
 * @snd: sending half
 * @mss: bytes, not 0
 *
 * cwnd is in bytes and stays, but must hold one segment, and ssthresh two (RFC 5681 (4)).
 *
 * Context: socket lock.
 */
void haul_sender_set_mss(struct haul_sender *snd, u32 mss)
{
	snd->mss = mss;
	snd->cwnd = max(snd->cwnd, mss);
	snd->ssthresh = max(snd->ssthresh, 2 * mss);
}

/**
 * haul_sender_check_ack() - is SEG.ACK acceptable? (RFC 9293 3.10.7.4, RFC 5961 5.2)
 * @snd: sending half
 * @ack: SEG.ACK
 *
 * Context: socket lock.
 * Return: what it is.
 */
enum haul_ack_verdict haul_sender_check_ack(const struct haul_sender *snd, u32 ack)
{
	if (haul_after(ack, snd->nxt))
		return HAUL_ACK_FUTURE;
	if (haul_after(ack, snd->una))
		return HAUL_ACK_NEW;
	if (ack == snd->una)
		return HAUL_ACK_DUPLICATE;
	return snd->una - ack <= snd->max_wnd ? HAUL_ACK_OLD : HAUL_ACK_TOO_OLD;
}

/**
 * haul_sender_update_wnd() - take the window that a segment offers, when it is newer
 * @snd: sending half, SND.UNA not yet moved by this segment
 * @seq: SEG.SEQ
 * @ack: SEG.ACK, acceptable
 * @wnd: SEG.WND, bytes
 *
 * RFC 9293 3.10.7.4 wants SND.WL1 < SEG.SEQ, or equality and SND.WL2 =< SEG.ACK. No SND.WL2 is
 * kept: it never is past SND.UNA. Beyond the RFC a retransmission (older SEG.SEQ) with a newer
 * SEG.ACK counts: the peer computed its window when it sent that ACK.
 *
 * Context: socket lock.
 * Return: true if SND.WND changed.
 */
bool haul_sender_update_wnd(struct haul_sender *snd, u32 seq, u32 ack, u32 wnd)
{
	bool changed = wnd != snd->wnd;

	if (haul_before(ack, snd->una))
		return false;
	if (haul_before(seq, snd->wl1)) {
		if (ack == snd->una)
			return false;
	} else {
		snd->wl1 = seq;
	}
	snd->wnd = wnd;
	snd->max_wnd = max(snd->max_wnd, wnd);
	return changed;
}

/* draft-cheng-iccrg-delivery-rate-estimation: what a sample must know of the moment of departure */
static void haul_sender_stamp(struct haul_sender *snd, struct haul_seg *seg, u64 departure,
			      u32 in_flight)
{
	seg->sent_us = departure;
	seg->first_sent_us = snd->first_sent_us;
	seg->delivered_us = snd->delivered_us;
	seg->delivered = snd->delivered;
	seg->in_flight = in_flight;
	seg->lost_total = snd->lost_total;
	if (snd->app_limited)
		seg->marks |= HAUL_SEG_APP_LIMITED;
	else
		seg->marks &= ~HAUL_SEG_APP_LIMITED;
}

/**
 * haul_sender_sent() - a segment leaves for the first time
 * @snd: sending half; SND.NXT is the caller's to move
 * @seg: the segment
 * @departure: microseconds, planned
 * @pipe_was_empty: nothing was outstanding
 * @mss: bytes that a full segment carries now, beside the options that it has
 *
 * Context: socket lock.
 */
void haul_sender_sent(struct haul_sender *snd, struct haul_seg *seg, u64 departure,
		      bool pipe_was_empty, u32 mss)
{
	if (pipe_was_empty) {
		snd->first_sent_us = departure;
		snd->delivered_us = departure;
	}
	seg->marks = 0;
	haul_sender_stamp(snd, seg, departure, haul_sender_in_flight(snd) + haul_seg_len(seg));
	if (haul_seg_len(seg) % mss)
		snd->small_end = seg->end_seq;
}

/**
 * haul_sender_resent() - a segment leaves again
 * @snd: sending half
 * @seg: the segment; nothing happens if it is SACKed
 * @departure: microseconds, planned
 * @tsval: timestamp that this copy carries
 *
 * Context: socket lock.
 */
void haul_sender_resent(struct haul_sender *snd, struct haul_seg *seg, u64 departure, u32 tsval)
{
	struct haul_recovery *rec = &snd->rec;
	u32 len = haul_seg_len(seg);

	if (seg->marks & HAUL_SEG_SACKED)
		return;
	if (!(seg->marks & HAUL_SEG_RETRANS))
		snd->retrans += len;
	seg->marks |= HAUL_SEG_RETRANS | HAUL_SEG_EVER_RETRANS;
	haul_sender_stamp(snd, seg, departure, haul_sender_in_flight(snd));
	if (!rec->undo_armed)
		return;
	/*
	 * RFC 3522 3.2: the time of the first retransmission. Only one at SND.UNA will do: an ACK
	 * that advances is an ACK of that one, whichever copy of it arrived.
	 */
	if (!rec->undo_retrans && seg->seq == snd->una) {
		rec->retrans_tsval = tsval;
		rec->retrans_stamped = true;
	}
	rec->undo_retrans += len;
}

/* Takes @len bytes of a segment out of the counters of its marks. */
static void haul_sender_uncount(struct haul_sender *snd, const struct haul_seg *seg, u32 len)
{
	if (seg->marks & HAUL_SEG_SACKED)
		snd->sacked -= len;
	if (seg->marks & HAUL_SEG_LOST)
		snd->lost -= len;
	if (seg->marks & HAUL_SEG_RETRANS)
		snd->retrans -= len;
}

/* us; a planned departure may lie after what it led to, when the clock of the pacer ran ahead */
static u64 haul_sender_elapsed(u64 from, u64 to)
{
	return to > from ? to - from : 0;
}

/*
 * @len bytes of @seg arrived: UpdateRateSample() of draft-cheng-iccrg-delivery-rate-estimation. The
 * sample is that of the most recently sent segment that this ACK delivers.
 */
static void haul_sender_deliver(struct haul_sender *snd, const struct haul_seg *seg, u32 len,
				struct haul_ack *ack)
{
	bool newest = !ack->rate_delivered || seg->sent_us >= snd->first_sent_us;

	snd->delivered += len;
	snd->delivered_us = ack->now;
	ack->delivered += len;
	if (seg->marks & HAUL_SEG_EVER_RETRANS)
		ack->retrans_acked = true;
	if (newest) {
		u64 sending = haul_sender_elapsed(seg->first_sent_us, seg->sent_us);
		u64 acking = haul_sender_elapsed(seg->delivered_us, ack->now);

		ack->rate_prior = seg->delivered;
		ack->rate_in_flight = seg->in_flight;
		/* haul_sender_rate_done() makes it what was lost since then */
		ack->rate_lost = seg->lost_total;
		ack->rate_interval_us = min_t(u64, max(sending, acking), (u32)~0U);
		ack->app_limited = seg->marks & HAUL_SEG_APP_LIMITED;
		snd->first_sent_us = seg->sent_us;
	}
	ack->rate_delivered = snd->delivered - ack->rate_prior;
}

/**
 * haul_sender_seg_acked() - a segment was cumulatively acknowledged; it leaves the queue
 * @snd: sending half
 * @seg: the segment
 * @ack: what this ACK told so far
 *
 * Context: socket lock.
 */
void haul_sender_seg_acked(struct haul_sender *snd, struct haul_seg *seg, struct haul_ack *ack)
{
	u32 len = haul_seg_len(seg);

	haul_sender_uncount(snd, seg, len);
	if (!(seg->marks & HAUL_SEG_SACKED))
		haul_sender_deliver(snd, seg, len, ack);
	seg->marks &= ~(HAUL_SEG_SACKED | HAUL_SEG_LOST | HAUL_SEG_RETRANS);
	ack->acked += len;
}

/**
 * haul_sender_seg_trim() - the front of a segment was cumulatively acknowledged
 * @snd: sending half
 * @seg: the segment; it keeps its marks
 * @una: the new SND.UNA, inside of @seg
 * @ack: what this ACK told so far
 *
 * Context: socket lock.
 */
void haul_sender_seg_trim(struct haul_sender *snd, struct haul_seg *seg, u32 una,
			  struct haul_ack *ack)
{
	u32 len = una - seg->seq;

	if (!len || len >= haul_seg_len(seg))
		return;
	haul_sender_uncount(snd, seg, len);
	if (!(seg->marks & HAUL_SEG_SACKED))
		haul_sender_deliver(snd, seg, len, ack);
	ack->acked += len;
	seg->seq = una;
	seg->flags &= ~HAUL_SYN;
}

/**
 * haul_sender_seg_sacked() - a segment was SACKed (RFC 2018); it stays in the queue. Idempotent
 * @snd: sending half
 * @seg: the segment: no longer lost, no copy of it awaited
 * @ack: what this ACK told so far
 *
 * Context: socket lock.
 */
void haul_sender_seg_sacked(struct haul_sender *snd, struct haul_seg *seg, struct haul_ack *ack)
{
	u32 len = haul_seg_len(seg);

	if (seg->marks & HAUL_SEG_SACKED)
		return;
	haul_sender_uncount(snd, seg, len);
	seg->marks &= ~(HAUL_SEG_LOST | HAUL_SEG_RETRANS);
	haul_sender_deliver(snd, seg, len, ack);
	seg->marks |= HAUL_SEG_SACKED;
	seg->sacked_end = seg->end_seq;
	snd->sacked += len;
	ack->sacked += len;
}

/**
 * haul_sender_seg_lost() - a segment, or its latest copy, is taken for lost. Idempotent
 * @snd: sending half
 * @seg: the segment; nothing happens if it is SACKed
 * @ack: what this ACK told so far; NULL when nothing told, but a timeout assumes it
 *
 * Context: socket lock.
 */
void haul_sender_seg_lost(struct haul_sender *snd, struct haul_seg *seg, struct haul_ack *ack)
{
	u32 len = haul_seg_len(seg);

	if (seg->marks & HAUL_SEG_SACKED)
		return;
	if ((seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) == HAUL_SEG_LOST)
		return;
	haul_sender_uncount(snd, seg, len);
	seg->marks = (seg->marks & ~HAUL_SEG_RETRANS) | HAUL_SEG_LOST;
	snd->lost += len;
	snd->lost_total += len;
	if (!ack)
		return;
	ack->lost += len;
	if (snd->cc->lost)
		snd->cc->lost(snd, seg, ack->now);
}

/**
 * haul_sender_seg_unlost() - an undo showed that a segment was not lost
 * @snd: sending half
 * @seg: the segment; a copy on its way stays counted
 *
 * Context: socket lock.
 */
void haul_sender_seg_unlost(struct haul_sender *snd, struct haul_seg *seg)
{
	if (!(seg->marks & HAUL_SEG_LOST))
		return;
	seg->marks &= ~HAUL_SEG_LOST;
	snd->lost -= haul_seg_len(seg);
}

/**
 * haul_sender_seg_renege() - on timeout forget that a segment was SACKed (RFC 2018 8)
 * @snd: sending half
 * @seg: the segment
 *
 * Its bytes stay delivered and are counted again when they are acknowledged: the peer did receive
 * them twice. What was in flight beside it is forgotten.
 *
 * Context: socket lock.
 */
void haul_sender_seg_renege(struct haul_sender *snd, struct haul_seg *seg)
{
	if (!(seg->marks & HAUL_SEG_SACKED))
		return;
	seg->marks &= ~HAUL_SEG_SACKED;
	seg->in_flight = haul_seg_len(seg);
	snd->sacked -= haul_seg_len(seg);
}

/**
 * haul_sender_seg_split() - one segment becomes two
 * @head: keeps what is before @seq
 * @tail: gets the rest
 * @seq: inside of @head
 *
 * Marks and times go to both, so no counter changes. SYN is the first sequence number, FIN, PSH and
 * EOM mark the end.
 *
 * Context: socket lock.
 */
void haul_sender_seg_split(struct haul_seg *head, struct haul_seg *tail, u32 seq)
{
	*tail = *head;
	tail->seq = seq;
	tail->flags &= ~HAUL_SYN;
	head->end_seq = seq;
	head->flags &= ~(HAUL_FIN | HAUL_PSH | HAUL_EOM);
}

/**
 * haul_sender_check_dsack() - does the first of an ACK's blocks report a duplicate? (RFC 2883 4)
 * @snd: sending half
 * @blocks: as they came
 * @num: how many
 * @ack_seq: SEG.ACK
 * @ack: its dsack, dsack_start and dsack_end are set
 *
 * A duplicate lies below SEG.ACK, or within the second block. One that begins more than a window
 * below SEG.ACK is too old to tell anything.
 *
 * Context: socket lock.
 * Return: ack->dsack.
 */
bool haul_sender_check_dsack(const struct haul_sender *snd, const struct haul_block *blocks,
			     unsigned int num, u32 ack_seq, struct haul_ack *ack)
{
	const struct haul_block *first = &blocks[0];
	bool dup = false;

	ack->dsack = false;
	if (!num || !haul_before(first->start, first->end) || haul_after(first->end, snd->nxt))
		return false;
	if (!haul_after(first->end, ack_seq))
		dup = ack_seq - first->start <= snd->max_wnd;
	else if (num > 1)
		dup = !haul_before(first->start, blocks[1].start) &&
		      !haul_after(first->end, blocks[1].end);
	if (!dup)
		return false;
	ack->dsack = true;
	ack->dsack_start = first->start;
	ack->dsack_end = first->end;
	return true;
}

/**
 * haul_sender_rate_done() - every segment of an ACK is counted: judge the delivery rate sample
 * @snd: sending half
 * @ack: what the ACK told; its sample is cleared if it can't be right
 *
 * draft-cheng-iccrg-delivery-rate-estimation, GenerateRateSample(): an interval below the least
 * round trip comes of a retransmission that was taken for delivered when the original was.
 *
 * Context: socket lock.
 */
void haul_sender_rate_done(struct haul_sender *snd, struct haul_ack *ack)
{
	if (snd->app_limited && haul_after(snd->delivered, snd->app_limited))
		snd->app_limited = 0;
	ack->rate_lost = snd->lost_total - ack->rate_lost;
	if (!ack->rate_interval_us ||
	    (snd->rtt.min != HAUL_RTT_NONE && ack->rate_interval_us < snd->rtt.min))
		ack->rate_delivered = 0;
	if (!ack->rate_delivered)
		return;
	snd->rate_delivered = ack->rate_delivered;
	snd->rate_interval_us = ack->rate_interval_us;
	snd->rate_app_limited = ack->app_limited;
}

/* Minshall's variant of RFC 896: is a segment that was not full still unacknowledged? */
static bool haul_sender_small_outstanding(const struct haul_sender *snd)
{
	return haul_after(snd->small_end, snd->una) && !haul_after(snd->small_end, snd->nxt);
}

/**
 * haul_sender_may_send() - may a segment go now, or would waiting make a better one?
 * @snd: sending half
 * @len: bytes, already cut to what the windows allow
 * @mss: bytes that a full segment would carry
 * @nagle: what the program asked for
 * @last: nothing is queued behind it
 * @push: nothing can be added to it: PSH or EOM ends it
 * @fin: it carries FIN
 *
 * RFC 9293 3.8.6.2.1 with RFC 896. Nagle's rule is Minshall's: a segment that is not full waits
 * only for another such, so the odd end of a large write doesn't wait for a delayed ACK of its full
 * segments. The override timeout of the RFC's rule (4) is the caller's persist timer.
 *
 * Context: socket lock.
 */
bool haul_sender_may_send(const struct haul_sender *snd, u32 len, u32 mss, enum haul_nagle nagle,
			  bool last, bool push, bool fin)
{
	if (len >= mss)
		return true;
	/* rule (3): half of the largest window ever offered; the peer may have less than one MSS */
	if (len && len >= snd->max_wnd / 2)
		return true;
	if (fin)
		return true;
	/* cut short by a window: more will fit later */
	if (!last && !push)
		return false;
	if (nagle == HAUL_NAGLE_CORK)
		return false;
	return nagle == HAUL_NAGLE_OFF || !haul_sender_small_outstanding(snd);
}

/**
 * haul_sender_note_limit() - after a round of transmissions: what was it that ended it?
 * @snd: sending half
 * @cwnd_limited: cwnd did
 * @more_to_send: the application has more than was sent
 *
 * Remembers for one round trip whether cwnd was in use (RFC 7661), and marks the time during which
 * the delivery rate tells more of the application than of the path.
 *
 * Context: socket lock.
 */
void haul_sender_note_limit(struct haul_sender *snd, bool cwnd_limited, bool more_to_send)
{
	u32 flight = haul_sender_in_flight(snd);

	if (cwnd_limited || !haul_before(snd->una, snd->cwnd_round) ||
	    (!snd->cwnd_limited && flight > snd->cwnd_used)) {
		snd->cwnd_limited = cwnd_limited;
		snd->cwnd_used = flight;
		snd->cwnd_round = snd->nxt;
	}
	if (!more_to_send && !cwnd_limited && snd->lost <= snd->retrans)
		snd->app_limited = (snd->delivered + flight) ?: 1;
}

/**
 * haul_sender_restart() - sending again after silence (RFC 5681 4.1)
 * @snd: sending half, nothing outstanding
 * @idle: us since the last transmission; no longer than RTO: nothing happens
 * @shrink: net.haul.slow_start_after_idle
 * @now: microseconds
 *
 * cwnd falls back to the restart window; ssthresh remembers how far it had got (RFC 7661 4.4 keeps
 * 3/4 of it). A controller that goes by a model is told, and paces itself; it has no use for that.
 *
 * Context: socket lock.
 */
void haul_sender_restart(struct haul_sender *snd, u64 idle, bool shrink, u64 now)
{
	if (snd->cc->flags & HAUL_CC_MODEL) {
		if (snd->cc->idle)
			snd->cc->idle(snd, now);
		return;
	}
	if (!shrink || idle <= haul_rtt_rto(&snd->rtt))
		return;
	snd->ssthresh = max(snd->ssthresh, snd->cwnd - snd->cwnd / 4);
	snd->cwnd = min(snd->cwnd, haul_sender_initial_window(snd));
	snd->cwnd_used = 0;
	snd->cwnd_limited = false;
	snd->cwnd_round = snd->nxt;
	if (snd->cc->idle)
		snd->cc->idle(snd, now);
}
