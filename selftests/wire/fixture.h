/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each packet-level test starts from: a namespace, a cable and a peer, once for IPv4 and once
 * for IPv6.
 *
 *	WIRE_FIXTURE(close);
 *	WIRE_TEST(close, host_first)
 *	{
 *		...				p is the peer, w the cable
 *	}
 */
#ifndef HAUL_WIRE_FIXTURE_H
#define HAUL_WIRE_FIXTURE_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "wire.h"
#include "../families.h"

/* how long a case may take */
#ifndef WIRE_TEST_SECONDS
#define WIRE_TEST_SECONDS 120
#endif
/* how long the path looks to the host, without its being so */
#ifndef WIRE_RTT_US
#define WIRE_RTT_US 200000
#endif

#define WIRE_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct wire w;						\
		struct peer p;						\
	};								\
	FAMILIES(name);							\
	FIXTURE_SETUP(name)						\
	{								\
		wire_open(&self->w, variant->family);			\
		peer_open(&self->p, &self->w);				\
		self->p.rtt_us = WIRE_RTT_US;				\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		close(self->w.tun);					\
	}								\
	struct name##_needs_a_semicolon

#define WIRE_TEST(fixture, name)					\
	static void run_##fixture##_##name(struct __test_metadata *_metadata, \
					   struct wire *w, struct peer *p); \
	TEST_F_TIMEOUT(fixture, name, WIRE_TEST_SECONDS)		\
	{								\
		run_##fixture##_##name(_metadata, &self->w, &self->p);	\
	}								\
	static void run_##fixture##_##name(struct __test_metadata *_metadata, \
					   struct wire *w, struct peer *p)

#endif /* HAUL_WIRE_FIXTURE_H */
