/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ip/ports.c (who holds a port), ip/claim.c (who may share it) and ip/listeners.c (who listens
 * on it) share.
 */
#ifndef HAUL_IP_PORTS_H
#define HAUL_IP_PORTS_H

#include "ip.h"

/**
 * struct haul_port - a local port in use
 * @node:	in the bucket's chain; RCU
 * @net:	namespace
 * @number:	host order
 * @kind:	enum haul_kind
 * @connects:	held by outgoing connections only, which chose it themselves: further ones may share
 *		it
 * @owners:	who holds it: haul_port_ref.node. It lives as long as there is one
 * @receivers:	listeners: sk_nulls_node; RCU. Ends with haul_port_nulls(), because a listener may
 *		move to another port while somebody walks past it
 * @rcu:	for the free
 */
struct haul_port {
	struct hlist_node	node;
	struct net		*net;
	u16			number;
	u8			kind;
	bool			connects;
	struct hlist_head	owners;
	struct hlist_nulls_head	receivers;
	struct rcu_head		rcu;
};

struct haul_port_bucket {
	spinlock_t		lock;		/* the chain, and all of its ports but their keys */
	struct hlist_head	chain;
};

struct haul_port_bucket *haul_port_bucket(const struct net *net, u8 kind, u16 number);
/* bucket's lock, or RCU */
struct haul_port *haul_port_find(const struct haul_port_bucket *b, const struct net *net, u8 kind,
				 u16 number);

/*
 * the end of a port's receivers: kind and namespace of a socket never change, so the number tells
 * one list from another
 */
static inline unsigned long haul_port_nulls(u16 number)
{
	return number;
}

/**
 * struct haul_claim - what a bound socket or a remnant wants of its port
 * @v4:		IPv4 packets to @addr4, or to any address when that is 0
 * @v6:		IPv6 packets to @addr6, or to any address when that is ::
 * @reuse:	SO_REUSEADDR
 * @reuseport:	SO_REUSEPORT
 * @listening:	findable
 * @remnant:	TIME-WAIT
 * @addr4:	see @v4
 * @addr6:	see @v6
 * @dev:	by this device only; 0: any
 * @uid:	whose
 */
struct haul_claim {
	bool		v4;
	bool		v6;
	bool		reuse;
	bool		reuseport;
	bool		listening;
	bool		remnant;
	__be32		addr4;
	struct in6_addr	addr6;
	int		dev;
	kuid_t		uid;
};

void haul_claim_sock(struct haul_claim *c, const struct sock *sk);
/*
 * of one that comes to a port: one that has its SO_REUSEPORT group already (a BPF program's) can't
 * join another
 */
void haul_claim_newcomer(struct haul_claim *c, const struct sock *sk);
/*
 * Is one of the port's owners in the way of @claim? @self: not compared with. @strict: a port that
 * the system chooses is shared with nobody. Bucket's lock
 */
bool haul_claim_conflict(const struct haul_port *port, const struct haul_claim *claim,
			 const struct haul_port_ref *self, bool strict);
/* bucket's lock */
void haul_port_unlist(struct sock *sk);

#endif /* HAUL_IP_PORTS_H */
