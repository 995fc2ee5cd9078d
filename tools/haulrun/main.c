// SPDX-License-Identifier: GPL-2.0
/*
 * haulrun: runs a program with its sockets made Haul's. This part looks whether that can be, tells
 * haulrun.so what is wanted (haulrun.h) and becomes the program.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/haul.h>

#include "haulrun.h"

/* exit status, as env(1)'s */
#define EXIT_OURS	125	/* haulrun itself failed */
#define EXIT_CANT_RUN	126	/* there is such a program, but it can't be run */
#define EXIT_NO_PROGRAM	127

#define LIBRARY		"haulrun.so"
#define LIBRARY_DIR	"../lib/haul/"	/* from where an installed haulrun is */
#define PARAMETER	"/sys/module/haul/parameters/protocol"

#define FAIL(status, ...) do {						\
	fprintf(stderr, "haulrun: " __VA_ARGS__);			\
	fputc('\n', stderr);						\
	exit(status);							\
} while (0)

static const char usage[] =
"Usage: haulrun [OPTIONS] PROGRAM [ARGUMENT...]\n"
"Run a program over Haul: its TCP sockets, IPv4 and IPv6, are made Haul's.\n"
"\n"
"  --dgram           its UDP sockets, too\n"
"  --only-listen     only sockets that listen (of --dgram: are bound to a port)\n"
"  --only-connect    only sockets that connect (of --dgram: send first)\n"
"  --ports LIST      only these ports: the one listened at or connected to, as in 80,8000-8100\n"
"  --not-ports LIST  all but these\n"
"  --bpf             by BPF, without a library: static programs, too; kernel 6.6 or newer, as root\n"
"  --fallback        TCP (UDP) where the kernel has no Haul; otherwise that is an error\n"
"  --trace[=FILE]    tell on standard error, or in FILE, what was turned into what\n"
"  -h, --help        this text\n"
"\n"
"Exit status: the program's own; 125 haulrun failed, 126 the program can't be run, 127 there is\n"
"no such program. Programs that it starts are run over Haul, too. See haulrun(1).\n";

enum {
	OPT_DGRAM = 256,
	OPT_LISTEN,
	OPT_CONNECT,
	OPT_BPF,
	OPT_FALLBACK,
	OPT_PORTS,
	OPT_NOT_PORTS,
	OPT_TRACE
};

static const struct option options[] = {
	{ "dgram", no_argument, NULL, OPT_DGRAM },
	{ "only-listen", no_argument, NULL, OPT_LISTEN },
	{ "only-connect", no_argument, NULL, OPT_CONNECT },
	{ "bpf", no_argument, NULL, OPT_BPF },
	{ "fallback", no_argument, NULL, OPT_FALLBACK },
	{ "ports", required_argument, NULL, OPT_PORTS },
	{ "not-ports", required_argument, NULL, OPT_NOT_PORTS },
	{ "trace", optional_argument, NULL, OPT_TRACE },
	{ "help", no_argument, NULL, 'h' },
	{}
};

/* What the command line says. */
struct request {
	bool		dgram;
	bool		only_listen;
	bool		only_connect;
	bool		bpf;
	bool		fallback;
	const char	*ports;
	const char	*not_ports;
	const char	*trace;
};

/* ---------------------------------------------------------------- the command line */

static const char *list_checked(const char *option, const char *list)
{
	struct ports set;

	if (ports_parse(&set, list))
		FAIL(EXIT_OURS, "--%s %s: ports are from 1 to 65535, as in 80,443,8000-8100",
		     option, list);
	return list;
}

/* a file that can be written wherever the program may be by then */
static const char *trace_file(const char *name)
{
	char *path;
	FILE *file;

	if (!name || !*name)
		return "";
	file = fopen(name, "a");
	path = file ? realpath(name, NULL) : NULL;
	if (!path)
		FAIL(EXIT_OURS, "--trace=%s: %s", name, strerror(errno));
	fclose(file);
	return path;
}

static void request_read(struct request *r, int argc, char **argv)
{
	int c;

	/* "+": the program's own options are not ours */
	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case OPT_DGRAM:
			r->dgram = true;
			break;
		case OPT_LISTEN:
			r->only_listen = true;
			break;
		case OPT_CONNECT:
			r->only_connect = true;
			break;
		case OPT_BPF:
			r->bpf = true;
			break;
		case OPT_FALLBACK:
			r->fallback = true;
			break;
		case OPT_PORTS:
			r->ports = list_checked("ports", optarg);
			break;
		case OPT_NOT_PORTS:
			r->not_ports = list_checked("not-ports", optarg);
			break;
		case OPT_TRACE:
			r->trace = trace_file(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			exit(EXIT_OURS);
		}
	}
	if (r->only_listen && r->only_connect)
		FAIL(EXIT_OURS, "--only-listen and --only-connect exclude each other");
	if (r->bpf && (r->only_listen || r->only_connect || r->ports || r->not_ports || r->trace))
		FAIL(EXIT_OURS, "--bpf goes with --dgram and --fallback only");
	if (optind == argc)
		FAIL(EXIT_OURS, "which program? See haulrun --help");
}

/* ---------------------------------------------------------------- the kernel */

/* IPPROTO_HAUL, or what the module was told to use instead */
static int protocol_number(void)
{
	FILE *file = fopen(PARAMETER, "r");
	int protocol = IPPROTO_HAUL;

	if (file) {
		if (fscanf(file, "%d", &protocol) != 1)
			protocol = IPPROTO_HAUL;
		fclose(file);
	}
	return protocol;
}

