/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Situations played twice, over a transport of the kernel's and over Haul, whose records must be
 * equal, word for word: what every call returned, its errno, what poll said, what was read. A test
 * file has functions situation(struct play *p) that write down what happens by call() and note(), a
 * list of them, and a main() that calls play_all(). play_stream.h makes the sockets for TCP's
 * situations, play_dgram.h for UDP's.
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

#define RECORD_MAX	8192

struct play {
	int family;		/* AF_INET, AF_INET6 */
	int protocol;		/* 0 (TCP, UDP) or IPPROTO_HAUL */
	char record[RECORD_MAX];
	size_t used;
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

/* an option's value and length, as an int's */
static inline void option(struct play *p, int fd, const char *name, int level, int opt)
{
	int value = -1;
	socklen_t len = sizeof(value);

	call(p, name, getsockopt(fd, level, opt, &value, &len));
	note(p, "= %d (%u)\n", value, len);
}

static inline int port_of(int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (getsockname(fd, (void *)&sin6, &len))
		return -1;
	return ntohs(sin6.sin6_port);	/* the same place in both families */
}

#define SITUATION(f) { #f, f }
struct situation {
	const char *name;
	void (*play)(struct play *p);
};

static inline void play_one(const struct situation *situation, int family)
{
	static struct play kernel, haul;
	bool same;

	kernel = (struct play){ .family = family };
	haul = (struct play){ .family = family, .protocol = IPPROTO_HAUL };
	situation->play(&kernel);
	situation->play(&haul);
	same = kernel.used && !strcmp(kernel.record, haul.record);
	if (!same)
		ksft_print_msg("the kernel's:\n%s\nHaul:\n%s\n", kernel.record, haul.record);
	ksft_test_result(same, "%s ipv%d\n", situation->name, family == AF_INET ? 4 : 6);
}

/* the whole of main(); @setup: commands for the namespace where all is played, NULL the last */
static inline int play_all(const struct situation *situations, unsigned int num,
			   const char *const *setup)
{
	unsigned int i;

	ksft_print_header();
	ksft_set_plan(2 * num);
	if (unshare(CLONE_NEWNET))
		ksft_exit_fail_msg("no namespace: run as root\n");
	for (; *setup; setup++)
		if (system(*setup))
			ksft_exit_fail_msg("failed: %s\n", *setup);
	for (i = 0; i < num; i++) {
		play_one(&situations[i], AF_INET);
		play_one(&situations[i], AF_INET6);
	}
	ksft_finished();
	return 0;
}

#endif /* HAUL_PLAY_H */
