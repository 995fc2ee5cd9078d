/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for the kernel's header of this name in user space: the highest bit set, counted from
 * 1.
 */
#ifndef HAUL_SHIM_LINUX_BITOPS_H
#define HAUL_SHIM_LINUX_BITOPS_H

#include <linux/types.h>
#include <linux/bits.h>

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline unsigned int hweight32(u32 x)
{
	return __builtin_popcount(x);
}

#endif /* HAUL_SHIM_LINUX_BITOPS_H */
