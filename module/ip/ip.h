/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rooms that know IPv4 from IPv6, and the two tables that find who a packet is for.
 *
 * In:  ip/ipv4.c, ip/ipv6.c -> ip/input.c -> ip/demux.c, ip/listeners.c -> conn/
 *
 * Out: conn/ -> af->xmit (a socket's packets) or haul_reply_send() (packets of no socket)
 */
#ifndef HAUL_IP_H
#define HAUL_IP_H

#include "../haul.h"

/*
 * Bytes of the largest IP packet that a socket sends: with a link header it must stay below a
 * device's gso_max_size (64 KB), or the kernel cuts (and sums) what loopback would have taken
 * whole.
 */
#define HAUL_IP_MAX		(65535U - 64)

/**
 * struct haul_af - what differs between IPv4 and IPv6
 * @family:	AF_INET or AF_INET6: how packets go
 * @net_header:	bytes of the IP header without options
 * @xmit:	sends @skb (data at the Haul header, transport header set, checksum done or
 *		CHECKSUM_PARTIAL) on the socket's route; consumes it. 0, or a negative errno or
 *		NET_XMIT_*. RCU
 * @route:	gives the socket's route, looks it up again when it is stale; NULL or ERR_PTR: none.
 *		Socket lock
 * @set_pmtu:	path MTU told by a believed ICMP message, bytes. Socket lock
 * @redirect:	a believed ICMP redirect. Socket lock
 * @ext_header:	bytes of IP options or extension headers that this socket sends
 */
struct haul_af {
	int	family;
	u16	net_header;
	int	(*xmit)(struct sock *sk, struct sk_buff *skb);
	struct dst_entry *(*route)(struct sock *sk);
	void	(*set_pmtu)(struct sock *sk, u32 mtu);
	void	(*redirect)(struct sock *sk, struct sk_buff *skb);
	u16	(*ext_header)(const struct sock *sk);
};

extern const struct haul_af haul_af_ipv4;
extern const struct haul_af haul_af_ipv6;

/* --- addresses and routes of a socket (ip/route.c) --- */

/*
 * connect(), first half: reads @uaddr, finds a route and the source address; sets the socket's
 * remote address and port, its local address when unbound, @af, the device of a link-local peer.
 * Not the local port. Socket lock; may sleep. -EINVAL, -EAFNOSUPPORT, -ENETUNREACH, -EHOSTUNREACH,
 * -EACCES, ...
 */
int haul_route_connect(struct sock *sk, struct sockaddr *uaddr, int addr_len);
/*
 * connect(), second half: the local port is chosen; routes that depend on it (and the socket's
 * caps) are taken
 */
int haul_route_connected(struct sock *sk);
/* undoes haul_route_connect() */
void haul_route_disconnect(struct sock *sk);
/*
 * a child's addresses, IP options, route, from its request and the packet that finishes the
 * handshake. 0 or -errno
 */
int haul_route_child(struct sock *child, const struct sock *listener,
		     const struct haul_request *req, struct sk_buff *skb);
/* large segments on a route just stored, though its device offers none. Socket lock */
void haul_route_caps(struct sock *sk, const struct dst_entry *dst);
/* bytes: path MTU of the route, at most what dev and IP allow (65535) */
u32 haul_route_mtu(const struct sock *sk, const struct dst_entry *dst);
/*
 * bytes: MSS to announce on the route of a request: device MTU - IP header - HAUL_HDR, at most
 * 65535 - headers
 */
u16 haul_route_adv_mss(const struct haul_flow *flow, const struct dst_entry *dst);
/* fills the flow's key, device and kind from the socket's addresses and ports */
void haul_flow_fill(struct haul_flow *flow, const struct sock *sk);

/* --- packets of no socket (ip/reply.c) --- */

/**
 * struct haul_path - where a packet of no socket goes
 * @key:	its flow: local is the source. @key->net
 * @oif:	device to leave by; 0: the route decides
 * @mark:	packet mark
 * @uid:	for the route
 * @tos:	type of service or traffic class
 * @sk:		the socket on whose behalf (a listener), for cgroups, LSMs, IP options; NULL: the
 *		namespace's own
 */
struct haul_path {
	const struct haul_flow_key *key;
	int		oif;
	u32		mark;
	kuid_t		uid;
	u8		tos;
	struct sock	*sk;
};

/*
 * Builds and sends a packet without payload: header from @p (ports and kind from @path->key), INIT
 * when @init is given (its mss is filled in from the route, which also limits one given), FASTOPEN
 * beside it when @fastopen is. Softirq or process. 0 or -errno; counted by the callee.
 */
int haul_reply_send(const struct haul_path *path, struct haul_packet *p, struct haul_init *init,
		    const struct haul_fastopen_option *fastopen);

/* --- the flow table (ip/demux.c); all safe in softirq --- */
int haul_demux_init(void);
void haul_demux_exit(void);
/* a hash of the key with a secret seed */
u32 haul_flow_hash(const struct haul_flow_key *key, u32 seed);
/* the flow as RCU has it, without a reference: for as long as the read section lasts */
struct haul_flow *haul_flow_peek(const struct haul_flow_key *key, int dif, int sdif);
/*
 * RCU read lock. The flow, with a reference on its owner, or NULL. @sdif: enslaved device's index,
 * or 0
 */
struct haul_flow *haul_flow_lookup(const struct haul_flow_key *key, int dif, int sdif);
/* a reference on the owner, unless it is on its way out. RCU, or a lock that keeps it there */
bool haul_flow_get(struct haul_flow *flow);
/* drops what haul_flow_lookup() took */
void haul_flow_put(struct haul_flow *flow);
/*
 * 0; -EADDRNOTAVAIL: another flow has the key (and it, with a reference, is in *@other when @other
 * is given); -ENOMEM
 */
int haul_flow_insert(struct haul_flow *flow, struct haul_flow **other);
/*
 * request -> child, socket -> remnant: same key, no gap. 0 or -ENOENT when @old is no longer there
 */
int haul_flow_replace(struct haul_flow *old, struct haul_flow *new);
/* true if it was there: the caller owns the table's reference now */
bool haul_flow_remove(struct haul_flow *flow);

static inline struct haul_sock *haul_flow_sock(struct haul_flow *flow)
{
	return container_of(flow, struct haul_sock, flow);
}

static inline struct haul_request *haul_flow_request(struct haul_flow *flow)
{
	return container_of(flow, struct haul_request, flow);
}

static inline struct haul_remnant *haul_flow_remnant(struct haul_flow *flow)
{
	return container_of(flow, struct haul_remnant, flow);
}

/*
 * the key of the flow that a received packet belongs to; HAUL_PACKET(skb) is parsed. @net: a packet
 * that waited in a backlog knows no device any more, the socket knows the namespace
 */
void haul_flow_key_from_skb(struct haul_flow_key *key, struct net *net, const struct sk_buff *skb);

/* where the index of the enslaved device is kept, behind HAUL_PACKET(skb) */
#define HAUL_SDIF(skb)	(*(int *)&(skb)->cb[sizeof(struct haul_packet)])

/*
 * index of the enslaved device that a received packet came in by, or 0; beside
 * HAUL_PACKET(skb)->dif, for look-ups
 */
static inline int haul_skb_sdif(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct haul_packet) + sizeof(int) > sizeof(skb->cb));
	return HAUL_SDIF(skb);
}

