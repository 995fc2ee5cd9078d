// SPDX-License-Identifier: GPL-2.0
/*
 * Many connections at once, random data both ways, every byte compared.
 *
 *	helper_many server PORT CONNECTIONS BYTES	prints "listening" when it is
 *	helper_many client ADDRESS PORT CONNECTIONS BYTES
 *
 * Each connection carries BYTES in each direction, made from the connection's number (sent first)
 * and the direction. HELPER_PROTOCOL=0 in the environment uses TCP. Exit status 0 only if every
 * byte of every connection was right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/haul.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK	16384

struct stream {
	uint64_t state;
	uint64_t word;
	size_t at;		/* bytes made */
};

struct conn {
	int fd;
	uint32_t id;
	int has_id;
	size_t id_done;
	struct stream out, in;
	size_t sent, received;
	char pending[CHUNK];
	size_t pending_at, pending_len;
	int shut, eof;
};

static size_t total;
static int is_server;

static const char *side(void)
{
	return is_server ? "server" : "client";
}

static uint8_t stream_next(struct stream *s)
{
	if (s->at % 8 == 0) {		/* xorshift64* */
		s->state ^= s->state >> 12;
		s->state ^= s->state << 25;
		s->state ^= s->state >> 27;
		s->word = s->state * 0x2545F4914F6CDD1DULL;
	}
	return s->word >> (8 * (s->at++ % 8));
}

static void fail(struct conn *c, const char *what)
{
	fprintf(stderr, "%s: connection %u: %s after %zu sent, %zu received: %s\n",
		side(), c->id, what, c->sent, c->received, strerror(errno));
	exit(1);
}

static void conn_start(struct conn *c)
{
	uint64_t up = 0x9E3779B97F4A7C15ULL * (2 * c->id + 1);
	uint64_t down = 0x9E3779B97F4A7C15ULL * (2 * c->id + 2);

	c->out.state = is_server ? down : up;
	c->in.state = is_server ? up : down;
}

static void conn_fill(struct conn *c)
{
	size_t n = total - c->sent < CHUNK ? total - c->sent : CHUNK, i;

	for (i = 0; i < n; i++)
		c->pending[i] = stream_next(&c->out);
	c->pending_at = 0;
	c->pending_len = n;
}

static void conn_write(struct conn *c)
{
	ssize_t n;

	if (!is_server && c->id_done < sizeof(c->id)) {
		n = send(c->fd, (char *)&c->id + c->id_done, sizeof(c->id) - c->id_done,
			 MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			fail(c, "send");
		c->id_done += n > 0 ? n : 0;
		return;
	}
	if (c->pending_at == c->pending_len) {
		if (c->sent == total) {
			if (!c->shut && shutdown(c->fd, SHUT_WR))
				fail(c, "shutdown");
			c->shut = 1;
			return;
		}
		conn_fill(c);
	}
	n = send(c->fd, c->pending + c->pending_at, c->pending_len - c->pending_at, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		fail(c, "send");
	if (n > 0) {
		c->pending_at += n;
		c->sent += n;
	}
}

static void conn_read(struct conn *c)
{
	static unsigned char buf[CHUNK];
	ssize_t n, i;

	if (is_server && !c->has_id) {
		n = recv(c->fd, (char *)&c->id + c->id_done, sizeof(c->id) - c->id_done, 0);
		if (n <= 0)
			fail(c, "recv");
		c->id_done += n;
		if (c->id_done == sizeof(c->id)) {
			c->has_id = 1;
			conn_start(c);
		}
		return;
	}
	n = recv(c->fd, buf, sizeof(buf), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		fail(c, "recv");
	if (n == 0) {
		if (c->received != total)
			fail(c, "early end");
		c->eof = 1;
	}
	for (i = 0; i < n; i++)
		if (buf[i] != stream_next(&c->in)) {
			errno = 0;
			fail(c, "wrong byte");
		}
	c->received += n;
	if (c->received > total)
		fail(c, "too much");
}

static int conn_wants(const struct conn *c)
{
	int events = 0;

	if (!c->eof)
		events |= POLLIN;
	if (!c->shut && (!is_server || c->has_id))
		events |= POLLOUT;
	return events;
}

static void run(struct conn *conns, int num)
{
	struct pollfd *pfds = calloc(num, sizeof(*pfds));
	int open = num, i;

	while (open) {
		for (i = 0; i < num; i++) {
			pfds[i].fd = conns[i].fd;
			pfds[i].events = conn_wants(&conns[i]);
		}
		if (poll(pfds, num, 100000) <= 0) {
			fprintf(stderr, "%s: nothing moves for 100 s, %d open\n", side(), open);
			exit(1);
		}
		for (i = 0; i < num; i++) {
			struct conn *c = &conns[i];

			if (c->fd < 0)
				continue;
			if (pfds[i].revents & (POLLIN | POLLHUP | POLLERR) && !c->eof)
				conn_read(c);
			if (pfds[i].revents & POLLOUT && conn_wants(c) & POLLOUT)
				conn_write(c);
			if (c->eof && c->shut) {
				close(c->fd);
				c->fd = -1;
				open--;
			}
		}
	}
	free(pfds);
}

static socklen_t address(struct sockaddr_storage *ss, const char *text, int port)
{
	struct sockaddr_in *sin = (void *)ss;
	struct sockaddr_in6 *sin6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		return sizeof(*sin);
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) != 1) {
		fprintf(stderr, "%s: no address\n", text);
		exit(2);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	return sizeof(*sin6);
}

int main(int argc, char **argv)
{
	int protocol = getenv("HELPER_PROTOCOL") ? atoi(getenv("HELPER_PROTOCOL")) : IPPROTO_HAUL;
	struct sockaddr_storage ss;
	struct conn *conns;
	int num, i, port, listener = -1;
	socklen_t len;

	if (argc == 5 && !strcmp(argv[1], "server"))
		is_server = 1;
	else if (argc != 6 || strcmp(argv[1], "client"))
		return fprintf(stderr, "see the head of helper_many.c\n"), 2;
	port = atoi(argv[argc - 3]);
	num = atoi(argv[argc - 2]);
	total = atol(argv[argc - 1]);
	conns = calloc(num, sizeof(*conns));
	len = address(&ss, is_server ? "::" : argv[2], port);
	if (is_server) {
		listener = socket(AF_INET6, SOCK_STREAM, protocol);
		/* a run before this one has left connections in TIME-WAIT */
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
		if (bind(listener, (void *)&ss, len) || listen(listener, num))
			return perror("listen"), 1;
		puts("listening");
		fflush(stdout);
	}
	for (i = 0; i < num; i++) {
		struct conn *c = &conns[i];

		if (is_server) {
			c->fd = accept(listener, NULL, NULL);
		} else {
			c->id = i;
			conn_start(c);
			c->fd = socket(ss.ss_family, SOCK_STREAM, protocol);
			fcntl(c->fd, F_SETFL, O_NONBLOCK);
			if (connect(c->fd, (void *)&ss, len) && errno != EINPROGRESS)
				fail(c, "connect");
		}
		if (c->fd < 0)
			fail(c, "accept");
		fcntl(c->fd, F_SETFL, O_NONBLOCK);
	}
	run(conns, num);
	printf("%d connections, %zu bytes each way: all right\n", num, total);
	return 0;
}
