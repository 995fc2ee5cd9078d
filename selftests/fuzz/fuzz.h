/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers of module/core/ share. Each fuzz_NAME.c has one function fuzz(), which takes its
 * decisions from the bytes that libFuzzer gives; when they are used up, every number is 0, so any
 * input ends. ASan and UBSan watch the code under test, CHECK() compares it with a model.
 */
#ifndef HAUL_SELFTESTS_FUZZ_H
#define HAUL_SELFTESTS_FUZZ_H

#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const u8 *at;
	size_t left;
};

/* one run; the whole of a fuzzer */
void fuzz(struct input *in);

static inline u8 take_u8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u16 take_u16(struct input *in)
{
	u16 high = take_u8(in);

	return high << 8 | take_u8(in);
}

static inline u32 take_u32(struct input *in)
{
	u32 high = take_u16(in);

	return high << 16 | take_u16(in);
}

/* of any size, but as often small as large: a byte says how many bits */
static inline u64 take_spread(struct input *in, unsigned int bits)
{
	unsigned int width = take_u8(in) % (bits + 1);
	u64 value = (u64)take_u32(in) << 32;

	value |= take_u32(in);
	return width ? value >> (64 - width) : 0;
}

static inline u32 take_below(struct input *in, u32 limit)
{
	return (limit <= 256 ? take_u8(in) : limit <= 65536 ? take_u16(in) : take_u32(in)) % limit;
}

/* the model and the code disagree, or a promise is broken */
#define CHECK(cond) do {								\
	if (!(cond)) {									\
		fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond);	\
		abort();								\
	} } while (0)

#define CHECK_EQ(a, b) do {								\
	long long check_a_ = (long long)(a), check_b_ = (long long)(b);			\
	if (check_a_ != check_b_) {							\
		fprintf(stderr, "%s:%d: %s is %lld, %s is %lld\n", __FILE__, __LINE__,	\
			#a, check_a_, #b, check_b_);					\
		abort();								\
	} } while (0)

#endif /* HAUL_SELFTESTS_FUZZ_H */
