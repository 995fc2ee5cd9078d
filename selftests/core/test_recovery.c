// SPDX-License-Identifier: GPL-2.0
/* recovery.c: the window over the life of a loss, a timeout, a mark and a mistake. */
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

/* --- entering --- */

TEST(recovery_ack__holes_alone_are_disorder)
{
	struct queue q;

	queue_open(&q, 10);
	queue_send(&q, 10);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 0, 1, 3), 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_DISORDER);
	EXPECT_EQ(q.snd.lost, 0);
	EXPECT_EQ(q.snd.cwnd, 10 * MSS);	/* RFC 3042 */
	queue_ack(&q, 3, 0, 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
}

TEST(recovery_ack__loss_halves_flight_size)
{
	struct queue q;

	open_lossy(&q);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	EXPECT_EQ(q.snd.rec.high_seq, queue_seq(20));
	EXPECT_EQ(q.snd.rec.flight, 20 * MSS);
	/* RFC 5681 3.2: the first retransmission waits for nothing */
	EXPECT_EQ(queue_resend_lost(&q), 1);
}

TEST(recovery_ack__flight_size_is_that_before_a_stretch_ack)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	/* acknowledges 15, reports 4 above a hole */
	EXPECT_TRUE(queue_ack(&q, 15, 16, 20) & HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
}

TEST(recovery_ack__one_reduction_per_window)
{
	struct queue q;

	open_lossy(&q);
	queue_resend_lost(&q);
	EXPECT_EQ(queue_ack(&q, 0, 6, 10), 0);	/* another hole at 5 */
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	EXPECT_EQ(q.snd.lost, 2 * MSS);
}

/* --- leaving --- */

TEST(recovery_ack__partial_ack_stays_full_ack_leaves)
{
	struct queue q;

	open_lossy(&q);
	queue_resend_lost(&q);
	queue_send(&q, 1);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 19, 0, 0) & HAUL_EVENT_LEFT, 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_FAST);
	EXPECT_EQ(queue_ack(&q, 20, 0, 0), HAUL_EVENT_LEFT);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
	/* RFC 9937: ssthresh, and from there congestion avoidance */
	EXPECT_EQ(q.snd.cwnd, 10 * MSS);
	EXPECT_EQ(q.snd.acked_part, 0);
	q.now += RTT;
	queue_ack(&q, 21, 0, 0);
	EXPECT_EQ(q.snd.acked_part, MSS);
}

TEST(recovery_ack__losses_after_recovery_are_a_new_one)
{
	struct queue q;

	open_lossy(&q);
	queue_resend_lost(&q);
	q.now += 10;
	queue_send(&q, 6);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 20, 22, 26), HAUL_EVENT_LEFT | HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_FAST);
	EXPECT_EQ(q.snd.ssthresh, 5 * MSS);
	EXPECT_EQ(q.snd.rec.high_seq, queue_seq(26));
	EXPECT_EQ(q.snd.rec.prr_out, 0);
	EXPECT_EQ(queue_resend_lost(&q), 2);
}

TEST(recovery_ack__leaving_ages_racks_window)
{
	struct queue q;

	open_lossy(&q);
	q.snd.rack.mult = 4;
	q.snd.rack.persist = 1;
	queue_resend_lost(&q);
	q.now += RTT;
	queue_ack(&q, 20, 0, 0);
	EXPECT_EQ(q.snd.rack.mult, 1);
}

TEST(recovery_lost__racks_timer_starts_recovery)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	EXPECT_EQ(haul_recovery_lost(&q.snd, 0, q.now), 0);
	haul_sender_seg_lost(&q.snd, &q.seg[0], NULL);
	EXPECT_EQ(haul_recovery_lost(&q.snd, MSS, q.now), HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	EXPECT_EQ(queue_resend_lost(&q), 1);
	haul_sender_seg_lost(&q.snd, &q.seg[1], NULL);
	EXPECT_EQ(haul_recovery_lost(&q.snd, MSS, q.now), 0);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
}

/* --- timeout --- */

TEST(recovery_timeout__half_the_threshold_and_one_segment)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	queue_timeout(&q);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_LOSS);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	EXPECT_EQ(q.snd.cwnd, MSS);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 0);
	EXPECT_EQ(queue_resend_lost(&q), 1);
}

