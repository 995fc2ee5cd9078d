/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests whose subject is time; they are listed in ./exact. The kernel's timers fire late, never
 * early: the longer the timeout the coarser, by an eighth at most, plus a few ticks.
 */
#ifndef HAUL_TIMING_H
#define HAUL_TIMING_H

#define EXPECT_TOOK(want, us)						\
do {									\
	uint64_t took_ = (us);						\
									\
	EXPECT_LE((uint64_t)(want) - 2 * MS, took_);			\
	EXPECT_GE((uint64_t)(want) + (want) / 8 + 60 * MS, took_);	\
} while (0)

#endif /* HAUL_TIMING_H */
