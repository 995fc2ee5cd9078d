/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One sendmsg() call on a connection, shared by send.c and pages.c.
 */
#ifndef HAUL_SEND_H
#define HAUL_SEND_H

#include <linux/socket.h>
#include <net/sock.h>

enum haul_send_how {
	HAUL_SEND_COPIED,
	HAUL_SEND_PINNED,	/* the program's own pages: MSG_ZEROCOPY */
	HAUL_SEND_SPLICED,	/* pages that splice() or sendfile() brings */
};

/**
 * struct haul_send - one sendmsg() call
 * @sk:		the socket
 * @msg:	what the program gave; its iterator advances
 * @flags:	MSG_*
 * @timeo:	jiffies that may still be waited
 * @copied:	bytes queued
 * @goal:	bytes to gather in one packet buffer
 * @filled:	packet buffers begun since the backlog was last looked at
 * @more:	there is more to come: what is queued need not leave, a message does not end here
 * @message:	kind message
 * @sockc:	what control messages say
 * @how:	how the program's bytes get into packet buffers
 * @uarg:	who is notified when nobody needs the program's pages any more; or NULL
 */
struct haul_send {
	struct sock	*sk;
	struct msghdr	*msg;
	int		flags;
	long		timeo;
	int		copied;
	u32		goal;
	int		filled;
	bool		more;
	bool		message;
	struct sockcm_cookie sockc;
	enum haul_send_how how;
	struct ubuf_info *uarg;
};

/* --- pages.c: pages that are sent as they are --- */
/* decides @s->how. Socket lock. 0 or -ENOBUFS; haul_pages_end() must follow */
int haul_pages_begin(struct haul_send *s);
/* appends @len of the program's next bytes at most: bytes, -EMSGSIZE: no more fits, -errno */
int haul_pages_append(struct haul_send *s, struct sk_buff *skb, int len);
/* nothing more is appended. Socket lock */
void haul_pages_end(struct haul_send *s);

#endif /* HAUL_SEND_H */
