// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving half's arithmetic: acceptability, the window offered, TS.Recent, when an ACK is
 * due, which SACK blocks it carries, and how much buffer the flow deserves.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include "receiver.h"

/* bytes, cap of the window until the peer's segments have shown their size */
#define HAUL_FIRST_WINDOW	65535U
/* segments: the round of RFC 6928's initial window needs no larger buffer */
#define HAUL_FIRST_SEGS		10
/* bytes, no larger question waits for its answer to be acknowledged */
#define HAUL_ACK_HOLD_MAX	16384U
/* segments, autotuning's allowance for a burst */
#define HAUL_GROW_SLACK_SEGS	16

/**
 * haul_receiver_init() - the peer's initial sequence number is known
 * @rcv: the receiving half; all of it is set. The caller then sets @adv_mss
 * @irs: IRS
 * @clamp: bytes, the window is never larger; 0: HAUL_MAX_WINDOW
 *
 * Nothing is announced yet: the first haul_receiver_select_wnd() does that.
 *
 * Context: under the connection's lock.
 */
void haul_receiver_init(struct haul_receiver *rcv, u32 irs, u32 clamp)
{
	memset(rcv, 0, sizeof(*rcv));
	rcv->irs = irs;
	rcv->nxt = irs + 1;
	rcv->wup = rcv->nxt;
	rcv->copied = rcv->nxt;
	rcv->eom = rcv->nxt;
	rcv->last_ack = rcv->nxt;
	rcv->space_seq = rcv->copied;
	rcv->clamp = clamp ? min_t(u32, clamp, HAUL_MAX_WINDOW) : HAUL_MAX_WINDOW;
	rcv->ssthresh = min_t(u32, rcv->clamp, HAUL_FIRST_WINDOW);
	rcv->mss = HAUL_DEFAULT_MSS;
	rcv->ato_us = HAUL_DELACK_MIN_US;
	rcv->prompt = true;
}

/**
 * haul_receiver_acceptable() - may the segment be looked at?
 * @rcv: the receiving half
 * @seq: first sequence number of the segment
 * @end_seq: one past its last, equal to @seq if it is empty
 *
 * RFC 9293 3.4 table 6, with one allowance: an empty segment at the very end of the window. Its
 * sender has filled the window and acknowledges from there, while here something of it is missing.
 * A keepalive or window probe, one below SND.UNA, is refused, and thereby answered.
 *
 * Context: under the connection's lock.
 * Return: false: drop it and, unless it is an RST, answer with an ACK (RFC 9293 3.10.7.4).
 */
bool haul_receiver_acceptable(const struct haul_receiver *rcv, u32 seq, u32 end_seq)
{
	u32 wnd = haul_receiver_wnd(rcv);

	if (seq == end_seq)
		return haul_between(seq, rcv->nxt, rcv->nxt + wnd);
	return wnd && haul_before(seq, rcv->nxt + wnd) && haul_after(end_seq, rcv->nxt);
}

/*
 * The window that could be announced now. The right edge stays where it is until it can move by
 * min(MSS, half the buffer) (RFC 9293 3.8.6.2.2), and it never moves left (3.8.6).
 */
static u32 haul_receiver_offer(const struct haul_receiver *rcv, u32 space, u32 full)
{
	u32 left = haul_receiver_wnd(rcv);
	u32 step = min(rcv->mss, full / 2);

	space = min3(space, rcv->ssthresh, rcv->clamp);
	if (space < left || space - left < step)
		return left;
	return space;
}

/**
 * haul_receiver_select_wnd() - the window to announce in the packet that leaves now
 * @rcv: the receiving half; wup and wnd are set
 * @space: bytes that the buffer still takes
 * @full: bytes, its size
 *
 * Context: under the connection's lock.
 * Return: bytes from RCV.NXT, at most HAUL_MAX_WINDOW.
 */
u32 haul_receiver_select_wnd(struct haul_receiver *rcv, u32 space, u32 full)
{
	rcv->wnd = haul_receiver_offer(rcv, space, full);
	rcv->wup = rcv->nxt;
	return rcv->wnd;
}

/**
 * haul_receiver_full() - must the application read before more can come?
 * @rcv: the receiving half
 * @space: bytes that the buffer still takes
 * @full: bytes, its size
 *
 * What is left of the window, with what could be added to it, is less than a sender would break its
 * silence for: a full segment, or half of the largest window (RFC 9293 3.8.6.2.1). A segment on its
 * way may prove it wrong.
 *
 * Context: any; without the connection's lock the answer may be out of date.
 * Return: true: waiting for more is waiting for a timer at best.
 */
