// SPDX-License-Identifier: GPL-2.0
/*
 * Pacing: when a packet with payload may depart. Whether a socket is paced at all is the kernel's
 * sk_pacing_status: the controller wants it (HAUL_CC_PACES), the program does
 * (SO_MAX_PACING_RATE), or the qdisc fq is there. Without fq, packets wait here until it is time,
 * and a timer has the socket send on. With fq they go to it at once, with the time of their
 * departure, as many as conn/batch.c lets go.
 *
 * A socket that is not paced pays for one test per packet and one pointer; what the others need is
 * allocated when the first of their packets has left.
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include "conn.h"
#include "../ip/ip.h"

/* segments that leave at once where only cwnd is to be spread over the round trip: RFC 6928 */
#define HAUL_PACE_FREE_SEGS	10

/**
 * struct haul_pacer - a paced socket's clock
 * @timer:	armed while something waits for @next; holds a reference on @sk then
 * @sk:		the socket, which it lives as long as: while the timer's function waits for the
 *		socket lock the timer may be armed again, and then can't be stopped
 * @next:	ns of CLOCK_MONOTONIC, when the next packet may depart
 */
struct haul_pacer {
	struct hrtimer	timer;
	struct sock	*sk;
	u64		next;
};

/* ns; the socket's clock is a whole number of us, the earlier one */
static u64 haul_pace_now(const struct haul_sock *hs)
{
	return hs->now * NSEC_PER_USEC;
}

static enum hrtimer_restart haul_pace_fire(struct hrtimer *timer)
{
	struct sock *sk = container_of(timer, struct haul_pacer, timer)->sk;

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		haul_output_resume(sk);
	else
		haul_defer(sk, HAUL_DEFER_WRITE);
	bh_unlock_sock(sk);
	sock_put(sk);
	return HRTIMER_NORESTART;
}

static struct haul_pacer *haul_pace_create(struct sock *sk)
{
	struct haul_pacer *pacer = kzalloc(sizeof(*pacer), GFP_ATOMIC | __GFP_NOWARN);

	if (unlikely(!pacer)) {
		haul_count(sock_net(sk), HAUL_CNT_TX_NO_MEMORY);
		return NULL;
	}
	hrtimer_setup(&pacer->timer, haul_pace_fire, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_PINNED_SOFT);
	pacer->sk = sk;
	haul_sk(sk)->pacer = pacer;
	return pacer;
}

/* nobody set a rate: the first segments need not be spread out */
static bool haul_pace_is_free(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	return hs->snd.pacing_rate == ~0ULL && READ_ONCE(sk->sk_max_pacing_rate) == ~0UL &&
	       hs->stats.data_segs_out < HAUL_PACE_FREE_SEGS;
}

/**
 * haul_pace_update - the rate at which a paced socket sends now
 * @sk:	the socket; its lock is held
 *
 * In sk_pacing_rate, where fq, tc's BPF programs and tools look for it. Payload bytes per second,
 * as TCP's; ~0, and 0, as there: any.
 */
void haul_pace_update(struct sock *sk)
{
	u64 rate = ~0ULL;

	if (!haul_pace_is_free(sk))
		rate = min_t(u64, haul_sender_pacing_rate(&haul_sk(sk)->snd),
			     READ_ONCE(sk->sk_max_pacing_rate));
	WRITE_ONCE(sk->sk_pacing_rate, min_t(u64, rate, ~0UL));
}

/**
 * haul_pace_quantum - bytes that may leave as one packet
 * @sk:		a paced socket; its lock is held
 * @mss:	bytes, payload of a full segment
 *
 * What a millisecond sends, but two segments at least: a large segment is a burst on the wire. Not
 * less, or every packet would cost as much as a large one.
 */
u32 haul_pace_quantum(const struct sock *sk, u32 mss)
{
	u64 bytes = READ_ONCE(sk->sk_pacing_rate) >> HAUL_PACE_SHIFT;

	return min_t(u64, max_t(u64, bytes, 2 * mss), HAUL_IP_MAX);
}

/**
 * haul_pace_wait - must the next packet wait for its time?
 * @sk:	a paced socket; its lock is held
 *
 * If so, haul_output_resume() will be called then. Not where fq makes it wait.
 */
