// SPDX-License-Identifier: GPL-2.0
/*
 * Retransmission timeouts, loss probes, RACK's window, when they fire: protocol.rst 4.5 and 6.3.
 */
#include "timing.h"

WIRE_FIXTURE(rto);

/*
 * RFC 6298: SRTT + max(4 RTTVAR, 200 ms), doubled each time, until an acknowledgment of new data.
 * The first time a loss probe takes the timeout's place (RFC 8985 7.2).
 */
WIRE_TEST(rto, backs_off_and_recovers)
{
	int fd = measured(p, 500), i;
	uint32_t seq = next_rel(p);
	uint64_t last, first;

	patience_ms("60000");
	host_write(p, fd, 10);
	expect(p, "ACK seq=%u len=10", seq);
	for (i = 0; i < 6; i++) {
		last = p->rx_us;
		expect(p, "ACK seq=%u len=10", seq);
		EXPECT_GAP(p->rx_us - last, i ? 700 * MS << (i - 1) : 700 * MS);
	}
	EXPECT_EQ(1, host_info(p, fd).tlps);
	EXPECT_EQ(5, host_info(p, fd).timeouts);
	inject(p, "ACK");
	host_write(p, fd, 10);
	expect(p, "ACK seq=%u len=10", seq + 10);
	first = p->rx_us;
	expect(p, "ACK seq=%u len=10", seq + 10);
	EXPECT_GE(3 * SECOND, p->rx_us - first);
	EXPECT_EQ(0, host_info(p, fd).unacked - 10);
}

/* It would put the timeout off to its limit, and one lie is enough for that. */
WIRE_TEST(rto, echo_from_before_the_connection)
{
	int fd = measured(p, 100);
	uint32_t seq = next_rel(p);
	uint64_t last;

	host_write(p, fd, 10);
	expect(p, "ACK seq=%u len=10", seq);
	inject(p, "ACK tsecr=%u", p->rx.tsval - 1000 * (uint32_t)SECOND);
	host_write(p, fd, 10);
	expect(p, "ACK seq=%u len=10", seq + 10);
	last = p->rx_us;
	expect(p, "ACK seq=%u len=10", seq + 10);
	EXPECT_GE(SECOND, p->rx_us - last);
	EXPECT_GE(101 * MS, host_info(p, fd).srtt);
}

/* HAUL_RTO_MIN_US: SRTT and that, for who has little patience; a tick is 4 ms */
WIRE_TEST(rto, floor_of_the_program)
{
	int fd = measured(p, 20), i;
	uint32_t seq = next_rel(p);
	uint64_t last;

	host_option(p, fd, SOL_HAUL, HAUL_RTO_MIN_US, 40000);
	host_write(p, fd, 10);
	for (i = 0; i < 4; i++) {
		last = p->rx_us;
		expect(p, "ACK seq=%u len=10", seq);
		/* the probe in the first one's place, then the timeout and its double */
		if (i)
			EXPECT_GAP(p->rx_us - last, 60 * MS << (i > 1 ? i - 2 : 0));
	}
	EXPECT_EQ(2, host_info(p, fd).timeouts);
}

/* HAUL_RTO_MAX_MS: where doubling ends */
WIRE_TEST(rto, limit_of_the_program)
{
	int fd = measured(p, 100), i;
	uint32_t seq = next_rel(p);
	uint64_t last;

	host_option(p, fd, SOL_HAUL, HAUL_RTO_MAX_MS, 1000);
	host_write(p, fd, 10);
	/* once, by a probe, by timeouts of 300 and 600 ms */
	for (i = 0; i < 4; i++)
		expect(p, "ACK seq=%u len=10", seq);
	for (i = 0; i < 5; i++) {
		last = p->rx_us;
		expect(p, "ACK seq=%u len=10", seq);
		EXPECT_GAP(p->rx_us - last, SECOND);
	}
}

