// SPDX-License-Identifier: GPL-2.0
/*
 * Closing (RFC 9293 3.6, 3.10.4, 3.10.5, protocol.rst 5): FIN out and in, close(2) with all that a
 * program may leave behind, disconnect, abort, and the life of a socket without a program (an
 * orphan).
 */
#include <linux/percpu_counter.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <net/sock.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"

/* ---------------------------------------------------------------- our FIN */

/* FIN takes the number after the last byte; it may ride on the last packet that waits. */
static void haul_close_mark_fin(struct haul_sock *hs, struct sk_buff *skb)
{
	HAUL_SEG(skb)->flags |= HAUL_FIN;
	HAUL_SEG(skb)->end_seq++;
	WRITE_ONCE(hs->write_seq, hs->write_seq + 1);
	hs->fin_queued = true;
}

static bool haul_close_queue_fin(struct sock *sk)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (!skb) {
		skb = haul_output_alloc(sk, 0, sk_gfp_mask(sk, GFP_ATOMIC | __GFP_NOWARN));
		if (!skb) {
			haul_count(sock_net(sk), HAUL_CNT_TX_NO_MEMORY);
			return false;
		}
		haul_output_append(sk, skb);
	}
	haul_close_mark_fin(haul_sk(sk), skb);
	return true;
}

/**
 * haul_close_send - no more data from this side
 * @sk:	the socket; its lock is held, BH off or process
 *
 * In a state in which this side may send: FIN behind what is queued, FIN-WAIT-1 or LAST-ACK. In
 * SYN-RECEIVED the FIN waits for the handshake's end (RFC 9293 3.10.4), which calls again.
 * Elsewhere there is nothing to do. Without memory for a FIN the state changes all the same, and
 * the FIN follows when there is some: haul_push() and, with nothing outstanding, the persist timer
 * try again.
 */
void haul_close_send(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	if (!haul_state_in(sk, HAUL_STATES_MAY_SEND) || hs->fin_queued || hs->fin_owed)
		return;
	hs->fin_owed = !haul_close_queue_fin(sk);
	haul_set_state(sk, sk->sk_state == HAUL_CLOSE_WAIT ? HAUL_LAST_ACK : HAUL_FIN_WAIT_1);
	haul_push(sk);
}

/**
 * haul_close_retry_fin - a FIN for which there was no memory: is there some now?
 * @sk:	the socket, haul_sock.fin_owed; its lock is held, BH off or process
 *
 * The caller sends what is in the queue then.
 */
void haul_close_retry_fin(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if (haul_close_queue_fin(sk))
		hs->fin_owed = false;
}

/*
 * ---------------------------------------------------------------- the peer's FIN, and its ACK of
 * ours
 */

