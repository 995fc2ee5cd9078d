// SPDX-License-Identifier: GPL-2.0
/*
 * hauldemo: a file over four connections at once, IPv4 and IPv6, there and back, over Haul and over
 * the kernel's TCP.
 *
 *	hauldemo [--tty] [--netns NEAR FAR] [--out DIR] [--seconds N] [--watch N] FILE haul|tcp...
 *
 * --watch: the file is sent again and again for N seconds and not kept. Servers live in namespace
 * FAR, clients in NEAR, one process each. Received files are compared with FILE by sha256sum, a
 * program of its own. Exit status 0: every byte arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define DEMO_PORT 5001

const char *const demo_transport_name[DEMO_TRANSPORTS] = { "haul", "tcp" };

static struct {
	bool tty;
	unsigned int seconds; /* that one transport may take */
	unsigned int watch;   /* seconds that it shall take; 0: as many as one file takes */
	const char *near, *far, *out_dir;
	const char *file;
} demo_opt = { .seconds = 50, .out_dir = "/tmp" };

/* Monotonic time in us. */
uint64_t demo_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static void demo_die(const char *what)
{
	fprintf(stderr, "hauldemo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void demo_netns_enter(const char *name)
{
	char path[128];
	int fd;

	if (!name)
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		demo_die(path);
	close(fd);
}

static int64_t demo_namespace_timeouts(const struct demo_run *run)
{
	const char *name[] = { run->near, run->far };
	int64_t count[2] = { 0, 0 };
	int self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), i;

	for (i = 0; i < (run->far ? 2 : 1); i++) {
		demo_netns_enter(name[i]);
		count[i] = demo_report_tcp_timeouts();
		if (name[i] && setns(self, CLONE_NEWNET))
			demo_die("setns");
	}
	close(self);
	return count[0] < 0 || count[1] < 0 ? -1 : count[0] + count[1];
}

static void demo_map_file(struct demo_run *run)
{
	int fd = open(demo_opt.file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		demo_die(demo_opt.file);
	run->size = st.st_size;
	run->data = mmap(NULL, run->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (run->data == MAP_FAILED)
		demo_die(demo_opt.file);
	close(fd);
}

static struct demo_run *demo_run_new(enum demo_transport transport)
{
	struct demo_run *run =
		mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	if (run == MAP_FAILED)
		demo_die("mmap");
	run->transport = transport;
	run->near = demo_opt.near;
	run->far = demo_opt.far;
	run->out_dir = demo_opt.out_dir;
	demo_map_file(run);
	for (i = 0; i < DEMO_FLOWS; i++) {
		struct demo_flow *f = &run->flow[i];

		f->family = i < DEMO_FLOWS / 2 ? AF_INET : AF_INET6;
		f->to_client = i & 1;
		f->port = DEMO_PORT + i;
		snprintf(f->name, sizeof(f->name), "IPv%d %s", f->family == AF_INET ? 4 : 6,
			 f->to_client ? "<-" : "->");
	}
	return run;
}

static pid_t demo_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		demo_die("fork");
	if (!pid)
		alarm(demo_opt.seconds); /* nobody outlives the run */
	return pid;
}

/* Start the flow's server: it is listening when this returns, or its reason is in the flow. */
static pid_t demo_server_start(struct demo_run *run, struct demo_flow *f)
{
	int ready[2], listener;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		demo_die("pipe");
	pid = demo_fork();
	if (!pid) {
		demo_netns_enter(run->far);
		listener = demo_listen(run, f);
		close(ready[0]);
		close(ready[1]);
		_exit(listener < 0 || demo_serve(run, f, listener) ? 1 : 0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0)
		demo_die("pipe");
	close(ready[0]);
	return pid;
}

static pid_t demo_client_start(struct demo_run *run, struct demo_flow *f)
{
	pid_t pid = demo_fork();

	if (!pid) {
		demo_netns_enter(run->near);
		_exit(demo_connect(run, f) ? 1 : 0);
	}
	return pid;
}

static void demo_child_ended(struct demo_run *run, const pid_t *pids, pid_t pid, int status)
{
	bool late;
	int i;

	for (i = 0; i < 2 * DEMO_FLOWS; i++) {
		struct demo_flow *f = &run->flow[i % DEMO_FLOWS];

		if (pids[i] != pid || (WIFEXITED(status) && !WEXITSTATUS(status)) || f->error[0])
			continue;
		late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		snprintf(f->error, sizeof(f->error), "%s",
			 late ? "not finished in time" : "its process died");
	}
}

/* Draw until every process has ended. */
static void demo_watch(struct demo_run *run, const pid_t *pids)
{
	const struct timespec tick = { .tv_nsec = 100 * 1000 * 1000 };
	uint64_t drawn = demo_now(), every = demo_opt.tty ? 100000 : 1000000;
	int left = 2 * DEMO_FLOWS, status;
	pid_t pid;

	demo_flows_draw(run, demo_opt.tty, true);
	while (left) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			demo_child_ended(run, pids, pid, status);
			left--;
		}
		nanosleep(&tick, NULL);
		if (demo_now() - drawn < every)
			continue;
		demo_flows_draw(run, demo_opt.tty, false);
		drawn = demo_now();
	}
	demo_flows_draw(run, demo_opt.tty, false);
}

static void demo_run_go(struct demo_run *run)
{
	int64_t before = demo_namespace_timeouts(run), after;
	pid_t pids[2 * DEMO_FLOWS];
	int i;

	printf("\n%s: %.1f MB over four connections at once%s\n",
	       run->transport == DEMO_HAUL ? "Haul" : "The kernel's TCP", run->size / 1e6,
	       demo_opt.watch ? ", again and again" : "");
	run->started = demo_now();
	run->until = demo_opt.watch ? run->started + demo_opt.watch * 1000000ull : 0;
	for (i = 0; i < DEMO_FLOWS; i++)
		pids[i] = demo_server_start(run, &run->flow[i]);
	for (i = 0; i < DEMO_FLOWS; i++)
		pids[DEMO_FLOWS + i] = demo_client_start(run, &run->flow[i]);
	demo_watch(run, pids);
	after = demo_namespace_timeouts(run);
	run->namespace_timeouts = before < 0 || after < 0 ? -1 : after - before;
}

/* What sha256sum says of a file: 64 digits, or "?" */
static void demo_sha256(const char *path, char sum[65])
{
	char command[512];
	FILE *pipe;

	strcpy(sum, "?");
	snprintf(command, sizeof(command), "sha256sum '%s'", path);
	pipe = popen(command, "r");
	if (!pipe)
		demo_die("sha256sum");
	if (fscanf(pipe, "%64[0-9a-f]", sum) != 1)
		strcpy(sum, "?");
	pclose(pipe);
}

/* Compare what arrived with what was sent; the number of flows that failed. */
static int demo_judge(struct demo_run *run, const char *want)
{
	char path[256], got[65];
	int i, bad = 0;

	for (i = 0; i < DEMO_FLOWS; i++) {
		struct demo_flow *f = &run->flow[i];
		bool ok;

		demo_output_path(path, sizeof(path), run, f);
		demo_sha256(path, got);
		ok = !f->error[0] && want[0] != '?' && !strcmp(got, want);
		printf("  %-4s %s   SHA-256 %.16s... %s\n", demo_transport_name[run->transport],
		       f->name, got, ok ? "same" : "DIFFERENT");
		if (f->error[0])
			printf("       %s: %s\n", f->name, f->error);
		bad += !ok;
		unlink(path);
	}
	return bad;
}

static void demo_usage(void)
{
	fprintf(stderr, "usage: hauldemo [--tty] [--netns NEAR FAR] [--out DIR] [--seconds N]\n");
	fprintf(stderr, "                [--watch N] FILE haul|tcp...\n");
	exit(2);
}

static void demo_options(int argc, char **argv)
{
	static const struct option options[] = { { "tty", no_argument, NULL, 't' },
						 { "netns", required_argument, NULL, 'n' },
						 { "out", required_argument, NULL, 'o' },
						 { "seconds", required_argument, NULL, 's' },
						 { "watch", required_argument, NULL, 'w' },
						 {} };
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		if (c == 't') {
			demo_opt.tty = true;
		} else if (c == 'n' && optind < argc) {
			demo_opt.near = optarg;
			demo_opt.far = argv[optind++];
		} else if (c == 'o') {
			demo_opt.out_dir = optarg;
		} else if (c == 's') {
			demo_opt.seconds = strtoul(optarg, NULL, 10);
		} else if (c == 'w') {
			demo_opt.watch = strtoul(optarg, NULL, 10);
			/* a packet may be lost many times at the end */
			demo_opt.seconds = demo_opt.watch + 50;
		} else {
			demo_usage();
		}
	}
	if (optind + 2 > argc || !demo_opt.seconds)
		demo_usage();
	demo_opt.file = argv[optind++];
}