/* the listener's holds for its SYN-ACKs and for what it accepts */
WIRE_TEST(rto, limit_of_the_listener)
{
	int listener = host_listen(w, p->host_port, 8), fd, i;
	uint64_t last;

	host_option(p, listener, SOL_HAUL, HAUL_RTO_MAX_MS, 1000);
	peer_inject(p, "SYN");
	peer_expect(p, "SYN ACK");
	for (i = 0; i < 3; i++) {
		last = p->rx_us;
		peer_expect(p, "SYN ACK");
		EXPECT_GAP_COARSE(p->rx_us - last, SECOND);
	}
	peer_inject(p, "ACK init");
	fd = host_accept(p, listener);
	host_write(p, fd, 10);
	for (i = 0; i < 6; i++) {
		last = p->rx_us;
		expect(p, "ACK len=10");
		if (i > 1)
			EXPECT_GE(SECOND + 24 * MS, p->rx_us - last);
	}
}

WIRE_TEST(rto, gives_up)
{
	int fd, i;
	uint32_t seq;

	wire_sysctl(w, "haul.retries2", "3");
	patience_ms("60000");
	fd = measured(p, 100);
	seq = next_rel(p);
	host_write(p, fd, 10);
	/* once, by a probe, by three timeouts */
	for (i = 0; i < 5; i++)
		expect(p, "ACK seq=%u len=10", seq);
	pause_us(10 * SECOND);
	host_expect_error(p, fd, ETIMEDOUT);
	expect_silence(p);
	EXPECT_EQ(1, wire_counter(w, "AbortOnTimeout"));
}

/*
 * Sends 10 bytes every 50 ms for @ms, unanswered. Returns when @seq was seen for the last time; how
 * often in @copies.
 */
static uint64_t send_on(struct peer *p, int fd, int ms, uint32_t seq, int *copies)
{
	uint64_t last = 0, next;

	*copies = 0;
	for (; ms > 0; ms -= 50) {
		host_write(p, fd, 10);
		next = wire_now_us() + 50 * MS;
		while (wire_now_us() < next) {
			if (!peer_receive(p, 1) || p->rx.seq != p->irs + seq)
				continue;
			last = p->rx_us;
			++*copies;
		}
	}
	return last;
}

/* RFC 6298 5.1: a timer that runs is left alone; who sends now and then can't put it off. */
WIRE_TEST(rto, is_not_put_off_by_sending)
{
	int fd = measured(p, 100), copies;
	uint32_t seq = next_rel(p);
	uint64_t start = wire_now_us(), last;

	host_option(p, fd, SOL_HAUL, HAUL_NODELAY, 1);
	last = send_on(p, fd, 1000, seq, &copies);
	/* after 300 ms the latest again, as a probe; 300 ms later the timeout */
	EXPECT_EQ(2, copies);
	EXPECT_LE(600 * MS - 4 * MS, last - start);
	EXPECT_GE(680 * MS, last - start);
	EXPECT_EQ(1, host_info(p, fd).timeouts);
}

/* RFC 7765: an ACK does not give the next segment a round trip more than RTO. */
WIRE_TEST(rto, restarts_from_when_the_segment_was_sent)
{
	int fd = measured(p, 500);
	uint32_t seq = next_rel(p);
	uint64_t sent;

	host_option(p, fd, SOL_HAUL, HAUL_NODELAY, 1);
	host_write(p, fd, 10);
	expect(p, "ACK seq=%u len=10", seq);
	host_write(p, fd, 10);
	expect(p, "ACK seq=%u len=10", seq + 10);
	sent = p->rx_us;
	pause_us(500 * MS);
	inject(p, "ACK ack=%u", seq + 10);
	expect(p, "ACK seq=%u len=10", seq + 10);
	EXPECT_GAP(p->rx_us - sent, 700 * MS);
}

