// SPDX-License-Identifier: GPL-2.0
/*
 * What may leave: the send queue against the peer's window, the congestion window, Nagle and silly
 * window avoidance (RFC 9293 3.7.4, 3.8.6.2.1). sk->sk_write_queue holds what was not sent yet;
 * what is sent moves to rtx.c's queue.
 */
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../observe/trace.h"

/* the socket's own choice: CORK wins over NODELAY */
enum haul_nagle haul_nagle(const struct haul_sock *hs)
{
	if (hs->cork)
		return HAUL_NAGLE_CORK;
	return hs->nodelay ? HAUL_NAGLE_OFF : HAUL_NAGLE_ON;
}

/**
 * haul_output_alloc - a packet buffer for the send queue
 * @sk:		the socket; its lock is held
 * @linear:	bytes of linear room
 * @gfp:	context
 *
 * Its truesize is scheduled against the socket's memory; haul_output_append() or
 * haul_output_charge() charges it. A socket that has nothing else to send gets one beyond
 * net.haul.mem, too: a SYN, a FIN, the next bytes must not wait for what others hold.
 *
 * Return: the buffer, room for every header in front; NULL: no memory.
 */
struct sk_buff *haul_output_alloc(struct sock *sk, int linear, gfp_t gfp)
{
	struct sk_buff *skb = linear ? NULL : haul_spare_get();

	if (!skb)
		skb = alloc_skb_fclone(linear + HAUL_MAX_HEADER, gfp);
	if (unlikely(!skb)) {
		sk_stream_moderate_sndbuf(sk);
		return NULL;
	}
	skb->truesize = SKB_TRUESIZE(skb_end_offset(skb));
	if (unlikely(!sk_wmem_schedule(sk, skb->truesize) && sk->sk_wmem_queued)) {
		__kfree_skb(skb);
		return NULL;
	}
	skb_reserve(skb, HAUL_MAX_HEADER);
	skb->ip_summed = CHECKSUM_PARTIAL;
	memset(skb->cb, 0, sizeof(skb->cb));
	INIT_LIST_HEAD(&skb->tcp_tsorted_anchor);
	return skb;
}

/**
 * haul_output_charge - a buffer's memory is the socket's
 * @sk:		the socket; its lock is held
 * @skb:	from haul_output_alloc(); haul_rtx_free() gives its memory back
 */
void haul_output_charge(struct sock *sk, struct sk_buff *skb)
{
	__skb_header_release(skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
}

/**
 * haul_output_append - put a buffer at the tail of the send queue
 * @sk:		the socket; its lock is held
 * @skb:	from haul_output_alloc(); empty, or with HAUL_SEG(skb)->end_seq relative to 0
 *		already counted by flags
 *
 * Its segment starts, and for now ends, at write_seq; who adds payload or a flag moves end_seq and
 * write_seq.
 */
void haul_output_append(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);

	seg->seq = hs->write_seq;
	seg->end_seq = hs->write_seq;
	haul_output_charge(sk, skb);
	__skb_queue_tail(&sk->sk_write_queue, skb);
}

static bool haul_output_is_sent(const struct haul_sock *hs, const struct haul_seg *seg)
{
	return haul_before(seg->seq, hs->snd.nxt);
}

/*
 * A peer that has us cut many small pieces must not have us hold more memory than the program asked
 * for.
 */
static bool haul_output_may_cut(const struct sock *sk, const struct sk_buff *skb)
{
	long limit = sk->sk_sndbuf + 2 * (long)HAUL_IP_MAX;

	return (sk->sk_wmem_queued >> 1) <= limit || skb == haul_output_head(sk) ||
	       skb == haul_rtx_head(sk) || skb == haul_rtx_tail(sk);
}

/**
 * haul_output_split - cut a queued packet in two
 * @sk:		the socket; its lock is held
 * @skb:	in the send or the retransmission queue
 * @len:	bytes of payload that stay in it, less than it has
 * @mss:	bytes, payload of a full segment now
 * @gfp:	context
 *
 * FIN, PSH and EOM go with the tail, EOM so that the message still ends where it ended; and so does
 * a wish for timestamps. Return: 0 or -ENOMEM.
 */
