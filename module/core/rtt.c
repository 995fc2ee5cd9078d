// SPDX-License-Identifier: GPL-2.0
/* RFC 6298's estimator in integers, its back-off, and the least round trip of the last minutes. */
#include <linux/kernel.h>
#include <linux/string.h>
#include "rtt.h"

#define HAUL_BACKOFF_MAX	31	/* any timeout has reached its most long before */

/**
 * haul_rtt_init() - no round trip is known yet
 * @rtt: the estimates
 * @rto_min: us, least that the variance term adds to SRTT
 *
 * Context: under the connection's lock.
 */
void haul_rtt_init(struct haul_rtt *rtt, u32 rto_min)
{
	memset(rtt, 0, sizeof(*rtt));
	rtt->rto_min = min_t(u32, rto_min, HAUL_RTO_MAX_US);
	rtt->rto_max_ms = HAUL_RTO_MAX_US / 1000;
	rtt->min = HAUL_RTT_NONE;
}

/* RFC 6298 2.2 and 2.3, alpha 1/8 and beta 1/4. RTTVAR first: it wants the old SRTT. */
static void haul_rtt_smooth(struct haul_rtt *rtt, u32 sample)
{
	u32 srtt = rtt->srtt8 >> 3;
	u32 deviation;

	if (!rtt->srtt8) {
		rtt->srtt8 = sample << 3;
		rtt->rttvar4 = sample << 1;
		return;
	}
	deviation = sample > srtt ? sample - srtt : srtt - sample;
	rtt->rttvar4 = rtt->rttvar4 - (rtt->rttvar4 >> 2) + deviation;
	rtt->srtt8 = rtt->srtt8 - srtt + sample;
}

static void haul_rtt_restart_next(struct haul_rtt *rtt, u32 sample, u64 now)
{
	rtt->next_min = sample;
	rtt->next_after = now - rtt->min_us;
}

static void haul_rtt_restart_min(struct haul_rtt *rtt, u32 sample, u64 now)
{
	rtt->min = sample;
	rtt->min_us = now;
	haul_rtt_restart_next(rtt, sample, now);
}

/*
 * A minimum over a moving window with two values: from when @min is half a window old, a second one
 * is kept, which takes over when the first has aged out. Until then it is just the latest sample.
 * So a path that became longer is believed after one window at most.
 */
static void haul_rtt_track_min(struct haul_rtt *rtt, u32 sample, u64 now)
{
	const u32 half = HAUL_MIN_RTT_WINDOW_US / 2;

	/* after so long @next_min, too, is from before the window */
	if (sample <= rtt->min || now - rtt->min_us > 2 * HAUL_MIN_RTT_WINDOW_US) {
		haul_rtt_restart_min(rtt, sample, now);
		return;
	}
	if (rtt->next_after < half || sample <= rtt->next_min)
		haul_rtt_restart_next(rtt, sample, now);
	if (now - rtt->min_us <= HAUL_MIN_RTT_WINDOW_US)
		return;
	rtt->min = rtt->next_min;
	rtt->min_us += rtt->next_after;
	rtt->next_after = 0;
	if (now - rtt->min_us > HAUL_MIN_RTT_WINDOW_US)
		haul_rtt_restart_min(rtt, sample, now);
}

/**
 * haul_rtt_sample() - a round trip was measured
 * @rtt: the estimates
 * @sample: us; HAUL_RTT_NONE is ignored, 0 counts as 1, more than HAUL_RTO_MAX_US as that
 * @now: microseconds
 *
 * The caller sees to it that the sample is unambiguous (Karn; RFC 7323 4.1: from an ACK that
 * advances SND.UNA). It ends the back-off (RFC 6298 5, last paragraph).
 *
 * Context: under the connection's lock.
 */
void haul_rtt_sample(struct haul_rtt *rtt, u32 sample, u64 now)
{
	if (sample == HAUL_RTT_NONE)
		return;
	sample = clamp_t(u32, sample, 1, HAUL_RTO_MAX_US);
	rtt->latest = sample;
	rtt->backoff = 0;
	haul_rtt_smooth(rtt, sample);
	haul_rtt_track_min(rtt, sample, now);
}

/**
 * haul_rtt_backoff() - the retransmission timer fired: double the timeout (RFC 6298 5.5)
 * @rtt: the estimates
 *
 * Context: under the connection's lock.
 */
void haul_rtt_backoff(struct haul_rtt *rtt)
{
	if (rtt->backoff < HAUL_BACKOFF_MAX)
		rtt->backoff++;
}

