// SPDX-License-Identifier: GPL-2.0
/*
 * Half-open connections (RFC 4987 3.5's SYN cache, protocol.rst 3.2): a SYN has come, SYN-ACK was
 * sent. A request costs a fraction of a socket, and becomes one by the third step (child.c).
 */
#include <linux/slab.h>
#include <net/ip.h>
#include "conn.h"
#include "../ip/ip.h"
#include "../sock/sock.h"

/* while a program owns the listener: how soon the timer tries again */
#define HAUL_REQUEST_RETRY	max(HZ / 20, 1)

static struct kmem_cache *haul_request_cache;

static void haul_request_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(haul_request_cache, container_of(head, struct haul_request, rcu));
}

/**
 * haul_request_put - drop a reference
 * @req:	the request
 *
 * The last one lets the listener go, too. Context: any.
 */
void haul_request_put(struct haul_request *req)
{
	if (!refcount_dec_and_test(&req->refcnt))
		return;
	sock_put(req->listener);
	kfree(req->saved_syn);
	call_rcu(&req->rcu, haul_request_free_rcu);
}

/**
 * haul_request_done - a request is out of the table: what else it was in
 * @req:	the caller owns the table's reference, which goes; locked as haul_request_drop()
 */
void haul_request_done(struct haul_request *req)
{
	list_del_init(&req->node);
	haul_sk(req->listener)->num_requests--;
	if (timer_delete(&req->timer))
		haul_request_put(req);
	haul_request_put(req);
}

/**
 * haul_request_drop - take a request out of everything
 * @req:	the request; its listener's lock is held, or it is the namespace's end
 */
void haul_request_drop(struct haul_request *req)
{
	if (haul_flow_remove(&req->flow))
		haul_request_done(req);
}

/* ---------------------------------------------------------------- what a request says */

static void haul_request_path(const struct haul_request *req, struct haul_path *path)
{
	path->key = &req->flow.key;
	path->oif = req->flow.dev;
	path->mark = req->mark;
	path->uid = sock_net_uid(req->flow.key.net, req->listener);
	path->tos = req->tos;
	path->sk = req->listener;
}

/* The header that both SYN-ACK and the ACKs of a request have. */
static void haul_request_packet(const struct haul_request *req, struct haul_packet *p)
{
	memset(p, 0, sizeof(*p));
	p->flags = HAUL_ACK;
	p->tag = req->init.tag;
	p->ack = req->init.isn + 1;
	p->window = haul_listen_window(req->listener);
	p->tsval = (u32)haul_sk(req->listener)->now + req->ts_offset;
	p->tsecr = req->ts_recent;
}

/**
 * haul_request_synack - send the SYN-ACK of a request
 * @req:	the request, on a cookie's stack or in the table; listener's lock
 * @extra:	HAUL_STATELESS or 0
 * @fastopen:	a fast open cookie for the client; NULL: none
 *
 * Return: 0 or -errno: it has not left.
 */
int haul_request_synack(struct haul_request *req, u16 extra,
			const struct haul_fastopen_option *fastopen)
{
	struct haul_init init = {
		.tag	= req->tag,
		.isn	= req->iss,
		.mss	= haul_sk(req->listener)->user_mss,
		.flags	= req->ecn ? HAUL_INIT_ECN : 0,
	};
	struct haul_packet p;
	struct haul_path path;

	haul_request_path(req, &path);
	haul_request_packet(req, &p);
	p.flags |= HAUL_SYN | extra;
	p.seq = req->iss;
	return haul_reply_send(&path, &p, &init, fastopen);
}

/* An ACK from SYN-RECEIVED: says where we are. */
static void haul_request_ack(struct haul_request *req)
{
	struct haul_packet p;
	struct haul_path path;

	haul_request_path(req, &path);
	haul_request_packet(req, &p);
	p.seq = req->iss + 1;
	haul_reply_send(&path, &p, NULL, NULL);
}

