// SPDX-License-Identifier: GPL-2.0
/*
 * What a transport costs: a round trip, a byte, a connection, the memory of one. In the exact mode
 * a nanosecond is an instruction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define CHUNK	131072		/* what iperf3 writes at once */

static char buffer[CHUNK];

/* --- rr: a question of size= bytes, an answer of as many; with others= idle connections beside */

static void rr_answer(void *arg_pair)
{
	struct pair *p = arg_pair;
	size_t size = arg_number("size", 1);

	close(p->near);
	while (read_all(p->far, buffer, size))
		write_all(p->far, buffer, size);
}

static void rr_round(const struct pair *p, size_t size, uint64_t count)
{
	while (count--) {
		write_all(p->near, buffer, size);
		if (!read_all(p->near, buffer, size))
			die("the other end is gone");
	}
}

static struct pair *open_many(uint64_t count)
{
	struct pair *pairs = calloc(count + 1, sizeof(*pairs));
	int listener = listen_far(bench.transport, 1);
	uint64_t i;

	for (i = 0; i < count; i++)
		pairs[i] = pair_via(bench.transport, listener, 1);
	close(listener);
	return pairs;
}

void work_rr(void)
{
	uint64_t count = arg_number("count", 2000), others = arg_number("others", 0), began;
	size_t size = arg_number("size", 1);
	struct pair p;
	pid_t pid;

	if (size > CHUNK)
		die("size");
	if (others)
		open_many(others);
	p = pair_open(bench.transport, 0);
	pid = child(rr_answer, &p);
	close(p.far);
	rr_round(&p, size, count / 10 + 10);
	began = now_ns();
	profile_begin();
	rr_round(&p, size, count);
	result("ns", (double)(now_ns() - began) / count);
	profile_end();
	result("rounds", count);
	child_kill(pid);
}

/*
 * --- bulk: bytes= over each of flows= connections, after warm= bytes that do not count. Without
 * Nagle: the last write is no full segment, and would now and then wait for a delayed ACK. In the
 * exact mode those 40 ms, in which nobody works, count as instructions.
 */

static void bulk_send(int fd, uint64_t bytes)
{
	while (bytes) {
		size_t n = bytes < CHUNK ? bytes : CHUNK;

		write_all(fd, buffer, n);
		bytes -= n;
	}
}

static void bulk_take(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = recv(fd, buffer, bytes < CHUNK ? bytes : CHUNK, 0);

		if (n <= 0)
			die("recv");
		bytes -= n;
	}
	write_all(fd, "!", 1);
}

static void bulk_receiver(void *arg_pair)
{
	struct pair *p = arg_pair;

	close(p->near);
	bulk_take(p->far, arg_number("warm", 8000000));
	bulk_take(p->far, arg_number("bytes", 64000000));
}

static void bulk_part(const struct pair *p, uint64_t bytes)
{
	char word;

	bulk_send(p->near, bytes);
	if (!read_all(p->near, &word, 1))
		die("the receiver is gone");
}

struct bulk {
	struct pair p;
	uint64_t *went;
};

static void bulk_sender(void *arg_bulk)
{
	struct bulk *b = arg_bulk;
	uint64_t began;

	close(b->p.far);
	set_nodelay(bench.transport, b->p.near);
	bulk_part(&b->p, arg_number("warm", 8000000));
	began = now_ns();
	profile_begin();
	bulk_part(&b->p, arg_number("bytes", 64000000));
	b->went[0] = began;
	b->went[1] = now_ns();
	profile_end();
}

void work_bulk(void)
{
	uint64_t bytes = arg_number("bytes", 64000000), flows = arg_number("flows", 1), i;
	uint64_t *times = shared(2 * flows * sizeof(*times)), first = ~0ULL, last = 0;
	pid_t *pids = calloc(2 * flows, sizeof(*pids));

	for (i = 0; i < flows; i++) {
		struct bulk b = { pair_open(bench.transport, i), times + 2 * i };

		pids[2 * i] = child(bulk_receiver, &b.p);
		pids[2 * i + 1] = child(bulk_sender, &b);
		pair_close(&b.p);
	}
	for (i = 0; i < 2 * flows; i++)
		child_wait(pids[i]);
	for (i = 0; i < flows; i++) {
		first = times[2 * i] < first ? times[2 * i] : first;
		last = times[2 * i + 1] > last ? times[2 * i + 1] : last;
	}
	result("ns", (double)(last - first) / bytes / flows);
	result("gbit", 8.0 * bytes * flows / (last - first));
	result("rounds", bytes * flows / 1000);
}

/* --- connect: connect, a byte there and one back, close */

static void connect_serve(void *arg_listener)
{
	int listener = *(int *)arg_listener;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		if (read_all(fd, buffer, 1))
			write_all(fd, buffer, 1);
		read_all(fd, buffer, 1);
		close(fd);
	}
}

static void connect_round(uint64_t count)
{
	while (count--) {
		int fd = connect_far(bench.transport, 0);

		write_all(fd, buffer, 1);
		if (!read_all(fd, buffer, 1))
			die("no answer");
		close(fd);
	}
}

void work_connect(void)
{
	uint64_t count = arg_number("count", 500), began;
	int listener;
	pid_t pid;

	if (bench.transport == UDP)
		skip("nothing to connect");
	listener = listen_far(bench.transport, 0);
	pid = child(connect_serve, &listener);
	connect_round(count / 10 + 10);
	began = now_ns();
	profile_begin();
	connect_round(count);
	result("ns", (double)(now_ns() - began) / count);
	profile_end();
	result("rounds", count);
	child_kill(pid);
}

/* --- memory: of count= idle connections, both ends and all that the kernel holds for them */

static uint64_t meminfo(const char *field)
{
	FILE *file = fopen("/proc/meminfo", "r");
	size_t len = strlen(field);
	unsigned long long kb = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, len) && line[len] == ':')
			sscanf(line + len + 1, "%llu", &kb);
	if (!kb)
		die("/proc/meminfo: %s", field);
	fclose(file);
	return kb * 1024;
}

void work_memory(void)
{
	uint64_t count = arg_number("count", 10000), slab, available;

	if (bench.transport == UDP)
		skip("no connections");
	/* what is allocated once, and tables that grow, are not a connection's */
	open_many(count / 10);
	slab = meminfo("Slab");
	available = meminfo("MemAvailable");
	open_many(count);
	result("bytes", (double)(available - meminfo("MemAvailable")) / count);
	result("slab", (double)(meminfo("Slab") - slab) / count);
}

/* --- object: bytes of one of what= socket, request (half-open), timewait */

void work_object(void)
{
	static const char *const names[][2][3] = {
		[TCP] = { { "TCP", "request_sock_TCP", "tw_sock_TCP" },
			  { "TCPv6", "request_sock_TCPv6", "tw_sock_TCPv6" } },
		[HAUL] = { { "HAUL", "haul_request", "haul_remnant" },
			   { "HAULv6", "haul_request", "haul_remnant" } },
	};
	const char *what = arg("what", "socket");
	int at = what[0] == 's' ? 0 : what[0] == 'r' ? 1 : 2;
	unsigned int bytes = 0;
	char path[128];
	FILE *file;

	if (bench.transport != TCP && bench.transport != HAUL)
		skip("no such object");
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/slab_size",
		 names[bench.transport][bench.family == AF_INET6][at]);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%u", &bytes) != 1)
		die("%s", path);
	fclose(file);
	result("bytes", bytes);
}
