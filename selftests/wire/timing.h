/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests whose subject is time: they run in `scripts/vm --exact`, where nothing but the test
 * takes time and idle time costs nothing. Gaps are measured between reads of the TUN device
 * (struct peer's rx_us).
 *
 * Nothing is early. A connection's timers are late by a few ticks, and by a few more the oftener
 * they are armed on the way (conn/timer.c). A request's are the kernel's: the longer the timeout
 * the coarser, by an eighth at most (kernel/time/timer.c), plus a tick to round up to.
 */
#ifndef HAUL_WIRE_TIMING_H
#define HAUL_WIRE_TIMING_H

#include <stdlib.h>
#include <time.h>

/* hours pass quickly there, and the peer's echoes are true */
#define WIRE_TEST_SECONDS 200000
#define WIRE_RTT_US 0
#include "fixture.h"

#define MS	1000ULL
#define SECOND	1000000ULL

static inline void pause_us(uint64_t us)
{
	struct timespec ts = { .tv_sec = us / SECOND, .tv_nsec = us % SECOND * 1000 };

	while (nanosleep(&ts, &ts))
		;
}

/* expect() waits as long as this takes */
static inline void patience_ms(const char *ms)
{
	setenv("HAUL_WIRE_PATIENCE_MS", ms, 1);
}

#define EXPECT_GAP_WITHIN(us, want, late)		\
	do {						\
		EXPECT_LE((want) - 2 * MS, us);		\
		EXPECT_GE((want) + (late), us);		\
	} while (0)
#define EXPECT_GAP(us, want)		EXPECT_GAP_WITHIN(us, want, (want) / 2000 + 24 * MS)
#define EXPECT_GAP_COARSE(us, want)	EXPECT_GAP_WITHIN(us, want, (want) / 8 + 12 * MS)

/*
 * A connection whose round trip the host has measured as @ms, many times over. The peer's echoes
 * are true here: who wants a long path waits.
 */
static inline int measured(struct peer *p, unsigned int ms)
{
	int listener, fd, i;

	p->mss = 1000;
	listener = host_listen(p->w, p->host_port, 8);
	peer_inject(p, "SYN");
	peer_expect(p, "SYN ACK");
	pause_us(ms * MS);
	peer_inject(p, "ACK init");
	fd = host_accept(p, listener);
	host_close(listener);
	for (i = 0; i < 40; i++) {
		host_write(p, fd, 10);
		expect(p, "ACK len=10");
		pause_us(ms * MS);
		inject(p, "ACK");
	}
	return fd;
}

static inline uint32_t next_rel(const struct peer *p)
{
	return p->rcv_nxt - p->irs;
}

#endif /* HAUL_WIRE_TIMING_H */
