// SPDX-License-Identifier: GPL-2.0
/*
 * Pacing: what a socket may send in a second, and that it does not come in bursts; by the qdisc fq
 * and without it. Departures are seen behind the qdisc. Listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

#define MAX_SEEN	20000
#define RATE		1000000		/* bytes per second */

FIXTURE(pacing) {
	int tap;
	int num;
	struct seen *seen;
};

FIXTURE_VARIANT(pacing) {
	int family;
	bool fq;
};

FIXTURE_VARIANT_ADD(pacing, timer_v4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(pacing, timer_v6) { .family = AF_INET6 };
FIXTURE_VARIANT_ADD(pacing, fq_v4) { .family = AF_INET, .fq = true };
FIXTURE_VARIANT_ADD(pacing, fq_v6) { .family = AF_INET6, .fq = true };

/* a round trip of 20 ms; near's own device has fq, or no queue */
FIXTURE_SETUP(pacing)
{
	hosts_up();
	run_at(far_host, "tc qdisc replace dev far0 root netem limit 100000 delay 20ms");
	if (variant->fq)
		run_at(near_host, "tc qdisc replace dev near0 root fq");
	self->seen = calloc(MAX_SEEN, sizeof(*self->seen));
	self->tap = capture(near_host, "near0");
}

FIXTURE_TEARDOWN(pacing)
{
	free(self->seen);
}

/* departures of payload, in order */
static int look(int tap, struct seen *seen)
{
	int num = 0;

	while (num < MAX_SEEN && captured(tap, &seen[num]))
		num += seen[num].out && seen[num].payload;
	return num;
}

static uint64_t bytes_of(const struct seen *seen, int num)
{
	uint64_t bytes = 0;

	while (num--)
		bytes += seen[num].payload;
	return bytes;
}

/* the most that left in any stretch of time over what @rate allows in that time; bytes */
static int64_t burst(const struct seen *seen, int num, uint64_t rate)
{
	int64_t worst = 0, level = 0;
	int i;

	/* a bucket that leaks at @rate */
	for (i = 0; i < num; i++) {
		if (i)
			level -= rate * (seen[i].us - seen[i - 1].us) / SECOND;
		if (level < 0)
			level = 0;
		level += seen[i].payload;
		if (level > worst)
			worst = level;
	}
	return worst;
}

static struct pair limited(int family, int rate)
{
	int client = stream(near_host, family);

	option(client, SOL_SOCKET, SO_MAX_PACING_RATE, rate);
	return connected_with(family, listening(family), client);
}

/* SO_MAX_PACING_RATE, large segments: at the rate to 3 %, two segments at a time */
TEST_F_TIMEOUT(pacing, limit, 100)
{
	struct pair p = limited(variant->family, RATE);
	uint64_t rate;
	int mss;

	transfer(p.client, p.server, 2 * RATE);
	mss = info_of(p.client).snd_mss;
	self->num = look(self->tap, self->seen);
	ASSERT_LT(200, self->num);
	EXPECT_EQ(2 * RATE, bytes_of(self->seen, self->num));
	/* the last one's time is not over */
	rate = bytes_of(self->seen, self->num - 1) * SECOND /
	       (self->seen[self->num - 1].us - self->seen[0].us);
	EXPECT_LE(RATE * 97 / 100, rate);
	EXPECT_GE(RATE * 101 / 100, rate);
	EXPECT_GE(3 * mss, burst(self->seen, self->num, RATE));
	EXPECT_EQ(RATE, info_of(p.client).pacing_rate);
	EXPECT_EQ(0, info_of(p.client).retrans_segs);
	done(&p);
}

/* the same, segment by segment, with pauses: time that was not used is not made up for */
TEST_F_TIMEOUT(pacing, no_burst_after_a_pause, 100)
{
	struct pair p;
	int i, mss;

	single_segments();
	p = limited(variant->family, RATE);
	for (i = 0; i < 4; i++) {
		transfer(p.client, p.server, RATE / 4);
		pause_us(i * 300 * MS);
	}
	mss = info_of(p.client).snd_mss;
	self->num = look(self->tap, self->seen);
	EXPECT_EQ(RATE, bytes_of(self->seen, self->num));
	EXPECT_GE(3 * mss, burst(self->seen, self->num, RATE));
	done(&p);
}

/* what is sent again waits for its turn, too */
TEST_F_TIMEOUT(pacing, retransmissions, 100)
{
	struct pair p;
	struct haul_info info;

	single_segments();
	p = limited(variant->family, RATE);
	run_at(far_host, "tc filter add dev far0 ingress matchall action pass %s",
	       "random determ drop 30");
	transfer(p.client, p.server, RATE);
	info = info_of(p.client);
	EXPECT_LE(20, info.retrans_segs);
	self->num = look(self->tap, self->seen);
	EXPECT_LT(RATE, bytes_of(self->seen, self->num));
	/* a timeout, or a loss probe, does not wait */
	EXPECT_GE((3 + info.tlps + info.timeouts) * info.snd_mss,
		  burst(self->seen, self->num, RATE));
	done(&p);
}

/* the timestamp on the wire is the time of departure: pacing is no part of the round trip */
TEST_F_TIMEOUT(pacing, timestamps, 100)
{
	struct pair p = limited(variant->family, RATE);
	struct haul_info info;
	int i;

	transfer(p.client, p.server, RATE);
	self->num = look(self->tap, self->seen);
	ASSERT_LT(100, self->num);
	for (i = 1; i < self->num; i++) {
		struct seen *a = &self->seen[0], *b = &self->seen[i];
		int off = (int)(b->us - a->us) - (int)(b->tsval - a->tsval);

		EXPECT_LE(-300, off);
		EXPECT_GE(300, off);
		EXPECT_LE(0, (int)(b->tsval - self->seen[i - 1].tsval));
	}
	info = info_of(p.client);
	EXPECT_LE(20 * MS, info.min_rtt);
	EXPECT_GE(21 * MS, info.min_rtt);
	done(&p);
}

/* nothing in flight, and seconds until the next packet: neither a closed window nor a loss */
TEST_F_TIMEOUT(pacing, slow, 100)
{
	struct pair p = limited(variant->family, 2000);
	uint64_t start = now_us();
	struct haul_info info;

	transfer(p.client, p.server, 10000);
	info = info_of(p.client);
	EXPECT_LE(3 * SECOND, now_us() - start);
	EXPECT_GE(6 * SECOND, now_us() - start);
	EXPECT_EQ(0, counter(near_host, "PersistProbes"));
	EXPECT_EQ(0, info.timeouts);
	EXPECT_EQ(0, info.retrans_segs);
	done(&p);
}

/* a limit that is lifted, or raised, holds no longer; one that is set later does */
TEST_F_TIMEOUT(pacing, limit_changes, 100)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint64_t start;

	flow_run(&f, 2 * RATE, 65536, 65536);
	option(p.client, SOL_SOCKET, SO_MAX_PACING_RATE, RATE);
	start = now_us();
	flow_run(&f, f.sent + RATE, 65536, 65536);
	EXPECT_LE(900 * MS, now_us() - start);
	EXPECT_GE(1100 * MS, now_us() - start);
	option(p.client, SOL_SOCKET, SO_MAX_PACING_RATE, -1);
	EXPECT_EQ(~0ULL, info_of(p.client).max_pacing_rate);
	start = now_us();
	flow_run(&f, f.sent + RATE, 65536, 65536);
	EXPECT_GE(500 * MS, now_us() - start);
	done(&p);
}

