// SPDX-License-Identifier: GPL-2.0
/* cc_bbr.c, cc_bbr_model.c: what draft-ietf-ccwg-bbr-05 promises, on a path that is known. */
#include "core/cc_bbr.h"
#include "path.h"

#define SECOND	1000000ULL
#define PATH_RATE	1250000		/* 10 Mbit/s */
#define BDP	(PATH_RATE / 25)	/* in 40 ms */

static struct path path;

static const struct haul_bbr *bbr_of(const struct path *p)
{
	return haul_bbr(&p->q.snd);
}

static struct path *open_path(u32 buffer, u32 loss_per_mille)
{
	memset(&path, 0, sizeof(path));
	path.rate = PATH_RATE;
	path.rtt = 40000;
	path.buffer = buffer;
	path.loss_per_mille = loss_per_mille;
	path_open(&path, &haul_cc_bbr);
	return &path;
}

static u64 max_bw(const struct path *p)
{
	return (u64)haul_bbr_max_bw(bbr_of(p)) << HAUL_BBR_BW_SHIFT;
}

#define EXPECT_BETWEEN(low, got, high) ({			\
	EXPECT_LE((u64)(low), (u64)(got));			\
	EXPECT_GE((u64)(high), (u64)(got)); })

/* 5.6.2: an initial window per round trip, times 2.77 */
TEST(bbr_init__paces_the_initial_window)
{
	struct path *p = open_path(4 * BDP, 0);

	EXPECT_BETWEEN(10 * MSS * 25 * 2.76, p->q.snd.pacing_rate, 10 * MSS * 25 * 2.78);
	EXPECT_EQ(p->q.snd.cwnd, 10 * MSS);
	EXPECT_EQ(bbr_of(p)->state, HAUL_BBR_STARTUP);
}

/* 5.3.1, 5.3.2: the bandwidth is found within a second, and the queue that cost is drained */
TEST(bbr_startup__finds_the_bandwidth_and_drains)
{
	struct path *p = open_path(8 * BDP, 0);

	path_run(p, SECOND);
	EXPECT_TRUE(bbr_of(p)->full_bw_reached);
	EXPECT_BETWEEN(PATH_RATE * 0.97, max_bw(p), PATH_RATE * 1.03);
	EXPECT_TRUE(haul_bbr_in_probe_bw(bbr_of(p)));
	EXPECT_BETWEEN(40000, bbr_of(p)->min_rtt, 41000);
	EXPECT_EQ(p->dropped, 0);
	path_run(p, SECOND / 2);
	EXPECT_LE(path_queued(p), BDP / 4);
}

/* 5.3.3: nearly all of the bandwidth, nearly none of the buffer: a probe queues what it adds */
TEST(bbr_probe_bw__full_bandwidth_short_queue)
{
	struct path *p = open_path(8 * BDP, 0);

	path_run(p, 2 * SECOND);
	path_begin(p);
	path_run(p, 20 * SECOND);
	EXPECT_LE(PATH_RATE * 0.93, path_goodput(p, 20 * SECOND));
	EXPECT_LE(p->queue_sum / p->arrived, BDP / 20);
	EXPECT_LE(p->most_queued, BDP * 3 / 10);
	EXPECT_EQ(p->dropped, 0);
}

/* every phase of the cycle is gone through, in this order */
TEST(bbr_probe_bw__cycle)
{
	static const u8 next[] = {
		[HAUL_BBR_DOWN] = HAUL_BBR_CRUISE, [HAUL_BBR_CRUISE] = HAUL_BBR_REFILL,
		[HAUL_BBR_REFILL] = HAUL_BBR_UP, [HAUL_BBR_UP] = HAUL_BBR_DOWN,
	};
	struct path *p = open_path(8 * BDP, 0);
	unsigned int changes = 0, i;
	u8 state;

	path_run(p, SECOND);
	state = bbr_of(p)->state;
	for (i = 0; i < 3500; i++) {
		path_run(p, 1000);
		if (bbr_of(p)->state == state)
			continue;
		EXPECT_EQ(bbr_of(p)->state, next[state]);
		state = bbr_of(p)->state;
		changes++;
	}
	EXPECT_LE(4, changes);
}

/* 5.3.4: within five seconds and a bit there is a probe, of half a BDP, for 200 ms */
TEST(bbr_probe_rtt__half_a_window_for_200_ms)
{
	struct path *p = open_path(8 * BDP, 0);
	unsigned int i, ms = 0, times = 0;
	u32 least = ~0U, cwnd_before;

	/* more of the same path: samples would else be as low as ever, and no probe due */
	path_run(p, 2 * SECOND);
	p->rtt = 50000;
	cwnd_before = p->q.snd.cwnd;
	for (i = 0; i < 6000; i++) {
		bool before = bbr_of(p)->state == HAUL_BBR_PROBE_RTT;

		path_run(p, 1000);
		if (bbr_of(p)->state != HAUL_BBR_PROBE_RTT)
			continue;
		times += !before;
		ms++;
		least = min(least, haul_sender_in_flight(&p->q.snd));
	}
	EXPECT_EQ(times, 1);
	EXPECT_BETWEEN(200, ms, 400);
	EXPECT_BETWEEN(BDP * 4 / 10, least, BDP * 6 / 10);
	EXPECT_LE(cwnd_before * 3 / 4, p->q.snd.cwnd);
	/* and the new least round trip is known after another window */
	path_run(p, 10 * SECOND);
	EXPECT_BETWEEN(50000, bbr_of(p)->min_rtt, 52000);
}

