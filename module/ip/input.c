// SPDX-License-Identifier: GPL-2.0
/*
 * A packet's way in, common to both IP versions: is it whole, who is it for, may it pass, hand it
 * over.
 */
#include <linux/filter.h>
#include <net/busy_poll.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/xfrm.h>
#include "ip.h"
#include "../conn/conn.h"
#include "../dgram/dgram.h"

/* bytes beyond the buffers' that a backlog may hold, as TCP's */
#define HAUL_BACKLOG_SPARE	(64 * 1024)

/* A packet on its way to whom it is for; skb->cb is IP's until it has been admitted. */
struct haul_input {
	struct net		*net;
	struct haul_packet	packet;
	int			sdif;
};

/* ---------------------------------------------------------------- is it whole? */

static enum haul_counter haul_input_why(enum haul_wire_error err)
{
	switch (err) {
	case HAUL_WIRE_VERSION:
		return HAUL_CNT_DROP_VERSION;
	case HAUL_WIRE_KIND:
		return HAUL_CNT_DROP_KIND;
	case HAUL_WIRE_HEADER:
		return HAUL_CNT_DROP_HEADER;
	case HAUL_WIRE_FLAGS:
		return HAUL_CNT_DROP_FLAGS;
	case HAUL_WIRE_OPTION:
		return HAUL_CNT_DROP_OPTION;
	case HAUL_WIRE_PORT:
		return HAUL_CNT_DROP_PORT;
	default:
		return HAUL_CNT_DROP_SHORT;
	}
}

/* The whole header, options included, into the linear part, and from there into @p. */
static enum haul_wire_error haul_input_parse(struct sk_buff *skb, struct haul_packet *p)
{
	u32 hdrlen;

	if (!pskb_may_pull(skb, HAUL_DGRAM_HDR))
		return HAUL_WIRE_SHORT;
	hdrlen = ((struct haulhdr *)skb->data)->words * 4U;
	pskb_may_pull(skb, min_t(u32, hdrlen, skb->len));
	return haul_wire_parse(skb->data, skb_headlen(skb), skb->len, p);
}

/* Is the checksum right, or has somebody found so already (the device, GRO, a virtual wire)? */
static bool haul_input_sound(struct sk_buff *skb)
{
	if (likely(skb->ip_summed == CHECKSUM_NONE && !skb->csum_valid))
		return !csum_fold(haul_sum(skb, 0));
	return !skb_checksum_simple_validate(skb);
}

/* In a frame of its own: it is large */
static noinline bool haul_input_options_parse(const struct sk_buff *skb, u32 hdrlen)
{
	struct haul_options o haul_uninitialized;

	return !haul_wire_parse_options(skb->data, hdrlen, &o);
}

static bool haul_input_options_good(const struct sk_buff *skb, const struct haul_packet *p)
{
	if (p->kind != HAUL_KIND_DATAGRAM &&
	    (p->hdrlen == HAUL_HDR || haul_wire_is_init(skb->data, p->hdrlen)))
		return true;
	return haul_input_options_parse(skb, p->hdrlen);
}

/* The order is protocol.rst 1.6's. HAUL_NUM_COUNTERS: nothing is wrong with it. */
static enum haul_counter haul_input_check(struct sk_buff *skb, const struct haul_arrival *in,
					  struct haul_packet *p)
{
	enum haul_wire_error err;

	err = haul_input_parse(skb, p);
	if (unlikely(err))
		return haul_input_why(err);
	if (unlikely(!haul_input_sound(skb)))
		return HAUL_CNT_DROP_CHECKSUM;
	if (!haul_input_options_good(skb, p))
		return HAUL_CNT_DROP_OPTION;
	if (unlikely(!in->unicast && p->kind != HAUL_KIND_DATAGRAM))
		return HAUL_CNT_DROP_ADDRESS;
	return HAUL_NUM_COUNTERS;
}

/* ---------------------------------------------------------------- may it pass? */

static bool haul_input_policy(struct sock *sk, struct sk_buff *skb)
{
	if (ip_hdr(skb)->version == 4)
		return xfrm4_policy_check(sk, XFRM_POLICY_IN, skb);
	return xfrm6_policy_check(sk, XFRM_POLICY_IN, skb);
}

/*
 * A filter may cut a packet short. Half a segment is none: what it carries is no longer what its
 * header says.
 */
static bool haul_input_filter(struct sock *sk, struct sk_buff *skb)
{
	unsigned int len = skb->len;

	return !sk_filter(sk, skb) && skb->len == len;
}

