// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4: a datagram goes out. One packet buffer holds it whole, IP cuts it where it is too large for
 * the way. The kernel's ip_append_data() is not for modules.
 */
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "dgram.h"

/*
 * bytes of payload in a buffer's linear part, the rest is in pages; a corked datagram's buffers
 * have room for so much
 */
#define HAUL_SEND_LINEAR	2048

/* ---------------------------------------------------------------- where to */

/* The destination: of the call, else of the socket. */
static int haul_send4_dest(struct sock *sk, const struct msghdr *msg, struct haul_dgram_out *o)
{
	const struct sockaddr_in *sin = msg->msg_name;

	if (!sin) {
		if (sk->sk_state != TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		o->daddr = inet_sk(sk)->inet_daddr;
		o->dport = inet_sk(sk)->inet_dport;
		o->connected = true;
		return 0;
	}
	if (msg->msg_namelen < (int)sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	o->daddr = sin->sin_addr.s_addr;
	o->dport = sin->sin_port;
	return o->dport ? 0 : -EINVAL;
}

static void haul_send4_init(struct sock *sk, struct haul_dgram_out *o)
{
	o->rt = NULL;
	o->has_options = false;
	o->connected = false;
	o->saddr = inet_sk(sk)->inet_saddr;
	o->oif = READ_ONCE(sk->sk_bound_dev_if);
	sockcm_init(&o->sockc, sk);
	o->sockc.mark = READ_ONCE(sk->sk_mark);
	o->ttl = 0;
	o->tos = -1;
	o->priority = 0;
	o->segment = READ_ONCE(haul_dgram(sk)->segment);
}

/* What control messages, options and the cgroup's BPF programs say. */
static int haul_send4_describe(struct sock *sk, struct msghdr *msg, struct haul_dgram_out *o)
{
	int err = 0;

	if (msg->msg_controllen) {
		err = haul_dgram_control_check(msg, &o->segment);
		if (err > 0) {
			err = haul_dgram_control4(sk, msg, o);
			o->connected = false;
		}
		if (err)
			return err;
	}
	haul_dgram_options_of(sk, o);
	if (cgroup_bpf_enabled(CGROUP_UDP4_SENDMSG) && !o->connected) {
		struct sockaddr_in *sin = msg->msg_name;
		int len = sizeof(*sin);

		err = haul_bpf_sendmsg4(sk, sin, len, &o->saddr);
		if (!err && sin) {
			if (!sin->sin_port)
				return -EINVAL;		/* a program set it */
			o->daddr = sin->sin_addr.s_addr;
			o->dport = sin->sin_port;
		}
	}
	return err;
}

/* The device, where address and options IP_MULTICAST_IF and IP_UNICAST_IF have a word in it. */
static void haul_send4_device(struct sock *sk, struct haul_dgram_out *o)
{
	const struct inet_sock *inet = inet_sk(sk);
	int uc_index = READ_ONCE(inet->uc_index);

	if (ipv4_is_multicast(o->daddr)) {
		if (!o->oif || netif_index_is_l3_master(sock_net(sk), o->oif))
			o->oif = READ_ONCE(inet->mc_index);
		if (!o->saddr)
			o->saddr = READ_ONCE(inet->mc_addr);
		o->connected = false;
	} else if (!o->oif) {
		o->oif = uc_index;
	} else if (ipv4_is_lbcast(o->daddr) && uc_index && o->oif != uc_index &&
		   o->oif == l3mdev_master_ifindex_by_index(sock_net(sk), uc_index)) {
		/* bound to the VRF of the device that IP_UNICAST_IF names */
		o->oif = uc_index;
	}
}

static u8 haul_send4_scope(const struct sock *sk, const struct msghdr *msg,
			   const struct haul_dgram_out *o)
{
	if (sock_flag(sk, SOCK_LOCALROUTE) || (msg->msg_flags & MSG_DONTROUTE) ||
	    (haul_out_has(o) && haul_out_has(o)->is_strictroute))
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

static u8 haul_send4_tos(const struct sock *sk, const struct haul_dgram_out *o)
{
	return o->tos >= 0 ? o->tos : READ_ONCE(inet_sk(sk)->tos);
}

/* the first hop that a source route names, else the destination */
static __be32 haul_send4_hop(const struct haul_dgram_out *o)
{
	const struct ip_options *opt = haul_out_has(o);

	return opt && opt->srr ? opt->faddr : o->daddr;
}

/* A route that nobody has cached. Fills in the addresses that were left open. */
static int haul_send4_lookup(struct sock *sk, struct haul_dgram_out *o, u8 scope)
{
	struct flowi4 fl4;
	struct rtable *rt;

	haul_flowi4_init(&fl4, o->oif, o->sockc.mark, haul_send4_tos(sk, o), scope,
			 sk->sk_protocol, inet_sk_flowi_flags(sk), haul_send4_hop(o), o->saddr,
			 o->dport, inet_sk(sk)->inet_sport, sk_uid(sk));
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(sock_net(sk), &fl4, sk);
	if (IS_ERR(rt)) {
		if (PTR_ERR(rt) == -ENETUNREACH)
			IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTNOROUTES);
		return PTR_ERR(rt);
	}
	if ((rt->rt_flags & RTCF_BROADCAST) && !sock_flag(sk, SOCK_BROADCAST)) {
		ip_rt_put(rt);
		return -EACCES;
	}
	o->rt = rt;
	o->saddr = fl4.saddr;
	if (!o->daddr)
		o->daddr = fl4.daddr;
	return 0;
}

/**
 * haul_dgram_route - the route that a connected socket has kept
 * @sk:		the socket
 * @family:	AF_INET or AF_INET6, of the datagram that is to go
 * @cookie:	IPv6's, 0
 *
 * A datagram over IPv4 takes no lock, and may leave its route at an IPv6 socket after connect() has
 * turned that from a mapped address to one of IPv6, or the other way round.
 *
 * Any context. Return: the route, with a reference; NULL: none, or not of this family
 */
struct dst_entry *haul_dgram_route(struct sock *sk, int family, u32 cookie)
{
	struct dst_entry *dst = sk_dst_check(sk, cookie);

	if (!dst || dst->ops->family == family)
		return dst;
	dst_release(dst);
	return NULL;
}

/* On success o->rt has a reference. */
static int haul_send4_route(struct sock *sk, const struct msghdr *msg, struct haul_dgram_out *o)
{
	u8 scope = haul_send4_scope(sk, msg, o);
	int err;

	if (haul_out_has(o) && haul_out_has(o)->srr) {
		if (!o->daddr)
			return -EINVAL;
		o->connected = false;
	}
	if (scope == RT_SCOPE_LINK)
		o->connected = false;
	haul_send4_device(sk, o);
	if (o->connected) {
		o->rt = (struct rtable *)haul_dgram_route(sk, AF_INET, 0);
		if (o->rt)
			return 0;
	}
	err = haul_send4_lookup(sk, o, scope);
	if (!err && o->connected)
		sk_dst_set(sk, dst_clone(&o->rt->dst));
	return err;
}

/* ---------------------------------------------------------------- how much */

static u32 haul_send4_iphlen(const struct haul_dgram_out *o)
{
	const struct ip_options *opt = haul_out_has(o);

	return sizeof(struct iphdr) + (opt ? opt->optlen : 0);
}

/* bytes of an IP packet that the path takes, as far as the program wants to know */
static u32 haul_send4_mtu(struct sock *sk, const struct haul_dgram_out *o)
{
	return ip_sk_use_pmtu(sk) ? dst_mtu(&o->rt->dst) : READ_ONCE(o->rt->dst.dev->mtu);
}

/*
 * Is a datagram of @len bytes, header included, small enough: for IP, and for the path, when it may
 * not be cut? One that is cut by us is looked at when all of it is there. 0 or -EMSGSIZE
 */
static int haul_send4_fits(struct sock *sk, const struct haul_dgram_out *o, size_t len)
{
	u32 mtu = haul_send4_mtu(sk, o);
	u32 most = ip_sk_ignore_df(sk) || o->segment ? HAUL_DGRAM_MAX : min(mtu, HAUL_DGRAM_MAX);

	if (len + haul_send4_iphlen(o) <= most)
		return 0;
	haul_dgram_too_big(sk, o->daddr, o->dport, mtu);
	return -EMSGSIZE;
}

/* ---------------------------------------------------------------- putting it together */

static u32 haul_send4_headroom(const struct haul_dgram_out *o)
{
	return LL_RESERVED_SPACE(o->rt->dst.dev) + o->rt->dst.header_len + haul_send4_iphlen(o);
}

/* bytes of @len that don't go into the buffer's linear part */
static size_t haul_send4_paged(size_t len)
{
	return len > HAUL_SEND_LINEAR ? len - HAUL_SEND_LINEAR : 0;
}

/* Appends the next @len bytes, the last @paged of them in the pages that @skb came with. */
static int haul_send4_copy(struct sk_buff *skb, struct msghdr *msg, size_t len, size_t paged)
{
	unsigned int at = skb->len;

	skb_put(skb, len - paged);
	skb->len += paged;
	skb->data_len += paged;
	return skb_copy_datagram_from_iter(skb, at, &msg->msg_iter, len);
}

/*
 * A buffer with the Haul header's room at its data and @len bytes of payload behind. Blocks while
 * the send buffer is full, unless MSG_DONTWAIT.
 */
static struct sk_buff *haul_send4_make(struct sock *sk, struct msghdr *msg, size_t len,
				       const struct haul_dgram_out *o)
{
	u32 room = haul_send4_headroom(o);
	size_t paged = haul_send4_paged(len);
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_pskb(sk, room + HAUL_DGRAM_HDR + len - paged + o->rt->dst.trailer_len,
				   paged, msg->msg_flags & MSG_DONTWAIT, &err,
				   PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, room);
	skb_put(skb, HAUL_DGRAM_HDR);
	err = haul_send4_copy(skb, msg, len, paged);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	return skb;
}

/* The same with the program's own pages instead of a copy. */
static struct sk_buff *haul_send4_make_pinned(struct sock *sk, struct msghdr *msg, size_t len,
					      const struct haul_dgram_out *o,
					      struct ubuf_info *uarg)
{
	u32 room = haul_send4_headroom(o);
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_skb(sk, room + HAUL_DGRAM_HDR + o->rt->dst.trailer_len,
				  msg->msg_flags & MSG_DONTWAIT, &err);
	if (!skb) {
		haul_dgram_pages_copied(msg, uarg, err);
		return ERR_PTR(err);
	}
	skb_reserve(skb, room);
	skb_put(skb, HAUL_DGRAM_HDR);
	err = haul_dgram_pages_pin(skb, msg, len, uarg);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	return skb;
}

/**
 * haul_dgram_header - writes a datagram's header, but for the checksum
 * @h:		where
 * @sport:	source port
 * @dport:	destination port
 */
void haul_dgram_header(struct haulhdr *h, __be16 sport, __be16 dport)
{
	const struct haul_packet p = {
		.kind	= HAUL_KIND_DATAGRAM,
		.hdrlen	= HAUL_DGRAM_HDR,
		.sport	= sport,
		.dport	= dport,
	};

	haul_wire_build(h, &p);
}

static u8 haul_send4_ttl(const struct sock *sk, const struct haul_dgram_out *o)
{
	const struct inet_sock *inet = inet_sk(sk);
	int ttl = READ_ONCE(inet->uc_ttl);

	if (o->ttl)
		return o->ttl;
	if (o->rt->rt_type == RTN_MULTICAST)
		return READ_ONCE(inet->mc_ttl);
	return ttl < 0 ? ip4_dst_hoplimit(&o->rt->dst) : ttl;
}

/* DF where the program wants it, or where it fits anyway and the kernel looks for the path's MTU */
static bool haul_send4_df(struct sock *sk, const struct sk_buff *skb,
			  const struct haul_dgram_out *o)
{
	u8 pmtudisc = READ_ONCE(inet_sk(sk)->pmtudisc);

	if (pmtudisc == IP_PMTUDISC_DO || pmtudisc == IP_PMTUDISC_PROBE)
		return true;
	/* of several in one packet each fits */
	return (skb_is_gso(skb) || skb->len <= dst_mtu(&o->rt->dst)) &&
	       ip_dont_fragment(sk, &o->rt->dst);
}

static void haul_send4_ip_header(struct sock *sk, struct sk_buff *skb,
				 const struct haul_dgram_out *o)
{
	u32 hlen = haul_send4_iphlen(o);
	struct iphdr *iph = skb_push(skb, hlen);

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IP);
	skb->ignore_df = ip_sk_ignore_df(sk);

	iph->version = 4;
	iph->ihl = hlen / 4;
	iph->tos = haul_send4_tos(sk, o);
	iph->frag_off = haul_send4_df(sk, skb, o) ? htons(IP_DF) : 0;
	iph->ttl = haul_send4_ttl(sk, o);
	iph->protocol = sk->sk_protocol;
	iph->saddr = o->saddr;
	iph->daddr = haul_send4_hop(o);
	if (o->has_options)
		haul_dgram_options_build(skb, o);
	ip_select_ident_segs(sock_net(sk), skb, sk, haul_skb_segs(skb));
}

/**
 * haul_dgram_sent - counts what became of datagrams
 * @sk:		whose
 * @err:	what IP said: 0, -errno, or NET_XMIT_*
 * @segs:	how many they were
 *
 * A device's full queue is only told to who asked for errors (IP_RECVERR), as UDP does. Any
 * context. Return: 0 or -errno, for the program
 */
int haul_dgram_sent(struct sock *sk, int err, unsigned int segs)
{
	bool recverr = haul_inet_flag(sk, recverr, RECVERR);

	if (sk->sk_family == AF_INET6)
		recverr |= haul_inet6_flag(sk, recverr, RECVERR6);
	if (err > 0)
		err = net_xmit_errno(err);
	if (!err) {
		haul_count_add(sock_net(sk), HAUL_CNT_OUT_SEGS, segs);
		haul_count_add(sock_net(sk), HAUL_CNT_DGRAM_OUT, segs);
	} else if (err == -ENOBUFS) {
		haul_count_add(sock_net(sk), HAUL_CNT_DGRAM_SEND_FULL, segs);
	}
	return err == -ENOBUFS && !recverr ? 0 : err;
}

/* The header, and the checksum or the mark that has it made of each datagram. 0 or -errno */
static int haul_send4_finish(struct sock *sk, struct sk_buff *skb, const struct haul_dgram_out *o)
{
	struct haulhdr *h = (struct haulhdr *)skb->data;
	u32 payload = skb->len - HAUL_DGRAM_HDR;
	int err;

	skb_reset_transport_header(skb);
	haul_dgram_header(h, inet_sk(sk)->inet_sport, o->dport);
	if (o->segment) {
		err = haul_dgram_segments_check(payload, o->segment,
						haul_send4_iphlen(o) + HAUL_DGRAM_HDR,
						haul_send4_mtu(sk, o));
		if (err)
			return err;
	}
	if (!o->segment || payload <= o->segment) {
		h->check = csum_fold(skb_checksum(skb, 0, skb->len, 0));
		skb->ip_summed = CHECKSUM_NONE;
		return 0;
	}
	/* what was corked: skb_segment() wants no list of buffers of any size */
	if (skb_has_frag_list(skb) && skb_linearize(skb))
		return -ENOBUFS;
	haul_offload_datagrams(skb, (struct haulhdr *)skb->data, payload, o->segment);
	return 0;
}

/* @skb, with the payload behind the header's room, goes. Consumes it */
static int haul_send4_xmit(struct sock *sk, struct sk_buff *skb, const struct haul_dgram_out *o)
{
	unsigned int segs;
	int err = haul_send4_finish(sk, skb, o);

	if (err) {
		kfree_skb(skb);
		return err;
	}
	segs = haul_skb_segs(skb);
	haul_send4_ip_header(sk, skb, o);
	skb->priority = o->tos >= 0 ? o->priority : haul_sockc_priority(&o->sockc, sk);
	skb->mark = o->sockc.mark;
	haul_skb_set_txtime(skb, sk, &o->sockc);
	haul_skb_tx_timestamp(skb, &o->sockc);
	skb_set_hash_from_sk(skb, sk);
	skb_dst_set(skb, dst_clone(&o->rt->dst));
	return haul_dgram_sent(sk, ip_local_out(sock_net(sk), sk, skb), segs);
}

/* ---------------------------------------------------------------- corked */

/* another buffer for a corked datagram, charged, but never waited for */
static struct sk_buff *haul_cork_buffer(struct sock *sk, size_t len, size_t paged)
{
	struct sk_buff *skb;
	int err;

	if (refcount_read(&sk->sk_wmem_alloc) > 2 * READ_ONCE(sk->sk_sndbuf))
		return ERR_PTR(-ENOBUFS);
	skb = alloc_skb_with_frags(max_t(size_t, len - paged, HAUL_SEND_LINEAR), paged,
				   PAGE_ALLOC_COSTLY_ORDER, &err, sk->sk_allocation);
	if (!skb)
		return ERR_PTR(-ENOBUFS);
	skb_set_owner_w(skb, sk);
	return skb;
}

/* room that is left in the last buffer */
static size_t haul_cork_room(const struct sk_buff *skb)
{
	return skb && !skb_is_nonlinear(skb) ? skb_tailroom(skb) : 0;
}

/* Socket lock. On error what was corked before is still there, and to be flushed. */
static int haul_cork_append(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct haul_dgram *hd = haul_dgram(sk);
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	size_t part = min(len, haul_cork_room(skb)), paged;
	int err;

	err = haul_send4_fits(sk, &hd->cork, (size_t)hd->pending_len + len);
	if (!err && part)
		err = haul_send4_copy(skb, msg, part, 0);
	if (err || len == part)
		goto out;
	paged = haul_send4_paged(len - part);
	skb = haul_cork_buffer(sk, len - part, paged);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	__skb_queue_tail(&sk->sk_write_queue, skb);
	err = haul_send4_copy(skb, msg, len - part, paged);
out:
	if (!err)
		hd->pending_len += len;
	return err;
}

/* the first buffer, with room for the headers. Socket lock */
static int haul_cork_begin(struct sock *sk, const struct msghdr *msg,
			   const struct haul_dgram_out *o)
{
	struct haul_dgram *hd = haul_dgram(sk);
	u32 room = haul_send4_headroom(o);
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_skb(sk, room + HAUL_DGRAM_HDR + HAUL_SEND_LINEAR +
				  o->rt->dst.trailer_len, msg->msg_flags & MSG_DONTWAIT, &err);
	if (!skb)
		return err;
	skb_reserve(skb, room);
	skb_put(skb, HAUL_DGRAM_HDR);
	__skb_queue_tail(&sk->sk_write_queue, skb);
	hd->cork = *o;
	dst_hold(&o->rt->dst);
	WRITE_ONCE(hd->pending, AF_INET);
	hd->pending_len = HAUL_DGRAM_HDR;
	return 0;
}

/* All buffers in one: the others become the first one's fragment list, and so does their charge. */
static struct sk_buff *haul_cork_join(struct sock *sk)
{
	struct sk_buff *skb = __skb_dequeue(&sk->sk_write_queue), *part, **tail;

	if (!skb)
		return NULL;
	tail = &skb_shinfo(skb)->frag_list;
	while ((part = __skb_dequeue(&sk->sk_write_queue))) {
		*tail = part;
		tail = &part->next;
		skb->len += part->len;
		skb->data_len += part->len;
		skb->truesize += part->truesize;
		part->destructor = NULL;
		part->sk = NULL;
	}
	return skb;
}

static void haul_cork_end(struct sock *sk)
{
	struct haul_dgram *hd = haul_dgram(sk);

	WRITE_ONCE(hd->pending, 0);
	hd->pending_len = 0;
	ip_rt_put(hd->cork.rt);
	hd->cork.rt = NULL;
}

/**
 * haul_dgram_flush4 - throws away what is corked
 * @sk:		something of IPv4 is corked
 *
 * Context: socket lock.
 */
void haul_dgram_flush4(struct sock *sk)
{
	__skb_queue_purge(&sk->sk_write_queue);
	haul_cork_end(sk);
}

/**
 * haul_dgram_push4 - sends what is corked
 * @sk:		something of IPv4 is corked
 *
 * Context: socket lock. Return: 0 or -errno
 */
int haul_dgram_push4(struct sock *sk)
{
	struct sk_buff *skb = haul_cork_join(sk);
	int err = skb ? haul_send4_xmit(sk, skb, &haul_dgram(sk)->cork) : 0;

	haul_cork_end(sk);
	return err;
}

/* Socket lock; something of IPv4 is corked. */
static int haul_cork_more(struct sock *sk, struct msghdr *msg, size_t len, bool more)
{
	struct ubuf_info *uarg;
	u32 header = haul_dgram(sk)->pending_len == HAUL_DGRAM_HDR ? HAUL_DGRAM_HDR : 0;
	int err = haul_dgram_pages_begin(sk, msg, header + len, &uarg);

	if (!err) {
		err = haul_cork_append(sk, msg, len);
		haul_dgram_pages_copied(msg, uarg, err);
	}
	if (err)
		haul_dgram_flush4(sk);
	else if (!more)
		err = haul_dgram_push4(sk);
	return err;
}

/* ---------------------------------------------------------------- the call */

static int haul_send4_cork(struct sock *sk, struct msghdr *msg, size_t len,
			   const struct haul_dgram_out *o)
{
	int err = -EINVAL;

	lock_sock(sk);
	/* another thread was faster */
	if (!haul_dgram(sk)->pending) {
		err = haul_cork_begin(sk, msg, o);
		if (!err)
			err = haul_cork_more(sk, msg, len, true);
	}
	release_sock(sk);
	return err;
}

static int haul_send4_now(struct sock *sk, struct msghdr *msg, size_t len,
			  const struct haul_dgram_out *o)
{
	struct ubuf_info *uarg;
	struct sk_buff *skb;
	int err;

	err = haul_send4_fits(sk, o, HAUL_DGRAM_HDR + len) ?:
	      haul_dgram_pages_begin(sk, msg, HAUL_DGRAM_HDR + len, &uarg);
	if (err)
		return err;
	skb = uarg ? haul_send4_make_pinned(sk, msg, len, o, uarg) :
		     haul_send4_make(sk, msg, len, o);
	return IS_ERR(skb) ? PTR_ERR(skb) : haul_send4_xmit(sk, skb, o);
}

/* MSG_CONFIRM: the program knows that the neighbour is there. MSG_PROBE: and sends nothing */
static bool haul_send4_confirm(const struct msghdr *msg, size_t len,
			       const struct haul_dgram_out *o)
{
	if (!(msg->msg_flags & MSG_CONFIRM))
		return false;
	if (msg->msg_flags & MSG_PROBE)
		dst_confirm_neigh(&o->rt->dst, &o->daddr);
	else
		dst_confirm(&o->rt->dst);
	return (msg->msg_flags & MSG_PROBE) && !len;
}

/* False: nothing is corked. *@err: what became of it otherwise */
static bool haul_send4_pending(struct sock *sk, struct msghdr *msg, size_t len, bool more, int *err)
{
	struct haul_dgram *hd = haul_dgram(sk);
	bool pending;

	if (!READ_ONCE(hd->pending))
		return false;
	lock_sock(sk);
	pending = hd->pending;
	if (pending)
		*err = hd->pending == AF_INET ? haul_cork_more(sk, msg, len, more) : -EINVAL;
	release_sock(sk);
	return pending;
}

/**
 * haul_dgram_sendmsg4 - proto.sendmsg: sends a datagram over IPv4
 * @sk:		bound
 * @msg:	where to (none: the socket's peer), control messages, payload
 * @len:	bytes of payload
 *
 * Takes the socket lock only to cork. May sleep.
 * Return: @len; -EMSGSIZE, -EDESTADDRREQ, -EINVAL, -EAFNOSUPPORT, -EACCES: a broadcast without
 * SO_BROADCAST; -EAGAIN, -ENOBUFS, what the route says, a pending error of the socket
 */
int haul_dgram_sendmsg4(struct sock *sk, struct msghdr *msg, size_t len)
{
	bool more = READ_ONCE(haul_dgram(sk)->corked) || (msg->msg_flags & MSG_MORE);
	struct haul_dgram_out o;
	int err;

	if (len > HAUL_DGRAM_MAX)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (haul_send4_pending(sk, msg, len, more, &err))
		return err ?: len;

	haul_send4_init(sk, &o);
	err = haul_send4_dest(sk, msg, &o) ?: haul_send4_describe(sk, msg, &o)
		?: haul_send4_route(sk, msg, &o);
	if (err)
		return err;
	if (!haul_send4_confirm(msg, len, &o))
		err = more ? haul_send4_cork(sk, msg, len, &o) : haul_send4_now(sk, msg, len, &o);
	ip_rt_put(o.rt);
	return err ?: len;
}