static void haul_close_wake(struct sock *sk)
{
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	/* half closed is no hang-up */
	if (sk->sk_shutdown == SHUTDOWN_MASK || sk->sk_state == HAUL_CLOSED)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/**
 * haul_close_rcv_fin - the peer has no more to send
 * @sk:	the socket; its lock is held, BH off; RCV.NXT is past the FIN
 *
 * RFC 9293 3.10.7.4 eighth. After FIN-WAIT-2 the socket is CLOSED, an orphan destroyed: the caller
 * holds a reference.
 */
void haul_close_rcv_fin(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	/* what lies behind a FIN was never sent by an honest peer */
	haul_reassembly_purge(sk);
	if (hs->flow.key.kind == HAUL_KIND_MESSAGE)
		haul_message_fin(sk);

	switch (sk->sk_state) {
	case HAUL_SYN_RECEIVED:
	case HAUL_ESTABLISHED:
		haul_receiver_fin(&hs->rcv);
		haul_set_state(sk, HAUL_CLOSE_WAIT);
		break;
	case HAUL_FIN_WAIT_1:
		hs->rcv.ack_now = true;
		haul_set_state(sk, HAUL_CLOSING);
		break;
	case HAUL_FIN_WAIT_2:
		haul_ack_send(sk);
		haul_remnant_enter(sk);
		break;
	}
	haul_close_wake(sk);
}

/*
 * us that FIN-WAIT-2 may last without a program: HAUL_LINGER2 or net.haul.fin_timeout_ms, but not
 * less than a retransmission of the peer's FIN takes
 */
static u64 haul_close_fin_timeout(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u64 timeout = hs->linger2 > 0 ? (u64)hs->linger2 * USEC_PER_SEC :
		      (u64)READ_ONCE(hs->hn->fin_timeout_ms) * USEC_PER_MSEC;
	u32 rto = haul_rtt_rto(&hs->snd.rtt);

	return max_t(u64, timeout, (u64)rto * 7 / 2);
}

static void haul_close_await_fin(struct sock *sk)
{
	haul_timer_set(sk, HAUL_DL_FIN_WAIT_2, haul_now_us() + haul_close_fin_timeout(sk));
}

/**
 * haul_close_fin_acked - everything that we sent has arrived, FIN included
 * @sk:	the socket; its lock is held, BH off
 *
 * RFC 9293 3.10.7.4 fifth. In CLOSING and LAST-ACK the socket is CLOSED afterwards, an orphan
 * destroyed.
 */
void haul_close_fin_acked(struct sock *sk)
{
	haul_assert_locked(sk);
	switch (sk->sk_state) {
	case HAUL_FIN_WAIT_1:
		haul_set_state(sk, HAUL_FIN_WAIT_2);
		if (!sock_flag(sk, SOCK_DEAD))
			break;
		if (haul_sk(sk)->linger2 < 0)
			haul_conn_done(sk, 0);
		else
			haul_close_await_fin(sk);
		break;
	case HAUL_CLOSING:
		haul_remnant_enter(sk);
		break;
	case HAUL_LAST_ACK:
		haul_conn_done(sk, 0);
		break;
	}
}

/* ---------------------------------------------------------------- close(2) */

/*
 * States in which an abort tells the peer (RFC 9293 3.10.5). CLOSING and LAST-ACK: only when data
 * may be missing.
 */
static bool haul_close_needs_reset(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 bit = HAUL_STATE_BIT(sk->sk_state);

	if (bit & (HAUL_STATE_BIT(HAUL_SYN_RECEIVED) | HAUL_STATE_BIT(HAUL_ESTABLISHED) |
		   HAUL_STATE_BIT(HAUL_FIN_WAIT_1) | HAUL_STATE_BIT(HAUL_FIN_WAIT_2) |
		   HAUL_STATE_BIT(HAUL_CLOSE_WAIT)))
		return true;
	return (bit & (HAUL_STATE_BIT(HAUL_CLOSING) | HAUL_STATE_BIT(HAUL_LAST_ACK))) &&
	       (hs->snd.nxt != hs->write_seq || hs->fin_owed);
}

/* RST if one is due, then CLOSED. BH off. */
static void haul_close_reset(struct sock *sk, int err)
{
	if (haul_close_needs_reset(sk))
		haul_reset_send(sk, GFP_ATOMIC);
	haul_conn_done(sk, err);
}

/* Throws away what the program has not read. True: there was something. */
static bool haul_close_drop_unread(struct sock *sk)
{
	struct sk_buff *skb;
	bool unread = false;

	while ((skb = __skb_dequeue(&sk->sk_receive_queue))) {
		unread |= skb->len != 0;
		__kfree_skb(skb);
	}
	return unread;
}

static void haul_close_listener(struct sock *sk)
{
	haul_set_state(sk, HAUL_CLOSED);
	haul_listen_stop(sk);
}

/* The first half of close(2): what the state and what is left in the buffers ask for. BH off. */
static void haul_close_begin(struct sock *sk)
{
	bool unread;

	unread = haul_close_drop_unread(sk);
	if (sk->sk_state == HAUL_CLOSED)
		return;

	if (unread) {
		/* RFC 1122 4.2.2.13, RFC 2525 2.17: the peer must not believe that it was read */
		haul_count(sock_net(sk), HAUL_CNT_ABORT_ON_DATA);
		haul_close_reset(sk, 0);
	} else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		haul_count(sock_net(sk), HAUL_CNT_ABORT_ON_LINGER);
		haul_close_reset(sk, 0);
	} else if (sk->sk_state == HAUL_SYN_SENT) {
		haul_conn_done(sk, 0);
	} else {
		haul_close_send(sk);
	}
}

/* SO_LINGER: until the peer has everything, or @timeout jiffies. Lets go of the lock meanwhile. */
static void haul_close_wait(struct sock *sk, long timeout)
{
	const u32 waiting = HAUL_STATE_BIT(HAUL_FIN_WAIT_1) | HAUL_STATE_BIT(HAUL_CLOSING) |
			    HAUL_STATE_BIT(HAUL_LAST_ACK);
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	if (!timeout || !haul_state_in(sk, waiting))
		return;
	add_wait_queue(sk_sleep(sk), &wait);
	do {
		if (sk_wait_event(sk, &timeout,
				  !(HAUL_STATE_BIT(READ_ONCE(sk->sk_state)) & waiting), &wait))
			break;
	} while (!signal_pending(current) && timeout);
	remove_wait_queue(sk_sleep(sk), &wait);
}