/* What a request answers out of turn is spaced evenly: net.haul.challenge_limit in a second. */
static bool haul_request_permit(struct haul_request *req)
{
	struct net *net = req->flow.key.net;
	int limit = READ_ONCE(haul_pernet(net)->challenge_limit);
	u64 now = haul_sk(req->listener)->now;

	if (limit > 0 && now - req->answered_us >= USEC_PER_SEC / limit) {
		req->answered_us = now;
		return true;
	}
	haul_count(net, HAUL_CNT_CHALLENGE_LIMITED);
	return false;
}

static void haul_request_challenge(struct haul_request *req)
{
	if (!haul_request_permit(req))
		return;
	haul_count(req->flow.key.net, HAUL_CNT_CHALLENGE_ACKS);
	haul_request_ack(req);
}

/* ---------------------------------------------------------------- birth */

static u8 haul_request_tos(const struct sock *listener, const struct haul_flow_key *key)
{
	if (listener->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&key->remote))
		return inet6_sk(listener)->tclass;
	return READ_ONCE(inet_sk(listener)->tos);
}

/*
 * The device that the connection is bound to: the listener's; where that has none, the link that a
 * link-local address has a meaning on, or the VRF that the SYN came in by, which
 * net.ipv4.tcp_l3mdev_accept has let it do: only there is a way back.
 */
static int haul_request_dev(const struct haul_request *req, const struct sk_buff *skb)
{
	if (req->listener->sk_bound_dev_if)
		return req->listener->sk_bound_dev_if;
	if ((ipv6_addr_type(&req->flow.key.remote) & IPV6_ADDR_LINKLOCAL) || haul_skb_sdif(skb))
		return HAUL_PACKET(skb)->dif;
	return 0;
}

/**
 * haul_request_fill - what a request learns from the packet that makes it
 * @req:	zeroed; own tag, ISN and timestamp offset are the caller's to set
 * @listener:	its lock is held; no reference is taken
 * @skb:	the SYN, or a cookie's third step
 * @init:	its INIT
 */
void haul_request_fill(struct haul_request *req, struct sock *listener, const struct sk_buff *skb,
		       const struct haul_init *init)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = sock_net(listener);

	haul_flow_key_from_skb(&req->flow.key, net, skb);
	req->flow.owner = HAUL_OWNER_REQUEST;
	INIT_LIST_HEAD(&req->node);
	req->listener = listener;
	req->flow.dev = haul_request_dev(req, skb);
	req->init = *init;
	req->ts_recent = p->tsval;
	req->wnd = p->window;
	req->mark = READ_ONCE(listener->sk_mark) ?: IP4_REPLY_MARK(net, skb->mark);
	req->iif = p->dif;
	req->tos = haul_request_tos(listener, &req->flow.key);
	req->ecn = (init->flags & HAUL_INIT_ECN) &&
		   (READ_ONCE(haul_pernet(net)->ecn) ||
		    (haul_sk(listener)->snd.cc->flags & HAUL_CC_ECN));
}

/* us */
static u32 haul_request_timeout_us(const struct haul_request *req)
{
	return min_t(u64, (u64)HAUL_RTO_INITIAL_US << min_t(u8, req->timeouts, 16),
		     haul_rtt_most(&haul_sk(req->listener)->snd.rtt));
}

static unsigned long haul_request_timeout(const struct haul_request *req)
{
	return usecs_to_jiffies(haul_request_timeout_us(req));
}

/* jiffies until the first SYN-ACK goes again */
static unsigned long haul_request_first_timeout(struct haul_request *req)
{
	u32 early = haul_rtt_cache_early(&req->flow, &haul_sk(req->listener)->snd.rtt);

	req->early = early;
	return early ? usecs_to_jiffies(early) : haul_request_timeout(req);
}

