/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sending half of a connection: RFC 9293 3.3.1's send sequence variables, the round-trip
 * estimates, loss recovery (RFC 5681, 6675's pipe, 9937, 8985), undo (RFC 3522, 4015) and the
 * congestion window. Arithmetic only. All amounts are bytes of sequence space, all times
 * microseconds.
 */
#ifndef HAUL_CORE_SENDER_H
#define HAUL_CORE_SENDER_H

#include <linux/types.h>
#include <linux/haul.h>
#include "seq.h"
#include "seg.h"
#include "rtt.h"
#include "rack.h"
#include "cc.h"

struct haul_block;

/**
 * struct haul_recovery - loss recovery's own variables
 * @state:	HAUL_RECOVERY_*
 * @high_seq:	SND.NXT when the present state was entered: recovery's end (RFC 6675's
 *		RecoveryPoint)
 * @flight:	bytes: FlightSize when the present reduction was made, before the ACK that told of
 *		it shrank it: RFC 5681 (4)'s
 * @recover_fs:	bytes of those that could yet be delivered then: RecoverFS of PRR (RFC 9937)
 * @prr_delivered: bytes delivered since recovery started
 * @prr_out:	bytes sent since recovery started
 * @undo_marker: SND.UNA when the reduction was made; with @undo_armed
 * @timeout_una: SND.UNA at the latest timeout: a second one there holds ssthresh (RFC 5681 3.1)
 * @undo_retrans: bytes retransmitted since, less those that D-SACKs reported as duplicates
 * @retrans_tsval: timestamp of the first retransmission since the reduction (Eifel, RFC 3522); with
 *		@retrans_stamped
 * @prior_cwnd:	bytes, cwnd before the reduction
 * @prior_ssthresh: bytes, RFC 4015's pipe_prev: ssthresh before the reduction, or FlightSize if
 *		that was more
 * @tlp_high_seq: SND.NXT when the outstanding loss probe was sent; with @tlp_out
 * @tlp_out:	a loss probe is outstanding
 * @tlp_retrans: it was a retransmission
 * @undo_armed:	a reduction may still prove spurious
 * @retrans_stamped: @retrans_tsval is set
 */
struct haul_recovery {
	u32	high_seq;
	u32	flight;
	u32	recover_fs;
	u32	prr_delivered;
	u32	prr_out;
	u32	undo_marker;
	u32	undo_retrans;
	u32	retrans_tsval;
	u32	prior_cwnd;
	u32	prior_ssthresh;
	u32	tlp_high_seq;
	u32	timeout_una;
	u8	state;
	bool	tlp_out:1;
	bool	tlp_retrans:1;
	bool	undo_armed:1;
	bool	retrans_stamped:1;
};

/**
 * struct haul_sender - the sending half
 * @una:	SND.UNA
 * @nxt:	SND.NXT
 * @wnd:	SND.WND, bytes
 * @wl1:	SND.WL1, sequence number of the segment that last updated @wnd
 * @iss:	ISS
 * @max_wnd:	largest window the peer ever offered (RFC 9293 3.8.6.2.1, RFC 5961 5.2)
 * @mss:	bytes, payload of a full segment without options (Eff.snd.MSS)
 * @cwnd:	bytes
 * @ssthresh:	bytes
 * @cwnd_clamp:	bytes, cwnd never grows past it
 * @cwnd_used:	bytes, most in flight in the last round trip: cwnd grows only when used (RFC 7661)
 * @cwnd_round:	SND.NXT when @cwnd_used started
 * @acked_part:	bytes acknowledged towards the next additive increase
 * @initial_cwnd: segments, net.haul.initial_cwnd
 * @sacked:	bytes outstanding that are SACKed
 * @lost:	bytes outstanding marked HAUL_SEG_LOST. The mark stays when the segment is sent
 *		again, until it is delivered, so these include the retransmitted ones (as RFC 6675's
 *		IsLost())
 * @retrans:	bytes outstanding marked HAUL_SEG_RETRANS: a copy is on its way, of a segment taken
 *		for lost or not (a loss probe, or after an undo)
 * @delivered:	bytes delivered in all, modulo 2^32
 * @lost_total:	bytes taken for lost in all, modulo 2^32; each copy counts
 * @small_end:	one past the latest segment sent that was not full (Minshall's SND.SML, for Nagle's
 *		rule)
 * @ce_count:	the peer's CE counter as last seen (16 bits)
 * @cwr_seq:	SND.NXT at the last reduction for a mark: at most one per round trip
 * @delivered_us: when @delivered last grew
 * @first_sent_us: departure of the first segment of the present rate sample's flight
 * @app_limited: @delivered at which the application-limited period ends; 0: none
 * @pacing_rate: bytes per second, ~0: unlimited
 * @cc:		the controller
 * @priv:	its private state
 * @more:	that of a controller which needs more, allocated by who chose it (haul_cc_ops.more)
 */
struct haul_sender {
	u32	una;
	u32	nxt;
	u32	wnd;
	u32	wl1;
	u32	mss;
	u32	cwnd;
	u32	sacked;
	u32	lost;
	u32	retrans;
	u32	ssthresh;
	u32	delivered;
	u32	lost_total;
	u32	cwnd_used;
	u32	cwnd_round;
	u32	acked_part;
	u32	cwnd_clamp;
	u32	max_wnd;
	u32	iss;
	u32	app_limited;
	u32	cwr_seq;
	u32	small_end;
	u32	rate_delivered;		/* bytes, latest rate sample, for haul_info */
	u32	rate_interval_us;	/* us */
	u16	ce_count;
	u16	initial_cwnd;
	bool	cwr_valid;
	bool	syn_resent;		/* SYN or SYN-ACK was sent again: initial window 1 */
	bool	rate_app_limited;
	bool	cwnd_limited;		/* the last round trip filled cwnd */
	struct haul_recovery	rec;
	u64	delivered_us;
	u64	first_sent_us;
	u64	pacing_rate;
	struct haul_rtt		rtt;
	struct haul_rack	rack;
	const struct haul_cc_ops *cc;
	union {
		u64	priv[HAUL_CC_PRIV_WORDS];
		void	*more;
	};
};

/* bytes sent and not acknowledged */
static inline u32 haul_sender_outstanding(const struct haul_sender *snd)
{
	return snd->nxt - snd->una;
}

/*
 * RFC 6675 4's pipe, SetPipe(): bytes believed to be on the way. A segment counts once unless it is
 * SACKed or lost, and once more for a retransmitted copy. sacked + lost <= outstanding, since no
 * segment is both.
 */
static inline u32 haul_sender_in_flight(const struct haul_sender *snd)
{
	return haul_sender_outstanding(snd) - snd->sacked - snd->lost + snd->retrans;
}

/* bytes that the congestion window allows now */
static inline u32 haul_sender_cwnd_room(const struct haul_sender *snd)
{
	u32 flight = haul_sender_in_flight(snd);

	return snd->cwnd > flight ? snd->cwnd - flight : 0;
}

/* bytes beyond SND.NXT that the peer's window allows now */
static inline u32 haul_sender_wnd_room(const struct haul_sender *snd)
{
	u32 out = haul_sender_outstanding(snd);

	return snd->wnd > out ? snd->wnd - out : 0;
}

static inline bool haul_sender_in_slow_start(const struct haul_sender *snd)
{
	return snd->cwnd < snd->ssthresh;
}

/*
 * RFC 5681 3.1 presumes a sender that fills cwnd; one that does not has learnt nothing about the
 * path (RFC 7661)
 */
static inline bool haul_sender_cwnd_in_use(const struct haul_sender *snd)
{
	/* slow start doubles cwnd, so half of it in use is all that can be asked for */
	return snd->cwnd_limited ||
	       (haul_sender_in_slow_start(snd) && snd->cwnd / 2 < snd->cwnd_used);
}

/* bytes per second, ~0: any; what the controller says, else a window per round trip */
static inline u64 haul_sender_pacing_rate(const struct haul_sender *snd)
{
	return snd->pacing_rate == ~0ULL ? haul_cc_pacing_rate(snd) : snd->pacing_rate;
}

static inline bool haul_sender_recovering(const struct haul_sender *snd)
{
	return snd->rec.state >= HAUL_RECOVERY_FAST;
}

/* --- sender.c: start, sending, segments' marks, windows --- */
void haul_sender_init(struct haul_sender *snd, u32 iss, u32 rto_min, u16 initial_cwnd);
/*
 * the handshake is over: mss is known; sets the initial window (RFC 6928, RFC 5681 3.1) and starts
 * the controller
 */
void haul_sender_established(struct haul_sender *snd, u64 now);
/* min(10 * MSS, max(2 * MSS, 14600)) for initial_cwnd 10; bytes */
u32 haul_sender_initial_window(const struct haul_sender *snd);
/* @more: cc->more bytes, which become the controller's; NULL if that is 0 */
void haul_sender_set_cc(struct haul_sender *snd, const struct haul_cc_ops *cc, void *more,
			u64 now);
/* the memory that the controller was given, or NULL */
static inline void *haul_sender_more(const struct haul_sender *snd)
{
	return snd->cc && snd->cc->more ? snd->more : NULL;
}

/* a new MSS (path MTU): keeps cwnd in segments' terms when it shrinks below one segment */
void haul_sender_set_mss(struct haul_sender *snd, u32 mss);

/* RFC 9293 3.10.7.4: is the ACK acceptable? */
enum haul_ack_verdict {
	HAUL_ACK_NEW,		/* SND.UNA < SEG.ACK <= SND.NXT */
	HAUL_ACK_DUPLICATE,	/* SEG.ACK == SND.UNA */
	HAUL_ACK_OLD,		/* older, within RFC 5961 5.2's MAX.SND.WND: only SACK counts */
	HAUL_ACK_TOO_OLD,	/* older than that: challenge */
	HAUL_ACK_FUTURE,	/* acknowledges what was never sent: challenge */
};

enum haul_ack_verdict haul_sender_check_ack(const struct haul_sender *snd, u32 ack);
/*
 * Takes the window of an acceptable segment when it is newer (RFC 9293 3.10.7.4); true if SND.WND
 * changed. Called before SND.UNA moves. The handshake sets wnd, max_wnd and wl1 by itself.
 */
bool haul_sender_update_wnd(struct haul_sender *snd, u32 seq, u32 ack, u32 wnd);

/*
 * @seg leaves at @departure (us): for the first time, or again. SND.NXT is the caller's. @mss: what
 * a full segment carries now.
 */
void haul_sender_sent(struct haul_sender *snd, struct haul_seg *seg, u64 departure,
		      bool pipe_was_empty, u32 mss);
void haul_sender_resent(struct haul_sender *snd, struct haul_seg *seg, u64 departure, u32 tsval);
/*
 * @seg was cumulatively acknowledged (it leaves the queue) or SACKed (it stays): counts, rate
 * sample. Cumulatively acknowledged ones first, in order of sequence; moving SND.UNA is the
 * caller's. @ack->now must be set.
 */
void haul_sender_seg_acked(struct haul_sender *snd, struct haul_seg *seg, struct haul_ack *ack);
void haul_sender_seg_sacked(struct haul_sender *snd, struct haul_seg *seg, struct haul_ack *ack);
/* @seg is taken for lost (idempotent; a retransmitted copy may be lost again). @ack may be NULL */
void haul_sender_seg_lost(struct haul_sender *snd, struct haul_seg *seg, struct haul_ack *ack);
/*
 * an undo showed that @seg was not lost: HAUL_EVENT_UNDO asks for this on every outstanding segment
 */
void haul_sender_seg_unlost(struct haul_sender *snd, struct haul_seg *seg);
/* RFC 2018 8: the peer may have dropped what it SACKed; on timeout forget the mark */
void haul_sender_seg_renege(struct haul_sender *snd, struct haul_seg *seg);
/*
 * @head was split at @seq into @head and @tail, which must be zeroed before: the marks and times go
 * to both
 */
void haul_sender_seg_split(struct haul_seg *head, struct haul_seg *tail, u32 seq);
/* the front of @seg up to @una was acknowledged (a large segment, acked in its middle) */
void haul_sender_seg_trim(struct haul_sender *snd, struct haul_seg *seg, u32 una,
			  struct haul_ack *ack);

/* RFC 2883 4: does the first of an ACK's blocks report a duplicate? Fills ack->dsack* */
bool haul_sender_check_dsack(const struct haul_sender *snd, const struct haul_block *blocks,
			     unsigned int num, u32 ack_seq, struct haul_ack *ack);
/* the ACK's segments are all counted: judges the delivery rate sample and keeps it for haul_info */
void haul_sender_rate_done(struct haul_sender *snd, struct haul_ack *ack);

/*
 * RFC 9293 3.8.6.2.1 with Nagle: may a segment of @len bytes go now? @mss: what a full one carries.
 * @last: nothing is queued behind it. @push: nothing can be added to it (PSH or EOM ends it). @fin:
 * it carries FIN.
 */
enum haul_nagle {
	HAUL_NAGLE_ON,
	HAUL_NAGLE_OFF,		/* HAUL_NODELAY */
	HAUL_NAGLE_CORK,	/* HAUL_CORK or MSG_MORE: full segments only */
};

bool haul_sender_may_send(const struct haul_sender *snd, u32 len, u32 mss, enum haul_nagle nagle,
			  bool last, bool push, bool fin);
/* after a transmission round: was cwnd the limit? For growth (RFC 7661) and app_limited */
void haul_sender_note_limit(struct haul_sender *snd, bool cwnd_limited, bool more_to_send);
/* sending again with nothing in flight, after @idle us of silence: RFC 5681 4.1 if @shrink */
void haul_sender_restart(struct haul_sender *snd, u64 idle, bool shrink, u64 now);

/* --- recovery.c: the congestion window over an acknowledgment's, a loss's, a timeout's life --- */

/*
 * What a function of recovery.c did, for the caller's counters; HAUL_EVENT_UNDO also asks the
 * caller for something
 */
#define HAUL_EVENT_FAST		0x01	/* fast recovery started */
#define HAUL_EVENT_CWR		0x02	/* the window is being reduced for a mark */
#define HAUL_EVENT_LEFT		0x04	/* FAST, LOSS or CWR is over */
#define HAUL_EVENT_TLP_REPAIRED	0x08	/* a loss probe repaired a loss: the window was reduced */
#define HAUL_EVENT_UNDO_EIFEL	0x10	/* a timestamp showed a reduction spurious: taken back */
#define HAUL_EVENT_UNDO_DSACK	0x20	/* D-SACKs showed it */
/* haul_sender_seg_unlost() is due for every outstanding segment */
#define HAUL_EVENT_UNDO		(HAUL_EVENT_UNDO_EIFEL | HAUL_EVENT_UNDO_DSACK)

void haul_recovery_init(struct haul_sender *snd);
/*
 * Everything an ACK changes, after the queue walk filled @ack and SND.UNA moved; in this order:
 * loss probe, undo, leave, enter, grow or PRR. Marks in @ack->ce are answered too. Ages RACK's
 * window when a recovery ends. Returns HAUL_EVENT_*.
 */
u32 haul_recovery_ack(struct haul_sender *snd, struct haul_ack *ack);
/*
 * the retransmission timer fired; the caller has marked every outstanding segment lost that is not
 * SACKed
 */
void haul_recovery_timeout(struct haul_sender *snd, u64 now);
/* RACK's reordering timer marked @lost bytes; HAUL_EVENT_FAST or 0 */
u32 haul_recovery_lost(struct haul_sender *snd, u32 lost, u64 now);
/*
 * bytes were sent, first time or again: PRR counts them. To be called for every segment; only FAST
 * and CWR care
 */
void haul_recovery_sent(struct haul_sender *snd, u32 bytes);
/* a loss probe was sent, SND.NXT is past it; haul_recovery_ack() sees its outcome (RFC 8985 7.4) */
void haul_recovery_probe_sent(struct haul_sender *snd, bool retransmission);
/*
 * the peer reported CE marks: HAUL_EVENT_CWR if the window is reduced now, 0 if it was within this
 * round trip
 */
u32 haul_recovery_marked(struct haul_sender *snd, u64 now);

#endif /* HAUL_CORE_SENDER_H */
