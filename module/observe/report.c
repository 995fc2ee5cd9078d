// SPDX-License-Identifier: GPL-2.0
/*
 * One socket, half-open connection or remnant as a message of uapi/linux/haul_diag.h: in answer to
 * a request (diag.c), and unasked, when a socket is destroyed.
 */
#include <linux/cgroup.h>
#include <linux/sock_diag.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "../haul.h"
#include "../conn/conn.h"
#include "../dgram/dgram.h"
#include "../ip/ip.h"
#include "../sock/sock.h"
#include "observe.h"

/* ---------------------------------------------------------------- the message's head */

/* ms until @at, both in us */
static u32 haul_report_until(u64 at, u64 now)
{
	return at > now ? min_t(u64, DIV_ROUND_UP_ULL(at - now, USEC_PER_MSEC), U32_MAX) : 0;
}

/**
 * haul_flow_cookie - what tells a socket from all others of the same addresses
 * @flow:	in the roll
 *
 * A socket's is SO_COOKIE's. What is no socket has none: its number in the roll does, which a
 * connection does not change and no other of the same key gets; the highest bit is set in none of
 * the kernel's.
 *
 * Context: any; a lock or a reference that keeps the owner. Return: the cookie, never U64_MAX
 */
u64 haul_flow_cookie(struct haul_flow *flow)
{
	u32 halves[2];

	if (flow->owner == HAUL_OWNER_SOCK)
		sock_diag_save_cookie(haul_sock_sk(haul_flow_sock(flow)), halves);
	else if (flow->owner == HAUL_OWNER_DGRAM)
		sock_diag_save_cookie(&haul_flow_dgram(flow)->inet.sk, halves);
	else
		return flow->number | BIT_ULL(63);
	return (u64)halves[1] << 32 | halves[0];
}

/**
 * haul_flow_dev - the device that a flow is bound to
 * @flow:	in the roll
 *
 * Context: any; a lock or a reference that keeps the owner. Return: its index, 0: any
 */
int haul_flow_dev(struct haul_flow *flow)
{
	if (flow->owner == HAUL_OWNER_DGRAM)
		return READ_ONCE(haul_flow_dgram(flow)->inet.sk.sk_bound_dev_if);
	return flow->dev;
}

/* @key: the flow's, or what stands for it */
static void haul_report_head(struct haul_diag_msg *m, struct haul_flow *flow,
			     const struct haul_flow_key *key)
{
	u64 cookie = haul_flow_cookie(flow);

	memset(m, 0, sizeof(*m));
	m->family = haul_family;
	m->kind = key->kind;
	m->id.sport = key->lport;
	m->id.dport = key->rport;
	memcpy(m->id.src, &key->local, sizeof(m->id.src));
	memcpy(m->id.dst, &key->remote, sizeof(m->id.dst));
	m->id.dev = haul_flow_dev(flow);
	m->id.cookie[0] = (u32)cookie;
	m->id.cookie[1] = (u32)(cookie >> 32);
}

/* The first that runs is told: those that may end a connection, then the ones that repair it. */
static const struct {
	u8	deadline;
	u8	timer;
} haul_report_timers[] = {
	{ HAUL_DL_RETRANSMIT,	HAUL_DIAG_TIMER_RETRANSMIT },
	{ HAUL_DL_PERSIST,	HAUL_DIAG_TIMER_PERSIST },
	{ HAUL_DL_FIN_WAIT_2,	HAUL_DIAG_TIMER_FIN_WAIT_2 },
	{ HAUL_DL_PROBE,	HAUL_DIAG_TIMER_PROBE },
	{ HAUL_DL_REORDER,	HAUL_DIAG_TIMER_REORDER },
	{ HAUL_DL_KEEPALIVE,	HAUL_DIAG_TIMER_KEEPALIVE },
	{ HAUL_DL_DELACK,	HAUL_DIAG_TIMER_DELACK },
};

