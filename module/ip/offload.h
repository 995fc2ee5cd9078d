/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cutting (ip/offload.c) and merging (ip/gro.c) of large segments share.
 */
#ifndef HAUL_IP_OFFLOAD_H
#define HAUL_IP_OFFLOAD_H

#include <linux/list.h>
#include "ip.h"

/* the transport header that SKB_GSO_SCTP makes the kernel reckon with */
#define HAUL_GSO_HDR	12U

/* skb_shinfo()->gso_size of packets with @mss bytes of payload */
static inline u16 haul_gso_size(u32 mss, u32 hdrlen)
{
	return mss + hdrlen - HAUL_GSO_HDR;
}

/*
 * bytes of header of a packet that can be part of a large segment, 0: none such; looks at the first
 * HAUL_DGRAM_HDR bytes
 */
static inline u32 haul_offload_hdrlen(const struct haulhdr *h)
{
	u32 hdrlen = h->words * 4U;

	/* a datagram has no option that we know, and none that merged ones could share */
	if (h->version_kind == (HAUL_VERSION << 4 | HAUL_KIND_DATAGRAM))
		return hdrlen == HAUL_DGRAM_HDR ? hdrlen : 0;
	if (h->version_kind != (HAUL_VERSION << 4 | HAUL_KIND_STREAM) &&
	    h->version_kind != (HAUL_VERSION << 4 | HAUL_KIND_MESSAGE))
		return 0;
	return hdrlen >= HAUL_HDR && hdrlen <= HAUL_HDR_MAX ? hdrlen : 0;
}

/* net_offload.callbacks.gro_receive */
struct sk_buff *haul_gro_receive(struct list_head *head, struct sk_buff *skb);

#endif /* HAUL_IP_OFFLOAD_H */
