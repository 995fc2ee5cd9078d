// SPDX-License-Identifier: GPL-2.0
/*
 * What a program sees of a stream by receiving, sending, waiting and asking, each situation played
 * over TCP and over Haul (play.h).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "play_stream.h"

static void on_alarm(int sig)
{
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

struct poller {
	int fd, woken;
	pid_t tid;
};

static void *wait_in_poll(void *arg)
{
	struct poller *poller = arg;
	struct pollfd pfd = { .fd = poller->fd, .events = POLLIN };

	__atomic_store_n(&poller->tid, gettid(), __ATOMIC_RELEASE);
	poller->woken = poll(&pfd, 1, 5000);
	return NULL;
}

/* whether that thread sleeps in poll(): else the file says "running" or another number */
static bool is_in_poll(const struct poller *poller)
{
	char path[64];
	long nr = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall",
		 __atomic_load_n(&poller->tid, __ATOMIC_ACQUIRE));
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%ld", &nr) != 1)
		nr = -1;
	fclose(file);
	return nr == SYS_poll;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* whom what is there was not enough for, and now is */
static void recv__lowat_falls(struct play *p)
{
	struct pair pair = connected(p);
	struct poller poller = { .fd = pair.server };
	int lowat = 5, there = 0;
	pthread_t thread;
	double start;

	setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
	send(pair.client, "abc", 3, 0);
	while (ioctl(pair.server, SIOCINQ, &there) || there < 3)
		usleep(1000);
	pthread_create(&thread, NULL, wait_in_poll, &poller);
	while (!is_in_poll(&poller))
		usleep(1000);
	lowat = 2;
	start = seconds();
	call(p, "set", setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat)));
	pthread_join(thread, NULL);
	/* who is not woken looks once more when its time is over */
	note(p, "woken: %d, %s\n", poller.woken, seconds() - start < 4 ? "at once" : "late");
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

static const struct situation situations[] = {
	SITUATION(recv__flags), SITUATION(recv__waitall), SITUATION(recv__timeout),
	SITUATION(recv__interrupted), SITUATION(recv__lowat),
	SITUATION(recv__lowat_falls),
	SITUATION(recv__bad_pointers), SITUATION(send__until_full),
	SITUATION(send__odd_calls), SITUATION(ioctl__queues), SITUATION(poll__states),
	SITUATION(epoll__edges), SITUATION(options__defaults), SITUATION(options__ranges),
	SITUATION(handle__simultaneous_use),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
