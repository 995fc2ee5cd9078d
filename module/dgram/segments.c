// SPDX-License-Identifier: GPL-2.0
/*
 * Several datagrams of one size in one packet: UDP_SEGMENT on the way out, UDP_GRO on the way in.
 * How such a packet is marked, cut and merged is the streams' way (ip/offload.c, ip/gro.c).
 */
#include <linux/jump_label.h>
#include <linux/netdevice.h>
#include <linux/udp.h>
#include <net/gro.h>

#include "dgram.h"

/* a socket somewhere takes several datagrams as one packet */
static DEFINE_STATIC_KEY_FALSE(haul_dgram_gro);

/**
 * haul_dgram_segments_check - may a call's payload be cut?
 * @payload:	bytes of it
 * @segment:	bytes of payload in each datagram
 * @headers:	bytes of IP's and Haul's headers in each
 * @mtu:	bytes of an IP packet that the path takes
 *
 * Any context. Return: 0, -EMSGSIZE: even one is too large, -EINVAL: too many
 */
int haul_dgram_segments_check(u32 payload, u16 segment, u32 headers, u32 mtu)
{
	if (headers + min_t(u32, payload, segment) > mtu)
		return -EMSGSIZE;
	return payload > segment * UDP_MAX_SEGMENTS ? -EINVAL : 0;
}

/**
 * haul_dgram_gro_set - UDP_GRO on or off
 * @sk:		the socket
 * @on:		which
 *
 * Context: socket lock; may sleep.
 */
void haul_dgram_gro_set(struct sock *sk, bool on)
{
	struct haul_dgram *hd = haul_dgram(sk);

	if (hd->gro == on)
		return;
	WRITE_ONCE(hd->gro, on);
	if (on)
		static_branch_inc(&haul_dgram_gro);
	else
		static_branch_dec(&haul_dgram_gro);
}

/* as IP will have it when the datagram is there: a VRF's slave, and the VRF */
static void haul_gro_devices(const struct sk_buff *skb, int *dif, int *sdif)
{
	const struct net_device *master;

	*dif = skb->dev->ifindex;
	*sdif = 0;
	if (!netif_is_l3_slave(skb->dev))
		return;
	master = netdev_master_upper_dev_get_rcu(skb->dev);
	*sdif = *dif;
	*dif = master ? master->ifindex : 0;
}

/**
 * haul_dgram_gro_wanted - is a datagram for somebody who takes several as one packet?
 * @skb:	it; skb_gro_offset() at the Haul header
 * @h:		that header
 *
 * For anybody else they would have to be taken apart again. Of a SO_REUSEPORT group it is the one
 * that the flow's hash has, as nobody asks BPF here. Context: NAPI, RCU.
 */
bool haul_dgram_gro_wanted(struct sk_buff *skb, const struct haulhdr *h)
{
	const struct iphdr *iph = skb_gro_network_header(skb);
	struct haul_flow_key key = {};
	int dif, sdif;
	struct sock *sk;

	if (!static_branch_unlikely(&haul_dgram_gro))
		return false;
	if (iph->version == 4) {
		ipv6_addr_set_v4mapped(iph->daddr, &key.local);
		ipv6_addr_set_v4mapped(iph->saddr, &key.remote);
	} else {
		key.local = ((const struct ipv6hdr *)iph)->daddr;
		key.remote = ((const struct ipv6hdr *)iph)->saddr;
	}
	key.net = dev_net(skb->dev);
	key.lport = h->dest;
	key.rport = h->source;
	key.kind = HAUL_KIND_DATAGRAM;
	haul_gro_devices(skb, &dif, &sdif);
	sk = haul_dgram_lookup(&key, dif, sdif, NULL, 0);
	return sk && READ_ONCE(haul_dgram(sk)->gro);
}
