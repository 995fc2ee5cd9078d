// SPDX-License-Identifier: GPL-2.0
/*
 * haulrun.so: stands before the C library in a program that haulrun has started, and makes its
 * stream sockets Haul's. As their addresses are the ordinary ones, socket() is all that needs to be
 * changed; and getsockopt(SO_PROTOCOL), for programs that ask, and MSG_OOB, which Haul has not.
 *
 * Where the choice hangs on a role (--only-listen, --only-connect) or a port, socket() makes TCP's
 * and bind(), listen(), connect() choose: convert.c puts the other kind in its place. A note for
 * each descriptor tells which sockets are ours to choose for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <linux/haul.h>

#include "haulrun.h"

#define HOOK __attribute__((visibility("default")))

#define SOCKET_TYPE_MASK 0xf	/* the kernel's SOCK_TYPE_MASK */
#define NOTES 65536		/* descriptors that a choice can be put off for */

enum role { ROLE_LISTEN, ROLE_CONNECT };

/* How the launcher wants it; read once. */
static struct {
	int		protocol;
	bool		dgram;
	bool		only_listen;
	bool		only_connect;
	bool		fallback;
	bool		deferred;	/* the choice is made after socket() */
	bool		take_set;
	struct ports	take;
	struct ports	leave;
	const char	*trace;		/* NULL: none, "": stderr */
} config;

struct calls real;
static int (*real_listen)(int fd, int backlog);
static int (*real_connect)(int fd, const struct sockaddr *addr, socklen_t len);
static int (*real_epoll_ctl)(int epfd, int op, int fd, struct epoll_event *event);
static ssize_t (*real_send)(int fd, const void *buf, size_t size, int flags);
static ssize_t (*real_sendto)(int fd, const void *buf, size_t size, int flags,
			      const struct sockaddr *addr, socklen_t len);
static ssize_t (*real_sendmsg)(int fd, const struct msghdr *msg, int flags);
static int (*real_sendmmsg)(int fd, struct mmsghdr *msgs, unsigned int count, int flags);
static int (*real_setsockopt)(int fd, int level, int name, const void *val, socklen_t len);

/*
 * A socket that a choice may be made for. A program that uses one in two threads before it is
 * connected or listens has no order of its own either, so there is no lock.
 */
static struct note {
	bool			ours;
	bool			port_given;	/* by the program, to bind() */
	bool			watched;	/* by @epfd: an epoll forgets a replaced socket */
	int			epfd;
	struct epoll_event	event;
} notes[NOTES];

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---------------------------------------------------------------- setting up */

/* is the word in the launcher's list? */
static bool flag(const char *word)
{
	const char *at = getenv(HAULRUN_ENV_FLAGS);
	size_t len = strlen(word), span;

	while (at && *at) {
		span = strcspn(at, ",");
		if (span == len && !strncmp(at, word, len))
			return true;
		at += span + (at[span] == ',');
	}
	return false;
}

static void start_once(void)
{
	const char *protocol = getenv(HAULRUN_ENV_PROTOCOL);
	const char *take = getenv(HAULRUN_ENV_PORTS), *leave = getenv(HAULRUN_ENV_NOT_PORTS);

	real.socket = dlsym(RTLD_NEXT, "socket");
	real.bind = dlsym(RTLD_NEXT, "bind");
	real.getsockopt = dlsym(RTLD_NEXT, "getsockopt");
	real_listen = dlsym(RTLD_NEXT, "listen");
	real_connect = dlsym(RTLD_NEXT, "connect");
	real_epoll_ctl = dlsym(RTLD_NEXT, "epoll_ctl");
	real_send = dlsym(RTLD_NEXT, "send");
	real_sendto = dlsym(RTLD_NEXT, "sendto");
	real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	real_sendmmsg = dlsym(RTLD_NEXT, "sendmmsg");
	real_setsockopt = dlsym(RTLD_NEXT, "setsockopt");

	/* 0: nobody has told what to do, so nothing is done */
	config.protocol = protocol ? atoi(protocol) : 0;
	config.dgram = flag(HAULRUN_FLAG_DGRAM);
	config.only_listen = flag(HAULRUN_FLAG_ONLY_LISTEN);
	config.only_connect = flag(HAULRUN_FLAG_ONLY_CONNECT);
	config.fallback = flag(HAULRUN_FLAG_FALLBACK);
	config.take_set = take && !ports_parse(&config.take, take);
	if (leave && ports_parse(&config.leave, leave))
		leave = NULL;
	config.deferred = config.only_listen || config.only_connect || config.take_set || leave;
	config.trace = getenv(HAULRUN_ENV_TRACE);
}

/* Other libraries' constructors may call before ours would. */
static void start(void)
{
	pthread_once(&once, start_once);
}

/* A line for --trace; errno stays. The file is opened anew: daemons close what they don't know. */
void trace(const char *format, ...)
{
	int saved = errno, fd = STDERR_FILENO, len;
	char line[512];
	va_list args;

	if (!config.trace)
		return;
	len = snprintf(line, sizeof(line), "haulrun[%d]: ", (int)getpid());
	va_start(args, format);
	len += vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (*config.trace)
		fd = open(config.trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0 && write(fd, line, len) < 0)
		errno = 0; /* nobody is there to be told */
	if (*config.trace && fd >= 0)
		close(fd);
	errno = saved;
}

