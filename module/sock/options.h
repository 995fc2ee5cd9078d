/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of options.c's table whose functions are elsewhere. A set takes a value within the row's
 * bounds, with the socket lock, and returns 0 or -errno; a get returns the value, without a lock.
 */
#ifndef HAUL_OPTIONS_H
#define HAUL_OPTIONS_H

#include "../haul.h"

/* --- patience.c --- */
/* ms, TCP's bounds */
#define HAUL_RTO_MAX_LEAST_MS	1000
#define HAUL_RTO_MAX_MOST_MS	120000

int haul_set_keepidle(struct sock *sk, int val);
int haul_get_keepidle(struct sock *sk);
int haul_set_keepintvl(struct sock *sk, int val);
int haul_get_keepintvl(struct sock *sk);
int haul_set_keepcnt(struct sock *sk, int val);
int haul_get_keepcnt(struct sock *sk);
int haul_set_syncnt(struct sock *sk, int val);
int haul_get_syncnt(struct sock *sk);
int haul_set_linger2(struct sock *sk, int val);
int haul_get_linger2(struct sock *sk);
int haul_set_user_timeout(struct sock *sk, int val);
int haul_get_user_timeout(struct sock *sk);
int haul_set_rto_max_ms(struct sock *sk, int val);
int haul_get_rto_max_ms(struct sock *sk);
int haul_set_rto_min_us(struct sock *sk, int val);
int haul_get_rto_min_us(struct sock *sk);
int haul_set_delack_max_us(struct sock *sk, int val);
int haul_get_delack_max_us(struct sock *sk);

#endif /* HAUL_OPTIONS_H */
