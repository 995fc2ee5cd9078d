// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6: a datagram goes out. ip6_append_data() cuts it into packets as it copies; the socket lock
 * is held for it.
 */
#include <linux/module.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/transp_v6.h>

#include "dgram.h"

/**
 * struct haul_dgram_out6 - an IPv6 datagram on its way out
 * @fl6:	addresses, ports, device, flow label
 * @ipc6:	hop limit, traffic class, extension headers
 * @opt_space:	what @ipc6's headers are put together in
 * @held:	the socket's extension headers, when they are used; holds a reference
 * @label:	the flow label's lease; holds a reference
 * @dst:	where it goes; holds a reference
 * @connected:	to the socket's peer, by the socket's own route
 */
struct haul_dgram_out6 {
	struct flowi6		fl6;
	struct ipcm6_cookie	ipc6;
	struct ipv6_txoptions	opt_space;
	struct ipv6_txoptions	*held;
	struct ip6_flowlabel	*label;
	struct dst_entry	*dst;
	bool			connected;
};

static void haul_send6_put(struct haul_dgram_out6 *o)
{
	dst_release(o->dst);
	fl6_sock_release(o->label);
	txopt_put(o->held);
}

/* ---------------------------------------------------------------- where to */

/* the lease of the flow label that is in the flow. 0 or -EINVAL: it is another's */
static int haul_send6_label(struct sock *sk, struct haul_dgram_out6 *o)
{
	struct ip6_flowlabel *label;

	if (o->label || !(o->fl6.flowlabel & IPV6_FLOWLABEL_MASK))
		return 0;
	label = fl6_sock_lookup(sk, o->fl6.flowlabel);
	if (IS_ERR(label))
		return -EINVAL;
	o->label = label;
	return 0;
}

static int haul_send6_named(struct sock *sk, const struct msghdr *msg, struct haul_dgram_out6 *o)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;
	int err;

	if (!sin6->sin6_port)
		return -EINVAL;
	o->fl6.fl6_dport = sin6->sin6_port;
	o->fl6.daddr = sin6->sin6_addr;
	if (haul_inet6_flag(sk, sndflow, SNDFLOW)) {
		o->fl6.flowlabel = sin6->sin6_flowinfo & IPV6_FLOWINFO_MASK;
		err = haul_send6_label(sk, o);
		if (err)
			return err;
	}
	if (msg->msg_namelen >= (int)sizeof(*sin6) && sin6->sin6_scope_id &&
	    __ipv6_addr_needs_scope_id(__ipv6_addr_type(&sin6->sin6_addr)))
		o->fl6.flowi6_oif = sin6->sin6_scope_id;
	return 0;
}

static int haul_send6_dest(struct sock *sk, const struct msghdr *msg, struct haul_dgram_out6 *o)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	int err = 0;

	if (msg->msg_name) {
		err = haul_send6_named(sk, msg, o);
	} else if (sk->sk_state != TCP_ESTABLISHED) {
		err = -EDESTADDRREQ;
	} else {
		o->fl6.fl6_dport = inet_sk(sk)->inet_dport;
		o->fl6.daddr = sk->sk_v6_daddr;
		o->fl6.flowlabel = np->flow_label;
		o->connected = true;
	}
	if (!o->fl6.flowi6_oif)
		o->fl6.flowi6_oif = READ_ONCE(sk->sk_bound_dev_if);
	if (!o->fl6.flowi6_oif)
		o->fl6.flowi6_oif = np->sticky_pktinfo.ipi6_ifindex;
	return err;
}