TEST(recovery_timeout__second_one_holds_the_threshold)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	queue_timeout(&q);
	queue_resend_lost(&q);
	q.snd.ssthresh = 9 * MSS;	/* to be told from a new 10 * MSS or 2 * MSS */
	queue_timeout(&q);
	EXPECT_EQ(q.snd.ssthresh, 9 * MSS);
	EXPECT_EQ(q.snd.cwnd, MSS);
	/* progress, then another segment's first timeout: RFC 5681 (4) again, of cwnd 2 */
	queue_resend_lost(&q);
	q.now += RTT;
	queue_ack(&q, 1, 0, 0);
	EXPECT_EQ(q.snd.cwnd, 2 * MSS);
	queue_timeout(&q);
	EXPECT_EQ(q.snd.ssthresh, 2 * MSS);
}

TEST(recovery_timeout__slow_start_until_everything_is_repaired)
{
	unsigned int una = 0, sent;
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	queue_timeout(&q);
	EXPECT_EQ(queue_resend_lost(&q), 1);
	for (sent = 1; sent < 8; sent *= 2) {
		q.now += RTT;
		una += sent;
		queue_ack(&q, una, 0, 0);
		EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_LOSS);
		EXPECT_EQ(queue_resend_lost(&q), 2 * sent);
	}
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 20, 0, 0), HAUL_EVENT_LEFT);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
}

TEST(recovery_timeout__in_fast_recovery_lowers_again_from_where_that_would_end)
{
	struct queue q;

	open_lossy(&q);
	queue_resend_lost(&q);
	queue_timeout(&q);
	/* FlightSize is still 20, the window is 10 by now (RFC 5681 4.3) */
	EXPECT_EQ(q.snd.ssthresh, 5 * MSS);
	EXPECT_EQ(q.snd.rec.prior_cwnd, 20 * MSS);
}

/* --- undo --- */

TEST(recovery_ack__eifel_undoes_spurious_timeout)
{
	struct queue q;
	u32 sent;

	queue_open(&q, 20);
	sent = q.now;
	queue_send(&q, 20);
	q.now += 30 * RTT;
	queue_timeout(&q);
	queue_resend_lost(&q);
	q.now += 100;
	/* the originals' ACK, late: echoes a time before the retransmission */
	EXPECT_EQ(queue_ack_full(&q, queue_seq(2), NULL, 0, sent, 0), HAUL_EVENT_UNDO_EIFEL);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
	EXPECT_EQ(q.snd.lost, 0);
	EXPECT_EQ(haul_sender_in_flight(&q.snd), 18 * MSS);
	/*
	 * RFC 4015: in flight and what was acknowledged; slow start up to what had been in flight
	 */
	EXPECT_EQ(q.snd.cwnd, 20 * MSS);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
}

TEST(recovery_ack__eifel_undo_makes_no_burst)
{
	struct queue q;
	u32 sent;

	queue_open(&q, 100);
	q.snd.ssthresh = 50 * MSS;
	sent = q.now;
	queue_send(&q, 100);
	q.now += 30 * RTT;
	queue_timeout(&q);
	queue_resend_lost(&q);
	EXPECT_EQ(queue_ack_full(&q, queue_seq(60), NULL, 0, sent, 0), HAUL_EVENT_UNDO_EIFEL);
	/* 40 in flight and an initial window */
	EXPECT_EQ(q.snd.cwnd, 50 * MSS);
	EXPECT_EQ(q.snd.ssthresh, 100 * MSS);
}

TEST(recovery_ack__eifel_takes_the_first_ack_only)
{
	struct queue q;
	u32 sent;

	queue_open(&q, 20);
	sent = q.now;
	queue_send(&q, 20);
	q.now += 30 * RTT;
	queue_timeout(&q);
	queue_resend_lost(&q);
	q.now += RTT;
	/* the echo of the retransmission: the timeout was right */
	EXPECT_EQ(queue_ack_full(&q, queue_seq(1), NULL, 0, (u32)(q.now - RTT), 0), 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_LOSS);
	queue_resend_lost(&q);
	EXPECT_EQ(queue_ack_full(&q, queue_seq(2), NULL, 0, sent, 0), 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_LOSS);
}

