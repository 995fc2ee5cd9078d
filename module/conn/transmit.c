// SPDX-License-Identifier: GPL-2.0
/*
 * One packet of a full socket leaves: its options, its header, its checksum, and the counters that
 * follow.
 */
#include <net/inet_ecn.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../observe/trace.h"

/* room in front of a control packet: link and IP headers, and the longest Haul header */
#define HAUL_CONTROL_ROOM	(MAX_HEADER + sizeof(struct ipv6hdr) + HAUL_HDR_MAX)

/* What one packet says beside its payload */
struct haul_outgoing {
	u32			seq;
	u16			flags;
	bool			data;		/* payload: fewer SACK blocks, ECT when new */
	bool			fresh;		/* never sent before */
	u64			departure;	/* us */
};

/*
 * INIT is in SYN and SYN-ACK, and in whatever the client sends until the server has shown that it
 * knows it.
 */
static bool haul_transmit_has_init(const struct haul_sock *hs, u16 flags)
{
	if (flags & HAUL_RST)
		return false;
	return (flags & HAUL_SYN) || hs->init_pending;
}

/*
 * Option SACK is the last one, so it goes in front of the payload first. The blocks have a frame of
 * their own: they are large. Returns its bytes.
 */
static noinline u32 haul_transmit_sack(struct sock *sk, struct sk_buff *skb, bool few)
{
	struct haul_block blocks[HAUL_SACK_MAX] haul_uninitialized;
	struct haul_block more[HAUL_SACK_MAX] haul_uninitialized;
	struct haul_receiver *rcv = &haul_sk(sk)->rcv;
	unsigned int num = 0;

	if (rcv->dsack_valid)
		haul_count(sock_net(sk), HAUL_CNT_DSACKS_SENT);
	if (!few && rcv->num_recent)
		num = haul_reassembly_blocks(sk, more, HAUL_SACK_MAX);
	num = haul_receiver_sack_blocks(rcv, more, num, blocks,
					few ? HAUL_SACK_MAX_DATA : HAUL_SACK_MAX);
	if (!num)
		return 0;
	haul_wire_put_sack(skb_push(skb, HAUL_OPT_SACK_LEN(num)), blocks, num);
	return HAUL_OPT_SACK_LEN(num);
}

/* A client's INIT says what its SYN said, a SYN-ACK's what was agreed. */
static bool haul_transmit_asks_ecn(const struct sock *sk, const struct haul_outgoing *out)
{
	const struct haul_sock *hs = haul_sk(sk);

	if ((out->flags & HAUL_SYN) && sk->sk_state == HAUL_SYN_RECEIVED)
		return hs->ecn_ok;
	return hs->ecn_asked;
}

/* Option FASTOPEN is in the first SYN or SYN-ACK, when at all. NULL: there is none. */
static const struct haul_fastopen_option *haul_transmit_fastopen(const struct haul_sock *hs,
								 u16 flags)
{
	if (!(flags & HAUL_SYN) || !hs->fastopen || !hs->fastopen->has_option)
		return NULL;
	return &hs->fastopen->option;
}

/* The options in front of SACK. Returns their bytes. */
static noinline u32 haul_transmit_init(struct sock *sk, struct sk_buff *skb,
				       const struct haul_outgoing *out)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct haul_fastopen_option *fastopen = haul_transmit_fastopen(hs, out->flags);
	u32 len = HAUL_OPT_INIT_LEN + (fastopen ? HAUL_OPT_FASTOPEN_LEN(fastopen->len) : 0);
	struct haul_init init = {
		.tag	= hs->tag,
		.isn	= hs->snd.iss,
		.mss	= hs->rcv.adv_mss,
		.flags	= haul_transmit_asks_ecn(sk, out) ? HAUL_INIT_ECN : 0,
	};
	void *at = skb_push(skb, len);

	at = haul_wire_put_init(at, &init);
	if (fastopen)
		haul_wire_put_fastopen(at, fastopen);
	return len;
}

/* us: what is handed down leaves at once, but where pacing has fq hold it */
static u64 haul_transmit_departure(const struct sock *sk)
{
	return haul_paced(sk) ? haul_pace_departure(sk) : haul_sk(sk)->now;
}

static u32 haul_transmit_tsval(struct haul_sock *hs, u64 departure)
{
	hs->last_tsval = haul_tsval_onward((u32)departure + hs->ts_offset, hs->last_tsval);
	return hs->last_tsval;
}

