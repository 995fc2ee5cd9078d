// SPDX-License-Identifier: GPL-2.0
/*
 * A listener's packets (RFC 9293 3.10.7.2, protocol.rst 3.2, 3.4). What was found for a packet when
 * it came may have changed while it waited for the listener's lock: so it is looked up here again.
 */
#include <net/sock.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../sock/sock.h"

/**
 * haul_listen_window - the first window of a connection that this listener accepts
 * @sk:	the listener
 *
 * What the child will find free in a receive buffer that it inherits. Return: bytes.
 */
u32 haul_listen_window(const struct sock *sk)
{
	u32 clamp = READ_ONCE(haul_sk(sk)->window_clamp);
	u32 wnd = min_t(u32, READ_ONCE(sk->sk_rcvbuf) / 2, HAUL_MAX_WINDOW);

	return clamp ? min(wnd, clamp) : wnd;
}

/* More half-open connections than the administrator, or the program's backlog, allows */
static bool haul_listen_queue_full(const struct sock *sk)
{
	u32 num = haul_sk(sk)->num_requests;

	return num >= max(READ_ONCE(haul_pernet(sock_net(sk))->max_syn_backlog), 0) ||
	       num > READ_ONCE(sk->sk_max_ack_backlog);
}

/* A SYN that there is room for. It may become more than a request at once. Consumes it. */
static void haul_listen_open(struct sock *sk, struct sk_buff *skb, const struct haul_options *o)
{
	struct haul_fastopen_option fastopen;

	if (likely(!o->has_fastopen && !haul_packet_len(HAUL_PACKET(skb))))
		haul_request_create(sk, skb, &o->init, NULL);
	else if (!haul_fastopen_take(sk, skb, o, &fastopen))
		haul_request_create(sk, skb, &o->init, fastopen.len ? &fastopen : NULL);
}

/* A SYN that no flow knows. Consumes it. */
static void haul_listen_syn(struct sock *sk, struct sk_buff *skb, const struct haul_options *o)
{
	struct net *net = sock_net(sk);
	int cookies = READ_ONCE(haul_pernet(net)->syncookies);
	bool full = haul_listen_queue_full(sk);

	if (HAUL_PACKET(skb)->tag) {
		haul_drop(net, skb, HAUL_CNT_DROP_TAG);
	} else if (!o->has_init) {
		haul_drop(net, skb, HAUL_CNT_DROP_NO_INIT);
	} else if (haul_accept_full(sk)) {
		haul_drop(net, skb, HAUL_CNT_DROP_ACCEPT_FULL);
	} else if (cookies >= 2 || (cookies && full)) {
		haul_cookie_send(sk, skb, &o->init);
		consume_skb(skb);
	} else if (full) {
		haul_count(net, HAUL_CNT_REQUEST_OVERFLOW);
		haul_drop(net, skb, HAUL_CNT_DROP_REQUEST_FULL);
	} else {
		haul_listen_open(sk, skb, o);
	}
}

static bool haul_listen_may_be_cookie(const struct net *net, const struct haul_packet *p,
				      const struct haul_options *o)
{
	return READ_ONCE(haul_pernet(net)->syncookies) && !(p->flags & HAUL_SYN) && o->has_init &&
	       !haul_before(p->seq, o->init.isn + 1);
}

/*
 * An ACK that no flow knows: the third step after a cookie, or of a connection that is no more.
 * Consumes it.
 */
static void haul_listen_ack(struct sock *sk, struct sk_buff *skb, const struct haul_options *o)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = sock_net(sk);
	struct haul_request req;

	if (!p->tag) {
		haul_drop(net, skb, HAUL_CNT_DROP_TAG);
	} else if (!haul_listen_may_be_cookie(net, p, o) ||
		   !haul_cookie_check(sk, skb, &o->init, &req)) {
		haul_reset_reply(net, sk, skb);
		haul_drop(net, skb, HAUL_CNT_DROP_NO_FLOW);
	} else if (p->seq != o->init.isn + 1) {
		/* its predecessor was lost and will come again */
		haul_drop(net, skb, HAUL_CNT_DROP_SEQUENCE);
	} else if (haul_accept_full(sk)) {
		haul_count(net, HAUL_CNT_ACCEPT_OVERFLOW);
		haul_drop(net, skb, HAUL_CNT_DROP_ACCEPT_FULL);
	} else {
		haul_child_accept(sk, &req, skb, HAUL_BIRTH_COOKIE);
	}
}