/* ---------------------------------------------------------------- what is ours */

/* the kernel's protocol of a socket that can be Haul's, or 0 */
static int plain_protocol(int type)
{
	switch (type & SOCKET_TYPE_MASK) {
	case SOCK_STREAM:
		return IPPROTO_TCP;
	case SOCK_DGRAM:
		return config.dgram ? IPPROTO_UDP : 0;
	default:
		return 0;
	}
}

static bool is_ours(int domain, int type, int protocol)
{
	int plain = plain_protocol(type);

	return config.protocol && plain && (domain == AF_INET || domain == AF_INET6) &&
	       (protocol == 0 || protocol == plain);
}

static struct note *note_of(int fd)
{
	return fd >= 0 && fd < NOTES ? &notes[fd] : NULL;
}

/* a socket was made: what was known of its number is of the past */
static void note_socket(int fd, bool ours)
{
	struct note *note = note_of(fd);

	if (note)
		*note = (struct note){ .ours = ours };
}

/* The kernel has no such protocol: the module is not there. */
static bool is_missing(int err)
{
	return err == EPROTONOSUPPORT || err == ESOCKTNOSUPPORT;
}

static int haul_socket(int domain, int type, int protocol)
{
	int fd = real.socket(domain, type, config.protocol);
	const char *how = "Haul";

	if (fd < 0 && config.fallback && is_missing(errno)) {
		fd = real.socket(domain, type, protocol);
		how = "the kernel's, for it has no Haul";
	}
	if (fd < 0)
		how = strerror(errno);
	trace("socket(%s, %s) = %d: %s", domain == AF_INET ? "AF_INET" : "AF_INET6",
	      plain_protocol(type) == IPPROTO_TCP ? "SOCK_STREAM" : "SOCK_DGRAM", fd, how);
	return fd;
}

/* ---------------------------------------------------------------- the choice */

static bool is_wanted(enum role role, unsigned int port)
{
	if (role == ROLE_LISTEN ? config.only_connect : config.only_listen)
		return false;
	if (config.take_set && !ports_has(&config.take, port))
		return false;
	return !ports_has(&config.leave, port);
}

/* an integer of SOL_SOCKET, -1: none */
static int socket_integer(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value;

	return real.getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

/* The descriptor may be another file than the note is about: asks the kernel. */
static bool is_untouched(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int domain = socket_integer(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && !socket_integer(fd, SO_ACCEPTCONN) &&
	       getpeername(fd, (struct sockaddr *)&peer, &len) && errno == ENOTCONN;
}

/*
 * Makes the socket what is wanted for this role and port. 0, or -1 with errno: it should be Haul's
 * and can't.
 */
static int choose(int fd, enum role role, unsigned int port)
{
	struct note *note = note_of(fd);
	bool wanted = is_wanted(role, port);
	int now, want;

	if (!note || !note->ours || !is_untouched(fd))
		return 0;
	now = socket_integer(fd, SO_PROTOCOL);
	want = wanted ? config.protocol : plain_protocol(socket_integer(fd, SO_TYPE));
	trace("fd %d: %s port %u: %s", fd, role == ROLE_LISTEN ? "at" : "to", port,
	      wanted ? "Haul" : "the kernel's");
	if (now == want)
		return 0;
	if (convert(fd, want, note->port_given))
		return config.fallback && is_missing(errno) ? 0 : -1;
	if (note->watched)
		note->watched = !real_epoll_ctl(note->epfd, EPOLL_CTL_ADD, fd, &note->event);
	return 0;
}

/* the port of an internet address, or 0 */
static unsigned int port_of(const struct sockaddr *addr, socklen_t len)
{
	if (addr && addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in))
		return ntohs(((const struct sockaddr_in *)addr)->sin_port);
	/* without a scope it is RFC 2133's, which the kernel takes too */
	if (addr && addr->sa_family == AF_INET6 &&
	    len >= offsetof(struct sockaddr_in6, sin6_scope_id))
		return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
	return 0;
}

static unsigned int local_port(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		return 0;
	return port_of((struct sockaddr *)&addr, len);
}

/*
 * Something is sent to @addr without connect(): by TCP only with MSG_FASTOPEN. Datagrams are a
 * client's only from a socket that has no port yet; one that has may be a server that answers.
 */
static int choose_by_sending(int fd, int flags, const struct sockaddr *addr, socklen_t len)
{
	struct note *note = note_of(fd);
	unsigned int port = port_of(addr, len);

	start();
	if (!config.deferred || !port || !note || !note->ours)
		return 0;
	if (!(flags & MSG_FASTOPEN) &&
	    (socket_integer(fd, SO_TYPE) != SOCK_DGRAM || local_port(fd)))
		return 0;
	return choose(fd, ROLE_CONNECT, port);
}

/*
 * Haul has no urgent data and refused to send some: then it goes as the rest does, which is what
 * a peer with SO_OOBINLINE sees (RFC 6093 5 wants that of all), or one behind a firewall that
 * clears URG. True: to be sent with what @flags are now.
 */
static bool goes_inline(int fd, ssize_t rc, int *flags)
{
	if (rc >= 0 || errno != EOPNOTSUPP || !(*flags & MSG_OOB) || !config.protocol ||
	    socket_integer(fd, SO_PROTOCOL) != config.protocol ||
	    socket_integer(fd, SO_TYPE) != SOCK_STREAM)
		return false;
	trace("fd %d: urgent data goes as the rest does", fd);
	*flags &= ~MSG_OOB;
	return true;
}

/* ---------------------------------------------------------------- the hooks */

/* The C library declares addresses as a union of pointers; a definition must, too. */

HOOK int socket(int domain, int type, int protocol)
{
	int fd;

	start();
	if (is_ours(domain, type, protocol) && !config.deferred)
		return haul_socket(domain, type, protocol);
	fd = real.socket(domain, type, protocol);
	note_socket(fd, is_ours(domain, type, protocol));
	return fd;
}

/* A socket that is bound to a port will probably listen; if not, connect() thinks again. */
HOOK int bind(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	const struct sockaddr *addr = to.__sockaddr__;
	unsigned int port = port_of(addr, len);

	start();
	if (config.deferred && port) {
		if (choose(fd, ROLE_LISTEN, port))
			return -1;
		if (note_of(fd))
			note_of(fd)->port_given = true;
	}
	return real.bind(fd, addr, len);
}

HOOK int listen(int fd, int backlog)
{
	start();
	if (config.deferred && choose(fd, ROLE_LISTEN, local_port(fd)))
		return -1;
	return real_listen(fd, backlog);
}

HOOK int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	const struct sockaddr *addr = to.__sockaddr__;
	unsigned int port = port_of(addr, len);

	start();
	if (config.deferred && port && choose(fd, ROLE_CONNECT, port))
		return -1;
	return real_connect(fd, addr, len);
}

