// SPDX-License-Identifier: GPL-2.0
/*
 * Merging packets that come in into large segments (GRO). Nothing gets lost by it: only packets
 * that differ in nothing but sequence number, PSH, EOM and checksum are merged, so cutting the
 * result gives back what came in.
 */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/gro.h>
#include "offload.h"
#include "../dgram/dgram.h"

#define HAUL_GRO_MAX	65535U		/* bytes of an IP packet */
#define HAUL_GRO_DATAGRAMS	64	/* in one packet, as UDP's */
/*
 * these end a run of packets: the receiver should see them now, and a message ends with its packet
 */
#define HAUL_GRO_LAST	(HAUL_PSH | HAUL_EOM)
/* packets with these are for the state machine, one by one */
#define HAUL_GRO_NEVER	(HAUL_SYN | HAUL_FIN | HAUL_RST | HAUL_REFLECTED | HAUL_STATELESS)

/*
 * The header of @skb, all of it, and its length; NULL: it is not one that can be merged, or too
 * short
 */
static struct haulhdr *haul_gro_header(struct sk_buff *skb, u32 *hdrlen)
{
	unsigned int off = skb_gro_offset(skb);
	struct haulhdr *h = skb_gro_header(skb, off + HAUL_DGRAM_HDR, off);

	if (unlikely(!h))
		return NULL;
	*hdrlen = haul_offload_hdrlen(h);
	if (unlikely(!*hdrlen))
		return NULL;
	return skb_gro_header(skb, off + *hdrlen, off);
}

/* INIT, or options that make no sense (haul_wire_parse_options() will say so) */
static bool haul_gro_has_init(const struct haulhdr *h, u32 hdrlen)
{
	const u8 *bytes = (const u8 *)h;
	u32 at = HAUL_HDR;

	while (at < hdrlen) {
		if (bytes[at] == HAUL_OPT_INIT || bytes[at + 1] < 2)
			return true;
		at += round_up((u32)bytes[at + 1], 4);
	}
	return false;
}

/* May it be part of a large segment at all? @h may be read for @hdrlen bytes. */
static bool haul_gro_mergeable(struct sk_buff *skb, const struct haulhdr *h, u32 hdrlen)
{
	u16 flags = be16_to_cpu(h->flags);

	if (skb_gro_len(skb) <= hdrlen || skb_is_gso(skb) || skb_has_frag_list(skb) ||
	    skb_zcopy(skb))
		return false;
	if (hdrlen == HAUL_DGRAM_HDR)
		return !flags && haul_dgram_gro_wanted(skb, h);
	if ((flags & HAUL_GRO_NEVER) || !(flags & HAUL_ACK))
		return false;
	return !haul_gro_has_init(h, hdrlen);
}

/*
 * The packet of the same flow that is being held, or NULL. Others learn that they are not the same
 * flow.
 */
static struct sk_buff *haul_gro_find(struct list_head *head, const struct haulhdr *h,
				     unsigned int off)
{
	struct sk_buff *p;

	list_for_each_entry(p, head, list) {
		const struct haulhdr *held;

		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		held = (const struct haulhdr *)(p->data + off);
		if (held->source == h->source && held->dest == h->dest &&
		    held->version_kind == h->version_kind)
			return p;
		NAPI_GRO_CB(p)->same_flow = 0;
	}
	return NULL;
}

/* Datagrams have no order, but there is an end to how many go together. */
static bool haul_gro_datagram_next(const struct sk_buff *p, const struct haulhdr *held,
				   const struct haulhdr *h)
{
	return held->seq == h->seq && NAPI_GRO_CB(p)->count < HAUL_GRO_DATAGRAMS;
}

/* Is @h's packet, of @len bytes, the next after all that @p holds, and equal in all else? */
static bool haul_gro_continues(struct sk_buff *p, const struct haulhdr *held,
			       const struct haulhdr *h, u32 hdrlen, u32 len)
{
	__be16 flags = (held->flags ^ h->flags) & cpu_to_be16(~HAUL_GRO_LAST);

	if (haul_gro_network_flush(held, h, p) || flags)
		return false;
	if (held->words != h->words || held->ce != h->ce)
		return false;
	/* what is held is a run of full packets, or it would not be held any more */
	if (len > skb_shinfo(p)->gso_size)
		return false;
	if (hdrlen == HAUL_DGRAM_HDR)
		return haul_gro_datagram_next(p, held, h);
	return !memcmp(&held->tag, &h->tag, hdrlen - offsetof(struct haulhdr, tag)) &&
	       be32_to_cpu(held->seq) + skb_gro_len(p) == be32_to_cpu(h->seq);
}

/*
 * Payload that is all in pages: they move over to the last buffer of @p. Returns the memory that
 * moves with them; 0: this way is not open.
 */
