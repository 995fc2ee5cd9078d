// SPDX-License-Identifier: GPL-2.0
/*
 * Options have their effect: on the packets that leave, on the calls, on who is accepted where.
 * What they answer when they are set and read is parity.c's; those about time are keepalive.c's,
 * handshake_times.c's and close_times.c's.
 */
#include "capture.h"
#include <linux/filter.h>
#include <linux/in6.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include "kselftest_harness.h"

/* of linux/in.h and linux/in6.h, which do not go with netinet/in.h */
#define OPT_IP_MTU		14
#define OPT_IP_MINTTL		21
#define OPT_IPV6_FLOWLABEL_MGR	32
#define OPT_IPV6_FLOWINFO_SEND	33
#define OPT_IPV6_AUTOFLOWLABEL	70
#define OPT_IPV6_MINHOPCOUNT	73

HOSTS_FIXTURE(options);

static int level_ip(int family)
{
	return family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
}

/* TOS or traffic class without ECN's bits */
static uint8_t class_of(const uint8_t *header)
{
	return (header[0] >> 4 == 4 ? header[1] : header[0] << 4 | header[1] >> 4) & 0xfc;
}

/* the first bytes of an IP packet of ours, of @least bytes, that leaves by @tap */
static bool leaves(int tap, ssize_t least, uint8_t *header, size_t len)
{
	uint8_t packet[2048];
	struct sockaddr_ll ll;
	socklen_t size = sizeof(ll);
	ssize_t n;

	for (;;) {
		n = recvfrom(tap, packet, sizeof(packet), MSG_TRUNC, (void *)&ll, &size);
		if (n < 0)
			return false;
		if (ll.sll_pkttype != PACKET_OUTGOING || !seen_transport(packet, n) ||
		    n < (ssize_t)seen_transport(packet, n) + least)
			continue;
		memcpy(header, packet, len);
		return true;
	}
}

/* sends a byte over @p and takes the IP header that it left with */
static void header_of(struct pair *p, int tap, uint8_t *header)
{
	uint8_t old[40];
	char c;

	while (leaves(tap, HEADER, old, sizeof(old)))
		;
	if (send(p->client, "x", 1, 0) != 1 || !poll_for(p->server, POLLIN, 5000) ||
	    recv(p->server, &c, 1, 0) != 1)
		die("one byte");
	if (!wait_until(leaves(tap, HEADER + 1, header, 40)))
		die("nothing was seen to leave");
}

TEST_F(options, tos_and_ttl_on_the_wire)
{
	struct pair p = connected(variant->family);
	int tap = capture(near_host, "near0"), level = level_ip(variant->family);
	bool v4 = variant->family == AF_INET;
	uint8_t h[40];

	header_of(&p, tap, h);
	EXPECT_EQ(64, v4 ? h[8] : h[7]);
	EXPECT_EQ(0, class_of(h));
	option(p.client, level, v4 ? IP_TOS : IPV6_TCLASS, 0xb8);
	option(p.client, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, 77);
	header_of(&p, tap, h);
	EXPECT_EQ(77, v4 ? h[8] : h[7]);
	EXPECT_EQ(0xb8, class_of(h));
	close(tap);
	done(&p);
}

/* a listener's are its children's, from the SYN-ACK on */
TEST_F(options, tos_and_ttl_of_a_child)
{
	int level = level_ip(variant->family), tap = capture(far_host, "far0");
	int listener = listening(variant->family);
	bool v4 = variant->family == AF_INET;
	struct pair p, back;
	uint8_t h[40];

	option(listener, level, v4 ? IP_TOS : IPV6_TCLASS, 0x48);
	option(listener, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, 99);
	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	ASSERT_TRUE(leaves(tap, HEADER, h, sizeof(h)));
	EXPECT_EQ(99, v4 ? h[8] : h[7]);
	EXPECT_EQ(0x48, class_of(h));
	back = (struct pair){ .client = p.server, .server = p.client };
	header_of(&back, tap, h);
	EXPECT_EQ(99, v4 ? h[8] : h[7]);
	EXPECT_EQ(0x48, class_of(h));
	close(tap);
	done(&p);
}

