// SPDX-License-Identifier: GPL-2.0
/*
 * core/rtt.c against RFC 6298 in floating point, with a bound for the integers' rounding, and its
 * minimum against all the samples of the window.
 */
#include <math.h>
#include "core/rtt.h"
#include "fuzz.h"

#define SAMPLES	256

struct model {
	double srtt, rttvar;
	u64 at[SAMPLES];
	u32 sample[SAMPLES];
	unsigned int num;
	unsigned int backoff;
};

static void model_sample(struct model *m, u32 sample, u64 now)
{
	if (!m->num) {
		m->srtt = sample;
		m->rttvar = sample / 2.0;
	} else {
		m->rttvar += (fabs(m->srtt - sample) - m->rttvar) / 4;
		m->srtt += (sample - m->srtt) / 8;
	}
	m->at[m->num] = now;
	m->sample[m->num++] = sample;
	m->backoff = 0;
}

/* the least of what came within @window, and of what came since the last sample at the latest */
static u32 model_min(const struct model *m, u64 now, u64 window)
{
	u32 least = m->sample[m->num - 1];
	unsigned int i;

	for (i = 0; i < m->num; i++)
		if (now - m->at[i] <= window && m->sample[i] < least)
			least = m->sample[i];
	return least;
}

static void check(const struct haul_rtt *rtt, const struct model *m, u64 now, u32 floor)
{
	u64 base = 1000000, rto;

	if (m->num) {
		/* the integers lose less than one unit of an eighth, a quarter, at each step */
		CHECK(fabs(rtt->srtt8 / 8.0 - m->srtt) <= 9);
		CHECK(fabs(rtt->rttvar4 / 4.0 - m->rttvar) <= 14);
		CHECK(rtt->min >= model_min(m, now, HAUL_MIN_RTT_WINDOW_US));
		CHECK(rtt->min <= model_min(m, now, HAUL_MIN_RTT_WINDOW_US / 2));
		CHECK_EQ(rtt->latest, m->sample[m->num - 1]);
		base = rtt->srtt8 / 8 + (rtt->rttvar4 > floor ? rtt->rttvar4 : floor);
	} else if (floor > base) {
		base = floor;
	}
	base = base < HAUL_RTO_MAX_US ? base : HAUL_RTO_MAX_US;
	CHECK_EQ(haul_rtt_base(rtt), base);
	rto = m->backoff > 40 ? HAUL_RTO_MAX_US : base << m->backoff;
	CHECK_EQ(haul_rtt_rto(rtt), rto < HAUL_RTO_MAX_US ? rto : HAUL_RTO_MAX_US);
}

void fuzz(struct input *in)
{
	u32 floor = take_spread(in, 32);
	u64 now = 1 + take_spread(in, 40);
	struct model m = {};
	struct haul_rtt rtt;

	haul_rtt_init(&rtt, floor);
	floor = floor < HAUL_RTO_MAX_US ? floor : HAUL_RTO_MAX_US;
	check(&rtt, &m, now, floor);
	while (in->left && m.num < SAMPLES) {
		u32 sample = take_spread(in, 32);

		now += take_spread(in, 30);
		if (take_u8(in) % 4 == 0) {
			haul_rtt_backoff(&rtt);
			m.backoff++;
		} else {
			haul_rtt_sample(&rtt, sample, now);
			sample = sample < HAUL_RTO_MAX_US || sample == HAUL_RTT_NONE ? sample :
				 HAUL_RTO_MAX_US;
			if (sample != HAUL_RTT_NONE)
				model_sample(&m, sample ?: 1, now);
		}
		if (m.num && m.at[m.num - 1] == now)
			check(&rtt, &m, now, floor);
	}
}
