// SPDX-License-Identifier: GPL-2.0
/* recovery.c: how much leaves while the window is being reduced (RFC 9937). */
#include "queue.h"

/* 20 segments out of a window of 20, the first is lost, 4 more arrive: fast recovery */
static void open_lossy(struct queue *q)
{
	queue_open(q, 20);
	queue_send(q, 20);
	q->now += RTT;
	EXPECT_EQ(queue_ack(q, 0, 1, 5), HAUL_EVENT_FAST);
	EXPECT_EQ(q->snd.rec.state, HAUL_RECOVERY_FAST);
}

TEST(prr_sends_one_for_two)
{
	unsigned int i, sent = 0;
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack(&q, 0, 1, 4);
	sent += queue_resend_lost(&q);
	for (i = 4; i < 20; i++) {
		q.now += 10;
		queue_ack(&q, 0, i, i + 1);
		while (haul_sender_cwnd_room(&q.snd) >= MSS) {
			queue_send(&q, 1);
			sent++;
		}
	}
	/* 19 delivered, ssthresh / RecoverFS is a half */
	EXPECT_EQ(q.snd.rec.prr_delivered, 19 * MSS);
	EXPECT_EQ(q.snd.rec.prr_out, sent * MSS);
	EXPECT_GE(sent, 9);
	EXPECT_LE(sent, 10);
	EXPECT_LE(haul_sender_in_flight(&q.snd), 10 * MSS);
	EXPECT_GE(haul_sender_in_flight(&q.snd), 9 * MSS);
}

TEST(prr_conservative_bound_then_slow_start_bound)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	/* 16 lost, 4 arrived: nothing in flight, below ssthresh */
	queue_ack(&q, 0, 16, 20);
	EXPECT_EQ(q.snd.lost, 16 * MSS);
	/* what was delivered, and no more */
	EXPECT_EQ(q.snd.cwnd, 4 * MSS);
	EXPECT_EQ(queue_resend_lost(&q), 4);
	q.now += RTT;
	queue_ack(&q, 2, 16, 20);
	/* 2 in flight, 2 delivered, SND.UNA advanced: 3 more */
	EXPECT_EQ(q.snd.cwnd, 5 * MSS);
	EXPECT_EQ(queue_resend_lost(&q), 3);
}

/* RFC 9937 5: an ACK that advances SND.UNA but tells of more losses is not safe */
TEST(prr_no_segment_more_when_more_is_lost)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack(&q, 0, 16, 20);
	EXPECT_EQ(queue_resend_lost(&q), 4);
	/* what was sent again first is lost again: later ones arrive */
	q.seg[1].sent_us -= RTT;
	q.now += RTT;
	queue_ack(&q, 1, 2, 4);
	EXPECT_EQ(q.ack.lost, MSS);
	EXPECT_TRUE(q.ack.una_advanced);
	/* nothing in flight, 3 delivered: 3 */
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 0);
	EXPECT_EQ(q.snd.cwnd, 3 * MSS);
}

/* RFC 9937 6: RecoverFS is what can still be delivered */
TEST(prr_leaves_out_what_was_sacked_before)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 0, 1, 3), 0);
	EXPECT_EQ(queue_ack(&q, 0, 3, 5), HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.rec.flight, 20 * MSS);
	EXPECT_EQ(q.snd.rec.recover_fs, 18 * MSS);
}

TEST(prr_counts_what_the_first_ack_acknowledges)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	EXPECT_TRUE(queue_ack(&q, 4, 5, 9) & HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.rec.recover_fs, 20 * MSS);
	EXPECT_EQ(q.snd.rec.prr_delivered, 8 * MSS);
}

TEST(prr_never_beyond_ssthresh)
{
	struct queue q;

	open_lossy(&q);
	queue_resend_lost(&q);
	queue_ack(&q, 0, 1, 20);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), MSS);
	EXPECT_LE(q.snd.cwnd, 10 * MSS);
}

/* the repair is lost, and all else: nothing was delivered, nor will be if nothing is sent */
TEST(prr_keeps_room_for_one_segment)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 2);
	q.now += RTT;
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	EXPECT_EQ(haul_recovery_lost(&q.snd, MSS, q.now), HAUL_EVENT_FAST);
	EXPECT_EQ(queue_resend_lost(&q), 1);
	q.now += RTT;
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	haul_sender_seg_lost(&q.snd, &q.seg[1], NULL);
	haul_recovery_lost(&q.snd, 2 * MSS, q.now);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 0);
	EXPECT_EQ(q.snd.cwnd, MSS);
	EXPECT_EQ(queue_resend_lost(&q), 1);
}

TEST(prr_gives_nothing_for_an_empty_ack)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack(&q, 0, 16, 20);
	queue_resend_lost(&q);
	EXPECT_EQ(q.snd.cwnd, 4 * MSS);
	queue_ack(&q, 0, 0, 0);
	queue_ack(&q, 0, 16, 20);
	EXPECT_EQ(q.snd.cwnd, 4 * MSS);
}
