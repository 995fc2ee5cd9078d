// SPDX-License-Identifier: GPL-2.0
/* Messages on the wire: protocol.rst 4.9. EOM out and in, out of order, sent again; kinds apart. */
#include "fixture.h"

WIRE_FIXTURE(sender);
WIRE_FIXTURE(receiver);
WIRE_FIXTURE(kinds);

static int establish_with(struct peer *p, int rcvbuf)
{
	int listener, fd;

	p->kind = KIND_MESSAGE;
	listener = host_listen_kind(p->w, p->host_port, 8, SOCK_SEQPACKET);
	if (rcvbuf)
		host_option(p, listener, SOL_SOCKET, SO_RCVBUF, rcvbuf);
	fd = peer_connect(p, listener);
	host_close(listener);
	return fd;
}

static int establish(struct peer *p)
{
	return establish_with(p, 0);
}

/* one call must give one message of so many bytes, the next of pattern() */
static void read_message(struct peer *p, int fd, size_t len)
{
	static uint8_t bytes[65536];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got, i;

	host_wait(p, fd, POLLIN);
	got = recvmsg(fd, &msg, 0);
	if (got != (ssize_t)len || !(msg.msg_flags & MSG_EOR) || (msg.msg_flags & MSG_TRUNC))
		wire_fail(p->w, NULL, "message of %zd bytes, flags 0x%x; %zu expected", got,
			  msg.msg_flags, len);
	for (i = 0; i < got; i++)
		if (bytes[i] != pattern(p->read + i))
			wire_fail(p->w, NULL, "wrong byte at %zd", i);
	p->read += got;
}

#define expect_message(p, fd, len)	(wire_here(), read_message(p, fd, len))

static void expect_none(struct peer *p, int fd)
{
	uint8_t byte;

	wire_here();
	if (recv(fd, &byte, 1, MSG_PEEK) != -1 || errno != EAGAIN)
		wire_fail(p->w, NULL, "there is something to read");
}

/* ---- the host sends ---- */

WIRE_TEST(sender, eom_ends_each_message)
{
	int fd;

	p->mss = 1000;
	fd = establish(p);
	host_write(p, fd, 10);
	expect(p, "ACK PSH EOM seq=1 len=10");
	host_write(p, fd, 10);
	expect(p, "ACK PSH EOM seq=11 len=10");
	host_write(p, fd, 1000);
	expect(p, "ACK PSH EOM seq=21 len=1000");
	host_write(p, fd, 2500);
	expect(p, "ACK seq=1021 len=1000");
	expect(p, "ACK seq=2021 len=1000");
	expect(p, "ACK PSH EOM seq=3021 len=500");
	inject(p, "ACK");
	expect_silence(p);
}

/* what waits for the window stays in segments of its own */
WIRE_TEST(sender, no_segment_holds_two)
{
	int fd;

	p->mss = 1000;
	p->window = 1000;
	fd = establish(p);
	host_write(p, fd, 1000);
	expect(p, "ACK PSH EOM seq=1 len=1000");
	host_write(p, fd, 10);
	host_write(p, fd, 20);
	host_write(p, fd, 30);
	expect_silence(p);
	inject(p, "ACK win=5000");
	expect(p, "ACK PSH EOM seq=1001 len=10");
	expect(p, "ACK PSH EOM seq=1011 len=20");
	expect(p, "ACK PSH EOM seq=1031 len=30");
}

/* a window cuts a message: EOM is the tail's */
WIRE_TEST(sender, a_cut_leaves_eom_to_the_tail)
{
	int fd;

	p->mss = 1000;
	p->window = 600;
	fd = establish(p);
	host_write(p, fd, 900);
	expect(p, "ACK seq=1 len=600");
	inject(p, "ACK win=600");
	expect(p, "ACK PSH EOM seq=601 len=300");
	inject(p, "ACK");
	expect_silence(p);
}

/* sent again in smaller segments: the path has shrunk */
WIRE_TEST(sender, resegmentation_leaves_eom_to_the_tail)
{
	bool v4 = w->family == AF_INET;
	int fd, mss = 1280 - (v4 ? 20 : 40) - 36;

	fd = establish(p);
	host_write(p, fd, 1400);
	expect(p, "ACK PSH EOM seq=1 len=1400");
	inject_icmp(p, v4 ? 3 : 2, v4 ? 4 : 0, 1280, "ACK seq=1 len=1400");
	expect(p, "ACK seq=1 len=%d", mss);
	expect(p, "ACK PSH EOM seq=%d len=%d", 1 + mss, 1400 - mss);
	inject(p, "ACK ack=1401");
	host_write(p, fd, 10);
	expect(p, "ACK PSH EOM seq=1401 len=10");
}

