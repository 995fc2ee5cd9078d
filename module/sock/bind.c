// SPDX-License-Identifier: GPL-2.0
/*
 * bind(): the checks of an address, in TCP's order and with its errors; the port itself is
 * ip/ports.c's.
 */
#include <linux/bpf-cgroup.h>
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/transp_v6.h>

#include "sock.h"
#include "../ip/ip.h"

/* The kernel's BPF hook for addresses may waive the check of privileged ports. */
static bool haul_bind_port_allowed(const struct net *net, u16 port, u32 flags)
{
	if (!port || (flags & BIND_NO_CAP_NET_BIND_SERVICE))
		return true;
	return !inet_port_requires_bind_service((struct net *)net, port) ||
	       ns_capable(net->user_ns, CAP_NET_BIND_SERVICE);
}

/* the socket's local address, both forms, is nobody's again */
static void haul_bind_reset(struct sock *sk, bool v6only)
{
	inet_reset_saddr(sk);
	if (sk->sk_family == AF_INET6)
		sk->sk_ipv6only = v6only;
}

/*
 * The addresses are set: takes the port (unless IP_BIND_ADDRESS_NO_PORT leaves it to connect()),
 * asks BPF. @v6only: what to restore on failure. Socket lock.
 */
static int haul_bind_finish(struct sock *sk, u16 port, bool address_given, bool v6only)
{
	struct inet_sock *inet = inet_sk(sk);
	int err = 0;

	if (port || !haul_inet_flag(sk, bind_address_no_port, BIND_ADDRESS_NO_PORT)) {
		err = haul_port_bind(sk, port);
		if (err)
			goto reset;
		err = sk->sk_family == AF_INET6 ? BPF_CGROUP_RUN_PROG_INET6_POST_BIND(sk) :
						  BPF_CGROUP_RUN_PROG_INET4_POST_BIND(sk);
		if (err)
			goto release;
	}
	if (address_given)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	if (port)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	inet->inet_sport = htons(inet->inet_num);
	inet->inet_daddr = 0;
	inet->inet_dport = 0;
	sk_dst_reset(sk);
	return 0;

release:
	haul_port_release(sock_net(sk), &haul_sk(sk)->port);
	inet->inet_num = 0;
	inet->inet_sport = 0;
reset:
	haul_bind_reset(sk, v6only);
	return err;
}

/* a socket is bound once, and before it is anything else */
static bool haul_bind_possible(const struct sock *sk)
{
	return sk->sk_state == HAUL_CLOSED && !inet_sk(sk)->inet_num;
}

/* ---------------------------------------------------------------- IPv4 */

/* type of the address in the routing table of the socket's VRF: RTN_* */
static int haul_bind_type4(const struct sock *sk, __be32 addr)
{
	struct net *net = sock_net(sk);
	u32 table = l3mdev_fib_table_by_index(net, sk->sk_bound_dev_if) ? : RT_TABLE_LOCAL;

	return inet_addr_type_table(net, addr, table);
}

static int haul_bind4(struct sock *sk, const struct sockaddr_in *sin, u32 flags)
{
	struct inet_sock *inet = inet_sk(sk);
	__be32 addr = sin->sin_addr.s_addr;
	int type, err;

	/* AF_UNSPEC has always been taken for AF_INET when it names no address */
	if (sin->sin_family != AF_INET &&
	    (sin->sin_family != AF_UNSPEC || addr != htonl(INADDR_ANY)))
		return -EAFNOSUPPORT;
	type = haul_bind_type4(sk, addr);
	if (!inet_addr_valid_or_nonlocal(sock_net(sk), inet, addr, type))
		return -EADDRNOTAVAIL;
	if (!haul_bind_port_allowed(sock_net(sk), ntohs(sin->sin_port), flags))
		return -EACCES;

	lock_sock(sk);
	err = -EINVAL;
	if (haul_bind_possible(sk)) {
		inet->inet_rcv_saddr = addr;
		inet->inet_saddr = type == RTN_MULTICAST || type == RTN_BROADCAST ? 0 : addr;
		err = haul_bind_finish(sk, ntohs(sin->sin_port), addr, false);
	}
	release_sock(sk);
	return err;
}

/* ---------------------------------------------------------------- IPv6 */

/* A v4-mapped address: IPv4's rules, on a socket that takes IPv4. @v4: the address */
static int haul_bind_check_mapped(struct sock *sk, __be32 v4)
{
	struct net *net = sock_net(sk);
	struct net_device *dev = NULL;
	int type, err = 0;

	if (ipv6_only_sock(sk))
		return -EINVAL;
	rcu_read_lock();
	if (sk->sk_bound_dev_if)
		dev = dev_get_by_index_rcu(net, sk->sk_bound_dev_if);
	if (sk->sk_bound_dev_if && !dev)
		err = -ENODEV;
	else
		type = inet_addr_type_dev_table(net, dev, v4);
	rcu_read_unlock();
	if (!err && !inet_addr_valid_or_nonlocal(net, inet_sk(sk), v4, type))
		err = -EADDRNOTAVAIL;
	return err;
}

