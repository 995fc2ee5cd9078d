// SPDX-License-Identifier: GPL-2.0
/*
 * Large segments: one sk_buff of up to 64 KB from the socket to the device. Cut into packets just
 * above a device that can't take it whole (GSO), merged again where packets come in (GRO, gro.c).
 *
 * The kernel has no name for our large segments, so they go by SCTP's (SKB_GSO_SCTP): no hardware
 * claims it, all software devices do. Two things follow. Under that name the kernel takes a
 * transport header to have 12 bytes, so gso_size is payload + header - 12: then what it reckons of
 * a packet's size is right. And whoever is given a large segment must leave the checksum to us: it
 * has no pseudo header, so that whatever sums from csum_start on (NETIF_F_HW_CSUM) can finish it.
 * Where the device does, or the packet never leaves this host, nobody here sums. A single packet
 * may be marked as a large segment, too: a device that does not know the mark brings it to
 * haul_gso_segment().
 */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/protocol.h>
#include "offload.h"
#include "../conn/conn.h"

/* ---------------------------------------------------------------- sending */

static void haul_offload_partial(struct sk_buff *skb, struct haulhdr *h)
{
	h->check = 0;			/* the sum of no pseudo header */
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (unsigned char *)h - skb->head;
	skb->csum_offset = offsetof(struct haulhdr, check);
}

static void haul_offload_mark(struct sk_buff *skb, struct haulhdr *h, u32 mss, u32 hdrlen,
			      u32 segs)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	haul_offload_partial(skb, h);
	shinfo->gso_type = SKB_GSO_SCTP;
	shinfo->gso_size = haul_gso_size(mss, hdrlen);
	shinfo->gso_segs = segs;
}

/* another transmission of this payload may have been a large segment */
static void haul_offload_unmark(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	shinfo->gso_type = 0;
	shinfo->gso_size = 0;
	shinfo->gso_segs = 0;
}

static void haul_offload_checksum(struct sk_buff *skb, struct haulhdr *h)
{
	h->check = 0;
	h->check = csum_fold(haul_sum(skb, 0));
	skb->ip_summed = CHECKSUM_NONE;
}

/* What the device does with a packet as it is. Nothing behind IPsec: there all is done before. */
static netdev_features_t haul_offload_features(const struct dst_entry *dst)
{
	return !dst || dst->header_len ? 0 : dst_dev_rcu(dst)->features;
}

/**
 * haul_offload_finish - the last touch to a packet of a socket: marks it as a large segment or
 * finishes its checksum
 * @skb:	data at the Haul header, which is complete
 * @dst:	its route
 * @mss:	bytes of payload per packet
 * @hdrlen:	bytes of Haul header
 *
 * Payload of more than @mss: large segment. One packet's payload: its checksum is left to a device
 * that can finish it; else it is marked as a large segment, too, where the device takes that whole,
 * so that nobody sums what never leaves this host; else the sum is made here. Context: RCU.
 */
void haul_offload_finish(struct sk_buff *skb, const struct dst_entry *dst, u32 mss, u32 hdrlen)
{
	struct haulhdr *h = (struct haulhdr *)skb->data;
	u32 payload = skb->len - hdrlen;
	netdev_features_t features;

	if (payload > mss) {
		haul_offload_mark(skb, h, mss, hdrlen, DIV_ROUND_UP(payload, mss));
		return;
	}
	features = haul_offload_features(dst);
	if (payload && (features & (NETIF_F_HW_CSUM | NETIF_F_GSO_SCTP)) == NETIF_F_GSO_SCTP) {
		haul_offload_mark(skb, h, payload, hdrlen, 1);
		return;
	}
	haul_offload_unmark(skb);
	if (features & NETIF_F_HW_CSUM)
		haul_offload_partial(skb, h);
	else
		haul_offload_checksum(skb, h);
}

/**
 * haul_offload_datagrams - marks a packet as several datagrams, which have the header in common
 * @skb:	the packet
 * @h:		its header, complete but for the checksum
 * @payload:	bytes behind it
 * @mss:	bytes of them in each datagram but the last, less than @payload
 *
 * Any context.
 */
void haul_offload_datagrams(struct sk_buff *skb, struct haulhdr *h, u32 payload, u32 mss)
{
	haul_offload_mark(skb, h, mss, HAUL_DGRAM_HDR, DIV_ROUND_UP(payload, mss));
}

/**
 * haul_offload_datagram_size - how large is each of the datagrams that came in as one packet?
 * @skb:	received
 *
 * Any context. Return: bytes of payload, of all but the last; 0: it is a single datagram
 */
u32 haul_offload_datagram_size(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	u32 size = shinfo->gso_size + HAUL_GSO_HDR;

	if (!(shinfo->gso_type & SKB_GSO_SCTP) || size <= HAUL_DGRAM_HDR)
		return 0;
	return size - HAUL_DGRAM_HDR;
}

/* ---------------------------------------------------------------- cutting */

