// SPDX-License-Identifier: GPL-2.0
/*
 * epoll: a server for many connections in one process. What a client sends it gets back.
 *
 *	epoll [PORT]
 *
 * Each connection has one buffer. While it is empty the server waits for input; while it is not,
 * for room to send. So a client that sends and does not read is held up by its window, and costs
 * one buffer.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/haul.h>

struct connection {
	int fd;
	size_t begin, end; /* what is in buf and not yet sent */
	char buf[16384];
};

static int epoll;

static int watch(struct connection *c, int op, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	return epoll_ctl(epoll, op, c->fd, &event);
}

static void connection_end(struct connection *c)
{
	close(c->fd); /* which takes it out of epoll */
	free(c);
}

static void connection_new(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c;

	if (fd < 0)
		return; /* another connection's end, or no more files: epoll says again */
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	if (watch(c, EPOLL_CTL_ADD, EPOLLIN))
		connection_end(c);
}

/* 0: nothing more can be done now; -1: it has ended */
static int connection_read(struct connection *c)
{
	ssize_t n = recv(c->fd, c->buf, sizeof(c->buf), 0);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	c->begin = 0;
	c->end = n;
	return 0;
}

static int connection_write(struct connection *c)
{
	ssize_t n = send(c->fd, c->buf + c->begin, c->end - c->begin, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	c->begin += n;
	return 0;
}

static void connection_serve(struct connection *c)
{
	if ((c->begin == c->end && connection_read(c)) ||
	    (c->begin < c->end && connection_write(c)) ||
	    watch(c, EPOLL_CTL_MOD, c->begin < c->end ? EPOLLOUT : EPOLLIN))
		connection_end(c);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons(argc > 1 ? atoi(argv[1]) : 7000) };
	struct connection listener = {};
	struct epoll_event events[64];
	int one = 1, n, i;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	listener.fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_HAUL);
	if (listener.fd < 0)
		err(1, "socket (is the module loaded?)");
	setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener.fd, (struct sockaddr *)&any, sizeof(any)) || listen(listener.fd, 1024) ||
	    watch(&listener, EPOLL_CTL_ADD, EPOLLIN))
		err(1, "port %u", ntohs(any.sin6_port));
	while ((n = epoll_wait(epoll, events, 64, -1)) >= 0 || errno == EINTR) {
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr == &listener)
				connection_new(listener.fd);
			else
				connection_serve(events[i].data.ptr);
		}
	}
	err(1, "epoll_wait");
}