/* The client has nothing to answer any more, but may still be waited for: HAUL_DEFER_ACCEPT. */
static bool haul_request_exhausted(const struct haul_request *req)
{
	const struct haul_sock *hs = haul_sk(req->listener);
	u8 limit = hs->syn_retries ?: READ_ONCE(haul_pernet(req->flow.key.net)->synack_retries);

	return req->timeouts >= limit && !(req->acked && req->timeouts < hs->defer_accept);
}

/*
 * While data is waited for, the client knows all there is to know. The last SYN-ACK of that time
 * goes out to have its ACK once more, which is then taken as it is.
 */
static bool haul_request_repeats(const struct haul_request *req)
{
	u8 defer = haul_sk(req->listener)->defer_accept;

	return !req->acked || req->timeouts + 1 >= defer;
}

static void haul_request_repeat(struct haul_request *req)
{
	bool repeats = haul_request_repeats(req);

	if (req->timeouts < U8_MAX)
		req->timeouts++;
	if (!repeats)
		return;
	haul_clock(haul_sk(req->listener));
	if (req->retries < U8_MAX)
		req->retries++;
	haul_count(req->flow.key.net, HAUL_CNT_SYNACK_RETRANS);
	haul_request_synack(req, 0, NULL);
}

/*
 * The SYN-ACK goes again ahead of its timeout, of which nothing else is changed; not when the third
 * step has come. Return: jiffies until the timeout.
 */
static unsigned long haul_request_early(struct haul_request *req)
{
	u64 now = haul_clock(haul_sk(req->listener));
	u64 timeout = req->sent_us + haul_request_timeout_us(req);

	req->early = false;
	if (!req->acked) {
		req->early_sent = true;
		req->retries++;
		haul_count(req->flow.key.net, HAUL_CNT_EARLY_SYNS);
		haul_count(req->flow.key.net, HAUL_CNT_SYNACK_RETRANS);
		haul_request_synack(req, 0, NULL);
	}
	return timeout > now ? usecs_to_jiffies(timeout - now) : 1;
}

/*
 * The SYN-ACK's timer. A program that owns the listener is about to let go: a moment later, then.
 */
static void haul_request_timer(struct timer_list *t)
{
	struct haul_request *req = timer_container_of(req, t, timer);
	struct sock *listener = req->listener;
	struct net *net = sock_net(listener);
	bool again = false;

	bh_lock_sock(listener);
	if (!READ_ONCE(req->flow.hashed))
		goto out;
	again = true;
	if (sock_owned_by_user(listener)) {
		mod_timer(&req->timer, jiffies + HAUL_REQUEST_RETRY);
	} else if (req->early) {
		mod_timer(&req->timer, jiffies + haul_request_early(req));
	} else if (haul_request_exhausted(req)) {
		again = false;
		haul_count(net, HAUL_CNT_SYNACK_GIVEUPS);
		haul_count(net, HAUL_CNT_ATTEMPT_FAILS);
		haul_request_drop(req);
	} else {
		haul_request_repeat(req);
		mod_timer(&req->timer, jiffies + haul_request_timeout(req));
	}
out:
	bh_unlock_sock(listener);
	/* armed again, the timer keeps its reference */
	if (!again)
		haul_request_put(req);
}

/* Into table and list. False: the flow is there already. */
static bool haul_request_enter(struct haul_request *req)
{
	struct haul_sock *hs = haul_sk(req->listener);

	refcount_set(&req->refcnt, 2);		/* table, timer */
	timer_setup(&req->timer, haul_request_timer, 0);
	if (haul_flow_insert(&req->flow, NULL))
		return false;
	list_add_tail(&req->node, &hs->requests);
	hs->num_requests++;
	sock_hold(req->listener);
	mod_timer(&req->timer, jiffies + haul_request_first_timeout(req));
	return true;
}

/**
 * haul_request_create - a SYN that a listener takes
 * @listener:	LISTEN, its lock held
 * @skb:	the SYN, matching no flow; consumed
 * @init:	its INIT
 * @fastopen:	a fast open cookie for the first SYN-ACK; NULL: none
 *
 * Context: BH off.
 */
