// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a connection between two hosts (TEXTBOOK 2 to 6): the states on the way, the numbers on
 * the wire, payload that comes early, connections that cross, an accept queue that is full.
 */
#include "capture.h"
#include "kselftest_harness.h"

#define MANY	20

HOSTS_FIXTURE(handshake);

TEST_F(handshake, states)
{
	struct pair p = { .listener = listening(variant->family) };

	p.client = stream(near_host, variant->family);
	EXPECT_EQ(HAUL_LISTEN, state_of(p.listener));
	EXPECT_EQ(HAUL_CLOSED, state_of(p.client));
	nonblocking(p.client, true);
	deaf(far_host, true);
	EXPECT_EQ(-1, connect_to(p.client, far_address(variant->family), PORT));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(HAUL_SYN_SENT, state_of(p.client));
	deaf(far_host, false);
	p.server = accepted(p.listener);
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.server));
	EXPECT_EQ(HAUL_LISTEN, state_of(p.listener));
	EXPECT_EQ(1, counter(near_host, "ActiveOpens"));
	EXPECT_EQ(0, counter(near_host, "PassiveOpens"));
	EXPECT_EQ(1, counter(far_host, "PassiveOpens"));
	done(&p);
}

TEST_F(handshake, round_trip_is_measured)
{
	struct pair p;

	link_set("delay 50ms");
	p = connected(variant->family);
	EXPECT_LE(100 * MS, info_of(p.client).handshake_rtt);
	EXPECT_LE(100 * MS, info_of(p.server).handshake_rtt);
	done(&p);
}

/* the three packets: J, K and J + 1, K + 1 */
TEST_F(handshake, numbers_of_the_three_steps)
{
	int tap = capture(near_host, "near0");
	struct pair p = connected(variant->family);
	struct seen syn, synack, ack;

	ASSERT_TRUE(wait_until(captured(tap, &syn)));
	ASSERT_TRUE(wait_until(captured(tap, &synack)));
	ASSERT_TRUE(wait_until(captured(tap, &ack)));
	EXPECT_TRUE(syn.out);
	EXPECT_EQ(SEEN_SYN, syn.flags);
	EXPECT_EQ(0, syn.tag);
	EXPECT_EQ(PORT, syn.dest);
	EXPECT_EQ(port_of(p.client), syn.source);
	ASSERT_TRUE(syn.init);
	EXPECT_EQ(syn.seq, syn.init_isn);
	EXPECT_EQ(variant->family == AF_INET ? 1444 : 1424, syn.init_mss);

	EXPECT_FALSE(synack.out);
	EXPECT_EQ(SEEN_SYN | SEEN_ACK, synack.flags);
	EXPECT_EQ(syn.init_tag, synack.tag);
	EXPECT_EQ(syn.seq + 1, synack.ack);
	ASSERT_TRUE(synack.init);
	EXPECT_EQ(synack.seq, synack.init_isn);

	EXPECT_TRUE(ack.out);
	EXPECT_EQ(SEEN_ACK, ack.flags);
	EXPECT_EQ(synack.init_tag, ack.tag);
	EXPECT_EQ(syn.seq + 1, ack.seq);
	EXPECT_EQ(synack.seq + 1, ack.ack);
	EXPECT_TRUE(ack.init);
	done(&p);
}

/* two numbers that were not counted up by a little */
static bool far_apart(uint32_t a, uint32_t b)
{
	int32_t d = a - b;

	return d > 1 << 16 || d < -(1 << 16);
}

TEST_F(handshake, sequence_numbers_tags_and_ports_are_random)
{
	int listener = listening(variant->family), tap = capture(near_host, "near0"), num = 0, i;
	struct seen s, inits[2 * MANY];
	unsigned int near_seqs = 0, near_tags = 0, next_ports = 0;

	for (i = 0; i < MANY; i++) {
		int client = stream(near_host, variant->family);
		struct pair p = connected_with(variant->family, listener, client);

		close(p.client);
		close(p.server);
	}
	while (captured(tap, &s))
		if (s.flags & SEEN_SYN && num < 2 * MANY)
			inits[num++] = s;
	ASSERT_EQ(2 * MANY, num);
	for (i = 0; i < num; i++) {
		EXPECT_NE(0, inits[i].init_tag);
		if (i < 2)
			continue;
		/* SYN beside SYN, SYN-ACK beside SYN-ACK */
		near_seqs += !far_apart(inits[i].seq, inits[i - 2].seq);
		near_tags += !far_apart(inits[i].init_tag, inits[i - 2].init_tag);
		next_ports += (uint16_t)(inits[i].source - inits[i - 2].source) <= 2 && i % 2 == 0;
	}
	/*
	 * Two random numbers are near each other once in 32,768 times, and one such pair is no
	 * fault; two among these come once in millions of runs. Numbers that count up are all near.
	 */
	EXPECT_GE(1, near_seqs);
	EXPECT_GE(1, near_tags);
	EXPECT_GE(MANY / 2, next_ports);
	close(listener);
}

/* what the client sends at once is there when accept() returns; so is the server's greeting */
TEST_F(handshake, early_payload_both_ways)
{
	int listener = listening(variant->family), server;
	int client = stream(near_host, variant->family);
	char buf[16] = "";

	ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
	ASSERT_EQ(5, send(client, "early", 5, 0));
	server = accepted(listener);
	ASSERT_EQ(5, recv(server, buf, 5, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "early", 5));
	ASSERT_EQ(8, send(server, "greeting", 8, 0));
	ASSERT_EQ(8, recv(client, buf, 8, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "greeting", 8));
	close(server);
	close(client);
	close(listener);
}

