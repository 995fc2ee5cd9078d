/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints haul:*, for perf, trace-cmd, bpftrace and tracefs; Documentation/tracing.rst explains
 * each field. Units are in the names of fields. Sequence numbers are relative: to the ISN of the
 * side that they count. Addresses are IPv6's, IPv4's are v4-mapped; "local" is always this side,
 * so all events of a connection have the same ones. A tracepoint that is off is a no-op
 * instruction: what is assigned below is computed only when someone listens.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM haul

#if !defined(HAUL_OBSERVE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HAUL_OBSERVE_TRACE_H

#include <linux/ip.h>
#include <linux/tracepoint.h>
#include "../haul.h"

#ifndef HAUL_OBSERVE_TRACE_ONCE
#define HAUL_OBSERVE_TRACE_ONCE

/* A packet that is being dropped, as far as it can be read. */
struct haul_trace_packet {
	struct haul_flow_key	key;
	u32			seq;
	u32			len;
	u16			flags;
};

/* --- trace.c; called only while someone listens --- */
u64 haul_trace_cookie(const struct sock *sk);
void haul_trace_key(const struct sock *sk, struct haul_flow_key *out);
void haul_trace_read(const struct sk_buff *skb, struct haul_trace_packet *out);
void haul_trace_cwnd_changed(struct sock *sk);

#endif /* HAUL_OBSERVE_TRACE_ONCE */

/* ---------------------------------------------------------------- what all events have */

#define HAUL_TP_FLOW							\
	__field(u64,	sock_cookie)					\
	__field(u32,	netns_inum)					\
	__field(u16,	lport)						\
	__field(u16,	rport)						\
	__array(u8,	laddr, sizeof(struct in6_addr))			\
	__array(u8,	raddr, sizeof(struct in6_addr))

#define HAUL_TP_SET_KEY(net, key)					\
	do {								\
		__entry->netns_inum = (net)->ns.inum;			\
		__entry->lport = ntohs((key)->lport);			\
		__entry->rport = ntohs((key)->rport);			\
		memcpy(__entry->laddr, &(key)->local, sizeof(struct in6_addr)); \
		memcpy(__entry->raddr, &(key)->remote, sizeof(struct in6_addr)); \
	} while (0)

#define HAUL_TP_SET_SOCK(sk)						\
	do {								\
		struct haul_flow_key haul_tp_key;			\
									\
		haul_trace_key(sk, &haul_tp_key);			\
		__entry->sock_cookie = haul_trace_cookie(sk);		\
		HAUL_TP_SET_KEY(sock_net(sk), &haul_tp_key);		\
	} while (0)

#define HAUL_TP_FLOW_FMT						\
	"sock=%llu netns=%u local=[%pI6c]:%u remote=[%pI6c]:%u "

#define HAUL_TP_FLOW_ARGS						\
	__entry->sock_cookie, __entry->netns_inum, __entry->laddr,	\
	__entry->lport, __entry->raddr, __entry->rport

#define haul_tp_flags(flags)						\
	__print_flags(flags, "|",					\
		      { HAUL_FIN,	"FIN" },			\
		      { HAUL_SYN,	"SYN" },			\
		      { HAUL_RST,	"RST" },			\
		      { HAUL_PSH,	"PSH" },			\
		      { HAUL_ACK,	"ACK" },			\
		      { HAUL_EOM,	"EOM" },			\
		      { HAUL_REFLECTED,	"REFLECTED" },			\
		      { HAUL_STATELESS,	"STATELESS" })

/* ---------------------------------------------------------------- names of numbers */

#define HAUL_TP_STATES							\
	EM(HAUL_ESTABLISHED,	"ESTABLISHED")				\
	EM(HAUL_SYN_SENT,	"SYN_SENT")				\
	EM(HAUL_SYN_RECEIVED,	"SYN_RECEIVED")				\
	EM(HAUL_FIN_WAIT_1,	"FIN_WAIT_1")				\
	EM(HAUL_FIN_WAIT_2,	"FIN_WAIT_2")				\
	EM(HAUL_TIME_WAIT,	"TIME_WAIT")				\
	EM(HAUL_CLOSED,		"CLOSED")				\
	EM(HAUL_CLOSE_WAIT,	"CLOSE_WAIT")				\
	EM(HAUL_LAST_ACK,	"LAST_ACK")				\
	EM(HAUL_LISTEN,		"LISTEN")				\
	EMe(HAUL_CLOSING,	"CLOSING")

