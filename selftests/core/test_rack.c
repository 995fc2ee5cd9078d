// SPDX-License-Identifier: GPL-2.0
/* rack.c: RFC 8985's steps one by one, on segments made by hand. */
#include "core/rack.h"
#include "core/rtt.h"
#include "test.h"

#define RTT	10000U

static struct haul_seg seg_at(u32 seq, u64 sent_us, u8 marks)
{
	struct haul_seg seg = {
		.seq = seq, .end_seq = seq + 1000, .sent_us = sent_us, .marks = marks,
	};

	return seg;
}

/* delivered one RTT after it was sent, echo of its latest copy */
static bool deliver(struct haul_rack *rack, const struct haul_seg *seg)
{
	return haul_rack_delivered(rack, seg, seg->sent_us + RTT, (u32)seg->sent_us,
				   (u32)seg->sent_us, RTT);
}

TEST(rack_delivered__keeps_the_most_recently_sent)
{
	struct haul_seg late = seg_at(5000, 200, 0), early = seg_at(4000, 100, 0);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	EXPECT_FALSE(rack.valid);
	deliver(&rack, &late);
	deliver(&rack, &early);
	EXPECT_TRUE(rack.valid);
	EXPECT_EQ(rack.xmit_us, 200);
	EXPECT_EQ(rack.end_seq, 6000);
	EXPECT_EQ(rack.rtt_us, RTT);
}

TEST(rack_delivered__same_time_goes_by_sequence_across_the_wrap)
{
	struct haul_seg low = seg_at(0xfffffc00, 100, 0), high = seg_at(0xfffffc00 + 1000, 100, 0);
	struct haul_rack rack;

	haul_rack_init(&rack, 0xfffffc00);
	deliver(&rack, &high);
	deliver(&rack, &low);
	EXPECT_EQ(rack.end_seq, high.end_seq);
}

TEST(rack_delivered__echo_of_an_earlier_copy_is_ignored)
{
	struct haul_seg seg = seg_at(0, 50000, HAUL_SEG_EVER_RETRANS);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	haul_rack_delivered(&rack, &seg, 50000 + RTT, 50000, 49999, RTT);
	EXPECT_FALSE(rack.valid);
	haul_rack_delivered(&rack, &seg, 50000 + RTT, 50000, 50000, RTT);
	EXPECT_TRUE(rack.valid);
}

TEST(rack_delivered__retransmission_quicker_than_min_rtt_is_ignored)
{
	struct haul_seg seg = seg_at(0, 50000, HAUL_SEG_EVER_RETRANS);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	haul_rack_delivered(&rack, &seg, 50000 + RTT - 1, 50000, 50000, RTT);
	EXPECT_FALSE(rack.valid);
	haul_rack_delivered(&rack, &seg, 50000 + RTT - 1, 50000, 50000, HAUL_RTT_NONE);
	EXPECT_TRUE(rack.valid);
}

TEST(rack_delivered__departure_in_the_future_is_rtt_zero)
{
	struct haul_seg seg = seg_at(0, 50000, 0);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	haul_rack_delivered(&rack, &seg, 40000, 50000, 50000, RTT);
	EXPECT_EQ(rack.rtt_us, 0);
}

TEST(rack_delivered__reordering_is_seen_below_fack_only)
{
	struct haul_seg high = seg_at(5000, 200, 0), low = seg_at(4000, 100, 0);
	struct haul_seg again = seg_at(3000, 300, HAUL_SEG_EVER_RETRANS);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	EXPECT_FALSE(deliver(&rack, &high));
	EXPECT_EQ(rack.fack, 6000);
	/* a retransmitted one arrives late by nature */
	EXPECT_FALSE(deliver(&rack, &again));
	EXPECT_FALSE(rack.reordering);
	EXPECT_TRUE(deliver(&rack, &low));
	EXPECT_TRUE(rack.reordering);
	EXPECT_EQ(rack.fack, 6000);
}

TEST(rack_reo_wnd__quarter_of_min_rtt_capped_by_srtt)
{
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, false, 0), 2000);
	rack.mult = 3;
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, false, 0), 6000);
	rack.mult = 64;
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, false, 0), 12000);
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, HAUL_RTT_NONE, false, 0), 12000);
}

