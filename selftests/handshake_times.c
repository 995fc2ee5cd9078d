// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a connection when nobody answers (TEXTBOOK 3, 7): what is sent again, when, how often,
 * and what the program is told. Time is the subject: listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(handshake_times);

/* gaps between the packets with exactly these flags that @tap saw leave; how many packets */
static int gaps_of(int tap, int flags, uint64_t *gaps, int max)
{
	struct seen s, last = { };
	int num = 0;

	while (captured(tap, &s)) {
		if (!s.out || s.flags != flags)
			continue;
		if (num && num <= max)
			gaps[num - 1] = s.us - last.us;
		last = s;
		num++;
	}
	return num;
}

TEST_F(handshake_times, syn_is_repeated_and_given_up)
{
	int tap = capture(near_host, "near0"), client = stream(near_host, variant->family);
	uint64_t start, gaps[8] = { };

	setting(near_host, "syn_retries", 3);
	deaf(far_host, true);
	start = now_us();
	EXPECT_EQ(-1, connect_to(client, far_address(variant->family), PORT));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_TOOK(15 * SECOND, now_us() - start);
	EXPECT_EQ(4, gaps_of(tap, SEEN_SYN, gaps, 8));
	EXPECT_TOOK(1 * SECOND, gaps[0]);
	EXPECT_TOOK(2 * SECOND, gaps[1]);
	EXPECT_TOOK(4 * SECOND, gaps[2]);
	EXPECT_EQ(3, counter(near_host, "SynRetrans"));
	EXPECT_EQ(1, counter(near_host, "AttemptFails"));
	EXPECT_EQ(HAUL_CLOSED, state_of(client));
	close(client);
}

TEST_F(handshake_times, syn_count_of_one_socket)
{
	int client = stream(near_host, variant->family);
	uint64_t start;

	option(client, SOL_HAUL, HAUL_SYNCNT, 1);
	deaf(far_host, true);
	start = now_us();
	EXPECT_EQ(-1, connect_to(client, far_address(variant->family), PORT));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_TOOK(3 * SECOND, now_us() - start);
	EXPECT_EQ(1, counter(near_host, "SynRetrans"));
	close(client);
}

/* us that opening a connection took whose first packet to @deaf_host was lost; *client is it */
static uint64_t open_with_loss(int family, int listener, int deaf_host, int *client)
{
	uint64_t start;

	*client = stream(near_host, family);
	nonblocking(*client, true);
	start = now_us();
	deaf(deaf_host, true);
	connect_to(*client, far_address(family), PORT);
	deaf(deaf_host, false);
	close(accepted(listener));
	return now_us() - start;
}

/* a lost SYN costs a second, no more */
TEST_F(handshake_times, lost_syn)
{
	int listener = listening(variant->family), client;

	EXPECT_TOOK(1 * SECOND, open_with_loss(variant->family, listener, far_host, &client));
	EXPECT_EQ(1, counter(near_host, "SynRetrans"));
	close(client);
	close(listener);
}

/* one connection, so that either host knows how far the other is */
static void get_to_know(int family, int listener)
{
	struct pair p = connected_with(family, listener, stream(near_host, family));

	transfer(p.client, p.server, 1000);
	close(p.client);
	close(p.server);
}

/* the way is known: a lost SYN costs a timeout as data would have it */
TEST_F(handshake_times, lost_syn_on_a_known_way)
{
	int listener = listening(variant->family), client;

	get_to_know(variant->family, listener);
	EXPECT_TOOK(200 * MS, open_with_loss(variant->family, listener, far_host, &client));
	EXPECT_EQ(1, counter(near_host, "SynRetrans"));
	EXPECT_EQ(1, counter(near_host, "EarlySyns"));
	/* it was lost: the initial window is one segment (RFC 5681 3.1) */
	EXPECT_EQ(info_of(client).snd_mss, info_of(client).snd_cwnd);
	close(client);
	close(listener);
}

