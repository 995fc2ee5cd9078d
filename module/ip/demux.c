// SPDX-License-Identifier: GPL-2.0
/*
 * The flow table: who a packet is for, by its four-tuple. One rhashtable holds full sockets,
 * half-open requests and TIME-WAIT remnants; readers take no lock (haul.h).
 */
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <net/ipv6.h>
#include <net/netns/hash.h>
#include "ip.h"
#include "roll.h"
#include "../conn/conn.h"
#include "../dgram/dgram.h"

/*
 * What a look-up is asked with. A packet fits a flow by the device that it came in by; an insertion
 * is only in the way of a flow with the same device (two link-local peers may have one address on
 * two links).
 */
struct haul_flow_query {
	const struct haul_flow_key *key;
	int			dif;
	int			sdif;
	bool			exact;		/* @dif is the device bound to */
};

static struct rhashtable haul_flows;

static u64 haul_nh(__be32 a, u32 secret_a, __be32 b, u32 secret_b)
{
	return (u64)((__force u32)a + secret_a) * ((__force u32)b + secret_b);
}

/* a word of it for each word that is hashed */
static u32 haul_flow_nh_key[8] __read_mostly;

/**
 * haul_flow_hash - a flow's hash
 * @key:	all of it is set
 * @seed:	any number: tells one use from another
 *
 * Every packet comes by here. UMAC's NH (RFC 4418 5.2.2), which takes half of the instructions that
 * jhash takes: whoever does not know the secret finds no two flows that meet but with a probability
 * of 2^-32. Of a mapped address only the last word says something, and of the own addresses the
 * last word tells most.
 *
 * Any context. Return: 32 bits
 */
u32 haul_flow_hash(const struct haul_flow_key *key, u32 seed)
{
	const __be32 *remote = key->remote.s6_addr32;
	const u32 *secret = haul_flow_nh_key;
	u64 hash = haul_nh(key->local.s6_addr32[3], secret[0], remote[3], secret[1]);

	hash += haul_nh((__force __be32)((__force u32)key->lport << 16 | (__force u32)key->rport),
			secret[2], (__force __be32)(net_hash_mix(key->net) ^ key->kind), secret[3]);
	if (!ipv6_addr_v4mapped(&key->remote))
		hash += haul_nh(remote[0], secret[4], remote[1], secret[5]) +
			haul_nh(remote[2], secret[6], 0, secret[7]);
	/* all of it into each bit, and with another seed differently */
	hash ^= hash >> 32;
	return hash * (((u64)seed << 32 | seed) | 1) >> 32;
}

static u32 haul_flow_hash_key(const void *data, u32 len, u32 seed)
{
	const struct haul_flow_query *q = data;

	return haul_flow_hash(q->key, seed);
}

static u32 haul_flow_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct haul_flow *flow = data;

	return haul_flow_hash(&flow->key, seed);
}

static bool haul_flow_key_equal(const struct haul_flow_key *a, const struct haul_flow_key *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->kind == b->kind &&
	       a->net == b->net && ipv6_addr_equal(&a->remote, &b->remote) &&
	       ipv6_addr_equal(&a->local, &b->local);
}

/* rhashtable's convention: 0 when they are the same */
static int haul_flow_differs(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct haul_flow_query *q = arg->key;
	const struct haul_flow *flow = obj;

	if (!haul_flow_key_equal(q->key, &flow->key))
		return 1;
	if (q->exact)
		return q->dif != flow->dev;
	return !inet_sk_bound_dev_eq(q->key->net, flow->dev, q->dif, q->sdif);
}

static const struct rhashtable_params haul_flow_params = {
	.head_offset		= offsetof(struct haul_flow, node),
	.key_len		= sizeof(struct haul_flow_key),
	.hashfn			= haul_flow_hash_key,
	.obj_hashfn		= haul_flow_hash_obj,
	.obj_cmpfn		= haul_flow_differs,
	.min_size		= 256,
	.automatic_shrinking	= true,
};

