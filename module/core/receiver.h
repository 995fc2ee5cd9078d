/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The receiving half of a connection: RFC 9293 3.3.1's receive sequence variables, acceptability,
 * the window offered, silly window avoidance, PAWS (RFC 7323), delayed ACKs, SACK blocks to send,
 * buffer autotuning's measure.
 */
#ifndef HAUL_CORE_RECEIVER_H
#define HAUL_CORE_RECEIVER_H

#include <linux/types.h>
#include "seq.h"
#include "wire.h"

#define HAUL_DELACK_MIN_US	40000U
#define HAUL_DELACK_MOST_US	200000U
/* what an ACK that is due may wait for a prompt answer or a reader; less than any probe timeout */
#define HAUL_ACK_HOLD_US	500U
/* bytes, more than two segments one by one: what an ACK must tell of to wait for the reader */
#define HAUL_ACK_LARGE		16384U
/* TS.Recent is void after; the sign would flip after 35.8 minutes */
#define HAUL_PAWS_EXPIRE_US	(30ULL * 60 * 1000000)
#define HAUL_RECENT_BLOCKS	4
#define HAUL_MAX_QUICKACKS	16

/**
 * struct haul_receiver - the receiving half
 * @nxt:	RCV.NXT
 * @wup:	RCV.NXT when @wnd was last announced
 * @wnd:	RCV.WND as last announced, bytes from @wup
 * @irs:	IRS
 * @copied:	sequence number up to which the application has read
 * @eom:	messages only: sequence number behind the last message that is here whole, not
 *		before @copied
 * @last_ack:	Last.ACK.sent (RFC 7323 4.3)
 * @ts_recent:	TS.Recent
 * @ts_recent_us: when it was taken; 0: none
 * @mss:	bytes, estimate of the peer's segment size
 * @adv_mss:	bytes, MSS announced
 * @ssthresh:	bytes, cap of the window offered, grows as the peer's segments prove worth their
 *	buffers
 * @clamp:	bytes, the window is never larger
 * @ce:		CE-marked packets received, all of them; the header carries it modulo 2^16
 * @recent:	newest out-of-order ranges, latest first (RFC 2018 4)
 * @num_recent:	how many
 * @dsack:	duplicate range to report first (RFC 2883); with @dsack_valid
 * @quickacks:	ACKs still to be sent at once (start of a connection, after loss)
 * @interactive: data flows both ways in turn: delay ACKs, they will ride on data (RFC 1122 4.2.3.2)
 * @prompt:	the program answered within HAUL_ACK_HOLD_US of what came last: so it may again.
 *		True until there was something to answer
 * @pushed:	the data that came last in order had PSH: the peer had no more to send
 * @ack_held:	an ACK that is due waits for such an answer
 * @ack_by_reader: readers have been woken: the first that reads acknowledges
 * @ack_now:	an immediate ACK is due
 * @ack_due:	an ACK is owed, may be delayed
 * @fin_due:	one of a FIN is owed, which is not delayed but may ride on ours
 * @ato_us:	us, present delay of a delayed ACK
 * @last_data_us: when data last arrived
 * @rtt_us:	us, receiver's estimate of the round trip, for autotuning
 * @space:	bytes, the most the application read in one round trip
 * @space_seq:	@copied when the present round trip of that measure began
 * @space_us:	when it began
 */
struct haul_receiver {
	u32	nxt;
	u32	wup;
	u32	wnd;
	u32	copied;
	u32	eom;
	u32	last_ack;
	u32	ts_recent;
	u32	mss;
	u32	ssthresh;
	u32	clamp;
	u32	irs;
	u32	ce;
	u32	ato_us;
	u32	rtt_us;
	u32	space;
	u32	space_seq;
	u16	adv_mss;
	u8	num_recent:3;
	u8	quickacks:5;
	bool	dsack_valid:1;
	bool	prompt:1;
	bool	pushed:1;
	bool	ack_now:1;
	bool	ack_due:1;
	bool	fin_due:1;
	bool	interactive;
	bool	ack_held;
	bool	ack_by_reader;
	u64	ts_recent_us;
	u64	last_data_us;
	u64	space_us;
	struct haul_block	dsack;
	struct haul_block	recent[HAUL_RECENT_BLOCKS];
};

void haul_receiver_init(struct haul_receiver *rcv, u32 irs, u32 clamp);

/* bytes of the window announced that are left at RCV.NXT */
static inline u32 haul_receiver_wnd(const struct haul_receiver *rcv)
{
	s32 left = rcv->wup + rcv->wnd - rcv->nxt;

	return left > 0 ? left : 0;
}

/*
 * RFC 9293 3.4 table 6, the window's end included for an empty one: may the segment [seq, end_seq)
 * be looked at?
 */
