// SPDX-License-Identifier: GPL-2.0
/*
 * What else may lie between two hosts: a bridge, a tunnel, IPsec, a VRF; and what may change about
 * a path while it is in use. Each time every byte arrives, once and in order, both ways. (Routers
 * that do more than send on: routers.c.)
 *
 * A module or tool that is not there skips its cases and says so.
 */
#include "hosts.h"
#include "kselftest_harness.h"
#include "paths.h"

/* inside of tunnels */
#define IN_NEAR4	"203.0.113.1"
#define IN_FAR4		"203.0.113.2"
#define IN_NEAR6	"2001:db8:3::1"
#define IN_FAR6		"2001:db8:3::2"

/* ---------------------------------------------------------------- devices */

HOSTS_FIXTURE(devices);

/* an end of the cable is a bridge's port, and the address is the bridge's */
TEST_F(devices, bridge)
{
	struct pair p;

	go_to(far_host);
	if (!can("ip link add br0 type bridge"))
		SKIP(return, "needs bridges");
	run("ip addr flush dev far0; ip link set far0 master br0; "
	    "ip link set br0 address 02:00:00:00:00:02; ip link set br0 up; "
	    "ip addr add " FAR4 "/24 dev br0; ip addr add " FAR6 "/64 dev br0 nodad");
	go_to(near_host);
	p = connected(variant->family);
	converse(_metadata, &p);
}

/* one card, several hosts */
TEST_F(devices, macvlan)
{
	struct pair p;

	go_to(far_host);
	if (!can("ip link add mv0 link far0 type macvlan mode bridge"))
		SKIP(return, "needs macvlan");
	run("ip addr flush dev far0; ip link set mv0 up; ip addr add " FAR4 "/24 dev mv0; "
	    "ip addr add " FAR6 "/64 dev mv0 nodad");
	run_at(near_host, "ip neigh flush all nud permanent dev near0");
	wait_for_path(near_host, far_host, FAR4);
	wait_for_path(near_host, far_host, FAR6);
	go_to(near_host);
	p = connected(variant->family);
	converse(_metadata, &p);
}

/* far's card in a VRF */
static bool vrf_up(void)
{
	go_to(far_host);
	if (!can("ip link add vrf0 type vrf table 10"))
		return false;
	run("ip link set vrf0 up; ip link set far0 master vrf0");
	/* a device that changes its master loses its IPv6 addresses */
	run("ip addr replace " FAR6 "/64 dev far0 nodad; "
	    "ip neigh replace " NEAR6 " dev far0 lladdr 02:00:00:00:00:01 nud permanent");
	go_to(near_host);
	return true;
}

TEST_F(devices, vrf)
{
	struct pair p;

	if (!vrf_up())
		SKIP(return, "needs VRF");
	p.listener = stream(far_host, variant->family);
	ASSERT_EQ(0, setsockopt(p.listener, SOL_SOCKET, SO_BINDTODEVICE, "vrf0", 4));
	ASSERT_EQ(0, bind_to(p.listener, variant->family == AF_INET ? "0.0.0.0" : "::", PORT));
	ASSERT_EQ(0, listen(p.listener, 4));
	p = joined(p.listener, stream(near_host, variant->family), far_address(variant->family));
	converse(_metadata, &p);
}

/* net.ipv4.tcp_l3mdev_accept: who is bound to nothing takes what any VRF brings, answers there */
TEST_F(devices, vrf_for_all)
{
	int cookies;
	struct pair p;

	if (!vrf_up())
		SKIP(return, "needs VRF");
	run_at(far_host, "sysctl -qw net.ipv4.tcp_l3mdev_accept=1");
	for (cookies = 0; cookies <= 2; cookies += 2) {
		setting(far_host, "syncookies", cookies);
		p = connected(variant->family);
		converse(_metadata, &p);
	}
}

/* out of a VRF */
TEST_F(devices, vrf_client)
{
	struct pair p = { .listener = -1 };

	if (!vrf_up())
		SKIP(return, "needs VRF");
	p.listener = listener_at(near_host, variant->family == AF_INET ? "0.0.0.0" : "::", PORT, 4);
	p.client = stream(far_host, variant->family);
	ASSERT_EQ(0, setsockopt(p.client, SOL_SOCKET, SO_BINDTODEVICE, "vrf0", 4));
	p = joined(p.listener, p.client, near_address(variant->family));
	converse(_metadata, &p);
}

