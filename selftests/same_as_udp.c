// SPDX-License-Identifier: GPL-2.0
/*
 * Situations that a program can get a datagram socket into, each played over UDP and over Haul:
 * what every call returned, its errno, what poll said, what was read. The two records must be
 * equal, word for word.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/haul.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
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
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"

#define RECORD_MAX	8192
#define FREE_PORT	6999	/* nobody has it, but for who binds it in a situation */

struct play {
	int family;		/* AF_INET, AF_INET6 */
	int protocol;		/* 0 (UDP) or IPPROTO_HAUL */
	char record[RECORD_MAX];
	size_t used;
};

/* @a is bound to the loopback address; @b is connected to it */
struct pair {
	int a;
	int b;
};

static volatile sig_atomic_t sigpipes;

static void on_sigpipe(int sig)
{
	sigpipes++;
}

static void on_alarm(int sig)
{
}

__attribute__((format(printf, 2, 3)))
static void note(struct play *p, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(p->record + p->used, RECORD_MAX - p->used, format, args);
	va_end(args);
	if (n > 0 && p->used + n < RECORD_MAX)
		p->used += n;
}

/* notes what a call returned, and errno when it failed */
static long call(struct play *p, const char *what, long result)
{
	if (result < 0)
		note(p, "%s: %s\n", what, strerrorname_np(errno));
	else
		note(p, "%s: %ld\n", what, result);
	return result;
}

static int make(struct play *p)
{
	int fd = socket(p->family, SOCK_DGRAM, p->protocol);

	if (fd < 0)
		call(p, "socket", fd);
	return fd;
}

static socklen_t address_of(struct play *p, struct sockaddr_storage *ss, const char *text,
			    int port)
{
	memset(ss, 0, sizeof(*ss));
	if (p->family == AF_INET) {
		struct sockaddr_in *sin = (void *)ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		if (inet_pton(AF_INET, text, &sin->sin_addr) != 1)
			note(p, "no address: %s\n", text);
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (void *)ss;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) != 1)
		note(p, "no address: %s\n", text);
	return sizeof(*sin6);
}

static const char *any(struct play *p)
{
	return p->family == AF_INET ? "0.0.0.0" : "::";
}

static const char *loopback(struct play *p)
{
	return p->family == AF_INET ? "127.0.0.1" : "::1";
}

static int bind_to(struct play *p, int fd, const char *text, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, text, port);

	return bind(fd, (void *)&ss, len);
}

static int connect_to(struct play *p, int fd, const char *text, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, text, port);

	return connect(fd, (void *)&ss, len);
}

static ssize_t send_to(struct play *p, int fd, const char *text, int port, const void *data,
		       size_t size, int flags)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, text, port);

	return sendto(fd, data, size, flags, (void *)&ss, len);
}

static int port_of(int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (getsockname(fd, (void *)&sin6, &len))
		return -1;
	return ntohs(sin6.sin6_port);	/* the same place in both families */
}

static int bound(struct play *p)
{
	int fd = make(p);

	if (bind_to(p, fd, loopback(p), 0))
		call(p, "bound", -1);
	return fd;
}

static struct pair connected(struct play *p)
{
	struct pair pair = { .a = bound(p), .b = make(p) };

	if (connect_to(p, pair.b, loopback(p), port_of(pair.a)))
		call(p, "connected", -1);
	return pair;
}

static void done(struct pair *pair)
{
	close(pair->a);
	close(pair->b);
}

static void set(struct play *p, int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		note(p, "option %d %d = %d: %s\n", level, name, value, strerrorname_np(errno));
}

static void option(struct play *p, int fd, const char *name, int level, int opt)
{
	int value = -1;
	socklen_t len = sizeof(value);

	call(p, name, getsockopt(fd, level, opt, &value, &len));
	note(p, "= %d (%u)\n", value, len);
}

static void note_error(struct play *p, int fd)
{
	option(p, fd, "SO_ERROR", SOL_SOCKET, SO_ERROR);
}

static int poll_for(int fd, int events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, ms) == 1 ? pfd.revents : 0;
}

/* what poll shows, once one of @awaited is there (or 2 s have passed) */
static void note_poll(struct play *p, const char *what, int fd, int awaited)
{
	if (awaited)
		poll_for(fd, awaited, 2000);
	note(p, "%s: poll %x\n", what,
	     poll_for(fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0));
}

/* notes an address without its port, which is another each time, unless it is @port */
static void note_address(struct play *p, const char *what, const struct sockaddr_storage *ss,
			 socklen_t len, int port)
{
	char text[INET6_ADDRSTRLEN] = "-";
	const struct sockaddr_in6 *sin6 = (const void *)ss;
	const struct sockaddr_in *sin = (const void *)ss;

	if (ss->ss_family == AF_INET)
		inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text));
	else if (ss->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &sin6->sin6_addr, text, sizeof(text));
	note(p, "%s: family %d length %u %s %s\n", what, ss->ss_family, len, text,
	     !sin->sin_port ? "port 0" : ntohs(sin->sin_port) == port ? "that port" : "a port");
}

static void note_name(struct play *p, const char *what, int fd, int port)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);

	if (!call(p, what, getsockname(fd, (void *)&ss, &len)))
		note_address(p, what, &ss, len, port);
}

static void note_peer(struct play *p, const char *what, int fd, int port)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);

	if (!call(p, what, getpeername(fd, (void *)&ss, &len)))
		note_address(p, what, &ss, len, port);
}