/* ... but where enough is on its way to tell of a loss, it does (RFC 6298 5.3). */
WIRE_TEST(rto, restarts_in_full_with_four_segments)
{
	int fd = measured(p, 500), i;
	uint32_t seq = next_rel(p);
	uint64_t acked;

	host_option(p, fd, SOL_HAUL, HAUL_NODELAY, 1);
	for (i = 0; i < 5; i++) {
		host_write(p, fd, 10);
		expect(p, "ACK seq=%u len=10", seq + i * 10);
	}
	pause_us(500 * MS);
	inject(p, "ACK ack=%u", seq + 10);
	acked = p->tx_us;
	/* the probe, at the time of the timeout, repeats the last one */
	expect(p, "ACK seq=%u len=10", seq + 40);
	EXPECT_GAP(p->rx_us - acked, 700 * MS);
}

WIRE_TEST(rto, user_timeout)
{
	int fd = measured(p, 100);
	uint64_t start = wire_now_us();

	host_option(p, fd, SOL_HAUL, HAUL_USER_TIMEOUT, 5000);
	host_write(p, fd, 10);
	while (peer_receive(p, 4000))
		EXPECT_GT(start + 7 * SECOND, p->rx_us);
	pause_us(3 * SECOND);
	host_expect_error(p, fd, ETIMEDOUT);
}

/* The window falls to one segment, then slow start (RFC 5681 3.1). */
WIRE_TEST(rto, restarts_from_one_segment)
{
	int fd = measured(p, 100), i;
	uint32_t seq = next_rel(p);

	patience_ms("10000");
	host_write(p, fd, 8000);
	for (i = 0; i < 8; i++)
		expect(p, "ACK seq=%u len=1000", seq + i * 1000);
	/* a loss probe, of the last one */
	expect(p, "ACK seq=%u len=1000", seq + 7000);
	EXPECT_EQ(0, host_info(p, fd).timeouts);
	/* the timeout */
	expect(p, "ACK seq=%u len=1000", seq);
	EXPECT_EQ(1, host_info(p, fd).timeouts);
	EXPECT_EQ(1000, host_info(p, fd).snd_cwnd);
	expect_silence(p);
	inject(p, "ACK ack=%u", seq + 1000);
	expect(p, "ACK seq=%u len=1000", seq + 1000);
	expect(p, "ACK seq=%u len=1000", seq + 2000);
	expect_silence(p);
}

/* The original had only been late: the reduction is taken back (RFC 3522, 4015 3.2). */
WIRE_TEST(rto, spurious_timeout_is_undone)
{
	int fd = measured(p, 100), i;
	uint32_t seq = next_rel(p), tsval;

	patience_ms("10000");
	host_write(p, fd, 4000);
	for (i = 0; i < 4; i++)
		expect(p, "ACK seq=%u len=1000", seq + i * 1000);
	tsval = p->rx.tsval;
	while (!host_info(p, fd).timeouts)
		expect(p, "ACK len=1000");
	inject(p, "ACK ack=%u tsecr=%u", seq + 4000, tsval);
	/* FlightSize + min(acknowledged, initial window); one segment, and what it grew, else */
	EXPECT_EQ(4000, host_info(p, fd).snd_cwnd);
	EXPECT_EQ(1, host_info(p, fd).undos);
	EXPECT_EQ(1, wire_counter(w, "Undos"));
}

/* RFC 8985 7: the last segment again after two round trips, since nothing shows its loss. */
WIRE_TEST(rto, loss_probe)
{
	int fd = measured(p, 100), i;
	uint32_t seq = next_rel(p);
	uint64_t last;

	host_write(p, fd, 5000);
	for (i = 0; i < 5; i++)
		expect(p, "ACK seq=%u len=1000", seq + i * 1000);
	last = p->rx_us;
	expect(p, "ACK seq=%u len=1000", seq + 4000);
	EXPECT_GAP(p->rx_us - last, 200 * MS);
	EXPECT_EQ(1, host_info(p, fd).tlps);
	/* its SACK shows the rest to be lost */
	inject(p, "ACK ack=%u sack=%u-%u", seq, seq + 4000, seq + 5000);
	expect(p, "ACK seq=%u len=1000", seq);
}