/* ---------------------------------------------------------------- tunnels */

/* an address within a tunnel on both hosts, device @dev */
static void tunnel_addresses(const char *dev, int mtu)
{
	run_at(near_host, "ip addr add " IN_NEAR4 "/24 dev %s; ip addr add " IN_NEAR6
	       "/64 dev %s nodad; ip link set %s mtu %d up", dev, dev, dev, mtu);
	run_at(far_host, "ip addr add " IN_FAR4 "/24 dev %s; ip addr add " IN_FAR6
	       "/64 dev %s nodad; ip link set %s mtu %d up", dev, dev, dev, mtu);
}

static void through_tunnel(struct __test_metadata *_metadata, int family)
{
	struct pair p;

	wait_for_path(near_host, far_host, family == AF_INET ? IN_FAR4 : IN_FAR6);
	go_to(near_host);
	p = joined(listening(family), stream(near_host, family),
		   family == AF_INET ? IN_FAR4 : IN_FAR6);
	converse(_metadata, &p);
}

HOSTS_FIXTURE(tunnels);

/* keys are in /tmp/wg */
static void wireguard_end(int host, const char *own, const char *peer, const char *address)
{
	go_to(host);
	run("ip link add wg0 type wireguard");
	run("wg set wg0 listen-port 51820 private-key /tmp/wg/%s", own);
	run("wg set wg0 peer $(cat /tmp/wg/%s.pub) endpoint %s:51820 allowed-ips 0.0.0.0/0,::/0",
	    peer, address);
}

TEST_F(tunnels, wireguard)
{
	go_to(near_host);
	if (!can("wg --version && ip link add wg0 type wireguard && ip link del wg0"))
		SKIP(return, "needs WireGuard");
	run("mkdir -m 700 -p /tmp/wg");
	run("cd /tmp/wg && for i in near far; do wg genkey >$i && wg pubkey <$i >$i.pub; done");
	wireguard_end(near_host, "near", "far", FAR4);
	wireguard_end(far_host, "far", "near", NEAR4);
	go_to(near_host);
	tunnel_addresses("wg0", 1420);
	through_tunnel(_metadata, variant->family);
}

TEST_F(tunnels, vxlan)
{
	go_to(near_host);
	if (!can("ip link add vx0 type vxlan id 1 dstport 4789 local " NEAR4 " remote " FAR4))
		SKIP(return, "needs VXLAN");
	run_at(far_host, "ip link add vx0 type vxlan id 1 dstport 4789 local " FAR4
	       " remote " NEAR4);
	tunnel_addresses("vx0", 1430);
	through_tunnel(_metadata, variant->family);
}

TEST_F(tunnels, gre)
{
	go_to(near_host);
	if (!can("ip link add gre7 type gre local " NEAR4 " remote " FAR4))
		SKIP(return, "needs GRE");
	run_at(far_host, "ip link add gre7 type gre local " FAR4 " remote " NEAR4);
	tunnel_addresses("gre7", 1476);
	through_tunnel(_metadata, variant->family);
}

/* of ESP: the cipher, and all but the last digit of a key */
#define AEAD	"replay-window 32 aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f1011121"
#define TMPL	"tmpl src $1 dst $2 proto esp reqid $4"

/* ESP; @mode: transport, or tunnel between the same two addresses */
static bool ipsec_up(int family, const char *mode)
{
	const char *a = near_address(family), *b = far_address(family);
	int host;

	go_to(near_host);
	if (!can("ip xfrm state add src 10.9.9.1 dst 10.9.9.2 proto esp spi 0x99 " AEAD "3 128"))
		return false;
	run("ip xfrm state flush");
	for (host = 0; host < 2; host++) {
		go_to(host ? far_host : near_host);
		run("for d in '%s %s 1' '%s %s 2'; do set -- $d; "
		    "ip xfrm state add src $1 dst $2 proto esp spi 0x10$3 reqid $3 mode %s " AEAD
		    "$3 128; done",
		    a, b, b, a, mode);
		run("for d in '%s %s %s 1' '%s %s %s 2'; do set -- $d; "
		    "ip xfrm policy add src $1 dst $2 proto 253 dir $3 " TMPL
		    " mode %s; done",
		    a, b, host ? "in" : "out", b, a, host ? "out" : "in", mode);
	}
	go_to(near_host);
	return true;
}