/* RFC 5082: who comes from afar is not heard, connecting or connected */
TEST_F(options, least_ttl)
{
	int level = level_ip(variant->family), listener = listening(variant->family);
	bool v4 = variant->family == AF_INET;
	int name = v4 ? OPT_IP_MINTTL : OPT_IPV6_MINHOPCOUNT;
	int ttl = v4 ? IP_TTL : IPV6_UNICAST_HOPS;
	int client = stream(near_host, variant->family);
	struct pair p;

	option(listener, level, name, 200);
	nonblocking(client, true);
	EXPECT_EQ(-1, connect_to(client, far_address(variant->family), PORT));
	EXPECT_EQ(0, poll_for(client, POLLOUT, 300));
	EXPECT_EQ(1, counter(far_host, "DropFilter"));
	close(client);
	client = stream(near_host, variant->family);
	option(client, level, ttl, 255);
	p = connected_with(variant->family, listener, client);
	option(p.client, level, ttl, 199);
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	EXPECT_EQ(0, poll_for(p.server, POLLIN, 300));
	option(p.client, level, ttl, 200);
	EXPECT_EQ(POLLIN, poll_for(p.server, POLLIN, 5000));
	done(&p);
}

TEST_F(options, path_mtu)
{
	struct pair p = connected(variant->family);
	int level = level_ip(variant->family), tap = capture(near_host, "near0");
	bool v4 = variant->family == AF_INET;
	uint8_t h[40];

	EXPECT_EQ(1500, option_of(p.client, level, v4 ? OPT_IP_MTU : IPV6_MTU));
	header_of(&p, tap, h);
	if (v4) {
		EXPECT_EQ(0x40, h[6]);
		option(p.client, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
		header_of(&p, tap, h);
		EXPECT_EQ(0, h[6]);
	}
	close(tap);
	done(&p);
	/* not connected, there is no path */
	p.client = stream(near_host, variant->family);
	EXPECT_EQ(-1, getsockopt(p.client, level, v4 ? OPT_IP_MTU : IPV6_MTU, h,
				 &(socklen_t){ 4 }));
	EXPECT_EQ(ENOTCONN, errno);
	close(p.client);
}

TEST_F(options, flow_label)
{
	struct in6_flowlabel_req req = {
		.flr_label = htonl(0x12345), .flr_action = IPV6_FL_A_GET,
		.flr_share = IPV6_FL_S_ANY, .flr_flags = IPV6_FL_F_CREATE,
	};
	int listener = listening(variant->family), tap = capture(near_host, "near0");
	int fd = stream(near_host, variant->family);
	struct sockaddr_in6 to = address(FAR6, PORT);
	struct pair p = { .listener = listener, .client = fd };
	uint8_t h[40];

	if (variant->family == AF_INET)
		SKIP(return, "IPv6's");
	inet_pton(AF_INET6, FAR6, &req.flr_dst);
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IPV6, OPT_IPV6_FLOWLABEL_MGR, &req, sizeof(req)));
	option(fd, IPPROTO_IPV6, OPT_IPV6_FLOWINFO_SEND, 1);
	to.sin6_flowinfo = htonl(0x12345);
	ASSERT_EQ(0, connect(fd, (void *)&to, sizeof(to)));
	p.server = accepted(listener);
	header_of(&p, tap, h);
	EXPECT_EQ(0x12345, (h[1] & 15) << 16 | h[2] << 8 | h[3]);
	close(p.client);
	close(p.server);
	/* without one, none unless the namespace makes them */
	p.client = stream(near_host, AF_INET6);
	option(p.client, IPPROTO_IPV6, OPT_IPV6_AUTOFLOWLABEL, 0);
	p = connected_with(AF_INET6, listener, p.client);
	header_of(&p, tap, h);
	EXPECT_EQ(0, (h[1] & 15) << 16 | h[2] << 8 | h[3]);
	close(tap);
	done(&p);
}