/* in note_recv()'s flags: nothing should be there, so it is not waited for long */
#define NONE	0x40000000

/* receives with all that recvmsg() tells; @room bytes of it */
static void note_recv(struct play *p, const char *what, int fd, size_t room, int flags)
{
	static char buf[70000];
	struct sockaddr_storage ss = {};
	char control[512] = {};
	struct iovec iov = { .iov_base = buf, .iov_len = room };
	struct msghdr msg = {
		.msg_name = &ss, .msg_namelen = sizeof(ss), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n;

	if (!(flags & MSG_ERRQUEUE))
		poll_for(fd, POLLIN, flags & NONE ? 30 : 2000);
	n = call(p, what, recvmsg(fd, &msg, (flags & ~NONE) | MSG_DONTWAIT));
	if (n < 0)
		return;
	note(p, "flags %x name %u first %d\n", msg.msg_flags, msg.msg_namelen,
	     n && room ? buf[0] : -1);
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		const struct sock_extended_err *ee = (void *)CMSG_DATA(c);

		note(p, "control %d %d length %zu", c->cmsg_level, c->cmsg_type,
		     (size_t)c->cmsg_len);
		if (c->cmsg_len == CMSG_LEN(sizeof(int)))
			note(p, " int %d", *(int *)CMSG_DATA(c));
		else if (c->cmsg_len == CMSG_LEN(1))
			note(p, " byte %d", *CMSG_DATA(c));
		else if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) ||
			 (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR))
			note(p, " errno %d origin %d type %d code %d info %d from %d", ee->ee_errno,
			     ee->ee_origin, ee->ee_type, ee->ee_code,
			     ee->ee_origin == SO_EE_ORIGIN_LOCAL ? 0 : (int)ee->ee_info,
			     SO_EE_OFFENDER(ee)->sa_family);
		else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO)
			note(p, " if %d spec %x dst %x",
			     ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex,
			     ((struct in_pktinfo *)CMSG_DATA(c))->ipi_spec_dst.s_addr,
			     ((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr.s_addr);
		else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			note(p, " if %d last %d",
			     ((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex,
			     ((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_addr.s6_addr[15]);
		note(p, "\n");
	}
}

/* ---------------------------------------------------------------- bind */

static void bind__errors(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, loopback(p), 0);
	int fd = make(p);

	call(p, "short", bind(fd, (void *)&ss, 4));
	call(p, "foreign", bind_to(p, fd, p->family == AF_INET ? "192.0.2.99" : "2001:db8::99", 0));
	ss.ss_family = AF_UNIX;
	call(p, "family", bind(fd, (void *)&ss, len));
	note_name(p, "unbound", fd, 0);
	call(p, "bind", bind_to(p, fd, loopback(p), FREE_PORT));
	note_name(p, "bound", fd, FREE_PORT);
	call(p, "again", bind_to(p, fd, loopback(p), 0));
	close(fd);
}

static void bind__conflicts(struct play *p)
{
	int a = make(p), b = make(p), c = make(p);

	call(p, "a", bind_to(p, a, loopback(p), FREE_PORT));
	call(p, "b, same", bind_to(p, b, loopback(p), FREE_PORT));
	call(p, "b, any", bind_to(p, b, any(p), FREE_PORT));
	set(p, b, SOL_SOCKET, SO_REUSEADDR, 1);
	call(p, "b, alone with SO_REUSEADDR", bind_to(p, b, loopback(p), FREE_PORT));
	set(p, a, SOL_SOCKET, SO_REUSEADDR, 1);
	call(p, "b, both with SO_REUSEADDR", bind_to(p, b, loopback(p), FREE_PORT));
	set(p, c, SOL_SOCKET, SO_REUSEPORT, 1);
	call(p, "c, SO_REUSEPORT", bind_to(p, c, loopback(p), FREE_PORT));
	close(a);
	close(b);
	close(c);
}

static void bind__reuseport(struct play *p)
{
	int a = make(p), b = make(p), c = make(p);

	set(p, a, SOL_SOCKET, SO_REUSEPORT, 1);
	set(p, b, SOL_SOCKET, SO_REUSEPORT, 1);
	call(p, "a", bind_to(p, a, loopback(p), FREE_PORT));
	call(p, "b", bind_to(p, b, loopback(p), FREE_PORT));
	call(p, "c", bind_to(p, c, loopback(p), FREE_PORT));
	close(a);
	close(b);
	call(p, "c when they are gone", bind_to(p, c, loopback(p), FREE_PORT));
	close(c);
}

static void bind__device(struct play *p)
{
	int a = make(p), b = make(p);

	call(p, "no such device", setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "none", 5));
	call(p, "lo", setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	call(p, "a", bind_to(p, a, loopback(p), FREE_PORT));
	call(p, "b", bind_to(p, b, loopback(p), FREE_PORT));
	call(p, "eth", setsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, "d0", 3));
	call(p, "b by another device", bind_to(p, b, loopback(p), FREE_PORT));
	close(a);
	close(b);
}

static void bind__multicast(struct play *p)
{
	int fd = make(p);

	call(p, "group", bind_to(p, fd, p->family == AF_INET ? "239.1.2.3" : "ff15::1234",
				 FREE_PORT));
	note_name(p, "bound", fd, FREE_PORT);
	close(fd);
}

/* two IP versions and one port */
static void bind__both_versions(struct play *p)
{
	struct play other = *p;
	int a = make(p), b;

	other.family = p->family == AF_INET ? AF_INET6 : AF_INET;
	b = make(&other);
	call(p, "a", bind_to(p, a, any(p), FREE_PORT));
	call(p, "b", bind_to(&other, b, any(&other), FREE_PORT));
	if (other.family == AF_INET6) {
		set(p, b, SOL_IPV6, IPV6_V6ONLY, 1);
		call(p, "b, v6 only", bind_to(&other, b, any(&other), FREE_PORT));
	}
	close(a);
	close(b);
}

/* ---------------------------------------------------------------- connect */

static void connect__and_names(struct play *p)
{
	struct pair pair = connected(p);

	note_name(p, "name", pair.b, 0);
	note_peer(p, "peer", pair.b, port_of(pair.a));
	note_peer(p, "peer of the unconnected", pair.a, 0);
	done(&pair);
}

static void connect__errors(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, loopback(p), FREE_PORT);
	int fd = make(p);

	call(p, "short", connect(fd, (void *)&ss, 4));
	call(p, "tiny", connect(fd, (void *)&ss, 1));
	ss.ss_family = AF_UNIX;
	call(p, "family", connect(fd, (void *)&ss, len));
	call(p, "unroutable", connect_to(p, fd, p->family == AF_INET ? "203.0.113.1" :
					 "2001:db8:ffff::1", 7));
	call(p, "port 0", connect_to(p, fd, loopback(p), 0));
	note_peer(p, "peer", fd, 0);
	call(p, "send", send(fd, "x", 1, 0));
	close(fd);
}

static void connect__any_is_this_host(struct play *p)
{
	int fd = make(p);

	call(p, "connect", connect_to(p, fd, any(p), FREE_PORT));
	note_name(p, "name", fd, 0);
	note_peer(p, "peer", fd, FREE_PORT);
	close(fd);
}

static void connect__again(struct play *p)
{
	struct pair pair = connected(p);
	int c = bound(p);

	call(p, "elsewhere", connect_to(p, pair.b, loopback(p), port_of(c)));
	note_peer(p, "peer", pair.b, port_of(c));
	call(p, "send", send(pair.b, "x", 1, 0));
	note_recv(p, "c", c, 10, 0);
	note_recv(p, "a", pair.a, 10, NONE);
	close(c);
	done(&pair);
}

static void connect__unspec_dissolves(struct play *p)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	struct pair pair = connected(p);

	call(p, "dissolve", connect(pair.b, (void *)&ss, sizeof(ss)));
	note_peer(p, "peer", pair.b, 0);
	note_name(p, "name", pair.b, 0);
	call(p, "send", send(pair.b, "x", 1, 0));
	call(p, "sendto", send_to(p, pair.b, loopback(p), port_of(pair.a), "y", 1, 0));
	note_recv(p, "a", pair.a, 10, 0);
	call(p, "dissolve the bound", connect(pair.a, (void *)&ss, sizeof(ss)));
	call(p, "sendto", send_to(p, pair.b, loopback(p), port_of(pair.a), "z", 1, 0));
	note_recv(p, "a", pair.a, 10, NONE);
	done(&pair);
}