/* Has this kernel what is asked for? Where it has not, --fallback. */
static bool kernel_check(const struct request *r, int protocol)
{
	bool there;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0 && !r->fallback)
		FAIL(EXIT_OURS, "no Haul in this kernel (%s); load haul.ko, or take --fallback",
		     strerror(errno));
	there = fd >= 0;
	close(fd);
	fd = r->dgram ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, protocol) : -1;
	if (fd < 0 && r->dgram && !r->fallback)
		FAIL(EXIT_OURS, "--dgram: this kernel's Haul has no datagrams (%s)",
		     strerror(errno));
	there &= fd >= 0 || !r->dgram;
	close(fd);
	return there;
}

/* ---------------------------------------------------------------- the program */

static bool is_program(const char *path)
{
	struct stat st;

	return !access(path, X_OK) && !stat(path, &st) && S_ISREG(st.st_mode);
}

/* the file that execvp() will run; NULL: it will find none that it can run */
static const char *program_file(const char *name)
{
	static char path[PATH_MAX];
	const char *dirs = getenv("PATH"), *end;

	if (strchr(name, '/'))
		return is_program(name) ? name : NULL;
	for (dirs = dirs ? : "/bin:/usr/bin"; ; dirs = end + 1) {
		end = strchrnul(dirs, ':');
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(end - dirs), dirs,
			 end > dirs ? "/" : "", name);
		if (is_program(path))
			return path;
		if (!*end)
			return NULL;
	}
}

static void program_check(const char *name)
{
	const char *path = program_file(name), *instead, *why;

	if (!path)
		return;	/* execvp() says it better */
	why = elf_refusal(path, &instead);
	if (why)
		FAIL(EXIT_CANT_RUN, "%s %s.\nInstead: %s.", path, why, instead);
}

/* ---------------------------------------------------------------- the library */

/* beside this program, as it is built, or where it is installed */
static void library_find(char path[static PATH_MAX])
{
	static const char *const places[] = { LIBRARY, LIBRARY_DIR LIBRARY };
	char own[PATH_MAX], tried[PATH_MAX + sizeof(LIBRARY_DIR LIBRARY)];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	size_t i;

	own[len < 0 ? 0 : len] = 0;
	if (strrchr(own, '/'))
		strrchr(own, '/')[1] = 0;
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(tried, sizeof(tried), "%s%s", own, places[i]);
		if (realpath(tried, path))
			return;
	}
	FAIL(EXIT_OURS, "there is no " LIBRARY " in %s or %s" LIBRARY_DIR, own, own);
}

static void set(const char *name, const char *value)
{
	if (value ? setenv(name, value, 1) : unsetenv(name))
		FAIL(EXIT_OURS, "%s: %s", name, strerror(errno));
}

/* behind what is preloaded already, so that it is as close to the C library as that was */
static void library_preload(void)
{
	const char *others = getenv("LD_PRELOAD");
	char path[PATH_MAX], *list;

	library_find(path);
	if (strpbrk(path, " :"))
		FAIL(EXIT_OURS, "%s: what is preloaded can't have a blank or a colon in its path",
		     path);
	if (others && strstr(others, path))
		return;
	if (asprintf(&list, "%s%s%s", others ? : "", others && *others ? ":" : "", path) < 0)
		FAIL(EXIT_OURS, "no memory");
	set("LD_PRELOAD", list);
	free(list);
}

static void library_tell(const struct request *r, int protocol)
{
	char number[16], flags[128];

	snprintf(number, sizeof(number), "%d", protocol);
	snprintf(flags, sizeof(flags), "%s%s%s%s",
		 r->dgram ? HAULRUN_FLAG_DGRAM "," : "",
		 r->only_listen ? HAULRUN_FLAG_ONLY_LISTEN "," : "",
		 r->only_connect ? HAULRUN_FLAG_ONLY_CONNECT "," : "",
		 r->fallback ? HAULRUN_FLAG_FALLBACK "," : "");
	set(HAULRUN_ENV_PROTOCOL, number);
	set(HAULRUN_ENV_FLAGS, flags);
	set(HAULRUN_ENV_PORTS, r->ports);
	set(HAULRUN_ENV_NOT_PORTS, r->not_ports);
	set(HAULRUN_ENV_TRACE, r->trace);
}

static void by_bpf(const struct request *r, int protocol)
{
	const char *failed = bpf_run(protocol, r->dgram);

	if (failed)
		FAIL(EXIT_OURS, "--bpf: %s: %s", failed,
		     errno == EOPNOTSUPP ? "this kernel is too old" : strerror(errno));
}

static void by_library(const struct request *r, int protocol)
{
	library_preload();
	library_tell(r, protocol);
}

int main(int argc, char **argv)
{
	struct request request = {};
	int protocol = protocol_number();
	bool there;

	request_read(&request, argc, argv);
	argv += optind;
	if (!request.bpf)
		program_check(*argv);
	there = kernel_check(&request, protocol);
	if (!request.bpf)
		by_library(&request, protocol);
	else if (there)
		by_bpf(&request, protocol);
	execvp(*argv, argv);
	FAIL(errno == ENOENT ? EXIT_NO_PROGRAM : EXIT_CANT_RUN, "%s: %s", *argv, strerror(errno));
}
