/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long one case may take, where it does not say so itself: selftests/Makefile puts this in
 * front of each test. The framework's 30 seconds are those of a machine that has nothing else to
 * do; an emulated one that shares its processors, or has the debug kernel, needs several times
 * that. Who hangs is found all the same, and before the file's time (settings) is over.
 */
#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120
