// SPDX-License-Identifier: GPL-2.0
/* sender.c: marks and their counters, what is acceptable, what may be sent, delivery rate. */
#include "queue.h"

/* --- windows --- */

static u32 initial_window(u16 segs, u32 mss)
{
	struct haul_sender snd;

	haul_sender_init(&snd, ISS, HAUL_RTO_FLOOR_US, segs);
	haul_sender_set_mss(&snd, mss);
	return haul_sender_initial_window(&snd);
}

TEST(sender_initial_window__rfc6928)
{
	EXPECT_EQ(initial_window(10, 1000), 10000);
	EXPECT_EQ(initial_window(10, 1460), 14600);
	EXPECT_EQ(initial_window(10, 5000), 14600);
	EXPECT_EQ(initial_window(10, 9000), 18000);
	EXPECT_EQ(initial_window(1, 1000), 1000);
	EXPECT_EQ(initial_window(1, 9000), 9000);
	EXPECT_EQ(initial_window(0, 1000), 1000);
	EXPECT_EQ(initial_window(65535, 65535), 65535U * 1460);
}

TEST(sender_established__window_and_threshold)
{
	struct haul_sender snd;

	haul_sender_init(&snd, ISS, HAUL_RTO_FLOOR_US, 10);
	haul_sender_set_mss(&snd, MSS);
	haul_sender_established(&snd, 5);
	EXPECT_EQ(snd.cwnd, 10 * MSS);
	EXPECT_EQ(snd.ssthresh, HAUL_SSTHRESH_INFINITE);
	EXPECT_STREQ(snd.cc->name, "reno");
}

TEST(sender_established__a_lost_syn_leaves_one_segment)
{
	struct haul_sender snd;

	haul_sender_init(&snd, ISS, HAUL_RTO_FLOOR_US, 10);
	haul_sender_set_mss(&snd, MSS);
	snd.syn_resent = true;
	haul_sender_established(&snd, 5);
	EXPECT_EQ(snd.cwnd, MSS);
}

TEST(sender_set_mss__window_holds_one_segment_threshold_two)
{
	struct queue q;

	queue_open(&q, 1);
	q.snd.ssthresh = 2 * MSS;
	haul_sender_set_mss(&q.snd, 1400);
	EXPECT_EQ(q.snd.cwnd, 1400);
	EXPECT_EQ(q.snd.ssthresh, 2800);
	haul_sender_set_mss(&q.snd, 500);
	EXPECT_EQ(q.snd.cwnd, 1400);
}

TEST(sender_check_ack__rfc5961)
{
	struct haul_sender snd = { .una = 5, .nxt = 1005, .max_wnd = 100 };

	EXPECT_EQ(haul_sender_check_ack(&snd, 1005), HAUL_ACK_NEW);
	EXPECT_EQ(haul_sender_check_ack(&snd, 6), HAUL_ACK_NEW);
	EXPECT_EQ(haul_sender_check_ack(&snd, 5), HAUL_ACK_DUPLICATE);
	EXPECT_EQ(haul_sender_check_ack(&snd, 4), HAUL_ACK_OLD);
	EXPECT_EQ(haul_sender_check_ack(&snd, 5 - 100), HAUL_ACK_OLD);
	EXPECT_EQ(haul_sender_check_ack(&snd, 5 - 101), HAUL_ACK_TOO_OLD);
	EXPECT_EQ(haul_sender_check_ack(&snd, 1006), HAUL_ACK_FUTURE);
}

TEST(sender_update_wnd__newer_segments_only)
{
	struct haul_sender snd = { .una = 100, .nxt = 1000, .wnd = 500, .wl1 = 50, .max_wnd = 500 };

	EXPECT_TRUE(haul_sender_update_wnd(&snd, 51, 100, 600));
	EXPECT_EQ(snd.wl1, 51);
	EXPECT_EQ(snd.max_wnd, 600);
	/* same sequence: RFC 9293's SND.WL2 =< SEG.ACK */
	EXPECT_TRUE(haul_sender_update_wnd(&snd, 51, 100, 400));
	EXPECT_EQ(snd.wnd, 400);
	EXPECT_EQ(snd.max_wnd, 600);
	EXPECT_FALSE(haul_sender_update_wnd(&snd, 51, 100, 400));
	/* older sequence, or older ACK: no */
	EXPECT_FALSE(haul_sender_update_wnd(&snd, 50, 100, 900));
	EXPECT_FALSE(haul_sender_update_wnd(&snd, 60, 99, 900));
	EXPECT_EQ(snd.wnd, 400);
	EXPECT_EQ(snd.wl1, 51);
	/* a retransmission with a newer ACK: yes, and WL1 does not go back */
	EXPECT_TRUE(haul_sender_update_wnd(&snd, 40, 101, 900));
	EXPECT_EQ(snd.wnd, 900);
	EXPECT_EQ(snd.wl1, 51);
}

