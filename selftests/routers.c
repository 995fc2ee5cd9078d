// SPDX-License-Identifier: GPL-2.0
/*
 * Routers that do more than send on: they translate addresses, refuse, drop, cut large segments, or
 * take a connection for themselves. Each time every byte arrives, once and in order, both ways.
 *
 * A kernel or tools that cannot do it skip the cases and say so.
 */
#include "hosts.h"
#include "kselftest_harness.h"
#include "paths.h"

/* the second network, behind a router */
#define AWAY4	"198.51.100.2"
#define AWAY6	"2001:db8:2::2"
#define GATE4	"192.0.2.254"
#define GATE6	"2001:db8::fe"
#define EXIT4	"198.51.100.254"
#define EXIT6	"2001:db8:2::fe"

static int router;

static const char *away(int family)
{
	return family == AF_INET ? AWAY4 : AWAY6;
}

/* near - router - far, who is away and does not know the way to near */
static void routed(void)
{
	struct end near = { .dev = "near0", .v4 = NEAR4, .v6 = NEAR6 };
	struct end gate = { .dev = "gate0", .v4 = GATE4, .v6 = GATE6 };
	struct end way_out = { .dev = "exit0", .v4 = EXIT4, .v6 = EXIT6 };
	struct end far = { .dev = "far0", .v4 = AWAY4, .v6 = AWAY6 };

	signal(SIGPIPE, SIG_IGN);
	near_host = new_host();
	router = new_host();
	far_host = new_host();
	near.host = near_host;
	gate.host = router;
	way_out.host = router;
	far.host = far_host;
	cable(&near, &gate);
	cable(&way_out, &far);
	run_at(router, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	run_at(near_host, "ip route add default via " GATE4 "; ip route add default via " GATE6);
	go_to(near_host);
}

/* the router's rules, instead of those that it had */
__attribute__((format(printf, 1, 2)))
static void rules(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	run_at(router, "nft flush ruleset; nft '%s'", text);
}

static int away_listener(int family)
{
	return listener_at(far_host, family == AF_INET ? "0.0.0.0" : "::", PORT, 16);
}

/* the address that getsockname() or getpeername() says */
static const char *text_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	static char text[64];
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	if (name(fd, (void *)&sin6, &len))
		die("a socket's name");
	inet_ntop(sin6.sin6_family, sin6.sin6_family == AF_INET ?
		  (void *)&((struct sockaddr_in *)&sin6)->sin_addr : (void *)&sin6.sin6_addr,
		  text, sizeof(text));
	return text;
}

FIXTURE(router) {
	char nothing;
};

FAMILIES(router);

FIXTURE_SETUP(router)
{
	routed();
	go_to(router);
	if (!can("nft add table inet t; "
		 "nft add chain inet t c { type nat hook postrouting priority 100 \\; }; "
		 "nft add rule inet t c masquerade; nft flush ruleset"))
		SKIP(return, "needs nft and NAT in the kernel");
	go_to(near_host);
}

FIXTURE_TEARDOWN(router)
{
}

#define MASQUERADE	"table inet t { chain c { type nat hook postrouting priority 100; " \
			"oifname \"exit0\" masquerade; }; }"

/* far has no way to near: all that it sees is the router */
TEST_F(router, masquerades)
{
	int family = variant->family;
	struct pair p;

	rules(MASQUERADE);
	p = joined(away_listener(family), stream(near_host, family), away(family));
	EXPECT_STREQ(family == AF_INET ? EXIT4 : EXIT6, text_of(p.server, getpeername));
	converse(_metadata, &p);
}

