// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg() on a connection: bytes from the program into the tail of the send queue, pages charged
 * as they are filled; and when it is worth it, what is queued leaves.
 *
 * A message is gathered aside and joins the send queue when it is whole: so no error and no other
 * thread can leave a part of one there. What MSG_MORE holds open is written as a stream is.
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "send.h"
#include "sock.h"
#include "../conn/conn.h"
#include "../conn/fastopen.h"
#include "../ip/ip.h"

/*
 * packets filled before the backlog gets its turn: ACKs that wait there would free memory, and open
 * windows
 */
#define HAUL_SEND_BATCH		16

/* bytes: a message goes over the send buffer's size by its own, and all that is queued is an int */
#define HAUL_MESSAGE_MAX	(1 << 28)

/*
 * Sends what may go, with @nagle for this call, and arms the probe when the peer's window lets
 * nothing go.
 */
static void haul_send_push(struct sock *sk, enum haul_nagle nagle)
{
	if (haul_output_head(sk) && haul_output(sk, nagle))
		haul_persist_check(sk);
}

/* The peer should deliver at once what ends here (RFC 9293 3.9.1.2). */
static void haul_send_mark_push(struct haul_sock *hs, struct sk_buff *skb)
{
	HAUL_SEG(skb)->flags |= HAUL_PSH;
	hs->pushed_seq = hs->write_seq;
}

/* Half of the largest window without a PSH is as much as a receiver should be left with. */
static bool haul_send_push_forced(const struct haul_sock *hs)
{
	return haul_after(hs->write_seq, hs->pushed_seq + (hs->snd.max_wnd >> 1));
}

/* A packet buffer that got no byte must not stay: it would look like a FIN. */
static void haul_send_drop_empty(struct sock *sk)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (skb && !haul_seg_len(HAUL_SEG(skb))) {
		__skb_unlink(skb, &sk->sk_write_queue);
		haul_rtx_free(sk, skb);
	}
}

/*
 * How much a buffer may gather. For a call that does not fill a segment what it was before will do:
 * haul_output() looks at the path itself.
 */
static void haul_send_refresh_goal(struct haul_send *s)
{
	const struct haul_sock *hs = haul_sk(s->sk);

	s->goal = hs->size_goal;
	if (msg_data_left(s->msg) >= hs->snd.mss || s->goal < hs->snd.mss)
		s->goal = haul_output_size_goal(s->sk, haul_mss_current(s->sk));
}

/*
 * May more be put behind what @skb has? Not when it ends a message or is to be timestamped; and all
 * of a buffer belongs to the same notification of MSG_ZEROCOPY, or to none.
 */
static bool haul_send_may_extend(const struct haul_send *s, struct sk_buff *skb)
{
	const struct haul_seg *seg = HAUL_SEG(skb);

	return skb->len < s->goal && !(seg->flags & HAUL_EOM) && !seg->stamp &&
	       skb_zcopy(skb) == (s->how == HAUL_SEND_PINNED ? s->uarg : NULL);
}

/* The packet buffer to fill: the unsent one at the tail, else a new one. NULL: no memory */
static struct sk_buff *haul_send_buffer(struct haul_send *s, bool fresh)
{
	struct sock *sk = s->sk;
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (skb && !fresh && haul_send_may_extend(s, skb))
		return skb;
	if (!sk_stream_memory_free(sk))
		return NULL;
	skb = haul_output_alloc(sk, 0, sk->sk_allocation);
	if (!skb)
		return NULL;
	haul_output_append(sk, skb);
	s->filled++;
	return skb;
}

/*
 * How much of @want bytes the memory limits grant: all; or what has been granted before and is not
 * used yet, or as little as a socket always has, so that it goes on whoever holds the memory
 */
static int haul_send_schedule(struct sock *sk, int want)
{
	if (likely(sk_wmem_schedule(sk, want)))
		return want;
	return clamp(max(sk->sk_forward_alloc, haul_mem_floor - sk->sk_wmem_queued), 0, want);
}

/*
 * Does all that is left fit behind the headers' room, where memory is that nobody uses otherwise? A
 * few bytes need no page then.
 */
