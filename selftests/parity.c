// SPDX-License-Identifier: GPL-2.0
/*
 * The parity table, tried: each row of parity.rows is an option of TCP's or UDP's sockets. Every
 * way to set and to get it is played on TCP (or UDP) and on Haul, in every state of a socket, and
 * what the calls returned is compared. A row says what must come out: "same", "differs" and in
 * which probes, "refused" and by which error. What it does not say fails, and what it says in vain.
 *
 * Documentation/parity.rst is made from the same rows (scripts/parity.py), and explains them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/haul.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest.h"

#define MAX_ROWS	600
#define MAX_SETTINGS	120
#define MAX_VALUES	12
#define MAX_PROBES	400
#define VALUE_MAX	256
#define ROOM		512	/* for getsockopt(): more than any answer */
#define PATIENCE_MS	500	/* a loopback connection is there at once, or never */

struct value {
	char text[64];			/* as the row has it */
	unsigned char bytes[VALUE_MAX];
	size_t len;
};

struct row {
	char name[64], kind[16], level_name[24], type[16], verdict[512];
	int level, option;
	bool own;			/* at SOL_HAUL, too */
	bool vague;			/* what get gives is not compared, only how long it is */
	struct value values[MAX_VALUES];
	unsigned int num_values;
};

struct probe {
	char key[96], text[192];
};

/* one kind of socket, what was tried on it and what came out */
struct play {
	int family, protocol, level;
	const struct row *row;
	struct probe probes[MAX_PROBES];
	unsigned int num;
};

static struct row rows[MAX_ROWS];
static unsigned int num_rows;

/* a setting of the manuals */
struct setting {
	char name[64], verdict[80];
};

static struct setting settings[MAX_SETTINGS];
static unsigned int num_settings;

/* ------------------------------------------------------------ reading rows */

static void die(unsigned int line, const char *what)
{
	ksft_exit_fail_msg("parity.rows:%u: %s\n", line, what);
}

