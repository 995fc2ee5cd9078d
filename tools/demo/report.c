// SPDX-License-Identifier: GPL-2.0
/*
 * hauldemo: what the kernel says about a connection, Haul's and TCP's in the same terms.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/haul.h>
#include <linux/tcp.h>

#include "demo.h"

/* Fields behind tcpi_snd_wnd that older headers do not name (the kernel has them since 6.7). */
struct demo_tcp_tail {
	uint32_t rcv_wnd;
	uint32_t rehash;
	uint16_t total_rto;
	uint16_t total_rto_recoveries;
	uint32_t total_rto_time;
};

#define DEMO_TCP_TAIL (offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof(uint32_t))

static int demo_report_haul(int fd, struct demo_report *r)
{
	struct haul_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, SOL_HAUL, HAUL_INFO, &info, &len))
		return -1;
	r->segs_out = info.segs_out;
	r->retrans = info.retrans_segs;
	r->timeouts = info.timeouts;
	r->dsacks = info.dsacks;
	r->srtt = info.srtt;
	r->min_rtt = info.min_rtt;
	r->cwnd = info.snd_cwnd;
	r->snd_wnd = info.snd_wnd;
	r->state = info.state;
	return 0;
}

static int demo_report_tcp(int fd, struct demo_report *r)
{
	char buf[512] __attribute__((aligned(8)));
	const struct tcp_info *info = (const void *)buf;
	const struct demo_tcp_tail *tail = (const void *)(buf + DEMO_TCP_TAIL);
	socklen_t len = sizeof(buf);

	memset(buf, 0, sizeof(buf));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, buf, &len))
		return -1;
	r->segs_out = info->tcpi_segs_out;
	r->retrans = info->tcpi_total_retrans;
	r->timeouts = len >= DEMO_TCP_TAIL + sizeof(*tail) ? tail->total_rto : -1;
	r->dsacks = info->tcpi_dsack_dups;
	r->srtt = info->tcpi_rtt;
	r->min_rtt = info->tcpi_min_rtt;
	r->cwnd = info->tcpi_snd_cwnd * info->tcpi_snd_mss;
	r->snd_wnd = info->tcpi_snd_wnd;
	r->state = info->tcpi_state;
	return 0;
}

/* The numbers of a connected socket; 0, or -1 with errno. */
int demo_report_read(int fd, enum demo_transport transport, struct demo_report *r)
{
	return transport == DEMO_HAUL ? demo_report_haul(fd, r) : demo_report_tcp(fd, r);
}

/* A field of a line of names and a line of numbers, as /proc/net/netstat has them. */
static int64_t demo_netstat_field(char *names, char *numbers, const char *field)
{
	char *name_rest, *number_rest;
	char *name = strtok_r(names, " \n", &name_rest);
	char *number = strtok_r(numbers, " \n", &number_rest);

	while (name && number) {
		if (!strcmp(name, field))
			return atoll(number);
		name = strtok_r(NULL, " \n", &name_rest);
		number = strtok_r(NULL, " \n", &number_rest);
	}
	return -1;
}

/* TCP's timeouts in this network namespace, for kernels that do not count them per connection. */
int64_t demo_report_tcp_timeouts(void)
{
	char names[8192], numbers[8192];
	FILE *file = fopen("/proc/thread-self/net/netstat", "r");
	int64_t count = -1;

	if (!file)
		return -1;
	while (count < 0 && fgets(names, sizeof(names), file) &&
	       fgets(numbers, sizeof(numbers), file))
		count = demo_netstat_field(names, numbers, "TCPTimeouts");
	fclose(file);
	return count;
}