/* --- marks --- */

TEST(sender_seg_lost__counts_once_and_the_copy_again)
{
	struct haul_ack ack = {};
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 4);
	haul_sender_seg_lost(&q.snd, &q.seg[0], &ack);
	haul_sender_seg_lost(&q.snd, &q.seg[0], &ack);
	EXPECT_EQ(ack.lost, MSS);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 3 * MSS);
	queue_resend(&q, &q.seg[0]);
	EXPECT_EQ(q.snd.lost, MSS);
	EXPECT_EQ(q.snd.retrans, MSS);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 4 * MSS);
	/* RFC 8985: a lost retransmission */
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	EXPECT_EQ(q.snd.lost, MSS);
	EXPECT_EQ(q.snd.retrans, 0);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 3 * MSS);
	queue_check(&q);
}

TEST(sender_resent__twice_is_one_copy_on_its_way)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 2);
	queue_resend(&q, &q.seg[1]);	/* a loss probe */
	queue_resend(&q, &q.seg[1]);
	EXPECT_EQ(q.snd.retrans, MSS);
	EXPECT_EQ(q.snd.lost, 0);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 3 * MSS);
	queue_check(&q);
}

TEST(sender_seg_sacked__is_neither_lost_nor_on_its_way)
{
	struct haul_ack ack = { .now = 2000000 };
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 3);
	haul_sender_seg_lost(&q.snd, &q.seg[1], NULL);
	queue_resend(&q, &q.seg[1]);
	haul_sender_seg_sacked(&q.snd, &q.seg[1], &ack);
	haul_sender_seg_sacked(&q.snd, &q.seg[1], &ack);
	EXPECT_EQ(ack.sacked, MSS);
	EXPECT_EQ(ack.delivered, MSS);
	EXPECT_TRUE(ack.retrans_acked);
	haul_sender_seg_lost(&q.snd, &q.seg[1], &ack);
	queue_resend(&q, &q.seg[1]);
	EXPECT_EQ(q.seg[1].marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS), 0);
	queue_check(&q);
}

TEST(sender_seg_acked__delivers_nothing_twice)
{
	struct haul_ack ack = { .now = 2000000 };
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 2);
	haul_sender_seg_sacked(&q.snd, &q.seg[0], &ack);
	haul_sender_seg_acked(&q.snd, &q.seg[0], &ack);
	EXPECT_EQ(ack.delivered, MSS);
	EXPECT_EQ(ack.acked, MSS);
	EXPECT_EQ(q.snd.sacked, 0);
	EXPECT_EQ(q.snd.delivered, MSS);
}

TEST(sender_seg_renege__the_peer_dropped_what_it_held)
{
	struct haul_ack ack = { .now = 2000000 };
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 2);
	haul_sender_seg_sacked(&q.snd, &q.seg[1], &ack);
	haul_sender_seg_renege(&q.snd, &q.seg[1]);
	haul_sender_seg_renege(&q.snd, &q.seg[1]);
	EXPECT_EQ(q.snd.sacked, 0);
	haul_sender_seg_lost(&q.snd, &q.seg[1], NULL);
	EXPECT_EQ(q.snd.lost, MSS);
	queue_check(&q);
}

