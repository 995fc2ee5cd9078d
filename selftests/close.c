// SPDX-License-Identifier: GPL-2.0
/*
 * Closing between two hosts (TEXTBOOK 8, 9): who closes first, both at once, one direction only;
 * what was sent before is read before the end of file; when it is a reset instead.
 */
#include "capture.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(close);

/* end of file, waiting for it 10 s at most */
static bool at_end(int fd)
{
	char c;

	return poll_for(fd, POLLIN | POLLRDHUP, 10000) && recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

/* four steps, and the states of both sides at each */
TEST_F(close, states_of_an_orderly_end)
{
	struct pair p = connected(variant->family);

	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	ASSERT_TRUE(at_end(p.server));
	EXPECT_EQ(HAUL_CLOSE_WAIT, state_of(p.server));
	EXPECT_TRUE(wait_until(state_of(p.client) == HAUL_FIN_WAIT_2));
	ASSERT_EQ(0, shutdown(p.server, SHUT_WR));
	ASSERT_TRUE(at_end(p.client));
	/* the remnant has TIME-WAIT, the sockets are done */
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	EXPECT_TRUE(wait_until(state_of(p.client) == HAUL_CLOSED));
	EXPECT_EQ(1, counter(near_host, "TimeWaits"));
	EXPECT_EQ(0, counter(far_host, "TimeWaits"));
	EXPECT_EQ(0, counter(near_host, "OutRsts") + counter(far_host, "OutRsts"));
	done(&p);
}

/* the states that last only as long as a packet is on its way */
TEST_F(close, states_while_packets_are_on_their_way)
{
	struct pair p = connected(variant->family);

	link_set("delay 300ms");
	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	EXPECT_EQ(HAUL_FIN_WAIT_1, state_of(p.client));
	ASSERT_TRUE(at_end(p.server));
	ASSERT_EQ(0, shutdown(p.server, SHUT_WR));
	EXPECT_EQ(HAUL_LAST_ACK, state_of(p.server));
	EXPECT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSED));
	done(&p);
}

TEST_F(close, both_at_once)
{
	struct pair p = connected(variant->family);
	bool seen = false;

	link_set("delay 300ms");
	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	ASSERT_EQ(0, shutdown(p.server, SHUT_WR));
	EXPECT_EQ(HAUL_FIN_WAIT_1, state_of(p.client));
	EXPECT_EQ(HAUL_FIN_WAIT_1, state_of(p.server));
	ASSERT_TRUE(wait_until((seen |= state_of(p.client) == HAUL_CLOSING,
				state_of(p.client) == HAUL_CLOSED &&
				state_of(p.server) == HAUL_CLOSED)));
	EXPECT_TRUE(seen);
	/* both were active closers */
	EXPECT_EQ(1, counter(near_host, "TimeWaits"));
	EXPECT_EQ(1, counter(far_host, "TimeWaits"));
	EXPECT_TRUE(at_end(p.client));
	EXPECT_TRUE(at_end(p.server));
	done(&p);
}

/* one side is done, the other goes on for a megabyte and many writes */
TEST_F(close, half_close_goes_on)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.server, .to = p.client };

	ASSERT_EQ(0, shutdown(p.client, SHUT_WR));
	ASSERT_TRUE(at_end(p.server));
	flow_run(&f, 1000000, 10000, 65536);
	EXPECT_EQ(HAUL_CLOSE_WAIT, state_of(p.server));
	EXPECT_EQ(HAUL_FIN_WAIT_2, state_of(p.client));
	EXPECT_EQ(-1, send(p.client, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	ASSERT_EQ(0, shutdown(p.server, SHUT_WR));
	EXPECT_TRUE(at_end(p.client));
	done(&p);
}

/* close() right after send(): everything arrives, then the end of file; through loss as well */
TEST_F(close, what_was_sent_before_is_read)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint64_t sent;

	link_set("delay 5ms loss 5%");
	flow_fill(&f);
	sent = f.sent;
	close(p.client);
	f.from = -1;
	while (f.received < sent) {
		ASSERT_TRUE(poll_for(p.server, POLLIN, 20000) & POLLIN);
		flow_receive(&f, 65536);
	}
	EXPECT_TRUE(at_end(p.server));
	close(p.server);
	close(p.listener);
}

