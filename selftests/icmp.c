// SPDX-License-Identifier: GPL-2.0
/*
 * What routers say (protocol.rst 8): no way, forbidden, too big. Three hosts: near, router, far.
 * Forged and impossible errors are for wire/.
 */
#include "capture.h"
#include "hold.h"
#include "timing.h"
#include "kselftest_harness.h"

#define BEYOND4	"198.51.100.2"
#define BEYOND6	"2001:db8:1::2"

FIXTURE(icmp) {
	int beyond;		/* a third host, behind far, which forwards */
	const char *text;
};

FAMILIES(icmp);

FIXTURE_SETUP(icmp)
{
	struct end router = { .dev = "out0", .v4 = "198.51.100.1", .v6 = "2001:db8:1::1" };
	struct end beyond = { .dev = "beyond0", .v4 = BEYOND4, .v6 = BEYOND6 };

	hosts_up();
	router.host = far_host;
	beyond.host = new_host();
	self->beyond = beyond.host;
	self->text = variant->family == AF_INET ? BEYOND4 : BEYOND6;
	cable(&router, &beyond);
	run_at(far_host, "echo 1 >/proc/sys/net/ipv4/ip_forward");
	run_at(far_host, "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
	run_at(near_host, "ip route add default via " FAR4 "; ip route add default via " FAR6);
	run_at(beyond.host, "ip route add default via %s; ip route add default via %s", router.v4,
	       router.v6);
	wait_for_path(near_host, beyond.host, BEYOND4);
	wait_for_path(near_host, beyond.host, BEYOND6);
}

FIXTURE_TEARDOWN(icmp)
{
}

/* how far's routing table treats packets to a net behind it */
static const char *treated(int family, const char *how)
{
	run_at(far_host, "ip route add %s 203.0.113.0/24", how);
	run_at(far_host, "ip -6 route add %s 2001:db8:2::/64", how);
	return family == AF_INET ? "203.0.113.1" : "2001:db8:2::1";
}

/* forbidden by the router: hard, the attempt ends at once */
TEST_F(icmp, prohibited)
{
	const char *text = treated(variant->family, "prohibit");
	int client = stream(near_host, variant->family);
	uint64_t start = now_us();

	EXPECT_EQ(-1, connect_to(client, text, PORT));
	EXPECT_EQ(variant->family == AF_INET ? EHOSTUNREACH : EACCES, errno);
	EXPECT_GE(500 * MS, now_us() - start);
	EXPECT_EQ(1, counter(near_host, "IcmpHard"));
	EXPECT_EQ(1, counter(near_host, "AttemptFails"));
	close(client);
}

/* no way just now: soft; tried on, and told when the attempt times out */
TEST_F(icmp, unreachable)
{
	const char *text = treated(variant->family, "unreachable");
	int client = stream(near_host, variant->family);
	uint64_t start = now_us();

	option(client, SOL_HAUL, HAUL_SYNCNT, 1);
	EXPECT_EQ(-1, connect_to(client, text, PORT));
	EXPECT_EQ(variant->family == AF_INET ? EHOSTUNREACH : ENETUNREACH, errno);
	EXPECT_TOOK(3 * SECOND, now_us() - start);
	EXPECT_EQ(0, counter(near_host, "IcmpHard"));
	EXPECT_LE(1, counter(near_host, "IcmpSoft"));
	close(client);
}

/* the way comes back while the attempt lasts */
TEST_F(icmp, unreachable_for_a_while)
{
	int listener = listener_at(self->beyond, self->text, PORT, 8);
	int client = stream(near_host, variant->family);
	const char *net = variant->family == AF_INET ? BEYOND4 "/32" : BEYOND6 "/128";
	struct pair p = { .listener = listener, .client = client };

	run_at(far_host, "ip route add unreachable %s metric 1", net);
	nonblocking(client, true);
	connect_to(client, self->text, PORT);
	ASSERT_TRUE(wait_until(counter(near_host, "IcmpSoft") == 1));
	run_at(far_host, "ip route del unreachable %s metric 1", net);
	p.server = accepted(listener);
	EXPECT_TRUE(poll_for(client, POLLOUT, 5000) & POLLOUT);
	EXPECT_EQ(0, error_of(client));
	transfer(client, p.server, 10000);
	done(&p);
}

/* in an established connection no error of a router ends it */
TEST_F(icmp, established_survives)
{
	const char *net = variant->family == AF_INET ? BEYOND4 "/32" : BEYOND6 "/128";
	int listener = listener_at(self->beyond, self->text, PORT, 8);
	int client = stream(near_host, variant->family);
	struct pair p = { .listener = listener, .client = client };
	struct flow f;
	char c;

	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	p.server = accepted(listener);
	f = (struct flow){ .from = client, .to = p.server };
	flow_run(&f, 10000, 65536, 65536);
	run_at(far_host, "ip route add prohibit %s metric 1", net);
	flow_send(&f, f.sent + 5000, 5000);
	ASSERT_TRUE(wait_until(counter(near_host, "IcmpSoft") >= 1));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(client));
	EXPECT_EQ(0, poll_for(client, POLLIN, 0) & POLLERR);
	EXPECT_EQ(-1, recv(client, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	/* who asks is told (and that is all that it does) */
	EXPECT_EQ(variant->family == AF_INET ? EHOSTUNREACH : EACCES, error_of(client));
	run_at(far_host, "ip route del prohibit %s metric 1", net);
	flow_run(&f, f.sent + 10000, 65536, 65536);
	done(&p);
}

/* who has asked by IP_RECVERR is told at once, by poll() too; nor is that the connection's end */
TEST_F(icmp, established_tells)
{
	const char *net = variant->family == AF_INET ? BEYOND4 "/32" : BEYOND6 "/128";
	int listener = listener_at(self->beyond, self->text, PORT, 8);
	int client = stream(near_host, variant->family);
	struct pair p = { .listener = listener, .client = client };
	struct flow f;
	char c;

	if (variant->family == AF_INET)
		option(client, IPPROTO_IP, IP_RECVERR, 1);
	else
		option(client, IPPROTO_IPV6, IPV6_RECVERR, 1);
	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	p.server = accepted(listener);
	f = (struct flow){ .from = client, .to = p.server };
	flow_run(&f, 10000, 65536, 65536);
	run_at(far_host, "ip route add prohibit %s metric 1", net);
	flow_send(&f, f.sent + 5000, 5000);
	EXPECT_TRUE(poll_for(client, POLLIN, 5000) & POLLERR);
	run_at(far_host, "ip route del prohibit %s metric 1", net);
	EXPECT_EQ(-1, recv(client, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(variant->family == AF_INET ? EHOSTUNREACH : EACCES, errno);
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(client));
	/* another may have come before the route was right again */
	error_of(client);
	flow_run(&f, f.sent + 10000, 65536, 65536);
	done(&p);
}

/* a smaller link behind the router: one message, smaller segments, and the transfer goes on */
TEST_F(icmp, path_mtu)
{
	int listener, client = stream(near_host, variant->family), server, tap;
	int header = (variant->family == AF_INET ? 20 : 40) + HEADER;
	struct haul_info info;
	uint64_t start;

	/* the far end of the cable takes more, so announces more */
	run_at(far_host, "ip link set out0 mtu 1300");
	listener = listener_at(self->beyond, self->text, PORT, 8);
	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	server = accepted(listener);
	EXPECT_EQ(1500 - header, info_of(client).snd_mss);
	tap = capture(self->beyond, "beyond0");
	start = now_us();
	transfer(client, server, 1000000);
	EXPECT_GE(10 * SECOND, now_us() - start);
	info = info_of(client);
	EXPECT_EQ(1300, info.pmtu);
	EXPECT_EQ(1300 - header, info.snd_mss);
	EXPECT_LE(1, counter(near_host, "PmtuReduced"));
	EXPECT_EQ(0, info.timeouts);
	EXPECT_EQ(0, counter(near_host, "IcmpHard"));
	/* the other direction was told by the MSS; and a new connection knows */
	transfer(server, client, 100000);
	close(client);
	close(server);
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	EXPECT_EQ(1300 - header, info_of(client).snd_mss);
	close(tap);
	close(client);
	close(listener);
}

/* smaller once more, in the middle of a transfer with much in flight */
TEST_F(icmp, path_mtu_shrinks_under_way)
{
	int listener = listener_at(self->beyond, self->text, PORT, 8);
	int client = stream(near_host, variant->family);
	struct pair p = { .listener = listener, .client = client };
	struct flow f;

	link_set("delay 20ms");
	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	p.server = accepted(listener);
	f = (struct flow){ .from = client, .to = p.server };
	flow_run(&f, 500000, 65536, 65536);
	flow_send(&f, f.sent + 200000, 200000);
	run_at(far_host, "ip link set out0 mtu 1400");
	flow_run(&f, f.sent + 500000, 65536, 65536);
	run_at(far_host, "ip link set out0 mtu 1280");
	flow_run(&f, f.sent + 500000, 65536, 65536);
	EXPECT_EQ(1280, info_of(client).pmtu);
	EXPECT_LE(2, counter(near_host, "PmtuReduced"));
	done(&p);
}

/* large segments through a router with a smaller link: GSO's length check must not let them slip */
TEST_F(icmp, large_segments_are_cut_to_the_path)
{
	int listener = listener_at(self->beyond, self->text, PORT, 8);
	int client = stream(near_host, variant->family);
	struct pair p = { .listener = listener, .client = client };

	run_at(far_host, "ip link set out0 mtu 1492");
	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	p.server = accepted(listener);
	transfer(client, p.server, 1000000);
	EXPECT_EQ(1492, info_of(client).pmtu);
	EXPECT_LE(1, counter(near_host, "PmtuReduced"));
	done(&p);
}

/* messages of "too big" that near has been sent so far, believed or not */
static long icmp_received(int family)
{
	const char *path = family == AF_INET ? "/proc/thread-self/net/snmp" :
					       "/proc/thread-self/net/snmp6";
	const char *name = family == AF_INET ? "IcmpMsg:" : "Icmp6InPktTooBigs";
	char line[1024], names[1024] = "";
	long value = 0;
	FILE *file;

	go_to(near_host);
	file = fopen(path, "r");
	if (!file)
		die("%s", path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)))
			continue;
		if (family == AF_INET6)
			value = atol(line + strlen(name));
		else if (names[0])
			value = counter_in(names, line, "InType3");
		else
			strcpy(names, line);
	}
	fclose(file);
	return value < 0 ? 0 : value;
}

