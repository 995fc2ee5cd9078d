// SPDX-License-Identifier: GPL-2.0
/* receiver.c: acceptability, the window, PAWS, when ACKs are due, autotuning. */
#include "core/receiver.h"
#include "test.h"

#define MS	1000ULL
#define SECOND	(1000 * MS)
#define MSS	1000U
#define BUFFER	1000000U

/* RCV.NXT is @nxt, and a window of @wnd was announced there. */
static struct haul_receiver at(u32 nxt, u32 wnd)
{
	struct haul_receiver rcv;

	memset(&rcv, 0xee, sizeof(rcv));
	haul_receiver_init(&rcv, nxt - 1, 0);
	rcv.adv_mss = MSS;
	rcv.mss = MSS;
	rcv.wnd = wnd;
	return rcv;
}

/* The same, its cap as large as the buffer, past the first segments' quick ACKs. */
static struct haul_receiver grown(u32 nxt, u32 wnd)
{
	struct haul_receiver rcv = at(nxt, wnd);

	rcv.ssthresh = BUFFER;
	rcv.last_data_us = SECOND;
	return rcv;
}

static void data(struct haul_receiver *rcv, u32 len, u64 now)
{
	rcv->nxt += len;
	haul_receiver_data(rcv, len, now);
	haul_receiver_advanced(rcv);
}

TEST(init)
{
	struct haul_receiver rcv;

	memset(&rcv, 0xee, sizeof(rcv));
	haul_receiver_init(&rcv, 0xffffffff, 0);
	EXPECT_EQ(rcv.irs, 0xffffffff);
	EXPECT_EQ(rcv.nxt, 0);
	EXPECT_EQ(rcv.copied, 0);
	EXPECT_EQ(rcv.last_ack, 0);
	EXPECT_EQ(rcv.clamp, HAUL_MAX_WINDOW);
	EXPECT_EQ(rcv.mss, HAUL_DEFAULT_MSS);
	EXPECT_EQ(haul_receiver_wnd(&rcv), 0);
	EXPECT_FALSE(rcv.ack_now || rcv.ack_due || rcv.dsack_valid);
	EXPECT_EQ(rcv.num_recent, 0);
	EXPECT_EQ(rcv.ts_recent_us, 0);
	haul_receiver_init(&rcv, 100, 0);
	EXPECT_EQ(rcv.copied, 101);
	EXPECT_EQ(rcv.wup, 101);
	EXPECT_EQ(rcv.space_seq, 101);
	EXPECT_EQ(rcv.ato_us, HAUL_DELACK_MIN_US);
	haul_receiver_init(&rcv, 0, 5000);
	EXPECT_EQ(rcv.clamp, 5000);
	EXPECT_EQ(rcv.ssthresh, 5000);
	haul_receiver_init(&rcv, 0, 0xffffffff);
	EXPECT_EQ(rcv.clamp, HAUL_MAX_WINDOW);
}

/* --- acceptability: protocol.rst 4.1 step 6 --- */

TEST(acceptable_with_closed_window)
{
	struct haul_receiver rcv = at(1000, 0);

	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 1000, 1000));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 999, 999));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 1001, 1001));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 1000, 1001));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 990, 1010));
}

TEST(acceptable_empty)
{
	struct haul_receiver rcv = at(1000, 100);

	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 999, 999));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 1000, 1000));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 1100, 1100));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 1101, 1101));
}

TEST(acceptable_with_data)
{
	struct haul_receiver rcv = at(1000, 100);

	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 900, 1000));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 900, 1001));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 1000, 1100));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 1099, 1200));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 1100, 1101));
	/* more than the window on both sides: what is inside counts */
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 900, 1200));
}

TEST(acceptable_across_the_wrap)
{
	struct haul_receiver rcv = at(0xfffffff0, 0x20);

	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 0xfffffff0, 0x10));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 0xf, 0x20));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 0x10, 0x20));
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 0x10, 0x10));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 0xffffff00, 0xfffffff0));
}