static bool haul_send_is_small(const struct haul_send *s, const struct sk_buff *skb)
{
	size_t left = msg_data_left(s->msg);

	return left <= skb_tailroom(skb) && skb->len + left <= s->goal;
}

/*
 * Copies what the program has left behind @skb's payload, as far as @skb is to be filled and one
 * page goes. Bytes copied; -ENOBUFS: no memory now;
 * -EMSGSIZE: @skb takes no more pages; -EFAULT
 */
static int haul_send_copy(struct haul_send *s, struct sk_buff *skb)
{
	int want = min_t(size_t, s->goal - skb->len, msg_data_left(s->msg));
	struct page_frag *pfrag = sk_page_frag(s->sk);
	int i = skb_shinfo(skb)->nr_frags;
	bool merge;
	int err;

	if (haul_send_is_small(s, skb)) {
		want = msg_data_left(s->msg);
		return skb_add_data_nocache(s->sk, skb, &s->msg->msg_iter, want) ?: want;
	}
	if (!haul_blocks_refill(s->sk, pfrag))
		return -ENOBUFS;
	merge = skb_can_coalesce(skb, i, pfrag->page, pfrag->offset);
	if (!merge && i >= MAX_SKB_FRAGS)
		return -EMSGSIZE;
	want = haul_send_schedule(s->sk, min_t(int, want, pfrag->size - pfrag->offset));
	if (!want)
		return -ENOBUFS;

	err = skb_copy_to_page_nocache(s->sk, &s->msg->msg_iter, skb, pfrag->page, pfrag->offset,
				       want);
	if (err)
		return err;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], want);
	} else {
		skb_fill_page_desc(skb, i, pfrag->page, pfrag->offset, want);
		page_ref_inc(pfrag->page);
	}
	pfrag->offset += want;
	return want;
}

/* The program's next bytes, behind @skb's payload. As haul_send_copy() */
static int haul_send_fill(struct haul_send *s, struct sk_buff *skb)
{
	int want = min_t(size_t, s->goal - skb->len, msg_data_left(s->msg));

	if (s->how == HAUL_SEND_COPIED)
		return haul_send_copy(s, skb);
	want = haul_send_schedule(s->sk, want);
	return want ? haul_pages_append(s, skb, want) : -ENOBUFS;
}

/* @len bytes were added to @skb: they have sequence numbers now; a full buffer may leave. */
static void haul_send_added(struct haul_send *s, struct sk_buff *skb, int len)
{
	struct haul_sock *hs = haul_sk(s->sk);

	if (!s->copied)
		HAUL_SEG(skb)->flags &= ~HAUL_PSH;
	WRITE_ONCE(hs->write_seq, hs->write_seq + len);
	HAUL_SEG(skb)->end_seq += len;
	s->copied += len;

	if (!msg_data_left(s->msg) || skb->len < s->goal)
		return;
	if (haul_send_push_forced(hs)) {
		haul_send_mark_push(hs, skb);
		haul_send_push(s->sk, HAUL_NAGLE_OFF);
	} else if (skb == haul_output_head(s->sk)) {
		haul_send_push(s->sk, haul_nagle(hs));
	}
}

/*
 * Does the message end with what was queued last? That is in the queue's tail and has not left: who
 * queued the last byte did not send since.
 */
static void haul_send_mark_message(struct haul_send *s, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(s->sk);

	hs->open_message = s->more || msg_data_left(s->msg);
	if (!hs->open_message)
		HAUL_SEG(skb)->flags |= HAUL_EOM;
}

/* Everything that this call queued: marked, and sent as far as it may. */
static void haul_send_finish(struct haul_send *s, bool more, enum haul_nagle nagle)
{
	struct haul_sock *hs = haul_sk(s->sk);
	struct sk_buff *skb = skb_peek_tail(&s->sk->sk_write_queue);

	if (!skb)
		return;
	if (s->message)
		haul_send_mark_message(s, skb);
	if (!more || haul_send_push_forced(hs))
		haul_send_mark_push(hs, skb);
	haul_send_push(s->sk, more ? HAUL_NAGLE_CORK : nagle);
}

/*
 * No memory for the next byte: what there is leaves, to make room. Socket lock, let go while it
 * sleeps. 0 or -errno
 */
