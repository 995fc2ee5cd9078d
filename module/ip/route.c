// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses and routes of a socket: what does not depend on the IP version, and which version it
 * is.
 */
#include <net/dst.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "ip.h"

#define HAUL_TCP_HDR	20U		/* what the route metric advmss leaves room for */

/* An AF_INET6 socket and ::, or an IPv4 address as ::ffff:a.b.c.d */
static int haul_route_connect_dual(struct sock *sk, const struct sockaddr_in6 *uaddr, int addr_len)
{
	u32 scope = addr_len >= (int)sizeof(*uaddr) ? uaddr->sin6_scope_id : 0;
	bool own4 = ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
	struct sockaddr_in6 sin6 = { .sin6_port = uaddr->sin6_port,
				     .sin6_flowinfo = uaddr->sin6_flowinfo,
				     .sin6_addr = uaddr->sin6_addr };

	if (ipv6_addr_any(&sin6.sin6_addr)) { /* to nowhere is to this host, as BSD has it */
		if (own4)
			ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK), &sin6.sin6_addr);
		else
			sin6.sin6_addr = in6addr_loopback;
	}
	if (!ipv6_addr_v4mapped(&sin6.sin6_addr))
		return haul_route6_connect(sk, &sin6, scope);
	if (ipv6_only_sock(sk) || !(own4 || ipv6_addr_any(&sk->sk_v6_rcv_saddr)))
		return -ENETUNREACH;
	return haul_route4_connect(sk, sin6.sin6_addr.s6_addr32[3], sin6.sin6_port);
}

/**
 * haul_route_connect - connect(), first half: a route and both addresses
 * @sk:		not connected
 * @uaddr:	the peer's
 * @addr_len:	bytes
 *
 * Sets remote address and port, the local address when unbound, haul_sock.af, the device of a
 * link-local peer. Not the local port. Context: socket lock; may sleep.
 *
 * Return: 0; -EINVAL, -EAFNOSUPPORT, -ENETUNREACH, -EHOSTUNREACH, -EACCES, ...: nothing has changed
 */
int haul_route_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)uaddr;
	int err;

	haul_assert_locked(sk);
	if (sk->sk_family == AF_INET) {
		if (addr_len < (int)sizeof(*sin))
			return -EINVAL;
		if (sin->sin_family != AF_INET)
			return -EAFNOSUPPORT;
		err = haul_route4_connect(sk, sin->sin_addr.s_addr, sin->sin_port);
	} else {
		if (addr_len < SIN6_LEN_RFC2133)
			return -EINVAL;
		if (uaddr->sa_family != AF_INET6)
			return -EAFNOSUPPORT;
		err = haul_route_connect_dual(sk, (const struct sockaddr_in6 *)uaddr, addr_len);
	}
	if (err)
		haul_route_disconnect(sk);
	return err;
}

/**
 * haul_route_connected - connect(), second half: the local port is known
 * @sk:		all addresses and ports are set
 *
 * The route is looked up with the ports (IPsec policies, ECMP) and gives the socket its
 * capabilities.
 * Context: socket lock; may sleep. Return: 0 or what the route says
 */
int haul_route_connected(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	int err;

	haul_assert_locked(sk);
	sk_set_txhash(sk);
	atomic_set(&inet->inet_id, get_random_u16());
	if (haul_sk(sk)->af->family == AF_INET)
		err = haul_route4_connected(sk);
	else
		err = haul_route6_connected(sk);
	if (!err)
		haul_early_enable(sk);
	return err;
}

/**
 * haul_route_disconnect - undoes haul_route_connect()
 * @sk:		not hashed
 *
 * A local address that the program bound to stays. Context: socket lock.
 */
void haul_route_disconnect(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	inet->inet_dport = 0;
	inet->inet_daddr = 0;
	sk->sk_v6_daddr = in6addr_any;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	haul_sk(sk)->af = sk->sk_family == AF_INET6 ? &haul_af_ipv6 : &haul_af_ipv4;
	sk_dst_reset(sk);
}

