// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg(): one datagram, who it is from, and what the program asked to be told of it.
 */
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/transp_v6.h>

#include "dgram.h"

static bool haul_recv_is_v4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

static __be16 haul_recv_sport(const struct sk_buff *skb)
{
	return ((const struct haulhdr *)skb_transport_header(skb))->source;
}

/* ---------------------------------------------------------------- who from */

static void haul_recv_name4(struct sock *sk, struct msghdr *msg, const struct sk_buff *skb)
{
	struct sockaddr_in *sin = msg->msg_name;

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = haul_recv_sport(skb);
	sin->sin_addr.s_addr = ip_hdr(skb)->saddr;
	msg->msg_namelen = sizeof(*sin);
	haul_bpf_recvmsg4(sk, sin, msg->msg_namelen);
}

static void haul_recv_name6(struct sock *sk, struct msghdr *msg, const struct sk_buff *skb)
{
	struct sockaddr_in6 *sin6 = msg->msg_name;

	memset(sin6, 0, sizeof(*sin6));
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = haul_recv_sport(skb);
	if (haul_recv_is_v4(skb)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &sin6->sin6_addr);
	} else {
		sin6->sin6_addr = ipv6_hdr(skb)->saddr;
		sin6->sin6_scope_id = ipv6_iface_scope_id(&sin6->sin6_addr, inet6_iif(skb));
	}
	msg->msg_namelen = sizeof(*sin6);
	haul_bpf_recvmsg6(sk, sin6, msg->msg_namelen);
}

/* ---------------------------------------------------------------- what else */

/* IPV6_PKTINFO of a datagram that came by IPv4; the kernel's own is in what is not exported */
static void haul_recv_mapped_pktinfo(struct sock *sk, struct msghdr *msg, struct sk_buff *skb)
{
	struct in6_pktinfo info;

	if (!inet6_sk(sk)->rxopt.bits.rxinfo)
		return;
	info.ipi6_ifindex = PKTINFO_SKB_CB(skb)->ipi_ifindex;
	ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &info.ipi6_addr);
	put_cmsg(msg, SOL_IPV6, IPV6_PKTINFO, sizeof(info), &info);
}

/* UDP_GRO: where each of several datagrams ends */
static void haul_recv_gro(struct msghdr *msg, const struct sk_buff *skb)
{
	int size = haul_offload_datagram_size(skb);

	if (size)
		put_cmsg(msg, SOL_UDP, UDP_GRO, sizeof(size), &size);
}

static void haul_recv_control(struct sock *sk, struct msghdr *msg, struct sk_buff *skb)
{
	sock_recv_cmsgs(msg, sk, skb);
	if (READ_ONCE(haul_dgram(sk)->gro))
		haul_recv_gro(msg, skb);
	if (sk->sk_family == AF_INET6 && !haul_recv_is_v4(skb)) {
		if (inet6_sk(sk)->rxopt.all)
			ip6_datagram_recv_ctl(sk, msg, skb);
		return;
	}
	if (sk->sk_family == AF_INET6)
		haul_recv_mapped_pktinfo(sk, msg, skb);
	/* the kernel asks the socket's flags for each of them */
	ip_cmsg_recv_offset(msg, sk, skb, HAUL_DGRAM_HDR, 0);
}

/* ---------------------------------------------------------------- the call */

/* From @off on into @msg; what the call returns, UDP's way when a peek begins in the middle. */
static int haul_recv_take(struct sock *sk, struct msghdr *msg, size_t len, int flags,
			  struct sk_buff *skb, int off)
{
	size_t left = skb->len - off, copied = min(len, left);
	int err;

	if (len <= left && len < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, off, msg, copied);
	if (err)
		return err;
	if (msg->msg_name && sk->sk_family == AF_INET6)
		haul_recv_name6(sk, msg, skb);
	else if (msg->msg_name)
		haul_recv_name4(sk, msg, skb);
	haul_recv_control(sk, msg, skb);
	return flags & MSG_TRUNC ? skb->len : copied;
}

/**
 * haul_dgram_recvmsg - proto.recvmsg
 * @sk:		the socket
 * @msg:	where to
 * @len:	bytes of room
 * @flags:	MSG_*
 *
 * Takes no lock but the queue's. May sleep.
 * Return: bytes (of the whole datagram with MSG_TRUNC), 0 after shutdown or for an empty one, or
 * -errno: -EAGAIN, -EINTR, -EFAULT, a pending error
 */
int haul_dgram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	int off, got, err = 0;
	struct sk_buff *skb;

	if (flags & MSG_ERRQUEUE)
		return haul_inet_recv_error(sk, msg, len);
	off = sk_peek_offset(sk, flags);
	skb = __skb_recv_datagram(sk, &sk->sk_receive_queue, flags, &off, &err);
	if (!skb)
		return err;
	got = haul_recv_take(sk, msg, len, flags, skb, off);
	if (got >= 0)		/* SO_PEEK_OFF: the next peek goes on where this one ended */
		sk_peek_offset_bwd(sk, flags & MSG_PEEK ? -got : got);
	else if (!(flags & MSG_PEEK))
		haul_sk_dropped(sk, skb);	/* it could not be copied, and is lost */
	consume_skb(skb);
	return got;
}

/**
 * haul_dgram_inq - SIOCINQ
 * @sk:		the socket
 *
 * Any context. Return: bytes of the first datagram; 0: none, or an empty one
 */
int haul_dgram_inq(struct sock *sk)
{
	const struct sk_buff *skb;
	int bytes = 0;

	spin_lock_bh(&sk->sk_receive_queue.lock);
	skb = skb_peek(&sk->sk_receive_queue);
	if (skb)
		bytes = skb->len;
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	return bytes;
}
