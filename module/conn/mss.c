// SPDX-License-Identifier: GPL-2.0
/*
 * Segment size: the path's MTU (RFC 1191, 8201), the peer's MSS (RFC 9293 3.7.1), the user's, less
 * the options that a packet carries now.
 *
 * Where packets that are too big vanish and no ICMP comes (a black hole), full segments time out
 * again and again: then smaller ones are tried (RFC 8899 4.3). A path that was cut looks the same.
 * So when the first ACK comes, a connection whose full segments did arrive before goes back to
 * them, once; any other, and after 10 minutes (5.1.1's PMTU_RAISE_TIMER).
 */
#include "conn.h"
#include "../ip/ip.h"

#define HAUL_MTU_RAISE_S	600

/*
 * bytes of an IP packet, what is tried: Ethernet's (behind jumbo frames), what every link with IPv6
 * carries, also in a tunnel (RFC 8200 5), and what every host with IPv4 takes (RFC 1122 3.3.2)
 */
static const u16 haul_mtu_steps[] = { 1500, 1280, 576 };

static u32 haul_mss_headers(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	return hs->af->net_header + hs->af->ext_header(sk) + HAUL_HDR;
}

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
	u32 headers = haul_mss_headers(sk);
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

static u32 haul_mss_seconds(const struct haul_sock *hs)
{
	return div_u64(hs->now, USEC_PER_SEC);
}

/* bytes, what the route says, or less where that much was seen to vanish */
static u32 haul_mss_path_mtu(const struct sock *sk, const struct dst_entry *dst)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 mtu = haul_route_mtu(sk, dst);

	if (likely(!hs->mtu_cap))
		return mtu;
	if (haul_mss_seconds(hs) - hs->mtu_cap_s >= HAUL_MTU_RAISE_S)
		haul_mss_uncap(hs);
	return min_not_zero(mtu, (u32)hs->mtu_cap);
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
		u32 mtu = haul_mss_path_mtu(sk, dst);

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

/**
 * haul_mss_black_hole - a segment timed out: try smaller ones? (RFC 8899 4.3)
 * @sk:		the socket; its lock is held
 * @len:	bytes of payload that it has, or that are in one packet with it
 *
 * After net.haul.black_hole_timeouts of them in a row, with each timeout a step down.
 */
void haul_mss_black_hole(struct sock *sk, u32 len)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 floor = hs->af == &haul_af_ipv6 ? IPV6_MIN_MTU : READ_ONCE(hs->hn->min_pmtu);
	u32 timeouts = READ_ONCE(hs->hn->black_hole_timeouts);
	unsigned int i;

	haul_assert_locked(sk);
	if (!timeouts || hs->retransmits + 1U < timeouts ||
	    !haul_state_in(sk, HAUL_STATES_SYNCHRONIZED))
		return;
	for (i = 0; i < ARRAY_SIZE(haul_mtu_steps); i++)
		if (haul_mtu_steps[i] < hs->pmtu && haul_mtu_steps[i] >= floor)
			break;
	if (i == ARRAY_SIZE(haul_mtu_steps) ||
	    min(len, hs->snd.mss) + haul_mss_headers(sk) <= haul_mtu_steps[i])
		return;
	hs->mtu_cap = haul_mtu_steps[i];
	hs->mtu_cap_s = haul_mss_seconds(hs);
	haul_mss_sync(sk, hs->mtu_cap);
	haul_count(sock_net(sk), HAUL_CNT_BLACK_HOLES);
}
