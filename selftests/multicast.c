// SPDX-License-Identifier: GPL-2.0
/*
 * One to many over a cable: groups joined and left, sources let in and kept out, the sender's
 * options, broadcasts. What single calls answer is same_as_udp's to compare.
 */
#include "hosts.h"
#include "kselftest_harness.h"

static unsigned int index_on(int host, const char *dev)
{
	int old = here();
	unsigned int index;

	go_to(host);
	index = if_nametoindex(dev);
	go_to(old);
	close(old);
	return index;
}

/*
 * A host takes IPv6 groups in once the kernel has looked at its new link, for their route is made
 * then: up to a second after the other host has found it by its address.
 */
static void wait_for_groups(void)
{
	struct sockaddr_in6 any = address("::", 9), all_nodes = address("ff02::1", 9);
	int rx;

	go_to(far_host);
	rx = socket(AF_INET6, SOCK_DGRAM, 0);
	if (bind(rx, (void *)&any, sizeof(any)))
		die("bind");
	all_nodes.sin6_scope_id = index_on(near_host, "near0");
	send_until_one_comes(rx, near_host, &all_nodes);
	close(rx);
}

/* packets sent by one processor keep their order on the cable: nothing() needs that */
static void stay_on_one_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
}

FIXTURE(multicast) {
	char nothing;
};

FAMILIES(multicast);

FIXTURE_SETUP(multicast)
{
	stay_on_one_processor();
	hosts_up();
	if (variant->family == AF_INET6)
		wait_for_groups();
}

FIXTURE_TEARDOWN(multicast)
{
}

static const char *group(int family)
{
	return family == AF_INET ? "239.7.7.7" : "ff15::777";
}

static int level(int family)
{
	return family == AF_INET ? SOL_IP : SOL_IPV6;
}

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

/* on far, bound to PORT of any address */
static int receiver(int family)
{
	int fd = datagram(far_host, family);

	option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind_to(fd, family == AF_INET ? "0.0.0.0" : "::", PORT))
		die("bind");
	/* only what it has joined itself */
	option(fd, level(family), family == AF_INET ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL, 0);
	return fd;
}

/* on near, sends to the group by the cable */
static int sender(int family)
{
	struct ip_mreqn mreq = { .imr_ifindex = index_on(near_host, "near0") };
	int fd = datagram(near_host, family);

	if (family == AF_INET6)
		option(fd, SOL_IPV6, IPV6_MULTICAST_IF, mreq.imr_ifindex);
	else if (setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)))
		die("IP_MULTICAST_IF");
	return fd;
}

static void membership(int fd, int family, int request)
{
	struct group_req req = { .gr_interface = index_on(far_host, "far0") };
	struct sockaddr_in6 sin6 = address(group(family), 0);

	memcpy(&req.gr_group, &sin6, sizeof(sin6));
	if (setsockopt(fd, level(family), request, &req, sizeof(req)))
		die("membership %d", request);
}

static void source(int fd, int family, int request, const char *text)
{
	struct group_source_req req = { .gsr_interface = index_on(far_host, "far0") };
	struct sockaddr_in6 to = address(group(family), 0), from = address(text, 0);

	memcpy(&req.gsr_group, &to, sizeof(to));
	memcpy(&req.gsr_source, &from, sizeof(from));
	if (setsockopt(fd, level(family), request, &req, sizeof(req)))
		die("source %d of %s", request, text);
}

static void send_to(int fd, const char *text, const char *word)
{
	struct sockaddr_in6 to = address(text, PORT);

	if (sendto(fd, word, strlen(word), 0, (void *)&to, sizeof(to)) != strlen(word))
		die("send %s to %s", word, text);
}

/* within 5 s */
static bool comes(int fd, const char *word)
{
	char buf[100] = {};
	ssize_t n;

	poll_for(fd, POLLIN, 5000);
	n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	return n == strlen(word) && !strcmp(buf, word);
}

