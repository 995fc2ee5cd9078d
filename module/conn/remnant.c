// SPDX-License-Identifier: GPL-2.0
/*
 * TIME-WAIT (RFC 9293 3.6.1, protocol.rst 5.2, 5.3): what is left of a connection while its last
 * packets may still be on their way, and namespace exit, which takes remnants and requests with it.
 */
#include <linux/slab.h>
#include <net/ip.h>
#include "conn.h"
#include "../ip/roll.h"

static struct kmem_cache *haul_remnant_cache;

static void haul_remnant_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(haul_remnant_cache, container_of(head, struct haul_remnant, rcu));
}

/**
 * haul_remnant_put - drop a reference
 * @rem:	the remnant
 *
 * Context: any.
 */
void haul_remnant_put(struct haul_remnant *rem)
{
	if (refcount_dec_and_test(&rem->refcnt))
		call_rcu(&rem->rcu, haul_remnant_free_rcu);
}

/*
 * What the table's reference stood for goes with it; the caller has taken the remnant out, or
 * nobody could put it in.
 */
static void haul_remnant_release(struct haul_remnant *rem)
{
	struct net *net = rem->flow.key.net;

	haul_port_release(net, &rem->port);
	atomic_dec(&haul_pernet(net)->num_remnants);
	haul_remnant_put(rem);
}

/**
 * haul_remnant_drop - take a remnant out of everything, before its time or at it
 * @rem:	RCU read lock, or a reference of the caller's own
 *
 * Context: any. Of several callers one does it.
 */
void haul_remnant_drop(struct haul_remnant *rem)
{
	if (!haul_flow_remove(&rem->flow))
		return;
	if (timer_delete(&rem->timer))
		haul_remnant_put(rem);
	haul_remnant_release(rem);
}

static void haul_remnant_timer(struct timer_list *t)
{
	struct haul_remnant *rem = timer_container_of(rem, t, timer);

	/* haul_remnant_enter() may not have put it into the table yet */
	spin_lock(&rem->lock);
	spin_unlock(&rem->lock);
	haul_remnant_drop(rem);
	haul_remnant_put(rem);
}

static unsigned long haul_remnant_life(const struct net *net)
{
	return msecs_to_jiffies(2 * max(READ_ONCE(haul_pernet(net)->msl_ms), 1));
}

/* ---------------------------------------------------------------- birth */

static void haul_remnant_fill(struct haul_remnant *rem, const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	rem->flow.key = hs->flow.key;
	rem->flow.dev = hs->flow.dev;
	rem->flow.owner = HAUL_OWNER_REMNANT;
	rem->tag = hs->tag;
	rem->peer_tag = hs->peer_tag;
	rem->snd_nxt = hs->snd.nxt;
	rem->rcv_nxt = hs->rcv.nxt;
	rem->rcv_wnd = haul_receiver_wnd(&hs->rcv);
	rem->ts_offset = hs->ts_offset;
	rem->last_tsval = hs->last_tsval;
	rem->ts_recent = hs->rcv.ts_recent;
	rem->ts_recent_us = hs->rcv.ts_recent_us;
	rem->mark = sk->sk_mark;
	rem->uid = sock_net_uid(sock_net(sk), sk);
	rem->ce = (u16)hs->rcv.ce;
	if (hs->af->family == AF_INET6)
		rem->tos = inet6_sk(sk)->tclass;
	else
		rem->tos = READ_ONCE(hs->inet.tos);
	rem->reuse = sk->sk_reuse;
	rem->reuseport = sk->sk_reuseport;
	rem->v6only = ipv6_only_sock(sk);
	rem->family = sk->sk_family;
}