TEST(acceptable_counts_the_window_from_where_it_was_announced)
{
	struct haul_receiver rcv = at(1000, 100);

	rcv.nxt = 1090;
	EXPECT_EQ(haul_receiver_wnd(&rcv), 10);
	EXPECT_TRUE(haul_receiver_acceptable(&rcv, 1099, 1100));
	EXPECT_FALSE(haul_receiver_acceptable(&rcv, 1100, 1101));
	rcv.nxt = 1101;		/* a FIN just beyond */
	EXPECT_EQ(haul_receiver_wnd(&rcv), 0);
}

/* --- window --- */

TEST(window_is_what_the_buffer_takes)
{
	struct haul_receiver rcv = grown(1000, 0);

	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 123457, BUFFER), 123457);
	EXPECT_EQ(rcv.wup, 1000);
	EXPECT_EQ(rcv.wnd, 123457);
}

TEST(window_is_capped)
{
	struct haul_receiver rcv = grown(1000, 0);

	rcv.ssthresh = 70000;
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, BUFFER, BUFFER), 70000);
	rcv.ssthresh = ~0U;
	rcv.clamp = 90000;
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, BUFFER, BUFFER), 90000);
	rcv = grown(1000, 0);
	rcv.ssthresh = ~0U;
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, ~0U, ~0U), HAUL_MAX_WINDOW);
}

TEST(window_is_not_taken_back)
{
	struct haul_receiver rcv = grown(1000, 50000);

	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 10000, BUFFER), 50000);
	rcv.nxt += 20000;
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 0, BUFFER), 30000);
	EXPECT_EQ(rcv.wup + rcv.wnd, 51000);
	rcv.nxt += 30000;
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 0, BUFFER), 0);
}

TEST(window_opens_by_a_segment_at_least)
{
	struct haul_receiver rcv = grown(1000, 0);

	EXPECT_EQ(haul_receiver_select_wnd(&rcv, MSS - 1, BUFFER), 0);
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, MSS, BUFFER), MSS);
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 2 * MSS - 1, BUFFER), MSS);
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 2 * MSS, BUFFER), 2 * MSS);
}

TEST(window_of_a_small_buffer_opens_by_half_of_it)
{
	struct haul_receiver rcv = grown(1000, 0);

	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 299, 600), 0);
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 300, 600), 300);
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 599, 600), 300);
	EXPECT_EQ(haul_receiver_select_wnd(&rcv, 600, 600), 600);
}

/*
 * Whatever comes, the right edge never moves left, and never past the buffer unless it was there.
 */
TEST(right_edge_never_moves_left)
{
	struct haul_receiver rcv = grown(0xffff0000, 0);
	u32 round, edge = rcv.nxt;

	for (round = 0; round < 100000; round++) {
		u32 space = test_random_below(BUFFER + 1);

		rcv.nxt += test_random_below(haul_receiver_wnd(&rcv) + 1);
		haul_receiver_select_wnd(&rcv, space, BUFFER);
		ASSERT_FALSE(haul_before(rcv.wup + rcv.wnd, edge));
		ASSERT_TRUE(rcv.wup + rcv.wnd == edge || rcv.wnd <= space);
		edge = rcv.wup + rcv.wnd;
	}
}

TEST(window_update)
{
	struct haul_receiver rcv = grown(1000, 0);

	/* closed: any step that may be announced */
	EXPECT_FALSE(haul_receiver_wnd_update_due(&rcv, MSS - 1, BUFFER));
	EXPECT_TRUE(haul_receiver_wnd_update_due(&rcv, MSS, BUFFER));
	/* open: only if it at least doubles */
	rcv.wnd = 10000;
	EXPECT_FALSE(haul_receiver_wnd_update_due(&rcv, 10000, BUFFER));
	EXPECT_FALSE(haul_receiver_wnd_update_due(&rcv, 19999, BUFFER));
	EXPECT_TRUE(haul_receiver_wnd_update_due(&rcv, 20000, BUFFER));
	EXPECT_FALSE(haul_receiver_wnd_update_due(&rcv, 0, BUFFER));
	/* nothing was announced by asking */
	EXPECT_EQ(rcv.wnd, 10000);
	EXPECT_EQ(rcv.wup, 1000);
}

