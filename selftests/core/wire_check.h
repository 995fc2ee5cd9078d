/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of wire.c share: parsing where every stray read is seen, and the rules of flags.
 */
#ifndef HAUL_SELFTESTS_CORE_WIRE_CHECK_H
#define HAUL_SELFTESTS_CORE_WIRE_CHECK_H

#include "core/wire.h"
#include "test.h"

/*
 * Parses a copy of exactly @len bytes that starts at an odd address: ASan sees a byte too far,
 * UBSan an aligned load.
 */
static inline enum haul_wire_error parse_bytes(const u8 *bytes, u32 len, u32 total,
					       struct haul_packet *p,
					       struct haul_options *o)
{
	u8 *copy = malloc(len + 1);
	enum haul_wire_error err;

	ASSERT_TRUE(copy);
	memcpy(copy + 1, bytes, len);
	err = haul_wire_parse(copy + 1, len, total, p);
	if (!err) {
		err = haul_wire_parse_options(copy + 1, p->hdrlen, o);
		/* the short way says nothing that the long one does not */
		if (p->kind != HAUL_KIND_DATAGRAM && haul_wire_is_init(copy + 1, p->hdrlen))
			ASSERT_TRUE(!err && o->has_init && !o->has_fastopen && !o->num_sack);
	}
	free(copy);
	return err;
}

/* protocol.rst 1.3, as a list of what is forbidden and not as code that resembles wire.c's */
static inline bool flags_forbidden(u8 kind, u16 f, bool payload)
{
	static const u16 pairs[] = {
		HAUL_SYN | HAUL_FIN, HAUL_SYN | HAUL_RST, HAUL_FIN | HAUL_RST,
	};
	u32 i;

	if (kind == HAUL_KIND_DATAGRAM)
		return f != 0;
	for (i = 0; i < 3; i++)
		if ((f & pairs[i]) == pairs[i])
			return true;
	return !(f & (HAUL_SYN | HAUL_RST | HAUL_ACK)) || ((f & HAUL_RST) && payload) ||
	       ((f & HAUL_REFLECTED) && !(f & HAUL_RST)) ||
	       ((f & HAUL_STATELESS) && !((f & HAUL_SYN) && (f & HAUL_ACK))) ||
	       ((f & HAUL_EOM) && kind != HAUL_KIND_MESSAGE) || ((f & HAUL_EOM) && !payload);
}

#endif /* HAUL_SELFTESTS_CORE_WIRE_CHECK_H */
