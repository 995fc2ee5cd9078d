/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The roll of everyone who can be seen from outside: who enters and leaves (demux.c, listeners.c)
 * and who walks along it (observe/, the namespace's end).
 */
#ifndef HAUL_IP_ROLL_H
#define HAUL_IP_ROLL_H

#include "ip.h"

/**
 * struct haul_roll_chain - one chain of the roll
 * @lock:	taken inside the socket lock and inside a port bucket's or a remnant's, with bottom
 *		halves off; only the flow table's are taken inside it
 * @last:	the highest number given in this chain
 * @flows:	haul_flow.roll; numbers fall along it
 */
struct haul_roll_chain {
	spinlock_t		lock;			/* @last, @flows and their rolls */
	u64			last;
	struct hlist_head	flows;
};

/* Where a walk is: in this chain, those with lower numbers come next */
struct haul_roll_cursor {
	u32	chain;
	u64	number;
};

#define HAUL_ROLL_START	((struct haul_roll_cursor){ .number = U64_MAX })

int haul_roll_init(void);
void haul_roll_exit(void);

/* entering and leaving: chain's lock */
struct haul_roll_chain *haul_roll_chain(const struct haul_flow_key *key);
void haul_roll_add(struct haul_roll_chain *chain, struct haul_flow *flow);
void haul_roll_replace(struct haul_roll_chain *chain, struct haul_flow *old, struct haul_flow *new);
void haul_roll_del(struct haul_roll_chain *chain, struct haul_flow *flow);

/* the same for those that are in no flow table: whoever waits on a port; takes the chain's lock */
void haul_roll_enter(struct haul_flow *flow);
void haul_roll_leave(struct haul_flow *flow);

/* walking: no lock of the roll's; may sleep */
struct haul_flow *haul_roll_next(const struct net *net, struct haul_roll_cursor *at);
struct haul_flow *haul_roll_find(const struct haul_flow_key *key,
				 bool (*fits)(struct haul_flow *flow, const void *arg),
				 const void *arg);

#endif /* HAUL_IP_ROLL_H */
