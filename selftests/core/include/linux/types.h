/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for the kernel's header of this name when module/core/ is built for user space: the
 * system's own __u8 ... __be32, and the short names that only the kernel has.
 */
#ifndef HAUL_SHIM_LINUX_TYPES_H
#define HAUL_SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#ifndef __force
#define __force
#endif

#endif /* HAUL_SHIM_LINUX_TYPES_H */