static long esp_packets(int host)
{
	char text[64] = "";
	static const char count[] =
		"ip -s xfrm state list | awk '/[0-9]\\(packets\\)/ { n += $2 } END { print +n }'";
	FILE *file;
	int old = here();

	go_to(host);
	file = popen(count, "r");
	if (!file || !fgets(text, sizeof(text), file))
		die("ip xfrm");
	pclose(file);
	go_to(old);
	close(old);
	return atol(text);
}

static void through_ipsec(struct __test_metadata *_metadata, int family)
{
	struct pair p = connected(family);

	converse(_metadata, &p);
	EXPECT_LT(10, esp_packets(near_host));
}

TEST_F(tunnels, ipsec_transport)
{
	if (!ipsec_up(variant->family, "transport"))
		SKIP(return, "needs ESP");
	through_ipsec(_metadata, variant->family);
}

TEST_F(tunnels, ipsec_tunnel)
{
	if (!ipsec_up(variant->family, "tunnel"))
		SKIP(return, "needs ESP");
	through_ipsec(_metadata, variant->family);
}

/* it comes over a connection, and is taken away again: nothing is lost, nothing taken in clear */
TEST_F(tunnels, ipsec_comes_and_goes)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };

	flow_run(&f, SOME, 65536, 65536);
	if (!ipsec_up(variant->family, "transport"))
		SKIP(return, "needs ESP");
	flow_run(&f, f.sent + SOME, 65536, 65536);
	EXPECT_LT(10, esp_packets(near_host));
	run_at(near_host, "ip xfrm policy flush");
	/* far still wants it: what comes in clear is refused, and the connection lives */
	flow_send(&f, f.sent + 10000, 10000);
	ASSERT_TRUE(wait_until(info_of(p.client).timeouts > 0));
	EXPECT_LE(1, counter(far_host, "DropPolicy"));
	run_at(far_host, "ip xfrm policy flush");
	flow_run(&f, f.sent + SOME, 65536, 65536);
	converse(_metadata, &p);
}

/* ---------------------------------------------------------------- changes */

HOSTS_FIXTURE(changes);

static void second_cable(void)
{
	struct end near = { near_host, "near1", "192.0.3.1", "2001:db8:9::1" };
	struct end far = { far_host, "far1", "192.0.3.2", "2001:db8:9::2" };

	cable(&near, &far);
	go_to(near_host);
}

/* packets that left by a device */
static long packets_out(int host, const char *dev)
{
	char line[512], name[32];
	long packets = -1, out;
	int old = here();
	FILE *file;

	go_to(host);
	file = fopen("/proc/thread-self/net/dev", "r");
	while (file && packets < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, " %31[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %ld", name,
			   &out) == 2 && !strcmp(name, dev))
			packets = out;
	if (packets < 0)
		die("no device %s", dev);
	fclose(file);
	go_to(old);
	close(old);
	return packets;
}

/* a mark decides which way the packets of a connection go, and may change */
TEST_F(changes, policy_routing)
{
	int family = variant->family, client = stream(near_host, family);
	const char *v = family == AF_INET ? "-4" : "-6";
	struct pair p;
	long before;

	second_cable();
	run("ip %s rule add fwmark 7 lookup 100; ip %s route add %s via %s table 100", v, v,
	    far_address(family), family == AF_INET ? "192.0.3.2" : "2001:db8:9::2");
	run_at(far_host, "sysctl -qw net.ipv4.conf.all.rp_filter=0");
	run_at(far_host, "sysctl -qw net.ipv4.conf.far0.rp_filter=0");
	run_at(far_host, "sysctl -qw net.ipv4.conf.far1.rp_filter=0");
	before = packets_out(near_host, "near1");
	option(client, SOL_SOCKET, SO_MARK, 7);
	p = connected_with(family, listening(family), client);
	transfer(p.client, p.server, SOME);
	EXPECT_LT(before + 5, packets_out(near_host, "near1"));
	/* SO_MARK drops the route that the socket has */
	option(client, SOL_SOCKET, SO_MARK, 0);
	before = packets_out(near_host, "near0");
	transfer(p.client, p.server, SOME);
	EXPECT_LT(before + 5, packets_out(near_host, "near0"));
	converse(_metadata, &p);
}

