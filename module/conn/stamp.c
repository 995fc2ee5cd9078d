// SPDX-License-Identifier: GPL-2.0
/*
 * SO_TIMESTAMPING of what a connection sends: when the last byte of a call was given to the queue
 * in front of the device, to the device, and when it was acknowledged. The first two are the
 * kernel's to note, which reads the wish in the packet. A packet buffer has room for one wish. It
 * is always about the buffer's last byte, so nothing is added behind one, and a cut leaves it with
 * the tail.
 */
#include <linux/net_tstamp.h>
#include "conn.h"

/* haul_seg.stamp */
#define HAUL_STAMP_WANTED	0x01
#define HAUL_STAMP_ACK		0x02	/* also when it is acknowledged */

/**
 * haul_stamp_begin - a call is about to queue something
 * @sk:		the socket; its lock is held
 *
 * SOF_TIMESTAMPING_OPT_ID numbers the bytes that are sent after it was set. The kernel clears
 * sk_tskey then, for it takes ours for a protocol that numbers packets: 0 is to begin here.
 */
void haul_stamp_begin(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (likely(!(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID)))
		return;
	if (!atomic_cmpxchg(&sk->sk_tskey, 0, 1))
		hs->stamp_base = hs->write_seq;
}

/**
 * haul_stamp_mark - the times of a call's last byte are wanted
 * @sk:		the socket; its lock is held
 * @skb:	the send queue's tail, which ends with that byte; not sent yet
 * @sockc:	what the socket or the call's control message asks for
 */
void haul_stamp_mark(struct sock *sk, struct sk_buff *skb, const struct sockcm_cookie *sockc)
{
	const struct haul_sock *hs = haul_sk(sk);
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	if (likely(!(sockc->tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK)))
		return;
	haul_sock_tx_timestamp(sk, sockc, &shinfo->tx_flags);
	shinfo->tskey = hs->write_seq - 1 - hs->stamp_base;
	HAUL_SEG(skb)->stamp = HAUL_STAMP_WANTED;
	if (sockc->tsflags & SOF_TIMESTAMPING_TX_ACK)
		HAUL_SEG(skb)->stamp |= HAUL_STAMP_ACK;
}

/**
 * haul_stamp_move - a buffer's last byte is another's now
 * @from:	its buffer before, its head not shared
 * @to:		its buffer now
 */
void haul_stamp_move(struct sk_buff *from, struct sk_buff *to)
{
	struct skb_shared_info *old = skb_shinfo(from), *new = skb_shinfo(to);

	if (likely(!HAUL_SEG(from)->stamp))
		return;
	HAUL_SEG(to)->stamp = HAUL_SEG(from)->stamp;
	HAUL_SEG(from)->stamp = 0;
	new->tskey = old->tskey;
	new->tx_flags |= old->tx_flags & SKBTX_ANY_TSTAMP;
	old->tx_flags &= ~SKBTX_ANY_TSTAMP;
}

/**
 * haul_stamp_acked - a buffer was acknowledged to its last byte
 * @sk:		the socket; its lock is held
 * @skb:	in no queue
 */
void haul_stamp_acked(struct sock *sk, struct sk_buff *skb)
{
	unsigned long links = skb->_skb_refdst;

	if (likely(!(HAUL_SEG(skb)->stamp & HAUL_STAMP_ACK)))
		return;
	/* the list's links lie where a copy would look for a route */
	skb->_skb_refdst = 0;
	haul_skb_tstamp_ack(skb, sk);
	skb->_skb_refdst = links;
}
