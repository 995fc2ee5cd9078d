// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6: packets come in, leave, and are complained about by ICMPv6.
 */
#include <linux/icmpv6.h>
#include <net/dst.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/protocol.h>
#include "ip.h"
#include "../conn/conn.h"

/* ---------------------------------------------------------------- in */

/*
 * Anycast is not one host. A mapped address would be taken for IPv4's by everything above, and no
 * IPv6 packet on a wire may have one (draft-itojun-v6ops-v4mapped-harmful).
 */
static bool haul6_unicast(const struct sk_buff *skb)
{
	const struct ipv6hdr *h = ipv6_hdr(skb);

	if (skb->pkt_type != PACKET_HOST || !skb_dst(skb) || !ipv6_unicast_destination(skb))
		return false;
	if (ipv6_addr_is_multicast(&h->daddr) || ipv6_addr_is_multicast(&h->saddr) ||
	    ipv6_addr_any(&h->saddr))
		return false;
	return !ipv6_addr_v4mapped(&h->saddr) && !ipv6_addr_v4mapped(&h->daddr);
}

static int haul6_rcv(struct sk_buff *skb)
{
	struct haul_arrival in = {
		.dif		= inet6_iif(skb),
		.sdif		= inet6_sdif(skb),
		.ecn		= ipv6_get_dsfield(ipv6_hdr(skb)) & INET_ECN_MASK,
		.unicast	= haul6_unicast(skb),
	};

	haul_ip_input(skb, &in);
	return 0;
}

static int haul6_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code, int offset,
		     __be32 info)
{
	const struct ipv6hdr *quoted = (const struct ipv6hdr *)skb->data;
	struct haul_icmp_error e = {
		.key.net	= dev_net(skb->dev),
		.key.local	= quoted->saddr,
		.key.remote	= quoted->daddr,
		.offset		= offset,
		.dif		= inet6_iif(skb),
		.sdif		= inet6_sdif(skb),
		.min_mtu	= IPV6_MIN_MTU,
	};

	if (type == NDISC_REDIRECT)
		e.redirect = true;
	else if (type == ICMPV6_PKT_TOOBIG)
		e.icmp.mtu = max(ntohl(info), 1U);	/* 0 would be no message about it */
	e.icmp.hard = icmpv6_err_convert(type, code, &e.icmp.err);
	return haul_icmp_input(skb, &e);
}

/* ---------------------------------------------------------------- out */

static int haul6_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct dst_entry *dst = __sk_dst_get(sk);	/* haul_route6() has just looked at it */
	struct flowi6 fl6;

	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	if (unlikely(!dst)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES);
		return -EHOSTUNREACH;
	}
	skb_dst_set_noref(skb, dst);
	skb_set_hash_from_sk(skb, sk);
	haul_route6_flow(sk, &fl6);
	return ip6_xmit(sk, skb, &fl6, READ_ONCE(sk->sk_mark), rcu_dereference(np->opt),
			np->tclass, READ_ONCE(sk->sk_priority));
}

/* The route learns the MTU and is then looked up again: the exception is a route of its own. */
static void haul6_set_pmtu(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst;

	haul_assert_locked(sk);
	dst = haul_route6(sk);
	if (IS_ERR(dst))
		return;
	dst->ops->update_pmtu(dst, sk, NULL, mtu, true);
	haul_route6(sk);
}

static void haul6_redirect(struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst = __sk_dst_check(sk, inet6_sk(sk)->dst_cookie);

	haul_assert_locked(sk);
	if (dst)
		dst->ops->redirect(dst, sk, skb);
}

static u16 haul6_ext_header(const struct sock *sk)
{
	const struct ipv6_txoptions *opt = rcu_dereference_protected(inet6_sk(sk)->opt, true);

	return opt ? opt->opt_flen + opt->opt_nflen : 0;
}

const struct haul_af haul_af_ipv6 = {
	.family		= AF_INET6,
	.net_header	= sizeof(struct ipv6hdr),
	.xmit		= haul6_xmit,
	.route		= haul_route6,
	.set_pmtu	= haul6_set_pmtu,
	.redirect	= haul6_redirect,
	.ext_header	= haul6_ext_header,
};

/* ---------------------------------------------------------------- registration */

static const struct inet6_protocol haul6_protocol = {
	.handler	= haul6_rcv,
	.err_handler	= haul6_err,
	/* haul_ip_input() asks for the policy */
	.flags		= INET6_PROTO_NOPOLICY | INET6_PROTO_FINAL,
};

/**
 * haul_ipv6_init - from now on IPv6 packets of our protocol come here
 *
 * May sleep. Return: 0, -EADDRINUSE: another module has the number
 */
int haul_ipv6_init(void)
{
	return inet6_add_protocol(&haul6_protocol, haul_protocol) ? -EADDRINUSE : 0;
}

/**
 * haul_ipv6_exit - no more IPv6 packets come in after this
 *
 * May sleep.
 */
void haul_ipv6_exit(void)
{
	inet6_del_protocol(&haul6_protocol, haul_protocol);
}