void haul_request_create(struct sock *listener, struct sk_buff *skb, const struct haul_init *init,
			 const struct haul_fastopen_option *fastopen)
{
	struct net *net = sock_net(listener);
	struct haul_request *req;

	haul_assert_locked(listener);
	req = kmem_cache_zalloc(haul_request_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!req)
		goto full;
	haul_request_fill(req, listener, skb, init);
	req->tag = haul_secret_tag();
	req->sent_us = haul_sk(listener)->now;
	req->iss = haul_secret_start(&req->flow.key, req->sent_us, &req->ts_offset);
	if (!haul_request_enter(req)) {
		/* nobody has seen it */
		kmem_cache_free(haul_request_cache, req);
		goto full;
	}
	req->saved_syn = haul_saved_syn_make(listener, skb);
	haul_request_synack(req, 0, fastopen);
	consume_skb(skb);
	return;
full:
	haul_count(net, HAUL_CNT_REQUEST_OVERFLOW);
	haul_drop(net, skb, HAUL_CNT_DROP_REQUEST_FULL);
}

/* ---------------------------------------------------------------- packets for a request */

/* The receiving half that a request would have, for the checks of core/. */
static void haul_request_receiver(const struct haul_request *req, struct haul_receiver *rcv)
{
	memset(rcv, 0, sizeof(*rcv));
	rcv->nxt = req->init.isn + 1;
	rcv->wup = rcv->nxt;
	rcv->wnd = haul_listen_window(req->listener);
}

static void haul_request_rcv_rst(struct haul_request *req, struct sk_buff *skb)
{
	struct net *net = req->flow.key.net;
	enum haul_counter why = HAUL_CNT_DROP_RST;
	struct haul_receiver rcv;

	haul_request_receiver(req, &rcv);
	switch (haul_check_rst(HAUL_PACKET(skb), req->tag, req->init.tag, &rcv)) {
	case HAUL_VERDICT_RESET:
		haul_count(net, HAUL_CNT_IN_RSTS);
		haul_count(net, HAUL_CNT_ATTEMPT_FAILS);
		haul_request_drop(req);
		consume_skb(skb);
		return;
	case HAUL_VERDICT_CHALLENGE:
		haul_request_challenge(req);
		break;
	case HAUL_VERDICT_DROP_TAG:
		why = HAUL_CNT_DROP_TAG;
		break;
	default:
		break;
	}
	haul_drop(net, skb, why);
}

/* A SYN again: of the same client, whose SYN-ACK was lost, or of another incarnation. */
static void haul_request_rcv_syn(struct haul_request *req, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = req->flow.key.net;
	enum haul_counter why = HAUL_CNT_DROP_SYN;
	struct haul_options o;

	if (p->tag) {
		why = HAUL_CNT_DROP_TAG;
	} else if (haul_wire_parse_options(skb_transport_header(skb), p->hdrlen, &o)) {
		why = HAUL_CNT_DROP_OPTION;
	} else if (!o.has_init) {
		why = HAUL_CNT_DROP_NO_INIT;
	} else if (o.init.tag == req->init.tag && p->seq == req->init.isn) {
		if (haul_after(p->tsval, req->ts_recent))
			req->ts_recent = p->tsval;
		if (haul_request_permit(req))
			haul_request_synack(req, 0, NULL);
	} else {
		haul_request_challenge(req);
	}
	haul_drop(net, skb, why);
}

