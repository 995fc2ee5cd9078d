// SPDX-License-Identifier: GPL-2.0
/*
 * DCTCP (RFC 8257): the window is reduced by how many packets were marked, not by whether one was.
 * For networks whose switches mark by a short queue, and that nobody else shares: beside other
 * controllers it takes more than its share, so users need CAP_NET_ADMIN to choose it. Grows as
 * Reno does, and answers a loss as Reno does.
 *
 * The peer counts its CE-marked packets and says the sum in every header, so RFC 8257 3.2's
 * state machine at the receiver, which makes delayed ACKs tell it, is not needed.
 */
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include "cc.h"
#include "sender.h"

#define HAUL_DCTCP_SHIFT	20
#define HAUL_DCTCP_ONE		(1U << HAUL_DCTCP_SHIFT)	/* 1.0 */
#define HAUL_DCTCP_SHIFT_G	4		/* RFC 8257 4.2: g = 1/16 */

/**
 * struct haul_dctcp - RFC 8257 3.3
 * @alpha:	DCTCP.Alpha, in 2^-20
 * @window_end:	DCTCP.WindowEnd
 * @acked:	DCTCP.BytesAcked
 * @marked:	DCTCP.BytesMarked
 */
struct haul_dctcp {
	u32	alpha;
	u32	window_end;
	u64	acked;
	u64	marked;
};

static_assert(sizeof(struct haul_dctcp) <= HAUL_CC_PRIV_WORDS * sizeof(u64));

static struct haul_dctcp *haul_dctcp(struct haul_sender *snd)
{
	return (struct haul_dctcp *)snd->priv;
}

static void haul_dctcp_window(struct haul_sender *snd)
{
	struct haul_dctcp *dctcp = haul_dctcp(snd);

	dctcp->window_end = snd->nxt;
	dctcp->acked = 0;
	dctcp->marked = 0;
}

/* RFC 8257 3.3: Alpha begins at 1, so that the first mark halves the window */
static void haul_dctcp_init(struct haul_sender *snd, u64 now)
{
	snd->acked_part = 0;
	haul_dctcp(snd)->alpha = HAUL_DCTCP_ONE;
	haul_dctcp_window(snd);
}

/* RFC 8257 3.3 steps 5 to 8: Alpha = Alpha * (1 - g) + g * M */
static void haul_dctcp_update(struct haul_dctcp *dctcp)
{
	u32 old = dctcp->alpha >> HAUL_DCTCP_SHIFT_G;
	u64 marked = min(dctcp->marked, dctcp->acked);
	u32 fraction = div64_u64(marked * HAUL_DCTCP_ONE, dctcp->acked);

	/* what is less than a sixteenth of the unit would never decay */
	dctcp->alpha -= max_t(u32, old, !!dctcp->alpha);
	dctcp->alpha = min(dctcp->alpha + (fraction >> HAUL_DCTCP_SHIFT_G), HAUL_DCTCP_ONE);
}

/* in every state of recovery: marks must not go uncounted. Packets are counted as full ones */
static void haul_dctcp_sample(struct haul_sender *snd, const struct haul_ack *ack)
{
	struct haul_dctcp *dctcp = haul_dctcp(snd);

	dctcp->acked += ack->delivered;
	dctcp->marked += (u64)ack->ce * snd->mss;
	if (haul_before(snd->una, dctcp->window_end) || !dctcp->acked)
		return;
	haul_dctcp_update(dctcp);
	haul_dctcp_window(snd);
}

/* RFC 8257 3.3 step 9: cwnd = cwnd * (1 - Alpha / 2); 3.5: to a loss the answer is RFC 5681's */
static u32 haul_dctcp_reduce(struct haul_sender *snd, enum haul_cc_cause cause, u64 now)
{
	u64 cut;

	if (cause == HAUL_CC_LOSS)
		return haul_reno_timeout(snd, now);
	cut = (u64)snd->cwnd * haul_dctcp(snd)->alpha >> (HAUL_DCTCP_SHIFT + 1);
	return max_t(u32, snd->cwnd - cut, 2 * snd->mss);
}

const struct haul_cc_ops haul_cc_dctcp = {
	.name		= "dctcp",
	.flags		= HAUL_CC_ECN | HAUL_CC_RESTRICTED,
	.init		= haul_dctcp_init,
	.ack		= haul_reno_ack,
	.sample		= haul_dctcp_sample,
	.reduce		= haul_dctcp_reduce,
	.timeout	= haul_reno_timeout,
};
