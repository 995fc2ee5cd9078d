// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets as file descriptors: shared by fork, copied, passed to another process; hundreds of them
 * under epoll, poll and select (TEXTBOOK 2).
 */
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>
#include "capture.h"
#include "kselftest_harness.h"

#define MANY	200

HOSTS_FIXTURE(handles);

/* a child serves the accepted connection, as inetd and many servers do */
TEST_F(handles, server_forks)
{
	struct pair p = connected(variant->family);
	int status, pid = fork();
	char buf[64];
	ssize_t n;

	if (!pid) {
		close(p.listener);
		close(p.client);
		while ((n = recv(p.server, buf, sizeof(buf), 0)) > 0)
			send(p.server, buf, n, MSG_NOSIGNAL);
		_exit(n);
	}
	close(p.server);
	ASSERT_EQ(4, send(p.client, "echo", 4, 0));
	ASSERT_EQ(4, recv(p.client, buf, 4, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "echo", 4));
	/* the parent's close() did not end it; the child's exit does */
	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	EXPECT_EQ(0, recv(p.client, buf, 1, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(p.client);
	close(p.listener);
}

/* several processes accept from one listener: each connection is served once */
TEST_F(handles, preforked_servers)
{
	int listener = listening(variant->family), pids[4], i, served = 0;

	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			for (;;) {
				int fd = accept(listener, NULL, NULL);
				char c;

				if (fd < 0)
					_exit(1);
				if (recv(fd, &c, 1, 0) == 1 && c == 'q')
					_exit(0);
				send(fd, "s", 1, MSG_NOSIGNAL);
				close(fd);
			}
		}
	}
	for (i = 0; i < 24; i++) {
		int fd = stream(near_host, variant->family);
		char c = i < 20 ? 'x' : 'q', answer = 0;

		ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
		ASSERT_EQ(1, send(fd, &c, 1, MSG_NOSIGNAL));
		served += recv(fd, &answer, 1, 0) == 1 && answer == 's';
		close(fd);
	}
	EXPECT_EQ(20, served);
	for (i = 0; i < 4; i++) {
		int status = -1;

		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	close(listener);
}

TEST_F(handles, copies)
{
	struct pair p = connected(variant->family);
	int copy = dup(p.client);
	char c;

	close(p.client);
	transfer(copy, p.server, 10000);
	EXPECT_EQ(-1, recv(p.server, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	/* shutdown is the connection's, close the descriptor's */
	p.client = dup(copy);
	ASSERT_EQ(0, shutdown(copy, SHUT_WR));
	EXPECT_EQ(0, recv(p.server, &c, 1, 0));
	EXPECT_EQ(-1, send(p.client, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	close(copy);
	done(&p);
}

static void pass(int to, int fd)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { };
	struct iovec iov = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(to, &msg, 0) != 1)
		die("SCM_RIGHTS");
}

static int passed(int from)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { };
	char c;
	struct iovec iov = { .iov_base = &c, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		die("SCM_RIGHTS");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* handed over in the middle of the stream; for a while nobody but the message holds it */
TEST_F(handles, passed_to_another_process)
{
	struct pair p = connected(variant->family);
	int unix_fds[2], pid, status;
	char buf[8];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, unix_fds));
	ASSERT_EQ(8, send(p.client, "01234567", 8, 0));
	ASSERT_EQ(4, recv(p.server, buf, 4, MSG_WAITALL));
	pass(unix_fds[0], p.server);
	close(p.server);
	pid = fork();
	if (!pid) {
		int fd;

		close(p.client);
		fd = passed(unix_fds[1]);
		_exit(recv(fd, buf, 4, MSG_WAITALL) != 4 || memcmp(buf, "4567", 4) ||
		      send(fd, "ok", 2, 0) != 2);
	}
	close(unix_fds[0]);
	close(unix_fds[1]);
	EXPECT_EQ(2, recv(p.client, buf, 2, MSG_WAITALL));
	EXPECT_EQ(0, recv(p.client, buf, 1, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(p.client);
	close(p.listener);
}

static void connect_many(int family, int listener, struct pair *pairs, int num)
{
	int i;

	for (i = 0; i < num; i++)
		pairs[i] = connected_with(family, listener, stream(near_host, family));
}

TEST_F(handles, epoll_of_hundreds)
{
	static struct pair pairs[MANY];
	struct epoll_event events[16];
	int listener = listening(variant->family), ep = epoll_create1(0), i, n, seen = 0;
	bool had[MANY] = { };

	connect_many(variant->family, listener, pairs, MANY);
	for (i = 0; i < MANY; i++) {
		struct epoll_event ev = { .data.u32 = i };

		ev.events = EPOLLIN | (i % 2 ? EPOLLET : 0);
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, pairs[i].server, &ev));
	}
	EXPECT_EQ(0, epoll_wait(ep, events, 16, 0));
	for (i = 0; i < MANY; i += 3)
		ASSERT_EQ(1, send(pairs[i].client, "e", 1, 0));
	while (seen < (MANY + 2) / 3) {
		n = epoll_wait(ep, events, 16, 5000);
		ASSERT_LT(0, n);
		while (n--) {
			char c;

			i = events[n].data.u32;
			EXPECT_EQ(0, i % 3);
			EXPECT_FALSE(had[i]);
			had[i] = true;
			seen++;
			EXPECT_EQ(1, recv(pairs[i].server, &c, 1, MSG_DONTWAIT));
		}
	}
	EXPECT_EQ(0, epoll_wait(ep, events, 16, 0));
	/* a closed one leaves the set by itself; the peers' ends show */
	close(pairs[0].server);
	for (i = 1; i < MANY; i++)
		close(pairs[i].client);
	seen = 0;
	while (seen < MANY - 1) {
		n = epoll_wait(ep, events, 16, 5000);
		ASSERT_LT(0, n);
		while (n--) {
			i = events[n].data.u32;
			EXPECT_NE(0, i);
			close(pairs[i].server);
			seen++;
		}
	}
	close(pairs[0].client);
	close(ep);
	close(listener);
}

TEST_F(handles, select_of_many)
{
	static struct pair pairs[50];
	int listener = listening(variant->family), i, max = 0;
	struct timeval tv = { .tv_sec = 5 };
	fd_set in, out;

	connect_many(variant->family, listener, pairs, 50);
	ASSERT_EQ(1, send(pairs[7].client, "s", 1, 0));
	ASSERT_TRUE(poll_for(pairs[7].server, POLLIN, 5000) & POLLIN);
	FD_ZERO(&in);
	FD_ZERO(&out);
	for (i = 0; i < 50; i++) {
		FD_SET(pairs[i].server, &in);
		FD_SET(pairs[i].client, &out);
		max = pairs[i].server > max ? pairs[i].server : max;
		max = pairs[i].client > max ? pairs[i].client : max;
	}
	EXPECT_EQ(1 + 50, select(max + 1, &in, &out, NULL, &tv));
	EXPECT_TRUE(FD_ISSET(pairs[7].server, &in));
	for (i = 0; i < 50; i++) {
		close(pairs[i].server);
		close(pairs[i].client);
	}
	close(listener);
}

TEST_HARNESS_MAIN
