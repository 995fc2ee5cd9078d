// SPDX-License-Identifier: GPL-2.0
/*
 * What a client remembers of servers for fast open (RFC 7413 4.1.3): cookie and MSS, by both
 * addresses, for a namespace; and where fast open seems to be what makes SYNs vanish, for how long
 * to do without. There is a limit, and who was not seen for longest goes first.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "conn.h"
#include "fastopen.h"

/* servers that a namespace remembers */
#define HAUL_FASTOPEN_CACHE_MAX		1024
/* and for how long without seeing them */
#define HAUL_FASTOPEN_CACHE_AGE		(24 * 60 * 60 * HZ)
/* doublings of net.haul.fastopen_blackhole_timeout_sec */
#define HAUL_FASTOPEN_PAUSES		6

struct haul_fastopen_peer_key {
	struct in6_addr	server;
	struct in6_addr	client;
	int		dev;		/* a link-local address is one host's on each link */
};

/**
 * struct haul_fastopen_peer - a server; all under haul_fastopen_cache.lock
 * @node:	in the table
 * @key:	who
 * @recent:	in the list, latest first
 * @rcu:	for the free: the table's resizing may be looking at it
 * @option:	its cookie; length 0: none
 * @mss:	bytes, that it announced with that
 * @losses:	attempts in a row that vanished
 * @seen:	jiffies
 * @paused:	jiffies: no fast open until then, if @losses
 */
struct haul_fastopen_peer {
	struct rhash_head		node;
	struct haul_fastopen_peer_key	key;
	struct list_head		recent;
	struct rcu_head			rcu;
	struct haul_fastopen_option	option;
	u16				mss;
	u8				losses;
	unsigned long			seen;
	unsigned long			paused;
};

struct haul_fastopen_cache {
	spinlock_t		lock;		/* all of it, and each peer */
	struct rhashtable	peers;
	struct list_head	recent;
	unsigned int		num;
};

static const struct rhashtable_params haul_fastopen_params = {
	.head_offset		= offsetof(struct haul_fastopen_peer, node),
	.key_offset		= offsetof(struct haul_fastopen_peer, key),
	.key_len		= sizeof(struct haul_fastopen_peer_key),
	.max_size		= HAUL_FASTOPEN_CACHE_MAX,
	.automatic_shrinking	= true,
};

static void haul_fastopen_peer_drop(struct haul_fastopen_cache *cache,
				    struct haul_fastopen_peer *peer)
{
	rhashtable_remove_fast(&cache->peers, &peer->node, haul_fastopen_params);
	list_del(&peer->recent);
	cache->num--;
	kfree_rcu(peer, rcu);
}

static void haul_fastopen_peer_name(const struct haul_sock *hs, struct haul_fastopen_peer_key *key)
{
	memset(key, 0, sizeof(*key));
	key->server = hs->flow.key.remote;
	key->client = hs->flow.key.local;
	key->dev = hs->flow.dev;
}

/* NULL: it is not known, or was not seen for too long. Cache's lock */
static struct haul_fastopen_peer *haul_fastopen_peer_find(struct haul_fastopen_cache *cache,
							  const struct haul_fastopen_peer_key *key)
{
	struct haul_fastopen_peer *peer;

	peer = rhashtable_lookup_fast(&cache->peers, key, haul_fastopen_params);
	if (!peer)
		return NULL;
	if (time_after(jiffies, peer->seen + HAUL_FASTOPEN_CACHE_AGE)) {
		haul_fastopen_peer_drop(cache, peer);
		return NULL;
	}
	list_move(&peer->recent, &cache->recent);
	peer->seen = jiffies;
	return peer;
}

/* The same, but it is made when it is not known. NULL: no memory */
static struct haul_fastopen_peer *haul_fastopen_peer_make(struct haul_fastopen_cache *cache,
							  const struct haul_fastopen_peer_key *key)
{
	struct haul_fastopen_peer *peer = haul_fastopen_peer_find(cache, key);

	if (peer)
		return peer;
	if (cache->num >= HAUL_FASTOPEN_CACHE_MAX)
		haul_fastopen_peer_drop(cache, list_last_entry(&cache->recent,
							       struct haul_fastopen_peer, recent));
	peer = kzalloc(sizeof(*peer), GFP_ATOMIC | __GFP_NOWARN);
	if (!peer)
		return NULL;
	peer->key = *key;
	peer->seen = jiffies;
	if (rhashtable_insert_fast(&cache->peers, &peer->node, haul_fastopen_params)) {
		kfree(peer);
		return NULL;
	}
	list_add(&peer->recent, &cache->recent);
	cache->num++;
	return peer;
}

