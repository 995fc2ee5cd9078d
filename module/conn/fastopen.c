// SPDX-License-Identifier: GPL-2.0
/*
 * Fast open, the server's side (RFC 7413 4.1.2, 4.2.2; protocol.rst 3.6): keys and cookies, how
 * many may be pending, and the SYN that becomes a socket at once.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"

/* how long a pending child that was reset still counts */
#define HAUL_FASTOPEN_RESET_HOLD	(60 * HZ)

/* ---------------------------------------------------------------- keys */

/**
 * haul_fastopen_key_load - a key from its 16 bytes
 * @bytes:	of any alignment
 *
 * Return: the key.
 */
siphash_key_t haul_fastopen_key_load(const u8 *bytes)
{
	__le64 words[2];

	memcpy(words, bytes, sizeof(words));
	return (siphash_key_t) { .key = { le64_to_cpu(words[0]), le64_to_cpu(words[1]) } };
}

/**
 * haul_fastopen_key_store - a key's 16 bytes
 * @bytes:	where they go
 * @key:	the key
 */
void haul_fastopen_key_store(u8 *bytes, const siphash_key_t *key)
{
	const __le64 words[2] = { cpu_to_le64(key->key[0]), cpu_to_le64(key->key[1]) };

	memcpy(bytes, words, sizeof(words));
}

/**
 * haul_fastopen_net_keys - the keys of a namespace
 * @hn:		the namespace's part
 * @keys:	where they go
 *
 * Context: any.
 */
void haul_fastopen_net_keys(struct haul_net *hn, struct haul_fastopen_keys *keys)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&hn->fastopen_lock);
		*keys = *hn->fastopen_keys;
	} while (read_seqretry(&hn->fastopen_lock, seq));
}

/**
 * haul_fastopen_net_set_keys - other keys for a namespace
 * @hn:		the namespace's part
 * @keys:	one or two
 *
 * Context: process.
 */
void haul_fastopen_net_set_keys(struct haul_net *hn, const struct haul_fastopen_keys *keys)
{
	write_seqlock_bh(&hn->fastopen_lock);
	*hn->fastopen_keys = *keys;
	write_sequnlock_bh(&hn->fastopen_lock);
}

/**
 * haul_fastopen_net_init - a new namespace: a random key, no cookies
 * @net:	the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int haul_fastopen_net_init(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);
	int err;

	hn->fastopen_keys = kzalloc(sizeof(*hn->fastopen_keys), GFP_KERNEL_ACCOUNT);
	if (!hn->fastopen_keys)
		return -ENOMEM;
	seqlock_init(&hn->fastopen_lock);
	get_random_bytes(&hn->fastopen_keys->key[0], sizeof(siphash_key_t));
	hn->fastopen_keys->num = 1;
	err = haul_fastopen_cache_init(hn);
	if (err)
		kfree_sensitive(hn->fastopen_keys);
	return err;
}

/**
 * haul_fastopen_net_exit - the namespace goes, its sockets are gone
 * @net:	the namespace
 */
void haul_fastopen_net_exit(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);

	haul_fastopen_cache_exit(hn);
	kfree_sensitive(hn->fastopen_keys);
}

/* ---------------------------------------------------------------- cookies */

/* The listener's own keys, or the namespace's */
static void haul_fastopen_keys(const struct sock *listener, struct haul_fastopen_keys *keys)
{
	const struct haul_fastopen *fo = haul_sk(listener)->fastopen;

	if (fo && fo->keys.num)
		*keys = fo->keys;
	else
		haul_fastopen_net_keys(haul_sk(listener)->hn, keys);
}

/* A MAC over both addresses: that is where the client was when it got the cookie. */
static u64 haul_fastopen_mac(const struct haul_flow_key *flow, const siphash_key_t *key)
{
	const struct {
		struct in6_addr	client;
		struct in6_addr	server;
	} __aligned(SIPHASH_ALIGNMENT) input = {
		.client	= flow->remote,
		.server	= flow->local,
	};

	return siphash(&input, sizeof(input), key);
}

static void haul_fastopen_grant(const struct haul_flow_key *flow, const siphash_key_t *key,
				struct haul_fastopen_option *cookie)
{
	__le64 mac = cpu_to_le64(haul_fastopen_mac(flow, key));

	cookie->len = sizeof(mac);
	memcpy(cookie->cookie, &mac, sizeof(mac));
}

/*
 * Which key is @told a cookie of? Their number if of none. A whole word is compared, so the time
 * that it takes does not tell how much of a guess was right.
 */
static u8 haul_fastopen_match(const struct haul_flow_key *flow,
			      const struct haul_fastopen_keys *keys,
			      const struct haul_fastopen_option *told)
{
	__le64 mac;
	u8 i;

	if (told->len != sizeof(mac))
		return keys->num;
	memcpy(&mac, told->cookie, sizeof(mac));
	for (i = 0; i < keys->num; i++)
		if (le64_to_cpu(mac) == haul_fastopen_mac(flow, &keys->key[i]))
			break;
	return i;
}