static void connect__filters(struct play *p)
{
	struct pair pair = connected(p);
	int port = port_of(pair.b), c = bound(p);

	call(p, "stranger", send_to(p, c, loopback(p), port, "c", 1, 0));
	call(p, "peer", send_to(p, pair.a, loopback(p), port, "a", 1, 0));
	note_recv(p, "b", pair.b, 10, 0);
	note_recv(p, "b again", pair.b, 10, NONE);
	poll_for(c, POLLIN, 200);
	note_error(p, c);
	close(c);
	done(&pair);
}

/* a connected socket comes before one that takes all, bound to the same port */
static void connect__comes_first(struct play *p)
{
	int all = make(p), one = make(p), c = bound(p), d = bound(p);

	set(p, all, SOL_SOCKET, SO_REUSEADDR, 1);
	set(p, one, SOL_SOCKET, SO_REUSEADDR, 1);
	call(p, "one", bind_to(p, one, loopback(p), FREE_PORT));
	call(p, "all", bind_to(p, all, loopback(p), FREE_PORT));
	call(p, "connect", connect_to(p, one, loopback(p), port_of(c)));
	call(p, "c", send_to(p, c, loopback(p), FREE_PORT, "c", 1, 0));
	call(p, "d", send_to(p, d, loopback(p), FREE_PORT, "d", 1, 0));
	note_recv(p, "one", one, 10, 0);
	note_recv(p, "all", all, 10, 0);
	note_recv(p, "one again", one, 10, NONE);
	note_recv(p, "all again", all, 10, NONE);
	close(all);
	close(one);
	close(c);
	close(d);
}

/* the exact address before any address */
static void connect__address_before_any(struct play *p)
{
	int all = make(p), one = make(p), c = bound(p);

	set(p, all, SOL_SOCKET, SO_REUSEADDR, 1);
	set(p, one, SOL_SOCKET, SO_REUSEADDR, 1);
	call(p, "one", bind_to(p, one, loopback(p), FREE_PORT));
	call(p, "all", bind_to(p, all, any(p), FREE_PORT));
	call(p, "send", send_to(p, c, loopback(p), FREE_PORT, "c", 1, 0));
	note_recv(p, "one", one, 10, 0);
	note_recv(p, "all", all, 10, NONE);
	close(all);
	close(one);
	close(c);
}

