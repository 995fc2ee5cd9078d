/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space: single bits. */
#ifndef HAUL_SHIM_LINUX_BITS_H
#define HAUL_SHIM_LINUX_BITS_H

#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))

#endif /* HAUL_SHIM_LINUX_BITS_H */
