// SPDX-License-Identifier: GPL-2.0
/*
 * What kept the sender waiting, and for how long: the times of struct haul_info that tell why a
 * connection is slow.
 */
#include "conn.h"
#include "../observe/trace.h"

/**
 * haul_chrono_switch - the sender's time goes to another account from now on
 * @hs:		the socket; its lock is held
 * @to:		enum haul_chrono
 */
void haul_chrono_switch(struct haul_sock *hs, enum haul_chrono to)
{
	u64 now;

	if (hs->chrono == to)
		return;
	now = hs->now;
	trace_haul_limit(haul_sock_sk(hs), hs->chrono, to, now - hs->chrono_us);
	if (hs->chrono != HAUL_CHRONO_IDLE)
		hs->chrono_time[hs->chrono - 1] += now - hs->chrono_us;
	hs->chrono_us = now;
	hs->chrono = to;
}

/**
 * haul_chrono_read - time spent in one account, the present spell included
 * @hs:		the socket; its lock is held
 * @which:	enum haul_chrono, not HAUL_CHRONO_IDLE
 *
 * Return: us.
 */
u64 haul_chrono_read(const struct haul_sock *hs, enum haul_chrono which)
{
	u64 time = hs->chrono_time[which - 1];

	if (hs->chrono == which)
		time += haul_now_us() - hs->chrono_us;
	return time;
}