/* ---------------------------------------------------------------- send */

static void send__unconnected(struct play *p)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, loopback(p), FREE_PORT);
	int fd = make(p);

	call(p, "send", send(fd, "x", 1, 0));
	call(p, "write", write(fd, "x", 1));
	call(p, "short", sendto(fd, "x", 1, 0, (void *)&ss, 4));
	call(p, "tiny", sendto(fd, "x", 1, 0, (void *)&ss, 1));
	ss.ss_family = AF_UNIX;
	call(p, "family", sendto(fd, "x", 1, 0, (void *)&ss, len));
	ss.ss_family = AF_UNSPEC;
	call(p, "AF_UNSPEC", sendto(fd, "x", 1, 0, (void *)&ss, len));
	call(p, "port 0", send_to(p, fd, loopback(p), 0, "x", 1, 0));
	call(p, "urgent", send_to(p, fd, loopback(p), FREE_PORT, "x", 1, MSG_OOB));
	call(p, "unroutable", send_to(p, fd, p->family == AF_INET ? "203.0.113.1" :
				      "2001:db8:ffff::1", 7, "x", 1, 0));
	call(p, "bad pointer", send_to(p, fd, loopback(p), FREE_PORT, (void *)8, 1, 0));
	call(p, "nobody there", send_to(p, fd, loopback(p), FREE_PORT, "x", 1, 0));
	note_error(p, fd);
	close(fd);
}

static void send__sizes(struct play *p)
{
	/* UDP's header has 8 bytes, Haul's 16 */
	int max = (p->family == AF_INET ? 65515 : 65535) - (p->protocol ? 16 : 8);
	struct pair pair = connected(p);
	static char buf[70000];
	int sizes[] = { 0, 1, 2047, 2048, 2049, 4096, 16384, 40000, max };
	unsigned int i;

	set(p, pair.a, SOL_SOCKET, SO_RCVBUF, 400000);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ssize_t n;

		memset(buf, 'a' + i, sizeof(buf));
		note(p, "%d sent %d\n", i, send(pair.b, buf, sizes[i], 0) == sizes[i]);
		poll_for(pair.a, POLLIN, 2000);
		memset(buf, 0, sizeof(buf));
		n = recv(pair.a, buf, sizeof(buf), MSG_DONTWAIT);
		note(p, "%d received %d %c\n", i, n == sizes[i], n > 0 ? buf[n - 1] : '-');
	}
	call(p, "too large", send(pair.b, buf, max + 1, 0));
	call(p, "far too large", send(pair.b, buf, sizeof(buf), 0));
	done(&pair);
}

static void send__shut(struct play *p)
{
	struct pair pair = connected(p);

	call(p, "unconnected", shutdown(pair.a, SHUT_WR));
	call(p, "send from the unconnected",
	     send_to(p, pair.a, loopback(p), port_of(pair.b), "x", 1, 0));
	call(p, "shutdown", shutdown(pair.b, SHUT_WR));
	sigpipes = 0;
	call(p, "send", send(pair.b, "x", 1, 0));
	note(p, "signals %d\n", sigpipes);
	note_poll(p, "shut", pair.b, 0);
	call(p, "bad", shutdown(pair.b, 7));
	done(&pair);
}

static void send__refused(struct play *p)
{
	struct pair pair = connected(p);

	close(pair.a);
	call(p, "send", send(pair.b, "x", 1, 0));
	note_poll(p, "refused", pair.b, POLLERR);
	call(p, "next send", send(pair.b, "x", 1, 0));
	poll_for(pair.b, POLLERR, 2000);
	note_recv(p, "next recv", pair.b, 10, 0);
	note_recv(p, "and then", pair.b, 10, NONE);
	call(p, "send", send(pair.b, "x", 1, 0));
	poll_for(pair.b, POLLERR, 2000);
	note_error(p, pair.b);
	note_error(p, pair.b);
	close(pair.b);
}

static void send__error_queue(struct play *p)
{
	int v6 = p->family == AF_INET6, fd = make(p);

	set(p, fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1);
	note_recv(p, "empty", fd, 10, MSG_ERRQUEUE);
	call(p, "send", send_to(p, fd, loopback(p), FREE_PORT, "hello", 5, 0));
	note_poll(p, "unconnected, told", fd, POLLERR);
	call(p, "next send", send_to(p, fd, loopback(p), FREE_PORT, "hello", 5, 0));
	poll_for(fd, POLLERR, 2000);
	note_error(p, fd);
	note_recv(p, "queue", fd, 100, MSG_ERRQUEUE);
	note_recv(p, "queue, cut", fd, 2, MSG_ERRQUEUE);
	note_recv(p, "queue, empty", fd, 100, MSG_ERRQUEUE);
	close(fd);
}

static void send__too_big_is_told(struct play *p)
{
	int v6 = p->family == AF_INET6, fd = make(p);
	static char buf[9000];

	set(p, fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1);
	set(p, fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
	    IP_PMTUDISC_DO);
	call(p, "connect", connect_to(p, fd, v6 ? "2001:db8::2" : "192.0.2.2", 7));
	option(p, fd, "MTU", v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_MTU : IP_MTU);
	call(p, "fits", send(fd, buf, 1200, 0));
	call(p, "does not", send(fd, buf, 3000, 0));
	note_recv(p, "queue", fd, 100, MSG_ERRQUEUE);
	set(p, fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
	    IP_PMTUDISC_DONT);
	call(p, "is cut", send(fd, buf, 3000, 0));
	set(p, fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
	    IP_PMTUDISC_PROBE);
	call(p, "probe", send(fd, buf, 3000, 0));
	close(fd);
}