/* the MSS that is announced, and what is sent */
TEST_F(options, maxseg)
{
	int listener = listening(variant->family), fd = stream(near_host, variant->family);
	int tap = capture(near_host, "near0");
	struct pair p;
	struct seen s;
	bool syn = false, synack = false;

	single_segments();
	option(fd, SOL_HAUL, HAUL_MAXSEG, 700);
	option(listener, SOL_HAUL, HAUL_MAXSEG, 900);
	p = connected_with(variant->family, listener, fd);
	transfer(p.client, p.server, 20000);
	while (captured(tap, &s)) {
		if (s.flags & SEEN_SYN && s.out) {
			EXPECT_EQ(700, s.init_mss);
			syn = true;
		} else if (s.flags & SEEN_SYN) {
			EXPECT_EQ(900, s.init_mss);
			synack = true;
		}
		EXPECT_GE(700, s.payload);
	}
	EXPECT_TRUE(syn && synack);
	EXPECT_GE(700, info_of(p.client).snd_mss);
	EXPECT_EQ(info_of(p.client).snd_mss, option_of(p.client, IPPROTO_TCP, TCP_MAXSEG));
	close(tap);
	done(&p);
}

/* a listener's is its children's, whatever the client announces */
TEST_F(options, maxseg_of_a_child)
{
	int listener = listening(variant->family), tap = capture(far_host, "far0"), full = 0;
	struct pair p;
	struct seen s;

	single_segments();
	option(listener, SOL_HAUL, HAUL_MAXSEG, 900);
	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	transfer(p.server, p.client, 20000);
	while (captured(tap, &s)) {
		EXPECT_TRUE(!s.out || s.payload <= 900);
		full += s.out && s.payload == 900;
	}
	EXPECT_LT(0, full);
	close(tap);
	done(&p);
}

/* IP options of an established connection leave less room in each packet */
TEST_F(options, ip_options_shorten_segments)
{
	static const uint8_t nops[] = { 1, 1, 1, 0 }, padding[] = { 0, 0, 1, 4, 0, 0, 0, 0 };
	bool v4 = variant->family == AF_INET;
	struct pair p;
	uint32_t mss;

	single_segments();
	p = connected(variant->family);
	transfer(p.client, p.server, 10000);
	mss = info_of(p.client).snd_mss;
	ASSERT_EQ(0, v4 ? setsockopt(p.client, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops)) :
			  setsockopt(p.client, IPPROTO_IPV6, IPV6_DSTOPTS, padding,
				     sizeof(padding)));
	EXPECT_EQ(mss - (v4 ? sizeof(nops) : sizeof(padding)), info_of(p.client).snd_mss);
	transfer(p.client, p.server, 200000);
	EXPECT_EQ(0, info_of(p.client).timeouts);
	done(&p);
}

/* what is not sent yet stops send() there, and poll() from half of it on, that it wake rarely */
TEST_F(options, notsent_lowat)
{
	const uint32_t lowat = 4096;
	struct haul_info info;
	struct pair p;
	struct flow f;

	single_segments();
	p = connected(variant->family);
	f = (struct flow){ .from = p.client, .to = p.server };
	option(p.client, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
	option(p.client, SOL_HAUL, HAUL_NOTSENT_LOWAT, lowat);
	cut(true);
	flow_fill(&f);
	/* a probe for a loss may take a segment more, after a timeout nothing new leaves */
	ASSERT_TRUE(wait_until(info_of(p.client).timeouts > 0));
	flow_fill(&f);
	info = info_of(p.client);
	EXPECT_LE(lowat, info.notsent);
	/* the segment that was begun is filled */
	EXPECT_GE(lowat + info.snd_mss, info.notsent);
	EXPECT_EQ(0, poll_for(p.client, POLLOUT, 0));
	option(p.client, SOL_HAUL, HAUL_NOTSENT_LOWAT, 2 * info.notsent);
	EXPECT_EQ(0, poll_for(p.client, POLLOUT, 0));
	option(p.client, SOL_HAUL, HAUL_NOTSENT_LOWAT, 2 * info.notsent + 1);
	EXPECT_EQ(POLLOUT, poll_for(p.client, POLLOUT, 0));
	EXPECT_LT(0, flow_send(&f, ~0ULL, 1000));
	cut(false);
	flow_run(&f, f.sent + 100000, 65536, 65536);
	done(&p);
}

TEST_F(options, window_clamp)
{
	int listener = listening(variant->family), tap = capture(far_host, "far0");
	struct pair p;
	struct seen s;
	int packets = 0;

	option(listener, SOL_HAUL, HAUL_WINDOW_CLAMP, 8000);
	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	EXPECT_GE(8000, info_of(p.client).snd_wnd);
	transfer(p.client, p.server, 200000);
	while (captured(tap, &s)) {
		if (!s.out)
			continue;
		EXPECT_GE(8000, s.window);
		packets++;
	}
	EXPECT_LT(10, packets);
	/* and let go again */
	option(p.server, SOL_HAUL, HAUL_WINDOW_CLAMP, 60000);
	transfer(p.client, p.server, 400000);
	EXPECT_LT(8000, info_of(p.client).snd_wnd);
	close(tap);
	done(&p);
}

/* the rest of a recvmsg() comes with it, at the level that it was asked at */
static int inq_of(int fd, int level, size_t room)
{
	char control[64], data[64];
	struct iovec iov = { .iov_base = data, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, 0) < 0)
		die("recvmsg");
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == level && c->cmsg_type == HAUL_INQ)
			return *(int *)CMSG_DATA(c);
	return -1;
}