/* The socket has no program any more: may it go on? BH off. */
static void haul_close_orphan(struct sock *sk)
{
	struct net *net = sock_net(sk);

	if (sk->sk_state == HAUL_CLOSED) {
		haul_conn_destroy(sk);
	} else if (!check_net(net)) {
		/* the namespace goes, there is no way out for a reset */
		haul_conn_done(sk, 0);
	} else if (haul_orphan_too_many(sk)) {
		haul_count(net, HAUL_CNT_ABORT_ON_MEMORY);
		haul_close_reset(sk, 0);
	} else if (sk->sk_state == HAUL_FIN_WAIT_2 && haul_sk(sk)->linger2 < 0) {
		haul_count(net, HAUL_CNT_ABORT_ON_LINGER);
		haul_close_reset(sk, 0);
	} else if (sk->sk_state == HAUL_FIN_WAIT_2) {
		haul_close_await_fin(sk);
	}
}

/**
 * haul_conn_close - proto.close: the program is done with the socket
 * @sk:		the socket, not locked
 * @timeout:	jiffies to linger
 *
 * The lock is not let go between the decision and the end: packets in the backlog find an orphan or
 * a CLOSED socket. Context: process; may sleep.
 */
void haul_conn_close(struct sock *sk, long timeout)
{
	lock_sock(sk);
	sock_hold(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == HAUL_LISTEN) {
		haul_close_listener(sk);
	} else {
		local_bh_disable();
		haul_close_begin(sk);
		local_bh_enable();
	}
	haul_close_wait(sk, timeout);

	local_bh_disable();
	sock_orphan(sk);
	percpu_counter_inc(&haul_orphans);
	haul_close_orphan(sk);
	local_bh_enable();
	release_sock(sk);
	sock_put(sk);
}

/**
 * haul_orphan_too_many - must this orphan go for the sake of the others?
 * @sk:	the orphan
 *
 * Return: more than net.haul.max_orphans, or the send queues take more memory than net.haul.mem
 * allows.
 */
bool haul_orphan_too_many(struct sock *sk)
{
	if (percpu_counter_compare(&haul_orphans, READ_ONCE(haul_sysctl_max_orphans)) > 0)
		return true;
	return sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
	       sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2);
}

/* ---------------------------------------------------------------- abort, disconnect */

/**
 * haul_conn_abort - end it now
 * @sk:		the socket; its lock and a reference are held. CLOSED afterwards, an orphan gone
 * @err:	positive errno for the program
 *
 * Context: any. A listener: process.
 */
void haul_conn_abort(struct sock *sk, int err)
{
	haul_assert_locked(sk);
	if (sk->sk_state == HAUL_LISTEN) {
		haul_close_listener(sk);
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
		return;
	}
	local_bh_disable();
	haul_close_reset(sk, err);
	local_bh_enable();
}

/* As if it had never been connected; options, controller and a port that the program chose stay. */
static void haul_conn_restart(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_cong_restart(sk, 0);
	haul_receiver_init(&hs->rcv, 0, hs->window_clamp);
	memset(&hs->stats, 0, sizeof(hs->stats));
	hs->handshake_rtt = 0;
	memset(hs->chrono_time, 0, sizeof(hs->chrono_time));
	hs->write_seq = 0;
	hs->pushed_seq = 0;
	hs->tag = 0;
	hs->peer_tag = 0;
	hs->peer_mss = 0;
	hs->retransmits = 0;
	hs->probes_out = 0;
	hs->persist_backoff = 0;
	hs->retrans_first_us = 0;
	hs->init_pending = false;
	hs->stateless = false;
	hs->from_cookie = false;
	hs->ecn_ok = false;
	hs->simultaneous = false;
	hs->peer_confirmed = false;
	hs->fin_queued = false;
	hs->in_parts = false;
	hs->open_message = false;
	haul_fastopen_restart(sk);
	haul_saved_syn_forget(sk);
	WRITE_ONCE(sk->sk_shutdown, 0);
	WRITE_ONCE(sk->sk_err_soft, 0);
	sock_reset_flag(sk, SOCK_DONE);
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
}

/**
 * haul_conn_disconnect - proto.disconnect: connect(AF_UNSPEC), shutdown() before a connection
 * @sk:		the socket; its lock is held
 * @flags:	not used
 *
 * RFC 9293 3.10.5's ABORT; the socket is CLOSED afterwards and can be used anew. A program asleep
 * in a call sees ECONNRESET. Context: process. Return: 0.
 */
int haul_conn_disconnect(struct sock *sk, int flags)
{
	int err = haul_close_needs_reset(sk) || sk->sk_state == HAUL_SYN_SENT ? ECONNRESET : 0;

	haul_assert_locked(sk);
	if (sk->sk_state == HAUL_LISTEN)
		haul_close_listener(sk);
	local_bh_disable();
	haul_close_reset(sk, 0);
	__skb_queue_purge(&sk->sk_receive_queue);
	haul_reassembly_purge(sk);
	local_bh_enable();

	haul_early_forget(sk);
	haul_route_disconnect(sk);
	haul_conn_restart(sk);
	if (err)
		WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
	return 0;
}
