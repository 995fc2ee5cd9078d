// SPDX-License-Identifier: GPL-2.0
/* The sockets under test, in a test's words; none of these calls blocks for good. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wire.h"

static void need(struct wire *w, bool ok, const char *what)
{
	if (!ok)
		wire_fail(w, NULL, "%s: %s", what, strerror(errno));
}

static int open_socket(struct wire *w, int type)
{
	int fd = socket(w->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_HAUL);

	need(w, fd >= 0, "socket(IPPROTO_HAUL)");
	return fd;
}

int host_socket(struct wire *w)
{
	return open_socket(w, SOCK_STREAM);
}

int host_listen_kind(struct wire *w, uint16_t port, int backlog, int type)
{
	int fd = open_socket(w, type), one = 1;
	struct sockaddr_storage addr;

	wire_address(w, true, port, &addr);
	need(w, !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	need(w, !bind(fd, (struct sockaddr *)&addr, wire_address_len(w)), "bind");
	need(w, !listen(fd, backlog), "listen");
	return fd;
}

int host_listen(struct wire *w, uint16_t port, int backlog)
{
	return host_listen_kind(w, port, backlog, SOCK_STREAM);
}

static uint16_t local_port(struct wire *w, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	need(w, !getsockname(fd, (struct sockaddr *)&addr, &len), "getsockname");
	return ntohs(addr.ss_family == AF_INET ? ((struct sockaddr_in *)&addr)->sin_port :
						 ((struct sockaddr_in6 *)&addr)->sin6_port);
}

int host_connect(struct peer *p)
{
	int fd = open_socket(p->w, p->kind == KIND_MESSAGE ? SOCK_SEQPACKET : SOCK_STREAM);
	struct sockaddr_storage addr;
	int err;

	wire_address(p->w, false, p->port, &addr);
	err = connect(fd, (struct sockaddr *)&addr, wire_address_len(p->w));
	need(p->w, err && errno == EINPROGRESS, "connect (EINPROGRESS expected)");
	p->host_port = local_port(p->w, fd);
	return fd;
}

void host_wait(struct peer *p, int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	if (poll(&pfd, 1, WIRE_PATIENCE_MS) <= 0 || !(pfd.revents & events))
		wire_fail(p->w, NULL, "poll() does not show 0x%x, but 0x%x", events, pfd.revents);
}

int host_accept(struct peer *p, int listener)
{
	int fd;

	host_wait(p, listener, POLLIN);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	need(p->w, fd >= 0, "accept4");
	return fd;
}

void host_write(struct peer *p, int fd, size_t len)
{
	uint8_t *bytes = malloc(len);
	ssize_t done;
	size_t i;

	need(p->w, bytes, "malloc");
	for (i = 0; i < len; i++)
		bytes[i] = pattern(p->written + i);
	done = send(fd, bytes, len, MSG_NOSIGNAL);
	free(bytes);
	need(p->w, done == (ssize_t)len, "send (all of it)");
	p->written += len;
}

void host_read(struct peer *p, int fd, size_t len)
{
	uint8_t bytes[4096];
	size_t want;
	ssize_t got;
	ssize_t i;

	while (len) {
		host_wait(p, fd, POLLIN);
		want = len < sizeof(bytes) ? len : sizeof(bytes);
		got = recv(fd, bytes, want, 0);
		need(p->w, got >= 0, "recv");
		if (!got)
			wire_fail(p->w, NULL, "end of file, %zu bytes early", len);
		for (i = 0; i < got; i++)
			if (bytes[i] != pattern(p->read + i))
				wire_fail(p->w, NULL, "byte %u read is 0x%02x, not 0x%02x",
					  (unsigned int)(p->read + i), bytes[i],
					  pattern(p->read + i));
		p->read += got;
		len -= got;
	}
}

void host_expect_eof(struct peer *p, int fd)
{
	uint8_t byte;

	host_wait(p, fd, POLLIN);
	if (recv(fd, &byte, 1, 0))
		wire_fail(p->w, NULL, "end of file expected");
}

void host_expect_error(struct peer *p, int fd, int err)
{
	uint8_t byte;
	ssize_t got = recv(fd, &byte, 1, 0);
	int now = errno;

	if (got >= 0)
		wire_fail(p->w, NULL, "recv gave %zd, error %s expected", got, strerror(err));
	if (now != err)
		wire_fail(p->w, NULL, "recv failed with %s, %s expected", strerror(now),
			  strerror(err));
}

struct haul_info host_info(struct peer *p, int fd)
{
	struct haul_info info = {};
	socklen_t len = sizeof(info);

	need(p->w, !getsockopt(fd, SOL_HAUL, HAUL_INFO, &info, &len), "HAUL_INFO");
	return info;
}

void host_expect_state(struct peer *p, int fd, int state)
{
	struct frame f = peer_frame(p, false);
	int now = host_info(p, fd).state;

	if (now != state)
		wire_fail(p->w, &f, "the socket is in %s, not in %s", state_name(now),
			  state_name(state));
}

void host_close(int fd)
{
	close(fd);
}

void host_abort(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

void host_option(struct peer *p, int fd, int level, int name, int value)
{
	need(p->w, !setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}
