/* SPDX-License-Identifier: GPL-2.0 */
/* What situations of play.h with datagram sockets are made of: over UDP, or over Haul. */
#ifndef HAUL_PLAY_DGRAM_H
#define HAUL_PLAY_DGRAM_H

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/uio.h>

#include "play.h"

#define FREE_PORT	6999	/* nobody has it, but for who binds it in a situation */

/* @a is bound to the loopback address; @b is connected to it */
struct pair {
	int a;
	int b;
};

static inline int make(struct play *p)
{
	int fd = socket(p->family, SOCK_DGRAM, p->protocol);

	if (fd < 0)
		call(p, "socket", fd);
	return fd;
}

static inline socklen_t address_of(struct play *p, struct sockaddr_storage *ss, const char *text,
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

static inline const char *any(struct play *p)
{
	return p->family == AF_INET ? "0.0.0.0" : "::";
}

static inline const char *loopback(struct play *p)
{
	return p->family == AF_INET ? "127.0.0.1" : "::1";
}

static inline int bind_to(struct play *p, int fd, const char *text, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, text, port);

	return bind(fd, (void *)&ss, len);
}

static inline int connect_to(struct play *p, int fd, const char *text, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, text, port);

	return connect(fd, (void *)&ss, len);
}

static inline ssize_t send_to(struct play *p, int fd, const char *text, int port, const void *data,
			      size_t size, int flags)
{
	struct sockaddr_storage ss;
	socklen_t len = address_of(p, &ss, text, port);

	return sendto(fd, data, size, flags, (void *)&ss, len);
}

static inline int bound(struct play *p)
{
	int fd = make(p);

	if (bind_to(p, fd, loopback(p), 0))
		call(p, "bound", -1);
	return fd;
}

static inline struct pair connected(struct play *p)
{
	struct pair pair = { .a = bound(p), .b = make(p) };

	if (connect_to(p, pair.b, loopback(p), port_of(pair.a)))
		call(p, "connected", -1);
	return pair;
}

static inline void done(struct pair *pair)
{
	close(pair->a);
	close(pair->b);
}

static inline void set(struct play *p, int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		note(p, "option %d %d = %d: %s\n", level, name, value, strerrorname_np(errno));
}

static inline void note_error(struct play *p, int fd)
{
	option(p, fd, "SO_ERROR", SOL_SOCKET, SO_ERROR);
}

static inline int poll_for(int fd, int events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, ms) == 1 ? pfd.revents : 0;
}

/* what poll shows, once one of @awaited is there (or 2 s have passed) */
static inline void note_poll(struct play *p, const char *what, int fd, int awaited)
{
	if (awaited)
		poll_for(fd, awaited, 2000);
	note(p, "%s: poll %x\n", what,
	     poll_for(fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0));
}

/* notes an address without its port, which is another each time, unless it is @port */
static inline void note_address(struct play *p, const char *what, const struct sockaddr_storage *ss,
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

static inline void note_name(struct play *p, const char *what, int fd, int port)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);

	if (!call(p, what, getsockname(fd, (void *)&ss, &len)))
		note_address(p, what, &ss, len, port);
}

static inline void note_peer(struct play *p, const char *what, int fd, int port)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);

	if (!call(p, what, getpeername(fd, (void *)&ss, &len)))
		note_address(p, what, &ss, len, port);
}

/* in note_recv()'s flags: nothing should be there, so it is not waited for long */
#define NONE	0x40000000

/* receives with all that recvmsg() tells; @room bytes of it */
static inline void note_recv(struct play *p, const char *what, int fd, size_t room, int flags)
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

static inline ssize_t send_with(int fd, int level, int type, const void *data, size_t size)
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

static inline void send_int(struct play *p, int fd, const char *what, int level, int type,
			    int value)
{
	call(p, what, send_with(fd, level, type, &value, sizeof(value)));
}

/* a device that swallows all, for what is not for this host */
static const char *const play_dgram_setup[] = {
	"sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0",
	"ip link set lo up",
	"ip link add d0 type dummy",
	"ip link set d0 up",
	"ip addr add 192.0.2.1/24 brd + dev d0",
	"ip addr add 2001:db8::1/64 dev d0 nodad",
	NULL,
};

#endif /* HAUL_PLAY_DGRAM_H */
