// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of congestion controllers: who is there, by which name, from which module. The
 * controllers themselves are in core/ or in modules of their own. A socket that uses one holds a
 * reference on its module.
 */
#include <linux/capability.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "conn.h"

/**
 * struct haul_cc_entry - a controller
 * @node:	in haul_cc_list
 * @ops:	it
 * @owner:	its module; NULL: Haul itself
 * @key:	what a route calls it (haul_cong_route())
 */
struct haul_cc_entry {
	struct list_head		node;
	const struct haul_cc_ops	*ops;
	struct module			*owner;
	u32				key;
};

static LIST_HEAD(haul_cc_list);
static DEFINE_SPINLOCK(haul_cc_lock);	/* writers of the list */

/* RCU read lock or haul_cc_lock */
static struct haul_cc_entry *haul_cc_find(const char *name)
{
	struct haul_cc_entry *entry;

	list_for_each_entry_rcu(entry, &haul_cc_list, node, lockdep_is_held(&haul_cc_lock))
		if (!strcmp(entry->ops->name, name))
			return entry;
	return NULL;
}

static struct haul_cc_entry *haul_cc_find_ops(const struct haul_cc_ops *ops)
{
	struct haul_cc_entry *entry;

	list_for_each_entry_rcu(entry, &haul_cc_list, node, lockdep_is_held(&haul_cc_lock))
		if (entry->ops == ops)
			return entry;
	return NULL;
}

static struct haul_cc_entry *haul_cc_find_key(u32 key)
{
	struct haul_cc_entry *entry;

	list_for_each_entry_rcu(entry, &haul_cc_list, node, lockdep_is_held(&haul_cc_lock))
		if (entry->key == key)
			return entry;
	return NULL;
}

/*
 * The kernel's TCP gives each of its controllers a number, which a route then carries: a hash of
 * the name, in the 16 bytes that a name has there and here. So the same name has the same number.
 */
static u32 haul_cc_key(const struct haul_cc_ops *ops)
{
	return jhash(ops->name, sizeof(ops->name), strlen(ops->name));
}

/**
 * haul_cc_register - offer a controller
 * @ops:	stays valid until haul_cc_unregister() returns; the name's unused bytes are 0
 * @owner:	module that it lives in (THIS_MODULE); NULL: Haul's own
 *
 * From then on it can be chosen: by HAUL_CONGESTION, by net.haul.congestion_control, by a route.
 * Each socket and each namespace that did holds a reference on @owner.
 *
 * Context: process. Return: 0; -EINVAL: a hook is missing; -EEXIST: the name is taken; -ENOMEM.
 */
int haul_cc_register(const struct haul_cc_ops *ops, struct module *owner)
{
	size_t len = strnlen(ops->name, sizeof(ops->name));
	struct haul_cc_entry *entry;
	int err = 0;

	if (!len || len == sizeof(ops->name) || !ops->init || !ops->ack || !ops->reduce ||
	    !ops->timeout)
		return -EINVAL;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->ops = ops;
	entry->owner = owner;
	entry->key = haul_cc_key(ops);

	spin_lock(&haul_cc_lock);
	if (haul_cc_find(ops->name))
		err = -EEXIST;
	else
		list_add_tail_rcu(&entry->node, &haul_cc_list);
	spin_unlock(&haul_cc_lock);
	if (err)
		kfree(entry);
	return err;
}
EXPORT_SYMBOL_GPL(haul_cc_register);

/**
 * haul_cc_unregister - take a controller back, from its module's exit: no socket uses it any more
 * @ops:	as registered
 *
 * Context: process, may sleep.
 */
void haul_cc_unregister(const struct haul_cc_ops *ops)
{
	struct haul_cc_entry *entry;

	spin_lock(&haul_cc_lock);
	entry = haul_cc_find_ops(ops);
	if (entry)
		list_del_rcu(&entry->node);
	spin_unlock(&haul_cc_lock);
	if (entry) {
		/* a reader may hold @ops still; the module goes after this returns */
		synchronize_rcu();
		kfree(entry);
	}
}
EXPORT_SYMBOL_GPL(haul_cc_unregister);

/**
 * haul_cc_get - a controller by name
 * @name:	as HAUL_CONGESTION takes it
 *
 * Context: any. Return: it, with a reference on its module for haul_cc_put(); NULL: none of that
 * name.
 */
const struct haul_cc_ops *haul_cc_get(const char *name)
{
	const struct haul_cc_ops *ops = NULL;
	struct haul_cc_entry *entry;

	rcu_read_lock();
	entry = haul_cc_find(name);
	if (entry && try_module_get(entry->owner))
		ops = entry->ops;
	rcu_read_unlock();
	return ops;
}

/* one more reference on the module of @ops; false: it is leaving */
static bool haul_cc_hold(const struct haul_cc_ops *ops)
{
	struct haul_cc_entry *entry;
	bool held;

	rcu_read_lock();
	entry = haul_cc_find_ops(ops);
	held = entry && try_module_get(entry->owner);
	rcu_read_unlock();
	return held;
}

/**
 * haul_cc_put - give back what haul_cc_get() took
 * @ops:	it, or NULL
 *
 * Context: any.
 */
void haul_cc_put(const struct haul_cc_ops *ops)
{
	struct haul_cc_entry *entry;

	if (!ops)
		return;
	rcu_read_lock();
	entry = haul_cc_find_ops(ops);
	if (entry)
		module_put(entry->owner);
	rcu_read_unlock();
}