static enum demo_transport demo_transport_of(const char *name)
{
	int t;

	for (t = 0; t < DEMO_TRANSPORTS; t++) {
		if (!strcmp(name, demo_transport_name[t]))
			return t;
	}
	demo_usage();
	return DEMO_TRANSPORTS;
}

/* Compare each received file with the one sent; how many differ. */
static int demo_compare(struct demo_run *const run[DEMO_TRANSPORTS])
{
	char want[65];
	int t, bad = 0;

	demo_sha256(demo_opt.file, want);
	printf("\n  sent           SHA-256 %.16s...\n", want);
	for (t = 0; t < DEMO_TRANSPORTS; t++)
		bad += run[t] ? demo_judge(run[t], want) : 0;
	return bad;
}

/* Say which flows failed; how many. */
static int demo_errors(struct demo_run *const run[DEMO_TRANSPORTS])
{
	int t, i, bad = 0;

	for (t = 0; t < DEMO_TRANSPORTS; t++) {
		for (i = 0; run[t] && i < DEMO_FLOWS; i++) {
			if (!run[t]->flow[i].error[0])
				continue;
			printf("%s: %s\n", run[t]->flow[i].name, run[t]->flow[i].error);
			bad++;
		}
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct demo_run *run[DEMO_TRANSPORTS] = {};
	int i, bad;

	demo_options(argc, argv);
	for (i = optind; i < argc; i++) {
		enum demo_transport t = demo_transport_of(argv[i]);

		run[t] = demo_run_new(t);
		demo_run_go(run[t]);
	}
	if (demo_opt.watch)
		bad = demo_errors(run);
	else
		bad = demo_compare(run);
	demo_table_print(run);
	if (!demo_opt.watch || bad)
		printf("\n%s\n", bad ? "NOT every byte arrived" : "every byte arrived");
	return bad ? 1 : 0;
}