/* the way to a peer is another one now, and again */
TEST_F(changes, routes)
{
	int family = variant->family;
	const char *v = family == AF_INET ? "-4" : "-6";
	struct pair p;
	struct flow f;
	int i;

	second_cable();
	run_at(far_host, "sysctl -qw net.ipv4.conf.all.rp_filter=0");
	run_at(far_host, "sysctl -qw net.ipv4.conf.far0.rp_filter=0");
	run_at(far_host, "sysctl -qw net.ipv4.conf.far1.rp_filter=0");
	p = connected(family);
	f = (struct flow){ .from = p.client, .to = p.server };
	for (i = 0; i < 6; i++) {
		flow_run(&f, f.sent + SOME / 3, 65536, 65536);
		if (i % 2)
			run("ip %s route del %s", v, far_address(family));
		else
			run("ip %s route add %s via %s", v, far_address(family),
			    family == AF_INET ? "192.0.3.2" : "2001:db8:9::2");
	}
	/* no way at all, for a while */
	run("ip %s route add unreachable %s", v, far_address(family));
	flow_send(&f, f.sent + 10000, 10000);
	pause_us(300 * MS);
	run("ip %s route del unreachable %s", v, far_address(family));
	flow_run(&f, f.sent + SOME, 65536, 65536);
	EXPECT_EQ(0, error_of(p.client));
	converse(_metadata, &p);
}

/* the host's address goes and comes back */
TEST_F(changes, addresses)
{
	int family = variant->family;
	struct pair p = connected(family);
	struct flow f = { .from = p.client, .to = p.server };
	struct flow back = { .from = p.server, .to = p.client };

	flow_run(&f, SOME, 65536, 65536);
	if (family == AF_INET)
		run("ip addr del " NEAR4 "/24 dev near0");
	else
		run("ip addr del " NEAR6 "/64 dev near0");
	flow_send(&f, f.sent + 10000, 10000);
	flow_send(&back, back.sent + 10000, 10000);
	ASSERT_TRUE(wait_until(info_of(p.server).timeouts > 0));
	if (family == AF_INET)
		run("ip addr add " NEAR4 "/24 dev near0");
	else
		run("ip addr add " NEAR6 "/64 dev near0 nodad");
	run("ip neigh replace " FAR4 " dev near0 lladdr 02:00:00:00:00:02 nud permanent; "
	    "ip neigh replace " FAR6 " dev near0 lladdr 02:00:00:00:00:02 nud permanent");
	flow_run(&f, f.sent + SOME, 65536, 65536);
	flow_run(&back, back.sent + SOME, 65536, 65536);
	converse(_metadata, &p);
}

/* the card is pulled out with all that is queued for it, and another put in */
TEST_F(changes, devices)
{
	struct end near = { near_host, "near0", NEAR4, NEAR6 };
	struct end far = { far_host, "far0", FAR4, FAR6 };
	struct pair p;
	struct flow f;
	int i;

	link_set("delay 20ms");
	p = connected(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	for (i = 0; i < 3; i++) {
		flow_run(&f, f.sent + SOME / 3, 65536, 65536);
		flow_send(&f, f.sent + 60000, 60000);
		run("ip link del near0");
		cable(&near, &far);
		go_to(near_host);
		flow_run(&f, f.sent + SOME / 3, 65536, 65536);
	}
	EXPECT_EQ(0, error_of(p.client));
	converse(_metadata, &p);
}

/* what a link takes becomes less and more again, on either side */
TEST_F(changes, mtu)
{
	static const int mtus[] = { 1500, 1280, 9000, 1400, 65535, 1280, 1500 };
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	size_t i;

	for (i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		run_at(i % 2 ? far_host : near_host, "ip link set %s mtu %d",
		       i % 2 ? "far0" : "near0", mtus[i]);
		run_at(i % 2 ? near_host : far_host, "ip link set %s mtu %d",
		       i % 2 ? "near0" : "far0", mtus[i]);
		flow_run(&f, f.sent + SOME, 65536, 65536);
	}
	converse(_metadata, &p);
}

TEST_HARNESS_MAIN