/**
 * haul_fastopen_cache_get - what is known of a server
 * @hs:		the client's socket, its addresses set; its lock is held
 * @option:	its cookie; length 0: none
 * @mss:	bytes, that it announced then; 0: not known
 *
 * Return: false: fast open with it had better not be tried now.
 */
bool haul_fastopen_cache_get(const struct haul_sock *hs, struct haul_fastopen_option *option,
			     u16 *mss)
{
	struct haul_fastopen_cache *cache = hs->hn->fastopen_cache;
	struct haul_fastopen_peer_key key;
	struct haul_fastopen_peer *peer;
	bool may = true;

	option->len = 0;
	*mss = 0;
	haul_fastopen_peer_name(hs, &key);
	spin_lock_bh(&cache->lock);
	peer = haul_fastopen_peer_find(cache, &key);
	if (peer) {
		*option = peer->option;
		*mss = peer->mss;
		may = !peer->losses || time_after_eq(jiffies, peer->paused);
	}
	spin_unlock_bh(&cache->lock);
	return may;
}

/**
 * haul_fastopen_cache_set - a server gave a cookie
 * @hs:		the client's socket; its lock is held
 * @option:	the cookie
 * @mss:	bytes, that it announced with it
 */
void haul_fastopen_cache_set(const struct haul_sock *hs,
			     const struct haul_fastopen_option *option, u16 mss)
{
	struct haul_fastopen_cache *cache = hs->hn->fastopen_cache;
	struct haul_fastopen_peer_key key;
	struct haul_fastopen_peer *peer;

	haul_fastopen_peer_name(hs, &key);
	spin_lock_bh(&cache->lock);
	peer = haul_fastopen_peer_make(cache, &key);
	if (peer) {
		peer->option = *option;
		peer->mss = mss;
	}
	spin_unlock_bh(&cache->lock);
}

/**
 * haul_fastopen_cache_heard - how an attempt with fast open came out
 * @hs:		the client's socket; its lock is held
 * @heard:	it was answered; false: the SYN with it seems to have vanished for what it was
 */
void haul_fastopen_cache_heard(const struct haul_sock *hs, bool heard)
{
	u32 pause = READ_ONCE(hs->hn->fastopen_blackhole_timeout_sec);
	struct haul_fastopen_cache *cache = hs->hn->fastopen_cache;
	struct haul_fastopen_peer_key key;
	struct haul_fastopen_peer *peer;

	if (!heard && !pause)
		return;
	haul_fastopen_peer_name(hs, &key);
	spin_lock_bh(&cache->lock);
	if (heard) {
		peer = haul_fastopen_peer_find(cache, &key);
		if (peer)
			peer->losses = 0;
		goto out;
	}
	peer = haul_fastopen_peer_make(cache, &key);
	if (!peer)
		goto out;
	peer->paused = jiffies + ((unsigned long)pause * HZ <<
				  min_t(u8, peer->losses, HAUL_FASTOPEN_PAUSES));
	if (peer->losses < U8_MAX)
		peer->losses++;
	haul_count(sock_net(&hs->inet.sk), HAUL_CNT_FASTOPEN_BLACKHOLE);
out:
	spin_unlock_bh(&cache->lock);
}

/**
 * haul_fastopen_cache_init - a new namespace's memory
 * @hn:	the namespace's part
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int haul_fastopen_cache_init(struct haul_net *hn)
{
	struct haul_fastopen_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL_ACCOUNT);
	int err;

	if (!cache)
		return -ENOMEM;
	err = rhashtable_init(&cache->peers, &haul_fastopen_params);
	if (err) {
		kfree(cache);
		return err;
	}
	spin_lock_init(&cache->lock);
	INIT_LIST_HEAD(&cache->recent);
	hn->fastopen_cache = cache;
	return 0;
}

static void haul_fastopen_peer_free(void *peer, void *unused)
{
	kfree(peer);
}

/**
 * haul_fastopen_cache_exit - it is forgotten
 * @hn:	the namespace's part; no socket is left
 *
 * Context: process.
 */
void haul_fastopen_cache_exit(struct haul_net *hn)
{
	rhashtable_free_and_destroy(&hn->fastopen_cache->peers, haul_fastopen_peer_free, NULL);
	kfree(hn->fastopen_cache);
}
