// SPDX-License-Identifier: GPL-2.0
/*
 * Which controller a connection has: by socket, namespace, route, listener; and one that comes with
 * a module of its own (examples/cc_scalable; HAUL_EXAMPLES in the environment is where it is).
 */
#include <sys/wait.h>
#include "hosts.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(congestion);

static const char * const controllers[] = { "reno", "cubic", "bbr", "dctcp" };

static int choose(int fd, const char *name)
{
	return setsockopt(fd, SOL_HAUL, HAUL_CONGESTION, name, strlen(name)) ? errno : 0;
}

#define EXPECT_CONTROLLER(name, fd)			\
do {							\
	struct haul_info info_ = info_of(fd);		\
							\
	EXPECT_STREQ(name, info_.congestion);		\
} while (0)

/* each of them moves data, and can be taken in the middle of it */
TEST_F(congestion, by_socket)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	unsigned int i;

	link_set("delay 2ms loss 1%");
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, choose(p.client, controllers[i % 4]));
		EXPECT_CONTROLLER(controllers[i % 4], p.client);
		flow_run(&f, f.sent + 300000, 65536, 65536);
	}
	EXPECT_EQ(ENOENT, choose(p.client, "nobody"));
	EXPECT_CONTROLLER("dctcp", p.client);
	EXPECT_CONTROLLER("cubic", p.server);
	done(&p);
}

/* pacing comes and goes with the controller */
TEST_F(congestion, pacing_follows)
{
	struct pair p = connected(variant->family);

	EXPECT_EQ(~0ULL, info_of(p.client).pacing_rate);
	ASSERT_EQ(0, choose(p.client, "bbr"));
	transfer(p.client, p.server, 500000);
	EXPECT_GT(~0ULL, info_of(p.client).pacing_rate);
	ASSERT_EQ(0, choose(p.client, "reno"));
	EXPECT_EQ(~0ULL, info_of(p.client).pacing_rate);
	done(&p);
}

TEST_F(congestion, by_namespace)
{
	struct pair p;

	EXPECT_EQ(0, sysctl_write(near_host, "congestion_control", "bbr"));
	EXPECT_EQ(0, sysctl_write(far_host, "congestion_control", "reno"));
	EXPECT_EQ(ENOENT, sysctl_write(near_host, "congestion_control", "nobody"));
	/* for the first namespace's administrator only */
	EXPECT_EQ(EPERM, sysctl_write(near_host, "congestion_control", "dctcp"));
	p = connected(variant->family);
	EXPECT_CONTROLLER("bbr", p.client);
	EXPECT_CONTROLLER("reno", p.server);
	transfer(p.client, p.server, 500000);
	transfer(p.server, p.client, 500000);
	done(&p);
}

TEST_F(congestion, by_listener)
{
	int listener = listening(variant->family);
	struct pair p;

	ASSERT_EQ(0, choose(listener, "bbr"));
	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	EXPECT_CONTROLLER("cubic", p.client);
	EXPECT_CONTROLLER("bbr", p.server);
	transfer(p.server, p.client, 500000);
	done(&p);
}

/* ip route ... congctl NAME, on both sides */
TEST_F(congestion, by_route)
{
	bool v4 = variant->family == AF_INET;
	struct pair p;

	run_at(near_host, "ip route replace %s/%d dev near0 congctl reno",
	       far_address(variant->family), v4 ? 32 : 128);
	run_at(far_host, "ip route replace %s/%d dev far0 congctl reno",
	       near_address(variant->family), v4 ? 32 : 128);
	p = connected(variant->family);
	EXPECT_CONTROLLER("reno", p.client);
	EXPECT_CONTROLLER("reno", p.server);
	transfer(p.client, p.server, 500000);
	/* what the program says afterwards stands */
	ASSERT_EQ(0, choose(p.client, "cubic"));
	EXPECT_CONTROLLER("cubic", p.client);
	done(&p);
}

/* DCTCP is for those who may endanger others */
TEST_F(congestion, restricted)
{
	struct pair p = connected(variant->family);
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		_exit(choose(p.client, "dctcp") != EPERM || choose(p.client, "bbr") != 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_CONTROLLER("bbr", p.client);
	done(&p);
}

/* DCTCP asks for ECN, and its listener agrees, though the setting is off */
TEST_F(congestion, dctcp_has_ecn)
{
	int listener, client;
	struct pair p;

	setting(near_host, "ecn", 0);
	setting(far_host, "ecn", 0);
	listener = listening(variant->family);
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, choose(client, "dctcp"));
	p = connected_with(variant->family, listener, client);
	EXPECT_FALSE(info_of(p.client).options & HAUL_INFO_ECN);
	close(p.client);
	close(p.server);
	ASSERT_EQ(0, choose(listener, "dctcp"));
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, choose(client, "dctcp"));
	p = connected_with(variant->family, listener, client);
	EXPECT_TRUE(info_of(p.client).options & HAUL_INFO_ECN);
	EXPECT_TRUE(info_of(p.server).options & HAUL_INFO_ECN);
	transfer(p.client, p.server, 500000);
	done(&p);
}

static int shell(const char *command)
{
	return WEXITSTATUS(system(command));
}

/* it comes, is used, can't go, is let go, goes; all it takes is its file */
TEST_F(congestion, of_another_module)
{
	const char *examples = getenv("HAUL_EXAMPLES");
	char command[512];
	struct pair p;

	if (!examples)
		SKIP(return, "HAUL_EXAMPLES names no directory");
	snprintf(command, sizeof(command), "insmod %s/haul_cc_scalable.ko", examples);
	p = connected(variant->family);
	ASSERT_EQ(0, shell(command));
	EXPECT_EQ(0, shell("grep -qw scalable /proc/sys/net/haul/available_congestion_control"));
	/* not chosen by anybody: it may go, and its name is free */
	EXPECT_EQ(0, shell("rmmod haul_cc_scalable"));
	EXPECT_EQ(ENOENT, choose(p.client, "scalable"));
	ASSERT_EQ(0, shell(command));
	ASSERT_EQ(0, choose(p.client, "scalable"));
	EXPECT_CONTROLLER("scalable", p.client);
	link_set("delay 2ms loss 1%");
	transfer(p.client, p.server, 1000000);
	EXPECT_NE(0, shell("rmmod haul_cc_scalable 2>/dev/null"));
	transfer(p.client, p.server, 1000000);
	ASSERT_EQ(0, choose(p.client, "cubic"));
	EXPECT_EQ(0, shell("rmmod haul_cc_scalable"));

	/* a namespace that has chosen it holds it, and so do sockets that have it from there */
	ASSERT_EQ(0, shell(command));
	EXPECT_EQ(0, sysctl_write(near_host, "congestion_control", "scalable"));
	EXPECT_NE(0, shell("rmmod haul_cc_scalable 2>/dev/null"));
	close(p.client);
	close(p.server);
	p = connected_with(variant->family, p.listener, stream(near_host, variant->family));
	EXPECT_CONTROLLER("scalable", p.client);
	EXPECT_EQ(0, sysctl_write(near_host, "congestion_control", "cubic"));
	EXPECT_NE(0, shell("rmmod haul_cc_scalable 2>/dev/null"));
	transfer(p.client, p.server, 500000);
	ASSERT_EQ(0, choose(p.client, "reno"));
	EXPECT_EQ(0, shell("rmmod haul_cc_scalable"));
	done(&p);
}

TEST_HARNESS_MAIN