/*
 * An IPv6 address other than ::. A link-local one needs a device (RFC 4007): the address' scope or
 * SO_BINDTODEVICE's.
 */
static int haul_bind_check6(struct sock *sk, const struct sockaddr_in6 *sin6, int len)
{
	struct net *net = sock_net(sk);
	struct net_device *dev = NULL;
	int err = 0;

	if (__ipv6_addr_needs_scope_id(ipv6_addr_type(&sin6->sin6_addr))) {
		if (len >= (int)sizeof(*sin6) && sin6->sin6_scope_id)
			sk->sk_bound_dev_if = sin6->sin6_scope_id;
		if (!sk->sk_bound_dev_if)
			return -EINVAL;
	}
	rcu_read_lock();
	if (sk->sk_bound_dev_if)
		dev = dev_get_by_index_rcu(net, sk->sk_bound_dev_if);
	if (sk->sk_bound_dev_if && !dev)
		err = -ENODEV;
	else if (!ipv6_can_nonlocal_bind(net, inet_sk(sk)) &&
		 !ipv6_chk_addr(net, &sin6->sin6_addr, dev, 0))
		err = -EADDRNOTAVAIL;
	rcu_read_unlock();
	return err;
}

/* Socket lock; @type: ipv6_addr_type() */
static int haul_bind6_locked(struct sock *sk, const struct sockaddr_in6 *sin6, int len, int type)
{
	struct inet_sock *inet = inet_sk(sk);
	bool v6only = sk->sk_ipv6only;
	__be32 v4 = 0;
	int err = 0;

	if (!haul_bind_possible(sk))
		return -EINVAL;
	if (type == IPV6_ADDR_MAPPED) {
		v4 = sin6->sin6_addr.s6_addr32[3];
		err = haul_bind_check_mapped(sk, v4);
	} else if (type != IPV6_ADDR_ANY) {
		v4 = LOOPBACK4_IPV6;
		err = haul_bind_check6(sk, sin6, len);
	}
	if (err)
		return err;

	inet->inet_rcv_saddr = v4;
	inet->inet_saddr = v4;
	sk->sk_v6_rcv_saddr = sin6->sin6_addr;
	inet6_sk(sk)->saddr = sin6->sin6_addr;
	if (type != IPV6_ADDR_ANY && type != IPV6_ADDR_MAPPED)
		sk->sk_ipv6only = 1;
	return haul_bind_finish(sk, ntohs(sin6->sin6_port), type != IPV6_ADDR_ANY, v6only);
}

static int haul_bind6(struct sock *sk, const struct sockaddr_in6 *sin6, int len, u32 flags)
{
	int type, err;

	if (sin6->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	type = ipv6_addr_type(&sin6->sin6_addr);
	if (type & IPV6_ADDR_MULTICAST)
		return -EINVAL;
	if (!haul_bind_port_allowed(sock_net(sk), ntohs(sin6->sin6_port), flags))
		return -EACCES;
	lock_sock(sk);
	err = haul_bind6_locked(sk, sin6, len, type);
	release_sock(sk);
	return err;
}

/**
 * haul_sock_bind - proto_ops.bind
 * @sock:	the program's socket
 * @addr:	struct sockaddr_in, or struct sockaddr_in6 (the old one without scope will do) for
 *		an AF_INET6 socket
 * @len:	its length, bytes
 *
 * Takes the socket lock; may sleep.
 * Return: 0, -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL, -EACCES, -EADDRINUSE, -ENODEV, -ENOMEM, or a
 * BPF program's error
 */
int haul_sock_bind(struct socket *sock, haul_sockaddr *addr, int len)
{
	struct sock *sk = sock->sk;
	u32 flags = 0;
	int err;

	if (sk->sk_family == AF_INET6) {
		if (len < SIN6_LEN_RFC2133)
			return -EINVAL;
		err = haul_bpf_bind(sk, addr, len, CGROUP_INET6_BIND, &flags);
		return err ? : haul_bind6(sk, (struct sockaddr_in6 *)addr, len, flags);
	}
	if (len < (int)sizeof(struct sockaddr_in))
		return -EINVAL;
	err = haul_bpf_bind(sk, addr, len, CGROUP_INET4_BIND, &flags);
	return err ? : haul_bind4(sk, (struct sockaddr_in *)addr, flags);
}
