// SPDX-License-Identifier: GPL-2.0
/*
 * The port table: who holds a local port. By namespace, kind and port; buckets with a spinlock for
 * those who change it, RCU for those who look a listener up (listeners.c). Who may share a port is
 * claim.c's to say.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <net/netns/hash.h>
#include <net/secure_seq.h>
#include "ports.h"
#include "../conn/conn.h"

#define HAUL_PORT_BUCKETS	16384	/* a power of two */
#define HAUL_PORT_PERTURB	1024	/* a power of two; RFC 6056 3.3.4's table_length */

static struct haul_port_bucket *haul_port_table;
static u32 *haul_port_perturb;

/* ---------------------------------------------------------------- the table */

/**
 * haul_ports_init - makes the port table
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_ports_init(void)
{
	unsigned int i;

	haul_port_table = kvmalloc_array(HAUL_PORT_BUCKETS, sizeof(*haul_port_table), GFP_KERNEL);
	haul_port_perturb =
		kvmalloc_array(HAUL_PORT_PERTURB, sizeof(*haul_port_perturb), GFP_KERNEL);
	if (!haul_port_table || !haul_port_perturb) {
		haul_ports_exit();
		return -ENOMEM;
	}
	for (i = 0; i < HAUL_PORT_BUCKETS; i++) {
		spin_lock_init(&haul_port_table[i].lock);
		INIT_HLIST_HEAD(&haul_port_table[i].chain);
	}
	get_random_bytes(haul_port_perturb, HAUL_PORT_PERTURB * sizeof(*haul_port_perturb));
	return 0;
}

/**
 * haul_ports_exit - frees the port table, which must be empty
 *
 * May sleep.
 */
void haul_ports_exit(void)
{
	kvfree(haul_port_table);
	kvfree(haul_port_perturb);
	haul_port_table = NULL;
	haul_port_perturb = NULL;
}

/**
 * haul_port_bucket - where a port is, if it is in use
 * @net:	namespace
 * @kind:	enum haul_kind
 * @number:	host order
 *
 * Any context. Return: the bucket
 */
struct haul_port_bucket *haul_port_bucket(const struct net *net, u8 kind, u16 number)
{
	return &haul_port_table[(net_hash_mix(net) + number + kind * 5003U) &
				(HAUL_PORT_BUCKETS - 1)];
}

/**
 * haul_port_find - a port in use
 * @b:		its bucket
 * @net:	namespace
 * @kind:	enum haul_kind
 * @number:	host order
 *
 * Context: bucket's lock or RCU. Return: the port or NULL
 */
struct haul_port *haul_port_find(const struct haul_port_bucket *b, const struct net *net, u8 kind,
				 u16 number)
{
	struct haul_port *port;

	hlist_for_each_entry_rcu(port, &b->chain, node, lockdep_is_held(&b->lock))
		if (port->number == number && port->kind == kind && net_eq(port->net, net))
			return port;
	return NULL;
}

static void haul_port_enter(struct haul_port_bucket *b, struct haul_port *port, struct net *net,
			    u8 kind, u16 number)
{
	port->net = net;
	port->kind = kind;
	port->number = number;
	port->connects = false;
	INIT_HLIST_HEAD(&port->owners);
	INIT_HLIST_NULLS_HEAD(&port->receivers, haul_port_nulls(number));
	hlist_add_head_rcu(&port->node, &b->chain);
}

static void haul_port_own(struct haul_port *port, struct haul_port_ref *ref)
{
	hlist_add_head(&ref->node, &port->owners);
	ref->port = port;
}

/* bucket's lock */
static void haul_port_disown(struct haul_port_ref *ref)
{
	struct haul_port *port = ref->port;

	hlist_del_init(&ref->node);
	ref->port = NULL;
	if (hlist_empty(&port->owners)) {
		hlist_del_rcu(&port->node);
		kfree_rcu(port, rcu);
	}
}

/* ---------------------------------------------------------------- bind */

static void haul_port_set(struct sock *sk, u16 number)
{
	inet_sk(sk)->inet_num = number;
	inet_sk(sk)->inet_sport = htons(number);
}

/*
 * Takes one port, if its owners let it. @spare: memory for a new entry; NULL afterwards when it was
 * used. 0 or -EADDRINUSE.
 */
