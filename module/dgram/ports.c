// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a datagram port, and which of them a datagram is for. Two tables hold every bound socket:
 * by port (who may share it, who gets a multicast), and by port and local address (who gets a
 * datagram). The ports are none of the streams': ip/ports.c has those. Who has a port is in the
 * roll, too: seen from outside.
 */
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <net/netns/hash.h>
#include <net/sock_reuseport.h>

#include "dgram.h"
#include "../ip/roll.h"

#define HAUL_DGRAM_BUCKETS	4096	/* of each table; a power of two */

struct haul_dgram_bucket {
	spinlock_t			lock;	/* the chain */
	struct hlist_nulls_head		chain;	/* ends with the bucket's number */
};

static struct haul_dgram_bucket *haul_dgram_by_port;
static struct haul_dgram_bucket *haul_dgram_by_addr;
static u32 haul_dgram_seed;

/* ---------------------------------------------------------------- the tables */

static struct haul_dgram_bucket *haul_dgram_table(void)
{
	struct haul_dgram_bucket *table;
	unsigned int i;

	table = kvmalloc_array(HAUL_DGRAM_BUCKETS, sizeof(*table), GFP_KERNEL);
	for (i = 0; table && i < HAUL_DGRAM_BUCKETS; i++) {
		spin_lock_init(&table[i].lock);
		INIT_HLIST_NULLS_HEAD(&table[i].chain, i);
	}
	return table;
}

/**
 * haul_dgram_ports_init - makes the tables
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_dgram_ports_init(void)
{
	haul_dgram_seed = get_random_u32();
	haul_dgram_by_port = haul_dgram_table();
	haul_dgram_by_addr = haul_dgram_table();
	if (haul_dgram_by_port && haul_dgram_by_addr)
		return 0;
	haul_dgram_ports_exit();
	return -ENOMEM;
}

/**
 * haul_dgram_ports_exit - frees the tables, which must be empty
 *
 * May sleep.
 */
void haul_dgram_ports_exit(void)
{
	kvfree(haul_dgram_by_port);
	kvfree(haul_dgram_by_addr);
	haul_dgram_by_port = NULL;
	haul_dgram_by_addr = NULL;
}

/* ports that follow one another are in buckets that do: a search for a free one walks memory */
static struct haul_dgram_bucket *haul_dgram_port_bucket(const struct net *net, u16 number)
{
	return &haul_dgram_by_port[(net_hash_mix(net) + number) & (HAUL_DGRAM_BUCKETS - 1)];
}

/* IPv4's address of nobody is IPv6's: a socket of both families waits in one chain. */
static bool haul_dgram_any(const struct in6_addr *addr)
{
	return ipv6_addr_any(addr) || (ipv6_addr_v4mapped(addr) && !addr->s6_addr32[3]);
}

static u32 haul_dgram_slot(const struct net *net, const struct in6_addr *local, u16 number)
{
	u32 hash = jhash_2words(net_hash_mix(net), number, haul_dgram_seed);

	if (!haul_dgram_any(local))
		hash = jhash2((const u32 *)local, sizeof(*local) / sizeof(u32), hash);
	return hash & (HAUL_DGRAM_BUCKETS - 1);
}

/* the socket's own address, IPv4's mapped */
static struct in6_addr haul_dgram_local(const struct sock *sk)
{
	struct in6_addr local;

	if (sk->sk_family == AF_INET6)
		return sk->sk_v6_rcv_saddr;
	ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &local);
	return local;
}

/* ---------------------------------------------------------------- who may share a port */

/* Is there an address that datagrams to both come for? :: is IPv4's 0.0.0.0, too, unless v6only. */
static bool haul_dgram_addrs_overlap(const struct sock *a, const struct sock *b)
{
	struct in6_addr la = haul_dgram_local(a), lb = haul_dgram_local(b);
	bool v4a = ipv6_addr_v4mapped(&la), v4b = ipv6_addr_v4mapped(&lb);

	if (v4a && v4b)
		return haul_dgram_any(&la) || haul_dgram_any(&lb) || ipv6_addr_equal(&la, &lb);
	if (v4a)
		return ipv6_addr_any(&lb) && !ipv6_only_sock(b);
	if (v4b)
		return ipv6_addr_any(&la) && !ipv6_only_sock(a);
	return ipv6_addr_any(&la) || ipv6_addr_any(&lb) || ipv6_addr_equal(&la, &lb);
}

