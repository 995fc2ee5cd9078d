// SPDX-License-Identifier: GPL-2.0
/*
 * What grows with use (TEXTBOOK 15, and the buffers of 13): the congestion window, from its initial
 * value, doubled per round trip, halved by loss, begun anew by a timeout; the receive and send
 * buffers. Listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

#define ROUNDS	5

HOSTS_FIXTURE(growth);

/* what RFC 5681 says in numbers is Reno's */
static void use_reno(void)
{
	if (!over_tcp() && sysctl_write(near_host, "congestion_control", "reno"))
		die("net.haul.congestion_control = reno");
}

TEST_F(growth, initial_window)
{
	static const int segments[] = { 1, 4, 10, 40 };
	int listener = listening(variant->family), i, tap = capture(near_host, "near0");
	struct haul_info info;
	struct seen s;

	link_set("delay 100ms");
	for (i = 0; i < 4; i++) {
		uint32_t flight = 0;
		struct pair p;
		struct flow f;

		setting(near_host, "initial_cwnd", segments[i]);
		while (captured(tap, &s))
			;
		p = connected_with(variant->family, listener, stream(near_host, variant->family));
		info = info_of(p.client);
		EXPECT_EQ(segments[i] * info.snd_mss, info.snd_cwnd);
		EXPECT_EQ(0x7fffffff, info.snd_ssthresh);
		EXPECT_STREQ("cubic", info.congestion);
		/* and no more than that leaves before the first acknowledgment comes */
		f = (struct flow){ .from = p.client, .to = p.server };
		flow_fill(&f);
		pause_us(150 * MS);
		while (captured(tap, &s))
			if (s.out)
				flight += s.payload;
		EXPECT_GE(segments[i] * info.snd_mss, flight);
		EXPECT_LE((segments[i] - 1) * (info.snd_mss - INIT_LENGTH), flight);
		flow_run(&f, f.sent, 65536, 65536);
		close(p.client);
		close(p.server);
	}
	EXPECT_EQ(EINVAL, sysctl_write(near_host, "initial_cwnd", "0"));
	close(listener);
}

/* bytes that near sent in each round trip, from the first payload on */
static void rounds_of(int tap, uint64_t rtt, uint32_t *sent, int num)
{
	uint64_t start = 0;
	struct seen s;

	while (captured(tap, &s)) {
		if (!s.out || !s.payload)
			continue;
		if (!start)
			start = s.us;
		/* a quarter earlier: what an acknowledgment allows belongs to the next round */
		if ((s.us - start + rtt / 4) / rtt < num)
			sent[(s.us - start + rtt / 4) / rtt] += s.payload;
	}
}

