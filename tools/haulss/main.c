// SPDX-License-Identifier: GPL-2.0
/*
 * haulss: Haul's sockets, as ss(8) lists the kernel's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "haulss.h"

#define VERSION	"1"

struct options opt;

void fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("haulss: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---------------------------------------------------------------- the command line */

static const char help[] =
"Usage: haulss [OPTIONS] [state STATE | exclude STATE]... [EXPRESSION]\n"
"List Haul's sockets: those that have a peer, unless an option or a state says otherwise.\n"
"\n"
"  -a, --all         all, those that have no peer too\n"
"  -l, --listening   only those that listen, and datagram sockets without a peer\n"
"  -t, --stream      streams\n"
"  -x, --message     message sockets (SOCK_SEQPACKET)\n"
"  -u, --dgram       datagram sockets\n"
"  -4, --ipv4        of AF_INET\n"
"  -6, --ipv6        of AF_INET6\n"
"  -n, --numeric     numbers for ports\n"
"  -r, --resolve     names for addresses\n"
"  -p, --processes   which programs have it\n"
"  -o, --options     the timer that runs\n"
"  -e, --extended    timer, owner, inode, cookie, mark, cgroup\n"
"  -m, --memory      memory\n"
"  -i, --info        all that the connection knows about itself\n"
"  -s, --summary     only counts\n"
"  -H, --no-header   no line of titles\n"
"  -O, --oneline     everything about a socket on one line\n"
"  -K, --kill        close them by force, list those that were\n"
"  -E, --events      list sockets as they are destroyed\n"
"  -N, --net NAME    in this network namespace\n"
"  -j, --json        JSON\n"
"  -h, --help        this text\n"
"  -V, --version     the version\n"
"\n"
"EXPRESSION: src, dst [=|!=] HOST[/PREFIX][:PORT]; sport, dport [=|!=|<|>|<=|>=] :PORT;\n"
"dev [=|!=] DEVICE; and, or, not, ( ). See haulss(8).\n";

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "listening", no_argument, NULL, 'l' },
	{ "stream", no_argument, NULL, 't' },
	{ "message", no_argument, NULL, 'x' },
	{ "dgram", no_argument, NULL, 'u' },
	{ "ipv4", no_argument, NULL, '4' },
	{ "ipv6", no_argument, NULL, '6' },
	{ "numeric", no_argument, NULL, 'n' },
	{ "resolve", no_argument, NULL, 'r' },
	{ "processes", no_argument, NULL, 'p' },
	{ "options", no_argument, NULL, 'o' },
	{ "extended", no_argument, NULL, 'e' },
	{ "memory", no_argument, NULL, 'm' },
	{ "info", no_argument, NULL, 'i' },
	{ "summary", no_argument, NULL, 's' },
	{ "no-header", no_argument, NULL, 'H' },
	{ "oneline", no_argument, NULL, 'O' },
	{ "kill", no_argument, NULL, 'K' },
	{ "events", no_argument, NULL, 'E' },
	{ "net", required_argument, NULL, 'N' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* options that are a truth value each */
static const struct {
	char letter;
	bool *flag;
} flags[] = {
	{ 'n', &opt.numeric }, { 'r', &opt.resolve }, { 'p', &opt.processes },
	{ 'o', &opt.timers }, { 'e', &opt.extended }, { 'm', &opt.memory },
	{ 'i', &opt.info }, { 's', &opt.summary }, { 'H', &opt.no_header },
	{ 'O', &opt.oneline }, { 'K', &opt.kill }, { 'E', &opt.events }, { 'j', &opt.json },
};

/* a namespace that ip-netns(8) has named */
static void enter_namespace(const char *name)
{
	char path[256];
	int fd;

	if (strchr(name, '/'))
		fail("\"%s\" is no name of a network namespace", name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail("network namespace \"%s\": %s", name, strerror(errno));
	close(fd);
}

static bool set_flag(int letter)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].letter == letter) {
			*flags[i].flag = true;
			return true;
		}
	}
	return false;
}

static void set_option(int letter)
{
	if (set_flag(letter))
		return;
	switch (letter) {
	case 'a':
		opt.states = state_bits("all");
		break;
	case 'l':
		opt.states = state_bits("listening") | state_bits("closed");
		break;
	case 't':
		opt.kinds |= 1 << 1;
		break;
	case 'x':
		opt.kinds |= 1 << 2;
		break;
	case 'u':
		opt.kinds |= 1 << 3;
		break;
	case '4':
		opt.net = opt.net == AF_INET6 ? 0 : AF_INET;
		break;
	case '6':
		opt.net = opt.net == AF_INET ? 0 : AF_INET6;
		break;
	case 'N':
		enter_namespace(optarg);
		break;
	case 'h':
		fputs(help, stdout);
		exit(0);
	case 'V':
		puts("haulss " VERSION);
		exit(0);
	default:
		fputs("haulss --help tells the options\n", stderr);
		exit(1);
	}
}

static void read_command_line(int argc, char **argv)
{
	int letter;

	opt.states = state_bits("connected") &
		     ~(state_bits("time-wait") | state_bits("syn-recv"));
	while ((letter = getopt_long(argc, argv, "altxu46nrpoemisHOKEN:jhV", long_options,
				     NULL)) != -1)
		set_option(letter);
	/* as ss has it */
	opt.timers |= opt.extended;
	if (opt.summary || opt.events)
		opt.states = state_bits("all");
	filter_parse(argc - optind, argv + optind);
	if (opt.kill && opt.events)
		fail("-K and -E exclude each other");
}

/* ---------------------------------------------------------------- what is done */

struct list {
	struct entry *entries;
	size_t num, room;
};

static void collect(const struct entry *e, void *arg)
{
	struct list *l = arg;

	if (!filter_matches(e))
		return;
	if (l->num == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->entries = realloc(l->entries, l->room * sizeof(*e));
		if (!l->entries)
			fail("no memory");
	}
	l->entries[l->num++] = *e;
}

/* leaves those that were closed; false: one could not be */
static bool kill_all(struct list *l)
{
	size_t i, closed = 0;
	bool ok = true;
	int err;

	for (i = 0; i < l->num; i++) {
		err = request_destroy(&l->entries[i]);
		if (!err) {
			l->entries[closed++] = l->entries[i];
		} else if (err != ENOENT) {	/* it has gone by itself */
			fprintf(stderr, "haulss: not closed: %s\n", strerror(err));
			ok = false;
		}
	}
	l->num = closed;
	return ok;
}

static void follow(const struct entry *e, void *arg)
{
	if (!filter_matches(e))
		return;
	if (opt.json)
		json_one(e);
	else
		print_one(e);
	if (fflush(stdout))
		exit(1);
}

static uint32_t wanted(void)
{
	return (opt.info ? HAUL_DIAG_SHOW_INFO : 0) | (opt.memory ? HAUL_DIAG_SHOW_MEMINFO : 0);
}

static void show(const struct list *l)
{
	if (opt.summary && opt.json)
		json_summary(l->entries, l->num);
	else if (opt.summary)
		print_summary(l->entries, l->num);
	else if (opt.json)
		json_all(l->entries, l->num);
	else
		print_all(l->entries, l->num);
}

int main(int argc, char **argv)
{
	struct list l = { 0 };
	bool ok = true;

	read_command_line(argc, argv);
	if (opt.events)
		request_follow(follow, NULL);
	request_dump(opt.states, wanted(), collect, &l);
	if (opt.kill)
		ok = kill_all(&l);
	show(&l);
	if (fflush(stdout) || ferror(stdout))
		fail("writing: %s", strerror(errno));
	return !ok;
}
