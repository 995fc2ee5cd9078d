/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fast open (RFC 7413, protocol.rst 3.6): payload in a SYN, under a cookie that the server gave
 * before. The server's side is fastopen.c, the client's fastopen_client.c, and what a client
 * remembers of servers fastopen_cache.c. "Cookie" alone is here the fast open's, elsewhere in
 * conn/ that of SYN cookies (cookie.c).
 */
#ifndef HAUL_FASTOPEN_H
#define HAUL_FASTOPEN_H

#include <linux/list.h>
#include <linux/seqlock.h>
#include <linux/siphash.h>
#include "../haul.h"

/* bits of net.haul.fastopen, TCP's numbers */
#define HAUL_FASTOPEN_CLIENT		0x001
#define HAUL_FASTOPEN_SERVER		0x002
#define HAUL_FASTOPEN_CLIENT_NO_COOKIE	0x004	/* payload without cookie and option */
#define HAUL_FASTOPEN_SERVER_NO_COOKIE	0x200	/* payload is taken without */
#define HAUL_FASTOPEN_ALL_LISTENERS	0x400	/* as if each had set HAUL_FASTOPEN */

#define HAUL_FASTOPEN_KEY_LEN		16
#define HAUL_FASTOPEN_KEYS		2	/* the one that cookies are made by, an older one */

/* what cookies are made by */
struct haul_fastopen_keys {
	siphash_key_t	key[HAUL_FASTOPEN_KEYS];
	u8		num;			/* 0: none of its own */
};

/**
 * struct haul_fastopen_queue - a listener's fast opens whose third step is awaited
 * @refcnt:	the listener, each child that is counted
 * @lock:	protects what follows; taken inside of socket locks
 * @pending:	children that wait, and those in @resets
 * @resets:	struct haul_fastopen by @node: of children that were reset meanwhile. They count
 *		for a minute more, for someone seems to forge (RFC 7413 5.1)
 */
struct haul_fastopen_queue {
	refcount_t		refcnt;
	spinlock_t		lock;		/* what follows */
	u32			pending;
	struct list_head	resets;
};

/**
 * struct haul_fastopen - what a socket has of fast open, when it has any; socket lock
 * @queue:	a listener's; a child's until its third step: its listener's
 * @keys:	a listener's own (HAUL_FASTOPEN_KEY)
 * @option:	what the next SYN or SYN-ACK carries
 * @has_option:	it carries it
 * @sending:	client: a call is about to send the SYN, or waits for the answer
 * @asked:	client: the first SYN had option or payload
 * @mss:	client: bytes, what the server announced when it gave the cookie; 0: not known
 * @syn_len:	client: bytes of payload in the SYN; they are in the send queue all the same
 * @node:	in haul_fastopen_queue.resets
 * @until:	jiffies, how long
 */
struct haul_fastopen {
	struct haul_fastopen_queue *queue;
	struct haul_fastopen_keys keys;
	struct haul_fastopen_option option;
	bool			has_option;
	bool			sending;
	bool			asked;
	u16			mss;
	u32			syn_len;
	struct list_head	node;
	unsigned long		until;
};

/* server: accepted from a SYN, and the third step has not come. Without a lock: a hint */
static inline bool haul_fastopen_child(const struct sock *sk)
{
	return READ_ONCE(haul_sk(sk)->fastopen_child);
}

/* nobody has the connection yet: what ends the attempt may end it */
static inline bool haul_fastopen_opening(const struct sock *sk)
{
	return sk->sk_state == HAUL_SYN_SENT ||
	       (sk->sk_state == HAUL_SYN_RECEIVED && !haul_fastopen_child(sk));
}

/* client: connect() was called, and the SYN waits for the first write (TCP_FASTOPEN_CONNECT) */
static inline bool haul_fastopen_deferred(const struct sock *sk)
{
	return haul_inet_flag(sk, defer_connect, DEFER_CONNECT);
}

/* client: bytes of payload that the SYN carried, whose fate is not known yet */
static inline u32 haul_fastopen_syn_len(const struct haul_sock *hs)
{
	return unlikely(hs->fastopen) ? hs->fastopen->syn_len : 0;
}

/* --- fastopen.c --- */
int haul_fastopen_net_init(struct net *net);
void haul_fastopen_net_exit(struct net *net);
/* a namespace's keys; any context */
void haul_fastopen_net_keys(struct haul_net *hn, struct haul_fastopen_keys *keys);
void haul_fastopen_net_set_keys(struct haul_net *hn, const struct haul_fastopen_keys *keys);
/* 16 bytes as programs and administrators have them */
siphash_key_t haul_fastopen_key_load(const u8 *bytes);
void haul_fastopen_key_store(u8 *bytes, const siphash_key_t *key);
/* the socket's part, made now if there is none; NULL: no memory. Socket lock */
struct haul_fastopen *haul_fastopen_get(struct sock *sk, gfp_t gfp);
/* not connected any more: only a listener's part stays. Socket lock */
void haul_fastopen_restart(struct sock *sk);
/* the socket goes */
void haul_fastopen_forget(struct sock *sk);
/* HAUL_FASTOPEN: how many pending children a listener may have. Socket lock */
void haul_fastopen_tune(struct sock *sk, int backlog);
/*
 * A SYN with option FASTOPEN or payload: true: a child was made of it, and it is consumed. False:
 * it is any SYN, and @grant is the cookie for the SYN-ACK (length 0: none). Listener's lock, BH off
 */
bool haul_fastopen_take(struct sock *listener, struct sk_buff *skb, const struct haul_options *o,
			struct haul_fastopen_option *grant);
/* a child is pending from now on. Both locks. 0 or -ENOMEM */
int haul_fastopen_begin(struct sock *listener, struct sock *child);
/* a child that haul_fastopen_take() made waits no longer; @reset: an RST came. Its lock */
void haul_fastopen_done(struct sock *child, bool reset);

/* --- fastopen_client.c; all with the socket lock --- */
/* connect(): is the SYN to wait for the first write? 0: no, 1: yes, or -ENOBUFS */
int haul_fastopen_defer(struct sock *sk);
/* bytes that the SYN may carry; decides on its option. In SYN-SENT, before the SYN */
u32 haul_fastopen_room(struct sock *sk);
/* the packet whose payload the SYN carries; NULL: none */
struct sk_buff *haul_fastopen_payload(struct sock *sk);
/* the first SYN has left, with so many bytes of payload */
void haul_fastopen_sent(struct sock *sk, u32 len);
/* a good SYN-ACK: what has arrived leaves the send queue. 0 or -ENOMEM: it must come again */
int haul_fastopen_answered(struct sock *sk, const struct haul_packet *p,
			   const struct haul_options *o);
/* the attempt has timed out */
void haul_fastopen_unanswered(struct sock *sk);

/* --- fastopen_cache.c --- */
int haul_fastopen_cache_init(struct haul_net *hn);
void haul_fastopen_cache_exit(struct haul_net *hn);
/* false: fast open is better not tried; else the cookie (length 0: none known) and the MSS */
bool haul_fastopen_cache_get(const struct haul_sock *hs, struct haul_fastopen_option *option,
			     u16 *mss);
/* the server gave a cookie */
void haul_fastopen_cache_set(const struct haul_sock *hs,
			     const struct haul_fastopen_option *option, u16 mss);
/* a SYN with fast open was answered, or seems to have vanished for what it was */
void haul_fastopen_cache_heard(const struct haul_sock *hs, bool heard);

#endif /* HAUL_FASTOPEN_H */
