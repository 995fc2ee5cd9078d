// SPDX-License-Identifier: GPL-2.0
/*
 * The same as JSON: an array of objects; -E, one object a line. Numbers are in the units of
 * <linux/haul.h>, names are the fields' there.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "haulss.h"

/* Bytes that are no ASCII are told one by one: a program may call itself anything. */
void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_end(const struct entry *e, bool peer)
{
	uint16_t port = ntohs(peer ? e->msg.id.dport : e->msg.id.sport);
	char address[INET6_ADDRSTRLEN];
	const char *raw = (const char *)(peer ? e->msg.id.dst : e->msg.id.src);

	if (e->msg.net == AF_INET)
		inet_ntop(AF_INET, raw + 12, address, sizeof(address));
	else
		inet_ntop(AF_INET6, raw, address, sizeof(address));
	printf(",\"%s\":{\"address\":\"%s\",\"port\":%u}", peer ? "peer" : "local", address, port);
}

static void json_users(const struct entry *e)
{
	const struct user *u;
	const char *before = "";

	printf(",\"users\":[");
	for (u = proc_users(e->msg.inode, NULL); u; u = proc_users(e->msg.inode, u)) {
		printf("%s{\"name\":", before);
		json_string(u->name);
		printf(",\"pid\":%d,\"fd\":%d}", u->pid, u->fd);
		before = ",";
	}
	putchar(']');
}

static void json_extended(const struct entry *e)
{
	uint64_t cookie = (uint64_t)e->msg.id.cookie[1] << 32 | e->msg.id.cookie[0];
	const char *cgroup = e->has_cgroup ? proc_cgroup(e->cgroup) : NULL;

	printf(",\"uid\":%u,\"inode\":%u,\"cookie\":\"%llx\"", e->msg.uid, e->msg.inode,
	       (unsigned long long)cookie);
	printf(",\"shut_rd\":%s,\"shut_wr\":%s,\"v6only\":%s,\"orphan\":%s",
	       e->msg.flags & HAUL_DIAG_SHUT_RD ? "true" : "false",
	       e->msg.flags & HAUL_DIAG_SHUT_WR ? "true" : "false",
	       e->msg.flags & HAUL_DIAG_V6ONLY ? "true" : "false",
	       e->msg.flags & HAUL_DIAG_ORPHAN ? "true" : "false");
	printf(",\"tos\":%u", e->tos);
	if (e->has_tclass)
		printf(",\"tclass\":%u", e->tclass);
	if (e->has_mark)
		printf(",\"mark\":%u", e->mark);
	if (e->has_cgroup)
		printf(",\"cgroup_id\":%llu", (unsigned long long)e->cgroup);
	if (cgroup) {
		printf(",\"cgroup\":");
		json_string(cgroup);
	}
}

static void json_memory(const struct entry *e)
{
	static const char *const names[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RMEM_ALLOC] = "rmem_alloc", [SK_MEMINFO_RCVBUF] = "rcvbuf",
		[SK_MEMINFO_WMEM_ALLOC] = "wmem_alloc", [SK_MEMINFO_SNDBUF] = "sndbuf",
		[SK_MEMINFO_FWD_ALLOC] = "fwd_alloc", [SK_MEMINFO_WMEM_QUEUED] = "wmem_queued",
		[SK_MEMINFO_OPTMEM] = "optmem", [SK_MEMINFO_BACKLOG] = "backlog",
		[SK_MEMINFO_DROPS] = "drops",
	};
	const char *before = ",\"skmem\":{";
	int i;

	for (i = 0; i < SK_MEMINFO_VARS; i++) {
		printf("%s\"%s\":%u", before, names[i], e->mem[i]);
		before = ",";
	}
	putchar('}');
}

static void json_entry(const struct entry *e)
{
	printf("{\"netid\":\"%s\",\"family\":\"%s\",\"state\":\"%s\",\"recv_q\":%u,\"send_q\":%u",
	       kind_name(e->msg.kind), e->msg.net == AF_INET6 ? "inet6" : "inet",
	       state_name(e->msg.state), e->msg.rqueue, e->msg.wqueue);
	json_end(e, false);
	json_end(e, true);
	if (e->msg.id.dev)
		printf(",\"dev\":%u", e->msg.id.dev);
	if (opt.processes)
		json_users(e);
	if (opt.timers && e->msg.timer)
		printf(",\"timer\":{\"name\":\"%s\",\"expires_ms\":%u,\"retrans\":%u}",
		       timer_name(e->msg.timer), e->msg.expires, e->msg.retrans);
	if (opt.extended)
		json_extended(e);
	if (opt.memory && e->has_mem)
		json_memory(e);
	if (opt.info && e->has_info) {
		printf(",\"info\":");
		info_json(&e->info);
	}
	putchar('}');
}

void json_one(const struct entry *e)
{
	json_entry(e);
	putchar('\n');
}

void json_all(const struct entry *entries, size_t num)
{
	size_t i;

	putchar('[');
	for (i = 0; i < num; i++) {
		fputs(i ? ",\n" : "\n", stdout);
		json_entry(&entries[i]);
	}
	puts("\n]");
}

void json_summary(const struct entry *entries, size_t num)
{
	struct summary s;
	int kind;

	summarize(&s, entries, num);
	printf("{\"total\":%u,\"estab\":%u,\"closing\":%u,\"orphaned\":%u,\"timewait\":%u,",
	       s.total, s.estab, s.closing, s.orphaned, s.timewait);
	printf("\"half_open\":%u,\"listening\":%u", s.half_open, s.listening);
	for (kind = 1; kind < 4; kind++)
		printf(",\"%s\":{\"inet\":%u,\"inet6\":%u}", kind_name(kind), s.by_kind[kind][0],
		       s.by_kind[kind][1]);
	puts("}");
}
