// SPDX-License-Identifier: GPL-2.0
/*
 * Packets are answered in the order in which they come: a SYN for a port that nobody has is refused
 * after all that came before it has been answered. So its refusal tells silence from slowness.
 */
#include <stdio.h>
#include "wire.h"

#define FENCE_PORT	1		/* nobody listens there, on either side */
#define FENCE_TAG	0xfe7ce000

static uint32_t fence_send(struct wire *w)
{
	uint32_t seq = ++w->fences << 8;
	struct packet syn = {
		.version = 1, .kind = KIND_STREAM, .flags = F_SYN, .window = 1000,
		.sport = FENCE_PORT, .dport = FENCE_PORT, .seq = seq,
		.has_init = true, .init = { .mss = 1400, .tag = FENCE_TAG, .isn = seq },
	};

	wire_send(w, &syn);
	return seq;
}

static bool fence_is_answer(const struct packet *rx, uint32_t seq)
{
	return rx->dport == FENCE_PORT && rx->flags == (F_RST | F_ACK) && rx->ack == seq + 1 &&
	       rx->tag == FENCE_TAG;
}

bool wire_before_fence(struct wire *w, struct packet *rx, uint32_t *fence)
{
	if (!*fence)
		*fence = fence_send(w);
	if (wire_receive(w, rx, wire_now_us() + WIRE_PATIENCE_MS * 1000ULL) != WIRE_HAUL)
		wire_fail(w, NULL, "a SYN for a port that nobody has was not refused");
	return !fence_is_answer(rx, *fence);
}

bool wire_fence(struct wire *w, struct packet *rx, unsigned int ms)
{
	uint32_t seq = fence_send(w);

	if (wire_receive(w, rx, wire_now_us() + ms * 1000ULL) != WIRE_HAUL)
		wire_fail(w, NULL, "a SYN for a port that nobody has was not refused");
	return fence_is_answer(rx, seq);
}

/* The host's local route appears a moment after its address; packets that come before are lost. */
void wire_wait_ready(struct wire *w)
{
	uint64_t end = wire_now_us() + WIRE_PATIENCE_MS * 1000ULL;
	struct packet rx;
	uint32_t seq;

	do {
		seq = fence_send(w);
		while (wire_receive(w, &rx, wire_now_us() + 4000) == WIRE_HAUL) {
			if (fence_is_answer(&rx, seq)) {
				w->events = 0;
				return;
			}
		}
	} while (wire_now_us() < end);
	wire_fail(w, NULL, "the host does not answer: is haul.ko loaded?");
}
