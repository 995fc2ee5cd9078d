/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space. */
#ifndef HAUL_SHIM_LINUX_LOG2_H
#define HAUL_SHIM_LINUX_LOG2_H

#include <linux/bitops.h>

#define ilog2(n)	(fls64(n) - 1)

#endif /* HAUL_SHIM_LINUX_LOG2_H */
