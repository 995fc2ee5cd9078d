// SPDX-License-Identifier: GPL-2.0
/*
 * Lost packets (TEXTBOOK 12): a path that is cut and comes back, that stays cut, that loses a
 * little, whose round trip changes. Listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(retransmission);

/* times at which near sent payload */
static int sends_of(int tap, uint64_t *us, int max)
{
	struct seen s;
	int num = 0;

	while (captured(tap, &s))
		if (s.out && s.payload && num < max)
			us[num++] = s.us;
	return num;
}

/* nothing gets through for ten seconds: longer and longer pauses; then everything arrives */
TEST_F(retransmission, path_is_cut_and_comes_back)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint64_t us[32] = { }, gap, before = 0;
	struct haul_info start, info;
	int tap, num, i;

	link_set("delay 10ms");
	flow_run(&f, 100000, 65536, 65536);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	tap = capture(near_host, "near0");
	start = info_of(p.client);
	cut(true);
	flow_send(&f, f.sent + 500, 500);
	pause_us(10 * SECOND);
	info = info_of(p.client);
	EXPECT_LE(4, info.backoff);
	EXPECT_GE(6, info.backoff);
	EXPECT_EQ(info.retransmits, info.timeouts - start.timeouts);
	EXPECT_EQ(info.timeouts, counter(near_host, "Timeouts"));
	EXPECT_EQ(500, info.unacked);
	EXPECT_EQ(info.snd_mss, info.snd_cwnd);
	num = sends_of(tap, us, 32);
	EXPECT_EQ(1 + info.tlps - start.tlps + info.timeouts - start.timeouts, num);
	/* after the loss probe each pause is about twice the one before */
	for (i = 2; i < num; i++) {
		gap = us[i] - us[i - 1];
		if (i > 2) {
			EXPECT_LE(before * 17 / 10, gap);
			EXPECT_GE(before * 23 / 10, gap);
		}
		before = gap;
	}
	cut(false);
	flow_run(&f, f.sent + 500000, 65536, 65536);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	info = info_of(p.client);
	EXPECT_EQ(0, info.backoff);
	EXPECT_EQ(0, info.retransmits);
	EXPECT_GE(SECOND / 2, info.rto);
	EXPECT_EQ(0, error_of(p.client));
	done(&p);
}