TEST(recovery_ack__eifel_undoes_spurious_fast_recovery)
{
	struct queue q;
	u32 sent;

	queue_open(&q, 20);
	sent = q.now;
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack(&q, 0, 1, 5);
	q.now += 50;
	queue_resend_lost(&q);
	EXPECT_EQ(queue_ack_full(&q, queue_seq(5), NULL, 0, sent, 0), HAUL_EVENT_UNDO_EIFEL);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
	EXPECT_EQ(q.snd.cwnd, 20 * MSS);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
}

TEST(recovery_ack__eifel_is_silent_about_a_retransmission_elsewhere)
{
	struct queue q;
	u32 sent;

	queue_open(&q, 20);
	sent = q.now;
	queue_send(&q, 20);
	haul_sender_seg_lost(&q.snd, &q.seg[1], NULL);
	haul_recovery_lost(&q.snd, MSS, q.now);
	q.now += 50;
	queue_resend(&q, &q.seg[1]);
	/* the ACK of segment 0 says nothing about segment 1 */
	EXPECT_EQ(queue_ack_full(&q, queue_seq(1), NULL, 0, sent, 0), 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_FAST);
}

/* a D-SACK for segments [from, to) at cumulative ACK @una */
static u32 ack_dsack(struct queue *q, unsigned int una, unsigned int from, unsigned int to)
{
	struct haul_block block = { queue_seq(from), queue_seq(to) };

	return queue_ack_full(q, queue_seq(una), &block, 1, (u32)q->now, 0);
}

TEST(recovery_ack__dsack_for_every_retransmission_undoes)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack(&q, 0, 2, 6);	/* 0 and 1 are lost */
	EXPECT_EQ(queue_resend_lost(&q), 2);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 20, 0, 0), HAUL_EVENT_LEFT);
	EXPECT_EQ(q.snd.cwnd, 10 * MSS);
	EXPECT_EQ(ack_dsack(&q, 20, 0, 1), 0);
	EXPECT_EQ(ack_dsack(&q, 20, 1, 2), HAUL_EVENT_UNDO_DSACK);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
	/* no second time */
	EXPECT_FALSE(q.snd.rec.undo_armed);
	EXPECT_EQ(ack_dsack(&q, 20, 1, 2), 0);
}

TEST(recovery_ack__dsack_of_other_data_does_not_undo)
{
	struct haul_block twice[] = {
		{ queue_seq(5), queue_seq(6) }, { queue_seq(5), queue_seq(9) },
	};
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 4);
	q.now += RTT;
	queue_ack(&q, 4, 0, 0);
	queue_send(&q, 20);
	q.now += RTT;
	EXPECT_TRUE(queue_ack(&q, 4, 5, 9) & HAUL_EVENT_FAST);
	/* nothing is retransmitted yet: the network made this duplicate */
	EXPECT_EQ(queue_ack_full(&q, queue_seq(4), twice, 2, (u32)q.now, 0), 0);
	queue_resend_lost(&q);
	EXPECT_EQ(ack_dsack(&q, 4, 1, 3), 0);	/* before the reduction */
	q.now += RTT;
	queue_ack(&q, 24, 0, 0);
	queue_send(&q, 1);
	q.now += RTT;
	queue_ack(&q, 25, 0, 0);
	EXPECT_EQ(ack_dsack(&q, 25, 24, 25), 0);	/* after it */
	EXPECT_EQ(ack_dsack(&q, 25, 4, 5), HAUL_EVENT_UNDO_DSACK);
}

TEST(recovery_ack__dsack_undoes_a_timeout_too)
{
	struct queue q;

	queue_open(&q, 4);
	queue_send(&q, 4);
	queue_timeout(&q);
	EXPECT_EQ(queue_resend_lost(&q), 1);
	q.now += RTT;
	EXPECT_EQ(ack_dsack(&q, 2, 0, 1), HAUL_EVENT_UNDO_DSACK);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
	EXPECT_EQ(q.snd.lost, 0);
	EXPECT_EQ(q.snd.cwnd, 4 * MSS);
}

