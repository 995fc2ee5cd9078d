/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space: what module/core/ uses of it. */
#ifndef HAUL_SHIM_LINUX_KERNEL_H
#define HAUL_SHIM_LINUX_KERNEL_H

#include <linux/types.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/math.h>
#include <linux/minmax.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define U8_MAX	((u8)~0U)
#define U16_MAX	((u16)~0U)
#define U32_MAX	((u32)~0U)
#define S32_MAX	((s32)(U32_MAX >> 1))
#define U64_MAX	((u64)~0ULL)

#endif /* HAUL_SHIM_LINUX_KERNEL_H */