HOOK ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	ssize_t rc;

	start();
	rc = real_send(fd, buf, size, flags);
	return goes_inline(fd, rc, &flags) ? real_send(fd, buf, size, flags) : rc;
}

HOOK ssize_t sendto(int fd, const void *buf, size_t size, int flags, __CONST_SOCKADDR_ARG to,
		    socklen_t len)
{
	const struct sockaddr *addr = to.__sockaddr__;
	ssize_t rc;

	if (choose_by_sending(fd, flags, addr, len))
		return -1;
	rc = real_sendto(fd, buf, size, flags, addr, len);
	return goes_inline(fd, rc, &flags) ? real_sendto(fd, buf, size, flags, addr, len) : rc;
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t rc;

	if (msg && choose_by_sending(fd, flags, msg->msg_name, msg->msg_namelen))
		return -1;
	rc = real_sendmsg(fd, msg, flags);
	return goes_inline(fd, rc, &flags) ? real_sendmsg(fd, msg, flags) : rc;
}

HOOK int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	const struct msghdr *first = count ? &msgs->msg_hdr : NULL;
	int rc;

	if (first && choose_by_sending(fd, flags, first->msg_name, first->msg_namelen))
		return -1;
	rc = real_sendmmsg(fd, msgs, count, flags);
	return goes_inline(fd, rc, &flags) ? real_sendmmsg(fd, msgs, count, flags) : rc;
}

HOOK int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct note *note = note_of(fd);
	int rc;

	start();
	rc = real_epoll_ctl(epfd, op, fd, event);
	if (!rc && note && note->ours) {
		note->watched = op != EPOLL_CTL_DEL;
		note->epfd = epfd;
		if (event)
			note->event = *event;
	}
	return rc;
}

/* A kernel that knows no SO_ZEROCOPY for Haul's sockets (6.1) is asked for Haul's own. */
HOOK int setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	int rc;

	start();
	rc = real_setsockopt(fd, level, name, val, len);
	if (!rc || errno != EOPNOTSUPP || level != SOL_SOCKET || name != SO_ZEROCOPY ||
	    !config.protocol || socket_integer(fd, SO_PROTOCOL) != config.protocol)
		return rc;
	rc = real_setsockopt(fd, SOL_HAUL, HAUL_ZEROCOPY, val, len);
	trace("fd %d: SO_ZEROCOPY as HAUL_ZEROCOPY: %s", fd, rc ? strerror(errno) : "set");
	return rc;
}

/* Who asks for the protocol wants to know whether it is TCP (or UDP): by all it can see, it is. */
HOOK int getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	int rc, protocol;

	start();
	rc = real.getsockopt(fd, level, name, val, len);
	if (rc || level != SOL_SOCKET || name != SO_PROTOCOL || *len != sizeof(int))
		return rc;
	memcpy(&protocol, val, sizeof(protocol));
	if (config.protocol && protocol == config.protocol) {
		protocol = socket_integer(fd, SO_TYPE) == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
		memcpy(val, &protocol, sizeof(protocol));
	}
	return 0;
}
