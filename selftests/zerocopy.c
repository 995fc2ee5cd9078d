// SPDX-License-Identifier: GPL-2.0
/*
 * MSG_ZEROCOPY: a program's own pages are sent, and the error queue says when they are its own
 * again. Each call has a number, and every number is told once. Played over TCP and UDP
 * (SO_ZEROCOPY) and over Haul (HAUL_ZEROCOPY, or SO_ZEROCOPY where the kernel lets it).
 */
#include "hosts.h"
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sys/mman.h>
#include "kselftest_harness.h"

#define MOST	64

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif

HOSTS_FIXTURE(zerocopy);

/* near to far */
static struct pair pair_of(int family, int protocol)
{
	struct sockaddr_in6 sin6 = address(far_address(family), PORT);
	struct pair p;

	go_to(far_host);
	p.listener = socket(family, SOCK_STREAM, protocol);
	/* the last pair's server may still wait for the last ACK */
	option(p.listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(p.listener, (void *)&sin6, sizeof(sin6)) || listen(p.listener, 1))
		die("listen");
	go_to(near_host);
	p.client = socket(family, SOCK_STREAM, protocol);
	if (connect(p.client, (void *)&sin6, sizeof(sin6)))
		die("connect");
	p.server = accept(p.listener, NULL, NULL);
	if (protocol)
		option(p.client, SOL_HAUL, HAUL_ZEROCOPY, 1);
	else
		option(p.client, SOL_SOCKET, SO_ZEROCOPY, 1);
	option(p.client, SOL_SOCKET, SO_SNDBUFFORCE, 2 << 20);
	return p;
}

static char *pages_of(size_t len)
{
	char *pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (pages == MAP_FAILED)
		die("mmap");
	for (i = 0; i < len; i++)
		pages[i] = byte_at(i);
	return pages;
}

/*
 * Waits until calls [0, num) are told of, and marks them in @told; false: none came, or one that
 * was told before
 */
static bool wait_told(int fd, unsigned int *told, unsigned int num)
{
	unsigned int left = num, i;

	memset(told, 0, num * sizeof(*told));
	while (left) {
		char control[128];
		struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
		struct pollfd pfd = { .fd = fd };
		struct sock_extended_err *ee;

		if (poll(&pfd, 1, 20000) != 1 || recvmsg(fd, &msg, MSG_ERRQUEUE) != 0)
			return false;
		ee = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
		if (ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee->ee_errno || ee->ee_data >= num)
			return false;
		for (i = ee->ee_info; i <= ee->ee_data; i++, left--)
			if (told[i]++)
				return false;
	}
	return true;
}

struct reading {
	int fd;
	size_t len;
	bool good;
};

static void *read_it(void *arg)
{
	struct reading *r = arg;
	unsigned char data[65536];
	size_t at = 0;
	ssize_t n, i;

	r->good = true;
	while (at < r->len) {
		n = recv(r->fd, data, sizeof(data), 0);
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			r->good &= data[i] == byte_at(at + i);
		at += n;
	}
	r->good &= at == r->len;
	return NULL;
}

/* sends @len bytes in calls of @size; true: they arrive as they were, and each call is told of */
static bool sends(struct pair *p, size_t len, size_t size, int flags)
{
	struct reading r = { .fd = p->server, .len = len };
	unsigned int told[MOST], num = 0;
	char *pages = pages_of(len);
	pthread_t reader;
	size_t at, n;
	bool good;

	pthread_create(&reader, NULL, read_it, &r);
	for (at = 0; at < len; at += n, num++) {
		n = len - at < size ? len - at : size;
		if (send(p->client, pages + at, n, MSG_ZEROCOPY | flags) != (ssize_t)n)
			die("send");
	}
	good = wait_told(p->client, told, num);
	/* they are the program's again, which must not change what is read */
	memset(pages, 0xff, len);
	pthread_join(reader, NULL);
	munmap(pages, len);
	return good && r.good;
}

TEST_F(zerocopy, pages_and_parts_of_pages)
{
	const int protocols[] = { 0, IPPROTO_HAUL };
	const size_t sizes[] = { 4096, 100000, 1, 1999 };
	unsigned int i, j;

	for (i = 0; i < 2; i++)
		for (j = 0; j < 4; j++) {
			struct pair p = pair_of(variant->family, protocols[i]);

			EXPECT_TRUE(sends(&p, 20 * sizes[j], sizes[j], 0));
			done(&p);
		}
}