WIRE_TEST(sender, lost_ones_come_again_one_by_one)
{
	int fd, i;

	p->mss = 1000;
	fd = establish(p);
	for (i = 0; i < 6; i++) {
		host_write(p, fd, 10);
		expect(p, "ACK PSH EOM seq=%d len=10", 1 + 10 * i);
	}
	inject(p, "ACK ack=1 sack=31-61");
	expect(p, "ACK PSH EOM seq=1 len=10");
	expect(p, "ACK PSH EOM seq=11 len=10");
	expect(p, "ACK PSH EOM seq=21 len=10");
	inject(p, "ACK ack=61");
	expect_silence(p);
}

/* MSG_MORE: no EOM; FIN does not make one of it */
WIRE_TEST(sender, fin_is_no_eom)
{
	uint8_t bytes[10];
	int fd, i;

	for (i = 0; i < 10; i++)
		bytes[i] = pattern(i);
	p->mss = 1000;
	fd = establish(p);
	ASSERT_EQ(10, send(fd, bytes, 10, MSG_MORE));
	shutdown(fd, SHUT_WR);
	expect(p, "ACK FIN seq=1 len=10");
}

WIRE_TEST(sender, fin_rides_on_the_last_message)
{
	int fd;

	p->mss = 1000;
	p->window = 100;
	fd = establish(p);
	host_write(p, fd, 100);
	expect(p, "ACK PSH EOM seq=1 len=100");
	host_write(p, fd, 50);
	shutdown(fd, SHUT_WR);
	expect_silence(p);
	inject(p, "ACK win=1000");
	expect(p, "ACK PSH EOM FIN seq=101 len=50");
}

/* ---- the host receives ---- */

WIRE_TEST(receiver, each_by_itself)
{
	int fd = establish(p);

	inject(p, "ACK EOM len=10");
	inject(p, "ACK EOM len=20");
	inject(p, "ACK len=1000");
	inject(p, "ACK EOM PSH len=1");
	expect_message(p, fd, 10);
	expect_message(p, fd, 20);
	expect_message(p, fd, 1001);
	expect_none(p, fd);
}

WIRE_TEST(receiver, not_before_its_end)
{
	int fd = establish(p);

	inject(p, "ACK PSH len=1000");
	expect(p, "ACK ack=1001");
	expect_none(p, fd);
	inject(p, "ACK EOM len=10");
	expect_message(p, fd, 1010);
}

/* held out of order, the ends stay where they are, whatever comes first */
WIRE_TEST(receiver, out_of_order_keeps_the_ends)
{
	int fd = establish(p);

	inject(p, "ACK EOM seq=101 len=100");
	expect(p, "ACK ack=1 sack=101-201");
	inject(p, "ACK EOM seq=301 len=50");
	expect(p, "ACK ack=1 sack=301-351,101-201");
	inject(p, "ACK seq=201 len=100");
	expect(p, "ACK ack=1 sack=101-351");
	inject(p, "ACK EOM seq=351 len=5");
	expect(p, "ACK ack=1 sack=101-356");
	expect_none(p, fd);
	inject(p, "ACK seq=1 len=100");
	expect(p, "ACK ack=356");
	expect_message(p, fd, 200);
	expect_message(p, fd, 150);
	expect_message(p, fd, 5);
	expect_none(p, fd);
}

/* segments cut otherwise when they come again overlap what is here */
WIRE_TEST(receiver, overlaps_keep_the_ends)
{
	int fd = establish(p);

	inject(p, "ACK seq=1 len=60");
	expect(p, "ACK ack=61");
	inject(p, "ACK EOM seq=41 len=60");
	expect(p, "ACK ack=101 sack=41-61");
	inject(p, "ACK EOM seq=81 len=20");
	expect(p, "ACK ack=101 sack=81-101");
	inject(p, "ACK EOM seq=101 len=7");
	expect_message(p, fd, 100);
	expect_message(p, fd, 7);
	expect_none(p, fd);
}

