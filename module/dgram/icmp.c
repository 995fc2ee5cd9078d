// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about datagrams. A connected socket is told at its next call; one that asked for it
 * (IP_RECVERR, IPV6_RECVERR) finds all of them in its error queue, with what was quoted.
 */
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/skbuff.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/transp_v6.h>

#include "dgram.h"

/* ---------------------------------------------------------------- the error queue */

/* bytes of the quoted packet before its payload, as far as they are quoted */
static u32 haul_err_header(const struct haulhdr *quoted, u32 len)
{
	u32 hdrlen = HAUL_DGRAM_HDR;

	if (len > offsetof(struct haulhdr, words))
		hdrlen = max_t(u32, quoted->words * 4U, HAUL_DGRAM_HDR);
	return hdrlen;
}

static bool haul_err_wanted(const struct sock *sk, bool v4)
{
	return v4 ? haul_inet_flag(sk, recverr, RECVERR) :
		    haul_inet6_flag(sk, recverr, RECVERR6);
}

/*
 * A copy of the ICMP message, cut down to the quoted payload, with the address that the datagram
 * was for: @daddr points into the message.
 */
static void haul_err_queue(struct sock *sk, struct sk_buff *skb, const struct sock_extended_err *ee,
			   const void *daddr, __be16 dport, u32 skip)
{
	int offset = (const u8 *)daddr - skb_network_header(skb);
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);
	struct sock_exterr_skb *serr;

	if (!copy)
		return;
	serr = SKB_EXT_ERR(copy);
	/* but for what IP has noted: by which device the message came */
	serr->opt_stats = 0;
	serr->unused = 0;
	serr->ee = *ee;
	serr->addr_offset = offset;
	serr->port = dport;
	if (pskb_pull(copy, min_t(u32, skip, copy->len))) {
		skb_reset_transport_header(copy);
		if (!sock_queue_err_skb(sk, copy))
			return;
	}
	kfree_skb(copy);
}

/* ---------------------------------------------------------------- IPv4 */

/* What the error means to a datagram socket; 0: nothing. @hard: a connected one is told unasked */
static int haul_err4(const struct sock *sk, const struct icmphdr *icmph, bool *hard)
{
	int err = EHOSTUNREACH;

	*hard = false;
	if (icmph->type == ICMP_SOURCE_QUENCH) {
		err = 0;			/* RFC 6633 */
	} else if (icmph->type == ICMP_PARAMETERPROB) {
		*hard = true;
		err = EPROTO;
	} else if (icmph->type == ICMP_DEST_UNREACH && icmph->code == ICMP_FRAG_NEEDED) {
		*hard = true;
		err = READ_ONCE(inet_sk(sk)->pmtudisc) != IP_PMTUDISC_DONT ? EMSGSIZE : 0;
	} else if (icmph->type == ICMP_DEST_UNREACH && icmph->code <= NR_ICMP_UNREACH) {
		*hard = icmp_err_convert[icmph->code].fatal;
		err = icmp_err_convert[icmph->code].errno;
	}
	return err;
}

static void haul_err4_queue(struct sock *sk, struct sk_buff *skb, int err, u32 mtu,
			    const struct haul_icmp_error *e, u32 hdrlen)
{
	const struct iphdr *quoted = (const struct iphdr *)skb->data;
	const struct sock_extended_err ee = {
		.ee_errno	= err,
		.ee_origin	= SO_EE_ORIGIN_ICMP,
		.ee_type	= icmp_hdr(skb)->type,
		.ee_code	= icmp_hdr(skb)->code,
		.ee_info	= mtu,
	};

	haul_err_queue(sk, skb, &ee, &quoted->daddr, e->key.rport, e->offset + hdrlen);
}

/* ---------------------------------------------------------------- IPv6 */

static int haul_err6(const struct sock *sk, const struct icmp6hdr *icmph, bool *hard)
{
	int err;

	*hard = icmpv6_err_convert(icmph->icmp6_type, icmph->icmp6_code, &err);
	if (icmph->icmp6_type == ICMPV6_PKT_TOOBIG) {
		if (!ip6_sk_accept_pmtu(sk))
			return 0;
		*hard = inet6_sk(sk)->pmtudisc != IPV6_PMTUDISC_DONT;
	}
	return err;
}

static void haul_err6_queue(struct sock *sk, struct sk_buff *skb, int err,
			    const struct haul_icmp_error *e, u32 hdrlen)
{
	const struct ipv6hdr *quoted = (const struct ipv6hdr *)skb->data;
	const struct icmp6hdr *icmph = icmp6_hdr(skb);
	const struct sock_extended_err ee = {
		.ee_errno	= err,
		.ee_origin	= SO_EE_ORIGIN_ICMP6,
		.ee_type	= icmph->icmp6_type,
		.ee_code	= icmph->icmp6_code,
		.ee_info	= e->icmp.mtu,
	};

	haul_err_queue(sk, skb, &ee, &quoted->daddr, e->key.rport, e->offset + hdrlen);
}

/* ---------------------------------------------------------------- a believed error */

/*
 * The socket's own route may be another now, and IP_MTU tells of the socket's. While a program has
 * the socket, the same is done when it lets go (proto.release_cb).
 */
static void haul_err_reroute(struct sock *sk, bool v4)
{
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		if (v4)
			ip4_datagram_release_cb(sk);
		else
			ip6_datagram_release_cb(sk);
	}
	bh_unlock_sock(sk);
}