/* May @sk not have the port that @other has? @strict: a port that the system chooses */
static bool haul_dgram_conflict(const struct sock *sk, const struct sock *other, bool strict)
{
	if (sk->sk_bound_dev_if && other->sk_bound_dev_if &&
	    sk->sk_bound_dev_if != other->sk_bound_dev_if)
		return false;
	if (!haul_dgram_addrs_overlap(sk, other))
		return false;
	if (strict)
		return true;
	if (sk->sk_reuse && other->sk_reuse)
		return false;
	/* one that has its group already (a BPF program's) can't join another */
	return !sk->sk_reuseport || !other->sk_reuseport ||
	       rcu_access_pointer(sk->sk_reuseport_cb) || !uid_eq(sk_uid(sk), sk_uid(other));
}

static bool haul_dgram_has_port(const struct sock *sk, const struct net *net, u16 number)
{
	return READ_ONCE(inet_sk(sk)->inet_num) == number && net_eq(sock_net(sk), net);
}

/* bucket's lock */
static bool haul_dgram_taken(const struct haul_dgram_bucket *b, const struct sock *sk, u16 number,
			     bool strict)
{
	const struct hlist_nulls_node *node;
	const struct sock *other;

	sk_nulls_for_each(other, node, &b->chain) {
		if (haul_dgram_has_port(other, sock_net(sk), number) &&
		    haul_dgram_conflict(sk, other, strict))
			return true;
	}
	return false;
}

/* Joins the SO_REUSEPORT group of a socket with the same address, or founds one. Bucket's lock */
static int haul_dgram_join_group(const struct haul_dgram_bucket *b, struct sock *sk, u16 number)
{
	struct in6_addr local = haul_dgram_local(sk), its;
	const struct hlist_nulls_node *node;
	struct sock *other;

	sk_nulls_for_each(other, node, &b->chain) {
		if (!haul_dgram_has_port(other, sock_net(sk), number) || !other->sk_reuseport ||
		    other->sk_family != sk->sk_family ||
		    ipv6_only_sock(other) != ipv6_only_sock(sk) ||
		    other->sk_bound_dev_if != sk->sk_bound_dev_if ||
		    !uid_eq(sk_uid(sk), sk_uid(other)))
			continue;
		its = haul_dgram_local(other);
		if (ipv6_addr_equal(&local, &its))
			return reuseport_add_sock(sk, other, haul_dgram_any(&local));
	}
	return reuseport_alloc(sk, haul_dgram_any(&local));
}

/* ---------------------------------------------------------------- bind */

/* the port's bucket lock is held */
static void haul_dgram_enter_addr(struct sock *sk)
{
	struct haul_dgram *hd = haul_dgram(sk);
	struct in6_addr local = haul_dgram_local(sk);
	struct haul_dgram_bucket *b;

	hd->slot = haul_dgram_slot(sock_net(sk), &local, hd->inet.inet_num);
	b = &haul_dgram_by_addr[hd->slot];
	spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
	hlist_nulls_add_head_rcu(&hd->addr_node, &b->chain);
	spin_unlock(&b->lock);
}

/* the port's bucket lock is held */
static void haul_dgram_leave_addr(struct sock *sk)
{
	struct haul_dgram *hd = haul_dgram(sk);
	struct haul_dgram_bucket *b = &haul_dgram_by_addr[hd->slot];

	spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
	hlist_nulls_del_init_rcu(&hd->addr_node);
	spin_unlock(&b->lock);
}

/*
 * The port's bucket lock is held. connect() changes the addresses while it is in the roll: what it
 * has there is its port, and a number that spreads those of one port over the chains.
 */