TEST(recovery_timeout__undo_of_timeout_in_fast_recovery_takes_back_both)
{
	struct queue q;
	u32 sent;

	queue_open(&q, 20);
	sent = q.now;
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack(&q, 0, 1, 5);
	q.now += 50;
	queue_resend_lost(&q);
	q.now += 30 * RTT;
	queue_timeout(&q);
	queue_resend_lost(&q);
	EXPECT_EQ(queue_ack_full(&q, queue_seq(5), NULL, 0, sent, 0), HAUL_EVENT_UNDO_EIFEL);
	EXPECT_EQ(q.snd.cwnd, 20 * MSS);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
}

/* --- marks --- */

TEST(recovery_ack__mark_reduces_once_per_round_trip)
{
	struct queue q;
	unsigned int i;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	EXPECT_EQ(queue_ack_full(&q, queue_seq(1), NULL, 0, (u32)q.now, 1), HAUL_EVENT_CWR);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_CWR);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	for (i = 2; i < 20; i++)
		EXPECT_EQ(queue_ack_full(&q, queue_seq(i), NULL, 0, (u32)q.now, 1), 0);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	EXPECT_LE(q.snd.cwnd, 10 * MSS);
	EXPECT_EQ(queue_ack(&q, 20, 0, 0), HAUL_EVENT_LEFT);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
	EXPECT_EQ(q.snd.cwnd, 10 * MSS);
}

TEST(recovery_ack__mark_is_not_undone_by_a_late_dsack)
{
	struct queue q;

	open_lossy(&q);
	queue_resend_lost(&q);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 20, 0, 0), HAUL_EVENT_LEFT);
	queue_send(&q, 10);
	q.now += RTT;
	EXPECT_EQ(queue_ack_full(&q, queue_seq(21), NULL, 0, (u32)q.now, 1), HAUL_EVENT_CWR);
	EXPECT_EQ(ack_dsack(&q, 21, 0, 1), 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_CWR);
}

TEST(recovery_ack__mark_is_no_news_in_fast_recovery)
{
	struct queue q;

	open_lossy(&q);
	EXPECT_EQ(queue_ack_full(&q, queue_seq(0), NULL, 0, (u32)q.now, 1), 0);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_FAST);
}

TEST(recovery_ack__loss_in_the_marked_window_is_no_second_reduction)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	q.now += RTT;
	queue_ack_full(&q, queue_seq(1), NULL, 0, (u32)q.now, 1);
	EXPECT_EQ(queue_ack(&q, 1, 2, 7), HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
	/* and the mark stays true whatever the retransmission was */
	EXPECT_FALSE(q.snd.rec.undo_armed);
}

TEST(recovery_ack__mark_is_no_news_when_a_reduction_went_on_to_repair)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 10);
	haul_recovery_marked(&q.snd, q.now);
	q.now += 100;
	queue_send(&q, 10);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 9, 12, 16), HAUL_EVENT_FAST);
	/* past what was sent when the mark came, not past what was sent when the loss did */
	EXPECT_EQ(queue_ack_full(&q, queue_seq(11), NULL, 0, (u32)q.now, 1), 0);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_FAST);
	EXPECT_EQ(q.snd.ssthresh, 5 * MSS);
}

TEST(recovery_marked__by_itself)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	EXPECT_EQ(haul_recovery_marked(&q.snd, q.now), HAUL_EVENT_CWR);
	EXPECT_EQ(haul_recovery_marked(&q.snd, q.now), 0);
	EXPECT_EQ(q.snd.ssthresh, 10 * MSS);
}

/* the number of a reduction long ago is ahead again once half of the circle has gone by */
TEST(recovery_marked__two_gigabytes_after_the_last_one)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 20);
	EXPECT_EQ(haul_recovery_marked(&q.snd, q.now), HAUL_EVENT_CWR);
	q.snd.rec.state = HAUL_RECOVERY_OPEN;
	q.snd.una = q.snd.nxt + 0x80000000 + MSS;
	q.snd.nxt = q.snd.una + 10 * MSS;
	EXPECT_EQ(haul_recovery_marked(&q.snd, q.now), HAUL_EVENT_CWR);
	q.snd.rec.state = HAUL_RECOVERY_OPEN;
	EXPECT_EQ(haul_recovery_marked(&q.snd, q.now), 0);
}

/* --- loss probe --- */