bool haul_receiver_full(const struct haul_receiver *rcv, u32 space, u32 full)
{
	u32 worth = min3(rcv->mss, full / 2, rcv->clamp / 2);

	return haul_receiver_offer(rcv, space, full) < worth;
}

/* More than one full segment has come since the last ACK (RFC 5681 4.2's "every second"). */
static bool haul_receiver_owes_ack(const struct haul_receiver *rcv)
{
	return rcv->ack_due && rcv->nxt - rcv->last_ack > rcv->mss;
}

/**
 * haul_receiver_wnd_update_due() - the application read: is that worth a packet?
 * @rcv: the receiving half
 * @space: bytes that the buffer takes now
 * @full: bytes, its size
 *
 * Yes if what the sender may use at least doubles, a closed window's opening included, or if an ACK
 * is overdue and is not held for the answer.
 *
 * Context: under the connection's lock.
 * Return: true: send an ACK.
 */
bool haul_receiver_wnd_update_due(const struct haul_receiver *rcv, u32 space, u32 full)
{
	u32 left = haul_receiver_wnd(rcv), offer;

	if (haul_receiver_owes_ack(rcv) && !rcv->ack_held)
		return true;
	if (left > min(rcv->ssthresh, rcv->clamp) / 2)
		return false;		/* most of the time: it can't double */
	offer = haul_receiver_offer(rcv, space, full);
	return offer > left && offer / 2 >= left;
}

/* TS.Recent is there and not too old to be compared with (RFC 7323 5.5). */
static bool haul_receiver_ts_valid(const struct haul_receiver *rcv, u64 now)
{
	return rcv->ts_recent_us && now - rcv->ts_recent_us <= HAUL_PAWS_EXPIRE_US;
}

/**
 * haul_receiver_paws_old() - is a timestamp older than TS.Recent (RFC 7323 5.3 R1)?
 * @rcv: the receiving half
 * @tsval: the segment's timestamp
 * @now: microseconds
 *
 * Context: under the connection's lock.
 * Return: true: the segment is an old duplicate; an ACK without data may still be used for ACK and
 * SACK.
 */
bool haul_receiver_paws_old(const struct haul_receiver *rcv, u32 tsval, u64 now)
{
	return haul_receiver_ts_valid(rcv, now) && haul_before(tsval, rcv->ts_recent);
}

/**
 * haul_receiver_update_ts() - take TS.Recent from an acceptable segment (RFC 7323 4.3 (2))
 * @rcv: the receiving half
 * @seq: the segment's first sequence number
 * @tsval: its timestamp
 * @now: microseconds
 *
 * Only from a segment that starts at or before Last.ACK.sent: the echo then is that of the earliest
 * segment that the next ACK answers, and after a loss that of the segment that fills the hole.
 *
 * Context: under the connection's lock.
 */
void haul_receiver_update_ts(struct haul_receiver *rcv, u32 seq, u32 tsval, u64 now)
{
	if (haul_after(seq, rcv->last_ack) || haul_receiver_paws_old(rcv, tsval, now))
		return;
	rcv->ts_recent = tsval;
	rcv->ts_recent_us = max_t(u64, now, 1);
}

/* As many ACKs at once as half the window has segments: the sender's is growing (RFC 5681 3.1). */
static void haul_receiver_add_quickacks(struct haul_receiver *rcv)
{
	u32 wanted = clamp_t(u32, rcv->wnd / (2 * rcv->mss), 2, HAUL_MAX_QUICKACKS);

	rcv->quickacks = max_t(u32, rcv->quickacks, wanted);
}

/**
 * haul_receiver_enter_quickack() - acknowledge at once for a while: after loss, or on demand
 * @rcv: the receiving half
 *
 * Context: under the connection's lock.
 */
void haul_receiver_enter_quickack(struct haul_receiver *rcv)
{
	haul_receiver_add_quickacks(rcv);
	rcv->interactive = false;
	rcv->ato_us = HAUL_DELACK_MIN_US;
}

/*
 * The delay of a delayed ACK follows the gaps between segments, so that it just spans one, from 40
 * to 200 ms (RFC 1122 4.2.3.2 wants less than 500). After a longer silence the sender starts small
 * again: so do we.
 */
