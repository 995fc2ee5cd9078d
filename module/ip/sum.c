// SPDX-License-Identifier: GPL-2.0
/*
 * The checksum over a packet, header and payload in one. What skb_checksum() costs beside the sum
 * itself is a third of it for a packet of a wire's size, and each is summed on either side.
 */
#include <linux/skbuff.h>
#include <net/checksum.h>
#include "ip.h"

/* Can each piece be read where it lies, with nothing to be mapped? */
static bool haul_sum_is_plain(const struct sk_buff *skb)
{
	return !IS_ENABLED(CONFIG_HIGHMEM) && !skb_has_frag_list(skb);
}

/**
 * haul_sum - the internet sum of a packet from an offset on
 * @skb:	the packet
 * @offset:	bytes from skb->data, in the linear part
 *
 * Any context. Return: not folded
 */
__wsum haul_sum(const struct sk_buff *skb, unsigned int offset)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int at = skb_headlen(skb) - offset, i;
	__wsum sum;

	if (unlikely(!haul_sum_is_plain(skb)))
		return skb_checksum(skb, offset, skb->len - offset, 0);
	sum = csum_partial(skb->data + offset, at, 0);
	for (i = 0; i < shinfo->nr_frags; i++) {
		const skb_frag_t *frag = &shinfo->frags[i];
		const void *bytes = skb_frag_address(frag);

		if (unlikely(!bytes))	/* a device's memory */
			return skb_checksum(skb, offset, skb->len - offset, 0);
		if (likely(!(at & 1)))
			sum = csum_partial(bytes, skb_frag_size(frag), sum);
		else
			sum = csum_block_add(sum, csum_partial(bytes, skb_frag_size(frag), 0), at);
		at += skb_frag_size(frag);
	}
	return sum;
}