/* ... or never does: given up after retries2 timeouts */
TEST_F(retransmission, path_stays_cut)
{
	struct pair p;
	uint64_t start, rto;
	char c;

	setting(near_host, "retries2", 4);
	p = connected(variant->family);
	transfer(p.client, p.server, 100000);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	rto = info_of(p.client).rto;
	cut(true);
	start = now_us();
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	EXPECT_TRUE(poll_for(p.client, POLLIN, 50000) & POLLERR);
	/* 1 + 2 + 4 + 8 + 16 timeouts; the loss probe's time may be added */
	EXPECT_LE(31 * rto - 50 * MS, now_us() - start);
	EXPECT_GE(40 * rto + SECOND, now_us() - start);
	EXPECT_EQ(-1, recv(p.client, &c, 1, 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(0, recv(p.client, &c, 1, 0));
	EXPECT_EQ(-1, send(p.client, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(HAUL_CLOSED, state_of(p.client));
	EXPECT_EQ(1, counter(near_host, "AbortOnTimeout"));
	EXPECT_LE(4, counter(near_host, "Timeouts"));
	EXPECT_GE(5, counter(near_host, "Timeouts"));
	cut(false);
	done(&p);
}

/* the connection outlives a cut that is shorter than its patience, with data both ways */
TEST_F(retransmission, both_sides_wait_for_the_path)
{
	struct pair p = connected(variant->family);
	struct flow up = { .from = p.client, .to = p.server };
	struct flow down = { .from = p.server, .to = p.client };

	link_set("delay 10ms");
	cut(true);
	flow_send(&up, 50000, 50000);
	flow_send(&down, 50000, 50000);
	pause_us(20 * SECOND);
	cut(false);
	flow_run(&up, up.sent + 100000, 65536, 65536);
	flow_run(&down, down.sent + 100000, 65536, 65536);
	EXPECT_EQ(0, error_of(p.client));
	EXPECT_EQ(0, error_of(p.server));
	done(&p);
}

/* some loss: found by acknowledgments, not by timeouts; the counts agree with each other */
TEST_F(retransmission, some_loss)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	p = connected(variant->family);
	link_set("delay 10ms loss 1%");
	transfer(p.client, p.server, 5000000);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	info = info_of(p.client);
	EXPECT_LE(10, info.retrans_segs);
	EXPECT_LE(5, info.recoveries);
	EXPECT_EQ(info.recoveries, counter(near_host, "Recoveries"));
	EXPECT_EQ(info.retrans_segs, counter(near_host, "RetransSegs"));
	EXPECT_GT(info.recoveries, 2 * info.timeouts);
	EXPECT_EQ(5000000, info.bytes_acked);
	EXPECT_EQ(5000000 + info.bytes_retrans, info.bytes_sent);
	EXPECT_LE(1, counter(far_host, "OooQueued"));
	/* about 1 % of 3500 segments, not ten times that */
	EXPECT_GE(200, info.retrans_segs);
	EXPECT_EQ(0, info.lost);
	EXPECT_EQ(0, info.retrans_out);
	EXPECT_EQ(0, info.sacked);
	done(&p);
}

/* the last segment of all is lost: a probe repairs that sooner than the timeout (RFC 8985 7) */
TEST_F(retransmission, lost_tail)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	struct haul_info before, info;
	int i;

	link_set("delay 50ms");
	/* so that the sender knows the path */
	for (i = 0; i < 30; i++) {
		flow_run(&f, f.sent + 3000, 65536, 65536);
		ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	}
	before = info_of(p.client);
	deaf(far_host, true);
	flow_send(&f, f.sent + 3000, 3000);
	pause_us(100 * MS);
	deaf(far_host, false);
	flow_run(&f, f.sent, 65536, 65536);
	info = info_of(p.client);
	EXPECT_EQ(before.tlps + 1, info.tlps);
	EXPECT_EQ(info.tlps, counter(near_host, "LossProbes"));
	EXPECT_EQ(before.timeouts, info.timeouts);
	done(&p);
}

/* the timeout follows the round trip (RFC 6298) */
TEST_F(retransmission, timeout_follows_the_round_trip)
{
	static const int delays[] = { 10, 100, 400, 20 };
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	struct haul_info info;
	char netem[32];
	int i, j;

	for (i = 0; i < 4; i++) {
		uint64_t rtt = 2 * delays[i] * MS;

		snprintf(netem, sizeof(netem), "delay %dms", delays[i]);
		link_set(netem);
		for (j = 0; j < 40; j++) {
			flow_run(&f, f.sent + 100, 100, 100);
			ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
		}
		info = info_of(p.client);
		/* a delayed ACK is part of what is measured */
		EXPECT_LE(rtt * 9 / 10, info.srtt);
		EXPECT_GE(rtt * 12 / 10 + 60 * MS, info.srtt);
		EXPECT_LE(info.srtt + 190 * MS, info.rto);
		EXPECT_GE(2 * info.srtt + 4 * 200 * MS, info.rto);
		EXPECT_LE(rtt, info.latest_rtt);
		EXPECT_GE(2 * delays[0] * MS + 10 * MS, info.min_rtt);
	}
	done(&p);
}

/* reordering alone is not loss: little is sent again, and the path is recognised */
TEST_F(retransmission, reordering_is_not_loss)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	link_set("delay 10ms");
	/* netem sends each packet at its own time: many overtake others, by less than RTT / 4 */
	run_at(near_host, "tc qdisc replace dev near0 root netem limit 100000 delay 10ms 2ms");
	p = connected(variant->family);
	transfer(p.client, p.server, 3000000);
	info = info_of(p.client);
	EXPECT_LE(1, info.reord_seen);
	EXPECT_GE(info.data_segs_out / 20, info.retrans_segs);
	EXPECT_EQ(0, info.timeouts);
	done(&p);
}

/* every packet twice: reported, and nothing is sent again for it */
TEST_F(retransmission, duplicates_are_reported)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	p = connected(variant->family);
	link_set("delay 10ms duplicate 100%");
	transfer(p.client, p.server, 500000);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	info = info_of(p.client);
	EXPECT_LE(1, counter(far_host, "DsacksSent"));
	EXPECT_LE(1, info.dsacks);
	EXPECT_EQ(0, info.timeouts);
	EXPECT_EQ(500000, info_of(p.server).bytes_received);
	EXPECT_LE(300, counter(far_host, "DropDuplicate") + counter(far_host, "DropSequence"));
	done(&p);
}

TEST_HARNESS_MAIN