static void haul_receiver_time_data(struct haul_receiver *rcv, u64 now)
{
	u64 gap = now - rcv->last_data_us;
	u32 pause = max_t(u32, HAUL_DELACK_MOST_US, min_t(u32, rcv->rtt_us, HAUL_MAX_WINDOW) * 2);

	if (!rcv->last_data_us || gap > pause)
		haul_receiver_add_quickacks(rcv);
	else if (gap < rcv->ato_us)
		rcv->ato_us = rcv->ato_us / 2 + max_t(u32, gap, HAUL_DELACK_MIN_US / 2);
	rcv->ato_us = clamp_t(u32, rcv->ato_us, HAUL_DELACK_MIN_US, HAUL_DELACK_MOST_US);
	rcv->last_data_us = max_t(u64, now, 1);
}

/**
 * haul_receiver_data() - data arrived in order
 * @rcv: the receiving half, RCV.NXT already moved or not
 * @len: bytes of payload, of all segments of a merged one
 * @now: microseconds
 *
 * Learns the peer's segment size (not below HAUL_DEFAULT_MSS, not above what was announced), lets
 * the window's cap grow by twice what came in segments of decent size (a peer of tiny ones would
 * fill memory with headers), runs the delayed ACK's clock and notes that an ACK is owed.
 *
 * Context: under the connection's lock.
 */
void haul_receiver_data(struct haul_receiver *rcv, u32 len, u64 now)
{
	u32 cap = rcv->adv_mss ? rcv->adv_mss : HAUL_MAX_WINDOW;

	if (len > rcv->mss)
		rcv->mss = max(rcv->mss, min(len, cap));
	if (len >= rcv->mss / 2)
		rcv->ssthresh = min_t(u64, rcv->clamp, (u64)rcv->ssthresh + 2ULL * len);
	if (now != rcv->last_data_us)	/* else it came with others */
		haul_receiver_time_data(rcv, now);
	rcv->ack_due = true;
}

static bool haul_block_touches(const struct haul_block *b, u32 start, u32 end)
{
	return !haul_after(b->start, end) && !haul_after(start, b->end);
}

static bool haul_block_covers(const struct haul_block *outer, const struct haul_block *inner)
{
	return !haul_after(outer->start, inner->start) && !haul_before(outer->end, inner->end);
}

static void haul_block_join(struct haul_block *b, const struct haul_block *other)
{
	b->start = haul_seq_min(b->start, other->start);
	b->end = haul_seq_max(b->end, other->end);
}

/**
 * haul_receiver_ooo() - a range arrived out of order, or grew: it becomes the newest SACK block
 * @rcv: the receiving half
 * @start: first sequence number held
 * @end: one past the last
 *
 * RFC 2018 4: the first block tells of the segment that caused the ACK. Older blocks that it
 * touches go into it.
 *
 * Context: under the connection's lock.
 */
void haul_receiver_ooo(struct haul_receiver *rcv, u32 start, u32 end)
{
	struct haul_block newest = { start, end };
	unsigned int i, kept = 0;

	if (!haul_before(start, end))
		return;
	for (i = 0; i < rcv->num_recent; i++) {
		if (haul_block_touches(&rcv->recent[i], start, end))
			haul_block_join(&newest, &rcv->recent[i]);
		else
			rcv->recent[kept++] = rcv->recent[i];
	}
	kept = min_t(unsigned int, kept, HAUL_RECENT_BLOCKS - 1);
	memmove(&rcv->recent[1], &rcv->recent[0], kept * sizeof(rcv->recent[0]));
	rcv->recent[0] = newest;
	rcv->num_recent = kept + 1;
	rcv->ack_due = true;
}

/**
 * haul_receiver_duplicate() - a range arrived that was here already
 * @rcv: the receiving half
 * @start: its first sequence number
 * @end: one past its last
 *
 * The next ACK leaves at once and reports it first (RFC 2883 4). Touching reports are joined,
 * otherwise the latest one is kept.
 *
 * Context: under the connection's lock.
 */
void haul_receiver_duplicate(struct haul_receiver *rcv, u32 start, u32 end)
{
	struct haul_block range = { start, end };

	if (!haul_before(start, end))
		return;
	if (rcv->dsack_valid && haul_block_touches(&rcv->dsack, start, end))
		haul_block_join(&range, &rcv->dsack);
	rcv->dsack = range;
	rcv->dsack_valid = true;
	rcv->ack_now = true;
}

/**
 * haul_receiver_advanced() - RCV.NXT moved
 * @rcv: the receiving half
 *
 * Blocks that are in order now are gone. A hole filled, in whole or in part, is acknowledged at
 * once (RFC 5681 4.2).
 *
 * Context: under the connection's lock.
 */