static int level_of(const char *name)
{
	static const struct { const char *name; int level; } levels[] = {
		{ "SOL_SOCKET", SOL_SOCKET }, { "IPPROTO_TCP", IPPROTO_TCP },
		{ "IPPROTO_UDP", IPPROTO_UDP }, { "IPPROTO_IP", IPPROTO_IP },
		{ "IPPROTO_IPV6", IPPROTO_IPV6 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcmp(levels[i].name, name))
			return levels[i].level;
	return -1;
}

/* "1:5" as ints or longs, "text" as a string, "00ff" as bytes */
static bool parse_value(struct value *v, const char *type, const char *text)
{
	char *end;

	snprintf(v->text, sizeof(v->text), "%s", text);
	if (!strcmp(type, "string")) {
		v->len = snprintf((char *)v->bytes, VALUE_MAX, "%s", text);
		return true;
	}
	if (!strcmp(type, "bytes")) {
		for (; sscanf(text, "%2hhx", &v->bytes[v->len]) == 1; text += 2)
			if (++v->len == VALUE_MAX || !text[1])
				break;
		return v->len;
	}
	for (;; text = end + 1) {
		long n = strtol(text, &end, 0);
		int i = n;

		if (end == text || v->len > VALUE_MAX - sizeof(n))
			return false;
		if (!strcmp(type, "long")) {
			memcpy(v->bytes + v->len, &n, sizeof(n));
			v->len += sizeof(n);
		} else {
			memcpy(v->bytes + v->len, &i, sizeof(i));
			v->len += sizeof(i);
		}
		if (*end != ':')
			return !*end;
	}
}

/* KIND LEVEL[+] NAME NUMBER TYPE[?] VALUE,VALUE... | VERDICT | why */
static void parse_row(char *line, unsigned int number)
{
	struct row *r = &rows[num_rows];
	char values[256], *bar = strchr(line, '|'), *end, *word, *save;
	size_t n;

	if (num_rows == MAX_ROWS || !bar)
		die(number, "too many rows, or no verdict");
	*bar = 0;
	if (sscanf(line, "%15s %23s %63s %i %15s %255s", r->kind, r->level_name, r->name,
		   &r->option, r->type, values) != 6)
		die(number, "not KIND LEVEL NAME NUMBER TYPE VALUES");
	n = strlen(r->level_name);
	r->own = r->level_name[n - 1] == '+';
	if (r->own)
		r->level_name[n - 1] = 0;
	r->level = level_of(r->level_name);
	if (r->level < 0)
		die(number, "no such level");
	n = strlen(r->type);
	r->vague = r->type[n - 1] == '?';
	if (r->vague)
		r->type[n - 1] = 0;
	for (word = strtok_r(values, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (!strcmp(word, "-"))
			continue;
		if (r->num_values == MAX_VALUES ||
		    !parse_value(&r->values[r->num_values++], r->type, word))
			die(number, "bad values");
	}
	bar += 1 + strspn(bar + 1, " ");
	end = strchr(bar, '|');
	if (!end || !end[1 + strspn(end + 1, " ")])
		die(number, "no third column");
	*end = 0;
	while (end > bar && end[-1] == ' ')
		*--end = 0;
	if (end == bar)
		die(number, "no verdict");
	snprintf(r->verdict, sizeof(r->verdict), "%s", bar);
	num_rows++;
}

/* setting NAME | VERDICT | why */
static void parse_setting(const char *line, unsigned int number)
{
	struct setting *s = &settings[num_settings];

	if (num_settings == MAX_SETTINGS ||
	    sscanf(line, "setting %63s | %79[^|]|", s->name, s->verdict) != 2)
		die(number, "not setting NAME | VERDICT | why");
	s->verdict[strcspn(s->verdict, "|")] = 0;
	while (*s->verdict && s->verdict[strlen(s->verdict) - 1] == ' ')
		s->verdict[strlen(s->verdict) - 1] = 0;
	num_settings++;
}

static void read_rows(void)
{
	FILE *file = fopen("parity.rows", "r");
	unsigned int number = 0;
	char line[1024];

	if (!file)
		ksft_exit_fail_msg("parity.rows is not there\n");
	while (fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\n")] = 0;
		/* headings and calls are for the document; scripts/parity.py checks the calls */
		if (!*line || *line == '#' || *line == '=' || !strncmp(line, "call ", 5))
			continue;
		if (!strncmp(line, "setting ", 8))
			parse_setting(line, number);
		else
			parse_row(line, number);
	}
	fclose(file);
}

/* ------------------------------------------------------------ playing */

__attribute__((format(printf, 3, 4)))
static void note(struct play *p, const char *key, const char *format, ...)
{
	struct probe *probe = &p->probes[p->num];
	va_list args;

	if (p->num == MAX_PROBES)
		ksft_exit_fail_msg("%s: too many probes\n", p->row->name);
	p->num++;
	snprintf(probe->key, sizeof(probe->key), "%d.%s", p->family == AF_INET ? 4 : 6, key);
	va_start(args, format);
	vsnprintf(probe->text, sizeof(probe->text), format, args);
	va_end(args);
}

static void note_get(struct play *p, const char *key, int fd, socklen_t room)
{
	unsigned char buf[ROOM];
	char text[130] = "";
	socklen_t len = room, i;

	/* what an option reads before it answers is the same each time */
	memset(buf, 0, sizeof(buf));
	if (getsockopt(fd, p->level, p->row->option, buf, &len)) {
		note(p, key, "%s", strerrorname_np(errno));
		return;
	}
	if (p->row->vague)
		strcpy(text, "...");
	else if (len == sizeof(int) && !strcmp(p->row->type, "int"))
		sprintf(text, "%d", *(int *)buf);
	else
		for (i = 0; i < len && i < 64; i++)
			sprintf(text + 2 * i, "%02x", buf[i]);
	note(p, key, "%s (%u)", text, len);
}

static void note_set(struct play *p, const char *key, int fd, const void *value, socklen_t len)
{
	if (setsockopt(fd, p->level, p->row->option, value, len))
		note(p, key, "%s", strerrorname_np(errno));
	else
		note(p, key, "0");
}

static socklen_t loopback(struct play *p, struct sockaddr_in6 *sin6, int port)
{
	struct sockaddr_in *sin = (void *)sin6;

	memset(sin6, 0, sizeof(*sin6));
	sin6->sin6_family = p->family;
	sin6->sin6_port = port;		/* in the same place in both */
	if (p->family == AF_INET) {
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*sin);
	}
	sin6->sin6_addr = in6addr_loopback;
	return sizeof(*sin6);
}

static bool streams(const struct play *p)
{
	return strcmp(p->row->kind, "dgram");
}

static int make(struct play *p)
{
	int fd = socket(p->family, streams(p) ? SOCK_STREAM : SOCK_DGRAM, p->protocol);

	if (fd < 0)
		ksft_exit_fail_msg("socket: %s\n", strerror(errno));
	return fd;
}

/* bound to a port of loopback; a stream listens there */
static int make_server(struct play *p)
{
	struct sockaddr_in6 sin6;
	socklen_t len = loopback(p, &sin6, 0);
	int fd = make(p);

	if (bind(fd, (void *)&sin6, len) || (streams(p) && listen(fd, 4)))
		ksft_exit_fail_msg("server: %s\n", strerror(errno));
	return fd;
}

static bool ready(int fd, int events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, PATIENCE_MS) == 1 && !(pfd.revents & POLLERR);
}