int haul_output_split(struct sock *sk, struct sk_buff *skb, u32 len, u32 mss, gfp_t gfp)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);
	u32 linear = max(skb_headlen(skb), len) - len, moved;
	struct sk_buff *tail;

	haul_assert_locked(sk);
	if (haul_rtx_unstale(sk, skb))
		return -ENOMEM;
	if (WARN_ON_ONCE(!len || len >= skb->len))
		return -EINVAL;
	/* before the tail is there: what haul_output_alloc() gives is not for kfree_skb() */
	if (!haul_output_may_cut(sk, skb) || haul_rtx_unclone(skb, gfp))
		return -ENOMEM;
	tail = haul_output_alloc(sk, linear, gfp);
	if (!tail)
		return -ENOMEM;
	__skb_header_release(tail);
	sk_wmem_queued_add(sk, tail->truesize);
	sk_mem_charge(sk, tail->truesize);

	skb_split(skb, tail, len);
	/* the pages are accounted where they lie now */
	moved = min_t(u32, tail->len, skb->truesize - SKB_TRUESIZE(skb_end_offset(skb)));
	skb->truesize -= moved;
	tail->truesize += moved;
	haul_sender_seg_split(seg, HAUL_SEG(tail), seg->seq + len);
	haul_stamp_move(skb, tail);

	if (haul_output_is_sent(hs, seg)) {
		haul_rtx_insert(sk, tail);
		if (!list_empty(&skb->tcp_tsorted_anchor))
			list_add(&tail->tcp_tsorted_anchor, &skb->tcp_tsorted_anchor);
	} else {
		__skb_queue_after(&sk->sk_write_queue, skb, tail);
	}
	return 0;
}

/*
 * bytes of payload that the route takes as one large segment; 0 where the administrator's limit
 * leaves no room behind the headers
 */
static u32 haul_output_most(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 most = min_t(u32, sk->sk_gso_max_size, HAUL_IP_MAX);
	u32 headers = hs->af->net_header + hs->af->ext_header(sk) + HAUL_HDR + HAUL_OPT_INIT_LEN +
		      HAUL_OPT_SACK_LEN(HAUL_SACK_MAX_DATA);

	return most > headers ? most - headers : 0;
}

/**
 * haul_output_size_goal - bytes to gather in one packet buffer
 * @sk:		the socket; its lock is held
 * @mss:	bytes, payload of a full segment now
 *
 * As much as one large segment may carry on the route (ip link set DEV gso_max_size, gso_max_segs),
 * at most half of the peer's largest window, and what pacing lets go at once; a multiple of @mss.
 */
u32 haul_output_size_goal(struct sock *sk, u32 mss)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 goal = mss;

	if (sk_can_gso(sk)) {
		goal = min_t(u32, haul_output_most(sk), max_t(u32, hs->snd.max_wnd / 2, mss));
		goal = min_t(u64, goal, (u64)sk->sk_gso_max_segs * mss);
		if (haul_paced(sk))
			goal = min(goal, haul_pace_quantum(sk, mss));
		goal = max(rounddown(goal, mss), mss);
	}
	hs->size_goal = goal;
	return goal;
}

/* The packet is on its way for the first time. */
static void haul_output_sent(struct sock *sk, struct sk_buff *skb, u32 mss)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);
	bool pipe_was_empty = !haul_sender_outstanding(&hs->snd);

	__skb_unlink(skb, &sk->sk_write_queue);
	haul_sender_sent(&hs->snd, seg, seg->sent_us, pipe_was_empty, mss);
	hs->snd.nxt = seg->end_seq;
	haul_rtx_insert(sk, skb);
	list_add_tail(&skb->tcp_tsorted_anchor, &hs->sent_list);
	haul_recovery_sent(&hs->snd, haul_seg_len(seg));
}

