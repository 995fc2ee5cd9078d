/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One connection's life. Where each part of RFC 9293 lives:
 *
 *	3.3.2  states, their edges		state.c (the one function that changes a state)
 *	3.4.1  initial sequence numbers		secret.c (RFC 6528; tags, timestamps, cookies)
 *	3.5    handshake: client side		handshake.c
 *	       handshake: server side		listen.c (a listener's input), request.c
 *						(SYN queue), cookie.c, child.c
 *	       fast open (RFC 7413)		fastopen.c, fastopen_client.c, fastopen_cache.c
 *	3.5.2  resets				reset.c
 *	3.6    closing				close.c, TIME-WAIT: remnant.c
 *	3.7.1  MSS; 3.7.2 path MTU		mss.c
 *	3.8.1  retransmission timeout		retransmit.c, rtx.c (the queue), timer.c
 *	3.8.2  congestion control		cong.c (registry; controllers: core/), pace.c
 *	3.8.4  keepalive			alive.c, with zero-window probes (3.8.6.1) and
 *						the user timeout (3.8.3)
 *	RFC 9040 what is remembered of paths	rtt_cache.c
 *	3.8.6  window				window.c (buffers, autotuning),
 *						ack_out.c (delayed ACKs), batch.c
 *	3.9.1  the user's calls			sock/
 *	3.10.7 segments arrive			input.c (checks), ack.c (ACK field),
 *						reassembly.c (text), close.c (FIN)
 *	       segments leave			output.c (what may go), transmit.c (one packet),
 *						stamp.c (SO_TIMESTAMPING)
 *	RFC 2018, 8985 loss			recovery.c (walks the queue; the rules are in core/)
 */
#ifndef HAUL_CONN_H
#define HAUL_CONN_H

#include "../haul.h"
#include "../haul_cc.h"

struct haul_icmp;

/* --- state.c --- */
/* Changes the state: legal edges only (warns on another), counts, traces, wakes. Socket lock. */
void haul_set_state(struct sock *sk, u8 state);
/*
 * The connection is over: error for the program, out of the tables, timers off, state CLOSED; an
 * orphan is destroyed. Socket lock. @err positive errno or 0.
 */
void haul_conn_done(struct sock *sk, int err);
/*
 * no file and CLOSED: the last act of a socket; drops the life's own reference. Socket lock held,
 * BH off.
 */
void haul_conn_destroy(struct sock *sk);
/* the sending half of a new connection, with ISN @iss and the bounds that the program has set */
void haul_conn_init_sender(struct haul_sock *hs, u32 iss);
/* a new socket's private part: queues, timer, controller, defaults from the namespace */
void haul_conn_init(struct sock *sk);
/*
 * the same for a child, just cloned: CLOSED, nothing of its listener's but the options and the
 * controller
 */
void haul_conn_init_child(struct sock *child, const struct sock *listener,
			  const struct haul_request *req);

/* --- secret.c: keyed hashes; all in softirq too --- */
/* RFC 6528: ISN, from clock and flow; and the timestamp offset */
u32 haul_secret_start(const struct haul_flow_key *key, u64 now, u32 *ts_offset);
/*
 * us, timestamp offset of the flow: the same for each incarnation (RFC 7323 5.4), and under cookies
 */
u32 haul_secret_ts_offset(const struct haul_flow_key *key);
/* random, never 0 */
u32 haul_secret_tag(void);
/*
 * The cookie: tag and ISN of the server, a MAC over flow, the client's INIT tag and ISN, and @slot
 * (cookie.c)
 */
u64 haul_secret_cookie(const struct haul_flow_key *key, const struct haul_init *init, u32 slot);

/* --- handshake.c --- */
/* connect(): route, port and flow are set: SYN-SENT, first SYN out. 0 or -errno. */
int haul_handshake_start(struct sock *sk);
/* a SYN or SYN-ACK of a full socket: into the queue, and out for the first time */
void haul_handshake_queue_syn(struct sock *sk, struct sk_buff *skb);
void haul_handshake_send_syn(struct sock *sk, gfp_t gfp);
/* it goes again, ahead of its timeout: haul_sock.syn_early */
void haul_handshake_early(struct sock *sk, struct sk_buff *skb);
/* a segment arrives in SYN-SENT (RFC 9293 3.10.7.3). Consumes it. */
void haul_handshake_rcv(struct sock *sk, struct sk_buff *skb);
/* INIT of the peer is known: tag, MSS, ECN, windows */
void haul_handshake_take_init(struct sock *sk, const struct haul_init *init);
/* SYN-SENT or SYN-RECEIVED ends well: ESTABLISHED, buffers, controller, keepalive; wakes */
void haul_handshake_done(struct sock *sk, const struct haul_packet *p);
/*
 * client: an acceptable packet without SYN came, so the server knows INIT (protocol.rst 3.3); cheap
 * when known
 */
void haul_handshake_confirmed(struct sock *sk);
/*
 * client, after a cookie: HAUL_DL_RETRANSMIT with nothing in the retransmission queue: ACK + INIT
 * again, or gives up
 */
void haul_handshake_repeat_ack(struct sock *sk);

/* --- listen.c --- */
/*
 * a packet for a listener or for one of its requests (it looks up again). Listener's lock. Consumes
 * it.
 */
void haul_listen_rcv(struct sock *sk, struct sk_buff *skb);
/* close() or shutdown of a listener: requests and queued children go */
void haul_listen_stop(struct sock *sk);
/*
 * bytes, the first window of a connection that this listener accepts: in SYN-ACK and kept by the
 * child
 */
u32 haul_listen_window(const struct sock *sk);

/* --- saved_syn.c --- */
/* the headers of a SYN, which kfree() frees; NULL: not wanted, no memory. Listener's lock */
struct haul_saved_syn *haul_saved_syn_make(const struct sock *listener, const struct sk_buff *skb);
void haul_saved_syn_forget(struct sock *sk);
/* getsockopt(): gives them and forgets them; takes the lock itself */
int haul_saved_syn_get(struct sock *sk, char __user *val, int __user *optlen, int room);

/* --- request.c --- */
/* a new SYN that a listener takes: makes the request, sends SYN-ACK. Listener's lock. */
void haul_request_create(struct sock *listener, struct sk_buff *skb, const struct haul_init *init,
			 const struct haul_fastopen_option *fastopen);
/* a packet for a request. Listener's lock. Consumes skb. */
void haul_request_rcv(struct sock *listener, struct haul_request *req, struct sk_buff *skb);
void haul_request_put(struct haul_request *req);
/*
 * what a request learns from SYN (or from a cookie's third step), but for own tag and ISN; @req
 * zeroed before
 */
void haul_request_fill(struct haul_request *req, struct sock *listener, const struct sk_buff *skb,
		       const struct haul_init *init);
/*
 * SYN-ACK of a request (on the stack by cookie: with @extra HAUL_STATELESS), with @fastopen unless
 * NULL. 0 or -errno
 */
int haul_request_synack(struct haul_request *req, u16 extra,
			const struct haul_fastopen_option *fastopen);
/* the child has replaced @req in the table: list, timer and the table's reference go */
void haul_request_done(struct haul_request *req);
/* takes it out of table and list; listener's lock, or the namespace's end */
void haul_request_drop(struct haul_request *req);
int haul_request_init(void);
void haul_request_exit(void);

/* --- cookie.c --- */
/* answers a SYN without keeping anything */
void haul_cookie_send(struct sock *listener, struct sk_buff *skb, const struct haul_init *init);
/*
 * an ACK with INIT that matches nothing: if the cookie is right, fills @req (on the caller's stack)
 * and returns true
 */
bool haul_cookie_check(struct sock *listener, struct sk_buff *skb, const struct haul_init *init,
		       struct haul_request *req);

/* --- child.c --- */
/* what a child is made of */
enum haul_birth {
	HAUL_BIRTH_REQUEST,	/* the third step for a request in the table */
	HAUL_BIRTH_COOKIE,	/* the third step after a cookie; the request is on the stack */
	HAUL_BIRTH_FASTOPEN,	/* a SYN (fastopen.c); the request is on the stack */
};

/*
 * The third step, or a fast open's SYN: a child in SYN-RECEIVED, in the request's place in the
 * table (or its own), in the accept queue. Returned with bh_lock_sock() held; NULL: no memory,
 * queue full, or another was first.
 */
struct sock *haul_child_create(struct sock *listener, struct haul_request *req, struct sk_buff *skb,
			       enum haul_birth birth);
/*
 * takes the third step: makes the child, which then has the packet. Listener's lock. Consumes skb.
 */
void haul_child_accept(struct sock *listener, struct haul_request *req, struct sk_buff *skb,
		       enum haul_birth birth);

/* --- remnant.c --- */
/* TIME-WAIT (RFC 9293 3.6.1): leaves a remnant in the socket's place, the socket goes to CLOSED */
void haul_remnant_enter(struct sock *sk);
/*
 * a packet for a remnant; consumes it. True: it is a new SYN that RFC 6191 lets pass: the remnant
 * is gone, look for a listener (skb not consumed then)
 */
bool haul_remnant_rcv(struct haul_remnant *rem, struct sk_buff *skb);
/*
 * connect() wants the key: true if RFC 6191 allows it; the remnant is gone then, @isn the lowest
 * ISN to use
 */
bool haul_remnant_reuse(struct haul_remnant *rem, u32 *isn);
void haul_remnant_put(struct haul_remnant *rem);
/* out of everything, at its time or before; a reference is the caller's own */
void haul_remnant_drop(struct haul_remnant *rem);
int haul_remnant_init(void);
void haul_remnant_exit(void);
/* namespace exit: requests, remnants and orphans go */
void haul_conn_net_exit(struct net *net);

/* --- reset.c --- */
/*
 * RST for a packet that matches nothing, by protocol.rst's rules (rate of its own); skb stays the
 * caller's
 */
void haul_reset_reply(struct net *net, const struct sock *sk, struct sk_buff *skb);
/* RST on a connection that this side aborts */
void haul_reset_send(struct sock *sk, gfp_t gfp);
/* a genuine RST arrived (RFC 9293 3.10.7.4 second): error by state, done */
void haul_reset_rcv(struct sock *sk);
/*
 * RFC 5961 7's limit of this connection: may another challenge ACK (or SYN-SENT's RST) go? Counts a
 * refusal. Socket lock
 */
bool haul_challenge_permit(struct sock *sk);

/* --- close.c --- */
/* no more data from this side: FIN behind what is queued. Socket lock */
void haul_close_send(struct sock *sk);
/* haul_sock.fin_owed: is there memory for it now? */
void haul_close_retry_fin(struct sock *sk);
/* the peer's FIN is next in sequence: RFC 9293 3.10.7.4 eighth */
void haul_close_rcv_fin(struct sock *sk);
/* our FIN was acknowledged */
void haul_close_fin_acked(struct sock *sk);
/* close(2): lingering, unread data (RST), orphans. Takes the lock itself. */
void haul_conn_close(struct sock *sk, long timeout);
/*
 * a program's disconnect (AF_UNSPEC) or an abort: RST if RFC 9293 3.10.5 wants one, back to CLOSED
 * and fresh
 */
int haul_conn_disconnect(struct sock *sk, int flags);
/* ends it with @err (SOCK_DESTROY). Socket lock */
void haul_conn_abort(struct sock *sk, int err);
/* too many orphans, or out of memory for them? */
bool haul_orphan_too_many(struct sock *sk);

/* --- input.c --- */
/*
 * a packet for a full socket, in any state. Socket lock, BH off. Consumes it. Also
 * proto.backlog_rcv.
 */
int haul_conn_rcv(struct sock *sk, struct sk_buff *skb);
/* the payload of the SYN that a fast open's child was made of. Socket lock, BH off. Consumes it */
void haul_conn_rcv_syn(struct sock *sk, struct sk_buff *skb);
/*
 * ICMP said so (ip/icmp.c); checks against what is in flight were made with @icmp->seq by the
 * callee.
 */
void haul_conn_icmp(struct sock *sk, const struct haul_icmp *icmp);
/* RFC 5961: a challenge ACK, rate limited */
void haul_challenge_ack(struct sock *sk);

/* --- ack.c --- */
/*
 * the ACK field, SACK, window of an acceptable segment. False: dropped (and freed). @stale: older
 * than TS.Recent
 */
bool haul_ack_rcv(struct sock *sk, struct sk_buff *skb, const struct haul_options *o, bool stale);
/* RACK's share of a segment newly (s)acked */
void haul_ack_delivered(struct sock *sk, const struct haul_seg *seg, const struct haul_ack *ack,
			bool in_order);
/* counts what core/recovery.c did (HAUL_EVENT_*), does what it asks for */
void haul_recovery_events(struct sock *sk, u32 events);

/* --- recovery.c --- */
void haul_recovery_sack(struct sock *sk, const struct haul_options *o, struct haul_ack *ack);
/* RACK over the sent list: marks lost segments, arms the reordering timer */
void haul_recovery_detect(struct sock *sk, struct haul_ack *ack);
void haul_recovery_reorder_timer(struct sock *sk, u64 now);	/* HAUL_DL_REORDER */
/* a queued segment is taken for lost, or (undo) is not after all */
void haul_retransmit_mark_lost(struct sock *sk, struct sk_buff *skb, struct haul_ack *ack);
void haul_recovery_unmark(struct sock *sk, struct sk_buff *skb);

/* --- reassembly.c --- */
/* queues the text of an acceptable segment (and its FIN). Consumes skb. */
void haul_data_rcv(struct sock *sk, struct sk_buff *skb);
/* the same for text that is next in sequence and in the window, without FIN */
void haul_data_expected(struct sock *sk, struct sk_buff *skb);
void haul_reassembly_purge(struct sock *sk);
/* frees memory of the out-of-order queue under pressure (RFC 2018 8 permits) */
void haul_reassembly_prune(struct sock *sk);
/* sorted ranges held out of order, at most @max; returns how many */
unsigned int haul_reassembly_blocks(const struct sock *sk, struct haul_block *out,
				    unsigned int max);

/* --- message.c: what is here of messages --- */
/* sets @end: behind the last byte here of the message that @seq is in; true: it is the message's */
bool haul_message_end(const struct sock *sk, u32 seq, u32 *end);
/* copies a small packet, next at @seq, behind others in the receive queue; false: not done */
bool haul_message_pack(struct sock *sk, const struct sk_buff *skb, u32 seq);
/* is it here whole, or as far as it may come before it is read? Needs no lock */
bool haul_message_readable(const struct sock *sk, u32 seq);
/* the buffer grows for a message that it can't hold */
void haul_message_room(struct sock *sk);
/* data in order was dropped for want of memory: who waits for a message's end gets what is here */
void haul_message_no_memory(struct sock *sk);
/* after the peer's FIN: a message without its end goes */
void haul_message_fin(struct sock *sk);
/* the program is done with all before @stop; returns the bytes */
u32 haul_message_consume(struct sock *sk, u32 stop);

/* --- window.c --- */
/*
 * sk_mem_uncharge(), but that a page may stay for the next packet if the timer fires within a
 * second, whose handler gives it back: or each packet would take one and give it back. Socket lock
 */
void haul_mem_uncharge(struct sock *sk, int size);
void haul_window_init(struct sock *sk);
/* HAUL_WINDOW_CLAMP has changed */
void haul_window_reclamp(struct sock *sk);
/* bytes that the receive buffer still takes, and its size, in payload terms */
u32 haul_window_space(const struct sock *sk);
u32 haul_window_full(const struct sock *sk);
/* the window to put into the next packet */
u32 haul_window_select(struct sock *sk);
/* the program read @copied bytes: autotuning, window updates, owed ACKs */
void haul_window_read(struct sock *sk, u32 copied);
/* room and memory for a received packet? may prune. 0 or -ENOMEM */
int haul_window_charge(struct sock *sk, struct sk_buff *skb, bool in_order);
/* grows the receive-side cap after data of @skb arrived (cheap segments earn window) */
void haul_window_grow(struct sock *sk, const struct sk_buff *skb);
/* doubles the receive buffer, if it may grow */
void haul_window_widen(struct sock *sk);
/* grows the send buffer with cwnd */
void haul_window_grow_sndbuf(struct sock *sk);
/* proto.stream_memory_free: notsent_lowat */
bool haul_memory_free(const struct sock *sk, int wake);
void haul_write_space(struct sock *sk);

/* --- output.c --- */
/*
 * sends what windows, Nagle and pacing let go. @nagle overrides the socket's for this call. Returns
 * true if something is queued and nothing is in flight (a zero-window probe must be armed). Socket
 * lock.
 */
bool haul_output(struct sock *sk, enum haul_nagle nagle);
/* the socket's own Nagle setting */
enum haul_nagle haul_nagle(const struct haul_sock *hs);
/* haul_output() plus what it needs around: persist timer. The usual call */
void haul_push(struct sock *sk);
/* a new buffer at the tail of the send queue, charged; NULL: no memory (the caller waits) */
struct sk_buff *haul_output_alloc(struct sock *sk, int linear, gfp_t gfp);
/* a new buffer's memory is charged: it will be in the send queue later, or freed */
void haul_output_charge(struct sock *sk, struct sk_buff *skb);
/* puts it at the tail of the send queue, charged, as an empty segment at write_seq */
void haul_output_append(struct sock *sk, struct sk_buff *skb);
/* one segment of new data whatever cwnd says (loss probe, persist); true: it left */
bool haul_output_probe(struct sock *sk);
/* first unsent packet, NULL: none */
static inline struct sk_buff *haul_output_head(const struct sock *sk)
{
	return skb_peek(&sk->sk_write_queue);
}

/* cuts @skb (in the send or retransmission queue) at @len bytes; 0 or -ENOMEM */
int haul_output_split(struct sock *sk, struct sk_buff *skb, u32 len, u32 mss, gfp_t gfp);
/* time has come for what had to wait: lost segments again, then new data */
void haul_output_resume(struct sock *sk);
/* bytes to gather per buffer now: a multiple of the MSS */
u32 haul_output_size_goal(struct sock *sk, u32 mss);

/* --- transmit.c --- */
/* sends a copy of a queued packet; @skb stays. 0, or -errno (not sent; the timer will) */
int haul_transmit(struct sock *sk, struct sk_buff *skb, gfp_t gfp);
/* the same for a SYN with payload: @data is in the send queue, and stays there */
int haul_transmit_syn(struct sock *sk, struct sk_buff *syn, struct sk_buff *data, gfp_t gfp);
/* sends a packet without payload: @flags (ACK is added but for SYN and RST), at @seq */
int haul_transmit_control(struct sock *sk, u16 flags, u32 seq, gfp_t gfp);

/* --- stamp.c: SO_TIMESTAMPING of what is sent. Socket lock --- */
/* a call begins: the bytes are numbered from here if that was just asked for */
void haul_stamp_begin(struct sock *sk);
/* the times of @skb's last byte are wanted, if @sockc says so; @skb is the send queue's tail */
void haul_stamp_mark(struct sock *sk, struct sk_buff *skb, const struct sockcm_cookie *sockc);
/* @from was cut, and @to has its last byte */
void haul_stamp_move(struct sk_buff *from, struct sk_buff *to);
/* @skb was acknowledged, and is in no queue any more */
void haul_stamp_acked(struct sock *sk, struct sk_buff *skb);

/* --- ack_out.c --- */
void haul_ack_send(struct sock *sk);			/* a pure ACK now */
void haul_ack_after_input(struct sock *sk);		/* a packet is through: batched */
void haul_ack_after_batch(struct sock *sk);		/* the last that came together */
void haul_ack_schedule(struct sock *sk);		/* now, delayed, or none */
void haul_ack_timer(struct sock *sk, u64 now);		/* HAUL_DL_DELACK */

/* --- batch.c: at the end of a run of the softirq --- */
/* the ACK that is due (and a wake-up) waits until they are through. Socket lock */
void haul_batch_add(struct sock *sk);
void haul_batch_end(struct sock *sk);
/*
 * the ACK that is due waits for the program, HAUL_ACK_HOLD_US at most; why: rcv.ack_held or
 * rcv.ack_by_reader. Socket lock
 */
void haul_batch_hold(struct sock *sk, bool *why);
void haul_batch_hold_end(struct sock *sk);		/* HAUL_DEFER_HOLD */
/* enough is on its way through qdisc and device: what else there is goes later. Socket lock */
bool haul_batch_throttle(struct sock *sk, const struct sk_buff *skb);
/* charges a packet that leaves; skb->destructor is haul_wfree then */
void haul_set_owner_w(struct sk_buff *skb, struct sock *sk);
void haul_wfree(struct sk_buff *skb);
int haul_batch_init(void);
void haul_batch_exit(void);

/* --- retransmit.c --- */
/* sends lost segments again as far as cwnd allows */
void haul_retransmit_lost(struct sock *sk);
/* one segment again, whatever cwnd says. 0 or -errno */
int haul_retransmit_one(struct sock *sk, struct sk_buff *skb, u32 len);
void haul_retransmit_timer(struct sock *sk, u64 now);	/* HAUL_DL_RETRANSMIT */
void haul_retransmit_probe_timer(struct sock *sk, u64 now); /* HAUL_DL_PROBE */
/* after a transmission: RTO, if it does not run, and loss probe */
void haul_retransmit_start(struct sock *sk);
/* after an ACK of new data: both anew, or, with nothing outstanding, neither */
void haul_retransmit_restart(struct sock *sk);

/* --- rtt_cache.c: round trips of earlier connections --- */
int haul_rtt_cache_init(void);
/* what a connection has measured is remembered; its lock */
void haul_rtt_cache_put(const struct sock *sk);
/* us until a SYN or SYN-ACK goes again, ahead of its timeout; 0: not ahead of it. Any context */
u32 haul_rtt_cache_early(const struct haul_flow *flow, const struct haul_rtt *rtt);

/* --- rtx.c: the retransmission queue, by sequence number --- */
struct sk_buff *haul_rtx_head(const struct sock *sk);
struct sk_buff *haul_rtx_tail(const struct sock *sk);
struct sk_buff *haul_rtx_next(const struct sk_buff *skb);
/* the packet that holds @seq, or the first after it */
struct sk_buff *haul_rtx_find(const struct sock *sk, u32 seq);
void haul_rtx_insert(struct sock *sk, struct sk_buff *skb);
void haul_rtx_unlink(struct sock *sk, struct sk_buff *skb);
void haul_rtx_free(struct sock *sk, struct sk_buff *skb);
/* everything not acknowledged is thrown away */
void haul_rtx_purge(struct sock *sk);
/* cuts off what was acknowledged within a large packet, before it is sent again; 0 or -ENOMEM */
int haul_rtx_unstale(struct sock *sk, struct sk_buff *skb);
int haul_rtx_unclone(struct sk_buff *skb, gfp_t gfp);

/* --- spare.c: small packets' buffers, used again. Any context --- */
struct sk_buff *haul_spare_get(void);			/* NULL: there is none */
bool haul_spare_put(struct sk_buff *skb);		/* false: the caller frees it */
/* for a packet without payload; NULL: no memory */
struct sk_buff *haul_spare_control(gfp_t gfp);
int haul_spare_init(void);
void haul_spare_exit(void);

/* --- alive.c --- */
void haul_persist_timer(struct sock *sk, u64 now);	/* HAUL_DL_PERSIST */
void haul_persist_check(struct sock *sk);		/* arms or stops it */
void haul_keepalive_timer(struct sock *sk, u64 now);	/* HAUL_DL_KEEPALIVE */
void haul_keepalive_rearm(struct sock *sk);
void haul_keepalive_set(struct sock *sk, int on);	/* proto.keepalive: SO_KEEPALIVE changed */
/* the peer has not answered: is it time to give up? */
bool haul_timed_out(struct sock *sk, u32 limit);
/* when to look again: user timeout */
u64 haul_patience(const struct haul_sock *hs, u64 now, u64 interval);
u32 haul_orphan_retries(const struct sock *sk);
void haul_give_up(struct sock *sk);			/* ETIMEDOUT or the soft error */

/* --- timer.c --- */
void haul_timer_init(struct sock *sk);
/* sets a deadline, us of haul_now_us() (arms the timer when it is the earliest) */
void haul_timer_set(struct sock *sk, enum haul_deadline d, u64 at);
void haul_timer_clear(struct sock *sk, enum haul_deadline d);
/* us from @now until a deadline that stands; not positive: it has passed */
s64 haul_timer_left(const struct haul_sock *hs, enum haul_deadline d, u64 now);
bool haul_timer_comes(const struct haul_sock *hs, u32 us);	/* before so many us have passed? */
static inline bool haul_timer_pending(const struct haul_sock *hs, enum haul_deadline d)
{
	return hs->deadlines[d] != 0;
}

void haul_timer_stop(struct sock *sk);			/* all of them, for good */
void haul_release_cb(struct sock *sk);			/* proto.release_cb: the deferred bits */
/* sets a deferred bit, with its reference */
void haul_defer(struct sock *sk, enum haul_defer what);

/* --- pace.c --- */
#define HAUL_PACE_SHIFT		10	/* of bytes per second: about a millisecond's worth */

/* do packets have a time to depart at? The rest of pace.c is only for those that do */
static inline bool haul_paced(const struct sock *sk)
{
	return READ_ONCE(sk->sk_pacing_status) != SK_PACING_NONE;
}

/* sets sk_pacing_rate by what controller and program say now */
void haul_pace_update(struct sock *sk);
/* bytes that may leave as one packet */
u32 haul_pace_quantum(const struct sock *sk, u32 mss);
/* must the next packet wait? haul_output_resume() is called then */
bool haul_pace_wait(struct sock *sk);
bool haul_pace_waits(const struct haul_sock *hs);	/* does something? Of any socket */
u64 haul_pace_departure(const struct sock *sk);		/* us, of what is handed down now */
void haul_pace_stamp(const struct sock *sk, struct sk_buff *skb);
void haul_pace_sent(struct sock *sk, u32 bytes);
void haul_pace_want(struct sock *sk);			/* the controller has changed */
void haul_pace_stop(struct sock *sk);			/* the connection is over */
void haul_pace_release(struct sock *sk);

/* --- mss.c --- */
/*
 * payload of a full segment now, from path MTU, peer's MSS, options; updates size_goal, snd.mss.
 * bytes
 */
u32 haul_mss_sync(struct sock *sk, u32 pmtu);
u32 haul_mss_current(struct sock *sk);
u16 haul_mss_adv(struct sock *sk);
/* a believed packet-too-big: takes it, sends again what no longer fits */
void haul_mss_reduced(struct sock *sk, u32 pmtu);
/* a segment timed out, perhaps for its size: RFC 8899 4.3 */
void haul_mss_black_hole(struct sock *sk, u32 len);
/* nothing is known any more of what vanishes. Socket lock */
static inline void haul_mss_uncap(struct haul_sock *hs)
{
	hs->mtu_cap = 0;
	hs->full_acked = false;
}

/* --- cong.c: the registry of controllers (haul_cc.h) --- */
/* by name, with a reference on its module; NULL: none */
const struct haul_cc_ops *haul_cc_get(const char *name);
void haul_cc_put(const struct haul_cc_ops *ops);
size_t haul_cc_available(char *buf, size_t len);
void haul_cong_init_sock(struct sock *sk);		/* the namespace's default */
int haul_cong_set(struct sock *sk, const char *name);
void haul_cong_release(struct sock *sk);
void haul_cong_route(struct sock *sk, const struct dst_entry *dst);
void haul_cong_inherit(struct sock *child, const struct sock *listener);
void haul_cong_restart(struct sock *sk, u32 iss);

/* --- chrono.c --- */
void haul_chrono_switch(struct haul_sock *hs, enum haul_chrono to);
u64 haul_chrono_read(const struct haul_sock *hs, enum haul_chrono which);

#endif /* HAUL_CONN_H */
