/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of module/core/ in user space.
 *
 * TEST(name) { EXPECT_EQ(haul_seq_max(1, 2), 2); }
 *
 * in test_seq.c is the test "seq.name"; nothing has to be listed elsewhere. An EXPECT_* that fails
 * is printed with both values and the test goes on; an ASSERT_* ends it. Values are compared as
 * long long, so ~0U is not -1. Each test runs in a process of its own: a sanitizer's complaint
 * fails that one only.
 */
#ifndef HAUL_SELFTESTS_CORE_TEST_H
#define HAUL_SELFTESTS_CORE_TEST_H

#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
	const char *file;
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void test_abandon(void);

/* The next number of a sequence that HAUL_TEST_SEED fixes. */
u64 test_random(void);

/* The next number of that sequence, in [0, limit). */
static inline u32 test_random_below(u32 limit)
{
	return test_random() % limit;
}

#define TEST(id)									\
	static void test_##id(void);							\
	static void __attribute__((constructor)) test_register_##id(void)		\
	{										\
		static struct test test = { __FILE__, #id, test_##id, NULL };		\
											\
		test_register(&test);							\
	}										\
	static void test_##id(void)

#define TEST_COMPARE(a, op, b) ({							\
	long long test_a_ = (long long)(a);						\
	long long test_b_ = (long long)(b);						\
	bool test_ok_ = test_a_ op test_b_;						\
	if (!test_ok_)									\
		test_fail(__FILE__, __LINE__, "%s %s %s: %lld (0x%llx) against %lld (0x%llx)",	\
			  #a, #op, #b, test_a_, test_a_, test_b_, test_b_);		\
	test_ok_; })

#define EXPECT_EQ(a, b)		((void)TEST_COMPARE(a, ==, b))
#define EXPECT_NE(a, b)		((void)TEST_COMPARE(a, !=, b))
#define EXPECT_LT(a, b)		((void)TEST_COMPARE(a, <, b))
#define EXPECT_LE(a, b)		((void)TEST_COMPARE(a, <=, b))
#define EXPECT_GT(a, b)		((void)TEST_COMPARE(a, >, b))
#define EXPECT_GE(a, b)		((void)TEST_COMPARE(a, >=, b))
#define EXPECT_TRUE(a)		EXPECT_NE(a, 0)
#define EXPECT_FALSE(a)		EXPECT_EQ(a, 0)
#define EXPECT_STREQ(a, b) ({								\
	const char *test_s_ = (a), *test_t_ = (b);					\
	if (strcmp(test_s_, test_t_))							\
		test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #a, test_s_, test_t_); })

#define ASSERT_EQ(a, b)		do { if (!TEST_COMPARE(a, ==, b)) test_abandon(); } while (0)
#define ASSERT_NE(a, b)		do { if (!TEST_COMPARE(a, !=, b)) test_abandon(); } while (0)
#define ASSERT_LE(a, b)		do { if (!TEST_COMPARE(a, <=, b)) test_abandon(); } while (0)
#define ASSERT_GE(a, b)		do { if (!TEST_COMPARE(a, >=, b)) test_abandon(); } while (0)
#define ASSERT_TRUE(a)		ASSERT_NE(a, 0)
#define ASSERT_FALSE(a)		ASSERT_EQ(a, 0)

#endif /* HAUL_SELFTESTS_CORE_TEST_H */