TEST_F(options, inq)
{
	struct pair p = connected(variant->family);

	ASSERT_EQ(20, send(p.client, "twenty bytes of text", 20, 0));
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 20));
	EXPECT_EQ(-1, inq_of(p.server, SOL_HAUL, 1));
	option(p.server, SOL_HAUL, HAUL_INQ, 1);
	EXPECT_EQ(14, inq_of(p.server, SOL_HAUL, 5));
	EXPECT_EQ(-1, inq_of(p.server, IPPROTO_TCP, 1));
	option(p.server, IPPROTO_TCP, TCP_INQ, 1);
	EXPECT_EQ(8, inq_of(p.server, IPPROTO_TCP, 5));
	EXPECT_EQ(0, inq_of(p.server, IPPROTO_TCP, 8));
	/* at the end there is something to be read: the end */
	shutdown(p.client, SHUT_WR);
	ASSERT_TRUE(poll_for(p.server, POLLRDHUP, 5000));
	EXPECT_EQ(1, inq_of(p.server, IPPROTO_TCP, 5));
	option(p.server, IPPROTO_TCP, TCP_INQ, 0);
	EXPECT_EQ(-1, inq_of(p.server, IPPROTO_TCP, 5));
	done(&p);
}

static struct tcp_info tcp_info_of(int fd)
{
	struct tcp_info info = { };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	return info;
}

TEST_F(options, tcp_info)
{
	struct tcp_info up, down, of_listener;
	struct haul_info info;
	struct pair p;
	int waiting;

	link_set("delay 20ms");
	p = connected(variant->family);
	transfer(p.client, p.server, 200000);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	up = tcp_info_of(p.client);
	down = tcp_info_of(p.server);
	info = info_of(p.client);

	EXPECT_EQ(1, up.tcpi_state);
	EXPECT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK, up.tcpi_options & 3);
	EXPECT_EQ(200000, up.tcpi_bytes_acked);
	EXPECT_EQ(200000, down.tcpi_bytes_received);
	EXPECT_EQ(200000 + up.tcpi_bytes_retrans, up.tcpi_bytes_sent);
	EXPECT_EQ((200000 + info.snd_mss - 1) / info.snd_mss, up.tcpi_delivered);
	EXPECT_EQ(info.snd_mss, up.tcpi_snd_mss);
	EXPECT_EQ(info.snd_cwnd / info.snd_mss, up.tcpi_snd_cwnd);
	EXPECT_EQ(1500, up.tcpi_pmtu);
	EXPECT_EQ(info.srtt, up.tcpi_rtt);
	EXPECT_LE(40 * MS, up.tcpi_min_rtt);
	EXPECT_EQ(info.rto, up.tcpi_rto);
	EXPECT_EQ(info.segs_out, up.tcpi_segs_out);
	EXPECT_EQ(info.data_segs_out, up.tcpi_data_segs_out);
	EXPECT_EQ(0, up.tcpi_unacked);
	EXPECT_EQ(0, up.tcpi_notsent_bytes);
	EXPECT_LT(0, up.tcpi_delivery_rate);
	EXPECT_LT(0, up.tcpi_busy_time);
	EXPECT_LE(65535, up.tcpi_snd_wnd);
	/* never, in haul_info; since the beginning, in tcp_info */
	EXPECT_EQ(~0U, info.last_data_recv);
	EXPECT_GE(100000, up.tcpi_last_data_recv);

	/* a listener tells its queue */
	waiting = stream(near_host, variant->family);
	ASSERT_EQ(0, connect_to(waiting, far_address(variant->family), PORT));
	ASSERT_TRUE(poll_for(p.listener, POLLIN, 5000));
	of_listener = tcp_info_of(p.listener);
	EXPECT_EQ(10, of_listener.tcpi_state);
	EXPECT_EQ(1, of_listener.tcpi_unacked);
	EXPECT_EQ(128, of_listener.tcpi_sacked);
	close(waiting);
	done(&p);
}

