// SPDX-License-Identifier: GPL-2.0
/*
 * The roll: everyone who can be seen from outside (connections, half-open ones, remnants, and
 * whoever waits on a port: listeners and datagram sockets), in an order that a walk can be left and
 * resumed in. The flow table can't do that: it is resized under the walker's feet.
 *
 * A fixed table of chains. In a chain, each entry has a number; a new one gets the next higher and
 * comes first, so numbers fall along the chain and a walker needs to remember a chain and a number,
 * nothing else. Who was there before and is there after the walk has been seen once, exactly; the
 * walk ends, because what comes after it has begun to look at a chain is above its number. A child
 * that takes its request's place, or a remnant its socket's, takes the number, too: a connection is
 * seen once whatever becomes of it.
 *
 * An entry joins and leaves under the chain's lock together with its entry in the table that made
 * it visible, so that neither can be left behind.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include "roll.h"

#define HAUL_ROLL_CHAINS	8192	/* a power of two */

static struct haul_roll_chain *haul_roll_table;
static u32 haul_roll_seed;

/**
 * haul_roll_init - makes the roll
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_roll_init(void)
{
	unsigned int i;

	haul_roll_table = kvcalloc(HAUL_ROLL_CHAINS, sizeof(*haul_roll_table), GFP_KERNEL);
	if (!haul_roll_table)
		return -ENOMEM;
	for (i = 0; i < HAUL_ROLL_CHAINS; i++)
		spin_lock_init(&haul_roll_table[i].lock);
	haul_roll_seed = get_random_u32();
	return 0;
}

/**
 * haul_roll_exit - frees the roll, which must be empty
 *
 * May sleep.
 */
void haul_roll_exit(void)
{
	kvfree(haul_roll_table);
	haul_roll_table = NULL;
}

/**
 * haul_roll_chain - where a flow is, or would be
 * @key:	does not change while it is there
 *
 * Any context. Return: the chain
 */
struct haul_roll_chain *haul_roll_chain(const struct haul_flow_key *key)
{
	u32 hash = haul_flow_hash(key, haul_roll_seed);

	return &haul_roll_table[hash & (HAUL_ROLL_CHAINS - 1)];
}

/**
 * haul_roll_add - enters a flow
 * @chain:	haul_roll_chain() of its key; its lock is held
 * @flow:	not in the roll
 */
void haul_roll_add(struct haul_roll_chain *chain, struct haul_flow *flow)
{
	lockdep_assert_held(&chain->lock);
	flow->number = ++chain->last;
	hlist_add_head(&flow->roll, &chain->flows);
}

/**
 * haul_roll_replace - a flow takes another's place and number
 * @chain:	of both; its lock is held
 * @old:	in the roll
 * @new:	same key, not in the roll
 */
void haul_roll_replace(struct haul_roll_chain *chain, struct haul_flow *old, struct haul_flow *new)
{
	lockdep_assert_held(&chain->lock);
	new->number = old->number;
	hlist_add_before(&new->roll, &old->roll);
	hlist_del_init(&old->roll);
}

/**
 * haul_roll_del - takes a flow out
 * @chain:	its chain; the lock is held
 * @flow:	in the roll, perhaps
 */
void haul_roll_del(struct haul_roll_chain *chain, struct haul_flow *flow)
{
	lockdep_assert_held(&chain->lock);
	hlist_del_init(&flow->roll);
}

/**
 * haul_roll_enter - a flow that is in no flow table is to be seen, too
 * @flow:	key, dev and owner are set, and stay until it leaves; not in the roll
 *
 * Context: any; the lock of the owner, or of the table that it is in.
 */
void haul_roll_enter(struct haul_flow *flow)
{
	struct haul_roll_chain *chain = haul_roll_chain(&flow->key);

	spin_lock_bh(&chain->lock);
	haul_roll_add(chain, flow);
	spin_unlock_bh(&chain->lock);
}

/**
 * haul_roll_leave - undoes haul_roll_enter()
 * @flow:	in the roll, perhaps
 *
 * Context: as haul_roll_enter().
 */
void haul_roll_leave(struct haul_flow *flow)
{
	struct haul_roll_chain *chain = haul_roll_chain(&flow->key);

	spin_lock_bh(&chain->lock);
	haul_roll_del(chain, flow);
	spin_unlock_bh(&chain->lock);
}

/* the first in a chain whose number is below @number, which then becomes its; or NULL */
static struct haul_flow *haul_roll_below(struct haul_roll_chain *chain, const struct net *net,
					 u64 *number)
{
	struct haul_flow *flow;

	if (hlist_empty(&chain->flows))
		return NULL;
	spin_lock_bh(&chain->lock);
	hlist_for_each_entry(flow, &chain->flows, roll)
		if (flow->number < *number && net_eq(flow->key.net, net) && haul_flow_get(flow))
			break;
	if (flow)
		*number = flow->number;
	spin_unlock_bh(&chain->lock);
	return flow;
}

/**
 * haul_roll_next - the next one of a walk
 * @net:	of this namespace
 * @at:		where the walk is: HAUL_ROLL_START at first, moved on. A copy resumes it
 *
 * Whoever is in the roll during the whole walk is seen once; whoever comes or goes, once or not at
 * all. No lock is held when it returns. May sleep.
 * Return: with a reference for haul_flow_put(); NULL: the walk is over
 */
struct haul_flow *haul_roll_next(const struct net *net, struct haul_roll_cursor *at)
{
	struct haul_flow *flow;

	for (; at->chain < HAUL_ROLL_CHAINS; at->chain++, at->number = U64_MAX) {
		flow = haul_roll_below(&haul_roll_table[at->chain], net, &at->number);
		if (flow)
			return flow;
		cond_resched();
	}
	return NULL;
}

/**
 * haul_roll_find - one of exactly this key
 * @key:	as the roll tells it
 * @fits:	says whether it is the one; does not sleep
 * @arg:	for @fits
 *
 * Any context. Return: with a reference, or NULL
 */
struct haul_flow *haul_roll_find(const struct haul_flow_key *key,
				 bool (*fits)(struct haul_flow *flow, const void *arg),
				 const void *arg)
{
	struct haul_roll_chain *chain = haul_roll_chain(key);
	struct haul_flow *flow;

	spin_lock_bh(&chain->lock);
	hlist_for_each_entry(flow, &chain->flows, roll)
		if (!memcmp(&flow->key, key, sizeof(*key)) && fits(flow, arg) &&
		    haul_flow_get(flow))
			break;
	spin_unlock_bh(&chain->lock);
	return flow;
}
