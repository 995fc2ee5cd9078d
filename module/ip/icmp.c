// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors (RFC 5927, protocol.rst 8): whom is it about, does it fit something in flight, and
 * what comes of it.
 */
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include "ip.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"
#include "../dgram/dgram.h"

/* bytes that an error is sure to quote (RFC 792): ports and sequence number */
#define HAUL_QUOTE_MIN	8

/* What of our header an error quotes. */
struct haul_quote {
	struct haulhdr	h;
	unsigned int	len;
};

static bool haul_icmp_quotes(const struct haul_quote *q, size_t end)
{
	return q->len >= end;
}

/* false: it can't be ours */
static bool haul_icmp_read_quote(const struct sk_buff *skb, unsigned int offset,
				 struct haul_quote *q)
{
	if (skb->len < offset + HAUL_QUOTE_MIN)
		return false;
	q->len = min_t(unsigned int, skb->len - offset, sizeof(q->h));
	return !skb_copy_bits(skb, offset, &q->h, q->len);
}

/* Could the quoted packet have been of this kind? Where the quote ends too early: perhaps. */
static bool haul_icmp_kind_fits(const struct haul_quote *q, u8 kind)
{
	if (!haul_icmp_quotes(q, offsetofend(struct haulhdr, version_kind)))
		return true;
	return q->h.version_kind == (HAUL_VERSION << 4 | kind);
}

/* The peer's tag, or 0 where the packet was a SYN; where the quote ends too early: perhaps. */
static bool haul_icmp_tag_fits(const struct haul_quote *q, u32 peer_tag, u32 iss)
{
	u32 tag;

	if (!haul_icmp_quotes(q, offsetofend(struct haulhdr, tag)))
		return true;
	tag = be32_to_cpu(q->h.tag);
	return tag ? tag == peer_tag : be32_to_cpu(q->h.seq) == iss;
}

/* Nothing but what is in flight can have been complained about. */
static bool haul_icmp_fits_sock(const struct sock *sk, const struct haul_quote *q)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (sk->sk_state == HAUL_CLOSED || sk->sk_state == HAUL_LISTEN)
		return false;
	return haul_between(be32_to_cpu(q->h.seq), READ_ONCE(hs->snd.una),
			    READ_ONCE(hs->snd.nxt)) &&
	       haul_icmp_tag_fits(q, hs->peer_tag, hs->snd.iss);
}

/*
 * A smaller MTU than the present one, not absurdly small, and the socket asks the path for it
 * (IP_MTU_DISCOVER).
 */
static bool haul_icmp_mtu_fits(const struct sock *sk, const struct haul_icmp_error *e)
{
	const struct haul_sock *hs = haul_sk(sk);
	bool accepts = hs->af->family == AF_INET ? ip_sk_accept_pmtu(sk) : ip6_sk_accept_pmtu(sk);

	return accepts && e->icmp.mtu >= e->min_mtu && e->icmp.mtu < READ_ONCE(hs->pmtu);
}

/*
 * A program has the socket: what can't wait for the timers is left for haul_release_cb(). Socket's
 * spinlock
 */
static void haul_icmp_defer(struct sock *sk, const struct haul_icmp *icmp)
{
	struct haul_sock *hs = haul_sk(sk);

	if (icmp->mtu) {
		if (!test_bit(HAUL_DEFER_PMTU, &hs->deferred) || icmp->mtu < hs->mtu_info)
			WRITE_ONCE(hs->mtu_info, icmp->mtu);
		haul_defer(sk, HAUL_DEFER_PMTU);
	} else if (icmp->hard && haul_fastopen_opening(sk)) {
		haul_count(sock_net(sk), HAUL_CNT_ICMP_HARD);
		WRITE_ONCE(hs->icmp_err, icmp->err);
		haul_defer(sk, HAUL_DEFER_ICMP);
	} else {
		haul_count(sock_net(sk), HAUL_CNT_ICMP_SOFT);
		WRITE_ONCE(sk->sk_err_soft, icmp->err);
	}
}

