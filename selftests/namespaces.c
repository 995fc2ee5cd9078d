// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces: settings and counters of their own, sockets that stay where they were made,
 * and namespaces that go away in the middle of traffic, in every state of a connection.
 */
#include <limits.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "capture.h"
#include "kselftest_harness.h"

/* how many hosts come and go; HAUL_NAMESPACES in the environment makes it more */
#define COME_AND_GO	12

/* how many hosts are beside each other, with nothing but a loopback device */
#define MANY		400

FIXTURE(namespaces) {
	char nothing;
};

FIXTURE_SETUP(namespaces)
{
	hosts_up();
}

FIXTURE_TEARDOWN(namespaces)
{
}

TEST_F(namespaces, counters_are_each_ones_own)
{
	int third = new_host();
	struct pair p;

	go_to(near_host);
	p = connected(AF_INET);
	EXPECT_EQ(1, counter(near_host, "ActiveOpens"));
	EXPECT_EQ(0, counter(far_host, "ActiveOpens"));
	EXPECT_EQ(1, counter(far_host, "PassiveOpens"));
	EXPECT_EQ(0, counter(third, "ActiveOpens"));
	EXPECT_EQ(0, counter(third, "InSegs"));
	done(&p);
}

TEST_F(namespaces, settings_are_each_ones_own)
{
	struct pair p;

	setting(near_host, "initial_cwnd", 3);
	setting(far_host, "initial_cwnd", 5);
	p = connected(AF_INET6);
	EXPECT_EQ(3 * info_of(p.client).snd_mss, info_of(p.client).snd_cwnd);
	EXPECT_EQ(5 * info_of(p.server).snd_mss, info_of(p.server).snd_cwnd);
	done(&p);
}

/* both ends of each range, and what is one beyond them: refused, and nothing changes */
TEST_F(namespaces, settings_have_ranges)
{
	static const struct { const char *name; int min, max; const char *others; } range[] = {
		{ "initial_cwnd", 1, 1000, "" }, { "syn_retries", 1, 127, "" },
		{ "synack_retries", 0, 127, "" }, { "retries2", 1, 127, "" },
		{ "orphan_retries", 0, 127, "" }, { "msl_ms", 1, 240000, "" },
		{ "fin_timeout_ms", 1, 3600000, "" }, { "keepalive_time", 1, 32767, "" },
		{ "keepalive_intvl", 1, 32767, "" }, { "keepalive_probes", 1, 127, "" },
		{ "remember_rtt", 0, 1, "" }, { "max_syn_backlog", 1, 1 << 24, "" },
		{ "syncookies", 0, 2, "" }, { "max_remnants", 0, 1 << 24, "" },
		{ "rto_min_us", 1000, 120000000, "" }, { "challenge_limit", 1, 255, "" },
		{ "ecn", 0, 2, "" }, { "fastopen", INT_MIN, INT_MAX, "" },
		{ "fastopen_blackhole_timeout_sec", 0, 86400, "" }, { "moderate_rcvbuf", 0, 1, "" },
		{ "slow_start_after_idle", 0, 1, "" }, { "min_pmtu", 68, 65535, "" },
		{ "black_hole_timeouts", 0, 127, "" }, { "rmem", 2048, INT_MAX, " 131072 6291456" },
		{ "wmem", 2048, INT_MAX, " 16384 4194304" },
	};
	static const struct { const char *name, *value; } bad[] = {
		{ "initial_cwnd", "x" }, { "rmem", "1 2 3" }, { "rmem", "4096 131072 2047" },
		{ "congestion_control", "none_such" },
	};
	char text[64];
	size_t i;
	int n;

	for (i = 0; i < sizeof(range) / sizeof(range[0]); i++)
		for (n = 0; n < 4; n++) {
			/* least and greatest are taken, then one less and one more are not */
			long long value = n % 2 ? (long long)range[i].max + n / 2 :
						  (long long)range[i].min - n / 2;
			bool taken = n < 2;

			snprintf(text, sizeof(text), "%lld%s", value, range[i].others);
			if ((sysctl_write(near_host, range[i].name, text) == 0) != taken) {
				TH_LOG("%s = %s is %s", range[i].name, text,
				       taken ? "refused" : "accepted");
				EXPECT_TRUE(false);
			}
		}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!sysctl_write(near_host, bad[i].name, bad[i].value)) {
			TH_LOG("%s = %s is accepted", bad[i].name, bad[i].value);
			EXPECT_TRUE(false);
		}
	EXPECT_EQ(0, sysctl_write(near_host, "rmem", "4096 65536 1000000"));
	EXPECT_EQ(0, sysctl_write(near_host, "congestion_control", "reno"));
}

/* the socket is of the namespace that it was made in, wherever the program goes */
TEST_F(namespaces, sockets_stay)
{
	int listener = listening(AF_INET), client = stream(near_host, AF_INET), server;

	go_to(far_host);
	ASSERT_EQ(0, connect_to(client, FAR4, PORT));
	go_to(near_host);
	server = accepted(listener);
	transfer(client, server, 10000);
	close(client);
	close(server);
	close(listener);
}

