/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The datagram service: one packet each way is all there is to it. Nothing here knows a connection
 * of conn/; what is shared with the streams is the header, the demultiplexer's door (ip/) and the
 * counters.
 *
 * In:  ip/input.c -> input.c (one receiver) or multicast.c (all of them) -> queue.c -> recv.c
 *
 * Out: send4.c or send6.c -> ip_local_out() or ip6_push_pending_frames()
 *
 * Locking: the socket lock guards what is corked, and IPv6's sending as a whole. Receiving takes
 * only the receive queue's spinlock, which guards the queue and the memory charged for it. Look-ups
 * walk two tables under RCU (ports.c); a bucket's spinlock guards its chain, the one by port is
 * taken before the one by address and before the roll's (ip/roll.c). A socket is freed a grace
 * period after it left the tables (SOCK_RCU_FREE), so whoever found it under RCU needs no
 * reference.
 */
#ifndef HAUL_DGRAM_H
#define HAUL_DGRAM_H

#include "../haul.h"
#include "../ip/ip.h"

#define HAUL_DGRAM_MAX		0xffffU	/* bytes of header and payload that IP has room for */
#define HAUL_IPOPT_MAX		40	/* bytes of IPv4 options; RFC 791 3.1 */

/**
 * struct haul_dgram_out - an IPv4 datagram on its way out: what the call, its control messages, the
 * socket and the route say of it
 * @rt:		where it goes; holds a reference
 * @options:	its IP options, a struct ip_options with its data behind, when @has_options
 * @has_options: see there
 * @connected:	to the socket's peer, by the socket's own route
 * @saddr:	source; 0: the route decides
 * @daddr:	destination
 * @dport:	destination port
 * @oif:	device to leave by; 0: any
 * @sockc:	mark, departure time, timestamps
 * @ttl:	0: the socket's
 * @tos:	-1: the socket's
 * @priority:	of the packet; goes with @tos
 * @segment:	bytes of payload in each datagram that the call's is cut into; 0: it stays one
 */
struct haul_dgram_out {
	struct rtable		*rt;
	u8			options[sizeof(struct ip_options) + HAUL_IPOPT_MAX]
				__aligned(__alignof__(struct ip_options));
	bool			has_options;
	bool			connected;
	__be32			saddr;
	__be32			daddr;
	__be16			dport;
	int			oif;
	struct sockcm_cookie	sockc;
	u8			ttl;
	s16			tos;
	u32			priority;
	u16			segment;
};

static inline struct ip_options *haul_out_options(struct haul_dgram_out *o)
{
	return (struct ip_options *)o->options;
}

/* NULL: it has none */
static inline const struct ip_options *haul_out_has(const struct haul_dgram_out *o)
{
	return o->has_options ? (const struct ip_options *)o->options : NULL;
}

/**
 * struct haul_dgram - a datagram socket
 * @inet:	the kernel's part, first; sk_nulls_node is in the table by port
 * @flow:	how it is seen from outside, while it has a port: in the roll, never in the flow
 *		table
 * @addr_node:	in the table by port and local address
 * @slot:	which chain of that table; bucket locks
 * @cork:	the datagram that the program has not finished (MSG_MORE, HAUL_CORK); of an IPv6 one
 *		the port only, the rest is inet->cork. Socket lock
 * @pending:	AF_INET or AF_INET6: what is corked in sk_write_queue is of this family; 0: nothing.
 *		Socket lock
 * @pending_len: bytes of header and payload corked
 * @corked:	HAUL_CORK is set
 * @segment:	UDP_SEGMENT: bytes of payload in each datagram that a call's is cut into; 0: none
 * @gro:	UDP_GRO: takes several datagrams as one packet
 */
struct haul_dgram {
	struct inet_sock	inet;
	struct haul_flow	flow;
	struct hlist_nulls_node	addr_node;
	u32			slot;
	struct haul_dgram_out	cork;
	u32			pending_len;
	int			pending;
	bool			corked;
	bool			gro;
	u16			segment;
};

/* An AF_INET6 socket has its ipv6_pinfo behind; inet.pinet6 points at it. */
struct haul6_dgram {
	struct haul_dgram	dgram;
	struct ipv6_pinfo	inet6;
};

static inline struct haul_dgram *haul_dgram(const struct sock *sk)
{
	return (struct haul_dgram *)sk;
}

static inline struct haul_dgram *haul_flow_dgram(struct haul_flow *flow)
{
	return container_of(flow, struct haul_dgram, flow);
}

/* --- sock.c: what the kernel's socket code calls; options.c: its options --- */
extern struct proto haul_dgram_prot;		/* AF_INET */
extern struct proto haul6_dgram_prot;		/* AF_INET6 */
extern const struct proto_ops haul_dgram_ops;
extern const struct proto_ops haul6_dgram_ops;
/* the protos and their slabs */
int haul_dgram_init(void);
void haul_dgram_exit(void);
int haul_dgram_setsockopt(struct sock *sk, int level, int name, sockptr_t val, unsigned int len);
int haul_dgram_getsockopt(struct sock *sk, int level, int name, char __user *val, int __user *len);

/* --- ports.c: who has a port, who is a datagram for --- */
int haul_dgram_ports_init(void);
void haul_dgram_ports_exit(void);
int haul_dgram_get_port(struct sock *sk, unsigned short number);	/* proto.get_port */
void haul_dgram_unhash(struct sock *sk);				/* proto.unhash */
void haul_dgram_rehash(struct sock *sk);				/* proto.rehash */
/* RCU. The best receiver, or NULL; no reference */
struct sock *haul_dgram_lookup(const struct haul_flow_key *key, int dif, int sdif,
			       struct sk_buff *skb, u32 hdrlen);
