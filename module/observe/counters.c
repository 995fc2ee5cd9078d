// SPDX-License-Identifier: GPL-2.0
/*
 * Counting events and drops; a namespace's counters, settings and files as one.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>

#include "../haul.h"
#include "observe.h"
#include "trace.h"

/**
 * haul_count_add - counts @n events
 * @net:	namespace that they happened in
 * @counter:	which
 * @n:		how many
 *
 * Any context.
 */
void haul_count_add(const struct net *net, enum haul_counter counter, unsigned long n)
{
	this_cpu_add(haul_pernet(net)->mib->mibs[counter], n);
}

/**
 * haul_count - counts one event
 * @net:	namespace that it happened in
 * @counter:	which
 *
 * Any context.
 */
void haul_count(const struct net *net, enum haul_counter counter)
{
	haul_count_add(net, counter, 1);
}

/*
 * The kernel's word for each reason, for its drop monitors. Those that it calls TCP's are RFC
 * 9293's rules, which are ours, too; the subsystems that may register words of their own are
 * numbered by the kernel. Every one is there from 6.1 on.
 */
static const u16 haul_drop_reasons[HAUL_NUM_COUNTERS] = {
	[HAUL_CNT_DROP_SHORT]		= SKB_DROP_REASON_PKT_TOO_SMALL,
	[HAUL_CNT_DROP_CHECKSUM]	= SKB_DROP_REASON_SKB_CSUM,
	[HAUL_CNT_DROP_VERSION]		= SKB_DROP_REASON_UNHANDLED_PROTO,
	[HAUL_CNT_DROP_KIND]		= SKB_DROP_REASON_UNHANDLED_PROTO,
	[HAUL_CNT_DROP_HEADER]		= SKB_DROP_REASON_HDR_TRUNC,
	[HAUL_CNT_DROP_FLAGS]		= SKB_DROP_REASON_TCP_FLAGS,
	[HAUL_CNT_DROP_OPTION]		= SKB_DROP_REASON_HDR_TRUNC,
	[HAUL_CNT_DROP_PORT]		= SKB_DROP_REASON_NO_SOCKET,
	[HAUL_CNT_DROP_ADDRESS]		= SKB_DROP_REASON_IP_INADDRERRORS,
	[HAUL_CNT_DROP_POLICY]		= SKB_DROP_REASON_XFRM_POLICY,
	[HAUL_CNT_DROP_FILTER]		= SKB_DROP_REASON_SOCKET_FILTER,
	[HAUL_CNT_DROP_NO_FLOW]		= SKB_DROP_REASON_NO_SOCKET,
	[HAUL_CNT_DROP_BACKLOG]		= SKB_DROP_REASON_SOCKET_BACKLOG,
	[HAUL_CNT_DROP_TAG]		= SKB_DROP_REASON_TCP_INVALID_SEQUENCE,
	[HAUL_CNT_DROP_PAWS]		= SKB_DROP_REASON_TCP_RFC7323_PAWS,
	[HAUL_CNT_DROP_SEQUENCE]	= SKB_DROP_REASON_TCP_INVALID_SEQUENCE,
	[HAUL_CNT_DROP_ACK]		= SKB_DROP_REASON_TCP_ACK_UNSENT_DATA,
	[HAUL_CNT_DROP_NO_ACK]		= SKB_DROP_REASON_TCP_FLAGS,
	[HAUL_CNT_DROP_SYN]		= SKB_DROP_REASON_TCP_INVALID_SYN,
	[HAUL_CNT_DROP_NO_INIT]		= SKB_DROP_REASON_TCP_INVALID_SYN,
	[HAUL_CNT_DROP_RST]		= SKB_DROP_REASON_TCP_RESET,
	[HAUL_CNT_DROP_STATE]		= SKB_DROP_REASON_TCP_CLOSE,
	[HAUL_CNT_DROP_DUPLICATE]	= SKB_DROP_REASON_TCP_OLD_DATA,
	[HAUL_CNT_DROP_WINDOW]		= SKB_DROP_REASON_TCP_OVERWINDOW,
	[HAUL_CNT_DROP_MEMORY]		= SKB_DROP_REASON_PROTO_MEM,
	[HAUL_CNT_DROP_CLOSED]		= SKB_DROP_REASON_TCP_CLOSE,
	[HAUL_CNT_DROP_ACCEPT_FULL]	= SKB_DROP_REASON_SOCKET_BACKLOG,
	[HAUL_CNT_DROP_REQUEST_FULL]	= SKB_DROP_REASON_SOCKET_BACKLOG,
	[HAUL_CNT_DROP_CHILD]		= SKB_DROP_REASON_NOMEM,
	[HAUL_CNT_DROP_NO_PORT]		= SKB_DROP_REASON_NO_SOCKET,
	[HAUL_CNT_DROP_NO_MEMBER]	= SKB_DROP_REASON_NO_SOCKET,
	[HAUL_CNT_DROP_RCVBUF]		= SKB_DROP_REASON_SOCKET_RCVBUFF,
};

/* 0 is no reason: the counter is too new for the table */
static enum skb_drop_reason haul_drop_reason(enum haul_counter why)
{
	return haul_drop_reasons[why] ?: SKB_DROP_REASON_NOT_SPECIFIED;
}

/**
 * haul_drop - throws a packet away, counted under its reason
 * @net:	namespace that it came in
 * @skb:	the packet; freed
 * @why:	HAUL_CNT_DROP_*
 *
 * Any context.
 */
void haul_drop(const struct net *net, struct sk_buff *skb, enum haul_counter why)
{
	haul_count(net, why);
	trace_haul_drop(net, skb, why);
	kfree_skb_reason(skb, haul_drop_reason(why));
}

/**
 * haul_counter_read - a counter's value, summed over the processors
 * @net:	namespace
 * @counter:	which
 *
 * Any context. Not exact while others count.
 * Return: events since the namespace began
 */
unsigned long haul_counter_read(const struct net *net, enum haul_counter counter)
{
	const struct haul_net *hn = haul_pernet(net);
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(hn->mib, cpu)->mibs[counter];
	return sum;
}

/**
 * haul_observe_net_init - a namespace's settings, counters, files
 * @net:	the new namespace
 *
 * May sleep. Return: 0 or -ENOMEM
 */
int haul_observe_net_init(struct net *net)
{
	struct haul_net *hn = haul_pernet(net);
	int err = -ENOMEM;

	atomic_set(&hn->num_remnants, 0);
	hn->mib = alloc_percpu(struct haul_mib);
	if (!hn->mib)
		return -ENOMEM;
	err = haul_sysctl_net_init(net);
	if (err)
		goto free_mib;
	err = haul_proc_net_init(net);
	if (err)
		goto stop_sysctl;
	return 0;

stop_sysctl:
	haul_sysctl_net_exit(net);
free_mib:
	free_percpu(hn->mib);
	return err;
}

/**
 * haul_observe_net_exit - undoes haul_observe_net_init()
 * @net:	the namespace that ends; nothing counts in it any more
 *
 * May sleep.
 */
void haul_observe_net_exit(struct net *net)
{
	haul_proc_net_exit(net);
	haul_sysctl_net_exit(net);
	free_percpu(haul_pernet(net)->mib);
}