/*
 * Connects @fd and speaks, for a listener that waits for that. True if it worked: some option may
 * forbid it, and then nothing ever happens.
 */
static bool join(struct play *p, int server, int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);
	int flags = fcntl(fd, F_GETFL);

	getsockname(server, (void *)&sin6, &len);
	len = loopback(p, &sin6, sin6.sin6_port);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	if (connect(fd, (void *)&sin6, len) && errno != EINPROGRESS)
		return false;
	fcntl(fd, F_SETFL, flags);
	return ready(fd, POLLOUT) && send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

static int take(int server)
{
	return ready(server, POLLIN) ? accept(server, NULL, NULL) : -1;
}

/* every way to call it, on one socket in one state */
static void play_calls(struct play *p, const char *state, int fd)
{
	const struct row *r = p->row;
	const struct value *v = &r->values[0];
	unsigned char bytes[VALUE_MAX + 4];
	char key[90];
	socklen_t len = -1;
	unsigned int i;

	snprintf(key, sizeof(key), "%s.get", state);
	note_get(p, key, fd, ROOM);
	for (i = 0; i < r->num_values; i++) {
		snprintf(key, sizeof(key), "%s.set(%s)", state, r->values[i].text);
		note_set(p, key, fd, r->values[i].bytes, r->values[i].len);
		snprintf(key, sizeof(key), "%s.get(%s)", state, r->values[i].text);
		note_get(p, key, fd, ROOM);
	}
	snprintf(key, sizeof(key), "%s.get-short", state);
	note_get(p, key, fd, 1);
	snprintf(key, sizeof(key), "%s.get-none", state);
	note_get(p, key, fd, 0);
	snprintf(key, sizeof(key), "%s.get-negative", state);
	note(p, key, "%s", getsockopt(fd, p->level, r->option, bytes, &len) ?
	     strerrorname_np(errno) : "0");
	snprintf(key, sizeof(key), "%s.get-NULL", state);
	len = sizeof(bytes);
	note(p, key, "%s", getsockopt(fd, p->level, r->option, NULL, &len) ?
	     strerrorname_np(errno) : "0");
	if (!r->num_values)
		return;
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, v->bytes, v->len);
	snprintf(key, sizeof(key), "%s.set-short", state);
	note_set(p, key, fd, bytes, v->len - 1);
	snprintf(key, sizeof(key), "%s.set-long", state);
	note_set(p, key, fd, bytes, v->len + 4);
	snprintf(key, sizeof(key), "%s.set-empty", state);
	note_set(p, key, fd, bytes, 0);
	snprintf(key, sizeof(key), "%s.set-NULL", state);
	note_set(p, key, fd, NULL, v->len);
}

