// SPDX-License-Identifier: GPL-2.0
/*
 * listen() and accept(), and the queue between them. Half-open connections are conn/'s.
 */
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <net/sock.h>

#include "sock.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"
#include "../ip/ip.h"

/* net.haul.fastopen may want fast open of all listeners, whose programs know nothing of it. */
static void haul_listen_fastopen(struct sock *sk)
{
	const int all = HAUL_FASTOPEN_ALL_LISTENERS | HAUL_FASTOPEN_SERVER;
	int mode = READ_ONCE(haul_sk(sk)->hn->fastopen);

	if ((mode & all) == all && !haul_sk(sk)->fastopen_qlen)
		haul_fastopen_tune(sk, READ_ONCE(sk->sk_max_ack_backlog));
}

/* CLOSED to LISTEN. Without a bound port it gets an ephemeral one. Socket lock. */
static int haul_listen_start(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	int err;

	if (!inet->inet_num) {
		err = haul_port_bind(sk, 0);
		if (err)
			return err;
		inet->inet_sport = htons(inet->inet_num);
	}
	WRITE_ONCE(sk->sk_ack_backlog, 0);
	haul_sk(sk)->num_requests = 0;		/* or an earlier connection's challenge_start */
	haul_listen_fastopen(sk);
	err = haul_port_listen(sk);
	if (err)
		return err;
	sk_dst_reset(sk);
	/* who found it already waits for the lock, or is in the backlog */
	haul_set_state(sk, HAUL_LISTEN);
	return 0;
}

/**
 * haul_sock_listen - proto_ops.listen
 * @sock:	the program's socket
 * @backlog:	how many finished connections may wait for accept(); already cut to
 *		net.core.somaxconn
 *
 * Takes the socket lock; may sleep. On a listener it changes the backlog only.
 * Return: 0, -EINVAL: connected or connecting, -EADDRINUSE, -ENOMEM
 */
int haul_sock_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED)
		goto out;
	if (sk->sk_state != HAUL_CLOSED && sk->sk_state != HAUL_LISTEN)
		goto out;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	err = sk->sk_state == HAUL_LISTEN ? 0 : haul_listen_start(sk);
out:
	release_sock(sk);
	return err;
}

/**
 * haul_accept_add - a connection is ready for accept()
 * @listener:	its listener
 * @child:	it; the queue has the socket's own reference until accept() or haul_listen_stop()
 *		takes it out
 *
 * Listener's lock. Wakes: the program can go on only when the lock is free, that is when the packet
 * that finished the handshake has been taken.
 */
void haul_accept_add(struct sock *listener, struct sock *child)
{
	haul_assert_locked(listener);
	list_add_tail(&haul_sk(child)->accept_node, &haul_sk(listener)->accept_queue);
	sk_acceptq_added(listener);
	listener->sk_data_ready(listener);
}

static struct sock *haul_accept_take(struct sock *listener)
{
	struct haul_sock *child;

	child = list_first_entry(&haul_sk(listener)->accept_queue, struct haul_sock, accept_node);
	list_del_init(&child->accept_node);
	sk_acceptq_removed(listener);
	return haul_sock_sk(child);
}

/*
 * Waits for the accept queue to be filled, at most @timeo jiffies. Each connection wakes one waiter
 * only. Socket lock, which is let go while it sleeps. 0, -EINVAL: no listener any more, -EAGAIN,
 * -EINTR, -ERESTARTSYS
 */
static int haul_accept_wait(struct sock *sk, long timeo)
{
	struct haul_sock *hs = haul_sk(sk);
	DEFINE_WAIT(wait);
	int err;

	for (;;) {
		prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
		release_sock(sk);
		if (!READ_ONCE(sk->sk_ack_backlog))
			timeo = schedule_timeout(timeo);
		sched_annotate_sleep();
		lock_sock(sk);
		err = -EINVAL;
		if (sk->sk_state != HAUL_LISTEN)	/* what accept_queue shares a place with */
			break;
		err = 0;
		if (!list_empty(&hs->accept_queue))
			break;
		err = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		err = -EAGAIN;
		if (!timeo)
			break;
	}
	finish_wait(sk_sleep(sk), &wait);
	return err;
}

/**
 * haul_sock_accept - proto.accept
 * @sk:		the listener
 * @arg:	flags in; error and whether the queue is empty now out
 *
 * Takes the listener's lock; sleeps unless O_NONBLOCK, at most SO_RCVTIMEO.
 * Return: the connection, with the reference that was the queue's; NULL: @arg->err is -EINVAL,
 * -EAGAIN, -EINTR or
 * -ERESTARTSYS
 */
struct sock *haul_sock_accept(struct sock *sk, struct proto_accept_arg *arg)
{
	struct sock *child = NULL;
	long timeo;

	lock_sock(sk);
	arg->err = -EINVAL;
	if (sk->sk_state != HAUL_LISTEN)
		goto out;
	arg->err = 0;
	if (list_empty(&haul_sk(sk)->accept_queue)) {
		timeo = sock_rcvtimeo(sk, arg->flags & O_NONBLOCK);
		arg->err = timeo ? haul_accept_wait(sk, timeo) : -EAGAIN;
		if (arg->err)
			goto out;
	}
	child = haul_accept_take(sk);
	arg->is_empty = list_empty(&haul_sk(sk)->accept_queue);
out:
	release_sock(sk);
	if (child) {
		haul_early_enable(child);
		haul_memcg_accept(child);
	}
	return child;
}
