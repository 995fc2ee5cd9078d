/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's fault injection (Documentation/fault-injection/), for tests of memory that is not
 * there: the n-th allocation of a call fails, or all of a task's, or some of everybody's.
 *
 *	arm(n);
 *	err = call() ? errno : 0;
 *	failed = disarm();		false: the call makes fewer than n allocations
 */
#ifndef HAUL_FAULTS_H
#define HAUL_FAULTS_H

#include <sys/stat.h>
#include "hosts.h"

#define FAULTS		"/sys/kernel/debug/"
#define MOST		400		/* no call makes so many allocations */

static const char * const kinds[] = { "failslab", "fail_page_alloc" };
static int nth_fd, fail_fd __attribute__((unused));

/* a knob of both kinds; one that a kind does not have is passed over */
static inline void knob(const char *name, const char *value)
{
	char path[128];
	int i, fd;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), FAULTS "%s/%s", kinds[i], name);
		fd = open(path, O_WRONLY);
		if (fd < 0)
			continue;
		if (write(fd, value, strlen(value)) < 0)
			die("%s", path);
		close(fd);
	}
}

static inline void faults_off(void)
{
	knob("probability", "0");
	knob("times", "1");
	knob("task-filter", "N");
}

static inline bool faults_can_be_had(void)
{
	struct stat st;

	return !stat(FAULTS "failslab/probability", &st) && !stat("/proc/self/fail-nth", &st);
}

/* the @n-th allocation that this task makes from here on fails */
static inline void arm(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	if (pwrite(nth_fd, text, strlen(text), 0) < 0)
		die("fail-nth");
}

/* did it? */
static inline bool disarm(void)
{
	char text[16] = "";
	int err = errno;

	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0 || pwrite(nth_fd, "0", 1, 0) < 0)
		die("fail-nth");
	errno = err;
	return atoi(text) == 0;
}

static inline bool no_memory(int err)
{
	return err == ENOMEM || err == ENOBUFS;
}

/* the same, or what IPv6's routing says when it has none */
static inline bool no_memory_for_route(int family, int err)
{
	return no_memory(err) || (family == AF_INET6 && err == ENETUNREACH);
}

/* every allocation of this task fails; what asks for it is open already, or that would, too */
static inline void fail_all(void)
{
	knob("task-filter", "Y");
	knob("times", "-1");
	knob("probability", "100");
	if (pwrite(fail_fd, "1", 1, 0) < 0)
		die("make-it-fail");
}

static inline void fail_none(void)
{
	if (pwrite(fail_fd, "0", 1, 0) < 0)
		die("make-it-fail");
	faults_off();
}

/* two hosts, and nothing fails yet */
static inline void faults_ready(void)
{
	faults_off();
	knob("verbose", "0");
	knob("interval", "1");
	knob("ignore-gfp-wait", "N");
	knob("min-order", "0");
	hosts_up();
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	fail_fd = open("/proc/thread-self/make-it-fail", O_RDWR);
	if (nth_fd < 0 || fail_fd < 0)
		die("no fault injection for this task");
}

/* each case over both IP versions, skipped where the kernel has no fault injection */
#define FAULTS_FIXTURE(name)						\
	FIXTURE(name) {							\
		char nothing;						\
	};								\
	FAMILIES(name);							\
	FIXTURE_SETUP(name)						\
	{								\
		if (!faults_can_be_had())				\
			SKIP(return, "needs a kernel with fault injection"); \
		faults_ready();						\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		if (faults_can_be_had())				\
			faults_off();					\
	}								\
	struct name##_needs_a_semicolon

#endif /* HAUL_FAULTS_H */