static void haul_dgram_enter_roll(struct haul_dgram *hd, u16 number)
{
	struct haul_flow_key *key = &hd->flow.key;

	memset(key, 0, sizeof(*key));
	key->net = sock_net(&hd->inet.sk);
	key->remote.s6_addr32[3] = (__force __be32)get_random_u32();
	key->lport = htons(number);
	key->kind = HAUL_KIND_DATAGRAM;
	hd->flow.owner = HAUL_OWNER_DGRAM;
	haul_roll_enter(&hd->flow);
}

/* 0, -EADDRINUSE, -ENOMEM */
static int haul_dgram_take(struct sock *sk, u16 number, bool strict)
{
	struct haul_dgram_bucket *b = haul_dgram_port_bucket(sock_net(sk), number);
	int err = 0;

	spin_lock_bh(&b->lock);
	if (haul_dgram_taken(b, sk, number, strict))
		err = -EADDRINUSE;
	else if (sk->sk_reuseport)
		err = haul_dgram_join_group(b, sk, number);
	if (!err) {
		WRITE_ONCE(inet_sk(sk)->inet_num, number);
		inet_sk(sk)->inet_sport = htons(number);
		hlist_nulls_add_head_rcu(&sk->sk_nulls_node, &b->chain);
		haul_dgram_enter_addr(sk);
		haul_dgram_enter_roll(haul_dgram(sk), number);
	}
	spin_unlock_bh(&b->lock);
	return err;
}

/* RFC 6056 3.3.1: a random start, then the next free one */
static int haul_dgram_take_any(struct sock *sk)
{
	u32 i, num, offset;
	int low, high;

	inet_sk_get_local_port_range(sk, &low, &high);
	if (high < low)
		return -EADDRINUSE;
	num = high - low + 1;
	offset = get_random_u32_below(num);
	for (i = 0; i < num; i++) {
		u16 number = low + (offset + i) % num;

		if (inet_is_local_reserved_port(sock_net(sk), number))
			continue;
		if (!haul_dgram_take(sk, number, true))
			return 0;
		cond_resched();
	}
	return -EADDRINUSE;
}

/**
 * haul_dgram_get_port - proto.get_port: takes a local port, from when on datagrams to it come here
 * @sk:		its local address, device and reuse flags are set; has none
 * @number:	host order; 0: one from the ephemeral range
 *
 * Sets inet_num and inet_sport. Context: socket lock; may sleep.
 * Return: 0, -EADDRINUSE, -ENOMEM
 */
int haul_dgram_get_port(struct sock *sk, unsigned short number)
{
	haul_assert_locked(sk);
	return number ? haul_dgram_take(sk, number, false) : haul_dgram_take_any(sk);
}

/**
 * haul_dgram_unhash - proto.unhash: gives the port back, if there is one
 * @sk:		the socket
 *
 * Context: socket lock, or the last holder of the socket.
 */
void haul_dgram_unhash(struct sock *sk)
{
	struct haul_dgram_bucket *b;

	if (sk_unhashed(sk))
		return;
	b = haul_dgram_port_bucket(sock_net(sk), inet_sk(sk)->inet_num);
	spin_lock_bh(&b->lock);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	hlist_nulls_del_init_rcu(&sk->sk_nulls_node);
	haul_dgram_leave_addr(sk);
	haul_roll_leave(&haul_dgram(sk)->flow);
	WRITE_ONCE(inet_sk(sk)->inet_num, 0);
	spin_unlock_bh(&b->lock);
}

/**
 * haul_dgram_rehash - proto.rehash: the local address is another now
 * @sk:		connected, or no longer
 *
 * It leaves its SO_REUSEPORT group, whose address this no longer is. Context: socket lock.
 */
void haul_dgram_rehash(struct sock *sk)
{
	struct haul_dgram_bucket *b;

	if (sk_unhashed(sk))
		return;
	b = haul_dgram_port_bucket(sock_net(sk), inet_sk(sk)->inet_num);
	spin_lock_bh(&b->lock);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	haul_dgram_leave_addr(sk);
	haul_dgram_enter_addr(sk);
	spin_unlock_bh(&b->lock);
}

/* ---------------------------------------------------------------- seen from outside */

/**
 * haul_dgram_sock_key - who it is and who its peer is
 * @sk:		the socket
 * @key:	is filled; IPv4 addresses mapped, zeros: any address, no peer
 *
 * Context: any; without the socket lock it is a glance, not a snapshot.
 */