#define HAUL_TP_RECOVERIES						\
	EM(HAUL_RECOVERY_OPEN,		"OPEN")				\
	EM(HAUL_RECOVERY_DISORDER,	"DISORDER")			\
	EM(HAUL_RECOVERY_CWR,		"CWR")				\
	EM(HAUL_RECOVERY_FAST,		"FAST")				\
	EMe(HAUL_RECOVERY_LOSS,		"LOSS")

#define HAUL_TP_TIMERS							\
	EM(HAUL_DL_PROBE,	"PROBE")				\
	EM(HAUL_DL_RETRANSMIT,	"RETRANSMIT")				\
	EM(HAUL_DL_REORDER,	"REORDER")				\
	EM(HAUL_DL_PERSIST,	"PERSIST")				\
	EM(HAUL_DL_DELACK,	"DELACK")				\
	EM(HAUL_DL_KEEPALIVE,	"KEEPALIVE")				\
	EMe(HAUL_DL_FIN_WAIT_2,	"FIN_WAIT_2")

#define HAUL_TP_LIMITS							\
	EM(HAUL_CHRONO_IDLE,	"IDLE")					\
	EM(HAUL_CHRONO_BUSY,	"BUSY")					\
	EM(HAUL_CHRONO_CWND,	"CWND")					\
	EM(HAUL_CHRONO_RWND,	"RWND")					\
	EMe(HAUL_CHRONO_SNDBUF,	"SNDBUF")

/* programs that read the format file must find numbers there, not enumerators */
#undef EM
#undef EMe
#define EM(a, b)	TRACE_DEFINE_ENUM(a);
#define EMe(a, b)	TRACE_DEFINE_ENUM(a);
#define X(name, text, why)	TRACE_DEFINE_ENUM(HAUL_CNT_##name);

HAUL_TP_STATES
HAUL_TP_RECOVERIES
HAUL_TP_TIMERS
HAUL_TP_LIMITS
HAUL_COUNTERS(X)

#undef X
#undef EM
#undef EMe
#define EM(a, b)	{ a, b },
#define EMe(a, b)	{ a, b }
#define HAUL_TP_COUNTER(name, text, why)	{ HAUL_CNT_##name, text },

#define haul_tp_state(s)	__print_symbolic(s, HAUL_TP_STATES)
#define haul_tp_recovery(s)	__print_symbolic(s, HAUL_TP_RECOVERIES)
#define haul_tp_limit(s)	__print_symbolic(s, HAUL_TP_LIMITS)

/* ---------------------------------------------------------------- the events */

/* a connection goes to another state (a half-open one has no socket, nor has TIME-WAIT) */
TRACE_EVENT(haul_state,
	TP_PROTO(const struct sock *sk, u8 from, u8 to),
	TP_ARGS(sk, from, to),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u8, from)
		__field(u8, to)
	),
	TP_fast_assign(
		HAUL_TP_SET_SOCK(sk);
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk(HAUL_TP_FLOW_FMT "from=%s to=%s", HAUL_TP_FLOW_ARGS,
		  haul_tp_state(__entry->from), haul_tp_state(__entry->to))
);

