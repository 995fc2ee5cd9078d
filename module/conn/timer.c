// SPDX-License-Identifier: GPL-2.0
/*
 * Time. A connection has an array of deadlines and one timer_list, armed for the earliest of them
 * or before: setting a later deadline, or clearing one, touches no timer wheel; the handler finds
 * nothing due and arms itself anew. When a program owns the socket, timer and ICMP leave a bit in
 * haul_sock.deferred, served by haul_release_cb().
 */
#include "conn.h"
#include "fastopen.h"
#include "../observe/trace.h"

static void (*const haul_timer_handlers[HAUL_NUM_DEADLINES])(struct sock *sk, u64 now);

/*
 * The kernel's timers are exact for the next 62 ticks; beyond, one comes late by up to an eighth of
 * its time. A long one is armed so much sooner: the handler finds nothing due and arms for the
 * rest. Else a deadline that has been set since, behind the armed one but before the late timer,
 * would be served late though it was near. One tick more than the conversion says: the present tick
 * is partly over, and firing early is work for nothing.
 */
static unsigned long haul_timer_ticks(u64 us)
{
	unsigned long ticks = 1 + usecs_to_jiffies(us);

	return ticks < 63 ? ticks : ticks - ticks / 7;
}

/*
 * A deadline is kept in units of 64 us, rounded up, modulo 2^32, where 0 is none: no timer of ours
 * is as exact as that, and none waits for 38 hours.
 */
#define HAUL_TIMER_UNIT_SHIFT	6

static u32 haul_timer_units(u64 us)
{
	u32 units = (us + BIT(HAUL_TIMER_UNIT_SHIFT) - 1) >> HAUL_TIMER_UNIT_SHIFT;

	return units ?: 1;
}

/* us from @now until then */
static s64 haul_timer_until(u32 units, u64 now)
{
	s32 left = units - (u32)(now >> HAUL_TIMER_UNIT_SHIFT);

	return (s64)left * (1 << HAUL_TIMER_UNIT_SHIFT) -
	       (s64)(now & (BIT(HAUL_TIMER_UNIT_SHIFT) - 1));
}

static bool haul_timer_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static void haul_timer_arm(struct sock *sk, u32 at, u64 now)
{
	s64 after = clamp_t(s64, haul_timer_until(at, now), 0, UINT_MAX / 2);

	haul_sk(sk)->armed = at;
	sk_reset_timer(sk, &sk->sk_timer, jiffies + haul_timer_ticks(after));
}

static u32 haul_timer_earliest(const struct haul_sock *hs)
{
	u32 earliest = 0;
	int d;

	for (d = 0; d < HAUL_NUM_DEADLINES; d++)
		if (hs->deadlines[d] &&
		    (!earliest || haul_timer_before(hs->deadlines[d], earliest)))
			earliest = hs->deadlines[d];
	return earliest;
}

/* Serves what is due. Socket lock, nobody's program owns it. */
static void haul_timer_run(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	u64 now = haul_clock(hs);
	s64 late;
	u32 at;
	int d;

	hs->armed = 0;
	for (d = 0; d < HAUL_NUM_DEADLINES; d++) {
		if (!hs->deadlines[d])
			continue;
		late = -haul_timer_until(hs->deadlines[d], now);
		if (late < 0)
			continue;
		trace_haul_timer(sk, d, late);
		hs->deadlines[d] = 0;
		haul_timer_handlers[d](sk, now);
		if (sk->sk_state == HAUL_CLOSED)
			return;
	}
	sk_mem_reclaim(sk);		/* what haul_mem_uncharge() left */
	at = haul_timer_earliest(hs);
	if (at && (!hs->armed || haul_timer_before(at, hs->armed)))
		haul_timer_arm(sk, at, now);
}

static void haul_timer_fire(struct timer_list *t)
{
	struct sock *sk = timer_container_of(sk, t, sk_timer);

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		haul_timer_run(sk);
	else
		haul_defer(sk, HAUL_DEFER_TIMER);
	bh_unlock_sock(sk);
	sock_put(sk);
}

static void haul_timer_fin_wait_2(struct sock *sk, u64 now)
{
	if (sk->sk_state == HAUL_FIN_WAIT_2)
		haul_conn_done(sk, 0);
}

