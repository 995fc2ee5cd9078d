/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests whose subject is time; they are listed in ./exact. Nothing is early. A connection's
 * timers are late by a few ticks, whatever the timeout (conn/timer.c); those of what is no full
 * socket (requests, TIME-WAIT) as the kernel's are: by an eighth at most.
 */
#ifndef HAUL_TIMING_H
#define HAUL_TIMING_H

#define EXPECT_TOOK_WITHIN(want, late, us)				\
do {									\
	uint64_t took_ = (us);						\
									\
	EXPECT_LE((uint64_t)(want) - 2 * MS, took_);			\
	EXPECT_GE((uint64_t)(want) + (late) + 60 * MS, took_);		\
} while (0)
#define EXPECT_TOOK(want, us)		EXPECT_TOOK_WITHIN(want, 0, us)
#define EXPECT_TOOK_COARSE(want, us)	EXPECT_TOOK_WITHIN(want, (want) / 8, us)

#endif /* HAUL_TIMING_H */
