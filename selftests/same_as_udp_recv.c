// SPDX-License-Identifier: GPL-2.0
/*
 * What a program sees of a datagram socket by receiving, waiting and asking, each situation played
 * over UDP and over Haul (play.h).
 */
#define _GNU_SOURCE
#include <linux/sockios.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "play_dgram.h"

static void on_alarm(int sig)
{
}

/* ---------------------------------------------------------------- recv */

static void recv__truncated(struct play *p)
{
	struct pair pair = connected(p);

	send(pair.b, "abcdefgh", 8, 0);
	note_recv(p, "cut", pair.a, 3, 0);
	note_recv(p, "rest is gone", pair.a, 10, NONE);
	send(pair.b, "abcdefgh", 8, 0);
	note_recv(p, "MSG_TRUNC", pair.a, 3, MSG_TRUNC);
	send(pair.b, "abcdefgh", 8, 0);
	note_recv(p, "no room", pair.a, 0, 0);
	done(&pair);
}

static void recv__peek(struct play *p)
{
	struct pair pair = connected(p);

	send(pair.b, "abc", 3, 0);
	send(pair.b, "defg", 4, 0);
	note_recv(p, "peek", pair.a, 10, MSG_PEEK);
	note_recv(p, "peek", pair.a, 2, MSG_PEEK);
	note_recv(p, "peek at the size", pair.a, 0, MSG_PEEK | MSG_TRUNC);
	note_recv(p, "first", pair.a, 10, 0);
	note_recv(p, "second", pair.a, 10, 0);
	note_recv(p, "none", pair.a, 10, MSG_PEEK | NONE);
	done(&pair);
}

