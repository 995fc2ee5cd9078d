// SPDX-License-Identifier: GPL-2.0
/*
 * A segment arrives at a full socket (RFC 9293 3.10.7): who it is for has been found (ip/), here it
 * is checked, in the RFC's order, and handed to the parts. Also ICMP's word, and challenge ACKs
 * (RFC 5961).
 */
#include <net/inet_ecn.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../observe/trace.h"

/**
 * haul_challenge_ack - answer what may be forged by saying where we are (RFC 5961), rate limited
 * per connection
 * @sk:	the socket; its lock is held
 */
void haul_challenge_ack(struct sock *sk)
{
	if (!haul_challenge_permit(sk))
		return;
	haul_count(sock_net(sk), HAUL_CNT_CHALLENGE_ACKS);
	haul_ack_send(sk);
}

/* RFC 9293 3.10.7.4, second, with RFC 5961 and the tag rules: core/validate.c decides. */
static void haul_input_rst(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	enum haul_counter why = HAUL_CNT_DROP_RST;

	switch (haul_check_rst(HAUL_PACKET(skb), hs->tag, hs->peer_tag, &hs->rcv)) {
	case HAUL_VERDICT_RESET:
		haul_count(sock_net(sk), HAUL_CNT_IN_RSTS);
		consume_skb(skb);
		haul_reset_rcv(sk);
		return;
	case HAUL_VERDICT_CHALLENGE:
		haul_challenge_ack(sk);
		break;
	case HAUL_VERDICT_DROP_TAG:
		why = HAUL_CNT_DROP_TAG;
		break;
	default:
		break;
	}
	haul_drop(sock_net(sk), skb, why);
}

/*
 * The SYN that opened this connection again, its tag and number unchanged: our SYN-ACK was lost
 * (protocol.rst)
 */
static bool haul_input_is_same_syn(const struct haul_sock *hs, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct haul_options o;

	if (p->seq != hs->rcv.irs ||
	    haul_wire_parse_options(skb_transport_header(skb), p->hdrlen, &o))
		return false;
	return o.has_init && o.init.tag == hs->peer_tag;
}

/* RFC 9293 3.10.7.4, fourth, with RFC 5961 4.2 */
static void haul_input_syn(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *head = haul_rtx_head(sk);
	const struct haul_packet *p = HAUL_PACKET(skb);

	if ((p->flags & HAUL_ACK) ? p->tag != hs->tag : p->tag != 0) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_TAG);
		return;
	}
	if (sk->sk_state == HAUL_SYN_RECEIVED && !(p->flags & HAUL_ACK) && head &&
	    haul_input_is_same_syn(hs, skb)) {
		if (!haul_fastopen_child(sk) || haul_challenge_permit(sk))
			haul_retransmit_one(sk, head, 0);
	} else if (!(sk->sk_state == HAUL_SYN_RECEIVED && hs->simultaneous &&
		     (p->flags & HAUL_ACK))) {
		haul_challenge_ack(sk);
	}
	haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_SYN);
}

/* Simultaneous open: a SYN-ACK acknowledges our SYN (RFC 9293 figure 8). */
static bool haul_input_answers_syn(const struct haul_sock *hs, const struct haul_packet *p)
{
	return hs->inet.sk.sk_state == HAUL_SYN_RECEIVED && hs->simultaneous &&
	       (p->flags & HAUL_ACK) && p->tag == hs->tag && p->ack == hs->snd.iss + 1;
}

/*
 * RFC 9293 3.10.7.4, first: outside of the window. The peer must learn where we are, but not by a
 * storm.
 */
static void haul_input_unacceptable(struct sock *sk, struct sk_buff *skb, enum haul_counter why)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_packet *p = HAUL_PACKET(skb);

	if (p->seq == p->end_seq) {
		if (why != HAUL_CNT_DROP_PAWS)
			haul_challenge_ack(sk);
	} else {
		if (haul_before(p->seq, hs->rcv.nxt))
			haul_receiver_duplicate(&hs->rcv, p->seq,
						haul_seq_min(p->end_seq, hs->rcv.nxt));
		haul_receiver_enter_quickack(&hs->rcv);
		haul_ack_send(sk);
	}
	haul_drop(sock_net(sk), skb, why);
}

