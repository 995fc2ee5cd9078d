// SPDX-License-Identifier: GPL-2.0
/* cc_dctcp.c: RFC 8257's numbers, and what they make of a queue that marks. */
#include "path.h"

#define ONE	(1U << 20)

static u32 *alpha_of(struct haul_sender *snd)
{
	return (u32 *)snd->priv;
}

static void open_dctcp(struct queue *q, u32 alpha)
{
	queue_open(q, 20);
	haul_sender_set_cc(&q->snd, &haul_cc_dctcp, NULL, q->now);
	q->snd.ssthresh = 20 * MSS;
	*alpha_of(&q->snd) = alpha;
}

/* RFC 8257 3.3: cwnd * (1 - Alpha / 2), not below two segments */
TEST(dctcp_reduce__by_half_of_alpha)
{
	struct queue q;

	open_dctcp(&q, ONE);
	EXPECT_EQ(haul_cc_dctcp.reduce(&q.snd, HAUL_CC_MARK, q.now), 10 * MSS);
	*alpha_of(&q.snd) = ONE / 10;
	EXPECT_EQ(haul_cc_dctcp.reduce(&q.snd, HAUL_CC_MARK, q.now), 19 * MSS + 1);
	*alpha_of(&q.snd) = 0;
	EXPECT_EQ(haul_cc_dctcp.reduce(&q.snd, HAUL_CC_MARK, q.now), 20 * MSS);
	q.snd.cwnd = 2 * MSS;
	*alpha_of(&q.snd) = ONE;
	EXPECT_EQ(haul_cc_dctcp.reduce(&q.snd, HAUL_CC_MARK, q.now), 2 * MSS);
}

/* 3.5: a loss halves, whatever Alpha is */
TEST(dctcp_reduce__loss_as_reno)
{
	struct queue q;

	open_dctcp(&q, 0);
	q.snd.rec.flight = 20 * MSS;
	EXPECT_EQ(haul_cc_dctcp.reduce(&q.snd, HAUL_CC_LOSS, q.now), 10 * MSS);
	EXPECT_EQ(haul_cc_dctcp.timeout(&q.snd, q.now), 10 * MSS);
}

/* Alpha = Alpha * 15/16 + M / 16, once per window */
TEST(dctcp_alpha__moves_by_a_sixteenth)
{
	struct queue q;
	unsigned int i;

	open_dctcp(&q, 0);
	queue_send(&q, 20);
	haul_cc_dctcp.init(&q.snd, q.now);
	*alpha_of(&q.snd) = 0;
	for (i = 1; i <= 20; i++)
		queue_ack_full(&q, queue_seq(i), NULL, 0, (u32)q.now, i > 15);
	/* the ACK that ends the window is that of the last one sent before */
	EXPECT_EQ(*alpha_of(&q.snd), ONE / 4 / 16);
	queue_send(&q, 10);
	queue_ack_full(&q, queue_seq(30), NULL, 0, (u32)q.now, 0);
	EXPECT_EQ(*alpha_of(&q.snd), ONE / 4 / 16 * 15 / 16);
}

/* without marks it goes down to nothing at last */
TEST(dctcp_alpha__decays_to_zero)
{
	struct queue q;
	unsigned int i;

	open_dctcp(&q, ONE);
	for (i = 0; i < 400; i++) {
		queue_send(&q, 1);
		queue_ack_full(&q, queue_seq(i + 1), NULL, 0, (u32)q.now, 0);
	}
	EXPECT_EQ(*alpha_of(&q.snd), 0);
}

/* marks count in fast recovery, too */
TEST(dctcp_alpha__counts_in_every_state)
{
	struct queue q;
	u32 before;

	open_dctcp(&q, ONE / 2);
	queue_send(&q, 20);
	q.now += RTT;
	EXPECT_TRUE(queue_ack(&q, 0, 1, 10) & HAUL_EVENT_FAST);
	before = *alpha_of(&q.snd);
	queue_ack_full(&q, queue_seq(20), NULL, 0, (u32)q.now, 20);
	EXPECT_GT(*alpha_of(&q.snd), before);
}

/* a queue that marks from a few packets on stays about that long, and the path is full */
TEST(dctcp__short_queue_full_path)
{
	static struct path p;

	memset(&p, 0, sizeof(p));
	p.rate = 12500000;	/* 100 Mbit/s */
	p.rtt = 2000;
	p.buffer = 1000000;
	p.mark_at = 10000;
	path_open(&p, &haul_cc_dctcp);
	path_run(&p, 2000000);
	path_begin(&p);
	path_run(&p, 5000000);
	EXPECT_LE(p.rate * 95 / 100, path_goodput(&p, 5000000));
	EXPECT_LE(p.queue_sum / p.arrived, 15000);
	EXPECT_LE(p.most_queued, 30000);
	EXPECT_EQ(p.dropped, 0);
}