/* used up: less is left, and could be added, than a sender would break its silence for */
TEST(full)
{
	struct haul_receiver rcv = grown(1000, 10000);

	EXPECT_FALSE(haul_receiver_full(&rcv, 10000, BUFFER));
	/* what was announced may still come */
	EXPECT_FALSE(haul_receiver_full(&rcv, 0, BUFFER));
	rcv.nxt += 10000 - MSS;
	EXPECT_FALSE(haul_receiver_full(&rcv, 0, BUFFER));
	rcv.nxt += 1;
	EXPECT_TRUE(haul_receiver_full(&rcv, 0, BUFFER));
	/* not if the next acknowledgment offers more */
	EXPECT_FALSE(haul_receiver_full(&rcv, 2 * MSS, BUFFER));
	EXPECT_TRUE(haul_receiver_full(&rcv, 2 * MSS - 2, BUFFER));
	rcv.nxt += MSS - 1;
	EXPECT_TRUE(haul_receiver_full(&rcv, MSS - 1, BUFFER));
	EXPECT_FALSE(haul_receiver_full(&rcv, MSS, BUFFER));
	/* a buffer smaller than two segments is used up by halves */
	EXPECT_TRUE(haul_receiver_full(&rcv, 499, 1000));
	EXPECT_FALSE(haul_receiver_full(&rcv, 500, 1000));
}

TEST(cap_grows_with_decent_segments_only)
{
	struct haul_receiver rcv = at(1000, 65535);
	u32 first = rcv.ssthresh;

	data(&rcv, MSS / 2 - 1, SECOND);
	EXPECT_EQ(rcv.ssthresh, first);
	data(&rcv, MSS / 2, SECOND);
	EXPECT_EQ(rcv.ssthresh, first + MSS);
	data(&rcv, MSS, SECOND);
	EXPECT_EQ(rcv.ssthresh, first + 3 * MSS);
	data(&rcv, 40 * MSS, SECOND);
	EXPECT_EQ(rcv.ssthresh, first + 83 * MSS);
	rcv.clamp = first + 84 * MSS;
	data(&rcv, MSS, SECOND);
	EXPECT_EQ(rcv.ssthresh, rcv.clamp);
}

TEST(segment_size_is_learnt)
{
	struct haul_receiver rcv = at(1000, 65535);

	rcv.mss = HAUL_DEFAULT_MSS;
	data(&rcv, 100, SECOND);
	EXPECT_EQ(rcv.mss, HAUL_DEFAULT_MSS);
	data(&rcv, 700, SECOND);
	EXPECT_EQ(rcv.mss, 700);
	data(&rcv, 600, SECOND);
	EXPECT_EQ(rcv.mss, 700);
	/* a merged one is no larger segment */
	data(&rcv, 20000, SECOND);
	EXPECT_EQ(rcv.mss, MSS);
}

/* --- timestamps --- */

TEST(paws)
{
	struct haul_receiver rcv = at(1000, 100);

	EXPECT_FALSE(haul_receiver_paws_old(&rcv, 0, SECOND));
	haul_receiver_update_ts(&rcv, 1000, 0xfffffff0, SECOND);
	EXPECT_EQ(rcv.ts_recent, 0xfffffff0);
	EXPECT_TRUE(haul_receiver_paws_old(&rcv, 0xffffffef, SECOND));
	EXPECT_FALSE(haul_receiver_paws_old(&rcv, 0xfffffff0, SECOND));
	EXPECT_FALSE(haul_receiver_paws_old(&rcv, 5, SECOND));
	EXPECT_TRUE(haul_receiver_paws_old(&rcv, 0x7ffffff1, SECOND));
}

