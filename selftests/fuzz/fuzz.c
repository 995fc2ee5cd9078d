// SPDX-License-Identifier: GPL-2.0
/* libFuzzer's entry, and what selftests/core's test.h wants of whoever uses its helpers. */
#include <stdarg.h>
#include "fuzz.h"
#include "core/test.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	fuzz(&in);
	return 0;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void test_abandon(void)
{
	abort();
}
