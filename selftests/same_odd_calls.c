// SPDX-License-Identifier: GPL-2.0
/*
 * What socket(7) and ip(7) have beside the calls that every program makes: flags one by one,
 * control messages of all kinds, ioctls of any socket. Each is played over TCP and over Haul
 * (play.h).
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "play_stream.h"

/* the flags of socket(2)'s calls that are bits of an int; the highest is the kernel's own */
#define NUM_FLAGS	31

static void set(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

/* ------------------------------------------------------------ flags */

static void flags__of_send(struct play *p)
{
	struct pair pair = connected(p);
	char what[32], got[64];
	int i;

	/* the lowest is MSG_OOB, which parity.rows has a row for */
	for (i = 1; i < NUM_FLAGS; i++) {
		snprintf(what, sizeof(what), "send with %#x", 1 << i);
		call(p, what, send(pair.client, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL | 1 << i));
	}
	/* what MSG_MORE held goes, too */
	call(p, "send", send(pair.client, "y", 1, 0));
	shutdown(pair.client, SHUT_WR);
	call(p, "all that came", recv(pair.server, got, sizeof(got), MSG_WAITALL));
	done(&pair);
}

static void flags__of_recv(struct play *p)
{
	struct pair pair = connected(p);
	char what[32], got[8];
	int i, bytes;

	for (i = 0; i < NUM_FLAGS; i++) {
		snprintf(what, sizeof(what), "nothing, with %#x", 1 << i);
		call(p, what, recv(pair.server, got, sizeof(got), MSG_DONTWAIT | 1 << i));
		send(pair.client, "xy", 2, 0);
		wait_readable(pair.server);
		snprintf(what, sizeof(what), "two bytes, with %#x", 1 << i);
		call(p, what, recv(pair.server, got, 2, MSG_DONTWAIT | 1 << i));
		ioctl(pair.server, SIOCINQ, &bytes);
		note(p, "%d are left\n", bytes);
		while (recv(pair.server, got, sizeof(got), MSG_DONTWAIT) > 0)
			;
	}
	done(&pair);
}

/* ------------------------------------------------------------ control messages */

static void note_controls(struct play *p, const char *what, int fd)
{
	char room[512], data[8];
	struct msghdr msg = {
		.msg_control = room, .msg_controllen = sizeof(room),
		.msg_iov = &(struct iovec){ data, sizeof(data) }, .msg_iovlen = 1,
	};
	struct cmsghdr *c;

	wait_readable(fd);
	call(p, what, recvmsg(fd, &msg, 0));
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		note(p, "level %d type %d length %zu\n", c->cmsg_level, c->cmsg_type,
		     (size_t)c->cmsg_len);
	note(p, "flags %#x\n", msg.msg_flags);
}

static bool stamped(int fd)
{
	char byte, room[256];
	struct msghdr msg = {
		.msg_iov = &(struct iovec){ &byte, 1 }, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};

	if (recvmsg(fd, &msg, 0) != 1)
		err(1, "recvmsg");
	return CMSG_FIRSTHDR(&msg);
}

/*
 * The clock of packets' times is started by the kernel some time after the first socket that wants
 * them, and until then TCP has none to tell: a pair of TCP's that has been told, and wants them
 * until it is closed
 */
static struct pair clock_started(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(to);
	struct pair pair;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair.client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&to, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&to, &len) || connect(pair.client, (void *)&to, len))
		err(1, "a pair of TCP's");
	pair.server = accept(listener, NULL, NULL);
	close(listener);
	setsockopt(pair.server, SOL_SOCKET, SO_TIMESTAMP, &(int){ 1 }, sizeof(int));
	do
		send(pair.client, "x", 1, 0);
	while (!stamped(pair.server));
	return pair;
}