TEST(paws_expires)
{
	struct haul_receiver rcv = at(1000, 100);

	haul_receiver_update_ts(&rcv, 1000, 5000, SECOND);
	EXPECT_TRUE(haul_receiver_paws_old(&rcv, 4999, SECOND + HAUL_PAWS_EXPIRE_US));
	EXPECT_FALSE(haul_receiver_paws_old(&rcv, 4999, SECOND + HAUL_PAWS_EXPIRE_US + 1));
	/* and then an older one is taken */
	haul_receiver_update_ts(&rcv, 1000, 4999, SECOND + HAUL_PAWS_EXPIRE_US + 1);
	EXPECT_EQ(rcv.ts_recent, 4999);
	EXPECT_TRUE(haul_receiver_paws_old(&rcv, 4998, SECOND + 2 * HAUL_PAWS_EXPIRE_US));
}

TEST(ts_recent_counts_at_time_0)
{
	struct haul_receiver rcv = at(1000, 100);

	haul_receiver_update_ts(&rcv, 1000, 5000, 0);
	EXPECT_TRUE(haul_receiver_paws_old(&rcv, 4999, 1));
}

TEST(ts_recent_is_the_earliest_to_be_acknowledged)
{
	struct haul_receiver rcv = at(1000, 10000);

	haul_receiver_update_ts(&rcv, 1000, 10, SECOND);
	data(&rcv, 500, SECOND);
	/* the second of two segments that one ACK will cover: the echo stays with the first */
	haul_receiver_update_ts(&rcv, 1500, 20, SECOND);
	EXPECT_EQ(rcv.ts_recent, 10);
	haul_receiver_ack_sent(&rcv);
	haul_receiver_update_ts(&rcv, 1500, 30, SECOND);
	EXPECT_EQ(rcv.ts_recent, 30);
	/* out of order: not; old: not */
	haul_receiver_update_ts(&rcv, 2500, 40, SECOND);
	EXPECT_EQ(rcv.ts_recent, 30);
	haul_receiver_update_ts(&rcv, 1500, 29, SECOND);
	EXPECT_EQ(rcv.ts_recent, 30);
}

TEST(equal_timestamp_refreshes)
{
	struct haul_receiver rcv = at(1000, 10000);

	haul_receiver_update_ts(&rcv, 1000, 10, SECOND);
	haul_receiver_update_ts(&rcv, 1000, 10, SECOND + HAUL_PAWS_EXPIRE_US);
	EXPECT_TRUE(haul_receiver_paws_old(&rcv, 9, SECOND + 2 * HAUL_PAWS_EXPIRE_US));
}

/* --- when an ACK is due --- */

TEST(nothing_owed_nothing_due)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, true));
}

TEST(every_second_full_segment)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	data(&rcv, MSS, SECOND + MS);
	EXPECT_TRUE(rcv.ack_due);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	data(&rcv, 1, SECOND + 2 * MS);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	haul_receiver_ack_sent(&rcv);
	EXPECT_FALSE(rcv.ack_due);
	EXPECT_EQ(rcv.last_ack, 1000 + MSS + 1);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	/* a merged one is several */
	data(&rcv, 2 * MSS, SECOND + 3 * MS);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
}

TEST(small_segments_wait)
{
	struct haul_receiver rcv = grown(1000, BUFFER);
	u32 i;

	for (i = 0; i < 10; i++) {
		data(&rcv, 100, SECOND + i);
		EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
	}
	data(&rcv, 100, SECOND + i);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
}

TEST(holes_are_acknowledged_at_once)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	haul_receiver_ooo(&rcv, 1100, 1200);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, true));
	haul_receiver_ack_sent(&rcv);
	/* a part of the hole is filled */
	data(&rcv, 10, SECOND + MS);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, true));
	haul_receiver_ack_sent(&rcv);
	/* and the rest: no hole is left, still at once */
	data(&rcv, 190, SECOND + MS);
	EXPECT_EQ(rcv.num_recent, 0);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
	haul_receiver_ack_sent(&rcv);
	data(&rcv, 10, SECOND + MS);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
}