TEST(rack_reo_wnd__none_without_reordering_once_dupthresh_or_recovering)
{
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, false, 2), 2000);
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, false, 3), 0);
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, true, 0), 0);
	rack.reordering = true;
	EXPECT_EQ(haul_rack_reo_wnd(&rack, 12000, 8000, true, 3), 2000);
}

TEST(rack_dsack__widens_once_per_round_trip)
{
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	haul_rack_dsack(&rack, 1000, 9000);
	EXPECT_EQ(rack.mult, 2);
	haul_rack_dsack(&rack, 8999, 20000);
	EXPECT_EQ(rack.mult, 2);
	haul_rack_dsack(&rack, 9000, 20000);
	EXPECT_EQ(rack.mult, 3);
}

/* the number of a round long ago is ahead again once half of the circle has gone by */
TEST(rack_dsack__two_gigabytes_later_is_another_round_trip)
{
	u32 una = 9000 + 0x80000000;
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	haul_rack_dsack(&rack, 1000, 9000);
	haul_rack_dsack(&rack, una + 1000, una + 9000);
	EXPECT_EQ(rack.mult, 3);
	haul_rack_dsack(&rack, una + 5000, una + 20000);
	EXPECT_EQ(rack.mult, 3);
}

TEST(rack_dsack__has_a_limit)
{
	struct haul_rack rack;
	u32 i;

	haul_rack_init(&rack, 0);
	for (i = 0; i < 300; i++)
		haul_rack_dsack(&rack, i * 10, i * 10 + 5);
	EXPECT_EQ(rack.mult, HAUL_RACK_MULT_MAX);
}

TEST(rack_recovered__widened_window_lasts_sixteen_recoveries)
{
	struct haul_rack rack;
	int i;

	haul_rack_init(&rack, 0);
	haul_rack_dsack(&rack, 0, 1000);
	for (i = 0; i < HAUL_RACK_PERSIST - 1; i++)
		haul_rack_recovered(&rack);
	EXPECT_EQ(rack.mult, 2);
	haul_rack_recovered(&rack);
	EXPECT_EQ(rack.mult, 1);
	haul_rack_recovered(&rack);
	EXPECT_EQ(rack.mult, 1);
}

TEST(rack_remaining__counts_down_to_lost)
{
	struct haul_seg later = seg_at(5000, 1000, 0), seg = seg_at(4000, 900, 0);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 500, 99999), HAUL_RACK_NEVER);
	deliver(&rack, &later);
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 500, 900 + RTT + 400), 100);
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 500, 900 + RTT + 500), 0);
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 500, 900 + RTT + 501), 0);
}

TEST(rack_remaining__sent_after_the_delivered_one_is_never_lost)
{
	struct haul_seg first = seg_at(4000, 900, 0), after = seg_at(5000, 900, 0);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	deliver(&rack, &first);
	EXPECT_EQ(haul_rack_remaining(&rack, &after, 0, 1ULL << 40), HAUL_RACK_NEVER);
}

TEST(rack_remaining__marks)
{
	struct haul_seg later = seg_at(5000, 1000, 0), seg = seg_at(4000, 900, HAUL_SEG_SACKED);
	struct haul_rack rack;

	haul_rack_init(&rack, 0);
	deliver(&rack, &later);
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 0, 99999), HAUL_RACK_NEVER);
	seg.marks = HAUL_SEG_LOST;
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 0, 99999), HAUL_RACK_NEVER);
	/* the retransmission can be lost too */
	seg.marks = HAUL_SEG_LOST | HAUL_SEG_RETRANS;
	EXPECT_EQ(haul_rack_remaining(&rack, &seg, 0, 99999), 0);
}

TEST(tlp_timeout__two_srtt_plus_delack_bounded_by_rto)
{
	EXPECT_EQ(haul_tlp_timeout(10000, 300000, false, 200000), 20000);
	EXPECT_EQ(haul_tlp_timeout(10000, 300000, true, 200000), 220000);
	EXPECT_EQ(haul_tlp_timeout(10000, 100000, true, 200000), 100000);
	EXPECT_EQ(haul_tlp_timeout(0, 3000000, true, 200000), 1000000);
	EXPECT_EQ(haul_tlp_timeout(0x90000000, 0xffffffff, true, 200000), 0xffffffff);
}