/* what is remembered makes a SYN more, and changes nothing of the others */
TEST_F(handshake_times, known_way_and_nobody_there)
{
	int tap = capture(near_host, "near0"), listener = listening(variant->family), client;
	uint64_t start, gaps[9] = { };

	get_to_know(variant->family, listener);
	setting(near_host, "syn_retries", 3);
	client = stream(near_host, variant->family);
	deaf(far_host, true);
	start = now_us();
	EXPECT_EQ(-1, connect_to(client, far_address(variant->family), PORT));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_TOOK(15 * SECOND, now_us() - start);
	/* gaps[0] is from the first connection's SYN */
	EXPECT_EQ(6, gaps_of(tap, SEEN_SYN, gaps, 9));
	EXPECT_TOOK(200 * MS, gaps[1]);
	EXPECT_TOOK(800 * MS, gaps[2]);
	EXPECT_TOOK(2 * SECOND, gaps[3]);
	EXPECT_TOOK(4 * SECOND, gaps[4]);
	EXPECT_EQ(4, counter(near_host, "SynRetrans"));
	EXPECT_EQ(1, counter(near_host, "EarlySyns"));
	close(client);
	close(listener);
}

TEST_F(handshake_times, known_way_not_remembered)
{
	int listener = listening(variant->family), client;

	setting(near_host, "remember_rtt", 0);
	get_to_know(variant->family, listener);
	EXPECT_TOOK(1 * SECOND, open_with_loss(variant->family, listener, far_host, &client));
	EXPECT_EQ(0, counter(near_host, "EarlySyns"));
	close(client);
	close(listener);
}

/* the server knows the way, the client does not: a lost SYN-ACK */
TEST_F(handshake_times, lost_syn_ack_on_a_known_way)
{
	int listener = listening(variant->family), client;

	setting(near_host, "remember_rtt", 0);
	get_to_know(variant->family, listener);
	EXPECT_TOOK_COARSE(200 * MS,
			   open_with_loss(variant->family, listener, near_host, &client));
	EXPECT_EQ(0, counter(near_host, "SynRetrans"));
	EXPECT_EQ(1, counter(far_host, "SynAckRetrans"));
	EXPECT_EQ(1, counter(far_host, "EarlySyns"));
	close(client);
	close(listener);
}

/* the way has become longer: SYN and SYN-ACK go again for nothing, and the echoes tell so */
TEST_F(handshake_times, known_way_that_became_longer)
{
	int listener = listening(variant->family), client, server;

	get_to_know(variant->family, listener);
	link_set("delay 200ms");
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
	server = accepted(listener);
	EXPECT_EQ(1, counter(near_host, "EarlySyns"));
	EXPECT_EQ(1, counter(far_host, "EarlySyns"));
	/* none was lost: the initial window is the usual one (net.haul.initial_cwnd) */
	EXPECT_EQ(10 * info_of(client).snd_mss, info_of(client).snd_cwnd);
	EXPECT_EQ(10 * info_of(server).snd_mss, info_of(server).snd_cwnd);
	close(server);
	close(client);
	close(listener);
}

/* a half-open connection: the client's SYN came, the client is gone without a word */
TEST_F(handshake_times, syn_ack_is_repeated_and_given_up)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	int tap = capture(far_host, "far0"), pfd_none;
	uint64_t gaps[8] = { };

	setting(far_host, "synack_retries", 2);
	deaf(near_host, true);
	nonblocking(client, true);
	connect_to(client, far_address(variant->family), PORT);
	close(client);
	ASSERT_TRUE(wait_until(counter(far_host, "SynAckGiveUps") == 1));
	EXPECT_EQ(3, gaps_of(tap, SEEN_SYN | SEEN_ACK, gaps, 8));
	EXPECT_TOOK(1 * SECOND, gaps[0]);
	EXPECT_TOOK(2 * SECOND, gaps[1]);
	EXPECT_EQ(2, counter(far_host, "SynAckRetrans"));
	EXPECT_EQ(0, counter(far_host, "PassiveOpens"));
	pfd_none = poll_for(listener, POLLIN, 0);
	EXPECT_EQ(0, pfd_none);
	close(listener);
}