static int haul_port_take(struct sock *sk, u16 number, const struct haul_claim *claim, bool strict,
			  struct haul_port **spare)
{
	u8 kind = haul_sock_kind(sk);
	struct net *net = sock_net(sk);
	struct haul_port_bucket *b = haul_port_bucket(net, kind, number);
	struct haul_port *port;
	int err = 0;

	spin_lock_bh(&b->lock);
	port = haul_port_find(b, net, kind, number);
	if (!port) {
		port = *spare;
		*spare = NULL;
		haul_port_enter(b, port, net, kind, number);
	} else if (haul_claim_conflict(port, claim, NULL, strict)) {
		err = -EADDRINUSE;
		goto out;
	}
	port->connects = false;
	haul_port_own(port, &haul_sk(sk)->port);
	haul_port_set(sk, number);
out:
	spin_unlock_bh(&b->lock);
	return err;
}

/* the range that the socket's ephemeral ports are from; returns how many there are */
static u32 haul_port_range(const struct sock *sk, int *low)
{
	int high;

	inet_sk_get_local_port_range(sk, low, &high);
	return high >= *low ? high - *low + 1 : 0;
}

/* RFC 6056 3.3.1: a random start, then the next free one */
static int haul_port_take_any(struct sock *sk, const struct haul_claim *claim,
			      struct haul_port **spare)
{
	u32 i, num, offset;
	int low;

	num = haul_port_range(sk, &low);
	if (!num)
		return -EADDRINUSE;
	offset = get_random_u32_below(num);
	for (i = 0; i < num; i++) {
		u16 number = low + (offset + i) % num;

		if (inet_is_local_reserved_port(sock_net(sk), number))
			continue;
		if (!haul_port_take(sk, number, claim, true, spare))
			return 0;
		cond_resched();
	}
	return -EADDRINUSE;
}

/**
 * haul_port_bind - takes a local port
 * @sk:		its local address, device and reuse flags are set; holds no port
 * @number:	host order; 0: one from the ephemeral range
 *
 * Sets inet_num and inet_sport. Context: socket lock; may sleep.
 * Return: 0, -EADDRINUSE, -ENOMEM
 */
int haul_port_bind(struct sock *sk, u16 number)
{
	struct haul_claim claim;
	struct haul_port *spare;
	int err;

	haul_assert_locked(sk);
	if (WARN_ON_ONCE(haul_sk(sk)->port.port))
		return -EINVAL;
	spare = kmalloc(sizeof(*spare), GFP_KERNEL);
	if (!spare)
		return -ENOMEM;

	haul_claim_newcomer(&claim, sk);
	if (number)
		err = haul_port_take(sk, number, &claim, false, &spare);
	else
		err = haul_port_take_any(sk, &claim, &spare);
	kfree(spare);
	return err;
}

/* ---------------------------------------------------------------- connect */

/*
 * Enters the socket's flow. A remnant in the way goes when RFC 6191 allows a new connection so
 * soon; the socket's ISN must then follow the old one's numbers, which hs->write_seq tells to the
 * handshake.
 */
static int haul_port_connect_flow(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_flow *other;
	int err;

	haul_flow_fill(&hs->flow, sk);
	hs->flow.owner = HAUL_OWNER_SOCK;
	hs->write_seq = 0;
	for (;;) {
		bool gone;
		u32 isn;

		err = haul_flow_insert(&hs->flow, &other);
		if (!other)
			return err;
		gone = other->owner == HAUL_OWNER_REMNANT &&
		       haul_remnant_reuse(haul_flow_remnant(other), &isn);
		haul_flow_put(other);
		if (!gone)
			return err;
		hs->write_seq = isn ?: 1;
	}
}

/*
 * A port for one connection: nobody's yet, or one that only outgoing connections hold. 0 or
 * -EADDRINUSE
 */
static int haul_port_share(struct sock *sk, u16 number, struct haul_port **spare)
{
	u8 kind = haul_sock_kind(sk);
	struct net *net = sock_net(sk);
	struct haul_port_bucket *b = haul_port_bucket(net, kind, number);
	struct haul_port *port;
	int err = 0;

	spin_lock_bh(&b->lock);
	port = haul_port_find(b, net, kind, number);
	if (!port) {
		port = *spare;
		*spare = NULL;
		haul_port_enter(b, port, net, kind, number);
		port->connects = true;
	} else if (!port->connects) {
		err = -EADDRINUSE;
		goto out;
	}
	haul_port_own(port, &haul_sk(sk)->port);
	haul_port_set(sk, number);
out:
	spin_unlock_bh(&b->lock);
	return err;
}

