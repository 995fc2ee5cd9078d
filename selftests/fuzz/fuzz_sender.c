// SPDX-License-Identifier: GPL-2.0
/*
 * core/sender.c and core/recovery.c: anything may be sent, split, acknowledged, SACKed, lost, timed
 * out and undone, in any order. The counters are those of a map with one entry for each byte, and
 * the congestion window stays within its bounds.
 */
#include "core/queue.h"
#include "fuzz.h"

#define SPAN	16384	/* bytes that may be sent in all */

/* marks of each byte, as the model has them */
struct map {
	u8 marks[SPAN];
	u32 delivered;
};

struct world {
	struct queue q;
	struct map map;
};

static u32 at_of(u32 seq)
{
	return seq - (ISS + 1);
}

static void map_add(struct map *map, const struct haul_seg *seg, u8 add, u8 remove)
{
	u32 at;

	for (at = at_of(seg->seq); at != at_of(seg->end_seq); at++)
		map->marks[at] = (map->marks[at] & ~remove) | add;
}

/* the model's lost(), for a segment */
static void map_lost(struct map *map, const struct haul_seg *seg)
{
	if (!(map->marks[at_of(seg->seq)] & HAUL_SEG_SACKED))
		map_add(map, seg, HAUL_SEG_LOST, HAUL_SEG_RETRANS);
}

static void map_sacked(struct map *map, const struct haul_seg *seg)
{
	if (map->marks[at_of(seg->seq)] & HAUL_SEG_SACKED)
		return;
	map->delivered += haul_seg_len(seg);
	map_add(map, seg, HAUL_SEG_SACKED, HAUL_SEG_LOST | HAUL_SEG_RETRANS);
}

static void check(const struct world *w)
{
	const struct haul_sender *snd = &w->q.snd;
	u32 at, sacked = 0, lost = 0, retrans = 0, pipe = 0;

	for (at = at_of(snd->una); at < at_of(snd->nxt); at++) {
		u8 m = w->map.marks[at];

		sacked += !!(m & HAUL_SEG_SACKED);
		lost += !!(m & HAUL_SEG_LOST);
		retrans += !!(m & HAUL_SEG_RETRANS);
		/* RFC 6675 4 (a) and (b) */
		pipe += !(m & (HAUL_SEG_SACKED | HAUL_SEG_LOST));
		pipe += !!(m & HAUL_SEG_RETRANS);
	}
	CHECK_EQ(snd->sacked, sacked);
	CHECK_EQ(snd->lost, lost);
	CHECK_EQ(snd->retrans, retrans);
	CHECK_EQ(haul_sender_in_flight(snd), pipe);
	CHECK_EQ(snd->delivered, w->map.delivered);
	CHECK(snd->cwnd >= snd->mss || snd->cwnd == snd->cwnd_clamp);
	CHECK(snd->cwnd <= snd->cwnd_clamp);
	CHECK(snd->ssthresh >= 2 * snd->mss);
	CHECK(snd->pacing_rate);
	queue_check(&w->q);
}

static void send(struct world *w, struct input *in)
{
	u32 len = take_u8(in) % 4 ? MSS : 1 + take_below(in, 3 * MSS);

	if (w->q.num >= QUEUE_MAX || at_of(w->q.snd.nxt) + len > SPAN)
		return;
	queue_send_len(&w->q, len, HAUL_ACK);
	haul_sender_note_limit(&w->q.snd, take_u8(in) & 1, take_u8(in) & 1);
}

/* as haul_output_split() */
static void split(struct world *w, struct input *in)
{
	struct queue *q = &w->q;
	unsigned int i = take_below(in, q->num);
	u32 len = haul_seg_len(&q->seg[i]);

	if (len < 2 || q->num >= QUEUE_MAX)
		return;
	memmove(&q->seg[i + 2], &q->seg[i + 1], (q->num - i - 1) * sizeof(q->seg[0]));
	q->num++;
	memset(&q->seg[i + 1], 0, sizeof(q->seg[0]));
	haul_sender_seg_split(&q->seg[i], &q->seg[i + 1],
			      q->seg[i].seq + 1 + take_below(in, len - 1));
}

static void resend(struct world *w, struct input *in)
{
	struct haul_seg *seg = &w->q.seg[take_below(in, w->q.num)];

	if (!(w->map.marks[at_of(seg->seq)] & HAUL_SEG_SACKED))
		map_add(&w->map, seg, HAUL_SEG_RETRANS, 0);
	queue_resend(&w->q, seg);
}