/* In the socket's place. False: there is no room for it, or the socket was in no table. */
static bool haul_remnant_create(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct net *net = sock_net(sk);
	struct haul_net *hn = haul_pernet(net);
	struct haul_remnant *rem;
	bool placed;

	if (atomic_inc_return(&hn->num_remnants) > READ_ONCE(hn->max_remnants))
		goto full;
	rem = kmem_cache_zalloc(haul_remnant_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!rem)
		goto full;

	haul_remnant_fill(rem, sk);
	spin_lock_init(&rem->lock);
	refcount_set(&rem->refcnt, 2);		/* table, timer */
	timer_setup(&rem->timer, haul_remnant_timer, 0);
	haul_port_inherit(&rem->port, &hs->port);

	/* armed before others can find it, so that who takes it out finds the timer to stop */
	spin_lock_bh(&rem->lock);
	mod_timer(&rem->timer, jiffies + haul_remnant_life(net));
	placed = !haul_flow_replace(&hs->flow, &rem->flow);
	spin_unlock_bh(&rem->lock);
	if (!placed) {
		if (timer_delete(&rem->timer))
			haul_remnant_put(rem);
		haul_remnant_release(rem);
	}
	return placed;
full:
	atomic_dec(&hn->num_remnants);
	return false;
}

/**
 * haul_remnant_enter - TIME-WAIT
 * @sk:	FIN-WAIT-2 or CLOSING (FIN-WAIT-1 when both came in one packet); its lock is held, BH off
 *
 * The socket is CLOSED afterwards, an orphan destroyed: the caller holds a reference.
 */
void haul_remnant_enter(struct sock *sk)
{
	bool kept;

	haul_assert_locked(sk);
	kept = haul_remnant_create(sk);
	haul_count(sock_net(sk), kept ? HAUL_CNT_TIME_WAITS : HAUL_CNT_TIME_WAIT_OVERFLOW);
	haul_conn_done(sk, 0);
}

/* ---------------------------------------------------------------- packets */

/* An ACK that says where the connection ended. */
static void haul_remnant_ack(struct haul_remnant *rem)
{
	struct haul_path path = {
		.key	= &rem->flow.key,
		.oif	= rem->flow.dev,
		.mark	= rem->mark,
		.uid	= rem->uid,
		.tos	= rem->tos,
	};
	struct haul_packet p = {
		.flags	= HAUL_ACK,
		.tag	= rem->peer_tag,
		.window	= rem->rcv_wnd,
		.seq	= rem->snd_nxt,
		.ack	= rem->rcv_nxt,
		.ce	= rem->ce,
	};

	spin_lock_bh(&rem->lock);
	p.tsval = haul_tsval_onward((u32)haul_now_us() + rem->ts_offset, rem->last_tsval);
	rem->last_tsval = p.tsval;
	p.tsecr = rem->ts_recent;
	spin_unlock_bh(&rem->lock);
	haul_reply_send(&path, &p, NULL, NULL);
}

/* What a forged packet can call forth is spaced evenly: net.haul.challenge_limit in a second. */
static void haul_remnant_challenge(struct haul_remnant *rem)
{
	struct net *net = rem->flow.key.net;
	int limit = READ_ONCE(haul_pernet(net)->challenge_limit);
	u64 now = haul_now_us();
	bool permit;

	spin_lock_bh(&rem->lock);
	permit = limit > 0 && now - rem->ack_us >= USEC_PER_SEC / limit;
	if (permit)
		rem->ack_us = now;
	spin_unlock_bh(&rem->lock);

	haul_count(net, permit ? HAUL_CNT_CHALLENGE_ACKS : HAUL_CNT_CHALLENGE_LIMITED);
	if (permit)
		haul_remnant_ack(rem);
}

/* RFC 7323 5.2, for what is kept here */
static bool haul_remnant_paws_old(const struct haul_remnant *rem, u32 tsval, u64 now)
{
	return haul_before(tsval, rem->ts_recent) && now - rem->ts_recent_us < HAUL_PAWS_EXPIRE_US;
}

/* RFC 6191 2 for a SYN: is it certainly of a new connection? */
static bool haul_remnant_syn_is_new(struct haul_remnant *rem, const struct haul_packet *p)
{
	bool is_new;

	spin_lock_bh(&rem->lock);
	is_new = haul_after(p->tsval, rem->ts_recent) ||
		 (p->tsval == rem->ts_recent && haul_after(p->seq, rem->rcv_nxt)) ||
		 haul_now_us() - rem->ts_recent_us >= HAUL_PAWS_EXPIRE_US;
	spin_unlock_bh(&rem->lock);
	return is_new;
}

