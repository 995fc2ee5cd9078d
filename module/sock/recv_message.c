// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg() on messages. A call gives bytes of one message only, and MSG_EOR with its last one.
 *
 * A message that is here whole is read by one call, as POSIX wants it of SOCK_SEQPACKET: what the
 * program has no room for is thrown away, and MSG_TRUNC says so. Of one that the receive buffer
 * can't hold, the program gets what there is, nothing is thrown away, and the next call goes on
 * (conn/message.c): neither MSG_EOR nor MSG_TRUNC is set then.
 */
#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/sock.h>

#include "recv.h"
#include "../conn/conn.h"

/* Copies [r->seq, @end), which is in the queue. 0 or -EFAULT: nothing has changed then */
static int haul_recv_message_copy(struct haul_recv *r, u32 end)
{
	struct sk_buff *skb;
	u32 seq = r->seq;

	skb_queue_walk(&r->sk->sk_receive_queue, skb) {
		const struct haul_packet *p = HAUL_PACKET(skb);
		u32 len;

		if (seq == end)
			break;
		if (!haul_after(p->seq + skb->len, seq))
			continue;
		len = haul_seq_min(p->seq + skb->len, end) - seq;
		if (skb_copy_datagram_msg(skb, seq - p->seq, r->msg, len))
			return -EFAULT;
		haul_recv_keep_stamp(r, skb);
		seq += len;
	}
	return 0;
}

/* What was before @stop will not be read again; whether the message at it has been read in part */
static void haul_recv_message_consume(struct haul_recv *r, u32 stop, bool in_parts)
{
	struct sock *sk = r->sk;
	u32 bytes = haul_message_consume(sk, stop);

	sk_peek_offset_bwd(sk, bytes);
	WRITE_ONCE(haul_sk(sk)->in_parts, in_parts);
	haul_message_room(sk);
	haul_window_read(sk, bytes);
}

/*
 * The message at r->seq can be read: gives it, as far as there is room. @ended: that was its end.
 * Bytes that the call returns for it, or -EFAULT
 */
static int haul_recv_message_take(struct haul_recv *r, bool *ended)
{
	struct haul_sock *hs = haul_sk(r->sk);
	u32 end, stop;
	bool whole;

	whole = haul_message_end(r->sk, r->seq, &end);
	stop = r->seq + min_t(size_t, end - r->seq, r->left);
	*ended = whole && (stop == end || !hs->in_parts);
	if (haul_recv_message_copy(r, stop))
		return -EFAULT;
	r->left -= stop - r->seq;
	if (r->flags & MSG_PEEK)
		sk_peek_offset_fwd(r->sk, stop - r->seq);
	else
		haul_recv_message_consume(r, *ended ? end : stop, !*ended);

	if (!*ended)
		return stop - r->seq;
	r->msg->msg_flags |= MSG_EOR;
	if (stop != end)
		r->msg->msg_flags |= MSG_TRUNC;
	return (r->flags & MSG_TRUNC ? end : stop) - r->seq;
}

/*
 * Until the message at r->seq can be read. 1: it can; 0: the end, or what was read will do; -errno.
 * Socket lock, let go while it sleeps.
 */
static int haul_recv_message_wait(struct haul_recv *r)
{
	struct sock *sk = r->sk;
	int err;

	while (!haul_message_readable(sk, r->seq)) {
		if (r->copied) {
			if (haul_recv_may_end(r))
				return 0;
		} else {
			err = haul_recv_may_wait(r);
			if (err <= 0)
				return err;
		}
		err = sk_wait_data(sk, &r->timeo, skb_peek_tail(&sk->sk_receive_queue));
		if (err < 0)
			return err;
		/* another has read on while this call slept: its part is not ours to continue */
		if (r->copied && r->seq != haul_sk(sk)->rcv.copied)
			return 0;
		r->seq = haul_sk(sk)->rcv.copied + r->peek_offset;
	}
	return 1;
}

/**
 * haul_recv_message - recvmsg() on messages
 * @r:	the call; its flags, room and where it begins are set
 *
 * MSG_WAITALL waits for the rest of a message that comes in parts. Socket lock, let go while it
 * sleeps.
 * Return: bytes read; with MSG_TRUNC the message's length even if there was less room; 0: the peer
 * has ended its side; or -errno
 */
int haul_recv_message(struct haul_recv *r)
{
	bool all = (r->flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL;
	bool ended = false;
	int ret;

	do {
		ret = haul_recv_message_wait(r);
		if (!ret && !r->copied && !(r->flags & MSG_PEEK))
			haul_recv_see_end(r->sk);
		if (ret <= 0)
			break;
		ret = haul_recv_message_take(r, &ended);
		if (ret < 0)
			break;
		r->copied += ret;
		r->seq += ret;
	} while (all && !ended && r->left);
	return r->copied ? : ret;
}
