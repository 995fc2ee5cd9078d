/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A path for a sender: a bottleneck with a buffer, a round trip, losses, marks. Packets are one MSS
 * each, the receiver acknowledges every one. Time is the sender's; only the losses are random.
 *
 *	struct path path = { .rate = 1250000, .rtt = 40000, .buffer = 50000 };
 *	path_open(&path, &haul_cc_bbr);
 *	path_run(&path, 5000000);
 */
#ifndef HAUL_SELFTESTS_CORE_PATH_H
#define HAUL_SELFTESTS_CORE_PATH_H

#include <linux/minmax.h>
#include "queue.h"

#define PATH_PACKETS	4096

/* @rate: bytes per second. @rtt: us, of an empty path. @buffer, @mark_at: bytes queued; 0: none */
struct path {
	u64 rate;
	u64 rtt;
	u32 buffer;
	u32 mark_at;
	u32 loss_per_mille;
	bool idle;			/* the program has nothing to send */

	struct queue q;
	u64 free_at;			/* when the bottleneck has sent what it holds */
	u64 next_send;			/* pacing */
	u32 seed;
	u64 more[32];			/* the controller's, where it needs it */
	struct {			/* ACKs on their way, in order of time */
		u64 at;
		u64 sent;
		u32 seq;
		bool ce;
	} acks[PATH_PACKETS];
	unsigned int head, tail;
	bool here[PATH_PACKETS];	/* received, by segment number */
	u32 rcv_next;			/* segments received in order */
	u32 ce;

	/* what has come of it */
	u64 delivered;			/* bytes */
	u64 sent;
	u64 dropped;			/* packets, by the buffer */
	u64 lost;			/* packets, otherwise */
	u64 marked;
	u64 most_queued;		/* bytes */
	u64 queue_sum;			/* of bytes that each packet found queued */
	u64 arrived;			/* packets at the bottleneck */
};

static inline void path_open(struct path *p, const struct haul_cc_ops *cc)
{
	queue_open(&p->q, 10);
	p->q.snd.rtt.srtt8 = p->rtt * 8;
	p->q.snd.rtt.min = p->rtt;
	EXPECT_LE(cc->more, sizeof(p->more));
	haul_sender_set_cc(&p->q.snd, cc, p->more, p->q.now);
	p->seed = 1;
}

static inline u64 path_queued(const struct path *p)
{
	return p->free_at > p->q.now ? (p->free_at - p->q.now) * p->rate / 1000000 : 0;
}

static inline bool path_loses(struct path *p)
{
	p->seed = p->seed * 1664525 + 1013904223;
	return (p->seed >> 8) % 1000 < p->loss_per_mille;
}

/* one packet, at the bottleneck */
static inline void path_packet(struct path *p, u32 seq)
{
	u64 queued = path_queued(p), now = p->q.now;
	unsigned int at = p->tail % PATH_PACKETS;

	p->sent += MSS;
	p->arrived++;
	p->queue_sum += queued;
	if (queued + MSS > p->buffer + MSS) {
		p->dropped++;
		return;
	}
	if (path_loses(p)) {
		p->lost++;
		return;
	}
	p->most_queued = max(p->most_queued, queued);
	p->free_at = max(p->free_at, now) + MSS * 1000000ULL / p->rate;
	ASSERT_LE(p->tail - p->head, PATH_PACKETS - 1);
	p->acks[at].at = p->free_at + p->rtt;
	p->acks[at].sent = now;
	p->acks[at].seq = seq;
	p->acks[at].ce = p->mark_at && queued > p->mark_at;
	p->marked += p->acks[at].ce;
	p->tail++;
}

static inline void path_paced(struct path *p)
{
	u64 rate = haul_sender_pacing_rate(&p->q.snd);

	if (p->q.snd.cc->flags & HAUL_CC_PACES)
		p->next_send = max(p->next_send, p->q.now) + MSS * 1000000ULL / rate;
}