/*
 * The program has said that it will not read: whoever sends on is told (RFC 1122 4.2.2.13, RFC 2525
 * 2.17).
 */
static bool haul_input_refuses_text(const struct sock *sk, const struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	u32 end = p->end_seq - !!(p->flags & HAUL_FIN);

	return (sk->sk_shutdown & RCV_SHUTDOWN) && sock_flag(sk, SOCK_DEAD) && p->seq != end &&
	       haul_after(end, haul_sk(sk)->rcv.nxt);
}

/* RFC 9293 3.10.7.4, seventh and eighth. Consumes skb. */
static void haul_input_text(struct sock *sk, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);

	if (p->seq == p->end_seq) {
		haul_sock_count(sk, HAUL_CNT_PURE_ACKS, 1);
		consume_skb(skb);
		return;
	}
	if (!haul_state_in(sk, HAUL_STATES_MAY_RECEIVE)) {
		/* behind a FIN nothing can be new: what we said was lost */
		haul_sk(sk)->rcv.ack_now = true;
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_STATE);
		return;
	}
	if (haul_input_refuses_text(sk, skb)) {
		haul_count(sock_net(sk), HAUL_CNT_ABORT_ON_DATA);
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_CLOSED);
		haul_reset_send(sk, GFP_ATOMIC);
		haul_conn_done(sk, ECONNRESET);
		return;
	}
	haul_data_rcv(sk, skb);
}

static void haul_input_count_segs(struct haul_sock *hs, const struct sk_buff *skb)
{
	unsigned int segs = haul_skb_segs(skb);

	hs->stats.segs_in += segs;
	if (haul_packet_len(HAUL_PACKET(skb)))
		hs->stats.data_segs_in += segs;
}

/*
 * Marks on what others forge are none of this connection's: counted are segments that passed the
 * checks.
 */
static void haul_input_count_ce(struct haul_sock *hs, const struct sk_buff *skb)
{
	if (hs->ecn_ok && INET_ECN_is_ce(HAUL_PACKET(skb)->ecn))
		hs->rcv.ce += max(haul_skb_segs(skb), 1U);
}

/* Everything about a segment's own merit: tag, PAWS, sequence. False: dropped. */
static bool haul_input_check(struct sock *sk, struct sk_buff *skb, bool *stale)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet *p = HAUL_PACKET(skb);

	if (p->tag != hs->tag) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_TAG);
		return false;
	}
	if (!(p->flags & HAUL_ACK)) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_NO_ACK);
		return false;
	}
	if (haul_receiver_paws_old(&hs->rcv, p->tsval, hs->now)) {
		if (p->seq != p->end_seq ||
		    !haul_receiver_acceptable(&hs->rcv, p->seq, p->end_seq)) {
			haul_input_unacceptable(sk, skb, HAUL_CNT_DROP_PAWS);
			return false;
		}
		*stale = true;
	} else if (!haul_receiver_acceptable(&hs->rcv, p->seq, p->end_seq)) {
		haul_input_unacceptable(sk, skb, HAUL_CNT_DROP_SEQUENCE);
		return false;
	}
	return true;
}

/* What is queued, and what a packet may have set free */
static void haul_input_push(struct sock *sk)
{
	if (haul_output_head(sk) || haul_timer_pending(haul_sk(sk), HAUL_DL_PERSIST))
		haul_push(sk);
}

/*
 * Header prediction: text without anything beside it, next in sequence and in the window, with a
 * timestamp that is not old. That is most of what comes in ESTABLISHED; of RFC 9293 3.10.7.4's
 * steps only the ACK and the text are left.
 */