bool haul_receiver_acceptable(const struct haul_receiver *rcv, u32 seq, u32 end_seq);

/*
 * The window to announce now (RFC 9293 3.8.6.2.2, RFC 1122 4.2.3.3): @space: bytes the buffer still
 * takes, @full: its size. Never takes back what was announced; opens in steps of min(MSS, half the
 * buffer). Sets wup, wnd.
 */
u32 haul_receiver_select_wnd(struct haul_receiver *rcv, u32 space, u32 full);
/* Nothing more of any size can come before the application reads: the window is used up. */
bool haul_receiver_full(const struct haul_receiver *rcv, u32 space, u32 full);
/* The application read: would a window update tell the sender something worth a packet? */
bool haul_receiver_wnd_update_due(const struct haul_receiver *rcv, u32 space, u32 full);

/*
 * PAWS (RFC 7323 5.3, TS.Recent expired after 30 minutes): is the timestamp older than TS.Recent?
 */
bool haul_receiver_paws_old(const struct haul_receiver *rcv, u32 tsval, u64 now);
/*
 * RFC 7323 4.3: take TS.Recent from an acceptable segment that covers Last.ACK.sent and is not
 * older
 */
void haul_receiver_update_ts(struct haul_receiver *rcv, u32 seq, u32 tsval, u64 now);

/*
 * Data of @len bytes arrived in order: MSS estimate, delayed-ACK clock (RFC 5681 4.2: an ACK every
 * second segment)
 */
void haul_receiver_data(struct haul_receiver *rcv, u32 len, u64 now);
/* An out-of-order range arrived, or grew by merging: it becomes the newest SACK block */
void haul_receiver_ooo(struct haul_receiver *rcv, u32 start, u32 end);
/* A duplicate range arrived */
void haul_receiver_duplicate(struct haul_receiver *rcv, u32 start, u32 end);
/* RCV.NXT moved: blocks below it are gone */
void haul_receiver_advanced(struct haul_receiver *rcv);
/* An ACK leaves: @fresh bytes-in-buffer state is announced, counters of owed ACKs fall back */
void haul_receiver_ack_sent(struct haul_receiver *rcv);
/* Is an ACK due now (true), or may it wait? */
bool haul_receiver_ack_at_once(const struct haul_receiver *rcv, u32 space, u32 full, bool ooo);
/* The peer's FIN is next, all before it is here */
void haul_receiver_fin(struct haul_receiver *rcv);
/* May an ACK that is due at once wait for the program's answer all the same? */
bool haul_receiver_may_hold(const struct haul_receiver *rcv);
/* Data leaves: was it an answer to what came last? */
void haul_receiver_answered(struct haul_receiver *rcv, u64 now);
void haul_receiver_enter_quickack(struct haul_receiver *rcv);

/*
 * Blocks for one packet: D-SACK first, then the newest, then @more (sorted ranges from the
 * reassembly queue, without those already named). Fills @out, at most @max; returns how many.
 * Clears the D-SACK.
 */
unsigned int haul_receiver_sack_blocks(struct haul_receiver *rcv, const struct haul_block *more,
				       unsigned int num_more, struct haul_block *out,
				       unsigned int max);

/* Receiver's RTT sample: from timestamps, or from a window's worth of data */
void haul_receiver_rtt(struct haul_receiver *rcv, u32 sample);
/*
 * The application has read up to rcv->copied: once per round trip gives the buffer (bytes of
 * payload) that the flow needs (twice what was read in it, plus growth), else 0.
 */
u32 haul_receiver_autotune(struct haul_receiver *rcv, u64 now);

/* --- validate.c: RFC 5961, the tag rules of protocol.rst --- */
enum haul_verdict {
	HAUL_VERDICT_PASS,
	HAUL_VERDICT_DROP_TAG,		/* wrong tag: counted, never answered */
	HAUL_VERDICT_DROP_SEQ,		/* outside the window: dropped, nothing said */
	HAUL_VERDICT_CHALLENGE,		/* RFC 5961: dropped, answered by a challenge ACK */
	HAUL_VERDICT_RESET,		/* the RST is genuine: the connection ends */
};

/* An RST in a synchronised state (or SYN-RECEIVED): tag or reflected tag, then RFC 5961 3.2 */
enum haul_verdict haul_check_rst(const struct haul_packet *p, u32 own_tag, u32 peer_tag,
				 const struct haul_receiver *rcv);
/* An RST in SYN-SENT: our tag, not reflected, ACK = ISS + 1 */
enum haul_verdict haul_check_rst_syn_sent(const struct haul_packet *p, u32 own_tag, u32 iss,
					  u32 payload);

#endif /* HAUL_CORE_RECEIVER_H */
