// SPDX-License-Identifier: GPL-2.0
/*
 * Early demultiplexing: a packet of a connection is found out before it is routed, and takes the
 * route that its predecessor had, as TCP's do. The kernel asks no module's protocol for that, so it
 * is done from netfilter's PREROUTING, behind all others there. All that comes in by any protocol
 * passes the hook, and on loopback it finds nothing to do; so a namespace has it from its first
 * connection over another device on; net.ipv4.ip_early_demux turns it off.
 */
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include "ip.h"

/* ---------------------------------------------------------------- the route of a connection */

/**
 * haul_early_remember - the route by which a packet came in is good for the next one
 * @sk:		the socket; its lock is held
 * @skb:	the packet, accepted by IP
 *
 * Context: softirq, RCU.
 */
void haul_early_remember(struct sock *sk, const struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb), *old;

	old = rcu_dereference_protected(sk->sk_rx_dst, lockdep_sock_is_held(sk));
	if (likely(dst == old && READ_ONCE(sk->sk_rx_dst_ifindex) == skb->skb_iif))
		return;
	if (sk->sk_state != HAUL_ESTABLISHED || !dst_hold_safe(dst))
		return;
	rcu_assign_pointer(sk->sk_rx_dst, dst);
	WRITE_ONCE(sk->sk_rx_dst_ifindex, skb->skb_iif);
	if (ip_hdr(skb)->version == 6)
		sk->sk_rx_dst_cookie = rt6_get_cookie((const struct rt6_info *)dst);
	dst_release(old);
}

/**
 * haul_early_forget - the connection is over
 * @sk:	the socket; its lock is held
 */
void haul_early_forget(struct sock *sk)
{
	struct dst_entry *old = rcu_dereference_protected(sk->sk_rx_dst, lockdep_sock_is_held(sk));

	RCU_INIT_POINTER(sk->sk_rx_dst, NULL);
	dst_release(old);
}

/* ---------------------------------------------------------------- before routing */

/* Somebody may have routed it, or be about to for a VRF; the header may be in fragments. */
static bool haul_early_fit(struct sk_buff *skb, const struct net *net)
{
	if (skb_dst(skb) || skb->sk || skb->pkt_type != PACKET_HOST ||
	    !READ_ONCE(net->ipv4.sysctl_ip_early_demux))
		return false;
	if (netif_is_l3_slave(skb->dev) || netif_is_l3_master(skb->dev))
		return false;
	return pskb_may_pull(skb, skb_transport_offset(skb) + HAUL_DGRAM_HDR);
}

/* @key: addresses and namespace are set. The packet carries its socket on, with a reference. */
static void haul_early_find(struct sk_buff *skb, struct haul_flow_key *key)
{
	const struct haulhdr *h = (const struct haulhdr *)skb_transport_header(skb);
	struct haul_flow *flow;
	struct dst_entry *dst;
	struct sock *sk;

	key->lport = h->dest;
	key->rport = h->source;
	key->kind = h->version_kind & 0xf;
	flow = haul_flow_lookup(key, skb->skb_iif, 0);
	if (!flow)
		return;
	if (flow->owner != HAUL_OWNER_SOCK) {
		haul_flow_put(flow);
		return;
	}
	sk = haul_sock_sk(haul_flow_sock(flow));
	skb->sk = sk;
	skb->destructor = sock_edemux;
	dst = rcu_dereference(sk->sk_rx_dst);
	if (!dst || READ_ONCE(sk->sk_rx_dst_ifindex) != skb->skb_iif)
		return;
	if (likely(dst_check(dst, sk->sk_rx_dst_cookie)))
		skb_dst_set_noref(skb, dst);
	else	/* routing may give the same one again, with another cookie: remember it anew */
		WRITE_ONCE(sk->sk_rx_dst_ifindex, 0);
}

static unsigned int haul_early4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct haul_flow_key key haul_uninitialized;

	if (iph->protocol != haul_protocol || ip_is_fragment(iph) ||
	    !haul_early_fit(skb, state->net))
		return NF_ACCEPT;
	iph = ip_hdr(skb);
	key.net = state->net;
	ipv6_addr_set_v4mapped(iph->daddr, &key.local);
	ipv6_addr_set_v4mapped(iph->saddr, &key.remote);
	haul_early_find(skb, &key);
	return NF_ACCEPT;
}

static unsigned int haul_early6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct haul_flow_key key haul_uninitialized;

	if (ipv6_hdr(skb)->nexthdr != haul_protocol || !haul_early_fit(skb, state->net))
		return NF_ACCEPT;
	key.net = state->net;
	key.local = ipv6_hdr(skb)->daddr;
	key.remote = ipv6_hdr(skb)->saddr;
	/* what looks mapped here is no IPv4 packet; haul6_rcv() counts and drops it */
	if (!ipv6_addr_v4mapped(&key.local) && !ipv6_addr_v4mapped(&key.remote))
		haul_early_find(skb, &key);
	return NF_ACCEPT;
}

static const struct nf_hook_ops haul_early_ops[] = {
	{
		.hook		= haul_early4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP_PRI_LAST,
	},
	{
		.hook		= haul_early6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP6_PRI_LAST,
	},
};

/* ---------------------------------------------------------------- input, and the namespace */

/**
 * haul_early_take - the flow that early demultiplexing has found
 * @skb:	received; belongs to no socket afterwards
 *
 * Context: softirq, RCU.
 * Return: with a reference, as haul_flow_lookup(); what was done to the packet's addresses since is
 * for the caller to see. NULL: none
 */
struct haul_flow *haul_early_take(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	if (!sk || skb->destructor != sock_edemux || sk->sk_prot->owner != THIS_MODULE) {
		skb_orphan(skb);
		return NULL;
	}
	skb->destructor = NULL;
	skb->sk = NULL;
	return &haul_sk(sk)->flow;
}

static DEFINE_MUTEX(haul_early_mutex);

/* The packet that goes out by it comes in here, with the route that it went out by. */
static bool haul_early_is_loopback(const struct sock *sk)
{
	const struct dst_entry *dst;
	bool loopback;

	rcu_read_lock();
	dst = rcu_dereference(sk->sk_dst_cache);
	loopback = dst && (dst_dev_rcu(dst)->flags & IFF_LOOPBACK);
	rcu_read_unlock();
	return loopback;
}

/**
 * haul_early_enable - the namespace has a connection
 * @sk:		its socket
 *
 * May sleep. Without memory for the hook packets are just routed.
 */
void haul_early_enable(const struct sock *sk)
{
	struct haul_net *hn = haul_sk(sk)->hn;
	struct net *net = sock_net(sk);

	if (likely(READ_ONCE(hn->early)) || haul_early_is_loopback(sk))
		return;
	mutex_lock(&haul_early_mutex);
	if (!hn->early && !nf_register_net_hooks(net, haul_early_ops, ARRAY_SIZE(haul_early_ops)))
		WRITE_ONCE(hn->early, true);
	mutex_unlock(&haul_early_mutex);
}

/**
 * haul_early_disable - the namespace goes
 * @net:	the namespace; no sockets are in it
 *
 * May sleep.
 */
void haul_early_disable(struct net *net)
{
	if (haul_pernet(net)->early)
		nf_unregister_net_hooks(net, haul_early_ops, ARRAY_SIZE(haul_early_ops));
}
