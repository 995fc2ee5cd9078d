/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One segment that waits for its acknowledgment: what the sender must remember of it. In the kernel
 * it lives in skb->cb of the packet in the send queue; core/ never sees the packet.
 */
#ifndef HAUL_CORE_SEG_H
#define HAUL_CORE_SEG_H

#include <linux/types.h>

/* haul_seg.marks */
#define HAUL_SEG_SACKED		0x01	/* the peer holds it out of order (RFC 2018) */
#define HAUL_SEG_LOST		0x02	/* taken for lost; without RETRANS: to be sent again */
#define HAUL_SEG_RETRANS	0x04	/* sent again, that copy is on its way */
#define HAUL_SEG_EVER_RETRANS	0x08	/* sent again at some time: Karn's rule (RFC 6298 3) */
#define HAUL_SEG_APP_LIMITED	0x10	/* sent while the application had no more to send */

/**
 * struct haul_seg - a segment in the retransmission queue
 * @seq:	first sequence number
 * @end_seq:	one past the last; SYN and FIN count one each
 * @sent_us:	microseconds: latest (re)transmission, planned departure
 * @delivered_us: microseconds: when @delivered was current (delivery rate sample)
 * @first_sent_us: microseconds: departure of the first segment of the sample's flight
 * @delivered:	bytes delivered on the connection when this was sent, modulo 2^32
 * @in_flight:	bytes in flight when this had been sent, itself among them; not once it is SACKed
 * @sacked_end:	of a SACKED one: what lies between it and this number is SACKED, too
 * @lost_total:	bytes lost on the connection when this was sent, modulo 2^32
 * @flags:	HAUL_SYN, HAUL_FIN, HAUL_PSH, HAUL_EOM that it carries
 * @marks:	HAUL_SEG_*
 * @stamp:	the program wants to know when its last byte leaves or arrives (conn/stamp.c)
 */
struct haul_seg {
	u32	seq;
	u32	end_seq;
	u64	sent_us;
	u64	delivered_us;
	u64	first_sent_us;
	u32	delivered;
	union {
		u32	in_flight;
		u32	sacked_end;
	};
	u32	lost_total;
	u16	flags;
	u8	marks;
	u8	stamp;
};

/* bytes of sequence space */
static inline u32 haul_seg_len(const struct haul_seg *seg)
{
	return seg->end_seq - seg->seq;
}

#endif /* HAUL_CORE_SEG_H */