/* RFC 5082: IP_MINTTL, IPV6_MINHOPCOUNT */
static bool haul_input_near(const struct sock *sk, const struct sk_buff *skb)
{
	if (ip_hdr(skb)->version == 4)
		return ip_hdr(skb)->ttl >= READ_ONCE(inet_sk(sk)->min_ttl);
	return ipv6_hdr(skb)->hop_limit >= READ_ONCE(inet6_sk(sk)->min_hopcount);
}

static enum haul_counter haul_input_judge(struct sock *sk, struct sk_buff *skb)
{
	if (!haul_input_policy(sk, skb))
		return HAUL_CNT_DROP_POLICY;
	nf_reset_ct(skb);
	if (sk && (!haul_input_near(sk, skb) || !haul_input_filter(sk, skb)))
		return HAUL_CNT_DROP_FILTER;
	return HAUL_NUM_COUNTERS;
}

/*
 * Asks those who may refuse a packet: IPsec policies, the socket's filter, its cgroup, security
 * modules. @sk: whom it is for; NULL: nobody, it would only be answered. They read IP's control
 * block, so what was parsed goes there afterwards. False: @skb is dropped and counted.
 */
static bool haul_input_admit(const struct haul_input *in, struct sock *sk, struct sk_buff *skb)
{
	enum haul_counter why = haul_input_judge(sk, skb);

	if (unlikely(why != HAUL_NUM_COUNTERS)) {
		haul_drop(in->net, skb, why);
		return false;
	}
	*HAUL_PACKET(skb) = in->packet;
	HAUL_SDIF(skb) = in->sdif;
	return true;
}

/* ---------------------------------------------------------------- hand it over */

static bool haul_input_backlog(struct sock *sk, struct sk_buff *skb)
{
	/* a window's worth may be in the receive queue, and another here */
	u64 limit = 2ULL * READ_ONCE(sk->sk_rcvbuf) + READ_ONCE(sk->sk_sndbuf) / 2 +
		    HAUL_BACKLOG_SPARE;

	return !sk_add_backlog(sk, skb, min_t(u64, limit, UINT_MAX));
}

/*
 * Hands a packet to a socket, or leaves it in its backlog while a program has the lock. Consumes
 * @skb; the reference on @sk stays the caller's.
 */
static void haul_input_deliver(const struct haul_input *in, struct sock *sk, struct sk_buff *skb)
{
	bool taken = true;

	if (!haul_input_admit(in, sk, skb))
		return;
	skb->dev = NULL;		/* it may be gone when the packet is looked at */

	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		haul_early_remember(sk, skb);
		skb_dst_drop(skb);
		sk_incoming_cpu_update(sk);
		sock_rps_save_rxhash(sk, skb);
		sk_mark_napi_id(sk, skb);
		haul_conn_rcv(sk, skb);
	} else {
		skb_dst_drop(skb);
		taken = haul_input_backlog(sk, skb);
		if (taken)
			haul_count(in->net, HAUL_CNT_BACKLOGGED);
	}
	bh_unlock_sock(sk);

	if (unlikely(!taken))
		haul_drop(in->net, skb, HAUL_CNT_DROP_BACKLOG);
}

/* @key: but for the namespace */
static void haul_input_key(struct haul_flow_key *key, const struct sk_buff *skb,
			   const struct haul_packet *p)
{
	if (ip_hdr(skb)->version == 4) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &key->local);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &key->remote);
	} else {
		key->local = ipv6_hdr(skb)->daddr;
		key->remote = ipv6_hdr(skb)->saddr;
	}
	key->lport = p->dport;
	key->rport = p->sport;
	key->kind = p->kind;
}

/**
 * haul_flow_key_from_skb - the flow that a received packet belongs to
 * @key:	to fill
 * @net:	namespace
 * @skb:	parsed
 *
 * Any context.
 */
void haul_flow_key_from_skb(struct haul_flow_key *key, struct net *net, const struct sk_buff *skb)
{
	key->net = net;
	haul_input_key(key, skb, HAUL_PACKET(skb));
}

/**
 * haul_request_listener - a request's listener
 * @req:	a look-up's: both it and its listener may just go
 *
 * Context: RCU. Return: with a reference, or NULL
 */
struct sock *haul_request_listener(const struct haul_request *req)
{
	struct sock *listener = READ_ONCE(req->listener);

	return listener && refcount_inc_not_zero(&listener->sk_refcnt) ? listener : NULL;
}

/* False: this flow has no use for it any more, a listener may. */
static __always_inline bool haul_input_to_flow(const struct haul_input *in,
					       struct haul_flow *flow, struct sk_buff *skb)
{
	struct sock *listener;

