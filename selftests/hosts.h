/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the functional tests in C start from: two hosts (network namespaces) with a cable between
 * them, both held by one process, since a socket stays in the namespace that it was made in.
 *
 *	HOSTS_FIXTURE(close);			each case once over IPv4, once over IPv6
 *	TEST_F(close, half)
 *	{
 *		struct pair p = connected(variant->family);
 *		...				p.client is on host near, p.server on host far
 *	}
 *
 * What must work for a test to make sense is checked here and ends it: die().
 * HELPER_PROTOCOL=0 in the environment uses TCP, to try a test itself.
 */
#ifndef HAUL_HOSTS_H
#define HAUL_HOSTS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/haul.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "families.h"

#define NEAR4	"192.0.2.1"
#define FAR4	"192.0.2.2"
#define NEAR6	"2001:db8::1"
#define FAR6	"2001:db8::2"
#define PORT	7000
#define SECOND	1000000ULL		/* times are in microseconds */
#define MS	1000ULL

/* both IP versions, two hosts up */
#define HOSTS_FIXTURE(name)						\
	FIXTURE(name) {							\
		char nothing;						\
	};								\
	FAMILIES(name);							\
	FIXTURE_SETUP(name)						\
	{								\
		hosts_up();						\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
	}								\
	struct name##_needs_a_semicolon

struct pair {
	int listener;
	int client;
	int server;
};

/* the namespaces, as file descriptors */
static int near_host __attribute__((unused)), far_host __attribute__((unused));

__attribute__((format(printf, 1, 2), noreturn))
static inline void die(const char *format, ...)
{
	int err = errno;
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" (%s)\n", strerror(err));
	fflush(stdout);
	_exit(1);
}

/* --- time --- */

static inline uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec / 1000;
}

/* where the passing of time is the subject, or between two looks at something awaited */
static inline void pause_us(uint64_t us)
{
	struct timespec ts = { .tv_sec = us / SECOND, .tv_nsec = us % SECOND * 1000 };

	while (nanosleep(&ts, &ts))
		;
}

/* polls until the condition holds, for 10 s at most; says whether it does */
#define wait_until(condition)						\
({									\
	uint64_t give_up_ = now_us() + 10 * SECOND;			\
	bool got_;							\
									\
	while (!(got_ = (condition)) && now_us() < give_up_)		\
		pause_us(2 * MS);					\
	got_;								\
})

/* --- hosts --- */

static inline void go_to(int host)
{
	if (setns(host, CLONE_NEWNET))
		die("setns");
}

/* a command, on the host where the caller is */
__attribute__((format(printf, 1, 2)))
static inline void run(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		die("failed: %s", command);
}

/* the same on another host */
#define run_at(host, ...)						\
do {									\
	int here_ = here();						\
									\
	go_to(host);							\
	run(__VA_ARGS__);						\
	go_to(here_);							\
	close(here_);							\
} while (0)

