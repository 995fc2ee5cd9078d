// SPDX-License-Identifier: GPL-2.0
/*
 * The third step (RFC 9293 3.10.7.4, SYN-RECEIVED): of listener and request a socket is made. A
 * fast open's SYN does without a request.
 */
#include <linux/percpu_counter.h>
#include <net/sock.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../sock/sock.h"

/*
 * What the clone shares with its listener by pointer is the listener's: options, multicast lists,
 * flow labels. The child's own come with haul_route_child(). The cookie of SO_COOKIE, the accept
 * queue's length and the numbers of timestamps are per socket, too.
 */
static void haul_child_disown(struct sock *child)
{
	struct inet_sock *inet = inet_sk(child);

	RCU_INIT_POINTER(inet->inet_opt, NULL);
	RCU_INIT_POINTER(inet->mc_list, NULL);
	if (child->sk_family == AF_INET6) {
		struct ipv6_pinfo *np = &((struct haul6_sock *)child)->inet6;

		inet->pinet6 = np;
		RCU_INIT_POINTER(np->opt, NULL);
		RCU_INIT_POINTER(np->ipv6_mc_list, NULL);
		np->ipv6_ac_list = NULL;
		RCU_INIT_POINTER(haul_flowlabel_list(child), NULL);
	}
	atomic64_set(&child->sk_cookie, 0);
	atomic_set(&child->sk_tskey, 0);
	child->sk_ack_backlog = 0;
	WRITE_ONCE(child->sk_err_soft, 0);
	child->sk_shutdown = 0;
}

static void haul_child_send_side(struct sock *child, const struct haul_request *req)
{
	struct haul_sock *hs = haul_sk(child);

	haul_cong_route(child, __sk_dst_get(child));
	hs->snd.syn_resent = req->retries > 0;
	hs->snd.wnd = req->wnd;
	hs->snd.max_wnd = req->wnd;
	hs->snd.wl1 = req->init.isn;
	hs->write_seq = req->iss;
	hs->ts_offset = req->ts_offset;
	hs->last_tsval = (u32)hs->now + hs->ts_offset;
	hs->syn_us = req->sent_us;
	hs->handshake_rtt = req->rtt_us;
}

static void haul_child_receive_side(struct sock *child, const struct sock *listener,
				    const struct haul_request *req)
{
	struct haul_sock *hs = haul_sk(child);

	/* HAUL_QUICKACK of the listener */
	hs->rcv.interactive = haul_sk(listener)->rcv.interactive;
	hs->rcv.adv_mss = haul_mss_adv(child);
	haul_window_init(child);
	/* as the SYN-ACK has announced */
	hs->rcv.wnd = haul_listen_window(listener);
	hs->rcv.ts_recent = req->ts_recent;
	hs->rcv.ts_recent_us = hs->now;
}

/* The SYN-ACK was sent by the request; the packet at hand acknowledges it. */
static void haul_child_synack_sent(struct haul_sock *hs)
{
	hs->snd.nxt = hs->snd.iss + 1;
	hs->write_seq = hs->snd.nxt;
	hs->pushed_seq = hs->write_seq;
}

/*
 * A fast open's child sends the SYN-ACK itself, and may send more before that is answered. 0 or
 * -ENOMEM
 */