/* one segment over an end that was there before: no honest sender does that, nothing breaks */
WIRE_TEST(receiver, a_segment_over_an_end)
{
	int fd = establish(p);

	inject(p, "ACK EOM seq=1 len=50");
	expect(p, "ACK ack=51");
	inject(p, "ACK EOM seq=1 len=100");
	expect(p, "ACK ack=101 sack=1-51");
	expect_message(p, fd, 50);
	expect_message(p, fd, 50);
	expect_none(p, fd);
	inject(p, "ACK EOM seq=151 len=10");
	expect(p, "ACK ack=101 sack=151-161");
	inject(p, "ACK EOM seq=101 len=100");
	expect(p, "ACK ack=201");
	expect_message(p, fd, 100);
	expect_none(p, fd);
}

/* the window's edge cuts EOM off with the bytes before it; the buffer is full, so a part is read */
WIRE_TEST(receiver, payload_over_the_edge_has_no_end)
{
	static uint8_t bytes[65536];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = establish_with(p, 8192);
	uint32_t at = 1, edge;

	for (;;) {
		edge = p->right_edge - p->iss;
		if (at + 1000 >= edge)
			break;
		inject(p, "ACK seq=%u len=1000", at);
		while (peer_receive(p, 0))
			;
		at += 1000;
	}
	inject(p, "ACK EOM seq=%u len=1200", at);
	expect(p, "ACK ack=%u win=0", edge);
	host_wait(p, fd, POLLIN);
	EXPECT_EQ(edge - 1, recvmsg(fd, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags & (MSG_EOR | MSG_TRUNC));
	while (peer_receive(p, 0))
		;
	p->read = edge - 1;
	inject(p, "ACK EOM seq=%u len=10", edge);
	expect_message(p, fd, 10);
}

WIRE_TEST(receiver, fin_in_the_middle_discards)
{
	int fd = establish(p);

	inject(p, "ACK EOM len=10");
	expect(p, "ACK ack=11");
	inject(p, "ACK len=100");
	expect(p, "ACK ack=111");
	inject(p, "ACK FIN len=100");
	expect(p, "ACK ack=212");
	expect_message(p, fd, 10);
	host_expect_eof(p, fd);
	EXPECT_LE(1, wire_counter(w, "DropMessageCut"));
}

WIRE_TEST(receiver, fin_on_an_end)
{
	int fd = establish(p);

	inject(p, "ACK EOM FIN len=10");
	expect(p, "ACK ack=12");
	expect_message(p, fd, 10);
	host_expect_eof(p, fd);
}

/* EOM on no byte, and EOM in a stream, are malformed */
WIRE_TEST(receiver, eom_without_payload)
{
	int fd = establish(p);

	inject(p, "ACK EOM len=0");
	expect_silence(p);
	EXPECT_EQ(1, wire_counter(w, "DropFlags"));
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

/* ---- kinds ---- */

/* a SYN of one kind does not see listeners of the other */
WIRE_TEST(kinds, listeners_apart)
{
	int stream = host_listen(w, p->host_port, 8);

	p->kind = KIND_MESSAGE;
	inject(p, "SYN seq=0 init");
	expect(p, "RST ACK seq=0 ack=1");
	host_close(stream);
	peer_next(p);
	p->kind = KIND_STREAM;
	host_listen_kind(w, p->host_port, 8, SOCK_SEQPACKET);
	inject(p, "SYN seq=0 init");
	expect(p, "RST ACK seq=0 ack=1");
}

/* packets of the other kind match nothing, though all else is right */
WIRE_TEST(kinds, connections_apart)
{
	int fd = establish(p);
	long before = wire_counter(w, "DropNoFlow");

	inject(p, "ACK kind=1 len=10");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	EXPECT_EQ(before + 1, wire_counter(w, "DropNoFlow"));
	expect_none(p, fd);
}

WIRE_TEST(kinds, simultaneous_open_needs_the_same)
{
	int fd;

	p->kind = KIND_MESSAGE;
	fd = host_connect(p);
	expect(p, "SYN seq=0 init");
	p->kind = KIND_STREAM;
	inject(p, "SYN seq=0 init");
	expect(p, "RST ACK");
	host_expect_state(p, fd, HAUL_SYN_SENT);
	p->kind = KIND_MESSAGE;
	inject(p, "SYN seq=0 init");
	expect(p, "SYN ACK seq=0 ack=1 init");
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
}

TEST_HARNESS_MAIN
