// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is not there, in the middle of what a call copies: what fail_usercopy does by chance,
 * done at each place that matters. A call fails with EFAULT, or does part of its work and says how
 * much; no byte is lost, doubled or made up, and the connection goes on.
 */
#include "hosts.h"
#include <sys/mman.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define PAGE	4096
#define ROOM	(16 * PAGE)

HOSTS_FIXTURE(bad_addresses);

/* how much of what is given can be read or written */
static const size_t places[] = {
	0, 1, 7, 100, 1443, 1444, 1445, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 20000, 32768, 50000,
};

#define NUM_PLACES	(sizeof(places) / sizeof(places[0]))

/* @good bytes that are there, ending where nothing is */
static uint8_t *ends_after(size_t good)
{
	static uint8_t *room;

	if (!room) {
		room = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (room == MAP_FAILED || mprotect(room + ROOM, PAGE, PROT_NONE))
			die("mmap");
	}
	return room + ROOM - good;
}

/* the next @len bytes of the flow */
static void fill(uint8_t *at, const struct flow *f, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		at[i] = byte_at(f->sent + i);
}

TEST_F(bad_addresses, send)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	size_t i;

	for (i = 0; i < NUM_PLACES; i++) {
		uint8_t *at = ends_after(places[i]);
		ssize_t n;

		fill(at, &f, places[i]);
		n = send(p.client, at, places[i] + 3000, 0);
		EXPECT_TRUE(n > 0 || (n < 0 && errno == EFAULT));
		EXPECT_GE((ssize_t)places[i], n);
		f.sent += n > 0 ? n : 0;
		/* what was said to be taken arrives, and what follows right behind it */
		flow_run(&f, f.sent + 1000, 65536, 65536);
	}
	EXPECT_EQ(f.sent, info_of(p.server).bytes_received);
	EXPECT_EQ(0, error_of(p.client));
	done(&p);
}

/* a piece in the middle of several */
TEST_F(bad_addresses, send_pieces)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	size_t i;

	for (i = 1; i < NUM_PLACES; i++) {
		uint8_t *at = ends_after(places[i]), first[300];
		struct iovec iov[3] = {
			{ .iov_base = first, .iov_len = sizeof(first) },
			{ .iov_base = at, .iov_len = places[i] + 1 },
			{ .iov_base = first, .iov_len = sizeof(first) },
		};
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
		ssize_t n;
		size_t j;

		fill(first, &f, sizeof(first));
		for (j = 0; j < places[i]; j++)
			at[j] = byte_at(f.sent + sizeof(first) + j);
		n = sendmsg(p.client, &msg, 0);
		EXPECT_TRUE(n > 0 || (n < 0 && errno == EFAULT));
		EXPECT_GE((ssize_t)(sizeof(first) + places[i]), n);
		f.sent += n > 0 ? n : 0;
		flow_run(&f, f.sent + 1000, 65536, 65536);
	}
	EXPECT_EQ(f.sent, info_of(p.server).bytes_received);
	done(&p);
}

/* what could not be put down is there still */
TEST_F(bad_addresses, receive)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	size_t i;

	for (i = 0; i < NUM_PLACES; i++) {
		uint8_t *at = ends_after(places[i]);
		uint64_t all = f.sent + 60000;
		ssize_t n, j;

		while (f.sent < all) {
			flow_send(&f, all, 65536);
			poll_for(p.client, POLLOUT, 10000);
		}
		ASSERT_TRUE(wait_until(info_of(p.server).bytes_received == all));
		n = recv(p.server, at, 60000, 0);
		EXPECT_TRUE(n > 0 || (n < 0 && errno == EFAULT));
		ASSERT_GE((ssize_t)places[i], n);
		for (j = 0; j < n; j++)
			ASSERT_EQ(byte_at(f.received + j), at[j]);
		f.received += n > 0 ? n : 0;
		flow_run(&f, all, 65536, 65536);
	}
	done(&p);
}

