/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space. */
#ifndef HAUL_SHIM_LINUX_COMPILER_H
#define HAUL_SHIM_LINUX_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define __packed	__attribute__((packed))
#ifndef fallthrough
#define fallthrough	__attribute__((__fallthrough__))
#endif

#endif /* HAUL_SHIM_LINUX_COMPILER_H */
