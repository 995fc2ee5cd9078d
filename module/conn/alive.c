// SPDX-License-Identifier: GPL-2.0
/*
 * Is the peer there? Zero-window probes (RFC 9293 3.8.6.1), keepalive (3.8.4), the user timeout
 * (3.8.3), and giving up.
 */
#include "conn.h"
#include "fastopen.h"

/*
 * A probe carries no data: one number below SND.UNA, so that it is not acceptable and must be
 * answered by an ACK that tells the window. Nothing moves if the answer is lost, and a peer with no
 * room has nothing to throw away.
 */
static int haul_probe_send(struct sock *sk)
{
	return haul_transmit_control(sk, 0, haul_sk(sk)->snd.una - 1, GFP_ATOMIC);
}

/**
 * haul_timed_out - has the peer been silent for too long?
 * @sk:		the socket; its lock is held
 * @limit:	retransmissions allowed
 */
bool haul_timed_out(struct sock *sk, u32 limit)
{
	const struct haul_sock *hs = haul_sk(sk);
	u64 timeout = (u64)hs->user_timeout * USEC_PER_MSEC;

	if (timeout && hs->retrans_first_us && sk->sk_state != HAUL_SYN_SENT)
		return haul_now_us() - hs->retrans_first_us >= timeout;
	return hs->retransmits >= limit;
}

/**
 * haul_patience - when to look again, not later than the user timeout ends
 * @hs:		the socket; its lock is held
 * @now:	us
 * @interval:	us that the back-off would wait
 *
 * Return: us of haul_now_us().
 */
u64 haul_patience(const struct haul_sock *hs, u64 now, u64 interval)
{
	u64 end = hs->retrans_first_us + (u64)hs->user_timeout * USEC_PER_MSEC;

	if (!hs->user_timeout || !hs->retrans_first_us)
		return now + interval;
	return min(now + interval, max(end, now + USEC_PER_MSEC));
}

/**
 * haul_give_up - the peer does not answer: ETIMEDOUT, or the reason that ICMP told
 * @sk:	the socket; its lock is held
 */
void haul_give_up(struct sock *sk)
{
	haul_count(sock_net(sk), HAUL_CNT_ABORT_ON_TIMEOUT);
	haul_fastopen_unanswered(sk);
	haul_conn_done(sk, READ_ONCE(sk->sk_err_soft) ?: ETIMEDOUT);
}

/**
 * haul_orphan_retries - how often an orphan may try
 * @sk:	the socket; its lock is held
 *
 * Nobody waits for it: when it is known that the peer can't be reached, not once more.
 */
u32 haul_orphan_retries(const struct sock *sk)
{
	if (READ_ONCE(sk->sk_err_soft))
		return 0;
	return READ_ONCE(haul_pernet(sock_net(sk))->orphan_retries);
}

/*
 * It backs off by its own count, not by the retransmission timer's as well: the first probe comes
 * one plain timeout after the window closed.
 */
static u64 haul_persist_interval(const struct haul_sock *hs)
{
	u64 interval = max_t(u64, haul_rtt_base(&hs->snd.rtt), HAUL_RTO_FLOOR_US);

	return min_t(u64, interval << min_t(u8, hs->persist_backoff, 10),
		     haul_rtt_most(&hs->snd.rtt));
}

/**
 * haul_persist_check - arm the persist timer if data waits, nothing is outstanding, and so no ACK
 * will come
 * @sk:	the socket; its lock is held
 *
 * That is the case with a closed window, and when a transmission failed for want of memory, or a
 * FIN could not even be queued. What waits for its time of departure only is not stuck.
 */
void haul_persist_check(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if ((!haul_output_head(sk) && !hs->fin_owed) || haul_sender_outstanding(&hs->snd) ||
	    haul_pace_waits(hs) || !haul_state_in(sk, HAUL_STATES_SYNCHRONIZED)) {
		haul_timer_clear(sk, HAUL_DL_PERSIST);
		hs->persist_backoff = 0;
		return;
	}
	if (!haul_timer_pending(hs, HAUL_DL_PERSIST))
		haul_timer_set(sk, HAUL_DL_PERSIST, haul_now_us() + haul_persist_interval(hs));
}

/*
 * Nobody waits for an orphan, so a peer that answers every probe and takes nothing must not have us
 * keep it, and the memory of what it was to get, for ever: only until the probes are as far apart
 * as they get (which a program may have had be soon: HAUL_RTO_MAX_MS) and have had no less time
 * than those without an answer, or others need the memory.
 */
static bool haul_persist_abandoned(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (!sock_flag(sk, SOCK_DEAD))
		return false;
	if (haul_orphan_too_many(sk)) {
		haul_count(sock_net(sk), HAUL_CNT_ABORT_ON_MEMORY);
		return true;
	}
	if (haul_persist_interval(hs) < haul_rtt_most(&hs->snd.rtt) ||
	    hs->persist_backoff < haul_orphan_retries(sk))
		return false;
	haul_count(sock_net(sk), HAUL_CNT_ABORT_ON_TIMEOUT);
	return true;
}

/*
 * RFC 9293 3.8.6.1: an open connection waits as long as the peer answers; else, and for orphans,
 * there is a limit.
 */
static bool haul_persist_exhausted(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_net *hn = haul_pernet(sock_net(sk));
	u32 limit = READ_ONCE(hn->retries2);

	if (hs->user_timeout && hs->retrans_first_us &&
	    now - hs->retrans_first_us >= (u64)hs->user_timeout * USEC_PER_MSEC)
		return true;
	if (sock_flag(sk, SOCK_DEAD))
		limit = haul_orphan_retries(sk);
	return hs->probes_out >= limit;
}