static inline u8 haul_sock_kind(const struct sock *sk)
{
	switch (sk->sk_type) {
	case SOCK_STREAM:
		return HAUL_KIND_STREAM;
	case SOCK_SEQPACKET:
		return HAUL_KIND_MESSAGE;
	default:
		return HAUL_KIND_DATAGRAM;
	}
}

/* --- early demultiplexing (ip/early.c) --- */
void haul_early_enable(const struct sock *sk);		/* a connection; may sleep */
void haul_early_disable(struct net *net);
struct haul_flow *haul_early_take(struct sk_buff *skb);
void haul_early_remember(struct sock *sk, const struct sk_buff *skb);
void haul_early_forget(struct sock *sk);

/* --- ports (ip/ports.c) --- */
int haul_ports_init(void);
void haul_ports_exit(void);
/*
 * bind(): takes @port (host order; 0: one from the ephemeral range, RFC 6056) for the socket whose
 * local address, device and reuse flags are set. Socket lock, may sleep. 0, -EADDRINUSE, -ENOMEM
 */
int haul_port_bind(struct sock *sk, u16 port);
/*
 * connect(): picks an ephemeral port when none is bound (RFC 6056 3.3.4) and enters the flow into
 * the table. A remnant in the way is taken over when RFC 6191 allows it (it is removed; the new ISN
 * follows it).
 */
int haul_port_connect(struct sock *sk);
/* listen(): becomes findable; -EADDRINUSE if another listener got there (same rules as bind) */
int haul_port_listen(struct sock *sk);
/* no longer findable; the port stays */
void haul_port_unlisten(struct sock *sk);
/* an accepted child or a remnant shares the port of @from */
void haul_port_inherit(struct haul_port_ref *ref, const struct haul_port_ref *from);
/* gives the port back; idempotent */
void haul_port_release(struct net *net, struct haul_port_ref *ref);
/* RCU. The best listener (with a reference) for a packet to @key->local:lport, or NULL */
struct sock *haul_port_lookup(const struct haul_flow_key *key, int dif, int sdif,
			      struct sk_buff *skb);

