// SPDX-License-Identifier: GPL-2.0
/*
 * When this side acknowledges: at once, delayed (RFC 9293 3.8.6.3, RFC 5681 4.2), or riding on
 * data.
 */
#include "conn.h"
#include "../sock/sock.h"

/**
 * haul_ack_send - a pure ACK now
 * @sk:	the socket; its lock is held
 */
void haul_ack_send(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (haul_state_in(sk, HAUL_STATE_BIT(HAUL_CLOSED) | HAUL_STATE_BIT(HAUL_LISTEN)))
		return;
	if (haul_transmit_control(sk, 0, hs->snd.nxt, GFP_ATOMIC) == -ENOMEM) {
		/* the peer will send again; sooner is better */
		hs->rcv.ack_due = true;
		haul_timer_set(sk, HAUL_DL_DELACK, haul_now_us() + HAUL_DELACK_MOST_US);
	}
}

static bool haul_ack_is_owed(const struct haul_receiver *rcv)
{
	return rcv->ack_due || rcv->ack_now;
}

static bool haul_ack_at_once(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	return haul_receiver_ack_at_once(&hs->rcv, haul_window_space(sk), haul_window_full(sk),
					 !RB_EMPTY_ROOT(&hs->ooo));
}

/* Of an ACK that is due at once: is it nothing that the peer must know this instant? */
static bool haul_ack_can_wait(const struct haul_sock *hs)
{
	return !hs->rcv.ack_now && RB_EMPTY_ROOT(&hs->ooo);
}

static void haul_ack_delay(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 delay = hs->rcv.ato_us;

	if (haul_timer_pending(hs, HAUL_DL_DELACK))
		return;
	if (unlikely(hs->delack_max))
		delay = min(delay, jiffies_to_usecs(hs->delack_max));
	haul_timer_set(sk, HAUL_DL_DELACK, hs->now + delay);
}

/*
 * Somebody sleeps until there is something to read, and has just been woken: the ACK can tell what
 * he leaves of the window, too, and costs no run of the softirq of its own. Not where small ones
 * come one by one: the reader may be a window late, and a sender that hears of a window at once has
 * nothing to clock it out by (RFC 5681 4.2, RFC 2525 2.13).
 */
static bool haul_ack_reader_comes(struct sock *sk)
{
	const struct haul_receiver *rcv = &haul_sk(sk)->rcv;
	bool sleeps;

	if (rcv->nxt - rcv->last_ack < HAUL_ACK_LARGE || rcv->quickacks ||
	    sock_owned_by_user(sk) || sock_flag(sk, SOCK_DEAD) ||
	    !haul_sock_readable(sk, READ_ONCE(sk->sk_rcvlowat)))
		return false;
	rcu_read_lock();
	sleeps = skwq_has_sleeper(rcu_dereference(sk->sk_wq));
	rcu_read_unlock();
	return sleeps;
}

/**
 * haul_ack_after_input - a packet has been taken in: an ACK now, after those that came with it,
 * later, or none
 * @sk:	the socket; its lock is held, BH off or its program is at its backlog
 */
void haul_ack_after_input(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_receiver *rcv = &hs->rcv;

	if ((hs->batched || rcv->ack_by_reader) && !rcv->ack_now)
		return;
	if (rcv->ack_held && !haul_receiver_may_hold(rcv))
		rcv->ack_held = false;
	if (!haul_ack_is_owed(rcv))
		return;
	if (!haul_ack_at_once(sk))
		haul_ack_delay(sk);
	else if (!haul_ack_can_wait(hs))
		haul_ack_send(sk);
	else if (haul_receiver_may_hold(rcv))
		haul_batch_hold(sk, &rcv->ack_held);
	else if (haul_ack_reader_comes(sk))
		haul_batch_hold(sk, &rcv->ack_by_reader);
	else
		haul_batch_add(sk);
}

/**
 * haul_ack_after_batch - all packets that came together are through
 * @sk:	the socket; its lock is held
 */
void haul_ack_after_batch(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (haul_ack_can_wait(hs) && haul_receiver_may_hold(&hs->rcv) &&
	    haul_ack_is_owed(&hs->rcv) && haul_ack_at_once(sk))
		haul_batch_hold(sk, &hs->rcv.ack_held);
	else
		haul_ack_schedule(sk);
}

/**
 * haul_ack_schedule - an ACK now, later, or none
 * @sk:	the socket; its lock is held
 */
void haul_ack_schedule(struct sock *sk)
{
	haul_assert_locked(sk);
	if (!haul_ack_is_owed(&haul_sk(sk)->rcv))
		return;
	if (haul_ack_at_once(sk))
		haul_ack_send(sk);
	else
		haul_ack_delay(sk);
}

/**
 * haul_ack_timer - HAUL_DL_DELACK
 * @sk:		the socket; its lock is held
 * @now:	us
 */
void haul_ack_timer(struct sock *sk, u64 now)
{
	struct haul_receiver *rcv = &haul_sk(sk)->rcv;

	if (!rcv->ack_due)
		return;
	/*
	 * nothing rode with it: the exchange is not interactive after all, and this peer waits for
	 * ACKs
	 */
	if (!rcv->interactive)
		rcv->ato_us = min(rcv->ato_us << 1, HAUL_DELACK_MOST_US);
	else
		rcv->interactive = false;
	haul_count(sock_net(sk), HAUL_CNT_DELAYED_ACKS);
	haul_ack_send(sk);
}
