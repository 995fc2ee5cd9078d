// SPDX-License-Identifier: GPL-2.0
/*
 * Text arrives (RFC 9293 3.10.7.4, seventh): in order to the program's queue, out of order to a
 * tree by sequence number, twice to nowhere. sk->sk_receive_queue holds what the program may read;
 * a packet in it may begin before rcv.copied or before its predecessor's end: who reads goes by
 * sequence numbers.
 */
#include "conn.h"
#include "../ip/ip.h"
#include "../sock/sock.h"

/*
 * Nodes of the out-of-order tree that one ACK's SACK blocks are gathered from: bounds the work per
 * packet
 */
#define HAUL_REASSEMBLY_WALK	256

static bool haul_reassembly_may_merge(const struct haul_packet *to, const struct haul_packet *from)
{
	/* a message's end and a FIN end the buffer too */
	return to->end_seq == from->seq && !(to->flags & (HAUL_EOM | HAUL_FIN | HAUL_SYN)) &&
	       to->kind == from->kind;
}

/*
 * Appends @from's payload to @to without copying. True: @from is gone but for kfree_skb_partial().
 */
static bool haul_reassembly_merge(struct sock *sk, struct sk_buff *to, struct sk_buff *from,
				  bool *stolen)
{
	struct haul_packet *t = HAUL_PACKET(to), *f = HAUL_PACKET(from);
	int delta;

	*stolen = false;
	if (!haul_reassembly_may_merge(t, f) || !skb_try_coalesce(to, from, stolen, &delta))
		return false;
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	t->end_seq = f->end_seq;
	t->ack = f->ack;
	t->flags |= f->flags & (HAUL_FIN | HAUL_EOM | HAUL_PSH);
	haul_sock_count(sk, HAUL_CNT_RCV_COALESCED, 1);
	return true;
}

/*
 * @skb is next in sequence (or overlaps what is): RCV.NXT moves to its end. Takes @skb, which is
 * charged to nobody, or has been to the socket since it came out of order. Then it stays so: given
 * back and taken once more, it would be accounted nowhere until the peer sends again.
 */
static void haul_reassembly_append(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	u32 end_seq = HAUL_PACKET(skb)->end_seq;
	u32 data_end = end_seq - !!(HAUL_PACKET(skb)->flags & HAUL_FIN);
	u32 start = hs->rcv.nxt;
	bool stolen;

	hs->stats.bytes_received += data_end - start;
	WRITE_ONCE(hs->rcv.nxt, end_seq);
	if (HAUL_PACKET(skb)->flags & HAUL_EOM)
		WRITE_ONCE(hs->rcv.eom, data_end);
	if (hs->flow.key.kind == HAUL_KIND_MESSAGE && haul_message_pack(sk, skb, start)) {
		consume_skb(skb);
		return;
	}
	if (tail && haul_reassembly_merge(sk, tail, skb, &stolen)) {
		kfree_skb_partial(skb, stolen);
		return;
	}
	__skb_queue_tail(&sk->sk_receive_queue, skb);
	if (skb->destructor != sock_rfree)
		skb_set_owner_r(skb, sk);
}

static void haul_reassembly_erase(struct haul_sock *hs, struct sk_buff *skb)
{
	if (hs->ooo_last == skb)
		hs->ooo_last = skb_rb_prev(skb);
	rb_erase(&skb->rbnode, &hs->ooo);
	skb->dev = NULL;		/* one of the tree's links lay there */
	hs->ooo_bytes -= skb->len;
}

static void haul_reassembly_free(struct haul_sock *hs, struct sk_buff *skb, enum haul_counter why)
{
	haul_reassembly_erase(hs, skb);
	haul_drop(sock_net(haul_sock_sk(hs)), skb, why);
}

