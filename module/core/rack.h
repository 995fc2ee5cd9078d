/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RACK-TLP (RFC 8985): what is lost, told by time. One segment at a time; who walks the queue is
 * conn/recovery.c.
 */
#ifndef HAUL_CORE_RACK_H
#define HAUL_CORE_RACK_H

#include <linux/types.h>
#include "seg.h"

#define HAUL_RACK_DUPTHRESH	3	/* segments, RFC 8985 6.2 step 4 */
#define HAUL_RACK_MULT_MAX	64	/* quarters of min RTT; SRTT is the cap anyway */
#define HAUL_RACK_PERSIST	16	/* recoveries for which a widened window is kept */

/**
 * struct haul_rack - RFC 8985 5.3's per-connection variables
 * @xmit_us:	microseconds: RACK.xmit_ts, when the most recently sent segment that was delivered
 *		had been sent
 * @end_seq:	RACK.end_seq, its end
 * @rtt_us:	us: RACK.rtt, its round trip
 * @fack:	RACK.fack, highest sequence number (s)acked
 * @round_seq:	RACK.dsack_round: SND.NXT when the window was last widened by a D-SACK
 * @mult:	RACK.reo_wnd_mult, in quarters of min RTT
 * @persist:	RACK.reo_wnd_persist, recoveries left before @mult falls back to 1
 * @reordering:	RACK.reordering_seen
 * @round_valid: @round_seq is set
 * @valid:	some segment has been delivered
 */
struct haul_rack {
	u64	xmit_us;
	u32	end_seq;
	u32	rtt_us;
	u32	fack;
	u32	round_seq;
	u8	mult;
	u8	persist;
	bool	reordering;
	bool	round_valid;
	bool	valid;
};

void haul_rack_init(struct haul_rack *rack, u32 iss);

/*
 * A segment was delivered (6.2 steps 1 to 3). @now in us. @tsval_sent: the timestamp that @seg's
 * latest copy carried; @tsecr: the ACK's echo (both 32-bit us): an echo older than it shows that an
 * earlier copy arrived.
 * @min_rtt in us. To be called once for each newly delivered segment, cumulatively acknowledged
 * ones first, in order of sequence. Returns true when @seg shows that the path reorders.
 */
bool haul_rack_delivered(struct haul_rack *rack, const struct haul_seg *seg, u64 now,
			 u32 tsval_sent, u32 tsecr, u32 min_rtt);
/*
 * A D-SACK came (6.2 step 4): widens the window once per round trip. Before this ACK's losses are
 * looked for.
 */
void haul_rack_dsack(struct haul_rack *rack, u32 snd_una, u32 snd_nxt);
/* Fast or timeout recovery ended: a widened window ages. recovery.c calls it. */
void haul_rack_recovered(struct haul_rack *rack);
/* us: the reordering window (6.2 step 4). @sacked_segs: segments' worth of SACKed bytes */
u32 haul_rack_reo_wnd(const struct haul_rack *rack, u32 srtt, u32 min_rtt, bool recovering,
		      u32 sacked_segs);
/*
 * us until @seg must be taken for lost (6.2 step 5); 0: now; HAUL_RACK_NEVER: sent after everything
 * delivered, or SACKed, or taken for lost already and not sent again
 */
#define HAUL_RACK_NEVER		(~0U)
u32 haul_rack_remaining(const struct haul_rack *rack, const struct haul_seg *seg, u32 reo_wnd,
			u64 now);

/*
 * us: the probe timeout (7.2), at most @rto, the time that is left until the retransmission timer
 * fires. @srtt: 0 if unknown. @one_segment: only one is in flight; @max_delack: us, the peer's
 * longest delay of an ACK
 */
u32 haul_tlp_timeout(u32 srtt, u32 rto, bool one_segment, u32 max_delack);

#endif /* HAUL_CORE_RACK_H */
