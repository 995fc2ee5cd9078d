// SPDX-License-Identifier: GPL-2.0
/*
 * Situations that a program can get a socket into, each played over TCP and over Haul: what every
 * call returned, its errno, what poll said, what was read. The two records must be equal, word for
 * word.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/haul.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
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

static void on_alarm(int sig)
{
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

static void recv__flags(struct play *p)
{
	struct pair pair = connected(p);
	char buf[16] = "";

	call(p, "empty", recv(pair.server, buf, 4, MSG_DONTWAIT));
	call(p, "send", send(pair.client, "abcdefgh", 8, 0));
	wait_readable(pair.server);
	call(p, "peek", recv(pair.server, buf, 4, MSG_PEEK));
	note(p, "%.4s\n", buf);
	call(p, "read", recv(pair.server, buf, 2, 0));
	note(p, "%.2s\n", buf);
	call(p, "trunc discards", recv(pair.server, NULL, 2, MSG_TRUNC));
	call(p, "nothing asked", recv(pair.server, buf, 0, 0));
	call(p, "oob", recv(pair.server, buf, 1, MSG_OOB));
	call(p, "rest", recv(pair.server, buf, sizeof(buf), 0));
	note(p, "%.4s\n", buf);
	done(&pair);
}

static void *send_in_pieces(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < 4; i++) {
		send(fd, "0123456789", 10, 0);
		usleep(20000);
	}
	return NULL;
}

static void recv__waitall(struct play *p)
{
	struct pair pair = connected(p);
	pthread_t thread;
	char buf[40];

	pthread_create(&thread, NULL, send_in_pieces, &pair.client);
	call(p, "waitall", recv(pair.server, buf, sizeof(buf), MSG_WAITALL));
	pthread_join(thread, NULL);
	shutdown(pair.client, SHUT_WR);
	call(p, "waitall at eof", recv(pair.server, buf, sizeof(buf), MSG_WAITALL));
	done(&pair);
}

static void recv__timeout(struct play *p)
{
	struct pair pair = connected(p);
	struct timeval tv = { .tv_usec = 50000 };
	char c;

	call(p, "set", setsockopt(pair.client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	call(p, "recv", recv(pair.client, &c, 1, 0));
	setsockopt(pair.listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	call(p, "accept", accept(pair.listener, NULL, NULL));
	done(&pair);
}

static void recv__interrupted(struct play *p)
{
	struct pair pair = connected(p);
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value.tv_usec = 50000 };
	char c;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	call(p, "recv", recv(pair.client, &c, 1, 0));
	setitimer(ITIMER_REAL, &timer, NULL);
	call(p, "accept", accept(pair.listener, NULL, NULL));
	done(&pair);
}

static void recv__lowat(struct play *p)
{
	struct pair pair = connected(p);
	int lowat = 5;

	call(p, "set", setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat)));
	send(pair.client, "abc", 3, 0);
	usleep(50000);
	note(p, "3 bytes: %#x\n", revents(pair.server, POLLIN, 0));
	send(pair.client, "def", 3, 0);
	note_poll(p, "6 bytes", pair.server, POLLIN);
	done(&pair);
}

static void recv__bad_pointers(struct play *p)
{
	struct pair pair = connected(p);
	char c;

	call(p, "send", send(pair.client, (void *)8, 4, MSG_NOSIGNAL));
	call(p, "send good", send(pair.client, "abcd", 4, MSG_NOSIGNAL));
	wait_readable(pair.server);
	call(p, "recv", recv(pair.server, (void *)8, 4, 0));
	call(p, "recv good", recv(pair.server, &c, 1, 0));
	done(&pair);
}

static void send__until_full(struct play *p)
{
	struct pair pair = connected(p);
	struct timeval tv = { .tv_usec = 50000 };
	static char buf[65536];
	long n, total = 0;

	fcntl(pair.client, F_SETFL, O_NONBLOCK);
	while ((n = send(pair.client, buf, sizeof(buf), 0)) > 0)
		total += n;
	call(p, "full", n);
	note(p, "more than 64 KiB: %d\n", total > 65536);
	note(p, "poll: %#x\n", revents(pair.client, POLLOUT, 0));
	fcntl(pair.client, F_SETFL, 0);
	setsockopt(pair.client, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	while ((n = send(pair.client, buf, sizeof(buf), 0)) > 0)
		total += n;
	call(p, "timeout", n);
	while (total > 0 && (n = recv(pair.server, buf, sizeof(buf), 0)) > 0)
		total -= n;
	note(p, "left %ld\n", total);
	note_poll(p, "poll", pair.client, POLLOUT);
	done(&pair);
}

static void send__odd_calls(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, 9);

	call(p, "nothing", send(pair.client, "", 0, 0));
	call(p, "to an address", sendto(pair.client, "x", 1, MSG_NOSIGNAL, (void *)&ss, len));
	shutdown(pair.client, SHUT_WR);
	call(p, "after shutdown", send(pair.client, "x", 1, MSG_NOSIGNAL));
	call(p, "nothing after shutdown", send(pair.client, "", 0, MSG_NOSIGNAL));
	done(&pair);
}

static void ioctl__queues(struct play *p)
{
	struct pair pair = connected(p);
	int value = -1;
	char c;

	call(p, "SIOCINQ", ioctl(pair.server, SIOCINQ, &value));
	note(p, "%d\n", value);
	send(pair.client, "abcde", 5, 0);
	wait_readable(pair.server);
	ioctl(pair.server, SIOCINQ, &value);
	note(p, "%d\n", value);
	recv(pair.server, &c, 1, 0);
	ioctl(pair.server, SIOCINQ, &value);
	note(p, "%d\n", value);
	shutdown(pair.client, SHUT_WR);
	note_poll(p, "poll", pair.server, POLLRDHUP);
	ioctl(pair.server, SIOCINQ, &value);
	note(p, "with FIN %d\n", value);
	call(p, "SIOCINQ on listener", ioctl(pair.listener, SIOCINQ, &value));
	call(p, "SIOCOUTQ on listener", ioctl(pair.listener, SIOCOUTQ, &value));
	call(p, "SIOCOUTQ", ioctl(pair.client, SIOCOUTQ, &value));
	call(p, "unknown", ioctl(pair.client, 0x1234, &value));
	done(&pair);
}

static void poll__states(struct play *p)
{
	struct pair pair = connected(p);
	int fd = make(p);
	char c;

	note_poll(p, "listener", pair.listener, 0);
	connect_to(p, fd, port_of(pair.listener));
	note_poll(p, "listener with one", pair.listener, POLLIN);
	note_poll(p, "idle", pair.client, POLLOUT);
	send(pair.client, "x", 1, 0);
	note_poll(p, "data", pair.server, POLLIN);
	recv(pair.server, &c, 1, 0);
	note_poll(p, "read", pair.server, POLLOUT);
	shutdown(pair.server, SHUT_RDWR);
	note_poll(p, "shut", pair.server, POLLIN);
	note_poll(p, "peer", pair.client, POLLRDHUP);
	close(fd);
	done(&pair);
}

static void epoll__edges(struct play *p)
{
	struct pair pair = connected(p);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, out;
	int ep = epoll_create1(0);
	char buf[4];

	epoll_ctl(ep, EPOLL_CTL_ADD, pair.server, &ev);
	call(p, "nothing", epoll_wait(ep, &out, 1, 20));
	send(pair.client, "abcd", 4, 0);
	call(p, "edge", epoll_wait(ep, &out, 1, 2000));
	call(p, "no second edge", epoll_wait(ep, &out, 1, 20));
	recv(pair.server, buf, 2, 0);
	call(p, "none by reading", epoll_wait(ep, &out, 1, 20));
	send(pair.client, "e", 1, 0);
	call(p, "edge again", epoll_wait(ep, &out, 1, 2000));
	shutdown(pair.client, SHUT_WR);
	call(p, "edge by FIN", epoll_wait(ep, &out, 1, 2000));
	close(ep);
	done(&pair);
}

static void option(struct play *p, int fd, const char *name, int level, int opt)
{
	int value = -1;
	socklen_t len = sizeof(value);

	call(p, name, getsockopt(fd, level, opt, &value, &len));
	note(p, "= %d (%u)\n", value, len);
}

static void options__defaults(struct play *p)
{
	int fd = make(p), one = 1;

	option(p, fd, "SO_TYPE", SOL_SOCKET, SO_TYPE);
	option(p, fd, "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN);
	option(p, fd, "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN);
	option(p, fd, "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE);
	option(p, fd, "SO_ERROR", SOL_SOCKET, SO_ERROR);
	option(p, fd, "NODELAY", IPPROTO_TCP, TCP_NODELAY);
	option(p, fd, "CORK", IPPROTO_TCP, TCP_CORK);
	option(p, fd, "KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE);
	option(p, fd, "KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL);
	option(p, fd, "KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT);
	option(p, fd, "SYNCNT", IPPROTO_TCP, TCP_SYNCNT);
	option(p, fd, "LINGER2", IPPROTO_TCP, TCP_LINGER2);
	option(p, fd, "USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT);
	call(p, "unknown", getsockopt(fd, IPPROTO_TCP, 250, &one, &(socklen_t){ sizeof(one) }));
	call(p, "unknown level", getsockopt(fd, 99, 1, &one, &(socklen_t){ sizeof(one) }));
	close(fd);
}

static void options__ranges(struct play *p)
{
	static const struct { int opt, value; } tries[] = {
		{ TCP_NODELAY, 5 }, { TCP_CORK, 1 }, { TCP_MAXSEG, 1 }, { TCP_MAXSEG, 1000 },
		{ TCP_MAXSEG, 100000 }, { TCP_KEEPIDLE, 0 }, { TCP_KEEPIDLE, 10 },
		{ TCP_KEEPIDLE, 40000 }, { TCP_KEEPINTVL, 0 }, { TCP_KEEPINTVL, 10 },
		{ TCP_KEEPCNT, 0 }, { TCP_KEEPCNT, 128 }, { TCP_KEEPCNT, 5 }, { TCP_SYNCNT, 0 },
		{ TCP_SYNCNT, 128 }, { TCP_SYNCNT, 3 }, { TCP_LINGER2, -1 }, { TCP_LINGER2, 7 },
		{ TCP_USER_TIMEOUT, -1 }, { TCP_USER_TIMEOUT, 500 }, { TCP_QUICKACK, 1 },
		{ TCP_NOTSENT_LOWAT, 4096 }, { TCP_WINDOW_CLAMP, 0 },
	};
	int fd = make(p);
	unsigned int i;

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		note(p, "%d <- %d ", tries[i].opt, tries[i].value);
		call(p, "set", setsockopt(fd, IPPROTO_TCP, tries[i].opt, &tries[i].value,
					  sizeof(int)));
	}
	call(p, "short", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &i, 1));
	option(p, fd, "NODELAY", IPPROTO_TCP, TCP_NODELAY);
	option(p, fd, "KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE);
	option(p, fd, "SYNCNT", IPPROTO_TCP, TCP_SYNCNT);
	close(fd);
}

static void handle__simultaneous_use(struct play *p)
{
	struct pair pair = connected(p);
	int dup_fd = dup(pair.client);
	char c;

	close(pair.client);
	pair.client = dup_fd;
	call(p, "send by the copy", send(dup_fd, "x", 1, 0));
	call(p, "recv", recv(pair.server, &c, 1, 0));
	done(&pair);
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
	SITUATION(bind__errors), SITUATION(bind__privileged),
	SITUATION(bind__reuseaddr), SITUATION(bind__reuseport), SITUATION(bind__time_wait),
	SITUATION(listen__unbound), SITUATION(listen__when_connected), SITUATION(accept__errors),
	SITUATION(accept__addresses), SITUATION(accept__flags), SITUATION(unconnected__calls),
	SITUATION(close__then_eof), SITUATION(close__send_afterwards),
	SITUATION(close__unread_data_resets), SITUATION(close__linger_zero_resets),
	SITUATION(close__linger_waits), SITUATION(close__listener_with_queued),
	SITUATION(shutdown__half_close), SITUATION(shutdown__read_side),
	SITUATION(shutdown__listener), SITUATION(recv__flags), SITUATION(recv__waitall),
	SITUATION(recv__timeout),
	SITUATION(recv__interrupted), SITUATION(recv__lowat), SITUATION(recv__bad_pointers),
	SITUATION(send__until_full), SITUATION(send__odd_calls), SITUATION(ioctl__queues),
	SITUATION(poll__states), SITUATION(epoll__edges), SITUATION(options__defaults),
	SITUATION(options__ranges), SITUATION(handle__simultaneous_use), SITUATION(self__connect),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
