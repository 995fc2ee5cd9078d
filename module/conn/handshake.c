// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a connection, the client's side (RFC 9293 3.5, 3.10.7.3; protocol.rst 3.1, 3.3, 3.5):
 * SYN, SYN-ACK, third step, simultaneous open, and what both sides do when a handshake has ended
 * well.
 */
#include <linux/security.h>
#include <net/sock.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../observe/trace.h"

/*
 * RFC 6528's number, or, when a remnant was taken over, one that is after all that it ever sent
 * (RFC 6191 2): the hash grows with time, but a fast connection may have gone faster than 250 kB/s.
 */
static u32 haul_handshake_isn(struct haul_sock *hs)
{
	u32 isn = haul_secret_start(&hs->flow.key, haul_clock(hs), &hs->ts_offset);

	if (hs->write_seq && haul_before(isn, hs->write_seq))
		isn = hs->write_seq + (isn & 0xffff);
	return isn;
}

/*
 * Everything that a connection attempt begins with; the controller and the MSS outlive the sender's
 * fresh start.
 */
static void haul_handshake_prepare(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_net *hn = haul_pernet(sock_net(sk));
	bool interactive = hs->rcv.interactive;		/* HAUL_QUICKACK */
	u32 iss = haul_handshake_isn(hs);

	haul_cong_route(sk, __sk_dst_get(sk));
	hs->tag = haul_secret_tag();
	hs->peer_tag = 0;
	hs->peer_mss = 0;
	hs->last_tsval = (u32)hs->now + hs->ts_offset;
	hs->write_seq = iss;
	hs->pushed_seq = iss;
	atomic_set(&sk->sk_tskey, 0);
	hs->init_pending = true;
	hs->stateless = false;
	hs->simultaneous = false;
	hs->syn_data = false;
	hs->syn_early = false;
	hs->syn_early_sent = false;
	hs->fastopen_fail = HAUL_FASTOPEN_UNSPEC;
	hs->ecn_asked = READ_ONCE(hn->ecn) == 1 || (hs->snd.cc->flags & HAUL_CC_ECN);
	hs->ecn_ok = hs->ecn_asked;
	hs->retransmits = 0;
	hs->retrans_first_us = 0;
	hs->handshake_rtt = 0;
	haul_mss_uncap(hs);
	/* how an earlier connection ended */
	WRITE_ONCE(sk->sk_err, 0);

	haul_cong_restart(sk, iss);
	haul_receiver_init(&hs->rcv, 0, hs->window_clamp);
	hs->rcv.interactive = interactive;
	hs->rcv.adv_mss = haul_mss_adv(sk);
	haul_mss_sync(sk, haul_route_mtu(sk, __sk_dst_get(sk)));
	haul_window_init(sk);
}

/**
 * haul_handshake_queue_syn - a SYN or SYN-ACK is about to leave
 * @sk:		the socket, nothing of it sent yet; its lock is held
 * @skb:	from haul_output_alloc(); the retransmission queue's from now on
 *
 * It is there whether or not it could leave then: the timer sends it again.
 */
void haul_handshake_queue_syn(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);

	haul_assert_locked(sk);
	haul_output_charge(sk, skb);
	seg->seq = hs->write_seq;
	seg->end_seq = seg->seq + 1;
	seg->flags = HAUL_SYN;
	WRITE_ONCE(hs->write_seq, seg->end_seq);

	hs->syn_us = hs->now;
	seg->sent_us = hs->syn_us;
	haul_sender_sent(&hs->snd, seg, seg->sent_us, true, hs->snd.mss);
	WRITE_ONCE(hs->snd.nxt, seg->end_seq);
	haul_rtx_insert(sk, skb);
	list_add_tail(&skb->tcp_tsorted_anchor, &hs->sent_list);
}

/* us until the SYN goes again. A fast open's tells by its timeout whether fast open is at fault */
static u32 haul_handshake_wait(struct haul_sock *hs)
{
	u32 early = hs->fastopen ? 0 : haul_rtt_cache_early(&hs->flow, &hs->snd.rtt);

	hs->syn_early = early;
	return early ?: haul_rtt_rto(&hs->snd.rtt);
}

/**
 * haul_handshake_early - the SYN or SYN-ACK goes again, ahead of its timeout
 * @sk:		the socket, syn_early; its lock is held
 * @skb:	SYN or SYN-ACK, in the retransmission queue
 *
 * Nothing is concluded from it: no back-off, no try less.
 */