/**
 * haul_route_child - a child's addresses, IP options and route
 * @child:	of @listener; locked
 * @listener:	its IPv6 options are the child's, too
 * @req:	the child's addresses and device
 * @skb:	the packet that finishes the handshake
 *
 * Context: softirq, or process with BH off. Return: 0, -ENOMEM, or what the route says
 */
int haul_route_child(struct sock *child, const struct sock *listener,
		     const struct haul_request *req, struct sk_buff *skb)
{
	const struct haul_flow_key *key = &req->flow.key;
	struct inet_sock *inet = inet_sk(child);

	inet->inet_dport = key->rport;
	inet->inet_sport = key->lport;
	inet->inet_num = ntohs(key->lport);
	child->sk_bound_dev_if = req->flow.dev;
	child->sk_gso_type = SKB_GSO_SCTP;
	if (child->sk_family == AF_INET6) {
		inet6_sk(child)->pktoptions = NULL;
		inet6_sk(child)->rxpmtu = NULL;
	}
	sk_set_txhash(child);
	atomic_set(&inet->inet_id, get_random_u16());
	if (ipv6_addr_v4mapped(&key->remote))
		return haul_route4_child(child, req, skb);
	return haul_route6_child(child, listener, req, skb);
}

/**
 * haul_route_caps - large segments whatever the device says
 * @sk:		the socket
 * @dst:	its route, just stored
 *
 * A device that offers no segmentation at all (ethtool -K DEV gso off) has sk_setup_caps() forbid
 * large segments, but for TCP. They are worth it all the same: one way through IP and netfilter for
 * many packets, which haul_gso_segment() cuts just above the device. Not behind IPsec, which wants
 * single packets. Context: socket lock; any.
 */
void haul_route_caps(struct sock *sk, const struct dst_entry *dst)
{
	const struct net_device *dev;

	if (sk_can_gso(sk) || dst->header_len)
		return;
	rcu_read_lock();
	dev = dst_dev_rcu(dst);
	sk->sk_route_caps |= NETIF_F_GSO_SCTP;
	sk->sk_gso_max_size = min_t(u32, READ_ONCE(dev->gso_max_size), GSO_LEGACY_MAX_SIZE);
	sk->sk_gso_max_segs = max_t(u32, READ_ONCE(dev->gso_max_segs), 1);
	rcu_read_unlock();
}

/**
 * haul_route_mtu - the path's MTU
 * @sk:		the socket
 * @dst:	its route
 *
 * Context: any. Return: bytes of an IP packet, at most 65535
 */
u32 haul_route_mtu(const struct sock *sk, const struct dst_entry *dst)
{
	return min(dst_mtu(dst), HAUL_IP_MAX);
}

/*
 * bytes of an IP packet that the route's device takes in, or what the administrator's route says of
 * it
 */
static u32 haul_route_local_mtu(const struct dst_entry *dst, u32 net_header)
{
	u32 advmss = dst_metric_raw(dst, RTAX_ADVMSS), mtu;

	if (advmss)
		return advmss + HAUL_TCP_HDR + net_header;
	rcu_read_lock();
	mtu = READ_ONCE(dst_dev_rcu(dst)->mtu);
	rcu_read_unlock();
	return min_not_zero(mtu, dst_metric_raw(dst, RTAX_MTU));
}

/**
 * haul_route_adv_mss - the MSS to announce (RFC 9293 3.7.1): what this host takes in, whatever the
 * path
 * @flow:	its key tells the IP version
 * @dst:	the route to the peer
 *
 * Context: any. Return: bytes of payload without options
 */
u16 haul_route_adv_mss(const struct haul_flow *flow, const struct dst_entry *dst)
{
	bool v4 = ipv6_addr_v4mapped(&flow->key.remote);
	u32 net_header = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	u32 headers = net_header + HAUL_HDR;
	u32 mtu = min(haul_route_local_mtu(dst, net_header), HAUL_IP_MAX);

	return max(mtu, headers + HAUL_MIN_MSS) - headers;
}
