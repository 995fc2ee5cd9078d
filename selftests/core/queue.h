/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sender with its retransmission queue in an array, for the tests: does what conn/ does with
 * packets. Sequence numbers start just below 2^32, so every test that sends more than a few
 * segments crosses the wrap.
 */
#ifndef HAUL_SELFTESTS_CORE_QUEUE_H
#define HAUL_SELFTESTS_CORE_QUEUE_H

#include "core/sender.h"
#include "core/wire.h"
#include "test.h"

#define MSS	1000U
#define RTT	10000U		/* us */
#define ISS	0xfffff000U

#ifndef QUEUE_MAX
#define QUEUE_MAX	512
#endif

struct queue {
	struct haul_sender snd;
	struct haul_seg seg[QUEUE_MAX];
	unsigned int num;
	u64 now;
	u32 rtt_us;		/* the next ACK's sample; 0: it gives none */
	struct haul_ack ack;	/* the latest */
};

/* sequence number of the n-th segment's first byte, from 0 */
static inline u32 queue_seq(unsigned int n)
{
	return ISS + 1 + n * MSS;
}

/* the handshake is done, with one RTT sample; cwnd is @segs segments and in use */
static inline void queue_open(struct queue *q, unsigned int segs)
{
	memset(q, 0, sizeof(*q));
	q->now = 1000000;
	haul_sender_init(&q->snd, ISS, HAUL_RTO_FLOOR_US, 10);
	q->snd.una = ISS + 1;
	q->snd.nxt = ISS + 1;
	q->snd.wnd = 1U << 30;
	q->snd.max_wnd = 1U << 30;
	haul_sender_set_mss(&q->snd, MSS);
	haul_rtt_sample(&q->snd.rtt, RTT, q->now);
	haul_sender_established(&q->snd, q->now);
	q->snd.cwnd = segs * MSS;
}

/* the counters against the marks, and the invariants that follow */
static inline void queue_check(const struct queue *q)
{
	const struct haul_sender *snd = &q->snd;
	u32 sum = 0, sacked = 0, lost = 0, retrans = 0;
	unsigned int i;

	for (i = 0; i < q->num; i++) {
		const struct haul_seg *seg = &q->seg[i];
		u32 len = haul_seg_len(seg);

		ASSERT_NE(len, 0);
		ASSERT_EQ(seg->seq, snd->una + sum);
		sum += len;
		sacked += seg->marks & HAUL_SEG_SACKED ? len : 0;
		lost += seg->marks & HAUL_SEG_LOST ? len : 0;
		retrans += seg->marks & HAUL_SEG_RETRANS ? len : 0;
		if (seg->marks & HAUL_SEG_SACKED)
			ASSERT_FALSE(seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS));
		if (seg->marks & HAUL_SEG_RETRANS)
			ASSERT_TRUE(seg->marks & HAUL_SEG_EVER_RETRANS);
	}
	ASSERT_EQ(haul_sender_outstanding(snd), sum);
	ASSERT_EQ(snd->sacked, sacked);
	ASSERT_EQ(snd->lost, lost);
	ASSERT_EQ(snd->retrans, retrans);
	ASSERT_LE((u64)snd->sacked + snd->lost, sum);
	ASSERT_LE(snd->retrans, sum);
	ASSERT_LE(haul_sender_in_flight(snd), 2 * sum);
}

/* one segment of any length leaves, when a full one is of @mss bytes */
static inline struct haul_seg *queue_send_mss(struct queue *q, u32 len, u16 flags, u32 mss)
{
	struct haul_seg *seg = &q->seg[q->num];
	bool empty = q->snd.una == q->snd.nxt;

	ASSERT_LE(q->num + 1, QUEUE_MAX);
	memset(seg, 0, sizeof(*seg));
	seg->seq = q->snd.nxt;
	seg->end_seq = seg->seq + len;
	seg->flags = flags;
	haul_sender_sent(&q->snd, seg, q->now, empty, mss);
	q->snd.nxt += len;
	q->num++;
	haul_recovery_sent(&q->snd, len);
	return seg;
}

/* one segment of any length leaves */
static inline struct haul_seg *queue_send_len(struct queue *q, u32 len, u16 flags)
{
	return queue_send_mss(q, len, flags, q->snd.mss);
}

/* @n full segments leave, and cwnd was what ended it */
static inline void queue_send(struct queue *q, unsigned int n)
{
	while (n--)
		queue_send_len(q, MSS, HAUL_ACK);
	haul_sender_note_limit(&q->snd, true, true);
}

static inline void queue_resend(struct queue *q, struct haul_seg *seg)
{
	haul_sender_resent(&q->snd, seg, q->now, (u32)q->now);
	haul_recovery_sent(&q->snd, haul_seg_len(seg));
}

