// SPDX-License-Identifier: GPL-2.0
/*
 * Connections on which nothing happens (TEXTBOOK 17): keepalive, the user timeout. Listed in
 * ./exact: an hour of silence costs nothing there.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(keepalive);

static void keep_alive(int fd, int idle, int interval, int count)
{
	option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	option(fd, SOL_HAUL, HAUL_KEEPIDLE, idle);
	option(fd, SOL_HAUL, HAUL_KEEPINTVL, interval);
	option(fd, SOL_HAUL, HAUL_KEEPCNT, count);
}

/* an hour of silence: without keepalive not one packet, and then it still works */
TEST_F_TIMEOUT(keepalive, silence_without_it, 4000)
{
	struct pair p = connected(variant->family);
	int tap = capture(near_host, "near0");
	struct seen s;

	while (captured(tap, &s))
		;
	pause_us(3600 * SECOND);
	EXPECT_FALSE(captured(tap, &s));
	transfer(p.client, p.server, 10000);
	transfer(p.server, p.client, 10000);
	done(&p);
}

/* the peer lives: it is asked every KEEPIDLE seconds, and the connection stays */
TEST_F(keepalive, peer_that_answers)
{
	struct pair p = connected(variant->family);

	keep_alive(p.client, 5, 1, 3);
	pause_us(52 * SECOND);
	EXPECT_LE(8, counter(near_host, "KeepaliveProbes"));
	EXPECT_GE(10, counter(near_host, "KeepaliveProbes"));
	EXPECT_EQ(0, counter(far_host, "KeepaliveProbes"));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	EXPECT_EQ(0, info_of(p.client).probes);
	transfer(p.client, p.server, 1000);
	done(&p);
}

/* traffic is answer enough */
TEST_F(keepalive, no_probes_under_traffic)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.server, .to = p.client };
	int i;

	keep_alive(p.client, 5, 1, 3);
	for (i = 0; i < 20; i++) {
		flow_run(&f, f.sent + 10, 10, 10);
		pause_us(2 * SECOND);
	}
	EXPECT_EQ(0, counter(near_host, "KeepaliveProbes"));
	done(&p);
}

/* data on its way asks already: whether the peer is given up is the retransmissions' to say */
TEST_F(keepalive, no_probes_beside_data)
{
	struct pair p = connected(variant->family);
	char c = 0;

	keep_alive(p.client, 5, 1, 3);
	cut(true);
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	pause_us(20 * SECOND);
	EXPECT_EQ(0, counter(near_host, "KeepaliveProbes"));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	cut(false);
	EXPECT_TRUE(poll_for(p.server, POLLIN, 60000) & POLLIN);
	EXPECT_EQ(1, recv(p.server, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ('x', c);
	done(&p);
}

TEST_F(keepalive, peer_that_vanished)
{
	struct pair p = connected(variant->family);
	uint64_t start = now_us();
	char c;

	keep_alive(p.client, 5, 2, 3);
	cut(true);
	EXPECT_TRUE(poll_for(p.client, POLLIN, 60000) & POLLERR);
	/* three probes after 5, 7 and 9 s; given up at 11 s */
	EXPECT_TOOK(11 * SECOND, now_us() - start);
	EXPECT_EQ(-1, recv(p.client, &c, 1, 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(3, counter(near_host, "KeepaliveProbes"));
	EXPECT_EQ(1, counter(near_host, "AbortOnTimeout"));
	/* the other side does not know yet; when it speaks, it learns */
	cut(false);
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.server));
	EXPECT_EQ(1, send(p.server, "x", 1, MSG_NOSIGNAL));
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	EXPECT_EQ(ECONNRESET, error_of(p.server));
	done(&p);
}

/* the namespace's settings are what a socket begins with */
TEST_F(keepalive, settings)
{
	struct pair p;

	setting(near_host, "keepalive_time", 4);
	setting(near_host, "keepalive_intvl", 1);
	setting(near_host, "keepalive_probes", 2);
	p = connected(variant->family);
	EXPECT_EQ(4, option_of(p.client, SOL_HAUL, HAUL_KEEPIDLE));
	EXPECT_EQ(1, option_of(p.client, SOL_HAUL, HAUL_KEEPINTVL));
	EXPECT_EQ(2, option_of(p.client, SOL_HAUL, HAUL_KEEPCNT));
	option(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
	cut(true);
	pause_us(8 * SECOND);
	EXPECT_EQ(ETIMEDOUT, error_of(p.client));
	EXPECT_EQ(2, counter(near_host, "KeepaliveProbes"));
	EXPECT_EQ(7200, option_of(p.server, SOL_HAUL, HAUL_KEEPIDLE));
	cut(false);
	done(&p);
}

/* data not acknowledged for that long ends the connection, whatever retries2 says */
TEST_F(keepalive, user_timeout)
{
	struct pair p = connected(variant->family);
	uint64_t start;
	char c;

	option(p.client, SOL_HAUL, HAUL_USER_TIMEOUT, 3000);
	pause_us(10 * SECOND);
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	cut(true);
	start = now_us();
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	EXPECT_TRUE(poll_for(p.client, POLLIN, 60000) & POLLERR);
	EXPECT_LE(3 * SECOND - 2 * MS, now_us() - start);
	EXPECT_GE(5 * SECOND, now_us() - start);
	EXPECT_EQ(-1, recv(p.client, &c, 1, 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	cut(false);
	done(&p);
}

/* with keepalive the user timeout decides when to give up (RFC 5482) */
TEST_F(keepalive, user_timeout_with_keepalive)
{
	struct pair p = connected(variant->family);
	uint64_t start = now_us();

	keep_alive(p.client, 5, 1, 100);
	option(p.client, SOL_HAUL, HAUL_USER_TIMEOUT, 8000);
	cut(true);
	EXPECT_TRUE(poll_for(p.client, POLLIN, 60000) & POLLERR);
	EXPECT_LE(8 * SECOND - 100 * MS, now_us() - start);
	EXPECT_GE(11 * SECOND, now_us() - start);
	EXPECT_EQ(ETIMEDOUT, error_of(p.client));
	cut(false);
	done(&p);
}

TEST_HARNESS_MAIN