/* all of a message or nothing; one that could not be put down can be read again, or is gone */
TEST_F(bad_addresses, messages)
{
	struct pair p = connected_of(SOCK_SEQPACKET, variant->family);
	static uint8_t in[ROOM];
	ssize_t n;
	size_t i;

	for (i = 0; i < NUM_PLACES; i++) {
		uint8_t *at = ends_after(places[i]);

		memset(at, i, places[i]);
		EXPECT_EQ(-1, send(p.client, at, places[i] + 10, 0));
		EXPECT_EQ(EFAULT, errno);
		ASSERT_EQ(5, send(p.client, "hello", 5, 0));
		ASSERT_EQ(5, recv(p.server, in, sizeof(in), 0));
		ASSERT_EQ(0, memcmp(in, "hello", 5));
	}
	ASSERT_EQ(30000, send(p.client, in, 30000, 0));
	ASSERT_EQ(7, send(p.client, "goodbye", 7, 0));
	EXPECT_EQ(-1, recv(p.server, ends_after(100), 30000, 0));
	EXPECT_EQ(EFAULT, errno);
	n = recv(p.server, in, sizeof(in), 0);
	if (n == 30000)
		n = recv(p.server, in, sizeof(in), 0);
	EXPECT_EQ(7, n);
	EXPECT_EQ(0, memcmp(in, "goodbye", 7));
	done(&p);
}

/* a datagram that can't be put down is lost, as UDP's is; the next one is read */
TEST_F(bad_addresses, datagrams)
{
	int a = socket_at(near_host, variant->family, SOCK_DGRAM);
	int b = socket_at(far_host, variant->family, SOCK_DGRAM);
	char in[100];

	ASSERT_EQ(0, bind_to(b, far_address(variant->family), PORT));
	ASSERT_EQ(0, connect_to(a, far_address(variant->family), PORT));
	EXPECT_EQ(-1, send(a, ends_after(100), 1000, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(5, send(a, "first", 5, 0));
	ASSERT_EQ(6, send(a, "second", 6, 0));
	ASSERT_TRUE(poll_for(b, POLLIN, 10000));
	EXPECT_EQ(-1, recv(b, ends_after(2), 100, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(6, recv(b, in, sizeof(in), 0));
	EXPECT_EQ(0, memcmp(in, "second", 6));
	close(a);
	close(b);
}

/* addresses of sockets, options, control messages: the call says EFAULT, and can be made again */
TEST_F(bad_addresses, arguments)
{
	int listener = listening(variant->family), fd = stream(near_host, variant->family), server;
	void *bad = ends_after(1);
	struct msghdr msg = { .msg_control = bad, .msg_controllen = 64 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	socklen_t len = sizeof(struct sockaddr_in6);
	struct sockaddr_in6 name;
	struct pair p = { .listener = listener, .client = fd };

	EXPECT_EQ(-1, bind(fd, bad, len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, connect(fd, bad, len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_HAUL, HAUL_NODELAY, bad, sizeof(int)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, getsockopt(fd, SOL_HAUL, HAUL_NODELAY, bad, &len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, getsockopt(fd, SOL_HAUL, HAUL_INFO, &name, bad));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
	EXPECT_EQ(-1, getpeername(fd, bad, &len));
	EXPECT_EQ(EFAULT, errno);
	p.server = accepted(listener);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	EXPECT_EQ(-1, sendmsg(fd, &msg, 0));
	EXPECT_EQ(EFAULT, errno);
	transfer(p.client, p.server, 10000);

	/* the connection that was taken out of the queue for it is closed, others are not */
	fd = stream(near_host, variant->family);
	ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
	ASSERT_TRUE(poll_for(listener, POLLIN, 10000));
	EXPECT_EQ(-1, accept(listener, bad, &len));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_TRUE(poll_for(fd, POLLIN, 10000));
	close(fd);
	fd = stream(near_host, variant->family);
	ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
	server = accepted(listener);
	transfer(fd, server, 1000);
	close(fd);
	close(server);
	transfer(p.client, p.server, 10000);
	done(&p);
}

TEST_HARNESS_MAIN