/* Control messages, and the extension headers that come of them, of the socket and of the label. */
static int haul_send6_control(struct sock *sk, struct msghdr *msg, struct haul_dgram_out6 *o)
{
	struct ipv6_txoptions *opt = NULL;
	int err;

	if (msg->msg_controllen) {
		opt = &o->opt_space;
		memset(opt, 0, sizeof(*opt));
		opt->tot_len = sizeof(*opt);
		o->ipc6.opt = opt;
		err = haul_dgram_control_check(msg, &o->ipc6.gso_size);
		if (err > 0) {
			err = ip6_datagram_send_ctl(sock_net(sk), sk, msg, &o->fl6, &o->ipc6)
				?: haul_send6_label(sk, o);
			o->connected = false;
		}
		if (err)
			return err;
		if (!(opt->opt_nflen | opt->opt_flen))
			opt = NULL;
	}
	if (!opt) {
		o->held = txopt_get(inet6_sk(sk));
		opt = o->held;
	}
	if (o->label)
		opt = fl6_merge_options(&o->opt_space, o->label, opt);
	o->ipc6.opt = ipv6_fixup_options(&o->opt_space, opt);
	return 0;
}

/* The cgroup's BPF programs may send it elsewhere. */
static int haul_send6_bpf(struct sock *sk, struct msghdr *msg, struct haul_dgram_out6 *o)
{
	struct sockaddr_in6 *sin6 = msg->msg_name;
	int err, len = sizeof(*sin6);

	if (!cgroup_bpf_enabled(CGROUP_UDP6_SENDMSG) || o->connected)
		return 0;
	err = haul_bpf_sendmsg6(sk, sin6, len, &o->fl6.saddr);
	if (err || !sin6)
		return err;
	if (ipv6_addr_v4mapped(&sin6->sin6_addr))
		return -ENETUNREACH;		/* it goes by IPv6 already */
	if (!sin6->sin6_port)
		return -EINVAL;
	o->fl6.fl6_dport = sin6->sin6_port;
	o->fl6.daddr = sin6->sin6_addr;
	return 0;
}

/* the rest of the flow, once it is known who it goes to */
static void haul_send6_flow(struct sock *sk, struct haul_dgram_out6 *o)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct flowi6 *fl6 = &o->fl6;

	if (ipv6_addr_any(&fl6->daddr))
		fl6->daddr.s6_addr[15] = 1;	/* :: is this host, as in connect() */
	if (!fl6->flowi6_oif && ipv6_addr_is_multicast(&fl6->daddr)) {
		fl6->flowi6_oif = READ_ONCE(np->mcast_oif);
		o->connected = false;
	} else if (!fl6->flowi6_oif) {
		fl6->flowi6_oif = READ_ONCE(np->ucast_oif);
	}
	fl6->flowi6_proto = sk->sk_protocol;
	fl6->flowi6_mark = o->ipc6.sockc.mark;
	fl6->flowi6_uid = sk_uid(sk);
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
	if (o->ipc6.tclass < 0)
		o->ipc6.tclass = np->tclass;
	fl6->flowlabel = ip6_make_flowinfo(o->ipc6.tclass, fl6->flowlabel);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
}

static int haul_send6_route(struct sock *sk, struct haul_dgram_out6 *o)
{
	struct in6_addr *final, behind;

	final = fl6_update_dst(&o->fl6, o->ipc6.opt, &behind);
	if (final)
		o->connected = false;
	if (o->connected) {
		o->dst = haul_dgram_route(sk, AF_INET6, inet6_sk(sk)->dst_cookie);
		if (o->dst)
			return 0;
	}
	o->dst = ip6_dst_lookup_flow(sock_net(sk), sk, &o->fl6, final);
	if (IS_ERR(o->dst)) {
		int err = PTR_ERR(o->dst);

		o->dst = NULL;
		return err;
	}
	if (o->connected)
		haul_ip6_dst_store(sk, dst_clone(o->dst));
	return 0;
}

/* Everything that can be said before the payload is looked at. */
static int haul_send6_prepare(struct sock *sk, struct msghdr *msg, struct haul_dgram_out6 *o)
{
	int err;

	memset(&o->fl6, 0, sizeof(o->fl6));
	haul_ipcm6_init(&o->ipc6, sk);
	o->ipc6.gso_size = READ_ONCE(haul_dgram(sk)->segment);
	o->held = NULL;
	o->label = NULL;
	o->dst = NULL;
	o->connected = false;

	err = haul_send6_dest(sk, msg, o) ?: haul_send6_control(sk, msg, o);
	if (err)
		return err;
	if (ipv6_addr_any(&o->fl6.saddr) && !ipv6_addr_any(&inet6_sk(sk)->saddr))
		o->fl6.saddr = inet6_sk(sk)->saddr;
	err = haul_send6_bpf(sk, msg, o);
	if (err)
		return err;
	haul_send6_flow(sk, o);
	err = haul_send6_route(sk, o);
	if (!err && o->ipc6.hlimit < 0)
		o->ipc6.hlimit = ip6_sk_dst_hoplimit(inet6_sk(sk), &o->fl6, o->dst);
	return err;
}

