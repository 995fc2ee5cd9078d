/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Haul's sockets, seen from outside: what haulss asks and the kernel answers over netlink.
 *
 * Through NETLINK_SOCK_DIAG. A request is SOCK_DIAG_BY_FAMILY with struct haul_diag_req: with
 * NLM_F_DUMP, all sockets of the namespace that fit; without, the one that @id names (ENOENT: there
 * is none). SOCK_DESTROY with the same struct closes the one that @id names (CAP_NET_ADMIN). An
 * answer is a SOCK_DIAG_BY_FAMILY message: struct haul_diag_msg, then attributes.
 *
 * Through NETLINK_GENERIC, family HAUL_DIAG_GENL_NAME: the multicast group HAUL_DIAG_GENL_GROUP
 * tells of each socket that is destroyed, in a message with the attribute HAUL_DIAG_MSG and those
 * that a dump with every HAUL_DIAG_SHOW_* bit would have. (The groups of sock_diag itself are
 * numbered by the kernel and hold none for others.)
 */
#ifndef _UAPI_LINUX_HAUL_DIAG_H
#define _UAPI_LINUX_HAUL_DIAG_H

#include <linux/types.h>
#include <linux/haul.h>

#define HAUL_DIAG_GENL_NAME	"haul_diag"
#define HAUL_DIAG_GENL_VERSION	1
#define HAUL_DIAG_GENL_GROUP	"destroy"
#define HAUL_DIAG_CMD_DESTROYED	1	/* the one message of that group */

/**
 * struct haul_diag_id - which socket
 *
 * As it came in a message. In a request: all fields count; a cookie of ~0, ~0 fits any.
 */
struct haul_diag_id {
	__be16	sport;
	__be16	dport;
	__be32	src[4];			/* IPv4: v4-mapped, ::ffff:0:0/96 */
	__be32	dst[4];
	__u32	dev;			/* index of the device that it is bound to, or 0 */
	__u32	cookie[2];		/* SO_COOKIE, low half first; unique to the socket */
};

/* haul_diag_req.show: attributes that are not free */
#define HAUL_DIAG_SHOW_INFO	0x01	/* HAUL_DIAG_INFO */
#define HAUL_DIAG_SHOW_MEMINFO	0x02	/* HAUL_DIAG_MEMINFO */
#define HAUL_DIAG_SHOW_ALL	0x03

/**
 * struct haul_diag_req - what is asked for
 */
struct haul_diag_req {
	__u8	family;			/* AF_HAUL, or what the module was told to be */
	__u8	protocol;		/* 0 */
	__u8	net;			/* AF_INET, AF_INET6; 0: both. Dump only */
	__u8	kind;			/* 1 stream, 2 message, 3 datagram. 0: all, dump only */
	__u32	states;			/* 1 << HAUL_ESTABLISHED, ... Dump only */
	__u32	show;			/* HAUL_DIAG_SHOW_* */
	struct haul_diag_id id;		/* not in a dump */
};

/* haul_diag_msg.timer: which is running; of several the one that matters most */
enum {
	HAUL_DIAG_TIMER_NONE		= 0,
	HAUL_DIAG_TIMER_RETRANSMIT	= 1,	/* RFC 6298; a SYN's or SYN-ACK's, too */
	HAUL_DIAG_TIMER_KEEPALIVE	= 2,
	HAUL_DIAG_TIMER_TIME_WAIT	= 3,
	HAUL_DIAG_TIMER_PERSIST		= 4,	/* zero-window probe */
	HAUL_DIAG_TIMER_PROBE		= 5,	/* tail loss probe, RFC 8985 */
	HAUL_DIAG_TIMER_REORDER		= 6,	/* RACK's reordering window, RFC 8985 */
	HAUL_DIAG_TIMER_DELACK		= 7,	/* delayed acknowledgment */
	HAUL_DIAG_TIMER_FIN_WAIT_2	= 8	/* an orphan's patience */
};

/* haul_diag_msg.flags */
#define HAUL_DIAG_SHUT_RD	0x01	/* no more is received */
#define HAUL_DIAG_SHUT_WR	0x02	/* no more is sent */
#define HAUL_DIAG_V6ONLY	0x04	/* IPV6_V6ONLY */
#define HAUL_DIAG_ORPHAN	0x08	/* no program has it any more, or none yet */

/**
 * struct haul_diag_msg - one socket
 */
struct haul_diag_msg {
	__u8	family;			/* as in the request */
	__u8	net;			/* AF_INET or AF_INET6: what the program opened */
	__u8	kind;			/* 1 stream, 2 message, 3 datagram */
	/* HAUL_ESTABLISHED ...; a datagram socket's: HAUL_CLOSED, or, with a peer, ESTABLISHED */
	__u8	state;
	__u8	timer;			/* HAUL_DIAG_TIMER_* */
	__u8	retrans;		/* times that this timer has fired in a row */
	__u8	flags;			/* HAUL_DIAG_* */
	__u8	pad;			/* 0 */
	struct haul_diag_id id;
	__u32	expires;		/* ms until the timer fires */
	/*
	 * bytes to read, of which a FIN is one until the program has seen the end; LISTEN:
	 * connections to accept; datagrams: the memory they take
	 */
	__u32	rqueue;
	/* bytes not acknowledged; LISTEN: the backlog; datagrams: memory of those not yet gone */
	__u32	wqueue;
	__u32	uid;			/* who opened it */
	__u32	inode;			/* of its file; 0: none */
};

/* attributes of an answer */
enum {
	HAUL_DIAG_UNSPEC,
	HAUL_DIAG_MSG,			/* struct haul_diag_msg; generic netlink only */
	HAUL_DIAG_INFO,			/* struct haul_info; not of datagram sockets */
	HAUL_DIAG_MEMINFO,		/* __u32[]: SK_MEMINFO_* of <linux/sock_diag.h> */
	HAUL_DIAG_CONGESTION,		/* string: the controller's name; not of datagram sockets */
	HAUL_DIAG_TOS,			/* __u8: IP_TOS */
	HAUL_DIAG_TCLASS,		/* __u8: IPV6_TCLASS */
	HAUL_DIAG_MARK,			/* __u32: SO_MARK; told to CAP_NET_ADMIN only */
	HAUL_DIAG_CGROUP_ID,		/* __u64: inode of the cgroup (version 2) */
	HAUL_DIAG_PAD,
	__HAUL_DIAG_MAX
};

#define HAUL_DIAG_MAX	(__HAUL_DIAG_MAX - 1)

#endif /* _UAPI_LINUX_HAUL_DIAG_H */