/*
 * Nothing: after what was sent to the group comes what is sent to the host itself, by the same
 * cable
 */
static bool nothing(int fd, int tx, int family)
{
	int probe = datagram(far_host, family);
	struct sockaddr_in6 to = address(far_address(family), 0);
	bool empty;
	char c;

	if (bind_to(probe, far_address(family), 0))
		die("bind");
	to.sin6_port = htons(port_of(probe));
	if (sendto(tx, "fence", 5, 0, (void *)&to, sizeof(to)) != 5 || !comes(probe, "fence"))
		die("the fence did not come");
	empty = recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
	close(probe);
	return empty;
}

TEST_F(multicast, joined_and_left)
{
	int family = variant->family, rx = receiver(family), tx = sender(family);

	send_to(tx, group(family), "before");
	EXPECT_TRUE(nothing(rx, tx, family));
	membership(rx, family, MCAST_JOIN_GROUP);
	send_to(tx, group(family), "member");
	EXPECT_TRUE(comes(rx, "member"));
	membership(rx, family, MCAST_LEAVE_GROUP);
	send_to(tx, group(family), "after");
	EXPECT_TRUE(nothing(rx, tx, family));
	/* nobody is told that nobody listened */
	EXPECT_EQ(0, error_of(tx));
	EXPECT_EQ(0, counter(far_host, "DropNoPort"));
}

TEST_F(multicast, each_member_its_copy)
{
	enum { MEMBERS = 20 };
	int family = variant->family, rx[MEMBERS], tx = sender(family), stranger, i;
	char big[9000], in[9000];
	struct sockaddr_in6 to = address(group(family), PORT);

	for (i = 0; i < MEMBERS; i++) {
		rx[i] = receiver(family);
		membership(rx[i], family, MCAST_JOIN_GROUP);
	}
	stranger = receiver(family);
	send_to(tx, group(family), "to all of you");
	for (i = 0; i < MEMBERS; i++)
		EXPECT_TRUE(comes(rx[i], "to all of you"));
	EXPECT_TRUE(nothing(stranger, tx, family));
	/* cut by IP on the way */
	for (i = 0; i < sizeof(big); i++)
		big[i] = byte_at(i);
	ASSERT_EQ(sizeof(big), sendto(tx, big, sizeof(big), 0, (void *)&to, sizeof(to)));
	for (i = 0; i < MEMBERS; i++) {
		poll_for(rx[i], POLLIN, 5000);
		ASSERT_EQ(sizeof(big), recv(rx[i], in, sizeof(in), MSG_DONTWAIT));
		EXPECT_EQ(0, memcmp(big, in, sizeof(big)));
	}
	EXPECT_EQ(2 * MEMBERS + 1, counter(far_host, "DgramIn"));
}

/* RFC 3376, 3810: by source, let in or kept out */
TEST_F(multicast, by_source)
{
	const char *other = variant->family == AF_INET ? "192.0.2.77" : "2001:db8::77";
	int family = variant->family, only = receiver(family), but = receiver(family);
	int ours = sender(family), theirs = sender(family);

	run_at(near_host, "ip addr add %s/%d dev near0 %s", other, family == AF_INET ? 24 : 64,
	       family == AF_INET ? "" : "nodad");
	ASSERT_EQ(0, bind_to(ours, near_address(family), 0));
	ASSERT_EQ(0, bind_to(theirs, other, 0));
	source(only, family, MCAST_JOIN_SOURCE_GROUP, near_address(family));
	membership(but, family, MCAST_JOIN_GROUP);
	source(but, family, MCAST_BLOCK_SOURCE, near_address(family));
	run_at(far_host, "ip neigh replace %s lladdr 02:00:00:00:00:01 dev far0", other);
	send_to(theirs, group(family), "theirs");
	send_to(ours, group(family), "ours");
	EXPECT_TRUE(comes(only, "ours"));
	EXPECT_TRUE(comes(but, "theirs"));
	EXPECT_TRUE(nothing(only, ours, family));
	EXPECT_TRUE(nothing(but, ours, family));
	source(but, family, MCAST_UNBLOCK_SOURCE, near_address(family));
	send_to(ours, group(family), "again");
	EXPECT_TRUE(comes(but, "again"));
}