TEST(duplicates_are_acknowledged_at_once)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	haul_receiver_duplicate(&rcv, 900, 1000);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
	haul_receiver_ack_sent(&rcv);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, BUFFER, BUFFER, false));
}

TEST(first_segments_are_acknowledged_at_once)
{
	struct haul_receiver rcv = at(1000, 60 * MSS);
	u32 i;

	for (i = 0; i < HAUL_MAX_QUICKACKS; i++) {
		data(&rcv, 10, SECOND + i);
		ASSERT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
		haul_receiver_ack_sent(&rcv);
	}
	data(&rcv, 10, SECOND + i);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	/* after a silence the sender starts small again */
	data(&rcv, 10, 2 * SECOND);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
}

TEST(interactive_flow_waits_for_data_to_ride_on)
{
	struct haul_receiver rcv = at(1000, 60 * MSS);

	rcv.interactive = true;
	data(&rcv, 10, SECOND);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	haul_receiver_enter_quickack(&rcv);
	EXPECT_FALSE(rcv.interactive);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
}

/* a question of @len bytes, sent to its end */
static void question(struct haul_receiver *rcv, u32 len, u64 now)
{
	data(rcv, len, now);
	rcv->pushed = true;
}

TEST(ack_of_a_question_waits_where_answers_are_prompt)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	/* so they are taken to be until one is late; who speaks first answers nothing */
	rcv.last_data_us = 0;
	haul_receiver_answered(&rcv, SECOND);
	rcv.last_data_us = SECOND;
	question(&rcv, 3 * MSS, SECOND + MS);
	EXPECT_TRUE(haul_receiver_may_hold(&rcv));
	haul_receiver_answered(&rcv, SECOND + MS + HAUL_ACK_HOLD_US + 1);
	haul_receiver_ack_sent(&rcv);
	question(&rcv, 3 * MSS, SECOND + MS);
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
	haul_receiver_answered(&rcv, SECOND + MS + HAUL_ACK_HOLD_US);
	haul_receiver_ack_sent(&rcv);
	question(&rcv, 3 * MSS, SECOND + 2 * MS);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	EXPECT_TRUE(haul_receiver_may_hold(&rcv));
	/* held, the program's reading does not call it forth; a window that opens wide does */
	rcv.ack_held = true;
	rcv.wnd = 10 * MSS;
	EXPECT_FALSE(haul_receiver_wnd_update_due(&rcv, MSS, BUFFER));
	EXPECT_TRUE(haul_receiver_wnd_update_due(&rcv, 20 * MSS, BUFFER));
	haul_receiver_ack_sent(&rcv);
	EXPECT_FALSE(rcv.ack_held);
	/* a late answer, and the next is acknowledged as ever */
	haul_receiver_answered(&rcv, SECOND + 2 * MS + HAUL_ACK_HOLD_US + 1);
	question(&rcv, 3 * MSS, SECOND + 3 * MS);
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
}

TEST(ack_is_not_held_for_much_or_unfinished_data)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	rcv.prompt = true;
	data(&rcv, 3 * MSS, SECOND + MS);
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
	rcv.pushed = true;
	EXPECT_TRUE(haul_receiver_may_hold(&rcv));
	rcv.ack_now = true;
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
	rcv.ack_now = false;
	rcv.quickacks = 1;
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
	rcv.quickacks = 0;
	question(&rcv, 16384, SECOND + MS);
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
}

TEST(ack_of_less_than_a_segment_waits_among_the_first)
{
	struct haul_receiver rcv = at(1000, 60 * MSS);

	question(&rcv, MSS - 1, SECOND + MS);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	EXPECT_TRUE(haul_receiver_may_hold(&rcv));
	question(&rcv, 1, SECOND + MS);
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
}