void haul_handshake_early(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	hs->syn_early = false;
	if (!haul_retransmit_one(sk, skb, 0)) {
		hs->syn_early_sent = true;
		haul_count(sock_net(sk), HAUL_CNT_EARLY_SYNS);
		haul_count(sock_net(sk), sk->sk_state == HAUL_SYN_SENT ? HAUL_CNT_SYN_RETRANS :
								  HAUL_CNT_SYNACK_RETRANS);
	}
	haul_timer_set(sk, HAUL_DL_RETRANSMIT, hs->syn_us + haul_rtt_rto(&hs->snd.rtt));
}

/*
 * Was the SYN lost, or its answer? When it has timed out, or when the one that went early is echoed
 * and not the first (RFC 7323 4: the peer echoes what it answers).
 */
static bool haul_handshake_syn_lost(const struct haul_sock *hs, const struct haul_packet *p)
{
	return hs->retransmits ||
	       (hs->syn_early_sent && p->tsecr != (u32)hs->syn_us + hs->ts_offset);
}

/**
 * haul_handshake_send_syn - the SYN or SYN-ACK that was queued leaves, for the first time
 * @sk:		the socket; its lock is held
 * @gfp:	for the packet
 */
void haul_handshake_send_syn(struct sock *sk, gfp_t gfp)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *syn = haul_rtx_head(sk), *data = haul_fastopen_payload(sk);
	u32 len = 0;

	haul_assert_locked(sk);
	hs->syn_us = haul_clock(hs);
	HAUL_SEG(syn)->sent_us = hs->syn_us;
	if (unlikely(data))
		len = haul_transmit_syn(sk, syn, data, gfp) ? 0 : data->len;
	else
		haul_transmit(sk, syn, gfp);
	haul_fastopen_sent(sk, len);
	haul_timer_set(sk, HAUL_DL_RETRANSMIT, hs->syn_us + haul_handshake_wait(hs));
}

/**
 * haul_handshake_start - connect(): the first SYN leaves
 * @sk:		CLOSED; route, port and flow are set; its lock is held
 *
 * With fast open it may wait for what the program writes first: haul_fastopen_deferred().
 *
 * Context: process. Return: 0: SYN-SENT; -ENOBUFS, -ENETUNREACH: out of the tables again, CLOSED.
 */
int haul_handshake_start(struct sock *sk)
{
	struct sk_buff *skb;
	int deferred;

	haul_assert_locked(sk);
	if (!__sk_dst_get(sk)) {
		haul_set_state(sk, HAUL_CLOSED);
		return -ENETUNREACH;
	}
	haul_handshake_prepare(sk);
	deferred = haul_fastopen_defer(sk);
	skb = deferred < 0 ? NULL : haul_output_alloc(sk, 0, sk->sk_allocation);
	if (!skb) {
		haul_inet_flag_assign(sk, defer_connect, DEFER_CONNECT, false);
		haul_set_state(sk, HAUL_CLOSED);
		return -ENOBUFS;
	}
	haul_set_state(sk, HAUL_SYN_SENT);
	haul_handshake_queue_syn(sk, skb);
	if (likely(!deferred))
		haul_handshake_send_syn(sk, sk->sk_allocation);
	return 0;
}

/**
 * haul_handshake_take_init - the peer's INIT is known
 * @sk:		the socket; its lock is held; ecn_ok: this side asked for ECN
 * @init:	the peer's
 */
void haul_handshake_take_init(struct sock *sk, const struct haul_init *init)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	hs->peer_tag = init->tag;
	hs->peer_mss = init->mss ? max_t(u16, init->mss, HAUL_MIN_MSS) : HAUL_DEFAULT_MSS;
	hs->ecn_ok = hs->ecn_ok && (init->flags & HAUL_INIT_ECN);
}

/*
 * The peer's ISN and first window. What the SYN offered stays offered: it counts from the peer's
 * ISN on.
 */
static void haul_handshake_take_syn(struct sock *sk, const struct haul_packet *p,
				    const struct haul_init *init)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_receiver *rcv = &hs->rcv;

	haul_handshake_take_init(sk, init);
	rcv->irs = p->seq;
	rcv->nxt = p->seq + 1;
	rcv->wup = rcv->nxt;
	rcv->copied = rcv->nxt;
	rcv->eom = rcv->nxt;
	rcv->last_ack = rcv->nxt;
	rcv->space_seq = rcv->nxt;
	rcv->ts_recent = p->tsval;
	rcv->ts_recent_us = hs->now;

	hs->snd.wnd = p->window;
	hs->snd.max_wnd = p->window;
	hs->snd.wl1 = p->seq;
	haul_mss_sync(sk, hs->pmtu);
}

