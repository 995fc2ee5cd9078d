// SPDX-License-Identifier: GPL-2.0
/*
 * Readiness: poll(), SO_RCVLOWAT, the wake-up of readers, the byte counts of SIOCINQ and its like;
 * and shutdown().
 */
#include <linux/net.h>
#include <linux/poll.h>
#include <net/sock.h>

#include "sock.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"
#include "../ip/ip.h"

/* states of a connection that is not there yet */
#define HAUL_STATES_OPENING	(HAUL_STATE_BIT(HAUL_SYN_SENT) | HAUL_STATE_BIT(HAUL_SYN_RECEIVED))

/* so full that the program should read, even less than it asked to be woken for */
static bool haul_sock_rmem_pressed(const struct sock *sk)
{
	int rcvbuf = READ_ONCE(sk->sk_rcvbuf);

	return sk_under_memory_pressure(sk) ||
	       atomic_read(&sk->sk_rmem_alloc) > rcvbuf - (rcvbuf >> 3);
}

/**
 * haul_sock_readable - is there enough to read?
 * @sk:		the socket
 * @target:	bytes, of SO_RCVLOWAT
 *
 * Of messages, one is enough whatever its size. Less is enough when the rest could not come before
 * the program has read: buffer or window are full. Needs no lock; with it the answer stays true.
 */
bool haul_sock_readable(const struct sock *sk, int target)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 copied = READ_ONCE(hs->rcv.copied);
	s32 bytes = READ_ONCE(hs->rcv.nxt) - copied;

	if (haul_sock_kind(sk) == HAUL_KIND_MESSAGE)
		return haul_message_readable(sk, copied);
	if (bytes <= 0)
		return false;
	return bytes >= target || haul_sock_rmem_pressed(sk) ||
	       haul_receiver_wnd(&hs->rcv) <= hs->rcv.mss;
}

/**
 * haul_sock_data_ready - something arrived: wakes readers if it is enough for them
 * @sk:		the socket
 *
 * Socket lock.
 */
void haul_sock_data_ready(struct sock *sk)
{
	if (haul_sock_readable(sk, READ_ONCE(sk->sk_rcvlowat)) || sock_flag(sk, SOCK_DONE))
		sk->sk_data_ready(sk);
}

/*
 * Writable: yes when the direction is shut down, for the write will tell. Else the flag that asks
 * for a wake-up is set first, and the buffer looked at once more, for it may have been emptied in
 * between.
 */
static bool haul_poll_writable(struct sock *sk, u8 shutdown)
{
	if ((shutdown & SEND_SHUTDOWN) || __sk_stream_is_writeable(sk, 1))
		return true;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	smp_mb__after_atomic();	/* pairs with who frees space and then looks at the flag */
	return __sk_stream_is_writeable(sk, 1);
}

/**
 * haul_sock_poll - proto_ops.poll
 * @file:	the program's file
 * @sock:	its socket
 * @wait:	poll table
 *
 * Takes no lock: what changes afterwards wakes.
 * Return: EPOLL*, as TCP's
 */
__poll_t haul_sock_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 state, shutdown;

	sock_poll_wait(file, sock, wait);
	state = inet_sk_state_load(sk);
	if (state == HAUL_LISTEN)
		return READ_ONCE(sk->sk_ack_backlog) ? EPOLLIN | EPOLLRDNORM : 0;

	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == HAUL_CLOSED)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (!(HAUL_STATE_BIT(state) & HAUL_STATES_OPENING) || haul_fastopen_child(sk)) {
		/*
		 * What one that is closed still holds RCV_SHUTDOWN tells of; its receiving half may
		 * be in the middle of being set up by a connect() beside this call.
		 */
		if (state != HAUL_CLOSED &&
		    haul_sock_readable(sk, sock_rcvlowat(sk, 0, INT_MAX)))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (haul_poll_writable(sk, shutdown))
			mask |= EPOLLOUT | EPOLLWRNORM;
	} else if (haul_fastopen_deferred(sk)) {
		/* the write sends the SYN */
		mask |= EPOLLOUT | EPOLLWRNORM;
	}
	smp_rmb();	/* the error is set before the state that says so */
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

