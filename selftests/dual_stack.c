// SPDX-License-Identifier: GPL-2.0
/*
 * Which addresses meet which sockets: both IP versions through one socket, one alone, mapped
 * addresses, link-local ones with a scope, sockets bound to a device.
 */
#include "capture.h"
#include "kselftest_harness.h"

FIXTURE(dual_stack) {
	char nothing;
};

FIXTURE_SETUP(dual_stack)
{
	hosts_up();
}

FIXTURE_TEARDOWN(dual_stack)
{
}

static int listener_with(int family, int v6only, const char *text, int port)
{
	int fd = stream(far_host, family);

	if (family == AF_INET6)
		option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
	if (bind_to(fd, text, port) || listen(fd, 8)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* 0 or the errno of near's attempt */
static int attempt(int family, const char *text)
{
	int fd = stream(near_host, family), err = 0;

	if (connect_to(fd, text, PORT))
		err = errno;
	close(fd);
	return err;
}

TEST_F(dual_stack, one_socket_serves_both)
{
	int listener = listener_with(AF_INET6, 0, "::", PORT), client, server;
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);
	char text[64];

	client = stream(near_host, AF_INET);
	ASSERT_EQ(0, connect_to(client, FAR4, PORT));
	server = accept(listener, (void *)&sin6, &len);
	EXPECT_EQ(sizeof(sin6), len);
	EXPECT_EQ(AF_INET6, sin6.sin6_family);
	inet_ntop(AF_INET6, &sin6.sin6_addr, text, sizeof(text));
	EXPECT_STREQ("::ffff:" NEAR4, text);
	EXPECT_EQ(port_of(client), ntohs(sin6.sin6_port));
	len = sizeof(sin6);
	ASSERT_EQ(0, getsockname(server, (void *)&sin6, &len));
	inet_ntop(AF_INET6, &sin6.sin6_addr, text, sizeof(text));
	EXPECT_STREQ("::ffff:" FAR4, text);
	transfer(client, server, 50000);
	transfer(server, client, 50000);
	/* MSS of the version that is spoken, not of the socket's */
	EXPECT_EQ(1444, info_of(server).snd_mss);
	close(client);
	close(server);

	client = stream(near_host, AF_INET6);
	ASSERT_EQ(0, connect_to(client, FAR6, PORT));
	len = sizeof(sin6);
	server = accept(listener, (void *)&sin6, &len);
	inet_ntop(AF_INET6, &sin6.sin6_addr, text, sizeof(text));
	EXPECT_STREQ(NEAR6, text);
	EXPECT_EQ(1424, info_of(server).snd_mss);
	transfer(client, server, 50000);
	close(client);
	close(server);
	close(listener);
}

TEST_F(dual_stack, v6only_leaves_ipv4_to_others)
{
	int six = listener_with(AF_INET6, 1, "::", PORT), four;

	ASSERT_LE(0, six);
	EXPECT_EQ(ECONNREFUSED, attempt(AF_INET, FAR4));
	EXPECT_EQ(0, attempt(AF_INET6, FAR6));
	four = listener_with(AF_INET, 0, "0.0.0.0", PORT);
	ASSERT_LE(0, four);
	EXPECT_EQ(0, attempt(AF_INET, FAR4));
	EXPECT_TRUE(poll_for(four, POLLIN, 5000) & POLLIN);
	close(six);
	close(four);
}

TEST_F(dual_stack, one_port_for_one_dual_socket)
{
	int both = listener_with(AF_INET6, 0, "::", PORT);

	ASSERT_LE(0, both);
	EXPECT_EQ(-1, listener_with(AF_INET, 0, "0.0.0.0", PORT));
	EXPECT_EQ(EADDRINUSE, errno);
	EXPECT_EQ(-1, listener_with(AF_INET, 0, FAR4, PORT));
	EXPECT_EQ(EADDRINUSE, errno);
	EXPECT_EQ(-1, listener_with(AF_INET6, 1, FAR6, PORT));
	EXPECT_EQ(EADDRINUSE, errno);
	close(both);
}

/* the one that fits best gets the connection */
TEST_F(dual_stack, own_address_before_any)
{
	int any = stream(far_host, AF_INET), own = stream(far_host, AF_INET);

	option(any, SOL_SOCKET, SO_REUSEADDR, 1);
	option(own, SOL_SOCKET, SO_REUSEADDR, 1);
	ASSERT_EQ(0, bind_to(any, "0.0.0.0", PORT));
	ASSERT_EQ(0, bind_to(own, FAR4, PORT));
	ASSERT_EQ(0, listen(own, 5));
	EXPECT_EQ(0, attempt(AF_INET, FAR4));
	EXPECT_TRUE(poll_for(own, POLLIN, 5000) & POLLIN);
	close(own);
	close(any);
}

TEST_F(dual_stack, mapped_addresses_of_a_client)
{
	int listener = listener_with(AF_INET, 0, "0.0.0.0", PORT), server;
	int client = stream(near_host, AF_INET6);
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	option(client, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	ASSERT_EQ(0, connect_to(client, "::ffff:" FAR4, PORT));
	server = accept(listener, (void *)&sin, &len);
	EXPECT_EQ(AF_INET, sin.sin_family);
	EXPECT_EQ(inet_addr(NEAR4), sin.sin_addr.s_addr);
	transfer(client, server, 50000);
	close(client);
	close(server);
	client = stream(near_host, AF_INET6);
	option(client, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	EXPECT_EQ(-1, connect_to(client, "::ffff:" FAR4, PORT));
	EXPECT_EQ(ENETUNREACH, errno);
	close(client);
	/* bound to an IPv6 address: a mapped one is out of reach, as TCP has it */
	client = stream(near_host, AF_INET6);
	option(client, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	ASSERT_EQ(0, bind_to(client, "::ffff:" NEAR4, 0));
	EXPECT_EQ(0, connect_to(client, "::ffff:" FAR4, PORT));
	close(client);
	close(listener);
}

/* far's link-local address, with near's interface as scope */
static struct sockaddr_in6 link_local(int port)
{
	struct sockaddr_in6 sin6 = address("fe80::2", port);
	int old = here();

	run_at(far_host, "ip addr add fe80::2/64 dev far0 nodad");
	run_at(near_host, "ip addr add fe80::1/64 dev near0 nodad");
	go_to(near_host);
	sin6.sin6_scope_id = if_nametoindex("near0");
	go_to(old);
	close(old);
	return sin6;
}

TEST_F(dual_stack, link_local_needs_its_scope)
{
	int listener = listener_with(AF_INET6, 0, "::", PORT), server;
	int client = stream(near_host, AF_INET6);
	struct sockaddr_in6 to = link_local(PORT), from;
	socklen_t len = sizeof(from);
	uint32_t scope = to.sin6_scope_id;

	to.sin6_scope_id = 0;
	EXPECT_EQ(-1, connect(client, (void *)&to, sizeof(to)));
	EXPECT_EQ(EINVAL, errno);
	to.sin6_scope_id = scope;
	ASSERT_EQ(0, connect(client, (void *)&to, sizeof(to)));
	server = accept(listener, (void *)&from, &len);
	EXPECT_TRUE(IN6_IS_ADDR_LINKLOCAL(&from.sin6_addr));
	EXPECT_NE(0, from.sin6_scope_id);
	len = sizeof(from);
	ASSERT_EQ(0, getpeername(client, (void *)&from, &len));
	EXPECT_EQ(scope, from.sin6_scope_id);
	transfer(client, server, 50000);
	transfer(server, client, 50000);
	close(client);
	close(server);
	close(listener);
}

/* a second cable beside the first */
static void second_cable(void)
{
	struct end near = { near_host, "near1", "198.51.100.1", "2001:db8:1::1" };
	struct end far = { far_host, "far1", "198.51.100.2", "2001:db8:1::2" };

	cable(&near, &far);
	wait_for_path(near_host, far_host, "198.51.100.2");
	wait_for_path(near_host, far_host, "2001:db8:1::2");
}

static void bind_device(int fd, const char *dev)
{
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev) + 1))
		die("bind to %s", dev);
}

TEST_F(dual_stack, listeners_bound_to_devices)
{
	int first = stream(far_host, AF_INET6), second = stream(far_host, AF_INET6);

	second_cable();
	go_to(far_host);
	bind_device(first, "far0");
	bind_device(second, "far1");
	go_to(near_host);
	ASSERT_EQ(0, bind_to(first, "::", PORT));
	ASSERT_EQ(0, bind_to(second, "::", PORT));
	ASSERT_EQ(0, listen(first, 5));
	EXPECT_EQ(ECONNREFUSED, attempt(AF_INET, "198.51.100.2"));
	ASSERT_EQ(0, listen(second, 5));
	EXPECT_EQ(0, attempt(AF_INET, "198.51.100.2"));
	EXPECT_EQ(0, attempt(AF_INET6, "2001:db8:1::2"));
	EXPECT_EQ(0, poll_for(first, POLLIN, 0));
	close(accepted(second));
	close(accepted(second));
	EXPECT_EQ(0, attempt(AF_INET6, FAR6));
	close(accepted(first));
	EXPECT_EQ(0, poll_for(second, POLLIN, 0));
	close(first);
	close(second);
}

/* the device decides the way: there is no route by this one */
TEST_F(dual_stack, client_bound_to_a_device)
{
	int listener = listener_with(AF_INET6, 0, "::", PORT), client = stream(near_host, AF_INET);
	struct pair p;

	second_cable();
	bind_device(client, "near0");
	p = connected_with(AF_INET, listener, client);
	transfer(p.client, p.server, 20000);
	close(p.client);
	close(p.server);
	client = stream(near_host, AF_INET6);
	bind_device(client, "near1");
	EXPECT_EQ(-1, connect_to(client, FAR6, PORT));
	EXPECT_EQ(ENETUNREACH, errno);
	close(client);
	close(listener);
}

/* what comes by another device is not the connection's: nobody's, so it is answered by a reset */
TEST_F(dual_stack, client_bound_to_another_device)
{
	int listener = listener_with(AF_INET, 0, "0.0.0.0", PORT);
	int client = stream(near_host, AF_INET);
	struct pair p;

	second_cable();
	run_at(near_host, "sysctl -qw net.ipv4.conf.all.rp_filter=0");
	run_at(near_host, "sysctl -qw net.ipv4.conf.near1.rp_filter=0");
	bind_device(client, "near0");
	p = connected_with(AF_INET, listener, client);
	transfer(p.server, p.client, 1000);
	run_at(far_host, "ip route add " NEAR4 "/32 via 198.51.100.1 dev far1");
	ASSERT_EQ(1, send(p.server, "x", 1, 0));
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	EXPECT_EQ(ECONNRESET, error_of(p.server));
	EXPECT_LE(1, counter(near_host, "DropNoFlow"));
	EXPECT_EQ(0, poll_for(p.client, POLLIN, 0));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	done(&p);
}

TEST_HARNESS_MAIN
