// SPDX-License-Identifier: GPL-2.0
/*
 * A line for each socket in ss's columns, what was asked for beside behind it or on lines below.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "haulss.h"

#define ADDRESS_SIZE	300		/* a host's name and a device's */
#define PORT_SIZE	64

/* how wide the columns are */
static struct widths {
	int local, lport, peer, pport;
} wide = { 14, 5, 14, 5 };

/* ---------------------------------------------------------------- behind the columns */

static void print_name(const char *name)
{
	for (; *name; name++)
		putchar(isprint((unsigned char)*name) && *name != '"' ? *name : '?');
}

static void print_users(const struct entry *e)
{
	const struct user *u = proc_users(e->msg.inode, NULL);
	const char *before = " users:(";

	if (!u)
		return;
	for (; u; u = proc_users(e->msg.inode, u)) {
		printf("%s(\"", before);
		print_name(u->name);
		printf("\",pid=%d,fd=%d)", u->pid, u->fd);
		before = ",";
	}
	putchar(')');
}

/* as ss: 1min30sec, 1.5sec, 200ms */
static void print_time(uint32_t ms)
{
	unsigned int minutes = ms / 60000, seconds = ms / 1000 % 60;

	if (minutes) {
		printf("%umin", minutes);
		if (seconds && minutes < 10)
			printf("%usec", seconds);
	} else if (ms >= 1000) {
		printf(seconds < 10 ? "%u.%03usec" : "%usec", seconds, ms % 1000);
	} else {
		printf("%ums", ms);
	}
}

static void print_timer(const struct entry *e)
{
	if (e->msg.timer == HAUL_DIAG_TIMER_NONE)
		return;
	printf(" timer:(%s,", timer_name(e->msg.timer));
	print_time(e->msg.expires);
	printf(",%u)", e->msg.retrans);
}

/* which way data may still go, as ss has it; what is no socket, a request or a remnant, has none */
static void print_directions(const struct entry *e)
{
	static const char *const arrows[] = { "<->", "-->", "<--", "---" };
	unsigned int shut = e->msg.flags & (HAUL_DIAG_SHUT_RD | HAUL_DIAG_SHUT_WR);

	if (e->msg.state == HAUL_SYN_RECEIVED || e->msg.state == HAUL_TIME_WAIT)
		return;
	printf(" %s", arrows[shut]);
}

static void print_extended(const struct entry *e)
{
	uint64_t cookie = (uint64_t)e->msg.id.cookie[1] << 32 | e->msg.id.cookie[0];
	const char *cgroup = e->has_cgroup ? proc_cgroup(e->cgroup) : NULL;

	if (e->msg.uid)
		printf(" uid:%u", e->msg.uid);
	printf(" ino:%u sk:%llx", e->msg.inode, (unsigned long long)cookie);
	if (e->has_mark && e->mark)
		printf(" fwmark:0x%x", e->mark);
	if (cgroup) {
		fputs(" cgroup:", stdout);
		print_name(cgroup);
	} else if (e->has_cgroup) {
		printf(" cgroup:unreachable:%llx", (unsigned long long)e->cgroup);
	}
	if (e->tos)
		printf(" tos:0x%x", e->tos);
	if (e->has_tclass && e->tclass)
		printf(" tclass:0x%x", e->tclass);
	if (e->msg.net == AF_INET6 && !e->msg.id.src[0] &&
	    (e->msg.state == HAUL_LISTEN || e->msg.state == HAUL_CLOSED))
		printf(" v6only:%u", !!(e->msg.flags & HAUL_DIAG_V6ONLY));
	print_directions(e);
}

static void print_memory(const struct entry *e)
{
	const uint32_t *m = e->mem;

	printf("skmem:(r%u,rb%u,t%u,tb%u,f%u,w%u,o%u,bl%u,d%u)", m[SK_MEMINFO_RMEM_ALLOC],
	       m[SK_MEMINFO_RCVBUF], m[SK_MEMINFO_WMEM_ALLOC], m[SK_MEMINFO_SNDBUF],
	       m[SK_MEMINFO_FWD_ALLOC], m[SK_MEMINFO_WMEM_QUEUED], m[SK_MEMINFO_OPTMEM],
	       m[SK_MEMINFO_BACKLOG], m[SK_MEMINFO_DROPS]);
}

/* ---------------------------------------------------------------- the columns */