static void haul_report_timer(struct haul_diag_msg *m, const struct haul_sock *hs)
{
	u64 now = haul_now_us();
	enum haul_deadline d;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(haul_report_timers); i++) {
		d = haul_report_timers[i].deadline;
		if (!haul_timer_pending(hs, d))
			continue;
		m->timer = haul_report_timers[i].timer;
		m->expires = haul_report_until(now + haul_timer_left(hs, d, now), now);
		if (m->timer == HAUL_DIAG_TIMER_RETRANSMIT)
			m->retrans = hs->retransmits;
		else if (m->timer == HAUL_DIAG_TIMER_PERSIST ||
			 m->timer == HAUL_DIAG_TIMER_KEEPALIVE)
			m->retrans = hs->probes_out;
		return;
	}
}

/**
 * haul_sock_queues - what waits in a socket
 * @sk:		in any state
 * @inq:	bytes to read, of which a FIN is one; a listener's connections to accept
 * @outq:	bytes not acknowledged; a listener's backlog
 *
 * Context: any. Without the socket lock it is a glance, not a snapshot.
 */
void haul_sock_queues(const struct sock *sk, u32 *inq, u32 *outq)
{
	const struct haul_sock *hs = haul_sk(sk);
	s32 out;

	if (inet_sk_state_load(sk) == HAUL_LISTEN) {
		*inq = READ_ONCE(sk->sk_ack_backlog);
		*outq = READ_ONCE(sk->sk_max_ack_backlog);
		return;
	}
	out = READ_ONCE(hs->write_seq) - READ_ONCE(hs->snd.una);
	*inq = haul_sock_unread(sk);
	*outq = max(out, 0);
}

/**
 * haul_dgram_queues - what waits in a datagram socket
 * @sk:		the socket
 * @inq:	bytes of memory of the datagrams to read, as UDP tells it
 * @outq:	the same of those that are on their way to the device
 *
 * Any context.
 */
void haul_dgram_queues(const struct sock *sk, u32 *inq, u32 *outq)
{
	*inq = sk_rmem_alloc_get(sk);
	*outq = sk_wmem_alloc_get(sk);
}

/* what every full socket's head says. Socket lock */
static void haul_report_program(struct haul_diag_msg *m, struct sock *sk,
				struct user_namespace *user_ns)
{
	m->net = sk->sk_family;
	m->state = sk->sk_state;
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		m->flags |= HAUL_DIAG_SHUT_RD;
	if (sk->sk_shutdown & SEND_SHUTDOWN)
		m->flags |= HAUL_DIAG_SHUT_WR;
	if (ipv6_only_sock(sk))
		m->flags |= HAUL_DIAG_V6ONLY;
	if (!sk->sk_socket)
		m->flags |= HAUL_DIAG_ORPHAN;
	m->uid = from_kuid_munged(user_ns, sk_uid(sk));
	m->inode = sock_i_ino(sk);
}

/* socket lock */
static void haul_report_sock_head(struct haul_diag_msg *m, struct sock *sk,
				  struct user_namespace *user_ns)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_report_head(m, &hs->flow, &hs->flow.key);
	haul_report_program(m, sk, user_ns);
	haul_report_timer(m, hs);
	haul_sock_queues(sk, &m->rqueue, &m->wqueue);
}

/* socket lock */
static void haul_report_dgram_head(struct haul_diag_msg *m, struct sock *sk,
				   struct user_namespace *user_ns)
{
	struct haul_flow_key key;

	haul_dgram_sock_key(sk, &key);
	haul_report_head(m, &haul_dgram(sk)->flow, &key);
	haul_report_program(m, sk, user_ns);
	haul_dgram_queues(sk, &m->rqueue, &m->wqueue);
}

static void haul_report_request_head(struct haul_diag_msg *m, struct haul_request *req,
				     struct user_namespace *user_ns)
{
	long left = READ_ONCE(req->timer.expires) - jiffies;

