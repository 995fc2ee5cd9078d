// SPDX-License-Identifier: GPL-2.0
/*
 * What a path does to a transport, and what that does to the path: goodput under loss and
 * reordering, short flows, the standing queue, shares of a bottleneck.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define CHUNK	65536
#define SECOND	1000000000ULL

static char buffer[CHUNK];

/* --- goodput: Mbit/s of bytes= from connect() until the receiver has them all */

static void goodput_receive(void *arg_listener)
{
	int fd = accept(*(int *)arg_listener, NULL, NULL);
	uint64_t left = arg_number("bytes", 8000000);

	if (fd < 0)
		die("accept");
	while (left) {
		ssize_t n = recv(fd, buffer, CHUNK, 0);

		if (n <= 0)
			die("recv");
		left -= n;
	}
	write_all(fd, "!", 1);
	read_all(fd, buffer, 1);
}

void work_goodput(void)
{
	uint64_t bytes = arg_number("bytes", 8000000), left, began;
	int listener = listen_far(bench.transport, 0), fd;
	pid_t pid = child(goodput_receive, &listener);

	began = now_ns();
	fd = connect_far(bench.transport, 0);
	for (left = bytes; left; left -= left < CHUNK ? left : CHUNK)
		write_all(fd, buffer, left < CHUNK ? left : CHUNK);
	if (!read_all(fd, buffer, 1))
		die("the receiver is gone");
	result("mbit", 8000.0 * bytes / (now_ns() - began));
	close(fd);
	child_wait(pid);
}

/* --- short: ms until size= bytes that the server sends at once have come; count= flows in turn */

static void short_serve(void *arg_listener)
{
	int listener = *(int *)arg_listener;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		write_all(fd, buffer, arg_number("size", 14000));
		close(fd);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double percentile(uint64_t *values, uint64_t num, double percent)
{
	uint64_t at = num * percent / 100;

	qsort(values, num, sizeof(*values), by_value);
	return values[at < num ? at : num - 1] / 1e6;
}

void work_short(void)
{
	uint64_t count = arg_number("count", 500), i, *took = calloc(count, sizeof(*took));
	int listener = listen_far(bench.transport, 0);
	pid_t pid = child(short_serve, &listener);
	size_t size = arg_number("size", 14000);

	if (size > CHUNK)
		die("size");
	for (i = 0; i < count; i++) {
		uint64_t began = now_ns();
		int fd = connect_far(bench.transport, 0);

		if (!read_all(fd, buffer, size))
			die("nothing came");
		took[i] = now_ns() - began;
		close(fd);
	}
	result("p99", percentile(took, count, 99));
	result("p95", percentile(took, count, 95));
	result("p50", percentile(took, count, 50));
	child_kill(pid);
}

/* --- flows that send for as long as they are let */

struct flow {
	struct pair p;
	uint64_t *got;		/* bytes that the receiver has read */
	pid_t sender;
	pid_t receiver;
};

static void flow_send(void *arg_flow)
{
	struct flow *f = arg_flow;

	for (;;)
		write_all(f->p.near, buffer, CHUNK);
}

static void flow_receive(void *arg_flow)
{
	struct flow *f = arg_flow;
	ssize_t n;

	while ((n = recv(f->p.far, buffer, CHUNK, 0)) > 0)
		*f->got += n;
}

static void flow_start(struct flow *f, enum transport over, int offset)
{
	f->p = pair_open(over, offset);
	f->got = shared(sizeof(*f->got));
	f->sender = child(flow_send, f);
	f->receiver = child(flow_receive, f);
}

static void flow_stop(struct flow *f)
{
	child_kill(f->sender);
	child_kill(f->receiver);
	pair_close(&f->p);
}

/* bytes of each flow between warm= and seconds= of its life */
static void flows_run(struct flow *flows, int num, double *bytes)
{
	uint64_t began = now_ns();
	int i;

	sleep_until(began + arg_number("warm", 5) * SECOND);
	for (i = 0; i < num; i++)
		bytes[i] = *flows[i].got;
	sleep_until(began + arg_number("seconds", 20) * SECOND);
	for (i = 0; i < num; i++)
		bytes[i] = *flows[i].got - bytes[i];
}

/* --- queue: ms that packets of others wait while one flow sends: p99 round trip less the least */

static void queue_echo(void *arg_pair)
{
	struct pair *p = arg_pair;

	for (;;) {
		ssize_t n = recv(p->far, buffer, CHUNK, 0);

		if (n > 0)
			send(p->far, buffer, n, 0);
	}
}

struct probes {
	struct pair p;
	uint64_t *rtt;
	uint64_t *num;
	uint64_t max;
};

static void queue_listen(void *arg_probes)
{
	struct probes *s = arg_probes;
	uint64_t sent;

	while (recv(s->p.near, &sent, sizeof(sent), 0) == sizeof(sent))
		if (*s->num < s->max)
			s->rtt[(*s->num)++] = now_ns() - sent;
}

void work_queue(void)
{
	uint64_t seconds = arg_number("seconds", 20), warm = arg_number("warm", 5), at, end, least;
	struct probes s = { .max = seconds * 200 };
	pid_t echo, listen;
	struct flow f;

	s.p = pair_open(UDP, 1);
	s.rtt = shared(s.max * sizeof(*s.rtt));
	s.num = shared(sizeof(*s.num));
	echo = child(queue_echo, &s.p);
	listen = child(queue_listen, &s);
	flow_start(&f, bench.transport, 0);
	at = now_ns();
	end = at + seconds * SECOND;
	sleep_until(at + warm * SECOND);
	for (at += warm * SECOND; at < end; at += SECOND / 100) {
		uint64_t now = now_ns();

		send(s.p.near, &now, sizeof(now), 0);
		sleep_until(at);
	}
	flow_stop(&f);
	child_kill(listen);
	child_kill(echo);
	least = arg_number("base", 40) * 1000000;
	result("ms", percentile(s.rtt, *s.num, 99) - least / 1e6);
	result("median", percentile(s.rtt, *s.num, 50) - least / 1e6);
	result("mbit", *f.got * 8 / 1e6 / seconds);
}

/* --- share: bytes of one flow beside one of TCP CUBIC, as a fraction of that one's */

void work_share(void)
{
	struct flow flows[2];
	double bytes[2];

	flow_start(&flows[0], bench.transport, 0);
	bench.cc = "cubic";
	flow_start(&flows[1], TCP, 1);
	flows_run(flows, 2, bytes);
	flow_stop(&flows[0]);
	flow_stop(&flows[1]);
	result("share", bytes[0] / bytes[1]);
	result("mbit", (bytes[0] + bytes[1]) * 8 / 1e6 /
		       (arg_number("seconds", 20) - arg_number("warm", 5)));
}

/* --- fair: Jain's index of flows= flows */

void work_fair(void)
{
	int num = arg_number("flows", 8), i;
	struct flow *flows = calloc(num, sizeof(*flows));
	double *bytes = calloc(num, sizeof(*bytes)), sum = 0, squares = 0;

	for (i = 0; i < num; i++)
		flow_start(&flows[i], bench.transport, i);
	flows_run(flows, num, bytes);
	for (i = 0; i < num; i++) {
		flow_stop(&flows[i]);
		sum += bytes[i];
		squares += bytes[i] * bytes[i];
	}
	result("jain", sum * sum / (num * squares));
	result("mbit", sum * 8 / 1e6 / (arg_number("seconds", 20) - arg_number("warm", 5)));
}
