// SPDX-License-Identifier: GPL-2.0
/*
 * haulrun: another socket in a socket's place. When the choice between Haul and TCP hangs on what a
 * program does with a socket, it is made after socket(): a new one is made, given what the program
 * has set so far, and put over the old one's descriptor.
 *
 * What the program has set is what differs from a fresh socket of the old kind: so nothing needs to
 * be recorded, and defaults, which differ between protocols, stay the new socket's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/haul.h>

#include "haulrun.h"

#define OPTION_MAX 64

/* an option that goes with a socket */
struct carried {
	int	level;
	int	name;
	size_t	size;
	bool	doubled;	/* getsockopt() answers twice what was set */
};

#define CARRIED(level, name)	{ level, name, sizeof(int), false }

static const struct carried carried[] = {
	CARRIED(SOL_SOCKET, SO_REUSEADDR),
	CARRIED(SOL_SOCKET, SO_REUSEPORT),
	CARRIED(SOL_SOCKET, SO_KEEPALIVE),
	CARRIED(SOL_SOCKET, SO_BROADCAST),
	CARRIED(SOL_SOCKET, SO_DONTROUTE),
	CARRIED(SOL_SOCKET, SO_OOBINLINE),
	CARRIED(SOL_SOCKET, SO_NO_CHECK),
	CARRIED(SOL_SOCKET, SO_PRIORITY),
	CARRIED(SOL_SOCKET, SO_MARK),
	CARRIED(SOL_SOCKET, SO_RCVLOWAT),
	CARRIED(SOL_SOCKET, SO_INCOMING_CPU),
	CARRIED(SOL_SOCKET, SO_BUSY_POLL),
	CARRIED(SOL_SOCKET, SO_TIMESTAMP),
	CARRIED(SOL_SOCKET, SO_TIMESTAMPNS),
	CARRIED(SOL_SOCKET, SO_TIMESTAMPING),
	CARRIED(SOL_SOCKET, SO_RXQ_OVFL),
	CARRIED(SOL_SOCKET, SO_PEEK_OFF),
	CARRIED(SOL_SOCKET, SO_ZEROCOPY),
	{ SOL_SOCKET, SO_SNDBUF, sizeof(int), true },
	{ SOL_SOCKET, SO_RCVBUF, sizeof(int), true },
	{ SOL_SOCKET, SO_LINGER, sizeof(struct linger), false },
	{ SOL_SOCKET, SO_SNDTIMEO, sizeof(struct timeval), false },
	{ SOL_SOCKET, SO_RCVTIMEO, sizeof(struct timeval), false },
	{ SOL_SOCKET, SO_MAX_PACING_RATE, sizeof(uint64_t), false },
	{ SOL_SOCKET, SO_BINDTODEVICE, IFNAMSIZ, false },
	CARRIED(IPPROTO_IP, IP_TOS),
	CARRIED(IPPROTO_IP, IP_TTL),
	CARRIED(IPPROTO_IP, IP_MINTTL),
	CARRIED(IPPROTO_IP, IP_MTU_DISCOVER),
	CARRIED(IPPROTO_IP, IP_RECVERR),
	CARRIED(IPPROTO_IP, IP_PKTINFO),
	CARRIED(IPPROTO_IP, IP_RECVTOS),
	CARRIED(IPPROTO_IP, IP_RECVTTL),
	CARRIED(IPPROTO_IP, IP_FREEBIND),
	CARRIED(IPPROTO_IP, IP_TRANSPARENT),
	CARRIED(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	CARRIED(IPPROTO_IP, IP_MULTICAST_TTL),
	CARRIED(IPPROTO_IP, IP_MULTICAST_LOOP),
	CARRIED(IPPROTO_IPV6, IPV6_V6ONLY),
	CARRIED(IPPROTO_IPV6, IPV6_TCLASS),
	CARRIED(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	CARRIED(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
	CARRIED(IPPROTO_IPV6, IPV6_RECVERR),
	CARRIED(IPPROTO_IPV6, IPV6_RECVPKTINFO),
	CARRIED(IPPROTO_IPV6, IPV6_RECVTCLASS),
	CARRIED(IPPROTO_IPV6, IPV6_RECVHOPLIMIT),
	CARRIED(IPPROTO_IPV6, IPV6_FREEBIND),
	CARRIED(IPPROTO_IPV6, IPV6_TRANSPARENT),
	CARRIED(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
	CARRIED(IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
	CARRIED(IPPROTO_IPV6, IPV6_MULTICAST_IF),
	CARRIED(IPPROTO_TCP, TCP_NODELAY),
	CARRIED(IPPROTO_TCP, TCP_MAXSEG),
	CARRIED(IPPROTO_TCP, TCP_CORK),
	CARRIED(IPPROTO_TCP, TCP_KEEPIDLE),
	CARRIED(IPPROTO_TCP, TCP_KEEPINTVL),
	CARRIED(IPPROTO_TCP, TCP_KEEPCNT),
	CARRIED(IPPROTO_TCP, TCP_SYNCNT),
	CARRIED(IPPROTO_TCP, TCP_LINGER2),
	CARRIED(IPPROTO_TCP, TCP_DEFER_ACCEPT),
	CARRIED(IPPROTO_TCP, TCP_WINDOW_CLAMP),
	CARRIED(IPPROTO_TCP, TCP_USER_TIMEOUT),
	CARRIED(IPPROTO_TCP, TCP_FASTOPEN),
	CARRIED(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
	CARRIED(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
	CARRIED(IPPROTO_TCP, TCP_INQ),
	CARRIED(IPPROTO_TCP, TCP_SAVE_SYN),
	/* TCP's by these numbers, too, but the C library may not know their names yet */
	CARRIED(IPPROTO_TCP, HAUL_RTO_MAX_MS),
	CARRIED(IPPROTO_TCP, HAUL_RTO_MIN_US),
	CARRIED(IPPROTO_TCP, HAUL_DELACK_MAX_US),
	{ IPPROTO_TCP, TCP_CONGESTION, 16, false },
};

/*
 * @to gets what @from has and @fresh, of the same kind, has not. What @to refuses is left out: a
 * program that had asked it would have been told, but this one has been told that all is well.
 */
static void convert_options(int from, int fresh, int to)
{
	const struct carried *o;

	for (o = carried; o < carried + sizeof(carried) / sizeof(*o); o++) {
		char now[OPTION_MAX] = {}, then[OPTION_MAX] = {};
		socklen_t len = o->size, fresh_len = o->size;

		if (real.getsockopt(from, o->level, o->name, now, &len) ||
		    real.getsockopt(fresh, o->level, o->name, then, &fresh_len))
			continue;
		if (len == fresh_len && !memcmp(now, then, len))
			continue;
		if (o->doubled)
			*(int *)now /= 2;
		if (setsockopt(to, o->level, o->name, now, len))
			trace("fd %d: option %d of level %d stays behind: %s", from, o->name,
			      o->level, strerror(errno));
	}
}

/* O_NONBLOCK and its like, and who gets signals */
static int convert_flags(int from, int to)
{
	int flags = fcntl(from, F_GETFL), signal = fcntl(from, F_GETSIG);
	struct f_owner_ex owner;

	if (signal > 0 && fcntl(to, F_SETSIG, signal))
		return -1;
	if (!fcntl(from, F_GETOWN_EX, &owner) && owner.pid && fcntl(to, F_SETOWN_EX, &owner))
		return -1;
	return flags < 0 ? -1 : fcntl(to, F_SETFL, flags);
}

static in_port_t *convert_port(struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return &((struct sockaddr_in6 *)addr)->sin6_port;
	return &((struct sockaddr_in *)addr)->sin_port;
}

/* @to gets the local address of @from. @keep_port: the very port, for the program chose it */
static int convert_address(int from, int to, bool keep_port)
{
	static const struct in6_addr any;
	struct sockaddr_storage addr = {};
	socklen_t len = sizeof(addr);
	struct sockaddr_in6 *in6 = (void *)&addr;
	struct sockaddr_in *in = (void *)&addr;
	bool is_any;

	if (getsockname(from, (struct sockaddr *)&addr, &len))
		return -1;
	is_any = addr.ss_family == AF_INET6 ? !memcmp(&in6->sin6_addr, &any, sizeof(any)) :
					      !in->sin_addr.s_addr;
	if (is_any && !*convert_port(&addr))
		return 0;
	if (!real.bind(to, (struct sockaddr *)&addr, len))
		return 0;
	if (keep_port || errno != EADDRINUSE)
		return -1;
	*convert_port(&addr) = 0;
	return real.bind(to, (struct sockaddr *)&addr, len);
}

/* all of it but the descriptor */
static int convert_state(int from, int to, int domain, int type, bool keep_port)
{
	socklen_t len = sizeof(int);
	int fresh, protocol;

	if (real.getsockopt(from, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return -1;
	fresh = real.socket(domain, type | SOCK_CLOEXEC, protocol);
	if (fresh < 0)
		return -1;
	convert_options(from, fresh, to);
	close(fresh);
	if (convert_flags(from, to))
		return -1;
	return convert_address(from, to, keep_port);
}

/**
 * convert - puts a socket of another protocol in a socket's place
 * @fd:		a socket that is neither connected nor listening
 * @protocol:	of the new one
 * @keep_port:	its local port, if any, was chosen by the program
 *
 * Return: 0, or -1 with errno, and @fd is what it was
 */
int convert(int fd, int protocol, bool keep_port)
{
	int domain, type, to, cloexec = fcntl(fd, F_GETFD), saved;
	socklen_t len = sizeof(int);

	if (cloexec < 0 || real.getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
	    real.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
		return -1;
	to = real.socket(domain, type | SOCK_CLOEXEC, protocol);
	if (to < 0)
		return -1;
	if (convert_state(fd, to, domain, type, keep_port) ||
	    dup3(to, fd, cloexec & FD_CLOEXEC ? O_CLOEXEC : 0) < 0) {
		saved = errno;
		close(to);
		errno = saved;
		return -1;
	}
	close(to);
	return 0;
}