static bool haul_input_is_expected(const struct sock *sk, const struct haul_packet *p)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct haul_receiver *rcv = &hs->rcv;

	return (p->flags & ~(HAUL_PSH | HAUL_EOM)) == HAUL_ACK && p->hdrlen == HAUL_HDR &&
	       p->seq == rcv->nxt && p->end_seq - p->seq - 1 < haul_receiver_wnd(rcv) &&
	       p->tag == hs->tag && !haul_before(p->tsval, rcv->ts_recent) &&
	       sk->sk_state == HAUL_ESTABLISHED && !hs->init_pending &&
	       !(sk->sk_shutdown & RCV_SHUTDOWN);
}

static const struct haul_options haul_input_no_options;

static void haul_input_expected(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet *p = HAUL_PACKET(skb);

	haul_input_count_ce(hs, skb);
	haul_receiver_update_ts(&hs->rcv, p->seq, p->tsval, hs->now);
	if (!haul_ack_rcv(sk, skb, &haul_input_no_options, false))
		return;
	if (unlikely(sk->sk_state == HAUL_CLOSED)) {
		consume_skb(skb);
		return;
	}
	__skb_pull(skb, HAUL_HDR);
	haul_data_expected(sk, skb);
	haul_input_push(sk);
	haul_ack_after_input(sk);
}

/*
 * RFC 9293 3.10.7.4, fifth: the third step acknowledges the SYN-ACK, and what a fast open has sent
 * behind it
 */
static bool haul_input_is_third_step(const struct sock *sk, const struct haul_packet *p)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (haul_fastopen_child(sk))
		return haul_between(p->ack, hs->snd.iss + 1, hs->snd.nxt);
	return p->ack == hs->snd.iss + 1;
}

/*
 * RFC 9293 3.10.7.4: a segment in SYN-RECEIVED or a synchronised state, with options @o. Consumes
 * skb.
 */
static void haul_input_synchronized(struct sock *sk, struct sk_buff *skb,
				    const struct haul_options *o)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet *p = HAUL_PACKET(skb);
	bool stale = false;

	if (p->flags & HAUL_RST) {
		haul_input_rst(sk, skb);
		return;
	}
	if (unlikely(p->flags & HAUL_SYN)) {
		if (!haul_input_answers_syn(hs, p)) {
			haul_input_syn(sk, skb);
			return;
		}
		/*
		 * The SYN that it would have to fit carried no tag, as no SYN does: anybody can
		 * have sent it. This one is from who has read ours.
		 */
		if (p->seq != hs->rcv.irs) {
			haul_handshake_rcv(sk, skb);
			return;
		}
		/* for the rest it is an ACK */
		p->flags &= ~HAUL_SYN;
		p->seq++;
		hs->rcv.ack_now = true;
	}
	if (!haul_input_check(sk, skb, &stale))
		return;

	haul_input_count_ce(hs, skb);
	haul_handshake_confirmed(sk);
	if (!stale)
		haul_receiver_update_ts(&hs->rcv, p->seq, p->tsval, hs->now);
	if (sk->sk_state == HAUL_SYN_RECEIVED && !haul_input_is_third_step(sk, p)) {
		haul_reset_reply(sock_net(sk), sk, skb);
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_ACK);
		return;
	}
	if (!haul_ack_rcv(sk, skb, o, stale))
		return;
	if (sk->sk_state == HAUL_CLOSED) {
		consume_skb(skb);
		return;
	}

	__skb_pull(skb, p->hdrlen);
	haul_input_text(sk, skb);
	if (sk->sk_state == HAUL_CLOSED)
		return;
	haul_input_push(sk);
	haul_ack_after_input(sk);
}

/* In a frame of its own: it is large. ip/input.c has found the options good. */
static noinline void haul_input_optioned(struct sock *sk, struct sk_buff *skb)
{
	struct haul_options o haul_uninitialized;

	if (haul_wire_parse_options(skb_transport_header(skb), HAUL_PACKET(skb)->hdrlen, &o))
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_OPTION);
	else
		haul_input_synchronized(sk, skb, &o);
}

/*
 * In a run of packets with nothing but text the first one's time is good enough for all (it only
 * dates the data); an ACK that tells something is measured by the clock.
 */
