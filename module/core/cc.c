// SPDX-License-Identifier: GPL-2.0
/*
 * What congestion controllers share, those in modules of their own too: slow start, additive
 * increase, the window that a loss is charged to; and a pacing rate for those that set none.
 */
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include "cc.h"
#include "sender.h"

/**
 * haul_cc_slow_start() - cwnd grows by what was delivered (RFC 5681 3.1 (2), RFC 3465 2.2)
 * @snd: sending half
 * @acked: bytes newly delivered
 *
 * RFC 3465's limit L is infinite here. It guards against two things: a burst on a stretch ACK (our
 * ACKs stand for segments of up to 64 KB, which leave as one packet anyway), and after a timeout
 * against an ACK for data that the peer had held all along (@acked leaves out what was SACKed
 * before, and SACK is always on).
 *
 * Context: socket lock.
 * Return: bytes of @acked that were not used because cwnd reached ssthresh; they count for
 * congestion avoidance.
 */
u32 haul_cc_slow_start(struct haul_sender *snd, u32 acked)
{
	u32 room = snd->ssthresh > snd->cwnd ? snd->ssthresh - snd->cwnd : 0;
	u32 step = min(acked, room);

	snd->cwnd = min(snd->cwnd + step, snd->cwnd_clamp);
	return acked - step;
}
EXPORT_SYMBOL_GPL(haul_cc_slow_start);

/**
 * haul_cc_additive() - one MSS more for every @window bytes (RFC 5681 3.1 (3), RFC 3465 2.1)
 * @snd: sending half
 * @acked: bytes newly delivered
 * @window: bytes that must be acknowledged for one MSS: cwnd for Reno; less is more aggressive
 *
 * Context: socket lock.
 */
void haul_cc_additive(struct haul_sender *snd, u32 acked, u32 window)
{
	u32 steps = 0;
	u64 part;

	window = max(window, snd->mss);	/* cwnd never more than doubles */
	/* Credit gathered while @window was larger is worth one step, not several at once. */
	if (snd->acked_part >= window) {
		snd->acked_part = 0;
		steps = 1;
	}
	part = (u64)snd->acked_part + acked;
	steps += div_u64_rem(part, window, &snd->acked_part);
	snd->cwnd = min_t(u64, snd->cwnd + (u64)steps * snd->mss, snd->cwnd_clamp);
}
EXPORT_SYMBOL_GPL(haul_cc_additive);

/**
 * haul_cc_flight() - the window that a loss is charged to
 * @snd: sending half
 *
 * RFC 5681 (4) asks for FlightSize and not cwnd, which may have grown stale while the application
 * sent less. And for "no more than": during recovery FlightSize also counts what is SACKed, and so
 * can exceed cwnd; a loss must never raise the window.
 *
 * Context: socket lock.
 * Return: bytes.
 */
u32 haul_cc_flight(const struct haul_sender *snd)
{
	return min(snd->rec.flight, snd->cwnd);
}
EXPORT_SYMBOL_GPL(haul_cc_flight);

/**
 * haul_cc_pacing_rate() - spreads a window over a round trip, for a controller that sets no rate
 * @snd: sending half
 *
 * Twice cwnd per SRTT while slow start may double it, 1.2 times afterwards, so that pacing is never
 * what limits the growth of cwnd. Within the last doubling before ssthresh the lower rate holds
 * already.
 *
 * Context: socket lock.
 * Return: bytes per second, ~0 before the first RTT sample.
 */
u64 haul_cc_pacing_rate(const struct haul_sender *snd)
{
	u32 percent = snd->cwnd < snd->ssthresh / 2 ? 200 : 120;

	if (!snd->rtt.srtt8)
		return ~0ULL;
	/* srtt8 is 8 * SRTT in us: bytes * 8 * 10^6 / srtt8; percent's 100 is taken out of 10^6 */
	return div_u64((u64)max(snd->cwnd, snd->mss) * percent * 80000, snd->rtt.srtt8);
}
