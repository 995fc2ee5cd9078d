// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into Debian 12's virtiofsd where scripts/vm is run by an ordinary
 * user: overlayfs opens what is below it with O_NOATIME, which only a file's
 * owner may, and virtiofsd passes the flag on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>

typedef int openat_fn(int dir, const char *path, int flags, ...);

int openat64(int dir, const char *path, int flags, ...)
{
	openat_fn *next = (openat_fn *)dlsym(RTLD_NEXT, "openat64");
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return next(dir, path, flags & ~O_NOATIME, mode);
}

/* What a call without a mode becomes under _FORTIFY_SOURCE. */
int __openat64_2(int dir, const char *path, int flags)
{
	openat_fn *next = (openat_fn *)dlsym(RTLD_NEXT, "openat64");

	return next(dir, path, flags & ~O_NOATIME, 0);
}
