// SPDX-License-Identifier: GPL-2.0
/*
 * HAUL_DEFER_ACCEPT: a server is woken for a connection when it has something to read, or when the
 * client has been silent for the time given. Listed in ./exact: silence costs nothing there.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(defer_accept);

/* a client that is connected, as it believes, to a listener that waits for @seconds */
static struct pair deferred(int family, int seconds)
{
	struct pair p = { .listener = listening(family), .client = stream(near_host, family) };

	option(p.listener, SOL_HAUL, HAUL_DEFER_ACCEPT, seconds);
	if (connect_to(p.client, far_address(family), PORT))
		die("connect");
	return p;
}

/* data wakes the server at once, and is there to be read */
TEST_F(defer_accept, data_ends_it)
{
	struct pair p = deferred(variant->family, 30);
	char buf[8];

	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	EXPECT_EQ(0, poll_for(p.listener, POLLIN, 500));
	EXPECT_EQ(1, counter(far_host, "DropDeferred"));
	ASSERT_EQ(5, send(p.client, "hello", 5, 0));
	EXPECT_EQ(POLLIN, poll_for(p.listener, POLLIN, 100));
	p.server = accepted(p.listener);
	EXPECT_EQ(5, recv(p.server, buf, sizeof(buf), MSG_DONTWAIT));
	/* no SYN-ACK was needed again, and the connection works */
	EXPECT_EQ(0, counter(far_host, "SynAckRetrans"));
	transfer(p.server, p.client, 100000);
	done(&p);
}

/* the client has nothing to say: after the time it is accepted as it is */
TEST_F(defer_accept, time_ends_it)
{
	uint64_t start = now_us();
	struct pair p = deferred(variant->family, 5);

	EXPECT_EQ(7, option_of(p.listener, SOL_HAUL, HAUL_DEFER_ACCEPT));
	EXPECT_EQ(POLLIN, poll_for(p.listener, POLLIN, 20000));
	/* 1 + 2 + 4 s of the SYN-ACK's timer, and a round trip for its answer */
	EXPECT_TOOK_COARSE(7 * SECOND, now_us() - start);
	EXPECT_EQ(1, counter(far_host, "SynAckRetrans"));
	p.server = accepted(p.listener);
	transfer(p.client, p.server, 100000);
	transfer(p.server, p.client, 100000);
	EXPECT_EQ(0, option_of(p.server, SOL_HAUL, HAUL_DEFER_ACCEPT));
	done(&p);
}

/* a round trip is no longer for the client having thought before it spoke */
TEST_F(defer_accept, round_trip_is_the_paths)
{
	struct pair p;

	link_set("delay 20ms");
	p = deferred(variant->family, 30);
	pause_us(2 * SECOND);
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	p.server = accepted(p.listener);
	EXPECT_LE(40 * MS, info_of(p.server).handshake_rtt);
	EXPECT_GE(60 * MS, info_of(p.server).handshake_rtt);
	EXPECT_GE(60 * MS, info_of(p.server).srtt);
	EXPECT_LE(10 * info_of(p.server).snd_mss, info_of(p.server).snd_cwnd);
	done(&p);
}

/* a FIN is something to read, too */
TEST_F(defer_accept, end_of_stream_ends_it)
{
	struct pair p = deferred(variant->family, 30);
	char c;

	EXPECT_EQ(0, poll_for(p.listener, POLLIN, 200));
	shutdown(p.client, SHUT_WR);
	p.server = accepted(p.listener);
	EXPECT_EQ(1, poll_for(p.server, POLLIN, 1000));
	EXPECT_EQ(0, recv(p.server, &c, 1, 0));
	EXPECT_EQ(2, send(p.server, "ok", 2, 0));
	EXPECT_EQ(POLLIN, poll_for(p.client, POLLIN, 1000));
	done(&p);
}

/* who resets meanwhile is not accepted, and nothing is left of him */
TEST_F(defer_accept, reset_meanwhile)
{
	struct pair p = deferred(variant->family, 10);
	struct linger none = { .l_onoff = 1 };

	EXPECT_EQ(0, poll_for(p.listener, POLLIN, 200));
	setsockopt(p.client, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(p.client);
	EXPECT_EQ(0, poll_for(p.listener, POLLIN, 20000));
	EXPECT_EQ(0, counter(far_host, "SynAckRetrans"));
	EXPECT_EQ(1, counter(far_host, "AttemptFails"));
	close(p.listener);
}

/* the client is gone without a word: the wait for data does not outlast the retransmissions */
TEST_F_TIMEOUT(defer_accept, vanished, 400)
{
	struct pair p;

	setting(far_host, "synack_retries", 2);
	p = deferred(variant->family, 10);
	pause_us(100 * MS);
	cut(true);
	EXPECT_EQ(0, poll_for(p.listener, POLLIN, 60000));
	/* at 7 s, the last time before the end of 15 s: nobody answers */
	EXPECT_EQ(1, counter(far_host, "SynAckGiveUps"));
	cut(false);
	close(p.client);
	close(p.listener);
}

/* switched off while one waits: the next SYN-ACK's answer is taken as it is */
TEST_F(defer_accept, switched_off)
{
	struct pair p = deferred(variant->family, 100);

	pause_us(200 * MS);
	option(p.listener, SOL_HAUL, HAUL_DEFER_ACCEPT, 0);
	EXPECT_EQ(0, option_of(p.listener, SOL_HAUL, HAUL_DEFER_ACCEPT));
	EXPECT_EQ(POLLIN, poll_for(p.listener, POLLIN, 3000));
	p.server = accepted(p.listener);
	transfer(p.client, p.server, 1000);
	done(&p);
}

TEST_HARNESS_MAIN