/*
 * RCU. Calls @fn for every socket that has @port (host order) and takes what comes for @key, by
 * whatever address: for multicast. @fn may not sleep
 */
void haul_dgram_each_receiver(const struct haul_flow_key *key, int dif, int sdif,
			      void (*fn)(struct sock *sk, void *arg), void *arg);

/* its addresses and ports as they are now. Socket lock; without it, a glance */
void haul_dgram_sock_key(const struct sock *sk, struct haul_flow_key *key);
/* one of exactly this key that @fits, as haul_roll_find(). With a reference, or NULL */
struct haul_flow *haul_dgram_find(const struct haul_flow_key *key,
				  bool (*fits)(struct haul_flow *flow, const void *arg),
				  const void *arg);

/* --- control.c: control messages of a datagram, and IPv4's options --- */
/*
 * UDP_SEGMENT goes to @segment. Is there one that no datagram can take: -EINVAL; one that is not
 * only about that: 1; else 0
 */
int haul_dgram_control_check(struct msghdr *msg, u16 *segment);
/* what @msg says of an IPv4 datagram goes to @o. 0 or -errno */
int haul_dgram_control4(struct sock *sk, struct msghdr *msg, struct haul_dgram_out *o);
/* a copy of the socket's IP options */
void haul_dgram_options_of(const struct sock *sk, struct haul_dgram_out *o);
/* writes them behind the IP header, which is complete, at the network header of @skb */
void haul_dgram_options_build(struct sk_buff *skb, const struct haul_dgram_out *o);

/* --- send4.c, send6.c --- */
int haul_dgram_sendmsg4(struct sock *sk, struct msghdr *msg, size_t len);	/* proto.sendmsg */
int haul_dgram_sendmsg6(struct sock *sk, struct msghdr *msg, size_t len);
/* what is corked goes. Socket lock. 0 or -errno */
int haul_dgram_push4(struct sock *sk);
int haul_dgram_push6(struct sock *sk);
/* what is corked is thrown away. Socket lock */
void haul_dgram_flush4(struct sock *sk);
/* the header of a datagram of @total bytes, header included; its checksum is 0 */
void haul_dgram_header(struct haulhdr *h, __be16 sport, __be16 dport);
/* the socket's own route, where it is one of @family's and still good; with a reference, or NULL */
struct dst_entry *haul_dgram_route(struct sock *sk, int family, u32 cookie);
/* counts what became of so many datagrams: 0 or what the program is told */
int haul_dgram_sent(struct sock *sk, int err, unsigned int segs);

/* --- zerocopy.c: a program's own pages --- */
/* @uarg: who is to be told when they are free again, NULL: nobody. 0 or -ENOBUFS */
int haul_dgram_pages_begin(struct sock *sk, struct msghdr *msg, size_t len,
			   struct ubuf_info **uarg);
/* the pages themselves go behind @skb's header: 0 or -errno, and nobody is told */
int haul_dgram_pages_pin(struct sk_buff *skb, struct msghdr *msg, size_t len,
			 struct ubuf_info *uarg);
/* they were copied, or @err: it is told at once, or not at all */
void haul_dgram_pages_copied(const struct msghdr *msg, struct ubuf_info *uarg, int err);

/* --- segments.c: several datagrams in one packet --- */
/*
 * can @payload bytes go as datagrams of @segment bytes, with @headers each, over a path of @mtu? 0
 * or -errno
 */
int haul_dgram_segments_check(u32 payload, u16 segment, u32 headers, u32 mtu);
/* UDP_GRO. Socket lock; may sleep */
void haul_dgram_gro_set(struct sock *sk, bool on);
/* is it for somebody who takes several as one packet? GRO, RCU; @h: its header */
bool haul_dgram_gro_wanted(struct sk_buff *skb, const struct haulhdr *h);

/* --- input.c: from ip/input.c --- */
/*
 * a whole datagram with a right checksum; data at the Haul header, skb->cb is IP's. Consumes it.
 * RCU, softirq
 */
void haul_dgram_input(struct sk_buff *skb, const struct haul_packet *p,
		      const struct haul_arrival *in);
/* @skb to one socket: policy, filter, queue. Consumes it. RCU, softirq */
void haul_dgram_deliver(struct sock *sk, struct sk_buff *skb, u32 hdrlen);

/* --- queue.c: the receive queue and its memory --- */
/* HAUL_NUM_COUNTERS: taken; else why not, and @skb is still the caller's */
enum haul_counter haul_dgram_enqueue(struct sock *sk, struct sk_buff *skb);

/* --- multicast.c: one to many --- */
void haul_dgram_multicast(struct sk_buff *skb, const struct haul_flow_key *key,
			  const struct haul_packet *p, const struct haul_arrival *in);

/* --- recv.c --- */
int haul_dgram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);
int haul_dgram_inq(struct sock *sk);		/* SIOCINQ: bytes of the first datagram */

/* --- icmp.c: from ip/icmp.c --- */
/* RCU, softirq. True: it is about a socket of ours. @len: bytes of our header that are quoted */
bool haul_dgram_icmp(struct sk_buff *skb, const struct haul_icmp_error *e,
		     const struct haulhdr *quoted, u32 len);
/* the program's datagram was too large for the path: tells it, if it asked (IP_RECVERR) */
void haul_dgram_too_big(struct sock *sk, __be32 daddr, __be16 dport, u32 mtu);
void haul_dgram_too_big6(struct sock *sk, const struct flowi6 *fl6, u32 mtu);

#endif /* HAUL_DGRAM_H */
