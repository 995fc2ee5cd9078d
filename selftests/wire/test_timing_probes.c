// SPDX-License-Identifier: GPL-2.0
/*
 * Persist and keepalive, when they ask and when they give up: protocol.rst 4.3 and 6.3.
 */
#include "timing.h"

WIRE_FIXTURE(probe);

static int zero_window(struct peer *p)
{
	int fd = measured(p, 100);

	inject(p, "ACK win=0");
	host_write(p, fd, 1000);
	return fd;
}

/* Doubled intervals, up to two minutes. */
WIRE_TEST(probe, zero_window)
{
	int fd = zero_window(p), i;
	uint32_t seq = next_rel(p);
	uint64_t last = wire_now_us(), want;

	patience_ms("200000");
	for (i = 0; i < 12; i++) {
		expect(p, "ACK seq=%u len=0", seq - 1);
		want = 300 * MS << i;
		EXPECT_GAP(p->rx_us - last, want < 120 * SECOND ? want : 120 * SECOND);
		last = p->rx_us;
	}
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	inject(p, "ACK win=5000");
	expect(p, "ACK seq=%u len=1000", seq);
}

WIRE_TEST(probe, answered_ones_never_give_up)
{
	int fd, i;

	wire_sysctl(w, "haul.retries2", "3");
	patience_ms("200000");
	fd = zero_window(p);
	for (i = 0; i < 30; i++) {
		expect(p, "ACK len=0");
		inject(p, "ACK win=0");
	}
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

/* nobody waits for it any more: what a peer never takes is not kept for ever */
WIRE_TEST(probe, answered_ones_of_an_orphan_give_up)
{
	int fd, probes = 0;

	patience_ms("200000");
	fd = zero_window(p);
	host_close(fd);
	while (peer_receive(p, 200000) && !(p->rx.flags & F_RST) && probes < 30) {
		probes++;
		inject(p, "ACK win=0");
	}
	EXPECT_TRUE(p->rx.flags & F_RST);
	EXPECT_LE(8, probes);
	EXPECT_GE(10, probes);
	EXPECT_EQ(1, wire_counter(w, "AbortOnTimeout"));
	inject(p, "ACK win=0");
	expect(p, "RST REFLECTED");
}

/* HAUL_RTO_MAX_MS: probes are soon as far apart as they get, which is no reason to leave sooner */
WIRE_TEST(probe, limit_of_the_program_and_an_orphan)
{
	int fd, probes = 0;
	uint64_t last;

	wire_sysctl(w, "haul.orphan_retries", "8");
	patience_ms("200000");
	fd = zero_window(p);
	host_option(p, fd, SOL_HAUL, HAUL_RTO_MAX_MS, 1000);
	host_close(fd);
	last = wire_now_us();
	while (peer_receive(p, 200000) && !(p->rx.flags & F_RST) && probes < 30) {
		if (++probes > 3)
			EXPECT_GAP(p->rx_us - last, SECOND);
		last = p->rx_us;
		inject(p, "ACK win=0");
	}
	EXPECT_TRUE(p->rx.flags & F_RST);
	EXPECT_LE(8, probes);
	EXPECT_GE(10, probes);
}

WIRE_TEST(probe, unanswered_ones_give_up)
{
	int fd, i;

	wire_sysctl(w, "haul.retries2", "3");
	patience_ms("200000");
	fd = zero_window(p);
	for (i = 0; i < 3; i++)
		expect(p, "ACK len=0");
	expect_silence_for(p, 10000);
	host_expect_error(p, fd, ETIMEDOUT);
}

/* RFC 5482: the program's own limit holds for a window that stays closed, too. */
WIRE_TEST(probe, user_timeout)
{
	int fd = zero_window(p), probes = 0;
	uint64_t start = wire_now_us();

	host_option(p, fd, SOL_HAUL, HAUL_USER_TIMEOUT, 5000);
	while (peer_receive(p, 4000)) {
		EXPECT_GT(start + 6 * SECOND, p->rx_us);
		probes++;
	}
	/* after 0.3, 0.9, 2.1 and 4.5 seconds; none is added because time is up */
	EXPECT_EQ(4, probes);
	host_expect_error(p, fd, ETIMEDOUT);
	EXPECT_EQ(1, wire_counter(w, "AbortOnTimeout"));
}

/* A lost window update: the probe's answer brings it. */
WIRE_TEST(probe, finds_the_open_window)
{
	int fd = zero_window(p);
	uint32_t seq = next_rel(p);

	expect(p, "ACK seq=%u len=0", seq - 1);
	inject(p, "ACK win=10000");
	expect(p, "ACK seq=%u len=1000", seq);
	inject(p, "ACK");
	expect_silence_for(p, 60000);
	EXPECT_EQ(0, host_info(p, fd).unacked);
}

static int keepalive(struct peer *p)
{
	int fd = measured(p, 20);

	host_option(p, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	host_option(p, fd, SOL_HAUL, HAUL_KEEPIDLE, 10);
	host_option(p, fd, SOL_HAUL, HAUL_KEEPINTVL, 5);
	host_option(p, fd, SOL_HAUL, HAUL_KEEPCNT, 3);
	return fd;
}

WIRE_TEST(probe, keepalive_gives_up)
{
	uint64_t start = wire_now_us(), last;
	int fd = keepalive(p), i;

	patience_ms("30000");
	start = p->tx_us;
	expect(p, "ACK seq=%u len=0", next_rel(p) - 1);
	EXPECT_GAP(p->rx_us - start, 10 * SECOND);
	for (i = 0; i < 2; i++) {
		last = p->rx_us;
		expect(p, "ACK seq=%u len=0", next_rel(p) - 1);
		EXPECT_GAP(p->rx_us - last, 5 * SECOND);
	}
	last = p->rx_us;
	expect(p, "RST ACK");
	EXPECT_GAP(p->rx_us - last, 5 * SECOND);
	host_expect_error(p, fd, ETIMEDOUT);
}

WIRE_TEST(probe, keepalive_answered)
{
	int fd = keepalive(p), i;
	uint64_t last;

	patience_ms("30000");
	for (i = 0; i < 10; i++) {
		last = p->tx_us;
		expect(p, "ACK seq=%u len=0", next_rel(p) - 1);
		EXPECT_GAP(p->rx_us - last, 10 * SECOND);
		inject(p, "ACK");
	}
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

/* deadlines are counted modulo 76 hours: one that has passed long ago is due, not far ahead */
WIRE_TEST(probe, keepalive_after_days)
{
	int fd = measured(p, 20);
	uint64_t last;

	expect_silence_for(p, 39 * 3600 * 1000);
	host_option(p, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	host_option(p, fd, SOL_HAUL, HAUL_KEEPIDLE, 10);
	last = wire_now_us();
	expect(p, "ACK seq=%u len=0", next_rel(p) - 1);
	EXPECT_GE(SECOND, p->rx_us - last);
}

WIRE_TEST(probe, no_keepalive_unless_asked_for)
{
	measured(p, 20);
	expect_silence_for(p, 3 * 3600 * 1000);
}

TEST_HARNESS_MAIN