	switch (flow->owner) {
	case HAUL_OWNER_SOCK:
		haul_input_deliver(in, haul_sock_sk(haul_flow_sock(flow)), skb);
		return true;
	case HAUL_OWNER_REQUEST:
		listener = haul_request_listener(haul_flow_request(flow));
		if (!listener)
			return false;
		haul_input_deliver(in, listener, skb);
		sock_put(listener);
		return true;
	default:
		if (!haul_input_admit(in, NULL, skb) ||
		    !haul_remnant_rcv(haul_flow_remnant(flow), skb))
			return true;
		/* who is asked next must not take ours for IP's */
		memset(skb->cb, 0, sizeof(skb->cb));
		return false;
	}
}

static void haul_input_to_listener(const struct haul_input *in, const struct haul_flow_key *key,
				   struct sk_buff *skb)
{
	struct sock *sk = haul_port_lookup(key, in->packet.dif, in->sdif, skb);

	if (sk) {
		haul_input_deliver(in, sk, skb);
		sock_put(sk);
		return;
	}
	if (!haul_input_admit(in, NULL, skb))
		return;
	haul_reset_reply(in->net, NULL, skb);
	haul_drop(in->net, skb, HAUL_CNT_DROP_NO_FLOW);
}

/* A connection knows its namespace's counters; whatever else comes looks for them. */
static void haul_input_count(struct net *net, struct haul_flow *flow, const struct sk_buff *skb)
{
	unsigned int segs = haul_skb_segs(skb);

	if (likely(flow && flow->owner == HAUL_OWNER_SOCK))
		haul_sock_count(haul_sock_sk(haul_flow_sock(flow)), HAUL_CNT_IN_SEGS, segs);
	else
		haul_count_add(net, HAUL_CNT_IN_SEGS, segs);
}

/*
 * Is it the packet's flow that early demultiplexing has found? Addresses may have been rewritten
 * since.
 */
static bool haul_input_is_of(const struct haul_input *in, const struct haul_flow *flow,
			     const struct sk_buff *skb)
{
	const struct haul_flow_key *key = &flow->key;
	const struct haul_packet *p = &in->packet;

	if (!READ_ONCE(flow->hashed) || key->lport != p->dport || key->rport != p->sport ||
	    key->kind != p->kind || key->net != in->net ||
	    !inet_sk_bound_dev_eq(in->net, flow->dev, p->dif, in->sdif))
		return false;
	if (ip_hdr(skb)->version == 4)
		return ipv6_addr_v4mapped(&key->remote) &&
		       key->local.s6_addr32[3] == ip_hdr(skb)->daddr &&
		       key->remote.s6_addr32[3] == ip_hdr(skb)->saddr;
	return ipv6_addr_equal(&key->local, &ipv6_hdr(skb)->daddr) &&
	       ipv6_addr_equal(&key->remote, &ipv6_hdr(skb)->saddr);
}

/* A stream's or message's packet. @early: the flow that early demultiplexing has found, or NULL */
static __always_inline void
haul_input_to_connection(const struct haul_input *in, struct haul_flow *early, struct sk_buff *skb)
{
	struct haul_flow_key key haul_uninitialized;
	struct haul_flow *flow;

	if (early && likely(haul_input_is_of(in, early, skb))) {
		haul_input_count(in->net, early, skb);
		haul_input_to_flow(in, early, skb);
		return;
	}
	key.net = in->net;
	haul_input_key(&key, skb, &in->packet);
	flow = haul_flow_peek(&key, in->packet.dif, in->sdif);
	haul_input_count(in->net, flow, skb);
	if (!flow || !haul_input_to_flow(in, flow, skb))
		haul_input_to_listener(in, &key, skb);
}

/**
 * haul_ip_input - a packet of our protocol has come in
 * @skb:	data at the Haul header, network header set, skb->cb is IP's; consumed
 * @in:		what IP knows of it
 *
 * Context: softirq, RCU.
 */
void haul_ip_input(struct sk_buff *skb, const struct haul_arrival *in)
{
	struct haul_input input haul_uninitialized;
	struct haul_packet *p = &input.packet;
	struct haul_flow *early;
	enum haul_counter why;

	p->dif = in->dif;
	p->ecn = in->ecn;
	input.sdif = in->sdif;
	input.net = dev_net(skb->dev);

	early = haul_early_take(skb);
	why = haul_input_check(skb, in, p);
	if (unlikely(why != HAUL_NUM_COUNTERS)) {
		haul_input_count(input.net, early, skb);
		haul_drop(input.net, skb, why);
	} else if (p->kind == HAUL_KIND_DATAGRAM) {
		haul_input_count(input.net, early, skb);
		haul_dgram_input(skb, p, in);
	} else {
		haul_input_to_connection(&input, early, skb);
	}
	if (early)
		haul_flow_put(early);
}