/* Reordering within a quarter of the round trip is none (RFC 8985 6). */
WIRE_TEST(rto, rack_waits_for_the_reordered)
{
	int fd = measured(p, 100), i;
	uint32_t seq = next_rel(p);

	host_write(p, fd, 3000);
	for (i = 0; i < 3; i++)
		expect(p, "ACK seq=%u len=1000", seq + i * 1000);
	pause_us(100 * MS);
	inject(p, "ACK ack=%u sack=%u-%u", seq, seq + 1000, seq + 3000);
	expect_silence_for(p, 15);
	inject(p, "ACK ack=%u", seq + 3000);
	expect_silence_for(p, 1000);
	EXPECT_EQ(0, host_info(p, fd).retrans_segs);
}

WIRE_TEST(rto, rack_retransmits_after_the_window)
{
	int fd = measured(p, 100), i;
	uint32_t seq = next_rel(p);
	uint64_t last;

	host_write(p, fd, 3000);
	for (i = 0; i < 3; i++)
		expect(p, "ACK seq=%u len=1000", seq + i * 1000);
	pause_us(100 * MS);
	inject(p, "ACK ack=%u sack=%u-%u", seq, seq + 1000, seq + 3000);
	last = p->tx_us;
	expect(p, "ACK seq=%u len=1000", seq);
	EXPECT_GE(60 * MS, p->rx_us - last);
	EXPECT_EQ(0, host_info(p, fd).timeouts);
}

WIRE_TEST(rto, fin_is_sent_again)
{
	int fd = measured(p, 100);
	uint32_t seq = next_rel(p);

	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK seq=%u len=0", seq);
	expect(p, "FIN ACK seq=%u len=0", seq);
	inject(p, "ACK");
	expect_silence_for(p, 30000);
	host_expect_state(p, fd, HAUL_FIN_WAIT_2);
}

/* Idle for @us, then 10 bytes, acknowledged after 20 ms. */
static void rest_and_write(struct peer *p, int fd, uint64_t us)
{
	pause_us(us);
	host_write(p, fd, 10);
	expect(p, "ACK len=10");
	pause_us(20 * MS);
	inject(p, "ACK");
}

/* The clock behind timestamps has 32 bits (protocol.rst 4.4): past its wrap it goes on. */
WIRE_TEST(rto, clock_that_wraps)
{
	const uint64_t rest = 1000 * SECOND;
	int fd = measured(p, 20);
	uint32_t before;
	uint64_t last;

	/* the latest is that of a packet sent just before its wrap */
	while (-p->rx.tsval > rest)
		rest_and_write(p, fd, rest);
	last = p->rx_us;
	before = p->rx.tsval;
	rest_and_write(p, fd, rest);
	EXPECT_GT(before, p->rx.tsval);
	EXPECT_GAP_WITHIN((uint32_t)(p->rx.tsval - before), p->rx_us - last, 2 * MS);
	EXPECT_GE(25 * MS, host_info(p, fd).srtt);
}

/* Nor does it stand still behind a rest of more than half of its range, as before a keepalive. */
WIRE_TEST(rto, clock_behind_a_long_rest)
{
	const uint64_t rest = 2400 * SECOND;
	int fd = measured(p, 20);
	uint32_t before = p->rx.tsval;
	uint64_t last = p->rx_us;

	rest_and_write(p, fd, rest);
	EXPECT_GAP_WITHIN((uint32_t)(p->rx.tsval - before), p->rx_us - last, 2 * MS);
	before = p->rx.tsval;
	last = p->rx_us;
	rest_and_write(p, fd, SECOND);
	EXPECT_GAP_WITHIN((uint32_t)(p->rx.tsval - before), p->rx_us - last, 2 * MS);
}

WIRE_TEST(rto, cork_lasts_200_ms)
{
	int fd = measured(p, 10);
	uint64_t start;

	host_option(p, fd, SOL_HAUL, HAUL_CORK, 1);
	start = wire_now_us();
	host_write(p, fd, 100);
	expect(p, "ACK len=100");
	EXPECT_GAP(p->rx_us - start, 200 * MS);
}

TEST_HARNESS_MAIN
