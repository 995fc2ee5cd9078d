// SPDX-License-Identifier: GPL-2.0
/*
 * Sending again: the lost segments that cwnd lets go, the retransmission timer (RFC 6298 5), the
 * tail loss probe (RFC 8985 7). The queue itself is in rtx.c.
 */
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../observe/trace.h"

/* Delay of an ACK that the peer may use, for the probe timeout (RFC 8985 7.2) */
#define HAUL_MAX_DELACK_US	HAUL_DELACK_MOST_US

/**
 * haul_retransmit_one - send one queued segment again
 * @sk:		the socket; its lock is held
 * @skb:	in the retransmission queue
 * @len:	bytes at most; what is behind is cut off
 *
 * Return: 0; -EAGAIN: outside of the peer's window; -ENOMEM or an error of the way down.
 */
int haul_retransmit_one(struct sock *sk, struct sk_buff *skb, u32 len)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_seg *seg = HAUL_SEG(skb);
	u32 mss = haul_mss_current(sk);
	u32 segs;
	int err;

	/* the peer took its window back (RFC 9293 3.8.6): only SND.UNA may go, as a probe */
	if (seg->seq != hs->snd.una && haul_after(seg->end_seq, hs->snd.una + hs->snd.wnd))
		return -EAGAIN;
	err = haul_rtx_unstale(sk, skb);
	if (err)
		return err;
	if (skb->len > len) {
		err = haul_output_split(sk, skb, len, mss, GFP_ATOMIC);
		if (err)
			return err;
	}
	haul_clock(hs);
	err = haul_transmit(sk, skb, GFP_ATOMIC);
	if (err)
		return err;

	segs = max_t(u32, DIV_ROUND_UP(skb->len, mss), 1);
	hs->stats.retrans_segs += segs;
	hs->stats.bytes_retrans += skb->len;
	haul_count_add(sock_net(sk), HAUL_CNT_RETRANS_SEGS, segs);
	haul_sender_resent(&hs->snd, seg, seg->sent_us, hs->last_tsval);
	haul_recovery_sent(&hs->snd, haul_seg_len(seg));
	trace_haul_retransmit(sk, seg, mss);
	list_move_tail(&skb->tcp_tsorted_anchor, &hs->sent_list);
	return 0;
}

/* us: what pacing holds in fq can't be acknowledged before it has departed */
static u64 haul_retransmit_base(const struct haul_sock *hs)
{
	return max(hs->now, hs->stats.last_data_sent);
}

/**
 * haul_retransmit_lost - send lost segments again as far as the congestion window allows
 * @sk:	the socket; its lock is held
 *
 * In order of sequence, from the first that is lost and not on its way again. Pacing may have the
 * rest wait.
 */
void haul_retransmit_lost(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb = hs->retransmit_hint ?: haul_rtx_head(sk);
	u32 mss = haul_mss_current(sk);

	haul_assert_locked(sk);
	if (haul_paced(sk))
		haul_pace_update(sk);
	for (; skb; skb = haul_rtx_next(skb)) {
		struct haul_seg *seg = HAUL_SEG(skb);
		u32 room = haul_sender_cwnd_room(&hs->snd), len;

		hs->retransmit_hint = skb;
		if (!(seg->marks & HAUL_SEG_LOST) || (seg->marks & HAUL_SEG_RETRANS))
			continue;
		len = min_t(u32, haul_seg_len(seg), hs->size_goal);
		if (room < min(len, mss))
			return;
		if (haul_paced(sk) && haul_pace_wait(sk))
			return;
		if (len > room)
			len = rounddown(room, mss);
		if (haul_retransmit_one(sk, skb, max(len, 1U)))
			return;
		/* RFC 6675 6: or a recovery that takes long would end in a timeout */
		if (seg->seq == hs->snd.una)
			haul_timer_set(sk, HAUL_DL_RETRANSMIT,
				       haul_retransmit_base(hs) + haul_rtt_rto(&hs->snd.rtt));
	}
}

/* RFC 6298 5.4 to 5.6, RFC 5681 3.1, RFC 2018 8: everything outstanding is taken for lost. */
static void haul_retransmit_lose_all(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb = haul_rtx_head(sk);
	/*
	 * the first hole's right neighbour can't be held by the peer: it dropped what it had SACKed
	 */
	bool renege = skb && (HAUL_SEG(skb)->marks & HAUL_SEG_SACKED);

	for (; skb; skb = haul_rtx_next(skb)) {
		if (renege)
			haul_sender_seg_renege(&hs->snd, HAUL_SEG(skb));
		if (!(HAUL_SEG(skb)->marks & HAUL_SEG_SACKED))
			haul_retransmit_mark_lost(sk, skb, NULL);
	}
	hs->retransmit_hint = haul_rtx_head(sk);
	haul_recovery_timeout(&hs->snd, now);
	haul_trace_cwnd(sk);
}

