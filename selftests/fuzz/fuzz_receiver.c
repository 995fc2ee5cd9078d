// SPDX-License-Identifier: GPL-2.0
/*
 * core/receiver.c and core/validate.c: acceptability, the window offered, TS.Recent and RSTs
 * against models on a line of 64 bits, where nothing wraps.
 */
#include "core/receiver.h"
#include "fuzz.h"

struct world {
	struct haul_receiver rcv;
	u64 nxt, edge;		/* RCV.NXT and the window's right edge, never wrapping */
	u64 ts;			/* TS.Recent on the line */
	u64 ts_at;		/* when it was taken; 0: none */
	u64 last_ack;
	u64 now;
};

static void check_acceptable(const struct world *w, struct input *in)
{
	s64 off = (s32)take_spread(in, 31), first;
	u32 len = take_spread(in, 20);
	u64 wnd = w->edge - w->nxt;
	bool expect;

	if (take_u8(in) & 1)
		off = -off;
	first = off;
	if (len)
		expect = wnd && first < (s64)wnd && first + len > 0;
	else
		expect = first >= 0 && first <= (s64)wnd;
	CHECK_EQ(haul_receiver_acceptable(&w->rcv, w->rcv.nxt + (u32)off,
					  w->rcv.nxt + (u32)off + len), expect);
}

static void announce(struct world *w, struct input *in)
{
	u32 full = take_spread(in, 30), space = full ? take_below(in, full) : 0, before, offer;
	bool due, closed;

	before = haul_receiver_wnd(&w->rcv);
	due = haul_receiver_wnd_update_due(&w->rcv, space, full);
	closed = haul_receiver_full(&w->rcv, space, full);
	offer = haul_receiver_select_wnd(&w->rcv, space, full);
	/* RFC 9293 3.8.6: the right edge never moves left; 3.8.6.2.2: nor right by a trifle */
	CHECK(w->nxt + offer >= w->edge);
	CHECK(offer <= w->rcv.clamp || offer == before);
	CHECK(offer <= HAUL_MAX_WINDOW);
	if (offer > before) {
		CHECK(offer - before >= w->rcv.mss || offer - before >= full / 2);
		CHECK(offer <= space);
	}
	CHECK(!due || offer > before || w->rcv.ack_due);
	/* no window at all, and not full? Only for a buffer of nothing, which there is not */
	CHECK(closed || offer || full < 2 || w->rcv.clamp < 2);
	w->edge = w->nxt + offer;
	haul_receiver_ack_sent(&w->rcv);
	w->last_ack = w->nxt;
	CHECK(!haul_receiver_ack_at_once(&w->rcv, offer, full, false) ||
	      haul_receiver_wnd_update_due(&w->rcv, offer, full));
}

static void arrive(struct world *w, struct input *in)
{
	u64 room = w->edge - w->nxt;
	u32 len = take_spread(in, 17);

	if (len > room)
		len = room;
	if (!len)
		return;
	w->nxt += len;
	w->rcv.nxt += len;
	haul_receiver_data(&w->rcv, len, w->now);
	haul_receiver_advanced(&w->rcv);
	CHECK(w->rcv.ack_due);
	CHECK(w->rcv.ato_us >= HAUL_DELACK_MIN_US && w->rcv.ato_us <= HAUL_DELACK_MOST_US);
	CHECK(w->rcv.mss >= HAUL_DEFAULT_MSS);
	CHECK(w->rcv.ssthresh <= w->rcv.clamp);
	CHECK_EQ(haul_receiver_wnd(&w->rcv), w->edge - w->nxt);
}

