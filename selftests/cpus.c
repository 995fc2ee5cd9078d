// SPDX-License-Identifier: GPL-2.0
/*
 * A processor goes offline and comes back, again and again, under connections that are in use, come
 * and go: what was queued on it, its timers and its share of the memory accounts find another one.
 * A machine with one processor, or a kernel that keeps those it has, skips it.
 */
#include <sys/wait.h>
#include "hosts.h"
#include "kselftest_harness.h"

#define ONLINE	"/sys/devices/system/cpu/cpu1/online"
#define ROUNDS	12
#define SOME	200000		/* bytes */

HOSTS_FIXTURE(cpus);

/* a child that takes the second processor away and gives it back, ROUNDS times */
static pid_t someone_pulls(void)
{
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	for (i = 0; i < ROUNDS; i++) {
		write_file(ONLINE, "0");
		pause_us(60 * MS);
		write_file(ONLINE, "1");
		pause_us(60 * MS);
	}
	_exit(0);
}

static bool still_pulls(pid_t pid, int *status)
{
	return !waitpid(pid, status, WNOHANG);
}

/* bytes both ways over @p, and over a connection that lives only for them */
static void in_use(int family, struct pair *p)
{
	struct pair brief;

	transfer(p->client, p->server, SOME);
	transfer(p->server, p->client, SOME);
	brief = connected_with(family, p->listener, stream(near_host, family));
	transfer(brief.client, brief.server, 1000);
	close(brief.client);
	close(brief.server);
}

TEST_F(cpus, one_goes_and_comes_back)
{
	struct pair p = connected(variant->family);
	int status = 0, times = 0;
	pid_t pid;

	if (access(ONLINE, W_OK))
		SKIP(return, "needs a second processor that can be taken away");
	/* so that timers run and segments wait when it goes */
	link_set("delay 1ms loss 1%");
	pid = someone_pulls();
	ASSERT_LT(0, pid);
	while (still_pulls(pid, &status)) {
		in_use(variant->family, &p);
		times++;
	}
	EXPECT_EQ(0, status);
	EXPECT_LT(1, times);
	in_use(variant->family, &p);
	EXPECT_EQ(0, error_of(p.client));
	EXPECT_EQ(0, error_of(p.server));
	done(&p);
}

TEST_HARNESS_MAIN