static unsigned int haul_gro_merge_pages(struct sk_buff *last, struct sk_buff *skb,
					 unsigned int off)
{
	struct skb_shared_info *to = skb_shinfo(last), *from = skb_shinfo(skb);
	unsigned int head = skb_headlen(skb), left, moved;

	if (head > off || !from->nr_frags || to->nr_frags + from->nr_frags > MAX_SKB_FRAGS ||
	    skb_frag_size(&from->frags[0]) <= off - head)
		return 0;
	skb_frag_off_add(&from->frags[0], off - head);
	skb_frag_size_sub(&from->frags[0], off - head);
	memcpy(to->frags + to->nr_frags, from->frags, from->nr_frags * sizeof(skb_frag_t));
	to->nr_frags += from->nr_frags;
	to->flags |= from->flags & SKBFL_SHARED_FRAG;
	from->nr_frags = 0;

	left = SKB_TRUESIZE(skb_end_offset(skb));
	moved = skb->truesize - left;
	skb->truesize = left;
	skb->len = head;
	skb->data_len = 0;
	NAPI_GRO_CB(skb)->free = NAPI_GRO_FREE;
	return moved;
}

/*
 * The buffer as it is goes to the end of @p's fragment list. Returns its memory; 0: none to pull
 * the header with.
 */
static unsigned int haul_gro_merge_list(struct sk_buff *p, struct sk_buff *skb, unsigned int off)
{
	struct sk_buff *last = NAPI_GRO_CB(p)->last;

	/* the header may still be in the first page */
	if (!pskb_may_pull(skb, off))
		return 0;
	__skb_pull(skb, off);
	/* its memory is @p's to give back */
	skb->destructor = NULL;
	skb->sk = NULL;
	skb->next = NULL;
	if (last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		last->next = skb;
	NAPI_GRO_CB(p)->last = skb;
	__skb_header_release(skb);
	return skb->truesize;
}

/*
 * Appends @skb's payload of @len bytes (behind skb_gro_offset()) to @p. False: it can't be; nothing
 * has changed
 */
static bool haul_gro_merge(struct sk_buff *p, struct sk_buff *skb, u32 len)
{
	struct sk_buff *last = NAPI_GRO_CB(p)->last;
	unsigned int off = skb_gro_offset(skb), moved;

	if (p->len + len > min(READ_ONCE(p->dev->gro_max_size), HAUL_GRO_MAX) ||
	    NAPI_GRO_CB(skb)->flush)
		return false;
	/* pages of a pool and other pages go back by different ways */
	if (p->pp_recycle != skb->pp_recycle || (last == p && skb_has_frag_list(p)))
		return false;
	/* one socket's account (a virtual wire: they are still charged to the sender) */
	if (p->sk != skb->sk || p->destructor != skb->destructor)
		return false;

	moved = haul_gro_merge_pages(last, skb, off);
	if (moved && last != p) {
		last->len += len;
		last->data_len += len;
		last->truesize += moved;
	}
	if (!moved)
		moved = haul_gro_merge_list(p, skb, off);
	if (!moved)
		return false;
	p->len += len;
	p->data_len += len;
	p->truesize += moved;
	NAPI_GRO_CB(p)->count++;
	NAPI_GRO_CB(skb)->same_flow = 1;
	return true;
}

/*
 * @p is of @skb's flow, @len bytes of payload are behind skb_gro_offset(). Returns @p if it is to
 * be held no longer.
 */
static struct sk_buff *haul_gro_append(struct sk_buff *p, struct sk_buff *skb, unsigned int off,
				       const struct haulhdr *h, u32 hdrlen)
{
	struct haulhdr *held = (struct haulhdr *)(p->data + off);
	u16 last = be16_to_cpu(h->flags) & HAUL_GRO_LAST;
	u32 len = skb_gro_len(skb);

	if (!haul_gro_continues(p, held, h, hdrlen, len) || !haul_gro_merge(p, skb, len))
		return p;
	held->flags |= cpu_to_be16(last);
	return last || len < skb_shinfo(p)->gso_size ? p : NULL;
}

/**
 * haul_gro_receive - takes a packet into a large segment, holds it as the first of one, or lets it
 * go up
 * @head:	packets held
 * @skb:	skb_gro_offset() at the Haul header
 *
 * Context: NAPI, RCU. Return: NULL, or a packet that is to go up now (before @skb, so that order is
 * kept)
 */
struct sk_buff *haul_gro_receive(struct list_head *head, struct sk_buff *skb)
{
	unsigned int off = skb_gro_offset(skb);
	struct sk_buff *p, *done = NULL;
	struct haulhdr *h;
	bool mergeable, flush = true;
	u32 hdrlen;

	h = haul_gro_header(skb, &hdrlen);
	if (unlikely(!h))
		goto out;
	mergeable = haul_gro_mergeable(skb, h, hdrlen);
	if (mergeable && !NAPI_GRO_CB(skb)->flush && skb_gro_checksum_simple_validate(skb))
		goto out;			/* damaged: it goes up to be counted */

	p = haul_gro_find(head, h, off);
	if (!mergeable) {
		done = p;
		goto out;
	}
	/* if it becomes the first of a run, it may not be its last, too */
	flush = be16_to_cpu(h->flags) & HAUL_GRO_LAST;
	skb_gro_pull(skb, hdrlen);
	if (p)
		done = haul_gro_append(p, skb, off, h, hdrlen);
out:
	skb_gro_flush_final(skb, done, flush);
	return done;
}
