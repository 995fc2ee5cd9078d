// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4: packets come in, leave, and are complained about by ICMP.
 */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/inet_common.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/protocol.h>
#include <net/route.h>
#include "ip.h"
#include "../conn/conn.h"

/* ---------------------------------------------------------------- in */

static bool haul4_unicast(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	__be32 saddr = ip_hdr(skb)->saddr;

	if (skb->pkt_type != PACKET_HOST || !rt ||
	    (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		return false;
	return !ipv4_is_multicast(saddr) && !ipv4_is_lbcast(saddr) && !ipv4_is_zeronet(saddr);
}

static int haul4_rcv(struct sk_buff *skb)
{
	struct haul_arrival in = {
		.dif		= inet_iif(skb),
		.sdif		= inet_sdif(skb),
		.ecn		= ip_hdr(skb)->tos & INET_ECN_MASK,
		.unicast	= haul4_unicast(skb),
	};

	haul_ip_input(skb, &in);
	return 0;
}

/*
 * What the error means (protocol.rst 8); false: nothing to us. @mtu: of the bottleneck, from the
 * ICMP header
 */
static bool haul4_icmp_read(struct haul_icmp_error *e, const struct icmphdr *icmph, u32 mtu)
{
	switch (icmph->type) {
	case ICMP_REDIRECT:
		e->redirect = true;
		return true;
	case ICMP_PARAMETERPROB:
		e->icmp.err = EPROTO;
		return true;
	case ICMP_TIME_EXCEEDED:
		e->icmp.err = EHOSTUNREACH;
		return true;
	case ICMP_DEST_UNREACH:
		break;
	default:
		return false;			/* source quench (RFC 6633) and the like */
	}
	if (icmph->code > NR_ICMP_UNREACH)
		return false;
	if (icmph->code == ICMP_FRAG_NEEDED) {
		e->icmp.err = EMSGSIZE;
		e->icmp.mtu = mtu;
		return mtu != 0;		/* from before RFC 1191: probing has to find out */
	}
	e->icmp.err = icmp_err_convert[icmph->code].errno;
	e->icmp.hard = icmp_err_convert[icmph->code].fatal;
	return true;
}

static int haul4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *quoted = (const struct iphdr *)skb->data;
	struct net *net = dev_net(skb->dev);
	struct haul_icmp_error e = {
		.key.net	= net,
		.offset		= quoted->ihl * 4,
		.dif		= inet_iif(skb),
		.sdif		= inet_sdif(skb),
		.min_mtu	= READ_ONCE(haul_pernet(net)->min_pmtu),
	};

	ipv6_addr_set_v4mapped(quoted->saddr, &e.key.local);
	ipv6_addr_set_v4mapped(quoted->daddr, &e.key.remote);
	if (!haul4_icmp_read(&e, icmp_hdr(skb), info)) {
		haul_count(net, HAUL_CNT_ICMP_IGNORED);
		return 0;
	}
	return haul_icmp_input(skb, &e);
}

/* ---------------------------------------------------------------- out */

static int haul4_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst = __sk_dst_get(sk);

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_set_hash_from_sk(skb, sk);
	if (likely(dst))	/* haul_route4() has just looked at it: once is enough */
		skb_dst_set_noref(skb, dst);
	return ip_queue_xmit(sk, skb, &inet_sk(sk)->cork.fl);
}

/* The route learns the MTU and is then looked up again: the exception is a route of its own. */
static void haul4_set_pmtu(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst;

	haul_assert_locked(sk);
	dst = haul_route4(sk);
	if (IS_ERR(dst))
		return;
	dst->ops->update_pmtu(dst, sk, NULL, mtu, true);
	haul_route4(sk);
}

static void haul4_redirect(struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst = __sk_dst_check(sk, 0);

	haul_assert_locked(sk);
	if (dst)
		dst->ops->redirect(dst, sk, skb);
}

static u16 haul4_ext_header(const struct sock *sk)
{
	const struct ip_options_rcu *opt = rcu_dereference_protected(inet_sk(sk)->inet_opt, true);

	return opt ? opt->opt.optlen : 0;
}

const struct haul_af haul_af_ipv4 = {
	.family		= AF_INET,
	.net_header	= sizeof(struct iphdr),
	.xmit		= haul4_xmit,
	.route		= haul_route4,
	.set_pmtu	= haul4_set_pmtu,
	.redirect	= haul4_redirect,
	.ext_header	= haul4_ext_header,
};

/* ---------------------------------------------------------------- registration */

static const struct net_protocol haul4_protocol = {
	.handler			= haul4_rcv,
	.err_handler			= haul4_err,
	.no_policy			= 1,		/* haul_ip_input() asks */
	.icmp_strict_tag_validation	= 1,
};

/**
 * haul_ipv4_init - from now on IPv4 packets of our protocol come here
 *
 * May sleep. Return: 0, -EADDRINUSE: another module has the number
 */
int haul_ipv4_init(void)
{
	return inet_add_protocol(&haul4_protocol, haul_protocol) ? -EADDRINUSE : 0;
}

/**
 * haul_ipv4_exit - no more IPv4 packets come in after this
 *
 * May sleep.
 */
void haul_ipv4_exit(void)
{
	inet_del_protocol(&haul4_protocol, haul_protocol);
}

/**
 * haul_ip_net_init - the sockets by which a namespace answers when no other is there to
 * @net:	the new namespace
 *
 * May sleep. Return: 0 or -errno. Without IPv6 (ipv6.disable=1) there is only IPv4's.
 */
int haul_ip_net_init(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);
	int err;

	err = inet_ctl_sock_create(&hn->ctl4, PF_INET, SOCK_RAW, haul_protocol, net);
	if (err)
		return err;
	err = inet_ctl_sock_create(&hn->ctl6, PF_INET6, SOCK_RAW, haul_protocol, net);
	if (err == -EAFNOSUPPORT) {
		hn->ctl6 = NULL;
		return 0;
	}
	if (err)
		inet_ctl_sock_destroy(hn->ctl4);
	return err;
}

/**
 * haul_ip_net_exit - undoes haul_ip_net_init()
 * @net:	the namespace
 *
 * May sleep.
 */
void haul_ip_net_exit(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);

	inet_ctl_sock_destroy(hn->ctl6);
	inet_ctl_sock_destroy(hn->ctl4);
}