static void send__dontfrag(struct play *p)
{
	static char buf[9000];
	int fd = make(p);

	if (p->family == AF_INET6)
		set(p, fd, SOL_IPV6, IPV6_DONTFRAG, 1);
	call(p, "connect", connect_to(p, fd, p->family == AF_INET ? "192.0.2.2" : "2001:db8::2",
				      7));
	call(p, "small", send(fd, buf, 1000, 0));
	call(p, "large", send(fd, buf, 3000, 0));
	close(fd);
}

static void send__corked(struct play *p)
{
	struct pair pair = connected(p);
	static char buf[3000];

	call(p, "more", send(pair.b, "abc", 3, MSG_MORE));
	note_recv(p, "nothing yet", pair.a, 10, NONE);
	call(p, "more", send(pair.b, buf, sizeof(buf), MSG_MORE));
	call(p, "more of nothing", send(pair.b, "", 0, MSG_MORE));
	call(p, "last", send(pair.b, "xyz", 3, 0));
	note_recv(p, "whole", pair.a, 10000, 0);
	call(p, "far too much", send(pair.b, buf, sizeof(buf), MSG_MORE));
	while (send(pair.b, buf, sizeof(buf), MSG_MORE) > 0)
		;
	call(p, "until", -1);
	call(p, "all is lost", send(pair.b, "x", 1, 0));
	note_recv(p, "new", pair.a, 10, 0);
	call(p, "open end", send(pair.b, "y", 1, MSG_MORE));
	done(&pair);
}

static void send__cork_option(struct play *p)
{
	struct pair pair = connected(p);

	option(p, pair.b, "cork", SOL_UDP, UDP_CORK);
	set(p, pair.b, SOL_UDP, UDP_CORK, 1);
	option(p, pair.b, "cork", SOL_UDP, UDP_CORK);
	call(p, "one", send(pair.b, "one", 3, 0));
	call(p, "two", send(pair.b, "two", 3, 0));
	note_recv(p, "nothing yet", pair.a, 10, NONE);
	set(p, pair.b, SOL_UDP, UDP_CORK, 0);
	note_recv(p, "whole", pair.a, 10, 0);
	done(&pair);
}

static void send__probe(struct play *p)
{
	struct pair pair = connected(p);

	call(p, "confirm", send(pair.b, "x", 1, MSG_CONFIRM));
	note_recv(p, "comes", pair.a, 10, 0);
	call(p, "probe", send(pair.b, "", 0, MSG_CONFIRM | MSG_PROXY));
	note_recv(p, "probe comes", pair.a, 10, NONE);
	call(p, "dontroute", send(pair.b, "x", 1, MSG_DONTROUTE));
	note_recv(p, "comes", pair.a, 10, 0);
	done(&pair);
}

static void send__many(struct play *p)
{
	struct pair pair = connected(p);
	struct iovec out[3] = {
		{ "a", 1 }, { "bb", 2 }, { "ccc", 3 },
	};
	char in[3][8] = {};
	struct iovec to[3] = { { in[0], 8 }, { in[1], 8 }, { in[2], 8 } };
	struct mmsghdr m[3] = {}, r[3] = {};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &out[i], .msg_iovlen = 1 };
		r[i].msg_hdr = (struct msghdr){ .msg_iov = &to[i], .msg_iovlen = 1 };
	}
	call(p, "sendmmsg", sendmmsg(pair.b, m, 3, 0));
	poll_for(pair.a, POLLIN, 2000);
	call(p, "recvmmsg", recvmmsg(pair.a, r, 3, MSG_DONTWAIT, NULL));
	for (i = 0; i < 3; i++)
		note(p, "%u: %u %s\n", i, r[i].msg_len, in[i]);
	done(&pair);
}

static void send__broadcast(struct play *p)
{
	int fd = make(p), to = make(p);
	struct play v4 = *p;

	if (p->family == AF_INET6)
		goto out;
	call(p, "not allowed", send_to(&v4, fd, "192.0.2.255", FREE_PORT, "x", 1, 0));
	call(p, "connect", connect_to(&v4, fd, "192.0.2.255", FREE_PORT));
	set(p, fd, SOL_SOCKET, SO_BROADCAST, 1);
	call(p, "receiver", bind_to(&v4, to, "0.0.0.0", FREE_PORT));
	call(p, "allowed", send_to(&v4, fd, "192.0.2.255", FREE_PORT, "x", 1, 0));
	note_recv(p, "comes", to, 10, 0);
	call(p, "to all", send_to(&v4, fd, "255.255.255.255", FREE_PORT, "x", 1, 0));
	call(p, "connect", connect_to(&v4, fd, "192.0.2.255", FREE_PORT));
	call(p, "send", send(fd, "x", 1, 0));
	note_recv(p, "comes", to, 10, 0);
out:
	note(p, "done\n");
	close(fd);
	close(to);
}

