// SPDX-License-Identifier: GPL-2.0
/* Whether an RST is genuine: the tag rules of Documentation/protocol.rst, then RFC 5961 3.2. */
#include "receiver.h"

/**
 * haul_check_rst() - judge an RST in SYN-RECEIVED or a synchronised state
 * @p: the packet, HAUL_RST set
 * @own_tag: the tag that this side chose
 * @peer_tag: the tag that the peer chose
 * @rcv: the receiving half
 *
 * Somebody who knows the connection sends our tag. Somebody who does not know it (any more) can
 * only reflect what our packet carried, the peer's tag, and says so by HAUL_REFLECTED. After that
 * RFC 5961 3.2 decides: only the very next sequence number resets; another one in the window gets a
 * challenge ACK, to which a peer that is really gone answers with an RST that fits.
 *
 * Context: under the connection's lock.
 * Return: HAUL_VERDICT_RESET, _CHALLENGE, _DROP_SEQ or _DROP_TAG.
 */
enum haul_verdict haul_check_rst(const struct haul_packet *p, u32 own_tag, u32 peer_tag,
				 const struct haul_receiver *rcv)
{
	if (p->tag != (p->flags & HAUL_REFLECTED ? peer_tag : own_tag))
		return HAUL_VERDICT_DROP_TAG;
	if (p->seq == rcv->nxt)
		return HAUL_VERDICT_RESET;
	if (p->seq - rcv->nxt < haul_receiver_wnd(rcv))
		return HAUL_VERDICT_CHALLENGE;
	return HAUL_VERDICT_DROP_SEQ;
}

/**
 * haul_check_rst_syn_sent() - judge an RST in SYN-SENT
 * @p: the packet, HAUL_RST set
 * @own_tag: the tag in our INIT
 * @iss: our initial sequence number
 * @payload: bytes that our SYN carried (fast open)
 *
 * The peer has read our INIT, so it need not reflect: a reflected tag could only be 0, which
 * anybody knows. It must acknowledge our SYN (RFC 9293 3.10.7.3).
 *
 * Context: under the connection's lock.
 * Return: HAUL_VERDICT_RESET, _DROP_SEQ or _DROP_TAG.
 */
enum haul_verdict haul_check_rst_syn_sent(const struct haul_packet *p, u32 own_tag, u32 iss,
					  u32 payload)
{
	if ((p->flags & HAUL_REFLECTED) || p->tag != own_tag)
		return HAUL_VERDICT_DROP_TAG;
	if (!(p->flags & HAUL_ACK) || p->ack - iss - 1 > payload)
		return HAUL_VERDICT_DROP_SEQ;
	return HAUL_VERDICT_RESET;
}