/* a packet of a socket is about to leave; segs > 1: a large one, cut below */
TRACE_EVENT(haul_send,
	TP_PROTO(const struct sock *sk, u32 seq, u32 len, u16 flags, unsigned int segs),
	TP_ARGS(sk, seq, len, flags, segs),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, seq)
		__field(u32, len_bytes)
		__field(u32, ack)
		__field(u32, segs)
		__field(u32, rcv_wnd_bytes)
		__field(u32, snd_wnd_bytes)
		__field(u32, cwnd_bytes)
		__field(u32, ssthresh_bytes)
		__field(u32, in_flight_bytes)
		__field(u32, srtt_us)
		__field(u16, flags)
		__field(u8, state)
		__field(u8, limit)
	),
	TP_fast_assign(
		const struct haul_sock *hs = haul_sk(sk);

		HAUL_TP_SET_SOCK(sk);
		__entry->seq = seq - hs->snd.iss;
		__entry->len_bytes = len;
		__entry->ack = (flags & HAUL_ACK) ? hs->rcv.nxt - hs->rcv.irs : 0;
		__entry->segs = segs;
		__entry->rcv_wnd_bytes = hs->rcv.wnd;
		__entry->snd_wnd_bytes = hs->snd.wnd;
		__entry->cwnd_bytes = hs->snd.cwnd;
		__entry->ssthresh_bytes = hs->snd.ssthresh;
		__entry->in_flight_bytes = haul_sender_in_flight(&hs->snd);
		__entry->srtt_us = haul_rtt_srtt(&hs->snd.rtt);
		__entry->flags = flags;
		__entry->state = sk->sk_state;
		__entry->limit = hs->chrono;
	),
	TP_printk(HAUL_TP_FLOW_FMT
		  "seq=%u len_bytes=%u flags=%s ack=%u segs=%u rcv_wnd_bytes=%u snd_wnd_bytes=%u cwnd_bytes=%u ssthresh_bytes=%u in_flight_bytes=%u srtt_us=%u state=%s limit=%s",
		  HAUL_TP_FLOW_ARGS, __entry->seq, __entry->len_bytes,
		  haul_tp_flags(__entry->flags), __entry->ack, __entry->segs,
		  __entry->rcv_wnd_bytes, __entry->snd_wnd_bytes, __entry->cwnd_bytes,
		  __entry->ssthresh_bytes, __entry->in_flight_bytes, __entry->srtt_us,
		  haul_tp_state(__entry->state), haul_tp_limit(__entry->limit))
);

/* a packet of no socket has left: a SYN-ACK, a reset, what TIME-WAIT answers; seq, ack absolute */
TRACE_EVENT(haul_reply,
	TP_PROTO(const struct haul_flow_key *key, const struct haul_packet *p),
	TP_ARGS(key, p),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, abs_seq)
		__field(u32, abs_ack)
		__field(u32, rcv_wnd_bytes)
		__field(u16, flags)
	),
	TP_fast_assign(
		__entry->sock_cookie = 0;
		HAUL_TP_SET_KEY(key->net, key);
		__entry->abs_seq = p->seq;
		__entry->abs_ack = p->ack;
		__entry->rcv_wnd_bytes = p->window;
		__entry->flags = p->flags;
	),
	TP_printk(HAUL_TP_FLOW_FMT "abs_seq=%u abs_ack=%u flags=%s rcv_wnd_bytes=%u",
		  HAUL_TP_FLOW_ARGS, __entry->abs_seq, __entry->abs_ack,
		  haul_tp_flags(__entry->flags), __entry->rcv_wnd_bytes)
);

/*
 * A packet reaches a socket, not yet checked beyond its form. What a listener hands on to a child
 * is there twice, first in state LISTEN, where the sequence numbers are absolute.
 */
