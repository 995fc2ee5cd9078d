// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_DGRAM between two hosts: every size whole, cut by IP and put together again, boundaries
 * kept; one to one, one to many, many to one; both doors; ports of its own; errors that come back
 * over the cable; reuseport; the ends of sockets and namespaces. What single calls answer is
 * same_as_udp's to compare.
 */
#include "hosts.h"
#include <linux/errqueue.h>
#include <pthread.h>
#include <sys/wait.h>
#include "kselftest_harness.h"

#define MAX4	65499
#define MAX6	65519

HOSTS_FIXTURE(datagrams);

static int datagram(int host, int family)
{
	int fd, old = here();

	go_to(host);
	fd = socket(family, SOCK_DGRAM, IPPROTO_HAUL);
	if (fd < 0)
		die("socket: is the module loaded?");
	go_to(old);
	close(old);
	return fd;
}

static int bound_at(int host, const char *text, int port)
{
	int fd = datagram(host, address(text, port).sin6_family);

	if (bind_to(fd, text, port))
		die("bind %s %d", text, port);
	return fd;
}

/* on far, bound to PORT */
static int receiver(int family)
{
	return bound_at(far_host, far_address(family), PORT);
}

/* on near, connected to the receiver */
static int sender(int family)
{
	int fd = datagram(near_host, family);

	if (connect_to(fd, far_address(family), PORT))
		die("connect");
	return fd;
}

static void fill(uint8_t *buf, size_t size, uint64_t from)
{
	size_t i;

	for (i = 0; i < size; i++)
		buf[i] = byte_at(from + i);
}

static bool intact(const uint8_t *buf, size_t size, uint64_t from)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (buf[i] != byte_at(from + i))
			return false;
	return true;
}

/* what arrives within 5 s; its length, or -1 */
static ssize_t next(int fd, void *buf, size_t size)
{
	poll_for(fd, POLLIN, 5000);
	return recv(fd, buf, size, MSG_DONTWAIT);
}

static void send_text(int fd, const char *text)
{
	if (send(fd, text, strlen(text), 0) != strlen(text))
		die("send %s", text);
}

static bool comes(int fd, const char *text)
{
	char buf[100] = {};
	ssize_t n = next(fd, buf, sizeof(buf) - 1);

	return n == strlen(text) && !strcmp(buf, text);
}