TEST(ack_of_a_fin_is_due_at_once_but_may_ride_on_ours)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	rcv.prompt = false;
	rcv.nxt++;
	haul_receiver_data(&rcv, 0, SECOND + MS);
	haul_receiver_fin(&rcv);
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	EXPECT_TRUE(haul_receiver_may_hold(&rcv));
	rcv.ack_now = true;
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
	haul_receiver_ack_sent(&rcv);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, 0, BUFFER, false));
	EXPECT_FALSE(haul_receiver_may_hold(&rcv));
}

TEST(quickacks_follow_the_window)
{
	struct haul_receiver rcv = at(1000, 0);

	haul_receiver_enter_quickack(&rcv);
	EXPECT_EQ(rcv.quickacks, 2);
	rcv.wnd = 10 * MSS;
	haul_receiver_enter_quickack(&rcv);
	EXPECT_EQ(rcv.quickacks, 5);
	rcv.wnd = HAUL_MAX_WINDOW;
	haul_receiver_enter_quickack(&rcv);
	EXPECT_EQ(rcv.quickacks, HAUL_MAX_QUICKACKS);
	rcv.wnd = 0;
	haul_receiver_enter_quickack(&rcv);
	EXPECT_EQ(rcv.quickacks, HAUL_MAX_QUICKACKS);
}

TEST(wide_opening_is_told_at_once)
{
	struct haul_receiver rcv = grown(1000, 4 * MSS);

	data(&rcv, 100, SECOND + MS);
	EXPECT_FALSE(haul_receiver_ack_at_once(&rcv, 6 * MSS, BUFFER, false));
	EXPECT_TRUE(haul_receiver_ack_at_once(&rcv, 8 * MSS, BUFFER, false));
}

TEST(silence_is_measured_in_round_trips)
{
	struct haul_receiver rcv = grown(1000, BUFFER);

	rcv.rtt_us = SECOND;
	data(&rcv, 10, 3 * SECOND);
	EXPECT_EQ(rcv.quickacks, 0);
	data(&rcv, 10, 5 * SECOND + 1);
	EXPECT_EQ(rcv.quickacks, HAUL_MAX_QUICKACKS);
}

TEST(ack_delay_follows_the_gaps)
{
	struct haul_receiver rcv = grown(1000, BUFFER);
	u64 now = SECOND;

	data(&rcv, 10, now += 35 * MS);
	EXPECT_EQ(rcv.ato_us, 55 * MS);
	data(&rcv, 10, now += 53 * MS);
	EXPECT_EQ(rcv.ato_us, 80500);
	/* longer than the delay: it would not have helped to wait */
	data(&rcv, 10, now += 81 * MS);
	EXPECT_EQ(rcv.ato_us, 80500);
	/* shorter than half of the least delay */
	data(&rcv, 10, now += 15 * MS);
	EXPECT_EQ(rcv.ato_us, 60250);
	haul_receiver_enter_quickack(&rcv);
	EXPECT_EQ(rcv.ato_us, HAUL_DELACK_MIN_US);
}

TEST(ack_delay_stays_within_its_limits)
{
	struct haul_receiver rcv = grown(1000, BUFFER);
	u64 now = SECOND;
	u32 i;

	for (i = 0; i < 10000; i++) {
		now += test_random_below(300000);
		data(&rcv, 10, now);
		ASSERT_GE(rcv.ato_us, HAUL_DELACK_MIN_US);
		ASSERT_LE(rcv.ato_us, HAUL_DELACK_MOST_US);
	}
	/* gaps of a millisecond bring it down */
	for (i = 0; i < 20; i++)
		data(&rcv, 10, now += MS);
	EXPECT_EQ(rcv.ato_us, HAUL_DELACK_MIN_US);
}

/* --- autotuning --- */