/* every option that has a control message come with what is received */
static void control__received(struct play *p)
{
	static const struct { int level, name, value; } options[] = {
		{ SOL_SOCKET, SO_TIMESTAMP, 1 }, { SOL_SOCKET, SO_TIMESTAMPNS, 1 },
		{ SOL_SOCKET, SO_RXQ_OVFL, 1 }, { SOL_SOCKET, SO_PASSCRED, 1 },
		{ SOL_SOCKET, SO_PASSSEC, 1 }, { SOL_SOCKET, SO_WIFI_STATUS, 1 },
		{ SOL_SOCKET, SO_RCVMARK, 1 }, { IPPROTO_IP, IP_PKTINFO, 1 },
		{ IPPROTO_IP, IP_RECVTTL, 1 }, { IPPROTO_IP, IP_RECVTOS, 1 },
		{ IPPROTO_IP, IP_RECVOPTS, 1 }, { IPPROTO_IP, IP_RETOPTS, 1 },
		{ IPPROTO_IP, IP_RECVORIGDSTADDR, 1 }, { IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
		{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1 }, { IPPROTO_IPV6, IPV6_RECVTCLASS, 1 },
		{ IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 1 },
		{ SOL_SOCKET, SO_TIMESTAMPING,
		  SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE },
	};
	struct pair clock = clock_started();
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct pair pair = connected(p);

		set(pair.server, options[i].level, options[i].name, options[i].value);
		send(pair.client, "x", 1, 0);
		note(p, "option %d at %d\n", options[i].name, options[i].level);
		note_controls(p, "recvmsg", pair.server);
		done(&pair);
	}
	done(&clock);
}

