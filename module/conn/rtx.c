// SPDX-License-Identifier: GPL-2.0
/*
 * The retransmission queue: what was sent and not acknowledged, in a tree by sequence number
 * (sk->tcp_rtx_queue) and, unless SACKed or taken for lost, in a list by time of departure
 * (haul_sock.sent_list).
 */
#include "conn.h"

/* first by sequence number; NULL: nothing outstanding */
struct sk_buff *haul_rtx_head(const struct sock *sk)
{
	return skb_rb_first(&sk->tcp_rtx_queue);
}

struct sk_buff *haul_rtx_tail(const struct sock *sk)
{
	return skb_rb_last(&sk->tcp_rtx_queue);
}

struct sk_buff *haul_rtx_next(const struct sk_buff *skb)
{
	return skb_rb_next(skb);
}

/**
 * haul_rtx_find - the packet that holds a sequence number
 * @sk:		the socket; its lock is held
 * @seq:	sequence number
 *
 * Return: it, or the first one after @seq, or NULL.
 */
struct sk_buff *haul_rtx_find(const struct sock *sk, u32 seq)
{
	struct rb_node *node = sk->tcp_rtx_queue.rb_node;
	struct sk_buff *found = NULL;

	while (node) {
		struct sk_buff *skb = rb_to_skb(node);
		const struct haul_seg *seg = HAUL_SEG(skb);

		if (haul_after(seg->end_seq, seq)) {
			found = skb;
			if (!haul_after(seg->seq, seq))
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * haul_rtx_insert - a packet is outstanding from now on
 * @sk:		the socket; its lock is held
 * @skb:	in no queue
 */
void haul_rtx_insert(struct sock *sk, struct sk_buff *skb)
{
	struct rb_node **link = &sk->tcp_rtx_queue.rb_node, *parent = NULL;
	u32 seq = HAUL_SEG(skb)->seq;

	while (*link) {
		parent = *link;
		if (haul_before(seq, HAUL_SEG(rb_to_skb(parent))->seq))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &sk->tcp_rtx_queue);
}

/**
 * haul_rtx_unlink - a packet is outstanding no longer
 * @sk:		the socket; its lock is held
 * @skb:	in the retransmission queue
 */
void haul_rtx_unlink(struct sock *sk, struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);

	if (hs->retransmit_hint == skb)
		hs->retransmit_hint = haul_rtx_next(skb);
	rb_erase(&skb->rbnode, &sk->tcp_rtx_queue);
	list_del_init(&skb->tcp_tsorted_anchor);
}

/**
 * haul_rtx_free - free a packet of the send side, give its memory back
 * @sk:		the socket; its lock is held
 * @skb:	in no queue
 */
void haul_rtx_free(struct sock *sk, struct sk_buff *skb)
{
	/* the list's links lie where the route and the destructor are */
	skb->_skb_refdst = 0;
	skb->destructor = NULL;
	sk_wmem_queued_add(sk, -(int)skb->truesize);
	haul_mem_uncharge(sk, skb->truesize);
	if (!haul_spare_put(skb))
		__kfree_skb(skb);
}

/**
 * haul_rtx_purge - everything sent or waiting to be sent is thrown away
 * @sk:	the socket; its lock is held
 */
void haul_rtx_purge(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct sk_buff *skb;

	while ((skb = haul_rtx_head(sk))) {
		haul_rtx_unlink(sk, skb);
		haul_rtx_free(sk, skb);
	}
	while ((skb = __skb_dequeue(&sk->sk_write_queue)))
		haul_rtx_free(sk, skb);
	INIT_LIST_HEAD(&hs->sent_list);
	hs->retransmit_hint = NULL;
	hs->fin_owed = false;
	hs->snd.sacked = 0;
	hs->snd.lost = 0;
	hs->snd.retrans = 0;
}

static void haul_rtx_trim_frags(struct sk_buff *skb, u32 len)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	u32 eat = len;
	int i, kept = 0;

	for (i = 0; i < shinfo->nr_frags; i++) {
		u32 size = skb_frag_size(&shinfo->frags[i]);

		if (size <= eat) {
			skb_frag_unref(skb, i);
			eat -= size;
			continue;
		}
		shinfo->frags[kept] = shinfo->frags[i];
		if (eat) {
			skb_frag_off_add(&shinfo->frags[kept], eat);
			skb_frag_size_sub(&shinfo->frags[kept], eat);
			eat = 0;
		}
		kept++;
	}
	shinfo->nr_frags = kept;
	skb->data_len -= len;
	skb->len -= len;
}

/**
 * haul_rtx_unclone - make a queued packet's head our own, its truesize as it was accounted
 * @skb:	in the send or the retransmission queue
 * @gfp:	context
 *
 * Return: 0 or -ENOMEM.
 */
int haul_rtx_unclone(struct sk_buff *skb, gfp_t gfp)
{
	unsigned int truesize = skb->truesize;
	int err = skb_unclone(skb, gfp);

	skb->truesize = truesize;
	return err;
}

/**
 * haul_rtx_unstale - cut off the payload that was acknowledged within a large packet
 * @sk:		the socket; its lock is held
 * @skb:	in the retransmission queue
 *
 * An ACK that ends inside a packet only moves HAUL_SEG(skb)->seq: most such packets are
 * acknowledged whole soon after, and cutting costs a copy of the packet's head. It is done here,
 * when the packet must be sent again.
 *
 * Return: 0 or -ENOMEM.
 */
int haul_rtx_unstale(struct sock *sk, struct sk_buff *skb)
{
	const struct haul_seg *seg = HAUL_SEG(skb);
	u32 payload = haul_seg_len(seg) - !!(seg->flags & HAUL_SYN) - !!(seg->flags & HAUL_FIN);
	u32 stale = skb->len - payload;

	if (likely(!stale))
		return 0;
	if (haul_rtx_unclone(skb, GFP_ATOMIC))
		return -ENOMEM;
	if (skb_headlen(skb)) {
		u32 head = min_t(u32, stale, skb_headlen(skb));

		__skb_pull(skb, head);
		stale -= head;
	}
	if (stale)
		haul_rtx_trim_frags(skb, stale);
	return 0;
}