/* Our SYN was acknowledged: it leaves the queue, and says how long the way is. */
static void haul_handshake_syn_acked(struct sock *sk, const struct haul_packet *p)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_ack ack = { .now = hs->now, .rtt_us = HAUL_RTT_NONE, .tsecr = p->tsecr };
	struct sk_buff *skb = haul_rtx_head(sk);
	u32 rtt = (u32)ack.now + hs->ts_offset - p->tsecr;

	if (skb) {
		haul_sender_seg_acked(&hs->snd, HAUL_SEG(skb), &ack);
		haul_rtx_unlink(sk, skb);
		haul_rtx_free(sk, skb);
	}
	hs->snd.una = p->ack;
	hs->snd.syn_resent = haul_handshake_syn_lost(hs, p);
	hs->snd.rtt.backoff = 0;
	/* an echo from before the first SYN is no echo of ours */
	if (rtt <= ack.now - hs->syn_us)
		haul_rtt_sample(&hs->snd.rtt, max(rtt, 1U), ack.now);
	haul_timer_clear(sk, HAUL_DL_RETRANSMIT);
	sk_dst_confirm(sk);
}

/**
 * haul_handshake_done - SYN-SENT or SYN-RECEIVED ends well
 * @sk:		the socket; its lock is held; SND.UNA, the round trip and the windows are up to date
 * @p:		the packet that ended it
 *
 * ESTABLISHED afterwards, or further when the program has shut sending down meanwhile.
 */
void haul_handshake_done(struct sock *sk, const struct haul_packet *p)
{
	struct haul_sock *hs = haul_sk(sk);
	u64 now = hs->now;

	haul_assert_locked(sk);
	hs->handshake_rtt = hs->snd.rtt.latest;
	hs->stats.last_ack_recv = now;
	hs->retransmits = 0;
	hs->retrans_first_us = 0;
	hs->syn_early = false;
	WRITE_ONCE(sk->sk_err_soft, 0);
	hs->snd.max_wnd = max(hs->snd.max_wnd, p->window);
	haul_mss_sync(sk, hs->pmtu);
	if (unlikely(haul_fastopen_child(sk))) {
		/* it may have been sending since its SYN came */
		haul_fastopen_done(sk, false);
	} else {
		haul_sender_established(&hs->snd, now);
		haul_trace_cwnd(sk);
	}
	haul_window_grow_sndbuf(sk);

	haul_set_state(sk, HAUL_ESTABLISHED);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
	haul_keepalive_rearm(sk);
	if (sk->sk_shutdown & SEND_SHUTDOWN)
		haul_close_send(sk);
}

/**
 * haul_handshake_confirmed - the server knows our INIT
 * @sk:	the socket; its lock is held; an acceptable packet without SYN has come
 */
void haul_handshake_confirmed(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (likely(!hs->init_pending))
		return;
	hs->init_pending = false;
	hs->peer_confirmed = true;
	if (!hs->stateless)
		return;
	hs->stateless = false;
	if (!haul_rtx_head(sk)) {
		hs->retransmits = 0;
		hs->snd.rtt.backoff = 0;
		haul_timer_clear(sk, HAUL_DL_RETRANSMIT);
	}
}

static void haul_handshake_await_confirmation(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_timer_set(sk, HAUL_DL_RETRANSMIT, hs->now + haul_rtt_rto(&hs->snd.rtt));
}

/**
 * haul_handshake_repeat_ack - the third step again, after a stateless SYN-ACK
 * @sk:	the socket, its retransmission queue empty; its lock is held
 *
 * The server has nothing of us until one of these gets there, and may be the one that is to speak
 * first (protocol.rst 3.4).
 */
void haul_handshake_repeat_ack(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if (haul_timed_out(sk, READ_ONCE(haul_pernet(sock_net(sk))->retries2))) {
		haul_give_up(sk);
		return;
	}
	if (!hs->retransmits)
		hs->retrans_first_us = haul_now_us();
	if (hs->retransmits < U8_MAX)
		hs->retransmits++;
	haul_rtt_backoff(&hs->snd.rtt);
	haul_ack_send(sk);
	haul_handshake_await_confirmation(sk);
}