	haul_report_head(m, &req->flow, &req->flow.key);
	m->net = req->listener->sk_family;
	m->state = HAUL_SYN_RECEIVED;
	m->timer = HAUL_DIAG_TIMER_RETRANSMIT;
	m->retrans = READ_ONCE(req->retries);
	m->expires = left > 0 ? jiffies_to_msecs(left) : 0;
	m->flags = HAUL_DIAG_ORPHAN;
	m->uid = from_kuid_munged(user_ns, sk_uid(req->listener));
}

static void haul_report_remnant_head(struct haul_diag_msg *m, struct haul_remnant *rem,
				     struct user_namespace *user_ns)
{
	long left = READ_ONCE(rem->timer.expires) - jiffies;

	haul_report_head(m, &rem->flow, &rem->flow.key);
	m->net = rem->family;
	m->state = HAUL_TIME_WAIT;
	m->timer = HAUL_DIAG_TIMER_TIME_WAIT;
	m->expires = left > 0 ? jiffies_to_msecs(left) : 0;
	m->flags = HAUL_DIAG_ORPHAN;
	m->uid = from_kuid_munged(user_ns, rem->uid);
}

/* ---------------------------------------------------------------- attributes */

static int haul_report_info(struct sk_buff *skb, struct sock *sk)
{
	struct nlattr *attr;

	/* a multiple of 8 by its fields, put where they are aligned */
	attr = nla_reserve_64bit(skb, HAUL_DIAG_INFO, sizeof(struct haul_info), HAUL_DIAG_PAD);
	if (!attr)
		return -EMSGSIZE;
	haul_sock_info(sk, nla_data(attr));
	return 0;
}

static int haul_report_options(struct sk_buff *skb, const struct sock *sk)
{
	if (nla_put_u8(skb, HAUL_DIAG_TOS, READ_ONCE(inet_sk(sk)->tos)))
		return -EMSGSIZE;
	if (sk->sk_family == AF_INET6 && nla_put_u8(skb, HAUL_DIAG_TCLASS, inet6_sk(sk)->tclass))
		return -EMSGSIZE;
#ifdef CONFIG_SOCK_CGROUP_DATA
	if (nla_put_u64_64bit(skb, HAUL_DIAG_CGROUP_ID,
			      cgroup_id(sock_cgroup_ptr((struct sock_cgroup_data *)
							&sk->sk_cgrp_data)), HAUL_DIAG_PAD))
		return -EMSGSIZE;
#endif
	return 0;
}

/* what every full socket has. Socket lock */
static int haul_report_attrs(struct sk_buff *skb, struct sock *sk, u32 show, bool net_admin)
{
	if (haul_report_options(skb, sk) ||
	    (net_admin && nla_put_u32(skb, HAUL_DIAG_MARK, READ_ONCE(sk->sk_mark))))
		return -EMSGSIZE;
	if ((show & HAUL_DIAG_SHOW_MEMINFO) && sock_diag_put_meminfo(sk, skb, HAUL_DIAG_MEMINFO))
		return -EMSGSIZE;
	return 0;
}

/* socket lock */
static int haul_report_sock_attrs(struct sk_buff *skb, struct sock *sk, u32 show, bool net_admin)
{
	const struct haul_cc_ops *cc = haul_sk(sk)->snd.cc;

	if (haul_report_attrs(skb, sk, show, net_admin) ||
	    (cc && nla_put_string(skb, HAUL_DIAG_CONGESTION, cc->name)))
		return -EMSGSIZE;
	return show & HAUL_DIAG_SHOW_INFO ? haul_report_info(skb, sk) : 0;
}

static int haul_report_mark(struct sk_buff *skb, const struct haul_report *to, u32 mark)
{
	return to->net_admin ? nla_put_u32(skb, HAUL_DIAG_MARK, mark) : 0;
}

/**
 * haul_report_size - bytes that one report takes at most
 *
 * Return: for nlmsg_new(), genlmsg_new()
 */