TRACE_EVENT(haul_receive,
	TP_PROTO(const struct sock *sk, const struct sk_buff *skb),
	TP_ARGS(sk, skb),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, seq)
		__field(u32, len_bytes)
		__field(u32, ack)
		__field(u32, wnd_bytes)
		__field(u16, flags)
		__field(u16, ce)
		__field(u8, state)
		__field(u8, limit)
	),
	TP_fast_assign(
		const struct haul_packet *p = HAUL_PACKET(skb);
		const struct haul_sock *hs = haul_sk(sk);
		struct haul_trace_packet packet;

		haul_trace_read(skb, &packet);
		__entry->sock_cookie = haul_trace_cookie(sk);
		HAUL_TP_SET_KEY(sock_net(sk), &packet.key);
		__entry->seq = p->seq - hs->rcv.irs;
		__entry->len_bytes = haul_packet_len(p);
		__entry->ack = (p->flags & HAUL_ACK) ? p->ack - hs->snd.iss : 0;
		__entry->wnd_bytes = p->window;
		__entry->flags = p->flags;
		__entry->ce = p->ce;
		__entry->state = sk->sk_state;
		__entry->limit = hs->chrono;
	),
	TP_printk(HAUL_TP_FLOW_FMT
		  "seq=%u len_bytes=%u flags=%s ack=%u wnd_bytes=%u ce=%u state=%s limit=%s",
		  HAUL_TP_FLOW_ARGS, __entry->seq, __entry->len_bytes,
		  haul_tp_flags(__entry->flags), __entry->ack, __entry->wnd_bytes, __entry->ce,
		  haul_tp_state(__entry->state), haul_tp_limit(__entry->limit))
);

/* @mss: bytes of payload in a full packet, beside the options that it carries */
DECLARE_EVENT_CLASS(haul_seg,
	TP_PROTO(const struct sock *sk, const struct haul_seg *seg, u32 mss),
	TP_ARGS(sk, seg, mss),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, seq)
		__field(u32, len_bytes)
		__field(u32, segs)
		__field(u32, cwnd_bytes)
		__field(u32, ssthresh_bytes)
		__field(u32, in_flight_bytes)
		__field(u32, srtt_us)
		__field(u16, flags)
		__field(u8, state)
		__field(u8, recovery)
		__field(u8, timeouts)
	),
	TP_fast_assign(
		const struct haul_sock *hs = haul_sk(sk);

		HAUL_TP_SET_SOCK(sk);
		__entry->seq = seg->seq - hs->snd.iss;
		__entry->len_bytes = haul_seg_len(seg) - !!(seg->flags & HAUL_SYN) -
				     !!(seg->flags & HAUL_FIN);
		__entry->segs = DIV_ROUND_UP(max(__entry->len_bytes, 1U), max(mss, 1U));
		__entry->flags = seg->flags;
		__entry->cwnd_bytes = hs->snd.cwnd;
		__entry->ssthresh_bytes = hs->snd.ssthresh;
		__entry->in_flight_bytes = haul_sender_in_flight(&hs->snd);
		__entry->srtt_us = haul_rtt_srtt(&hs->snd.rtt);
		__entry->state = sk->sk_state;
		__entry->recovery = hs->snd.rec.state;
		__entry->timeouts = hs->retransmits;
	),
	TP_printk(HAUL_TP_FLOW_FMT
		  "seq=%u len_bytes=%u flags=%s segs=%u cwnd_bytes=%u ssthresh_bytes=%u in_flight_bytes=%u srtt_us=%u state=%s recovery=%s timeouts=%u",
		  HAUL_TP_FLOW_ARGS, __entry->seq, __entry->len_bytes,
		  haul_tp_flags(__entry->flags), __entry->segs, __entry->cwnd_bytes,
		  __entry->ssthresh_bytes, __entry->in_flight_bytes, __entry->srtt_us,
		  haul_tp_state(__entry->state),
		  haul_tp_recovery(__entry->recovery), __entry->timeouts)
);

/* a segment has been sent again; haul_send has told so, too, without saying that it is a copy */
DEFINE_EVENT(haul_seg, haul_retransmit,
	TP_PROTO(const struct sock *sk, const struct haul_seg *seg, u32 mss),
	TP_ARGS(sk, seg, mss)
);

/* a segment, or its latest copy, is taken for lost from now on; once, however often it is asked */
DEFINE_EVENT_CONDITION(haul_seg, haul_lost,
	TP_PROTO(const struct sock *sk, const struct haul_seg *seg, u32 mss),
	TP_ARGS(sk, seg, mss),
	TP_CONDITION((seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) != HAUL_SEG_LOST)
);