/* nothing more: what was sent before has arrived, the cable keeps the order */
static bool empty(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Around every border: of the packet, of its fragments, of the buffers inside; and the largest. */
TEST_F(datagrams, of_every_size)
{
	int max = variant->family == AF_INET ? MAX4 : MAX6, mtu = 1500;
	int header = (variant->family == AF_INET ? 20 : 40) + 16;
	int sizes[] = {
		0, 1, 2, 3, 7, 8, 100, mtu - header - 1, mtu - header, mtu - header + 1,
		2 * mtu - header, 2047, 2048, 2049, 2050, 4096, 6143, 6144, 6145, 9000, 32768,
		max - 1, max,
	};
	int rx = receiver(variant->family), tx = sender(variant->family);
	static uint8_t out[70000], in[70000];
	unsigned int i;

	option(rx, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	option(tx, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fill(out, sizes[i], i);
		ASSERT_EQ(sizes[i], send(tx, out, sizes[i], 0));
		memset(in, 0x55, sizeof(in));
		ASSERT_EQ(sizes[i], next(rx, in, sizeof(in)));
		ASSERT_TRUE(intact(in, sizes[i], i));
	}
	EXPECT_EQ(-1, send(tx, out, max + 1, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(i, counter(near_host, "DgramOut"));
	EXPECT_EQ(i, counter(far_host, "DgramIn"));
	EXPECT_EQ(0, counter(far_host, "DropChecksum"));
}

/* what the program corks comes as one datagram, cut at odd places or not */
TEST_F(datagrams, corked_in_odd_pieces)
{
	int rx = receiver(variant->family), tx = sender(variant->family);
	static const int pieces[] = { 1, 3, 1500, 7, 4097, 1, 20001, 3, 0, 5 };
	static uint8_t out[30000], in[30000];
	unsigned int i, at = 0;

	option(rx, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	option(tx, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	fill(out, sizeof(out), 0);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++, at += pieces[i - 1])
		ASSERT_EQ(pieces[i], send(tx, out + at, pieces[i], MSG_MORE));
	ASSERT_EQ(0, send(tx, "", 0, 0));
	ASSERT_EQ(at, next(rx, in, sizeof(in)));
	EXPECT_TRUE(intact(in, at, 0));
	/* a byte at a time */
	for (i = 0; i < 5000; i++)
		ASSERT_EQ(1, send(tx, out + i, 1, i < 4999 ? MSG_MORE : 0));
	ASSERT_EQ(5000, next(rx, in, sizeof(in)));
	EXPECT_TRUE(intact(in, 5000, 0));
	EXPECT_EQ(2, counter(near_host, "DgramOut"));
}

TEST_F(datagrams, need_nobody_listening)
{
	int tx = datagram(near_host, variant->family);
	struct sockaddr_in6 to = address(far_address(variant->family), PORT);

	EXPECT_EQ(1, sendto(tx, "x", 1, 0, (void *)&to, sizeof(to)));
	EXPECT_TRUE(wait_until(counter(far_host, "DropNoPort") == 1));
	EXPECT_EQ(0, error_of(tx));
}

/* ports are the datagrams' own: a stream may listen on the same */
TEST_F(datagrams, ports_apart_from_streams)
{
	int rx = receiver(variant->family), tx = sender(variant->family);
	int listener = listener_at(far_host, far_address(variant->family), PORT, 1);

	send_text(tx, "hello");
	EXPECT_TRUE(comes(rx, "hello"));
	close(listener);
}

/* AF_HAUL and IPPROTO_HAUL make the same sockets */
TEST_F(datagrams, through_both_doors)
{
	int rx = receiver(variant->family);
	int tx = socket(AF_HAUL, SOCK_DGRAM,
			variant->family == AF_INET ? HAULPROTO_INET : HAULPROTO_INET6);

	ASSERT_LE(0, tx);
	ASSERT_EQ(0, connect_to(tx, far_address(variant->family), PORT));
	EXPECT_EQ(SOCK_DGRAM, option_of(tx, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(variant->family, option_of(tx, SOL_SOCKET, SO_DOMAIN));
	send_text(tx, "by the other door");
	EXPECT_TRUE(comes(rx, "by the other door"));
	EXPECT_EQ(-1, socket(AF_HAUL, SOCK_RAW, 0));
	EXPECT_EQ(ESOCKTNOSUPPORT, errno);
}

TEST_F(datagrams, many_to_one_and_back)
{
	enum { PEERS = 50 };
	int rx = receiver(variant->family), tx[PEERS], i;

	for (i = 0; i < PEERS; i++) {
		tx[i] = sender(variant->family);
		ASSERT_EQ(sizeof(i), send(tx[i], &i, sizeof(i), 0));
	}
	for (i = 0; i < PEERS; i++) {
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		int who;

		ASSERT_NE(0, poll_for(rx, POLLIN, 5000));
		ASSERT_EQ(sizeof(who), recvfrom(rx, &who, sizeof(who), 0, (void *)&from, &len));
		ASSERT_EQ(port_of(tx[who]), ntohs(from.sin6_port));
		ASSERT_EQ(sizeof(who), sendto(rx, &who, sizeof(who), 0, (void *)&from, len));
	}
	for (i = 0; i < PEERS; i++) {
		int who = -1;

		ASSERT_EQ(sizeof(who), next(tx[i], &who, sizeof(who)));
		EXPECT_EQ(i, who);
		EXPECT_TRUE(empty(tx[i]));
		close(tx[i]);
	}
}

/* a connected socket hears its peer and nobody else; others hear who they did before */
TEST_F(datagrams, connected_hear_their_peer_only)
{
	int rx = receiver(variant->family), peer = sender(variant->family);
	int stranger = sender(variant->family);

	ASSERT_EQ(0, connect_to(rx, near_address(variant->family), port_of(peer)));
	send_text(stranger, "stranger");
	send_text(peer, "peer");
	EXPECT_TRUE(comes(rx, "peer"));
	EXPECT_TRUE(empty(rx));
	EXPECT_EQ(1, counter(far_host, "DropNoPort"));
	EXPECT_TRUE(wait_until(error_of(stranger) == ECONNREFUSED));
}

TEST_F(datagrams, refused_over_the_cable)
{
	int tx = sender(variant->family);

	send_text(tx, "anybody?");
	EXPECT_EQ(POLLERR, poll_for(tx, POLLERR, 5000) & POLLERR);
	EXPECT_EQ(-1, send(tx, "x", 1, 0));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(1, counter(near_host, "DgramErrors"));
	EXPECT_EQ(0, counter(near_host, "IcmpIgnored"));
}

/* what was refused is quoted in the error queue, and who refused it */
TEST_F(datagrams, refused_in_the_error_queue)
{
	bool v4 = variant->family == AF_INET;
	int tx = datagram(near_host, variant->family);
	struct sockaddr_in6 to = address(far_address(variant->family), PORT), from = {};
	char text[32] = {}, control[256];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	const struct sock_extended_err *ee;

	option(tx, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
	ASSERT_EQ(6, sendto(tx, "quoted", 6, 0, (void *)&to, sizeof(to)));
	ASSERT_NE(0, poll_for(tx, POLLERR, 5000));
	EXPECT_EQ(6, recvmsg(tx, &msg, MSG_ERRQUEUE));
	EXPECT_STREQ("quoted", text);
	EXPECT_EQ(MSG_ERRQUEUE, msg.msg_flags & MSG_ERRQUEUE);
	EXPECT_EQ(htons(PORT), from.sin6_port);
	ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
	ee = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	EXPECT_EQ(ECONNREFUSED, ee->ee_errno);
	EXPECT_EQ(v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6, ee->ee_origin);
	EXPECT_EQ(v4 ? 3 : 1, ee->ee_type);
	EXPECT_EQ(v4 ? 3 : 4, ee->ee_code);
}

/*
 * The path is narrower than the link: told once, cut from then on; a datagram that may not be cut
 * is refused at once.
 */
TEST_F(datagrams, learn_the_path_mtu)
{
	bool v4 = variant->family == AF_INET;
	int level = v4 ? SOL_IP : SOL_IPV6, rx = receiver(variant->family);
	int tx = sender(variant->family);
	static char buf[1400];

	run_at(near_host, "ip route replace %s dev near0 mtu 1280", far_address(variant->family));
	option(tx, level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, IP_PMTUDISC_DO);
	EXPECT_EQ(-1, send(tx, buf, sizeof(buf), 0));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(1280, option_of(tx, level, v4 ? IP_MTU : IPV6_MTU));
	option(tx, level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, IP_PMTUDISC_WANT);
	EXPECT_EQ(sizeof(buf), send(tx, buf, sizeof(buf), 0));
	EXPECT_EQ(sizeof(buf), next(rx, buf, sizeof(buf)));
}

/* SO_REUSEPORT: each flow goes to one of the group, all of them get some */
TEST_F(datagrams, shared_by_reuseport)
{
	enum { GROUP = 4, FLOWS = 200 };
	int rx[GROUP], got[GROUP] = {}, i, j, sum = 0;

	for (i = 0; i < GROUP; i++) {
		rx[i] = datagram(far_host, variant->family);
		option(rx[i], SOL_SOCKET, SO_REUSEPORT, 1);
		ASSERT_EQ(0, bind_to(rx[i], far_address(variant->family), PORT));
	}
	for (i = 0; i < FLOWS; i++) {
		int tx = sender(variant->family);

		send_text(tx, "one");
		send_text(tx, "two");
		close(tx);
	}
	EXPECT_TRUE(wait_until(counter(far_host, "DgramIn") +
			       counter(far_host, "DropRcvbuf") == 2 * FLOWS));
	for (i = 0; i < GROUP; i++) {
		char buf[10];

		while (recv(rx[i], buf, sizeof(buf), MSG_DONTWAIT) == 3)
			got[i]++;
		/* both datagrams of a flow to the same */
		EXPECT_EQ(0, got[i] % 2);
		EXPECT_LT(2 * FLOWS / GROUP / 3, got[i]);
		sum += got[i];
	}
	EXPECT_EQ(2 * FLOWS, sum);
	for (j = 0; j < GROUP; j++)
		close(rx[j]);
}

/* a full buffer loses what comes, and says how much: SO_RXQ_OVFL, the counter */
TEST_F(datagrams, lost_when_nobody_reads)
{
	int rx = receiver(variant->family), tx = sender(variant->family), i, got = 0, told = 0;
	char buf[1000], control[64];
	struct iovec iov = { buf, sizeof(buf) };

	option(rx, SOL_SOCKET, SO_RCVBUF, 8192);
	option(rx, SOL_SOCKET, SO_RXQ_OVFL, 1);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(sizeof(buf), send(tx, buf, sizeof(buf), 0));
	EXPECT_TRUE(wait_until(counter(far_host, "DgramIn") +
			       counter(far_host, "DropRcvbuf") == 100));
	while (recv(rx, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		got++;
	EXPECT_EQ(got, counter(far_host, "DgramIn"));
	EXPECT_LT(0, counter(far_host, "DropRcvbuf"));
	send_text(tx, "after");
	ASSERT_NE(0, poll_for(rx, POLLIN, 5000));
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};

	EXPECT_EQ(5, recvmsg(rx, &msg, 0));
	ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
	memcpy(&told, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(told));
	EXPECT_EQ(100 - got, told);
}

/* the fragments of a datagram that comes in part are no datagram */
TEST_F(datagrams, whole_or_not_at_all)
{
	int rx = receiver(variant->family), tx = sender(variant->family), i, got = 0;
	static char buf[6000];
	ssize_t n;

	link_set("loss 20%");
	for (i = 0; i < 50; i++)
		ASSERT_EQ(sizeof(buf), send(tx, buf, sizeof(buf), 0));
	link_set("");
	for (;;) {
		char c = 'e';

		ASSERT_EQ(1, send(tx, &c, 1, 0));
		n = next(rx, buf, sizeof(buf));
		if (n == 1)
			break;
		ASSERT_EQ(sizeof(buf), n);
		got++;
	}
	EXPECT_GT(50, got);
}

struct hammer {
	int fd;
	bool *stop;
	long sent;
};

static void *hammer(void *arg)
{
	struct hammer *h = arg;

	while (!__atomic_load_n(h->stop, __ATOMIC_RELAXED))
		if (send(h->fd, "blow", 4, 0) == 4)
			h->sent++;
	return NULL;
}

/* sockets come and go, connect and dissolve, while datagrams for them come in */
TEST_F(datagrams, in_the_middle_of_everything)
{
	struct sockaddr_in6 none = { .sin6_family = AF_UNSPEC };
	struct hammer h = { .fd = sender(variant->family) };
	bool stop = false;
	pthread_t thread;
	char buf[10];
	int i;

	h.stop = &stop;
	ASSERT_EQ(0, pthread_create(&thread, NULL, hammer, &h));
	for (i = 0; i < 60; i++) {
		int rx = receiver(variant->family);

		poll_for(rx, POLLIN, 20);
		recv(rx, buf, sizeof(buf), MSG_DONTWAIT);
		EXPECT_EQ(0, connect_to(rx, near_address(variant->family), port_of(h.fd)));
		EXPECT_EQ(0, connect(rx, (void *)&none, sizeof(none)));
		if (i % 2)
			shutdown(rx, SHUT_RDWR);
		close(rx);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LT(0, h.sent);
}

/* a host that goes while its sockets have datagrams waiting, or half written */
TEST_F(datagrams, gone_with_their_host)
{
	pid_t child = fork();
	int status;

	if (!child) {
		int rx = receiver(variant->family), tx = sender(variant->family);

		send_text(tx, "unread");
		poll_for(rx, POLLIN, 5000);
		send(tx, "half", 4, MSG_MORE);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