static bool haul_remnant_has_listener(const struct haul_remnant *rem, struct sk_buff *skb)
{
	struct sock *listener;

	rcu_read_lock();
	listener = haul_port_lookup(&rem->flow.key, HAUL_PACKET(skb)->dif, haul_skb_sdif(skb), skb);
	rcu_read_unlock();
	if (!listener)
		return false;
	sock_put(listener);
	return true;
}

/* A SYN without ACK. True: the remnant has made room for it. */
static bool haul_remnant_rcv_syn(struct haul_remnant *rem, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = rem->flow.key.net;
	enum haul_counter why = HAUL_CNT_DROP_SYN;
	struct haul_options o;

	if (p->tag) {
		why = HAUL_CNT_DROP_TAG;
	} else if (haul_wire_parse_options(skb_transport_header(skb), p->hdrlen, &o)) {
		why = HAUL_CNT_DROP_OPTION;
	} else if (!o.has_init) {
		why = HAUL_CNT_DROP_NO_INIT;
	} else if (!haul_remnant_syn_is_new(rem, p) || !haul_remnant_has_listener(rem, skb)) {
		haul_remnant_challenge(rem);
	} else {
		haul_remnant_drop(rem);
		haul_count(net, HAUL_CNT_TIME_WAIT_REUSED);
		return true;
	}
	haul_drop(net, skb, why);
	return false;
}

/* The peer's FIN again, in sequence: our ACK of it was lost, 2 MSL begin again. */
static void haul_remnant_rcv_fin(struct haul_remnant *rem, const struct haul_packet *p)
{
	struct net *net = rem->flow.key.net;

	spin_lock_bh(&rem->lock);
	if (!haul_before(p->tsval, rem->ts_recent)) {
		rem->ts_recent = p->tsval;
		rem->ts_recent_us = haul_now_us();
	}
	/* not when it has fired: then the remnant is on its way out */
	mod_timer_pending(&rem->timer, jiffies + haul_remnant_life(net));
	spin_unlock_bh(&rem->lock);
	haul_count(net, HAUL_CNT_TIME_WAIT_ACKS);
	haul_remnant_ack(rem);
}

/*
 * protocol.rst 5.2, for a packet with our tag and without SYN or RST. Answers, and returns what to
 * count it under.
 */
static enum haul_counter haul_remnant_judge(struct haul_remnant *rem, const struct haul_packet *p)
{
	struct haul_receiver rcv = {
		.nxt	= rem->rcv_nxt,
		.wup	= rem->rcv_nxt,
		.wnd	= rem->rcv_wnd,
	};
	bool empty = p->seq == p->end_seq, old;

	if (!(p->flags & HAUL_ACK))
		return HAUL_CNT_DROP_NO_ACK;
	spin_lock_bh(&rem->lock);
	old = haul_remnant_paws_old(rem, p->tsval, haul_now_us());
	spin_unlock_bh(&rem->lock);

	if (!empty && !old && (p->flags & HAUL_FIN) && p->end_seq == rem->rcv_nxt) {
		haul_remnant_rcv_fin(rem, p);
		return HAUL_CNT_DROP_DUPLICATE;
	}
	if (!empty) {
		haul_remnant_ack(rem);
		return old ? HAUL_CNT_DROP_PAWS : HAUL_CNT_DROP_STATE;
	}
	if (old)
		return HAUL_CNT_DROP_PAWS;
	if (!haul_receiver_acceptable(&rcv, p->seq, p->end_seq)) {
		haul_remnant_challenge(rem);
		return HAUL_CNT_DROP_SEQUENCE;
	}
	if (haul_after(p->ack, rem->snd_nxt)) {
		haul_remnant_challenge(rem);
		return HAUL_CNT_DROP_ACK;
	}
	return HAUL_CNT_DROP_STATE;
}

/**
 * haul_remnant_rcv - a packet in TIME-WAIT
 * @rem:	the remnant, as RCU has it: it may be on its way out
 * @skb:	the packet; consumed unless true is returned
 *
 * Context: RCU read lock, BH off; no other lock is needed.
 *
 * Return: true: a SYN that RFC 6191 lets open a new connection, a listener is there for it, and the
 * remnant is gone.
 */
