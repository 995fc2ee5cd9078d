// SPDX-License-Identifier: GPL-2.0
/*
 * One to many: a datagram to a group or to everybody, for each socket that takes it. Whether a
 * socket does, its memberships say, and the sources that it let in or kept out (RFC 3376, 3810).
 * They are read here because the kernel's own readers are not for modules.
 */
#include <linux/igmp.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/ipv6.h>

#include "dgram.h"

/* ---------------------------------------------------------------- does a socket want it? */

static bool haul_source4_listed(const struct ip_sf_socklist *list, __be32 source)
{
	unsigned int i;

	for (i = 0; list && i < list->sl_count; i++)
		if (list->sl_addr[i] == source)
			return true;
	return false;
}

/* the sources that a membership names are those let in, or those kept out */
static bool haul_source_wanted(unsigned int mode, bool listed)
{
	return mode == MCAST_INCLUDE ? listed : !listed;
}

/* RCU */
static bool haul_multicast4_wanted(const struct sock *sk, __be32 group, __be32 source, int dif,
				   int sdif)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ip_mc_socklist *m;

	if (!ipv4_is_multicast(group))
		return true;			/* a broadcast */
	for (m = rcu_dereference(inet->mc_list); m; m = rcu_dereference(m->next_rcu)) {
		int ifindex = m->multi.imr_ifindex;

		if (m->multi.imr_multiaddr.s_addr == group &&
		    (ifindex == dif || (sdif && ifindex == sdif)))
			return haul_source_wanted(m->sfmode,
						  haul_source4_listed(rcu_dereference(m->sflist),
								      source));
	}
	/* no member: what others on this host have joined, too, but for IP_MULTICAST_ALL 0 */
	return haul_inet_flag(sk, mc_all, MC_ALL);
}

static bool haul_source6_listed(const struct ip6_sf_socklist *list, const struct in6_addr *source)
{
	unsigned int i;

	for (i = 0; list && i < list->sl_count; i++)
		if (ipv6_addr_equal(&list->sl_addr[i], source))
			return true;
	return false;
}

/* RCU */
static bool haul_multicast6_wanted(const struct sock *sk, const struct in6_addr *group,
				   const struct in6_addr *source)
{
	const struct ipv6_mc_socklist *m;

	for (m = rcu_dereference(inet6_sk(sk)->ipv6_mc_list); m; m = rcu_dereference(m->next))
		if (ipv6_addr_equal(&m->addr, group))
			return haul_source_wanted(m->sfmode,
						  haul_source6_listed(rcu_dereference(m->sflist),
								      source));
	return haul_inet6_flag(sk, mc_all, MC6_ALL);
}

/* ---------------------------------------------------------------- to all that do */

struct haul_multicast {
	const struct haul_flow_key	*key;
	const struct haul_arrival	*in;
	struct sk_buff			*skb;
	struct sock			*last;	/* gets the packet itself, the others copies */
	u32				hdrlen;
};

static bool haul_multicast_wanted(const struct sock *sk, const struct haul_multicast *m)
{
	const struct haul_flow_key *key = m->key;

	if (ipv6_addr_v4mapped(&key->local))
		return haul_multicast4_wanted(sk, key->local.s6_addr32[3],
					      key->remote.s6_addr32[3], m->in->dif, m->in->sdif);
	return haul_multicast6_wanted(sk, &key->local, &key->remote);
}

static void haul_multicast_copy(struct sock *sk, struct haul_multicast *m)
{
	struct sk_buff *copy = skb_clone(m->skb, GFP_ATOMIC);

	if (copy) {
		haul_dgram_deliver(sk, copy, m->hdrlen);
	} else {
		haul_sk_dropped(sk, m->skb);
		haul_count(sock_net(sk), HAUL_CNT_DGRAM_COPY_FAILED);
	}
}

static void haul_multicast_to(struct sock *sk, void *arg)
{
	struct haul_multicast *m = arg;

	if (!haul_multicast_wanted(sk, m))
		return;
	if (m->last)
		haul_multicast_copy(m->last, m);
	m->last = sk;
}

/**
 * haul_dgram_multicast - a datagram to more than one
 * @skb:	data at the Haul header; consumed
 * @key:	its flow
 * @p:		what the header says
 * @in:		what IP knows of it
 *
 * One that nobody wants is never answered (RFC 1122 3.2.2). Context: softirq, RCU.
 */
void haul_dgram_multicast(struct sk_buff *skb, const struct haul_flow_key *key,
			  const struct haul_packet *p, const struct haul_arrival *in)
{
	struct haul_multicast m = { .key = key, .in = in, .skb = skb, .hdrlen = p->hdrlen };

	haul_dgram_each_receiver(key, in->dif, in->sdif, haul_multicast_to, &m);
	if (m.last)
		haul_dgram_deliver(m.last, skb, p->hdrlen);
	else
		haul_drop(key->net, skb, HAUL_CNT_DROP_NO_MEMBER);
}