void haul_dgram_sock_key(const struct sock *sk, struct haul_flow_key *key)
{
	memset(key, 0, sizeof(*key));
	key->net = sock_net(sk);
	key->local = haul_dgram_local(sk);
	if (sk->sk_family == AF_INET6)
		key->remote = sk->sk_v6_daddr;
	else
		ipv6_addr_set_v4mapped(sk->sk_daddr, &key->remote);
	key->lport = htons(READ_ONCE(inet_sk(sk)->inet_num));
	key->rport = sk->sk_dport;
	key->kind = HAUL_KIND_DATAGRAM;
}

/**
 * haul_dgram_find - one of exactly this key
 * @key:	as haul_dgram_sock_key() tells it
 * @fits:	says whether it is the one; does not sleep
 * @arg:	for @fits
 *
 * Any context. Return: with a reference for haul_flow_put(), or NULL
 */
struct haul_flow *haul_dgram_find(const struct haul_flow_key *key,
				  bool (*fits)(struct haul_flow *flow, const void *arg),
				  const void *arg)
{
	struct haul_dgram_bucket *b = haul_dgram_port_bucket(key->net, ntohs(key->lport));
	const struct hlist_nulls_node *node;
	struct haul_flow *found = NULL;
	struct haul_flow_key its;
	struct sock *sk;

	spin_lock_bh(&b->lock);
	sk_nulls_for_each(sk, node, &b->chain) {
		haul_dgram_sock_key(sk, &its);
		if (memcmp(&its, key, sizeof(its)) || !fits(&haul_dgram(sk)->flow, arg) ||
		    !haul_flow_get(&haul_dgram(sk)->flow))
			continue;
		found = &haul_dgram(sk)->flow;
		break;
	}
	spin_unlock_bh(&b->lock);
	return found;
}

/* ---------------------------------------------------------------- look-up */

/* is the socket connected to somebody else? */
static bool haul_dgram_foreign(const struct sock *sk, const struct haul_flow_key *key,
			       bool *addr_given)
{
	const struct inet_sock *inet = inet_sk(sk);

	*addr_given = true;
	if (inet->inet_dport && inet->inet_dport != key->rport)
		return true;
	if (sk->sk_family == AF_INET6 && !ipv6_addr_any(&sk->sk_v6_daddr))
		return !ipv6_addr_equal(&sk->sk_v6_daddr, &key->remote);
	if (sk->sk_family == AF_INET && inet->inet_daddr)
		return inet->inet_daddr != key->remote.s6_addr32[3];
	*addr_given = false;
	return false;
}

/* does it take this IP version? */
static bool haul_dgram_takes_family(const struct sock *sk, bool v4)
{
	if (v4)
		return !ipv6_only_sock(sk);
	return sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
}

/*
 * How well a socket with the right local address fits; 0: not at all. A connected one before one
 * with a device before one of the packet's family before one of this processor.
 */
static unsigned int haul_dgram_score(const struct sock *sk, const struct haul_flow_key *key,
				     int dif, int sdif)
{
	bool v4 = ipv6_addr_v4mapped(&key->local), peer;
	int dev = READ_ONCE(sk->sk_bound_dev_if);
	unsigned int score = 1;

	if (!haul_dgram_has_port(sk, key->net, ntohs(key->lport)) ||
	    !haul_dgram_takes_family(sk, v4) || haul_dgram_foreign(sk, key, &peer))
		return 0;
	if (!inet_sk_bound_dev_eq(key->net, dev, dif, sdif))
		return 0;
	if (peer)
		score += 8;
	if (inet_sk(sk)->inet_dport)
		score += 8;
	if (dev)
		score += 4;
	if (sk->sk_family == (v4 ? AF_INET : AF_INET6))
		score += 2;
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		score++;
	return score;
}

