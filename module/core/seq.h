/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comparison of sequence numbers and of 32-bit microsecond timestamps: both live on a circle of
 * 2^32 (RFC 9293 3.4, RFC 7323 5.2), so "before" is the sign of the difference.
 */
#ifndef HAUL_CORE_SEQ_H
#define HAUL_CORE_SEQ_H

#include <linux/types.h>

/* a < b on the circle */
static inline bool haul_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* a > b on the circle */
static inline bool haul_after(u32 a, u32 b)
{
	return haul_before(b, a);
}

/* low <= x <= high on the circle */
static inline bool haul_between(u32 x, u32 low, u32 high)
{
	return high - low >= x - low;
}

static inline u32 haul_seq_max(u32 a, u32 b)
{
	return haul_after(a, b) ? a : b;
}

static inline u32 haul_seq_min(u32 a, u32 b)
{
	return haul_before(a, b) ? a : b;
}

/* us; fq holds no packet for longer than its horizon, 10 s */
#define HAUL_TSVAL_AHEAD	(1U << 24)

/*
 * Timestamps never decrease on a connection (protocol.rst 4.4), though a packet's planned departure
 * may have been later than the next one's is. What seems to be further behind than a plan may lie
 * ahead is not: the clock went on by that much of the circle while nothing was sent.
 */
static inline u32 haul_tsval_onward(u32 tsval, u32 last)
{
	return last - tsval < HAUL_TSVAL_AHEAD ? last : tsval;
}

#endif /* HAUL_CORE_SEQ_H */
