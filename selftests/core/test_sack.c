// SPDX-License-Identifier: GPL-2.0
/* receiver.c: which SACK blocks an ACK carries (RFC 2018 4, RFC 2883). */
#include "core/receiver.h"
#include "test.h"

static struct haul_receiver at(u32 nxt)
{
	struct haul_receiver rcv;

	haul_receiver_init(&rcv, nxt - 1, 0);
	rcv.wnd = 60000;
	return rcv;
}

static void expect_blocks(const struct haul_block *got, unsigned int num,
			  const struct haul_block *want, unsigned int num_want)
{
	u32 i;

	ASSERT_EQ(num, num_want);
	for (i = 0; i < num; i++) {
		EXPECT_EQ(got[i].start, want[i].start);
		EXPECT_EQ(got[i].end, want[i].end);
	}
}

TEST(newest_block_first)
{
	static const struct haul_block want[] = { { 4000, 4100 }, { 2000, 2100 }, { 6000, 6100 } };
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];

	haul_receiver_ooo(&rcv, 6000, 6100);
	haul_receiver_ooo(&rcv, 2000, 2100);
	haul_receiver_ooo(&rcv, 4000, 4100);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want, 3);
	/* they are repeated, unlike a D-SACK */
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 2), want, 2);
}

TEST(touching_blocks_become_one)
{
	static const struct haul_block want[] = { { 2000, 2400 }, { 6000, 6100 } };
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];

	haul_receiver_ooo(&rcv, 2000, 2100);
	haul_receiver_ooo(&rcv, 2300, 2400);
	haul_receiver_ooo(&rcv, 6000, 6100);
	haul_receiver_ooo(&rcv, 2100, 2300);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want, 2);
}

TEST(block_grows_across_the_wrap)
{
	static const struct haul_block want[] = { { 0xfffffff0, 0x20 } };
	struct haul_receiver rcv = at(0xffffff00);
	struct haul_block out[8];

	haul_receiver_ooo(&rcv, 0, 0x20);
	haul_receiver_ooo(&rcv, 0xfffffff0, 0);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want, 1);
}

TEST(oldest_block_is_forgotten_and_comes_from_the_queue)
{
	static const struct haul_block queue[] = {
		{ 2000, 2100 }, { 3000, 3100 }, { 4000, 4100 }, { 5000, 5100 }, { 6000, 6100 },
	};
	static const struct haul_block want[] = {
		{ 6000, 6100 }, { 5000, 5100 }, { 4000, 4100 }, { 3000, 3100 }, { 2000, 2100 },
	};
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];
	u32 i;

	for (i = 0; i < 5; i++)
		haul_receiver_ooo(&rcv, queue[i].start, queue[i].end);
	EXPECT_EQ(rcv.num_recent, HAUL_RECENT_BLOCKS);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, queue, 5, out, 8), want, 5);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, queue, 5, out, 4), want, 4);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, queue, 5, out, 1), want, 1);
	EXPECT_EQ(haul_receiver_sack_blocks(&rcv, queue, 5, out, 0), 0);
}

TEST(empty_ranges_are_no_blocks)
{
	struct haul_receiver rcv = at(1000);

	haul_receiver_ooo(&rcv, 2000, 2000);
	haul_receiver_ooo(&rcv, 2000, 1999);
	haul_receiver_duplicate(&rcv, 900, 900);
	EXPECT_EQ(rcv.num_recent, 0);
	EXPECT_FALSE(rcv.dsack_valid || rcv.ack_now || rcv.ack_due);
}

TEST(blocks_in_order_are_gone)
{
	static const struct haul_block want[] = { { 4000, 4100 } };
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];

	haul_receiver_ooo(&rcv, 4000, 4100);
	haul_receiver_ooo(&rcv, 2000, 2100);
	rcv.nxt = 2100;
	haul_receiver_advanced(&rcv);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want, 1);
	rcv.nxt = 4000;
	haul_receiver_advanced(&rcv);
	EXPECT_EQ(rcv.num_recent, 0);
}

