// SPDX-License-Identifier: GPL-2.0
/*
 * Datagram sockets and the IP layer: control messages, IP options, timestamps and multicast groups,
 * each situation played over UDP and over Haul (play.h).
 */
#define _GNU_SOURCE
#include <time.h>

#include "play_dgram.h"

/* ---------------------------------------------------------------- control messages */

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

/* ---------------------------------------------------------------- timestamps */

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

static const struct situation situations[] = {
	SITUATION(control__received), SITUATION(control__errors),
	SITUATION(control__source), SITUATION(control__ip_options),
	SITUATION(timestamps__received), SITUATION(timestamps__sent),
	SITUATION(group__join_and_leave), SITUATION(group__sources),
	SITUATION(group__all_members),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_dgram_setup);
}
