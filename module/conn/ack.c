// SPDX-License-Identifier: GPL-2.0
/*
 * The ACK field arrives (RFC 9293 3.10.7.4, fifth): what is delivered leaves the retransmission
 * queue, SACK marks the rest, the round trip is measured, losses are found, the windows move. The
 * rules are in core/; here is the queue.
 */
#include "conn.h"
#include "../observe/trace.h"

static void haul_ack_prepare(struct sock *sk, const struct haul_packet *p, struct haul_ack *ack)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct haul_sender *snd = &hs->snd;

	memset(ack, 0, sizeof(*ack));
	ack->now = hs->now;
	ack->prior_in_flight = haul_sender_in_flight(snd);
	ack->prior_una = snd->una;
	ack->rtt_us = HAUL_RTT_NONE;
	ack->tsecr = p->tsecr;
}

/**
 * haul_ack_delivered - RACK's share of a segment that was just (s)acked
 * @sk:		the socket; its lock is held
 * @seg:	the segment, its marks as before this ACK
 * @ack:	the ACK
 * @in_order:	it was cumulatively acknowledged
 *
 * Of a segment that came out of order no timestamp is echoed (RFC 7323 4.3), so RFC 8985 6.2 step
 * 2's question, whether the echo is older than the retransmission, has an answer only for one that
 * came in order. For the other its comparison with the least round trip remains.
 */
void haul_ack_delivered(struct sock *sk, const struct haul_seg *seg, const struct haul_ack *ack,
			bool in_order)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_sender *snd = &hs->snd;
	u32 tsval = (u32)seg->sent_us + hs->ts_offset;
	u32 tsecr = in_order ? ack->tsecr : tsval;

	if (haul_rack_delivered(&snd->rack, seg, ack->now, tsval, tsecr, snd->rtt.min))
		hs->stats.reord_seen++;
}

/* Takes what [SND.UNA, @una) covers out of the queue. Returns the flags of what left (SYN, FIN). */
static u16 haul_ack_clean(struct sock *sk, u32 una, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_sender *snd = &hs->snd;
	struct sk_buff *skb;
	u16 flags = 0;

	while ((skb = haul_rtx_head(sk))) {
		struct haul_seg *seg = HAUL_SEG(skb);

		if (haul_after(seg->end_seq, una)) {
			if (haul_before(seg->seq, una))
				haul_sender_seg_trim(snd, seg, una, ack);
			break;
		}
		if (!(seg->marks & HAUL_SEG_SACKED))
			haul_ack_delivered(sk, seg, ack, true);
		haul_sender_seg_acked(snd, seg, ack);
		flags |= seg->flags;
		if (skb->len >= snd->mss && !hs->mtu_cap)
			hs->full_acked = true;
		haul_rtx_unlink(sk, skb);
		haul_stamp_acked(sk, skb);
		haul_rtx_free(sk, skb);
	}
	return flags & (HAUL_SYN | HAUL_FIN);
}

/*
 * RFC 7323 4.1: a sample from the echoed timestamp, only when SND.UNA advances. Not from an ACK
 * that reports a duplicate: the first copy's ACK was lost, the second copy called this one forth,
 * yet the echo is the first's (RFC 7323 4.3 takes no timestamp from a duplicate), and the sample
 * would be a whole timeout long.
 */
static void haul_ack_measure(struct sock *sk, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	s32 rtt = (u32)ack->now + hs->ts_offset - ack->tsecr;

	/* the first ACK of our SYN-ACK was not taken, and its round trip kept */
	if (sk->sk_state == HAUL_SYN_RECEIVED && hs->handshake_rtt)
		rtt = hs->handshake_rtt;
	/* an echo from before the first SYN is no echo of ours; it would put the timeout far off */
	if (rtt < 0 || (u32)rtt > ack->now - hs->syn_us || (ack->dsack && hs->snd.rtt.srtt8))
		return;
	ack->rtt_us = max_t(u32, rtt, 1);
	haul_rtt_sample(&hs->snd.rtt, ack->rtt_us, ack->now);
	trace_haul_rtt(sk, ack->rtt_us);
}

