/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of what lies between two hosts: whether the kernel and the tools at hand have it, and a
 * conversation that must get through. Behind kselftest_harness.h.
 */
#ifndef HAUL_PATHS_H
#define HAUL_PATHS_H

#include "hosts.h"

#define SOME	300000		/* bytes: many packets, and not too many for the debug kernel */

/* on the host where the caller is */
static inline bool can(const char *what)
{
	char command[1024];

	snprintf(command, sizeof(command), "(%s) >/dev/null 2>&1", what);
	return !system(command);
}

/* both ways, then the end of both */
static inline void converse(struct __test_metadata *_metadata, struct pair *p)
{
	char c;

	transfer(p->client, p->server, SOME);
	transfer(p->server, p->client, SOME);
	shutdown(p->client, SHUT_WR);
	ASSERT_TRUE(poll_for(p->server, POLLIN, 10000));
	EXPECT_EQ(0, recv(p->server, &c, 1, 0));
	transfer(p->server, p->client, SOME);
	EXPECT_EQ(0, error_of(p->client));
	EXPECT_EQ(0, error_of(p->server));
	done(p);
}

#endif /* HAUL_PATHS_H */