static void open_probed(struct queue *q, bool retransmission)
{
	queue_open(q, 20);
	queue_send(q, 10);
	q->now += 2 * RTT;
	if (retransmission)
		queue_resend(q, &q->seg[9]);
	else
		queue_send(q, 1);
	haul_recovery_probe_sent(&q->snd, retransmission);
}

TEST(recovery_ack__probe_that_repaired_a_loss_reduces)
{
	struct queue q;

	open_probed(&q, true);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 10, 0, 0), 0);	/* can't be told yet */
	queue_send(&q, 10);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 12, 0, 0), HAUL_EVENT_TLP_REPAIRED);
	EXPECT_EQ(q.snd.ssthresh, 5 * MSS);
	EXPECT_EQ(q.snd.rec.state, HAUL_RECOVERY_OPEN);
	EXPECT_FALSE(q.snd.rec.tlp_out);
}

TEST(recovery_ack__probe_reported_duplicate_was_needless)
{
	struct queue q;

	open_probed(&q, true);
	q.now += RTT;
	queue_ack(&q, 10, 0, 0);
	ack_dsack(&q, 10, 9, 10);
	EXPECT_FALSE(q.snd.rec.tlp_out);
	queue_send(&q, 10);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 20, 0, 0), 0);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
}

TEST(recovery_ack__probe_of_new_data_tells_nothing)
{
	struct queue q;

	open_probed(&q, false);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 11, 0, 0), 0);
	EXPECT_FALSE(q.snd.rec.tlp_out);
	EXPECT_EQ(q.snd.ssthresh, HAUL_SSTHRESH_INFINITE);
}

TEST(recovery_ack__probe_in_a_reduction_calls_for_no_other)
{
	struct queue q;

	queue_open(&q, 20);
	queue_send(&q, 10);
	haul_recovery_marked(&q.snd, q.now);
	queue_resend(&q, &q.seg[9]);
	haul_recovery_probe_sent(&q.snd, true);
	queue_send(&q, 2);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 11, 0, 0), HAUL_EVENT_LEFT);
	EXPECT_EQ(q.snd.ssthresh, 5 * MSS);
	EXPECT_FALSE(q.snd.rec.tlp_out);
}

TEST(recovery_timeout__forgets_the_probe)
{
	struct queue q;

	open_probed(&q, true);
	queue_timeout(&q);
	EXPECT_FALSE(q.snd.rec.tlp_out);
}

/* --- growth --- */

TEST(recovery_ack__only_a_used_window_grows)
{
	struct queue q;

	queue_open(&q, 40);
	queue_send(&q, 2);
	q.snd.cwnd_limited = false;
	q.now += RTT;
	queue_ack(&q, 2, 0, 0);
	EXPECT_EQ(q.snd.cwnd, 40 * MSS);
}

/* --- a controller with a model of its own --- */

static void model_init(struct haul_sender *snd, u64 now) { }
static void model_on_ack(struct haul_sender *snd, const struct haul_ack *ack) { snd->priv[0]++; }
static u32 model_ssthresh(struct haul_sender *snd, u64 now) { return 7 * MSS; }
static u32 model_reduce(struct haul_sender *snd, enum haul_cc_cause cause, u64 now)
{
	return 7 * MSS;
}

static const struct haul_cc_ops model = {
	.name = "model", .flags = HAUL_CC_MODEL, .init = model_init, .ack = model_on_ack,
	.reduce = model_reduce, .timeout = model_ssthresh,
};

TEST(recovery__a_model_keeps_its_window_in_every_state)
{
	struct queue q;

	queue_open(&q, 20);
	haul_sender_set_cc(&q.snd, &model, NULL, q.now);
	queue_send(&q, 20);
	q.now += RTT;
	EXPECT_EQ(queue_ack(&q, 0, 1, 5), HAUL_EVENT_FAST);
	EXPECT_EQ(q.snd.cwnd, 20 * MSS);
	queue_timeout(&q);
	EXPECT_EQ(q.snd.cwnd, 20 * MSS);
	EXPECT_EQ(q.snd.ssthresh, 7 * MSS);
	queue_ack(&q, 20, 0, 0);
	EXPECT_EQ(q.snd.cwnd, 20 * MSS);
	EXPECT_EQ(q.snd.priv[0], 2);
}
