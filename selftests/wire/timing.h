/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests whose subject is time: they run in `scripts/vm --exact`, where nothing but the test
 * takes time and idle time costs nothing. Gaps are measured between reads of the TUN device
 * (struct peer's rx_us).
 *
 * The kernel's timers fire late, never early: the longer the timeout the coarser, by an eighth at
 * most (kernel/time/timer.c), plus a tick to round up to.
 */
#ifndef HAUL_WIRE_TIMING_H
#define HAUL_WIRE_TIMING_H

#include <stdlib.h>
#include <time.h>

/* hours pass quickly there, and the peer's echoes are true */
#define WIRE_TEST_SECONDS 40000
#define WIRE_RTT_US 0
#include "fixture.h"

#define MS	1000ULL
#define SECOND	1000000ULL

static inline void pause_us(uint64_t us)
{
	struct timespec ts = { .tv_sec = us / SECOND, .tv_nsec = us % SECOND * 1000 };

	while (nanosleep(&ts, &ts))
		;
}

/* expect() waits as long as this takes */
static inline void patience_ms(const char *ms)
{
	setenv("HAUL_WIRE_PATIENCE_MS", ms, 1);
}

#define EXPECT_GAP(us, want)				\
	do {						\
		EXPECT_LE((want) - 2 * MS, us);		\
		EXPECT_GE((want) + (want) / 8 + 12 * MS, us);	\
	} while (0)

#endif /* HAUL_WIRE_TIMING_H */
