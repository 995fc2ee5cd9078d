/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Round-trip time and retransmission timeout: RFC 6298, with samples from timestamps (RFC 7323 4),
 * plus the least round trip of the last five minutes, which RACK and the controllers need, and what
 * one connection leaves to the next (RFC 9040).
 */
#ifndef HAUL_CORE_RTT_H
#define HAUL_CORE_RTT_H

#include <linux/types.h>

#define HAUL_RTO_INITIAL_US	1000000U	/* RFC 6298 2.1 */
/* the kernel's TCP's choice; RFC 6298 2.4's second is too long for a LAN */
#define HAUL_RTO_FLOOR_US	200000U
#define HAUL_RTO_MAX_US		120000000U
/* RFC 7765's rrthresh: segments outstanding and waiting; fewer can't call for a fast retransmit */
#define HAUL_RTO_RESTART_SEGS	4U
#define HAUL_MIN_RTT_WINDOW_US	300000000ULL
#define HAUL_RTT_NONE		(~0U)

/**
 * struct haul_rtt - round-trip estimates of one connection
 * @srtt8:	us * 8, SRTT; 0 until the first sample
 * @rttvar4:	us * 4, RTTVAR
 * @rto_min:	us, floor of the variance term's timeout (net.haul.rto_min_us)
 * @latest:	us, latest sample
 * @min:	us, least of the last HAUL_MIN_RTT_WINDOW_US; HAUL_RTT_NONE until the first sample
 * @next_min:	us, least since half of the window: takes over when @min ages out
 * @min_us:	microseconds, when @min was seen
 * @next_after:	us from @min_us until @next_min was seen
 * @rto_max_ms:	ms, the timeout is never longer
 * @backoff:	doublings of the timeout since the last acknowledgment of new data (RFC 6298 5.5)
 */
struct haul_rtt {
	u32	srtt8;
	u32	rttvar4;
	u32	rto_min;
	u32	latest;
	u32	min;
	u32	next_min;
	u64	min_us;
	u32	next_after;
	u32	rto_max_ms:24;
	u32	backoff:8;
};

/**
 * struct haul_rtt_memory - what earlier connections have measured on a path (RFC 9040)
 * @srtt:	us; 0: nothing
 * @rttvar:	us
 */
struct haul_rtt_memory {
	u32	srtt;
	u32	rttvar;
};

void haul_rtt_init(struct haul_rtt *rtt, u32 rto_min);
void haul_rtt_sample(struct haul_rtt *rtt, u32 sample, u64 now);
void haul_rtt_backoff(struct haul_rtt *rtt);
/* the timer fired too early: an ACK of the original came, with this sample (us; already taken) */
void haul_rtt_spurious(struct haul_rtt *rtt, u32 sample);
/* us: the timeout before any back-off */
u32 haul_rtt_base(const struct haul_rtt *rtt);
/* us: the timeout now, with back-off, never more than haul_rtt_most() */
u32 haul_rtt_rto(const struct haul_rtt *rtt);
/*
 * us until the timer is to fire that an ACK of new data starts anew: the timeout, or with few
 * segments what is left of it (RFC 7765). @elapsed: us since the earliest outstanding one was sent
 */
u32 haul_rtt_restart(const struct haul_rtt *rtt, u64 elapsed, u32 segs);

/* a connection's estimates join what is remembered; they have a sample */
void haul_rtt_remember(struct haul_rtt_memory *memory, const struct haul_rtt *rtt);
/* us until a connection's first packet may go again, ahead of its timeout; 0: not ahead of it */
u32 haul_rtt_early(const struct haul_rtt_memory *memory, const struct haul_rtt *rtt);

/* us: the longest timeout, whatever the estimates */
static inline u32 haul_rtt_most(const struct haul_rtt *rtt)
{
	return rtt->rto_max_ms * 1000U;
}

/* us; 0 before the first sample */
static inline u32 haul_rtt_srtt(const struct haul_rtt *rtt)
{
	return rtt->srtt8 >> 3;
}

#endif /* HAUL_CORE_RTT_H */