/* ---------------------------------------------------------------- putting it together */

/* copies payload, and sums it in passing: into skb->csum, at whatever offset */
static int haul_send6_getfrag(void *from, char *to, int offset, int len, int odd,
			      struct sk_buff *skb)
{
	struct msghdr *msg = from;
	__wsum sum = 0;

	if (!csum_and_copy_from_iter_full(to, len, &sum, &msg->msg_iter))
		return -EFAULT;
	skb->csum = csum_block_add(skb->csum, sum, odd);
	return 0;
}

/* the same without a sum: it is made of each datagram when they are cut */
static int haul_send6_getfrag_unsummed(void *from, char *to, int offset, int len, int odd,
				       struct sk_buff *skb)
{
	struct msghdr *msg = from;

	return copy_from_iter_full(to, len, &msg->msg_iter) ? 0 : -EFAULT;
}

static void haul_send6_flush(struct sock *sk)
{
	struct haul_dgram *hd = haul_dgram(sk);

	ip6_flush_pending_frames(sk);
	WRITE_ONCE(hd->pending, 0);
	hd->pending_len = 0;
}

/* The checksum of a datagram that IP has cut as it copied. */
static void haul_send6_sum(struct sock *sk, struct haulhdr *h)
{
	__wsum sum = csum_partial(h, HAUL_DGRAM_HDR, 0);
	struct sk_buff *skb;

	/* IP cuts at multiples of 8: each part's sum begins with an even byte */
	skb_queue_walk(&sk->sk_write_queue, skb) {
		sum = csum_add(sum, skb->csum);
		skb->ip_summed = CHECKSUM_NONE;
	}
	h->check = csum_fold(sum);
}

