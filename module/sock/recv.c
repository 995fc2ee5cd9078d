// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg(), and how it reads a stream: bytes from the receive queue to the program. In the queue
 * each packet holds [seq, end_seq) of HAUL_PACKET(skb), the payload from skb->data on, a FIN counts
 * one at its end; rcv.copied says how far the program is.
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/inet_common.h>
#include <net/sock.h>

#include "recv.h"
#include "../conn/conn.h"
#include "../ip/ip.h"

/**
 * haul_recv_find - the packet in the receive queue that holds a sequence number
 * @sk:		the socket
 * @seq:	sequence number
 * @offset:	its offset in the payload is put here; the payload's length when it is the FIN's
 *
 * Socket lock.
 * Return: the packet; NULL: @seq has not arrived yet
 */
struct sk_buff *haul_recv_find(struct sock *sk, u32 seq, u32 *offset)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		const struct haul_packet *p = HAUL_PACKET(skb);

		if (!haul_after(p->end_seq, seq))
			continue;
		if (WARN_ON_ONCE(haul_after(p->seq, seq)))
			return NULL;
		*offset = seq - p->seq;
		return skb;
	}
	return NULL;
}

/* sock_rfree(), but for what haul_mem_uncharge() does otherwise */
static void haul_recv_uncharge(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(skb->destructor != sock_rfree))
		return;
	skb->destructor = NULL;
	skb->sk = NULL;
	atomic_sub(skb->truesize, &sk->sk_rmem_alloc);
	haul_mem_uncharge(sk, skb->truesize);
}

/**
 * haul_recv_eat - a packet has been read to its end
 * @sk:		the socket
 * @skb:	in its receive queue; freed, unless its timestamp is still wanted
 *
 * Socket lock.
 */
void haul_recv_eat(struct sock *sk, struct sk_buff *skb)
{
	__skb_unlink(skb, &sk->sk_receive_queue);
	haul_recv_uncharge(sk, skb);
	consume_skb(skb);
}

/*
 * The window learns what was read: buffers grow, the peer is told. Not while peeking: nothing was
 * freed.
 */
static void haul_recv_tell(struct haul_recv *r)
{
	if (r->flags & MSG_PEEK)
		return;
	haul_window_read(r->sk, r->copied - r->told);
	r->told = r->copied;
}

static void haul_recv_advance(struct haul_recv *r, u32 by)
{
	r->seq += by;
	if (!(r->flags & MSG_PEEK))
		WRITE_ONCE(haul_sk(r->sk)->rcv.copied, r->seq);
}

/*
 * The last packet's timestamp is the call's, as on TCP; the packet is kept for it. Socket lock,
 * also when it is let go: the packet is charged to the socket.
 */
void haul_recv_keep_stamp(struct haul_recv *r, struct sk_buff *skb)
{
	if (!sock_flag(r->sk, SOCK_RCVTSTAMP) && !READ_ONCE(r->sk->sk_tsflags))
		return;
	if (r->stamped == skb)
		return;
	consume_skb(r->stamped);
	r->stamped = skb_get(skb);
}

/*
 * skb_copy_datagram_msg(), with a shorter way for what lies in one piece: that is what small
 * packets are. 0 or -EFAULT
 */
static int haul_recv_give(struct msghdr *msg, const struct sk_buff *skb, u32 offset, u32 len)
{
	size_t given;

	if (offset + len > skb_headlen(skb))
		return skb_copy_datagram_msg(skb, offset, msg, len);
	given = copy_to_iter(skb->data + offset, len, &msg->msg_iter);
	if (likely(given == len))
		return 0;
	iov_iter_revert(&msg->msg_iter, given);
	return -EFAULT;
}