static int haul_send_wait(struct haul_send *s)
{
	struct sock *sk = s->sk;
	int err;

	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	haul_send_drop_empty(sk);
	if (s->copied)
		haul_send_finish(s, false, HAUL_NAGLE_OFF);
	err = sk_stream_wait_memory(sk, &s->timeo);
	if (!err)
		haul_send_refresh_goal(s);
	return err;
}

/* May this side send (or will it, as soon as the connection is there)? */
static int haul_send_allowed(struct haul_send *s)
{
	struct sock *sk = s->sk;
	int err;

	if (!haul_state_in(sk, HAUL_STATES_MAY_SEND) && !haul_fastopen_child(sk)) {
		err = sk_stream_wait_connect(sk, &s->timeo);
		if (err)
			return err;
	}
	if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
		return -EPIPE;
	return 0;
}

/*
 * Now and then the backlog has its turn, unless it can hold nothing, for no SYN has left. 0, or why
 * this side may not send any more
 */
static int haul_send_pause(struct haul_send *s)
{
	int err;

	if (s->filled < HAUL_SEND_BATCH || haul_fastopen_deferred(s->sk))
		return 0;
	s->filled = 0;
	if (!sk_flush_backlog(s->sk))
		return 0;
	haul_batch_end(s->sk);
	err = haul_send_allowed(s);
	if (!err)
		haul_send_refresh_goal(s);
	return err;
}

/* Queues all that the program gave, waiting for memory where it must. 0, or why it ended before */
static int haul_send_all(struct haul_send *s)
{
	struct sock *sk = s->sk;
	struct sk_buff *skb;
	bool fresh = false;
	int len, err;

	while (msg_data_left(s->msg)) {
		err = haul_send_pause(s);
		if (err)
			return err;
		skb = haul_send_buffer(s, fresh);
		fresh = false;
		len = skb ? haul_send_fill(s, skb) : -ENOBUFS;
		if (len > 0) {
			haul_send_added(s, skb, len);
		} else if (len == -EMSGSIZE) {
			haul_send_mark_push(haul_sk(sk), skb);
			fresh = true;
		} else {
			err = len == -ENOBUFS ? haul_send_wait(s) : len;
			if (err)
				return err;
		}
	}
	return 0;
}

/* ---------------------------------------------------------------- a whole message */

/* Another buffer of a message that is not in the send queue yet. NULL: no memory */
static struct sk_buff *haul_send_gather_buffer(struct haul_send *s, struct sk_buff_head *message)
{
	struct sk_buff *skb = haul_output_alloc(s->sk, 0, s->sk->sk_allocation);

	if (!skb)
		return NULL;
	haul_output_charge(s->sk, skb);
	__skb_queue_tail(message, skb);
	s->filled++;
	return skb;
}

/* Copies what the program gave into buffers of its own. 0, -ENOBUFS: no memory now, or -errno */
static int haul_send_gather(struct haul_send *s, struct sk_buff_head *message)
{
	struct sk_buff *skb = NULL;
	int len, err;

	while (msg_data_left(s->msg)) {
		err = haul_send_pause(s);
		if (err)
			return err;
		if (!skb || skb->len >= s->goal)
			skb = haul_send_gather_buffer(s, message);
		len = skb ? haul_send_copy(s, skb) : -ENOBUFS;
		if (len == -EMSGSIZE)
			skb = NULL;
		else if (len < 0)
			return len;
	}
	return 0;
}

/* It did not work out: the program has it all again. */
static void haul_send_scatter(struct haul_send *s, struct sk_buff_head *message, size_t size)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(message)))
		haul_rtx_free(s->sk, skb);
	iov_iter_revert(&s->msg->msg_iter, size - msg_data_left(s->msg));
}

/* The message gets its sequence numbers. */
static void haul_send_join(struct haul_send *s, struct sk_buff_head *message)
{
	struct haul_sock *hs = haul_sk(s->sk);
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(message))) {
		struct haul_seg *seg = HAUL_SEG(skb);

		seg->seq = hs->write_seq;
		seg->end_seq = seg->seq + skb->len;
		WRITE_ONCE(hs->write_seq, seg->end_seq);
		s->copied += skb->len;
		__skb_queue_tail(&s->sk->sk_write_queue, skb);
	}
}

