/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for the kernel's header of this name in user space: a warning there fails the test
 * here.
 */
#ifndef HAUL_SHIM_LINUX_BUG_H
#define HAUL_SHIM_LINUX_BUG_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/build_bug.h>

#define WARN_ON(cond) ({							\
	bool warn_ = !!(cond);							\
	if (warn_) {								\
		printf("# %s:%d: WARN_ON(%s)\n", __FILE__, __LINE__, #cond);	\
		fflush(stdout);							\
		abort();							\
	}									\
	warn_; })
#define WARN_ON_ONCE(cond)	WARN_ON(cond)

#endif /* HAUL_SHIM_LINUX_BUG_H */
