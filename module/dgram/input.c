// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram has come in: who is it for, may it pass, into the queue; or an ICMP answer that nobody
 * has the port.
 */
#include <linux/filter.h>
#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <net/busy_poll.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "dgram.h"

/* ---------------------------------------------------------------- may it pass? */

static bool haul_dgram_policy(struct sock *sk, struct sk_buff *skb)
{
	if (ip_hdr(skb)->version == 4)
		return xfrm4_policy_check(sk, XFRM_POLICY_IN, skb);
	return xfrm6_policy_check(sk, XFRM_POLICY_IN, skb);
}

/* A filter may cut a datagram short, but not into its header. */
static enum haul_counter haul_dgram_judge(struct sock *sk, struct sk_buff *skb, u32 hdrlen)
{
	if (!haul_dgram_policy(sk, skb))
		return HAUL_CNT_DROP_POLICY;
	nf_reset_ct(skb);
	if (sk && sk_filter_trim_cap(sk, skb, hdrlen))
		return HAUL_CNT_DROP_FILTER;
	return HAUL_NUM_COUNTERS;
}

/* ---------------------------------------------------------------- hand it over */

/*
 * The address that an answer would come from (ipi_spec_dst of IP_PKTINFO): where the datagram went
 * to, unless that was no host's.
 */
static __be32 haul_dgram_spec_dst(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	const struct iphdr *iph = ip_hdr(skb);
	struct flowi4 fl4 = { .daddr = iph->saddr, .flowi4_oif = skb->dev->ifindex };
	struct rtable *back;
	__be32 addr;

	if ((rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST | RTCF_LOCAL)) == RTCF_LOCAL)
		return iph->daddr;
	if (ipv4_is_zeronet(iph->saddr))
		return inet_select_addr(skb->dev, 0, RT_SCOPE_LINK);
	back = ip_route_output_key(dev_net(skb->dev), &fl4);
	if (IS_ERR(back))
		return inet_select_addr(skb->dev, iph->saddr, RT_SCOPE_UNIVERSE);
	addr = fl4.saddr;
	ip_rt_put(back);
	return addr;
}

/*
 * IPv4: what IP_PKTINFO will tell replaces IP's control block; it begins with the same index. A
 * packet from this host came by the device that its route names, not by loopback.
 */
static void haul_dgram_pktinfo(const struct sock *sk, struct sk_buff *skb)
{
	struct in_pktinfo *info = PKTINFO_SKB_CB(skb);
	const struct rtable *rt = skb_rtable(skb);

	if (!haul_inet_flag(sk, cmsg_flags & IP_CMSG_PKTINFO, PKTINFO) && !ipv6_sk_rxinfo(sk))
		return;
	if (!rt) {
		info->ipi_ifindex = 0;
		info->ipi_spec_dst.s_addr = 0;
		return;
	}
	if (info->ipi_ifindex == LOOPBACK_IFINDEX)
		info->ipi_ifindex = inet_iif(skb);
	else if (ipv4_l3mdev_skb(IPCB(skb)->flags) && rt->rt_iif)
		info->ipi_ifindex = rt->rt_iif;
	info->ipi_spec_dst.s_addr = haul_dgram_spec_dst(skb);
}

/* Policy, filter, queue. Consumes @skb. */
static void haul_dgram_take(struct sock *sk, struct sk_buff *skb, u32 hdrlen)
{
	unsigned int segs = haul_skb_segs(skb);
	struct net *net = sock_net(sk);
	enum haul_counter why;

	why = haul_dgram_judge(sk, skb, hdrlen);
	if (why != HAUL_NUM_COUNTERS) {
		haul_sk_dropped(sk, skb);
		goto drop;
	}
	if (sk->sk_state == TCP_ESTABLISHED) {
		sk_incoming_cpu_update(sk);
		sock_rps_save_rxhash(sk, skb);
		sk_mark_napi_id(sk, skb);
	} else {
		sk_mark_napi_id_once(sk, skb);
	}
	if (skb->protocol == htons(ETH_P_IP))
		haul_dgram_pktinfo(sk, skb);
	skb_dst_drop(skb);
	__skb_pull(skb, hdrlen);
	why = haul_dgram_enqueue(sk, skb);
	if (why == HAUL_NUM_COUNTERS) {
		haul_count_add(net, HAUL_CNT_DGRAM_IN, segs);
		return;
	}
drop:
	haul_drop(net, skb, why);
}