/* RCV.NXT moved: what waited for that follows. Returns whether a FIN came with it. */
static bool haul_reassembly_drain(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb;
	bool fin = false;

	while ((skb = skb_rb_first(&hs->ooo))) {
		struct haul_packet *p = HAUL_PACKET(skb);

		if (haul_after(p->seq, hs->rcv.nxt))
			break;
		if (!haul_after(p->end_seq, hs->rcv.nxt)) {
			haul_reassembly_free(hs, skb, HAUL_CNT_DROP_DUPLICATE);
			continue;
		}
		haul_reassembly_erase(hs, skb);
		fin = p->flags & HAUL_FIN;
		haul_reassembly_append(sk, skb);
		if (fin)
			break;
	}
	if (RB_EMPTY_ROOT(&hs->ooo))
		hs->rcv.ack_now |= hs->rcv.num_recent != 0;
	haul_receiver_advanced(&hs->rcv);
	return fin;
}

/**
 * haul_reassembly_blocks - ranges held out of order
 * @sk:		the socket; its lock is held
 * @out:	filled, sorted by sequence number
 * @max:	at most so many
 *
 * Return: how many.
 */
unsigned int haul_reassembly_blocks(const struct sock *sk, struct haul_block *out, unsigned int max)
{
	unsigned int num = 0, walked = 0;
	struct sk_buff *skb;

	for (skb = skb_rb_first(&haul_sk(sk)->ooo); skb; skb = skb_rb_next(skb)) {
		const struct haul_packet *p = HAUL_PACKET(skb);

		if (walked++ == HAUL_REASSEMBLY_WALK)
			break;
		if (num && !haul_after(p->seq, out[num - 1].end)) {
			out[num - 1].end = haul_seq_max(out[num - 1].end, p->end_seq);
			continue;
		}
		if (num == max)
			break;
		out[num].start = p->seq;
		out[num++].end = p->end_seq;
	}
	return num;
}

/* Where does @skb belong? NULL: it is a duplicate. Packets that it covers are still there. */
static struct rb_node **haul_reassembly_place(struct haul_sock *hs, struct sk_buff *skb,
					      struct rb_node **parent)
{
	const struct haul_packet *p = HAUL_PACKET(skb);
	struct rb_node **link = &hs->ooo.rb_node;

	*parent = NULL;
	/* usually it follows the highest one */
	if (hs->ooo_last && !haul_before(p->seq, HAUL_PACKET(hs->ooo_last)->end_seq)) {
		*parent = &hs->ooo_last->rbnode;
		return &(*parent)->rb_right;
	}
	while (*link) {
		const struct haul_packet *q = HAUL_PACKET(rb_to_skb(*link));

		*parent = *link;
		if (haul_before(p->seq, q->seq)) {
			link = &(*link)->rb_left;
			continue;
		}
		if (!haul_after(p->end_seq, q->end_seq))
			return NULL;
		link = &(*link)->rb_right;
	}
	return link;
}

/* Packets behind @skb that it covers go. Returns the end of the range that @skb now belongs to. */
static u32 haul_reassembly_cover(struct haul_sock *hs, struct sk_buff *skb)
{
	u32 end = HAUL_PACKET(skb)->end_seq;
	struct sk_buff *next;

	while ((next = skb_rb_next(skb))) {
		const struct haul_packet *q = HAUL_PACKET(next);

		if (haul_after(q->seq, end))
			break;
		if (haul_after(q->end_seq, end))
			return q->end_seq;
		haul_receiver_duplicate(&hs->rcv, q->seq, q->end_seq);
		haul_reassembly_free(hs, next, HAUL_CNT_DROP_DUPLICATE);
	}
	return end;
}

/*
 * Appends @skb to the packet before it when that ends where this begins: one node per range is the
 * aim.
 */
static bool haul_reassembly_join_previous(struct sock *sk, struct sk_buff *previous,
					  struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 len = skb->len;
	bool stolen;

	if (!previous || !haul_reassembly_merge(sk, previous, skb, &stolen))
		return false;
	kfree_skb_partial(skb, stolen);
	hs->ooo_bytes += len;
	return true;
}

static struct sk_buff *haul_reassembly_before(const struct haul_sock *hs, u32 seq)
{
	struct rb_node *node = hs->ooo.rb_node;
	struct sk_buff *found = NULL;