void haul_receiver_advanced(struct haul_receiver *rcv)
{
	unsigned int i, kept = 0;

	if (!rcv->num_recent)
		return;
	for (i = 0; i < rcv->num_recent; i++)
		if (haul_after(rcv->recent[i].start, rcv->nxt))
			rcv->recent[kept++] = rcv->recent[i];
	rcv->num_recent = kept;
	rcv->ack_now = true;
}

/**
 * haul_receiver_ack_sent() - a packet with an ACK leaves
 * @rcv: the receiving half; its window was chosen by haul_receiver_select_wnd()
 *
 * Context: under the connection's lock.
 */
void haul_receiver_ack_sent(struct haul_receiver *rcv)
{
	rcv->last_ack = rcv->nxt;
	rcv->ack_now = false;
	rcv->ack_due = false;
	rcv->ack_held = false;
	rcv->ack_by_reader = false;
	rcv->fin_due = false;
	if (rcv->quickacks)
		rcv->quickacks--;
}

/**
 * haul_receiver_ack_at_once() - is an ACK due now, or may it wait?
 * @rcv: the receiving half
 * @space: bytes that the buffer still takes
 * @full: bytes, its size
 * @ooo: data waits out of order
 *
 * RFC 5681 4.2: at once while there are holes, and for every second full segment (a merged one is
 * several); also when the window would open wide. Otherwise it waits for the next segment either
 * way, at most ato_us.
 *
 * Context: under the connection's lock.
 * Return: true: send an ACK now. False: if ack_due, start the delayed ACK's timer.
 */
bool haul_receiver_ack_at_once(const struct haul_receiver *rcv, u32 space, u32 full, bool ooo)
{
	if (rcv->ack_now || rcv->fin_due)
		return true;
	if (!rcv->ack_due)
		return false;
	if (ooo || (rcv->quickacks && !rcv->interactive))
		return true;
	return haul_receiver_wnd_update_due(rcv, space, full);
}

/**
 * haul_receiver_answered() - data leaves: was it an answer to what came last?
 * @rcv: the receiving half
 * @now: microseconds
 *
 * Context: under the connection's lock.
 */
void haul_receiver_answered(struct haul_receiver *rcv, u64 now)
{
	if (rcv->last_data_us)
		rcv->prompt = now - rcv->last_data_us <= HAUL_ACK_HOLD_US;
}

/**
 * haul_receiver_fin() - the peer's FIN is next, all before it is here
 * @rcv: the receiving half
 *
 * Context: under the connection's lock.
 */
void haul_receiver_fin(struct haul_receiver *rcv)
{
	rcv->ack_due = true;
	rcv->fin_due = true;
}

/**
 * haul_receiver_may_hold() - an ACK is due at once; may it wait for the program's answer?
 * @rcv: the receiving half
 *
 * RFC 5681 4.2 wants every second full segment of a stream acknowledged, to clock its sender. A
 * question that has been sent to its end needs no clock, and where the last one was answered
 * within HAUL_ACK_HOLD_US, or there was none, the ACK has the answer to ride on. While each segment
 * is acknowledged at once, because the sender's window is to grow, a question that is less than a
 * segment leaves nothing to grow by. A FIN is answered by the program's own, if it has no more to
 * send. Not when something is wrong (a hole, a duplicate), nor for much data.
 *
 * Context: under the connection's lock.
 * Return: true: it may, for HAUL_ACK_HOLD_US.
 */
bool haul_receiver_may_hold(const struct haul_receiver *rcv)
{
	u32 most = rcv->quickacks ? rcv->mss - 1 : HAUL_ACK_HOLD_MAX;

	return ((rcv->prompt && rcv->pushed) || rcv->fin_due) && !rcv->ack_now &&
	       rcv->nxt - rcv->last_ack <= most;
}

/* Adds @b if there is room, and none of the blocks from @skip to @told says as much. */
static unsigned int haul_blocks_add(struct haul_block *out, unsigned int num, unsigned int skip,
				    unsigned int told, unsigned int max, const struct haul_block *b)
{
	unsigned int i;

	for (i = skip; i < told; i++)
		if (haul_block_covers(&out[i], b))
			return num;
	if (num < max)
		out[num++] = *b;
	return num;
}

/* RFC 2883 4: behind a D-SACK comes the block that contains it, if there is one. */
static unsigned int haul_blocks_add_around(struct haul_block *out, unsigned int max,
					   const struct haul_block *dsack,
					   const struct haul_block *blocks, unsigned int num_blocks)
{
	unsigned int i;

	for (i = 0; i < num_blocks; i++)
		if (haul_block_covers(&blocks[i], dsack))
			return haul_blocks_add(out, 1, 1, 1, max, &blocks[i]);
	return 1;
}

