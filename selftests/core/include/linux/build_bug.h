/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space: checks at compile time. */
#ifndef HAUL_SHIM_LINUX_BUILD_BUG_H
#define HAUL_SHIM_LINUX_BUILD_BUG_H

#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
/* The kernel's takes the message or leaves it; user space has only C11's, which wants one. */
#define static_assert(expr, ...)	_Static_assert(expr, "" #expr)

#endif /* HAUL_SHIM_LINUX_BUILD_BUG_H */