/* one more for a fast open, which a program may have already, as on TCP */
static u32 haul_retransmit_synack_limit(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 limit = READ_ONCE(hs->hn->synack_retries);

	return haul_fastopen_child(sk) ? hs->syn_retries ?: limit + 1 : limit;
}

static bool haul_retransmit_exhausted(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct haul_net *hn = haul_pernet(sock_net(sk));
	u32 limit = READ_ONCE(hn->retries2);

	if (sk->sk_state == HAUL_SYN_SENT)
		limit = hs->syn_retries ?: READ_ONCE(hn->syn_retries);
	else if (sk->sk_state == HAUL_SYN_RECEIVED)
		limit = haul_retransmit_synack_limit(sk);
	else if (sock_flag(sk, SOCK_DEAD))
		limit = haul_orphan_retries(sk);
	return haul_timed_out(sk, limit);
}

static void haul_retransmit_count(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	hs->stats.timeouts++;
	haul_count(sock_net(sk), HAUL_CNT_TIMEOUTS);
	if (sk->sk_state == HAUL_SYN_SENT)
		haul_count(sock_net(sk), HAUL_CNT_SYN_RETRANS);
	else if (sk->sk_state == HAUL_SYN_RECEIVED)
		haul_count(sock_net(sk), HAUL_CNT_SYNACK_RETRANS);
}

/**
 * haul_retransmit_timer - HAUL_DL_RETRANSMIT (RFC 6298 5.4 to 5.6)
 * @sk:		the socket; its lock is held
 * @now:	us
 */
void haul_retransmit_timer(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb = haul_rtx_head(sk);

	if (!skb) {
		/*
		 * nothing to send again but, after a cookie, the ACK that the server must see
		 * (protocol.rst)
		 */
		if (hs->stateless)
			haul_handshake_repeat_ack(sk);
		return;
	}
	if (hs->syn_early && (HAUL_SEG(skb)->flags & HAUL_SYN)) {
		haul_handshake_early(sk, skb);
		return;
	}
	if (haul_retransmit_exhausted(sk)) {
		haul_give_up(sk);
		return;
	}

	haul_retransmit_count(sk);
	if (!hs->retransmits)
		hs->retrans_first_us = HAUL_SEG(skb)->sent_us;
	haul_retransmit_lose_all(sk, now);
	haul_mss_black_hole(sk, skb->len);
	if (haul_retransmit_one(sk, skb, haul_mss_current(sk)) == -ENOMEM) {
		/* local trouble says nothing about the path: soon again, without back-off */
		haul_timer_set(sk, HAUL_DL_RETRANSMIT, now + hs->snd.rtt.rto_min);
		return;
	}
	if (hs->retransmits < U8_MAX)
		hs->retransmits++;
	haul_rtt_backoff(&hs->snd.rtt);
	haul_timer_clear(sk, HAUL_DL_PROBE);
	haul_timer_clear(sk, HAUL_DL_REORDER);
	haul_timer_set(sk, HAUL_DL_RETRANSMIT, haul_patience(hs, now, haul_rtt_rto(&hs->snd.rtt)));
}

/* RFC 8985 7.3: a probe is new data if the window lets it, else the last segment again. */
static bool haul_retransmit_probe(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb;
	u32 mss = haul_mss_current(sk);

	if (haul_output_head(sk) && haul_sender_wnd_room(&hs->snd) >= mss &&
	    haul_output_probe(sk)) {
		haul_recovery_probe_sent(&hs->snd, false);
		return true;
	}
	skb = haul_rtx_tail(sk);
	if (!skb || (HAUL_SEG(skb)->marks & HAUL_SEG_SACKED))
		return false;
	if (haul_rtx_unstale(sk, skb))
		return false;
	if (skb->len > mss) {
		if (haul_output_split(sk, skb, rounddown(skb->len - 1, mss), mss, GFP_ATOMIC))
			return false;
		skb = haul_rtx_tail(sk);
	}
	if (haul_retransmit_one(sk, skb, mss))
		return false;
	haul_recovery_probe_sent(&hs->snd, true);
	return true;
}

/**
 * haul_retransmit_probe_timer - HAUL_DL_PROBE (RFC 8985 7.3)
 * @sk:		the socket; its lock is held
 * @now:	us
 */
