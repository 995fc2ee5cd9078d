// SPDX-License-Identifier: GPL-2.0
/*
 * HAUL_SAVE_SYN and HAUL_SAVED_SYN: a listener has the headers of each SYN kept, and who has
 * accepted the connection reads them, once, as on TCP. A SYN that is answered by a cookie leaves
 * nothing.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/sock.h>
#include "conn.h"

/* HAUL_SAVE_SYN: the link's header, too */
#define HAUL_SAVE_SYN_LINK	2

/* @len bytes: IP's header with options or extensions, and Haul's with options */
struct haul_saved_syn {
	u32	len;
	u8	data[];
};

/**
 * haul_saved_syn_make - keep the headers of a SYN, if the listener wants them
 * @listener:	its lock is held
 * @skb:	the SYN
 *
 * Return: what kfree() frees; NULL: they are not wanted, or there is no memory.
 */
struct haul_saved_syn *haul_saved_syn_make(const struct sock *listener, const struct sk_buff *skb)
{
	u8 mode = READ_ONCE(haul_sk(listener)->save_syn);
	const u8 *end = skb_transport_header(skb) + HAUL_PACKET(skb)->hdrlen;
	const u8 *from = skb_network_header(skb);
	struct haul_saved_syn *saved;

	if (likely(!mode))
		return NULL;
	if (mode == HAUL_SAVE_SYN_LINK && skb_mac_header_was_set(skb))
		from = skb_mac_header(skb);
	saved = kmalloc(struct_size(saved, data, end - from), GFP_ATOMIC | __GFP_NOWARN);
	if (!saved)
		return NULL;
	saved->len = end - from;
	memcpy(saved->data, from, saved->len);
	return saved;
}

/**
 * haul_saved_syn_forget - the socket goes, or is not connected any more
 * @sk:	its lock is held, or nobody else sees it
 */
void haul_saved_syn_forget(struct sock *sk)
{
	kfree(haul_sk(sk)->saved_syn);
	haul_sk(sk)->saved_syn = NULL;
}

static int haul_saved_syn_give(struct sock *sk, char __user *val, int __user *optlen, int room)
{
	const struct haul_saved_syn *saved = haul_sk(sk)->saved_syn;
	int len = saved ? saved->len : 0;

	if (put_user(len, optlen))
		return -EFAULT;
	if (room < len)
		return -EINVAL;		/* and the program knows how much it needs */
	if (len && copy_to_user(val, saved->data, len))
		return -EFAULT;
	haul_saved_syn_forget(sk);
	return 0;
}

/**
 * haul_saved_syn_get - getsockopt(HAUL_SAVED_SYN)
 * @sk:		the socket; its lock is taken
 * @val:	where it goes
 * @optlen:	its length goes here: 0 if nothing was kept, or it was read before
 * @room:	bytes
 *
 * Context: process. Return: 0, -EFAULT, or -EINVAL: too little room
 */
int haul_saved_syn_get(struct sock *sk, char __user *val, int __user *optlen, int room)
{
	int err;

	lock_sock(sk);
	err = haul_saved_syn_give(sk, val, optlen, room);
	release_sock(sk);
	return err;
}