static u32 haul_transmit_header(struct sock *sk, struct sk_buff *skb,
				const struct haul_outgoing *out)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet p = {
		.seq	= out->seq,
		.tag	= hs->peer_tag,
		.tsval	= haul_transmit_tsval(hs, out->departure),
		.flags	= out->flags,
		.ce	= (u16)hs->rcv.ce,
		.sport	= hs->inet.inet_sport,
		.dport	= hs->inet.inet_dport,
		.kind	= hs->flow.key.kind,
		.hdrlen	= HAUL_HDR,
	};

	if (unlikely(hs->rcv.num_recent || hs->rcv.dsack_valid) &&
	    !(out->flags & (HAUL_SYN | HAUL_RST)))
		/* a FIN alone has no more room in front than payload has (HAUL_MAX_HEADER) */
		p.hdrlen += haul_transmit_sack(sk, skb, out->data || (out->flags & HAUL_FIN));
	if (unlikely(haul_transmit_has_init(hs, out->flags)))
		p.hdrlen += haul_transmit_init(sk, skb, out);
	if (out->flags & HAUL_ACK) {
		p.ack = hs->rcv.nxt;
		p.tsecr = hs->rcv.ts_recent;
	}
	/* while SYN-SENT nothing of the peer's is known, yet the SYN offers its first window */
	if (!(out->flags & HAUL_RST))
		p.window = haul_window_select(sk);

	skb_push(skb, HAUL_HDR);
	skb_reset_transport_header(skb);
	haul_wire_build((struct haulhdr *)skb->data, &p);
	return p.hdrlen;
}

static void haul_transmit_account(struct sock *sk, const struct haul_outgoing *out,
				  unsigned int segs, u32 payload)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_stats *stats = &hs->stats;

	haul_sock_count(sk, HAUL_CNT_OUT_SEGS, segs);
	stats->segs_out += segs;
	if (payload) {
		stats->data_segs_out += segs;
		stats->bytes_sent += payload;
		stats->last_data_sent = out->departure;
		haul_receiver_answered(&hs->rcv, hs->now);
		if (haul_paced(sk))
			haul_pace_sent(sk, payload);
	}
	if (out->flags & HAUL_ACK) {
		haul_receiver_ack_sent(&hs->rcv);
		haul_timer_clear(sk, HAUL_DL_DELACK);
	}
}

static void haul_transmit_mark_ecn(struct sock *sk, const struct haul_outgoing *out)
{
	if (!haul_sk(sk)->ecn_ok)
		return;
	/* RFC 3168 6.1.4, 6.1.5: pure ACKs, probes and retransmissions are not ECN-capable */
	if (out->data && out->fresh)
		INET_ECN_xmit(sk);
	else
		INET_ECN_dontxmit(sk);
}

/* @skb: payload only, ours alone. Consumes it. 0 or -errno: it has not left. */
static int haul_transmit_emit(struct sock *sk, struct sk_buff *skb, struct haul_outgoing *out)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 payload = skb->len, hdrlen, mss;
	struct dst_entry *dst;
	unsigned int segs;
	int err;

	dst = hs->af->route(sk);
	if (IS_ERR_OR_NULL(dst)) {
		err = dst ? PTR_ERR(dst) : -EHOSTUNREACH;
		WRITE_ONCE(sk->sk_err_soft, -err);
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
		return err;
	}

	out->data = payload != 0;
	hdrlen = haul_transmit_header(sk, skb, out);
	mss = hs->snd.mss - (hdrlen - HAUL_HDR);
	haul_transmit_mark_ecn(sk, out);

	if (haul_paced(sk))
		haul_pace_stamp(sk, skb);
	haul_set_owner_w(skb, sk);
	memset(skb->cb, 0, sizeof(skb->cb));
	skb->ip_summed = CHECKSUM_NONE;
	rcu_read_lock();	/* one section for all of the way down */
	haul_offload_finish(skb, dst, mss, hdrlen);
	segs = haul_skb_segs(skb);
	trace_haul_send(sk, out->seq, payload, out->flags, segs);
	haul_transmit_account(sk, out, segs, payload);

	err = hs->af->xmit(sk, skb);
	rcu_read_unlock();
	if (err == NET_XMIT_CN)
		return 0;
	if (err > 0)
		err = -ENOBUFS;
	return err;
}

/* It departs now, by the clock as it was last looked at, or when pacing has it depart. */
static void haul_transmit_begin(struct sock *sk, struct haul_outgoing *out, u32 seq, u16 flags)
{
	out->seq = seq;
	out->flags = flags;
	out->data = false;
	out->fresh = false;
	out->departure = haul_transmit_departure(sk);
}

/*
 * A copy with a header of its own: the queue's packet keeps its links, which live where a route
 * would.
 */