TEST(sender_seg_split__flags_go_where_they_belong)
{
	struct haul_seg head = { .seq = 100, .end_seq = 300, .sent_us = 7, .marks = HAUL_SEG_LOST,
				 .flags = HAUL_SYN | HAUL_ACK | HAUL_PSH | HAUL_EOM | HAUL_FIN };
	struct haul_seg tail = {};

	haul_sender_seg_split(&head, &tail, 150);
	EXPECT_EQ(head.end_seq, 150);
	EXPECT_EQ(tail.seq, 150);
	EXPECT_EQ(tail.end_seq, 300);
	EXPECT_EQ(head.flags, HAUL_SYN | HAUL_ACK);
	EXPECT_EQ(tail.flags, HAUL_ACK | HAUL_PSH | HAUL_EOM | HAUL_FIN);
	EXPECT_EQ(tail.marks, HAUL_SEG_LOST);
	EXPECT_EQ(tail.sent_us, 7);
}

TEST(sender_seg_trim__front_of_a_lost_segment)
{
	struct haul_ack ack = { .now = 2000000 };
	struct queue q;

	queue_open(&q, 10);
	queue_send_len(&q, 5000, HAUL_SYN);
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	queue_resend(&q, &q.seg[0]);
	haul_sender_seg_trim(&q.snd, &q.seg[0], queue_seq(2), &ack);
	q.snd.una = queue_seq(2);
	EXPECT_EQ(q.snd.lost, 3000);
	EXPECT_EQ(q.snd.retrans, 3000);
	EXPECT_EQ(ack.acked, 2000);
	EXPECT_EQ(ack.delivered, 2000);
	EXPECT_EQ(q.seg[0].flags, 0);
	queue_check(&q);
	/* outside of the segment: nothing */
	haul_sender_seg_trim(&q.snd, &q.seg[0], queue_seq(5), &ack);
	haul_sender_seg_trim(&q.snd, &q.seg[0], queue_seq(1), &ack);
	EXPECT_EQ(ack.acked, 2000);
	queue_check(&q);
}

/* --- the model: any order of events keeps the counters equal to the marks --- */

static void model_split(struct queue *q, unsigned int i)
{
	struct haul_seg *seg = &q->seg[i];
	struct haul_seg tail = {};
	u32 len = haul_seg_len(seg);

	if (len < 2 || q->num == QUEUE_MAX)
		return;
	haul_sender_seg_split(seg, &tail, seg->seq + 1 + test_random_below(len - 1));
	memmove(seg + 2, seg + 1, (q->num - i - 1) * sizeof(*seg));
	seg[1] = tail;
	q->num++;
}

static void model_ack(struct queue *q)
{
	u32 out = haul_sender_outstanding(&q->snd);
	u32 ack = q->snd.una + test_random_below(out + 1);
	u32 start = ack + test_random_below(out + 1);
	struct haul_block block[2] = { { start, start + 1 + test_random_below(5000) } };
	u32 back = test_random_below(4000);
	u32 age = test_random_below(40000);

	block[1] = block[0];
	if (!test_random_below(4)) {
		block[0].start = ack - back;
		block[0].end = block[0].start + 1 + test_random_below(2000);
	}
	queue_ack_full(q, ack, block, test_random_below(3), (u32)(q->now - age),
		       !test_random_below(50));
}

static void model_step(struct queue *q)
{
	unsigned int i = q->num ? test_random_below(q->num) : 0;
	struct haul_seg *seg = &q->seg[i];
	struct haul_ack ack = { .now = q->now, .prior_una = q->snd.una };

	q->now += test_random_below(3000);
	if (!q->num || (q->num < 200 && !test_random_below(3))) {
		queue_send_len(q, 1 + test_random_below(3000), 0);
		return;
	}
	switch (test_random_below(9)) {
	case 0:
		haul_sender_seg_sacked(&q->snd, seg, &ack);
		break;
	case 1:
		haul_sender_seg_lost(&q->snd, seg, &ack);
		break;
	case 2:
		queue_resend(q, seg);
		break;
	case 3:
		model_split(q, i);
		break;
	case 4:
		haul_sender_seg_renege(&q->snd, seg);
		break;
	case 5:
		haul_sender_seg_unlost(&q->snd, seg);
		break;
	case 6:
		if (!test_random_below(30))
			queue_timeout(q);
		else
			queue_resend_lost(q);
		break;
	case 7:
		haul_recovery_probe_sent(&q->snd, test_random_below(2));
		haul_recovery_lost(&q->snd, queue_detect_lost(q, NULL), q->now);
		break;
	default:
		model_ack(q);
	}
}

