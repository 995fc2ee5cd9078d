// SPDX-License-Identifier: GPL-2.0
/*
 * What a program says of one datagram: control messages, and IPv4's options. The kernel's own
 * reader of IPv4's is not for modules; IPv6's is (ip6_datagram_send_ctl()).
 */
#include <linux/udp.h>
#include <net/ip.h>
#include <net/route.h>

#include "dgram.h"

/**
 * haul_dgram_control_check - control messages of a transport: UDP_SEGMENT is the one that there is
 * @msg:	the program's
 * @segment:	what it says of it; unchanged where it says nothing
 *
 * Any context. Return: 0, 1: there are others, for IP or the socket, -EINVAL
 */
int haul_dgram_control_check(struct msghdr *msg, u16 *segment)
{
	struct cmsghdr *cmsg;
	int others = 0;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg) || cmsg->cmsg_level == SOL_HAUL)
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_UDP) {
			others = 1;
			continue;
		}
		if (cmsg->cmsg_type != UDP_SEGMENT || cmsg->cmsg_len != CMSG_LEN(sizeof(*segment)))
			return -EINVAL;
		*segment = *(const u16 *)CMSG_DATA(cmsg);
	}
	return others;
}

/* ---------------------------------------------------------------- IPv4's control messages */

static int haul_control_pktinfo(struct haul_dgram_out *o, const struct cmsghdr *cmsg)
{
	const struct in_pktinfo *info = CMSG_DATA((struct cmsghdr *)cmsg);

	if (cmsg->cmsg_len != CMSG_LEN(sizeof(*info)))
		return -EINVAL;
	if (info->ipi_ifindex)
		o->oif = info->ipi_ifindex;
	o->saddr = info->ipi_spec_dst.s_addr;
	return 0;
}

/* of an AF_INET6 socket that sends to a mapped address */
static int haul_control_pktinfo6(struct haul_dgram_out *o, const struct cmsghdr *cmsg)
{
	const struct in6_pktinfo *info = CMSG_DATA((struct cmsghdr *)cmsg);

	if (cmsg->cmsg_len < CMSG_LEN(sizeof(*info)) || !ipv6_addr_v4mapped(&info->ipi6_addr))
		return -EINVAL;
	if (info->ipi6_ifindex)
		o->oif = info->ipi6_ifindex;
	o->saddr = info->ipi6_addr.s6_addr32[3];
	return 0;
}

static int haul_control_ttl(struct haul_dgram_out *o, const struct cmsghdr *cmsg)
{
	int ttl;

	if (cmsg->cmsg_len != CMSG_LEN(sizeof(ttl)))
		return -EINVAL;
	ttl = *(const int *)CMSG_DATA((struct cmsghdr *)cmsg);
	if (ttl < 1 || ttl > 255)
		return -EINVAL;
	o->ttl = ttl;
	return 0;
}

/* an int or, as some programs pass on what they received, a byte */
static int haul_control_tos(struct haul_dgram_out *o, const struct cmsghdr *cmsg)
{
	int tos;

	if (cmsg->cmsg_len == CMSG_LEN(sizeof(tos)))
		tos = *(const int *)CMSG_DATA((struct cmsghdr *)cmsg);
	else if (cmsg->cmsg_len == CMSG_LEN(sizeof(u8)))
		tos = *(const u8 *)CMSG_DATA((struct cmsghdr *)cmsg);
	else
		return -EINVAL;
	if (tos < 0 || tos > 255)
		return -EINVAL;
	o->tos = tos;
	o->priority = rt_tos2priority(tos);
	return 0;
}

static int haul_control_options(struct net *net, struct haul_dgram_out *o,
				const struct cmsghdr *cmsg)
{
	struct ip_options *opt = haul_out_options(o);
	unsigned int len = min_t(size_t, cmsg->cmsg_len - sizeof(*cmsg), HAUL_IPOPT_MAX);

	memset(o->options, 0, sizeof(o->options));	/* padded with IPOPT_END */
	memcpy(opt->__data, CMSG_DATA((struct cmsghdr *)cmsg), len);
	opt->optlen = round_up(len, 4);
	if (len && ip_options_compile(net, opt, NULL))
		return -EINVAL;
	o->has_options = true;
	return 0;
}