/* without a program for it, which would take longer than all the rest */
static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		die("lo");
	close(fd);
}

/* the same addresses and ports elsewhere are other connections */
TEST_F(namespaces, same_addresses_elsewhere)
{
	int i, listeners[2], clients[2], servers[2];

	for (i = 0; i < 2; i++) {
		int host = i ? far_host : near_host;

		listeners[i] = listener_at(host, "127.0.0.1", PORT, 5);
		clients[i] = stream(host, AF_INET);
		ASSERT_EQ(0, bind_to(clients[i], "127.0.0.1", PORT + 1));
		ASSERT_EQ(0, connect_to(clients[i], "127.0.0.1", PORT));
		servers[i] = accepted(listeners[i]);
	}
	ASSERT_EQ(1, send(clients[0], "0", 1, 0));
	EXPECT_TRUE(poll_for(servers[0], POLLIN, 5000) & POLLIN);
	EXPECT_EQ(0, poll_for(servers[1], POLLIN, 0));
	transfer(clients[1], servers[1], 10000);
	for (i = 0; i < 2; i++) {
		close(clients[i]);
		close(servers[i]);
		close(listeners[i]);
	}
}

/*
 * The tables are the module's, not the namespaces': what is the same in many of them meets in their
 * chains. Of 400, 80,000 pairs: for the 16,384 buckets of the ports about 5 that meet, for the
 * 4,096 of the datagrams' 20, for the flows (twice as many pairs, 2,048 buckets at most) 80.
 */
TEST_F(namespaces, same_in_many)
{
	static struct { int listener, client, server, datagram; } in[MANY];
	struct rlimit files = { 8 * MANY, 8 * MANY };
	char c;
	int i, host;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (i = 0; i < MANY; i++) {
		host = new_host();
		lo_up();
		in[i].listener = listener_at(host, "127.0.0.1", PORT, 5);
		in[i].client = stream(host, AF_INET);
		/* whose SYN another gets need not wait two minutes to know */
		option(in[i].client, SOL_HAUL, HAUL_SYNCNT, 1);
		ASSERT_EQ(0, bind_to(in[i].client, "127.0.0.1", PORT + 1));
		ASSERT_EQ(0, connect_to(in[i].client, "127.0.0.1", PORT));
		in[i].server = accepted(in[i].listener);
		in[i].datagram = socket_at(host, AF_INET, SOCK_DGRAM);
		ASSERT_EQ(0, bind_to(in[i].datagram, "127.0.0.1", PORT));
		close(host);
	}
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(1, send(in[i].client, "x", 1, 0));
		ASSERT_TRUE(poll_for(in[i].server, POLLIN, 5000) & POLLIN);
		ASSERT_EQ(1, recv(in[i].server, &c, 1, 0));
	}
	for (i = 0; i < MANY; i++) {
		close(in[i].client);
		close(in[i].server);
		close(in[i].listener);
		close(in[i].datagram);
	}
	go_to(near_host);
}

/* one connection in each state that has something to leave behind */
static void leave_everything_open(int family)
{
	static const char *const patience[] = { "orphan_retries", "syn_retries", "synack_retries" };
	struct pair p = connected(family), timewait, half_closed;
	struct flow f = { .from = p.client, .to = p.server };
	int syn_sent = stream(near_host, family), half_open = stream(near_host, family);
	int second = listener_at(far_host, far_address(family), PORT + 1, 1);
	char c;
	int i;

	/* orphans live on until they give up: let that be soon */
	for (i = 0; i < 3; i++) {
		setting(near_host, patience[i], 1);
		setting(far_host, patience[i], 1);
	}
	setting(near_host, "fin_timeout_ms", 500);
	timewait = connected_with(family, p.listener, stream(near_host, family));
	close(timewait.client);
	if (!poll_for(timewait.server, POLLIN, 5000) || recv(timewait.server, &c, 1, 0))
		die("no end of file");
	close(timewait.server);
	half_closed = connected_with(family, p.listener, stream(near_host, family));
	shutdown(half_closed.client, SHUT_WR);
	flow_fill(&f);
	link_set("delay 200ms");
	nonblocking(half_open, true);
	connect_to(half_open, far_address(family), PORT + 1);
	deaf(near_host, true);
	nonblocking(syn_sent, true);
	connect_to(syn_sent, "192.0.2.77", PORT);
	(void)second;
}

/* killed in the middle of it; what is left in the kernel must go with the namespace or by itself */
TEST_F(namespaces, come_and_go)
{
	const char *more = getenv("HAUL_NAMESPACES");
	int num = more ? atoi(more) : COME_AND_GO, i, status;
	struct pair p = connected(AF_INET);
	struct flow f = { .from = p.client, .to = p.server };

	for (i = 0; i < num; i++) {
		int pid = fork();

		if (!pid) {
			hosts_up();
			leave_everything_open(i % 2 ? AF_INET : AF_INET6);
			raise(SIGKILL);
		}
		/* other namespaces don't notice */
		flow_run(&f, f.sent + 100000, 65536, 65536);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
	flow_run(&f, f.sent + 100000, 65536, 65536);
	done(&p);
}

TEST_HARNESS_MAIN
