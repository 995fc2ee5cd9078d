// SPDX-License-Identifier: GPL-2.0
/*
 * sock_diag for Haul: dumps of all sockets, one socket, and closing one, as uapi/linux/haul_diag.h
 * has them. Addresses and ports are compared by who asks: a message is a few hundred bytes, and an
 * expression is his to evaluate.
 */
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/netlink.h>

#include "../haul.h"
#include "../conn/conn.h"
#include "../dgram/dgram.h"
#include "../ip/roll.h"
#include "observe.h"

/* bytes of one message of a dump, at least: few system calls for many sockets */
#define HAUL_DIAG_DUMP_SIZE	32768

/* ---------------------------------------------------------------- requests */

/* true: it is a request that we know all of */
static bool haul_diag_request_valid(const struct nlmsghdr *nlh)
{
	const struct haul_diag_req *req = nlmsg_data(nlh);

	if (nlmsg_len(nlh) != sizeof(*req) || req->protocol || req->kind > HAUL_KIND_DATAGRAM ||
	    (req->show & ~HAUL_DIAG_SHOW_ALL))
		return false;
	return !req->net || req->net == AF_INET || req->net == AF_INET6;
}

/* @request: the packet that the request came in */
static void haul_diag_report_to(struct haul_report *to, const struct nlmsghdr *nlh,
				const struct sk_buff *request)
{
	to->req = *(const struct haul_diag_req *)nlmsg_data(nlh);
	to->portid = NETLINK_CB(request).portid;
	to->seq = nlh->nlmsg_seq;
	to->user_ns = sk_user_ns(NETLINK_CB(request).sk);
	to->net_admin = netlink_net_capable(request, CAP_NET_ADMIN);
}

/* ---------------------------------------------------------------- one socket */

static u64 haul_diag_cookie(const struct haul_diag_id *id)
{
	return (u64)id->cookie[1] << 32 | id->cookie[0];
}

/* Is it the one that was named? The roll's chain's lock, or the port's. */
static bool haul_diag_is(struct haul_flow *flow, const void *arg)
{
	const struct haul_diag_id *id = arg;
	u64 cookie = haul_diag_cookie(id);

	if (cookie == U64_MAX)
		return haul_flow_dev(flow) == id->dev;
	return cookie == haul_flow_cookie(flow);
}

/* With a reference, or NULL */
static struct haul_flow *haul_diag_find(struct net *net, const struct haul_diag_req *req)
{
	struct haul_flow_key key = {
		.net	= net,
		.lport	= req->id.sport,
		.rport	= req->id.dport,
		.kind	= req->kind,
	};

	memcpy(&key.local, req->id.src, sizeof(key.local));
	memcpy(&key.remote, req->id.dst, sizeof(key.remote));
	if (req->kind == HAUL_KIND_DATAGRAM)
		return haul_dgram_find(&key, haul_diag_is, &req->id);
	return haul_roll_find(&key, haul_diag_is, &req->id);
}

static int haul_diag_one(struct net *net, struct sk_buff *in, struct nlmsghdr *nlh)
{
	struct haul_report to;
	struct haul_flow *flow;
	struct sk_buff *skb;
	int err = -ENOMEM;

	haul_diag_report_to(&to, nlh, in);
	flow = haul_diag_find(net, &to.req);
	if (!flow)
		return -ENOENT;
	/* whatever state it is in */
	to.req.states = ~0U;
	to.req.net = 0;
	skb = nlmsg_new(haul_report_size(), GFP_KERNEL);
	if (skb)
		err = haul_report_flow(skb, flow, &to, 0);
	haul_flow_put(flow);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	return nlmsg_unicast(net->diag_nlsk, skb, to.portid);
}

/* ---------------------------------------------------------------- a dump */

/* what is kept between two messages of a dump, in cb->ctx */
struct haul_diag_walk {
	struct haul_roll_cursor	at;
};