size_t haul_report_size(void)
{
	return NLMSG_ALIGN(sizeof(struct haul_diag_msg)) +
	       nla_total_size(sizeof(struct haul_diag_msg)) +
	       nla_total_size_64bit(sizeof(struct haul_info)) +
	       nla_total_size(SK_MEMINFO_VARS * sizeof(u32)) +
	       nla_total_size(HAUL_CC_NAME_MAX) +
	       2 * nla_total_size(sizeof(u8)) + nla_total_size(sizeof(u32)) +
	       nla_total_size_64bit(sizeof(u64));
}

/* ---------------------------------------------------------------- an answer */

static bool haul_report_wanted(const struct haul_diag_msg *m, const struct haul_diag_req *req)
{
	return (req->states & HAUL_STATE_BIT(m->state)) && (!req->net || req->net == m->net) &&
	       (!req->kind || req->kind == m->kind);
}

static int haul_report_request(struct sk_buff *skb, struct haul_diag_msg *m,
			       struct haul_request *req, const struct haul_report *to)
{
	haul_report_request_head(m, req, to->user_ns);
	if (!haul_report_wanted(m, &to->req))
		return -ENOENT;
	return haul_report_mark(skb, to, req->mark);
}

static int haul_report_remnant(struct sk_buff *skb, struct haul_diag_msg *m,
			       struct haul_remnant *rem, const struct haul_report *to)
{
	haul_report_remnant_head(m, rem, to->user_ns);
	if (!haul_report_wanted(m, &to->req))
		return -ENOENT;
	return haul_report_mark(skb, to, rem->mark);
}

/* With the socket lock: what is told was true at one moment. */
static int haul_report_sock(struct sk_buff *skb, struct haul_diag_msg *m, struct haul_sock *hs,
			    const struct haul_report *to)
{
	struct sock *sk = haul_sock_sk(hs);
	bool slow = lock_sock_fast(sk);
	int err = -ENOENT;

	/* not if it has left meanwhile */
	if (!hlist_unhashed(&hs->flow.roll)) {
		haul_report_sock_head(m, sk, to->user_ns);
		if (haul_report_wanted(m, &to->req))
			err = haul_report_sock_attrs(skb, sk, to->req.show, to->net_admin);
	}
	unlock_sock_fast(sk, slow);
	return err;
}

/* the same of a datagram socket, which has neither controller nor haul_info */
static int haul_report_dgram(struct sk_buff *skb, struct haul_diag_msg *m, struct haul_dgram *hd,
			     const struct haul_report *to)
{
	struct sock *sk = &hd->inet.sk;
	bool slow = lock_sock_fast(sk);
	int err = -ENOENT;

	if (!hlist_unhashed(&hd->flow.roll)) {
		haul_report_dgram_head(m, sk, to->user_ns);
		if (haul_report_wanted(m, &to->req))
			err = haul_report_attrs(skb, sk, to->req.show, to->net_admin);
	}
	unlock_sock_fast(sk, slow);
	return err;
}

static int haul_report_body(struct sk_buff *skb, struct haul_diag_msg *m, struct haul_flow *flow,
			    const struct haul_report *to)
{
	switch (flow->owner) {
	case HAUL_OWNER_REQUEST:
		return haul_report_request(skb, m, haul_flow_request(flow), to);
	case HAUL_OWNER_REMNANT:
		return haul_report_remnant(skb, m, haul_flow_remnant(flow), to);
	case HAUL_OWNER_DGRAM:
		return haul_report_dgram(skb, m, haul_flow_dgram(flow), to);
	default:
		return haul_report_sock(skb, m, haul_flow_sock(flow), to);
	}
}

/**
 * haul_report_flow - a message about one flow
 * @skb:	to append it to
 * @flow:	with a reference
 * @to:		what was asked for, and by whom
 * @flags:	NLM_F_MULTI or 0
 *
 * Takes the socket lock. May sleep.
 * Return: 0; -ENOENT: not asked for, or gone meanwhile; -EMSGSIZE: no room. @skb is then as it was
 */
