// SPDX-License-Identifier: GPL-2.0
/*
 * Fast open, the client's side (RFC 7413 4.1.3, 4.2.1; protocol.rst 3.6). The payload of a SYN is
 * in the send queue like any that was not sent yet, and SND.NXT does not count it: when the SYN-ACK
 * acknowledges it, it goes; else it is sent after the third step, as after a SYN without.
 */
#include <linux/rtnetlink.h>
#include <net/dst.h>
#include "conn.h"
#include "fastopen.h"

static bool haul_fastopen_needs_no_cookie(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);
	const struct dst_entry *dst = __sk_dst_get(sk);

	return (READ_ONCE(hs->hn->fastopen) & HAUL_FASTOPEN_CLIENT_NO_COOKIE) ||
	       hs->fastopen_no_cookie || (dst && dst_metric(dst, RTAX_FASTOPEN_NO_COOKIE));
}

/* May the SYN have payload? Decides what option it has. */
static bool haul_fastopen_prepare(struct sock *sk, struct haul_fastopen *fo)
{
	struct haul_sock *hs = haul_sk(sk);
	bool may = haul_fastopen_cache_get(hs, &fo->option, &fo->mss);

	fo->has_option = false;
	if (!may)
		return false;
	if (haul_fastopen_needs_no_cookie(sk))
		return true;
	fo->has_option = true;
	if (!fo->option.len)
		hs->fastopen_fail = HAUL_FASTOPEN_NO_COOKIE_YET;
	return fo->option.len;
}

/**
 * haul_fastopen_defer - connect(): does the SYN wait for the first write?
 * @sk:	SYN-SENT, the SYN not sent; its lock is held
 *
 * It does when something is about to be written (MSG_FASTOPEN), and with HAUL_FASTOPEN_CONNECT when
 * payload could be sent with it. Else that option has the SYN ask for a cookie.
 *
 * Context: process. Return: 0: no; 1: yes; -ENOBUFS.
 */
int haul_fastopen_defer(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_fastopen *fo = hs->fastopen;

	haul_assert_locked(sk);
	if (!fo || !fo->sending) {
		if (!hs->fastopen_connect)
			return 0;
		fo = haul_fastopen_get(sk, sk->sk_allocation);
		if (!fo)
			return -ENOBUFS;
		if (!haul_fastopen_prepare(sk, fo))
			return 0;
	}
	haul_inet_flag_assign(sk, defer_connect, DEFER_CONNECT, true);
	return 1;
}

/**
 * haul_fastopen_room - how much may the SYN carry?
 * @sk:	haul_fastopen_deferred(); its lock is held
 *
 * Also decides on the SYN's option. Return: bytes of payload, beside the options.
 */
u32 haul_fastopen_room(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_fastopen *fo = haul_fastopen_get(sk, sk->sk_allocation);
	u32 mss = hs->snd.mss;

	haul_assert_locked(sk);
	if (!fo || !haul_fastopen_prepare(sk, fo))
		return 0;
	if (fo->mss)
		mss = min_t(u32, mss, fo->mss);
	/* what is not sent with the SYN is sent as any payload is */
	haul_output_size_goal(sk, haul_mss_current(sk));
	mss -= HAUL_OPT_INIT_LEN;
	return fo->has_option ? mss - HAUL_OPT_FASTOPEN_LEN(fo->option.len) : mss;
}

/**
 * haul_fastopen_payload - what does the SYN carry?
 * @sk:	SYN-SENT, the SYN not sent; its lock is held
 *
 * Return: a packet of the send queue; NULL: nothing.
 */
struct sk_buff *haul_fastopen_payload(struct sock *sk)
{
	return haul_sk(sk)->fastopen ? haul_output_head(sk) : NULL;
}

/**
 * haul_fastopen_sent - the first SYN has left
 * @sk:		SYN-SENT; its lock is held
 * @len:	bytes of payload that it had
 *
 * A second one will be a plain one: what is unusual may be what keeps it from getting there.
 */
void haul_fastopen_sent(struct sock *sk, u32 len)
{
	struct haul_fastopen *fo = haul_sk(sk)->fastopen;

	if (!fo)
		return;
	fo->asked = fo->has_option || len;
	fo->has_option = false;
	fo->syn_len = len;
}

/* The first @acked bytes of the send queue have arrived with the SYN. 0 or -ENOMEM */
static int haul_fastopen_acked(struct sock *sk, u32 acked)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb = haul_output_head(sk);
	int err;

	if (acked < skb->len) {
		err = haul_output_split(sk, skb, acked, hs->snd.mss, GFP_ATOMIC);
		if (err)
			return err;
	}
	__skb_unlink(skb, &sk->sk_write_queue);
	haul_rtx_free(sk, skb);
	WRITE_ONCE(hs->snd.nxt, hs->snd.nxt + acked);
	hs->stats.bytes_acked += acked;
	hs->syn_data = true;
	haul_count(sock_net(sk), HAUL_CNT_FASTOPEN_ACTIVE);
	return 0;
}

/* All of it goes again. */
static void haul_fastopen_failed(struct sock *sk, u32 len)
{
	struct haul_sock *hs = haul_sk(sk);

	hs->fastopen_fail = hs->retransmits ? HAUL_FASTOPEN_SYN_RESENT :
					      HAUL_FASTOPEN_NOT_ACKED;
	hs->stats.bytes_retrans += len;
	hs->stats.retrans_segs++;
	haul_count(sock_net(sk), HAUL_CNT_FASTOPEN_ACTIVE_FAIL);
}

/**
 * haul_fastopen_answered - a good SYN-ACK has come
 * @sk:	SYN-SENT, not changed yet by the packet; its lock is held
 * @p:	the packet; acknowledges SYN and at most what came with it
 * @o:	its options; it has INIT
 *
 * Return: 0; SND.NXT is what the packet acknowledges. -ENOMEM: nothing has changed.
 */
int haul_fastopen_answered(struct sock *sk, const struct haul_packet *p,
			   const struct haul_options *o)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_fastopen *fo = hs->fastopen;
	u32 acked = p->ack - hs->snd.nxt;
	bool cookie = o->has_fastopen && o->fastopen.len;
	int err = 0;

	haul_assert_locked(sk);
	if (acked)
		err = haul_fastopen_acked(sk, acked);
	if (err)
		return err;
	if (!acked && fo->syn_len)
		haul_fastopen_failed(sk, fo->syn_len);
	fo->syn_len = 0;
	if (!fo->asked)
		return 0;
	if (cookie)
		haul_fastopen_cache_set(hs, &o->fastopen, o->init.mss);
	haul_fastopen_cache_heard(hs, cookie || acked || !hs->retransmits);
	return 0;
}

/**
 * haul_fastopen_unanswered - the attempt has timed out
 * @sk:	its lock is held
 */
void haul_fastopen_unanswered(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (sk->sk_state == HAUL_SYN_SENT && hs->fastopen && hs->fastopen->asked)
		haul_fastopen_cache_heard(hs, false);
}
