// SPDX-License-Identifier: GPL-2.0
/*
 * MSG_ZEROCOPY and io_uring's send_zc: a datagram of the program's own pages, which it must leave
 * alone until it is told that they are free. Of a datagram that is copied all the same (corked, or
 * over IPv6, where the kernel puts it together) it is told at once: SO_EE_CODE_ZEROCOPY_COPIED.
 */
#include <linux/skbuff.h>
#include <net/sock.h>

#include "dgram.h"

/* the notification is a number of the socket's own, and not io_uring's */
static bool haul_pages_numbered(const struct msghdr *msg, const struct ubuf_info *uarg)
{
	return uarg && uarg != msg->msg_ubuf;
}

/**
 * haul_dgram_pages_begin - does the program want to be told when its pages are free?
 * @sk:		the socket
 * @msg:	the call's
 * @len:	bytes of payload, and of the header that goes before; 0: nothing to tell of
 * @uarg:	who tells it; NULL: nobody. Goes to haul_dgram_pages_pin() or
 *		haul_dgram_pages_copied()
 *
 * Context: process. Return: 0 or -ENOBUFS: too many are on their way (net.core.optmem_max)
 */
int haul_dgram_pages_begin(struct sock *sk, struct msghdr *msg, size_t len,
			   struct ubuf_info **uarg)
{
	*uarg = NULL;
	if (!(msg->msg_flags & MSG_ZEROCOPY) || !len)
		return 0;
	if (msg->msg_ubuf) {
		*uarg = msg->msg_ubuf;
	} else if (sock_flag(sk, SOCK_ZEROCOPY)) {
		*uarg = haul_zerocopy_realloc(sk, len, NULL);
		if (!*uarg)
			return -ENOBUFS;
	}
	return 0;
}

/**
 * haul_dgram_pages_pin - puts the program's pages behind a datagram's header
 * @skb:	charged to its socket
 * @msg:	the call's
 * @len:	bytes
 * @uarg:	haul_dgram_pages_begin()'s
 *
 * Context: process. Return: 0, and @skb will tell; -EMSGSIZE: too many pages for a packet,
 * -EFAULT, and nobody will
 */
int haul_dgram_pages_pin(struct sk_buff *skb, struct msghdr *msg, size_t len,
			 struct ubuf_info *uarg)
{
	bool numbered = haul_pages_numbered(msg, uarg);
	int err = skb_zerocopy_iter_dgram(skb, msg, len);

	if (err < 0) {
		net_zcopy_put_abort(uarg, numbered);
		return err;
	}
	/* the first reference is the packet's; io_uring has its own */
	skb_zcopy_set(skb, uarg, &numbered);
	return 0;
}

/**
 * haul_dgram_pages_copied - the bytes were copied: the pages are free
 * @msg:	the call's
 * @uarg:	haul_dgram_pages_begin()'s
 * @err:	the call failed: there is nothing to tell
 *
 * Context: process.
 */
void haul_dgram_pages_copied(const struct msghdr *msg, struct ubuf_info *uarg, int err)
{
	if (!haul_pages_numbered(msg, uarg))
		return;
	if (err) {
		net_zcopy_put_abort(uarg, true);
		return;
	}
	uarg_to_msgzc(uarg)->zerocopy = 0;
	net_zcopy_put(uarg);
}
