// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests that registered themselves (test.h) and prints one TAP stream, as the kernel's
 * selftests do.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test.h"

#define NAME_MAX_LEN	128
#define FAILURES_SHOWN	20	/* of one test: a million say no more */

static struct test *tests;
static unsigned int failures;
static u64 random_state;

void test_register(struct test *test)
{
	struct test **at = &tests;

	while (*at)
		at = &(*at)->next;
	*at = test;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if (failures++ >= FAILURES_SHOWN)
		return;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void test_abandon(void)
{
	fflush(stdout);
	_exit(1);
}

/* SplitMix64: a counter, well stirred. */
u64 test_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* "path/test_wire.c", "short" -> "wire.short" */
static void test_full_name(const struct test *test, char *name)
{
	const char *base = strrchr(test->file, '/');
	int len;

	base = base ? base + 1 : test->file;
	if (!strncmp(base, "test_", 5))
		base += 5;
	len = strcspn(base, ".");
	snprintf(name, NAME_MAX_LEN, "%.*s.%s", len, base, test->name);
}

static bool test_selected(const struct test *test, int num, char **patterns)
{
	char name[NAME_MAX_LEN];
	int i;

	test_full_name(test, name);
	for (i = 0; i < num; i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return !num;
}

static bool test_run(const struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		test->run();
		if (failures > FAILURES_SHOWN)
			printf("# %u failures\n", failures);
		exit(failures != 0);
	}
	if (pid < 0) {
		printf("# fork: %s\n", strerror(errno));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void test_usage(const char *program)
{
	printf("usage: %s [--list] [PATTERN...]\n"
	       "Runs the tests whose names match one of the shell patterns (all without), prints TAP.\n"
	       "HAUL_TEST_SEED in the environment seeds the random numbers.\n", program);
}

static void test_seed(void)
{
	const char *seed = getenv("HAUL_TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : 1;
	printf("# HAUL_TEST_SEED=%llu\n", random_state);
}

static int test_run_all(int num, char **patterns)
{
	unsigned int planned = 0, done = 0, passed = 0;
	char name[NAME_MAX_LEN];
	struct test *test;

	for (test = tests; test; test = test->next)
		planned += test_selected(test, num, patterns);
	printf("TAP version 13\n1..%u\n", planned);
	test_seed();
	for (test = tests; test; test = test->next) {
		bool ok;

		if (!test_selected(test, num, patterns))
			continue;
		ok = test_run(test);
		test_full_name(test, name);
		printf("%s %u %s\n", ok ? "ok" : "not ok", ++done, name);
		passed += ok;
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", passed, done - passed);
	return !planned || passed != planned;
}

int main(int argc, char **argv)
{
	char name[NAME_MAX_LEN];
	struct test *test;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		test_usage(argv[0]);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--list")) {
		for (test = tests; test; test = test->next) {
			test_full_name(test, name);
			puts(name);
		}
		return 0;
	}
	return test_run_all(argc - 1, argv + 1);
}