/* 5.5.10: one loss in a hundred is not congestion */
TEST(bbr_loss__one_percent_costs_little)
{
	struct path *p = open_path(4 * BDP, 10);

	path_run(p, 3 * SECOND);
	path_begin(p);
	path_run(p, 20 * SECOND);
	EXPECT_LE(PATH_RATE * 0.88, path_goodput(p, 20 * SECOND));
	EXPECT_LE(100, p->lost);
}

/* a buffer of a fifth of a BDP: the losses of a probe set inflight_hi, not one after the other */
TEST(bbr_loss__shallow_buffer)
{
	struct path *p = open_path(BDP / 5, 0);

	path_run(p, 3 * SECOND);
	path_begin(p);
	path_run(p, 20 * SECOND);
	EXPECT_NE(bbr_of(p)->inflight_hi, HAUL_BBR_NONE);
	EXPECT_LE(p->dropped * 1000, p->arrived * 20);
	EXPECT_LE(PATH_RATE * 0.80, path_goodput(p, 20 * SECOND));
}

/* 5.3.1.3: startup ends by its losses, before the bandwidth's plateau would end it */
TEST(bbr_startup__ends_on_loss)
{
	struct path *p = open_path(BDP / 5, 0);
	unsigned int i;

	for (i = 0; i < 1000 && !bbr_of(p)->full_bw_reached; i++)
		path_run(p, 1000);
	EXPECT_TRUE(bbr_of(p)->full_bw_reached);
	EXPECT_FALSE(bbr_of(p)->full_bw_now);
	EXPECT_NE(bbr_of(p)->inflight_hi, HAUL_BBR_NONE);
}

/* marks are answered like losses, but nothing is lost */
TEST(bbr_ecn__marks_bound_the_queue)
{
	struct path *p = open_path(8 * BDP, 0);

	p->mark_at = BDP / 4;
	path_run(p, 3 * SECOND);
	path_begin(p);
	path_run(p, 20 * SECOND);
	EXPECT_EQ(p->dropped, 0);
	EXPECT_LE(1, p->marked);
	EXPECT_NE(bbr_of(p)->inflight_hi, HAUL_BBR_NONE);
	EXPECT_LE(p->most_queued, BDP);
	EXPECT_LE(PATH_RATE * 0.80, path_goodput(p, 20 * SECOND));
}

/* the path becomes faster: found by probes; slower: at once by its losses, then by the filter */
TEST(bbr_model__follows_the_path)
{
	struct path *p = open_path(2 * BDP, 0);

	path_run(p, 3 * SECOND);
	p->rate = 2 * PATH_RATE;
	path_run(p, 15 * SECOND);
	EXPECT_BETWEEN(PATH_RATE * 1.8, max_bw(p), PATH_RATE * 2.1);
	p->rate = PATH_RATE;
	path_run(p, 15 * SECOND);
	EXPECT_BETWEEN(PATH_RATE * 0.9, max_bw(p), PATH_RATE * 1.1);
	path_begin(p);
	path_run(p, 10 * SECOND);
	EXPECT_LE(PATH_RATE * 0.88, path_goodput(p, 10 * SECOND));
}

/* 5.4: after a pause the model still stands, and no burst follows */
TEST(bbr_idle__goes_on_at_the_rate_of_before)
{
	struct path *p = open_path(8 * BDP, 0);

	path_run(p, 3 * SECOND);
	p->idle = true;
	path_run(p, 2 * SECOND);
	EXPECT_EQ(p->q.num, 0);
	p->idle = false;
	path_begin(p);
	path_run(p, 2 * SECOND);
	EXPECT_LE(PATH_RATE * 0.90, path_goodput(p, 2 * SECOND));
	EXPECT_LE(p->most_queued, BDP);
	EXPECT_BETWEEN(PATH_RATE * 0.9, max_bw(p), PATH_RATE * 1.1);
}

/* 5.6.4.4: a timeout leaves one segment, and the end of it gives the window back */
TEST(bbr_timeout__window_comes_back)
{
	struct path *p = open_path(8 * BDP, 0);
	u32 cwnd;

	path_run(p, 3 * SECOND);
	cwnd = p->q.snd.cwnd;
	p->head = p->tail;	/* every ACK is lost */
	queue_timeout(&p->q);
	EXPECT_EQ(p->q.snd.cwnd, MSS);
	path_run(p, 2 * SECOND);
	EXPECT_LE(cwnd / 2, p->q.snd.cwnd);
	path_begin(p);
	path_run(p, 5 * SECOND);
	EXPECT_LE(PATH_RATE * 0.85, path_goodput(p, 5 * SECOND));
}

/* 5.5.11: bounds that a spurious loss had set are as before */
TEST(bbr_undo__bounds_are_restored)
{
	struct path *p = open_path(8 * BDP, 0);
	struct haul_bbr *bbr = haul_bbr(&p->q.snd);

	path_run(p, 3 * SECOND);
	bbr->state = HAUL_BBR_CRUISE;
	haul_bbr_reset_lower_bounds(bbr);
	haul_bbr_note_loss(&p->q.snd);
	bbr->bw_lo = 1;
	bbr->inflight_lo = MSS;
	haul_cc_bbr.undo(&p->q.snd, p->q.now);
	EXPECT_EQ(bbr->bw_lo, HAUL_BBR_NONE);
	EXPECT_EQ(bbr->inflight_lo, HAUL_BBR_NONE);
	EXPECT_FALSE(bbr->loss_in_round);
}