/**
 * haul_rtt_spurious() - a timeout was spurious: wait longer from now on (RFC 4015 3.3)
 * @rtt: the estimates
 * @sample: us, round trip that the late ACK shows; haul_rtt_sample() has it already
 *
 * As if it were the first sample, but never below what is known: a smoothed estimate would take
 * many round trips, and as many spurious timeouts, to follow a path that became longer.
 *
 * Context: under the connection's lock.
 */
void haul_rtt_spurious(struct haul_rtt *rtt, u32 sample)
{
	sample = clamp_t(u32, sample, 1, HAUL_RTO_MAX_US);
	rtt->srtt8 = max(rtt->srtt8, sample << 3);
	rtt->rttvar4 = max(rtt->rttvar4, sample << 1);
}

/**
 * haul_rtt_base() - the timeout before any back-off
 * @rtt: the estimates
 *
 * For timers with a back-off of their own. RFC 6298 2.1 and 2.3: a second before the first sample,
 * then SRTT plus four times RTTVAR. The floor is under the second term and not under the sum: on a
 * long steady path RTTVAR goes to 0, and an RTO that equals SRTT would fire on the first delayed
 * ACK.
 *
 * Context: under the connection's lock.
 * Return: us, no more than haul_rtt_most().
 */
u32 haul_rtt_base(const struct haul_rtt *rtt)
{
	u64 rto;

	if (rtt->srtt8)
		rto = (u64)haul_rtt_srtt(rtt) + max(rtt->rttvar4, rtt->rto_min);
	else
		rto = max_t(u32, HAUL_RTO_INITIAL_US, rtt->rto_min);
	return min_t(u64, rto, haul_rtt_most(rtt));
}

/**
 * haul_rtt_rto() - the retransmission timeout now (RFC 6298 5.5)
 * @rtt: the estimates
 *
 * Context: under the connection's lock.
 * Return: us, with back-off, no more than haul_rtt_most().
 */
u32 haul_rtt_rto(const struct haul_rtt *rtt)
{
	return min_t(u64, (u64)haul_rtt_base(rtt) << rtt->backoff, haul_rtt_most(rtt));
}

/**
 * haul_rtt_restart() - how long may the timer run that an ACK of new data starts anew?
 * @rtt: the estimates
 * @elapsed: us since the earliest outstanding segment was sent
 * @segs: segments outstanding and waiting to be sent
 *
 * RFC 6298 5.3 says RTO from now, which is a round trip more than the segment at SND.UNA needs.
 * RFC 7765 4 takes that off where so few are on their way that nothing but the timer may tell of a
 * loss.
 *
 * Context: under the connection's lock.
 * Return: us.
 */
u32 haul_rtt_restart(const struct haul_rtt *rtt, u64 elapsed, u32 segs)
{
	u32 rto = haul_rtt_rto(rtt);

	if (segs >= HAUL_RTO_RESTART_SEGS || elapsed >= rto)
		return rto;
	return rto - (u32)elapsed;
}

/**
 * haul_rtt_remember() - what a connection has measured joins what earlier ones have
 * @memory: of the path
 * @rtt: the connection's estimates, with a sample at least
 *
 * RFC 9040 4.2's merge: more is believed at once, less by and by. Too short a memory would send
 * what is not lost.
 *
 * Context: under the lock that guards @memory.
 */
void haul_rtt_remember(struct haul_rtt_memory *memory, const struct haul_rtt *rtt)
{
	u32 srtt = haul_rtt_srtt(rtt), rttvar = rtt->rttvar4 >> 2;

	if (memory->srtt > srtt)
		srtt = memory->srtt - (memory->srtt - srtt) / 8;
	if (memory->rttvar > rttvar)
		rttvar = memory->rttvar - (memory->rttvar - rttvar) / 4;
	memory->srtt = srtt;
	memory->rttvar = rttvar;
}

/**
 * haul_rtt_early() - when may a connection's first packet go again, ahead of its timeout?
 * @memory: what is remembered of the path
 * @rtt: the connection's estimates, which have no sample
 *
 * RFC 6298 2.1 asks for a second because nothing is known. The timeout itself stays what it is, and
 * all that is counted by it: this is one repetition more, in between. It must leave what remains of
 * the second at least twice as long as it took itself, as a timeout that is doubled does (5.5).
 *
 * Context: any.
 * Return: us after it was sent; 0: not ahead of the timeout.
 */
u32 haul_rtt_early(const struct haul_rtt_memory *memory, const struct haul_rtt *rtt)
{
	u64 early = (u64)memory->srtt + max_t(u64, (u64)memory->rttvar * 4, rtt->rto_min);

	return memory->srtt && early <= haul_rtt_base(rtt) / 3 ? early : 0;
}
