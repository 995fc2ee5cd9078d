/* SPDX-License-Identifier: GPL-2.0 */
/* What situations of play.h with stream sockets are made of: over TCP, or over Haul. */
#ifndef HAUL_PLAY_STREAM_H
#define HAUL_PLAY_STREAM_H

#include "play.h"

struct pair {
	int listener;
	int client;
	int server;
};

static inline int make(struct play *p)
{
	int fd = socket(p->family, SOCK_STREAM, p->protocol);

	if (fd < 0)
		call(p, "socket", fd);
	return fd;
}

static inline socklen_t address(struct play *p, struct sockaddr_storage *ss, int port)
{
	memset(ss, 0, sizeof(*ss));
	if (p->family == AF_INET) {
		struct sockaddr_in *sin = (void *)ss;

		sin->sin_family = AF_INET;
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		sin->sin_port = htons(port);
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (void *)ss;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = in6addr_loopback;
	sin6->sin6_port = htons(port);
	return sizeof(*sin6);
}

static inline int listen_on(struct play *p, int backlog)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 0);
	int fd = make(p);

	if (bind(fd, (void *)&ss, len) || listen(fd, backlog))
		call(p, "listener", -1);
	return fd;
}

static inline int connect_to(struct play *p, int fd, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, port);

	return connect(fd, (void *)&ss, len);
}

static inline struct pair connected(struct play *p)
{
	struct pair pair;

	pair.listener = listen_on(p, 8);
	pair.client = make(p);
	if (connect_to(p, pair.client, port_of(pair.listener)))
		call(p, "pair", -1);
	pair.server = accept(pair.listener, NULL, NULL);
	if (pair.server < 0)
		call(p, "pair accept", -1);
	return pair;
}

static inline void done(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

static inline int revents(int fd, int events, int timeout)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	poll(&pfd, 1, timeout);
	return pfd.revents;
}

/* waits until @bits show, then notes everything that poll says */
static inline void note_poll(struct play *p, const char *what, int fd, int bits)
{
	const int all = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;
	int i, got = 0;

	for (i = 0; i < 500; i++) {
		got = revents(fd, all, 0);
		if ((got & bits) == bits)
			break;
		usleep(10000);
	}
	note(p, "%s: %#x\n", what, got);
}

static inline void wait_readable(int fd)
{
	revents(fd, POLLIN, 5000);
}

static inline int closed_port(struct play *p)
{
	int fd = listen_on(p, 1), port = port_of(fd);

	close(fd);
	return port;
}

static const char *const play_stream_setup[] = { "ip link set lo up", NULL };

#endif /* HAUL_PLAY_STREAM_H */
