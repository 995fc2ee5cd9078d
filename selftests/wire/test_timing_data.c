// SPDX-License-Identifier: GPL-2.0
/*
 * Retransmission timeouts, loss probes, delayed ACKs, persist, keepalive: protocol.rst 4.5 and 6.3.
 */
#include "timing.h"

WIRE_FIXTURE(rto);
WIRE_FIXTURE(ack);
WIRE_FIXTURE(probe);

/*
 * A connection whose round trip the host has measured as @ms, many times over. The peer's echoes
 * are true here: who wants a long path waits.
 */
static int measured(struct peer *p, unsigned int ms)
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

static uint32_t next_rel(const struct peer *p)
{
	return p->rcv_nxt - p->irs;
}

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

/* ---- acknowledging ---- */

/* Never later than 200 ms (RFC 9293 allows 500); and when the program answers, not at once. */
WIRE_TEST(ack, is_delayed_but_not_for_long)
{
	int fd = measured(p, 20), i, delayed = 0;
	uint64_t gap;

	for (i = 0; i < 60; i++) {
		inject(p, "ACK len=100");
		expect(p, "ACK len=0 ack=@0x%x", p->snd_nxt);
		gap = p->rx_us - p->tx_us;
		EXPECT_GE(230 * MS, gap);
		delayed += gap > 10 * MS;
		host_read(p, fd, 100);
		host_write(p, fd, 10);
		expect(p, "ACK len=10");
		pause_us(20 * MS);
		inject(p, "ACK");
	}
	EXPECT_LE(10, delayed);
}

/* HAUL_DELACK_MAX_US: less than the 40 ms that a delay otherwise begins with */
WIRE_TEST(ack, delay_of_the_program)
{
	int fd = measured(p, 20), i, delayed = 0;
	uint64_t gap;

	host_option(p, fd, SOL_HAUL, HAUL_DELACK_MAX_US, 8000);
	for (i = 0; i < 60; i++) {
		inject(p, "ACK len=100");
		expect(p, "ACK len=0 ack=@0x%x", p->snd_nxt);
		gap = p->rx_us - p->tx_us;
		EXPECT_GE(30 * MS, gap);
		delayed += gap >= 8 * MS;
		host_read(p, fd, 100);
		host_write(p, fd, 10);
		expect(p, "ACK len=10");
		pause_us(20 * MS);
		inject(p, "ACK");
	}
	EXPECT_LE(10, delayed);
}

WIRE_TEST(ack, rides_on_data)
{
	int fd = measured(p, 20), i, alone = 0;

	for (i = 0; i < 60; i++) {
		inject(p, "ACK len=100");
		host_read(p, fd, 100);
		host_write(p, fd, 10);
		do
			expect(p, "ACK ack=@0x%x", p->snd_nxt);
		while (!p->rx.len && ++alone);
		pause_us(20 * MS);
		inject(p, "ACK");
	}
	/* those of the first, quick ones apart */
	EXPECT_GE(20, alone);
}

/* Every second full-sized segment at the latest (RFC 5681 4.2). */
WIRE_TEST(ack, every_second_segment)
{
	int fd = measured(p, 20), i;
	uint64_t start;

	for (i = 0; i < 40; i++) {
		inject(p, "ACK len=1000");
		inject(p, "ACK len=1000");
		start = p->tx_us;
		do
			expect(p, "ACK len=0");
		while (p->rx.ack != p->snd_nxt);
		EXPECT_GE(10 * MS, p->rx_us - start);
		host_read(p, fd, 2000);
		while (peer_receive(p, 1))
			;
	}
}

/* A question of two segments, read; returns how many ACKs without data came before the answer's. */
static int ask(struct peer *p, int fd)
{
	int alone = 0;

	inject(p, "ACK len=1000");
	inject(p, "ACK PSH len=1000");
	host_read(p, fd, 2000);
	host_write(p, fd, 10);
	do
		expect(p, "ACK");
	while (!p->rx.len && ++alone);
	pause_us(20 * MS);
	inject(p, "ACK");
	return alone;
}

/* Where answers are prompt the ACK of a question waits for the next one, but not for long. */
WIRE_TEST(ack, of_a_question_rides_on_a_prompt_answer)
{
	int fd = measured(p, 20), i;

	/* the first, quick ones */
	for (i = 0; i < 20; i++)
		ask(p, fd);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, ask(p, fd));
	inject(p, "ACK len=1000");
	inject(p, "ACK PSH len=1000");
	expect(p, "ACK len=0 ack=@0x%x", p->snd_nxt);
	EXPECT_LE(400, p->rx_us - p->tx_us);
	EXPECT_GE(10 * MS, p->rx_us - p->tx_us);
	host_read(p, fd, 2000);
	/* it was in vain: the next one is acknowledged at once */
	EXPECT_EQ(1, ask(p, fd));
	EXPECT_EQ(0, ask(p, fd));
}