/* set on a listener: has what is accepted there got it? And on a client, before it connects. */
static void play_inherited(struct play *p, const struct value *v)
{
	int server = make_server(p), client = make(p), child = -1;
	char key[90];

	setsockopt(server, p->level, p->row->option, v->bytes, v->len);
	if (join(p, server, client) && streams(p))
		child = take(server);
	snprintf(key, sizeof(key), "accepted.get(%s)", v->text);
	if (child >= 0)
		note_get(p, key, child, ROOM);
	else
		note(p, key, "not accepted");
	close(child);
	close(client);

	client = make(p);
	setsockopt(client, p->level, p->row->option, v->bytes, v->len);
	snprintf(key, sizeof(key), "before-connect.get(%s)", v->text);
	if (join(p, server, client))
		note_get(p, key, client, ROOM);
	else
		note(p, key, "not connected");
	close(client);
	close(server);
}

static void play_row(struct play *p, const struct row *r, int family, int protocol, int level)
{
	int fd, server, client, child = -1;
	unsigned int i;

	p->row = r;
	p->family = family;
	p->protocol = protocol;
	p->level = level;
	p->num = 0;

	fd = make(p);
	play_calls(p, "new", fd);
	close(fd);

	fd = make_server(p);
	play_calls(p, streams(p) ? "listening" : "bound", fd);
	close(fd);

	server = make_server(p);
	client = make(p);
	if (!join(p, server, client))
		ksft_exit_fail_msg("connect: %s\n", strerror(errno));
	if (streams(p))
		child = take(server);
	play_calls(p, "connected", client);
	if (child >= 0)
		note_get(p, "accepted.get", child, ROOM);
	close(child);
	close(client);
	close(server);

	for (i = 0; i < r->num_values; i++)
		play_inherited(p, &r->values[i]);
}

/* ------------------------------------------------------------ judging */

static bool differ(const struct play *a, const struct play *b, unsigned int i)
{
	return strcmp(a->probes[i].text, b->probes[i].text);
}

static void show(const struct play *model, const struct play *haul, unsigned int i)
{
	ksft_print_msg("%-40s %s: %s, Haul: %s\n", haul->probes[i].key,
		       streams(model) ? "TCP" : "UDP", model->probes[i].text, haul->probes[i].text);
}

/* @pattern is PROBE or PROBE=TEXT; with or without the IP version in front */
static bool matches(const char *pattern, const struct probe *probe)
{
	const char *equals = strchr(pattern, '=');
	char name[96];

	snprintf(name, sizeof(name), "%.*s",
		 equals ? (int)(equals - pattern) : (int)strlen(pattern), pattern);
	if (fnmatch(name, probe->key, 0) && fnmatch(name, probe->key + 2, 0))
		return false;
	return !equals || !fnmatch(equals + 1, probe->text, 0);
}

/*
 * A pattern that matches nothing on one IP version may on the other, or on another kernel's TCP: it
 * is vain only if the row's plays have not shown it at all.
 */
static bool judge_differs(const struct play *model, const struct play *haul, char *patterns,
			  bool *used)
{
	char *words[32], *word, *save;
	unsigned int i, n = 0, w;
	bool good = true;

	for (word = strtok_r(patterns, " ", &save); word && n < 32;
	     word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	for (i = 0; i < haul->num; i++) {
		if (!differ(model, haul, i))
			continue;
		for (w = 0; w < n && !matches(words[w], &haul->probes[i]); w++)
			;
		if (w < n) {
			used[w] = true;
			continue;
		}
		show(model, haul, i);
		good = false;
	}
	return good;
}

static bool judge_refused(const struct play *model, const struct play *haul, const char *error)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < haul->num; i++) {
		const struct probe *probe = &haul->probes[i];

		if (!strstr(probe->key, ".set(") && !strstr(probe->key, ".get"))
			continue;
		/* what is wrong with the call itself is told first */
		if (!strcmp(probe->text, error) || !strncmp(probe->text, "not", 3))
			continue;
		if (!strcmp(probe->text, "EINVAL") && strstr(probe->key, "get-negative"))
			continue;
		show(model, haul, i);
		good = false;
	}
	return good;
}

/* this kernel's TCP does not have it, and says @error: then Haul must not */
static bool judge_newer(const struct play *model, const struct play *haul, const char *error,
			bool *lacks)
{
	*lacks = !strcmp(model->probes[0].text, error);
	return !*lacks || strcmp(haul->probes[0].text, error);
}

