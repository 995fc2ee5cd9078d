// SPDX-License-Identifier: GPL-2.0
/*
 * Situations that a program can get a socket into, by opening and closing, each played over TCP and
 * over Haul: what every call returned, its errno, what poll said, what was read. The two records
 * must be equal, word for word. (Receiving, sending, waiting and asking: same_as_tcp_data.c.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/haul.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "play_stream.h"

static volatile sig_atomic_t sigpipes;

static void on_sigpipe(int sig)
{
	sigpipes++;
}

/* ------------------------------------------------------------ situations */

static void connect__nobody_listens(struct play *p)
{
	int fd = make(p), port = closed_port(p);

	call(p, "connect", connect_to(p, fd, port));
	note_poll(p, "poll", fd, 0);
	call(p, "connect again", connect_to(p, fd, port));
	call(p, "port 0", connect_to(p, fd, 0));
	close(fd);
}

static void connect__nonblocking(struct play *p)
{
	int listener = listen_on(p, 4), fd = make(p), err = -1;
	socklen_t len = sizeof(err);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	note(p, "connect: %d\n", connect_to(p, fd, port_of(listener)) == 0 || errno == EINPROGRESS);
	note_poll(p, "poll", fd, POLLOUT);
	call(p, "SO_ERROR", getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len));
	note(p, "error %d\n", err);
	call(p, "connect again", connect_to(p, fd, port_of(listener)));
	call(p, "and again", connect_to(p, fd, port_of(listener)));
	close(fd);
	close(listener);
}

static void connect__nonblocking_refused(struct play *p)
{
	int fd = make(p), port = closed_port(p), err = -1;
	socklen_t len = sizeof(err);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	note(p, "connect: %d\n", connect_to(p, fd, port) < 0);
	note_poll(p, "poll", fd, POLLHUP);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	note(p, "error: %d\n", err != 0);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	note(p, "error cleared: %d\n", err);
	close(fd);
}

static void connect__twice(struct play *p)
{
	struct pair pair = connected(p);

	call(p, "connect", connect_to(p, pair.client, port_of(pair.listener)));
	call(p, "server connect", connect_to(p, pair.server, port_of(pair.listener)));
	call(p, "listener connect", connect_to(p, pair.listener, port_of(pair.client)));
	done(&pair);
}

static void connect__bad_addresses(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 9);
	int fd = make(p);

	call(p, "short", connect(fd, (void *)&ss, 7));
	call(p, "one byte", connect(fd, (void *)&ss, 1));
	ss.ss_family = AF_UNIX;
	call(p, "family", connect(fd, (void *)&ss, len));
	ss.ss_family = AF_UNSPEC;
	call(p, "unspec", connect(fd, (void *)&ss, len));
	close(fd);
}

static void connect__unroutable(struct play *p)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	int fd = make(p);

	sin.sin_addr.s_addr = htonl(0xc6336401);		/* 198.51.100.1 */
	sin6.sin6_addr.s6_addr[0] = 0x20;
	sin6.sin6_addr.s6_addr[1] = 0x01;
	if (p->family == AF_INET)
		call(p, "no route", connect(fd, (void *)&sin, sizeof(sin)));
	else
		call(p, "no route", connect(fd, (void *)&sin6, sizeof(sin6)));
	sin.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	if (p->family == AF_INET)
		call(p, "broadcast", connect(fd, (void *)&sin, sizeof(sin)));
	close(fd);
}

static void connect__unspec_dissolves(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	char c;

	call(p, "dissolve", connect(pair.client, &sa, sizeof(sa)));
	wait_readable(pair.server);
	call(p, "server reads", recv(pair.server, &c, 1, 0));
	call(p, "send", send(pair.client, "x", 1, MSG_NOSIGNAL));
	call(p, "connect again", connect_to(p, pair.client, port_of(pair.listener)));
	done(&pair);
}

/* how the dissolved connection ended is none of the next one's */
static void connect__unspec_then_anew(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	socklen_t len = sizeof(int);
	int err = -1;

	call(p, "dissolve", connect(pair.client, &sa, sizeof(sa)));
	fcntl(pair.client, F_SETFL, O_NONBLOCK);
	note(p, "connect: %d\n", connect_to(p, pair.client, port_of(pair.listener)) == 0 ||
	     errno == EINPROGRESS);
	note_poll(p, "poll", pair.client, POLLOUT);
	call(p, "SO_ERROR", getsockopt(pair.client, SOL_SOCKET, SO_ERROR, &err, &len));
	note(p, "error %d\n", err);
	done(&pair);
}