/* the router's word about a packet that it has rewritten is about ours */
TEST_F(router, masquerades_icmp)
{
	int family = variant->family;
	struct pair p;

	rules(MASQUERADE);
	p = joined(away_listener(family), stream(near_host, family), away(family));
	transfer(p.client, p.server, SOME);
	run_at(router, "ip link set exit0 mtu 1300");
	/* both ends of the cable: one drops what is larger than it may send, and tells nobody */
	run_at(far_host, "ip link set far0 mtu 1300");
	transfer(p.client, p.server, SOME);
	EXPECT_LE(1, counter(near_host, "PmtuReduced"));
	EXPECT_EQ(1300, info_of(p.client).pmtu);
	/* nobody takes the port: the reset comes back, too */
	close(p.listener);
	p.listener = stream(near_host, family);
	EXPECT_EQ(-1, connect_to(p.listener, away(family), PORT + 1));
	EXPECT_EQ(ECONNREFUSED, errno);
	converse(_metadata, &p);
}

/* datagrams and messages, too */
TEST_F(router, masquerades_all_kinds)
{
	int family = variant->family, a, b;
	struct sockaddr_in6 to = address(away(family), PORT), from;
	socklen_t len = sizeof(from);
	static char out[30000], in[30000];
	struct pair p;

	rules(MASQUERADE);
	a = socket_at(near_host, family, SOCK_DGRAM);
	b = socket_at(far_host, family, SOCK_DGRAM);
	ASSERT_EQ(0, bind_to(b, family == AF_INET ? "0.0.0.0" : "::", PORT));
	ASSERT_EQ(5, sendto(a, "hello", 5, 0, (void *)&to, sizeof(to)));
	ASSERT_EQ(5, recvfrom(b, in, sizeof(in), 0, (void *)&from, &len));
	ASSERT_EQ(5, sendto(b, "world", 5, 0, (void *)&from, len));
	ASSERT_TRUE(poll_for(a, POLLIN, 10000));
	ASSERT_EQ(5, recv(a, in, sizeof(in), 0));
	EXPECT_EQ(0, memcmp(in, "world", 5));
	memset(out, 0x5a, sizeof(out));
	p.listener = listener_of(SOCK_SEQPACKET, far_host, family == AF_INET ? "0.0.0.0" : "::",
				 PORT, 4);
	p = joined(p.listener, socket_at(near_host, family, SOCK_SEQPACKET), away(family));
	ASSERT_EQ((ssize_t)sizeof(out), send(p.client, out, sizeof(out), 0));
	ASSERT_EQ((ssize_t)sizeof(in), recv(p.server, in, sizeof(in), 0));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	done(&p);
	close(a);
	close(b);
}

/* the server is elsewhere than its address says */
TEST_F(router, redirects_to_another_address)
{
	int family = variant->family;
	struct pair p;

	run_at(far_host, "ip route add default via " EXIT4 "; ip route add default via " EXIT6);
	rules("table inet t { chain c { type nat hook prerouting priority -100; "
	      "ip daddr 198.51.100.77 dnat ip to " AWAY4 "; "
	      "ip6 daddr 2001:db8:2::77 dnat ip6 to " AWAY6 "; }; }");
	p = joined(away_listener(family), stream(near_host, family),
		   family == AF_INET ? "198.51.100.77" : "2001:db8:2::77");
	converse(_metadata, &p);
}

/* how a connect() ends, and that it does at once */
static int refusal(struct __test_metadata *_metadata, int family)
{
	uint64_t before = now_us();
	int fd = stream(near_host, family), err = 0;

	if (connect_to(fd, away(family), PORT))
		err = errno;
	EXPECT_GT(5 * SECOND, now_us() - before);
	close(fd);
	return err;
}

#define REFUSE	"table inet t { chain c { type filter hook forward priority 0; " \
		"meta l4proto 253 oifname \"exit0\" reject with "

TEST_F(router, rejects)
{
	int family = variant->family;

	run_at(far_host, "ip route add default via " EXIT4 "; ip route add default via " EXIT6);
	rules(REFUSE "icmpx port-unreachable; }; }");
	EXPECT_EQ(ECONNREFUSED, refusal(_metadata, family));
	rules(REFUSE "icmpx admin-prohibited; }; }");
	EXPECT_EQ(family == AF_INET ? EHOSTUNREACH : EACCES, refusal(_metadata, family));
}

