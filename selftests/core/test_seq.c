// SPDX-License-Identifier: GPL-2.0
/* seq.h: comparisons on the circle of 2^32, above all where it wraps. */
#include "core/seq.h"
#include "test.h"

TEST(before_and_after)
{
	EXPECT_TRUE(haul_before(1, 2));
	EXPECT_FALSE(haul_before(2, 1));
	EXPECT_FALSE(haul_before(7, 7));
	EXPECT_TRUE(haul_after(2, 1));
	EXPECT_FALSE(haul_after(1, 2));
	EXPECT_FALSE(haul_after(7, 7));
}

TEST(before_across_the_wrap)
{
	EXPECT_TRUE(haul_before(0xffffffff, 0));
	EXPECT_TRUE(haul_before(0xfffffff0, 0x10));
	EXPECT_FALSE(haul_before(0x10, 0xfffffff0));
	EXPECT_TRUE(haul_after(0, 0xffffffff));
	/* just less than half of the circle ahead, and just more */
	EXPECT_TRUE(haul_before(0xf0000000, 0xf0000000 + 0x7fffffff));
	EXPECT_FALSE(haul_before(0xf0000000, 0xf0000000 + 0x80000001));
}

TEST(between_includes_both_ends)
{
	EXPECT_TRUE(haul_between(10, 10, 20));
	EXPECT_TRUE(haul_between(20, 10, 20));
	EXPECT_TRUE(haul_between(15, 10, 20));
	EXPECT_FALSE(haul_between(9, 10, 20));
	EXPECT_FALSE(haul_between(21, 10, 20));
	EXPECT_TRUE(haul_between(5, 5, 5));
	EXPECT_FALSE(haul_between(6, 5, 5));
}

TEST(between_across_the_wrap)
{
	EXPECT_TRUE(haul_between(0, 0xfffffff0, 0x10));
	EXPECT_TRUE(haul_between(0xfffffff0, 0xfffffff0, 0x10));
	EXPECT_TRUE(haul_between(0x10, 0xfffffff0, 0x10));
	EXPECT_FALSE(haul_between(0x11, 0xfffffff0, 0x10));
	EXPECT_FALSE(haul_between(0xffffffef, 0xfffffff0, 0x10));
}

TEST(max_and_min)
{
	EXPECT_EQ(haul_seq_max(3, 9), 9);
	EXPECT_EQ(haul_seq_min(3, 9), 3);
	EXPECT_EQ(haul_seq_max(0xfffffffe, 4), 4);
	EXPECT_EQ(haul_seq_min(4, 0xfffffffe), 0xfffffffe);
	EXPECT_EQ(haul_seq_max(4, 0xfffffffe), 4);
	EXPECT_EQ(haul_seq_min(0xfffffffe, 4), 0xfffffffe);
}

TEST(timestamps_go_on)
{
	EXPECT_EQ(haul_tsval_onward(8, 7), 8);
	EXPECT_EQ(haul_tsval_onward(7, 7), 7);
	EXPECT_EQ(haul_tsval_onward(6, 7), 7);
	EXPECT_EQ(haul_tsval_onward(0xfffffffe, 3), 3);
	EXPECT_EQ(haul_tsval_onward(3, 0xfffffffe), 3);
	/* as far as a departure may be planned ahead, and one more: a rest of most of the circle */
	EXPECT_EQ(haul_tsval_onward(5, 4 + HAUL_TSVAL_AHEAD), 4 + HAUL_TSVAL_AHEAD);
	EXPECT_EQ(haul_tsval_onward(4, 4 + HAUL_TSVAL_AHEAD), 4);
	/* a rest of more than half of it */
	EXPECT_EQ(haul_tsval_onward(7 + 0x90000000, 7), 7 + 0x90000000);
}