static void haul_input_established(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_packet *p = HAUL_PACKET(skb);

	haul_input_count_segs(hs, skb);
	if (likely(haul_input_is_expected(sk, p))) {
		if (!hs->batched || p->ack != hs->snd.una)
			haul_clock(hs);
		haul_input_expected(sk, skb);
		return;
	}
	haul_clock(hs);
	if (p->hdrlen == HAUL_HDR)
		haul_input_synchronized(sk, skb, &haul_input_no_options);
	else
		haul_input_optioned(sk, skb);
}

/**
 * haul_conn_rcv - a packet for a full socket, in any state; also proto.backlog_rcv
 * @sk:		the socket; its lock is held, BH off
 * @skb:	data at the Haul header, HAUL_PACKET(skb) parsed; consumed
 *
 * Return: 0.
 */
int haul_conn_rcv(struct sock *sk, struct sk_buff *skb)
{
	haul_assert_locked(sk);
	trace_haul_receive(sk, skb);
	switch (sk->sk_state) {
	case HAUL_LISTEN:
		haul_clock(haul_sk(sk));
		haul_listen_rcv(sk, skb);
		break;
	case HAUL_CLOSED:
		/*
		 * it waited in the backlog while the program ended the connection: the peer's next
		 * packet is told
		 */
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_STATE);
		break;
	case HAUL_SYN_SENT:
		haul_clock(haul_sk(sk));
		haul_input_count_segs(haul_sk(sk), skb);
		haul_handshake_rcv(sk, skb);
		break;
	default:
		haul_input_established(sk, skb);
	}
	return 0;
}

/**
 * haul_conn_rcv_syn - what came with the SYN of a fast open
 * @sk:		its child, in SYN-RECEIVED, just made; its lock is held, BH off
 * @skb:	the SYN; consumed
 */
void haul_conn_rcv_syn(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet *p = HAUL_PACKET(skb);

	haul_assert_locked(sk);
	trace_haul_receive(sk, skb);
	haul_clock(hs);
	haul_input_count_segs(hs, skb);
	p->flags &= ~HAUL_SYN;
	p->seq++;
	if (p->seq == p->end_seq) {
		consume_skb(skb);
		return;
	}
	__skb_pull(skb, p->hdrlen);
	haul_data_rcv(sk, skb);
	hs->syn_data = hs->rcv.nxt != hs->rcv.irs + 1;
}

/* IP_RECVERR, IPV6_RECVERR: of the version that its packets have */
static bool haul_conn_wants_icmp(const struct sock *sk)
{
	if (haul_sk(sk)->af == &haul_af_ipv6)
		return haul_inet6_flag(sk, recverr, RECVERR6);
	return haul_inet_flag(sk, recverr, RECVERR);
}

/**
 * haul_conn_icmp - an ICMP error quotes a packet that is in flight here (ip/icmp.c has checked
 * that)
 * @sk:		the socket; its lock is held and no program owns it
 * @icmp:	what it says
 *
 * RFC 5927 5.2: a hard error ends a connection attempt; an established connection keeps it as a
 * soft error, told when the connection times out, or at once to a program that asked by IP_RECVERR.
 */
void haul_conn_icmp(struct sock *sk, const struct haul_icmp *icmp)
{
	haul_assert_locked(sk);
	if (icmp->mtu) {
		haul_mss_reduced(sk, icmp->mtu);
		return;
	}
	if (icmp->hard && haul_fastopen_opening(sk)) {
		haul_count(sock_net(sk), HAUL_CNT_ICMP_HARD);
		haul_conn_done(sk, icmp->err);
		return;
	}
	haul_count(sock_net(sk), HAUL_CNT_ICMP_SOFT);
	if (haul_conn_wants_icmp(sk)) {
		WRITE_ONCE(sk->sk_err, icmp->err);
		sk_error_report(sk);
		return;
	}
	WRITE_ONCE(sk->sk_err_soft, icmp->err);
}