/**
 * haul_demux_init - makes the flow table
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_demux_init(void)
{
	get_random_bytes(haul_flow_nh_key, sizeof(haul_flow_nh_key));
	return rhashtable_init(&haul_flows, &haul_flow_params);
}

/**
 * haul_demux_exit - frees the flow table, which must be empty
 *
 * May sleep.
 */
void haul_demux_exit(void)
{
	rhashtable_destroy(&haul_flows);
}

/**
 * haul_flow_get - takes a reference on a flow's owner
 * @flow:	found in a table
 *
 * Context: RCU read lock, or a lock that keeps it in the table.
 * Return: false: the owner is on its way out and no longer in the flow table
 */
bool haul_flow_get(struct haul_flow *flow)
{
	switch (flow->owner) {
	case HAUL_OWNER_REQUEST:
		return refcount_inc_not_zero(&haul_flow_request(flow)->refcnt);
	case HAUL_OWNER_REMNANT:
		return refcount_inc_not_zero(&haul_flow_remnant(flow)->refcnt);
	case HAUL_OWNER_DGRAM:
		return refcount_inc_not_zero(&haul_flow_dgram(flow)->inet.sk.sk_refcnt);
	default:
		return refcount_inc_not_zero(&haul_sock_sk(haul_flow_sock(flow))->sk_refcnt);
	}
}

/**
 * haul_flow_put - drops the reference of haul_flow_lookup()
 * @flow:	what it returned
 *
 * Any context.
 */
void haul_flow_put(struct haul_flow *flow)
{
	switch (flow->owner) {
	case HAUL_OWNER_REQUEST:
		haul_request_put(haul_flow_request(flow));
		break;
	case HAUL_OWNER_REMNANT:
		haul_remnant_put(haul_flow_remnant(flow));
		break;
	case HAUL_OWNER_DGRAM:
		sock_put(&haul_flow_dgram(flow)->inet.sk);
		break;
	default:
		sock_put(haul_sock_sk(haul_flow_sock(flow)));
	}
}

static __always_inline struct haul_flow *
haul_flow_find(const struct haul_flow_key *key, int dif, int sdif)
{
	struct haul_flow_query q = { .key = key, .dif = dif, .sdif = sdif };

	return rhashtable_lookup(&haul_flows, &q, haul_flow_params);
}

/**
 * haul_flow_peek - finds the flow that a packet belongs to, for whom RCU is enough
 * @key:	the packet's
 * @dif:	index of the device it came in by, the VRF's when that is enslaved
 * @sdif:	index of the enslaved device, or 0
 *
 * Its owner is there until the RCU read section ends, and is told by its state when it is on its
 * way out: who is CLOSED, or no longer hashed, takes nothing any more.
 *
 * Context: RCU read lock, not left before the flow is done with. Return: the flow or NULL
 */
struct haul_flow *haul_flow_peek(const struct haul_flow_key *key, int dif, int sdif)
{
	return haul_flow_find(key, dif, sdif);
}

/**
 * haul_flow_lookup - finds the flow that a packet belongs to
 * @key:	the packet's
 * @dif:	index of the device it came in by, the VRF's when that is enslaved
 * @sdif:	index of the enslaved device, or 0
 *
 * Context: RCU read lock; softirq or process.
 * Return: the flow with a reference on its owner, or NULL. What state it is in is only certain
 * under the owner's lock.
 */
struct haul_flow *haul_flow_lookup(const struct haul_flow_key *key, int dif, int sdif)
{
	struct haul_flow *flow;

	/*
	 * Whoever has no references left was taken out of the table before: the next look finds who
	 * came in its place.
	 */
	do {
		flow = haul_flow_find(key, dif, sdif);
	} while (flow && !haul_flow_get(flow));
	return flow;
}

/**
 * haul_flow_insert - enters a flow into the table
 * @flow:	key, dev and owner are set
 * @other:	NULL, or where the flow that is in the way goes, with a reference
 *
 * Context: any; socket lock or no other way to reach @flow.
 * Return: 0; -EADDRNOTAVAIL: there is a flow of the same key and device; -ENOMEM and other
 * rhashtable errors
 */