static void haul_ack_update_window(struct sock *sk, const struct haul_packet *p)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!haul_sender_update_wnd(&hs->snd, p->seq, p->ack, p->window))
		return;
	trace_haul_window(sk);
	if (!hs->snd.wnd)
		hs->stats.zero_windows++;
}

static void haul_ack_marks(struct sock *sk, const struct haul_packet *p, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!hs->ecn_ok)
		return;
	/*
	 * the counter runs modulo 2^16; an ACK that is older than the last one would seem to be far
	 * ahead
	 */
	if (haul_before(p->ack, ack->prior_una))
		return;
	ack->ce = (u16)(p->ce - hs->snd.ce_count);
	if (ack->ce > U16_MAX / 2)
		ack->ce = 0;
	hs->snd.ce_count += ack->ce;
	hs->stats.ce_delivered += ack->ce;
}

static void haul_ack_sacks(struct sock *sk, const struct haul_options *o, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);

	if (ack->dsack) {
		haul_rack_dsack(&hs->snd.rack, hs->snd.una, hs->snd.nxt);
		hs->stats.dsacks++;
		trace_haul_sack(sk, ack->dsack_start, ack->dsack_end, true);
		haul_count(sock_net(sk), HAUL_CNT_DSACKS_RECV);
	}
	haul_recovery_sack(sk, o, ack);
}

static void haul_ack_undo(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb;

	for (skb = haul_rtx_head(sk); skb; skb = haul_rtx_next(skb))
		haul_recovery_unmark(sk, skb);
	hs->retransmit_hint = NULL;
	hs->stats.undos++;
	haul_count(sock_net(sk), HAUL_CNT_UNDOS);
}

/**
 * haul_recovery_events - count what core/recovery.c says it did, and do what it asks for
 * @sk:		the socket; its lock is held
 * @events:	HAUL_EVENT_*
 */
void haul_recovery_events(struct sock *sk, u32 events)
{
	if (likely(!events))
		return;
	if (events & HAUL_EVENT_FAST) {
		haul_sk(sk)->stats.recoveries++;
		haul_count(sock_net(sk), HAUL_CNT_RECOVERIES);
	}
	if (events & HAUL_EVENT_UNDO)
		haul_ack_undo(sk);
}

/* SND.UNA advances to @una. */
static u16 haul_ack_advance(struct sock *sk, u32 una, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	u16 flags = haul_ack_clean(sk, una, ack);
	/* a child's SYN-ACK was its request's: there is no packet here that had the SYN */
	u32 controls = (sk->sk_state == HAUL_SYN_RECEIVED) + !!(flags & HAUL_FIN);

	hs->stats.bytes_acked += una - hs->snd.una - controls;
	hs->snd.una = una;
	ack->una_advanced = true;
	haul_ack_measure(sk, ack);

	/*
	 * RFC 6298 5.3, 5.7: progress; with timestamps every sample is unambiguous, so the back-off
	 * ends here
	 */
	hs->snd.rtt.backoff = 0;
	hs->retransmits = 0;
	hs->retrans_first_us = 0;
	if (unlikely(hs->mtu_cap) && hs->full_acked)	/* perhaps all was lost, small or large */
		haul_mss_uncap(hs);
	WRITE_ONCE(sk->sk_err_soft, 0);
	sk_dst_confirm(sk);
	return flags;
}

/* What follows when the picture of the path is complete: repair, timers, room for the program. */
static void haul_ack_act(struct sock *sk, struct haul_ack *ack)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 events;

	if (haul_sender_outstanding(&hs->snd) && (ack->delivered || hs->snd.lost || ack->dsack))
		haul_recovery_detect(sk, ack);
	events = haul_recovery_ack(&hs->snd, ack);
	haul_recovery_events(sk, events);
	haul_trace_cwnd(sk);

	if (hs->snd.lost)
		haul_retransmit_lost(sk);
	if (ack->una_advanced)
		haul_retransmit_restart(sk);
	else if (ack->delivered)	/* SACK: RFC 6298 5.3 knows only the cumulative ACK */
		haul_retransmit_start(sk);
	if (ack->una_advanced) {
		haul_window_grow_sndbuf(sk);
		if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
			sk->sk_write_space(sk);
	}
}

