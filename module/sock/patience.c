// SPDX-License-Identifier: GPL-2.0
/*
 * Options that say how long a connection waits: each function is the set or get of a row in
 * options.c's table, where the bounds are.
 */
#include <linux/jiffies.h>
#include <net/sock.h>

#include "options.h"
#include "../conn/conn.h"

#define HAUL_LINGER2_MAX_S	120
/* of the kernel's timers, as on TCP: a shorter time than two of their ticks is none */
#define HAUL_LEAST_JIFFIES	2

/* haul_sock.rto_min and delack_max hold what is allowed */
static_assert(HZ / 5 <= U8_MAX);

int haul_set_keepidle(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->keep_idle, val);
	if (sock_flag(sk, SOCK_KEEPOPEN) && sk->sk_state != HAUL_CLOSED &&
	    sk->sk_state != HAUL_LISTEN)
		haul_keepalive_rearm(sk);
	return 0;
}

int haul_get_keepidle(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->keep_idle) ? : READ_ONCE(haul_sk(sk)->hn->keepalive_time);
}

int haul_set_keepintvl(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->keep_intvl, val);
	return 0;
}

int haul_get_keepintvl(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->keep_intvl) ? : READ_ONCE(haul_sk(sk)->hn->keepalive_intvl);
}

int haul_set_keepcnt(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->keep_cnt, val);
	return 0;
}

int haul_get_keepcnt(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->keep_cnt) ? : READ_ONCE(haul_sk(sk)->hn->keepalive_probes);
}

int haul_set_syncnt(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->syn_retries, val);
	return 0;
}

int haul_get_syncnt(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->syn_retries) ? : READ_ONCE(haul_sk(sk)->hn->syn_retries);
}

int haul_set_linger2(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->linger2, clamp(val, -1, HAUL_LINGER2_MAX_S));
	return 0;
}

int haul_get_linger2(struct sock *sk)
{
	int seconds = READ_ONCE(haul_sk(sk)->linger2);

	if (seconds)
		return seconds;
	return READ_ONCE(haul_sk(sk)->hn->fin_timeout_ms) / (int)MSEC_PER_SEC;
}

int haul_set_user_timeout(struct sock *sk, int val)
{
	WRITE_ONCE(haul_sk(sk)->user_timeout, val);
	return 0;
}

int haul_get_user_timeout(struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->user_timeout);
}

int haul_set_rto_max_ms(struct sock *sk, int val)
{
	haul_sk(sk)->snd.rtt.rto_max_ms = jiffies_to_msecs(msecs_to_jiffies(val));
	return 0;
}

int haul_get_rto_max_ms(struct sock *sk)
{
	return haul_sk(sk)->snd.rtt.rto_max_ms;
}

/* us as ticks of the kernel's timers; -EINVAL: fewer than two, or more than @most us are */
static int haul_patience_jiffies(int us, u32 most)
{
	unsigned long ticks = usecs_to_jiffies(us);

	return ticks < HAUL_LEAST_JIFFIES || ticks > usecs_to_jiffies(most) ? -EINVAL : ticks;
}

int haul_set_rto_min_us(struct sock *sk, int val)
{
	struct haul_sock *hs = haul_sk(sk);
	int ticks = haul_patience_jiffies(val, HAUL_RTO_FLOOR_US);

	if (ticks < 0)
		return ticks;
	WRITE_ONCE(hs->rto_min, ticks);
	hs->snd.rtt.rto_min = jiffies_to_usecs(ticks);
	return 0;
}

int haul_get_rto_min_us(struct sock *sk)
{
	u8 ticks = READ_ONCE(haul_sk(sk)->rto_min);

	return ticks ? jiffies_to_usecs(ticks) : READ_ONCE(haul_sk(sk)->hn->rto_min_us);
}

int haul_set_delack_max_us(struct sock *sk, int val)
{
	int ticks = haul_patience_jiffies(val, HAUL_DELACK_MOST_US);

	if (ticks < 0)
		return ticks;
	WRITE_ONCE(haul_sk(sk)->delack_max, ticks);
	return 0;
}

int haul_get_delack_max_us(struct sock *sk)
{
	u8 ticks = READ_ONCE(haul_sk(sk)->delack_max);

	return ticks ? jiffies_to_usecs(ticks) : HAUL_DELACK_MOST_US;
}
