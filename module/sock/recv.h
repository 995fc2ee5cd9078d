/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What recvmsg() on streams (recv.c) and on messages (recv_message.c) share.
 */
#ifndef HAUL_SOCK_RECV_H
#define HAUL_SOCK_RECV_H

#include "sock.h"

/**
 * struct haul_recv - one recvmsg() call
 * @sk:		the socket
 * @msg:	where the bytes go
 * @stamped:	the last packet read, with a reference, when the program wants timestamps
 * @timeo:	jiffies that may still be waited
 * @flags:	MSG_*
 * @left:	bytes of room left
 * @seq:	sequence number to read next
 * @peek_offset: bytes behind rcv.copied where this call began (SO_PEEK_OFF)
 * @copied:	bytes given to the program
 * @target:	bytes that it waits for
 * @told:	bytes of @copied that haul_window_read() knows about
 */
struct haul_recv {
	struct sock	*sk;
	struct msghdr	*msg;
	struct sk_buff	*stamped;
	long		timeo;
	int		flags;
	size_t		left;
	u32		seq;
	u32		peek_offset;
	int		copied;
	int		target;
	int		told;
};

/* --- recv.c; socket lock --- */
/* the last packet's timestamp is the call's, as on TCP; the packet may be gone by then */
void haul_recv_keep_stamp(struct haul_recv *r, struct sk_buff *skb);
/*
 * nothing was read yet: why should this call wait? 1: it should; 0: the end; -errno
 */
int haul_recv_may_wait(struct haul_recv *r);
/* the same when something was read: is it enough? */
bool haul_recv_may_end(const struct haul_recv *r);

/* --- recv_message.c --- */
/* one message, or a part of it. Socket lock. Bytes, 0: the end, or -errno */
int haul_recv_message(struct haul_recv *r);

#endif /* HAUL_SOCK_RECV_H */
