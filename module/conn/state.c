// SPDX-License-Identifier: GPL-2.0
/*
 * A connection's state: the one function that changes it, and the first and the last moment of a
 * socket's life.
 */
#include <linux/percpu_counter.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"
#include "../observe/trace.h"

/*
 * Out of both tables. A port that the program chose stays its own until the socket goes, as TCP's
 * does.
 */
static void haul_conn_unhash(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (hs->flow.hashed)
		haul_flow_remove(&hs->flow);
	if (sk->sk_state == HAUL_LISTEN)
		haul_port_unlisten(sk);
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK)) {
		haul_port_release(sock_net(sk), &hs->port);
		hs->inet.inet_num = 0;
	}
}

static void haul_state_count(struct sock *sk, u8 from, u8 to)
{
	struct net *net = sock_net(sk);

	if (from == HAUL_CLOSED)
		sock_prot_inuse_add(net, sk->sk_prot, 1);
	if (to == HAUL_CLOSED)
		sock_prot_inuse_add(net, sk->sk_prot, -1);

	if (to == HAUL_SYN_SENT)
		haul_count(net, HAUL_CNT_ACTIVE_OPENS);
	else if (from == HAUL_SYN_SENT && to == HAUL_SYN_RECEIVED)
		haul_count(net, HAUL_CNT_SIMULTANEOUS_OPENS);
	else if (from == HAUL_SYN_RECEIVED && to == HAUL_ESTABLISHED && !haul_sk(sk)->simultaneous)
		haul_count(net, HAUL_CNT_PASSIVE_OPENS);
	else if (to != HAUL_CLOSED)
		return;
	else if (from == HAUL_SYN_SENT || from == HAUL_SYN_RECEIVED)
		haul_count(net, HAUL_CNT_ATTEMPT_FAILS);
	else if (from == HAUL_ESTABLISHED || from == HAUL_CLOSE_WAIT)
		haul_count(net, HAUL_CNT_ESTAB_RESETS);
}

/* States that a program may be waiting for: connect(), a lingering close(), whoever polls. */
#define HAUL_STATES_WAKE \
	(HAUL_STATE_BIT(HAUL_ESTABLISHED) | HAUL_STATE_BIT(HAUL_FIN_WAIT_2) | \
	 HAUL_STATE_BIT(HAUL_CLOSE_WAIT) | HAUL_STATE_BIT(HAUL_CLOSING) | \
	 HAUL_STATE_BIT(HAUL_CLOSED))

/**
 * haul_set_state - the connection goes to another state
 * @sk:		the socket; its lock is held; what a woken program looks at (sk_err) is set
 * @state:	HAUL_CLOSED ...; never HAUL_TIME_WAIT, which a remnant is in
 *
 * CLOSED takes the socket out of the tables, also when it was CLOSED already: a connect() that
 * failed half way is undone by it. Context: any.
 */