/* A question that is less than a segment waits for its answer from the first on. */
WIRE_TEST(ack, of_a_first_small_question_rides_on_its_answer)
{
	int fd = measured(p, 20), i;

	for (i = 0; i < 3; i++) {
		inject(p, "ACK PSH len=100");
		host_read(p, fd, 100);
		host_write(p, fd, 10);
		expect(p, "ACK len=10 ack=@0x%x", p->snd_nxt);
		pause_us(20 * MS);
		inject(p, "ACK");
	}
	inject(p, "ACK PSH len=100");
	expect(p, "ACK len=0 ack=@0x%x", p->snd_nxt);
	EXPECT_LE(400, p->rx_us - p->tx_us);
	EXPECT_GE(10 * MS, p->rx_us - p->tx_us);
	host_read(p, fd, 100);
}

/* A FIN's ACK rides on ours if the program has been waiting to close, and else comes alone. */
WIRE_TEST(ack, of_a_fin_rides_on_ours)
{
	int fd = measured(p, 20);

	inject(p, "FIN ACK");
	host_close(fd);
	expect(p, "FIN ACK len=0 ack=@0x%x", p->snd_nxt);
}

WIRE_TEST(ack, of_a_fin_does_not_wait_for_long)
{
	int fd = measured(p, 20);

	inject(p, "FIN ACK");
	expect(p, "ACK len=0 ack=@0x%x", p->snd_nxt);
	EXPECT_LE(400, p->rx_us - p->tx_us);
	EXPECT_GE(10 * MS, p->rx_us - p->tx_us);
	host_expect_state(p, fd, HAUL_CLOSE_WAIT);
}

WIRE_TEST(ack, out_of_order_and_fin_at_once)
{
	int fd = measured(p, 20);
	uint32_t seq = p->snd_nxt - p->iss;

	inject(p, "ACK seq=%u len=100", seq + 100);
	expect(p, "ACK len=0 ack=%u sack=*", seq);
	EXPECT_GE(10 * MS, p->rx_us - p->tx_us);
	inject(p, "ACK len=100");
	expect(p, "ACK len=0 ack=%u", seq + 200);
	EXPECT_GE(10 * MS, p->rx_us - p->tx_us);
	host_read(p, fd, 200);
	inject(p, "FIN ACK seq=%u", seq + 200);
	expect(p, "ACK ack=%u", seq + 201);
	EXPECT_GE(10 * MS, p->rx_us - p->tx_us);
}

/* RFC 7323's clock runs out after 30 minutes of silence. */
WIRE_TEST(ack, paws_expires)
{
	int fd = measured(p, 20);
	uint32_t seq = p->snd_nxt - p->iss;

	pause_us(29 * 60 * SECOND);
	inject(p, "ACK seq=%u len=10 tsval=-1000", seq);
	expect(p, "ACK len=0 ack=%u", seq);
	pause_us(2 * 60 * SECOND);
	inject(p, "ACK len=10 tsval=-1000");
	expect(p, "ACK len=0 ack=%u", seq + 10);
	host_read(p, fd, 10);
}

WIRE_TEST(ack, challenges_come_back_after_a_second)
{
	int i;

	wire_sysctl(w, "haul.challenge_limit", "2");
	measured(p, 20);
	for (i = 0; i < 3; i++) {
		inject(p, "SYN seq=1");
		expect(p, "ACK len=0");
		inject(p, "SYN seq=1");
		expect(p, "ACK len=0");
		inject(p, "SYN seq=1");
		expect_silence(p);
		pause_us(SECOND + 100 * MS);
	}
}

/* ---- SACK ---- */

#define PIECES		400U
#define FLOOD		20

static void drain(struct peer *p)
{
	while (peer_receive(p, 50))
		;
}

/* ns that an ACK with @blocks blocks takes, each of which is of nearly all that is outstanding */
static uint64_t sack_cost(struct peer *p, uint32_t base, unsigned int blocks)
{
	char text[1024] = "";
	uint64_t start, took;
	unsigned int i;

	for (i = 0; i < blocks; i++)
		sprintf(text + strlen(text), "%s%u-%u", i ? "," : "", base + (1 + i) * 1000,
			base + (PIECES - 40 + i) * 1000);
	start = wire_now_us();
	for (i = 0; i < FLOOD; i++)
		inject(p, "ACK ack=%u sack=%s", base, text);
	took = wire_now_us() - start;
	drain(p);
	return took * 1000 / FLOOD;
}

/* a peer that names the same packets in each block does not have us look at them for each */
WIRE_TEST(ack, blocks_are_looked_at_once)
{
	uint64_t one, many;
	uint32_t base, i;
	char text[1024];
	int fd;

	wire_sysctl(w, "haul.initial_cwnd", "1000");
	p->window = 4 << 20;
	fd = measured(p, 20);
	host_option(p, fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
	base = next_rel(p);
	host_write(p, fd, PIECES * 1000);
	expect_data(p, base + PIECES * 1000);
	/* every second one: each is a packet of its own then */
	for (i = 1; i + 1 < PIECES; i += 2) {
		sprintf(text, "%u-%u", base + i * 1000, base + (i + 1) * 1000);
		inject(p, "ACK ack=%u sack=%s", base, text);
		if (i % 50 == 1)
			drain(p);
	}
	drain(p);
	sack_cost(p, base, 1);
	one = sack_cost(p, base, 1);
	many = sack_cost(p, base, 31);
	TH_LOG("ns for an ACK with 1 block: %llu, with 31: %llu", (unsigned long long)one,
	       (unsigned long long)many);
	/* the harness reads and writes the others, too */
	EXPECT_GE(one + 60000, many);
}

/* ---- probes ---- */

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