static u64 haul_port_hash(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return secure_ipv6_port_ephemeral(sk->sk_v6_rcv_saddr.s6_addr32,
						  sk->sk_v6_daddr.s6_addr32, inet->inet_dport);
	return secure_ipv4_port_ephemeral(inet->inet_rcv_saddr, inet->inet_daddr, inet->inet_dport);
}

/*
 * RFC 6056 3.3.4: where to start is a secret function of the addresses, plus a counter that is
 * shared by few other destinations and moves on by a random step, so that an observer of one learns
 * little about another.
 */
static int haul_port_connect_any(struct sock *sk)
{
	u64 hash = haul_port_hash(sk);
	u32 *perturb = &haul_port_perturb[hash & (HAUL_PORT_PERTURB - 1)];
	struct haul_port *spare = NULL;
	u32 i, num, offset;
	int low, err = 0;

	num = haul_port_range(sk, &low);
	offset = READ_ONCE(*perturb) + (u32)(hash >> 32);
	for (i = 0; i < num; i++) {
		u16 number = low + (offset + i) % num;

		if (inet_is_local_reserved_port(sock_net(sk), number))
			continue;
		if (!spare)
			spare = kmalloc(sizeof(*spare), GFP_KERNEL);
		if (!spare)
			return -ENOMEM;
		if (haul_port_share(sk, number, &spare))
			continue;
		err = haul_port_connect_flow(sk);
		if (!err) {
			WRITE_ONCE(*perturb, READ_ONCE(*perturb) + i + 1 + get_random_u32_below(8));
			kfree(spare);
			return 0;
		}
		haul_port_release(sock_net(sk), &haul_sk(sk)->port);
		haul_port_set(sk, 0);
		if (err != -EADDRNOTAVAIL)
			break;
		cond_resched();
	}
	kfree(spare);
	return i < num ? err : -EADDRNOTAVAIL;
}

/**
 * haul_port_connect - gives a connection its local port, if it has none, and enters its flow into
 * the table
 * @sk:		both addresses and the remote port are set
 *
 * When a remnant made room, hs->write_seq is the lowest ISN to use; else it is 0. Context: socket
 * lock; may sleep.
 * Return: 0; -EADDRNOTAVAIL: no port is free for this peer, or the port bound to is connected to it
 * already; -ENOMEM
 */
int haul_port_connect(struct sock *sk)
{
	haul_assert_locked(sk);
	return haul_sk(sk)->port.port ? haul_port_connect_flow(sk) : haul_port_connect_any(sk);
}

/* ---------------------------------------------------------------- children, remnants, the end */

/**
 * haul_port_inherit - one more owner of a port that somebody holds
 * @ref:	holds none
 * @from:	its holder's lock is held, so it stays
 *
 * Context: any.
 */
void haul_port_inherit(struct haul_port_ref *ref, const struct haul_port_ref *from)
{
	struct haul_port *port = from->port;
	struct haul_port_bucket *b;

	ref->port = NULL;
	INIT_HLIST_NODE(&ref->node);
	if (!port)
		return;
	b = haul_port_bucket(port->net, port->kind, port->number);
	spin_lock_bh(&b->lock);
	haul_port_own(port, ref);
	spin_unlock_bh(&b->lock);
}

/**
 * haul_port_release - gives a port back
 * @net:	namespace of the holder
 * @ref:	may hold none
 *
 * A listener ends to be one. inet_sport stays, for getsockname(). Context: any; holder's lock.
 */
void haul_port_release(struct net *net, struct haul_port_ref *ref)
{
	struct haul_port *port = ref->port;
	struct haul_port_bucket *b;

	if (!port)
		return;
	b = haul_port_bucket(net, port->kind, port->number);
	spin_lock_bh(&b->lock);
	if (haul_port_ref_flow(ref)->owner == HAUL_OWNER_SOCK) {
		struct haul_sock *hs = container_of(ref, struct haul_sock, port);

		haul_port_unlist(haul_sock_sk(hs));
		hs->inet.inet_num = 0;
	}
	haul_port_disown(ref);
	spin_unlock_bh(&b->lock);
}