/* what is established lives through a time of refusal, and of silence */
TEST_F(router, rejects_and_drops_for_a_while)
{
	static const char *const how[] = { "reject with icmpx port-unreachable", "drop" };
	int family = variant->family, i;
	struct pair p;
	struct flow f;

	run_at(far_host, "ip route add default via " EXIT4 "; ip route add default via " EXIT6);
	p = joined(away_listener(family), stream(near_host, family), away(family));
	f = (struct flow){ .from = p.client, .to = p.server };
	for (i = 0; i < 2; i++) {
		flow_run(&f, f.sent + SOME, 65536, 65536);
		rules("table inet t { chain c { type filter hook forward priority 0; "
		      "meta l4proto 253 %s; }; }", how[i]);
		flow_send(&f, f.sent + 10000, 10000);
		ASSERT_TRUE(wait_until(info_of(p.client).timeouts > i));
		run_at(router, "nft flush ruleset");
		flow_run(&f, f.sent + SOME, 65536, 65536);
	}
	EXPECT_EQ(0, error_of(p.client));
	converse(_metadata, &p);
}

/* a large segment is cut by the router where the next link is smaller, and nobody is told */
TEST_F(router, forwards_large_segments)
{
	int family = variant->family;
	struct pair p;

	run_at(far_host, "ip route add default via " EXIT4 "; ip route add default via " EXIT6);
	run_at(router, "ethtool -K exit0 tx-sctp-segmentation off >/dev/null");
	p = joined(away_listener(family), stream(near_host, family), away(family));
	converse(_metadata, &p);
}

/* ---------------------------------------------------------------- a transparent proxy */

/* a socket of the router's that may have addresses which are others' */
static int transparent(int family, const char *text, int port)
{
	bool v4 = family == AF_INET;
	int fd = stream(router, family);

	option(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, 1);
	if (bind_to(fd, text, port))
		die("bind to %s", text);
	return fd;
}

/* what the router is given to send on it takes for its own */
static void intercept(void)
{
	run_at(far_host, "ip route add default via " EXIT4 "; ip route add default via " EXIT6);
	run_at(router, "for v in -4 -6; do ip $v rule add fwmark 1 lookup 100; "
	       "ip $v route add local default dev lo table 100; done");
	rules("table inet t { chain c { type filter hook prerouting priority -150; "
	      "meta l4proto 253 meta mark set 1; }; }");
}

/*
 * The router answers in far's name, and speaks to far in near's (policy routing: nftables' tproxy
 * and xtables' TPROXY know TCP and UDP only). Neither end sees that there are two connections.
 */
TEST_F(router, proxies_transparently)
{
	int family = variant->family, listener, to_near, to_far;
	const char *near = near_address(family);
	struct pair client, server;

	intercept();
	listener = transparent(family, family == AF_INET ? "0.0.0.0" : "::", PORT);
	ASSERT_EQ(0, listen(listener, 4));
	client.listener = listener;
	client.client = stream(near_host, family);
	ASSERT_EQ(0, connect_to(client.client, away(family), PORT));
	to_near = accepted(listener);
	client.server = to_near;
	EXPECT_STREQ(away(family), text_of(to_near, getsockname));
	EXPECT_STREQ(near, text_of(to_near, getpeername));

	to_far = transparent(family, near, 0);
	server = joined(away_listener(family), to_far, away(family));
	EXPECT_STREQ(near, text_of(server.server, getpeername));
	EXPECT_STREQ(near, text_of(to_far, getsockname));

	converse(_metadata, &client);
	converse(_metadata, &server);
}

/* who does not ask for it has addresses of his own only */
TEST_F(router, is_no_proxy_unasked)
{
	int fd = stream(router, variant->family);

	EXPECT_EQ(-1, bind_to(fd, near_address(variant->family), 0));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	close(fd);
}

TEST_HARNESS_MAIN