static bool judge(const struct play *model, const struct play *haul, bool *used)
{
	char verdict[512], *rest;
	unsigned int i;
	bool good = true, lacks = false;

	snprintf(verdict, sizeof(verdict), "%s", haul->row->verdict);
	rest = strchr(verdict, ' ');
	if (rest)
		*rest++ = 0;
	if (model->num != haul->num)
		return false;
	if ((!strcmp(verdict, "differs") || !strcmp(verdict, "varies")) && rest)
		return judge_differs(model, haul, rest, used);
	if (!strcmp(verdict, "refused") && rest)
		return judge_refused(model, haul, rest);
	if (!strcmp(verdict, "newer") && rest)
		good = judge_newer(model, haul, rest, &lacks);
	else if (strcmp(verdict, "same"))
		return false;
	if (lacks)
		return good;
	for (i = 0; i < haul->num; i++) {
		if (differ(model, haul, i)) {
			show(model, haul, i);
			good = false;
		}
	}
	return good;
}

static bool all_used(const struct row *r, const bool *used)
{
	char verdict[512], *word, *save;
	unsigned int i = 0;
	bool good = true;

	if (strncmp(r->verdict, "differs ", strlen("differs ")))
		return true;
	snprintf(verdict, sizeof(verdict), "%s", r->verdict + 8);
	for (word = strtok_r(verdict, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!used[i++]) {
			ksft_print_msg("%s: nothing differs at %s\n", r->name, word);
			good = false;
		}
	}
	return good;
}

static void test_row(const struct row *r)
{
	static struct play model, haul;
	const int families[] = { AF_INET, AF_INET6 };
	bool good = true, used[32] = { };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		play_row(&model, r, families[i], 0, r->level);
		play_row(&haul, r, families[i], IPPROTO_HAUL, r->level);
		good &= judge(&model, &haul, used);
		if (!r->own)
			continue;
		play_row(&haul, r, families[i], IPPROTO_HAUL, SOL_HAUL);
		good &= judge(&model, &haul, used);
	}
	good &= all_used(r, used);
	ksft_test_result(good, "%s %s %s: %s\n", r->kind, r->level_name, r->name, r->verdict);
}

/* net.haul.NAME is there, or is not */
static bool haul_has(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/haul/%s", name);
	return !access(path, F_OK);
}

/*
 * Haul's own must be there. What has none must not have one by the same name; what is the kernel's
 * own must be the kernel's: it is, if it isn't doubled.
 */
static void test_setting(const struct setting *s)
{
	const char *name = strrchr(s->name, '.') + 1;
	bool good;

	if (!strncmp(s->verdict, "haul ", 5))
		good = haul_has(s->verdict + 5);
	else
		good = !haul_has(name) && !(strchr(name, '_') && haul_has(strchr(name, '_') + 1));
	ksft_test_result(good, "setting %s: %s\n", s->name, s->verdict);
}

/* one row, with everything that came out: to write its verdict by */
static void explain(const char *name)
{
	static struct play model, haul;
	unsigned int i, j;

	for (i = 0; i < num_rows; i++) {
		if (strcmp(rows[i].name, name))
			continue;
		play_row(&model, &rows[i], AF_INET6, 0, rows[i].level);
		play_row(&haul, &rows[i], AF_INET6, IPPROTO_HAUL, rows[i].level);
		for (j = 0; j < haul.num; j++)
			show(&model, &haul, j);
	}
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (unshare(CLONE_NEWNET) || system("ip link set lo up"))
		ksft_exit_fail_msg("no namespace: run as root\n");
	signal(SIGPIPE, SIG_IGN);
	read_rows();
	if (argc > 1) {
		explain(argv[1]);
		return 0;
	}
	ksft_print_header();
	ksft_set_plan(num_rows + num_settings);
	for (i = 0; i < num_rows; i++)
		test_row(&rows[i]);
	for (i = 0; i < num_settings; i++)
		test_setting(&settings[i]);
	ksft_finished();
}