/*
 * Bytes of Haul header of a large segment at skb->data, all of them in the linear part; 0: it is
 * none of ours. Who built it is not known: a raw socket or a hypervisor's guest may have.
 */
static u32 haul_gso_hdrlen(struct sk_buff *skb)
{
	u32 hdrlen;

	if (!(skb_shinfo(skb)->gso_type & SKB_GSO_SCTP) || !pskb_may_pull(skb, HAUL_DGRAM_HDR))
		return 0;
	hdrlen = haul_offload_hdrlen((const struct haulhdr *)skb->data);
	if (!hdrlen || skb->len <= hdrlen || !pskb_may_pull(skb, hdrlen))
		return 0;
	return skb_shinfo(skb)->gso_size + HAUL_GSO_HDR > hdrlen ? hdrlen : 0;
}

/*
 * skb_segment() puts pages of a member of the fragment list into several packets only if it has no
 * linear part, or one that is a page, and takes for granted that it was merged here. If it was not,
 * let it copy.
 */
static netdev_features_t haul_gso_features(const struct sk_buff *skb, netdev_features_t features,
					   u32 mss)
{
	struct sk_buff *part;

	skb_walk_frags(skb, part)
		if (skb_headlen(part) && !part->head_frag && part->next && skb_headlen(part) != mss)
			features &= ~NETIF_F_SG;
	return features;
}

/*
 * The checksum of a packet that was cut, where no device finishes it. Pages that a program may
 * still write to (MSG_ZEROCOPY) are copied first, so that what leaves is what was summed. 0 or
 * -ENOMEM
 */
static int haul_gso_checksum(struct sk_buff *seg)
{
	struct haulhdr *h;

	if (skb_has_shared_frag(seg) && __skb_linearize(seg))
		return -ENOMEM;
	h = (struct haulhdr *)skb_transport_header(seg);
	h->check = 0;
	h->check = csum_fold(haul_sum(seg, skb_transport_offset(seg)));
	if (!seg->remcsum_offload)
		seg->ip_summed = CHECKSUM_NONE;
	return 0;
}

/*
 * Sequence number, which goes on by @step, flags of the last segment only, checksum. Whoever sums
 * around a packet, a tunnel, finds in SKB_GSO_CB that from the Haul header on the sum is, or will
 * be, 0. 0 or -ENOMEM
 */
static int haul_gso_headers(struct sk_buff *segs, u32 seq, u32 step, bool partial)
{
	struct sk_buff *seg;
	int err = 0;

	for (seg = segs; seg && !err; seg = seg->next, seq += step) {
		struct haulhdr *h = (struct haulhdr *)skb_transport_header(seg);

		h->seq = cpu_to_be32(seq);
		if (seg->next)
			h->flags &= cpu_to_be16(~(HAUL_FIN | HAUL_PSH | HAUL_EOM));
		if (partial && !seg->remcsum_offload)
			haul_offload_partial(seg, h);
		else
			err = haul_gso_checksum(seg);
		SKB_GSO_CB(seg)->csum = 0;
		SKB_GSO_CB(seg)->csum_start = skb_transport_header(seg) - seg->head;
	}
	return err;
}

/* A timestamp that the program wants is about the last byte (conn/stamp.c). */
static void haul_gso_stamp(const struct sk_buff *skb, struct sk_buff *segs)
{
	u8 stamps = skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP;

	if (likely(!stamps))
		return;
	while (segs->next)
		segs = segs->next;
	skb_shinfo(segs)->tx_flags |= stamps;
	skb_shinfo(segs)->tskey = skb_shinfo(skb)->tskey;
}

/*
 * Each packet is charged to the socket. skb_segment() would leave the whole to the last one; then
 * that would not be merged with the others on a virtual wire (GRO compares the sockets), and would
 * overtake them.
 */
static void haul_gso_own(struct sk_buff *segs, const struct sk_buff *skb)
{
	struct sk_buff *seg;
	int truesize = 0;

	if (skb->destructor == sock_wfree)		/* datagrams */
		for (seg = segs; seg; seg = seg->next)
			skb_set_owner_w(seg, skb->sk);
	if (skb->destructor != haul_wfree)
		return;
	for (seg = segs; seg; seg = seg->next) {
		seg->sk = skb->sk;
		seg->destructor = haul_wfree;
		truesize += seg->truesize;
	}
	refcount_add(truesize, &skb->sk->sk_wmem_alloc);
}

/* skb_segment() with @mss bytes of payload behind the header of @hdrlen bytes. @skb is unshared. */
static struct sk_buff *haul_gso_pieces(struct sk_buff *skb, netdev_features_t features, u32 hdrlen,
				       u32 mss)
{
	void (*destructor)(struct sk_buff *skb) = skb->destructor;
	u16 gso_size = skb_shinfo(skb)->gso_size;
	struct sk_buff *segs;

	__skb_pull(skb, hdrlen);
	/* skb_segment() reads the payload's size there; some callers go on with @skb afterwards */
	skb_shinfo(skb)->gso_size = mss;
	skb->destructor = NULL;
	segs = skb_segment(skb, features);
	skb->destructor = destructor;
	skb_shinfo(skb)->gso_size = gso_size;
	return segs;
}