/*
 * Queues a message, once there is any room for it: it is all or nothing, so the last one may go
 * over the send buffer's size by its own. 0 or -errno
 */
static int haul_send_message(struct haul_send *s)
{
	size_t size = msg_data_left(s->msg);
	struct sk_buff_head message;
	int err;

	__skb_queue_head_init(&message);
	for (;;) {
		err = -ENOBUFS;
		if (sk_stream_memory_free(s->sk))
			err = haul_send_gather(s, &message);
		if (!err)
			break;
		haul_send_scatter(s, &message, size);
		if (err == -ENOBUFS)
			err = haul_send_wait(s);
		if (err)
			return err;
	}
	haul_send_join(s, &message);
	return 0;
}

/*
 * May a call bring so many bytes of a message? No more than the send buffer's size; one whose size
 * the program has not chosen grows first. Nothing is no message. 0 or -errno
 */
static int haul_send_check_size(struct sock *sk, size_t size)
{
	int most = READ_ONCE(sk->sk_sndbuf);

	if (!size)
		return -EINVAL;
	if (!(sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		most = max(most, READ_ONCE(haul_pernet(sock_net(sk))->wmem[2]));
	if (size > min(most, HAUL_MESSAGE_MAX))
		return -EMSGSIZE;
	if (size > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, (int)size);
	return 0;
}

/* ---------------------------------------------------------------- fast open */

/*
 * What the SYN is to carry, into the send queue: of a stream what fits, a message whole. Where
 * there is no memory it goes without.
 */
static void haul_send_with_syn(struct haul_send *s)
{
	size_t size = msg_data_left(s->msg);
	struct sk_buff_head message;
	struct sk_buff *skb;
	int len;

	s->goal = haul_fastopen_room(s->sk);
	if (!s->goal || !size)
		return;
	if (s->message && !s->more) {
		__skb_queue_head_init(&message);
		if (haul_send_gather(s, &message))
			haul_send_scatter(s, &message, size);
		else
			haul_send_join(s, &message);
	} else {
		skb = haul_send_buffer(s, true);
		while (skb && skb->len < s->goal && msg_data_left(s->msg)) {
			len = haul_send_copy(s, skb);
			if (len <= 0)
				break;
			haul_send_added(s, skb, len);
		}
		haul_send_drop_empty(s->sk);
	}
	if (s->copied)
		haul_send_finish(s, s->more, HAUL_NAGLE_OFF);
}

/*
 * MSG_FASTOPEN, or the first write after a connect() that waited for it: connects if that is still
 * to be done, sends the SYN, and waits for the answer as connect() does. 0: connected, and there
 * may be more to send; -EINPROGRESS: @s->copied says how much the SYN carries; or -errno, TCP's
 */
static int haul_send_fastopen(struct haul_send *s)
{
	int flags = s->flags & MSG_DONTWAIT ? O_NONBLOCK : 0, err = 0;
	struct socket *sock = s->sk->sk_socket;
	haul_sockaddr *addr = s->msg->msg_name;
	struct haul_fastopen *fo;
	struct sock *sk = s->sk;

	if (!(READ_ONCE(haul_sk(sk)->hn->fastopen) & HAUL_FASTOPEN_CLIENT) ||
	    (addr && s->msg->msg_namelen >= (int)sizeof(addr->sa_family) &&
	     addr->sa_family == AF_UNSPEC))
		return -EOPNOTSUPP;
	if (s->message)
		err = haul_send_check_size(sk, msg_data_left(s->msg));
	if (err)
		return err;
	fo = haul_fastopen_get(sk, GFP_KERNEL);
	if (!fo)
		return -ENOBUFS;
	if (fo->sending)
		return -EALREADY;
	fo->sending = true;
	if (!haul_fastopen_deferred(sk))
		err = __inet_stream_connect(sock, addr, s->msg->msg_namelen, flags, 1);
	if (!err && haul_fastopen_deferred(sk)) {
		haul_send_with_syn(s);
		haul_inet_flag_assign(sk, defer_connect, DEFER_CONNECT, false);
		haul_handshake_send_syn(sk, sk->sk_allocation);
		err = __inet_stream_connect(sock, NULL, 0, flags, 1);
		if (err == -EALREADY)
			err = -EINPROGRESS;
	}
	fo->sending = false;
	return err;
}

/* ---------------------------------------------------------------- the call */

/* The control messages that all sockets know: SO_TIMESTAMPING is the one that means something. */
static int haul_send_check_cmsg(struct haul_send *s)
{
	sockcm_init(&s->sockc, s->sk);
	if (!s->msg->msg_controllen)
		return 0;
	if (sock_cmsg_send(s->sk, s->msg, &s->sockc))
		return -EINVAL;
	/* the call points to a place in a device's memory then, and to none of the program's */
	return haul_sockc_wants_device(&s->sockc) ? -EINVAL : 0;
}

/* Everything is queued that will be: what has not left yet may be timestamped. */
static void haul_send_stamp(struct haul_send *s)
{
	struct sk_buff *skb = skb_peek_tail(&s->sk->sk_write_queue);

	if (skb)
		haul_stamp_mark(s->sk, skb, &s->sockc);
}

static int haul_sendmsg_locked(struct haul_send *s)
{
	struct sock *sk = s->sk;
	int err;

	if (unlikely((s->flags & MSG_FASTOPEN) || haul_fastopen_deferred(sk))) {
		err = haul_send_fastopen(s);
		if (s->copied && (err == -EINPROGRESS || (!err && !msg_data_left(s->msg))))
			return s->copied;
		if (err)
			return sk_stream_error(sk, s->flags, err);
	}
	s->timeo = sock_sndtimeo(sk, s->flags & MSG_DONTWAIT);
	err = haul_send_allowed(s);
	if (err)
		goto failed;
	err = haul_send_check_cmsg(s);
	if (err)
		return err;

	if (s->message) {
		err = haul_send_check_size(sk, msg_data_left(s->msg));
		if (err)
			return err;
	}

	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	haul_stamp_begin(sk);
	haul_send_refresh_goal(s);
	err = haul_pages_begin(s);
	if (err)
		goto failed;
	if (s->message && !s->more && !haul_sk(sk)->open_message)
		err = haul_send_message(s);
	else
		err = haul_send_all(s);
	if (err)
		haul_send_drop_empty(sk);
	haul_pages_end(s);
	if (s->copied) {
		haul_send_stamp(s);
		haul_send_finish(s, s->more, haul_nagle(haul_sk(sk)));
	}
	if (s->copied || !err)
		return s->copied;
failed:
	err = sk_stream_error(sk, s->flags, err);
	/*
	 * an edge-triggered poller that saw EAGAIN while nothing is in flight would never be woken
	 */
	if (err == -EAGAIN && !haul_output_head(sk) && !haul_rtx_head(sk))
		sk->sk_write_space(sk);
	return err;
}

/**
 * haul_sock_sendmsg - proto.sendmsg
 * @sk:		the socket
 * @msg:	the program's message; an address in it is ignored but for MSG_FASTOPEN, as on TCP
 * @size:	its length, bytes
 *
 * Takes the socket lock; sleeps for the connection and for memory unless MSG_DONTWAIT, at most
 * SO_SNDTIMEO.
 * Return: bytes queued, or -EPIPE (with SIGPIPE unless MSG_NOSIGNAL), -EAGAIN, -EINTR,
 * -ERESTARTSYS, -EFAULT, -EINVAL: also a message of no byte, -EMSGSIZE: a message larger than the
 * send buffer may be, -EOPNOTSUPP: urgent data, or a fast open where net.haul.fastopen does not
 * allow it, or the connection's error; with MSG_FASTOPEN also what connect() returns
 */
int haul_sock_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct haul_send s = {
		.sk		= sk,
		.msg		= msg,
		.flags		= msg->msg_flags,
		.more		= msg->msg_flags & (MSG_MORE | HAUL_MSG_SENDPAGE_NOTLAST),
		.message	= haul_sock_kind(sk) == HAUL_KIND_MESSAGE,
	};
	int ret;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s.message && (msg->msg_flags & MSG_EOR))
		s.more = false;
	lock_sock(sk);
	ret = haul_sendmsg_locked(&s);
	release_sock(sk);
	return ret;
}
