// SPDX-License-Identifier: GPL-2.0
/*
 * core/wire.c's parser: any bytes, of which any part may be read. It agrees with the model, reads
 * nothing that it was not given, and what it took builds the same header again.
 */
#include "wire_model.h"

static void compare_header(const u8 *b, u32 total, const struct haul_packet *p)
{
	bool datagram = p->kind == HAUL_KIND_DATAGRAM, ack = p->flags & HAUL_ACK;
	u32 window = datagram ? 0 : model_be(b, 24, 4);

	CHECK_EQ(be16_to_cpu(p->sport), model_be(b, 0, 2));
	CHECK_EQ(be16_to_cpu(p->dport), model_be(b, 2, 2));
	CHECK_EQ(p->seq, model_be(b, 4, 4));
	CHECK_EQ(p->kind, b[8] & 15);
	CHECK_EQ(p->hdrlen, b[9] * 4);
	CHECK_EQ(p->flags, b[11]);
	CHECK_EQ(haul_packet_len(p), total - p->hdrlen);
	CHECK_EQ(p->ce, datagram ? 0 : model_be(b, 12, 2));
	CHECK_EQ(p->tag, datagram ? 0 : model_be(b, 16, 4));
	CHECK_EQ(p->ack, ack ? model_be(b, 20, 4) : 0);
	CHECK_EQ(p->window, window < HAUL_MAX_WINDOW ? window : HAUL_MAX_WINDOW);
	CHECK_EQ(p->tsval, datagram ? 0 : model_be(b, 28, 4));
	CHECK_EQ(p->tsecr, ack ? model_be(b, 32, 4) : 0);
}

/* what was parsed is built, parsed again, and is the same */
static void build_again(const struct haul_packet *p)
{
	u32 fixed = p->kind == HAUL_KIND_DATAGRAM ? HAUL_DGRAM_HDR : HAUL_HDR;
	u32 total = p->hdrlen + haul_packet_len(p);
	struct haul_packet again = { .ecn = p->ecn, .dif = p->dif };
	u8 bytes[HAUL_HDR_MAX] = {};

	haul_wire_build((struct haulhdr *)bytes, p);
	CHECK_EQ(haul_wire_parse(bytes, sizeof(bytes), total, &again), HAUL_WIRE_OK);
	if (fixed == HAUL_HDR)
		CHECK(!memcmp(p, &again, sizeof(again)));
}

void fuzz(struct input *in)
{
	u32 more = take_spread(in, 16);
	bool whole = take_u8(in) & 1;
	u32 avail = in->left, total = avail + (whole ? 0 : more);
	struct haul_packet p = {};
	struct haul_options o, model;
	enum haul_wire_error err;
	u32 faults;
	u8 *copy;

	copy = malloc(avail + 1);
	CHECK(copy);
	memcpy(copy + 1, in->at, avail);
	faults = model_faults(copy + 1, avail, total);
	err = haul_wire_parse(copy + 1, avail, total, &p);
	CHECK(err ? faults & (1U << err) : !faults);
	if (!err) {
		compare_header(copy + 1, total, &p);
		build_again(&p);
		err = haul_wire_parse_options(copy + 1, p.hdrlen, &o);
		CHECK_EQ(!err, model_options(copy + 1, p.hdrlen, &model));
		if (!err)
			compare_options(&o, &model);
	}
	free(copy);
}