/* while a program holds the lock nothing is done about it; afterwards at once, without another */
TEST_F(icmp, path_mtu_while_the_lock_is_held)
{
	int listener = listener_at(self->beyond, self->text, PORT, 8);
	int client = stream(near_host, variant->family);
	struct pair p = { .listener = listener, .client = client };
	long before;
	struct flow f;
	struct holder h;
	char c;

	single_segments();
	ASSERT_EQ(0, connect_to(client, self->text, PORT));
	p.server = accepted(listener);
	f = (struct flow){ .from = client, .to = p.server };
	flow_run(&f, 1000, 1000, 1000);
	run_at(far_host, "ip link set out0 mtu 1300");
	link_set("delay 200ms");
	before = icmp_received(variant->family);
	flow_send(&f, f.sent + 5000, 5000);
	if (!hold_lock(&h, client)) {
		link_set("delay 0ms");
		done(&p);
		SKIP(return, "needs userfaultfd");
	}
	ASSERT_TRUE(wait_until(icmp_received(variant->family) > before));
	EXPECT_EQ(0, counter(near_host, "PmtuReduced"));
	/* nothing that comes later can be what tells it */
	deaf(near_host, true);
	let_go(&h);
	EXPECT_EQ(1300, info_of(client).pmtu);
	EXPECT_EQ(1, counter(near_host, "PmtuReduced"));
	deaf(near_host, false);
	link_set("delay 0ms");
	flow_run(&f, f.sent, 5000, 1);
	/* and the byte of the call that waited */
	ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
	EXPECT_EQ(1, recv(p.server, &c, 1, 0));
	done(&p);
}

/* the same of an attempt, which the message ends */
TEST_F(icmp, prohibited_while_the_lock_is_held)
{
	const char *text = treated(variant->family, "prohibit");
	int client = stream(near_host, variant->family);
	struct holder h;

	link_set("delay 100ms");
	nonblocking(client, true);
	EXPECT_EQ(-1, connect_to(client, text, PORT));
	EXPECT_EQ(EINPROGRESS, errno);
	if (!hold_lock_asking(&h, client)) {
		close(client);
		SKIP(return, "needs userfaultfd that protects from writing");
	}
	EXPECT_TRUE(wait_until(counter(near_host, "IcmpHard") == 1));
	/* nothing that comes later can be what ends it */
	deaf(near_host, true);
	let_go(&h);
	EXPECT_EQ(HAUL_CLOSED, state_of(client));
	EXPECT_EQ(variant->family == AF_INET ? EHOSTUNREACH : EACCES, error_of(client));
	deaf(near_host, false);
	close(client);
}

TEST_HARNESS_MAIN