/* the sender is a member, too: its own copy, unless it asked not to have one */
TEST_F(multicast, heard_by_the_sending_host)
{
	int family = variant->family, tx = sender(family), me = datagram(near_host, family);
	struct group_req req = { .gr_interface = index_on(near_host, "near0") };
	struct sockaddr_in6 sin6 = address(group(family), 0);

	ASSERT_EQ(0, bind_to(me, group(family), PORT));
	memcpy(&req.gr_group, &sin6, sizeof(sin6));
	ASSERT_EQ(0, setsockopt(me, level(family), MCAST_JOIN_GROUP, &req, sizeof(req)));
	send_to(tx, group(family), "looped");
	EXPECT_TRUE(comes(me, "looped"));
	option(tx, level(family), family == AF_INET ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, 0);
	send_to(tx, group(family), "not looped");
	EXPECT_FALSE(poll_for(me, POLLIN, 50));
}

/* a datagram to a group lives for one hop, to a host for many; the program may say otherwise */
TEST_F(multicast, hops)
{
	int family = variant->family, rx = receiver(family), tx = sender(family);
	bool v4 = family == AF_INET;
	char buf[20], control[64];
	struct iovec iov = { buf, sizeof(buf) };
	int want[] = { 1, 5 }, i;

	membership(rx, family, MCAST_JOIN_GROUP);
	option(rx, level(family), v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1);
	for (i = 0; i < 2; i++) {
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control),
		};
		int hops = 0;

		if (i)
			option(tx, level(family), v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, 5);
		send_to(tx, group(family), "hop");
		ASSERT_NE(0, poll_for(rx, POLLIN, 5000));
		ASSERT_EQ(3, recvmsg(rx, &msg, 0));
		ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
		memcpy(&hops, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(hops));
		EXPECT_EQ(want[i], hops);
	}
}

/* IPv4 only: everybody on the cable who has the port */
TEST_F(multicast, broadcast)
{
	static const char *const to[] = { "192.0.2.255", "255.255.255.255" };
	int a = datagram(far_host, AF_INET), b = datagram(far_host, AF_INET);
	int bound = datagram(far_host, AF_INET), tx = sender(AF_INET), i;

	if (variant->family == AF_INET6)
		SKIP(return, "IPv6 has no broadcast");
	option(a, SOL_SOCKET, SO_REUSEADDR, 1);
	option(b, SOL_SOCKET, SO_REUSEADDR, 1);
	option(bound, SOL_SOCKET, SO_REUSEADDR, 1);
	ASSERT_EQ(0, bind_to(a, "0.0.0.0", PORT));
	ASSERT_EQ(0, bind_to(b, "0.0.0.0", PORT));
	ASSERT_EQ(0, bind_to(bound, FAR4, PORT));
	option(tx, SOL_SOCKET, SO_BROADCAST, 1);
	run_at(near_host, "ip route replace 255.255.255.255/32 dev near0");
	run_at(near_host, "ip addr replace %s/24 brd + dev near0", NEAR4);
	run_at(far_host, "ip addr replace %s/24 brd + dev far0", FAR4);
	for (i = 0; i < 2; i++) {
		send_to(tx, to[i], "all of you");
		EXPECT_TRUE(comes(a, "all of you"));
		EXPECT_TRUE(comes(b, "all of you"));
		EXPECT_TRUE(nothing(bound, tx, AF_INET));
	}
	/* nobody has this one: no answer */
	close(a);
	close(b);
	close(bound);
	send_to(tx, to[0], "anybody?");
	EXPECT_TRUE(wait_until(counter(far_host, "DropNoMember") == 1));
	EXPECT_EQ(0, error_of(tx));
}

TEST_HARNESS_MAIN