bool haul_pace_wait(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	struct haul_pacer *pacer = hs->pacer;

	if (!pacer || READ_ONCE(sk->sk_pacing_status) != SK_PACING_NEEDED)
		return false;
	if (pacer->next < haul_pace_now(hs) + NSEC_PER_USEC)
		return false;
	if (!hrtimer_is_queued(&pacer->timer)) {
		sock_hold(sk);
		hrtimer_start(&pacer->timer, ns_to_ktime(pacer->next),
			      HRTIMER_MODE_ABS_PINNED_SOFT);
	}
	return true;
}

/**
 * haul_pace_waits - does something wait for its time?
 * @hs:	the socket; its lock is held
 */
bool haul_pace_waits(const struct haul_sock *hs)
{
	return hs->pacer && hrtimer_is_queued(&hs->pacer->timer);
}

/* ns, when a packet that is handed down now will depart */
static u64 haul_pace_departure_ns(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u64 now = haul_pace_now(hs);

	if (!hs->pacer || READ_ONCE(sk->sk_pacing_status) != SK_PACING_FQ)
		return now;
	return max(now, hs->pacer->next);
}

/**
 * haul_pace_departure - when will a packet depart that is handed down now?
 * @sk:	a paced socket; its lock is held
 *
 * With fq everything of a connection departs in the order in which it was handed down, ACKs and
 * resets, too: so timestamps do not decrease on the wire. Return: us.
 */
u64 haul_pace_departure(const struct sock *sk)
{
	return div_u64(haul_pace_departure_ns(sk), NSEC_PER_USEC);
}

/**
 * haul_pace_stamp - tell fq when a packet is to depart
 * @sk:		a paced socket; its lock is held
 * @skb:	the packet
 *
 * Every packet has its time: of one that has not, fq would reckon one by sk_pacing_rate.
 */
void haul_pace_stamp(const struct sock *sk, struct sk_buff *skb)
{
	if (READ_ONCE(sk->sk_pacing_status) == SK_PACING_FQ)
		haul_skb_set_departure(skb, haul_pace_departure_ns(sk));
}

/**
 * haul_pace_sent - a packet with payload was handed down: when may the next one depart?
 * @sk:		a paced socket; its lock is held
 * @bytes:	of payload
 *
 * A timer fires a little late, and a program comes when it likes; what was lost by that is made up
 * for, by half of a packet's time at most.
 */
void haul_pace_sent(struct sock *sk, u32 bytes)
{
	struct haul_sock *hs = haul_sk(sk);
	u64 now = haul_pace_now(hs), late, span;
	unsigned long rate = READ_ONCE(sk->sk_pacing_rate);
	struct haul_pacer *pacer = hs->pacer;

	if (rate == ~0UL || !rate)
		return;
	if (!pacer)
		pacer = haul_pace_create(sk);
	if (!pacer)
		return;
	span = div64_ul((u64)bytes * NSEC_PER_SEC, rate);
	late = now > pacer->next ? min(now - pacer->next, span / 2) : 0;
	pacer->next = max(now, pacer->next) + span - late;
}

/**
 * haul_pace_want - a controller that paces comes, or one that does not
 * @sk:	the socket; its lock is held; its controller is set
 *
 * fq and SO_MAX_PACING_RATE, once there, stay.
 */
void haul_pace_want(struct sock *sk)
{
	bool wanted = (haul_sk(sk)->snd.cc->flags & HAUL_CC_PACES) ||
		      READ_ONCE(sk->sk_max_pacing_rate) != ~0UL;

	if (wanted)
		cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE, SK_PACING_NEEDED);
	else
		cmpxchg(&sk->sk_pacing_status, SK_PACING_NEEDED, SK_PACING_NONE);
}

/**
 * haul_pace_stop - the timer is off, and gives its reference back
 * @sk:	the socket; its lock is held. A timer's function that runs already finds the state CLOSED
 */
void haul_pace_stop(struct sock *sk)
{
	struct haul_pacer *pacer = haul_sk(sk)->pacer;

	if (!pacer)
		return;
	pacer->next = 0;
	if (hrtimer_try_to_cancel(&pacer->timer) == 1)
		__sock_put(sk);
}

/**
 * haul_pace_release - the socket is gone
 * @sk:	the socket, of which there are no references: no timer is armed, none runs
 */
void haul_pace_release(struct sock *sk)
{
	kfree(haul_sk(sk)->pacer);
}
