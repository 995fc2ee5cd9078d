// SPDX-License-Identifier: GPL-2.0
/*
 * Resets, both ways (protocol.rst 4.2, RFC 9293 3.5.2), and the limit on what a connection says out
 * of turn.
 */
#include <net/ip.h>
#include <net/l3mdev.h>
#include "conn.h"
#include "fastopen.h"
#include "../ip/ip.h"

/*
 * Device for the answer. The routing table decides, but where the address has a meaning on one link
 * only, or in one VRF.
 */
static int haul_reset_oif(const struct haul_flow_key *key, const struct sock *sk,
			  const struct haul_packet *p)
{
	if (sk && sk->sk_bound_dev_if)
		return sk->sk_bound_dev_if;
	if (ipv6_addr_type(&key->remote) & IPV6_ADDR_LINKLOCAL)
		return p->dif;
	return netif_index_is_l3_master(key->net, p->dif) ? p->dif : 0;
}

/*
 * What to say, and by which tag: a SYN's sender has told its own in INIT, to another its packet's
 * is reflected. False: nothing is to be said.
 */
static bool haul_reset_compose(const struct sk_buff *skb, struct haul_packet *rst)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct haul_options o;

	if (p->flags & HAUL_RST)
		return false;
	if ((p->flags & HAUL_SYN) &&
	    (haul_wire_parse_options(skb_transport_header(skb), p->hdrlen, &o) || !o.has_init))
		return false;
	if ((p->flags & (HAUL_SYN | HAUL_ACK)) == HAUL_SYN) {
		rst->flags = HAUL_RST | HAUL_ACK;
		rst->tag = o.init.tag;
		rst->ack = p->end_seq;
		return !p->tag;
	}
	rst->flags = HAUL_RST | HAUL_REFLECTED;
	rst->tag = p->tag;
	rst->seq = p->ack;
	return p->tag;
}

/**
 * haul_reset_reply - RST for a packet that matches nothing
 * @net:	namespace
 * @sk:		who refuses it, for mark and device; NULL: none. Need not be locked
 * @skb:	the packet, parsed; stays the caller's
 *
 * Never in answer to an RST, nor where there is no tag to answer to. Context: BH off.
 */
void haul_reset_reply(struct net *net, const struct sock *sk, struct sk_buff *skb)
{
	struct haul_packet rst = {};
	struct haul_flow_key key;
	struct haul_path path = {
		.key	= &key,
		.mark	= IP4_REPLY_MARK(net, skb->mark) ?: (sk ? READ_ONCE(sk->sk_mark) : 0),
		.uid	= sock_net_uid(net, sk),
	};

	if (!haul_reset_compose(skb, &rst))
		return;
	haul_flow_key_from_skb(&key, net, skb);
	path.oif = haul_reset_oif(&key, sk, HAUL_PACKET(skb));
	if (!haul_reply_send(&path, &rst, NULL, NULL))
		haul_count(net, HAUL_CNT_OUT_RSTS);
}

/**
 * haul_reset_send - RST on a connection that this side aborts
 * @sk:		the socket, not yet CLOSED; its lock is held
 * @gfp:	for the packet
 *
 * Where the peer does not know the connection yet, or both sides are done with it, there is nobody
 * to tell.
 */
void haul_reset_send(struct sock *sk, gfp_t gfp)
{
	struct haul_sock *hs = haul_sk(sk);

	haul_assert_locked(sk);
	if (!hs->peer_tag || sk->sk_state == HAUL_CLOSED || sk->sk_state == HAUL_LISTEN)
		return;
	if (!haul_transmit_control(sk, HAUL_RST, hs->snd.nxt, gfp))
		haul_count(sock_net(sk), HAUL_CNT_OUT_RSTS);
}

/**
 * haul_reset_rcv - a genuine RST arrived
 * @sk:	the socket; its lock is held. CLOSED afterwards, an orphan destroyed
 *
 * RFC 9293 3.10.7.4 second, with the errors that TCP's sockets give. Who judged it has counted it.
 */
void haul_reset_rcv(struct sock *sk)
{
	int err;

	haul_assert_locked(sk);
	switch (sk->sk_state) {
	case HAUL_CLOSED:
	case HAUL_LISTEN:
		return;
	case HAUL_SYN_SENT:
	case HAUL_SYN_RECEIVED:
		err = ECONNREFUSED;
		if (unlikely(haul_fastopen_child(sk))) {
			haul_fastopen_done(sk, true);
			err = ECONNRESET;
		}
		break;
	case HAUL_CLOSE_WAIT:
		err = EPIPE;
		break;
	default:
		err = ECONNRESET;
		break;
	}
	haul_conn_done(sk, err);
}

/**
 * haul_challenge_permit - may this connection say something out of turn?
 * @sk:	the socket; its lock is held
 *
 * RFC 5961 7, with a limit of the connection's own: one for all would tell an attacker about
 * connections that are not his.
 *
 * Return: true: it may, and that is counted against net.haul.challenge_limit for this second.
 */
bool haul_challenge_permit(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	int limit = READ_ONCE(haul_pernet(sock_net(sk))->challenge_limit);
	u32 now = haul_now_us() >> 10;

	haul_assert_locked(sk);
	if (now - hs->challenge_start > USEC_PER_SEC >> 10) {
		hs->challenge_start = now;
		hs->challenges = 0;
	}
	if (hs->challenges >= min_t(int, limit, U8_MAX)) {
		haul_count(sock_net(sk), HAUL_CNT_CHALLENGE_LIMITED);
		return false;
	}
	hs->challenges++;
	return true;
}