enum haul_output_verdict {
	HAUL_OUTPUT_GO,
	HAUL_OUTPUT_CWND,	/* the congestion window is full */
	HAUL_OUTPUT_WND,	/* the peer's window is full */
	HAUL_OUTPUT_WAIT,	/* Nagle, or not worth a packet yet */
	HAUL_OUTPUT_DEVICE,	/* qdisc and device have enough (conn/batch.c) */
	HAUL_OUTPUT_PACE,	/* its time has not come (conn/pace.c) */
};

/* How many bytes of @skb, the first in the send queue, may go now? 0 is right for a lone FIN. */
static enum haul_output_verdict haul_output_allowed(struct sock *sk, struct sk_buff *skb, u32 mss,
						    enum haul_nagle nagle, u32 *len)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_seg *seg = HAUL_SEG(skb);
	bool last = skb_queue_is_last(&sk->sk_write_queue, skb);
	u32 wnd = haul_sender_wnd_room(&hs->snd);
	u32 cwnd = haul_sender_cwnd_room(&hs->snd);
	u32 want = min(skb->len, hs->size_goal);
	/* waiting can't make it larger: Nagle and cork have nothing to gain */
	bool end = seg->flags & (HAUL_FIN | HAUL_EOM);
	bool psh = seg->flags & HAUL_PSH;

	/* an empty pipe always takes one segment, however small cwnd has become */
	if (!haul_sender_in_flight(&hs->snd))
		cwnd = max(cwnd, mss);
	if (cwnd < min(want, mss))
		return HAUL_OUTPUT_CWND;
	if (!wnd && (want || end))
		return HAUL_OUTPUT_WND;

	*len = min3(want, wnd, cwnd);
	if (*len < skb->len && *len > mss)
		*len = rounddown(*len, mss);
	if (*len < min(want, mss)) {
		/*
		 * silly window: a part of a segment goes only when it is half of the largest window
		 * ever offered
		 */
		if (!haul_sender_may_send(&hs->snd, *len, mss, HAUL_NAGLE_CORK, false, false,
					  false))
			return HAUL_OUTPUT_WND;
		return HAUL_OUTPUT_GO;
	}
	/* what sits in the middle of the queue can't grow any more: there is nothing to wait for */
	if (*len == skb->len && !last)
		return HAUL_OUTPUT_GO;
	if (*len < mss && !haul_sender_may_send(&hs->snd, *len, mss, nagle, last, psh, end))
		return HAUL_OUTPUT_WAIT;
	/* the tail of a large buffer waits for company, the full segments in front of it do not */
	if (*len == skb->len && *len > mss && *len % mss && last && !end &&
	    !haul_sender_may_send(&hs->snd, *len % mss, mss, nagle, last, psh, end))
		*len = rounddown(*len, mss);
	return HAUL_OUTPUT_GO;
}

static void haul_output_note(struct sock *sk, enum haul_output_verdict why)
{
	struct haul_sock *hs = haul_sk(sk);
	bool more = haul_output_head(sk);
	bool full = sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags);

	haul_sender_note_limit(&hs->snd, why == HAUL_OUTPUT_CWND, more);
	if (why == HAUL_OUTPUT_CWND)
		haul_chrono_switch(hs, HAUL_CHRONO_CWND);
	else if (why == HAUL_OUTPUT_WND)
		haul_chrono_switch(hs, HAUL_CHRONO_RWND);
	else if (haul_sender_outstanding(&hs->snd) || more)
		haul_chrono_switch(hs, full ? HAUL_CHRONO_SNDBUF : HAUL_CHRONO_BUSY);
	else
		haul_chrono_switch(hs, HAUL_CHRONO_IDLE);
}

/* RFC 5681 4.1: after a silence longer than RTO, cwnd says little about the path. */
static void haul_output_after_idle(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (haul_sender_outstanding(&hs->snd) || !hs->stats.last_data_sent)
		return;
	haul_sender_restart(&hs->snd, hs->now - hs->stats.last_data_sent,
			    READ_ONCE(hs->hn->slow_start_after_idle), hs->now);
	haul_trace_cwnd(sk);
}