	while (node) {
		struct sk_buff *skb = rb_to_skb(node);

		if (haul_before(HAUL_PACKET(skb)->seq, seq)) {
			found = skb;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return found;
}

static void haul_reassembly_insert(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 start = HAUL_PACKET(skb)->seq, end;
	struct rb_node **link, *parent;
	struct sk_buff *previous;

	if (haul_window_charge(sk, skb, false)) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_MEMORY);
		return;
	}
	link = haul_reassembly_place(hs, skb, &parent);
	if (!link) {
		haul_receiver_duplicate(&hs->rcv, start, HAUL_PACKET(skb)->end_seq);
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_DUPLICATE);
		return;
	}
	haul_count(sock_net(sk), HAUL_CNT_OOO_QUEUED);
	previous = haul_reassembly_before(hs, start);
	if (haul_reassembly_join_previous(sk, previous, skb)) {
		skb = previous;
	} else {
		rb_link_node(&skb->rbnode, parent, link);
		rb_insert_color(&skb->rbnode, &hs->ooo);
		hs->ooo_bytes += skb->len;
		skb_set_owner_r(skb, sk);
		if (!hs->ooo_last || !haul_before(start, HAUL_PACKET(hs->ooo_last)->seq))
			hs->ooo_last = skb;
	}
	end = haul_reassembly_cover(hs, skb);
	start = HAUL_PACKET(skb)->seq;
	if (previous && previous != skb && !haul_before(HAUL_PACKET(previous)->end_seq, start))
		start = HAUL_PACKET(previous)->seq;
	haul_receiver_ooo(&hs->rcv, start, end);
}

/**
 * haul_reassembly_purge - nothing received out of order is kept
 * @sk:	the socket; its lock is held
 */
void haul_reassembly_purge(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_rb_first(&hs->ooo))) {
		haul_reassembly_erase(hs, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE);
	}
	hs->rcv.num_recent = 0;
}

/**
 * haul_reassembly_prune - give memory back from the out-of-order queue
 * @sk:	the socket; its lock is held
 *
 * The highest go first: the peer sends them last. What was SACKed and is thrown away will be sent
 * again after the peer's timeout (RFC 2018 8).
 */
void haul_reassembly_prune(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	long goal = sk->sk_rcvbuf >> 3;

	if (!hs->ooo_last)
		return;
	haul_count(sock_net(sk), HAUL_CNT_RCV_PRUNED);
	while (hs->ooo_last && goal > 0) {
		goal -= hs->ooo_last->truesize;
		haul_reassembly_free(hs, hs->ooo_last, HAUL_CNT_DROP_MEMORY);
	}
	/* the reports named what is gone: start afresh, the tree tells the rest */
	hs->rcv.num_recent = 0;
}

/*
 * The peer must not be able to store more here than it was offered: what is beyond the window is
 * cut off.
 */
static void haul_data_trim(struct sock *sk, struct sk_buff *skb)
{
	struct haul_receiver *rcv = &haul_sk(sk)->rcv;
	struct haul_packet *p = HAUL_PACKET(skb);
	u32 edge = rcv->nxt + haul_receiver_wnd(rcv);
	u32 beyond;

	if (!haul_after(p->end_seq, edge))
		return;
	beyond = p->end_seq - edge;
	if (p->flags & HAUL_FIN) {
		if (beyond == 1)
			return;		/* a FIN needs no room */
		beyond--;
	}
	p->flags &= ~(HAUL_FIN | HAUL_EOM);
	p->end_seq = edge;
	rcv->ack_now = true;
	if (pskb_trim(skb, skb->len - beyond))
		p->end_seq = p->seq;	/* no memory to cut: as if it had not come */
}

/* What is next had to be dropped: no more comes before the program has read. */
static void haul_data_no_memory(struct sock *sk, struct sk_buff *skb)
{
	haul_sk(sk)->rcv.ack_now = true;
	if (HAUL_PACKET(skb)->kind == HAUL_KIND_MESSAGE) {
		haul_message_no_memory(sk);
		if (!sock_flag(sk, SOCK_DEAD))
			haul_sock_data_ready(sk);
	}
	haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_MEMORY);
}