/**
 * haul_dgram_deliver - a datagram to one socket, or several in one packet
 * @sk:		whom it is for
 * @skb:	data at the Haul header; consumed
 * @hdrlen:	bytes of it
 *
 * Who has not asked for several at once (UDP_GRO) gets each by itself. Context: softirq, RCU.
 */
void haul_dgram_deliver(struct sock *sk, struct sk_buff *skb, u32 hdrlen)
{
	struct sk_buff *seg, *next;

	if (likely(!haul_offload_datagram_size(skb)) || READ_ONCE(haul_dgram(sk)->gro)) {
		haul_dgram_take(sk, skb, hdrlen);
		return;
	}
	seg = haul_offload_split(skb);
	if (IS_ERR(seg)) {
		haul_sk_dropped(sk, skb);
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_MEMORY);
		return;
	}
	consume_skb(skb);
	skb_list_walk_safe(seg, seg, next) {
		skb_mark_not_on_list(seg);
		haul_dgram_take(sk, seg, hdrlen);
	}
}

/* ---------------------------------------------------------------- nobody has the port */

/* RFC 1122 4.1.3.1; the kernel limits how often. */
static void haul_dgram_refuse(struct net *net, struct sk_buff *skb)
{
	enum haul_counter why = haul_dgram_judge(NULL, skb, 0);

	if (why == HAUL_NUM_COUNTERS) {
		why = HAUL_CNT_DROP_NO_PORT;
		if (ip_hdr(skb)->version == 4)
			icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
		else
			icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
	}
	haul_drop(net, skb, why);
}

/* ---------------------------------------------------------------- who is it for? */

static void haul_dgram_key(struct haul_flow_key *key, struct net *net, const struct sk_buff *skb,
			   const struct haul_packet *p)
{
	memset(key, 0, sizeof(*key));
	key->net = net;
	if (ip_hdr(skb)->version == 4) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &key->local);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &key->remote);
	} else {
		key->local = ipv6_hdr(skb)->daddr;
		key->remote = ipv6_hdr(skb)->saddr;
	}
	key->lport = p->dport;
	key->rport = p->sport;
	key->kind = HAUL_KIND_DATAGRAM;
}

/* to more than one: a group or everybody */
static bool haul_dgram_to_many(const struct sk_buff *skb)
{
	const struct rtable *rt;

	if (ip_hdr(skb)->version == 6)
		return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
	rt = skb_rtable(skb);
	return rt && (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST));
}

/*
 * A mapped address would be taken for IPv4's by everything above, and no IPv6 packet on a wire may
 * have one (draft-itojun-v6ops-v4mapped-harmful).
 */
static bool haul_dgram_sane(const struct sk_buff *skb)
{
	if (ip_hdr(skb)->version == 4)
		return true;
	return !ipv6_addr_v4mapped(&ipv6_hdr(skb)->saddr) &&
	       !ipv6_addr_v4mapped(&ipv6_hdr(skb)->daddr);
}

/**
 * haul_dgram_input - a datagram has come in
 * @skb:	data at the Haul header, which is in the linear part; checksum right; skb->cb is
 *		IP's. Consumed
 * @p:		what the header says
 * @in:		what IP knows of it
 *
 * Context: softirq, RCU.
 */
void haul_dgram_input(struct sk_buff *skb, const struct haul_packet *p,
		      const struct haul_arrival *in)
{
	struct net *net = dev_net(skb->dev);
	struct haul_flow_key key;
	struct sock *sk;

	if (unlikely(!haul_dgram_sane(skb))) {
		haul_drop(net, skb, HAUL_CNT_DROP_ADDRESS);
		return;
	}
	haul_dgram_key(&key, net, skb, p);
	if (haul_dgram_to_many(skb)) {
		haul_dgram_multicast(skb, &key, p, in);
		return;
	}
	sk = haul_dgram_lookup(&key, in->dif, in->sdif, skb, p->hdrlen);
	if (sk)
		haul_dgram_deliver(sk, skb, p->hdrlen);
	else
		haul_dgram_refuse(net, skb);
}
