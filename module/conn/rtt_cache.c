// SPDX-License-Identifier: GPL-2.0
/*
 * The round trips that this host has measured to others (RFC 9040 4: what one connection learns of
 * a path may serve the next). One thing is made of them: a SYN or SYN-ACK that gets lost need not
 * cost the second that RFC 6298 2.1 has a stranger wait. The table has a fixed size, sets of a few
 * entries, in which who was not seen for longest goes first: nothing that peers do makes it grow.
 */
#include <linux/once.h>
#include <linux/siphash.h>
#include "conn.h"

#define HAUL_RTT_CACHE_BITS	9		/* 512 sets */
#define HAUL_RTT_CACHE_WAYS	4
/* paths change; TCP's metrics are believed for as long */
#define HAUL_RTT_CACHE_AGE	(60 * 60 * HZ)

/**
 * struct haul_rtt_entry - what is known of the way to one host
 * @cookie:	the namespace's, which no other will ever have: its end needs no work here; 0: empty
 * @remote:	the host
 * @dev:	a link-local address is one host's on each link, and a VRF's addresses are its own
 * @rtt:	the round trip
 * @seen:	jiffies, when a connection told of it
 */
struct haul_rtt_entry {
	u64			cookie;
	struct in6_addr		remote;
	int			dev;
	struct haul_rtt_memory	rtt;
	unsigned long		seen;
};

struct haul_rtt_set {
	spinlock_t		lock;		/* @entries */
	struct haul_rtt_entry	entries[HAUL_RTT_CACHE_WAYS];
};

static struct haul_rtt_set haul_rtt_cache[1 << HAUL_RTT_CACHE_BITS];
static siphash_aligned_key_t haul_rtt_cache_key;

/* Keyed: a peer with many addresses must not choose whom it makes forgotten. */
static struct haul_rtt_set *haul_rtt_cache_set(const struct haul_flow *flow)
{
	const struct in6_addr *remote = &flow->key.remote;
	u64 hash;

	get_random_once(&haul_rtt_cache_key, sizeof(haul_rtt_cache_key));
	hash = siphash_3u64((__force u64)remote->s6_addr32[0] << 32 |
			    (__force u64)remote->s6_addr32[1],
			    (__force u64)remote->s6_addr32[2] << 32 |
			    (__force u64)remote->s6_addr32[3],
			    flow->key.net->net_cookie, &haul_rtt_cache_key);
	return &haul_rtt_cache[hash & (ARRAY_SIZE(haul_rtt_cache) - 1)];
}

static bool haul_rtt_entry_is(const struct haul_rtt_entry *e, const struct haul_flow *flow)
{
	return e->cookie == flow->key.net->net_cookie && e->dev == flow->dev &&
	       ipv6_addr_equal(&e->remote, &flow->key.remote);
}

static bool haul_rtt_entry_old(const struct haul_rtt_entry *e)
{
	return time_after(jiffies, e->seen + HAUL_RTT_CACHE_AGE);
}

/* The entry of a host; NULL: there is none. Set's lock */
static struct haul_rtt_entry *haul_rtt_cache_find(struct haul_rtt_set *set,
						  const struct haul_flow *flow)
{
	int i;

	for (i = 0; i < HAUL_RTT_CACHE_WAYS; i++)
		if (haul_rtt_entry_is(&set->entries[i], flow))
			return &set->entries[i];
	return NULL;
}

/* The one to be forgotten: empty, or not seen for longest. Set's lock */
static struct haul_rtt_entry *haul_rtt_cache_oldest(struct haul_rtt_set *set)
{
	struct haul_rtt_entry *oldest = &set->entries[0];
	int i;

	for (i = 0; i < HAUL_RTT_CACHE_WAYS; i++) {
		struct haul_rtt_entry *e = &set->entries[i];

		if (!e->cookie)
			return e;
		if (time_before(e->seen, oldest->seen))
			oldest = e;
	}
	return oldest;
}

/**
 * haul_rtt_cache_put - a connection tells what it has measured
 * @sk:	the socket; its lock is held; connected
 *
 * Context: any.
 */
void haul_rtt_cache_put(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	struct haul_rtt_entry *e;
	struct haul_rtt_set *set;

	haul_assert_locked(sk);
	if (!haul_rtt_srtt(&hs->snd.rtt) || !READ_ONCE(hs->hn->remember_rtt))
		return;
	set = haul_rtt_cache_set(&hs->flow);
	spin_lock_bh(&set->lock);
	e = haul_rtt_cache_find(set, &hs->flow);
	if (!e || haul_rtt_entry_old(e)) {
		if (!e)
			e = haul_rtt_cache_oldest(set);
		e->cookie = hs->flow.key.net->net_cookie;
		e->remote = hs->flow.key.remote;
		e->dev = hs->flow.dev;
		memset(&e->rtt, 0, sizeof(e->rtt));
	}
	haul_rtt_remember(&e->rtt, &hs->snd.rtt);
	e->seen = jiffies;
	spin_unlock_bh(&set->lock);
}

/**
 * haul_rtt_cache_early - when may a SYN or SYN-ACK go out again, ahead of its timeout?
 * @flow:	the connection's
 * @rtt:	its estimates, which know nothing yet
 *
 * Context: any. Return: us after it was sent; 0: not ahead of the timeout.
 */
u32 haul_rtt_cache_early(const struct haul_flow *flow, const struct haul_rtt *rtt)
{
	struct haul_rtt_memory memory = { };
	const struct haul_rtt_entry *e;
	struct haul_rtt_set *set;

	if (!READ_ONCE(haul_pernet(flow->key.net)->remember_rtt))
		return 0;
	set = haul_rtt_cache_set(flow);
	spin_lock_bh(&set->lock);
	e = haul_rtt_cache_find(set, flow);
	if (e && !haul_rtt_entry_old(e))
		memory = e->rtt;
	spin_unlock_bh(&set->lock);
	return haul_rtt_early(&memory, rtt);
}

/**
 * haul_rtt_cache_init - nothing is known
 *
 * Return: 0.
 */
int haul_rtt_cache_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(haul_rtt_cache); i++)
		spin_lock_init(&haul_rtt_cache[i].lock);
	return 0;
}
