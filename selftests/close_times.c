// SPDX-License-Identifier: GPL-2.0
/*
 * How long the ends of a connection last (TEXTBOOK 9): TIME-WAIT, FIN-WAIT-2 and orphans. A local
 * port that cannot be bound shows from outside that something of the connection is left. Time is
 * the subject: listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

#define MY_PORT	(PORT + 1)

HOSTS_FIXTURE(close_times);

/* a connection whose client end has MY_PORT */
static struct pair connected_from_my_port(int family)
{
	int client = stream(near_host, family);

	if (bind_to(client, near_address(family), MY_PORT))
		die("bind %d", MY_PORT);
	return connected_with(family, listening(family), client);
}

static bool port_is_free(int family)
{
	int fd = stream(near_host, family), got = bind_to(fd, near_address(family), MY_PORT);

	if (got && errno != EADDRINUSE)
		die("bind");
	close(fd);
	return !got;
}

/* how long until the port is free; looks every 20 ms, for a minute and a half at most */
static uint64_t time_to_free(int family)
{
	uint64_t start = now_us();

	while (!port_is_free(family) && now_us() < start + 90 * SECOND)
		pause_us(20 * MS);
	return now_us() - start;
}

static bool at_end(int fd)
{
	char c;

	return poll_for(fd, POLLIN | POLLRDHUP, 10000) && recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

/* both ends close, near first */
static void end(struct pair *p)
{
	close(p->client);
	if (!at_end(p->server))
		die("no end of file");
	close(p->server);
}

/* near has said that it is through, and far has acknowledged it */
static struct pair in_fin_wait_2(int family)
{
	struct pair p = connected_from_my_port(family);

	if (shutdown(p.client, SHUT_WR) || !at_end(p.server) ||
	    !wait_until(state_of(p.client) == HAUL_FIN_WAIT_2))
		die("no FIN-WAIT-2");
	return p;
}

TEST_F(close_times, time_wait_is_a_minute)
{
	struct pair p = connected_from_my_port(variant->family);

	end(&p);
	EXPECT_TOOK_COARSE(60 * SECOND, time_to_free(variant->family));
	EXPECT_EQ(1, counter(near_host, "TimeWaits"));
	close(p.listener);
}

TEST_F(close_times, time_wait_is_twice_msl)
{
	struct pair p;

	setting(near_host, "msl_ms", 2000);
	p = connected_from_my_port(variant->family);
	end(&p);
	EXPECT_TOOK_COARSE(4 * SECOND, time_to_free(variant->family));
	close(p.listener);
}

/* the passive side is free at once */
TEST_F(close_times, passive_closer_does_not_wait)
{
	struct pair p = connected_from_my_port(variant->family);

	close(p.server);
	ASSERT_TRUE(at_end(p.client));
	close(p.client);
	EXPECT_GE(100 * MS, time_to_free(variant->family));
	close(p.listener);
}

/* the last ACK is lost: the FIN comes again, TIME-WAIT answers, the passive side ends in order */
TEST_F(close_times, lost_last_ack_is_answered_again)
{
	struct pair p = in_fin_wait_2(variant->family);

	deaf(far_host, true);
	ASSERT_EQ(0, shutdown(p.server, SHUT_WR));
	ASSERT_TRUE(at_end(p.client));
	EXPECT_EQ(HAUL_LAST_ACK, state_of(p.server));
	deaf(far_host, false);
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	EXPECT_LE(1, counter(near_host, "TimeWaitAcks"));
	EXPECT_EQ(0, error_of(p.server));
	done(&p);
}

/* ... and each such FIN begins the 2 MSL again */
TEST_F(close_times, fin_again_prolongs_time_wait)
{
	struct pair p;

	setting(near_host, "msl_ms", 2000);
	p = connected_from_my_port(variant->family);
	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	ASSERT_TRUE(at_end(p.server));
	deaf(far_host, true);
	ASSERT_EQ(0, shutdown(p.server, SHUT_WR));
	ASSERT_TRUE(at_end(p.client));
	close(p.client);
	/* the FIN's timeout doubles from about 0.2 s: some repetitions come in 3 s */
	pause_us(3 * SECOND);
	EXPECT_LE(2, counter(near_host, "TimeWaitAcks"));
	deaf(far_host, false);
	/* without them a second would be left */
	EXPECT_LE(2 * SECOND, time_to_free(variant->family));
	close(p.server);
	close(p.listener);
}

TEST_F(close_times, fin_wait_2_of_a_closed_socket)
{
	struct pair p;

	setting(near_host, "fin_timeout_ms", 5000);
	p = connected_from_my_port(variant->family);
	close(p.client);
	ASSERT_TRUE(at_end(p.server));
	EXPECT_TOOK(5 * SECOND, time_to_free(variant->family));
	/* silently */
	EXPECT_EQ(0, counter(near_host, "OutRsts"));
	EXPECT_EQ(HAUL_CLOSE_WAIT, state_of(p.server));
	close(p.server);
	close(p.listener);
}

TEST_F(close_times, fin_wait_2_by_option)
{
	struct pair p = connected_from_my_port(variant->family);

	option(p.client, SOL_HAUL, HAUL_LINGER2, 3);
	close(p.client);
	ASSERT_TRUE(at_end(p.server));
	EXPECT_TOOK(3 * SECOND, time_to_free(variant->family));
	close(p.server);
	close(p.listener);
}

/* HAUL_LINGER2 below 0: no FIN-WAIT-2 without a program, the FIN's acknowledgment is the end */
TEST_F(close_times, no_fin_wait_2_by_option)
{
	struct pair p = connected_from_my_port(variant->family);

	option(p.client, SOL_HAUL, HAUL_LINGER2, -1);
	close(p.client);
	ASSERT_TRUE(at_end(p.server));
	EXPECT_GE(100 * MS, time_to_free(variant->family));
	EXPECT_EQ(HAUL_CLOSE_WAIT, state_of(p.server));
	EXPECT_EQ(0, counter(near_host, "OutRsts"));
	close(p.server);
	close(p.listener);
}

/* ... and who is in it when the program goes ends at once, and says so */
TEST_F(close_times, fin_wait_2_is_left_by_option)
{
	struct pair p = in_fin_wait_2(variant->family);

	option(p.client, SOL_HAUL, HAUL_LINGER2, -1);
	close(p.client);
	EXPECT_TRUE(port_is_free(variant->family));
	EXPECT_EQ(1, counter(near_host, "OutRsts"));
	EXPECT_EQ(1, counter(near_host, "AbortOnLinger"));
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	close(p.server);
	close(p.listener);
}

/* with a program that still reads, FIN-WAIT-2 lasts as long as it likes */
TEST_F(close_times, fin_wait_2_with_a_program)
{
	struct pair p;
	char c;

	setting(near_host, "fin_timeout_ms", 2000);
	p = connected_from_my_port(variant->family);
	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	pause_us(20 * SECOND);
	EXPECT_EQ(HAUL_FIN_WAIT_2, state_of(p.client));
	EXPECT_EQ(1, send(p.server, "x", 1, 0));
	EXPECT_TRUE(poll_for(p.client, POLLIN, 5000) & POLLIN);
	EXPECT_EQ(1, recv(p.client, &c, 1, 0));
	done(&p);
}

/* closed with data unsent, and the peer is gone: given up after orphan_retries */
TEST_F(close_times, orphan_gives_up)
{
	struct pair p;
	struct haul_info info;
	uint64_t rto;

	setting(near_host, "orphan_retries", 3);
	p = connected_from_my_port(variant->family);
	transfer(p.client, p.server, 100000);
	info = info_of(p.client);
	rto = info.rto;
	cut(true);
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	close(p.client);
	/* a loss probe may come before the first timeout and restarts its clock (RFC 8985 7.3) */
	rto = (1 + 2 + 4 + 8) * rto;
	EXPECT_LE(rto - 100 * MS, time_to_free(variant->family));
	EXPECT_TRUE(port_is_free(variant->family));
	EXPECT_EQ(1, counter(near_host, "AbortOnTimeout"));
	/* the other end finds nobody and ends too, so that nothing outlives the test */
	cut(false);
	close(p.server);
	close(p.listener);
}

/* too many orphans: the next one is reset */
TEST_F(close_times, orphan_limit)
{
	static char old[32];
	struct pair p;
	int fd = open("/proc/sys/net/haul/max_orphans", O_RDONLY), home;

	/* one for all namespaces, written in the first one only */
	EXPECT_NE(0, sysctl_write(near_host, "max_orphans", "0"));
	close(fd);
	home = open("/proc/1/ns/net", O_RDONLY);
	ASSERT_LE(0, home);
	go_to(home);
	fd = open("/proc/sys/net/haul/max_orphans", O_RDONLY);
	ASSERT_LT(0, read(fd, old, sizeof(old) - 1));
	close(fd);
	p = connected_from_my_port(variant->family);
	link_set("delay 500ms");
	ASSERT_EQ(0, sysctl_write(home, "max_orphans", "0"));
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	close(p.client);
	EXPECT_EQ(1, counter(near_host, "AbortOnMemory"));
	EXPECT_EQ(0, sysctl_write(home, "max_orphans", old));
	EXPECT_TRUE(port_is_free(variant->family));
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	close(p.server);
	close(p.listener);
}

TEST_HARNESS_MAIN
