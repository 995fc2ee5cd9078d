// SPDX-License-Identifier: GPL-2.0
/*
 * When small writes become segments (TEXTBOOK 16) and segments acknowledgments: Nagle, no delay,
 * cork, more to come, delayed ACKs. Seen in the counts of HAUL_INFO. Listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

#define WRITES	10

HOSTS_FIXTURE(small_writes);

static void write_bytes(int fd, int num, int flags)
{
	while (num--)
		if (send(fd, "w", 1, flags) != 1)
			die("send");
}

static void read_bytes(int fd, int num)
{
	char buf[256];

	if (recv(fd, buf, num, MSG_WAITALL) != num)
		die("recv %d", num);
}

static uint64_t data_segs(int fd)
{
	return info_of(fd).data_segs_out;
}

/* the first goes at once, the others wait for its acknowledgment and go together (RFC 896) */
TEST_F(small_writes, nagle)
{
	struct pair p = connected(variant->family);

	link_set("delay 50ms");
	write_bytes(p.client, WRITES, 0);
	EXPECT_EQ(1, data_segs(p.client));
	read_bytes(p.server, WRITES);
	EXPECT_EQ(2, data_segs(p.client));
	done(&p);
}

TEST_F(small_writes, no_delay)
{
	struct pair p = connected(variant->family);

	EXPECT_EQ(0, option_of(p.client, SOL_HAUL, HAUL_NODELAY));
	option(p.client, SOL_HAUL, HAUL_NODELAY, 1);
	link_set("delay 50ms");
	write_bytes(p.client, WRITES, 0);
	EXPECT_EQ(WRITES, data_segs(p.client));
	read_bytes(p.server, WRITES);
	EXPECT_EQ(WRITES, data_segs(p.client));
	done(&p);
}

/* switching the delay off sends what waits */
TEST_F(small_writes, no_delay_sends_what_waits)
{
	struct pair p = connected(variant->family);

	link_set("delay 50ms");
	write_bytes(p.client, WRITES, 0);
	EXPECT_EQ(1, data_segs(p.client));
	option(p.client, SOL_HAUL, HAUL_NODELAY, 1);
	EXPECT_EQ(2, data_segs(p.client));
	read_bytes(p.server, WRITES);
	done(&p);
}

/* nor does the odd end of a first write wait for its full segments, though INIT shortens each */
TEST_F(small_writes, nagle_lets_the_first_writes_end_go)
{
	static char buf[3000];
	struct pair p;

	single_segments();
	p = connected(variant->family);
	link_set("delay 50ms");
	if (send(p.client, buf, sizeof(buf), 0) != sizeof(buf))
		die("send");
	EXPECT_EQ(3, data_segs(p.client));
	if (recv(p.server, buf, sizeof(buf), MSG_WAITALL) != sizeof(buf))
		die("recv");
	done(&p);
}

/* full segments never wait */
TEST_F(small_writes, nagle_lets_full_segments_go)
{
	struct pair p = connected(variant->family);
	static char buf[20000];
	uint32_t mss;

	link_set("delay 50ms");
	write_bytes(p.client, 1, 0);
	mss = info_of(p.client).snd_mss;
	ASSERT_EQ(3 * mss + 10, send(p.client, buf, 3 * mss + 10, 0));
	/* the client repeats INIT (16 bytes) until confirmed: those segments hold less */
	EXPECT_EQ(1 + 3, data_segs(p.client));
	done(&p);
}

TEST_F(small_writes, cork)
{
	struct pair p = connected(variant->family);
	uint64_t start;

	option(p.client, SOL_HAUL, HAUL_CORK, 1);
	write_bytes(p.client, WRITES, 0);
	EXPECT_EQ(0, data_segs(p.client));
	EXPECT_EQ(WRITES, info_of(p.client).notsent);
	pause_us(100 * MS);
	EXPECT_EQ(0, data_segs(p.client));
	option(p.client, SOL_HAUL, HAUL_CORK, 0);
	EXPECT_EQ(1, data_segs(p.client));
	read_bytes(p.server, WRITES);
	/* at most 200 ms */
	option(p.client, SOL_HAUL, HAUL_CORK, 1);
	start = now_us();
	write_bytes(p.client, 1, 0);
	read_bytes(p.server, 1);
	EXPECT_TOOK(200 * MS, now_us() - start);
	done(&p);
}

TEST_F(small_writes, more_to_come)
{
	struct pair p = connected(variant->family);

	write_bytes(p.client, WRITES, MSG_MORE);
	EXPECT_EQ(0, data_segs(p.client));
	write_bytes(p.client, 1, 0);
	EXPECT_EQ(1, data_segs(p.client));
	read_bytes(p.server, WRITES + 1);
	done(&p);
}

/* FIN carries what was held back */
TEST_F(small_writes, shutdown_sends_what_waits)
{
	struct pair p = connected(variant->family);

	option(p.client, SOL_HAUL, HAUL_CORK, 1);
	write_bytes(p.client, WRITES, 0);
	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	EXPECT_EQ(1, data_segs(p.client));
	read_bytes(p.server, WRITES);
	done(&p);
}

/* one small segment is acknowledged within 200 ms though nothing goes back */
TEST_F(small_writes, acknowledgment_is_delayed_but_comes)
{
	struct pair p = connected(variant->family);
	uint64_t start;
	int i;

	/* past the start, when acknowledgments are not delayed yet */
	for (i = 0; i < 40; i++) {
		write_bytes(p.client, 1, 0);
		read_bytes(p.server, 1);
		write_bytes(p.server, 1, 0);
		read_bytes(p.client, 1);
	}
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked && !info_of(p.server).unacked));
	write_bytes(p.client, 1, 0);
	start = now_us();
	EXPECT_EQ(1, info_of(p.client).unacked);
	while (info_of(p.client).unacked && now_us() < start + SECOND)
		pause_us(1 * MS);
	EXPECT_GE(230 * MS, now_us() - start);
	EXPECT_EQ(0, info_of(p.client).retransmits);
	EXPECT_LE(1, counter(far_host, "DelayedAcks"));
	done(&p);
}

/* request and answer: the acknowledgment rides on the answer, a packet for each and none beside */
TEST_F(small_writes, acknowledgment_rides_on_the_answer)
{
	struct pair p = connected(variant->family);
	long before = 0, i;

	for (i = 0; i < 140; i++) {
		if (i == 40)
			before = counter(near_host, "OutSegs") + counter(far_host, "OutSegs");
		write_bytes(p.client, 1, 0);
		read_bytes(p.server, 1);
		write_bytes(p.server, 1, 0);
		read_bytes(p.client, 1);
	}
	/* 100 exchanges, 200 packets, but for a few */
	EXPECT_GE(210, counter(near_host, "OutSegs") + counter(far_host, "OutSegs") - before);
	done(&p);
}

/* much data: about every second full segment is acknowledged, not each one, not none */
TEST_F(small_writes, bulk_is_acknowledged_every_second_segment)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	p = connected(variant->family);
	link_set("delay 10ms rate 20mbit");
	transfer(p.client, p.server, 1000000);
	info = info_of(p.server);
	EXPECT_GE(info.data_segs_in * 3 / 4, info.segs_out);
	EXPECT_LE(info.data_segs_in / 4, info.segs_out);
	done(&p);
}

TEST_HARNESS_MAIN