static inline int here(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/thread-self/ns/net");
	return fd;
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

/* a new namespace, in which the caller then is; IPv6 addresses are usable at once */
static inline int new_host(void)
{
	if (unshare(CLONE_NEWNET))
		die("unshare: run as root");
	write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	return here();
}

/* one end of a cable: an interface with an address of each version */
struct end {
	int host;
	const char *dev, *v4, *v6;
};

/* Neighbours are set by hand, so that a host which hears nothing still sends. */
static inline void end_up(const struct end *e, const struct end *peer, int mac, int peer_mac)
{
	char lladdr[80];

	go_to(e->host);
	snprintf(lladdr, sizeof(lladdr), "dev %s lladdr 02:00:00:00:00:%02x nud permanent",
		 e->dev, peer_mac);
	run("(echo link set lo up; echo link set %s address 02:00:00:00:00:%02x;"
	    "echo addr add %s/24 dev %s; echo addr add %s/64 dev %s nodad; echo link set %s up;"
	    "echo neigh replace %s %s; echo neigh replace %s %s) | ip -batch -",
	    e->dev, mac, e->v4, e->dev, e->v6, e->dev, e->dev, peer->v4, lladdr, peer->v6, lladdr);
	/* for deaf(): made here, since making it empties the device's queue */
	run("tc qdisc add dev %s clsact", e->dev);
}

static inline void cable(const struct end *a, const struct end *b)
{
	go_to(a->host);
	run("ip link add %s type veth peer name %s netns /proc/%d/fd/%d", a->dev, b->dev, getpid(),
	    b->host);
	end_up(a, b, 1, 2);
	end_up(b, a, 2, 1);
}

static inline struct sockaddr_in6 address(const char *text, int port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in *sin = (void *)&sin6;

	if (inet_pton(AF_INET6, text, &sin6.sin6_addr) == 1)
		return sin6;
	memset(&sin6, 0, sizeof(sin6));
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	if (inet_pton(AF_INET, text, &sin->sin_addr) != 1)
		die("no address: %s", text);
	return sin6;
}

/* sends UDP datagrams there until one has come to @rx */
static inline void send_until_one_comes(int rx, int from, const struct sockaddr_in6 *to)
{
	struct pollfd pfd = { .fd = rx, .events = POLLIN };
	int tx, i;

	go_to(from);
	tx = socket(to->sin6_family, SOCK_DGRAM, 0);
	for (i = 0; i < 1000; i++) {
		sendto(tx, "x", 1, 0, (void *)to, sizeof(*to));
		if (poll(&pfd, 1, 10) == 1)
			break;
	}
	if (i == 1000)
		die("the other host is not reached");
	close(tx);
}

/* a UDP datagram finds its way from one host to the other; which takes a while after "up" */
static inline void wait_for_path(int from, int to, const char *text)
{
	struct sockaddr_in6 sin6 = address(text, 9);
	int rx;

	go_to(to);
	rx = socket(sin6.sin6_family, SOCK_DGRAM, 0);
	if (bind(rx, (void *)&sin6, sizeof(sin6)))
		die("bind %s", text);
	send_until_one_comes(rx, from, &sin6);
	close(rx);
}

/* near and far, joined, reachable; the caller is on near */
static inline void hosts_up(void)
{
	struct end near = { .dev = "near0", .v4 = NEAR4, .v6 = NEAR6 };
	struct end far = { .dev = "far0", .v4 = FAR4, .v6 = FAR6 };

	signal(SIGPIPE, SIG_IGN);
	near_host = new_host();
	far_host = new_host();
	near.host = near_host;
	far.host = far_host;
	cable(&near, &far);
	wait_for_path(near_host, far_host, FAR4);
	wait_for_path(near_host, far_host, FAR6);
}

static inline const char *near_address(int family)
{
	return family == AF_INET ? NEAR4 : NEAR6;
}

static inline const char *far_address(int family)
{
	return family == AF_INET ? FAR4 : FAR6;
}

/* --- the cable's qualities --- */

/* both ends get these qualities (netem's words) instead of the ones they had */
static inline void link_set(const char *netem)
{
	run_at(near_host, "tc qdisc replace dev near0 root netem limit 100000 %s", netem);
	run_at(far_host, "tc qdisc replace dev far0 root netem limit 100000 %s", netem);
}

/*
 * single segments on the wire, as between two machines, and in the queue in front of it: nothing
 * cuts or merges them on the way. For connections made afterwards.
 */
static inline void single_segments(void)
{
	const char *off = "tso off gso off gro off tx-sctp-segmentation off";

	run_at(near_host, "ethtool -K near0 %s >/dev/null", off);
	run_at(far_host, "ethtool -K far0 %s >/dev/null", off);
	run_at(near_host, "ip link set near0 gso_max_segs 1");
	run_at(far_host, "ip link set far0 gso_max_segs 1");
}

/* nothing arrives on that host any more, though it is sent and can be captured; or it does again */
static inline void deaf(int host, bool on)
{
	const char *dev = host == near_host ? "near0" : "far0";

	if (on)
		run_at(host, "tc filter add dev %s ingress matchall action drop", dev);
	else
		run_at(host, "tc filter del dev %s ingress", dev);
}

static inline void cut(bool on)
{
	deaf(near_host, on);
	deaf(far_host, on);
}

/* --- settings and counters of the module --- */

static inline bool over_tcp(void)
{
	const char *text = getenv("HELPER_PROTOCOL");

	return text && !atoi(text);
}

static inline int sysctl_write(int host, const char *name, const char *value)
{
	char path[128];
	int fd, err = 0, old = here();

	go_to(host);
	snprintf(path, sizeof(path), "/proc/sys/net/haul/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	go_to(old);
	close(old);
	return err;
}

static inline void setting(int host, const char *name, long value)
{
	char text[32];

	if (over_tcp())
		return;
	snprintf(text, sizeof(text), "%ld", value);
	errno = sysctl_write(host, name, text);
	if (errno)
		die("net.haul.%s = %ld", name, value);
}

/* the number that @format finds first in a line of a file */
static inline long line_of(const char *path, const char *format)
{
	char line[512];
	long value = -1;
	FILE *file = fopen(path, "r");

	while (file && value < 0 && fgets(line, sizeof(line), file))
		sscanf(line, format, &value);
	if (value < 0)
		die("%s", path);
	fclose(file);
	return value;
}

/* the file's two lines: names, values */
static inline long counter_in(char *names, char *values, const char *name)
{
	char *at_names, *at_values, *n, *v;

	n = strtok_r(names, " \n", &at_names);
	v = strtok_r(values, " \n", &at_values);
	while (n && v && strcmp(n, name)) {
		n = strtok_r(NULL, " \n", &at_names);
		v = strtok_r(NULL, " \n", &at_values);
	}
	return n && v ? atol(v) : -1;
}

/* what /proc/net/haul/snmp of that host says now */
static inline long counter(int host, const char *name)
{
	static char names[8192], values[8192];
	long value = -1;
	FILE *file;
	int old;

	if (over_tcp())
		return 0;
	old = here();
	go_to(host);
	file = fopen("/proc/thread-self/net/haul/snmp", "r");
	if (!file)
		die("/proc/net/haul/snmp");
	while (value < 0 && fgets(names, sizeof(names), file) &&
	       fgets(values, sizeof(values), file))
		value = counter_in(names, values, name);
	fclose(file);
	go_to(old);
	close(old);
	if (value < 0)
		die("no counter %s", name);
	return value;
}

/* --- sockets --- */

static inline int socket_at(int host, int family, int type)
{
	int fd, old = here();

	go_to(host);
	fd = socket(family, type, over_tcp() ? 0 : IPPROTO_HAUL);
	if (fd < 0)
		die("socket: is the module loaded?");
	go_to(old);
	close(old);
	return fd;
}

static inline int stream(int host, int family)
{
	return socket_at(host, family, SOCK_STREAM);
}

static inline void option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level == SOL_HAUL && over_tcp() ? IPPROTO_TCP : level, name,
		       &value, sizeof(value)))
		die("setsockopt %d, %d = %d", level, name, value);
}

