// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints' code, made from trace.h, and what they need that is too long for there.
 */
#include <linux/sock_diag.h>
#include <net/ipv6.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * haul_trace_cookie - the number that the kernel's tools know a socket by
 * @sk:	the socket
 *
 * Any context.
 */
u64 haul_trace_cookie(const struct sock *sk)
{
	u32 halves[2];

	/* the first to ask has it made, which the socket's owner can't tell */
	sock_diag_save_cookie((struct sock *)sk, halves);
	return (u64)halves[1] << 32 | halves[0];
}

/**
 * haul_trace_key - a socket's addresses and ports
 * @sk:		the socket; its lock is held
 * @out:	filled in, but for the namespace; of a socket that is not connected the remote half
 *		is zero
 */
void haul_trace_key(const struct sock *sk, struct haul_flow_key *out)
{
	*out = haul_sk(sk)->flow.key;
	if (out->lport)
		return;
	out->lport = htons(inet_sk(sk)->inet_num);
	if (sk->sk_family == AF_INET6)
		out->local = sk->sk_v6_rcv_saddr;
	else
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_rcv_saddr, &out->local);
}

static void haul_trace_read_ip(const struct sk_buff *skb, struct haul_flow_key *key)
{
	if (ip_hdr(skb)->version == 4) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &key->local);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &key->remote);
	} else {
		key->local = ipv6_hdr(skb)->daddr;
		key->remote = ipv6_hdr(skb)->saddr;
	}
}

/**
 * haul_trace_read - a received packet's addresses and fields, however little of it there is
 * @skb:	has passed IP: both its header offsets are set, IP's header is linear
 * @out:	filled in; zero where the packet does not reach
 *
 * skb->cb is not looked at: a packet that was dropped early has nothing of Haul's there. Any
 * context.
 */
void haul_trace_read(const struct sk_buff *skb, struct haul_trace_packet *out)
{
	const struct haulhdr *h = (const void *)skb_transport_header(skb);
	long linear = skb_tail_pointer(skb) - (const unsigned char *)h;
	long total = skb->len - skb_transport_offset(skb);
	long hdrlen;

	memset(out, 0, sizeof(*out));
	haul_trace_read_ip(skb, &out->key);
	if (linear < HAUL_DGRAM_HDR)
		return;
	out->key.lport = h->dest;
	out->key.rport = h->source;
	out->seq = ntohl(h->seq);
	out->flags = ntohs(h->flags);
	hdrlen = h->words * 4L;
	if (total > hdrlen)
		out->len = total - hdrlen;
}

/**
 * haul_trace_cwnd_changed - haul:haul_cwnd, if there is something to tell
 * @sk:	the socket; its lock is held
 */
void haul_trace_cwnd_changed(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (hs->snd.cwnd == hs->traced_cwnd && hs->snd.ssthresh == hs->traced_ssthresh)
		return;
	trace_haul_cwnd(sk);
	hs->traced_cwnd = hs->snd.cwnd;
	hs->traced_ssthresh = hs->snd.ssthresh;
}
