// SPDX-License-Identifier: GPL-2.0
/*
 * Messages in the receive queue (protocol.rst 4.9). A packet there ends at most one message, and
 * HAUL_EOM in its HAUL_PACKET(skb)->flags says that it does; rcv.eom is behind the last message
 * that is here whole.
 *
 * A message is given to the program when all of it is here. One that the receive buffer can't hold
 * would never be: first the buffer grows, as far as it may, then the program gets what there is,
 * and the rest in parts (haul_sock.in_parts) until its end has been read. So who waits for a
 * message's end never keeps it from coming.
 *
 * Small messages would take a thousand times their size in packet buffers, and the window, which
 * counts bytes, would have promised far more than there is memory for. When many wait they are
 * packed: copied one behind the other into a buffer that also holds where each one ends.
 */
#include "conn.h"
#include "../ip/ip.h"

/* ---------------------------------------------------------------- small ones, packed */

/* a packet's memory for each byte of its payload from which on it is worth packing */
#define HAUL_PACK_WASTE		4
/* bytes: no more is copied of one packet, and a fresh buffer holds that much */
#define HAUL_PACK_MOST		1024U

/**
 * struct haul_packed - skb->cb of a buffer with packed messages, in the receive queue
 * @p:		as of any packet there. EOM is always set: nothing may be merged behind
 * @ends:	how many messages end in it; the ends, as offsets in the payload, are u16s that grow
 *		downwards from the buffer's end
 * @read:	how many of them have been read
 */
struct haul_packed {
	struct haul_packet	p;
	u16			ends;
	u16			read;
};

static_assert(sizeof(struct haul_packed) <= sizeof_field(struct sk_buff, cb));

/* haul_packet.flags of a packed buffer; not a flag of the wire's */
#define HAUL_PACKED		0x8000

static struct haul_packed *haul_packed(const struct sk_buff *skb)
{
	return (struct haul_packed *)skb->cb;
}

static bool haul_is_packed(const struct sk_buff *skb)
{
	return HAUL_PACKET(skb)->flags & HAUL_PACKED;
}

static u16 *haul_packed_end(const struct sk_buff *skb, unsigned int i)
{
	return (u16 *)skb_end_pointer(skb) - 1 - i;
}

/* Room for @len bytes more, and where they end? */
static bool haul_packed_room(const struct sk_buff *skb, u32 len)
{
	return skb_tailroom(skb) >= len + (haul_packed(skb)->ends + 1) * sizeof(u16);
}

/* An empty packed buffer at the tail of the receive queue. NULL: no memory */
static struct sk_buff *haul_packed_create(struct sock *sk, u32 seq)
{
	struct sk_buff *skb = alloc_skb(SKB_WITH_OVERHEAD(PAGE_SIZE), GFP_ATOMIC | __GFP_NOWARN);

	if (!skb)
		return NULL;
	if (!sk_rmem_schedule(sk, skb, skb->truesize)) {
		__kfree_skb(skb);
		return NULL;
	}
	memset(skb->cb, 0, sizeof(skb->cb));
	HAUL_PACKET(skb)->seq = seq;
	HAUL_PACKET(skb)->end_seq = seq;
	HAUL_PACKET(skb)->flags = HAUL_PACKED | HAUL_EOM;
	HAUL_PACKET(skb)->kind = HAUL_KIND_MESSAGE;
	__skb_queue_tail(&sk->sk_receive_queue, skb);
	skb_set_owner_r(skb, sk);
	return skb;
}

static void haul_packed_add(struct sk_buff *to, const struct sk_buff *skb, u32 offset)
{
	u32 len = skb->len - offset;

	skb_copy_bits(skb, offset, skb_put(to, len), len);
	HAUL_PACKET(to)->end_seq += len;
	if (HAUL_PACKET(skb)->flags & HAUL_EOM)
		*haul_packed_end(to, haul_packed(to)->ends++) = to->len;
	/* as where packets are merged, the latest arrival is what is told */
	to->tstamp = skb->tstamp;
	*skb_hwtstamps(to) = *skb_hwtstamps((struct sk_buff *)skb);
}

/**
 * haul_message_pack - a small packet of messages, next in sequence, is copied behind others
 * @sk:		the socket; its lock is held
 * @skb:	the packet, charged to nobody; stays the caller's
 * @seq:	what is before it is here already
 *
 * While little memory is in use it is not done: a program that keeps up pays for no copy.
 *
 * Return: done: all that matters of @skb is in the receive queue.
 */
bool haul_message_pack(struct sock *sk, const struct sk_buff *skb, u32 seq)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	u32 offset = seq - HAUL_PACKET(skb)->seq;
	u32 len = skb->len - offset;

	if ((HAUL_PACKET(skb)->flags & HAUL_FIN) || len > HAUL_PACK_MOST ||
	    skb->truesize / HAUL_PACK_WASTE <= len)
		return false;
	if (!tail || !haul_is_packed(tail) || !haul_packed_room(tail, len)) {
		if (atomic_read(&sk->sk_rmem_alloc) <= sk->sk_rcvbuf / 4)
			return false;
		tail = haul_packed_create(sk, seq);
		if (!tail)
			return false;
	}
	haul_packed_add(tail, skb, offset);
	haul_count(sock_net(sk), HAUL_CNT_RCV_PACKED);
	return true;
}