/* what a full send buffer does: nothing leaves a device that is down */
static void send__odd_calls(struct play *p)
{
	struct pair pair = connected(p);
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	call(p, "connected, with a name",
	     send_to(p, pair.b, loopback(p), port_of(pair.a), "n", 1, 0));
	note_recv(p, "comes", pair.a, 10, 0);
	call(p, "no buffers", sendmsg(pair.b, &(struct msghdr){}, 0));
	note_recv(p, "empty", pair.a, 10, 0);
	call(p, "one", sendmsg(pair.b, &msg, 0));
	note_recv(p, "comes", pair.a, 10, 0);
	call(p, "listen", listen(pair.a, 1));
	call(p, "accept", accept(pair.a, NULL, NULL));
	done(&pair);
}

/* ---------------------------------------------------------------- control messages */

static ssize_t send_with(int fd, int level, int type, const void *data, size_t size)
{
	char control[128] __attribute__((aligned(8))) = {};
	struct iovec iov = { .iov_base = "c", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(size),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	return sendmsg(fd, &msg, 0);
}

static void send_int(struct play *p, int fd, const char *what, int level, int type, int value)
{
	call(p, what, send_with(fd, level, type, &value, sizeof(value)));
}

static void control__received(struct play *p)
{
	struct pair pair = connected(p);

	if (p->family == AF_INET) {
		set(p, pair.a, SOL_IP, IP_PKTINFO, 1);
		set(p, pair.a, SOL_IP, IP_RECVTTL, 1);
		set(p, pair.a, SOL_IP, IP_RECVTOS, 1);
		set(p, pair.a, SOL_IP, IP_RECVORIGDSTADDR, 1);
	} else {
		set(p, pair.a, SOL_IPV6, IPV6_RECVPKTINFO, 1);
		set(p, pair.a, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
		set(p, pair.a, SOL_IPV6, IPV6_RECVTCLASS, 1);
	}
	call(p, "plain", send(pair.b, "x", 1, 0));
	note_recv(p, "plain", pair.a, 10, 0);
	set(p, pair.b, SOL_IP, IP_TTL, 7);
	set(p, pair.b, SOL_IP, IP_TOS, 0x48);
	if (p->family == AF_INET6) {
		set(p, pair.b, SOL_IPV6, IPV6_UNICAST_HOPS, 9);
		set(p, pair.b, SOL_IPV6, IPV6_TCLASS, 0x24);
	}
	call(p, "by option", send(pair.b, "x", 1, 0));
	note_recv(p, "by option", pair.a, 10, 0);
	if (p->family == AF_INET) {
		send_int(p, pair.b, "TTL", SOL_IP, IP_TTL, 33);
		note_recv(p, "TTL", pair.a, 10, 0);
		send_int(p, pair.b, "TOS", SOL_IP, IP_TOS, 0x20);
		note_recv(p, "TOS", pair.a, 10, 0);
	} else {
		send_int(p, pair.b, "hop limit", SOL_IPV6, IPV6_HOPLIMIT, 33);
		note_recv(p, "hop limit", pair.a, 10, 0);
		send_int(p, pair.b, "class", SOL_IPV6, IPV6_TCLASS, 0x20);
		note_recv(p, "class", pair.a, 10, 0);
	}
	done(&pair);
}

static void control__errors(struct play *p)
{
	struct pair pair = connected(p);
	int v6 = p->family == AF_INET6;

	send_int(p, pair.b, "TTL 0", SOL_IP, IP_TTL, 0);
	send_int(p, pair.b, "TTL 256", SOL_IP, IP_TTL, 256);
	send_int(p, pair.b, "TOS 256", SOL_IP, IP_TOS, 256);
	send_int(p, pair.b, "hop limit 256", SOL_IPV6, IPV6_HOPLIMIT, 256);
	send_int(p, pair.b, "unknown", v6 ? SOL_IPV6 : SOL_IP, 250, 1);
	send_int(p, pair.b, "unknown level", 99, 1, 1);
	send_int(p, pair.b, "unknown of UDP", SOL_UDP, 99, 1);
	send_int(p, pair.b, "mark", SOL_SOCKET, SO_MARK, 5);
	send_int(p, pair.b, "unknown of the socket", SOL_SOCKET, 99, 5);
	call(p, "short", send_with(pair.b, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_PKTINFO : IP_PKTINFO,
				   "x", 1));
	done(&pair);
}

static void control__source(struct play *p)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0x7f000005) };
	struct in6_pktinfo info6 = { .ipi6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);
	struct pair pair = connected(p);
	char c;

	if (p->family == AF_INET)
		call(p, "source", send_with(pair.b, SOL_IP, IP_PKTINFO, &info, sizeof(info)));
	else
		call(p, "source", send_with(pair.b, SOL_IPV6, IPV6_PKTINFO, &info6,
					    sizeof(info6)));
	poll_for(pair.a, POLLIN, 2000);
	call(p, "recvfrom", recvfrom(pair.a, &c, 1, MSG_DONTWAIT, (void *)&ss, &len));
	note_address(p, "from", &ss, len, 0);
	info.ipi_spec_dst.s_addr = htonl(0xc6336401);
	inet_pton(AF_INET6, "2001:db8::77", &info6.ipi6_addr);
	if (p->family == AF_INET)
		call(p, "foreign", send_with(pair.b, SOL_IP, IP_PKTINFO, &info, sizeof(info)));
	else
		call(p, "foreign", send_with(pair.b, SOL_IPV6, IPV6_PKTINFO, &info6,
					     sizeof(info6)));
	done(&pair);
}

