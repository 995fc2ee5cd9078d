/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Haul: the socket, the flow, the objects that stand in for a socket, and the rules of locking and
 * lifetime.
 *
 * Locking
 * =======
 *
 * One connection, one lock: the socket lock (lock_sock, bh_lock_sock). Every field of struct
 * haul_sock is protected by it unless its comment says otherwise.
 *
 * - Program context takes lock_sock(). Softirq takes bh_lock_sock(); if a program owns the lock,
 *   packets go to the socket's backlog, timers and ICMP set a bit in haul_sock.deferred. Each
 *   deferred bit holds a reference on the socket; haul_release_cb() serves the bits when the
 *   program lets go, and drops the references.
 * - A listener's lock protects its half-open requests, its accept queue and the queued children's
 *   accept_node. Order: listener before child (bh_lock_sock_nested). A child never takes its
 *   listener's lock.
 * - Look-ups take no lock: haul_flows is an rhashtable read under RCU, the port table's chains are
 *   RCU lists. What a look-up returns holds a reference (refcount_inc_not_zero), but for a packet
 *   on its way in, for which its RCU section is enough (haul_flow_peek). It may have changed state
 *   meanwhile: whoever then takes the lock looks at the state again.
 * - A port bucket's spinlock protects its chain, each port's owners and receivers. Taken inside the
 *   socket lock, with bottom halves off.
 * - A remnant has a spinlock of its own for the few fields that packets change.
 * - A processor's list of sockets whose ACK waits for an answer has one (conn/batch.c), taken
 *   inside the socket lock.
 * - A listener's count of pending fast opens, which its children share, has a spinlock of its own
 *   (conn/fastopen.c), what a namespace remembers of servers another (conn/fastopen_cache.c), its
 *   fast open keys a seqlock. Each is taken inside the socket lock, with bottom halves off, and
 *   none inside another. So has each set of remembered round trips (conn/rtt_cache.c).
 * - A chain of the roll (ip/roll.c: who is seen from outside) has a spinlock, under which a flow
 *   enters and leaves the flow table, too. Whoever looks from outside (netlink, /proc) holds it for
 *   one step along a chain, takes a reference, and then the socket lock as a program does.
 *
 * Order, outermost first: listener, child, port bucket | remnant, the roll's chain, then the
 * kernel's own (queues, timers, rhashtable).
 *
 * Lifetime
 * ========
 *
 * A full socket is counted by sk_refcnt alone: the program's file (or an orphan's own life) holds
 * one reference, dropped by haul_conn_destroy(), an armed timer (the pacer's, too) one, a deferred
 * bit one, each request one on its listener. It is freed after an RCU grace period (SOCK_RCU_FREE).
 * Being in haul_flows or in the port table holds no reference: haul_conn_destroy() and every way to
 * CLOSED unhash first. Requests and remnants have a refcount of their own: one for being in the
 * table, one for an armed timer; freed by kfree_rcu through their caches. The table entry is the
 * state: who removes the entry (the removal is atomic and only one caller wins) drops the table's
 * reference and with it everything the object holds.
 *
 * A full socket never holds HAUL_TIME_WAIT (sk_fullsock() would deny it): a remnant does.
 */
#ifndef HAUL_H
#define HAUL_H

#include <linux/ipv6.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/seqlock.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "compat.h"
#include "core/wire.h"
#include "core/state.h"
#include "core/sender.h"
#include "core/receiver.h"
#include "observe/counters.h"

struct haul_af;
struct haul_port;
struct haul_pacer;
struct haul_fastopen;
struct haul_fastopen_cache;
struct haul_fastopen_keys;
struct haul_saved_syn;

/*
 * Of a large or frequent variable on the stack that is written before it is read: kernels zero all
 * others (init_on_stack), for each packet.
 */
#if __has_attribute(__uninitialized__)
#define haul_uninitialized	__attribute__((__uninitialized__))
#else
#define haul_uninitialized
#endif

extern int haul_family;			/* module parameter: AF_HAUL */
extern int haul_protocol;		/* module parameter: IPPROTO_HAUL */

/* ---------------------------------------------------------------- flows */

enum haul_owner {
	HAUL_OWNER_SOCK,	/* struct haul_sock */
	HAUL_OWNER_REQUEST,	/* struct haul_request */
	HAUL_OWNER_REMNANT,	/* struct haul_remnant */
	HAUL_OWNER_DGRAM,	/* struct haul_dgram: in the roll only */
};

/**
 * struct haul_flow_key - what a packet is recognised by; IPv4 addresses are v4-mapped
 * @net:	namespace
 * @local:	this side's address
 * @remote:	the peer's
 * @lport:	this side's port, network order
 * @rport:	the peer's
 * @kind:	enum haul_kind, as a word so that the key has no holes: all of it is hashed
 */
struct haul_flow_key {
	struct net	*net;
	struct in6_addr	local;
	struct in6_addr	remote;
	__be16		lport;
	__be16		rport;
	u32		kind;
};

/**
 * struct haul_flow - the demultiplexer's entry, embedded in its owner
 * @node:	in haul_flows
 * @key:	never changes while hashed
 * @dev:	index of the device bound to (a link-local peer's scope), 0: any; not hashed, but
 *		compared
 * @owner:	enum haul_owner
 * @hashed:	in the table; owner's lock
 * @roll:	in a chain of the roll (ip/roll.c): hashed, or waiting on a port. A datagram
 *		socket's @key says only where in the roll; haul_dgram_sock_key() tells its addresses
 * @number:	its place there
 */
struct haul_flow {
	struct rhash_head	node;
	struct haul_flow_key	key;
	int			dev;
	u8			owner;
	bool			hashed;
	struct hlist_node	roll;
	u64			number;
};

/**
 * struct haul_port_ref - one owner of a local port: a bound socket, a connection, a remnant; just
 *	behind the owner's flow, which tells what it is (haul_port_ref_flow())
 * @node:	in port->owners
 * @port:	the port; NULL: none held
 */
struct haul_port_ref {
	struct hlist_node	node;
	struct haul_port	*port;
};

/* ---------------------------------------------------------------- timers */

/* One timer_list serves them all; conn/timer.c */
enum haul_deadline {
	/* tail loss probe, RFC 8985 7; before the timeout, which it puts off when both are due */
	HAUL_DL_PROBE,
	HAUL_DL_RETRANSMIT,	/* RFC 6298 5 */
	HAUL_DL_REORDER,	/* RACK's reordering window ends, RFC 8985 6.3 */
	HAUL_DL_PERSIST,	/* zero-window probe, RFC 9293 3.8.6.1 */
	HAUL_DL_DELACK,		/* delayed acknowledgment, RFC 9293 3.8.6.3 */
	HAUL_DL_KEEPALIVE,	/* RFC 9293 3.8.4; user timeout */
	HAUL_DL_FIN_WAIT_2,	/* an orphan's patience in FIN-WAIT-2 */
	HAUL_NUM_DEADLINES
};

/* haul_sock.deferred */
enum haul_defer {
	HAUL_DEFER_TIMER,	/* the timer fired while a program owned the socket */
	HAUL_DEFER_PMTU,	/* a believed packet-too-big; mtu_info */
	HAUL_DEFER_WRITE,	/* pacing or the device let go: send more */
	HAUL_DEFER_HOLD,	/* an ACK has waited for an answer long enough */
	HAUL_DEFER_ICMP,	/* a believed ICMP error that ends a connection attempt; icmp_err */
};

/* ---------------------------------------------------------------- the socket */

/* What struct haul_info counts; payload in bytes, segments as on the wire and modulo 2^32 */
struct haul_stats {
	u64	bytes_acked;
	u64	bytes_received;
	u64	bytes_sent;
	u64	bytes_retrans;
	u64	last_data_sent;		/* us */
	u64	last_data_recv;		/* us */
	u64	last_ack_recv;		/* us */
	u32	segs_out;
	u32	segs_in;
	u32	data_segs_out;
	u32	data_segs_in;
	u32	retrans_segs;
	u32	reord_seen;
	u32	timeouts;
	u32	recoveries;
	u32	undos;
	u32	dsacks;
	u32	tlps;
	u32	ce_delivered;
	u32	zero_windows;
	u32	rcv_zero_windows;
};

/* What has kept the sender waiting; the times of haul_info (conn/chrono.c) */
enum haul_chrono {
	HAUL_CHRONO_IDLE,
	HAUL_CHRONO_BUSY,
	HAUL_CHRONO_CWND,
	HAUL_CHRONO_RWND,
	HAUL_CHRONO_SNDBUF,
	HAUL_NUM_CHRONOS
};

/**
 * struct haul_sock - a full socket: one end of a connection, or a listener
 * @inet:	the kernel's part, first. Addresses and ports live here and, once bound or
 *		connected, in @flow
 * @flow:	the demultiplexer's entry of a connection
 * @port:	hold on the local port
 * @hn:		the namespace's settings and counters
 * @af:		IPv4 or IPv6 as the packets go (an AF_INET6 socket with a mapped peer has IPv4's)
 * @snd:	RFC 9293's send variables, RTT, loss recovery, congestion control
 * @rcv:	RFC 9293's receive variables
 * @write_seq:	sequence number after the last byte (or FIN) in the send queue; SND.NXT <= it.
 *		Before connect(): the lowest ISN that may be used (RFC 6191, after a remnant was
 *		taken over), 0: any
 * @pushed_seq:	@write_seq when PSH was last set
 * @size_goal:	bytes of payload to gather in one packet buffer (large segments)
 * @tag:	own connection tag, in every packet received
 * @peer_tag:	the peer's, in every packet sent; 0 until known
 * @ts_offset:	us, added to the clock for this connection's timestamps
 * @last_tsval:	timestamp of the last packet sent: they never decrease
 * @sent_list:	sent, not yet acknowledged packets in the order of their latest transmission (RACK);
 *		sk->tcp_rtx_queue holds the same ones by sequence number
 * @ooo:	packets received out of order, by sequence number; never overlapping
 * @ooo_bytes:	payload bytes in @ooo
 * @in_parts:	messages: the one at rcv.copied is given to the program in parts (conn/message.c)
 * @open_message: messages: what was queued last does not end a message (MSG_MORE)
 * @now:	us, when the clock was last looked at for this socket (haul_clock()): a packet
 *		arrived, one departed, or a timer fired
 * @deadlines:	when, 0: off (conn/timer.c)
 * @armed:	what sk->sk_timer is armed for, the earliest deadline or before; 0: not armed
 * @pacer:	times of departure (conn/pace.c); NULL: no packet had to be paced
 * @deferred:	bits of enum haul_defer; atomic
 * @batch_node:	in a processor's list of sockets with something to do when the packets at hand are
 *		through (conn/batch.c); with @batch_listed
 * @write_node:	in a processor's list of sockets that may send on (conn/batch.c; the bits of enum
 *		haul_write_flag there are in sk->sk_tsq_flags)
 * @batched:	there is something to do then
 * @batch_listed: in such a list, or just taken off it
 * @held_node:	in a processor's list of those whose ACK waits for an answer (conn/batch.c); with
 *		@batch_held
 * @batch_held:	in such a list, or just taken off it
 * @mtu_info:	bytes, the path MTU that HAUL_DEFER_PMTU is about
 * @pmtu:	bytes, path MTU that snd.mss was computed from
 * @mtu_cap:	bytes, what larger packets are taken to vanish beyond (conn/mss.c); 0: nothing
 * @mtu_cap_s:	s, when that was found
 * @full_acked:	a full segment has arrived since nothing has been taken to vanish
 * @stamp_base:	sequence number that the numbers of timestamps count from (conn/stamp.c)
 * @user_mss:	bytes, HAUL_MAXSEG; 0: none
 * @peer_mss:	bytes, MSS that the peer's INIT announced
 * @retransmits: successive timeouts of the segment at SND.UNA
 * @probes_out:	unanswered zero-window or keepalive probes
 * @persist_backoff: doublings of the time between zero-window probes, answered or not
 * @retrans_first_us: when the segment at SND.UNA was first retransmitted by timeout: R1, R2, user
 *	timeout
 * @syn_us:	when the SYN or SYN-ACK was first sent
 * @challenge_start: of the present window of challenge ACKs (RFC 5961 7), in 1024 us, modulo 2^32
 * @challenges:	challenge ACKs sent in it
 * @accept_queue: a listener's finished connections; children by accept_node
 * @requests:	a listener's half-open connections
 * @num_requests: how many; in @challenge_start's place
 * @accept_node: in the listener's accept_queue
 * @defer_accept: timeouts of a request that a third step without data may wait for some; 0: it does
 *	not wait (HAUL_DEFER_ACCEPT). A child has it off, as on TCP
 * @fastopen:	what there is of fast open (conn/fastopen.h); NULL: nothing
 * @fastopen_qlen: a listener's HAUL_FASTOPEN, which a child has not, as on TCP
 * @fastopen_child: made of a SYN with a fast open cookie, whose third step has not come
 * @fastopen_fail: client: why the SYN's payload did not help, HAUL_FASTOPEN_UNSPEC ...
 * @syn_data:	payload of a SYN, ours or the peer's, was taken
 * @saved_syn:	a child's: the headers of its SYN, until they are read (conn/saved_syn.c)
 *
 * The options' values follow; see tcp(7) for each.
 */
struct haul_sock {
	struct inet_sock	inet;

	struct haul_flow	flow;
	struct haul_port_ref	port;
	struct haul_net		*hn;
	const struct haul_af	*af;

	/* sending */
	struct haul_sender	snd;
	u32			write_seq;
	u32			pushed_seq;
	u32			size_goal;
	u32			peer_tag;
	u32			ts_offset;
	u32			last_tsval;
	/* no socket is in LISTEN and sends: all of them are empty in between */
	union {
		struct list_head	sent_list;
		struct list_head	accept_queue;
	};
	union {
		struct list_head	accept_node;
		struct list_head	requests;
	};
	/* next lost packet to send again; NULL: look from SND.UNA */
	struct sk_buff		*retransmit_hint;

	/* receiving */
	struct haul_receiver	rcv;
	u32			tag;
	u32			ooo_bytes;
	struct rb_root		ooo;
	struct sk_buff		*ooo_last;		/* highest in @ooo */

	/* time */
	u64			now;
	u32			deadlines[HAUL_NUM_DEADLINES];
	u32			armed;
	struct haul_pacer	*pacer;
	unsigned long		deferred;
	struct list_head	batch_node;
	struct list_head	held_node;
	struct list_head	write_node;
	bool			batched;
	bool			batch_listed;
	bool			batch_held;
	u8			chrono;			/* enum haul_chrono */
	u16			rcv_ratio;		/* 256ths of receive memory: payload */
	u16			peer_mss;
	u64			retrans_first_us;
	u64			syn_us;
	u32			stamp_base;
	union {
		u32		challenge_start;
		u32		num_requests;
	};
	u64			chrono_us;		/* when @chrono began */
	/* us spent in each but IDLE, which nobody asks for */
	u64			chrono_time[HAUL_NUM_CHRONOS - 1];

	u32			mtu_info;
	u32			pmtu;
	u32			mtu_cap_s;
	u16			mtu_cap;
	u16			user_mss;
	u8			retransmits;
	u8			probes_out;
	u8			persist_backoff;
	u8			challenges;
	u16			icmp_err;

	/* written and read under the lock only: they share a word */
	bool			init_pending:1;		/* client: repeat INIT (protocol.rst) */
	bool			stateless:1;		/* client: the SYN-ACK came from a cookie */
	bool			from_cookie:1;		/* server: the request came from a cookie */
	bool			ecn_ok:1;		/* both sides agreed on ECN */
	bool			ecn_asked:1;		/* the SYN that was sent asked for ECN */
	bool			simultaneous:1;		/* SYN-RECEIVED by simultaneous open */
	bool			fin_queued:1;		/* a FIN is in the send queue or sent */
	/* a FIN is due, but there was no memory for it (haul_close_retry_fin()) */
	bool			fin_owed:1;
	bool			open_message:1;
	bool			destroyed:1;		/* haul_conn_destroy() has run */
	/* server by cookie or client: INIT no longer needed */
	bool			peer_confirmed:1;
	bool			full_acked:1;
	/* the SYN's timer is set ahead of the timeout; it went out again by that */
	bool			syn_early:1;
	bool			syn_early_sent:1;
	bool			syn_data:1;

	bool			in_parts;
	bool			fastopen_child;
	u8			fastopen_fail;
	u8			defer_accept;
	int			fastopen_qlen;		/* HAUL_FASTOPEN; 0: no fast open */
	struct haul_fastopen	*fastopen;
	struct haul_saved_syn	*saved_syn;

	struct haul_stats	stats;
	/* us, for haul_info; in SYN-RECEIVED haul_request.rtt_us */
	u32			handshake_rtt;
	/* bytes, what haul:haul_cwnd last told; 0: nothing */
	u32			traced_cwnd;
	u32			traced_ssthresh;

	/* options */
	u16			keep_idle;		/* s; 0: net.haul.keepalive_time */
	u16			keep_intvl;		/* s; 0: net.haul.keepalive_intvl */
	u16			inq_level;		/* HAUL_INQ: SOL_HAUL or SOL_TCP; 0: off */
	u8			keep_cnt;		/* 0: net.haul.keepalive_probes */
	u8			syn_retries;		/* 0: net.haul.syn_retries */
	bool			nodelay;
	bool			cork;
	bool			fastopen_connect;
	bool			fastopen_no_cookie;
	u32			user_timeout;		/* ms; 0: none */
	u32			notsent_lowat;		/* bytes; 0: net.haul.notsent_lowat */
	/* s; -1: no FIN-WAIT-2 at all; 0: net.haul.fin_timeout_ms */
	s8			linger2;
	u8			save_syn;		/* 1: from IP's header on, 2: the link's */
	u8			rto_min;		/* jiffies; 0: net.haul.rto_min_us */
	u8			delack_max;		/* jiffies; 0: HAUL_DELACK_MOST_US */
	u32			window_clamp;		/* bytes; 0: none */
};

/* An AF_INET6 socket has its ipv6_pinfo behind; inet.pinet6 points at it. */
struct haul6_sock {
	struct haul_sock	haul;
	struct ipv6_pinfo	inet6;
};

static inline struct haul_sock *haul_sk(const struct sock *sk)
{
	return (struct haul_sock *)sk;
}

static inline struct sock *haul_sock_sk(struct haul_sock *hs)
{
	return &hs->inet.sk;
}

/* is the state one of @states, HAUL_STATE_BIT()s? */
static inline bool haul_state_in(const struct sock *sk, u32 states)
{
	return HAUL_STATE_BIT(sk->sk_state) & states;
}

/* asserts the rule above: called first in every function that needs the socket lock */
static inline void haul_assert_locked(const struct sock *sk)
{
	sock_owned_by_me(sk);
}

/* ---------------------------------------------------------------- half-open and TIME-WAIT */

/**
 * struct haul_request - a half-open connection on the server: SYN received, SYN-ACK sent (RFC
 * 4987's SYN cache)
 * @flow:	the demultiplexer's entry; owner HAUL_OWNER_REQUEST
 * @refcnt:	table, timer, look-ups
 * @rcu:	for the free
 * @node:	in the listener's requests; listener's lock
 * @listener:	holds a reference on it
 * @timer:	SYN-ACK retransmission
 * @init:	the client's INIT: its tag, ISN, MSS, flags
 * @tag:	own tag
 * @iss:	own ISN
 * @ts_recent:	the client's latest timestamp
 * @ts_offset:	us
 * @wnd:	bytes, the client's window
 * @sent_us:	us, first SYN-ACK
 * @answered_us: us, last answer out of turn (SYN-ACK again, ACK, challenge): rate limit
 * @mark:	packet mark, for the route
 * @iif:	device that the SYN came in by
 * @saved_syn:	headers of the SYN (HAUL_SAVE_SYN), for the child; NULL: not kept
 * @rtt_us:	us, from the latest SYN-ACK to the first third step, where that was not taken; 0: it
 *		was, or has not come
 * @timeouts:	times that the timer fired
 * @retries:	SYN-ACKs sent again by it
 * @tos:	of the reply
 * @ecn:	ECN agreed
 * @acked:	the third step came but was not taken: the accept queue is full, or
 *		HAUL_DEFER_ACCEPT waits for data
 * @early:	the timer is set ahead of the timeout (haul_rtt_cache_early())
 * @early_sent:	that SYN-ACK was sent; it is one of @retries
 */
struct haul_request {
	struct haul_flow	flow;
	refcount_t		refcnt;
	struct rcu_head		rcu;
	struct list_head	node;
	struct sock		*listener;
	struct timer_list	timer;
	struct haul_init	init;
	u32			tag;
	u32			iss;
	u32			ts_recent;
	u32			ts_offset;
	u32			wnd;
	struct haul_saved_syn	*saved_syn;
	u64			sent_us;
	u64			answered_us;
	u32			mark;
	u32			rtt_us;
	int			iif;
	u8			timeouts;
	u8			retries;
	u8			tos;
	bool			ecn;
	bool			acked;
	bool			early;
	bool			early_sent;
};

/**
 * struct haul_remnant - what is left of a connection in TIME-WAIT
 * @flow:	the demultiplexer's entry; owner HAUL_OWNER_REMNANT
 * @port:	hold on the local port: TIME-WAIT keeps it
 * @refcnt:	table, timer, look-ups
 * @rcu:	for the free
 * @timer:	2 MSL
 * @lock:	protects @rcv_nxt and what follows
 * @tag:	own tag
 * @peer_tag:	the peer's
 * @snd_nxt:	SND.NXT
 * @rcv_nxt:	RCV.NXT
 * @rcv_wnd:	bytes, window to announce
 * @ts_offset:	us
 * @last_tsval:	last timestamp sent
 * @ts_recent:	TS.Recent
 * @ts_recent_us: when it was taken
 * @ack_us:	us, when it last answered: rate limit
 * @mark, @uid, @tos, @reuse, @reuseport, @v6only, @family: of the socket that it was
 */
struct haul_remnant {
	struct haul_flow	flow;
	struct haul_port_ref	port;
	refcount_t		refcnt;
	struct rcu_head		rcu;
	struct timer_list	timer;
	spinlock_t		lock;			/* @rcv_nxt and what follows */
	u32			tag;
	u32			peer_tag;
	u32			snd_nxt;
	u32			rcv_nxt;
	u32			rcv_wnd;
	u32			ts_offset;
	u32			last_tsval;
	u32			ts_recent;
	u64			ts_recent_us;
	u64			ack_us;			/* us, last answer: rate limit */
	u32			mark;
	kuid_t			uid;
	u16			ce;
	u8			tos;
	bool			reuse;
	bool			reuseport;
	bool			v6only;
	u8			family;
};

static_assert(offsetof(struct haul_sock, port) == offsetofend(struct haul_sock, flow));
static_assert(offsetof(struct haul_remnant, port) == offsetofend(struct haul_remnant, flow));

/* of whose port it is: a haul_sock's or a haul_remnant's */
static inline const struct haul_flow *haul_port_ref_flow(const struct haul_port_ref *ref)
{
	return (const struct haul_flow *)ref - 1;
}

/* ---------------------------------------------------------------- the namespace */

/**
 * struct haul_net - per-namespace settings, counters, sockets to answer by. Settings are read
 * without a lock (READ_ONCE).
 */
struct haul_net {
	struct haul_mib __percpu *mib;
	/* answer without a socket: RST, SYN-ACK, TIME-WAIT */
	struct sock		*ctl4;
	struct sock		*ctl6;
	struct ctl_table_header	*sysctl;
	struct ctl_table	*table;		/* the namespace's copy, when not init_net's */
	struct haul_fastopen_cache *fastopen_cache;
	struct haul_fastopen_keys *fastopen_keys;	/* @fastopen_lock */
	seqlock_t		fastopen_lock;
	atomic_t		num_remnants;
	bool			early;		/* early demultiplexing (ip/early.c) is on */

	const struct haul_cc_ops *cc;		/* net.haul.congestion_control */
	int	initial_cwnd;			/* segments */
	int	syn_retries;
	int	synack_retries;
	int	remember_rtt;			/* 0, 1 (conn/rtt_cache.c) */
	int	retries2;
	int	orphan_retries;
	int	msl_ms;
	int	fin_timeout_ms;
	int	keepalive_time;			/* s */
	int	keepalive_intvl;		/* s */
	int	keepalive_probes;
	int	max_syn_backlog;		/* half-open connections of one listener */
	int	syncookies;			/* 0: never, 1: SYN queue full, 2: always */
	int	max_remnants;
	int	rto_min_us;
	int	challenge_limit;		/* challenge ACKs per connection and second */
	int	ecn;				/* 0: off, 1: ask for and accept, 2: accept */
	int	fastopen;			/* HAUL_FASTOPEN_* of conn/fastopen.h */
	int	fastopen_blackhole_timeout_sec;	/* 0: never */
	int	moderate_rcvbuf;
	int	slow_start_after_idle;
	int	min_pmtu;			/* bytes: packet-too-big below it is not believed */
	/* timeouts of a full segment until smaller ones are tried; 0: never */
	int	black_hole_timeouts;
	unsigned int notsent_lowat;		/* bytes */
	int	rmem[3];			/* bytes: min, default, max */
	int	wmem[3];
};

extern unsigned int haul_net_id;

/* where there is a socket its @hn is the same, and cheaper */
static inline struct haul_net *haul_pernet(const struct net *net)
{
	return net_generic(net, haul_net_id);
}

/* haul_count_add() where every packet comes by; any context */
static inline void haul_sock_count(const struct sock *sk, enum haul_counter counter,
				   unsigned long n)
{
	this_cpu_add(haul_sk(sk)->hn->mib->mibs[counter], n);
}

/* settings shared by all namespaces, as the kernel accounts them (observe/sysctl.c) */
extern long haul_sysctl_mem[3];			/* pages */
extern int haul_sysctl_max_orphans;
extern atomic_long_t haul_memory_allocated;
DECLARE_PER_CPU(int, haul_memory_per_cpu_fw_alloc);
extern unsigned long haul_memory_pressure;
extern struct percpu_counter haul_sockets_allocated;
extern struct percpu_counter haul_orphans;

/* ---------------------------------------------------------------- packets in queues */

/*
 * bytes of room in front of a data packet: link, IP with options, Haul with INIT and four SACK
 * blocks
 */
#define HAUL_MAX_HEADER		L1_CACHE_ALIGN(160 + MAX_HEADER)

/* skb->cb of a received packet, from ip/input.c until the program has read it */
#define HAUL_PACKET(skb)	((struct haul_packet *)&((skb)->cb[0]))
/* skb->cb of a packet in the send or retransmission queue */
#define HAUL_SEG(skb)		((struct haul_seg *)&((skb)->cb[0]))

/* us, CLOCK_MONOTONIC: the one clock of the module */
static inline u64 haul_now_us(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_USEC);
}

/* looks at the clock: once per packet, all that it does happens at that time. Socket lock */
static inline u64 haul_clock(struct haul_sock *hs)
{
	hs->now = haul_now_us();
	return hs->now;
}

#endif /* HAUL_H */
