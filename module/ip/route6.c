// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6 routes of a socket.
 */
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/transp_v6.h>
#include <net/inet_hashtables.h>
#include "ip.h"

/**
 * haul_route6_flow - the socket's packets, as ip6_xmit() and the routing table want them described
 * @sk:		addresses and ports are set
 * @fl6:	to fill
 *
 * Context: socket lock; any.
 */
void haul_route6_flow(struct sock *sk, struct flowi6 *fl6)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ipv6_pinfo *np = inet6_sk(sk);

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = sk->sk_protocol;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->saddr = np->saddr;
	fl6->flowlabel = ip6_make_flowinfo(np->tclass, np->flow_label);
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = READ_ONCE(sk->sk_mark);
	fl6->fl6_sport = inet->inet_sport;
	fl6->fl6_dport = inet->inet_dport;
	fl6->flowi6_uid = sk_uid(sk);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
}

/*
 * by a routing header's first hop, if the socket sends one; the source address comes back in @fl6
 */
static struct dst_entry *haul_route6_lookup(struct sock *sk, struct flowi6 *fl6)
{
	struct in6_addr *final, behind;

	rcu_read_lock();
	final = fl6_update_dst(fl6, rcu_dereference(inet6_sk(sk)->opt), &behind);
	rcu_read_unlock();
	return ip6_dst_lookup_flow(sock_net(sk), sk, fl6, final);
}

static void haul_route6_store(struct sock *sk, struct dst_entry *dst)
{
	sk->sk_gso_type = SKB_GSO_SCTP;
	haul_ip6_dst_store(sk, dst);
	haul_route_caps(sk, dst);
}

/**
 * haul_route6 - the socket's route, looked up again when it is stale
 * @sk:	addresses and ports are set
 *
 * Context: socket lock; any. Return: the route (the socket holds it) or an ERR_PTR
 */
struct dst_entry *haul_route6(struct sock *sk)
{
	struct dst_entry *dst = __sk_dst_check(sk, inet6_sk(sk)->dst_cookie);
	struct flowi6 fl6;

	if (likely(dst))
		return dst;
	haul_route6_flow(sk, &fl6);
	dst = haul_route6_lookup(sk, &fl6);
	if (!IS_ERR(dst))
		haul_route6_store(sk, dst);
	return dst;
}

/*
 * A link-local address means something on one link only: the address' or the socket's, and they
 * must agree.
 */
static int haul_route6_scope(struct sock *sk, const struct in6_addr *addr, u32 scope)
{
	if (!(ipv6_addr_type(addr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (scope) {
		if (!sk_dev_equal_l3scope(sk, scope))
			return -EINVAL;
		WRITE_ONCE(sk->sk_bound_dev_if, scope);
	}
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

/* The flow label that the program asks for; one that is another's is refused. */
static int haul_route6_label(struct sock *sk, __be32 flowinfo)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct ip6_flowlabel *label;

	np->flow_label = 0;
	if (!haul_inet6_flag(sk, sndflow, SNDFLOW))
		return 0;
	np->flow_label = flowinfo & IPV6_FLOWINFO_MASK;
	IP6_ECN_flow_init(np->flow_label);
	if (!(np->flow_label & IPV6_FLOWLABEL_MASK))
		return 0;
	label = fl6_sock_lookup(sk, np->flow_label);
	if (IS_ERR(label))
		return -EINVAL;
	fl6_sock_release(label);
	return 0;
}

/**
 * haul_route6_connect - finds route and source address
 * @sk:		AF_INET6
 * @sin6:	address, port and flow information of the peer; not :: and not mapped
 * @scope:	device index, 0: none given
 *
 * Context: socket lock; may sleep. Return: 0, -EINVAL, -ENETUNREACH, -EHOSTUNREACH, -EACCES, ...
 */
int haul_route6_connect(struct sock *sk, const struct sockaddr_in6 *sin6, u32 scope)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst;
	struct flowi6 fl6;
	int err;

	if (ipv6_addr_is_multicast(&sin6->sin6_addr))
		return -ENETUNREACH;
	err = haul_route6_scope(sk, &sin6->sin6_addr, scope)
		      ?: haul_route6_label(sk, sin6->sin6_flowinfo);
	if (err)
		return err;

	sk->sk_v6_daddr = sin6->sin6_addr;
	inet->inet_dport = sin6->sin6_port;
	haul_route6_flow(sk, &fl6);
	if (!ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		fl6.saddr = sk->sk_v6_rcv_saddr;
	dst = haul_route6_lookup(sk, &fl6);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	dst_release(dst);

	np->saddr = fl6.saddr;
	sk->sk_v6_rcv_saddr = fl6.saddr;
	inet->inet_rcv_saddr = LOOPBACK4_IPV6;
	haul_sk(sk)->af = &haul_af_ipv6;
	return 0;
}

/**
 * haul_route6_connected - the route with both ports
 * @sk:		the socket
 *
 * Context: socket lock; may sleep. Return: 0 or what the route says
 */
int haul_route6_connected(struct sock *sk)
{
	__sk_dst_reset(sk);
	return PTR_ERR_OR_ZERO(haul_route6(sk));
}

/* The listener's extension headers are the child's, too. */
static int haul_route6_child_options(struct sock *child, const struct sock *listener)
{
	struct ipv6_txoptions *opt;
	int err = 0;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(listener)->opt);
	if (opt) {
		opt = ipv6_dup_options(child, opt);
		RCU_INIT_POINTER(inet6_sk(child)->opt, opt);
		err = opt ? 0 : -ENOMEM;
	}
	rcu_read_unlock();
	return err;
}

/**
 * haul_route6_child - a child's IPv6 addresses, options and route
 * @child:	AF_INET6; ports and device are set
 * @listener:	whose child it is
 * @req:	its request
 * @skb:	the packet that finishes the handshake
 *
 * Context: softirq. Return: 0, -ENOMEM or what the route says
 */
int haul_route6_child(struct sock *child, const struct sock *listener,
		      const struct haul_request *req, const struct sk_buff *skb)
{
	struct ipv6_pinfo *np = inet6_sk(child);
	struct inet_sock *inet = inet_sk(child);
	int err;

	np->saddr = req->flow.key.local;
	child->sk_v6_rcv_saddr = req->flow.key.local;
	child->sk_v6_daddr = req->flow.key.remote;
	inet->inet_saddr = LOOPBACK4_IPV6;
	inet->inet_rcv_saddr = LOOPBACK4_IPV6;
	inet->inet_daddr = LOOPBACK4_IPV6;
	haul_sk(child)->af = &haul_af_ipv6;

	/* for IPV6_2292PKTOPTIONS */
	np->mcast_oif = HAUL_PACKET(skb)->dif;
	np->mcast_hops = ipv6_hdr(skb)->hop_limit;
	np->rcv_flowinfo = ip6_flowinfo(ipv6_hdr(skb));
	np->flow_label = 0;
	if (haul_inet6_flag(child, repflow, REPFLOW))
		np->flow_label = ip6_flowlabel(ipv6_hdr(skb));

	err = haul_route6_child_options(child, listener);
	return err ?: PTR_ERR_OR_ZERO(haul_route6(child));
}
