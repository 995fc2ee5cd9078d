// SPDX-License-Identifier: GPL-2.0
/*
 * UDP_SEGMENT and UDP_GRO: many datagrams of one size in one call. Every case is played over UDP
 * and over Haul, and expects the same of both: what comes out at the other end is what single calls
 * would have sent, whether a device takes the packet whole, cuts it, or has it merged again.
 */
#include "hosts.h"
#include <net/if.h>
#include <netinet/udp.h>
#include "kselftest_harness.h"

#define SIZE	1400
#define MOST	128	/* datagrams of one call: UDP_MAX_SEGMENTS */

FIXTURE(segments) {
	int rx;
	int tx;
};

FIXTURE_VARIANT(segments) {
	int family;
	int protocol;
};

FIXTURE_VARIANT_ADD(segments, v4_udp) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(segments, v6_udp) {
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(segments, v4) {
	.family = AF_INET, .protocol = IPPROTO_HAUL,
};

FIXTURE_VARIANT_ADD(segments, v6) {
	.family = AF_INET6, .protocol = IPPROTO_HAUL,
};

static int datagram(int host, int family, int protocol)
{
	int fd, old = here();

	go_to(host);
	fd = socket(family, SOCK_DGRAM, protocol);
	if (fd < 0)
		die("socket: is the module loaded?");
	option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	go_to(old);
	close(old);
	return fd;
}

FIXTURE_SETUP(segments)
{
	hosts_up();
	self->rx = datagram(far_host, variant->family, variant->protocol);
	self->tx = datagram(near_host, variant->family, variant->protocol);
	if (bind_to(self->rx, far_address(variant->family), PORT) ||
	    connect_to(self->tx, far_address(variant->family), PORT))
		die("a pair");
}

FIXTURE_TEARDOWN(segments)
{
	close(self->rx);
	close(self->tx);
}

/* @size bytes in one call; @segment: by a control message, -1: none */
static ssize_t send_bytes(int fd, size_t size, int segment, int flags)
{
	static uint8_t out[70000];
	char control[CMSG_SPACE(sizeof(uint16_t))] = {};
	struct iovec iov = { out, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = (void *)control;
	uint16_t value = segment;
	size_t i;

	for (i = 0; i < size; i++)
		out[i] = byte_at(i);
	if (segment >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(value));
		memcpy(CMSG_DATA(c), &value, sizeof(value));
	}
	return sendmsg(fd, &msg, flags);
}

/*
 * The next packet within 5 s, which is to be the bytes from @at on; its length, or -1. @size: what
 * UDP_GRO said of it, 0: nothing
 */
static ssize_t next_at(int fd, size_t at, int *size)
{
	static uint8_t in[70000];
	char control[256];
	struct iovec iov = { in, sizeof(in) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n, i;

	poll_for(fd, POLLIN, 5000);
	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	*size = 0;
	if (n < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			*size = *(int *)CMSG_DATA(c);
	for (i = 0; i < n; i++)
		if (in[i] != byte_at(at + i))
			return -1;
	return n;
}

/* do the bytes come as datagrams of @segment, the last as it may, each by itself? */
static bool comes_in(int fd, size_t bytes, size_t segment)
{
	size_t at, want;
	int size;

	for (at = 0; at < bytes; at += want) {
		want = bytes - at < segment ? bytes - at : segment;
		if (next_at(fd, at, &size) != want || size)
			return false;
	}
	return true;
}

/* do they come, several in one packet at least once? */
static bool comes_merged(int fd, size_t bytes, int segment)
{
	bool merged = false;
	size_t at = 0;
	ssize_t n;
	int size;

	while (at < bytes) {
		n = next_at(fd, at, &size);
		if (n <= 0 || (size && size != segment) || (!size && n > segment) ||
		    (n % segment && at + n != bytes))
			return false;
		merged |= size;
		at += n;
	}
	return merged;
}

static bool nothing_more(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* the devices do nothing for whom they belong to; @gro: but merging */
static void plain_devices(bool gro)
{
	run_at(near_host, "ethtool -K near0 tso off tx-sctp-segmentation off >/dev/null");
	run_at(near_host, "ethtool -K near0 tx-udp-segmentation off >/dev/null");
	run_at(far_host, "ethtool -K far0 gro %s >/dev/null", gro ? "on" : "off");
}

TEST_F(segments, options)
{
	static const int good[] = { 1000, 1, 65535, 0 };
	int i, value;

	EXPECT_EQ(0, option_of(self->tx, SOL_UDP, UDP_SEGMENT));
	EXPECT_EQ(0, option_of(self->tx, SOL_UDP, UDP_GRO));
	for (i = 0; i < 4; i++) {
		option(self->tx, SOL_UDP, UDP_SEGMENT, good[i]);
		EXPECT_EQ(good[i], option_of(self->tx, SOL_UDP, UDP_SEGMENT));
	}
	for (value = -1; value <= 65536; value += 65537) {
		EXPECT_EQ(-1, setsockopt(self->tx, SOL_UDP, UDP_SEGMENT, &value, sizeof(value)));
		EXPECT_EQ(EINVAL, errno);
	}
	option(self->rx, SOL_UDP, UDP_GRO, 2);
	EXPECT_EQ(1, option_of(self->rx, SOL_UDP, UDP_GRO));
	option(self->rx, SOL_UDP, UDP_GRO, 0);
	EXPECT_EQ(0, option_of(self->rx, SOL_UDP, UDP_GRO));
}

TEST_F(segments, cut_as_the_option_says)
{
	long before = counter(near_host, "DgramOut");

	option(self->tx, SOL_UDP, UDP_SEGMENT, 1000);
	ASSERT_EQ(3500, send_bytes(self->tx, 3500, -1, 0));
	EXPECT_TRUE(comes_in(self->rx, 3500, 1000));
	/* a smaller one is one */
	ASSERT_EQ(900, send_bytes(self->tx, 900, -1, 0));
	EXPECT_TRUE(comes_in(self->rx, 900, 1000));
	ASSERT_EQ(1000, send_bytes(self->tx, 1000, -1, 0));
	EXPECT_TRUE(comes_in(self->rx, 1000, 1000));
	EXPECT_TRUE(nothing_more(self->rx));
	if (!variant->protocol)
		return;
	EXPECT_EQ(before + 6, counter(near_host, "DgramOut"));
	EXPECT_EQ(6, counter(far_host, "DgramIn"));
	EXPECT_EQ(0, counter(far_host, "DropChecksum"));
}

/* a call's word is the last one */
TEST_F(segments, cut_as_the_call_says)
{
	option(self->tx, SOL_UDP, UDP_SEGMENT, 1000);
	ASSERT_EQ(2200, send_bytes(self->tx, 2200, 700, 0));
	EXPECT_TRUE(comes_in(self->rx, 2200, 700));
	ASSERT_EQ(1300, send_bytes(self->tx, 1300, 0, 0));
	EXPECT_TRUE(comes_in(self->rx, 1300, 1300));
	option(self->tx, SOL_UDP, UDP_SEGMENT, 0);
	ASSERT_EQ(60000, send_bytes(self->tx, 60000, SIZE, 0));
	EXPECT_TRUE(comes_in(self->rx, 60000, SIZE));
	EXPECT_TRUE(nothing_more(self->rx));
}

/* who asks for it has what was sent by one call in one, and is told the size */
TEST_F(segments, whole_for_who_asks)
{
	int size;

	option(self->rx, SOL_UDP, UDP_GRO, 1);
	ASSERT_EQ(3500, send_bytes(self->tx, 3500, 1000, 0));
	EXPECT_EQ(3500, next_at(self->rx, 0, &size));
	EXPECT_EQ(1000, size);
	ASSERT_EQ(100, send_bytes(self->tx, 100, 1000, 0));
	EXPECT_EQ(100, next_at(self->rx, 0, &size));
	EXPECT_EQ(0, size);
	/* no longer */
	option(self->rx, SOL_UDP, UDP_GRO, 0);
	ASSERT_EQ(3500, send_bytes(self->tx, 3500, 1000, 0));
	EXPECT_TRUE(comes_in(self->rx, 3500, 1000));
}

#define REFUSED(error, size, segment)					\
do {									\
	EXPECT_EQ(-1, send_bytes(self->tx, size, segment, 0));		\
	EXPECT_EQ(error, errno);					\
} while (0)

TEST_F(segments, refused)
{
	int headers = (variant->family == AF_INET ? 20 : 40) + (variant->protocol ? 16 : 8);
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = (void *)control;

	/* one of them does not fit into a packet */
	REFUSED(EMSGSIZE, 3000, 1500 - headers + 1);
	ASSERT_EQ(3000, send_bytes(self->tx, 3000, 1500 - headers, 0));
	EXPECT_TRUE(comes_in(self->rx, 3000, 1500 - headers));
	/* but that does not matter where there is none so large */
	ASSERT_EQ(500, send_bytes(self->tx, 500, 60000, 0));
	EXPECT_TRUE(comes_in(self->rx, 500, 500));
	/* too many */
	REFUSED(EINVAL, MOST * 10 + 1, 10);
	ASSERT_EQ(MOST * 10, send_bytes(self->tx, MOST * 10, 10, 0));
	EXPECT_TRUE(comes_in(self->rx, MOST * 10, 10));
	/* more than IP can carry */
	REFUSED(EMSGSIZE, 65536, SIZE);
	/* of another size than it has, or of another kind */
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	EXPECT_EQ(-1, sendmsg(self->tx, &msg, 0));
	EXPECT_EQ(EINVAL, errno);
	c->cmsg_type = UDP_GRO;
	EXPECT_EQ(-1, sendmsg(self->tx, &msg, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(nothing_more(self->rx));
}

/* the kernel cuts it just above the device; nobody merges it again */
TEST_F(segments, over_devices_that_do_nothing)
{
	plain_devices(false);
	ASSERT_EQ(56500, send_bytes(self->tx, 56500, SIZE, 0));
	EXPECT_TRUE(comes_in(self->rx, 56500, SIZE));
	option(self->rx, SOL_UDP, UDP_GRO, 1);
	ASSERT_EQ(56500, send_bytes(self->tx, 56500, SIZE, 0));
	EXPECT_TRUE(comes_in(self->rx, 56500, SIZE));
	/* without pages: all is copied once more */
	run_at(near_host, "ethtool -K near0 sg off >/dev/null");
	ASSERT_EQ(5650, send_bytes(self->tx, 5650, SIZE, 0));
	EXPECT_TRUE(comes_in(self->rx, 5650, SIZE));
	if (!variant->protocol)
		return;
	EXPECT_EQ(87, counter(far_host, "InSegs"));
	EXPECT_EQ(0, counter(far_host, "DropChecksum"));
}

/* what comes in one by one is merged for who asks, and for nobody else */
TEST_F(segments, merged_on_the_way_in)
{
	int other = datagram(far_host, variant->family, variant->protocol);
	int i, size;

	plain_devices(true);
	option(self->rx, SOL_UDP, UDP_GRO, 1);
	ASSERT_EQ(56500, send_bytes(self->tx, 56500, SIZE, 0));
	EXPECT_TRUE(comes_merged(self->rx, 56500, SIZE));
	/* single ones are single ones */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(100, send_bytes(self->tx, 100, -1, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(100, next_at(self->rx, 0, &size));
	ASSERT_EQ(0, bind_to(other, far_address(variant->family), PORT + 1));
	ASSERT_EQ(0, connect_to(self->tx, far_address(variant->family), PORT + 1));
	ASSERT_EQ(56500, send_bytes(self->tx, 56500, SIZE, 0));
	EXPECT_TRUE(comes_in(other, 56500, SIZE));
	close(other);
	if (variant->protocol)
		EXPECT_EQ(0, counter(far_host, "DropChecksum"));
}

/* it is cut when all of it is there */
TEST_F(segments, corked)
{
	static uint8_t out[40000];
	static const int pieces[] = { 1, 999, 2048, 5000, 3, 20001 };
	int i, at = 0;

	for (i = 0; i < sizeof(out); i++)
		out[i] = byte_at(i);
	option(self->tx, SOL_UDP, UDP_SEGMENT, 1000);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(pieces[i], send(self->tx, out + at, pieces[i], i < 5 ? MSG_MORE : 0));
		at += pieces[i];
	}
	EXPECT_TRUE(comes_in(self->rx, at, 1000));
	/* what can't be cut is lost as a whole */
	option(self->tx, SOL_UDP, UDP_SEGMENT, 2000);
	ASSERT_EQ(2000, send(self->tx, out, 2000, MSG_MORE));
	EXPECT_EQ(-1, send(self->tx, out, 1, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	option(self->tx, SOL_UDP, UDP_SEGMENT, 0);
	ASSERT_EQ(7, send(self->tx, out, 7, 0));
	EXPECT_TRUE(comes_in(self->rx, 7, 7));
	EXPECT_TRUE(nothing_more(self->rx));
}

static void join(int fd, int family)
{
	struct ip_mreq mreq = { .imr_multiaddr.s_addr = inet_addr("239.1.2.3"),
				.imr_interface.s_addr = inet_addr(FAR4) };
	struct ipv6_mreq mreq6 = { .ipv6mr_multiaddr = { { { 0xff, 0x05, [15] = 0x77 } } } };

	go_to(far_host);
	mreq6.ipv6mr_interface = if_nametoindex("far0");
	if (family == AF_INET ?
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) :
	    setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq6, sizeof(mreq6)))
		die("join");
	go_to(near_host);
}

/* one wants it whole, the other in pieces */
TEST_F(segments, to_many)
{
	const char *group = variant->family == AF_INET ? "239.1.2.3" : "ff05::77";
	int rx[2], i, size;

	/* far takes in IPv6 multicast from when the kernel has noticed that its link is up */
	run_at(far_host,
	       "until ip -6 route show table local | grep -q 'ff00::/8 dev far0'; do :; done");
	for (i = 0; i < 2; i++) {
		rx[i] = datagram(far_host, variant->family, variant->protocol);
		option(rx[i], SOL_SOCKET, SO_REUSEADDR, 1);
		ASSERT_EQ(0, bind_to(rx[i], group, PORT + 2));
		join(rx[i], variant->family);
	}
	option(rx[1], SOL_UDP, UDP_GRO, 1);
	close(self->tx);
	self->tx = datagram(near_host, variant->family, variant->protocol);
	option(self->tx, SOL_SOCKET, SO_BINDTOIFINDEX, if_nametoindex("near0"));
	ASSERT_EQ(0, connect_to(self->tx, group, PORT + 2));
	ASSERT_EQ(5000, send_bytes(self->tx, 5000, 900, 0));
	EXPECT_TRUE(comes_in(rx[0], 5000, 900));
	EXPECT_EQ(5000, next_at(rx[1], 0, &size));
	EXPECT_EQ(900, size);
	close(rx[0]);
	close(rx[1]);
}

TEST_HARNESS_MAIN