/**
 * haul_sock_unread - what has arrived in order and the program has not read
 * @sk:		the socket, no listener
 *
 * No lock. Return: bytes; the peer's FIN is one until the program has seen the end, as TCP counts
 * it. Of messages, what the end has cut off is not there (haul_message_fin())
 */
u32 haul_sock_unread(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	u32 copied = READ_ONCE(hs->rcv.copied), nxt = READ_ONCE(hs->rcv.nxt);
	s32 whole;

	if (haul_sock_kind(sk) != HAUL_KIND_MESSAGE || !sock_flag(sk, SOCK_DONE))
		return max_t(s32, nxt - copied, 0);
	whole = READ_ONCE(hs->rcv.eom) - copied;
	return max(whole, 0) + haul_after(nxt, copied);
}

/* Bytes of the next message, as many as a call would give. Socket lock */
static u32 haul_sock_inq_message(const struct sock *sk)
{
	u32 copied = haul_sk(sk)->rcv.copied, end;

	if (!haul_message_readable(sk, copied))
		return 0;
	haul_message_end(sk, copied, &end);
	return end - copied;
}

/**
 * haul_sock_inq - SIOCINQ
 * @sk:		the socket
 *
 * Takes the socket lock for a moment. Return: bytes that can be read at once; a FIN is none. Of
 * messages: the length of the next one
 */
int haul_sock_inq(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	bool slow = lock_sock_fast(sk);
	s32 bytes = 0;

	if (haul_sock_kind(sk) == HAUL_KIND_MESSAGE) {
		bytes = haul_sock_inq_message(sk);
	} else if (!haul_state_in(sk, HAUL_STATES_OPENING)) {
		bytes = hs->rcv.nxt - hs->rcv.copied;
		if (bytes && sock_flag(sk, SOCK_DONE))
			bytes--;
	}
	unlock_sock_fast(sk, slow);
	return bytes;
}

/**
 * haul_sock_outq - SIOCOUTQ
 * @sk:		the socket
 *
 * No lock. Return: bytes (a FIN is one) not acknowledged, sent or not
 */
int haul_sock_outq(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (HAUL_STATE_BIT(inet_sk_state_load(sk)) & HAUL_STATES_OPENING)
		return 0;
	return READ_ONCE(hs->write_seq) - READ_ONCE(hs->snd.una);
}

/**
 * haul_sock_outq_nsd - SIOCOUTQNSD
 * @sk:		the socket
 *
 * No lock. Return: bytes (a FIN is one) not sent yet
 */
int haul_sock_outq_nsd(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (HAUL_STATE_BIT(inet_sk_state_load(sk)) & HAUL_STATES_OPENING)
		return 0;
	return READ_ONCE(hs->write_seq) - READ_ONCE(hs->snd.nxt);
}

/**
 * haul_sock_set_rcvlowat - proto_ops.set_rcvlowat (SO_RCVLOWAT)
 * @sk:		the socket
 * @val:	bytes; 0: 1
 *
 * Socket lock. A buffer that could never hold @val bytes grows; where it may not, @val is cut to
 * what fits.
 * Return: 0
 */
int haul_sock_set_rcvlowat(struct sock *sk, int val)
{
	bool locked = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	int most = (locked ? sk->sk_rcvbuf : READ_ONCE(haul_pernet(sock_net(sk))->rmem[2])) >> 1;

	val = min(val, most);
	WRITE_ONCE(sk->sk_rcvlowat, val ? : 1);
	haul_sock_data_ready(sk);
	if (!locked && val > sk->sk_rcvbuf >> 1)
		WRITE_ONCE(sk->sk_rcvbuf, val << 1);
	return 0;
}

/**
 * haul_sock_shutdown - proto.shutdown
 * @sk:		the socket
 * @how:	RCV_SHUTDOWN, SEND_SHUTDOWN; sk->sk_shutdown has them already
 *
 * Socket lock. Reading needs nothing; the end of writing is a FIN behind what is queued (RFC 9293
 * 3.6).
 */
void haul_sock_shutdown(struct sock *sk, int how)
{
	if (!(how & SEND_SHUTDOWN))
		return;
	if (haul_state_in(sk, HAUL_STATES_MAY_SEND | HAUL_STATE_BIT(HAUL_SYN_RECEIVED)))
		haul_close_send(sk);
}
