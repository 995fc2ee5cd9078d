// SPDX-License-Identifier: GPL-2.0
/*
 * Delayed ACKs and what they ride on, PAWS and challenges, when they are sent; what SACK blocks
 * cost: protocol.rst 4.4, 4.6 and 6.3.
 */
#include "timing.h"

WIRE_FIXTURE(ack);

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

TEST_HARNESS_MAIN