TEST_F(options, binding_to_a_device)
{
	int far_any = listening(variant->family), fd = stream(near_host, variant->family);
	struct pair p;

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	nonblocking(fd, true);
	EXPECT_EQ(-1, connect_to(fd, far_address(variant->family), PORT));
	/* no route in IPv6; in IPv4 all is near by a device that is named, but no one answers */
	poll_for(fd, POLLOUT, 300);
	EXPECT_NE(HAUL_ESTABLISHED, state_of(fd));
	close(fd);
	fd = stream(near_host, variant->family);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "near0", 5));
	p = connected_with(variant->family, far_any, fd);
	transfer(p.client, p.server, 1000);
	close(p.client);
	close(p.server);
	/* a listener on another device hears nothing: the SYN meets nobody */
	close(far_any);
	p.listener = stream(far_host, variant->family);
	option(p.listener, SOL_SOCKET, SO_REUSEADDR, 1);
	ASSERT_EQ(0, setsockopt(p.listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	ASSERT_EQ(0, bind_to(p.listener, variant->family == AF_INET ? "0.0.0.0" : "::", PORT + 1));
	ASSERT_EQ(0, listen(p.listener, 1));
	p.client = stream(near_host, variant->family);
	EXPECT_EQ(-1, connect_to(p.client, far_address(variant->family), PORT + 1));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(p.client);
	close(p.listener);
}

/* a VRF is a device, too: who is bound to it hears what its members bring, and answers there */
TEST_F(options, binding_to_a_vrf)
{
	bool v4 = variant->family == AF_INET;
	struct pair p;

	go_to(far_host);
	run("ip link add vrf0 type vrf table 10; ip link set vrf0 up");
	run("ip link set far0 master vrf0");
	run("ip addr replace " FAR6 "/64 dev far0 nodad");
	p.listener = stream(far_host, variant->family);
	ASSERT_EQ(0, setsockopt(p.listener, SOL_SOCKET, SO_BINDTODEVICE, "vrf0", 4));
	ASSERT_EQ(0, bind_to(p.listener, v4 ? "0.0.0.0" : "::", PORT));
	ASSERT_EQ(0, listen(p.listener, 1));
	p = connected_with(variant->family, p.listener, stream(near_host, variant->family));
	transfer(p.client, p.server, 100000);
	transfer(p.server, p.client, 100000);
	done(&p);
	/* who is bound to nothing is in no VRF (net.ipv4.tcp_l3mdev_accept is 0) */
	p.listener = listening(variant->family);
	p.client = stream(near_host, variant->family);
	EXPECT_EQ(-1, connect_to(p.client, far_address(variant->family), PORT));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(p.client);
	close(p.listener);
}

/* a mark chooses the route; a child's is its listener's */
TEST_F(options, mark)
{
	int v = variant->family == AF_INET ? 4 : 6, listener = listening(variant->family);
	int fd = stream(near_host, variant->family);
	struct pair p;

	go_to(near_host);
	run("ip -%d rule add fwmark 7 prohibit", v);
	option(fd, SOL_SOCKET, SO_MARK, 7);
	EXPECT_EQ(-1, connect_to(fd, far_address(variant->family), PORT));
	EXPECT_EQ(EACCES, errno);
	option(fd, SOL_SOCKET, SO_MARK, 8);
	option(listener, SOL_SOCKET, SO_MARK, 9);
	p = connected_with(variant->family, listener, fd);
	EXPECT_EQ(9, option_of(p.server, SOL_SOCKET, SO_MARK));
	done(&p);
}

/* the route of the SYN-ACK, too, is by the listener's mark: here there is none */
TEST_F(options, mark_of_a_syn_ack)
{
	int v = variant->family == AF_INET ? 4 : 6, listener = listening(variant->family);
	const char *text = far_address(variant->family);
	int marked = listener_at(far_host, text, PORT + 1, 8);
	int fd = stream(near_host, variant->family);
	struct pair p;

	run_at(far_host, "ip -%d rule add fwmark 9 prohibit", v);
	option(marked, SOL_SOCKET, SO_MARK, 9);
	nonblocking(fd, true);
	EXPECT_EQ(-1, connect_to(fd, text, PORT + 1));
	/* a later connection is there: the earlier one's answer would have been before it */
	p = connected_with(variant->family, listener, stream(near_host, variant->family));
	transfer(p.client, p.server, 1000);
	EXPECT_EQ(HAUL_SYN_SENT, state_of(fd));
	close(fd);
	close(marked);
	done(&p);
}

/* ports that the administrator keeps for others are nobody's by chance: 20 times */
TEST_F(options, reserved_ports)
{
	const char *any = variant->family == AF_INET ? "0.0.0.0" : "::";
	int listener = listening(variant->family), connects, binds, datagram, i;
	struct linger abort = { .l_onoff = 1 };

	run_at(near_host, "sysctl -qw net.ipv4.ip_local_port_range='40000 40001'");
	run_at(near_host, "sysctl -qw net.ipv4.ip_local_reserved_ports=40000");
	for (i = 0; i < 20; i++) {
		connects = stream(near_host, variant->family);
		EXPECT_EQ(0, connect_to(connects, far_address(variant->family), PORT));
		EXPECT_EQ(40001, port_of(connects));
		setsockopt(connects, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
		close(connects);
		binds = stream(near_host, variant->family);
		EXPECT_EQ(0, bind_to(binds, any, 0));
		EXPECT_EQ(40001, port_of(binds));
		close(binds);
		datagram = socket_at(near_host, variant->family, SOCK_DGRAM);
		EXPECT_EQ(0, bind_to(datagram, any, 0));
		EXPECT_EQ(40001, port_of(datagram));
		close(datagram);
	}
	close(listener);
}

TEST_F(options, addresses_of_others)
{
	bool v4 = variant->family == AF_INET;
	const char *foreign = v4 ? "203.0.113.9" : "2001:db8:9::9";
	int fd = stream(near_host, variant->family), other = stream(near_host, variant->family);

	EXPECT_EQ(-1, bind_to(fd, foreign, 0));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	option(fd, level_ip(variant->family), v4 ? IP_FREEBIND : 78, 1);
	EXPECT_EQ(0, bind_to(fd, foreign, 0));
	option(other, level_ip(variant->family), v4 ? IP_TRANSPARENT : 75, 1);
	EXPECT_EQ(0, bind_to(other, foreign, 0));
	EXPECT_EQ(0, listen(other, 1));
	close(fd);
	close(other);
}

/* a filter sees whole packets, Haul's header first; what it refuses is lost on the way */
TEST_F(options, filter)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter to_port[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ~0U), BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog refuse = { 1, nothing }, take = { 4, to_port };
	struct pair p = connected(variant->family);
	long before;
	int fd, on = 0;

	transfer(p.client, p.server, 100);
	before = counter(far_host, "DropFilter");
	ASSERT_EQ(0, setsockopt(p.server, SOL_SOCKET, SO_ATTACH_FILTER, &refuse, sizeof(refuse)));
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	ASSERT_TRUE(wait_until(counter(far_host, "DropFilter") > before));
	EXPECT_EQ(0, poll_for(p.server, POLLIN, 0));
	ASSERT_EQ(0, setsockopt(p.server, SOL_SOCKET, SO_ATTACH_FILTER, &take, sizeof(take)));
	EXPECT_EQ(POLLIN, poll_for(p.server, POLLIN, 5000));
	ASSERT_EQ(0, setsockopt(p.server, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)));
	/* on a listener it decides who may connect */
	ASSERT_EQ(0, setsockopt(p.listener, SOL_SOCKET, SO_ATTACH_FILTER, &refuse,
				sizeof(refuse)));
	fd = stream(near_host, variant->family);
	nonblocking(fd, true);
	connect_to(fd, far_address(variant->family), PORT);
	EXPECT_EQ(0, poll_for(fd, POLLOUT, 200));
	close(fd);
	done(&p);
}