void haul_retransmit_probe_timer(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!haul_rtx_head(sk))
		return;
	if (!hs->snd.rec.tlp_out && haul_retransmit_probe(sk)) {
		hs->stats.tlps++;
		haul_count(sock_net(sk), HAUL_CNT_LOSS_PROBES);
	}
	/* one probe only: what comes next is the timeout */
	haul_timer_set(sk, HAUL_DL_RETRANSMIT, now + haul_rtt_rto(&hs->snd.rtt));
}

/* RFC 8985 7.2: may a loss probe come before the timeout? */
static bool haul_retransmit_wants_probe(const struct sock *sk)
{
	const struct haul_sender *snd = &haul_sk(sk)->snd;

	return haul_state_in(sk, HAUL_STATES_SYNCHRONIZED) &&
	       snd->rec.state == HAUL_RECOVERY_OPEN && !snd->sacked && !snd->rec.tlp_out &&
	       snd->rtt.srtt8;
}

/* RFC 8985 7.2: with each transmission and each ACK, unless the timeout comes sooner anyway */
static void haul_retransmit_arm_probe(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 left = 0;

	if (!haul_retransmit_wants_probe(sk)) {
		haul_timer_clear(sk, HAUL_DL_PROBE);
		return;
	}
	if (haul_timer_pending(hs, HAUL_DL_RETRANSMIT))
		left = clamp_t(s64, haul_timer_left(hs, HAUL_DL_RETRANSMIT, now), 0,
			       HAUL_RTO_MAX_US);
	haul_timer_set(sk, HAUL_DL_PROBE,
		       now + haul_tlp_timeout(haul_rtt_srtt(&hs->snd.rtt), left,
					      haul_sender_outstanding(&hs->snd) <= hs->snd.mss,
					      HAUL_MAX_DELACK_US));
}

/**
 * haul_retransmit_start - after a transmission: timeout and loss probe, if they do not stand yet
 * @sk:	the socket; its lock is held; something is outstanding
 *
 * RFC 6298 5.1: a timer that runs is left alone, or who sends now and then would never see it fire.
 */
void haul_retransmit_start(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	u64 now = haul_retransmit_base(hs);

	haul_assert_locked(sk);
	if (!haul_timer_pending(hs, HAUL_DL_RETRANSMIT))
		haul_timer_set(sk, HAUL_DL_RETRANSMIT, now + haul_rtt_rto(&hs->snd.rtt));
	haul_retransmit_arm_probe(sk, now);
}

static u32 haul_retransmit_segs(const struct sk_buff *skb, u32 mss)
{
	return max_t(u32, DIV_ROUND_UP(skb->len, mss), 1);
}

/* Segments outstanding or waiting, HAUL_RTO_RESTART_SEGS and more counted as that */
static u32 haul_retransmit_num_segs(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct sk_buff *skb;
	u32 segs = 0;

	if (hs->write_seq - hs->snd.una >= HAUL_RTO_RESTART_SEGS * hs->snd.mss)
		return HAUL_RTO_RESTART_SEGS;
	for (skb = haul_rtx_head(sk); skb && segs < HAUL_RTO_RESTART_SEGS; skb = haul_rtx_next(skb))
		segs += haul_retransmit_segs(skb, hs->snd.mss);
	skb_queue_walk(&sk->sk_write_queue, skb) {
		if (segs >= HAUL_RTO_RESTART_SEGS)
			break;
		segs += haul_retransmit_segs(skb, hs->snd.mss);
	}
	return segs;
}

/**
 * haul_retransmit_restart - after an ACK of new data: timeout and probe anew, or neither
 * @sk:	the socket; its lock is held
 *
 * RFC 6298 5.2 and 5.3, RFC 7765.
 */
void haul_retransmit_restart(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct sk_buff *head = haul_rtx_head(sk);
	u64 now = haul_retransmit_base(hs), elapsed = 0;

	haul_assert_locked(sk);
	if (!head) {
		if (!hs->stateless)
			haul_timer_clear(sk, HAUL_DL_RETRANSMIT);
		haul_timer_clear(sk, HAUL_DL_PROBE);
		haul_timer_clear(sk, HAUL_DL_REORDER);
		return;
	}
	/* the latest copy counts; one that is lost and waits for cwnd has no time of its own */
	if ((HAUL_SEG(head)->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) != HAUL_SEG_LOST &&
	    now > HAUL_SEG(head)->sent_us)
		elapsed = now - HAUL_SEG(head)->sent_us;
	haul_timer_set(sk, HAUL_DL_RETRANSMIT,
		       now + haul_rtt_restart(&hs->snd.rtt, elapsed, haul_retransmit_num_segs(sk)));
	haul_retransmit_arm_probe(sk, now);
}