/* as ss: a state that all have in common needs no column */
static int state_width(void)
{
	return opt.events || opt.states & (opt.states - 1) ? 11 : 0;
}

static void print_header(void)
{
	if (opt.no_header)
		return;
	printf("%-7s %-*.*s%-6s %-6s %*s:%-*s %*s:%-*s %s\n", "Netid", state_width(),
	       state_width(), "State", "Recv-Q", "Send-Q", wide.local, "Local Address",
	       wide.lport, "Port", wide.peer, "Peer Address", wide.pport, "Port",
	       opt.processes ? "Process" : "");
}

static void print_columns(const struct entry *e)
{
	char local[ADDRESS_SIZE], lport[PORT_SIZE], peer[ADDRESS_SIZE], pport[PORT_SIZE];

	name_address(e, false, false, local, sizeof(local));
	name_port(e, false, false, lport, sizeof(lport));
	name_address(e, true, false, peer, sizeof(peer));
	name_port(e, true, false, pport, sizeof(pport));
	printf("%-7s %-*.*s%-6u %-6u %*s:%-*s %*s:%-*s", kind_name(e->msg.kind), state_width(),
	       state_width(), state_name(e->msg.state), e->msg.rqueue, e->msg.wqueue, wide.local,
	       local, wide.lport, lport, wide.peer, peer, wide.pport, pport);
}

static const char *further(void)
{
	return opt.oneline ? " " : "\n\t ";
}

void print_one(const struct entry *e)
{
	print_columns(e);
	if (opt.processes)
		print_users(e);
	if (opt.timers)
		print_timer(e);
	if (opt.extended)
		print_extended(e);
	if (opt.memory && e->has_mem) {
		fputs(further(), stdout);
		print_memory(e);
	}
	if (opt.info && e->has_info) {
		fputs(opt.memory && e->has_mem ? " " : further(), stdout);
		info_print(e);
	}
	putchar('\n');
}

static void widen(int *width, const char *text)
{
	int len = strlen(text);

	if (len > *width)
		*width = len;
}

void print_all(const struct entry *entries, size_t num)
{
	char text[ADDRESS_SIZE];
	size_t i;

	for (i = 0; i < num; i++) {
		name_address(&entries[i], false, false, text, sizeof(text));
		widen(&wide.local, text);
		name_port(&entries[i], false, false, text, sizeof(text));
		widen(&wide.lport, text);
		name_address(&entries[i], true, false, text, sizeof(text));
		widen(&wide.peer, text);
		name_port(&entries[i], true, false, text, sizeof(text));
		widen(&wide.pport, text);
	}
	print_header();
	for (i = 0; i < num; i++)
		print_one(&entries[i]);
}

/* ---------------------------------------------------------------- the sum */

void summarize(struct summary *s, const struct entry *entries, size_t num)
{
	const struct haul_diag_msg *m;
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < num; i++) {
		m = &entries[i].msg;
		s->total++;
		s->by_kind[m->kind < 4 ? m->kind : 0][m->net == AF_INET6]++;
		if (m->state == HAUL_ESTABLISHED)
			s->estab++;
		else if (m->state == HAUL_TIME_WAIT)
			s->timewait++;
		else if (m->state == HAUL_SYN_RECEIVED)
			s->half_open++;
		else if (m->state == HAUL_LISTEN)
			s->listening++;
		else if (m->state != HAUL_SYN_SENT && m->state != HAUL_CLOSED)
			s->closing++;
		if (m->state != HAUL_TIME_WAIT && m->state != HAUL_SYN_RECEIVED &&
		    (m->flags & HAUL_DIAG_ORPHAN))
			s->orphaned++;
	}
}

void print_summary(const struct entry *entries, size_t num)
{
	struct summary s;
	int kind;

	summarize(&s, entries, num);
	printf("Total: %u\n", s.total);
	printf("Haul:  %u (estab %u, closing %u, orphaned %u, timewait %u, half-open %u, ", s.total,
	       s.estab, s.closing, s.orphaned, s.timewait, s.half_open);
	printf("listening %u)\n\n", s.listening);
	printf("%-9s %-9s %-9s %-9s\n", "Transport", "Total", "IP", "IPv6");
	for (kind = 1; kind < 4; kind++)
		printf("%-9s %-9u %-9u %-9u\n", kind_name(kind),
		       s.by_kind[kind][0] + s.by_kind[kind][1], s.by_kind[kind][0],
		       s.by_kind[kind][1]);
}
