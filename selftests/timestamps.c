// SPDX-License-Identifier: GPL-2.0
/*
 * SO_TIMESTAMPING of what is sent: given to the queue, to the device, acknowledged; each for the
 * last byte of a call. The same calls are played over TCP (or UDP) and over Haul, and what comes
 * out of the error queue must be the same, but for the times.
 */
#include "hosts.h"
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include "kselftest_harness.h"

#define MOST	32

HOSTS_FIXTURE(timestamps);

/* one message of the error queue */
struct stamp {
	unsigned int type;		/* SCM_TSTAMP_* */
	unsigned int id;		/* of the last byte, or of the datagram */
	unsigned int origin, errnum;
	ssize_t len;
	uint64_t us;
};

static const int all = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
		       SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
		       SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

/* a connection within near_host: TCP's or Haul's */
static struct pair pair_of(int family, int protocol)
{
	struct sockaddr_in6 sin6 = address(near_address(family), 0);
	socklen_t len = sizeof(sin6);
	struct pair p;

	go_to(near_host);
	p.listener = socket(family, SOCK_STREAM, protocol);
	p.client = socket(family, SOCK_STREAM, protocol);
	if (bind(p.listener, (void *)&sin6, len) || listen(p.listener, 1))
		die("listen");
	getsockname(p.listener, (void *)&sin6, &len);
	if (connect(p.client, (void *)&sin6, len))
		die("connect");
	p.server = accept(p.listener, NULL, NULL);
	/* a call takes all at once, whatever the peer has read */
	option(p.client, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	return p;
}

/* the next message of the error queue; false: none comes */
static bool next_stamp(int fd, struct stamp *stamp)
{
	char control[512], data[65536];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct pollfd pfd = { .fd = fd };
	struct cmsghdr *c;

	memset(stamp, 0, sizeof(*stamp));
	if (poll(&pfd, 1, 10000) != 1 || !(pfd.revents & POLLERR))
		return false;
	stamp->len = recvmsg(fd, &msg, MSG_ERRQUEUE);
	if (stamp->len < 0)
		return false;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct sock_extended_err *ee = (void *)CMSG_DATA(c);
		struct timespec *ts = (void *)CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET) {
			stamp->us = ts->tv_sec * 1000000ULL + ts->tv_nsec / 1000;
		} else {
			stamp->type = ee->ee_info;
			stamp->id = ee->ee_data;
			stamp->origin = ee->ee_origin;
			stamp->errnum = ee->ee_errno;
		}
	}
	return true;
}

static int by_type_and_id(const void *a, const void *b)
{
	const struct stamp *x = a, *y = b;

	return x->type != y->type ? (int)x->type - (int)y->type : (int)x->id - (int)y->id;
}

/* @num of them, in order; how many came, if not so many */
static unsigned int stamps_of(int fd, struct stamp *stamps, unsigned int num)
{
	unsigned int i;

	for (i = 0; i < num; i++)
		if (!next_stamp(fd, &stamps[i]))
			break;
	qsort(stamps, i, sizeof(*stamps), by_type_and_id);
	return i;
}

/* no more than that */
static bool empty(int fd)
{
	struct stamp stamp;
	struct pollfd pfd = { .fd = fd };

	return !poll(&pfd, 1, 0) || !next_stamp(fd, &stamp);
}

/* sends @sizes, which a 0 ends; each is read before the next, so that they are apart on the way */
static void send_all(struct pair *p, const int *sizes)
{
	static char data[300000];

	for (; *sizes; sizes++) {
		int left = *sizes;

		if (send(p->client, data, *sizes, 0) != *sizes)
			die("send");
		while (left > 0)
			left -= recv(p->server, data, left, 0);
	}
}

/* Is all acknowledged? TCP numbers the bytes from what is not. */
static bool at_rest(int fd)
{
	int bytes;

	return !ioctl(fd, SIOCOUTQ, &bytes) && !bytes;
}