void haul_set_state(struct sock *sk, u8 state)
{
	u8 old = sk->sk_state;

	haul_assert_locked(sk);
	if (state == HAUL_CLOSED)
		haul_conn_unhash(sk);
	if (state == old)
		return;
	if (state == HAUL_ESTABLISHED || old == HAUL_ESTABLISHED)
		haul_rtt_cache_put(sk);
	WARN_ONCE(!haul_state_edge_legal(old, state) || state == HAUL_TIME_WAIT, "haul: %s to %s\n",
		  haul_state_name(old), haul_state_name(state));

	inet_sk_set_state(sk, state);
	trace_haul_state(sk, old, state);
	haul_state_count(sk, old, state);
	if ((HAUL_STATE_BIT(state) & HAUL_STATES_WAKE) && !sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
}

/**
 * haul_conn_done - the connection is over
 * @sk:		the socket; its lock is held, BH off
 * @err:	positive errno for the program, 0: none
 *
 * What was received stays to be read, what was not acknowledged is thrown away. An orphan is
 * destroyed; a socket with a file, or still in an accept queue, waits for its close(). The caller
 * holds a reference.
 */
void haul_conn_done(struct sock *sk, int err)
{
	int d;

	haul_assert_locked(sk);
	if (sk->sk_state == HAUL_CLOSED)
		return;
	if (err)
		WRITE_ONCE(sk->sk_err, err);
	if (unlikely(haul_fastopen_child(sk)))
		haul_fastopen_done(sk, false);
	/* the timer stays armed, finds nothing and gives its reference back */
	for (d = 0; d < HAUL_NUM_DEADLINES; d++)
		haul_timer_clear(sk, d);
	haul_pace_stop(sk);
	haul_rtx_purge(sk);
	haul_clock(haul_sk(sk));
	haul_chrono_switch(haul_sk(sk), HAUL_CHRONO_IDLE);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	haul_set_state(sk, HAUL_CLOSED);

	if (sock_flag(sk, SOCK_DEAD))
		haul_conn_destroy(sk);
	else if (err)
		sk_error_report(sk);
}

/**
 * haul_conn_destroy - the last act of a socket
 * @sk:	CLOSED, without a file, counted in haul_orphans; its lock and a reference are held, BH off
 *
 * Drops the life's own reference. Packets that still wait in the backlog find the state CLOSED.
 * Idempotent.
 */
void haul_conn_destroy(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	WARN_ON_ONCE(sk->sk_state != HAUL_CLOSED || !sock_flag(sk, SOCK_DEAD));
	if (hs->destroyed)
		return;
	hs->destroyed = true;

	haul_report_destroyed(sk, &haul_sk(sk)->flow);
	haul_conn_unhash(sk);
	haul_port_release(sock_net(sk), &hs->port);
	haul_timer_stop(sk);
	haul_rtx_purge(sk);
	haul_reassembly_purge(sk);
	sk->sk_prot->destroy(sk);

	sk_stream_kill_queues(sk);
	xfrm_sk_free_policy(sk);
	percpu_counter_dec(&haul_orphans);
	sock_put(sk);
}

/**
 * haul_conn_init_sender - the sending half of a new connection
 * @hs:		the socket; its lock is held, or nobody else sees it
 * @iss:	its initial sequence number
 */
void haul_conn_init_sender(struct haul_sock *hs, u32 iss)
{
	const struct haul_net *hn = hs->hn;
	u32 rto_min = hs->rto_min ? jiffies_to_usecs(hs->rto_min) : READ_ONCE(hn->rto_min_us);
	u32 rto_max_ms = hs->snd.rtt.rto_max_ms;

	haul_sender_init(&hs->snd, iss, rto_min, READ_ONCE(hn->initial_cwnd));
	if (rto_max_ms)
		hs->snd.rtt.rto_max_ms = rto_max_ms;
}

/* @now: us; @iss, @irs: of both halves, 0 where they are not known yet */
static void haul_conn_init_common(struct sock *sk, u64 now, u32 iss, u32 irs)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_net *hn = haul_pernet(sock_net(sk));

	hs->hn = hn;
	hs->flow.owner = HAUL_OWNER_SOCK;
	INIT_LIST_HEAD(&hs->sent_list);			/* or accept_queue */
	INIT_LIST_HEAD(&hs->accept_node);		/* or requests */
	INIT_LIST_HEAD(&hs->batch_node);
	INIT_LIST_HEAD(&hs->held_node);
	INIT_LIST_HEAD(&hs->write_node);
	hs->ooo = RB_ROOT;
	sk->tcp_rtx_queue = RB_ROOT;
	sk->sk_pacing_shift = 10;
	haul_timer_init(sk);
	hs->now = now;
	hs->chrono_us = now;
	haul_conn_init_sender(hs, iss);
	haul_receiver_init(&hs->rcv, irs, hs->window_clamp);
}

/**
 * haul_conn_init - a new socket's private part
 * @sk:	the socket, zeroed but for the kernel's part
 *
 * proto.destroy gives the controller back.
 */
void haul_conn_init(struct sock *sk)
{
	haul_conn_init_common(sk, haul_now_us(), 0, 0);
	haul_cong_init_sock(sk);
}

/**
 * haul_conn_init_child - a child's private part
 * @child:	just cloned, a copy of its listener; its lock is held, nobody else sees it
 * @listener:	its lock is held
 * @req:	what the handshake has agreed on
 *
 * Only the options stay: they are what follows haul_sock.keep_idle, and the MSS and the longest
 * timeout that the program set. The copied state goes without haul_set_state(): the copy never was
 * a listener.
 */
void haul_conn_init_child(struct sock *child, const struct sock *listener,
			  const struct haul_request *req)
{
	struct haul_sock *hs = haul_sk(child);
	const struct haul_af *af = hs->af;
	u32 rto_max_ms = hs->snd.rtt.rto_max_ms;
	u16 user_mss = hs->user_mss;

	child->sk_state = HAUL_CLOSED;
	child->sk_tsq_flags = 0;
	RCU_INIT_POINTER(child->sk_rx_dst, NULL);
	memset((void *)hs + offsetof(struct haul_sock, flow), 0,
	       offsetof(struct haul_sock, keep_idle) - offsetof(struct haul_sock, flow));
	hs->af = af;
	hs->user_mss = user_mss;
	hs->snd.rtt.rto_max_ms = rto_max_ms;
	haul_conn_init_common(child, haul_sk(listener)->now, req->iss, req->init.isn);
	haul_cong_inherit(child, listener);
}