/* options in the IP header: a record of the route */
static void control__ip_options(struct play *p)
{
	static const unsigned char rr[] = { 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char got[40];
	struct pair pair = connected(p);
	socklen_t len = sizeof(got);
	char c;

	if (p->family == AF_INET6)
		goto out;
	set(p, pair.a, SOL_IP, IP_RECVOPTS, 1);
	call(p, "set", setsockopt(pair.b, SOL_IP, IP_OPTIONS, rr, sizeof(rr)));
	call(p, "get", getsockopt(pair.b, SOL_IP, IP_OPTIONS, got, &len));
	call(p, "send", send(pair.b, "x", 1, 0));
	note_recv(p, "recv", pair.a, 10, 0);
	call(p, "unset", setsockopt(pair.b, SOL_IP, IP_OPTIONS, rr, 0));
	call(p, "by message", send_with(pair.b, SOL_IP, IP_RETOPTS, rr, sizeof(rr)));
	note_recv(p, "recv", pair.a, 10, 0);
	call(p, "bad", send_with(pair.b, SOL_IP, IP_RETOPTS, "\7\3\1\0", 4));
	call(p, "none left", recv(pair.a, &c, 1, MSG_DONTWAIT));
out:
	note(p, "done\n");
	done(&pair);
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

static void timestamps__received(struct play *p)
{
	struct pair pair = connected(p);
	char control[256];
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	set(p, pair.a, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	send(pair.b, "x", 1, 0);
	poll_for(pair.a, POLLIN, 2000);
	call(p, "recvmsg", recvmsg(pair.a, &msg, MSG_DONTWAIT));
	cmsg = CMSG_FIRSTHDR(&msg);
	note(p, "timestamp %d\n", cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	     cmsg->cmsg_type == SCM_TIMESTAMPNS &&
	     labs(((struct timespec *)CMSG_DATA(cmsg))->tv_sec - time(NULL)) < 30);
	done(&pair);
}

/* that it was sent: back from the device, by the error queue */
static void timestamps__sent(struct play *p)
{
	struct pair pair = connected(p);

	set(p, pair.b, SOL_SOCKET, SO_TIMESTAMPING,
	    1 << 1 | 1 << 4 | 1 << 7 | 1 << 11);	/* software, by us, key, no payload */
	call(p, "send", send(pair.b, "x", 1, 0));
	note_poll(p, "told", pair.b, POLLERR);
	note_recv(p, "queue", pair.b, 10, MSG_ERRQUEUE);
	note_recv(p, "queue, empty", pair.b, 10, MSG_ERRQUEUE);
	done(&pair);
}

/* ---------------------------------------------------------------- groups */

static const char *group(struct play *p)
{
	return p->family == AF_INET ? "239.1.2.3" : "ff15::1234";
}

static int join(struct play *p, int fd, const char *text, int leave)
{
	struct group_req req = { .gr_interface = if_nametoindex("d0") };

	address_of(p, (void *)&req.gr_group, text, 0);
	return setsockopt(fd, p->family == AF_INET ? SOL_IP : SOL_IPV6,
			  leave ? MCAST_LEAVE_GROUP : MCAST_JOIN_GROUP, &req, sizeof(req));
}

static int multicaster(struct play *p)
{
	int fd = make(p), index = if_nametoindex("d0");
	struct ip_mreqn mreq = { .imr_ifindex = index };

	if (p->family == AF_INET)
		setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq));
	else
		set(p, fd, SOL_IPV6, IPV6_MULTICAST_IF, index);
	return fd;
}

static void group__join_and_leave(struct play *p)
{
	int from = multicaster(p), to = make(p);

	call(p, "bind", bind_to(p, to, any(p), FREE_PORT));
	call(p, "leave before", join(p, to, group(p), 1));
	call(p, "join", join(p, to, group(p), 0));
	call(p, "join twice", join(p, to, group(p), 0));
	call(p, "no group", join(p, to, loopback(p), 0));
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "m", 1, 0));
	note_recv(p, "comes", to, 10, 0);
	set(p, from, p->family == AF_INET ? SOL_IP : SOL_IPV6,
	    p->family == AF_INET ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, 0);
	call(p, "not to this host", send_to(p, from, group(p), FREE_PORT, "n", 1, 0));
	note_recv(p, "none", to, 10, NONE);
	call(p, "leave", join(p, to, group(p), 1));
	call(p, "connect", connect_to(p, from, group(p), FREE_PORT));
	call(p, "send", send(from, "x", 1, 0));
	close(from);
	close(to);
}

static void group__source(struct play *p, int request, const char *source, const char *what, int fd)
{
	struct group_source_req req = { .gsr_interface = if_nametoindex("d0") };

	address_of(p, (void *)&req.gsr_group, group(p), 0);
	address_of(p, (void *)&req.gsr_source, source, 0);
	call(p, what, setsockopt(fd, p->family == AF_INET ? SOL_IP : SOL_IPV6, request, &req,
				 sizeof(req)));
}