/* closed, reset, or forgotten while packets wait for their time */
TEST_F_TIMEOUT(pacing, ends_while_waiting, 100)
{
	struct linger hard = { .l_onoff = 1 };
	struct pair p = limited(variant->family, 2000);
	struct flow f = { .from = p.client, .to = p.server };
	char c;

	/* close(): what was written still arrives, at its time */
	flow_send(&f, 6000, 6000);
	close(p.client);
	while (f.received < 6000 && poll_for(p.server, POLLIN, 20000))
		flow_receive(&f, 65536);
	EXPECT_EQ(6000, f.received);
	EXPECT_TRUE(poll_for(p.server, POLLIN, 20000));
	EXPECT_EQ(0, recv(p.server, &c, 1, 0));
	close(p.server);
	close(p.listener);

	p = limited(variant->family, 2000);
	f = (struct flow){ .from = p.client, .to = p.server };
	flow_send(&f, 60000, 60000);
	setsockopt(p.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(p.client);
	/* behind what is with fq already */
	EXPECT_TRUE(poll_for(p.server, POLLHUP, 20000));
	close(p.server);
	close(p.listener);
}

/* with fq every connection is paced, by its window and round trip */
TEST_F_TIMEOUT(pacing, by_the_window, 100)
{
	struct pair p = connected(variant->family);
	struct haul_info info;
	uint64_t rate;

	transfer(p.client, p.server, 2 * RATE);
	info = info_of(p.client);
	if (!variant->fq) {
		EXPECT_EQ(~0ULL, info.pacing_rate);
	} else {
		rate = (uint64_t)info.snd_cwnd * SECOND / info.srtt;
		EXPECT_LE(rate, info.pacing_rate);
		EXPECT_GE(rate * 5 / 2, info.pacing_rate);
	}
	done(&p);
}

TEST_HARNESS_MAIN