TEST(receiver_rtt_is_smoothed)
{
	struct haul_receiver rcv = at(1000, 60000);

	haul_receiver_rtt(&rcv, ~0U);
	EXPECT_EQ(rcv.rtt_us, 0);
	haul_receiver_rtt(&rcv, 8000);
	EXPECT_EQ(rcv.rtt_us, 8000);
	haul_receiver_rtt(&rcv, 16000);
	EXPECT_EQ(rcv.rtt_us, 9000);
	haul_receiver_rtt(&rcv, 1000);
	EXPECT_EQ(rcv.rtt_us, 8000);
	rcv.rtt_us = 0;
	haul_receiver_rtt(&rcv, 0);
	EXPECT_EQ(rcv.rtt_us, 1);
	rcv.rtt_us = 0;
	haul_receiver_rtt(&rcv, 0xfffffffe);
	haul_receiver_rtt(&rcv, 0xfffffffe);
	EXPECT_EQ(rcv.rtt_us, 0xfffffffe);
}

TEST(autotune_waits_for_a_round_trip)
{
	struct haul_receiver rcv = at(0xfffff000, 60000);

	EXPECT_EQ(haul_receiver_autotune(&rcv, SECOND), 0);
	rcv.copied += 100000;
	/* no round trip known */
	EXPECT_EQ(haul_receiver_autotune(&rcv, 2 * SECOND), 0);
	rcv.rtt_us = 3 * SECOND;
	EXPECT_EQ(haul_receiver_autotune(&rcv, 4 * SECOND - 1), 0);
	EXPECT_GE(haul_receiver_autotune(&rcv, 4 * SECOND), 200000);
	/* a new round begins */
	rcv.copied += 500000;
	EXPECT_EQ(haul_receiver_autotune(&rcv, 7 * SECOND - 1), 0);
	EXPECT_GE(haul_receiver_autotune(&rcv, 7 * SECOND), 1000000);
}

TEST(autotune_asks_only_when_more_is_read)
{
	struct haul_receiver rcv = at(1000, 60000);

	rcv.rtt_us = 10 * MS;
	haul_receiver_autotune(&rcv, SECOND);
	/* ten segments fit anyway */
	rcv.copied += 9 * MSS;
	EXPECT_EQ(haul_receiver_autotune(&rcv, SECOND + 10 * MS), 0);
	rcv.copied += 20 * MSS;
	/* 2 * 20 + 16 segments, plus twice that for the doubling */
	EXPECT_EQ(haul_receiver_autotune(&rcv, SECOND + 20 * MS), 168 * MSS);
	EXPECT_EQ(rcv.space, 20 * MSS);
	/* within a segment of what was read before: the window may be what holds the reader back */
	rcv.copied += 19 * MSS;
	EXPECT_EQ(haul_receiver_autotune(&rcv, SECOND + 25 * MS), 0);
	rcv.copied += MSS / 2;
	EXPECT_EQ(haul_receiver_autotune(&rcv, SECOND + 30 * MS), 55 * MSS);
	EXPECT_EQ(rcv.space, 20 * MSS);
	rcv.copied += 22 * MSS;
	EXPECT_EQ(haul_receiver_autotune(&rcv, SECOND + 40 * MS), 72 * MSS);
}

TEST(autotune_is_bounded)
{
	struct haul_receiver rcv = at(1000, 60000);

	rcv.rtt_us = 1;
	haul_receiver_autotune(&rcv, SECOND);
	rcv.copied += 0xfffffff0;
	EXPECT_EQ(haul_receiver_autotune(&rcv, 2 * SECOND), HAUL_MAX_WINDOW);
	/* and divides by nothing when no MSS was announced */
	rcv = at(1000, 60000);
	rcv.adv_mss = 0;
	rcv.rtt_us = 1;
	haul_receiver_autotune(&rcv, SECOND);
	rcv.copied += 5000;
	EXPECT_GE(haul_receiver_autotune(&rcv, 2 * SECOND), 10000);
}