/* ---------------------------------------------------------------- a socket's part */

/**
 * haul_fastopen_get - what a socket has of fast open
 * @sk:		the socket; its lock is held
 * @gfp:	context, if it must be made
 *
 * Return: it, or NULL: no memory.
 */
struct haul_fastopen *haul_fastopen_get(struct sock *sk, gfp_t gfp)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if (!hs->fastopen) {
		hs->fastopen = kzalloc(sizeof(*hs->fastopen), gfp | __GFP_NOWARN);
		if (hs->fastopen)
			INIT_LIST_HEAD(&hs->fastopen->node);
	}
	return hs->fastopen;
}

static struct haul_fastopen_queue *haul_fastopen_queue_get(struct sock *listener)
{
	struct haul_fastopen *fo = haul_fastopen_get(listener, GFP_ATOMIC);
	struct haul_fastopen_queue *queue;

	if (!fo)
		return NULL;
	if (!fo->queue) {
		queue = kzalloc(sizeof(*queue), GFP_ATOMIC | __GFP_NOWARN);
		if (!queue)
			return NULL;
		refcount_set(&queue->refcnt, 1);
		spin_lock_init(&queue->lock);
		INIT_LIST_HEAD(&queue->resets);
		fo->queue = queue;
	}
	return fo->queue;
}

static void haul_fastopen_queue_put(struct haul_fastopen_queue *queue)
{
	struct haul_fastopen *fo, *next;

	if (!queue || !refcount_dec_and_test(&queue->refcnt))
		return;
	list_for_each_entry_safe(fo, next, &queue->resets, node)
		kfree(fo);
	kfree(queue);
}

/**
 * haul_fastopen_restart - the socket is not connected any more, or listens no longer
 * @sk:	the socket; its lock is held
 *
 * A key that the program chose stays.
 */
void haul_fastopen_restart(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_fastopen *fo = hs->fastopen;

	haul_assert_locked(sk);
	haul_inet_flag_assign(sk, defer_connect, DEFER_CONNECT, false);
	hs->fastopen_fail = HAUL_FASTOPEN_UNSPEC;
	hs->syn_data = false;
	if (!fo)
		return;
	fo->has_option = false;
	fo->sending = false;
	fo->asked = false;
	fo->syn_len = 0;
}

/**
 * haul_fastopen_forget - the socket goes
 * @sk:	nobody can reach it any more
 */
void haul_fastopen_forget(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!hs->fastopen)
		return;
	haul_fastopen_queue_put(hs->fastopen->queue);
	kfree_sensitive(hs->fastopen);
	hs->fastopen = NULL;
}

/* ---------------------------------------------------------------- how many */

/**
 * haul_fastopen_tune - how many children of a listener may be pending
 * @sk:		listener, or what may become one; its lock is held
 * @backlog:	not negative; cut to net.core.somaxconn as TCP's is
 */
void haul_fastopen_tune(struct sock *sk, int backlog)
{
	int most = READ_ONCE(sock_net(sk)->core.sysctl_somaxconn);

	WRITE_ONCE(haul_sk(sk)->fastopen_qlen, min_t(unsigned int, backlog, most));
}

/*
 * May another be pending? When they are too many, one that was reset a minute ago counts no longer.
 */
static bool haul_fastopen_permits(struct sock *listener)
{
	int most = READ_ONCE(haul_sk(listener)->fastopen_qlen);
	struct haul_fastopen_queue *queue;
	struct haul_fastopen *old;
	bool full;

	queue = most ? haul_fastopen_queue_get(listener) : NULL;
	if (!queue)
		return false;
	spin_lock(&queue->lock);
	old = list_first_entry_or_null(&queue->resets, struct haul_fastopen, node);
	if (queue->pending >= most && old && time_after_eq(jiffies, old->until)) {
		list_del(&old->node);
		queue->pending--;
	} else {
		old = NULL;
	}
	full = queue->pending >= most;
	spin_unlock(&queue->lock);
	kfree(old);
	if (full)
		haul_count(sock_net(listener), HAUL_CNT_FASTOPEN_LISTEN_OVERFLOW);
	return !full;
}

/**
 * haul_fastopen_begin - a child is pending from now on
 * @listener:	its lock is held, and haul_fastopen_take() has found it to permit one
 * @child:	its lock is held
 *
 * Return: 0 or -ENOMEM.
 */
int haul_fastopen_begin(struct sock *listener, struct sock *child)
{
	struct haul_fastopen_queue *queue = haul_sk(listener)->fastopen->queue;
	struct haul_fastopen *fo = haul_fastopen_get(child, GFP_ATOMIC);

	if (!fo)
		return -ENOMEM;
	fo->queue = queue;
	refcount_inc(&queue->refcnt);
	spin_lock(&queue->lock);
	queue->pending++;
	spin_unlock(&queue->lock);
	WRITE_ONCE(haul_sk(child)->fastopen_child, true);
	return 0;
}

