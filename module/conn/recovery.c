// SPDX-License-Identifier: GPL-2.0
/*
 * The walks over the retransmission queue that SACK (RFC 2018) and RACK (RFC 8985) need. What a
 * mark means, and what follows for the window, is decided in core/.
 */
#include "conn.h"
#include "../observe/trace.h"

/**
 * haul_retransmit_mark_lost - a queued segment is taken for lost
 * @sk:		the socket; its lock is held
 * @skb:	in the retransmission queue
 * @ack:	counts the newly lost bytes; NULL: no ACK told it
 */
void haul_retransmit_mark_lost(struct sock *sk, struct sk_buff *skb, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);

	trace_haul_lost(sk, seg, haul_sk(sk)->snd.mss);
	haul_sender_seg_lost(&hs->snd, seg, ack);
	list_del_init(&skb->tcp_tsorted_anchor);
	if (!hs->retransmit_hint || haul_before(seg->seq, HAUL_SEG(hs->retransmit_hint)->seq))
		hs->retransmit_hint = skb;
}

/**
 * haul_recovery_unmark - a reduction was undone: the segment was not lost after all
 * @sk:		the socket; its lock is held
 * @skb:	in the retransmission queue
 *
 * It is on its way again, and RACK must watch it: it goes back to its place by time.
 */
void haul_recovery_unmark(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);
	struct sk_buff *other;

	haul_sender_seg_unlost(&hs->snd, seg);
	if ((seg->marks & HAUL_SEG_SACKED) || !list_empty(&skb->tcp_tsorted_anchor))
		return;
	list_for_each_entry_reverse(other, &hs->sent_list, tcp_tsorted_anchor)
		if (HAUL_SEG(other)->sent_us <= seg->sent_us)
			break;
	list_add(&skb->tcp_tsorted_anchor, &other->tcp_tsorted_anchor);
}

/*
 * A block's edge falls into a large segment: cut there, at a multiple of the MSS, so that a peer
 * that invents edges can't have us cut to crumbs. @start: the block begins inside, else it ends
 * inside. Returns whether the first part is all that matters now; NULL: nothing of it is covered,
 * or no memory (a later ACK will say it again).
 */
static bool haul_recovery_cut(struct sock *sk, struct sk_buff *skb, u32 edge, bool start)
{
	const struct haul_seg *seg = HAUL_SEG(skb);
	u32 mss = haul_sk(sk)->snd.mss;
	u32 len = edge - seg->seq;

	len = start ? roundup(len, mss) : rounddown(len, mss);
	if (!len || len >= haul_seg_len(seg) - !!(seg->flags & HAUL_FIN))
		return false;
	return haul_output_split(sk, skb, len, mss, GFP_ATOMIC) == 0;
}

static void haul_recovery_sack_one(struct sock *sk, struct sk_buff *skb, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);

	if (seg->marks & HAUL_SEG_SACKED)
		return;
	haul_ack_delivered(sk, seg, ack, false);
	haul_sender_seg_sacked(&hs->snd, seg, ack);
	list_del_init(&skb->tcp_tsorted_anchor);
}

/*
 * @skb is SACKED, as a whole run of packets may be, which each ACK names once more: what follows
 * behind those that are known to be. From it to @end all will be SACKED when the block is through,
 * so whoever comes here again need not walk there. A peer that names a long queue in every ACK
 * would have us do so for each.
 */
static struct sk_buff *haul_recovery_skip(struct sock *sk, struct sk_buff *skb, u32 end)
{
	struct haul_seg *seg = HAUL_SEG(skb);
	u32 known = seg->sacked_end;

	seg->sacked_end = haul_seq_max(known, end);
	return known == seg->end_seq ? haul_rtx_next(skb) : haul_rtx_find(sk, known);
}

static void haul_recovery_sack_block(struct sock *sk, u32 start, u32 end, struct haul_ack *ack)
{
	struct sk_buff *skb = haul_rtx_find(sk, start);

	while (skb && haul_before(HAUL_SEG(skb)->seq, end)) {
		const struct haul_seg *seg = HAUL_SEG(skb);

		if (seg->marks & HAUL_SEG_SACKED) {
			skb = haul_recovery_skip(sk, skb, end);
			continue;
		}
		if (haul_before(seg->seq, start)) {
			/* the rest, if it is cut off, comes next */
			haul_recovery_cut(sk, skb, start, true);
			skb = haul_rtx_next(skb);
			continue;
		}
		if (haul_after(seg->end_seq, end) && !haul_recovery_cut(sk, skb, end, false))
			break;
		haul_recovery_sack_one(sk, skb, ack);
		skb = haul_rtx_next(skb);
	}
}