/*
 * Always a list of packets, even of one: several callers (nfqueue, IPsec, tbf) take NULL for a
 * failure.
 */
static struct sk_buff *haul_gso_cut(struct sk_buff *skb, netdev_features_t features, u32 hdrlen,
				    u32 mss)
{
	u32 seq = be32_to_cpu(((struct haulhdr *)skb->data)->seq);
	bool partial = features & NETIF_F_HW_CSUM;
	struct sk_buff *segs;

	/* if there is a sum to make, it is made in one go with the header */
	features &= ~(NETIF_F_GSO_PARTIAL | NETIF_F_GSO_SCTP);
	features = haul_gso_features(skb, features | NETIF_F_HW_CSUM, mss);
	segs = haul_gso_pieces(skb, features, hdrlen, mss);
	if (IS_ERR_OR_NULL(segs))
		return segs;
	if (haul_gso_headers(segs, seq, hdrlen == HAUL_DGRAM_HDR ? 0 : mss, partial)) {
		kfree_skb_list(segs);
		return ERR_PTR(-ENOMEM);
	}
	haul_gso_stamp(skb, segs);
	haul_gso_own(segs, skb);
	return segs;
}

static struct sk_buff *haul_gso_segment(struct sk_buff *skb, netdev_features_t features)
{
	u32 hdrlen = haul_gso_hdrlen(skb);
	u32 mss = skb_shinfo(skb)->gso_size + HAUL_GSO_HDR - hdrlen;

	if (!hdrlen)
		return ERR_PTR(-EINVAL);
	if (skb_gso_ok(skb, features | NETIF_F_GSO_ROBUST)) {
		/* only to be looked over: a guest is not believed how many packets it is */
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len - hdrlen, mss);
		return NULL;
	}
	/* gso_size is where all clones of a packet read it */
	if (skb_unclone(skb, GFP_ATOMIC))
		return ERR_PTR(-ENOMEM);
	return haul_gso_cut(skb, features, hdrlen, mss);
}

/**
 * haul_offload_split - datagrams that came in as one packet become single ones
 * @skb:	data at the Haul header; stays the caller's, who has no more use for it than to
 *		free it
 *
 * Nobody looks at the checksums any more: they are not made. Context: softirq.
 * Return: a list, data at the header of each; an error pointer: no memory, or no such packet
 */
struct sk_buff *haul_offload_split(struct sk_buff *skb)
{
	u32 hdrlen = haul_gso_hdrlen(skb), mss = haul_offload_datagram_size(skb);
	netdev_features_t features;
	struct sk_buff *segs, *seg;

	if (hdrlen != HAUL_DGRAM_HDR || !mss)
		return ERR_PTR(-EINVAL);
	if (skb_unclone(skb, GFP_ATOMIC))
		return ERR_PTR(-ENOMEM);
	features = haul_gso_features(skb, NETIF_F_SG | NETIF_F_HW_CSUM, mss);
	segs = haul_gso_pieces(skb, features, hdrlen, mss);
	if (IS_ERR_OR_NULL(segs))
		return segs ?: ERR_PTR(-EINVAL);
	for (seg = segs; seg; seg = seg->next) {
		__skb_pull(seg, skb_transport_offset(seg));
		seg->ip_summed = CHECKSUM_UNNECESSARY;
	}
	return segs;
}

/* ---------------------------------------------------------------- registration */

static int haul_gro_complete(struct sk_buff *skb, int nhoff)
{
	struct haulhdr *h = (struct haulhdr *)(skb->data + nhoff);
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	haul_offload_partial(skb, h);
	if (skb->encapsulation)
		skb->inner_transport_header = skb->transport_header;
	shinfo->gso_type |= SKB_GSO_SCTP;
	shinfo->gso_size = haul_gso_size(shinfo->gso_size, h->words * 4U);
	shinfo->gso_segs = NAPI_GRO_CB(skb)->count;
	return 0;
}

static const struct net_offload haul_offload = {
	.callbacks = {
		.gso_segment	= haul_gso_segment,
		.gro_receive	= haul_gro_receive,
		.gro_complete	= haul_gro_complete,
	},
};

/**
 * haul_offload_init - from now on large segments are cut and merged
 *
 * May sleep. Return: 0, -EADDRINUSE: another module has the protocol number
 */
int haul_offload_init(void)
{
	if (inet_add_offload(&haul_offload, haul_protocol))
		return -EADDRINUSE;
	if (inet6_add_offload(&haul_offload, haul_protocol)) {
		inet_del_offload(&haul_offload, haul_protocol);
		return -EADDRINUSE;
	}
	return 0;
}

/**
 * haul_offload_exit - undoes haul_offload_init()
 *
 * May sleep.
 */
void haul_offload_exit(void)
{
	inet6_del_offload(&haul_offload, haul_protocol);
	inet_del_offload(&haul_offload, haul_protocol);
}