/* the peer says that it holds this range: a SACK block, or (dsack) had it already */
TRACE_EVENT(haul_sack,
	TP_PROTO(const struct sock *sk, u32 start, u32 end, bool dsack),
	TP_ARGS(sk, start, end, dsack),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, start)
		__field(u32, end)
		__field(u8, dsack)
	),
	TP_fast_assign(
		HAUL_TP_SET_SOCK(sk);
		__entry->start = start - haul_sk(sk)->snd.iss;
		__entry->end = end - haul_sk(sk)->snd.iss;
		__entry->dsack = dsack;
	),
	TP_printk(HAUL_TP_FLOW_FMT "start=%u end=%u dsack=%u", HAUL_TP_FLOW_ARGS,
		  __entry->start, __entry->end, __entry->dsack)
);

/* a round trip was measured (RFC 6298, 7323) */
TRACE_EVENT(haul_rtt,
	TP_PROTO(const struct sock *sk, u32 rtt_us),
	TP_ARGS(sk, rtt_us),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, rtt_us)
		__field(u32, srtt_us)
		__field(u32, rttvar_us)
		__field(u32, min_rtt_us)
		__field(u32, rto_us)
	),
	TP_fast_assign(
		const struct haul_rtt *rtt = &haul_sk(sk)->snd.rtt;

		HAUL_TP_SET_SOCK(sk);
		__entry->rtt_us = rtt_us;
		__entry->srtt_us = haul_rtt_srtt(rtt);
		__entry->rttvar_us = rtt->rttvar4 >> 2;
		__entry->min_rtt_us = rtt->min;
		__entry->rto_us = haul_rtt_rto(rtt);
	),
	TP_printk(HAUL_TP_FLOW_FMT
		  "rtt_us=%u srtt_us=%u rttvar_us=%u min_rtt_us=%u rto_us=%u",
		  HAUL_TP_FLOW_ARGS, __entry->rtt_us, __entry->srtt_us, __entry->rttvar_us,
		  __entry->min_rtt_us, __entry->rto_us)
);

/* the peer offers another window */
TRACE_EVENT(haul_window,
	TP_PROTO(const struct sock *sk),
	TP_ARGS(sk),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, snd_wnd_bytes)
		__field(u32, max_wnd_bytes)
	),
	TP_fast_assign(
		HAUL_TP_SET_SOCK(sk);
		__entry->snd_wnd_bytes = haul_sk(sk)->snd.wnd;
		__entry->max_wnd_bytes = haul_sk(sk)->snd.max_wnd;
	),
	TP_printk(HAUL_TP_FLOW_FMT "snd_wnd_bytes=%u max_wnd_bytes=%u", HAUL_TP_FLOW_ARGS,
		  __entry->snd_wnd_bytes, __entry->max_wnd_bytes)
);

/*
 * The congestion window or its threshold is another than when this event last told of the
 * connection (old values 0: it never did).
 */
TRACE_EVENT(haul_cwnd,
	TP_PROTO(const struct sock *sk),
	TP_ARGS(sk),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, cwnd_bytes)
		__field(u32, ssthresh_bytes)
		__field(u32, old_cwnd_bytes)
		__field(u32, old_ssthresh_bytes)
		__field(u32, in_flight_bytes)
		__field(u32, mss_bytes)
		__field(u8, recovery)
		__array(char, controller, HAUL_CC_NAME_MAX)
	),
	TP_fast_assign(
		const struct haul_sock *hs = haul_sk(sk);

		HAUL_TP_SET_SOCK(sk);
		__entry->cwnd_bytes = hs->snd.cwnd;
		__entry->ssthresh_bytes = hs->snd.ssthresh;
		__entry->old_cwnd_bytes = hs->traced_cwnd;
		__entry->old_ssthresh_bytes = hs->traced_ssthresh;
		__entry->in_flight_bytes = haul_sender_in_flight(&hs->snd);
		__entry->mss_bytes = hs->snd.mss;
		__entry->recovery = hs->snd.rec.state;
		memcpy(__entry->controller, hs->snd.cc->name, HAUL_CC_NAME_MAX);
	),
	TP_printk(HAUL_TP_FLOW_FMT
		  "cwnd_bytes=%u ssthresh_bytes=%u old_cwnd_bytes=%u old_ssthresh_bytes=%u in_flight_bytes=%u mss_bytes=%u recovery=%s controller=%s",
		  HAUL_TP_FLOW_ARGS, __entry->cwnd_bytes, __entry->ssthresh_bytes,
		  __entry->old_cwnd_bytes, __entry->old_ssthresh_bytes,
		  __entry->in_flight_bytes, __entry->mss_bytes,
		  haul_tp_recovery(__entry->recovery), __entry->controller)
);

