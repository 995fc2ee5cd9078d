/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Documentation/protocol.rst's format once more, read byte by byte: every fault that a packet has,
 * as a set, where core/wire.c names the first that it meets.
 */
#ifndef HAUL_SELFTESTS_FUZZ_WIRE_MODEL_H
#define HAUL_SELFTESTS_FUZZ_WIRE_MODEL_H

#include "core/seq.h"
#include "core/wire.h"
#include "core/test.h"
#include "core/wire_check.h"
#include "fuzz.h"

#define FAULT(e)	(1U << HAUL_WIRE_##e)

static inline u32 model_be(const u8 *b, u32 at, u32 bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | b[at++];
	return value;
}

static inline u32 model_fixed(const u8 *b)
{
	return (b[8] & 15) == HAUL_KIND_DATAGRAM ? 16 : 36;
}

/* all that is wrong with a header of which @avail bytes are here, of a packet of @total */
static inline u32 model_faults(const u8 *b, u32 avail, u32 total)
{
	u32 faults = 0, hdrlen, kind;

	if (avail > total)
		avail = total;
	if (avail < 16)
		return FAULT(SHORT);
	hdrlen = b[9] * 4;
	kind = b[8] & 15;
	if (b[8] >> 4 != 1)
		faults |= FAULT(VERSION);
	if (kind < 1 || kind > 3)
		faults |= FAULT(KIND);
	if (hdrlen < model_fixed(b) || hdrlen > HAUL_HDR_MAX)
		faults |= FAULT(HEADER);
	if (kind == HAUL_KIND_DATAGRAM && model_be(b, 4, 4))
		faults |= FAULT(HEADER);
	if (hdrlen > avail)
		faults |= FAULT(SHORT);
	if (!model_be(b, 0, 2) || !model_be(b, 2, 2))
		faults |= FAULT(PORT);
	if (hdrlen <= total && flags_forbidden(kind, model_be(b, 10, 2) & 0xff, total > hdrlen))
		faults |= FAULT(FLAGS);
	return faults;
}

/* one option of known type at @o; false: it may not be */
static inline bool model_option(const u8 *o, struct haul_options *out, bool *sack_seen)
{
	u32 i, mss;

	if (o[0] == HAUL_OPT_INIT) {
		if (out->has_init || o[1] < 16 || !model_be(o, 4, 4))
			return false;
		mss = model_be(o, 2, 2);
		out->has_init = true;
		out->init.tag = model_be(o, 4, 4);
		out->init.isn = model_be(o, 8, 4);
		out->init.flags = model_be(o, 12, 2) & 1;
		out->init.mss = !mss ? 536 : mss < 88 ? 88 : mss;
	}
	if (o[0] == HAUL_OPT_FASTOPEN) {
		if (out->has_fastopen || o[1] < 4 || o[1] > 20 || o[1] & 3)
			return false;
		out->has_fastopen = true;
		out->fastopen.len = o[1] - 4;
		for (i = 4; i < o[1]; i++)
			out->fastopen.cookie[i - 4] = o[i];
	}
	if (o[0] == HAUL_OPT_SACK) {
		if (*sack_seen || o[1] < 12 || o[1] % 8 != 4)
			return false;
		*sack_seen = true;
		for (i = 4; i < o[1]; i += 8) {
			u32 start = model_be(o, i, 4), end = model_be(o, i + 4, 4);

			/* half the circle away counts as behind, in haul_before() */
			if (end - start - 1 <= 0x7fffffff)
				out->sack[out->num_sack++] = (struct haul_block){ start, end };
		}
	}
	return true;
}

static inline bool model_options(const u8 *b, u32 hdrlen, struct haul_options *out)
{
	u32 at = model_fixed(b);
	bool sack_seen = false;

	memset(out, 0, sizeof(*out));
	while (at < hdrlen) {
		u32 len = at + 1 < hdrlen ? b[at + 1] : 0;

		if (len < 2 || at + len > hdrlen)
			return false;
		if (model_fixed(b) == 36 && !model_option(b + at, out, &sack_seen))
			return false;
		at += (len + 3) / 4 * 4;
	}
	return true;
}

static inline void compare_options(const struct haul_options *a, const struct haul_options *b)
{
	CHECK_EQ(a->has_init, b->has_init);
	CHECK_EQ(a->init.tag, b->init.tag);
	CHECK_EQ(a->init.isn, b->init.isn);
	CHECK_EQ(a->init.mss, b->init.mss);
	CHECK_EQ(a->init.flags, b->init.flags);
	CHECK_EQ(a->has_fastopen, b->has_fastopen);
	if (a->has_fastopen) {
		CHECK_EQ(a->fastopen.len, b->fastopen.len);
		CHECK(!memcmp(a->fastopen.cookie, b->fastopen.cookie, a->fastopen.len));
	}
	CHECK_EQ(a->num_sack, b->num_sack);
	CHECK(!memcmp(a->sack, b->sack, a->num_sack * sizeof(a->sack[0])));
}

#endif /* HAUL_SELFTESTS_FUZZ_WIRE_MODEL_H */