static void recv__peek_off(struct play *p)
{
	struct pair pair = connected(p);
	int i;

	option(p, pair.a, "SO_PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF);
	set(p, pair.a, SOL_SOCKET, SO_PEEK_OFF, 0);
	send(pair.b, "abcdef", 6, 0);
	send(pair.b, "", 0, 0);
	send(pair.b, "ghi", 3, 0);
	for (i = 0; i < 5; i++) {
		note_recv(p, "peek", pair.a, 4, MSG_PEEK);
		option(p, pair.a, "SO_PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF);
	}
	note_recv(p, "read", pair.a, 10, 0);
	option(p, pair.a, "SO_PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF);
	done(&pair);
}

static void recv__empty(struct play *p)
{
	struct pair pair = connected(p);

	call(p, "send nothing", send(pair.b, "", 0, 0));
	note_poll(p, "readable", pair.a, POLLIN);
	note_recv(p, "an empty one", pair.a, 10, 0);
	note_poll(p, "read", pair.a, 0);
	note_recv(p, "none", pair.a, 10, NONE);
	done(&pair);
}

static void recv__shut(struct play *p)
{
	struct pair pair = connected(p);
	char c;

	send(pair.b, "x", 1, 0);
	poll_for(pair.a, POLLIN, 2000);
	call(p, "shutdown", shutdown(pair.b, SHUT_RD));
	call(p, "recv", recv(pair.b, &c, 1, 0));
	note_poll(p, "shut", pair.b, 0);
	call(p, "unconnected", shutdown(pair.a, SHUT_RD));
	call(p, "what was there", recv(pair.a, &c, 1, 0));
	call(p, "end", recv(pair.a, &c, 1, 0));
	call(p, "still sent", send(pair.b, "y", 1, 0));
	poll_for(pair.a, POLLIN, 100);
	call(p, "still received", recv(pair.a, &c, 1, 0));
	note_poll(p, "a", pair.a, 0);
	done(&pair);
}

static void recv__timeout(struct play *p)
{
	struct timeval tv = { .tv_usec = 30000 };
	struct pair pair = connected(p);
	char c;

	setsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	call(p, "timeout", recv(pair.a, &c, 1, 0));
	call(p, "bad pointer", recv(pair.a, (void *)8, 1, MSG_DONTWAIT));
	send(pair.b, "x", 1, 0);
	poll_for(pair.a, POLLIN, 2000);
	call(p, "bad pointer", recv(pair.a, (void *)8, 1, 0));
	call(p, "lost by it", recv(pair.a, &c, 1, MSG_DONTWAIT));
	call(p, "urgent", recv(pair.a, &c, 1, MSG_OOB | MSG_DONTWAIT));
	done(&pair);
}

static void recv__interrupted(struct play *p)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value.tv_usec = 30000 };
	struct pair pair = connected(p);
	char c;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	call(p, "interrupted", recv(pair.a, &c, 1, 0));
	done(&pair);
}

static void recv__addresses(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr_storage ss = {};
	socklen_t len = 4;
	char c;

	send(pair.b, "x", 1, 0);
	poll_for(pair.a, POLLIN, 2000);
	call(p, "cut", recvfrom(pair.a, &c, 1, 0, (void *)&ss, &len));
	note(p, "length %u family %d\n", len, ss.ss_family);
	send(pair.b, "x", 1, 0);
	poll_for(pair.a, POLLIN, 2000);
	len = sizeof(ss);
	call(p, "whole", recvfrom(pair.a, &c, 1, 0, (void *)&ss, &len));
	note_address(p, "from", &ss, len, port_of(pair.b));
	send(pair.a, "x", 1, 0);
	done(&pair);
}

/* what a socket for both versions sees of IPv4 */
static void recv__mapped(struct play *p)
{
	struct play v4 = *p;
	int six, four;

	if (p->family == AF_INET) {
		note(p, "IPv6's\n");
		return;
	}
	v4.family = AF_INET;
	six = make(p);
	four = make(&v4);
	set(p, six, SOL_IPV6, IPV6_RECVPKTINFO, 1);
	set(p, six, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
	set(p, six, SOL_IPV6, IPV6_RECVTCLASS, 1);
	set(p, six, SOL_IP, IP_RECVTTL, 1);
	call(p, "bind", bind_to(p, six, "::", FREE_PORT));
	call(p, "connect", connect_to(&v4, four, "127.0.0.1", FREE_PORT));
	call(p, "to six", send(four, "4", 1, 0));
	note_recv(p, "six", six, 10, 0);
	call(p, "to four", send_to(p, six, "::ffff:127.0.0.1", port_of(four), "6", 1, 0));
	note_recv(p, "four", four, 10, 0);
	send_int(p, six, "no destination", SOL_IPV6, IPV6_HOPLIMIT, 3);
	call(p, "connect six", connect_to(p, six, "::ffff:127.0.0.1", port_of(four)));
	note_name(p, "name", six, FREE_PORT);
	note_peer(p, "peer", six, port_of(four));
	call(p, "send", send(six, "6", 1, 0));
	note_recv(p, "four", four, 10, 0);
	close(four);
	call(p, "refused", send(six, "6", 1, 0));
	poll_for(six, POLLERR, 2000);
	note_error(p, six);
	set(p, six, SOL_IPV6, IPV6_V6ONLY, 1);
	close(six);
	six = make(p);
	set(p, six, SOL_IPV6, IPV6_V6ONLY, 1);
	call(p, "v6 only", send_to(p, six, "::ffff:127.0.0.1", FREE_PORT, "6", 1, 0));
	close(six);
}

static void recv__buffer_full(struct play *p)
{
	struct pair pair = connected(p);
	static char buf[1000];
	int i, got = 0;

	set(p, pair.a, SOL_SOCKET, SO_RCVBUF, 4096);
	set(p, pair.a, SOL_SOCKET, SO_RXQ_OVFL, 1);
	for (i = 0; i < 100; i++)
		if (send(pair.b, buf, sizeof(buf), 0) != sizeof(buf))
			call(p, "send", -1);
	while (recv(pair.a, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		got++;
	note(p, "some came %d, some did not %d\n", got > 0, got < 100);
	send(pair.b, "x", 1, 0);
	note(p, "told\n");
	poll_for(pair.a, POLLIN, 2000);
	note(p, "and goes on: %zd\n", recv(pair.a, buf, 1, MSG_DONTWAIT));
	done(&pair);
}

/* ---------------------------------------------------------------- the rest */

static void ioctl__queues(struct play *p)
{
	struct pair pair = connected(p);
	int n = -1;

	call(p, "SIOCINQ", ioctl(pair.a, SIOCINQ, &n));
	note(p, "= %d\n", n);
	send(pair.b, "abcde", 5, 0);
	send(pair.b, "fg", 2, 0);
	poll_for(pair.a, POLLIN, 2000);
	call(p, "SIOCINQ", ioctl(pair.a, SIOCINQ, &n));
	note(p, "= %d\n", n);
	call(p, "SIOCOUTQ", ioctl(pair.b, SIOCOUTQ, &n));
	call(p, "SIOCATMARK", ioctl(pair.b, SIOCATMARK, &n));
	call(p, "unknown", ioctl(pair.b, 0x12345, &n));
	done(&pair);
}

static void poll__states(struct play *p)
{
	struct pair pair = connected(p);
	int fd = make(p);

	note_poll(p, "new", fd, 0);
	note_poll(p, "connected", pair.b, 0);
	send(pair.b, "x", 1, 0);
	note_poll(p, "data", pair.a, POLLIN);
	shutdown(pair.b, SHUT_RDWR);
	note_poll(p, "shut", pair.b, 0);
	shutdown(pair.a, SHUT_RD);
	note_poll(p, "read side", pair.a, 0);
	close(fd);
	done(&pair);
}

static void epoll__edges(struct play *p)
{
	struct pair pair = connected(p);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, out;
	int ep = epoll_create1(0);
	char c;

	epoll_ctl(ep, EPOLL_CTL_ADD, pair.a, &ev);
	call(p, "nothing", epoll_wait(ep, &out, 1, 20));
	send(pair.b, "a", 1, 0);
	call(p, "edge", epoll_wait(ep, &out, 1, 2000));
	call(p, "no second edge", epoll_wait(ep, &out, 1, 20));
	send(pair.b, "b", 1, 0);
	call(p, "edge again", epoll_wait(ep, &out, 1, 2000));
	recv(pair.a, &c, 1, 0);
	call(p, "none by reading", epoll_wait(ep, &out, 1, 20));
	close(ep);
	done(&pair);
}

static void options__defaults(struct play *p)
{
	int fd = make(p), one = 1;

	option(p, fd, "SO_TYPE", SOL_SOCKET, SO_TYPE);
	option(p, fd, "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN);
	option(p, fd, "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN);
	option(p, fd, "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF);
	option(p, fd, "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF);
	option(p, fd, "SO_BROADCAST", SOL_SOCKET, SO_BROADCAST);
	option(p, fd, "IP_TTL", SOL_IP, IP_TTL);
	option(p, fd, "IP_MULTICAST_TTL", SOL_IP, IP_MULTICAST_TTL);
	option(p, fd, "IP_MULTICAST_LOOP", SOL_IP, IP_MULTICAST_LOOP);
	option(p, fd, "IP_MTU_DISCOVER", SOL_IP, IP_MTU_DISCOVER);
	option(p, fd, "IP_MTU", SOL_IP, IP_MTU);
	option(p, fd, "IP_RECVERR", SOL_IP, IP_RECVERR);
	option(p, fd, "IPV6_V6ONLY", SOL_IPV6, IPV6_V6ONLY);
	option(p, fd, "IPV6_UNICAST_HOPS", SOL_IPV6, IPV6_UNICAST_HOPS);
	option(p, fd, "IPV6_MULTICAST_HOPS", SOL_IPV6, IPV6_MULTICAST_HOPS);
	option(p, fd, "IPV6_MULTICAST_LOOP", SOL_IPV6, IPV6_MULTICAST_LOOP);
	option(p, fd, "IPV6_MTU_DISCOVER", SOL_IPV6, IPV6_MTU_DISCOVER);
	call(p, "unknown", getsockopt(fd, SOL_UDP, 250, &one, &(socklen_t){ sizeof(one) }));
	call(p, "unknown", setsockopt(fd, SOL_UDP, 250, &one, sizeof(one)));
	call(p, "short", setsockopt(fd, SOL_UDP, UDP_CORK, &one, 1));
	call(p, "negative", getsockopt(fd, SOL_UDP, UDP_CORK, &one, &(socklen_t){ -1 }));
	call(p, "unknown level", getsockopt(fd, 99, 1, &one, &(socklen_t){ sizeof(one) }));
	call(p, "TCP's level", getsockopt(fd, IPPROTO_TCP, 1, &one, &(socklen_t){ sizeof(one) }));
	close(fd);
}

static const struct situation situations[] = {
	SITUATION(recv__truncated), SITUATION(recv__peek), SITUATION(recv__peek_off),
	SITUATION(recv__empty), SITUATION(recv__shut), SITUATION(recv__timeout),
	SITUATION(recv__interrupted), SITUATION(recv__addresses), SITUATION(recv__mapped),
	SITUATION(recv__buffer_full), SITUATION(ioctl__queues), SITUATION(poll__states),
	SITUATION(epoll__edges), SITUATION(options__defaults),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_dgram_setup);
}
