/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space: rounding. */
#ifndef HAUL_SHIM_LINUX_MATH_H
#define HAUL_SHIM_LINUX_MATH_H

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define round_up(x, y)		((((x) - 1) | ((__typeof__(x))((y) - 1))) + 1)
#define round_down(x, y)	((x) & ~((__typeof__(x))((y) - 1)))
#define roundup(x, y)		((((x) + ((y) - 1)) / (y)) * (y))
#define rounddown(x, y)		((x) - (x) % (y))

#ifndef abs
#define abs(x)	({ __typeof__(x) abs_ = (x); abs_ < 0 ? -abs_ : abs_; })
#endif

#endif /* HAUL_SHIM_LINUX_MATH_H */
