// SPDX-License-Identifier: GPL-2.0
/*
 * splice() out of a connection: pages of the receive queue go into a pipe without a copy. Of
 * messages one call moves one, or as much as the pipe takes: the rest is there for the next call.
 */
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/sock.h>

#include "sock.h"
#include "../conn/conn.h"
#include "../ip/ip.h"

/**
 * struct haul_splice - one splice() call
 * @sk:		the socket
 * @pipe:	where the pages go
 * @left:	bytes still wanted
 * @flags:	SPLICE_F_*
 * @timeo:	jiffies that may still be waited
 * @message:	kind message
 * @ended:	the end of a message was moved
 */
struct haul_splice {
	struct sock		*sk;
	struct pipe_inode_info	*pipe;
	size_t			left;
	unsigned int		flags;
	long			timeo;
	bool			message;
	bool			ended;
};

/* The packet @skb of a stream has been moved to its end. True: the stream ends with it. */
static bool haul_splice_eat(struct haul_splice *s, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(s->sk);
	bool fin = HAUL_PACKET(skb)->flags & HAUL_FIN;

	if (fin)
		WRITE_ONCE(hs->rcv.copied, hs->rcv.copied + 1);
	haul_recv_eat(s->sk, skb);
	return fin;
}

/*
 * Moves at most @most bytes of what is there, as far as the pipe takes it. Bytes, or -errno
 * (-EAGAIN: the pipe is full) when none
 */
static int haul_splice_queue(struct haul_splice *s, size_t most)
{
	struct haul_sock *hs = haul_sk(s->sk);
	struct sk_buff *skb;
	int moved = 0, used = 0;
	u32 offset;

	while (most > moved && (skb = haul_recv_find(s->sk, hs->rcv.copied, &offset))) {
		used = 0;
		if (offset < skb->len) {
			used = skb_splice_bits(skb, s->sk, offset, s->pipe,
					       min_t(size_t, skb->len - offset, most - moved),
					       s->flags);
			if (used <= 0)
				break;
			WRITE_ONCE(hs->rcv.copied, hs->rcv.copied + used);
			moved += used;
		}
		if (offset + used < skb->len || s->message)
			continue;
		used = 0;
		if (haul_splice_eat(s, skb))
			break;
	}
	return moved ? : min(used, 0);
}

/* Moves of one message, if there is one that may be read. */
static int haul_splice_message(struct haul_splice *s)
{
	struct haul_sock *hs = haul_sk(s->sk);
	u32 start = hs->rcv.copied, end;
	bool whole;
	int moved;

	if (!haul_message_readable(s->sk, start))
		return 0;
	whole = haul_message_end(s->sk, start, &end);
	moved = haul_splice_queue(s, min_t(size_t, s->left, end - start));
	if (moved <= 0)
		return moved;
	s->ended = whole && hs->rcv.copied == end;
	haul_message_consume(s->sk, hs->rcv.copied);
	WRITE_ONCE(hs->in_parts, !s->ended);
	haul_message_room(s->sk);
	return moved;
}

static int haul_splice_some(struct haul_splice *s)
{
	int moved = s->message ? haul_splice_message(s) : haul_splice_queue(s, s->left);

	if (moved > 0)
		haul_window_read(s->sk, moved);
	return moved;
}

/* Nothing was there. 1: look again; 0: the end; -errno. Socket lock, let go while it sleeps. */
static int haul_splice_wait(struct haul_splice *s)
{
	struct sock *sk = s->sk;
	int err;

	if (sock_flag(sk, SOCK_DONE)) {
		haul_recv_see_end(sk);
		return 0;
	}
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == HAUL_CLOSED || sk->sk_state == HAUL_LISTEN)
		return -ENOTCONN;
	if (!s->timeo)
		return -EAGAIN;
	if (s->message ? haul_message_readable(sk, haul_sk(sk)->rcv.copied) :
	    !skb_queue_empty(&sk->sk_receive_queue))
		return 0;		/* it is the pipe that takes nothing */
	/* a part of a message may be there: more than that is waited for */
	err = sk_wait_data(sk, &s->timeo, skb_peek_tail(&sk->sk_receive_queue));
	if (err < 0)
		return err;
	return signal_pending(current) ? sock_intr_errno(s->timeo) : 1;
}

/* Bytes moved, 0: the end, or -errno. Socket lock. */
static ssize_t haul_splice_locked(struct haul_splice *s)
{
	struct sock *sk = s->sk;
	ssize_t moved = 0;
	int ret = 0;

	while (s->left) {
		ret = haul_splice_some(s);
		if (ret < 0)
			break;
		if (!ret) {
			ret = moved ? 0 : haul_splice_wait(s);
			if (ret <= 0)
				break;
			continue;
		}
		s->left -= ret;
		moved += ret;
		if (!s->timeo || s->ended)
			break;
		release_sock(sk);
		lock_sock(sk);
		if (sk->sk_err || sk->sk_state == HAUL_CLOSED || (sk->sk_shutdown & RCV_SHUTDOWN) ||
		    signal_pending(current))
			break;
	}
	return moved ? : ret;
}

/**
 * haul_sock_splice_read - proto_ops.splice_read
 * @sock:	the program's socket
 * @ppos:	must be 0: a stream has no position
 * @pipe:	where the pages go
 * @len:	bytes wanted
 * @flags:	SPLICE_F_*
 *
 * Takes the socket lock; sleeps unless O_NONBLOCK, at most SO_RCVTIMEO.
 * Return: bytes moved, 0: the peer has ended its stream, or -ESPIPE, -ENOTCONN, -EAGAIN, -EINTR,
 * -ERESTARTSYS, or the connection's error
 */
ssize_t haul_sock_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			      size_t len, unsigned int flags)
{
	struct haul_splice s = {
		.sk		= sock->sk,
		.pipe		= pipe,
		.left		= len,
		.flags		= flags,
		.message	= haul_sock_kind(sock->sk) == HAUL_KIND_MESSAGE,
	};
	ssize_t ret;

	if (*ppos)
		return -ESPIPE;
	sock_rps_record_flow(sock->sk);
	lock_sock(sock->sk);
	s.timeo = sock_rcvtimeo(sock->sk, sock->file->f_flags & O_NONBLOCK);
	ret = haul_splice_locked(&s);
	release_sock(sock->sk);
	return ret;
}
