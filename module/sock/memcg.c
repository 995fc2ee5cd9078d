// SPDX-License-Identifier: GPL-2.0
/*
 * The memory cgroup of an accepted connection. A socket that a program opens belongs to the
 * program's cgroup from sk_alloc() on; one that came to be in a softirq belongs to nobody until
 * accept(). What accept() does for TCP is inside of inet_csk_accept() and not exported; from 6.18
 * on inet_accept() does it for every protocol.
 */
#include <linux/memcontrol.h>
#include "sock.h"

#ifdef HAUL_MEMCG_ACCEPTS

static bool haul_memcg_counts_sockets(const struct mem_cgroup *memcg)
{
	return cgroup_subsys_on_dfl(memory_cgrp_subsys) || haul_memcg_v1_counts(memcg);
}

/* The caller's, with a reference; NULL: the root's, which counts nothing, or none that counts */
static struct mem_cgroup *haul_memcg_get(void)
{
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	if (memcg && (!memcg->css.parent || !haul_memcg_counts_sockets(memcg) ||
		      !css_tryget(&memcg->css)))
		memcg = NULL;
	rcu_read_unlock();
	return memcg;
}

/*
 * What the connection has been granted already is charged. There is no way to charge the cgroup
 * alone: the same is granted once more, and what is too much is given back on nobody's account.
 * Socket lock. false: the cgroup is full, and killing somebody did not help
 */
static bool haul_memcg_charge(struct sock *sk, struct mem_cgroup *memcg)
{
	int pages = sk_mem_pages(sk->sk_forward_alloc + atomic_read(&sk->sk_rmem_alloc) +
				 sk->sk_wmem_queued);
	bool charged;

	sk->sk_memcg = memcg;
	if (!pages)
		return true;
	charged = __sk_mem_schedule(sk, pages << PAGE_SHIFT, SK_MEM_RECV);
	sk->sk_memcg = NULL;
	if (charged) {
		__sk_mem_reclaim(sk, pages << PAGE_SHIFT);
		sk->sk_memcg = memcg;
	}
	return charged;
}

/**
 * haul_memcg_accept - from here on a connection's memory is the caller's cgroup's
 * @sk:	the connection, which nobody else has yet
 *
 * Takes the socket's lock; may sleep. Where the cgroup has no room for what waits to be read, the
 * connection stays nobody's.
 */
void haul_memcg_accept(struct sock *sk)
{
	struct mem_cgroup *memcg;

	if (!mem_cgroup_sockets_enabled)
		return;
	lock_sock(sk);
	memcg = sk->sk_memcg ? NULL : haul_memcg_get();
	if (memcg && !haul_memcg_charge(sk, memcg))
		css_put(&memcg->css);
	release_sock(sk);
}

#endif /* HAUL_MEMCG_ACCEPTS */