/**
 * haul_persist_timer - HAUL_DL_PERSIST: probe, or try again what could not be sent
 * @sk:		the socket; its lock is held
 * @now:	us
 */
void haul_persist_timer(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);

	if (haul_sender_outstanding(&hs->snd))
		return;
	if (unlikely(hs->fin_owed)) {	/* not the peer's fault: no probe, no limit */
		haul_push(sk);
		return;
	}
	if (!haul_output_head(sk))
		return;
	if (unlikely(haul_persist_abandoned(sk))) {
		haul_reset_send(sk, GFP_ATOMIC);
		haul_conn_done(sk, 0);
		return;
	}
	if (haul_persist_exhausted(sk, now)) {
		haul_give_up(sk);
		return;
	}
	/*
	 * what waits now has waited long enough: a silly window is better than none (RFC 9293
	 * 3.8.6.2.1, (4))
	 */
	if (hs->snd.wnd && haul_output_probe(sk)) {
		haul_retransmit_start(sk);
		return;
	}
	if (!hs->retrans_first_us)
		hs->retrans_first_us = now;
	haul_count(sock_net(sk), HAUL_CNT_PERSIST_PROBES);
	/*
	 * a probe that found no route counts, or an orphan in a namespace without devices would
	 * never end
	 */
	if (haul_probe_send(sk) != -ENOMEM && hs->probes_out < U8_MAX)
		hs->probes_out++;
	if (hs->persist_backoff < U8_MAX)
		hs->persist_backoff++;
	haul_timer_set(sk, HAUL_DL_PERSIST, haul_patience(hs, now, haul_persist_interval(hs)));
}

static u64 haul_keepalive_idle(const struct haul_sock *hs)
{
	const struct haul_net *hn = haul_pernet(sock_net(&hs->inet.sk));

	return (u64)(hs->keep_idle ?: READ_ONCE(hn->keepalive_time)) * USEC_PER_SEC;
}

static u64 haul_keepalive_interval(const struct haul_sock *hs)
{
	const struct haul_net *hn = haul_pernet(sock_net(&hs->inet.sk));

	return (u64)(hs->keep_intvl ?: READ_ONCE(hn->keepalive_intvl)) * USEC_PER_SEC;
}

/* us of haul_now_us(): when the peer was last heard */
static u64 haul_keepalive_heard(const struct haul_sock *hs)
{
	return max3(hs->stats.last_ack_recv, hs->stats.last_data_recv, hs->syn_us);
}

/**
 * haul_keepalive_rearm - start the keepalive clock where SO_KEEPALIVE asks for it
 * @sk:	the socket; its lock is held
 */
void haul_keepalive_rearm(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!sock_flag(sk, SOCK_KEEPOPEN) || !haul_state_in(sk, HAUL_STATES_SYNCHRONIZED)) {
		haul_timer_clear(sk, HAUL_DL_KEEPALIVE);
		return;
	}
	/* a deadline of days ago would look like one ahead */
	haul_timer_set(sk, HAUL_DL_KEEPALIVE,
		       max(haul_keepalive_heard(hs) + haul_keepalive_idle(hs), haul_now_us()));
}

/**
 * haul_keepalive_set - proto.keepalive: SO_KEEPALIVE was switched
 * @sk:	the socket; its lock is held
 * @on:	0 or 1; the flag follows after this call
 */
void haul_keepalive_set(struct sock *sk, int on)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!on)
		haul_timer_clear(sk, HAUL_DL_KEEPALIVE);
	else if (!sock_flag(sk, SOCK_KEEPOPEN) && haul_state_in(sk, HAUL_STATES_SYNCHRONIZED))
		haul_timer_set(sk, HAUL_DL_KEEPALIVE, haul_now_us() + haul_keepalive_idle(hs));
}

static bool haul_keepalive_exhausted(const struct sock *sk, u64 silent)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 limit = hs->keep_cnt ?: READ_ONCE(haul_pernet(sock_net(sk))->keepalive_probes);

	if (hs->user_timeout)
		return silent >= (u64)hs->user_timeout * USEC_PER_MSEC && hs->probes_out > 0;
	return hs->probes_out >= limit;
}

/**
 * haul_keepalive_timer - HAUL_DL_KEEPALIVE (RFC 9293 3.8.4)
 * @sk:		the socket; its lock is held
 * @now:	us
 */
void haul_keepalive_timer(struct sock *sk, u64 now)
{
	struct haul_sock *hs = haul_sk(sk);
	u64 heard = haul_keepalive_heard(hs);
	u64 silent = now > heard ? now - heard : 0;

	if (!sock_flag(sk, SOCK_KEEPOPEN))
		return;
	/* data on its way tests the peer already */
	if (haul_sender_outstanding(&hs->snd) || haul_output_head(sk)) {
		haul_timer_set(sk, HAUL_DL_KEEPALIVE, now + haul_keepalive_idle(hs));
		return;
	}
	if (silent < haul_keepalive_idle(hs)) {
		haul_timer_set(sk, HAUL_DL_KEEPALIVE, heard + haul_keepalive_idle(hs));
		return;
	}
	if (haul_keepalive_exhausted(sk, silent)) {
		haul_reset_send(sk, GFP_ATOMIC);
		haul_give_up(sk);
		return;
	}
	haul_count(sock_net(sk), HAUL_CNT_KEEPALIVE_PROBES);
	if (haul_probe_send(sk) != -ENOMEM && hs->probes_out < U8_MAX)
		hs->probes_out++;
	haul_timer_set(sk, HAUL_DL_KEEPALIVE, now + haul_keepalive_interval(hs));
}
