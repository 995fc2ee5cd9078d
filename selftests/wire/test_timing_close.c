// SPDX-License-Identifier: GPL-2.0
/* How long what is left of a connection stays: protocol.rst 5 and 6.3. */
#include "timing.h"

WIRE_FIXTURE(rest);

static void reach_time_wait(struct peer *p)
{
	int fd = peer_establish(p);

	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK");
	inject(p, "FIN ACK");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(rest, time_wait_is_60_seconds)
{
	reach_time_wait(p);
	pause_us(59 * SECOND);
	inject(p, "ACK seq=2 len=1");
	expect(p, "ACK seq=2 ack=2");
	pause_us(10 * SECOND);
	inject(p, "ACK seq=2 len=1");
	expect(p, "RST REFLECTED seq=2");
}

WIRE_TEST(rest, msl_can_be_set)
{
	wire_sysctl(w, "haul.msl_ms", "1000");
	reach_time_wait(p);
	pause_us(1900 * MS);
	inject(p, "ACK seq=2 len=1");
	expect(p, "ACK seq=2 ack=2");
	pause_us(500 * MS);
	inject(p, "ACK seq=2 len=1");
	expect(p, "RST REFLECTED seq=2");
}

WIRE_TEST(rest, repeated_fin_begins_time_wait_again)
{
	wire_sysctl(w, "haul.msl_ms", "1000");
	reach_time_wait(p);
	pause_us(1900 * MS);
	inject(p, "FIN ACK seq=1");
	expect(p, "ACK seq=2 ack=2");
	pause_us(1900 * MS);
	inject(p, "ACK seq=2 len=1");
	expect(p, "ACK seq=2 ack=2");
	pause_us(500 * MS);
	inject(p, "ACK seq=2 len=1");
	expect(p, "RST REFLECTED seq=2");
}

WIRE_TEST(rest, other_packets_do_not)
{
	wire_sysctl(w, "haul.msl_ms", "1000");
	reach_time_wait(p);
	pause_us(1900 * MS);
	inject(p, "ACK seq=2 len=1");
	expect(p, "ACK seq=2 ack=2");
	inject(p, "ACK seq=2");
	pause_us(500 * MS);
	inject(p, "ACK seq=2 len=1");
	expect(p, "RST REFLECTED seq=2");
}

WIRE_TEST(rest, orphan_in_fin_wait_2)
{
	int fd;

	wire_sysctl(w, "haul.fin_timeout_ms", "5000");
	fd = peer_establish(p);
	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK");
	pause_us(4900 * MS);
	inject(p, "ACK seq=0");
	expect(p, "ACK seq=2 ack=1");
	pause_us(1000 * MS);
	inject(p, "ACK seq=0");
	expect(p, "RST REFLECTED seq=2");
}

WIRE_TEST(rest, program_in_fin_wait_2_waits_on)
{
	int fd;

	wire_sysctl(w, "haul.fin_timeout_ms", "5000");
	fd = peer_establish(p);
	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK");
	pause_us(100 * SECOND);
	host_expect_state(p, fd, HAUL_FIN_WAIT_2);
	inject(p, "FIN ACK");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(rest, fin_backs_off)
{
	int fd = peer_establish(p), i;
	uint64_t last;

	patience_ms("60000");
	wire_sysctl(w, "haul.orphan_retries", "8");
	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	for (i = 0; i < 4; i++) {
		last = p->rx_us;
		expect(p, "FIN ACK seq=1 ack=1");
		/* the first is a loss probe, after which the timeout begins (RFC 8985 7.3) */
		EXPECT_GAP(p->rx_us - last, i ? 200 * MS << (i - 1) : 200 * MS);
	}
	inject(p, "ACK");
	expect_silence_for(p, 30000);
}

/* Nobody is left to ask for it: an orphan that is not answered goes after fewer attempts. */
WIRE_TEST(rest, orphan_gives_up)
{
	int fd, sent = 0;

	wire_sysctl(w, "haul.orphan_retries", "4");
	fd = peer_establish(p);
	host_close(fd);
	while (peer_receive(p, 60000))
		sent++;
	EXPECT_LE(4, sent);
	EXPECT_GE(7, sent);
	inject(p, "ACK");
	expect(p, "RST REFLECTED seq=2");
}

/* ... and at the next timeout where a router has said that there is no way to the peer. */
WIRE_TEST(rest, orphan_without_a_way)
{
	bool v4 = w->family == AF_INET;

	wire_sysctl(w, "haul.orphan_retries", "8");
	host_close(peer_establish(p));
	expect(p, "FIN ACK seq=1 ack=1");
	/* host unreachable, address unreachable */
	inject_icmp(p, v4 ? 3 : 1, v4 ? 1 : 3, 0, "FIN ACK seq=1");
	/* a loss probe takes the first timeout's place (RFC 8985 7.2) */
	expect(p, "FIN ACK seq=1 ack=1");
	expect_silence_for(p, 1000);
	inject(p, "ACK");
	expect(p, "RST REFLECTED seq=2");
	EXPECT_EQ(1, wire_counter(w, "IcmpSoft"));
	EXPECT_EQ(1, wire_counter(w, "AbortOnTimeout"));
}

TEST_HARNESS_MAIN