/* A packet that no flow knows. Consumes it. */
static void haul_listen_unknown(struct sock *sk, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = sock_net(sk);
	struct haul_options o haul_uninitialized;

	if (p->flags & HAUL_RST)
		haul_drop(net, skb, HAUL_CNT_DROP_RST);
	else if (haul_wire_parse_options(skb_transport_header(skb), p->hdrlen, &o))
		haul_drop(net, skb, HAUL_CNT_DROP_OPTION);
	else if (p->flags & HAUL_ACK)
		haul_listen_ack(sk, skb, &o);
	else if (p->flags & HAUL_SYN)
		haul_listen_syn(sk, skb, &o);
	else
		haul_drop(net, skb, HAUL_CNT_DROP_NO_ACK);
}

/*
 * The packet waited, and its connection is a socket by now. Like ip/input.c's delivery, but inside
 * the listener's lock, which is the outer of the two.
 */
static void haul_listen_deliver(struct sock *child, struct sk_buff *skb)
{
	u32 limit = READ_ONCE(child->sk_rcvbuf) + READ_ONCE(child->sk_sndbuf);

	bh_lock_sock(child);
	if (!sock_owned_by_user(child))
		haul_conn_rcv(child, skb);
	else if (sk_add_backlog(child, skb, limit))
		haul_drop(sock_net(child), skb, HAUL_CNT_DROP_BACKLOG);
	bh_unlock_sock(child);
}

static void haul_listen_flow(struct sock *sk, struct haul_flow *flow, struct sk_buff *skb)
{
	switch (flow->owner) {
	case HAUL_OWNER_REQUEST:
		if (haul_flow_request(flow)->listener == sk)
			haul_request_rcv(sk, haul_flow_request(flow), skb);
		else	/* two listeners' locks are never held at once: the peer will send again */
			haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_STATE);
		break;
	case HAUL_OWNER_SOCK:
		haul_listen_deliver(haul_sock_sk(haul_flow_sock(flow)), skb);
		break;
	case HAUL_OWNER_REMNANT:
		if (haul_remnant_rcv(haul_flow_remnant(flow), skb))
			haul_listen_unknown(sk, skb);
		break;
	}
}

/**
 * haul_listen_rcv - a packet for a listener or for one of its requests
 * @sk:		LISTEN; its lock is held
 * @skb:	the packet; consumed
 *
 * Context: softirq, or process (from the backlog).
 */
void haul_listen_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct haul_flow_key key haul_uninitialized;
	struct haul_flow *flow;

	haul_assert_locked(sk);
	haul_flow_key_from_skb(&key, sock_net(sk), skb);

	local_bh_disable();	/* the backlog is served with BH on */
	rcu_read_lock();
	flow = haul_flow_lookup(&key, HAUL_PACKET(skb)->dif, haul_skb_sdif(skb));
	if (flow) {
		haul_listen_flow(sk, flow, skb);
		haul_flow_put(flow);
	} else {
		haul_listen_unknown(sk, skb);
	}
	rcu_read_unlock();
	local_bh_enable();
}

/* A connection that nobody will accept: the peer is told. */
static void haul_listen_abandon(struct sock *child)
{
	sock_hold(child);
	lock_sock_nested(child, SINGLE_DEPTH_NESTING);
	local_bh_disable();
	haul_reset_send(child, GFP_ATOMIC);
	sock_orphan(child);
	percpu_counter_inc(&haul_orphans);
	if (child->sk_state == HAUL_CLOSED)
		haul_conn_destroy(child);
	else
		haul_conn_done(child, ECONNRESET);
	local_bh_enable();
	release_sock(child);
	sock_put(child);
}

/**
 * haul_listen_stop - close() or shutdown() of a listener
 * @sk:	out of the port table; its lock is held by a program
 *
 * Context: process.
 */
void haul_listen_stop(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk), *child, *next_child;
	struct haul_request *req, *next;

	haul_assert_locked(sk);
	local_bh_disable();
	list_for_each_entry_safe(req, next, &hs->requests, node)
		haul_request_drop(req);
	local_bh_enable();

	list_for_each_entry_safe(child, next_child, &hs->accept_queue, accept_node) {
		list_del_init(&child->accept_node);
		sk_acceptq_removed(sk);
		haul_listen_abandon(haul_sock_sk(child));
		cond_resched();
	}
}
