// SPDX-License-Identifier: GPL-2.0
/*
 * An example: a congestion controller in a module of its own. Scalable TCP's rule (T. Kelly, 2003):
 * in congestion avoidance the window grows by a hundredth of what is acknowledged, and a loss takes
 * an eighth of it; so recovery from a loss takes the same number of round trips at any speed. On
 * slow paths, where that would be less than Reno takes, it grows as Reno does.
 *
 * How it is built: ./Makefile. What a controller is told and may do: module/core/cc.h.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include "haul_cc.h"

#define SCALABLE_AI	100	/* one byte more for so many acknowledged */
#define SCALABLE_MD	3	/* a loss takes 2^-3 of the window */

/*
 * Private state: at most HAUL_CC_PRIV_WORDS words (else see haul_cc_ops.more), zeroed before
 * init(). Only counted here.
 */
struct scalable {
	u32	losses;
};

static_assert(sizeof(struct scalable) <= HAUL_CC_PRIV_WORDS * sizeof(u64));

static struct scalable *scalable(struct haul_sender *snd)
{
	return (struct scalable *)snd->priv;
}

/* all hooks: the socket lock is held, bottom halves may be off: no sleeping */
static void scalable_init(struct haul_sender *snd, u64 now)
{
	snd->acked_part = 0;
}

/*
 * An ACK delivered ack->delivered bytes. Not called while PRR (RFC 9937) brings the window down. A
 * window that the program does not fill must not grow: haul_sender_cwnd_in_use().
 */
static void scalable_ack(struct haul_sender *snd, const struct haul_ack *ack)
{
	u32 left = ack->delivered, window;

	if (!haul_sender_cwnd_in_use(snd))
		return;
	if (haul_sender_in_slow_start(snd))
		left = haul_cc_slow_start(snd, left);
	/* one MSS for every 100 MSS acknowledged, or for every window, if that is less */
	window = min(snd->cwnd, SCALABLE_AI * snd->mss);
	if (left)
		haul_cc_additive(snd, left, window);
}

/* a loss, or a CE mark: the new ssthresh, bytes; what becomes of cwnd is the caller's business */
static u32 scalable_reduce(struct haul_sender *snd, enum haul_cc_cause cause, u64 now)
{
	scalable(snd)->losses++;
	return max(snd->cwnd - (snd->cwnd >> SCALABLE_MD), 2 * snd->mss);
}

/* the retransmission timer fired: slow start from one segment, up to half of what was in flight */
static u32 scalable_timeout(struct haul_sender *snd, u64 now)
{
	return max(haul_cc_flight(snd) / 2, 2 * snd->mss);
}

static const struct haul_cc_ops scalable_ops = {
	.name		= "scalable",
	.init		= scalable_init,
	.ack		= scalable_ack,
	.reduce		= scalable_reduce,
	.timeout	= scalable_timeout,
};

static int __init scalable_module_init(void)
{
	return haul_cc_register(&scalable_ops, THIS_MODULE);
}

/* Haul holds a reference for each socket that uses it: there is none any more */
static void __exit scalable_module_exit(void)
{
	haul_cc_unregister(&scalable_ops);
}

module_init(scalable_module_init);
module_exit(scalable_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Scalable TCP's congestion control for Haul: an example");
