// SPDX-License-Identifier: GPL-2.0
/*
 * The bench's sockets: the same few calls for each transport. A socket stays in the namespace that
 * it was made in, so one process holds both ends.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/haul.h>

#include "bench.h"

/* is the link loopback, lo4 or lo6? */
static bool on_loopback(void)
{
	const char *link = arg("link", "lo4");

	return strlen(link) == 3 && !strncmp(link, "lo", 2);
}

/* the link's name is link= without the digit; loopback has one host only */
static void enter(const char *host)
{
	const char *link = arg("link", "lo4");
	int len = strlen(link) - 1, fd;
	char path[128];

	if (on_loopback())
		host = "near";
	snprintf(path, sizeof(path), "/run/netns/bench-%.*s-%s", len, link, host);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s", path);
	close(fd);
}

void set_congestion(enum transport transport, int fd, const char *name)
{
	int level = transport == HAUL ? SOL_HAUL : IPPROTO_TCP;
	int option = transport == HAUL ? HAUL_CONGESTION : TCP_CONGESTION;

	if (!name || transport == UDP || transport == UNIX)
		return;
	if (!setsockopt(fd, level, option, name, strlen(name)))
		return;
	if (errno == ENOENT)
		skip("no such congestion controller");
	die("congestion controller %s", name);
}

void set_nodelay(enum transport transport, int fd)
{
	int level = transport == HAUL ? SOL_HAUL : IPPROTO_TCP;
	int option = transport == HAUL ? HAUL_NODELAY : TCP_NODELAY, one = 1;

	if (transport == UDP || transport == UNIX)
		return;
	if (setsockopt(fd, level, option, &one, sizeof(one)))
		die("NODELAY");
}

static int make(enum transport transport)
{
	int fd = -1;

	switch (transport) {
	case TCP:
		fd = socket(bench.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		break;
	case HAUL:
		fd = socket(bench.family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_HAUL);
		break;
	case UDP:
		fd = socket(bench.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		break;
	case UNIX:
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		break;
	}
	if (fd < 0)
		die("socket");
	set_congestion(transport, fd, bench.cc);
	return fd;
}

int socket_near(enum transport transport)
{
	enter("near");
	return make(transport);
}

int socket_far(enum transport transport)
{
	enter("far");
	return make(transport);
}

/* far's address; the abstract name of an AF_UNIX socket */
static socklen_t far_address(enum transport transport, int offset, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_un *un = (struct sockaddr_un *)ss;
	bool lo = on_loopback();

	memset(ss, 0, sizeof(*ss));
	if (transport == UNIX) {
		un->sun_family = AF_UNIX;
		return offsetof(struct sockaddr_un, sun_path) + 1 +
		       sprintf(un->sun_path + 1, "bench%d", offset);
	}
	ss->ss_family = bench.family;
	if (bench.family == AF_INET6) {
		in6->sin6_port = htons(BENCH_PORT + offset);
		inet_pton(AF_INET6, lo ? "::1" : "2001:db8::2", &in6->sin6_addr);
		return sizeof(*in6);
	}
	in->sin_port = htons(BENCH_PORT + offset);
	inet_pton(AF_INET, lo ? "127.0.0.1" : "192.0.2.2", &in->sin_addr);
	return sizeof(*in);
}

int listen_far(enum transport transport, int offset)
{
	int fd = socket_far(transport), one = 1;
	struct sockaddr_storage ss;
	socklen_t len = far_address(transport, offset, &ss);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len))
		die("bind");
	if (transport != UDP && listen(fd, 1024))
		die("listen");
	return fd;
}

int connect_far(enum transport transport, int offset)
{
	int fd = socket_near(transport);
	struct sockaddr_storage ss;
	socklen_t len = far_address(transport, offset, &ss);

	if (connect(fd, (struct sockaddr *)&ss, len))
		die("connect");
	return fd;
}

struct pair pair_via(enum transport transport, int listener, int offset)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct pair p;

	p.near = connect_far(transport, offset);
	if (transport == UDP) {
		if (getsockname(p.near, (struct sockaddr *)&ss, &len) ||
		    connect(listener, (struct sockaddr *)&ss, len))
			die("connecting a datagram pair");
		p.far = dup(listener);
	} else {
		p.far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	if (p.far < 0)
		die("accept");
	return p;
}

struct pair pair_open(enum transport transport, int offset)
{
	int listener = listen_far(transport, offset);
	struct pair p = pair_via(transport, listener, offset);

	close(listener);
	return p;
}

void pair_close(struct pair *p)
{
	close(p->near);
	close(p->far);
}

bool read_all(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = recv(fd, (char *)buf + done, len - done, 0);

		if (!n && !done)
			return false;
		if (n <= 0)
			die("recv");
		done += n;
	}
	return true;
}

void write_all(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = send(fd, (const char *)buf + done, len - done, 0);

		if (n <= 0)
			die("send");
		done += n;
	}
}