static struct sk_buff *haul_transmit_copy(struct sk_buff *skb, gfp_t gfp)
{
	unsigned long links = skb->_skb_refdst;
	struct sk_buff *copy;

	skb->_skb_refdst = 0;
	copy = skb_cloned(skb) ? pskb_copy(skb, gfp) : skb_clone(skb, gfp);
	skb->_skb_refdst = links;
	return copy;
}

/*
 * A copy of @skb leaves as @out says; when it has left, @seg was sent then. 0, or -errno: it has
 * not
 */
static int haul_transmit_queued(struct sock *sk, struct sk_buff *skb, struct haul_seg *seg,
				struct haul_outgoing *out, gfp_t gfp)
{
	struct sk_buff *copy = haul_transmit_copy(skb, gfp);
	int err = -ENOMEM;

	if (likely(copy))
		err = haul_transmit_emit(sk, copy, out);
	if (unlikely(err))
		haul_count(sock_net(sk), HAUL_CNT_TX_NO_MEMORY);
	else
		seg->sent_us = out->departure;
	return err;
}

/**
 * haul_transmit - send a copy of a queued packet
 * @sk:		the socket; its lock is held
 * @skb:	in the send or retransmission queue, where it stays; HAUL_SEG(skb) is current
 * @gfp:	for the copy
 *
 * It departs now, and the caller has just looked what time that is (haul_clock()), or when pacing
 * has it depart; the segment's sent_us is set to that when it left. Context: any.
 *
 * Return: 0; -ENOMEM, -ENOBUFS, or the route's error when it has not left (a timer tries again).
 */
int haul_transmit(struct sock *sk, struct sk_buff *skb, gfp_t gfp)
{
	struct haul_seg *seg = HAUL_SEG(skb);
	struct haul_outgoing out;

	haul_assert_locked(sk);
	haul_transmit_begin(sk, &out, seg->seq, seg->flags);
	out.fresh = !haul_before(seg->seq, haul_sk(sk)->snd.nxt);
	if (!(seg->flags & HAUL_SYN) || sk->sk_state == HAUL_SYN_RECEIVED)
		out.flags |= HAUL_ACK;
	return haul_transmit_queued(sk, skb, seg, &out, gfp);
}

/**
 * haul_transmit_syn - send a SYN with payload (fast open)
 * @sk:		SYN-SENT; its lock is held
 * @syn:	in the retransmission queue
 * @data:	what it carries: in the send queue, where it stays; no more than fits
 * @gfp:	for the packet
 *
 * As haul_transmit(). A retransmission of @syn is one of @syn alone.
 *
 * Return: as haul_transmit().
 */
int haul_transmit_syn(struct sock *sk, struct sk_buff *syn, struct sk_buff *data, gfp_t gfp)
{
	struct haul_seg *seg = HAUL_SEG(syn);
	struct haul_outgoing out;

	haul_assert_locked(sk);
	haul_transmit_begin(sk, &out, seg->seq, seg->flags | HAUL_SEG(data)->flags);
	return haul_transmit_queued(sk, data, seg, &out, gfp);
}

/* For a packet without payload. Many SACK blocks want more room in front than others. */
static struct sk_buff *haul_transmit_buffer(const struct haul_sock *hs, gfp_t gfp)
{
	struct sk_buff *skb;

	if (likely(!hs->rcv.num_recent && !hs->rcv.dsack_valid))
		return haul_spare_control(gfp);
	skb = alloc_skb(HAUL_CONTROL_ROOM, gfp | __GFP_NOWARN);
	if (likely(skb))
		skb_reserve(skb, HAUL_CONTROL_ROOM);
	return skb;
}

/**
 * haul_transmit_control - send a packet without payload
 * @sk:		the socket; its lock is held
 * @flags:	HAUL_RST, or 0 for a pure ACK; ACK is added once the peer's sequence numbers are
 *		known
 * @seq:	sequence number to carry
 * @gfp:	for the packet
 *
 * Return: 0, -ENOMEM, or the route's error.
 */
int haul_transmit_control(struct sock *sk, u16 flags, u32 seq, gfp_t gfp)
{
	struct haul_outgoing out;
	struct sk_buff *skb;

	haul_assert_locked(sk);
	haul_clock(haul_sk(sk));
	haul_transmit_begin(sk, &out, seq, flags);
	if (sk->sk_state != HAUL_SYN_SENT)
		out.flags |= HAUL_ACK;
	skb = haul_transmit_buffer(haul_sk(sk), gfp);
	if (unlikely(!skb)) {
		haul_count(sock_net(sk), HAUL_CNT_TX_NO_MEMORY);
		return -ENOMEM;
	}
	return haul_transmit_emit(sk, skb, &out);
}
