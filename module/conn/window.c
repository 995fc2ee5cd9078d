// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers: what the receive buffer still takes and so which window is offered (RFC 9293 3.8.6), how
 * both buffers grow with the path, and what the program's reading changes.
 */
#include "conn.h"
#include "../sock/sock.h"

/* bytes of granted memory that a busy socket keeps, and no more */
#define HAUL_MEM_KEPT		(4 * (int)PAGE_SIZE)

/* Receive memory counts truesize, windows count payload; rcv_ratio / 256 of a buffer is payload. */
#define HAUL_RATIO_ONE		256U
#define HAUL_RATIO_DEFAULT	128U
#define HAUL_RATIO_MIN		16U

static u32 haul_window_payload(const struct haul_sock *hs, long space)
{
	if (space <= 0)
		return 0;
	return min_t(u64, ((u64)space * hs->rcv_ratio) / HAUL_RATIO_ONE, HAUL_MAX_WINDOW);
}

static void haul_window_set_clamp(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	hs->rcv.clamp = haul_window_full(sk);
	if (hs->window_clamp)
		hs->rcv.clamp = min(hs->rcv.clamp, hs->window_clamp);
}

/**
 * haul_window_init - buffers and windows of a connection that begins
 * @sk:	the socket; its lock is held; snd.mss and rcv.adv_mss are set
 */
void haul_window_init(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	hs->rcv_ratio = HAUL_RATIO_DEFAULT;
	haul_window_set_clamp(sk);
	hs->rcv.ssthresh = hs->rcv.clamp;
	hs->rcv.space_us = hs->now;
	hs->rcv.space_seq = hs->rcv.copied;
	/* what the program reads in the first round trip is a first window's worth at most */
	hs->rcv.space = min_t(u32, hs->rcv.clamp, 10U * hs->rcv.adv_mss);
}

/**
 * haul_window_reclamp - haul_sock.window_clamp has changed
 * @sk:	the socket; its lock is held
 *
 * What was announced stays announced: a smaller clamp shows as the peer uses the window up. Before
 * there is a connection nothing is to be done, haul_window_init() will do it.
 */
void haul_window_reclamp(struct sock *sk)
{
	struct haul_receiver *rcv = &haul_sk(sk)->rcv;

	if (!haul_sk(sk)->rcv_ratio)
		return;
	haul_window_set_clamp(sk);
	rcv->ssthresh = clamp(rcv->ssthresh, min(rcv->wnd, rcv->clamp), rcv->clamp);
}

/* bytes of payload that the receive buffer still takes */
u32 haul_window_space(const struct sock *sk)
{
	return haul_window_payload(haul_sk(sk), (long)READ_ONCE(sk->sk_rcvbuf) -
				   READ_ONCE(sk->sk_backlog.len) - atomic_read(&sk->sk_rmem_alloc));
}

/* bytes of payload that the receive buffer takes when empty */
u32 haul_window_full(const struct sock *sk)
{
	return haul_window_payload(haul_sk(sk), READ_ONCE(sk->sk_rcvbuf));
}

/**
 * haul_window_select - the window for the packet that leaves now
 * @sk:	the socket; its lock is held
 *
 * Return: bytes.
 */
u32 haul_window_select(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 before = hs->rcv.wnd;
	u32 wnd;

	if (sk_under_memory_pressure(sk))
		hs->rcv.ssthresh = min_t(u32, hs->rcv.ssthresh, 4U * hs->rcv.adv_mss);
	wnd = haul_receiver_select_wnd(&hs->rcv, haul_window_space(sk), haul_window_full(sk));
	if (!wnd && before)
		hs->stats.rcv_zero_windows++;
	return wnd;
}

/*
 * How much of what arrives is payload? Learnt from full segments. What has been learnt of large
 * messages would promise small ones too much.
 */
static void haul_window_learn_ratio(struct haul_sock *hs, const struct sk_buff *skb)
{
	bool message = hs->flow.key.kind == HAUL_KIND_MESSAGE;
	u32 most = message ? HAUL_RATIO_DEFAULT : HAUL_RATIO_ONE - 1;
	u32 ratio = div_u64((u64)skb->len * HAUL_RATIO_ONE, max_t(u32, skb->truesize, 1));

	if (skb->len < hs->rcv.mss || ratio == hs->rcv_ratio)
		return;
	ratio = clamp_t(u32, ratio, HAUL_RATIO_MIN, most);
	hs->rcv_ratio = (hs->rcv_ratio * 7 + ratio) / 8;
}

/**
 * haul_window_grow - data has arrived: how much of its memory is payload, and so how much may be
 * offered at most?
 * @sk:		the socket; its lock is held
 * @skb:	data that has just arrived
 *
 * The cap of the window then follows in haul_receiver_data().
 */
void haul_window_grow(struct sock *sk, const struct sk_buff *skb)
{
	haul_window_learn_ratio(haul_sk(sk), skb);
	haul_window_set_clamp(sk);
}

/**
 * haul_mem_uncharge - memory of the socket's is free again
 * @sk:		the socket; its lock is held
 * @size:	bytes of it
 *
 * As sk_mem_uncharge(), which leaves the socket less than a page of what it has been granted. Here
 * it may be more while the timer is about to fire, for haul_timer_run() and haul_timer_stop() look
 * again: a question of a page and its answer need no more than HAUL_MEM_KEPT, and take and return
 * nothing. So an idle socket holds nothing, as on TCP.
 */
void haul_mem_uncharge(struct sock *sk, int size)
{
	sk_mem_charge(sk, -size);
	if (!haul_timer_comes(haul_sk(sk), USEC_PER_SEC) ||
	    sk->sk_forward_alloc >= HAUL_MEM_KEPT || sk_under_memory_pressure(sk))
		sk_mem_reclaim(sk);
}