/**
 * haul_receiver_sack_blocks() - the SACK blocks of one packet
 * @rcv: the receiving half
 * @more: ranges held out of order, sorted
 * @num_more: how many
 * @out: where the blocks go
 * @max: how many fit
 *
 * The D-SACK first (RFC 2883), then the newest (RFC 2018 4), then @more as far as they tell
 * something else. The D-SACK is reported once.
 *
 * Context: under the connection's lock.
 * Return: number of blocks, at most @max.
 */
unsigned int haul_receiver_sack_blocks(struct haul_receiver *rcv, const struct haul_block *more,
				       unsigned int num_more, struct haul_block *out,
				       unsigned int max)
{
	unsigned int i, num = 0, skip = 0, told;

	if (!max)
		return 0;
	if (rcv->dsack_valid) {
		rcv->dsack_valid = false;
		out[0] = rcv->dsack;
		skip = 1;
		num = haul_blocks_add_around(out, max, &rcv->dsack, rcv->recent, rcv->num_recent);
		if (num == skip)
			num = haul_blocks_add_around(out, max, &rcv->dsack, more, num_more);
	}
	for (i = 0; i < rcv->num_recent; i++)
		num = haul_blocks_add(out, num, skip, num, max, &rcv->recent[i]);
	/* @more are apart from each other: each need only be compared with what is there by now */
	told = num;
	for (i = 0; i < num_more && num < max; i++)
		num = haul_blocks_add(out, num, skip, told, max, &more[i]);
	return num;
}

/**
 * haul_receiver_rtt() - the receiver's own measure of a round trip
 * @rcv: the receiving half
 * @sample: us, from the echo of a timestamp that data brought, or the time in which a window's
 *	worth of data came; HAUL_RTT_NONE (all ones) is ignored
 *
 * Smoothed by 1/8, as RFC 6298's SRTT: it includes the sender's hesitation, so one sample proves
 * little.
 *
 * Context: under the connection's lock.
 */
void haul_receiver_rtt(struct haul_receiver *rcv, u32 sample)
{
	if (sample == U32_MAX)
		return;
	sample = max_t(u32, sample, 1);
	if (!rcv->rtt_us)
		rcv->rtt_us = sample;
	else
		rcv->rtt_us = ((u64)rcv->rtt_us * 7 + sample + 4) / 8;
}

/*
 * Twice what was read in the round trip, so that the sender, who may double its window in the next,
 * is not held back; more if reading itself is growing.
 */
static u32 haul_receiver_wanted(const struct haul_receiver *rcv, u32 read)
{
	u64 wanted = 2ULL * read + HAUL_GROW_SLACK_SEGS * rcv->adv_mss;

	if (read > rcv->space)
		wanted += 2 * div_u64(wanted * (read - rcv->space), rcv->space);
	return min_t(u64, wanted, HAUL_MAX_WINDOW);
}

/**
 * haul_receiver_autotune() - the application has read: is the buffer large enough?
 * @rcv: the receiving half; the application has read up to its @copied
 * @now: microseconds
 *
 * Dynamic right-sizing: what is read in one round trip is what the sender could get through, so the
 * buffer must hold more than that. To be called after each read; measures once per round trip.
 *
 * Context: under the connection's lock.
 * Return: bytes of payload that the buffer should hold, at most HAUL_MAX_WINDOW; 0: as it is.
 */
u32 haul_receiver_autotune(struct haul_receiver *rcv, u64 now)
{
	u32 read = min_t(u32, rcv->copied - rcv->space_seq, HAUL_MAX_WINDOW);
	u32 wanted = 0;

	if (!rcv->space_us) {
		rcv->space_us = max_t(u64, now, 1);
		return 0;
	}
	if (!rcv->rtt_us || now - rcv->space_us < rcv->rtt_us)
		return 0;
	if (!rcv->space)
		rcv->space = HAUL_FIRST_SEGS * max_t(u32, rcv->adv_mss, HAUL_MIN_MSS);
	/*
	 * within a segment of it: where one segment fills the window, more than that can't be read
	 */
	if (read + rcv->adv_mss > rcv->space) {
		wanted = haul_receiver_wanted(rcv, read);
		rcv->space = max(rcv->space, read);
	}
	rcv->space_seq = rcv->copied;
	rcv->space_us = now;
	return wanted;
}