TEST_F(options, peek_offset)
{
	struct pair p = connected(variant->family);
	char buf[8] = "";

	ASSERT_EQ(6, send(p.client, "abcdef", 6, 0));
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 6));
	option(p.server, SOL_SOCKET, SO_PEEK_OFF, 1);
	EXPECT_EQ(2, recv(p.server, buf, 2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "bc", 2));
	EXPECT_EQ(2, recv(p.server, buf, 2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "de", 2));
	EXPECT_EQ(2, recv(p.server, buf, 2, 0));
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	EXPECT_EQ(1, recv(p.server, buf, 8, MSG_PEEK));
	EXPECT_EQ('f', buf[0]);
	done(&p);
}

TEST_F(options, receive_timestamps)
{
	struct pair p = connected(variant->family);
	char control[256], data[8];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct timespec now, *ts = NULL;
	struct cmsghdr *c;

	option(p.server, SOL_SOCKET, SO_TIMESTAMPING,
	       SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	/* the kernel stamps packets from a moment after the first socket has asked */
	ASSERT_TRUE(wait_until({
		ASSERT_EQ(1, send(p.client, "x", 1, 0));
		msg.msg_controllen = sizeof(control);
		ASSERT_EQ(1, recvmsg(p.server, &msg, 0));
		for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			if (c->cmsg_type == SO_TIMESTAMPING)
				ts = (void *)CMSG_DATA(c);
		ts && ts->tv_sec;
	}));
	clock_gettime(CLOCK_REALTIME, &now);
	EXPECT_LE(ts->tv_sec, now.tv_sec);
	EXPECT_LE(now.tv_sec - 10, ts->tv_sec);
	done(&p);
}

/* there is none, and no data in a SYN: said at once, and nothing else happens */
TEST_F(options, urgent_data)
{
	struct pair p = connected(variant->family);
	int mark = -1;
	char c;

	EXPECT_EQ(-1, send(p.client, "!", 1, MSG_OOB));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, recv(p.server, &c, 1, MSG_OOB));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, ioctl(p.server, SIOCATMARK, &mark));
	EXPECT_EQ(0, mark);
	transfer(p.client, p.server, 1000);
	done(&p);
}

TEST_F(options, cookie_and_rate_and_processor)
{
	struct pair p = connected(variant->family);
	uint64_t one = 0, other = 0;
	socklen_t len = sizeof(one);

	ASSERT_EQ(0, getsockopt(p.listener, SOL_SOCKET, SO_COOKIE, &one, &len));
	ASSERT_EQ(0, getsockopt(p.server, SOL_SOCKET, SO_COOKIE, &other, &len));
	EXPECT_NE(0, one);
	EXPECT_NE(one, other);
	option(p.client, SOL_SOCKET, SO_MAX_PACING_RATE, 1000000);
	EXPECT_EQ(1000000, info_of(p.client).max_pacing_rate);
	EXPECT_EQ(1000000, tcp_info_of(p.client).tcpi_max_pacing_rate);
	transfer(p.client, p.server, 1000);
	EXPECT_LE(0, option_of(p.server, SOL_SOCKET, SO_INCOMING_CPU));
	done(&p);
}

TEST_HARNESS_MAIN