/* --- input (ip/input.c) --- */
/**
 * struct haul_arrival - what ip/ipv4.c and ip/ipv6.c tell of a packet that came in
 * @dif:	index of the device, the VRF's when that is enslaved
 * @sdif:	index of the enslaved device, or 0
 * @ecn:	INET_ECN_* bits
 * @unicast:	from one host to one host: fit for a connection
 */
struct haul_arrival {
	int	dif;
	int	sdif;
	u8	ecn;
	bool	unicast;
};

/* skb->data at the Haul header, network header set. Consumes it. RCU, softirq */
void haul_ip_input(struct sk_buff *skb, const struct haul_arrival *in);
/* RCU. With a reference, or NULL */
struct sock *haul_request_listener(const struct haul_request *req);

/* --- ICMP (ip/icmp.c): whom is an error about, is it to be believed (RFC 5927) --- */
/**
 * struct haul_icmp - an ICMP error that quotes one of our packets
 * @err:	errno
 * @hard:	fatal to a connection attempt
 * @mtu:	bytes; not 0: packet too big
 * @seq:	sequence number quoted
 */
struct haul_icmp {
	int	err;
	bool	hard;
	u32	mtu;
	u32	seq;
};

/**
 * struct haul_icmp_error - an ICMP error as ip/ipv4.c and ip/ipv6.c understand it
 * @key:	flow of the quoted packet, seen from here; the kind is filled in by
 *		haul_icmp_input()
 * @offset:	of the quoted Haul header from skb->data; 8 bytes of it at least are there
 * @dif:	device that the error came in by, as in struct haul_arrival
 * @sdif:	the same
 * @redirect:	not an error but a better first hop
 * @min_mtu:	bytes: an MTU below is not believed (IPv4) or taken as this (IPv6)
 * @icmp:	errno, hard, MTU; the sequence number is filled in
 */
struct haul_icmp_error {
	struct haul_flow_key	key;
	unsigned int		offset;
	int			dif;
	int			sdif;
	bool			redirect;
	u32			min_mtu;
	struct haul_icmp	icmp;
};

/* RCU, softirq. 0, or -ENOENT: about no flow of ours */
int haul_icmp_input(struct sk_buff *skb, struct haul_icmp_error *e);

/* --- routes by IP version (ip/route4.c, ip/route6.c): what haul_route_*() is made of --- */
struct dst_entry *haul_route4(struct sock *sk);			/* haul_af.route */
int haul_route4_connect(struct sock *sk, __be32 daddr, __be16 dport);
int haul_route4_connected(struct sock *sk);
int haul_route4_child(struct sock *child, const struct haul_request *req,
		      const struct sk_buff *skb);
struct dst_entry *haul_route6(struct sock *sk);
int haul_route6_connect(struct sock *sk, const struct sockaddr_in6 *sin6, u32 scope);
int haul_route6_connected(struct sock *sk);
int haul_route6_child(struct sock *child, const struct sock *listener,
		      const struct haul_request *req, const struct sk_buff *skb);
/* a packet of the socket's flow, for ip6_xmit() */
void haul_route6_flow(struct sock *sk, struct flowi6 *fl6);

/* --- registration --- */
int haul_ipv4_init(void);
void haul_ipv4_exit(void);
int haul_ipv6_init(void);
void haul_ipv6_exit(void);
int haul_offload_init(void);
void haul_offload_exit(void);
int haul_ip_net_init(struct net *net);		/* control sockets */
void haul_ip_net_exit(struct net *net);

/* --- large segments (ip/offload.c, ip/gro.c) --- */
/*
 * Marks @skb as a large segment of @mss payload bytes each (gso_size = mss + hdrlen - 12), or
 * finishes the checksum of a single one: PARTIAL where the device sums, GSO-marked, too, where it
 * takes SKB_GSO_SCTP whole but does not; in software otherwise. RCU
 */
void haul_offload_finish(struct sk_buff *skb, const struct dst_entry *dst, u32 mss, u32 hdrlen);
/* wire packets that a received or sent packet stands for: at least 1 */
static inline unsigned int haul_skb_segs(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_segs ?: 1;
}

/* the same for several datagrams of @mss bytes, one behind the other; @h is complete */
void haul_offload_datagrams(struct sk_buff *skb, struct haulhdr *h, u32 payload, u32 mss);
/* bytes of payload in each of the datagrams that a packet stands for; 0: it is a single one */
u32 haul_offload_datagram_size(const struct sk_buff *skb);
/* the single ones, data at their headers, or an error pointer; @skb stays the caller's */
struct sk_buff *haul_offload_split(struct sk_buff *skb);

/* --- ip/sum.c --- */
/* the internet sum of what is behind @offset, which is in the linear part; not folded */
__wsum haul_sum(const struct sk_buff *skb, unsigned int offset);

#endif /* HAUL_IP_H */