static void haul_data_in_order(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet *p = HAUL_PACKET(skb);
	u32 fresh = p->end_seq - hs->rcv.nxt;
	bool fin = p->flags & HAUL_FIN;

	if (skb->len && haul_window_charge(sk, skb, true)) {
		haul_data_no_memory(sk, skb);
		return;
	}
	if (skb->len)
		haul_window_grow(sk, skb);
	haul_receiver_data(&hs->rcv, fresh - fin, hs->now);
	hs->rcv.pushed = (p->flags & (HAUL_PSH | HAUL_FIN)) == HAUL_PSH;
	/*
	 * how long after our last ACK did a full segment come? The measure of the time in which the
	 * buffer must suffice
	 */
	if (fresh >= hs->rcv.mss)
		haul_receiver_rtt(&hs->rcv, (u32)hs->now + hs->ts_offset - p->tsecr);
	if (skb->len) {
		haul_reassembly_append(sk, skb);
	} else {
		/* a FIN alone: the state tells the program, no packet must wait to be read */
		WRITE_ONCE(hs->rcv.nxt, p->end_seq);
		consume_skb(skb);
	}
	if (!fin && !RB_EMPTY_ROOT(&hs->ooo))
		fin = haul_reassembly_drain(sk);
	if (hs->flow.key.kind == HAUL_KIND_MESSAGE)
		haul_message_room(sk);
	if (fin)
		haul_close_rcv_fin(sk);
	/* readers that were woken by the first packets of a run are told of the rest at its end */
	if (!sock_flag(sk, SOCK_DEAD) && (!(hs->batched || hs->rcv.ack_by_reader) || fin))
		haul_sock_data_ready(sk);
}

static void haul_data_duplicate(struct sock *sk, struct sk_buff *skb)
{
	struct haul_receiver *rcv = &haul_sk(sk)->rcv;
	const struct haul_packet *p = HAUL_PACKET(skb);

	haul_receiver_duplicate(rcv, p->seq, p->end_seq);
	haul_receiver_enter_quickack(rcv);
	rcv->ack_now = true;
	haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_DUPLICATE);
}

/**
 * haul_data_rcv - queue the text (and FIN) of an acceptable segment
 * @sk:		the socket, in a state in which the peer may send; its lock is held
 * @skb:	data at the payload; consumed
 *
 * Context: softirq or process with BH off.
 */
void haul_data_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_packet *p = HAUL_PACKET(skb);

	haul_assert_locked(sk);
	skb_dst_drop(skb);
	haul_data_trim(sk, skb);
	if (p->seq == p->end_seq) {
		haul_drop(sock_net(sk), skb, HAUL_CNT_DROP_WINDOW);
		return;
	}
	hs->stats.last_data_recv = hs->now;
	if (!haul_after(p->end_seq, hs->rcv.nxt)) {
		haul_data_duplicate(sk, skb);
		return;
	}
	if (haul_after(p->seq, hs->rcv.nxt)) {
		hs->rcv.ack_now = true;
		haul_reassembly_insert(sk, skb);
		return;
	}
	if (haul_before(p->seq, hs->rcv.nxt))
		haul_receiver_duplicate(&hs->rcv, p->seq, hs->rcv.nxt);
	haul_data_in_order(sk, skb);
}

/**
 * haul_data_expected - haul_data_rcv() for text that is just what is next
 * @sk:		the socket in ESTABLISHED; its lock is held
 * @skb:	data at the payload, of a byte at least, from RCV.NXT on, all in the window, without
 *		FIN; holds no route; consumed
 *
 * Context: softirq or process with BH off.
 */
void haul_data_expected(struct sock *sk, struct sk_buff *skb)
{
	haul_assert_locked(sk);
	haul_sk(sk)->stats.last_data_recv = haul_sk(sk)->now;
	haul_data_in_order(sk, skb);
}