static int haul_child_own_synack(struct sock *child, struct sock *listener)
{
	struct haul_sock *hs = haul_sk(child);
	struct sk_buff *skb;
	int err;

	err = haul_fastopen_begin(listener, child);
	if (err)
		return err;
	skb = haul_output_alloc(child, 0, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return -ENOMEM;
	haul_handshake_queue_syn(child, skb);
	hs->pushed_seq = hs->write_seq;
	/* the client's window is for payload */
	hs->snd.wnd++;
	/* nothing that Nagle's rule would have wait for its answer */
	hs->snd.small_end = hs->snd.una;
	haul_sender_established(&hs->snd, hs->now);
	haul_window_grow_sndbuf(child);
	return 0;
}

/* What the handshake has agreed on. Route and addresses are set. */
static void haul_child_take_request(struct sock *child, const struct sock *listener,
				    const struct haul_request *req)
{
	struct haul_sock *hs = haul_sk(child);

	hs->flow.key = req->flow.key;
	hs->flow.dev = req->flow.dev;
	hs->tag = req->tag;
	haul_child_send_side(child, req);
	hs->ecn_ok = req->ecn;
	haul_handshake_take_init(child, &req->init);
	haul_mss_sync(child, haul_route_mtu(child, __sk_dst_get(child)));
	haul_child_receive_side(child, listener, req);
}

/* Its sequence numbers, and its place in the table. 0; -errno: no memory, or there is another */
static int haul_child_enter(struct sock *child, struct sock *listener, struct haul_request *req,
			    enum haul_birth birth)
{
	struct haul_sock *hs = haul_sk(child);
	int err = 0;

	if (birth == HAUL_BIRTH_FASTOPEN)
		err = haul_child_own_synack(child, listener);
	else
		haul_child_synack_sent(hs);
	if (err)
		return err;
	hs->from_cookie = birth == HAUL_BIRTH_COOKIE;
	if (birth != HAUL_BIRTH_REQUEST)
		return haul_flow_insert(&hs->flow, NULL);
	err = haul_flow_replace(&req->flow, &hs->flow);
	if (!err)
		haul_request_done(req);
	return err;
}

/* Nobody has seen it, or nobody will any more: away with it. */
static void haul_child_kill(struct sock *child)
{
	if (haul_fastopen_child(child))
		haul_fastopen_done(child, false);
	sock_set_flag(child, SOCK_DEAD);
	percpu_counter_inc(&haul_orphans);
	haul_set_state(child, HAUL_CLOSED);
	haul_conn_destroy(child);
	__acquire(&child->sk_lock.slock);	/* says to sparse what sk_clone_lock() does not */
	bh_unlock_sock(child);
	sock_put(child);
}

/**
 * haul_child_create - a socket for a handshake that is finished, or that fast open does not await
 * @listener:	LISTEN; its lock is held, BH off
 * @req:	its request: in the table, or on the stack
 * @skb:	the third step or SYN, found good; stays the caller's
 * @birth:	which
 *
 * The child is in SYN-RECEIVED, in the table and in the accept queue. The request, if it was in the
 * table, is out of it.
 *
 * Return: the child, bh_lock_sock() and a reference held; NULL: no memory, no route, or the flow
 * was taken by another.
 */
struct sock *haul_child_create(struct sock *listener, struct haul_request *req, struct sk_buff *skb,
			       enum haul_birth birth)
{
	struct sock *child;

	haul_assert_locked(listener);
	child = sk_clone_lock(listener, GFP_ATOMIC);
	if (!child)
		return NULL;
	haul_conn_init_child(child, listener, req);
	haul_child_disown(child);
	WRITE_ONCE(child->sk_mark, req->mark);
	haul_set_state(child, HAUL_SYN_RECEIVED);

	if (haul_route_child(child, listener, req, skb) || !__sk_dst_get(child))
		goto kill;
	haul_child_take_request(child, listener, req);
	haul_port_inherit(&haul_sk(child)->port, &haul_sk(listener)->port);
	if (haul_child_enter(child, listener, req, birth))
		goto kill;
	swap(haul_sk(child)->saved_syn, req->saved_syn);
	haul_accept_add(listener, child);
	return child;

kill:
	haul_child_kill(child);
	return NULL;
}

/**
 * haul_child_accept - take the third step
 * @listener:	LISTEN; its lock is held, BH off
 * @req:	its request, or a cookie's; gone afterwards if a child was made of it
 * @skb:	the packet, found good; consumed: the child has its acknowledgment, payload and FIN
 * @birth:	HAUL_BIRTH_REQUEST or HAUL_BIRTH_COOKIE
 */
void haul_child_accept(struct sock *listener, struct haul_request *req, struct sk_buff *skb,
		       enum haul_birth birth)
{
	struct sock *child = haul_child_create(listener, req, skb, birth);

	if (!child) {
		haul_drop(sock_net(listener), skb, HAUL_CNT_DROP_CHILD);
		return;
	}
	/* after a cookie the client does not rest before it is answered (protocol.rst 3.4) */
	haul_sk(child)->rcv.ack_now = birth == HAUL_BIRTH_COOKIE;
	haul_conn_rcv(child, skb);
	if (haul_sk(child)->rcv.ack_now && child->sk_state != HAUL_CLOSED)
		haul_ack_send(child);
	__acquire(&child->sk_lock.slock);	/* by haul_child_create() */
	bh_unlock_sock(child);
	sock_put(child);
}