TEST(as_many_blocks_as_are_remembered_stay)
{
	static const struct haul_block want[] = {
		{ 5000, 5100 }, { 4000, 4100 }, { 3000, 3100 }, { 2000, 2100 },
	};
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];
	u32 i;

	for (i = 0; i < HAUL_RECENT_BLOCKS; i++)
		haul_receiver_ooo(&rcv, 2000 + 1000 * i, 2100 + 1000 * i);
	rcv.nxt = 1500;
	haul_receiver_advanced(&rcv);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want, 4);
}

TEST(dsack_comes_first_and_once)
{
	static const struct haul_block want[] = { { 500, 600 }, { 4000, 4100 } };
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];

	haul_receiver_ooo(&rcv, 4000, 4100);
	haul_receiver_duplicate(&rcv, 500, 600);
	EXPECT_EQ(haul_receiver_sack_blocks(&rcv, NULL, 0, out, 0), 0);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want, 2);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), want + 1, 1);
}

TEST(dsack_above_the_ack_is_followed_by_the_block_around_it)
{
	static const struct haul_block queue[] = { { 2000, 2500 }, { 4000, 4100 } };
	static const struct haul_block want[] = { { 2100, 2200 }, { 2000, 2500 }, { 4000, 4100 } };
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];

	/* around it: one of the recent ones, not the newest */
	haul_receiver_ooo(&rcv, 2000, 2500);
	haul_receiver_ooo(&rcv, 4000, 4100);
	haul_receiver_duplicate(&rcv, 2100, 2200);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, queue, 2, out, 8), want, 3);
	/* one that only the queue knows */
	rcv.num_recent = 1;
	haul_receiver_duplicate(&rcv, 2100, 2200);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, queue, 2, out, 8), want, 3);
	/* exactly the block itself: named twice, that is what tells that it is a duplicate */
	haul_receiver_duplicate(&rcv, 4000, 4100);
	ASSERT_EQ(haul_receiver_sack_blocks(&rcv, queue, 2, out, 8), 3);
	EXPECT_EQ(out[0].start, 4000);
	EXPECT_EQ(out[1].start, 4000);
	EXPECT_EQ(out[2].start, 2000);
	haul_receiver_duplicate(&rcv, 4000, 4100);
	EXPECT_EQ(haul_receiver_sack_blocks(&rcv, queue, 2, out, 1), 1);
}

TEST(touching_duplicates_are_one_report)
{
	static const struct haul_block joined[] = { { 400, 700 } };
	static const struct haul_block latest[] = { { 800, 900 } };
	struct haul_receiver rcv = at(1000);
	struct haul_block out[8];

	haul_receiver_duplicate(&rcv, 500, 600);
	haul_receiver_duplicate(&rcv, 600, 700);
	haul_receiver_duplicate(&rcv, 400, 550);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), joined, 1);
	haul_receiver_duplicate(&rcv, 500, 600);
	haul_receiver_duplicate(&rcv, 800, 900);
	expect_blocks(out, haul_receiver_sack_blocks(&rcv, NULL, 0, out, 8), latest, 1);
}

/*
 * A random reassembly queue: all blocks reported are held, none overlaps another, the newest
 * arrival is in the first.
 */
TEST(random_arrivals)
{
	u32 round, i, j, n;

	for (round = 0; round < 300; round++) {
		bool held[64] = {};
		struct haul_receiver rcv = at(0xffffffe0);
		struct haul_block out[HAUL_SACK_MAX];

		for (i = 0; i < 40; i++) {
			u32 cell = 1 + test_random_below(63), start = cell, end = cell + 1;

			held[cell] = true;
			while (start > 1 && held[start - 1])
				start--;
			while (end < 64 && held[end])
				end++;
			haul_receiver_ooo(&rcv, rcv.nxt + start, rcv.nxt + end);
			n = haul_receiver_sack_blocks(&rcv, NULL, 0, out, HAUL_SACK_MAX);
			ASSERT_TRUE(n >= 1 && n <= HAUL_RECENT_BLOCKS);
			ASSERT_TRUE(haul_between(rcv.nxt + cell, out[0].start, out[0].end - 1));
			for (j = 0; j < n; j++) {
				u32 x;

				for (x = out[j].start - rcv.nxt; x < out[j].end - rcv.nxt; x++)
					ASSERT_TRUE(x < 64 && held[x]);
				ASSERT_TRUE(!j || haul_before(out[j].end, out[0].start) ||
					    haul_after(out[j].start, out[0].end));
			}
		}
	}
}
