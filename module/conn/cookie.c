// SPDX-License-Identifier: GPL-2.0
/*
 * SYN cookies (RFC 4987 3.6, protocol.rst 3.4): the server's ISN and tag are a MAC over what the
 * SYN said, and the client says it all again in its third step, so nothing need be kept in between
 * and nothing is lost by it.
 */
#include "conn.h"
#include "../ip/ip.h"

#define HAUL_COOKIE_SLOT_US	(64 * USEC_PER_SEC)

static u32 haul_cookie_slot(const struct sock *listener)
{
	return div_u64(haul_sk(listener)->now, HAUL_COOKIE_SLOT_US);
}

static void haul_cookie_open(struct haul_request *req, u64 cookie)
{
	req->iss = cookie >> 32;
	req->tag = (u32)cookie;
	req->ts_offset = haul_secret_ts_offset(&req->flow.key);
}

/**
 * haul_cookie_send - answer a SYN without keeping anything
 * @listener:	its lock is held
 * @skb:	the SYN; stays the caller's
 * @init:	its INIT
 */
void haul_cookie_send(struct sock *listener, struct sk_buff *skb, const struct haul_init *init)
{
	struct haul_request req = {};

	haul_request_fill(&req, listener, skb, init);
	haul_cookie_open(&req, haul_secret_cookie(&req.flow.key, init, haul_cookie_slot(listener)));
	if (!haul_request_synack(&req, HAUL_STATELESS, NULL))
		haul_count(sock_net(listener), HAUL_CNT_COOKIES_SENT);
}

/**
 * haul_cookie_check - is an ACK with INIT the third step after a cookie?
 * @listener:	its lock is held
 * @skb:	the packet, which matches no flow; stays the caller's
 * @init:	its INIT
 * @req:	filled when it is; on the caller's stack, in no table, holds nothing
 *
 * Return: its tag and acknowledgment number are what this or the last slot's cookie was.
 */
bool haul_cookie_check(struct sock *listener, struct sk_buff *skb, const struct haul_init *init,
		       struct haul_request *req)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	u64 told = (u64)(p->ack - 1) << 32 | p->tag;
	u32 slot = haul_cookie_slot(listener);

	memset(req, 0, sizeof(*req));
	haul_request_fill(req, listener, skb, init);
	if (told != haul_secret_cookie(&req->flow.key, init, slot) &&
	    told != haul_secret_cookie(&req->flow.key, init, slot - 1)) {
		haul_count(sock_net(listener), HAUL_CNT_COOKIES_FAILED);
		return false;
	}
	haul_cookie_open(req, told);
	haul_count(sock_net(listener), HAUL_CNT_COOKIES_RECV);
	return true;
}