TEST_F(growth, slow_start_doubles)
{
	struct pair p;
	struct flow f;
	uint32_t sent[ROUNDS] = { };
	int tap = capture(near_host, "near0"), i;

	use_reno();
	p = connected(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	option(p.client, SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20);
	link_set("delay 100ms");
	flow_run(&f, 2000000, 65536, 65536);
	rounds_of(tap, 200 * MS, sent, ROUNDS);
	for (i = 1; i < ROUNDS; i++) {
		EXPECT_LE(sent[i - 1] * 17 / 10, sent[i]);
		EXPECT_GE(sent[i - 1] * 21 / 10 + 3000, sent[i]);
	}
	EXPECT_EQ(0x7fffffff, info_of(p.client).snd_ssthresh);
	done(&p);
}

/* after a timeout half of what was in flight is the threshold, one segment the window (RFC 5681) */
TEST_F(growth, timeout_halves_the_threshold_and_starts_from_one)
{
	struct pair p;
	struct flow f;
	struct haul_info before, after;

	use_reno();
	p = connected(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	link_set("delay 50ms");
	flow_run(&f, 300000, 65536, 65536);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	cut(true);
	flow_send(&f, f.sent + 60000, 60000);
	before = info_of(p.client);
	ASSERT_TRUE(wait_until(info_of(p.client).timeouts == 1));
	after = info_of(p.client);
	EXPECT_EQ(HAUL_RECOVERY_LOSS, after.recovery);
	EXPECT_EQ(after.snd_mss, after.snd_cwnd);
	EXPECT_LE(before.unacked / 2 - 2 * before.snd_mss, after.snd_ssthresh);
	EXPECT_GE(before.snd_cwnd / 2 + 2 * before.snd_mss, after.snd_ssthresh);
	cut(false);
	flow_run(&f, f.sent, 65536, 65536);
	done(&p);
}

/* a loss found by acknowledgments: half, not one segment; then about a segment per round trip */
TEST_F(growth, loss_halves_and_then_it_grows_linearly)
{
	struct pair p;
	struct flow f;
	struct haul_info info;
	uint64_t start, round_trips;
	uint32_t cwnd;

	use_reno();
	single_segments();
	p = connected(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	link_set("delay 50ms");
	flow_run(&f, 1000000, 65536, 65536);
	run_at(near_host, "tc qdisc replace dev near0 root netem limit 100000 delay 50ms loss 3%%");
	while (!info_of(p.client).recoveries)
		flow_run(&f, f.sent + 50000, 65536, 65536);
	link_set("delay 50ms");
	flow_run(&f, f.sent + 300000, 65536, 65536);
	ASSERT_TRUE(wait_until(info_of(p.client).recovery == HAUL_RECOVERY_OPEN));
	info = info_of(p.client);
	EXPECT_GE(0x7ffffffe, info.snd_ssthresh);
	/* past the threshold */
	while (info_of(p.client).snd_cwnd < info.snd_ssthresh)
		flow_run(&f, f.sent + 100000, 65536, 65536);
	cwnd = info_of(p.client).snd_cwnd;
	start = now_us();
	flow_run(&f, f.sent + 3000000, 65536, 65536);
	info = info_of(p.client);
	round_trips = (now_us() - start) / (100 * MS);
	EXPECT_LE(cwnd + round_trips * 4 / 10 * info.snd_mss, info.snd_cwnd);
	EXPECT_GE(cwnd + round_trips * 12 / 10 * info.snd_mss, info.snd_cwnd);
	done(&p);
}

/* idle for long: the window is not what it was (RFC 5681 4.1), unless the setting says so */
TEST_F(growth, idle_begins_anew)
{
	int after_idle;

	for (after_idle = 1; after_idle >= 0; after_idle--) {
		struct pair p;
		struct flow f;
		uint32_t before;

		setting(near_host, "slow_start_after_idle", after_idle);
		p = connected(variant->family);
		f = (struct flow){ .from = p.client, .to = p.server };
		link_set("delay 50ms");
		flow_run(&f, 1000000, 65536, 65536);
		before = info_of(p.client).snd_cwnd;
		pause_us(10 * SECOND);
		flow_run(&f, f.sent + 1, 1, 1);
		EXPECT_EQ(!after_idle, info_of(p.client).snd_cwnd >= before);
		link_set("delay 0ms");
		done(&p);
	}
}

/* a long path and a fast reader: the window offered grows far beyond its first size */
TEST_F(growth, receive_buffer)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint32_t before = info_of(p.server).rcv_wnd;

	option(p.client, SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20);
	link_set("delay 100ms");
	flow_run(&f, 20000000, 65536, 65536);
	EXPECT_LE(8 * before, info_of(p.server).rcv_wnd);
	EXPECT_LT(131072, option_of(p.server, SOL_SOCKET, SO_RCVBUF));
	EXPECT_GE(6291456, option_of(p.server, SOL_SOCKET, SO_RCVBUF));
	done(&p);
}

/* a program that sets SO_RCVBUF has decided; so has the setting moderate_rcvbuf = 0 */
TEST_F(growth, fixed_receive_buffer)
{
	int by_setting;

	for (by_setting = 0; by_setting < 2; by_setting++) {
		int listener = listening(variant->family), size;
		struct pair p;

		setting(far_host, "moderate_rcvbuf", !by_setting);
		if (!by_setting)
			option(listener, SOL_SOCKET, SO_RCVBUF, 50000);
		p = connected_with(variant->family, listener, stream(near_host, variant->family));
		size = option_of(p.server, SOL_SOCKET, SO_RCVBUF);
		link_set("delay 20ms");
		transfer(p.client, p.server, 3000000);
		EXPECT_EQ(size, option_of(p.server, SOL_SOCKET, SO_RCVBUF));
		EXPECT_GE(size, info_of(p.server).rcv_wnd);
		link_set("delay 0ms");
		done(&p);
	}
}

TEST_F(growth, send_buffer)
{
	struct pair p = connected(variant->family);
	int before = option_of(p.client, SOL_SOCKET, SO_SNDBUF);
	int fixed = stream(near_host, variant->family);

	option(fixed, SOL_SOCKET, SO_SNDBUF, 30000);
	link_set("delay 50ms");
	transfer(p.client, p.server, 5000000);
	EXPECT_LE(2 * before, option_of(p.client, SOL_SOCKET, SO_SNDBUF));
	EXPECT_GE(4194304, option_of(p.client, SOL_SOCKET, SO_SNDBUF));
	close(p.client);
	close(p.server);
	p = connected_with(variant->family, p.listener, fixed);
	before = option_of(fixed, SOL_SOCKET, SO_SNDBUF);
	transfer(p.client, p.server, 1000000);
	EXPECT_EQ(before, option_of(fixed, SOL_SOCKET, SO_SNDBUF));
	done(&p);
}

TEST_HARNESS_MAIN