TEST_F(handshake, simultaneous_open)
{
	int a = stream(near_host, variant->family), b = stream(far_host, variant->family);
	bool seen = false;

	/* long enough for both to have set out */
	link_set("delay 400ms");
	ASSERT_EQ(0, bind_to(a, near_address(variant->family), PORT));
	ASSERT_EQ(0, bind_to(b, far_address(variant->family), PORT));
	nonblocking(a, true);
	nonblocking(b, true);
	EXPECT_EQ(-1, connect_to(a, far_address(variant->family), PORT));
	EXPECT_EQ(-1, connect_to(b, near_address(variant->family), PORT));
	ASSERT_TRUE(wait_until((seen |= state_of(a) == HAUL_SYN_RECEIVED,
				state_of(a) == HAUL_ESTABLISHED &&
				state_of(b) == HAUL_ESTABLISHED)));
	EXPECT_TRUE(seen);
	EXPECT_EQ(1, counter(near_host, "SimultaneousOpens"));
	EXPECT_EQ(1, counter(far_host, "SimultaneousOpens"));
	link_set("delay 0ms");
	transfer(a, b, 100000);
	transfer(b, a, 100000);
	close(a);
	close(b);
}

/*
 * Nobody accepts: some connections are finished, the rest waits; what is dropped is counted. Once
 * the program accepts, every one of them gets in and its data is there. Each second, when the rest
 * tries again, three find room; without a bound the seconds would double each time.
 */
TEST_F(handshake, full_accept_queue_delays_but_loses_nobody)
{
	int listener = listener_at(far_host, far_address(variant->family), PORT, 2);
	int clients[MANY], i, got = 0;
	long dropped;

	for (i = 0; i < MANY; i++) {
		clients[i] = stream(near_host, variant->family);
		nonblocking(clients[i], true);
		option(clients[i], SOL_HAUL, HAUL_RTO_MAX_MS, 1000);
		connect_to(clients[i], far_address(variant->family), PORT);
	}
	ASSERT_TRUE(wait_until(counter(far_host, "PassiveOpens") >= 2));
	/* clients whose third step was dropped believe that they are connected: they send */
	for (i = 0; i < MANY; i++)
		if (poll_for(clients[i], POLLOUT, 0) & POLLOUT)
			EXPECT_EQ(1, send(clients[i], "x", 1, MSG_NOSIGNAL));
	ASSERT_TRUE(wait_until(counter(far_host, "DropAcceptFull") +
			       counter(far_host, "AcceptOverflow") > 0));
	/* listen(2) finishes two, or three as Linux counts */
	EXPECT_GE(3, counter(far_host, "PassiveOpens"));
	dropped = counter(far_host, "OutRsts");
	EXPECT_EQ(0, dropped);
	while (got < MANY) {
		int server = accepted(listener);

		EXPECT_EQ(1, send(server, "y", 1, MSG_NOSIGNAL));
		close(server);
		got++;
	}
	for (i = 0; i < MANY; i++) {
		char c = 0;

		EXPECT_TRUE(poll_for(clients[i], POLLIN, 5000) & POLLIN);
		EXPECT_EQ(1, recv(clients[i], &c, 1, 0));
		EXPECT_EQ('y', c);
		close(clients[i]);
	}
	close(listener);
}

/* a SYN queue of 4, which nobody leaves, and no cookies: further SYNs are dropped and counted */
TEST_F(handshake, full_syn_queue_without_cookies)
{
	int listener = listening(variant->family), clients[MANY], i;

	setting(far_host, "max_syn_backlog", 4);
	setting(far_host, "syncookies", 0);
	deaf(near_host, true);
	for (i = 0; i < MANY; i++) {
		clients[i] = stream(near_host, variant->family);
		nonblocking(clients[i], true);
		connect_to(clients[i], far_address(variant->family), PORT);
	}
	ASSERT_TRUE(wait_until(counter(far_host, "DropRequestFull") >= MANY - 4 - 1));
	EXPECT_LE(MANY - 4 - 1, counter(far_host, "RequestOverflow"));
	EXPECT_EQ(0, counter(far_host, "CookiesSent"));
	/* those that found room are served */
	deaf(near_host, false);
	close(accepted(listener));
	for (i = 0; i < MANY; i++)
		close(clients[i]);
	close(listener);
}

/* the backlog of listen() bounds what is half open as well: one more than it says, as on TCP */
TEST_F(handshake, backlog_bounds_the_syn_queue)
{
	int clients[MANY], listener, i, cookies;

	deaf(near_host, true);
	for (cookies = 0; cookies < 2; cookies++) {
		const char *name = cookies ? "CookiesSent" : "RequestOverflow";

		setting(far_host, "syncookies", cookies);
		listener = listener_at(far_host, far_address(variant->family), PORT, 2);
		for (i = 0; i < MANY; i++) {
			clients[i] = stream(near_host, variant->family);
			nonblocking(clients[i], true);
			connect_to(clients[i], far_address(variant->family), PORT);
		}
		EXPECT_TRUE(wait_until(counter(far_host, name) >= MANY - 3));
		for (i = 0; i < MANY; i++)
			close(clients[i]);
		close(listener);
	}
	deaf(near_host, false);
}

TEST_F(handshake, refused_at_once_where_nobody_listens)
{
	int client = stream(near_host, variant->family);
	uint64_t start = now_us();

	EXPECT_EQ(-1, connect_to(client, far_address(variant->family), PORT));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_GE(2 * SECOND, now_us() - start);
	EXPECT_EQ(1, counter(far_host, "OutRsts"));
	EXPECT_EQ(1, counter(far_host, "DropNoFlow"));
	EXPECT_EQ(1, counter(near_host, "InRsts"));
	EXPECT_EQ(1, counter(near_host, "AttemptFails"));
	close(client);
}

TEST_HARNESS_MAIN