/* protocol.rst 3.2: is it the third step? False: it was answered as it deserves and consumed. */
static bool haul_request_check(struct haul_request *req, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	enum haul_counter why;
	struct haul_receiver rcv;

	haul_request_receiver(req, &rcv);
	if (p->tag != req->tag) {
		why = HAUL_CNT_DROP_TAG;
	} else if (p->flags & HAUL_SYN) {
		why = HAUL_CNT_DROP_SYN;
		haul_request_challenge(req);
	} else if (!(p->flags & HAUL_ACK)) {
		why = HAUL_CNT_DROP_NO_ACK;
	} else if (haul_before(p->tsval, req->ts_recent)) {
		/* it is not older than 30 minutes: a request does not live that long */
		why = HAUL_CNT_DROP_PAWS;
		if (p->seq != p->end_seq)
			haul_request_challenge(req);
	} else if (!haul_receiver_acceptable(&rcv, p->seq, p->end_seq)) {
		why = HAUL_CNT_DROP_SEQUENCE;
		haul_request_challenge(req);
	} else if (p->ack != req->iss + 1) {
		why = HAUL_CNT_DROP_ACK;
		haul_reset_reply(req->flow.key.net, req->listener, skb);
	} else {
		return true;
	}
	haul_drop(req->flow.key.net, skb, why);
	return false;
}

/* HAUL_DEFER_ACCEPT: a third step that brings nothing, not even a FIN, is not taken yet. */
static bool haul_request_defers(const struct haul_request *req, const struct haul_packet *p)
{
	return req->timeouts < haul_sk(req->listener)->defer_accept &&
	       p->end_seq == req->init.isn + 1;
}

/*
 * A third step that is not taken. Whatever is taken later echoes the same timestamp, for nothing
 * newer is sent until then: the round trip must be measured now.
 */
static void haul_request_note_ack(struct haul_request *req, const struct haul_packet *p)
{
	u64 now = haul_sk(req->listener)->now;
	u32 rtt = (u32)now + req->ts_offset - p->tsecr;

	if (!req->rtt_us && rtt <= now - req->sent_us)
		req->rtt_us = max(rtt, 1U);
	req->acked = true;
}

/*
 * The SYN-ACK that went early was for nothing if the first one is echoed: then none was lost, and
 * the connection may begin as one whose SYN-ACK was not repeated (RFC 5681 3.1).
 */
static void haul_request_judge_early(struct haul_request *req, const struct haul_packet *p)
{
	if (req->early_sent && p->tsecr == (u32)req->sent_us + req->ts_offset)
		req->retries--;
	req->early_sent = false;
}

/**
 * haul_request_rcv - a packet for a request
 * @listener:	its listener, LISTEN; its lock is held, BH off
 * @req:	the request; the caller holds a reference
 * @skb:	the packet; consumed
 */
void haul_request_rcv(struct sock *listener, struct haul_request *req, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = sock_net(listener);

	haul_assert_locked(listener);
	if (p->flags & HAUL_RST) {
		haul_request_rcv_rst(req, skb);
		return;
	}
	if ((p->flags & (HAUL_SYN | HAUL_ACK)) == HAUL_SYN) {
		haul_request_rcv_syn(req, skb);
		return;
	}
	if (!haul_request_check(req, skb))
		return;
	haul_request_judge_early(req, p);
	if (haul_request_defers(req, p)) {
		haul_request_note_ack(req, p);
		haul_drop(net, skb, HAUL_CNT_DROP_DEFERRED);
		return;
	}
	if (haul_accept_full(listener)) {
		/* the SYN-ACK comes again, and with its answer perhaps there is room */
		haul_request_note_ack(req, p);
		haul_count(net, HAUL_CNT_ACCEPT_OVERFLOW);
		haul_drop(net, skb, HAUL_CNT_DROP_ACCEPT_FULL);
		return;
	}
	haul_child_accept(listener, req, skb, HAUL_BIRTH_REQUEST);
}

/* ---------------------------------------------------------------- module */

/**
 * haul_request_init - make the requests' cache
 *
 * Return: 0 or -ENOMEM.
 */
int haul_request_init(void)
{
	haul_request_cache = kmem_cache_create("haul_request", sizeof(struct haul_request), 0,
					       SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	return haul_request_cache ? 0 : -ENOMEM;
}

/**
 * haul_request_exit - it goes; every request is gone and its grace period over (rcu_barrier())
 */
void haul_request_exit(void)
{
	kmem_cache_destroy(haul_request_cache);
}