/* The routing table learns a path's MTU, or a better first hop. */
static void haul_err_route(struct sock *sk, struct sk_buff *skb, const struct haul_icmp_error *e,
			   bool v4)
{
	struct net *net = sock_net(sk);
	int oif = READ_ONCE(sk->sk_bound_dev_if);
	u32 mark = READ_ONCE(sk->sk_mark);

	if (v4 && e->redirect)
		ipv4_redirect(skb, net, oif, sk->sk_protocol);
	else if (v4 && e->icmp.mtu && ip_sk_accept_pmtu(sk))
		ipv4_update_pmtu(skb, net, e->icmp.mtu, oif, sk->sk_protocol);
	else if (!v4 && e->redirect)
		ip6_redirect(skb, net, e->sdif ?: e->dif, mark, sk_uid(sk));
	else if (!v4 && e->icmp.mtu && ip6_sk_accept_pmtu(sk))
		ip6_update_pmtu(skb, net, htonl(e->icmp.mtu), oif, mark, sk_uid(sk));
	if (e->redirect || e->icmp.mtu)
		haul_err_reroute(sk, v4);
}

/* The program is told: by its next call, by poll, by the error queue. */
static void haul_err_report(struct sock *sk, struct sk_buff *skb, const struct haul_icmp_error *e,
			    bool v4, u32 hdrlen)
{
	bool hard;
	int err;

	err = v4 ? haul_err4(sk, icmp_hdr(skb), &hard) : haul_err6(sk, icmp6_hdr(skb), &hard);
	if (!err)
		return;
	if (haul_err_wanted(sk, v4)) {
		if (v4)
			haul_err4_queue(sk, skb, err, e->icmp.mtu, e, hdrlen);
		else
			haul_err6_queue(sk, skb, err, e, hdrlen);
	} else if (!hard || sk->sk_state != TCP_ESTABLISHED) {
		return;
	}
	WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
}

/**
 * haul_dgram_icmp - an ICMP error, or redirect, quotes a datagram
 * @skb:	data at the quoted IP header; stays the caller's
 * @e:		what it says; ports are filled in
 * @quoted:	of the Haul header, what is quoted
 * @len:	bytes of it, at least 8
 *
 * Datagrams have no state that the quote could be held against: a socket that sends from that
 * address and port, to that peer if it has one, is all that there is to check. Context: softirq,
 * RCU.
 * Return: true: there is such a socket
 */
bool haul_dgram_icmp(struct sk_buff *skb, const struct haul_icmp_error *e,
		     const struct haulhdr *quoted, u32 len)
{
	bool v4 = ipv6_addr_v4mapped(&e->key.local);
	struct haul_flow_key key = e->key;
	struct sock *sk;

	key.kind = HAUL_KIND_DATAGRAM;
	sk = haul_dgram_lookup(&key, e->dif, e->sdif, NULL, 0);
	if (!sk)
		return false;
	haul_count(key.net, HAUL_CNT_DGRAM_ERRORS);
	haul_err_route(sk, skb, e, v4);
	if (!e->redirect)
		haul_err_report(sk, skb, e, v4, haul_err_header(quoted, len));
	return true;
}

/* ---------------------------------------------------------------- errors from here */

/* An error that never was a packet: all that there is of one is where it would have gone. */
static struct sk_buff *haul_err_local(u32 headers, u32 mtu, __be16 dport)
{
	struct sk_buff *skb = alloc_skb(headers, GFP_ATOMIC);
	struct sock_exterr_skb *serr;

	if (!skb)
		return NULL;
	skb_put_zero(skb, headers);
	skb_reset_network_header(skb);
	serr = SKB_EXT_ERR(skb);
	memset(serr, 0, sizeof(*serr));
	serr->ee.ee_errno = EMSGSIZE;
	serr->ee.ee_origin = SO_EE_ORIGIN_LOCAL;
	serr->ee.ee_info = mtu;
	serr->port = dport;
	return skb;
}

static void haul_err_local_queue(struct sock *sk, struct sk_buff *skb)
{
	__skb_pull(skb, skb->len);
	skb_reset_transport_header(skb);
	if (sock_queue_err_skb(sk, skb))
		kfree_skb(skb);
}

/**
 * haul_dgram_too_big - a datagram that IPv4 could not take whole
 * @sk:		whose
 * @daddr:	who it was for
 * @dport:	at which port
 * @mtu:	bytes that the path takes
 *
 * Told to who asked for errors (IP_RECVERR). Any context.
 */
void haul_dgram_too_big(struct sock *sk, __be32 daddr, __be16 dport, u32 mtu)
{
	struct sk_buff *skb;

	if (!haul_err_wanted(sk, true))
		return;
	skb = haul_err_local(sizeof(struct iphdr), mtu, dport);
	if (!skb)
		return;
	skb->protocol = htons(ETH_P_IP);
	ip_hdr(skb)->daddr = daddr;
	SKB_EXT_ERR(skb)->addr_offset = offsetof(struct iphdr, daddr);
	haul_err_local_queue(sk, skb);
}

/**
 * haul_dgram_too_big6 - a datagram that IPv6 could not take whole
 * @sk:		whose
 * @fl6:	where it should have gone
 * @mtu:	bytes that the path takes
 *
 * Told to who asked for errors (IPV6_RECVERR). Any context.
 */
void haul_dgram_too_big6(struct sock *sk, const struct flowi6 *fl6, u32 mtu)
{
	struct sk_buff *skb;

	if (!haul_err_wanted(sk, false))
		return;
	skb = haul_err_local(sizeof(struct ipv6hdr), mtu, fl6->fl6_dport);
	if (!skb)
		return;
	skb->protocol = htons(ETH_P_IPV6);
	ipv6_hdr(skb)->daddr = fl6->daddr;
	SKB_EXT_ERR(skb)->addr_offset = offsetof(struct ipv6hdr, daddr);
	haul_err_local_queue(sk, skb);
}
