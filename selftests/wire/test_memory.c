// SPDX-License-Identifier: GPL-2.0
/*
 * What strangers' packets take of memory is accounted as long as it is there: to the socket, to
 * net.haul.mem.
 */
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include "fixture.h"

#define SEGMENT	1000
#define HELD	20		/* twice that many segments are less than the first window */

WIRE_FIXTURE(memory);

/* bytes that the socket holds to receive; @granted: what it has been granted and does not use */
static long received_memory(int fd, int *granted)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		return -1;
	*granted = (int)info[SK_MEMINFO_FWD_ALLOC];
	return info[SK_MEMINFO_RMEM_ALLOC];
}

/* what waited out of order becomes readable: it takes as much memory as before, and is accounted */
WIRE_TEST(memory, of_a_filled_hole)
{
	int fd, i, granted = 0;
	long held;

	fd = peer_establish(p);
	/* holes between them: they are not merged */
	for (i = 0; i < HELD; i++) {
		inject(p, "ACK seq=%d len=%d", 1 + SEGMENT + 2 * i * SEGMENT, SEGMENT);
		expect(p, "ACK ack=1 sack=*");
	}
	held = received_memory(fd, &granted);
	EXPECT_LT(HELD * SEGMENT, held);
	EXPECT_LE(0, granted);
	/* from the last one: each fills a hole, the first one makes all of it readable */
	for (i = HELD - 1; i >= 0; i--) {
		inject(p, "ACK seq=%d len=%d", 1 + 2 * i * SEGMENT, SEGMENT);
		expect(p, "ACK sack=?");
	}
	held = received_memory(fd, &granted);
	EXPECT_LT(2 * HELD * SEGMENT, held);
	EXPECT_LE(0, granted) {
		TH_LOG("%ld bytes held, %d granted", held, granted);
	}
	host_read(p, fd, 2 * HELD * SEGMENT);
	held = received_memory(fd, &granted);
	EXPECT_EQ(0, held);
	EXPECT_LE(0, granted);
	EXPECT_GT(4096, granted);
}

TEST_HARNESS_MAIN
