// SPDX-License-Identifier: GPL-2.0
/*
 * Who may share a local port: the kernel's rules for TCP (SO_REUSEADDR, SO_REUSEPORT, addresses,
 * IPV6_V6ONLY, devices), with what each owner claims spelt out first.
 */
#include <net/l3mdev.h>
#include <net/sock_reuseport.h>
#include "ports.h"

static void haul_claim_address(struct haul_claim *c, const struct in6_addr *addr, bool v6only)
{
	c->addr4 = 0;
	c->addr6 = in6addr_any;
	c->v4 = !v6only;
	c->v6 = true;
	if (ipv6_addr_v4mapped(addr)) {
		c->v4 = true;
		c->v6 = false;
		c->addr4 = addr->s6_addr32[3];
	} else if (!ipv6_addr_any(addr)) {
		c->v4 = false;
		c->addr6 = *addr;
	}
}

/**
 * haul_claim_sock - what a bound socket wants
 * @c:		to fill
 * @sk:		the socket
 *
 * Context: socket lock, bucket's lock, or RCU (it may change meanwhile then).
 */
void haul_claim_sock(struct haul_claim *c, const struct sock *sk)
{
	struct in6_addr mapped;

	if (sk->sk_family == AF_INET6) {
		haul_claim_address(c, &sk->sk_v6_rcv_saddr, sk->sk_ipv6only);
	} else {
		ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &mapped);
		haul_claim_address(c, &mapped, false);
	}
	c->reuse = sk->sk_reuse;
	c->reuseport = sk->sk_reuseport;
	c->listening = !sk_unhashed(sk);
	c->remnant = false;
	c->dev = READ_ONCE(sk->sk_bound_dev_if);
	c->uid = sk_uid(sk);
}

/**
 * haul_claim_newcomer - what a socket wants that comes to a port
 * @c:		to fill
 * @sk:		the socket; its lock is held
 */
void haul_claim_newcomer(struct haul_claim *c, const struct sock *sk)
{
	haul_claim_sock(c, sk);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		c->reuseport = false;
}

/* bucket's lock */
static void haul_claim_owner(struct haul_claim *c, const struct haul_port_ref *ref)
{
	const struct haul_remnant *rem;

	if (haul_port_ref_flow(ref)->owner == HAUL_OWNER_SOCK) {
		haul_claim_sock(c, &container_of(ref, struct haul_sock, port)->inet.sk);
		return;
	}
	rem = container_of(ref, struct haul_remnant, port);
	haul_claim_address(c, &rem->flow.key.local, rem->v6only);
	c->reuse = rem->reuse;
	c->reuseport = rem->reuseport;
	c->listening = false;
	c->remnant = true;
	c->dev = rem->flow.dev;
	c->uid = rem->uid;
}

/*
 * May one packet come by both devices? A VRF is a world of its own, unless the administrator says
 * otherwise.
 */
static bool haul_claim_devs_overlap(struct net *net, int a, int b)
{
	if (a == b)
		return true;
	if (a && b)
		return false;
	/*
	 * net.ipv4.tcp_l3mdev_accept, asked the only way that is there without VRF support in the
	 * kernel, too
	 */
	return inet_sk_bound_dev_eq(net, 0, 0, 1) || !l3mdev_master_ifindex_by_index(net, a ?: b);
}

/* is there an address that both take packets to? */
static bool haul_claim_addrs_overlap(const struct haul_claim *a, const struct haul_claim *b)
{
	if (a->v4 && b->v4 && (!a->addr4 || !b->addr4 || a->addr4 == b->addr4))
		return true;
	return a->v6 && b->v6 && (ipv6_addr_any(&a->addr6) || ipv6_addr_any(&b->addr6) ||
				  ipv6_addr_equal(&a->addr6, &b->addr6));
}

/*
 * Where claims overlap, two may share a port when both set SO_REUSEADDR and the one that is there
 * does not listen, or when both set SO_REUSEPORT and are the same user's.
 */
static bool haul_claims_exclude(const struct haul_claim *new, const struct haul_claim *old)
{
	if (new->reuse && old->reuse && !old->listening)
		return false;
	return !new->reuseport || !old->reuseport || (!old->remnant && !uid_eq(new->uid, old->uid));
}

/**
 * haul_claim_conflict - may @claim not come to a port?
 * @port:	the port
 * @claim:	the newcomer's
 * @self:	NULL, or the newcomer's own hold on the port
 * @strict:	share it with nobody: the system chooses
 *
 * Context: bucket's lock. Return: true if an owner is in the way
 */
bool haul_claim_conflict(const struct haul_port *port, const struct haul_claim *claim,
			 const struct haul_port_ref *self, bool strict)
{
	const struct haul_port_ref *ref;
	struct haul_claim old;

	hlist_for_each_entry(ref, &port->owners, node) {
		if (ref == self)
			continue;
		haul_claim_owner(&old, ref);
		if (haul_claim_addrs_overlap(claim, &old) &&
		    haul_claim_devs_overlap(port->net, claim->dev, old.dev) &&
		    (strict || haul_claims_exclude(claim, &old)))
			return true;
	}
	return false;
}