TEST(sender_model__counters_equal_marks_in_any_order)
{
	unsigned int round, step;
	struct queue q;

	for (round = 0; round < 40; round++) {
		queue_open(&q, 10);
		for (step = 0; step < 2000; step++) {
			model_step(&q);
			queue_check(&q);
			ASSERT_GE(q.snd.cwnd, 1);
			ASSERT_LE(q.snd.cwnd, q.snd.cwnd_clamp);
			ASSERT_GE(q.snd.ssthresh, 2 * MSS);
		}
	}
}

/* --- D-SACK --- */

TEST(sender_check_dsack__rfc2883)
{
	struct haul_sender snd = { .una = 5000, .nxt = 20000, .max_wnd = 100000 };
	struct haul_block below[] = { { 4000, 5000 } }, above[] = { { 6000, 7000 } };
	struct haul_block inside[] = { { 6000, 7000 }, { 6000, 9000 } };
	struct haul_block across[] = { { 6000, 9500 }, { 6000, 9000 } };
	struct haul_block beside[] = { { 6000, 7000 }, { 8000, 9000 } };
	struct haul_block future[] = { { 19000, 20001 }, { 19000, 30000 } }, empty[] = { { 9, 9 } };
	struct haul_block ancient[] = { { 5000 - 100001, 5000 } };
	struct haul_ack ack = {};

	EXPECT_TRUE(haul_sender_check_dsack(&snd, below, 1, 5000, &ack));
	EXPECT_TRUE(ack.dsack);
	EXPECT_EQ(ack.dsack_start, 4000);
	EXPECT_EQ(ack.dsack_end, 5000);
	EXPECT_FALSE(haul_sender_check_dsack(&snd, above, 1, 5000, &ack));
	EXPECT_FALSE(ack.dsack);
	EXPECT_TRUE(haul_sender_check_dsack(&snd, inside, 2, 5000, &ack));
	EXPECT_FALSE(haul_sender_check_dsack(&snd, beside, 2, 5000, &ack));
	EXPECT_FALSE(haul_sender_check_dsack(&snd, across, 2, 5000, &ack));
	EXPECT_FALSE(haul_sender_check_dsack(&snd, future, 2, 5000, &ack));
	EXPECT_FALSE(haul_sender_check_dsack(&snd, empty, 1, 5000, &ack));
	EXPECT_FALSE(haul_sender_check_dsack(&snd, ancient, 1, 5000, &ack));
	EXPECT_FALSE(haul_sender_check_dsack(&snd, NULL, 0, 5000, &ack));
}

/* --- delivery rate --- */

TEST(sender_rate__a_window_per_round_trip)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 10);
	q.now += RTT;
	queue_ack(&q, 10, 0, 0);
	EXPECT_EQ(q.ack.rate_delivered, 10 * MSS);
	EXPECT_EQ(q.ack.rate_interval_us, RTT);
	EXPECT_EQ(q.snd.rate_delivered, 10 * MSS);
	EXPECT_FALSE(q.ack.app_limited);
}

TEST(sender_rate__sending_slower_than_acks_counts)
{
	struct queue q;
	int i;

	queue_open(&q, 10);
	for (i = 0; i < 4; i++) {
		queue_send(&q, 1);
		q.now += RTT;	/* 3 RTT between the first and the last departure */
	}
	/*
	 * all four acknowledged at once: the rate is that of sending and acknowledging, the slower
	 */
	queue_ack(&q, 4, 0, 0);
	EXPECT_EQ(q.ack.rate_delivered, 4 * MSS);
	EXPECT_EQ(q.ack.rate_interval_us, 4 * RTT);
}

TEST(sender_rate__compressed_acks_do_not_count_as_speed)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 1);
	q.now += 3 * RTT;
	queue_send(&q, 1);
	q.now += RTT;
	queue_ack(&q, 1, 0, 0);
	/* sent 4 RTT after the one whose ACK has just come */
	queue_send(&q, 1);
	q.now += RTT;
	queue_ack(&q, 3, 0, 0);
	EXPECT_EQ(q.ack.rate_interval_us, 4 * RTT);
}