/**
 * haul_cc_available - names of all controllers, separated by spaces
 * @buf:	to write to
 * @len:	bytes in it
 *
 * Context: any. Return: bytes written, without the terminating zero; what does not fit is left out.
 */
size_t haul_cc_available(char *buf, size_t len)
{
	struct haul_cc_entry *entry;
	size_t at = 0;

	if (len)
		buf[0] = '\0';
	rcu_read_lock();
	list_for_each_entry_rcu(entry, &haul_cc_list, node)
		at += scnprintf(buf + at, len - at, "%s%s", at ? " " : "", entry->ops->name);
	rcu_read_unlock();
	return at;
}

/*
 * @sk is @ops' from now on (haul_sock.now), whose module is held; false: it needs memory that is
 * not there, and nothing has changed. Socket lock, or nobody else sees it.
 */
static bool haul_cong_change(struct sock *sk, const struct haul_cc_ops *ops, gfp_t gfp)
{
	struct haul_sender *snd = &haul_sk(sk)->snd;
	void *more = NULL, *old = haul_sender_more(snd);

	if (ops->more) {
		more = kmalloc(ops->more, gfp | __GFP_NOWARN);
		if (unlikely(!more))
			return false;
	}
	haul_sender_set_cc(snd, ops, more, haul_sk(sk)->now);
	kfree(old);
	haul_pace_want(sk);
	return true;
}

static void haul_cong_take(struct sock *sk, const struct haul_cc_ops *ops, gfp_t gfp)
{
	if (ops && haul_cc_hold(ops)) {
		if (haul_cong_change(sk, ops, gfp))
			return;
		haul_cc_put(ops);
	}
	/* Reno has no module to hold, and needs no memory: it is always there to fall back on */
	haul_cong_change(sk, &haul_cc_reno, gfp);
}

/**
 * haul_cong_init_sock - the namespace's default controller for a new socket
 * @sk:	the socket, which has none
 */
void haul_cong_init_sock(struct sock *sk)
{
	haul_cong_take(sk, READ_ONCE(haul_pernet(sock_net(sk))->cc), GFP_KERNEL_ACCOUNT);
}

/**
 * haul_cong_inherit - the listener's controller for a child
 * @child:	has none
 * @listener:	its lock is held
 */
void haul_cong_inherit(struct sock *child, const struct sock *listener)
{
	haul_cong_take(child, haul_sk(listener)->snd.cc, GFP_ATOMIC);
}

/**
 * haul_cong_route - the route's controller (ip route ... congctl NAME), if it names one
 * @sk:		a connection that begins; its lock is held
 * @dst:	its route
 *
 * It goes before what program and namespace chose, as on TCP. A name that TCP knows and Haul does
 * not changes nothing, and neither does one that there is no memory for.
 */
void haul_cong_route(struct sock *sk, const struct dst_entry *dst)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_cc_ops *ops = NULL, *old = hs->snd.cc;
	u32 key = dst ? dst_metric(dst, RTAX_CC_ALGO) : 0;
	struct haul_cc_entry *entry;

	if (likely(!key))
		return;
	rcu_read_lock();
	entry = haul_cc_find_key(key);
	if (entry && try_module_get(entry->owner))
		ops = entry->ops;
	rcu_read_unlock();
	if (ops)
		haul_cc_put(haul_cong_change(sk, ops, GFP_ATOMIC) ? old : ops);
}

/**
 * haul_cong_restart - the sending half as at the beginning, with the controller that it has
 * @sk:		a connection that begins, or a socket whose connection is over; its lock is held
 * @iss:	ISS
 */
void haul_cong_restart(struct sock *sk, u32 iss)
{
	struct haul_sender *snd = &haul_sk(sk)->snd;
	const struct haul_cc_ops *cc = snd->cc;
	void *more = haul_sender_more(snd);

	haul_conn_init_sender(haul_sk(sk), iss);
	haul_sender_set_cc(snd, cc, more, haul_sk(sk)->now);
}

/**
 * haul_cong_set - HAUL_CONGESTION
 * @sk:		the socket; its lock is held
 * @name:	zero-terminated
 *
 * Return: 0; -ENOENT: no such controller; -EPERM: not for this user; -ENOMEM.
 */
int haul_cong_set(struct sock *sk, const char *name)
{
	struct haul_sock *hs = haul_sk(sk);
	const struct haul_cc_ops *ops = haul_cc_get(name), *old = hs->snd.cc;

	haul_assert_locked(sk);
	if (!ops)
		return -ENOENT;
	if ((ops->flags & HAUL_CC_RESTRICTED) &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN)) {
		haul_cc_put(ops);
		return -EPERM;
	}
	haul_clock(hs);
	if (!haul_cong_change(sk, ops, GFP_KERNEL_ACCOUNT)) {
		haul_cc_put(ops);
		return -ENOMEM;
	}
	haul_cc_put(old);
	return 0;
}

/**
 * haul_cong_release - the socket is going: its controller's module may go, too
 * @sk:	the socket; its lock is held, or nobody else sees it
 */
void haul_cong_release(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	kfree(haul_sender_more(&hs->snd));
	haul_cc_put(hs->snd.cc);
	hs->snd.cc = NULL;
}