/* RCU. The best of those bound to @local */
static struct sock *haul_dgram_best(const struct haul_flow_key *key, const struct in6_addr *local,
				    int dif, int sdif)
{
	u32 slot = haul_dgram_slot(key->net, local, ntohs(key->lport));
	const struct hlist_nulls_node *node;
	struct in6_addr its;
	struct haul_dgram *hd;
	unsigned int best, score;
	struct sock *found;
	bool any = haul_dgram_any(local);

	do {
		best = 0;
		found = NULL;
		hlist_nulls_for_each_entry_rcu(hd, node, &haul_dgram_by_addr[slot].chain,
					       addr_node) {
			its = haul_dgram_local(&hd->inet.sk);
			if (any ? !haul_dgram_any(&its) : !ipv6_addr_equal(&its, local))
				continue;
			score = haul_dgram_score(&hd->inet.sk, key, dif, sdif);
			if (score > best) {
				best = score;
				found = &hd->inet.sk;
			}
		}
		/* ended in another chain: the socket walked over has moved */
	} while (get_nulls_value(node) != slot);
	return found;
}

/*
 * One of an SO_REUSEPORT group: by its BPF program, else by a hash of the flow. One that is
 * connected was found for its peer.
 */
static struct sock *haul_dgram_choose(struct sock *sk, const struct haul_flow_key *key,
				      struct sk_buff *skb, u32 hdrlen)
{
	struct sock *chosen;
	u32 hash;

	if (!sk || !sk->sk_reuseport || sk->sk_state == TCP_ESTABLISHED)
		return sk;
	hash = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), haul_dgram_seed);
	chosen = reuseport_select_sock(sk, hash, skb, hdrlen);
	if (IS_ERR(chosen))
		return NULL;		/* the program says: nobody */
	return chosen ?: sk;
}

/**
 * haul_dgram_lookup - who is a datagram for?
 * @key:	the datagram's, IPv4 addresses mapped
 * @dif:	index of the device it came in by, the VRF's when that is enslaved
 * @sdif:	index of the enslaved device, or 0
 * @skb:	the datagram, data at the Haul header, for BPF; or NULL
 * @hdrlen:	bytes of Haul header
 *
 * Who is bound to the very address comes before who takes any. Context: RCU; any.
 * Return: the socket, without a reference; NULL: nobody
 */
struct sock *haul_dgram_lookup(const struct haul_flow_key *key, int dif, int sdif,
			       struct sk_buff *skb, u32 hdrlen)
{
	struct sock *sk = haul_dgram_best(key, &key->local, dif, sdif);

	if (!sk)
		sk = haul_dgram_best(key, &in6addr_any, dif, sdif);
	return haul_dgram_choose(sk, key, skb, hdrlen);
}

/* not for another address, peer, device or IP version */
static bool haul_dgram_receives(const struct sock *sk, const struct haul_flow_key *key, int dif,
				int sdif)
{
	struct in6_addr local = haul_dgram_local(sk);
	bool peer;

	if (!haul_dgram_takes_family(sk, ipv6_addr_v4mapped(&key->local)) ||
	    haul_dgram_foreign(sk, key, &peer))
		return false;
	if (!haul_dgram_any(&local) && !ipv6_addr_equal(&local, &key->local))
		return false;
	return inet_sk_bound_dev_eq(key->net, READ_ONCE(sk->sk_bound_dev_if), dif, sdif);
}

/**
 * haul_dgram_each_receiver - calls a function for every socket that a multicast may be for
 * @key:	its flow
 * @dif:	index of the device it came in by, the VRF's when that is enslaved
 * @sdif:	index of the enslaved device, or 0
 * @fn:		may not sleep
 * @arg:	for @fn
 *
 * One that binds anew meanwhile may be called twice, and make that others are not. Context: RCU,
 * softirq or process.
 */
void haul_dgram_each_receiver(const struct haul_flow_key *key, int dif, int sdif,
			      void (*fn)(struct sock *sk, void *arg), void *arg)
{
	u16 number = ntohs(key->lport);
	const struct haul_dgram_bucket *b = haul_dgram_port_bucket(key->net, number);
	const struct hlist_nulls_node *node;
	struct sock *sk;

	sk_nulls_for_each_rcu(sk, node, &b->chain) {
		if (haul_dgram_has_port(sk, key->net, number) &&
		    haul_dgram_receives(sk, key, dif, sdif))
			fn(sk, arg);
	}
}