/* true: believed */
static bool haul_icmp_to_sock(struct sock *sk, struct sk_buff *skb, const struct haul_icmp_error *e,
			      const struct haul_quote *q)
{
	bool fits;

	bh_lock_sock(sk);
	fits = haul_icmp_fits_sock(sk, q) && (!e->icmp.mtu || haul_icmp_mtu_fits(sk, e));
	if (!fits)
		goto out;
	if (e->redirect) {
		if (!sock_owned_by_user(sk))
			haul_sk(sk)->af->redirect(sk, skb);
	} else if (sock_owned_by_user(sk)) {
		haul_icmp_defer(sk, &e->icmp);
	} else {
		haul_conn_icmp(sk, &e->icmp);
	}
out:
	bh_unlock_sock(sk);
	return fits;
}

/*
 * A hard error about a SYN-ACK ends the request; while a program has the listener, its timer will.
 * True: believed
 */
static bool haul_icmp_to_request(struct haul_request *req, const struct haul_icmp_error *e,
				 const struct haul_quote *q)
{
	struct sock *listener;

	if (be32_to_cpu(q->h.seq) != req->iss || !haul_icmp_tag_fits(q, req->init.tag, req->iss))
		return false;
	if (!e->icmp.hard)
		return true;
	listener = haul_request_listener(req);
	if (!listener)
		return false;
	bh_lock_sock(listener);
	if (!sock_owned_by_user(listener)) {
		haul_count(sock_net(listener), HAUL_CNT_ICMP_HARD);
		haul_request_drop(req);
	}
	bh_unlock_sock(listener);
	sock_put(listener);
	return true;
}

/* A remnant has nothing in flight that it would miss. */
static bool haul_icmp_to_flow(struct haul_flow *flow, struct sk_buff *skb,
			      const struct haul_icmp_error *e, const struct haul_quote *q)
{
	switch (flow->owner) {
	case HAUL_OWNER_SOCK:
		return haul_icmp_to_sock(haul_sock_sk(haul_flow_sock(flow)), skb, e, q);
	case HAUL_OWNER_REQUEST:
		return haul_icmp_to_request(haul_flow_request(flow), e, q);
	default:
		return false;
	}
}

/**
 * haul_icmp_input - an ICMP error, or redirect, quotes a packet of ours
 * @skb:	data at the quoted IP header; stays the caller's
 * @e:		what it says; ports, kind and sequence number are filled in here
 *
 * Context: softirq, RCU. Return: 0: believed; -ENOENT: fits nothing in flight
 */
int haul_icmp_input(struct sk_buff *skb, struct haul_icmp_error *e)
{
	static const u8 kinds[] = { HAUL_KIND_STREAM, HAUL_KIND_MESSAGE };
	struct haul_quote q = {};
	struct haul_flow *flow;
	bool believed = false;
	unsigned int i;

	if (!haul_icmp_read_quote(skb, e->offset, &q))
		goto ignore;
	e->key.lport = q.h.source;
	e->key.rport = q.h.dest;
	e->icmp.seq = be32_to_cpu(q.h.seq);
	for (i = 0; i < ARRAY_SIZE(kinds) && !believed; i++) {
		if (!haul_icmp_kind_fits(&q, kinds[i]))
			continue;
		e->key.kind = kinds[i];
		flow = haul_flow_lookup(&e->key, e->dif, e->sdif);
		if (!flow)
			continue;
		believed = haul_icmp_to_flow(flow, skb, e, &q);
		haul_flow_put(flow);
	}
	/* a datagram's sequence field is 0 */
	if (!believed && !q.h.seq && haul_icmp_kind_fits(&q, HAUL_KIND_DATAGRAM))
		believed = haul_dgram_icmp(skb, e, &q.h, q.len);
	if (believed)
		return 0;
ignore:
	haul_count(e->key.net, HAUL_CNT_ICMP_IGNORED);
	return -ENOENT;
}