/* sends over @protocol, and gathers what @flags asks for */
static unsigned int play(int family, int protocol, int flags, const int *sizes,
			 struct stamp *stamps, unsigned int num)
{
	struct pair p = pair_of(family, protocol);

	option(p.client, IPPROTO_TCP, TCP_NODELAY, 1);
	send_all(&p, (int[]){ 1000, 0 });
	if (!wait_until(at_rest(p.client)))
		die("no acknowledgment");
	option(p.client, SOL_SOCKET, SO_TIMESTAMPING, flags);
	send_all(&p, sizes);
	num = stamps_of(p.client, stamps, num);
	if (!empty(p.client))
		num = 1000;
	done(&p);
	return num;
}

#define EXPECT_SAME(tcp, haul, num) \
	do { \
		unsigned int i_; \
		\
		for (i_ = 0; i_ < (num); i_++) { \
			EXPECT_EQ((tcp)[i_].type, (haul)[i_].type); \
			EXPECT_EQ((tcp)[i_].id, (haul)[i_].id); \
			EXPECT_EQ((tcp)[i_].origin, (haul)[i_].origin); \
			EXPECT_EQ((tcp)[i_].errnum, (haul)[i_].errnum); \
			EXPECT_EQ((tcp)[i_].len, (haul)[i_].len); \
			EXPECT_NE(0, (haul)[i_].us); \
		} \
	} while (0)

/* three calls, three times each; numbers count from where they were asked for */
TEST_F(timestamps, every_call)
{
	const int sizes[] = { 10, 20, 30, 0 };
	struct stamp tcp[MOST], haul[MOST];

	ASSERT_EQ(9, play(variant->family, 0, all, sizes, tcp, 9));
	ASSERT_EQ(9, play(variant->family, IPPROTO_HAUL, all, sizes, haul, 9));
	EXPECT_SAME(tcp, haul, 9);
	EXPECT_EQ(9, haul[0].id);
	EXPECT_EQ(59, haul[2].id);
}

/* one large call goes in many packets, and is told of once */
TEST_F(timestamps, a_large_call)
{
	const int sizes[] = { 250000, 0 };
	struct stamp tcp[MOST], haul[MOST];

	ASSERT_EQ(3, play(variant->family, 0, all, sizes, tcp, 3));
	ASSERT_EQ(3, play(variant->family, IPPROTO_HAUL, all, sizes, haul, 3));
	EXPECT_SAME(tcp, haul, 3);
	EXPECT_EQ(249999, haul[0].id);
	/* sent before it was acknowledged */
	EXPECT_LE(haul[0].us, haul[2].us);
}

/* only what is asked for */
TEST_F(timestamps, one_kind)
{
	const int kinds[] = { SOF_TIMESTAMPING_TX_SCHED, SOF_TIMESTAMPING_TX_SOFTWARE,
			      SOF_TIMESTAMPING_TX_ACK };
	const int sizes[] = { 100, 0 };
	struct stamp tcp[MOST], haul[MOST];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		const int flags = kinds[i] | SOF_TIMESTAMPING_SOFTWARE |
				  SOF_TIMESTAMPING_OPT_TSONLY;

		ASSERT_EQ(1, play(variant->family, 0, flags, sizes, tcp, 1));
		ASSERT_EQ(1, play(variant->family, IPPROTO_HAUL, flags, sizes, haul, 1));
		EXPECT_SAME(tcp, haul, 1);
	}
}

