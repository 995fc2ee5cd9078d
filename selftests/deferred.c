// SPDX-License-Identifier: GPL-2.0
/*
 * What comes while a program holds the socket's lock is left for the moment when it lets go
 * (haul_sock.deferred, the backlog). Here send() holds it for as long as the test wants (hold.h).
 * What routers say meanwhile is icmp.c's.
 */
#include "capture.h"
#include "hold.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(deferred);

/* the timeout, and what else is due then, follows when the lock is free */
TEST_F(deferred, timer)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	struct holder h;
	char c = 1;

	transfer(p.client, p.server, 1000);
	f.sent = 1000;
	f.received = 1000;
	deaf(far_host, true);
	flow_send(&f, f.sent + 10, 10);
	if (!hold_lock(&h, p.client)) {
		deaf(far_host, false);
		done(&p);
		SKIP(return, "needs userfaultfd");
	}
	pause_us(SECOND);
	EXPECT_EQ(0, counter(near_host, "Timeouts") + counter(near_host, "LossProbes"));
	deaf(far_host, false);
	let_go(&h);
	flow_run(&f, f.sent, 10, 10);
	EXPECT_LE(1, counter(near_host, "Timeouts") + counter(near_host, "LossProbes"));
	/* and the byte of the call that waited */
	ASSERT_EQ(1, recv(p.server, &c, 1, 0));
	EXPECT_EQ(0, c);
	done(&p);
}

/* the connection ends meanwhile: the socket's next one has timers all the same */
TEST_F(deferred, timer_of_a_connection_that_was_reset)
{
	struct sockaddr_in6 none = { .sin6_family = AF_UNSPEC };
	struct linger abort = { .l_onoff = 1 };
	struct pair p = connected(variant->family);
	struct holder h;

	deaf(far_host, true);
	ASSERT_EQ(10, send(p.client, "0123456789", 10, 0));
	if (!hold_lock(&h, p.client)) {
		deaf(far_host, false);
		done(&p);
		SKIP(return, "needs userfaultfd");
	}
	pause_us(SECOND);
	setsockopt(p.server, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	close(p.server);
	ASSERT_TRUE(wait_until(counter(near_host, "Backlogged") > 0));
	let_go(&h);
	EXPECT_EQ(1, counter(near_host, "InRsts"));
	EXPECT_EQ(0, connect(p.client, (void *)&none, sizeof(none)));
	nonblocking(p.client, true);
	EXPECT_EQ(-1, connect_to(p.client, far_address(variant->family), PORT));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_TRUE(wait_until(counter(near_host, "SynRetrans") > 0));
	deaf(far_host, false);
	EXPECT_TRUE(poll_for(p.client, POLLOUT, 10000) & POLLOUT);
	EXPECT_EQ(0, error_of(p.client));
	close(p.client);
	close(p.listener);
}

/* the backlog has a bound; what it does not take comes again */
TEST_F(deferred, backlog_is_bounded)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint8_t packet[HEADER + 1400] = { 0 };
	struct sockaddr_in6 to = address(far_address(variant->family), 0);
	int raw = socket(variant->family, SOCK_RAW, IPPROTO_HAUL), i;
	struct holder h;

	transfer(p.client, p.server, 1000);
	f.sent = 1000;
	f.received = 1000;
	option(p.server, SOL_SOCKET, SO_RCVBUF, 4096);
	option(p.server, SOL_SOCKET, SO_SNDBUF, 4096);
	if (!hold_lock(&h, p.server)) {
		done(&p);
		SKIP(return, "needs userfaultfd");
	}
	/* of this connection, but for the tag: each is dropped when its turn comes */
	put16(packet, port_of(p.client));
	put16(packet + 2, PORT);
	packet[8] = 0x11;
	packet[9] = HEADER / 4;
	put16(packet + 10, SEEN_ACK);
	put32(packet + 16, 0x5eed);
	put16(packet + 14, internet_checksum(packet, sizeof(packet)));
	for (i = 0; i < 500 && !counter(far_host, "DropBacklog"); i++)
		sendto(raw, packet, sizeof(packet), 0, (void *)&to, sizeof(to));
	EXPECT_TRUE(wait_until(counter(far_host, "DropBacklog") > 0));
	EXPECT_LT(0, counter(far_host, "Backlogged"));
	flow_send(&f, f.sent + 20000, 20000);
	let_go(&h);
	flow_run(&f, f.sent, 20000, 20000);
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	close(raw);
	done(&p);
}

TEST_HARNESS_MAIN
