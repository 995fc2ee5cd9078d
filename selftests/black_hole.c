// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are too big for the path and vanish, since no ICMP comes back (RFC 8899 4.3): a veth
 * drops what its other end's MTU does not allow, and says nothing. Listed in ./exact.
 */
#include "timing.h"
#include "hosts.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(black_hole);

/* from now on: larger packets to far are lost. What far announced it took stands */
static void narrow(int mtu)
{
	run_at(far_host, "ip link set far0 mtu %d", mtu);
}

/* a connection whose packets leave one by one: a large segment would be let through whole */
static struct pair unmerged(int family)
{
	single_segments();
	link_set("delay 10ms");
	return connected(family);
}

/* @bytes from near to far; how long that took */
static uint64_t time_to_send(struct flow *f, uint64_t bytes)
{
	uint64_t start = now_us();

	flow_run(f, f->sent + bytes, 65536, 65536);
	if (!wait_until(!info_of(f->from).unacked))
		die("not acknowledged");
	return now_us() - start;
}

/* from the beginning: found once, after three timeouts, and remembered */
TEST_F(black_hole, from_the_beginning)
{
	struct pair p = unmerged(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	struct haul_info info;
	uint64_t rto = info_of(p.client).rto;

	EXPECT_EQ(1500, info_of(p.client).pmtu);
	narrow(1400);
	/* a loss probe, and 1 + 2 + 4 timeouts */
	EXPECT_GE(9 * rto + SECOND, time_to_send(&f, 300000));
	info = info_of(p.client);
	EXPECT_EQ(1280, info.pmtu);
	EXPECT_EQ(HAUL_INFO_BLACK_HOLE, info.options & HAUL_INFO_BLACK_HOLE);
	EXPECT_EQ(3, info.timeouts);
	EXPECT_EQ(1, counter(near_host, "BlackHoles"));
	EXPECT_GE(SECOND, time_to_send(&f, 300000));
	EXPECT_EQ(3, info_of(p.client).timeouts);
	done(&p);
}

/* later: full segments had arrived, so they are given a second chance, and no third */
TEST_F(black_hole, in_the_middle)
{
	struct pair p = unmerged(variant->family);
	struct flow f = { .from = p.client, .to = p.server };

	time_to_send(&f, 300000);
	EXPECT_EQ(0, info_of(p.client).timeouts);
	narrow(1400);
	time_to_send(&f, 300000);
	EXPECT_EQ(1280, info_of(p.client).pmtu);
	EXPECT_EQ(2, counter(near_host, "BlackHoles"));
	EXPECT_GE(SECOND, time_to_send(&f, 300000));
	EXPECT_EQ(2, counter(near_host, "BlackHoles"));
	done(&p);
}

/* a path that was cut and comes back has the MTU that it had */
TEST_F(black_hole, cut_path_is_none)
{
	struct pair p = unmerged(variant->family);
	struct flow f = { .from = p.client, .to = p.server };

	time_to_send(&f, 300000);
	cut(true);
	flow_send(&f, f.sent + 50000, 50000);
	pause_us(10 * SECOND);
	EXPECT_GT(1500, info_of(p.client).pmtu);
	cut(false);
	time_to_send(&f, 300000);
	EXPECT_EQ(1500, info_of(p.client).pmtu);
	EXPECT_EQ(0, info_of(p.client).options & HAUL_INFO_BLACK_HOLE);
	done(&p);
}

/* a timeout of what is small says nothing about what is large */
TEST_F(black_hole, small_segments_tell_nothing)
{
	struct pair p = unmerged(variant->family);
	struct flow f = { .from = p.client, .to = p.server };

	cut(true);
	flow_send(&f, f.sent + 500, 500);
	pause_us(10 * SECOND);
	EXPECT_LE(4, info_of(p.client).timeouts);
	EXPECT_EQ(1500, info_of(p.client).pmtu);
	EXPECT_EQ(0, counter(near_host, "BlackHoles"));
	cut(false);
	time_to_send(&f, 1000);
	done(&p);
}

/* the larger size is tried again after ten minutes; here it has become possible */
TEST_F_TIMEOUT(black_hole, ends, 1200)
{
	struct pair p = unmerged(variant->family);
	struct flow f = { .from = p.client, .to = p.server };

	narrow(1400);
	time_to_send(&f, 300000);
	EXPECT_EQ(1280, info_of(p.client).pmtu);
	narrow(1500);
	pause_us(590 * SECOND);
	time_to_send(&f, 3000);
	EXPECT_EQ(1280, info_of(p.client).pmtu);
	pause_us(15 * SECOND);
	time_to_send(&f, 3000);
	EXPECT_EQ(1500, info_of(p.client).pmtu);
	EXPECT_EQ(1, counter(near_host, "BlackHoles"));
	done(&p);
}

TEST_F(black_hole, can_be_switched_off)
{
	struct pair p = unmerged(variant->family);
	struct flow f = { .from = p.client, .to = p.server };

	setting(near_host, "black_hole_timeouts", 0);
	narrow(1400);
	flow_send(&f, 50000, 50000);
	pause_us(20 * SECOND);
	EXPECT_EQ(1500, info_of(p.client).pmtu);
	EXPECT_EQ(0, counter(near_host, "BlackHoles"));
	narrow(1500);
	time_to_send(&f, 50000);
	done(&p);
}

/* as long as it may be: IPv6 is not tried with less than RFC 8200 5 promises */
TEST_F(black_hole, not_below_1280)
{
	struct pair p;
	struct flow f;

	if (variant->family == AF_INET)
		SKIP(return, "IPv4 goes down to 576");
	p = unmerged(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	cut(true);
	flow_send(&f, 50000, 50000);
	pause_us(20 * SECOND);
	EXPECT_LE(5, info_of(p.client).timeouts);
	EXPECT_EQ(1280, info_of(p.client).pmtu);
	EXPECT_EQ(1, counter(near_host, "BlackHoles"));
	cut(false);
	time_to_send(&f, 50000);
	done(&p);
}

/* down to what every host takes; IPv6 has a link at 1280 */
TEST_F(black_hole, below_1280)
{
	struct pair p;
	struct flow f;

	if (variant->family == AF_INET6)
		SKIP(return, "IPv6 has no such links");
	p = unmerged(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	narrow(1000);
	time_to_send(&f, 100000);
	EXPECT_EQ(576, info_of(p.client).pmtu);
	EXPECT_EQ(2, counter(near_host, "BlackHoles"));
	done(&p);
}

TEST_HARNESS_MAIN