/* Sends the head of the queue, cut at @len. 0 or -errno */
static int haul_output_one(struct sock *sk, struct sk_buff *skb, u32 len, u32 mss)
{
	int err;

	if (len < skb->len) {
		err = haul_output_split(sk, skb, len, mss, GFP_ATOMIC);
		if (err)
			return err;
	}
	err = haul_transmit(sk, skb, GFP_ATOMIC);
	if (!err)
		haul_output_sent(sk, skb, mss);
	return err;
}

/**
 * haul_output - send what may go
 * @sk:		the socket; its lock is held
 * @nagle:	for this call
 *
 * Return: true: data waits and nothing is outstanding that could call for an ACK: a probe must be
 * armed.
 */
bool haul_output(struct sock *sk, enum haul_nagle nagle)
{
	struct haul_sock *hs = haul_sk(sk);
	enum haul_output_verdict why = HAUL_OUTPUT_GO;
	struct sk_buff *skb = haul_output_head(sk);
	bool sent = false;
	u32 mss, len;

	haul_assert_locked(sk);
	if (!skb || (!haul_state_in(sk, HAUL_STATES_SYNCHRONIZED) && !haul_fastopen_child(sk)))
		return false;

	haul_clock(hs);
	haul_output_after_idle(sk);
	if (haul_paced(sk))
		haul_pace_update(sk);
	mss = haul_mss_current(sk);
	/* one segment's payload is a packet whatever the goal is */
	if (skb->len > mss || !skb_queue_is_last(&sk->sk_write_queue, skb))
		haul_output_size_goal(sk, mss);
	while ((skb = haul_output_head(sk))) {
		len = 0;
		why = haul_output_allowed(sk, skb, mss, nagle, &len);
		if (why == HAUL_OUTPUT_GO && haul_batch_throttle(sk, skb))
			why = HAUL_OUTPUT_DEVICE;
		if (why == HAUL_OUTPUT_GO && haul_paced(sk) && haul_pace_wait(sk))
			why = HAUL_OUTPUT_PACE;
		if (why != HAUL_OUTPUT_GO || haul_output_one(sk, skb, len, mss))
			break;
		sent = true;
		if (haul_output_head(sk))
			haul_clock(hs);
	}
	haul_output_note(sk, why);
	if (sent)
		haul_retransmit_start(sk);
	return haul_output_head(sk) && !haul_sender_outstanding(&hs->snd);
}

/**
 * haul_output_probe - one segment of new data, whatever cwnd and silly window avoidance say
 * @sk:	the socket; its lock is held
 *
 * For a tail loss probe (RFC 8985 7.3) and when small data has waited for a larger window long
 * enough. Not a byte beyond the window.
 *
 * Return: it left.
 */
bool haul_output_probe(struct sock *sk)
{
	struct sk_buff *skb = haul_output_head(sk);
	u32 mss = haul_mss_current(sk);
	u32 wnd = haul_sender_wnd_room(&haul_sk(sk)->snd);

	return skb && wnd && !haul_output_one(sk, skb, min3(skb->len, mss, wnd), mss);
}

/**
 * haul_push - haul_output() with the socket's own Nagle setting, and the persist timer if that is
 * what remains
 * @sk:	the socket; its lock is held
 */
void haul_push(struct sock *sk)
{
	if (unlikely(haul_sk(sk)->fin_owed))
		haul_close_retry_fin(sk);
	haul_output(sk, haul_nagle(haul_sk(sk)));
	haul_persist_check(sk);
}

/**
 * haul_output_resume - the time has come for what had to wait: for pacing, qdisc or device
 * @sk:	the socket; its lock is held
 */
void haul_output_resume(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (sk->sk_state == HAUL_CLOSED)
		return;
	haul_clock(hs);
	if (hs->snd.lost)
		haul_retransmit_lost(sk);
	haul_push(sk);
}