static bool haul_ack_refuse(struct sock *sk, struct sk_buff *skb)
{
	haul_challenge_ack(sk);
	haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_ACK);
	return false;
}

/*
 * The usual ACK of a segment with data, when data flows to this side: it acknowledges what is known
 * to be acknowledged, and there is nothing that it could change but the window. True: that was all.
 */
static bool haul_ack_is_known(struct sock *sk, const struct haul_packet *p,
			      const struct haul_options *o)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct haul_sender *snd = &hs->snd;

	return p->ack == snd->una && !o->num_sack && sk->sk_state != HAUL_SYN_RECEIVED &&
	       snd->rec.state == HAUL_RECOVERY_OPEN && !snd->rec.tlp_out && !snd->lost &&
	       (!hs->ecn_ok || p->ce == snd->ce_count);
}

/* An ACK that may tell something. As haul_ack_rcv() */
static noinline bool haul_ack_take(struct sock *sk, struct sk_buff *skb,
				   const struct haul_options *o, bool stale)
{
	struct haul_packet *p = HAUL_PACKET(skb);
	struct haul_sock *hs = haul_sk(sk);
	struct haul_ack ack haul_uninitialized;
	u16 flags = 0;

	haul_ack_prepare(sk, p, &ack);

	switch (haul_sender_check_ack(&hs->snd, p->ack)) {
	case HAUL_ACK_TOO_OLD:
	case HAUL_ACK_FUTURE:
		return haul_ack_refuse(sk, skb);
	case HAUL_ACK_OLD:
		if (sk->sk_state == HAUL_SYN_RECEIVED)
			return haul_ack_refuse(sk, skb);
		stale = true;
		break;
	case HAUL_ACK_DUPLICATE:
		if (sk->sk_state == HAUL_SYN_RECEIVED)
			return haul_ack_refuse(sk, skb);
		break;
	case HAUL_ACK_NEW:
		break;
	}

	if (!stale) {
		hs->probes_out = 0;
		hs->stats.last_ack_recv = ack.now;
		haul_ack_update_window(sk, p);
		haul_ack_marks(sk, p, &ack);
	}
	if (o->num_sack)
		haul_sender_check_dsack(&hs->snd, o->sack, o->num_sack, p->ack, &ack);
	if (haul_after(p->ack, hs->snd.una))
		flags = haul_ack_advance(sk, p->ack, &ack);
	if (o->num_sack)
		haul_ack_sacks(sk, o, &ack);
	if (sk->sk_state == HAUL_SYN_RECEIVED)
		haul_handshake_done(sk, p);

	haul_ack_act(sk, &ack);
	haul_persist_check(sk);
	if (flags & HAUL_FIN)
		haul_close_fin_acked(sk);
	return true;
}

/**
 * haul_ack_rcv - the ACK field, SACK and window of an acceptable segment
 * @sk:		the socket, not in CLOSED, LISTEN or SYN-SENT; its lock is held
 * @skb:	the packet; consumed when false is returned
 * @o:		its options
 * @stale:	its timestamp is older than TS.Recent (a reordered pure ACK): the window is not
 *		taken from it
 *
 * Context: softirq or process with BH off.
 *
 * Return: false: the segment is to be dropped, and is; true: go on with its text (the socket may be
 * CLOSED by now).
 */
bool haul_ack_rcv(struct sock *sk, struct sk_buff *skb, const struct haul_options *o, bool stale)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if (stale || !haul_ack_is_known(sk, p, o))
		return haul_ack_take(sk, skb, o, stale);
	hs->probes_out = 0;
	hs->stats.last_ack_recv = hs->now;
	haul_ack_update_window(sk, p);
	return true;
}