/* cut just above the device, and sent again when it was lost */
TEST_F(zerocopy, cut_and_lost)
{
	struct pair p;

	run("ethtool -K near0 tx-sctp-segmentation off >/dev/null");
	p = pair_of(variant->family, IPPROTO_HAUL);
	EXPECT_TRUE(sends(&p, 400000, 50000, 0));
	done(&p);
	link_set("loss 2%");
	p = pair_of(variant->family, IPPROTO_HAUL);
	EXPECT_TRUE(sends(&p, 400000, 50000, 0));
	done(&p);
}

/* copied and pinned bytes one after the other */
TEST_F(zerocopy, mixed)
{
	struct pair p = pair_of(variant->family, IPPROTO_HAUL);
	struct reading r = { .fd = p.server, .len = 30000 };
	char *pages = pages_of(r.len);
	unsigned int told[MOST], i;
	pthread_t reader;

	pthread_create(&reader, NULL, read_it, &r);
	for (i = 0; i < 30; i++)
		ASSERT_EQ(1000, send(p.client, pages + 1000 * i, 1000,
				     MSG_MORE | (i % 3 == 1 ? MSG_ZEROCOPY : 0)));
	option(p.client, SOL_HAUL, HAUL_NODELAY, 1);
	EXPECT_TRUE(wait_told(p.client, told, 10));
	pthread_join(reader, NULL);
	EXPECT_TRUE(r.good);
	done(&p);
}

/* the socket is gone before its bytes are: they still arrive */
TEST_F(zerocopy, closed_early)
{
	struct pair p = pair_of(variant->family, IPPROTO_HAUL);
	struct reading r = { .fd = p.server, .len = 300000 };
	char *pages = pages_of(r.len);
	pthread_t reader;

	link_set("delay 20ms");
	ASSERT_EQ((ssize_t)r.len, send(p.client, pages, r.len, MSG_ZEROCOPY));
	close(p.client);
	munmap(pages, r.len);
	pthread_create(&reader, NULL, read_it, &r);
	pthread_join(reader, NULL);
	EXPECT_TRUE(r.good);
	close(p.server);
	close(p.listener);
}

/* the option's own errors, the flag without it, and calls that send nothing have no number */
TEST_F(zerocopy, errors)
{
	struct pair p = pair_of(variant->family, IPPROTO_HAUL);
	unsigned int told[MOST];
	int two = 2, fd = stream(near_host, variant->family);
	char c;

	EXPECT_EQ(-1, setsockopt(fd, SOL_HAUL, HAUL_ZEROCOPY, &two, sizeof(two)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, option_of(fd, SOL_HAUL, HAUL_ZEROCOPY));
	EXPECT_EQ(1, option_of(p.client, SOL_HAUL, HAUL_ZEROCOPY));
	EXPECT_EQ(1, option_of(p.client, SOL_SOCKET, SO_ZEROCOPY));
	close(fd);
	/* it is copied, and nothing is told */
	ASSERT_EQ(1, send(p.server, "x", 1, MSG_ZEROCOPY));
	ASSERT_EQ(1, recv(p.client, &c, 1, 0));
	EXPECT_EQ(-1, recv(p.server, &c, 1, MSG_ERRQUEUE));
	EXPECT_EQ(EAGAIN, errno);

	EXPECT_EQ(-1, send(p.client, (void *)1, 100, MSG_ZEROCOPY));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, send(p.client, "", 0, MSG_ZEROCOPY));
	ASSERT_EQ(4, send(p.client, "data", 4, MSG_ZEROCOPY));
	EXPECT_TRUE(wait_told(p.client, told, 1));
	done(&p);
}

/* a message is copied, and that is what the notification says */
TEST_F(zerocopy, messages)
{
	struct pair p = connected_of(SOCK_SEQPACKET, variant->family);
	unsigned int told[MOST];
	char buf[16];

	option(p.client, SOL_HAUL, HAUL_ZEROCOPY, 1);
	ASSERT_EQ(7, send(p.client, "message", 7, MSG_ZEROCOPY));
	ASSERT_EQ(4, send(p.client, "half", 4, MSG_ZEROCOPY | MSG_MORE));
	ASSERT_EQ(4, send(p.client, "rest", 4, MSG_ZEROCOPY));
	EXPECT_EQ(7, recv(p.server, buf, sizeof(buf), 0));
	EXPECT_EQ(8, recv(p.server, buf, sizeof(buf), 0));
	EXPECT_TRUE(wait_told(p.client, told, 3));
	done(&p);
}