static inline int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level == SOL_HAUL && over_tcp() ? IPPROTO_TCP : level, name,
		       &value, &len))
		die("getsockopt %d, %d", level, name);
	return value;
}

static inline void nonblocking(int fd, bool on)
{
	fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0);
}

static inline int bind_to(int fd, const char *text, int port)
{
	struct sockaddr_in6 sin6 = address(text, port);

	return bind(fd, (void *)&sin6, sizeof(sin6));
}

static inline int connect_to(int fd, const char *text, int port)
{
	struct sockaddr_in6 sin6 = address(text, port);

	return connect(fd, (void *)&sin6, sizeof(sin6));
}

static inline int port_of(int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (getsockname(fd, (void *)&sin6, &len))
		die("getsockname");
	return ntohs(sin6.sin6_port);		/* the same place in both families */
}

static inline int listener_of(int type, int host, const char *text, int port, int backlog)
{
	int fd = socket_at(host, address(text, port).sin6_family, type);

	option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind_to(fd, text, port) || listen(fd, backlog))
		die("listen on %s %d", text, port);
	return fd;
}

static inline int listener_at(int host, const char *text, int port, int backlog)
{
	return listener_of(SOCK_STREAM, host, text, port, backlog);
}

/* a listener on far */
static inline int listening(int family)
{
	return listener_at(far_host, family == AF_INET ? "0.0.0.0" : "::", PORT, 128);
}

/* takes the next connection, waiting for 10 s at most */
static inline int accepted(int listener)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };
	int fd;

	if (poll(&pfd, 1, 10000) != 1)
		die("nobody to accept");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	return fd;
}