TEST_F(close, with_unread_data_resets)
{
	struct pair p = connected(variant->family);
	char c;

	ASSERT_EQ(4, send(p.client, "data", 4, 0));
	ASSERT_TRUE(poll_for(p.server, POLLIN, 5000) & POLLIN);
	close(p.server);
	ASSERT_TRUE(wait_until(state_of(p.client) == HAUL_CLOSED));
	EXPECT_EQ(-1, recv(p.client, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(1, counter(far_host, "AbortOnData"));
	EXPECT_EQ(1, counter(far_host, "OutRsts"));
	EXPECT_EQ(1, counter(near_host, "InRsts"));
	EXPECT_EQ(1, counter(near_host, "EstabResets"));
	close(p.client);
	close(p.listener);
}

TEST_F(close, payload_for_a_closed_socket_resets)
{
	struct pair p = connected(variant->family);
	char c;

	close(p.server);
	ASSERT_TRUE(at_end(p.client));
	ASSERT_EQ(1, send(p.client, "x", 1, MSG_NOSIGNAL));
	ASSERT_TRUE(wait_until(state_of(p.client) == HAUL_CLOSED));
	EXPECT_EQ(1, counter(far_host, "AbortOnData"));
	EXPECT_EQ(1, counter(near_host, "EstabResets"));
	/* in CLOSE-WAIT: broken pipe (protocol.rst 4.2) */
	EXPECT_EQ(EPIPE, error_of(p.client));
	EXPECT_EQ(-1, send(p.client, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, recv(p.client, &c, 1, 0));
	close(p.client);
	close(p.listener);
}

TEST_F(close, linger_zero_resets)
{
	struct pair p = connected(variant->family);
	struct linger linger = { .l_onoff = 1 };
	char c;

	ASSERT_EQ(0, setsockopt(p.client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(p.client);
	ASSERT_TRUE(poll_for(p.server, POLLIN, 5000) & POLLHUP);
	EXPECT_EQ(-1, recv(p.server, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(1, counter(near_host, "AbortOnLinger"));
	EXPECT_EQ(0, counter(near_host, "TimeWaits"));
	close(p.server);
	close(p.listener);
}

/* close() waits until the peer has everything, and not until the peer has closed as well */
TEST_F(close, linger_ends_with_the_acknowledgment)
{
	struct pair p = connected(variant->family);
	struct linger linger = { .l_onoff = 1, .l_linger = 5 };
	uint64_t start;
	char c;

	link_set("delay 20ms");
	ASSERT_EQ(0, setsockopt(p.client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	start = now_us();
	close(p.client);
	/* a retransmission may be among it, the five seconds are not */
	EXPECT_LE(40 * MS, now_us() - start);
	EXPECT_GE(4 * SECOND, now_us() - start);
	EXPECT_EQ(HAUL_CLOSE_WAIT, state_of(p.server));
	ASSERT_EQ(1, recv(p.server, &c, 1, 0));
	EXPECT_TRUE(at_end(p.server));
	close(p.server);
	close(p.listener);
}

/* what waits in the accept queue is told by a reset */
TEST_F(close, listener_with_unaccepted_connections)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);

	ASSERT_EQ(0, connect_to(client, far_address(variant->family), PORT));
	ASSERT_TRUE(poll_for(listener, POLLIN, 5000) & POLLIN);
	close(listener);
	EXPECT_TRUE(wait_until(state_of(client) == HAUL_CLOSED));
	EXPECT_EQ(ECONNRESET, error_of(client));
	close(client);
}

/* the server's port after it closed first: held, but not against SO_REUSEADDR and new peers */
TEST_F(close, listener_returns_beside_time_wait)
{
	struct pair p = connected(variant->family);
	int fd = stream(far_host, variant->family);
	const char *any = variant->family == AF_INET ? "0.0.0.0" : "::";

	close(p.server);
	ASSERT_TRUE(at_end(p.client));
	close(p.client);
	close(p.listener);
	ASSERT_TRUE(wait_until(counter(far_host, "TimeWaits") == 1));
	EXPECT_EQ(-1, bind_to(fd, any, PORT));
	EXPECT_EQ(EADDRINUSE, errno);
	option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	ASSERT_EQ(0, bind_to(fd, any, PORT));
	ASSERT_EQ(0, listen(fd, 5));
	p = connected_with(variant->family, fd, stream(near_host, variant->family));
	transfer(p.client, p.server, 1000);
	done(&p);
}

/* the same two ports again while TIME-WAIT lasts (RFC 6191) */
TEST_F(close, time_wait_gives_way_to_a_newer_connection)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct pair p;

	ASSERT_EQ(0, bind_to(client, near_address(variant->family), PORT + 1));
	p = connected_with(variant->family, listener, client);
	close(p.server);
	ASSERT_TRUE(at_end(p.client));
	close(p.client);
	ASSERT_TRUE(wait_until(counter(far_host, "TimeWaits") == 1));
	client = stream(near_host, variant->family);
	ASSERT_EQ(0, bind_to(client, near_address(variant->family), PORT + 1));
	p = connected_with(variant->family, listener, client);
	transfer(p.client, p.server, 10000);
	EXPECT_EQ(1, counter(far_host, "TimeWaitReused"));
	done(&p);
}

/* no remnants allowed: TIME-WAIT is skipped and that is counted */
TEST_F(close, no_room_for_time_wait)
{
	struct pair p;
	int fd;

	setting(near_host, "max_remnants", 0);
	p.listener = listening(variant->family);
	p.client = stream(near_host, variant->family);
	ASSERT_EQ(0, bind_to(p.client, near_address(variant->family), PORT + 1));
	p = connected_with(variant->family, p.listener, p.client);
	close(p.client);
	ASSERT_TRUE(at_end(p.server));
	close(p.server);
	EXPECT_TRUE(wait_until(counter(near_host, "TimeWaitOverflow") == 1));
	EXPECT_EQ(0, counter(near_host, "TimeWaits"));
	fd = stream(near_host, variant->family);
	EXPECT_EQ(0, bind_to(fd, near_address(variant->family), PORT + 1));
	close(fd);
	close(p.listener);
}

TEST_HARNESS_MAIN