/* sends lost segments again as far as cwnd allows; returns how many */
static inline unsigned int queue_resend_lost(struct queue *q)
{
	unsigned int i, done = 0;

	for (i = 0; i < q->num; i++) {
		struct haul_seg *seg = &q->seg[i];

		if ((seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) != HAUL_SEG_LOST)
			continue;
		if (haul_sender_cwnd_room(&q->snd) < haul_seg_len(seg))
			break;
		queue_resend(q, seg);
		done++;
	}
	haul_sender_note_limit(&q->snd, true, true);
	return done;
}

/* segments below @ack leave the queue, one that it cuts is trimmed */
static inline void queue_ack_cumulative(struct queue *q, u32 ack)
{
	struct haul_sender *snd = &q->snd;
	unsigned int gone = 0;

	while (gone < q->num && !haul_after(q->seg[gone].end_seq, ack)) {
		struct haul_seg *seg = &q->seg[gone++];

		if (!(seg->marks & HAUL_SEG_SACKED))
			haul_rack_delivered(&snd->rack, seg, q->now, (u32)seg->sent_us,
					    q->ack.tsecr, snd->rtt.min);
		haul_sender_seg_acked(snd, seg, &q->ack);
	}
	if (gone < q->num && haul_after(ack, q->seg[gone].seq))
		haul_sender_seg_trim(snd, &q->seg[gone], ack, &q->ack);
	memmove(q->seg, q->seg + gone, (q->num - gone) * sizeof(q->seg[0]));
	q->num -= gone;
	q->ack.una_advanced = ack != snd->una;
	snd->una = ack;
}

static inline void queue_ack_sack(struct queue *q, const struct haul_block *blocks, unsigned int n)
{
	struct haul_sender *snd = &q->snd;
	unsigned int i, b;

	for (i = 0; i < q->num; i++) {
		struct haul_seg *seg = &q->seg[i];

		for (b = 0; b < n; b++) {
			if (haul_before(seg->seq, blocks[b].start) ||
			    haul_after(seg->end_seq, blocks[b].end) ||
			    (seg->marks & HAUL_SEG_SACKED))
				continue;
			haul_rack_delivered(&snd->rack, seg, q->now, (u32)seg->sent_us,
					    q->ack.tsecr, snd->rtt.min);
			haul_sender_seg_sacked(snd, seg, &q->ack);
		}
	}
}

/* RACK looks at every segment; returns the bytes newly lost */
static inline u32 queue_detect_lost(struct queue *q, struct haul_ack *ack)
{
	struct haul_sender *snd = &q->snd;
	u32 reo_wnd = haul_rack_reo_wnd(&snd->rack, haul_rtt_srtt(&snd->rtt), snd->rtt.min,
					haul_sender_recovering(snd), snd->sacked / snd->mss);
	u32 before = snd->lost - snd->retrans;
	unsigned int i;

	for (i = 0; i < q->num; i++)
		if (!haul_rack_remaining(&snd->rack, &q->seg[i], reo_wnd, q->now))
			haul_sender_seg_lost(snd, &q->seg[i], ack);
	return snd->lost - snd->retrans - before;
}

/* an ACK comes, as conn/ would treat it; returns HAUL_EVENT_* */
static inline u32 queue_ack_full(struct queue *q, u32 ack, const struct haul_block *blocks,
				 unsigned int n, u32 tsecr, u32 ce)
{
	struct haul_sender *snd = &q->snd;
	unsigned int i, skip;
	u32 events;

	memset(&q->ack, 0, sizeof(q->ack));
	q->ack.now = q->now;
	q->ack.tsecr = tsecr;
	q->ack.ce = ce;
	q->ack.rtt_us = q->rtt_us ?: HAUL_RTT_NONE;
	q->ack.prior_una = snd->una;
	q->ack.prior_in_flight = haul_sender_in_flight(snd);
	skip = haul_sender_check_dsack(snd, blocks, n, ack, &q->ack);
	queue_ack_cumulative(q, ack);
	queue_ack_sack(q, blocks + skip, n - skip);
	if (q->ack.dsack)
		haul_rack_dsack(&snd->rack, snd->una, snd->nxt);
	queue_detect_lost(q, &q->ack);
	events = haul_recovery_ack(snd, &q->ack);
	if (events & HAUL_EVENT_UNDO)
		for (i = 0; i < q->num; i++)
			haul_sender_seg_unlost(snd, &q->seg[i]);
	queue_check(q);
	return events;
}

/*
 * the cumulative ACK is at segment @una; segments [@from, @to) are SACKed unless empty; the echo is
 * of now
 */
static inline u32 queue_ack(struct queue *q, unsigned int una, unsigned int from, unsigned int to)
{
	struct haul_block block = { queue_seq(from), queue_seq(to) };

	return queue_ack_full(q, queue_seq(una), &block, to > from, (u32)q->now, 0);
}

static inline void queue_timeout(struct queue *q)
{
	unsigned int i;

	for (i = 0; i < q->num; i++)
		haul_sender_seg_lost(&q->snd, &q->seg[i], NULL);
	haul_recovery_timeout(&q->snd, q->now);
	queue_check(q);
}

#endif /* HAUL_SELFTESTS_CORE_QUEUE_H */