/* Where does the message at @seq end in a packed buffer? False: not in this one */
static bool haul_packed_find(const struct sk_buff *skb, u32 seq, u32 *end)
{
	const struct haul_packed *packed = haul_packed(skb);
	unsigned int i;

	for (i = packed->read; i < packed->ends; i++) {
		u32 at = packed->p.seq + *haul_packed_end(skb, i);

		if (haul_after(at, seq)) {
			*end = at;
			return true;
		}
	}
	return false;
}

/* What ends at or before @stop will not be looked for again. */
static void haul_packed_read(struct sk_buff *skb, u32 stop)
{
	struct haul_packed *packed = haul_packed(skb);

	while (packed->read < packed->ends &&
	       !haul_after(packed->p.seq + *haul_packed_end(skb, packed->read), stop))
		packed->read++;
}

/* ---------------------------------------------------------------- what is here */

/**
 * haul_message_end - where does a message end?
 * @sk:		the socket; its lock is held
 * @seq:	sequence number in it, not before rcv.copied
 * @end:	set: the sequence number behind its last byte that is here, @seq if there is none
 *
 * Return: it is the message's last one.
 */
bool haul_message_end(const struct sock *sk, u32 seq, u32 *end)
{
	struct sk_buff *skb;

	*end = seq;
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		const struct haul_packet *p = HAUL_PACKET(skb);

		if (!haul_after(p->seq + skb->len, seq))
			continue;
		*end = p->seq + skb->len;
		if (haul_is_packed(skb) ? haul_packed_find(skb, seq, end) : p->flags & HAUL_EOM)
			return true;
	}
	return false;
}

/**
 * haul_message_readable - may a program have (more of) the message at a sequence number now?
 * @sk:		the socket
 * @seq:	not before rcv.copied
 *
 * Needs no lock; with it the answer stays true until the lock is let go.
 */
bool haul_message_readable(const struct sock *sk, u32 seq)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (haul_after(READ_ONCE(hs->rcv.eom), seq))
		return true;
	if (!haul_after(READ_ONCE(hs->rcv.nxt), seq) || sock_flag(sk, SOCK_DONE))
		return false;
	return READ_ONCE(hs->in_parts) ||
	       haul_receiver_full(&hs->rcv, haul_window_space(sk), haul_window_full(sk));
}

/**
 * haul_message_room - room for the rest of the message that is next for the program
 * @sk:	the socket; its lock is held
 *
 * Called when data has arrived or was read. Three quarters of the buffer in use, and no message
 * whole: it grows.
 */
void haul_message_room(struct sock *sk)
{
	const struct haul_sock *hs = haul_sk(sk);

	if (haul_after(hs->rcv.eom, hs->rcv.copied) || hs->in_parts)
		return;
	if (haul_window_space(sk) <= haul_window_full(sk) / 4)
		haul_window_widen(sk);
}

/**
 * haul_message_no_memory - what is next in sequence had to be dropped
 * @sk:	the socket; its lock is held
 *
 * Memory may be short because many connections wait for the ends of their messages: programs get
 * what there is.
 */
void haul_message_no_memory(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (!haul_after(hs->rcv.eom, hs->rcv.copied))
		WRITE_ONCE(hs->in_parts, true);
}

/**
 * haul_message_fin - the peer has no more to send: what is not the whole of a message is thrown
 * away
 * @sk:	the socket; its lock is held
 */
void haul_message_fin(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_peek_tail(&sk->sk_receive_queue))) {
		struct haul_packet *p = HAUL_PACKET(skb);

		if (!haul_after(p->seq + skb->len, hs->rcv.eom))
			break;
		/*
		 * Packed behind whole ones that are not read yet, and so in one piece. (eom is in
		 * the middle of any buffer where the program has read so far, of a message in
		 * parts.)
		 */
		if (haul_before(p->seq, hs->rcv.eom) && haul_after(hs->rcv.eom, hs->rcv.copied)) {
			haul_count(sock_net(sk), HAUL_CNT_DROP_MESSAGE_CUT);
			__skb_trim(skb, hs->rcv.eom - p->seq);
			break;
		}
		__skb_unlink(skb, &sk->sk_receive_queue);
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_MESSAGE_CUT);
	}
	WRITE_ONCE(hs->in_parts, false);
}

/**
 * haul_message_consume - the program has read up to a sequence number, or does without
 * @sk:		the socket; its lock is held
 * @stop:	sequence number to read next
 *
 * Return: bytes that this was.
 */
u32 haul_message_consume(struct sock *sk, u32 stop)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 bytes = stop - hs->rcv.copied;
	struct sk_buff *skb;

	WRITE_ONCE(hs->rcv.copied, stop);
	/* it may lag behind by any distance otherwise: a message in parts has no limit */
	if (haul_before(hs->rcv.eom, stop))
		WRITE_ONCE(hs->rcv.eom, stop);
	while ((skb = skb_peek(&sk->sk_receive_queue))) {
		if (haul_after(HAUL_PACKET(skb)->seq + skb->len, stop)) {
			if (haul_is_packed(skb))
				haul_packed_read(skb, stop);
			break;
		}
		__skb_unlink(skb, &sk->sk_receive_queue);
		consume_skb(skb);
	}
	return bytes;
}
