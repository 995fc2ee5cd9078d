/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Situations played twice, over TCP and over Haul, whose records must be equal, word for word: what
 * every call returned, its errno, what poll said, what was read. A test file has functions
 * situation(struct play *p) that make sockets by make() or connected() and write down what happens
 * by call() and note(), a list of them, and a main() that calls play_all().
 */
#ifndef HAUL_PLAY_H
#define HAUL_PLAY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/haul.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest.h"

#define RECORD_MAX	4096

struct play {
	int family;		/* AF_INET, AF_INET6 */
	int protocol;		/* 0 (TCP) or IPPROTO_HAUL */
	char record[RECORD_MAX];
	size_t used;
};

struct pair {
	int listener;
	int client;
	int server;
};

__attribute__((format(printf, 2, 3)))
static inline void note(struct play *p, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(p->record + p->used, RECORD_MAX - p->used, format, args);
	va_end(args);
	if (n > 0 && p->used + n < RECORD_MAX)
		p->used += n;
}

/* notes what a call returned, and errno when it failed */
static inline long call(struct play *p, const char *what, long result)
{
	if (result < 0)
		note(p, "%s: %s\n", what, strerrorname_np(errno));
	else
		note(p, "%s: %ld\n", what, result);
	return result;
}

static inline int make(struct play *p)
{
	int fd = socket(p->family, SOCK_STREAM, p->protocol);

	if (fd < 0)
		call(p, "socket", fd);
	return fd;
}

static inline socklen_t address(struct play *p, struct sockaddr_storage *ss, int port)
{
	memset(ss, 0, sizeof(*ss));
	if (p->family == AF_INET) {
		struct sockaddr_in *sin = (void *)ss;

		sin->sin_family = AF_INET;
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		sin->sin_port = htons(port);
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (void *)ss;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = in6addr_loopback;
	sin6->sin6_port = htons(port);
	return sizeof(*sin6);
}

static inline int port_of(int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (getsockname(fd, (void *)&sin6, &len))
		return -1;
	return ntohs(sin6.sin6_port);	/* the same place in both families */
}

static inline int listen_on(struct play *p, int backlog)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 0);
	int fd = make(p);

	if (bind(fd, (void *)&ss, len) || listen(fd, backlog))
		call(p, "listener", -1);
	return fd;
}

static inline int connect_to(struct play *p, int fd, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, port);

	return connect(fd, (void *)&ss, len);
}

static inline struct pair connected(struct play *p)
{
	struct pair pair;

	pair.listener = listen_on(p, 8);
	pair.client = make(p);
	if (connect_to(p, pair.client, port_of(pair.listener)))
		call(p, "pair", -1);
	pair.server = accept(pair.listener, NULL, NULL);
	if (pair.server < 0)
		call(p, "pair accept", -1);
	return pair;
}

static inline void done(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

static inline int revents(int fd, int events, int timeout)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	poll(&pfd, 1, timeout);
	return pfd.revents;
}

/* waits until @bits show, then notes everything that poll says */
static inline void note_poll(struct play *p, const char *what, int fd, int bits)
{
	const int all = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;
	int i, got = 0;

	for (i = 0; i < 500; i++) {
		got = revents(fd, all, 0);
		if ((got & bits) == bits)
			break;
		usleep(10000);
	}
	note(p, "%s: %#x\n", what, got);
}

static inline void wait_readable(int fd)
{
	revents(fd, POLLIN, 5000);
}

static inline int closed_port(struct play *p)
{
	int fd = listen_on(p, 1), port = port_of(fd);

	close(fd);
	return port;
}

#define SITUATION(f) { #f, f }
struct situation {
	const char *name;
	void (*play)(struct play *p);
};

static inline void play_one(const struct situation *situation, int family)
{
	static struct play tcp, haul;
	bool same;

	tcp = (struct play){ .family = family };
	haul = (struct play){ .family = family, .protocol = IPPROTO_HAUL };
	situation->play(&tcp);
	situation->play(&haul);
	same = tcp.used && !strcmp(tcp.record, haul.record);
	if (!same)
		ksft_print_msg("TCP:\n%s\nHaul:\n%s\n", tcp.record, haul.record);
	ksft_test_result(same, "%s ipv%d\n", situation->name, family == AF_INET ? 4 : 6);
}

/* the whole of main() */
static inline int play_all(const struct situation *situations, unsigned int num)
{
	unsigned int i;

	ksft_print_header();
	ksft_set_plan(2 * num);
	if (unshare(CLONE_NEWNET) || system("ip link set lo up"))
		ksft_exit_fail_msg("no namespace: run as root\n");
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < num; i++) {
		play_one(&situations[i], AF_INET);
		play_one(&situations[i], AF_INET6);
	}
	ksft_finished();
	return 0;
}

#endif /* HAUL_PLAY_H */