/* the same port again after the half-open connection is gone: nothing is left of it */
TEST_F(handshake_times, after_the_half_open_a_new_connection)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct pair p;

	setting(far_host, "synack_retries", 1);
	ASSERT_EQ(0, bind_to(client, near_address(variant->family), PORT + 1));
	deaf(near_host, true);
	nonblocking(client, true);
	connect_to(client, far_address(variant->family), PORT);
	close(client);
	ASSERT_TRUE(wait_until(counter(far_host, "SynAckGiveUps") == 1));
	deaf(near_host, false);
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, bind_to(client, near_address(variant->family), PORT + 1));
	p = connected_with(variant->family, listener, client);
	transfer(p.client, p.server, 1000);
	done(&p);
}

/* the third step is lost: the server's SYN-ACK comes again after a second and is answered again */
TEST_F(handshake_times, lost_third_step)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	uint64_t start;

	link_set("delay 200ms");
	nonblocking(client, true);
	start = now_us();
	connect_to(client, far_address(variant->family), PORT);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") == 1));
	deaf(far_host, true);
	ASSERT_TRUE(poll_for(client, POLLOUT, 5000) & POLLOUT);
	pause_us(250 * MS);
	deaf(far_host, false);
	close(accepted(listener));
	EXPECT_TOOK(1 * SECOND + 600 * MS, now_us() - start);
	EXPECT_EQ(1, counter(far_host, "SynAckRetrans"));
	close(client);
	close(listener);
}

/* the third step is lost; the payload behind it opens the connection */
TEST_F(handshake_times, payload_in_place_of_a_lost_third_step)
{
	int listener = listening(variant->family), server;
	int client = stream(near_host, variant->family);
	char buf[8];

	link_set("delay 200ms");
	nonblocking(client, true);
	connect_to(client, far_address(variant->family), PORT);
	/* the SYN has arrived, the third step will not */
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") == 1));
	deaf(far_host, true);
	ASSERT_TRUE(poll_for(client, POLLOUT, 5000) & POLLOUT);
	EXPECT_EQ(0, error_of(client));
	pause_us(250 * MS);
	EXPECT_EQ(0, counter(far_host, "PassiveOpens"));
	deaf(far_host, false);
	ASSERT_EQ(4, send(client, "open", 4, 0));
	server = accepted(listener);
	EXPECT_EQ(4, recv(server, buf, 4, MSG_WAITALL));
	close(server);
	close(client);
	close(listener);
}

/* a cookie's third step is lost; the server, which keeps nothing, speaks first */
TEST_F(handshake_times, lost_third_step_of_a_cookie)
{
	int listener = listening(variant->family), server;
	int client = stream(near_host, variant->family);
	char c = 0;

	setting(far_host, "syncookies", 2);
	link_set("delay 200ms");
	nonblocking(client, true);
	connect_to(client, far_address(variant->family), PORT);
	ASSERT_TRUE(wait_until(counter(far_host, "InSegs") == 1));
	deaf(far_host, true);
	ASSERT_TRUE(poll_for(client, POLLOUT, 5000) & POLLOUT);
	pause_us(250 * MS);
	deaf(far_host, false);
	server = accepted(listener);
	EXPECT_EQ(1, send(server, "s", 1, 0));
	ASSERT_TRUE(poll_for(client, POLLIN, 5000) & POLLIN);
	EXPECT_EQ(1, recv(client, &c, 1, 0));
	EXPECT_EQ(0, counter(far_host, "SynAckRetrans"));
	EXPECT_EQ(1, counter(far_host, "CookiesRecv"));
	close(server);
	close(client);
	close(listener);
}

TEST_HARNESS_MAIN