static int haul_control_ip(struct net *net, struct haul_dgram_out *o, const struct cmsghdr *cmsg)
{
	switch (cmsg->cmsg_type) {
	case IP_PKTINFO:
		return haul_control_pktinfo(o, cmsg);
	case IP_TTL:
		return haul_control_ttl(o, cmsg);
	case IP_TOS:
		return haul_control_tos(o, cmsg);
	case IP_RETOPTS:
		return haul_control_options(net, o, cmsg);
	default:
		return -EINVAL;
	}
}

/**
 * haul_dgram_control4 - what a program says of an IPv4 datagram
 * @sk:		the socket
 * @msg:	the call's; haul_dgram_control_check() has passed it
 * @o:		filled from the socket; what @msg says comes over it
 *
 * Context: process. Return: 0, -EINVAL, -EPERM
 */
int haul_dgram_control4(struct sock *sk, struct msghdr *msg, struct haul_dgram_out *o)
{
	struct cmsghdr *cmsg;
	int err;

	for_each_cmsghdr(cmsg, msg) {
		err = 0;
		if (cmsg->cmsg_level == SOL_SOCKET)
			err = haul_sock_cmsg_send(sk, msg, cmsg, &o->sockc);
		else if (cmsg->cmsg_level == SOL_IP)
			err = haul_control_ip(sock_net(sk), o, cmsg);
		else if (cmsg->cmsg_level == SOL_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO &&
			 sk->sk_family == AF_INET6)
			err = haul_control_pktinfo6(o, cmsg);
		if (err)
			return err;
	}
	return 0;
}

/* ---------------------------------------------------------------- IPv4's options */

/**
 * haul_dgram_options_of - a copy of the socket's options (IP_OPTIONS), unless the call brought some
 * @sk:		the socket
 * @o:		where to
 *
 * Context: process.
 */
void haul_dgram_options_of(const struct sock *sk, struct haul_dgram_out *o)
{
	const struct ip_options_rcu *opt;

	if (o->has_options)
		return;
	rcu_read_lock();
	opt = rcu_dereference(inet_sk(sk)->inet_opt);
	if (opt) {
		memcpy(o->options, &opt->opt, sizeof(opt->opt) + opt->opt.optlen);
		o->has_options = true;
	}
	rcu_read_unlock();
}

/* RFC 791 3.1: milliseconds since midnight UT */
static __be32 haul_options_now(void)
{
	struct timespec64 ts;

	ktime_get_real_ts64(&ts);
	return htonl((u32)(ts.tv_sec % (24 * 60 * 60)) * MSEC_PER_SEC +
		     (u32)ts.tv_nsec / NSEC_PER_MSEC);
}

/**
 * haul_dgram_options_build - writes a datagram's options behind its IP header
 * @skb:	IP header written, with room behind it
 * @o:		has options
 *
 * As the first on the way it enters itself where the options ask for it (RFC 791 3.1): a recorded
 * route, a timestamp; the place was found when they were compiled, their pointers are past it.
 */
void haul_dgram_options_build(struct sk_buff *skb, const struct haul_dgram_out *o)
{
	const struct ip_options *from = haul_out_has(o);
	struct ip_options *opt = &IPCB(skb)->opt;
	u8 *iph = skb_network_header(skb);
	__be32 saddr = ip_hdr(skb)->saddr, now;

	memcpy(opt, from, sizeof(*opt));
	memcpy(iph + sizeof(struct iphdr), from->__data, from->optlen);
	/* the last hop of a source route is who it is for */
	if (opt->srr)
		memcpy(iph + opt->srr + iph[opt->srr + 1] - 4, &o->daddr, 4);
	if (opt->rr_needaddr)
		memcpy(iph + opt->rr + iph[opt->rr + 2] - 5, &saddr, 4);
	if (opt->ts_needaddr)
		memcpy(iph + opt->ts + iph[opt->ts + 2] - 9, &saddr, 4);
	if (opt->ts_needtime) {
		now = haul_options_now();
		memcpy(iph + opt->ts + iph[opt->ts + 2] - 5, &now, 4);
	}
}