/* a socket to a listener that is reached at @text */
static inline struct pair joined(int listener, int client, const char *text)
{
	struct pair p = { .listener = listener, .client = client };

	if (connect_to(client, text, port_of(listener)))
		die("connect to %s", text);
	p.server = accepted(listener);
	return p;
}

/* near's socket (made by the caller) to far's listener */
static inline struct pair connected_with(int family, int listener, int client)
{
	return joined(listener, client, far_address(family));
}

static inline struct pair connected(int family)
{
	return connected_with(family, listening(family), stream(near_host, family));
}

/* the same with sockets of that type */
static inline struct pair connected_of(int type, int family)
{
	const char *any = family == AF_INET ? "0.0.0.0" : "::";

	return connected_with(family, listener_of(type, far_host, any, PORT, 128),
			      socket_at(near_host, family, type));
}

static inline void done(struct pair *p)
{
	close(p->client);
	close(p->server);
	close(p->listener);
}

static inline struct haul_info info_of(int fd)
{
	struct haul_info info = { };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_HAUL, HAUL_INFO, &info, &len))
		die("HAUL_INFO");
	return info;
}

static inline int state_of(int fd)
{
	return info_of(fd).state;
}

static inline int error_of(int fd)
{
	return option_of(fd, SOL_SOCKET, SO_ERROR);
}

/* waits until poll shows one of @events, an error or the end; what it showed, 0 for a timeout */
static inline int poll_for(int fd, int events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, ms) == 1 ? pfd.revents : 0;
}

/* --- bytes --- */

/* the byte at that place of every stream in these tests: no two stretches look alike */
static inline uint8_t byte_at(uint64_t place)
{
	uint64_t x = (place + 1) * 0x9E3779B97F4A7C15ULL;

	return (x ^ x >> 29) >> 32;
}

struct flow {
	int from, to;
	uint64_t sent, received;
};

/* sends what goes without blocking, up to @end in all, @most at once; how much went */
static inline ssize_t flow_send(struct flow *f, uint64_t end, size_t most)
{
	static uint8_t buf[65536];
	ssize_t n;
	size_t i;

	if (most > sizeof(buf))
		most = sizeof(buf);
	if (most > end - f->sent)
		most = end - f->sent;
	for (i = 0; i < most; i++)
		buf[i] = byte_at(f->sent + i);
	n = most ? send(f->from, buf, most, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
	if (n < 0 && errno != EAGAIN)
		die("send after %llu bytes", (unsigned long long)f->sent);
	f->sent += n > 0 ? n : 0;
	return n > 0 ? n : 0;
}

/* reads and compares what is there, @most at once; how much it was */
static inline ssize_t flow_receive(struct flow *f, size_t most)
{
	static uint8_t buf[65536];
	ssize_t n, i;

	if (most > sizeof(buf))
		most = sizeof(buf);
	n = recv(f->to, buf, most, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		die("recv after %llu bytes", (unsigned long long)f->received);
	if (n == 0)
		die("end of file after %llu bytes", (unsigned long long)f->received);
	for (i = 0; i < n; i++)
		if (buf[i] != byte_at(f->received + i))
			die("wrong byte at %llu", (unsigned long long)f->received + i);
	f->received += n > 0 ? n : 0;
	return n > 0 ? n : 0;
}

/* until @end bytes have been sent and received */
static inline void flow_run(struct flow *f, uint64_t end, size_t write_size, size_t read_size)
{
	while (f->received < end) {
		struct pollfd pfds[2] = {
			{ .fd = f->to, .events = POLLIN },
			{ .fd = f->from, .events = f->sent < end ? POLLOUT : 0 },
		};

		if (poll(pfds, 2, 60000) <= 0)
			die("nothing moves: %llu sent, %llu received",
			    (unsigned long long)f->sent, (unsigned long long)f->received);
		flow_send(f, end, write_size);
		flow_receive(f, read_size);
	}
}

/* a known number of bytes from one socket to the other */
static inline void transfer(int from, int to, uint64_t bytes)
{
	struct flow f = { .from = from, .to = to };

	flow_run(&f, bytes, 65536, 65536);
}

/* fills all buffers on the way; how many bytes that took */
static inline void flow_fill(struct flow *f)
{
	while (flow_send(f, ~0ULL, 65536))
		;
}

#endif /* HAUL_HOSTS_H */