/* Takes bytes of @skb from @offset on. 1: go on; 0: the stream has ended; -EFAULT */
static int haul_recv_copy(struct haul_recv *r, struct sk_buff *skb, u32 offset)
{
	u32 used = min_t(size_t, skb->len - offset, r->left);
	bool peek = r->flags & MSG_PEEK;

	if (used) {
		if (!(r->flags & MSG_TRUNC) && haul_recv_give(r->msg, skb, offset, used))
			return -EFAULT;
		haul_recv_keep_stamp(r, skb);
		haul_recv_advance(r, used);
		r->copied += used;
		r->left -= used;
		if (peek)
			sk_peek_offset_fwd(r->sk, used);
		else
			sk_peek_offset_bwd(r->sk, used);
	}
	if (offset + used < skb->len)
		return 1;
	if (HAUL_PACKET(skb)->flags & HAUL_FIN) {
		haul_recv_advance(r, 1);
		if (!peek)
			haul_recv_eat(r->sk, skb);
		return 0;
	}
	if (!peek)
		haul_recv_eat(r->sk, skb);
	return 1;
}

/*
 * Nothing more in the queue, and nothing was read yet: why should this call wait? 1: it should; 0:
 * the end; -errno
 */
int haul_recv_may_wait(struct haul_recv *r)
{
	struct sock *sk = r->sk;

	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == HAUL_CLOSED)
		return -ENOTCONN;
	if (!r->timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(r->timeo);
	return 1;
}

/* the same when something was read: is it enough? */
bool haul_recv_may_end(const struct haul_recv *r)
{
	const struct sock *sk = r->sk;

	return !r->timeo || sk->sk_err || sk->sk_state == HAUL_CLOSED ||
	       (sk->sk_shutdown & RCV_SHUTDOWN) || signal_pending(current);
}

/*
 * While this call slept another may have read, or peeked at what was taken since, or given the
 * connection up and made a new one: what is next is what the socket says, not what was next before.
 */
static void haul_recv_resume(struct haul_recv *r)
{
	u32 copied = haul_sk(r->sk)->rcv.copied;

	if (!(r->flags & MSG_PEEK))
		r->seq = copied;
	else if (r->seq - r->copied - r->peek_offset != copied)
		r->seq = copied + r->peek_offset;
}

/**
 * haul_recv_see_end - the program reads on behind the last byte: if that is the end, it is read
 * @sk:	the socket; its lock is held, nothing is left in its queue
 *
 * A FIN behind payload is in the queue and read with it, one by itself is not.
 */
void haul_recv_see_end(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!sock_flag(sk, SOCK_DONE))
		return;
	if (haul_sock_kind(sk) == HAUL_KIND_MESSAGE)
		haul_message_consume(sk, hs->rcv.nxt);
	else
		WRITE_ONCE(hs->rcv.copied, hs->rcv.nxt);
}

/*
 * The queue is used up. 1: look again; 0: give what there is; -errno. Socket lock, let go while it
 * sleeps.
 */
static int haul_recv_wait(struct haul_recv *r)
{
	struct sock *sk = r->sk;
	int err;

	if (!(r->flags & MSG_PEEK))
		haul_recv_see_end(sk);
	if (r->copied >= r->target && !READ_ONCE(sk->sk_backlog.tail))
		return 0;
	if (r->copied) {
		if (haul_recv_may_end(r))
			return 0;
	} else {
		err = haul_recv_may_wait(r);
		if (err <= 0)
			return err;
	}
	if (r->copied >= r->target) {
		sk_flush_backlog(sk);
		haul_batch_end(sk);
	} else {
		haul_recv_tell(r);
		/* the program has no answer yet, or has only peeked */
		if (haul_sk(sk)->rcv.ack_held || haul_sk(sk)->rcv.ack_by_reader)
			haul_ack_send(sk);
		err = sk_wait_data(sk, &r->timeo, skb_peek_tail(&sk->sk_receive_queue));
		if (err < 0)
			return err;
	}
	haul_recv_resume(r);
	return 1;
}

/*
 * Is a stream open, with nothing to read, and nothing to tell or to do for who would read? Without
 * the lock that is a guess, which haul_recvmsg_locked() looks at again.
 */
