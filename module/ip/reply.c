// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of no socket: SYN-ACKs, resets, what a remnant says. Routed and put together here,
 * without payload.
 */
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "ip.h"
#include "../conn/conn.h"
#include "../observe/trace.h"

/* What a packet carries beside its header; NULL: not that */
struct haul_reply_options {
	struct haul_init			*init;
	const struct haul_fastopen_option	*fastopen;
};

/*
 * The Haul packet, in a buffer with room for IP and link headers. @dst tells the MSS to announce.
 */
static struct sk_buff *haul_reply_build(const struct haul_flow_key *key, struct haul_packet *p,
					const struct haul_reply_options *o,
					const struct dst_entry *dst)
{
	struct haulhdr *h;
	struct sk_buff *skb;
	void *at;

	p->sport = key->lport;
	p->dport = key->rport;
	p->kind = key->kind;
	p->hdrlen = haul_wire_hdrlen(o->init, 0);
	if (o->fastopen)
		p->hdrlen += HAUL_OPT_FASTOPEN_LEN(o->fastopen->len);
	skb = haul_spare_control(GFP_ATOMIC);
	if (!skb)
		return NULL;
	h = skb_push(skb, p->hdrlen);
	skb_reset_transport_header(skb);
	haul_wire_build(h, p);
	at = h + 1;
	if (o->init) {
		struct haul_flow flow = { .key = *key };
		u16 mss = haul_route_adv_mss(&flow, dst);

		o->init->mss = min_not_zero(o->init->mss, mss);
		at = haul_wire_put_init(at, o->init);
	}
	if (o->fastopen)
		haul_wire_put_fastopen(at, o->fastopen);
	h->check = csum_fold(csum_partial(h, p->hdrlen, 0));
	return skb;
}

/*
 * On behalf of a listener it is the listener's packet: for cgroups, filters by owner, and the send
 * buffer's account.
 */
static void haul_reply_own(struct sk_buff *skb, const struct haul_path *path)
{
	skb->mark = path->mark;
	if (path->sk) {
		skb->priority = READ_ONCE(path->sk->sk_priority);
		skb_set_owner_w(skb, path->sk);
	}
}

/* ---------------------------------------------------------------- IPv4 */

static struct rtable *haul_reply_route4(const struct haul_path *path, struct sock *sk)
{
	const struct haul_flow_key *key = path->key;
	struct flowi4 fl4;

	flowi4_init_output(&fl4, path->oif, path->mark, path->tos & INET_DSCP_MASK,
			   RT_SCOPE_UNIVERSE, haul_protocol, inet_sk_flowi_flags(sk),
			   key->remote.s6_addr32[3], key->local.s6_addr32[3], key->rport,
			   key->lport, path->uid);
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl4));
	return ip_route_output_flow(key->net, &fl4, sk);
}

/* a listener's IP_TTL holds for its SYN-ACKs, too: a peer may want 255 (RFC 5082) */
static u8 haul_reply_ttl4(const struct sock *sk, const struct dst_entry *dst)
{
	int ttl = READ_ONCE(inet_sk(sk)->uc_ttl);

	return ttl < 0 ? ip4_dst_hoplimit(dst) : ttl;
}

static void haul_reply_header4(struct sk_buff *skb, const struct haul_path *path,
			       const struct sock *sk, const struct dst_entry *dst)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = path->tos;
	iph->frag_off = htons(IP_DF);
	iph->ttl = haul_reply_ttl4(sk, dst);
	iph->protocol = haul_protocol;
	iph->saddr = path->key->local.s6_addr32[3];
	iph->daddr = path->key->remote.s6_addr32[3];
	skb->protocol = htons(ETH_P_IP);
}

static int haul_reply_send4(const struct haul_path *path, struct haul_packet *p,
			    const struct haul_reply_options *o)
{
	struct net *net = path->key->net;
	struct sock *sk = path->sk ?: haul_pernet(net)->ctl4;
	struct rtable *rt = haul_reply_route4(path, sk);
	struct sk_buff *skb;

	if (IS_ERR(rt))
		return PTR_ERR(rt);
	skb = haul_reply_build(path->key, p, o, &rt->dst);
	if (!skb) {
		ip_rt_put(rt);
		return -ENOMEM;
	}
	haul_reply_own(skb, path);
	skb_dst_set(skb, &rt->dst);
	haul_reply_header4(skb, path, sk, &rt->dst);
	return ip_local_out(net, sk, skb);
}

/* ---------------------------------------------------------------- IPv6 */

static void haul_reply_flow6(const struct haul_path *path, struct sock *sk, struct flowi6 *fl6)
{
	const struct haul_flow_key *key = path->key;

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = haul_protocol;
	fl6->daddr = key->remote;
	fl6->saddr = key->local;
	fl6->flowlabel = ip6_make_flowinfo(path->tos, 0);
	fl6->flowi6_oif = path->oif;
	fl6->flowi6_mark = path->mark;
	fl6->fl6_sport = key->lport;
	fl6->fl6_dport = key->rport;
	fl6->flowi6_uid = path->uid;
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
}

/* RCU read lock: @opt is the listener's */
static int haul_reply_xmit6(const struct haul_path *path, struct sock *sk,
			    struct ipv6_txoptions *opt, struct haul_packet *p,
			    const struct haul_reply_options *o)
{
	struct in6_addr *final, behind;
	struct dst_entry *dst;
	struct sk_buff *skb;
	struct flowi6 fl6;

	haul_reply_flow6(path, sk, &fl6);
	final = fl6_update_dst(&fl6, opt, &behind);
	dst = ip6_dst_lookup_flow(path->key->net, sk, &fl6, final);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	skb = haul_reply_build(path->key, p, o, dst);
	if (!skb) {
		dst_release(dst);
		return -ENOMEM;
	}
	haul_reply_own(skb, path);
	skb_dst_set(skb, dst);
	fl6.daddr = path->key->remote;
	return ip6_xmit(sk, skb, &fl6, path->mark, opt, path->tos, skb->priority);
}

static int haul_reply_send6(const struct haul_path *path, struct haul_packet *p,
			    const struct haul_reply_options *o)
{
	struct sock *sk = path->sk ?: haul_pernet(path->key->net)->ctl6;
	int err;

	if (!sk)
		return -EAFNOSUPPORT;
	rcu_read_lock();
	err = haul_reply_xmit6(path, sk, path->sk ? rcu_dereference(inet6_sk(sk)->opt) : NULL, p,
			       o);
	rcu_read_unlock();
	return err;
}

/**
 * haul_reply_send - builds and sends a packet without payload
 * @path:	where to; ports and kind are its key's
 * @p:		what the header says; ports, kind and header length are filled in
 * @init:	INIT to carry, its MSS filled in from the route, which also limits one given; NULL:
 *		none
 * @fastopen:	FASTOPEN to carry beside it; NULL: none
 *
 * Context: softirq or process. Return: 0; -errno: it has not left; counted when it has
 */
int haul_reply_send(const struct haul_path *path, struct haul_packet *p, struct haul_init *init,
		    const struct haul_fastopen_option *fastopen)
{
	const struct haul_reply_options o = { .init = init, .fastopen = fastopen };
	int err;

	if (ipv6_addr_v4mapped(&path->key->remote))
		err = haul_reply_send4(path, p, &o);
	else
		err = haul_reply_send6(path, p, &o);
	err = net_xmit_eval(err);
	if (err > 0)
		err = -ENOBUFS;
	if (!err) {
		haul_count(path->key->net, HAUL_CNT_OUT_SEGS);
		trace_haul_reply(path->key, p);
	}
	return err;
}