/*
 * The blocks that tell of something in (SND.UNA, SND.NXT], in order. The others are old, or of what
 * was never sent. Returns how many.
 */
static unsigned int haul_recovery_sort(const struct haul_sender *snd, const struct haul_block *from,
				       unsigned int num, struct haul_block *to)
{
	unsigned int i, at, kept = 0;

	for (i = 0; i < num; i++) {
		struct haul_block b = from[i];

		if (!haul_after(b.end, snd->una) || haul_after(b.end, snd->nxt) ||
		    !haul_before(b.start, b.end))
			continue;
		b.start = haul_seq_max(b.start, snd->una);
		for (at = kept++; at && haul_before(b.start, to[at - 1].start); at--)
			to[at] = to[at - 1];
		to[at] = b;
	}
	return kept;
}

/**
 * haul_recovery_sack - mark what the peer holds out of order
 * @sk:		the socket; its lock is held
 * @o:		the options of its ACK
 * @ack:	what the ACK told; ->dsack is known
 *
 * Where blocks overlap the packets are looked at once: a peer that names all of a long queue in
 * each of its blocks would have us walk along it for each of them.
 */
void haul_recovery_sack(struct sock *sk, const struct haul_options *o, struct haul_ack *ack)
{
	struct haul_block blocks[HAUL_SACK_MAX];
	unsigned int i, num, first = ack->dsack ? 1 : 0;

	for (i = first; i < o->num_sack; i++)
		trace_haul_sack(sk, o->sack[i].start, o->sack[i].end, false);
	num = haul_recovery_sort(&haul_sk(sk)->snd, o->sack + first, o->num_sack - first, blocks);
	for (i = 0; i < num;) {
		u32 start = blocks[i].start, end = blocks[i].end;

		while (++i < num && !haul_after(blocks[i].start, end))
			end = haul_seq_max(end, blocks[i].end);
		haul_recovery_sack_block(sk, start, end, ack);
	}
}

static u32 haul_recovery_reo_wnd(const struct haul_sender *snd)
{
	return haul_rack_reo_wnd(&snd->rack, haul_rtt_srtt(&snd->rtt), snd->rtt.min,
				 haul_sender_recovering(snd), snd->sacked / snd->mss);
}

/**
 * haul_recovery_detect - RFC 8985 6.2 step 5 over the sent list, and its timer
 * @sk:		the socket; its lock is held
 * @ack:	counts what is newly lost
 */
void haul_recovery_detect(struct sock *sk, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_sender *snd = &hs->snd;
	u32 reo_wnd, longest = 0;
	struct sk_buff *skb, *next;

	if (!snd->rack.valid)
		return;
	reo_wnd = haul_recovery_reo_wnd(snd);
	list_for_each_entry_safe(skb, next, &hs->sent_list, tcp_tsorted_anchor) {
		u32 remaining = haul_rack_remaining(&snd->rack, HAUL_SEG(skb), reo_wnd, ack->now);

		if (remaining == HAUL_RACK_NEVER)
			break;	/* by time of departure: those behind were sent later still */
		if (remaining == 0)
			haul_retransmit_mark_lost(sk, skb, ack);
		else
			longest = max(longest, remaining);
	}
	if (longest)
		haul_timer_set(sk, HAUL_DL_REORDER, ack->now + longest);
	else
		haul_timer_clear(sk, HAUL_DL_REORDER);
}

/**
 * haul_recovery_reorder_timer - HAUL_DL_REORDER: the reordering window is over without news (RFC
 * 8985 6.3)
 * @sk:		the socket; its lock is held
 * @now:	us
 */
void haul_recovery_reorder_timer(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_ack ack = { .now = now, .rtt_us = HAUL_RTT_NONE };

	if (!haul_sender_outstanding(&hs->snd))
		return;
	haul_recovery_detect(sk, &ack);
	if (!ack.lost)
		return;
	haul_recovery_events(sk, haul_recovery_lost(&hs->snd, ack.lost, now));
	haul_trace_cwnd(sk);
	haul_retransmit_lost(sk);
	haul_retransmit_start(sk);
}