int haul_report_flow(struct sk_buff *skb, struct haul_flow *flow, const struct haul_report *to,
		     u16 flags)
{
	struct nlmsghdr *nlh;
	int err;

	nlh = nlmsg_put(skb, to->portid, to->seq, SOCK_DIAG_BY_FAMILY, sizeof(struct haul_diag_msg),
			flags);
	if (!nlh)
		return -EMSGSIZE;
	err = haul_report_body(skb, nlmsg_data(nlh), flow, to);
	if (err)
		nlmsg_cancel(skb, nlh);
	else
		nlmsg_end(skb, nlh);
	return err;
}

/* ---------------------------------------------------------------- unasked */

static const struct genl_multicast_group haul_report_groups[] = {
	{ .name = HAUL_DIAG_GENL_GROUP },
};

static struct genl_family haul_report_family __ro_after_init = {
	.name		= HAUL_DIAG_GENL_NAME,
	.version	= HAUL_DIAG_GENL_VERSION,
	.maxattr	= HAUL_DIAG_MAX,
	.netnsok	= true,
	.module		= THIS_MODULE,
	.mcgrps		= haul_report_groups,
	.n_mcgrps	= ARRAY_SIZE(haul_report_groups),
};

static int haul_report_last_words(struct sk_buff *skb, struct haul_diag_msg *m, struct sock *sk,
				  const struct haul_flow *flow)
{
	struct user_namespace *user_ns = sock_net(sk)->user_ns;

	if (flow->owner == HAUL_OWNER_DGRAM) {
		haul_report_dgram_head(m, sk, user_ns);
		return haul_report_attrs(skb, sk, HAUL_DIAG_SHOW_ALL, false);
	}
	haul_report_sock_head(m, sk, user_ns);
	return haul_report_sock_attrs(skb, sk, HAUL_DIAG_SHOW_ALL, false);
}

static int haul_report_gone(struct sk_buff *skb, struct sock *sk, const struct haul_flow *flow)
{
	struct nlattr *attr;
	void *head;

	head = genlmsg_put(skb, 0, 0, &haul_report_family, 0, HAUL_DIAG_CMD_DESTROYED);
	attr = nla_reserve(skb, HAUL_DIAG_MSG, sizeof(struct haul_diag_msg));
	if (!head || !attr)
		return -EMSGSIZE;
	if (haul_report_last_words(skb, nla_data(attr), sk, flow))
		return -EMSGSIZE;
	genlmsg_end(skb, head);
	return 0;
}

/**
 * haul_report_destroyed - tells who listens that a socket is no more
 * @sk:		its lock is held; nothing of it has been given back yet
 * @flow:	its
 *
 * Nobody waits for who does not read: such a one sees ENOBUFS. Any context.
 */
void haul_report_destroyed(struct sock *sk, const struct haul_flow *flow)
{
	struct net *net = sock_net(sk);
	struct sk_buff *skb;

	haul_assert_locked(sk);
	if (!flow->number)		/* it was never seen */
		return;
	if (!genl_has_listeners(&haul_report_family, net, 0))
		return;
	skb = genlmsg_new(haul_report_size(), GFP_ATOMIC);
	if (!skb)
		return;
	if (haul_report_gone(skb, sk, flow))
		nlmsg_free(skb);
	else
		genlmsg_multicast_netns(&haul_report_family, net, skb, 0, 0, GFP_ATOMIC);
}

/**
 * haul_report_init - the generic netlink family
 *
 * May sleep. Return: 0 or -errno
 */
int haul_report_init(void)
{
	return genl_register_family(&haul_report_family);
}

/**
 * haul_report_exit - undoes haul_report_init()
 *
 * May sleep.
 */
void haul_report_exit(void)
{
	genl_unregister_family(&haul_report_family);
}