/* an ACK from SND.UNA to SND.NXT with up to three blocks, whatever they say */
static void acknowledge(struct world *w, struct input *in)
{
	struct queue *q = &w->q;
	u32 out = haul_sender_outstanding(&q->snd), una = q->snd.una, ack, at, i, b, n, events;
	u8 before[SPAN];
	struct haul_block blocks[3];

	ack = una + (take_u8(in) % 2 ? 0 : take_below(in, out + 1));
	n = take_u8(in) % 4;
	for (b = 0; b < n; b++) {
		/* some lie below SND.UNA (D-SACKs), some beyond SND.NXT (lies) */
		blocks[b].start = una - MSS + take_below(in, out + 2 * MSS);
		blocks[b].end = blocks[b].start + 1 + take_below(in, out + MSS);
	}
	memcpy(before, w->map.marks, sizeof(before));
	for (at = at_of(una); at < at_of(ack); at++)
		w->map.delivered += !(w->map.marks[at] & HAUL_SEG_SACKED);
	events = queue_ack_full(q, ack, blocks, n, (u32)q->now - take_below(in, 60000),
				take_u8(in) % 8 == 0);
	/* the queue says which segments the blocks covered; the model counts their bytes */
	for (i = 0; i < q->num; i++) {
		const struct haul_seg *seg = &q->seg[i];
		bool was = w->map.marks[at_of(seg->seq)] & HAUL_SEG_SACKED;

		if (seg->marks & HAUL_SEG_SACKED) {
			map_sacked(&w->map, seg);
			continue;
		}
		CHECK(!was);
		if ((seg->marks & HAUL_SEG_LOST) || (events & HAUL_EVENT_UNDO))
			map_add(&w->map, seg, seg->marks & 7, 7);
		/* nothing but RACK marks, nothing but an undo unmarks */
		CHECK_EQ(w->map.marks[at_of(seg->seq)] & 7, seg->marks & 7);
	}
	CHECK_EQ(q->snd.una, ack);
}

static void lose(struct world *w, struct input *in)
{
	struct haul_seg *seg = &w->q.seg[take_below(in, w->q.num)];
	u32 lost = w->q.snd.lost - w->q.snd.retrans;

	map_lost(&w->map, seg);
	haul_sender_seg_lost(&w->q.snd, seg, NULL);
	lost = w->q.snd.lost - w->q.snd.retrans - lost;
	haul_recovery_lost(&w->q.snd, lost, w->q.now);
}

static void timeout(struct world *w, struct input *in)
{
	bool renege = take_u8(in) & 1;
	unsigned int i;

	for (i = 0; i < w->q.num; i++) {
		if (renege) {
			haul_sender_seg_renege(&w->q.snd, &w->q.seg[i]);
			map_add(&w->map, &w->q.seg[i], 0, HAUL_SEG_SACKED);
		}
		map_lost(&w->map, &w->q.seg[i]);
	}
	queue_timeout(&w->q);
	CHECK_EQ(w->q.snd.cwnd, w->q.snd.mss);
}

static void step(struct world *w, struct input *in)
{
	struct queue *q = &w->q;
	u8 what = take_u8(in) % 16;

	q->now += take_spread(in, 24);
	if (what < 5)
		send(w, in);
	else if (what < 6)
		haul_recovery_marked(&q->snd, q->now);
	else if (what < 7)
		haul_sender_set_mss(&q->snd, 100 + take_below(in, 9000));
	else if (!q->num)
		haul_sender_restart(&q->snd, take_spread(in, 32), true, q->now);
	else if (what < 8)
		split(w, in);
	else if (what < 10)
		resend(w, in);
	else if (what < 13)
		acknowledge(w, in);
	else if (what < 14)
		lose(w, in);
	else if (what < 15)
		haul_recovery_probe_sent(&q->snd, take_u8(in) & 1);
	else
		timeout(w, in);
}

/* RFC 9293 3.10.7.4, RFC 5961 5.2 in 64 bits: offsets from SND.UNA */
static void check_acceptability(const struct haul_sender *snd, struct input *in)
{
	u32 ack = snd->una + (s32)take_spread(in, 32);
	s64 off = (s32)(ack - snd->una), out = haul_sender_outstanding(snd);
	enum haul_ack_verdict expect;

	expect = off > out ? HAUL_ACK_FUTURE : off > 0 ? HAUL_ACK_NEW : !off ? HAUL_ACK_DUPLICATE :
		 -off <= snd->max_wnd ? HAUL_ACK_OLD : HAUL_ACK_TOO_OLD;
	/* on the far side of the circle either answer is a challenge */
	if ((u32)off - (u32)out >= 1U << 31 && off > 0)
		return;
	if (off < 0 && !haul_before(ack, snd->nxt))
		expect = HAUL_ACK_FUTURE;
	CHECK_EQ(haul_sender_check_ack(snd, ack), expect);
}

void fuzz(struct input *in)
{
	static const struct haul_cc_ops * const controllers[] = { &haul_cc_reno, &haul_cc_cubic };
	static struct world w;

	memset(&w.map, 0, sizeof(w.map));
	queue_open(&w.q, 1 + take_u8(in) % 64);
	haul_sender_set_cc(&w.q.snd, controllers[take_u8(in) % 2], NULL, w.q.now);
	while (in->left) {
		step(&w, in);
		check(&w);
		check_acceptability(&w.q.snd, in);
	}
}
