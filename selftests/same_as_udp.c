// SPDX-License-Identifier: GPL-2.0
/*
 * Situations that a program can get a datagram socket into by binding, connecting and sending, each
 * played over UDP and over Haul (play.h). same_as_udp_recv.c and same_as_udp_ip.c have the rest.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>

#include "play_dgram.h"

static volatile sig_atomic_t sigpipes;

static void on_sigpipe(int sig)
{
	sigpipes++;
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
	set(p, fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
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

static const struct situation situations[] = {
	SITUATION(bind__errors), SITUATION(bind__conflicts), SITUATION(bind__reuseport),
	SITUATION(bind__device), SITUATION(bind__multicast),
	SITUATION(bind__both_versions), SITUATION(connect__and_names),
	SITUATION(connect__errors), SITUATION(connect__any_is_this_host),
	SITUATION(connect__again), SITUATION(connect__unspec_dissolves),
	SITUATION(connect__filters), SITUATION(connect__comes_first),
	SITUATION(connect__address_before_any), SITUATION(send__unconnected),
	SITUATION(send__sizes), SITUATION(send__shut), SITUATION(send__refused),
	SITUATION(send__error_queue), SITUATION(send__too_big_is_told),
	SITUATION(send__dontfrag), SITUATION(send__corked), SITUATION(send__cork_option),
	SITUATION(send__probe), SITUATION(send__many), SITUATION(send__broadcast),
	SITUATION(send__odd_calls),
};

int main(void)
{
	signal(SIGPIPE, on_sigpipe);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_dgram_setup);
}