/* nor is that either side had ended it */
static void connect__anew_after_our_end(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	int again;
	char c;

	call(p, "shutdown", shutdown(pair.client, SHUT_WR));
	wait_readable(pair.server);
	call(p, "server reads", recv(pair.server, &c, 1, 0));
	call(p, "dissolve", connect(pair.client, &sa, sizeof(sa)));
	call(p, "connect again", connect_to(p, pair.client, port_of(pair.listener)));
	again = accept(pair.listener, NULL, NULL);
	call(p, "send", send(pair.client, "x", 1, MSG_NOSIGNAL));
	call(p, "shutdown again", shutdown(pair.client, SHUT_WR));
	note_poll(p, "poll", again, POLLRDHUP);
	call(p, "server reads", recv(again, &c, 1, MSG_DONTWAIT));
	call(p, "and again", recv(again, &c, 1, MSG_DONTWAIT));
	close(again);
	done(&pair);
}

static void connect__anew_after_their_end(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	char c;

	close(pair.server);
	wait_readable(pair.client);
	call(p, "client reads", recv(pair.client, &c, 1, 0));
	call(p, "dissolve", connect(pair.client, &sa, sizeof(sa)));
	call(p, "connect again", connect_to(p, pair.client, port_of(pair.listener)));
	pair.server = accept(pair.listener, NULL, NULL);
	call(p, "nothing yet", recv(pair.client, &c, 1, MSG_DONTWAIT));
	call(p, "send", send(pair.server, "x", 1, MSG_NOSIGNAL));
	wait_readable(pair.client);
	call(p, "client reads", recv(pair.client, &c, 1, MSG_DONTWAIT));
	done(&pair);
}

static void bind__errors(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 0);
	int fd = make(p), other = make(p), third = make(p), port;

	call(p, "short", bind(fd, (void *)&ss, 7));
	call(p, "bind", bind(fd, (void *)&ss, len));
	call(p, "twice", bind(fd, (void *)&ss, len));
	port = port_of(fd);
	len = address(p, &ss, port);
	call(p, "in use", bind(other, (void *)&ss, len));
	ss.ss_family = AF_UNIX;
	call(p, "family", bind(third, (void *)&ss, len));
	len = address(p, &ss, 0);
	if (p->family == AF_INET)
		((struct sockaddr_in *)&ss)->sin_addr.s_addr = htonl(0xc6336401);
	else
		((struct sockaddr_in6 *)&ss)->sin6_addr.s6_addr[0] = 0x20;
	call(p, "not ours", bind(third, (void *)&ss, len));
	close(fd);
	close(other);
	close(third);
}

static void bind__privileged(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 80);
	int status, pid = fork();

	if (!pid) {
		int fd = make(p);

		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(bind(fd, (void *)&ss, len) ? errno : 0);
	}
	waitpid(pid, &status, 0);
	note(p, "status %d\n", WEXITSTATUS(status));
}

static void bind__reuseaddr(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int a = make(p), b = make(p), one = 1;

	setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	len = address(p, &ss, 0);
	call(p, "bind a", bind(a, (void *)&ss, len));
	len = address(p, &ss, port_of(a));
	call(p, "bind b", bind(b, (void *)&ss, len));
	call(p, "listen a", listen(a, 1));
	call(p, "listen b", listen(b, 1));
	close(a);
	close(b);
}