TEST(sender_rate__sample_is_of_the_latest_sent)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 1);
	q.now += RTT;
	queue_ack(&q, 1, 0, 0);
	queue_send(&q, 2);
	q.now += RTT;
	queue_ack(&q, 2, 0, 0);
	EXPECT_EQ(q.ack.rate_prior, MSS);
	EXPECT_EQ(q.ack.rate_delivered, MSS);
}

TEST(sender_rate__sample_is_of_the_latest_sent_in_one_ack)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 2);
	q.now += RTT;
	queue_ack(&q, 1, 0, 0);
	queue_send(&q, 1);
	q.now += RTT;
	/* one sent before anything was delivered, one after */
	queue_ack(&q, 3, 0, 0);
	EXPECT_EQ(q.ack.rate_prior, MSS);
	EXPECT_EQ(q.ack.rate_delivered, 2 * MSS);
}

TEST(sender_rate__a_retransmission_in_front_is_the_latest_sent)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 3);
	q.now += RTT;
	queue_ack(&q, 0, 2, 3);
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	queue_resend(&q, &q.seg[0]);
	q.now += RTT;
	queue_ack(&q, 2, 2, 3);
	EXPECT_EQ(q.ack.rate_prior, MSS);
	EXPECT_EQ(q.ack.rate_delivered, 2 * MSS);
}

TEST(sender_rate_done__shorter_than_min_rtt_is_no_sample)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 1);
	q.now += RTT - 1;
	queue_ack(&q, 1, 0, 0);
	EXPECT_EQ(q.ack.rate_delivered, 0);
	EXPECT_EQ(q.snd.rate_delivered, 0);
}

/* what was in flight with the sampled segment, and what was lost since it left */
TEST(sender_rate__in_flight_and_lost)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 10);
	q.now += RTT;
	queue_ack(&q, 0, 5, 10);
	EXPECT_EQ(q.ack.rate_in_flight, 10 * MSS);
	EXPECT_EQ(q.snd.lost_total, 5 * MSS);
	EXPECT_EQ(q.ack.rate_lost, 5 * MSS);
	queue_send(&q, 1);
	q.now += RTT;
	queue_ack(&q, 0, 10, 11);
	/* nothing but itself: the others were lost or had arrived; and nothing was lost since */
	EXPECT_EQ(q.ack.rate_in_flight, MSS);
	EXPECT_EQ(q.ack.rate_lost, 0);
}

/* a copy that is lost counts again */
TEST(sender_rate__lost_total_counts_each_copy)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 2);
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	EXPECT_EQ(q.snd.lost_total, MSS);
	queue_resend(&q, &q.seg[0]);
	EXPECT_EQ(q.seg[0].in_flight, 2 * MSS);
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	EXPECT_EQ(q.snd.lost_total, 2 * MSS);
}

TEST(sender_note_limit__app_limited_until_the_bubble_has_passed)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 2);
	haul_sender_note_limit(&q.snd, false, false);
	EXPECT_EQ(q.snd.app_limited, 2 * MSS);
	queue_send(&q, 1);
	EXPECT_TRUE(q.seg[2].marks & HAUL_SEG_APP_LIMITED);
	q.now += RTT;
	queue_ack(&q, 2, 0, 0);
	EXPECT_EQ(q.snd.app_limited, 2 * MSS);
	queue_ack(&q, 3, 0, 0);
	EXPECT_TRUE(q.ack.app_limited);
	EXPECT_EQ(q.snd.app_limited, 0);
}

/* --- using the window or not --- */

TEST(sender_note_limit__remembers_the_strongest_use_for_a_round_trip)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 4);		/* limited by cwnd */
	haul_sender_note_limit(&q.snd, false, true);
	EXPECT_TRUE(q.snd.cwnd_limited);
	q.snd.una = q.snd.nxt;
	q.num = 0;
	haul_sender_note_limit(&q.snd, false, true);
	EXPECT_FALSE(q.snd.cwnd_limited);
	EXPECT_EQ(q.snd.cwnd_used, 0);
	q.snd.nxt += 3 * MSS;
	haul_sender_note_limit(&q.snd, false, true);
	EXPECT_EQ(q.snd.cwnd_used, 3 * MSS);
}