/* May the kernel choose the receive buffer's size? */
static bool haul_window_may_tune(const struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->hn->moderate_rcvbuf) &&
	       !(sk->sk_userlocks & SOCK_RCVBUF_LOCK);
}

/* A buffer of @rcvbuf bytes, cut to the limit, if that is more than there is. */
static void haul_window_enlarge(struct sock *sk, u64 rcvbuf)
{
	struct haul_sock *hs = haul_sk(sk);

	rcvbuf = min_t(u64, rcvbuf, READ_ONCE(hs->hn->rmem[2]));
	if (rcvbuf <= sk->sk_rcvbuf)
		return;
	WRITE_ONCE(sk->sk_rcvbuf, (int)rcvbuf);
	haul_window_set_clamp(sk);
	hs->rcv.ssthresh = max(hs->rcv.ssthresh, hs->rcv.clamp);
}

/**
 * haul_window_widen - the receive buffer doubles, if it may grow
 * @sk:	the socket; its lock is held
 *
 * For what must be in the buffer whole before it can be read. Not while memory is short.
 */
void haul_window_widen(struct sock *sk)
{
	if (haul_window_may_tune(sk) && !sk_under_memory_pressure(sk))
		haul_window_enlarge(sk, 2ULL * sk->sk_rcvbuf);
}

/*
 * Dynamic right-sizing: the buffer follows what the program reads per round trip. The clock is that
 * of the latest packet: what is read came with it or before, and while none comes nothing grows.
 */
static void haul_window_autotune(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 want = haul_receiver_autotune(&hs->rcv, hs->now);

	if (want && haul_window_may_tune(sk))
		haul_window_enlarge(sk, div_u64((u64)want * HAUL_RATIO_ONE, hs->rcv_ratio));
}

/**
 * haul_window_read - the program has read
 * @sk:		the socket; its lock is held
 * @copied:	bytes; rcv.copied is already past them
 *
 * Tells the peer when the window has opened enough to be worth a packet, and sends an ACK that was
 * held back for the answer that might have carried it.
 */
void haul_window_read(struct sock *sk, u32 copied)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if (!copied)
		return;
	haul_window_autotune(sk);
	if (!haul_state_in(sk, HAUL_STATES_MAY_RECEIVE))
		return;
	if (hs->rcv.ack_by_reader ||
	    haul_receiver_wnd_update_due(&hs->rcv, haul_window_space(sk), haul_window_full(sk)))
		haul_ack_send(sk);
}

static bool haul_window_schedule(struct sock *sk, struct sk_buff *skb, u64 limit)
{
	return atomic_read(&sk->sk_rmem_alloc) <= limit && sk_rmem_schedule(sk, skb, skb->truesize);
}

/**
 * haul_window_charge - room and memory for a received packet
 * @sk:		the socket; its lock is held
 * @skb:	the packet
 * @in_order:	it is next in sequence
 *
 * What is in order and in the window was promised a place, however much more memory than payload it
 * brings: it may take the buffer's size once more. What is out of order can come again (RFC 2018
 * 8). Where next to nothing waits to be read, it is taken beyond net.haul.mem, too: others may hold
 * that memory for ever, and nothing would get through to a program that reads.
 *
 * Return: 0: the caller may skb_set_owner_r(); -ENOMEM.
 */
int haul_window_charge(struct sock *sk, struct sk_buff *skb, bool in_order)
{
	u64 limit = (u64)sk->sk_rcvbuf << in_order;

	if (haul_window_schedule(sk, skb, limit))
		return 0;
	haul_reassembly_prune(sk);
	if (haul_window_schedule(sk, skb, limit))
		return 0;
	return in_order && (skb_queue_empty(&sk->sk_receive_queue) ||
			    atomic_read(&sk->sk_rmem_alloc) < haul_mem_floor) ? 0 : -ENOMEM;
}

/**
 * haul_window_grow_sndbuf - the send buffer holds twice what the congestion window lets out
 * @sk:	the socket; its lock is held
 */
void haul_window_grow_sndbuf(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 segment = hs->snd.mss + HAUL_MAX_HEADER +
		      SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) +
		      SKB_DATA_ALIGN(sizeof(struct sk_buff));
	u64 want;

	want = 2ULL * segment * (hs->snd.cwnd / hs->snd.mss + 1);
	if (likely(want <= sk->sk_sndbuf))
		return;
	if ((sk->sk_userlocks & SOCK_SNDBUF_LOCK) || sk_under_memory_pressure(sk) ||
	    sk_memory_allocated(sk) >= sk_prot_mem_limits(sk, 0))
		return;
	want = min_t(u64, want, READ_ONCE(hs->hn->wmem[2]));
	if (want > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, (int)want);
}

/**
 * haul_memory_free - proto.stream_memory_free: little enough is not sent yet (HAUL_NOTSENT_LOWAT)
 * @sk:		the socket; no lock needed
 * @wake:	1: asked by a wake-up, which wants some hysteresis
 */
bool haul_memory_free(const struct sock *sk, int wake)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 notsent = READ_ONCE(hs->write_seq) - READ_ONCE(hs->snd.nxt);
	u32 lowat = READ_ONCE(hs->notsent_lowat) ?: READ_ONCE(hs->hn->notsent_lowat);

	return ((u64)notsent << wake) < lowat;
}

/**
 * haul_write_space - sk->sk_write_space: the send buffer has room again
 * @sk:	the socket
 */
void haul_write_space(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct socket_wq *wq;

	if (!sock || !__sk_stream_is_writeable(sk, 1))
		return;
	clear_bit(SOCK_NOSPACE, &sock->flags);
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (wq && wq->fasync_list && !(sk->sk_shutdown & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}