/* the kernel's own option, where a protocol may have it: 6.12 has that, 6.1 not */
TEST_F(zerocopy, by_the_option_of_all_sockets)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	int datagrams = socket_at(near_host, variant->family, SOCK_DGRAM), two = 2, on = 1;
	unsigned int told[MOST];
	struct pair p;
	char c;

	if (setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on))) {
		EXPECT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "this kernel keeps it to itself");
	}
	EXPECT_EQ(1, option_of(client, SOL_HAUL, HAUL_ZEROCOPY));
	EXPECT_EQ(-1, setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &two, sizeof(two)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &on, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, setsockopt(datagrams, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)));
	/* an accepted socket, too; and the other options are where they were */
	p = connected_with(variant->family, listener, client);
	option(p.server, SOL_SOCKET, SO_ZEROCOPY, 1);
	option(p.server, SOL_SOCKET, SO_PRIORITY, 3);
	EXPECT_EQ(3, option_of(p.server, SOL_SOCKET, SO_PRIORITY));
	ASSERT_EQ(1, send(p.server, "x", 1, MSG_ZEROCOPY));
	ASSERT_EQ(1, recv(p.client, &c, 1, 0));
	EXPECT_TRUE(wait_told(p.server, told, 1));
	close(datagrams);
	done(&p);
}

/* the next datagram within 5 s is the bytes from @at on */
static bool comes(int fd, size_t at, size_t len)
{
	static unsigned char in[70000];
	ssize_t i;

	poll_for(fd, POLLIN, 5000);
	if (recv(fd, in, sizeof(in), MSG_DONTWAIT) != (ssize_t)len)
		return false;
	for (i = 0; i < len; i++)
		if (in[i] != byte_at(at + i))
			return false;
	return true;
}

static void play_datagrams(struct __test_metadata *_metadata, int family, int protocol)
{
	static const size_t sizes[] = { 1, 100, 1400, 4096, 5000, 20000, 65000 };
	const char *text = far_address(family);
	unsigned int told[MOST], i;
	char *pages = pages_of(70000);
	int rx, tx, zero = 0;
	bool all;

	go_to(far_host);
	rx = socket(family, SOCK_DGRAM, protocol);
	option(rx, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	ASSERT_EQ(0, bind_to(rx, text, PORT));
	go_to(near_host);
	tx = socket(family, SOCK_DGRAM, protocol);
	option(tx, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	ASSERT_EQ(0, connect_to(tx, text, PORT));
	/* without the option the flag means nothing */
	ASSERT_EQ(10, send(tx, pages, 10, MSG_ZEROCOPY));
	EXPECT_TRUE(comes(rx, 0, 10));
	option(tx, protocol ? SOL_HAUL : SOL_SOCKET, protocol ? HAUL_ZEROCOPY : SO_ZEROCOPY, 1);
	for (i = 0; i < 7; i++) {
		ASSERT_EQ((ssize_t)sizes[i], send(tx, pages + i, sizes[i], MSG_ZEROCOPY));
		EXPECT_TRUE(comes(rx, i, sizes[i]));
	}
	/* an empty one has a number, what can't be read has none */
	ASSERT_EQ(0, send(tx, &zero, 0, MSG_ZEROCOPY));
	EXPECT_EQ(0, recv(rx, told, sizeof(told), 0));
	EXPECT_EQ(-1, send(tx, (void *)1, 100, MSG_ZEROCOPY));
	EXPECT_EQ(EFAULT, errno);
	/* corked; cut into many */
	ASSERT_EQ(10, send(tx, pages, 10, MSG_ZEROCOPY | MSG_MORE));
	ASSERT_EQ(20, send(tx, pages + 10, 20, MSG_ZEROCOPY));
	EXPECT_TRUE(comes(rx, 0, 30));
	option(tx, SOL_UDP, UDP_SEGMENT, 1000);
	ASSERT_EQ(2500, send(tx, pages, 2500, MSG_ZEROCOPY));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(comes(rx, 1000 * i, i < 2 ? 1000 : 500));
	all = wait_told(tx, told, 11);
	for (i = 0; i < 11 && !all; i++)
		TH_LOG("protocol %d: call %u was told of %u times", protocol, i, told[i]);
	EXPECT_TRUE(all);
	close(rx);
	close(tx);
	munmap(pages, 70000);
}

TEST_F(zerocopy, datagrams)
{
	play_datagrams(_metadata, variant->family, 0);
	play_datagrams(_metadata, variant->family, IPPROTO_HAUL);
}

TEST_HARNESS_MAIN
