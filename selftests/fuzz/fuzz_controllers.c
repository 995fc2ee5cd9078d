// SPDX-License-Identifier: GPL-2.0
/*
 * Each congestion controller behind its ops, with any sample that an ACK could bring: no arithmetic
 * that wraps, cwnd never grows by more than was delivered, a reduction never grows it. Reno is
 * compared with RFC 5681 done byte by byte.
 */
#include "core/sender.h"
#include "fuzz.h"

static const struct haul_cc_ops * const controllers[] = { &haul_cc_reno, &haul_cc_cubic };

static void start(struct haul_sender *snd, struct input *in)
{
	haul_sender_init(snd, take_u32(in), HAUL_RTO_FLOOR_US, 1 + take_u8(in) % 64);
	haul_sender_set_mss(snd, 88 + take_below(in, 9000));
	if (take_u8(in) % 4 == 0)
		snd->cwnd_clamp = snd->mss + take_spread(in, 30);
	haul_sender_established(snd, 1000);
	haul_sender_set_cc(snd, controllers[take_u8(in) % 2], NULL, 1000);
}

/* RFC 5681 3.1, a byte at a time; @window: what must be acknowledged for one more MSS */
static void reno_model(const struct haul_sender *snd, u32 acked, u32 *cwnd, u32 *part)
{
	u32 window, room = *cwnd < snd->ssthresh ? snd->ssthresh - *cwnd : 0;
	bool stale;

	for (; acked && room; acked--, room--)
		*cwnd += *cwnd < snd->cwnd_clamp;
	if (!acked)
		return;
	window = *cwnd > snd->mss ? *cwnd : snd->mss;
	stale = *part >= window;
	if (stale) {
		*part = 0;
		*cwnd += snd->mss;
	}
	while (acked--) {
		if (++*part == window) {
			*part = 0;
			*cwnd += snd->mss;
		}
	}
	if (*cwnd > snd->cwnd_clamp)
		*cwnd = snd->cwnd_clamp;
}

static void one_ack(struct haul_sender *snd, struct input *in, u64 now)
{
	u32 before = snd->cwnd, cwnd = before, part = snd->acked_part;
	struct haul_ack ack = { .now = now, .una_advanced = true };
	bool slow = haul_sender_in_slow_start(snd), used;

	ack.delivered = take_spread(in, 18);
	ack.acked = ack.delivered;
	ack.rtt_us = take_u8(in) % 4 ? 1 + take_spread(in, 26) : HAUL_RTT_NONE;
	haul_rtt_sample(&snd->rtt, ack.rtt_us, now);
	snd->nxt += ack.delivered + take_spread(in, 16);
	snd->una = snd->nxt - take_spread(in, 16);
	snd->cwnd_limited = take_u8(in) % 4;
	snd->cwnd_used = take_u8(in) % 2 ? snd->cwnd : 0;
	used = haul_sender_cwnd_in_use(snd);
	snd->cc->ack(snd, &ack);
	if (snd->cc == &haul_cc_reno && used) {
		reno_model(snd, ack.delivered, &cwnd, &part);
		CHECK_EQ(snd->cwnd, cwnd);
		CHECK_EQ(snd->acked_part, part);
	}
	CHECK(snd->cwnd >= before);
	CHECK(used || snd->cwnd == before);
	CHECK(snd->cwnd <= snd->cwnd_clamp);
	/* slow start at most doubles; beyond it one more MSS may be due from what came before */
	CHECK(snd->cwnd - before <= (u64)ack.delivered + (slow ? 0 : snd->mss) + snd->mss);
}

static void reduction(struct haul_sender *snd, struct input *in, u64 now)
{
	u32 cwnd = snd->cwnd, ssthresh;

	snd->rec.flight = 1 + take_spread(in, 30);
	snd->rec.state = HAUL_RECOVERY_OPEN;
	snd->rec.prior_cwnd = cwnd;
	ssthresh = take_u8(in) & 1 ? snd->cc->reduce(snd, HAUL_CC_LOSS, now) :
				  snd->cc->timeout(snd, now);
	CHECK(ssthresh >= 2 * snd->mss);
	CHECK(ssthresh <= cwnd || ssthresh == 2 * snd->mss);
	CHECK(ssthresh <= snd->rec.flight || ssthresh == 2 * snd->mss);
	if (snd->cc == &haul_cc_reno && ssthresh != 2 * snd->mss)
		CHECK_EQ(ssthresh, (snd->rec.flight < cwnd ? snd->rec.flight : cwnd) / 2);
	CHECK_EQ(snd->cwnd, cwnd);
	snd->ssthresh = ssthresh;
	snd->cwnd = take_u8(in) & 1 ? snd->mss : ssthresh;
	if (snd->cwnd > snd->cwnd_clamp)
		snd->cwnd = snd->cwnd_clamp;
}

void fuzz(struct input *in)
{
	struct haul_sender snd;
	u64 now = 1000, rate;

	start(&snd, in);
	while (in->left) {
		now += take_spread(in, 28);
		switch (take_u8(in) % 16) {
		case 0:
			reduction(&snd, in, now);
			break;
		case 1:
			if (snd.cc->undo)
				snd.cc->undo(&snd, now);
			break;
		case 2:
			haul_sender_restart(&snd, take_spread(in, 32), true, now);
			break;
		case 3:
			haul_sender_set_cc(&snd, controllers[take_u8(in) % 2], NULL, now);
			break;
		default:
			one_ack(&snd, in, now);
		}
		rate = haul_cc_pacing_rate(&snd);
		CHECK(rate >= 1);
		if (snd.rtt.srtt8)
			CHECK(rate <= 2ULL * snd.cwnd * 8000000 / snd.rtt.srtt8 + 2ULL * snd.mss *
			      8000000 / snd.rtt.srtt8);
	}
}