static void group__sources(struct play *p)
{
	const char *ours = p->family == AF_INET ? "192.0.2.1" : "2001:db8::1";
	const char *other = p->family == AF_INET ? "192.0.2.77" : "2001:db8::77";
	int from = multicaster(p), to = make(p);

	call(p, "bind", bind_to(p, to, any(p), FREE_PORT));
	call(p, "bind the source", bind_to(p, from, ours, 0));
	group__source(p, MCAST_JOIN_SOURCE_GROUP, other, "only another's", to);
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "1", 1, 0));
	note_recv(p, "not ours", to, 10, NONE);
	group__source(p, MCAST_JOIN_SOURCE_GROUP, ours, "ours, too", to);
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "2", 1, 0));
	note_recv(p, "ours", to, 10, 0);
	group__source(p, MCAST_LEAVE_SOURCE_GROUP, ours, "no longer", to);
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "3", 1, 0));
	note_recv(p, "no longer", to, 10, NONE);
	group__source(p, MCAST_LEAVE_SOURCE_GROUP, other, "nobody's", to);
	call(p, "all", join(p, to, group(p), 0));
	group__source(p, MCAST_BLOCK_SOURCE, ours, "but ours", to);
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "4", 1, 0));
	note_recv(p, "blocked", to, 10, NONE);
	group__source(p, MCAST_UNBLOCK_SOURCE, ours, "and ours", to);
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "5", 1, 0));
	note_recv(p, "comes", to, 10, 0);
	close(from);
	close(to);
}

static void group__all_members(struct play *p)
{
	int from = multicaster(p), to[3], other, i;

	for (i = 0; i < 3; i++) {
		to[i] = make(p);
		set(p, to[i], SOL_SOCKET, SO_REUSEADDR, 1);
		call(p, "bind", bind_to(p, to[i], i == 2 ? group(p) : any(p), FREE_PORT));
	}
	other = make(p);
	set(p, other, SOL_SOCKET, SO_REUSEADDR, 1);
	call(p, "bind other", bind_to(p, other, loopback(p), FREE_PORT));
	call(p, "join", join(p, to[0], group(p), 0));
	set(p, to[1], p->family == AF_INET ? SOL_IP : SOL_IPV6,
	    p->family == AF_INET ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL, 0);
	call(p, "send", send_to(p, from, group(p), FREE_PORT, "m", 1, 0));
	for (i = 0; i < 3; i++)
		note_recv(p, i == 0 ? "member" : i == 1 ? "asked not to" : "bound to it", to[i],
			  10, i == 1 ? NONE : 0);
	note_recv(p, "another address", other, 10, NONE);
	for (i = 0; i < 3; i++)
		close(to[i]);
	close(other);
	close(from);
}

#define SITUATION(f) { #f, f }
static const struct {
	const char *name;
	void (*play)(struct play *p);
} situations[] = {
	SITUATION(bind__errors), SITUATION(bind__conflicts), SITUATION(bind__reuseport),
	SITUATION(bind__device), SITUATION(bind__multicast), SITUATION(bind__both_versions),
	SITUATION(connect__and_names), SITUATION(connect__errors),
	SITUATION(connect__any_is_this_host), SITUATION(connect__again),
	SITUATION(connect__unspec_dissolves), SITUATION(connect__filters),
	SITUATION(connect__comes_first), SITUATION(connect__address_before_any),
	SITUATION(send__unconnected), SITUATION(send__sizes), SITUATION(send__shut),
	SITUATION(send__refused), SITUATION(send__error_queue), SITUATION(send__too_big_is_told),
	SITUATION(send__dontfrag), SITUATION(send__corked), SITUATION(send__cork_option),
	SITUATION(send__probe), SITUATION(send__many), SITUATION(send__broadcast),
	SITUATION(send__odd_calls), SITUATION(control__received), SITUATION(control__errors),
	SITUATION(control__source), SITUATION(control__ip_options), SITUATION(recv__truncated),
	SITUATION(recv__peek), SITUATION(recv__peek_off), SITUATION(recv__empty),
	SITUATION(recv__shut), SITUATION(recv__timeout), SITUATION(recv__interrupted),
	SITUATION(recv__addresses), SITUATION(recv__mapped), SITUATION(recv__buffer_full),
	SITUATION(ioctl__queues), SITUATION(poll__states), SITUATION(epoll__edges),
	SITUATION(options__defaults), SITUATION(timestamps__received),
	SITUATION(timestamps__sent), SITUATION(group__join_and_leave),
	SITUATION(group__sources), SITUATION(group__all_members),
};

#define NUM_SITUATIONS (sizeof(situations) / sizeof(situations[0]))

static void play_one(unsigned int i, int family)
{
	static struct play udp, haul;
	bool same;

	udp = (struct play){ .family = family };
	haul = (struct play){ .family = family, .protocol = IPPROTO_HAUL };
	situations[i].play(&udp);
	situations[i].play(&haul);
	same = udp.used && !strcmp(udp.record, haul.record);
	if (!same)
		ksft_print_msg("UDP:\n%s\nHaul:\n%s\n", udp.record, haul.record);
	ksft_test_result(same, "%s ipv%d\n", situations[i].name, family == AF_INET ? 4 : 6);
}

/* a device that swallows all, for what is not for this host */
static const char *const commands[] = {
	"sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0",
	"ip link set lo up",
	"ip link add d0 type dummy",
	"ip link set d0 up",
	"ip addr add 192.0.2.1/24 brd + dev d0",
	"ip addr add 2001:db8::1/64 dev d0 nodad",
};

int main(void)
{
	unsigned int i;

	ksft_print_header();
	ksft_set_plan(2 * NUM_SITUATIONS);
	if (unshare(CLONE_NEWNET))
		ksft_exit_fail_msg("no namespace: run as root\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (system(commands[i]))
			ksft_exit_fail_msg("%s\n", commands[i]);
	signal(SIGPIPE, on_sigpipe);
	for (i = 0; i < NUM_SITUATIONS; i++) {
		play_one(i, AF_INET);
		play_one(i, AF_INET6);
	}
	ksft_finished();
}