/* SYN-ACK to our SYN. What a SYN has told that came before it, in SYN-RECEIVED, is void. */
static void haul_handshake_rcv_synack(struct sock *sk, struct sk_buff *skb,
				      const struct haul_options *o)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_packet *p = HAUL_PACKET(skb);

	if (unlikely(hs->fastopen) && haul_fastopen_answered(sk, p, o)) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_MEMORY);
		return;
	}
	hs->simultaneous = false;
	hs->ecn_ok = hs->ecn_asked;
	haul_handshake_take_syn(sk, p, &o->init);
	haul_handshake_syn_acked(sk, p);
	hs->stateless = p->flags & HAUL_STATELESS;
	security_inet_conn_established(sk, skb);
	haul_handshake_done(sk, p);

	haul_ack_send(sk);
	haul_push(sk);
	if (hs->stateless && !haul_rtx_head(sk))
		haul_handshake_await_confirmation(sk);
	consume_skb(skb);
}

/* SYNs crossed (RFC 9293 figure 8): the one that waits for its acknowledgment becomes a SYN-ACK. */
static void haul_handshake_rcv_syn(struct sock *sk, struct sk_buff *skb,
				   const struct haul_init *init)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *syn = haul_rtx_head(sk);

	haul_handshake_take_syn(sk, HAUL_PACKET(skb), init);
	/* payload is for the third step to carry, and what waits for payload need not any more */
	if (unlikely(hs->fastopen)) {
		hs->fastopen->syn_len = 0;
		haul_inet_flag_assign(sk, defer_connect, DEFER_CONNECT, false);
	}
	hs->simultaneous = true;
	hs->snd.syn_resent = hs->retransmits > 0;
	haul_set_state(sk, HAUL_SYN_RECEIVED);
	if (syn)
		haul_retransmit_one(sk, syn, 0);
	consume_skb(skb);
}

/*
 * An ACK of what we never sent: from an old connection. It is told, so that our next SYN finds the
 * flow free (RFC 9293 3.5.1), but not at any rate.
 */
static void haul_handshake_refuse(struct sock *sk, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	bool foreign = p->tag != haul_sk(sk)->tag;

	if (p->tag && haul_challenge_permit(sk))
		haul_reset_reply(sock_net(sk), sk, skb);
	haul_drop(sock_net(sk), skb, foreign ? HAUL_CNT_DROP_TAG : HAUL_CNT_DROP_ACK);
}

static void haul_handshake_rcv_rst(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);

	switch (haul_check_rst_syn_sent(HAUL_PACKET(skb), hs->tag, hs->snd.iss,
					haul_fastopen_syn_len(hs))) {
	case HAUL_VERDICT_RESET:
		haul_count(sock_net(sk), HAUL_CNT_IN_RSTS);
		consume_skb(skb);
		haul_reset_rcv(sk);
		return;
	case HAUL_VERDICT_DROP_TAG:
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_TAG);
		return;
	default:
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_RST);
	}
}

/**
 * haul_handshake_rcv - a packet in SYN-SENT, or the SYN-ACK to our SYN in SYN-RECEIVED
 * @sk:		the socket; its lock is held, BH off
 * @skb:	the packet; consumed
 *
 * RFC 9293 3.10.7.3 with the tag rules of protocol.rst 3.5, in its order.
 */
void haul_handshake_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct haul_options o haul_uninitialized;

	haul_assert_locked(sk);
	if (p->flags & HAUL_RST) {
		haul_handshake_rcv_rst(sk, skb);
		return;
	}
	if (haul_wire_parse_options(skb_transport_header(skb), p->hdrlen, &o)) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_OPTION);
		return;
	}
	if ((p->flags & HAUL_SYN) && !o.has_init) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_NO_INIT);
		return;
	}
	if (p->flags & HAUL_ACK) {
		if (p->tag != hs->tag || p->ack - hs->snd.nxt > haul_fastopen_syn_len(hs))
			haul_handshake_refuse(sk, skb);
		else if (p->flags & HAUL_SYN)
			haul_handshake_rcv_synack(sk, skb, &o);
		else
			haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_STATE);
		return;
	}
	if (p->tag)
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_TAG);
	else if (!(p->flags & HAUL_SYN))
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_NO_ACK);
	else
		haul_handshake_rcv_syn(sk, skb, &o.init);
}
