// SPDX-License-Identifier: GPL-2.0
/*
 * Fast open (RFC 7413) at its limits: more servers than a client remembers, more fast opens than a
 * listener lets wait, and a namespace that goes away with some of each kind in it. How programs see
 * it at other times is fastopen's, no memory is no_memory's.
 */
#include <sys/wait.h>
#include "hosts.h"
#include "kselftest_harness.h"

/* HAUL_FASTOPEN_CACHE_MAX of conn/fastopen_cache.c */
#define REMEMBERED	1024
#define PENDING		3

FIXTURE(fastopen_limits) {
	char nothing;
};

FIXTURE_SETUP(fastopen_limits)
{
	hosts_up();
	setting(near_host, "fastopen", 3);
	setting(far_host, "fastopen", 3);
}

FIXTURE_TEARDOWN(fastopen_limits)
{
}

/* SYN and payload at once, if there is a cookie; it is not waited for that it is answered */
static int fast_open(int host, const char *text, int port)
{
	struct sockaddr_in6 to = address(text, port);
	int fd = stream(host, to.sin6_family);

	nonblocking(fd, true);
	if (sendto(fd, "hello", 5, MSG_FASTOPEN, (void *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		die("fast open to %s", text);
	return fd;
}

/* a connection by fast open, from the beginning to the end. True: the SYN's payload was taken */
static bool visit(int host, int listener, const char *text)
{
	int client = fast_open(host, text, PORT), server = accepted(listener);
	bool fast;

	if (!poll_for(client, POLLOUT, 10000))
		die("no answer from %s", text);
	fast = info_of(client).options & HAUL_INFO_SYN_DATA;
	close(client);
	close(server);
	return fast;
}

/* all of 127.0.0.0/8 is this host */
static const char *nth_server(int n)
{
	static char text[32];

	snprintf(text, sizeof(text), "127.1.%d.%d", n / 250, 1 + n % 250);
	return text;
}

static int fast_listener(int host, const char *text, int port)
{
	int fd = listener_at(host, text, port, 128);

	option(fd, SOL_HAUL, HAUL_FASTOPEN, PENDING);
	return fd;
}

/* the one that was not seen for longest is forgotten, and asked for a cookie again */
TEST_F(fastopen_limits, servers_are_forgotten)
{
	int listener = fast_listener(near_host, "0.0.0.0", PORT), n;

	for (n = 0; n < REMEMBERED; n++)
		EXPECT_FALSE(visit(near_host, listener, nth_server(n)));
	EXPECT_EQ(REMEMBERED, counter(near_host, "FastOpenCookieReqd"));
	/* all are known, and the first is now the latest */
	EXPECT_TRUE(visit(near_host, listener, nth_server(0)));
	EXPECT_FALSE(visit(near_host, listener, nth_server(REMEMBERED)));
	EXPECT_TRUE(visit(near_host, listener, nth_server(0)));
	EXPECT_TRUE(visit(near_host, listener, nth_server(2)));
	EXPECT_FALSE(visit(near_host, listener, nth_server(1)));
	/* and that has cost another one its place */
	EXPECT_FALSE(visit(near_host, listener, nth_server(3)));
	EXPECT_TRUE(visit(near_host, listener, nth_server(2)));
	close(listener);
}

/* what waits for its third step is counted; one more is a SYN like any other, until one has gone */
TEST_F(fastopen_limits, pending_are_counted)
{
	int listener = fast_listener(far_host, "0.0.0.0", PORT);
	int fds[PENDING + 1], servers[PENDING], i;

	EXPECT_FALSE(visit(near_host, listener, FAR4));
	/* a client whose SYN is answered only when it comes again, plain, would try no more */
	setting(near_host, "fastopen_blackhole_timeout_sec", 0);
	/* the third steps don't arrive: SYN-ACKs are not heard */
	deaf(near_host, true);
	for (i = 0; i <= PENDING; i++) {
		fds[i] = fast_open(near_host, FAR4, PORT);
		if (i < PENDING)
			servers[i] = accepted(listener);
	}
	ASSERT_TRUE(wait_until(counter(far_host, "FastOpenListenOverflow") == 1));
	EXPECT_EQ(PENDING, counter(far_host, "FastOpenPassive"));
	EXPECT_EQ(0, poll_for(listener, POLLIN, 0));
	deaf(near_host, false);
	/* it gets through all the same */
	close(accepted(listener));
	for (i = 0; i <= PENDING; i++)
		close(fds[i]);
	for (i = 0; i < PENDING; i++)
		close(servers[i]);
	ASSERT_TRUE(wait_until(visit(near_host, listener, FAR4)));
	close(listener);
}

/* one of everything that fast open can leave behind */
static void leave_fast_opens(int family)
{
	const char *far = far_address(family);
	int listener = fast_listener(far_host, family == AF_INET ? "0.0.0.0" : "::", PORT), fd;
	struct sockaddr_in6 to = address(far, PORT);

	setting(near_host, "syn_retries", 1);
	setting(far_host, "synack_retries", 1);
	setting(near_host, "orphan_retries", 1);
	setting(far_host, "orphan_retries", 1);
	/* a cookie, that the namespace remembers */
	visit(near_host, listener, far);
	/* a child that is reset while it waits counts for a minute more */
	link_set("delay 100ms");
	close(fast_open(near_host, far, PORT));
	if (!wait_until(counter(far_host, "InRsts") > 0))
		die("no reset");
	/* a connect() that waits for a write, with a queue of its own */
	fd = stream(near_host, family);
	option(fd, SOL_HAUL, HAUL_FASTOPEN_CONNECT, 1);
	if (connect(fd, (void *)&to, sizeof(to)))
		die("connect");
	/* children that wait for their third step: in the accept queue, and accepted */
	deaf(near_host, true);
	fast_open(near_host, far, PORT);
	accepted(listener);
	fast_open(near_host, far, PORT);
	poll_for(listener, POLLIN, 10000);
	/* a listener with a key of its own, a client whose SYN with payload nobody hears */
	option(fast_listener(far_host, far, PORT + 1), SOL_HAUL, HAUL_FASTOPEN, 1);
	deaf(far_host, true);
	fast_open(near_host, far, PORT);
}

/* killed in the middle of it: what is in the kernel goes with the namespaces, or by itself */
TEST_F(fastopen_limits, go_with_the_namespace)
{
	int i, status, pid, listener;

	for (i = 0; i < 4; i++) {
		pid = fork();
		if (!pid) {
			hosts_up();
			setting(near_host, "fastopen", 3);
			setting(far_host, "fastopen", 3);
			leave_fast_opens(i % 2 ? AF_INET : AF_INET6);
			raise(SIGKILL);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
	/* others have noticed nothing */
	listener = fast_listener(far_host, "0.0.0.0", PORT);
	EXPECT_FALSE(visit(near_host, listener, FAR4));
	EXPECT_TRUE(visit(near_host, listener, FAR4));
	close(listener);
}

TEST_HARNESS_MAIN
