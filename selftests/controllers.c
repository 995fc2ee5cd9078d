// SPDX-License-Identifier: GPL-2.0
/*
 * What the controllers make of a path: BBR of random loss, of a long buffer, from its first packet
 * on; DCTCP of marks. Time is the subject: listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(controllers);

static struct pair with_controller(int family, const char *name)
{
	int client = stream(near_host, family), listener = listening(family);

	if (setsockopt(client, SOL_HAUL, HAUL_CONGESTION, name, strlen(name)) ||
	    setsockopt(listener, SOL_HAUL, HAUL_CONGESTION, name, strlen(name)))
		die("no %s", name);
	return connected_with(family, listener, client);
}

/* us that so many bytes take */
static uint64_t took(struct pair *p, uint64_t bytes)
{
	uint64_t start = now_us();

	transfer(p->client, p->server, bytes);
	return now_us() - start;
}

/* one packet in a hundred is lost by chance: nine tenths of the path's 50 Mbit/s all the same */
TEST_F_TIMEOUT(controllers, bbr_under_random_loss, 100)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	link_set("delay 20ms");
	run_at(near_host, "tc qdisc replace dev near0 root netem limit 1000 %s",
	       "rate 50mbit delay 20ms loss 1%");
	p = with_controller(variant->family, "bbr");
	transfer(p.client, p.server, 3000000);
	/* 6 MB at 50 Mbit/s: 960 ms, headers and ProbeRTT not counted */
	EXPECT_GE(1350 * MS, took(&p, 6000000));
	info = info_of(p.client);
	EXPECT_LE(20, info.retrans_segs);
	EXPECT_GE(300, info.retrans_segs);
	EXPECT_EQ(0, info.timeouts);
	done(&p);
}

/* a buffer for half a second is not filled: the round trip stays near the path's own */
TEST_F_TIMEOUT(controllers, bbr_leaves_a_long_buffer_empty, 100)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	link_set("delay 10ms");
	run_at(near_host, "tc qdisc replace dev near0 root netem limit 2000 %s",
	       "rate 50mbit delay 10ms");
	p = with_controller(variant->family, "bbr");
	transfer(p.client, p.server, 6000000);
	transfer(p.client, p.server, 6000000);
	info = info_of(p.client);
	EXPECT_LE(20 * MS, info.min_rtt);
	EXPECT_GE(24 * MS, info.min_rtt);
	EXPECT_GE(40 * MS, info.srtt);
	EXPECT_EQ(0, info.retrans_segs);
	done(&p);
}

/* no burst, from the first segment on: an initial window is spread over a third of a round trip */
TEST_F_TIMEOUT(controllers, bbr_paces_the_initial_window, 100)
{
	struct pair p;
	struct flow f;
	struct seen s;
	uint64_t first = 0, last = 0;
	int tap, num = 0;

	single_segments();
	run_at(far_host, "tc qdisc replace dev far0 root netem limit 1000 delay 100ms");
	/* before the handshake: the kernel is a while until it gives packets their time */
	tap = capture(near_host, "near0");
	p = with_controller(variant->family, "bbr");
	f = (struct flow){ .from = p.client, .to = p.server };
	flow_send(&f, 14000, 14000);
	flow_run(&f, 14000, 65536, 65536);
	while (captured(tap, &s)) {
		if (!s.out || !s.payload)
			continue;
		first = first ?: s.us;
		/* 277 % of 14440 bytes in 100 ms: a segment every 3.6 ms, two at a time at most */
		if (++num > 2)
			EXPECT_LE(1 * MS, s.us - first);
		last = s.us;
	}
	EXPECT_LE(9, num);
	EXPECT_LE(25 * MS, last - first);
	EXPECT_GE(50 * MS, last - first);
	done(&p);
}

/* one packet in ten is marked: DCTCP gives way by a twentieth, not by a third each round trip */
TEST_F_TIMEOUT(controllers, dctcp_gives_way_by_the_share_of_marks, 100)
{
	static const char * const names[] = { "dctcp", "cubic" };
	struct haul_info info;
	uint64_t us[2];
	int i;

	setting(near_host, "ecn", 1);
	single_segments();
	for (i = 0; i < 2; i++) {
		struct pair p = with_controller(variant->family, names[i]);

		run_at(far_host, "tc qdisc replace dev far0 root netem limit 1000 delay 10ms");
		run_at(near_host, "tc qdisc replace dev near0 root netem limit 1000 loss 10%% ecn");
		us[i] = took(&p, 2000000);
		info = info_of(p.client);
		EXPECT_LE(100, info.ce_delivered);
		EXPECT_EQ(0, info.retrans_segs);
		done(&p);
		run_at(near_host, "tc qdisc del dev near0 root");
	}
	EXPECT_LE(2 * us[0], us[1]);
}

TEST_HARNESS_MAIN