static void bind__reuseport(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int a = make(p), b = make(p), c = make(p), one = 1;

	call(p, "reuseport", setsockopt(a, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	setsockopt(b, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	len = address(p, &ss, 0);
	call(p, "bind a", bind(a, (void *)&ss, len));
	call(p, "listen a", listen(a, 1));
	len = address(p, &ss, port_of(a));
	call(p, "bind b", bind(b, (void *)&ss, len));
	call(p, "listen b", listen(b, 1));
	call(p, "bind c", bind(c, (void *)&ss, len));
	close(a);
	close(b);
	close(c);
}

static void bind__time_wait(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr_storage ss;
	int port = port_of(pair.server), fd = make(p), one = 1;
	socklen_t len = address(p, &ss, port);
	char c;

	/* the server closes first: its port is held by TIME-WAIT */
	close(pair.server);
	wait_readable(pair.client);
	call(p, "eof", recv(pair.client, &c, 1, 0));
	close(pair.client);
	close(pair.listener);
	usleep(50000);
	call(p, "bind", bind(fd, (void *)&ss, len));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	call(p, "bind with reuse", bind(fd, (void *)&ss, len));
	call(p, "listen", listen(fd, 1));
	close(fd);
}

static void listen__unbound(struct play *p)
{
	int fd = make(p);

	call(p, "listen", listen(fd, 1));
	note(p, "has a port: %d\n", port_of(fd) > 0);
	call(p, "listen again", listen(fd, 2));
	note_poll(p, "poll", fd, 0);
	close(fd);
}

static void listen__when_connected(struct play *p)
{
	struct pair pair = connected(p);

	call(p, "listen", listen(pair.client, 1));
	done(&pair);
}

static void accept__errors(struct play *p)
{
	int fd = make(p), listener = listen_on(p, 1);

	call(p, "not listening", accept(fd, NULL, NULL));
	fcntl(listener, F_SETFL, O_NONBLOCK);
	call(p, "nothing there", accept(listener, NULL, NULL));
	call(p, "bad flags", accept4(listener, NULL, NULL, 0x4));
	close(fd);
	close(listener);
}

static void accept__addresses(struct play *p)
{
	struct pair pair;
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);
	int fd;

	pair = connected(p);
	call(p, "getpeername", getpeername(pair.server, (void *)&sin6, &len));
	note(p, "len %u family %d same port %d\n", len, sin6.sin6_family,
	     ntohs(sin6.sin6_port) == port_of(pair.client));
	fd = make(p);
	call(p, "unconnected", getpeername(fd, (void *)&sin6, &len));
	call(p, "getsockname", getsockname(fd, (void *)&sin6, &len));
	note(p, "port %d\n", sin6.sin6_port);
	close(fd);
	done(&pair);
}

static void accept__flags(struct play *p)
{
	int listener = listen_on(p, 4), client = make(p), server;

	connect_to(p, client, port_of(listener));
	server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	note(p, "nonblock %d cloexec %d\n", !!(fcntl(server, F_GETFL) & O_NONBLOCK),
	     !!(fcntl(server, F_GETFD) & FD_CLOEXEC));
	close(server);
	close(client);
	close(listener);
}

static void unconnected__calls(struct play *p)
{
	int fd = make(p);
	char c;

	note_poll(p, "poll", fd, 0);
	call(p, "send", send(fd, "x", 1, MSG_NOSIGNAL));
	call(p, "recv", recv(fd, &c, 1, 0));
	call(p, "shutdown", shutdown(fd, SHUT_RDWR));
	call(p, "shutdown how", shutdown(fd, 7));
	close(fd);
}

static void close__then_eof(struct play *p)
{
	struct pair pair = connected(p);
	char buf[8];

	call(p, "send", send(pair.server, "last", 4, 0));
	close(pair.server);
	pair.server = -1;
	wait_readable(pair.client);
	call(p, "what was sent before", recv(pair.client, buf, sizeof(buf), MSG_WAITALL));
	call(p, "eof", recv(pair.client, buf, sizeof(buf), 0));
	call(p, "eof again", recv(pair.client, buf, sizeof(buf), 0));
	note_poll(p, "poll", pair.client, POLLIN | POLLRDHUP);
	done(&pair);
}

static void close__send_afterwards(struct play *p)
{
	struct pair pair = connected(p);

	signal(SIGPIPE, on_sigpipe);
	sigpipes = 0;
	close(pair.server);
	pair.server = -1;
	wait_readable(pair.client);
	call(p, "first", send(pair.client, "x", 1, 0));
	note_poll(p, "poll", pair.client, POLLHUP | POLLERR);
	call(p, "second", send(pair.client, "x", 1, 0));
	call(p, "third", send(pair.client, "x", 1, 0));
	note(p, "signals %d\n", sigpipes);
	call(p, "quietly", send(pair.client, "x", 1, MSG_NOSIGNAL));
	note(p, "signals %d\n", sigpipes);
	done(&pair);
}

static void close__unread_data_resets(struct play *p)
{
	struct pair pair = connected(p);
	char c;

	call(p, "send", send(pair.client, "xyz", 3, 0));
	wait_readable(pair.server);
	close(pair.server);
	pair.server = -1;
	note_poll(p, "poll", pair.client, POLLHUP);
	call(p, "recv", recv(pair.client, &c, 1, 0));
	call(p, "recv again", recv(pair.client, &c, 1, 0));
	done(&pair);
}

static void close__linger_zero_resets(struct play *p)
{
	struct pair pair = connected(p);
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	char c;

	setsockopt(pair.server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(pair.server);
	pair.server = -1;
	note_poll(p, "poll", pair.client, POLLHUP);
	call(p, "send", send(pair.client, "x", 1, MSG_NOSIGNAL));
	call(p, "recv", recv(pair.client, &c, 1, 0));
	done(&pair);
}

static void close__linger_waits(struct play *p)
{
	struct pair pair = connected(p);
	struct linger linger = { .l_onoff = 1, .l_linger = 5 };
	char c;

	setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	send(pair.client, "x", 1, 0);
	call(p, "close", close(pair.client));
	pair.client = -1;
	call(p, "recv", recv(pair.server, &c, 1, 0));
	call(p, "eof", recv(pair.server, &c, 1, 0));
	done(&pair);
}

static void close__listener_with_queued(struct play *p)
{
	int listener = listen_on(p, 4), fd = make(p);
	char c;

	call(p, "connect", connect_to(p, fd, port_of(listener)));
	close(listener);
	note_poll(p, "poll", fd, POLLHUP);
	call(p, "recv", recv(fd, &c, 1, 0));
	close(fd);
}

static void shutdown__half_close(struct play *p)
{
	struct pair pair = connected(p);
	char buf[8];

	call(p, "shutdown", shutdown(pair.client, SHUT_WR));
	note_poll(p, "poll client", pair.client, POLLOUT);
	note_poll(p, "poll server", pair.server, POLLRDHUP);
	call(p, "client sends", send(pair.client, "x", 1, MSG_NOSIGNAL));
	call(p, "server reads", recv(pair.server, buf, 1, 0));
	call(p, "server sends", send(pair.server, "answer", 6, 0));
	wait_readable(pair.client);
	call(p, "client reads", recv(pair.client, buf, sizeof(buf), 0));
	call(p, "server closes", shutdown(pair.server, SHUT_WR));
	note_poll(p, "poll client", pair.client, POLLHUP);
	call(p, "client reads", recv(pair.client, buf, sizeof(buf), 0));
	call(p, "shutdown again", shutdown(pair.client, SHUT_WR));
	done(&pair);
}

static void shutdown__read_side(struct play *p)
{
	struct pair pair = connected(p);
	char buf[8];

	call(p, "shutdown", shutdown(pair.client, SHUT_RD));
	note_poll(p, "poll", pair.client, POLLIN);
	call(p, "recv", recv(pair.client, buf, sizeof(buf), 0));
	call(p, "server sends", send(pair.server, "late", 4, MSG_NOSIGNAL));
	usleep(50000);
	call(p, "recv late data", recv(pair.client, buf, sizeof(buf), MSG_DONTWAIT));
	call(p, "client sends", send(pair.client, "x", 1, MSG_NOSIGNAL));
	done(&pair);
}

static void shutdown__listener(struct play *p)
{
	int listener = listen_on(p, 4), fd = make(p), port = port_of(listener);

	call(p, "shutdown", shutdown(listener, SHUT_RD));
	call(p, "accept", accept(listener, NULL, NULL));
	call(p, "connect", connect_to(p, fd, port));
	call(p, "listen again", listen(listener, 4));
	close(fd);
	close(listener);
}

static void self__connect(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 0);
	int fd = make(p);
	char c = 0;

	call(p, "bind", bind(fd, (void *)&ss, len));
	call(p, "connect to itself", connect_to(p, fd, port_of(fd)));
	call(p, "send", send(fd, "s", 1, MSG_NOSIGNAL));
	call(p, "recv", recv(fd, &c, 1, MSG_DONTWAIT));
	close(fd);
}

static const struct situation situations[] = {
	SITUATION(connect__nobody_listens), SITUATION(connect__nonblocking),
	SITUATION(connect__nonblocking_refused), SITUATION(connect__twice),
	SITUATION(connect__bad_addresses), SITUATION(connect__unroutable),
	SITUATION(connect__unspec_dissolves), SITUATION(connect__unspec_then_anew),
	SITUATION(connect__anew_after_our_end), SITUATION(connect__anew_after_their_end),
	SITUATION(bind__errors), SITUATION(bind__privileged), SITUATION(bind__reuseaddr),
	SITUATION(bind__reuseport), SITUATION(bind__time_wait), SITUATION(listen__unbound),
	SITUATION(listen__when_connected), SITUATION(accept__errors),
	SITUATION(accept__addresses), SITUATION(accept__flags),
	SITUATION(unconnected__calls), SITUATION(close__then_eof),
	SITUATION(close__send_afterwards), SITUATION(close__unread_data_resets),
	SITUATION(close__linger_zero_resets), SITUATION(close__linger_waits),
	SITUATION(close__listener_with_queued), SITUATION(shutdown__half_close),
	SITUATION(shutdown__read_side), SITUATION(shutdown__listener),
	SITUATION(self__connect),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
