// SPDX-License-Identifier: GPL-2.0
/*
 * Long connections and short ones (TEXTBOOK 17): many questions and answers over one, and one over
 * each of many; nothing is left over.
 */
#include <linux/sock_diag.h>
#include <sys/wait.h>
#include "capture.h"
#include "kselftest_harness.h"

#define EXCHANGES	500
#define SHORT		150

HOSTS_FIXTURE(exchanges);

/* answers each question with its square, until the end of file */
static void serve(int fd)
{
	uint32_t n;

	while (recv(fd, &n, sizeof(n), MSG_WAITALL) == sizeof(n)) {
		n *= n;
		if (send(fd, &n, sizeof(n), MSG_NOSIGNAL) != sizeof(n))
			_exit(1);
	}
	close(fd);
}

static bool ask(int fd, uint32_t n)
{
	uint32_t answer = 0;

	return send(fd, &n, sizeof(n), MSG_NOSIGNAL) == sizeof(n) &&
	       recv(fd, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) && answer == n * n;
}

static int server_process(int listener, int connections)
{
	int pid = fork();

	if (pid)
		return pid;
	while (connections--)
		serve(accept(listener, NULL, NULL));
	_exit(0);
}

/* what was sent and read gives its memory to what comes after; and nothing of it is seen there */
TEST_F(exchanges, memory_is_used_again)
{
	struct pair p = connected(variant->family);
	long before = counter(near_host, "SndBlocksReused");

	transfer(p.client, p.server, 8000000);
	EXPECT_LT(before + 50, counter(near_host, "SndBlocksReused"));
	done(&p);
}

TEST_F(exchanges, many_over_one_connection)
{
	int listener = listening(variant->family), i, status, pid = server_process(listener, 1);
	int client = stream(near_host, variant->family);

	ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
	for (i = 0; i < EXCHANGES; i++)
		ASSERT_TRUE(ask(client, i * 7919));
	EXPECT_EQ(EXCHANGES * 4, info_of(client).bytes_received);
	EXPECT_EQ(1, counter(near_host, "ActiveOpens"));
	close(client);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(listener);
}

/* bytes that the socket has been granted and does not use */
static uint32_t held_by(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len))
		die("SO_MEMINFO");
	return mem[SK_MEMINFO_FWD_ALLOC];
}

/* who asks and answers may keep a page for the next question, but not when there is none */
TEST_F(exchanges, memory_is_given_back_when_idle)
{
	int listener = listening(variant->family), i, status, pid = server_process(listener, 1);
	int client = stream(near_host, variant->family);

	ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
	for (i = 0; i < EXCHANGES; i++) {
		ASSERT_TRUE(ask(client, i));
		ASSERT_GT(8192, held_by(client));
	}
	EXPECT_TRUE(wait_until(held_by(client) < 4096));
	close(client);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(listener);
}

TEST_F(exchanges, one_over_each_of_many_connections)
{
	int listener = listening(variant->family), i, status, pid = server_process(listener, SHORT);

	for (i = 0; i < SHORT; i++) {
		int client = stream(near_host, variant->family);

		ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
		ASSERT_TRUE(ask(client, i * 7919));
		close(client);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(SHORT, counter(near_host, "ActiveOpens"));
	EXPECT_EQ(SHORT, counter(far_host, "PassiveOpens"));
	EXPECT_EQ(SHORT, counter(near_host, "TimeWaits"));
	/* a FIN sent twice is acknowledged twice, and the second acknowledgment may find nobody */
	EXPECT_GE(counter(near_host, "RetransSegs") + counter(far_host, "RetransSegs"),
		  counter(near_host, "OutRsts") + counter(far_host, "OutRsts"));
	close(listener);
}

/* no boundaries: what is written in pieces is read in others */
TEST_F(exchanges, no_boundaries)
{
	static const size_t sizes[] = { 1, 3000, 7, 65536, 100, 1444, 1445, 20000, 1 };
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		end += sizes[i];
		flow_run(&f, end, sizes[i], sizes[sizeof(sizes) / sizeof(sizes[0]) - 1 - i]);
	}
	EXPECT_EQ(end, f.received);
	done(&p);
}

TEST_HARNESS_MAIN