/* what keeps the sender waiting has changed; it was @from for @spent_us */
TRACE_EVENT(haul_limit,
	TP_PROTO(const struct sock *sk, u8 from, u8 to, u64 spent_us),
	TP_ARGS(sk, from, to, spent_us),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u64, spent_us)
		__field(u8, from)
		__field(u8, to)
	),
	TP_fast_assign(
		HAUL_TP_SET_SOCK(sk);
		__entry->spent_us = spent_us;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk(HAUL_TP_FLOW_FMT "from=%s to=%s spent_us=%llu", HAUL_TP_FLOW_ARGS,
		  haul_tp_limit(__entry->from), haul_tp_limit(__entry->to), __entry->spent_us)
);

/* a deadline is over and is being acted on */
TRACE_EVENT(haul_timer,
	TP_PROTO(const struct sock *sk, u8 timer, u64 late_us),
	TP_ARGS(sk, timer, late_us),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u64, late_us)
		__field(u8, timer)
		__field(u8, state)
	),
	TP_fast_assign(
		HAUL_TP_SET_SOCK(sk);
		__entry->late_us = late_us;
		__entry->timer = timer;
		__entry->state = sk->sk_state;
	),
	TP_printk(HAUL_TP_FLOW_FMT "timer=%s late_us=%llu state=%s", HAUL_TP_FLOW_ARGS,
		  __print_symbolic(__entry->timer, HAUL_TP_TIMERS), __entry->late_us,
		  haul_tp_state(__entry->state))
);

/* a received packet is thrown away; its numbers are as on the wire, 0 where it was too short */
TRACE_EVENT(haul_drop,
	TP_PROTO(const struct net *net, const struct sk_buff *skb, u8 reason),
	TP_ARGS(net, skb, reason),
	TP_STRUCT__entry(
		HAUL_TP_FLOW
		__field(u32, abs_seq)
		__field(u32, len_bytes)
		__field(u16, flags)
		__field(u8, reason)
	),
	TP_fast_assign(
		struct haul_trace_packet packet;

		haul_trace_read(skb, &packet);
		__entry->sock_cookie = 0;
		HAUL_TP_SET_KEY(net, &packet.key);
		__entry->abs_seq = packet.seq;
		__entry->len_bytes = packet.len;
		__entry->flags = packet.flags;
		__entry->reason = reason;
	),
	TP_printk(HAUL_TP_FLOW_FMT "abs_seq=%u len_bytes=%u flags=%s reason=%s",
		  HAUL_TP_FLOW_ARGS, __entry->abs_seq, __entry->len_bytes,
		  haul_tp_flags(__entry->flags),
		  __print_symbolic(__entry->reason, HAUL_COUNTERS(HAUL_TP_COUNTER)
				   { HAUL_NUM_COUNTERS, "" }))
);

#ifndef HAUL_OBSERVE_TRACE_HOOKS
#define HAUL_OBSERVE_TRACE_HOOKS

/* to be called where the congestion window may have changed; the socket lock is held */
static inline void haul_trace_cwnd(struct sock *sk)
{
	if (trace_haul_cwnd_enabled())
		haul_trace_cwnd_changed(sk);
}

#endif /* HAUL_OBSERVE_TRACE_HOOKS */

#endif /* HAUL_OBSERVE_TRACE_H */

/* found through Kbuild's -I of module/ */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH observe
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