bool haul_remnant_rcv(struct haul_remnant *rem, struct sk_buff *skb)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct net *net = rem->flow.key.net;

	if ((p->flags & (HAUL_SYN | HAUL_ACK)) == HAUL_SYN)
		return haul_remnant_rcv_syn(rem, skb);

	if (p->flags & HAUL_RST) {
		/* RFC 1337: it would cut TIME-WAIT short */
		haul_drop(net, skb, HAUL_CNT_DROP_RST);
	} else if (p->tag != rem->tag) {
		haul_drop(net, skb, HAUL_CNT_DROP_TAG);
	} else if (p->flags & HAUL_SYN) {
		haul_remnant_challenge(rem);
		haul_drop(net, skb, HAUL_CNT_DROP_SYN);
	} else {
		haul_drop(net, skb, haul_remnant_judge(rem, p));
	}
	return false;
}

/**
 * haul_remnant_reuse - connect() wants the remnant's flow
 * @rem:	the remnant; the caller holds a reference
 * @isn:	the lowest ISN of the new connection
 *
 * RFC 6191 2, from the other side: timestamps go on where the old connection's ended, and new tags
 * keep what is still on its way out of the new one, so all it takes is that the clock has moved.
 * Context: BH off or process.
 *
 * Return: true: the remnant is gone.
 */
bool haul_remnant_reuse(struct haul_remnant *rem, u32 *isn)
{
	bool moved;

	spin_lock_bh(&rem->lock);
	moved = haul_after((u32)haul_now_us() + rem->ts_offset, rem->last_tsval);
	spin_unlock_bh(&rem->lock);
	if (!moved)
		return false;
	*isn = rem->snd_nxt + U16_MAX + 2;
	haul_remnant_drop(rem);
	haul_count(rem->flow.key.net, HAUL_CNT_TIME_WAIT_REUSED);
	return true;
}

/* ---------------------------------------------------------------- namespace and module */

/*
 * A socket that was made in the kernel (sock_create_kern()) holds no reference on its namespace:
 * closed, it may still be sending when that goes. One that is open is its owner's to close.
 */
static void haul_conn_purge_orphan(struct sock *sk)
{
	lock_sock(sk);
	local_bh_disable();
	if (sock_flag(sk, SOCK_DEAD))
		haul_conn_done(sk, 0);
	local_bh_enable();
	release_sock(sk);
}

/*
 * As haul_remnant_drop() and haul_request_drop(), but their timers' handlers are over when this
 * returns.
 */
static void haul_conn_purge(struct haul_flow *flow)
{
	struct haul_remnant *rem;

	switch (flow->owner) {
	case HAUL_OWNER_SOCK:
		haul_conn_purge_orphan(haul_sock_sk(haul_flow_sock(flow)));
		break;
	case HAUL_OWNER_REQUEST:
		haul_request_drop(haul_flow_request(flow));
		break;
	case HAUL_OWNER_REMNANT:
		rem = haul_flow_remnant(flow);
		haul_remnant_drop(rem);
		timer_delete_sync(&rem->timer);
		break;
	}
}

/**
 * haul_conn_net_exit - requests, remnants and orphans of a namespace go
 * @net:	no program's socket is left in it
 *
 * May sleep. When it returns, no timer and no packet of theirs looks at @net any more.
 */
void haul_conn_net_exit(struct net *net)
{
	struct haul_roll_cursor at = HAUL_ROLL_START;
	struct haul_flow *flow;

	/* nobody comes any more: the walk meets all who are there */
	while ((flow = haul_roll_next(net, &at))) {
		haul_conn_purge(flow);
		haul_flow_put(flow);
	}
	/* handlers that had taken their remnant out of the table themselves run with BH off */
	synchronize_rcu();
	WARN_ON_ONCE(atomic_read(&haul_pernet(net)->num_remnants));
}

/**
 * haul_remnant_init - make the remnants' cache
 *
 * Return: 0 or -ENOMEM.
 */
int haul_remnant_init(void)
{
	haul_remnant_cache = kmem_cache_create("haul_remnant", sizeof(struct haul_remnant), 0,
					       SLAB_HWCACHE_ALIGN, NULL);
	return haul_remnant_cache ? 0 : -ENOMEM;
}

/**
 * haul_remnant_exit - it goes; every remnant is gone and its grace period over (rcu_barrier())
 */
void haul_remnant_exit(void)
{
	kmem_cache_destroy(haul_remnant_cache);
}