static int haul_diag_dump_start(struct netlink_callback *cb)
{
	struct haul_diag_walk *walk = (void *)cb->ctx;

	BUILD_BUG_ON(sizeof(*walk) > sizeof(cb->ctx));
	walk->at = HAUL_ROLL_START;
	return 0;
}

/* As many as go into @skb. No lock is held from one socket to the next. */
static int haul_diag_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct haul_diag_walk *walk = (void *)cb->ctx;
	struct haul_roll_cursor at = walk->at;
	struct haul_report to;
	struct haul_flow *flow;
	int err;

	haul_diag_report_to(&to, cb->nlh, cb->skb);
	while ((flow = haul_roll_next(sock_net(skb->sk), &at))) {
		err = haul_report_flow(skb, flow, &to, NLM_F_MULTI);
		haul_flow_put(flow);
		if (err == -EMSGSIZE)		/* the next message begins with it */
			break;
		walk->at = at;
		cond_resched();
	}
	return skb->len;
}

static int haul_diag_get(struct sk_buff *in, struct nlmsghdr *nlh)
{
	struct net *net = sock_net(in->sk);
	struct netlink_dump_control control = {
		.start		= haul_diag_dump_start,
		.dump		= haul_diag_dump,
		.min_dump_alloc	= HAUL_DIAG_DUMP_SIZE,
	};

	if (!haul_diag_request_valid(nlh))
		return -EINVAL;
	if (nlh->nlmsg_flags & NLM_F_DUMP)
		return netlink_dump_start(net->diag_nlsk, in, nlh, &control);
	return haul_diag_one(net, in, nlh);
}

/* ---------------------------------------------------------------- closing one */

/* @req's listener holds the list that it is in */
static int haul_diag_drop_request(struct haul_request *req)
{
	struct sock *listener = req->listener;

	lock_sock(listener);
	local_bh_disable();
	haul_request_drop(req);
	local_bh_enable();
	release_sock(listener);
	return 0;
}

static int haul_diag_close(struct haul_flow *flow)
{
	switch (flow->owner) {
	case HAUL_OWNER_REQUEST:
		return haul_diag_drop_request(haul_flow_request(flow));
	case HAUL_OWNER_REMNANT:
		haul_remnant_drop(haul_flow_remnant(flow));
		return 0;
	case HAUL_OWNER_DGRAM:
		return sock_diag_destroy(&haul_flow_dgram(flow)->inet.sk, ECONNABORTED);
	default:
		return sock_diag_destroy(haul_sock_sk(haul_flow_sock(flow)), ECONNABORTED);
	}
}

static int haul_diag_destroy(struct sk_buff *in, struct nlmsghdr *nlh)
{
	struct haul_flow *flow;
	int err;

	if (!netlink_net_capable(in, CAP_NET_ADMIN))
		return -EPERM;
	if (!haul_diag_request_valid(nlh))
		return -EINVAL;
	flow = haul_diag_find(sock_net(in->sk), nlmsg_data(nlh));
	if (!flow)
		return -ENOENT;
	err = haul_diag_close(flow);
	haul_flow_put(flow);
	return err;
}

/* ---------------------------------------------------------------- module */

static struct sock_diag_handler haul_diag_handler = {
	.owner		= THIS_MODULE,
	.dump		= haul_diag_get,
	.destroy	= haul_diag_destroy,
};

/**
 * haul_diag_init - answers who asks for sockets
 *
 * May sleep. Return: 0 or -errno
 */
int haul_diag_init(void)
{
	int err;

	haul_diag_handler.family = haul_family;
	err = haul_report_init();
	if (err)
		return err;
	err = sock_diag_register(&haul_diag_handler);
	if (err)
		haul_report_exit();
	return err;
}

/**
 * haul_diag_exit - undoes haul_diag_init()
 *
 * May sleep: waits for who is being answered.
 */
void haul_diag_exit(void)
{
	sock_diag_unregister(&haul_diag_handler);
	haul_report_exit();
}