TEST(sender_restart__after_idle_longer_than_rto)
{
	struct queue q;

	queue_open(&q, 40);
	q.snd.ssthresh = 20 * MSS;
	haul_sender_restart(&q.snd, haul_rtt_rto(&q.snd.rtt), true, q.now);
	EXPECT_EQ(q.snd.cwnd, 40 * MSS);
	haul_sender_restart(&q.snd, haul_rtt_rto(&q.snd.rtt) + 1, true, q.now);
	EXPECT_EQ(q.snd.cwnd, 10 * MSS);
	EXPECT_EQ(q.snd.ssthresh, 30 * MSS);
	q.snd.cwnd = 4 * MSS;
	haul_sender_restart(&q.snd, haul_rtt_rto(&q.snd.rtt) + 1, true, q.now);
	EXPECT_EQ(q.snd.cwnd, 4 * MSS);
}

/* --- silly window, Nagle --- */

static bool may_send(const struct queue *q, u32 len, enum haul_nagle nagle, bool last)
{
	return haul_sender_may_send(&q->snd, len, MSS, nagle, last, false, false);
}

TEST(sender_may_send__full_segments_always)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send_len(&q, 10, 0);
	EXPECT_TRUE(may_send(&q, MSS, HAUL_NAGLE_ON, false));
	EXPECT_TRUE(may_send(&q, MSS, HAUL_NAGLE_CORK, false));
}

TEST(sender_may_send__nagle_holds_the_second_small_one)
{
	struct queue q;

	queue_open(&q, 10);
	EXPECT_TRUE(may_send(&q, 10, HAUL_NAGLE_ON, true));
	queue_send_len(&q, 10, 0);
	EXPECT_FALSE(may_send(&q, 10, HAUL_NAGLE_ON, true));
	EXPECT_TRUE(may_send(&q, 10, HAUL_NAGLE_OFF, true));
	EXPECT_TRUE(haul_sender_may_send(&q.snd, 10, MSS, HAUL_NAGLE_ON, true, false, true));
	q.now += RTT;
	queue_ack_full(&q, q.snd.nxt, NULL, 0, (u32)q.now, 0);
	EXPECT_TRUE(may_send(&q, 10, HAUL_NAGLE_ON, true));
}

TEST(sender_may_send__odd_end_after_full_segments_goes)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 3);
	EXPECT_TRUE(may_send(&q, 10, HAUL_NAGLE_ON, true));
	/* a large segment with an odd end ends small */
	queue_send_len(&q, 3 * MSS + 1, 0);
	EXPECT_FALSE(may_send(&q, 10, HAUL_NAGLE_ON, true));
}

TEST(sender_may_send__options_make_no_segment_small)
{
	struct queue q;

	queue_open(&q, 10);
	/* INIT is in each: there is less payload in a full segment, yet it is full */
	queue_send_mss(&q, MSS - 16, 0, MSS - 16);
	EXPECT_TRUE(may_send(&q, 10, HAUL_NAGLE_ON, true));
	queue_send_mss(&q, MSS - 17, 0, MSS - 16);
	EXPECT_FALSE(may_send(&q, 10, HAUL_NAGLE_ON, true));
}

TEST(sender_may_send__cork_holds_what_is_not_full)
{
	struct queue q;

	queue_open(&q, 10);
	EXPECT_FALSE(may_send(&q, 999, HAUL_NAGLE_CORK, true));
	EXPECT_TRUE(haul_sender_may_send(&q.snd, 999, MSS, HAUL_NAGLE_CORK, true, false, true));
}

TEST(sender_may_send__silly_window_waits_for_half_of_the_largest)
{
	struct queue q;

	queue_open(&q, 10);
	q.snd.max_wnd = 1800;
	EXPECT_FALSE(may_send(&q, 899, HAUL_NAGLE_OFF, false));
	EXPECT_TRUE(may_send(&q, 900, HAUL_NAGLE_OFF, false));
	/* the end of a message can't be added to */
	EXPECT_TRUE(haul_sender_may_send(&q.snd, 10, MSS, HAUL_NAGLE_OFF, false, true, false));
}
