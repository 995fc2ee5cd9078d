/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Congestion control: what a controller is told and what it gives. A controller is one file and one
 * haul_cc_ops. It sees acknowledgments, losses, timeouts, marks and undos, and sets snd->cwnd,
 * snd->ssthresh and (if it paces) snd->pacing_rate; everything is in bytes and microseconds. All
 * hooks run under the socket lock, may not sleep.
 */
#ifndef HAUL_CORE_CC_H
#define HAUL_CORE_CC_H

#include <linux/types.h>

struct haul_sender;
struct haul_seg;

#define HAUL_SSTHRESH_INFINITE	0x7fffffffU	/* RFC 5681 3.1: "arbitrarily high" */
#define HAUL_CC_PRIV_WORDS	9		/* u64 words of private state in each sender */

/* haul_cc_ops.flags */
#define HAUL_CC_MODEL		0x01	/* sets cwnd in every state (BBR): no PRR */
#define HAUL_CC_RESTRICTED	0x02	/* not for users without CAP_NET_ADMIN */
#define HAUL_CC_PACES		0x04	/* sets pacing_rate, and relies on it */
#define HAUL_CC_ECN		0x08	/* wants ECN, whatever net.haul.ecn says */

/**
 * struct haul_ack - what one incoming acknowledgment told
 * @now:	microseconds
 * @acked:	bytes newly acknowledged cumulatively
 * @sacked:	bytes newly reported by SACK
 * @delivered:	bytes newly delivered (never counted twice: @acked less what was SACKed before, plus
 *		@sacked)
 * @lost:	bytes newly marked lost
 * @prior_in_flight: bytes in flight before this ACK
 * @prior_una:	SND.UNA before this ACK
 * @rtt_us:	us, RTT sample, HAUL_RTT_NONE if none
 * @ce:		packets newly reported CE-marked
 * @rate_delivered: bytes delivered over @rate_interval_us (delivery rate sample); 0: no sample
 * @rate_interval_us: us
 * @rate_prior:	snd->delivered when the sampled segment was sent, modulo 2^32
 * @rate_in_flight: bytes in flight when it had been sent, itself among them
 * @rate_lost:	bytes lost since then
 * @tsecr:	the ACK's echoed timestamp
 * @app_limited: the sample was limited by the application
 * @dsack:	the first block reports a duplicate (RFC 2883): [@dsack_start, @dsack_end)
 * @dsack_start: sequence number
 * @dsack_end:	sequence number
 * @retrans_acked: a segment that had been retransmitted was newly delivered
 * @una_advanced: SND.UNA moved
 */
struct haul_ack {
	u64	now;
	u32	acked;
	u32	sacked;
	u32	delivered;
	u32	lost;
	u32	prior_in_flight;
	u32	prior_una;
	u32	rtt_us;
	u32	ce;
	u32	rate_delivered;
	u32	rate_interval_us;
	u32	rate_prior;
	u32	rate_in_flight;
	u32	rate_lost;
	u32	tsecr;
	u32	dsack_start;
	u32	dsack_end;
	bool	app_limited;
	bool	dsack;
	bool	retrans_acked;
	bool	una_advanced;
};

/* why a window is reduced */
enum haul_cc_cause {
	HAUL_CC_LOSS,
	HAUL_CC_MARK,		/* CE marks (RFC 3168) */
};

/**
 * struct haul_cc_ops - a congestion controller
 * @name:	as HAUL_CONGESTION takes it
 * @flags:	HAUL_CC_*
 * @more:	bytes of private state, where it is more than HAUL_CC_PRIV_WORDS hold: snd->more
 *		is that much memory then, and a sender that cannot have it does not get the
 *		controller. 0: it is in snd->priv
 * @init:	a connection starts with it, or changes to it; private state is zeroed before
 * @ack:	an ACK delivered something. Called in OPEN and DISORDER and LOSS (where cwnd may
 *		grow), for HAUL_CC_MODEL always
 * @sample:	every ACK, in whatever state, before recovery looks at it. May be NULL
 * @lost:	an ACK, or the reordering timer, shows that this segment is lost; @reduce follows if
 *		it is the first. Not for what a timeout takes for lost. May be NULL
 * @reduce:	a loss (fast recovery starts) or a congestion mark (CWR starts): returns the new
 *		ssthresh, bytes. At most once per round trip. snd->rec.flight is FlightSize as the
 *		loss found it
 * @timeout:	the retransmission timer fired: returns the new ssthresh, bytes; snd->rec.flight as
 *		for @reduce
 * @undo:	the last reduction was spurious; cwnd and ssthresh are already restored. May be NULL
 * @idle:	sending starts again after an idle time longer than RTO; for HAUL_CC_MODEL: whenever
 *		nothing is in flight. May be NULL
 */
struct haul_cc_ops {
	char	name[16];
	u32	flags;
	u32	more;
	void	(*init)(struct haul_sender *snd, u64 now);
	void	(*ack)(struct haul_sender *snd, const struct haul_ack *ack);
	void	(*sample)(struct haul_sender *snd, const struct haul_ack *ack);
	void	(*lost)(struct haul_sender *snd, const struct haul_seg *seg, u64 now);
	u32	(*reduce)(struct haul_sender *snd, enum haul_cc_cause cause, u64 now);
	u32	(*timeout)(struct haul_sender *snd, u64 now);
	void	(*undo)(struct haul_sender *snd, u64 now);
	void	(*idle)(struct haul_sender *snd, u64 now);
};

/*
 * Slow start and congestion avoidance that controllers share (RFC 5681 3.1, byte counting RFC
 * 3465). @acked: bytes newly delivered; haul_cc_slow_start() returns those that were left when cwnd
 * reached ssthresh. haul_cc_additive() opens cwnd by one MSS for every @window bytes.
 */
u32 haul_cc_slow_start(struct haul_sender *snd, u32 acked);
void haul_cc_additive(struct haul_sender *snd, u32 acked, u32 window);
/* bytes: the window that a loss is charged to: RFC 5681 (4)'s FlightSize, never more than cwnd */
u32 haul_cc_flight(const struct haul_sender *snd);
/* bytes per second for a controller that sets no rate of its own; ~0 before the first RTT sample */
u64 haul_cc_pacing_rate(const struct haul_sender *snd);

extern const struct haul_cc_ops haul_cc_bbr;
extern const struct haul_cc_ops haul_cc_cubic;
extern const struct haul_cc_ops haul_cc_dctcp;
extern const struct haul_cc_ops haul_cc_reno;

/* Reno's growth and its answer to a timeout, for controllers that differ in the rest (RFC 8257) */
void haul_reno_ack(struct haul_sender *snd, const struct haul_ack *ack);
u32 haul_reno_timeout(struct haul_sender *snd, u64 now);

#endif /* HAUL_CORE_CC_H */
