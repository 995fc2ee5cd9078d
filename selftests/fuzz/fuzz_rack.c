// SPDX-License-Identifier: GPL-2.0
/*
 * core/rack.c against a model that keeps every delivery: a segment is lost when one sent after it
 * was delivered, and a round trip and the reordering window have passed (RFC 8985 6.2).
 */
#include "core/rack.h"
#include "core/rtt.h"
#include "core/seq.h"
#include "fuzz.h"

#define SEGS	24

struct model {
	u64 sent[256];		/* of each delivery that was not ambiguous */
	u32 end[256];
	unsigned int num;
	u32 rtt;
	u32 fack;
	bool reordering;
	u32 mult, persist;
	bool round;
	u32 round_seq;
};

struct world {
	struct haul_rack rack;
	struct model m;
	struct haul_seg seg[SEGS];
	bool delivered[SEGS];
	u32 iss;
	u64 now;
	u32 min_rtt;
};

static bool sent_later(u64 t1, u32 e1, u64 t2, u32 e2)
{
	return t1 != t2 ? t1 > t2 : (s32)(e1 - e2) > 0;
}

static void deliver(struct world *w, struct input *in, unsigned int i)
{
	struct haul_seg *seg = &w->seg[i];
	u32 tsval = (u32)seg->sent_us, tsecr = tsval - take_below(in, 3);
	u64 passed = w->now > seg->sent_us ? w->now - seg->sent_us : 0;
	bool again = seg->marks & HAUL_SEG_EVER_RETRANS, overtaken, ambiguous;
	struct model *m = &w->m;

	overtaken = !again && (s32)(seg->end_seq - m->fack) < 0;
	if ((s32)(seg->end_seq - m->fack) > 0)
		m->fack = seg->end_seq;
	m->reordering |= overtaken;
	if (passed > HAUL_RTT_NONE - 1)
		passed = HAUL_RTT_NONE - 1;
	ambiguous = again && (tsecr != tsval ||
			      (w->min_rtt != HAUL_RTT_NONE && passed < w->min_rtt));
	if (!ambiguous && m->num < 256) {
		m->rtt = passed;
		m->sent[m->num] = seg->sent_us;
		m->end[m->num++] = seg->end_seq;
	}
	CHECK_EQ(haul_rack_delivered(&w->rack, seg, w->now, tsval, tsecr, w->min_rtt), overtaken);
	w->delivered[i] = true;
}

static void check_segment(const struct world *w, const struct haul_seg *seg, u32 reo_wnd)
{
	u32 left = haul_rack_remaining(&w->rack, seg, reo_wnd, w->now);
	bool waits = (seg->marks & HAUL_SEG_SACKED) ||
		     ((seg->marks & HAUL_SEG_LOST) && !(seg->marks & HAUL_SEG_RETRANS));
	const struct model *m = &w->m;
	unsigned int i;
	bool after = false;
	u64 end;

	for (i = 0; i < m->num; i++)
		after |= sent_later(m->sent[i], m->end[i], seg->sent_us, seg->end_seq);
	if (waits || !after) {
		CHECK_EQ(left, HAUL_RACK_NEVER);
		return;
	}
	end = seg->sent_us + m->rtt + reo_wnd;
	if (end <= w->now)
		CHECK_EQ(left, 0);
	else
		CHECK_EQ(left, end - w->now < HAUL_RACK_NEVER - 1 ? end - w->now :
			 HAUL_RACK_NEVER - 1);
}

static void check_all(struct world *w, struct input *in)
{
	u32 srtt = take_spread(in, 29), sacked = take_below(in, 6), wnd, expect;
	bool recovering = take_u8(in) & 1;
	u32 rtt = w->min_rtt == HAUL_RTT_NONE ? srtt : w->min_rtt;
	unsigned int i;

	wnd = haul_rack_reo_wnd(&w->rack, srtt, w->min_rtt, recovering, sacked);
	expect = (u64)rtt * w->m.mult / 4 < srtt ? (u64)rtt * w->m.mult / 4 : srtt;
	if (!w->m.reordering && (recovering || sacked >= 3))
		expect = 0;
	CHECK_EQ(wnd, expect);
	for (i = 0; i < SEGS; i++)
		if (!w->delivered[i])
			check_segment(w, &w->seg[i], wnd);
}

static void dsack(struct world *w, u32 una, u32 nxt)
{
	struct model *m = &w->m;

	/* the round is over when all of it is acknowledged, or was so long ago that numbers wrap */
	if (!m->round || (s32)(una - m->round_seq) >= 0 || (s32)(nxt - m->round_seq) < 0) {
		m->round = true;
		m->round_seq = nxt;
		m->mult += m->mult < 64;
		m->persist = 16;
	}
	haul_rack_dsack(&w->rack, una, nxt);
}

static void recovered(struct world *w)
{
	struct model *m = &w->m;

	m->persist -= m->persist > 0;
	if (!m->persist)
		m->mult = 1;
	haul_rack_recovered(&w->rack);
}

static void start(struct world *w, struct input *in)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->iss = take_u32(in);
	w->now = 1000 + take_spread(in, 40);
	w->min_rtt = take_u8(in) & 1 ? HAUL_RTT_NONE : take_spread(in, 28);
	haul_rack_init(&w->rack, w->iss);
	w->m.fack = w->iss;
	w->m.mult = 1;
	for (i = 0; i < SEGS; i++) {
		w->seg[i].seq = w->iss + 1 + i * 1000;
		w->seg[i].end_seq = w->seg[i].seq + 1000;
		w->seg[i].sent_us = w->now;
		w->now += take_below(in, 4);
	}
}

static void step(struct world *w, struct input *in)
{
	unsigned int i = take_below(in, SEGS);

	switch (take_u8(in) % 8) {
	case 0:
		w->now += take_spread(in, 34);
		break;
	case 1:
		if (!w->delivered[i]) {
			w->seg[i].marks |= HAUL_SEG_RETRANS | HAUL_SEG_EVER_RETRANS;
			w->seg[i].sent_us = w->now;
		}
		break;
	case 2:
		w->seg[i].marks ^= HAUL_SEG_LOST;
		break;
	case 3:
		w->seg[i].marks ^= HAUL_SEG_SACKED;
		break;
	case 4:
		dsack(w, w->seg[i].seq, w->seg[SEGS - 1].end_seq + take_u16(in));
		break;
	case 5:
		recovered(w);
		break;
	case 6:
		if (!w->delivered[i])
			deliver(w, in, i);
		break;
	default:
		check_all(w, in);
	}
}

static void check_probe(struct input *in)
{
	u32 srtt = take_spread(in, 32), rto = take_spread(in, 32), delack = take_spread(in, 32);
	bool one = take_u8(in) & 1;
	u64 pto = srtt ? 2ULL * srtt + (one ? delack : 0) : 1000000;

	CHECK_EQ(haul_tlp_timeout(srtt, rto, one, delack), pto < rto ? pto : rto);
}

void fuzz(struct input *in)
{
	struct world w;

	start(&w, in);
	check_probe(in);
	while (in->left)
		step(&w, in);
	check_all(&w, in);
}