static void send_control(struct play *p, int level, int type, const void *data, size_t len)
{
	struct pair pair = connected(p);
	char room[128] = {}, what[64];
	struct msghdr msg = {
		.msg_control = room, .msg_controllen = CMSG_SPACE(len),
		.msg_iov = &(struct iovec){ "x", 1 }, .msg_iovlen = 1,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	snprintf(what, sizeof(what), "level %d type %d length %zu", level, type, len);
	call(p, what, sendmsg(pair.client, &msg, MSG_DONTWAIT));
	done(&pair);
}

static void control__sent(struct play *p)
{
	static const char zeroes[64];
	const int one = 1;
	int type;

	for (type = 0; type < 84; type++)
		send_control(p, SOL_SOCKET, type, &one, sizeof(one));
	send_control(p, SOL_SOCKET, SCM_RIGHTS, zeroes, sizeof(int));
	send_control(p, SOL_SOCKET, SCM_CREDENTIALS, zeroes, sizeof(struct ucred));
	send_control(p, SOL_SOCKET, SCM_TXTIME, zeroes, 8);
	send_control(p, IPPROTO_IP, IP_TTL, &one, sizeof(one));
	send_control(p, IPPROTO_IP, IP_TOS, &one, sizeof(one));
	send_control(p, IPPROTO_IP, IP_PKTINFO, zeroes, sizeof(struct in_pktinfo));
	send_control(p, IPPROTO_IP, 99, &one, sizeof(one));
	send_control(p, IPPROTO_IPV6, IPV6_HOPLIMIT, &one, sizeof(one));
	send_control(p, IPPROTO_IPV6, IPV6_PKTINFO, zeroes, sizeof(struct in6_pktinfo));
	send_control(p, IPPROTO_TCP, 1, &one, sizeof(one));
	send_control(p, 999, 1, &one, sizeof(one));
}

/* ------------------------------------------------------------ ioctls */

static void ioctl__owner(struct play *p)
{
	int fd = make(p), pid = getpid(), group = -getpgrp(), got = 0;

	call(p, "SIOCGPGRP", ioctl(fd, SIOCGPGRP, &got));
	note(p, "%d\n", got);
	call(p, "FIOSETOWN", ioctl(fd, FIOSETOWN, &pid));
	call(p, "FIOGETOWN", ioctl(fd, FIOGETOWN, &got));
	note(p, "%s\n", got == pid ? "mine" : "another's");
	call(p, "F_GETOWN", fcntl(fd, F_GETOWN) == pid);
	call(p, "SIOCSPGRP", ioctl(fd, SIOCSPGRP, &group));
	call(p, "SIOCGPGRP", ioctl(fd, SIOCGPGRP, &got));
	note(p, "%s\n", got == group ? "my group's" : "another's");
	got = 1 << 22;
	call(p, "nobody's", ioctl(fd, SIOCSPGRP, &got));
	call(p, "nowhere", ioctl(fd, SIOCGPGRP, NULL));
	call(p, "F_GETSIG", fcntl(fd, F_GETSIG));
	call(p, "F_SETSIG", fcntl(fd, F_SETSIG, SIGUSR1));
	call(p, "F_GETSIG", fcntl(fd, F_GETSIG));
	call(p, "no signal", fcntl(fd, F_SETSIG, 1000));
	close(fd);
}

static void ioctl__stamps(struct play *p)
{
	struct pair pair = connected(p);
	long stamp[2];

	call(p, "SIOCGSTAMP", ioctl(pair.server, SIOCGSTAMP, stamp));
	send(pair.client, "x", 1, 0);
	wait_readable(pair.server);
	call(p, "with data", ioctl(pair.server, SIOCGSTAMP, stamp));
	call(p, "recv", recv(pair.server, stamp, 1, 0));
	call(p, "after data", ioctl(pair.server, SIOCGSTAMP, stamp));
	call(p, "SIOCGSTAMPNS", ioctl(pair.server, SIOCGSTAMPNS, stamp));
	call(p, "nowhere", ioctl(pair.server, SIOCGSTAMP, NULL));
	set(pair.client, SOL_SOCKET, SO_TIMESTAMP, 1);
	call(p, "with SO_TIMESTAMP", ioctl(pair.client, SIOCGSTAMPNS, stamp));
	done(&pair);
}

static void name_ioctl(struct play *p, const char *what, int fd, unsigned long request,
		       const char *name)
{
	struct ifreq r = {};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (!call(p, what, ioctl(fd, request, &r)))
		note(p, "%d\n", r.ifr_ifindex);
}

/* netdevice(7), arp(7), routes: any socket of the family will do */
static void ioctl__interfaces(struct play *p)
{
	char room[400];
	struct ifconf conf = { .ifc_len = sizeof(room), .ifc_buf = room };
	struct ifreq r = { .ifr_ifindex = 1 };
	struct arpreq arp = {};
	int fd = make(p);

	call(p, "SIOCGIFCONF", ioctl(fd, SIOCGIFCONF, &conf));
	note(p, "%d bytes\n", conf.ifc_len);
	call(p, "SIOCGIFNAME", ioctl(fd, SIOCGIFNAME, &r));
	note(p, "%.16s\n", r.ifr_name);
	name_ioctl(p, "SIOCGIFINDEX", fd, SIOCGIFINDEX, "lo");
	name_ioctl(p, "SIOCGIFMTU", fd, SIOCGIFMTU, "lo");
	name_ioctl(p, "SIOCGIFFLAGS", fd, SIOCGIFFLAGS, "lo");
	name_ioctl(p, "SIOCGIFADDR", fd, SIOCGIFADDR, "lo");
	name_ioctl(p, "SIOCGIFNETMASK", fd, SIOCGIFNETMASK, "lo");
	name_ioctl(p, "SIOCGIFTXQLEN", fd, SIOCGIFTXQLEN, "lo");
	name_ioctl(p, "no such", fd, SIOCGIFINDEX, "none");
	call(p, "SIOCGARP", ioctl(fd, SIOCGARP, &arp));
	call(p, "SIOCADDRT", ioctl(fd, SIOCADDRT, NULL));
	call(p, "SIOCDELRT", ioctl(fd, SIOCDELRT, NULL));
	call(p, "SIOCPROTOPRIVATE", ioctl(fd, SIOCPROTOPRIVATE, room));
	call(p, "SIOCDEVPRIVATE", ioctl(fd, SIOCDEVPRIVATE, room));
	call(p, "unknown", ioctl(fd, 0x5a5a, room));
	close(fd);
}

static const struct situation situations[] = {
	SITUATION(flags__of_send),
	SITUATION(flags__of_recv),
	SITUATION(control__received),
	SITUATION(control__sent),
	SITUATION(ioctl__owner),
	SITUATION(ioctl__stamps),
	SITUATION(ioctl__interfaces),
};

int main(void)
{
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