static bool haul_recv_is_idle(const struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	return READ_ONCE(hs->rcv.nxt) == READ_ONCE(hs->rcv.copied) &&
	       READ_ONCE(sk->sk_state) == HAUL_ESTABLISHED && !READ_ONCE(sk->sk_err) &&
	       !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) && !READ_ONCE(hs->rcv.ack_held) &&
	       !READ_ONCE(hs->rcv.ack_by_reader);
}

/*
 * Who reads before the answer is there sleeps first and takes the lock then, once: sk_wait_data()
 * would let it go and take it again. Whatever changes the answer wakes, as there.
 */
static void haul_recv_sleep(struct haul_recv *r)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = r->sk;

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	while (haul_recv_is_idle(sk) && r->timeo && !signal_pending(current))
		r->timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, r->timeo);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
}

static int haul_recvmsg_locked(struct haul_recv *r)
{
	struct sock *sk = r->sk;
	struct sk_buff *skb;
	u32 offset;
	int err;

	r->target = sock_rcvlowat(sk, r->flags & MSG_WAITALL, r->left);
	r->peek_offset = max(sk_peek_offset(sk, r->flags), 0);
	r->seq = haul_sk(sk)->rcv.copied + r->peek_offset;
	if (haul_sock_kind(sk) == HAUL_KIND_MESSAGE)
		return haul_recv_message(r);

	do {
		skb = haul_recv_find(sk, r->seq, &offset);
		err = skb ? haul_recv_copy(r, skb, offset) : haul_recv_wait(r);
	} while (err > 0 && r->left);

	haul_recv_tell(r);
	return r->copied || err > 0 ? r->copied : err;
}

/*
 * What is left to read, for io_uring and for HAUL_INQ. At the stream's end there is a byte more to
 * be had, so to speak: the program shall read on and see it, as on TCP.
 */
static void haul_recv_inq(struct sock *sk, struct msghdr *msg)
{
	int level = READ_ONCE(haul_sk(sk)->inq_level);
	int inq;

	if (!level && !msg->msg_get_inq)
		return;
	inq = haul_sock_inq(sk) ?: sock_flag(sk, SOCK_DONE);
	if (msg->msg_get_inq)
		msg->msg_inq = inq;
	if (level)
		put_cmsg(msg, level, HAUL_INQ, sizeof(inq), &inq);
}

/**
 * haul_sock_recvmsg - proto.recvmsg
 * @sk:		the socket
 * @msg:	where the bytes go; no address is given, as on TCP
 * @len:	room, bytes
 * @flags:	MSG_*
 *
 * Takes the socket lock; sleeps unless MSG_DONTWAIT, at most SO_RCVTIMEO.
 * Of messages it gives one, or a part of it, see recv_message.c.
 * Return: bytes read, 0: the peer has ended its stream, or -ENOTCONN, -EAGAIN, -EINTR,
 * -ERESTARTSYS, -EFAULT, -EINVAL: there is no urgent data, or the connection's error
 */
int haul_sock_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct haul_recv r = { .sk = sk, .msg = msg, .flags = flags, .left = len };
	int ret;

	if (unlikely(flags & MSG_ERRQUEUE))
		return haul_inet_recv_error(sk, msg, len);
	msg->msg_namelen = 0;
	r.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	if (r.timeo && haul_sock_kind(sk) == HAUL_KIND_STREAM && !(flags & (MSG_PEEK | MSG_OOB)) &&
	    len && haul_recv_is_idle(sk))
		haul_recv_sleep(&r);

	lock_sock(sk);
	if (sk->sk_state == HAUL_LISTEN)
		ret = -ENOTCONN;
	else if (flags & MSG_OOB)
		ret = -EINVAL;
	else
		ret = haul_recvmsg_locked(&r);
	if (r.stamped) {
		sock_recv_timestamp(msg, sk, r.stamped);
		consume_skb(r.stamped);
	}
	release_sock(sk);

	if (ret >= 0)
		haul_recv_inq(sk, msg);
	return ret;
}
