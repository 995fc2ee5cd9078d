// SPDX-License-Identifier: GPL-2.0
/*
 * RACK-TLP (RFC 8985): a segment is lost when one that was sent a reordering window later has been
 * delivered. One segment at a time; the queue and its order are the caller's.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include "rack.h"
#include "rtt.h"
#include "seq.h"

#define HAUL_TLP_NO_SRTT_US	1000000U	/* RFC 8985 7.2 */

/**
 * haul_rack_init() - nothing is delivered yet
 * @rack: RACK's variables
 * @iss: initial sequence number
 *
 * Context: any.
 */
void haul_rack_init(struct haul_rack *rack, u32 iss)
{
	memset(rack, 0, sizeof(*rack));
	rack->fack = iss;
	rack->mult = 1;
}

/* RFC 8985 6.2 step 2, RACK_sent_after(): was the first sent after the second? */
static bool haul_rack_sent_after(u64 t1, u32 seq1, u64 t2, u32 seq2)
{
	return t1 > t2 || (t1 == t2 && haul_after(seq1, seq2));
}

/* RFC 8985 6.2 step 3: a segment sent once that arrives after higher ones was overtaken */
static bool haul_rack_detect_reordering(struct haul_rack *rack, const struct haul_seg *seg)
{
	if (haul_after(seg->end_seq, rack->fack)) {
		rack->fack = seg->end_seq;
		return false;
	}
	if (seg->end_seq == rack->fack || (seg->marks & HAUL_SEG_EVER_RETRANS))
		return false;
	rack->reordering = true;
	return true;
}

/*
 * RFC 8985 6.2 step 2: which copy of a retransmitted segment arrived? An echo older than the latest
 * copy, or a round trip shorter than any, says: an earlier one.
 */
static bool haul_rack_ambiguous(const struct haul_seg *seg, u32 rtt_us, u32 tsval_sent, u32 tsecr,
				u32 min_rtt)
{
	if (!(seg->marks & HAUL_SEG_EVER_RETRANS))
		return false;
	return haul_before(tsecr, tsval_sent) || (min_rtt != HAUL_RTT_NONE && rtt_us < min_rtt);
}

/**
 * haul_rack_delivered() - a segment was delivered: RFC 8985 6.2 steps 1 to 3
 * @rack: RACK's variables
 * @seg: newly acknowledged or newly SACKed
 * @now: microseconds
 * @tsval_sent: timestamp that the latest copy of @seg carried
 * @tsecr: the ACK's echo
 * @min_rtt: us, HAUL_RTT_NONE if unknown
 *
 * Context: socket lock.
 * Return: true when @seg shows that the path reorders.
 */
bool haul_rack_delivered(struct haul_rack *rack, const struct haul_seg *seg, u64 now,
			 u32 tsval_sent, u32 tsecr, u32 min_rtt)
{
	bool reordered = haul_rack_detect_reordering(rack, seg);
	u64 passed = now > seg->sent_us ? now - seg->sent_us : 0;
	u32 rtt_us = min_t(u64, passed, HAUL_RTT_NONE - 1);

	if (haul_rack_ambiguous(seg, rtt_us, tsval_sent, tsecr, min_rtt))
		return reordered;
	rack->rtt_us = rtt_us;
	if (!rack->valid ||
	    haul_rack_sent_after(seg->sent_us, seg->end_seq, rack->xmit_us, rack->end_seq)) {
		rack->xmit_us = seg->sent_us;
		rack->end_seq = seg->end_seq;
		rack->valid = true;
	}
	return reordered;
}

/**
 * haul_rack_dsack() - a D-SACK came: the window was too small (RFC 8985 6.2 step 4)
 * @rack: RACK's variables
 * @snd_una: SND.UNA
 * @snd_nxt: SND.NXT
 *
 * Widens the window once per round trip. Context: socket lock.
 */
void haul_rack_dsack(struct haul_rack *rack, u32 snd_una, u32 snd_nxt)
{
	/* a number beyond SND.NXT is from 2 GB ago or more, and only seems to be ahead */
	if (rack->round_valid && haul_after(rack->round_seq, snd_una) &&
	    !haul_after(rack->round_seq, snd_nxt))
		return;
	rack->round_valid = true;
	rack->round_seq = snd_nxt;
	rack->mult = min_t(u32, rack->mult + 1, HAUL_RACK_MULT_MAX);
	rack->persist = HAUL_RACK_PERSIST;
}

/**
 * haul_rack_recovered() - fast or timeout recovery ended: a widened window ages (6.2 step 4)
 * @rack: RACK's variables
 *
 * Context: socket lock.
 */
void haul_rack_recovered(struct haul_rack *rack)
{
	if (rack->persist)
		rack->persist--;
	if (!rack->persist)
		rack->mult = 1;
}

/**
 * haul_rack_reo_wnd() - the reordering window (RFC 8985 6.2 step 4)
 * @rack: RACK's variables
 * @srtt: us
 * @min_rtt: us, HAUL_RTT_NONE if unknown
 * @recovering: in fast or timeout recovery
 * @sacked_segs: segments' worth of SACKed bytes
 *
 * Context: socket lock.
 * Return: us.
 */
u32 haul_rack_reo_wnd(const struct haul_rack *rack, u32 srtt, u32 min_rtt, bool recovering,
		      u32 sacked_segs)
{
	/* No reordering seen: be as quick as DupThresh is, on a path where it would be right. */
	if (!rack->reordering && (recovering || sacked_segs >= HAUL_RACK_DUPTHRESH))
		return 0;
	if (min_rtt == HAUL_RTT_NONE)
		min_rtt = srtt;
	return min_t(u64, (u64)min_rtt * rack->mult / 4, srtt);
}

/**
 * haul_rack_remaining() - when must a segment be taken for lost? (RFC 8985 6.2 step 5)
 * @rack: RACK's variables
 * @seg: outstanding
 * @reo_wnd: us, of haul_rack_reo_wnd()
 * @now: microseconds
 *
 * Context: socket lock.
 * Return: us from @now; 0: it is lost; HAUL_RACK_NEVER: nothing sent after it has been delivered,
 * or it is SACKed, or it waits for its retransmission already.
 */
u32 haul_rack_remaining(const struct haul_rack *rack, const struct haul_seg *seg, u32 reo_wnd,
			u64 now)
{
	u64 deadline;

	if ((seg->marks & HAUL_SEG_SACKED) ||
	    (seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) == HAUL_SEG_LOST)
		return HAUL_RACK_NEVER;
	if (!rack->valid ||
	    !haul_rack_sent_after(rack->xmit_us, rack->end_seq, seg->sent_us, seg->end_seq))
		return HAUL_RACK_NEVER;
	deadline = seg->sent_us + rack->rtt_us + reo_wnd;
	if (deadline <= now)
		return 0;
	return min_t(u64, deadline - now, HAUL_RACK_NEVER - 1);
}

/**
 * haul_tlp_timeout() - the probe timeout (RFC 8985 7.2)
 * @srtt: us, 0 if unknown
 * @rto: us left until the retransmission timer fires; the probe is never later
 * @one_segment: only one segment is in flight, so the peer may delay its ACK
 * @max_delack: us, the longest such delay
 *
 * Context: socket lock.
 * Return: us.
 */
u32 haul_tlp_timeout(u32 srtt, u32 rto, bool one_segment, u32 max_delack)
{
	u64 pto = HAUL_TLP_NO_SRTT_US;

	if (srtt) {
		pto = 2ULL * srtt;
		if (one_segment)
			pto += max_delack;
	}
	return min_t(u64, pto, rto);
}
