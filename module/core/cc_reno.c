// SPDX-License-Identifier: GPL-2.0
/*
 * Reno (RFC 5681 3.1): double per round trip up to ssthresh, then one MSS per round trip; halve on
 * loss. It has no state of its own.
 */
#include <linux/minmax.h>
#include "cc.h"
#include "sender.h"

static void haul_reno_init(struct haul_sender *snd, u64 now)
{
	snd->acked_part = 0;
}

void haul_reno_ack(struct haul_sender *snd, const struct haul_ack *ack)
{
	u32 left = ack->delivered;

	if (!haul_sender_cwnd_in_use(snd))
		return;
	if (haul_sender_in_slow_start(snd))
		left = haul_cc_slow_start(snd, left);
	if (left)
		haul_cc_additive(snd, left, snd->cwnd);
}

/* RFC 5681 (4): half of what was in flight, and never less than two segments */
u32 haul_reno_timeout(struct haul_sender *snd, u64 now)
{
	return max(haul_cc_flight(snd) / 2, 2 * snd->mss);
}

/* RFC 3168 6.1.2: for a mark as for a loss */
static u32 haul_reno_reduce(struct haul_sender *snd, enum haul_cc_cause cause, u64 now)
{
	return haul_reno_timeout(snd, now);
}

const struct haul_cc_ops haul_cc_reno = {
	.name		= "reno",
	.init		= haul_reno_init,
	.ack		= haul_reno_ack,
	.reduce		= haul_reno_reduce,
	.timeout	= haul_reno_timeout,
};