int haul_flow_insert(struct haul_flow *flow, struct haul_flow **other)
{
	struct haul_flow_query q = { .key = &flow->key, .dif = flow->dev, .exact = true };
	struct haul_roll_chain *chain = haul_roll_chain(&flow->key);
	struct haul_flow *old;
	int err = 0;

	if (other)
		*other = NULL;
	rcu_read_lock();
	spin_lock_bh(&chain->lock);
	/* before others can find it, and take it out again */
	WRITE_ONCE(flow->hashed, true);
	do {
		old = rhashtable_lookup_get_insert_key(&haul_flows, &q, &flow->node,
						       haul_flow_params);
		if (!IS_ERR_OR_NULL(old) && other && haul_flow_get(old))
			*other = old;
	} while (!IS_ERR_OR_NULL(old) && other && !*other);

	if (old) {
		WRITE_ONCE(flow->hashed, false);
		err = IS_ERR(old) ? PTR_ERR(old) : -EADDRNOTAVAIL;
	} else {
		haul_roll_add(chain, flow);
	}
	spin_unlock_bh(&chain->lock);
	rcu_read_unlock();
	return err;
}

/**
 * haul_flow_replace - puts one flow in the place of another of the same key: no packet finds nobody
 * in between
 * @old:	in the table, perhaps
 * @new:	same key and device
 *
 * Context: any. On success the table's reference on @old's owner is the caller's to drop.
 * Return: 0, or -ENOENT: @old is no longer there and nothing has changed
 */
int haul_flow_replace(struct haul_flow *old, struct haul_flow *new)
{
	struct haul_roll_chain *chain = haul_roll_chain(&old->key);
	int err;

	spin_lock_bh(&chain->lock);
	WRITE_ONCE(new->hashed, true);
	err = rhashtable_replace_fast(&haul_flows, &old->node, &new->node, haul_flow_params);
	if (err) {
		WRITE_ONCE(new->hashed, false);
	} else {
		WRITE_ONCE(old->hashed, false);
		haul_roll_replace(chain, old, new);
	}
	spin_unlock_bh(&chain->lock);
	return err ? -ENOENT : 0;
}

/**
 * haul_flow_remove - takes a flow out of the table
 * @flow:	in the table, perhaps
 *
 * Context: any. Of several callers one wins.
 * Return: true if this call removed it: the table's reference on the owner is the caller's to drop
 */
bool haul_flow_remove(struct haul_flow *flow)
{
	struct haul_roll_chain *chain;
	bool removed;

	if (!READ_ONCE(flow->hashed))
		return false;
	chain = haul_roll_chain(&flow->key);
	spin_lock_bh(&chain->lock);
	removed = !rhashtable_remove_fast(&haul_flows, &flow->node, haul_flow_params);
	if (removed) {
		WRITE_ONCE(flow->hashed, false);
		haul_roll_del(chain, flow);
	}
	spin_unlock_bh(&chain->lock);
	return removed;
}

/**
 * haul_flow_fill - fills a flow's key and device from a socket
 * @flow:	not hashed
 * @sk:		its addresses, ports, type and device are set
 *
 * Context: socket lock.
 */
void haul_flow_fill(struct haul_flow *flow, const struct sock *sk)
{
	struct haul_flow_key *key = &flow->key;

	memset(key, 0, sizeof(*key));
	key->net = sock_net(sk);
	if (sk->sk_family == AF_INET6) {
		key->local = sk->sk_v6_rcv_saddr;
		key->remote = sk->sk_v6_daddr;
	} else {
		ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &key->local);
		ipv6_addr_set_v4mapped(sk->sk_daddr, &key->remote);
	}
	key->lport = inet_sk(sk)->inet_sport;
	key->rport = inet_sk(sk)->inet_dport;
	key->kind = haul_sock_kind(sk);
	flow->dev = READ_ONCE(sk->sk_bound_dev_if);
}
