// SPDX-License-Identifier: GPL-2.0
/*
 * core/wire.c's option parser: the input is the options behind a header that is in order, so that
 * every byte of it counts. What was taken is written again by haul_wire_put_*() and read again.
 */
#include "wire_model.h"

static void write_again(const struct haul_options *o)
{
	u32 hdrlen = haul_wire_hdrlen(o->has_init, o->num_sack) +
		     (o->has_fastopen ? HAUL_OPT_FASTOPEN_LEN(o->fastopen.len) : 0);
	struct haul_packet p = {
		.kind = HAUL_KIND_STREAM, .hdrlen = hdrlen, .flags = HAUL_ACK,
		.sport = 1, .dport = 1,
	};
	struct haul_options again;
	u8 *bytes = malloc(hdrlen), *at = bytes + HAUL_HDR;

	CHECK(bytes);
	haul_wire_build((struct haulhdr *)bytes, &p);
	if (o->has_init)
		at = haul_wire_put_init(at, &o->init);
	if (o->has_fastopen)
		at = haul_wire_put_fastopen(at, &o->fastopen);
	at = haul_wire_put_sack(at, o->sack, o->num_sack);
	CHECK_EQ(at - bytes, hdrlen);
	CHECK_EQ(haul_wire_parse_options(bytes, hdrlen, &again), HAUL_WIRE_OK);
	compare_options(o, &again);
	free(bytes);
}

void fuzz(struct input *in)
{
	u8 kind = take_u8(in) % 4 ? HAUL_KIND_STREAM : HAUL_KIND_DATAGRAM;
	u32 fixed = kind == HAUL_KIND_DATAGRAM ? HAUL_DGRAM_HDR : HAUL_HDR, hdrlen;
	struct haul_options o, model;
	enum haul_wire_error err;
	u8 *bytes;

	hdrlen = fixed + in->left / 4 * 4;
	if (hdrlen > HAUL_HDR_MAX)
		hdrlen = HAUL_HDR_MAX;
	/* one byte off the word: unaligned, and ASan sees the end */
	bytes = malloc(hdrlen + 1);
	CHECK(bytes);
	memset(bytes, 0, fixed + 1);
	bytes[1 + 8] = HAUL_VERSION << 4 | kind;
	bytes[1 + 9] = hdrlen / 4;
	memcpy(bytes + 1 + fixed, in->at, hdrlen - fixed);
	err = haul_wire_parse_options(bytes + 1, hdrlen, &o);
	CHECK(err == HAUL_WIRE_OK || err == HAUL_WIRE_OPTION);
	CHECK_EQ(!err, model_options(bytes + 1, hdrlen, &model));
	if (!err) {
		compare_options(&o, &model);
		if (kind != HAUL_KIND_DATAGRAM)
			write_again(&o);
	}
	free(bytes);
}