static void (*const haul_timer_handlers[HAUL_NUM_DEADLINES])(struct sock *sk, u64 now) = {
	[HAUL_DL_PROBE]		= haul_retransmit_probe_timer,
	[HAUL_DL_RETRANSMIT]	= haul_retransmit_timer,
	[HAUL_DL_REORDER]	= haul_recovery_reorder_timer,
	[HAUL_DL_PERSIST]	= haul_persist_timer,
	[HAUL_DL_DELACK]	= haul_ack_timer,
	[HAUL_DL_KEEPALIVE]	= haul_keepalive_timer,
	[HAUL_DL_FIN_WAIT_2]	= haul_timer_fin_wait_2,
};

/**
 * haul_timer_init - a new socket's timer: nothing armed
 * @sk:	the socket, not yet seen by anyone else
 */
void haul_timer_init(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	memset(hs->deadlines, 0, sizeof(hs->deadlines));
	hs->armed = 0;
	hs->deferred = 0;
	timer_setup(&sk->sk_timer, haul_timer_fire, 0);
}

/**
 * haul_timer_set - set a deadline, whether or not it was set
 * @sk:	the socket; its lock is held
 * @d:	which
 * @at:	us of haul_now_us(), not further than 38 hours from now: deadlines are counted modulo 76
 */
void haul_timer_set(struct sock *sk, enum haul_deadline d, u64 at)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 units = haul_timer_units(at);

	haul_assert_locked(sk);
	hs->deadlines[d] = units;
	if (!hs->armed || haul_timer_before(units, hs->armed))
		haul_timer_arm(sk, units, haul_now_us());
}

/**
 * haul_timer_clear - a deadline no longer stands; the timer may still fire and find nothing due
 * @sk:	the socket; its lock is held
 * @d:	which
 */
void haul_timer_clear(struct sock *sk, enum haul_deadline d)
{
	haul_sk(sk)->deadlines[d] = 0;
}

/**
 * haul_timer_left - how long is it until a deadline?
 * @hs:		the socket; its lock is held
 * @d:		which; it stands (haul_timer_pending())
 * @now:	us of haul_now_us()
 *
 * Return: us; not positive: it has passed.
 */
s64 haul_timer_left(const struct haul_sock *hs, enum haul_deadline d, u64 now)
{
	return haul_timer_until(hs->deadlines[d], now);
}

/**
 * haul_timer_comes - will the timer fire before @us have passed?
 * @hs:		the socket; its lock is held
 * @us:		from haul_sock.now on
 *
 * Return: false as well if it is late.
 */
bool haul_timer_comes(const struct haul_sock *hs, u32 us)
{
	s64 left = haul_timer_until(hs->armed, hs->now);

	return hs->armed && left >= 0 && left < us;
}

/**
 * haul_timer_stop - no deadline stands and the timer gives its reference back
 * @sk:	the socket; its lock is held. A handler that runs already finds the state CLOSED
 */
void haul_timer_stop(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	memset(hs->deadlines, 0, sizeof(hs->deadlines));
	hs->armed = 0;
	sk_stop_timer(sk, &sk->sk_timer);
	sk_mem_reclaim(sk);
}

/**
 * haul_defer - leave work for the program that owns the socket
 * @sk:		the socket, bh_lock_sock() held, owned by a program
 * @what:	the bit; while set it holds a reference
 */
void haul_defer(struct sock *sk, enum haul_defer what)
{
	if (!test_and_set_bit(what, &haul_sk(sk)->deferred))
		sock_hold(sk);
}

/**
 * haul_release_cb - proto.release_cb: the program lets go, what came meanwhile is done
 * @sk:	the socket, owned, spinlock held
 */
void haul_release_cb(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	unsigned long bits;

	haul_batch_end(sk);
	if (likely(!READ_ONCE(hs->deferred)))
		return;
	bits = xchg(&hs->deferred, 0);
	if (bits & BIT(HAUL_DEFER_TIMER)) {
		/* of a CLOSED socket, too: it may connect anew, and must know what is armed */
		haul_timer_run(sk);
		__sock_put(sk);
	}
	if (bits & BIT(HAUL_DEFER_PMTU)) {
		if (!haul_state_in(sk, HAUL_STATE_BIT(HAUL_CLOSED) | HAUL_STATE_BIT(HAUL_LISTEN)))
			haul_mss_reduced(sk, hs->mtu_info);
		__sock_put(sk);
	}
	if (bits & BIT(HAUL_DEFER_WRITE)) {
		haul_output_resume(sk);
		__sock_put(sk);
	}
	if (bits & BIT(HAUL_DEFER_HOLD)) {
		haul_batch_hold_end(sk);
		__sock_put(sk);
	}
	if (bits & BIT(HAUL_DEFER_ICMP)) {
		if (haul_fastopen_opening(sk))
			haul_conn_done(sk, hs->icmp_err);
		__sock_put(sk);
	}
}
