/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program touches: the two doors, the calls, the options. Below it is conn/.
 */
#ifndef HAUL_SOCK_H
#define HAUL_SOCK_H

#include "../haul.h"

/*
 * --- proto.c: what the kernel's socket code calls; family.c: AF_HAUL and IPPROTO_HAUL, the
 * proto_ops ---
 */
extern struct proto haul_prot;		/* AF_INET */
extern struct proto haul6_prot;		/* AF_INET6 */
extern const struct proto_ops haul_stream_ops;
extern const struct proto_ops haul6_stream_ops;
/* what they share with the datagrams' (dgram/sock.c) */
extern int haul_mem_floor;		/* bytes that a socket always gets */
void haul_enter_memory_pressure(struct sock *sk);
void haul_leave_memory_pressure(struct sock *sk);
int haul_pre_connect4(struct sock *sk, haul_sockaddr *addr, int len);	/* socket lock */
int haul_pre_connect6(struct sock *sk, haul_sockaddr *addr, int len);
/* the protos and their slabs */
int haul_proto_init(void);
void haul_proto_exit(void);
/* the doors; opened last */
int haul_family_init(void);
void haul_family_exit(void);

/* --- bind.c --- */
int haul_sock_bind(struct socket *sock, haul_sockaddr *addr, int len);

/* --- connect.c --- */
/* proto.connect: SYN out. inet_stream_connect() waits. Socket lock */
int haul_sock_connect(struct sock *sk, haul_sockaddr *addr, int len);

/* --- listen.c: listen, accept --- */
int haul_sock_listen(struct socket *sock, int backlog);
/* proto.accept: waits for a finished connection. Takes the lock itself */
struct sock *haul_sock_accept(struct sock *sk, struct proto_accept_arg *arg);
/*
 * the accept queue: the child joins it and the listener's program is woken (it waits for the lock).
 * Listener's lock
 */
void haul_accept_add(struct sock *listener, struct sock *child);
static inline bool haul_accept_full(const struct sock *listener)
{
	return READ_ONCE(listener->sk_ack_backlog) > READ_ONCE(listener->sk_max_ack_backlog);
}

/* --- memcg.c --- */
/* an accepted connection's memory is the caller's cgroup's. Takes the lock itself; may sleep */
#ifdef HAUL_MEMCG_ACCEPTS
void haul_memcg_accept(struct sock *sk);
#else
static inline void haul_memcg_accept(struct sock *sk)
{
}
#endif

/* --- send.c --- */
int haul_sock_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);

/* --- blocks.c --- */
/* sk_page_frag_refill(), but with pages that nobody needs any more. Socket lock; may sleep */
bool haul_blocks_refill(struct sock *sk, struct page_frag *frag);
int haul_blocks_init(void);
void haul_blocks_exit(void);

/* --- recv.c: recvmsg; splice.c: splice_read --- */
int haul_sock_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);
/*
 * the packet in the receive queue that holds @seq (or whose FIN is @seq), and @seq's offset in it;
 * NULL: none. Socket lock
 */
struct sk_buff *haul_recv_find(struct sock *sk, u32 seq, u32 *offset);
/* the first packet has been read: it goes. Socket lock */
void haul_recv_eat(struct sock *sk, struct sk_buff *skb);
void haul_recv_see_end(struct sock *sk);	/* nothing is left to read: nor is the FIN */
ssize_t haul_sock_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			      size_t len, unsigned int flags);

/* --- poll.c: poll, wake-ups (conn/ calls these), ioctl --- */
__poll_t haul_sock_poll(struct file *file, struct socket *sock, poll_table *wait);
/* enough to read for SO_RCVLOWAT? */
bool haul_sock_readable(const struct sock *sk, int target);
void haul_sock_data_ready(struct sock *sk);
u32 haul_sock_unread(const struct sock *sk);	/* bytes, a FIN is one */
int haul_sock_inq(struct sock *sk);		/* SIOCINQ: bytes readable */
int haul_sock_outq(struct sock *sk);		/* SIOCOUTQ: bytes not acknowledged */
int haul_sock_outq_nsd(struct sock *sk);	/* SIOCOUTQNSD: bytes not sent */
int haul_sock_set_rcvlowat(struct sock *sk, int val);	/* SO_RCVLOWAT. Socket lock */
void haul_sock_shutdown(struct sock *sk, int how);	/* proto.shutdown. Socket lock */

/* --- options.c, info.c, tcp_info.c --- */
/* proto_ops.setsockopt of all sockets */
int haul_ops_setsockopt(struct socket *sock, int level, int name, sockptr_t val, unsigned int len);
int haul_sock_setsockopt(struct sock *sk, int level, int name, sockptr_t val, unsigned int len);
int haul_sock_getsockopt(struct sock *sk, int level, int name, char __user *val, int __user *len);
void haul_sock_info(struct sock *sk, struct haul_info *info);	/* socket lock */
/* the same as TCP tells it: packets instead of bytes. Socket lock */
void haul_sock_tcp_info(struct sock *sk, struct tcp_info *info);

#endif /* HAUL_SOCK_H */
