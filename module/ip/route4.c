// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4 routes of a socket. inet->cork.fl is the flow that ip_queue_xmit() takes a packet's
 * addresses from.
 */
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/route.h>
#include "ip.h"

/* the first hop that a source route names, else the destination */
static __be32 haul_route4_hop(const struct sock *sk, __be32 daddr)
{
	const struct ip_options_rcu *opt = rcu_dereference_protected(inet_sk(sk)->inet_opt, true);

	return opt && opt->opt.srr ? opt->opt.faddr : daddr;
}

static void haul_route4_store(struct sock *sk, struct rtable *rt)
{
	sk->sk_gso_type = SKB_GSO_SCTP;
	sk_setup_caps(sk, &rt->dst);
	haul_route_caps(sk, &rt->dst);
}

/**
 * haul_route4 - the socket's route, looked up again when it is stale
 * @sk:	addresses and ports are set
 *
 * Context: socket lock; any. Return: the route (the socket holds it) or an ERR_PTR
 */
struct dst_entry *haul_route4(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst = __sk_dst_check(sk, 0);
	struct rtable *rt;

	if (likely(dst))
		return dst;
	rt = ip_route_output_ports(sock_net(sk), &inet->cork.fl.u.ip4, sk,
				   haul_route4_hop(sk, inet->inet_daddr), inet->inet_saddr,
				   inet->inet_dport, inet->inet_sport, sk->sk_protocol,
				   ip_sock_rt_tos(sk), sk->sk_bound_dev_if);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	haul_route4_store(sk, rt);
	return &rt->dst;
}

/*
 * Which addresses will it be, and is there a way? Whether security and IPsec let it pass is asked
 * in haul_route4_connected(), with the ports. 0 or -errno.
 */
static int haul_route4_find(struct sock *sk, __be32 hop, __be16 dport)
{
	struct inet_sock *inet = inet_sk(sk);
	struct flowi4 *fl4 = &inet->cork.fl.u.ip4;
	struct rtable *rt;
	int flags;

	ip_route_connect_init(fl4, hop, inet->inet_saddr, sk->sk_bound_dev_if, sk->sk_protocol,
			      inet->inet_sport, dport, sk);
	rt = __ip_route_output_key(sock_net(sk), fl4);
	if (IS_ERR(rt)) {
		if (PTR_ERR(rt) == -ENETUNREACH)
			IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTNOROUTES);
		return PTR_ERR(rt);
	}
	flags = rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST);
	ip_rt_put(rt);
	return flags ? -ENETUNREACH : 0;
}

/**
 * haul_route4_connect - finds route and source address
 * @sk:		the socket
 * @daddr:	the peer's; 0: this host
 * @dport:	the peer's
 *
 * Context: socket lock; may sleep. Return: 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL, ...
 */
int haul_route4_connect(struct sock *sk, __be32 daddr, __be16 dport)
{
	struct inet_sock *inet = inet_sk(sk);
	struct flowi4 *fl4 = &inet->cork.fl.u.ip4;
	__be32 hop = haul_route4_hop(sk, daddr);
	int err;

	if (!daddr && hop)
		return -EINVAL;
	err = haul_route4_find(sk, hop, dport);
	if (err)
		return err;

	if (hop == daddr)
		daddr = fl4->daddr;		/* 0 has become this host's */
	if (!inet->inet_saddr)
		inet->inet_saddr = fl4->saddr;
	sk_rcv_saddr_set(sk, inet->inet_saddr);
	if (sk->sk_family == AF_INET6)
		inet6_sk(sk)->saddr = sk->sk_v6_rcv_saddr;
	sk_daddr_set(sk, daddr);
	inet->inet_dport = dport;
	haul_sk(sk)->af = &haul_af_ipv4;
	return 0;
}

/**
 * haul_route4_connected - the route with both ports
 * @sk:		the socket
 *
 * Context: socket lock; may sleep. Return: 0 or what the route says
 */
int haul_route4_connected(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	struct rtable *rt;

	rt = ip_route_connect(&inet->cork.fl.u.ip4, haul_route4_hop(sk, inet->inet_daddr),
			      inet->inet_saddr, sk->sk_bound_dev_if, sk->sk_protocol,
			      inet->inet_sport, inet->inet_dport, sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	haul_route4_store(sk, rt);
	return 0;
}

/**
 * haul_route4_child - a child's IPv4 addresses and route
 * @child:	AF_INET, or AF_INET6 with mapped addresses; ports and device are set
 * @req:	its request
 * @skb:	the packet that finishes the handshake
 *
 * Context: softirq. Return: 0 or what the route says
 */
int haul_route4_child(struct sock *child, const struct haul_request *req, const struct sk_buff *skb)
{
	const struct haul_flow_key *key = &req->flow.key;
	struct inet_sock *inet = inet_sk(child);

	inet->inet_saddr = key->local.s6_addr32[3];
	sk_rcv_saddr_set(child, inet->inet_saddr);
	sk_daddr_set(child, key->remote.s6_addr32[3]);
	if (child->sk_family == AF_INET6)
		inet6_sk(child)->saddr = child->sk_v6_rcv_saddr;
	haul_sk(child)->af = &haul_af_ipv4;

	/* for IP_PKTOPTIONS */
	inet->mc_index = HAUL_PACKET(skb)->dif;
	inet->mc_ttl = ip_hdr(skb)->ttl;
	inet->rcv_tos = ip_hdr(skb)->tos;
	return PTR_ERR_OR_ZERO(haul_route4(child));
}
