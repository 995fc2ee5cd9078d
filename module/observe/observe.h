/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of observe/ give each other and main.c; counters.h is what the rest of the module
 * uses.
 */
#ifndef HAUL_OBSERVE_OBSERVE_H
#define HAUL_OBSERVE_OBSERVE_H

#include <linux/haul_diag.h>
#include "counters.h"

struct haul_flow;
struct sk_buff;
struct sock;
struct user_namespace;

/* --- counters.c --- */
unsigned long haul_counter_read(const struct net *net, enum haul_counter counter);

/* --- proc.c --- */
int haul_proc_net_init(struct net *net);
void haul_proc_net_exit(struct net *net);

/* --- sysctl.c --- */
int haul_sysctl_net_init(struct net *net);
void haul_sysctl_net_exit(struct net *net);

/* --- diag.c: haulss's requests --- */
int haul_diag_init(void);
void haul_diag_exit(void);

/* --- report.c: one socket, as a netlink message --- */
/**
 * struct haul_report - who is told what
 * @req:	what was asked for: kind, net, states of who is told about, attributes
 * @portid:	his address
 * @seq:	number of his request
 * @user_ns:	of whom is told: user ids are as he knows them
 * @net_admin:	he may know what CAP_NET_ADMIN may
 */
struct haul_report {
	struct haul_diag_req	req;
	u32			portid;
	u32			seq;
	struct user_namespace	*user_ns;
	bool			net_admin;
};

/* 0; -ENOENT: not asked for, or gone; -EMSGSIZE: no room. Takes the socket lock; may sleep */
int haul_report_flow(struct sk_buff *skb, struct haul_flow *flow, const struct haul_report *to,
		     u16 flags);
/* what tells a socket from all others of the same addresses. Any context */
u64 haul_flow_cookie(struct haul_flow *flow);
/* index of the device that it is bound to, or 0. Any context */
int haul_flow_dev(struct haul_flow *flow);
/* what waits in a socket; a glance, without the socket lock */
void haul_sock_queues(const struct sock *sk, u32 *inq, u32 *outq);
void haul_dgram_queues(const struct sock *sk, u32 *inq, u32 *outq);
/* bytes that one report takes at most */
size_t haul_report_size(void);
int haul_report_init(void);
void haul_report_exit(void);

#endif /* HAUL_OBSERVE_OBSERVE_H */