static void timestamp(struct world *w, struct input *in)
{
	s64 step = (s32)take_spread(in, 31);
	u64 ts = w->ts + (take_u8(in) & 1 ? step : -step);
	bool fresh = w->ts_at && w->now - w->ts_at <= HAUL_PAWS_EXPIRE_US;
	bool old = fresh && ts < w->ts, ahead = take_u8(in) % 4 == 0;
	u64 seq = w->last_ack + (ahead ? 1 + take_u8(in) : -(u64)take_u8(in));

	CHECK_EQ(haul_receiver_paws_old(&w->rcv, (u32)ts, w->now), old);
	haul_receiver_update_ts(&w->rcv, (u32)seq, (u32)ts, w->now);
	if (!old && seq <= w->last_ack) {
		w->ts = ts;
		w->ts_at = w->now;
	}
	CHECK(!w->ts_at || w->rcv.ts_recent == (u32)w->ts);
}

static void check_reset(const struct world *w, struct input *in)
{
	u32 own = 1 + take_below(in, 3), peer = 1 + take_below(in, 3), tag = take_below(in, 5);
	u32 carried;
	s64 off = (s32)take_spread(in, 32);
	struct haul_packet p = {
		.flags = HAUL_RST | (take_u8(in) & 1 ? HAUL_REFLECTED : 0), .tag = tag,
		.seq = w->rcv.nxt + (u32)off,
	};
	bool known = tag == (p.flags & HAUL_REFLECTED ? peer : own);
	bool inside = off > 0 && (u64)off < w->edge - w->nxt;
	enum haul_verdict expect = !known ? HAUL_VERDICT_DROP_TAG : !off ? HAUL_VERDICT_RESET :
				   inside ? HAUL_VERDICT_CHALLENGE : HAUL_VERDICT_DROP_SEQ;

	CHECK_EQ(haul_check_rst(&p, own, peer, &w->rcv), expect);
	p.flags |= take_u8(in) & 1 ? HAUL_ACK : 0;
	carried = take_below(in, 3);
	p.ack = 100 + take_below(in, 5);
	known = tag == own && !(p.flags & HAUL_REFLECTED);
	expect = !known ? HAUL_VERDICT_DROP_TAG : (p.flags & HAUL_ACK) && p.ack >= 101 &&
		 p.ack <= 101 + carried ? HAUL_VERDICT_RESET : HAUL_VERDICT_DROP_SEQ;
	CHECK_EQ(haul_check_rst_syn_sent(&p, own, 100, carried), expect);
}

static void application(struct world *w, struct input *in)
{
	u32 unread = w->rcv.nxt - w->rcv.copied, wanted;

	w->rcv.copied += unread ? take_below(in, unread) + 1 : 0;
	haul_receiver_rtt(&w->rcv, take_u8(in) % 8 ? take_spread(in, 32) : ~0U);
	wanted = haul_receiver_autotune(&w->rcv, w->now);
	CHECK(wanted <= HAUL_MAX_WINDOW);
	if (take_u8(in) % 8 == 0)
		haul_receiver_enter_quickack(&w->rcv);
	CHECK(w->rcv.quickacks <= HAUL_MAX_QUICKACKS);
}

void fuzz(struct input *in)
{
	u32 irs = take_u32(in), clamp = take_spread(in, 32);
	struct world w = { .nxt = (1ULL << 40) + irs + 1, .now = 1 + take_spread(in, 20) };

	w.edge = w.nxt;
	w.last_ack = w.nxt;
	w.ts = (1ULL << 40) + take_u32(in);
	haul_receiver_init(&w.rcv, irs, clamp);
	w.rcv.adv_mss = take_u16(in);
	CHECK(w.rcv.clamp <= HAUL_MAX_WINDOW);
	while (in->left) {
		w.now += take_spread(in, 33);
		switch (take_u8(in) % 6) {
		case 0:
			check_acceptable(&w, in);
			break;
		case 1:
			announce(&w, in);
			break;
		case 2:
			arrive(&w, in);
			break;
		case 3:
			timestamp(&w, in);
			break;
		case 4:
			check_reset(&w, in);
			break;
		default:
			application(&w, in);
		}
	}
}
