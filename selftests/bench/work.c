// SPDX-License-Identifier: GPL-2.0
/*
 * work - one workload over one transport, measured
 *
 *	work WORKLOAD transport=tcp|haul|udp|unix link=NAME4|NAME6 [cc=CONTROLLER] [KEY=VALUE...]
 *
 * The link is a pair of namespaces, bench-NAME-near and bench-NAME-far, which ./guest makes; the
 * digit says which IP. Prints NAME=VALUE words on one line. Status 4: the transport can't do it.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static const struct {
	const char *name;
	void (*run)(void);
} workloads[] = {
	{ "rr", work_rr },	     { "bulk", work_bulk },   { "connect", work_connect },
	{ "memory", work_memory },   { "object", work_object }, { "goodput", work_goodput },
	{ "short", work_short },     { "queue", work_queue }, { "share", work_share },
	{ "fair", work_fair },
};

static const char *const transports[] = {
	[TCP] = "tcp", [HAUL] = "haul", [UDP] = "udp", [UNIX] = "unix"
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

struct bench bench;
static char **arguments;

const char *arg(const char *key, const char *def)
{
	size_t len = strlen(key);
	char **a;

	for (a = arguments; *a; a++)
		if (!strncmp(*a, key, len) && (*a)[len] == '=')
			return *a + len + 1;
	return def;
}

uint64_t arg_number(const char *key, uint64_t def)
{
	const char *text = arg(key, NULL);
	static const char units[] = "kMG";
	const char *unit;
	uint64_t n;
	char *end;
	int i;

	if (!text)
		return def;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (end == text || (*end && (!unit || end[1])))
		die("%s=%s is no number", key, text);
	for (i = 0; unit && i <= unit - units; i++)
		n *= 1000;
	return n;
}

void result(const char *name, double value)
{
	printf("%s=%.10g ", name, value);
}

/* an instruction that does nothing, for profile.c to see */
void profile_begin(void)
{
#ifdef __x86_64__
	asm volatile("nopl 0x5a500001(%%rax, %%rax, 1)" ::: "memory");
#endif
}

void profile_end(void)
{
#ifdef __x86_64__
	asm volatile("nopl 0x5a500002(%%rax, %%rax, 1)" ::: "memory");
#endif
}

void die(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (%s)\n", strerror(error));
	exit(1);
}

void skip(const char *why)
{
	fprintf(stderr, "skipped: %s\n", why);
	exit(BENCH_SKIP);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void sleep_until(uint64_t ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

pid_t child(void (*run)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	run(arg);
	_exit(0);
}

void child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void child_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("a child failed");
}

void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void take_transport(void)
{
	const char *name = arg("transport", "haul"), *link = arg("link", "lo4");
	size_t i;

	for (i = 0; i < COUNT(transports); i++)
		if (!strcmp(name, transports[i]))
			break;
	if (i == COUNT(transports))
		errx(2, "no transport %s", name);
	bench.transport = i;
	bench.family = link[strlen(link) - 1] == '6' ? AF_INET6 : AF_INET;
	bench.cc = arg("cc", NULL);
}

int main(int argc, char **argv)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	size_t i;

	if (argc < 2)
		errx(2, "usage: work WORKLOAD KEY=VALUE...");
	arguments = argv + 2;
	take_transport();
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	for (i = 0; i < COUNT(workloads); i++) {
		if (strcmp(argv[1], workloads[i].name))
			continue;
		workloads[i].run();
		puts("");
		return 0;
	}
	errx(2, "no workload %s", argv[1]);
}