/* lost segments first, then new ones; false: nothing may go now */
static inline bool path_send(struct path *p)
{
	struct queue *q = &p->q;
	unsigned int i;

	if (q->now < p->next_send)
		return false;
	if (haul_sender_cwnd_room(&q->snd) < MSS) {
		haul_sender_note_limit(&q->snd, true, !p->idle);
		return false;
	}
	for (i = 0; q->snd.lost && i < q->num; i++) {
		struct haul_seg *seg = &q->seg[i];

		if ((seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) != HAUL_SEG_LOST)
			continue;
		queue_resend(q, seg);
		path_packet(p, seg->seq);
		path_paced(p);
		return true;
	}
	if (p->idle || q->num == QUEUE_MAX) {
		haul_sender_note_limit(&q->snd, false, !p->idle);
		return false;
	}
	if (!q->num)
		haul_sender_restart(&q->snd, 0, false, q->now);
	path_packet(p, queue_send_len(q, MSS, HAUL_ACK)->seq);
	haul_sender_note_limit(&q->snd, false, true);
	path_paced(p);
	return true;
}

/* the receiver's SACK blocks: the first few ranges beyond rcv_next */
static inline unsigned int path_blocks(const struct path *p, struct haul_block *blocks)
{
	u32 top = (p->q.snd.nxt - queue_seq(0)) / MSS, i;
	unsigned int n = 0;

	for (i = p->rcv_next; i < top && n < HAUL_SACK_MAX; i++) {
		if (!p->here[i % PATH_PACKETS])
			continue;
		blocks[n].start = queue_seq(i);
		while (i < top && p->here[i % PATH_PACKETS])
			i++;
		blocks[n++].end = queue_seq(i);
	}
	return n;
}

static inline void path_ack(struct path *p)
{
	struct queue *q = &p->q;
	unsigned int at = p->head++ % PATH_PACKETS, n;
	u32 seg = (p->acks[at].seq - queue_seq(0)) / MSS;
	struct haul_block blocks[HAUL_SACK_MAX];

	if (!p->here[seg % PATH_PACKETS] && seg >= p->rcv_next)
		p->delivered += MSS;
	if (seg >= p->rcv_next)
		p->here[seg % PATH_PACKETS] = true;
	while (p->here[p->rcv_next % PATH_PACKETS])
		p->here[p->rcv_next++ % PATH_PACKETS] = false;
	p->ce += p->acks[at].ce;
	n = path_blocks(p, blocks);
	q->rtt_us = q->now - p->acks[at].sent;
	haul_rtt_sample(&q->snd.rtt, q->rtt_us, q->now);
	queue_ack_full(q, queue_seq(p->rcv_next), blocks, n, (u32)p->acks[at].sent,
		       p->acks[at].ce);
}

/* for so many us */
static inline void path_run(struct path *p, u64 us)
{
	struct queue *q = &p->q;
	u64 end = q->now + us;

	while (q->now < end) {
		u64 next = end;

		while (path_send(p))
			;
		if (p->head != p->tail)
			next = min(next, p->acks[p->head % PATH_PACKETS].at);
		if (q->now < p->next_send)
			next = min(next, p->next_send);
		if (p->head == p->tail && q->num && next == end) {
			q->now = min(end, q->now + haul_rtt_rto(&q->snd.rtt));
			queue_timeout(q);
			continue;
		}
		q->now = max(next, q->now);
		while (p->head != p->tail && p->acks[p->head % PATH_PACKETS].at <= q->now)
			path_ack(p);
	}
}

/* forgets what has come of it so far */
static inline void path_begin(struct path *p)
{
	p->delivered = 0;
	p->sent = 0;
	p->dropped = 0;
	p->lost = 0;
	p->marked = 0;
	p->most_queued = 0;
	p->queue_sum = 0;
	p->arrived = 0;
}

/* bytes per second delivered in @us */
static inline u64 path_goodput(const struct path *p, u64 us)
{
	return p->delivered * 1000000 / us;
}

#endif /* HAUL_SELFTESTS_CORE_PATH_H */