/**
 * haul_fastopen_done - a child is pending no longer
 * @child:	its lock is held; haul_fastopen_child(), and not afterwards
 * @reset:	it was reset: what counts it is left behind for a while
 */
void haul_fastopen_done(struct sock *child, bool reset)
{
	struct haul_sock *hs = haul_sk(child);
	struct haul_fastopen *fo = hs->fastopen;
	struct haul_fastopen_queue *queue = fo->queue;

	haul_assert_locked(child);
	WRITE_ONCE(hs->fastopen_child, false);
	hs->fastopen = NULL;
	fo->queue = NULL;
	spin_lock_bh(&queue->lock);
	if (reset) {
		fo->until = jiffies + HAUL_FASTOPEN_RESET_HOLD;
		list_add_tail(&fo->node, &queue->resets);
		fo = NULL;
	} else {
		queue->pending--;
	}
	spin_unlock_bh(&queue->lock);
	kfree(fo);
	haul_fastopen_queue_put(queue);
}

/* ---------------------------------------------------------------- the SYN */

/*
 * The connection is there at once. The SYN-ACK is the child's own to send, and to send again.
 * @fresh: a new cookie for the client, NULL: it has a good one. False: no memory, no route, or
 * another was first; the SYN stays the caller's.
 */
static bool haul_fastopen_open(struct sock *listener, struct sk_buff *skb,
			       const struct haul_init *init,
			       const struct haul_fastopen_option *fresh)
{
	struct haul_request req = {};
	struct sock *child;

	haul_request_fill(&req, listener, skb, init);
	req.tag = haul_secret_tag();
	req.sent_us = haul_sk(listener)->now;
	req.iss = haul_secret_start(&req.flow.key, req.sent_us, &req.ts_offset);
	req.saved_syn = haul_saved_syn_make(listener, skb);
	child = haul_child_create(listener, &req, skb, HAUL_BIRTH_FASTOPEN);
	kfree(req.saved_syn);		/* the child has none of it, or there is no child */
	if (!child)
		return false;
	if (fresh) {
		haul_sk(child)->fastopen->option = *fresh;
		haul_sk(child)->fastopen->has_option = true;
	}
	haul_conn_rcv_syn(child, skb);
	haul_handshake_send_syn(child, GFP_ATOMIC);
	__acquire(&child->sk_lock.slock);	/* by haul_child_create() */
	bh_unlock_sock(child);
	sock_put(child);
	return true;
}

/**
 * haul_fastopen_take - a SYN with option FASTOPEN, or with payload
 * @listener:	LISTEN, neither its SYN queue nor its accept queue full; its lock is held, BH off
 * @skb:	the SYN, matching no flow
 * @o:		its options; it has INIT
 * @grant:	the cookie that the SYN-ACK is to carry, if false is returned; length 0: none
 *
 * Return: true: a connection was made of it, and it is consumed. False: it is a SYN like any other.
 */
bool haul_fastopen_take(struct sock *listener, struct sk_buff *skb, const struct haul_options *o,
			struct haul_fastopen_option *grant)
{
	struct net *net = sock_net(listener);
	int mode = READ_ONCE(haul_sk(listener)->hn->fastopen);
	bool asks = o->has_fastopen && !o->fastopen.len;
	struct haul_fastopen_keys keys;
	struct haul_flow_key flow;
	u8 which = 0;

	haul_assert_locked(listener);
	grant->len = 0;
	if (asks)
		haul_count(net, HAUL_CNT_FASTOPEN_COOKIE_REQD);
	if (!(mode & HAUL_FASTOPEN_SERVER) || !haul_fastopen_permits(listener))
		return false;
	if (!(mode & HAUL_FASTOPEN_SERVER_NO_COOKIE) && !haul_sk(listener)->fastopen_no_cookie) {
		if (!o->has_fastopen)
			return false;
		haul_flow_key_from_skb(&flow, net, skb);
		haul_fastopen_keys(listener, &keys);
		haul_fastopen_grant(&flow, &keys.key[0], grant);
		if (asks)
			return false;
		which = haul_fastopen_match(&flow, &keys, &o->fastopen);
		if (which == keys.num)
			goto failed;
	}
	if (haul_fastopen_open(listener, skb, &o->init, which ? grant : NULL)) {
		if (which)
			haul_count(net, HAUL_CNT_FASTOPEN_PASSIVE_ALT_KEY);
		haul_count(net, HAUL_CNT_FASTOPEN_PASSIVE);
		return true;
	}
failed:
	haul_count(net, HAUL_CNT_FASTOPEN_PASSIVE_FAIL);
	return false;
}
