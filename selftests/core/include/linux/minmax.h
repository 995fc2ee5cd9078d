/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for the kernel's header of this name in user space. As strict as the oldest kernel that
 * Haul builds for: min(), max() and clamp() take operands of one type, so a mixed pair fails here
 * and not first over there.
 */
#ifndef HAUL_SHIM_LINUX_MINMAX_H
#define HAUL_SHIM_LINUX_MINMAX_H

#define HAUL_SHIM_PICK(a, b, op) ({			\
	__typeof__(a) pick_a_ = (a);			\
	__typeof__(b) pick_b_ = (b);			\
	(void)(&pick_a_ == &pick_b_);			\
	pick_a_ op pick_b_ ? pick_a_ : pick_b_; })

#define HAUL_SHIM_PICK_T(type, a, b, op) ({		\
	type pickt_a_ = (a);				\
	type pickt_b_ = (b);				\
	pickt_a_ op pickt_b_ ? pickt_a_ : pickt_b_; })

#define HAUL_SHIM_CLAMP(type, val, lo, hi) ({		\
	type clamp_v_ = (val);				\
	type clamp_l_ = (lo);				\
	type clamp_h_ = (hi);				\
	clamp_v_ < clamp_l_ ? clamp_l_ :		\
	clamp_v_ > clamp_h_ ? clamp_h_ : clamp_v_; })

#define min(a, b)		HAUL_SHIM_PICK(a, b, <)
#define max(a, b)		HAUL_SHIM_PICK(a, b, >)
#define min_t(type, a, b)	HAUL_SHIM_PICK_T(type, a, b, <)
#define max_t(type, a, b)	HAUL_SHIM_PICK_T(type, a, b, >)
#define min3(a, b, c)		min(min(a, b), c)
#define max3(a, b, c)		max(max(a, b), c)

#define clamp(val, lo, hi) ({						\
	(void)sizeof((__typeof__(val) *)0 == (__typeof__(lo) *)0);	\
	(void)sizeof((__typeof__(val) *)0 == (__typeof__(hi) *)0);	\
	HAUL_SHIM_CLAMP(__typeof__(val), val, lo, hi); })
#define clamp_t(type, val, lo, hi)	HAUL_SHIM_CLAMP(type, val, lo, hi)
#define clamp_val(val, lo, hi)		HAUL_SHIM_CLAMP(__typeof__(val), val, lo, hi)

#define swap(a, b) \
	do { __typeof__(a) swap_ = (a); (a) = (b); (b) = swap_; } while (0)

#endif /* HAUL_SHIM_LINUX_MINMAX_H */