/* a control message asks for one call, the socket for none */
TEST_F(timestamps, by_control_message)
{
	struct pair p = pair_of(variant->family, IPPROTO_HAUL);
	char control[CMSG_SPACE(sizeof(uint32_t))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	const uint32_t kind = SOF_TIMESTAMPING_TX_ACK;
	struct stamp stamp;

	option(p.client, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE |
	       SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
	send_all(&p, (int[]){ 5, 0 });
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SO_TIMESTAMPING;
	c->cmsg_len = CMSG_LEN(sizeof(kind));
	memcpy(CMSG_DATA(c), &kind, sizeof(kind));
	ASSERT_EQ(1, sendmsg(p.client, &msg, 0));
	send_all(&p, (int[]){ 5, 0 });
	ASSERT_TRUE(next_stamp(p.client, &stamp));
	EXPECT_EQ(SCM_TSTAMP_ACK, stamp.type);
	EXPECT_EQ(5, stamp.id);
	EXPECT_TRUE(empty(p.client));
	done(&p);
}

/* set once more, numbers begin anew */
TEST_F(timestamps, numbers_begin_anew)
{
	struct pair p = pair_of(variant->family, IPPROTO_HAUL);
	const int flags = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
			  SOF_TIMESTAMPING_OPT_TSONLY;
	struct stamp stamp;

	option(p.client, SOL_SOCKET, SO_TIMESTAMPING, flags | SOF_TIMESTAMPING_OPT_ID);
	send_all(&p, (int[]){ 100, 0 });
	ASSERT_TRUE(next_stamp(p.client, &stamp));
	EXPECT_EQ(99, stamp.id);
	option(p.client, SOL_SOCKET, SO_TIMESTAMPING, 0);
	option(p.client, SOL_SOCKET, SO_TIMESTAMPING, flags | SOF_TIMESTAMPING_OPT_ID);
	send_all(&p, (int[]){ 10, 0 });
	ASSERT_TRUE(next_stamp(p.client, &stamp));
	EXPECT_EQ(9, stamp.id);
	done(&p);
}

/* cut just above a device, the stamp is the last packet's; and across a link that loses packets */
TEST_F(timestamps, cut_and_lost)
{
	struct pair p;
	struct stamp stamp;
	bool sent = false, acked = false;

	go_to(near_host);
	run("ethtool -K near0 tx-sctp-segmentation off >/dev/null");
	p = connected(variant->family);
	option(p.client, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	option(p.client, SOL_SOCKET, SO_TIMESTAMPING, all);
	send_all(&p, (int[]){ 30000, 0 });
	while (!sent || !acked) {
		ASSERT_TRUE(next_stamp(p.client, &stamp));
		EXPECT_EQ(29999, stamp.id);
		sent |= stamp.type == SCM_TSTAMP_SND;
		acked |= stamp.type == SCM_TSTAMP_ACK;
	}
	link_set("loss 10%");
	send_all(&p, (int[]){ 100000, 0 });
	for (acked = false; !acked;) {
		ASSERT_TRUE(next_stamp(p.client, &stamp));
		EXPECT_EQ(stamp.type == SCM_TSTAMP_ACK ? 129999 : stamp.id, stamp.id);
		acked = stamp.type == SCM_TSTAMP_ACK;
	}
	done(&p);
}

static int datagram_pair(int family, int protocol, int *receiver)
{
	struct sockaddr_in6 sin6 = address(near_address(family), 0);
	socklen_t len = sizeof(sin6);
	int fd;

	go_to(near_host);
	*receiver = socket(family, SOCK_DGRAM, protocol);
	fd = socket(family, SOCK_DGRAM, protocol);
	if (bind(*receiver, (void *)&sin6, len))
		die("bind");
	getsockname(*receiver, (void *)&sin6, &len);
	if (connect(fd, (void *)&sin6, len))
		die("connect");
	return fd;
}

/* datagrams are numbered one by one */
TEST_F(timestamps, datagrams)
{
	struct stamp udp[MOST], haul[MOST];
	const int protocols[] = { 0, IPPROTO_HAUL };
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		int receiver, fd = datagram_pair(variant->family, protocols[i], &receiver);

		option(fd, SOL_SOCKET, SO_TIMESTAMPING, all & ~SOF_TIMESTAMPING_TX_ACK);
		for (j = 0; j < 3; j++)
			ASSERT_EQ(10, send(fd, "0123456789", 10, 0));
		ASSERT_EQ(6, stamps_of(fd, i ? haul : udp, 6));
		EXPECT_TRUE(empty(fd));
		close(fd);
		close(receiver);
	}
	EXPECT_SAME(udp, haul, 6);
}

TEST_HARNESS_MAIN
