// SPDX-License-Identifier: GPL-2.0
/*
 * Sending without a copy: the program's own pages (MSG_ZEROCOPY, io_uring's send_zc), which it must
 * leave alone until the error queue says so, and pages of files and pipes (sendfile(), splice()).
 */
#include <linux/skbuff.h>
#include <net/sock.h>

#include "send.h"
#include "sock.h"
#include "../haul.h"

/*
 * Whom the pages belong to: what io_uring has given, or a notification of the socket's own, where
 * the program has asked for it (SO_ZEROCOPY). A call that goes on in the tail's buffer continues
 * the tail's notification.
 */
static int haul_pages_notify(struct haul_send *s)
{
	struct sk_buff *tail = skb_peek_tail(&s->sk->sk_write_queue);

	if (s->msg->msg_ubuf) {
		s->uarg = s->msg->msg_ubuf;
		net_zcopy_get(s->uarg);
	} else if (sock_flag(s->sk, SOCK_ZEROCOPY)) {
		s->uarg = haul_zerocopy_realloc(s->sk, msg_data_left(s->msg), skb_zcopy(tail));
		if (!s->uarg)
			return -ENOBUFS;
	} else {
		return 0;
	}
	s->how = HAUL_SEND_PINNED;
	return 0;
}

/* The notification will say that it was of no use to pin the pages. */
static void haul_pages_was_copied(const struct haul_send *s)
{
	if (s->uarg && !s->msg->msg_ubuf)
		uarg_to_msgzc(s->uarg)->zerocopy = 0;
}

/**
 * haul_pages_begin - how will a call's bytes be sent?
 * @s:		the call; the socket's lock is held
 *
 * Return: 0, and haul_pages_end() must follow; -ENOBUFS
 */
int haul_pages_begin(struct haul_send *s)
{
	int err;

	if (!msg_data_left(s->msg))
		return 0;
	if (s->flags & MSG_ZEROCOPY) {
		err = haul_pages_notify(s);
		if (err)
			return err;
	} else if (s->flags & MSG_SPLICE_PAGES) {
		s->how = HAUL_SEND_SPLICED;
	}
	/* a message is gathered aside, where the kernel does not account for a program's pages */
	if (s->message) {
		s->how = HAUL_SEND_COPIED;
		haul_pages_was_copied(s);
	}
	return 0;
}

/* A file may change while its pages are on their way; whoever sums them later must know. */
static int haul_pages_splice(struct haul_send *s, struct sk_buff *skb, int len)
{
	ssize_t got = haul_splice_from_iter(skb, &s->msg->msg_iter, len, s->sk->sk_allocation);

	if (got <= 0)
		return got ?: -EMSGSIZE;
	if (!(s->flags & MSG_NO_SHARED_FRAGS))
		skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	sk_wmem_queued_add(s->sk, got);
	sk_mem_charge(s->sk, got);
	return got;
}

/**
 * haul_pages_append - put pages behind a buffer's payload
 * @s:		the call, @s->how not HAUL_SEND_COPIED; the socket's lock is held
 * @skb:	in the send queue, of the same notification or empty
 * @len:	bytes at most; their memory is scheduled
 *
 * Return: bytes appended; -EMSGSIZE: @skb has no room for another page, -EFAULT, -ENOMEM
 */
int haul_pages_append(struct haul_send *s, struct sk_buff *skb, int len)
{
	if (s->how == HAUL_SEND_SPLICED)
		return haul_pages_splice(s, skb, len);
	return haul_zerocopy_iter_stream(s->sk, skb, s->msg, len, s->uarg);
}

/**
 * haul_pages_end - a call is over
 * @s:	the call; the socket's lock is held
 *
 * A notification comes when the last packet with the pages is gone, or now if none was made. A call
 * that sent nothing has no notification, and no number.
 */
void haul_pages_end(struct haul_send *s)
{
	if (s->copied)
		net_zcopy_put(s->uarg);
	else
		net_zcopy_put_abort(s->uarg, true);
}
