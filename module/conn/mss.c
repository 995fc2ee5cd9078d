// SPDX-License-Identifier: GPL-2.0
/*
 * Segment size: the path's MTU (RFC 1191, 8201), the peer's MSS (RFC 9293 3.7.1), the user's, less
 * the options that a packet carries now.
 */
#include "conn.h"
#include "../ip/ip.h"

/**
 * haul_mss_sync - compute snd.mss anew
 * @sk:		the socket; its lock is held
 * @pmtu:	bytes, path MTU
 *
 * Return: bytes, payload of a full segment without options.
 */
u32 haul_mss_sync(struct sock *sk, u32 pmtu)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 headers = hs->af->net_header + hs->af->ext_header(sk) + HAUL_HDR;
	u32 mss = pmtu > headers ? pmtu - headers : 0;

	haul_assert_locked(sk);
	if (hs->peer_mss)
		mss = min_t(u32, mss, hs->peer_mss);
	if (hs->user_mss)
		mss = min_t(u32, mss, hs->user_mss);
	mss = max_t(u32, mss, HAUL_MIN_MSS);

	hs->pmtu = pmtu;
	haul_sender_set_mss(&hs->snd, mss);
	return mss;
}

/* bytes of options that a data packet sent now would carry */
static u32 haul_mss_options(const struct haul_sock *hs)
{
	unsigned int blocks = min_t(unsigned int, hs->rcv.num_recent + hs->rcv.dsack_valid,
				    HAUL_SACK_MAX_DATA);

	if (likely(!blocks && !hs->init_pending))
		return 0;
	return haul_wire_hdrlen(hs->init_pending, blocks) - HAUL_HDR;
}

/**
 * haul_mss_current - payload of a full segment sent now
 * @sk:		the socket; its lock is held
 *
 * Follows the route's MTU when it has changed. Return: bytes, options deducted.
 */
u32 haul_mss_current(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct dst_entry *dst = __sk_dst_get(sk);
	u32 mss = hs->snd.mss;

	haul_assert_locked(sk);
	if (likely(dst)) {
		u32 mtu = haul_route_mtu(sk, dst);

		if (unlikely(mtu != hs->pmtu))
			mss = haul_mss_sync(sk, mtu);
	}
	return mss - haul_mss_options(hs);
}

/**
 * haul_mss_adv - MSS to announce
 * @sk:		the socket, routed; its lock is held
 *
 * Return: bytes, what this side takes in one packet without options.
 */
u16 haul_mss_adv(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct dst_entry *dst = __sk_dst_get(sk);
	u16 mss = HAUL_DEFAULT_MSS;

	if (dst)
		mss = haul_route_adv_mss(&hs->flow, dst);
	if (hs->user_mss && hs->user_mss < mss)
		mss = hs->user_mss;
	return mss;
}

/**
 * haul_mss_reduced - a believed packet-too-big
 * @sk:		the socket; its lock is held
 * @pmtu:	bytes
 *
 * What was sent larger is lost for certain: marked so at once (RFC 1191 6.5) rather than after a
 * timeout.
 */
void haul_mss_reduced(struct sock *sk, u32 pmtu)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 old = hs->snd.mss, mss;
	struct sk_buff *skb;

	haul_assert_locked(sk);
	hs->af->set_pmtu(sk, pmtu);
	if (pmtu >= hs->pmtu)
		return;
	mss = haul_mss_sync(sk, pmtu);
	if (mss >= old)
		return;
	haul_count(sock_net(sk), HAUL_CNT_PMTU_REDUCED);

	for (skb = haul_rtx_head(sk); skb; skb = haul_rtx_next(skb)) {
		struct haul_seg *seg = HAUL_SEG(skb);

		if (haul_seg_len(seg) > mss && !(seg->marks & (HAUL_SEG_SACKED | HAUL_SEG_LOST)))
			haul_retransmit_mark_lost(sk, skb, NULL);
	}
	/* not congestion: the window stays as it is */
	haul_retransmit_lost(sk);
}