/* With UDP_SEGMENT it is one buffer, whose payload nobody has summed. 0 or -errno */
static int haul_send6_segment(struct sock *sk, struct sk_buff *skb, struct haulhdr *h)
{
	const struct inet_cork *cork = &inet_sk(sk)->cork.base;
	u32 headers = skb_transport_offset(skb) + HAUL_DGRAM_HDR;
	u32 payload = skb->len - headers;
	int err;

	err = haul_dgram_segments_check(payload, cork->gso_size, headers, cork->fragsize);
	if (err)
		return err;
	if (payload > cork->gso_size) {
		haul_offload_datagrams(skb, h, payload, cork->gso_size);
		return 0;
	}
	h->check = csum_fold(skb_checksum(skb, skb_transport_offset(skb), payload + HAUL_DGRAM_HDR,
					  0));
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

/* @first: of what is corked */
static int haul_send6_push(struct sock *sk, struct sk_buff *first)
{
	struct haulhdr *h = (struct haulhdr *)skb_transport_header(first);
	unsigned int segs;
	int err = 0;

	haul_dgram_header(h, inet_sk(sk)->inet_sport, inet_sk(sk)->cork.fl.u.ip6.fl6_dport);
	if (inet_sk(sk)->cork.base.gso_size)
		err = haul_send6_segment(sk, first, h);
	else
		haul_send6_sum(sk, h);
	if (err) {
		ip6_flush_pending_frames(sk);
		return err;
	}
	segs = haul_skb_segs(first);
	return haul_dgram_sent(sk, ip6_push_pending_frames(sk), segs);
}

/**
 * haul_dgram_push6 - sends what is corked
 * @sk:		something of IPv6 is corked
 *
 * Context: socket lock. Return: 0 or -errno
 */
int haul_dgram_push6(struct sock *sk)
{
	struct haul_dgram *hd = haul_dgram(sk);
	struct sk_buff *first = skb_peek(&sk->sk_write_queue);
	int err = 0;

	if (first)
		err = haul_send6_push(sk, first);
	WRITE_ONCE(hd->pending, 0);
	hd->pending_len = 0;
	return err;
}

/*
 * IPV6_DONTFRAG is left to the transport by ip6_append_data(), which looks at it for UDP and its
 * like only.
 */
static int haul_send6_fits(struct sock *sk, const struct haul_dgram_out6 *o, size_t len)
{
	const struct ipv6_txoptions *opt = o->ipc6.opt;
	u32 mtu, headers = sizeof(struct ipv6hdr);
	bool dontfrag = o->ipc6.dontfrag;

	if (o->ipc6.dontfrag < 0)
		dontfrag = haul_inet6_flag(sk, dontfrag, DONTFRAG);
	if (!dontfrag || o->ipc6.gso_size)	/* that is for what it is cut into */
		return 0;
	if (opt)
		headers += opt->opt_flen + opt->opt_nflen;
	mtu = inet6_sk(sk)->pmtudisc >= IPV6_PMTUDISC_PROBE ? READ_ONCE(o->dst->dev->mtu) :
							      dst_mtu(o->dst);
	if (len + headers <= mtu)
		return 0;
	haul_dgram_too_big6(sk, &o->fl6, mtu);
	return -EMSGSIZE;
}

/* Socket lock; @o is of no importance when something is corked already. */
static int haul_send6_append(struct sock *sk, struct msghdr *msg, size_t len,
			     struct haul_dgram_out6 *o, bool more)
{
	struct haul_dgram *hd = haul_dgram(sk);
	unsigned int flags = msg->msg_flags & ~(MSG_ZEROCOPY | MSG_SPLICE_PAGES);
	u16 segment = inet_sk(sk)->cork.base.gso_size;
	struct ubuf_info *uarg;
	size_t total = len + (hd->pending ? 0 : HAUL_DGRAM_HDR);
	int err = haul_dgram_pages_begin(sk, msg, total, &uarg);

	if (err)
		return err;
	if (!hd->pending) {
		hd->cork.dport = o->fl6.fl6_dport;
		segment = o->ipc6.gso_size;
	}
	WRITE_ONCE(hd->pending, AF_INET6);
	hd->pending_len += total;
	err = ip6_append_data(sk, segment ? haul_send6_getfrag_unsummed : haul_send6_getfrag, msg,
			      total, HAUL_DGRAM_HDR, &o->ipc6, &o->fl6, (struct rt6_info *)o->dst,
			      more ? flags | MSG_MORE : flags);
	haul_dgram_pages_copied(msg, uarg, err);
	if (err)
		haul_send6_flush(sk);
	else if (!more)
		err = haul_dgram_push6(sk);
	return err;
}

/* ---------------------------------------------------------------- the call */

/* False: nothing is corked. *@err: what became of it otherwise */
static bool haul_send6_pending(struct sock *sk, struct msghdr *msg, size_t len, bool more,
			       struct haul_dgram_out6 *o, int *err)
{
	struct haul_dgram *hd = haul_dgram(sk);
	bool pending;

	if (!READ_ONCE(hd->pending))
		return false;
	haul_ipcm6_init(&o->ipc6, sk);
	o->dst = NULL;
	lock_sock(sk);
	pending = hd->pending;
	if (pending)
		*err = hd->pending == AF_INET6 ? haul_send6_append(sk, msg, len, o, more) :
						 -EAFNOSUPPORT;
	release_sock(sk);
	return pending;
}

static int haul_send6_new(struct sock *sk, struct msghdr *msg, size_t len, bool more,
			  struct haul_dgram_out6 *o)
{
	int err = haul_send6_fits(sk, o, HAUL_DGRAM_HDR + len);

	if (err)
		return err;
	if (msg->msg_flags & MSG_CONFIRM) {
		if (msg->msg_flags & MSG_PROBE)
			dst_confirm_neigh(o->dst, &o->fl6.daddr);
		else
			dst_confirm(o->dst);
		if ((msg->msg_flags & MSG_PROBE) && !len)
			return 0;
	}
	lock_sock(sk);
	/* another thread was faster */
	err = haul_dgram(sk)->pending ? -EINVAL : haul_send6_append(sk, msg, len, o, more);
	release_sock(sk);
	return err;
}

static int haul_send6(struct sock *sk, struct msghdr *msg, size_t len)
{
	bool more = READ_ONCE(haul_dgram(sk)->corked) || (msg->msg_flags & MSG_MORE);
	struct haul_dgram_out6 o;
	int err;

	if (len > INT_MAX - HAUL_DGRAM_HDR)
		return -EMSGSIZE;
	if (haul_send6_pending(sk, msg, len, more, &o, &err))
		return err ?: len;
	err = haul_send6_prepare(sk, msg, &o) ?: haul_send6_new(sk, msg, len, more, &o);
	haul_send6_put(&o);
	return err ?: len;
}

/* By IPv4 to @sin; NULL: to what @msg names, or the socket's peer */
static int haul_send6_by4(struct sock *sk, struct msghdr *msg, size_t len, struct sockaddr_in *sin)
{
	void *name = msg->msg_name;
	int err, namelen = msg->msg_namelen;

	if (ipv6_only_sock(sk))
		return -ENETUNREACH;
	if (sin) {
		msg->msg_name = sin;
		msg->msg_namelen = sizeof(*sin);
	}
	err = haul_dgram_sendmsg4(sk, msg, len);
	msg->msg_name = name;
	msg->msg_namelen = namelen;
	return err;
}

/* The address' form: of the old kind without scope, too; AF_UNSPEC is no address. */
static int haul_send6_name(struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (!sin6)
		return 0;
	if (msg->msg_namelen < (int)offsetof(struct sockaddr, sa_data))
		return -EINVAL;
	switch (sin6->sin6_family) {
	case AF_INET6:
		return msg->msg_namelen < SIN6_LEN_RFC2133 ? -EINVAL : 0;
	case AF_INET:
		return 0;
	case AF_UNSPEC:
		msg->msg_name = NULL;
		msg->msg_namelen = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * haul_dgram_sendmsg6 - proto.sendmsg of an AF_INET6 socket: sends a datagram, to a mapped address
 * by IPv4
 * @sk:		bound
 * @msg:	where to (none: the socket's peer), control messages, payload
 * @len:	bytes of payload
 *
 * Takes the socket lock. May sleep. Return: as haul_dgram_sendmsg4()
 */
int haul_dgram_sendmsg6(struct sock *sk, struct msghdr *msg, size_t len)
{
	const struct in6_addr *daddr = &sk->sk_v6_daddr;
	struct sockaddr_in6 *sin6;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = inet_sk(sk)->inet_dport };
	int err = haul_send6_name(msg);

	if (err)
		return err;
	sin6 = msg->msg_name;
	if (READ_ONCE(haul_dgram(sk)->pending) == AF_INET)
		return haul_dgram_sendmsg4(sk, msg, len);
	if (sin6 && sin6->sin6_family == AF_INET)
		return haul_send6_by4(sk, msg, len, NULL);
	if (sin6) {
		/* :: from a socket that is bound to a mapped address is this host by IPv4 */
		if (ipv6_addr_any(&sin6->sin6_addr) && ipv6_addr_v4mapped(&inet6_sk(sk)->saddr))
			ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK), &sin6->sin6_addr);
		daddr = &sin6->sin6_addr;
		sin.sin_port = sin6->sin6_port;
	} else if (sk->sk_state != TCP_ESTABLISHED && !READ_ONCE(haul_dgram(sk)->pending)) {
		return -EDESTADDRREQ;
	}
	if (ipv6_addr_v4mapped(daddr)) {
		sin.sin_addr.s_addr = daddr->s6_addr32[3];
		return haul_send6_by4(sk, msg, len, &sin);
	}
	return haul_send6(sk, msg, len);
}
