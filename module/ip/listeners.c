// SPDX-License-Identifier: GPL-2.0
/*
 * Who listens on a local port, and which of them a packet is for that matches no flow.
 */
#include <linux/rculist.h>
#include <linux/jhash.h>
#include <net/netns/hash.h>
#include <net/sock_reuseport.h>
#include "ports.h"
#include "roll.h"

static bool haul_port_same_address(const struct sock *a, const struct sock *b)
{
	if (a->sk_family != b->sk_family || a->sk_ipv6only != b->sk_ipv6only)
		return false;
	if (a->sk_family == AF_INET6)
		return ipv6_addr_equal(&a->sk_v6_rcv_saddr, &b->sk_v6_rcv_saddr);
	return a->sk_rcv_saddr == b->sk_rcv_saddr;
}

/* Joins the SO_REUSEPORT group of a listener with the same address, or founds one. Bucket's lock */
static int haul_port_join_group(struct sock *sk, struct haul_port *port)
{
	const struct hlist_nulls_node *node;
	struct sock *other;
	bool any;

	any = sk->sk_family == AF_INET6 ? ipv6_addr_any(&sk->sk_v6_rcv_saddr) : !sk->sk_rcv_saddr;
	sk_nulls_for_each(other, node, &port->receivers) {
		if (other->sk_reuseport && haul_port_same_address(other, sk) &&
		    other->sk_bound_dev_if == sk->sk_bound_dev_if &&
		    uid_eq(sk_uid(sk), sk_uid(other)))
			return reuseport_add_sock(sk, other, any);
	}
	return reuseport_alloc(sk, any);
}

/* Bucket's lock. A listener's flow is not in the flow table: it tells how it is seen. */
static void haul_port_enlist(struct sock *sk, struct haul_port *port)
{
	hlist_nulls_add_head_rcu(&sk->sk_nulls_node, &port->receivers);
	haul_flow_fill(&haul_sk(sk)->flow, sk);
	haul_roll_enter(&haul_sk(sk)->flow);
}

/**
 * haul_port_listen - makes a bound socket findable for packets that match no flow
 * @sk:		holds a port
 *
 * Context: socket lock. Return: 0; -EADDRINUSE: another that listens was first; -ENOMEM
 */
int haul_port_listen(struct sock *sk)
{
	struct haul_port *port = haul_sk(sk)->port.port;
	struct haul_port_bucket *b;
	struct haul_claim claim;
	int err = 0;

	haul_assert_locked(sk);
	if (WARN_ON_ONCE(!port))
		return -EINVAL;
	b = haul_port_bucket(port->net, port->kind, port->number);
	haul_claim_newcomer(&claim, sk);

	spin_lock_bh(&b->lock);
	if (!sk_unhashed(sk))
		goto out;
	if (haul_claim_conflict(port, &claim, &haul_sk(sk)->port, false))
		err = -EADDRINUSE;
	else if (sk->sk_reuseport)
		err = haul_port_join_group(sk, port);
	if (!err)
		haul_port_enlist(sk, port);
out:
	spin_unlock_bh(&b->lock);
	return err;
}

/**
 * haul_port_unlist - takes a socket off its port's receivers, if it is there
 * @sk:		holds a port
 *
 * Context: bucket's lock.
 */
void haul_port_unlist(struct sock *sk)
{
	if (sk_unhashed(sk))
		return;
	hlist_nulls_del_init_rcu(&sk->sk_nulls_node);
	haul_roll_leave(&haul_sk(sk)->flow);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
}

/**
 * haul_port_unlisten - the contrary of haul_port_listen(); the port is kept
 * @sk:		a listener, or not
 *
 * Context: socket lock.
 */
void haul_port_unlisten(struct sock *sk)
{
	struct haul_port *port = haul_sk(sk)->port.port;
	struct haul_port_bucket *b;

	if (!port)
		return;
	b = haul_port_bucket(port->net, port->kind, port->number);
	spin_lock_bh(&b->lock);
	haul_port_unlist(sk);
	spin_unlock_bh(&b->lock);
}

/* How well a listener fits; 0: not at all. Address before device before family before processor. */
static unsigned int haul_port_score(const struct sock *sk, const struct haul_flow_key *key, int dif,
				    int sdif)
{
	bool mapped = ipv6_addr_v4mapped(&key->local), v4 = sk->sk_family == AF_INET;
	unsigned int score = 1;
	int dev = READ_ONCE(sk->sk_bound_dev_if);
	struct haul_claim c;

	if (READ_ONCE(inet_sk(sk)->inet_num) != ntohs(key->lport))
		return 0;
	haul_claim_sock(&c, sk);
	if (mapped ? !c.v4 : !c.v6)
		return 0;
	if (mapped && c.addr4) {
		if (c.addr4 != key->local.s6_addr32[3])
			return 0;
		score += 8;
	} else if (!mapped && !ipv6_addr_any(&c.addr6)) {
		if (!ipv6_addr_equal(&c.addr6, &key->local))
			return 0;
		score += 8;
	}
	if (!inet_sk_bound_dev_eq(key->net, dev, dif, sdif))
		return 0;
	if (dev)
		score += 4;
	if (mapped == v4)
		score += 2;
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		score++;
	return score;
}

/* RCU */
static struct sock *haul_port_best(struct haul_port *port, const struct haul_flow_key *key, int dif,
				   int sdif)
{
	const struct hlist_nulls_node *node;
	unsigned int best, score;
	struct sock *sk, *found;

	do {
		best = 0;
		found = NULL;
		sk_nulls_for_each_rcu(sk, node, &port->receivers) {
			score = haul_port_score(sk, key, dif, sdif);
			if (score > best) {
				best = score;
				found = sk;
			}
		}
		/* ended in another port's list: the socket walked over has moved */
	} while (get_nulls_value(node) != haul_port_nulls(port->number));
	return found;
}

/* one of an SO_REUSEPORT group: by its BPF program, else by a hash of the flow */
static struct sock *haul_port_choose(struct sock *sk, const struct haul_flow_key *key,
				     struct sk_buff *skb)
{
	u32 hash = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), net_hash_mix(key->net));
	u32 hdrlen = skb ? ((const struct haulhdr *)skb->data)->words * 4U : 0;
	struct sock *chosen;

	chosen = reuseport_select_sock(sk, hash, skb, hdrlen);
	if (IS_ERR(chosen))
		return NULL;		/* the program says: nobody */
	return chosen ?: sk;
}

/**
 * haul_port_lookup - the best listener for a packet that matches no flow
 * @key:	the packet's flow
 * @dif:	index of the device it came in by, the VRF's when that is enslaved
 * @sdif:	index of the enslaved device, or 0
 * @skb:	the packet, checked, data at the Haul header; or NULL
 *
 * Context: RCU read lock, softirq or process. Return: with a reference, or NULL
 */
struct sock *haul_port_lookup(const struct haul_flow_key *key, int dif, int sdif,
			      struct sk_buff *skb)
{
	u16 number = ntohs(key->lport);
	struct haul_port *port;
	struct sock *sk;

	port = haul_port_find(haul_port_bucket(key->net, key->kind, number), key->net, key->kind,
			      number);
	if (!port)
		return NULL;
	do {
		sk = haul_port_best(port, key, dif, sdif);
		if (sk && sk->sk_reuseport)
			sk = haul_port_choose(sk, key, skb);
		/* one without references was taken off the list before: look again */
	} while (sk && !refcount_inc_not_zero(&sk->sk_refcnt));
	return sk;
}
