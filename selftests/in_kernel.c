// SPDX-License-Identifier: GPL-2.0
/*
 * Users of Haul inside the kernel: sock_create_kern(), streams, messages and datagrams, with a
 * program at the other end and with another of their kind; and what is left of their sockets when
 * the namespace goes, on which they hold no reference. The user is examples/in_kernel
 * (HAUL_EXAMPLES in the environment is where its module is).
 */
#include "hosts.h"
#include <sys/wait.h>
#include "kselftest_harness.h"

#define RUN	"/sys/module/haul_in_kernel/parameters/run"

FIXTURE(in_kernel) {
};

FIXTURE_VARIANT(in_kernel) {
	int family;
};

FIXTURE_VARIANT_ADD(in_kernel, v4) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(in_kernel, v6) {
	.family = AF_INET6,
};

FIXTURE_SETUP(in_kernel)
{
	const char *examples = getenv("HAUL_EXAMPLES");

	if (!examples)
		SKIP(return, "HAUL_EXAMPLES names no directory");
	run("insmod %s/haul_in_kernel.ko", examples);
	hosts_up();
}

FIXTURE_TEARDOWN(in_kernel)
{
	if (getenv("HAUL_EXAMPLES"))
		run("rmmod haul_in_kernel");
}

/* 0 or the errno that the kernel's user had */
static int order(const char *role, const char *kind, const char *text, unsigned long bytes)
{
	char line[128];
	int fd = open(RUN, O_WRONLY), err = 0;

	if (fd < 0)
		die("%s", RUN);
	snprintf(line, sizeof(line), "%s %s %s %d %lu", role, kind, text, PORT, bytes);
	if (write(fd, line, strlen(line)) < 0)
		err = errno;
	close(fd);
	return err;
}

/* the same on another host, meanwhile */
static pid_t order_at(int host, const char *role, const char *kind, const char *text,
		      unsigned long bytes)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	go_to(host);
	_exit(order(role, kind, text, bytes));
}

static int outcome(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* does the kernel's user wait on that host's PORT? */
static bool listens(int host)
{
	int old = here(), found;

	go_to(host);
	found = !system("grep -q ':7000 ' /proc/net/haul/sockets");
	go_to(old);
	close(old);
	return found;
}

/* the same for datagrams, which that file does not show: its port is taken */
static bool has_port(int host, const char *text)
{
	int fd = socket_at(host, address(text, PORT).sin6_family, SOCK_DGRAM);
	bool taken = bind_to(fd, text, PORT) && errno == EADDRINUSE;

	close(fd);
	return taken;
}

/* how many sockets there are, in a way */
static long module_users(void)
{
	FILE *file = fopen("/sys/module/haul/refcnt", "r");
	long users;

	if (!file || fscanf(file, "%ld", &users) != 1)
		die("refcnt");
	fclose(file);
	return users;
}

/* a program's server: one connection's bytes go back, until its end */
static pid_t echo_at(int type, int listener)
{
	char buf[65536];
	pid_t pid = fork();
	ssize_t n;
	int fd;

	if (pid)
		return pid;
	fd = accepted(listener);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send(fd, buf, n, MSG_NOSIGNAL) != n)
			_exit(1);
	_exit(n != 0);
}

static int socket_type(const char *kind)
{
	return strcmp(kind, "stream") ? SOCK_SEQPACKET : SOCK_STREAM;
}

TEST_F(in_kernel, connects_to_a_program)
{
	static const char * const kinds[] = { "stream", "message" };
	const char *text = far_address(variant->family);
	int i;

	for (i = 0; i < 2; i++) {
		int type = socket_type(kinds[i]);
		int listener = listener_of(type, far_host, text, PORT, 1);
		pid_t server = echo_at(type, listener);
		long before = counter(near_host, "ActiveOpens");

		EXPECT_EQ(0, order("client", kinds[i], text, 1000000));
		EXPECT_EQ(0, outcome(server));
		EXPECT_EQ(before + 1, counter(near_host, "ActiveOpens"));
		close(listener);
	}
	/* nobody listens any more */
	EXPECT_EQ(ECONNREFUSED, order("client", "stream", text, 1));
}

TEST_F(in_kernel, serves_a_program)
{
	const char *text = far_address(variant->family);
	pid_t server = order_at(far_host, "server", "stream", text, 300000);
	int fd = stream(near_host, variant->family);
	struct flow f = { .from = fd, .to = fd };
	char byte;

	ASSERT_TRUE(wait_until(listens(far_host)));
	ASSERT_EQ(0, connect_to(fd, text, PORT));
	flow_run(&f, 300000, 65536, 65536);
	shutdown(fd, SHUT_WR);
	EXPECT_EQ(0, recv(fd, &byte, 1, 0));
	EXPECT_EQ(0, outcome(server));
	close(fd);
}

TEST_F(in_kernel, talks_to_its_like)
{
	static const char * const kinds[] = { "stream", "message", "datagram" };
	const char *text = far_address(variant->family);
	int i;

	for (i = 0; i < 3; i++) {
		pid_t server = order_at(far_host, "server", kinds[i], text, 200000);
		long before = counter(far_host, "DgramIn");

		ASSERT_TRUE(wait_until(i == 2 ? has_port(far_host, text) : listens(far_host)));
		EXPECT_EQ(0, order("client", kinds[i], text, 200000));
		EXPECT_EQ(0, outcome(server));
		if (i == 2)	/* 143 of 1400 bytes at most, and the empty one */
			EXPECT_EQ(before + 144, counter(far_host, "DgramIn"));
	}
}

/*
 * It has closed, the peer has no room for the rest of its bytes, and the namespace goes: the orphan
 * goes with it, and looks at it no more (the kernel that checks memory would say so).
 */
TEST_F(in_kernel, outlived_by_nothing)
{
	const char *text = far_address(variant->family);
	long users = module_users();
	int listener = socket_at(far_host, variant->family, SOCK_STREAM), fd;

	option(listener, SOL_SOCKET, SO_RCVBUF, 4096);
	ASSERT_EQ(0, bind_to(listener, text, PORT));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, order("leave", "stream", text, 16000));
	fd = accepted(listener);
	cut(true);
	go_to(far_host);
	close(near_host);
	close(fd);
	close(listener);
	EXPECT_TRUE(wait_until(module_users() == users));
}

TEST_HARNESS_MAIN
