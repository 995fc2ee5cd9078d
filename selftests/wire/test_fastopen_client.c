// SPDX-License-Identifier: GPL-2.0
/* Fast open, the host connects: protocol.rst section 3.6. */
#include "fixture.h"

WIRE_FIXTURE(client);
#define GIVEN "0102030405060708"

static int fast_socket(struct peer *p)
{
	int type = p->kind == KIND_MESSAGE ? SOCK_SEQPACKET : SOCK_STREAM;

	return socket(p->w->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_HAUL);
}

static void learn_port(struct peer *p, int fd)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	getsockname(fd, (void *)&sin6, &len);
	p->host_port = ntohs(sin6.sin6_port);
}

/* sendto(MSG_FASTOPEN) of the first bytes of pattern(); what it returned, or -errno */
static int fast_send(struct peer *p, int fd, size_t len)
{
	struct sockaddr_storage addr;
	uint8_t bytes[4096];
	ssize_t done;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = pattern(i);
	wire_address(p->w, false, p->port, &addr);
	done = sendto(fd, bytes, len, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&addr,
		      wire_address_len(p->w));
	done = done < 0 ? -errno : done;
	learn_port(p, fd);
	if (done > 0)
		p->written += done;
	return done;
}

/* a connection that brings the host a cookie, and is reset */
static void give_cookie(struct peer *p, int mss)
{
	int fd = fast_socket(p);

	fast_send(p, fd, 10);
	peer_expect(p, "SYN seq=0 len=0 fastopen");
	peer_inject(p, "SYN ACK seq=0 ack=1 mss=%d fastopen=" GIVEN, mss);
	peer_expect(p, "ACK seq=1 ack=1 init");
	host_abort(fd);
	peer_expect(p, "RST ACK");
	peer_next(p);
}

/* a SYN with 100 bytes, under a cookie that the host has */
static int opened(struct peer *p)
{
	int fd;

	give_cookie(p, 1400);
	fd = fast_socket(p);
	fast_send(p, fd, 100);
	peer_expect(p, "SYN PSH seq=0 len=100 tag=0 init notect fastopen=" GIVEN);
	return fd;
}

/* connect() that may wait for a write; what it returned, or -errno */
static int connect_fast(struct peer *p, int fd)
{
	struct sockaddr_storage addr;
	int err;

	host_option(p, fd, SOL_HAUL, HAUL_FASTOPEN_CONNECT, 1);
	wire_address(p->w, false, p->port, &addr);
	err = connect(fd, (void *)&addr, wire_address_len(p->w)) ? -errno : 0;
	learn_port(p, fd);
	return err;
}

WIRE_TEST(client, asks_for_a_cookie)
{
	int fd = fast_socket(p);

	EXPECT_EQ(-EINPROGRESS, fast_send(p, fd, 100));
	expect(p, "SYN seq=0 len=0 init fastopen");
	EXPECT_EQ(HAUL_FASTOPEN_NO_COOKIE_YET, host_info(p, fd).fastopen_fail);
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	host_write(p, fd, 100);
	expect(p, "ACK seq=1 len=100 init");
}

WIRE_TEST(client, payload_in_the_syn)
{
	int fd;

	give_cookie(p, 1400);
	fd = fast_socket(p);
	EXPECT_EQ(100, fast_send(p, fd, 100));
	expect(p, "SYN PSH seq=0 len=100 tag=0 init notect fastopen=" GIVEN);
	inject(p, "SYN ACK ack=101");
	expect(p, "ACK seq=101 ack=1 len=0 init");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	EXPECT_TRUE(host_info(p, fd).options & HAUL_INFO_SYN_DATA);
	EXPECT_EQ(100, host_info(p, fd).bytes_acked);
	EXPECT_EQ(0, host_info(p, fd).notsent);
	EXPECT_EQ(0, host_info(p, fd).unacked);
	host_write(p, fd, 50);
	expect(p, "ACK seq=101 len=50 init");
	inject(p, "ACK");
	EXPECT_EQ(150, host_info(p, fd).bytes_acked);
	EXPECT_EQ(1, wire_counter(w, "FastOpenActive"));
}

WIRE_TEST(client, no_more_than_fits)
{
	int fd, room = 600 - 16 - 12;

	give_cookie(p, 600);
	fd = fast_socket(p);
	EXPECT_EQ(room, fast_send(p, fd, 2000));
	expect(p, "SYN seq=0 len=%d fastopen=" GIVEN, room);
	inject(p, "SYN ACK ack=%d", room + 1);
	expect(p, "ACK seq=%d ack=1 len=0", room + 1);
}

WIRE_TEST(client, payload_not_acknowledged)
{
	int fd = opened(p);

	inject(p, "SYN ACK ack=1");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	expect(p, "ACK seq=1 ack=1 len=100 init");
	inject(p, "ACK ack=101");
	EXPECT_EQ(HAUL_FASTOPEN_NOT_ACKED, host_info(p, fd).fastopen_fail);
	EXPECT_FALSE(host_info(p, fd).options & HAUL_INFO_SYN_DATA);
	EXPECT_EQ(100, host_info(p, fd).bytes_acked);
	EXPECT_EQ(100, host_info(p, fd).bytes_retrans);
	EXPECT_EQ(1, wire_counter(w, "FastOpenActiveFail"));
}

WIRE_TEST(client, payload_partly_acknowledged)
{
	int fd = opened(p);

	inject(p, "SYN ACK ack=31");
	expect(p, "ACK seq=31 ack=1 len=0 init");
	expect(p, "ACK seq=31 ack=1 len=70 init");
	inject(p, "ACK ack=101");
	EXPECT_EQ(100, host_info(p, fd).bytes_acked);
}

WIRE_TEST(client, too_much_acknowledged)
{
	int fd = opened(p);

	inject(p, "SYN ACK seq=0 ack=102");
	expect(p, "RST REFLECTED seq=102");
	inject(p, "SYN ACK seq=0 ack=0");
	expect(p, "RST REFLECTED seq=0");
	/* the answer overtook the SYN-ACK */
	inject(p, "ACK seq=1 ack=101 len=10");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_SYN_SENT);
	p->snd_nxt = p->iss;
	inject(p, "SYN ACK ack=101");
	expect(p, "ACK seq=101 ack=1");
}

WIRE_TEST(client, refused)
{
	int fd = opened(p);

	inject(p, "RST ACK seq=@0 ack=102 tag=peer");
	inject(p, "RST ACK seq=@0 ack=102");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_SYN_SENT);
	inject(p, "RST ACK seq=@0 ack=101 tag=host");
	expect_silence(p);
	host_expect_error(p, fd, ECONNREFUSED);
}

/* A retransmitted SYN is a plain one. Then fast open has a rest. */
WIRE_TEST(client, syn_again)
{
	int fd = opened(p);

	expect(p, "SYN seq=0 len=0");
	inject(p, "SYN ACK ack=1");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	expect(p, "ACK seq=1 ack=1 len=100 init");
	EXPECT_EQ(HAUL_FASTOPEN_SYN_RESENT, host_info(p, fd).fastopen_fail);
	EXPECT_EQ(1, wire_counter(w, "FastOpenBlackhole"));
	host_abort(fd);
	expect(p, "RST ACK");
	peer_next(p);
	fd = fast_socket(p);
	EXPECT_EQ(-EINPROGRESS, fast_send(p, fd, 100));
	expect(p, "SYN seq=0 len=0");
	host_close(fd);
	peer_next(p);
	wire_sysctl(w, "haul.fastopen_blackhole_timeout_sec", "0");
}

WIRE_TEST(client, late_answer_to_the_first_syn)
{
	int fd = opened(p);

	expect(p, "SYN seq=0 len=0");
	inject(p, "SYN ACK ack=101");
	expect(p, "ACK seq=101 ack=1 len=0 init");
	EXPECT_EQ(0, wire_counter(w, "FastOpenBlackhole"));
	host_close(fd);
}

WIRE_TEST(client, deferred_connect)
{
	int fd;

	give_cookie(p, 1400);
	fd = fast_socket(p);
	ASSERT_EQ(0, connect_fast(p, fd));
	expect_silence(p);
	host_wait(p, fd, POLLOUT);
	host_write(p, fd, 60);
	expect(p, "SYN seq=0 len=60 fastopen=" GIVEN);
	inject(p, "SYN ACK ack=61");
	expect(p, "ACK seq=61 ack=1 init");
	host_write(p, fd, 10);
	expect(p, "ACK seq=61 len=10");
}

WIRE_TEST(client, deferred_connect_without_cookie)
{
	int fd = fast_socket(p);

	ASSERT_EQ(-EINPROGRESS, connect_fast(p, fd));
	expect(p, "SYN seq=0 len=0 fastopen");
	inject(p, "SYN ACK fastopen=" GIVEN);
	expect(p, "ACK seq=1 ack=1 init");
}

WIRE_TEST(client, deferred_connect_given_up)
{
	int fd;

	give_cookie(p, 1400);
	fd = fast_socket(p);
	ASSERT_EQ(0, connect_fast(p, fd));
	host_close(fd);
	expect_silence(p);
}

WIRE_TEST(client, syn_crosses)
{
	int fd = opened(p);

	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 init len=0");
	inject(p, "SYN ACK seq=0 ack=1");
	expect(p, "ACK seq=1 ack=1 len=100");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

WIRE_TEST(client, cookie_that_was_not_asked_for)
{
	int fd = host_connect(p);

	expect(p, "SYN seq=0 len=0");
	inject(p, "SYN ACK seq=0 ack=1 fastopen=" GIVEN);
	expect(p, "ACK seq=1 ack=1");
	host_abort(fd);
	expect(p, "RST ACK");
	peer_next(p);
	fd = fast_socket(p);
	fast_send(p, fd, 10);
	expect(p, "SYN seq=0 len=0 fastopen");
}

WIRE_TEST(client, without_a_cookie)
{
	int fd = fast_socket(p);

	host_option(p, fd, SOL_HAUL, HAUL_FASTOPEN_NO_COOKIE, 1);
	EXPECT_EQ(10, fast_send(p, fd, 10));
	expect(p, "SYN seq=0 len=10");
	inject(p, "SYN ACK ack=11");
	expect(p, "ACK seq=11 ack=1");
	host_close(fd);
	expect(p, "FIN ACK seq=11");
	peer_next(p);
	wire_sysctl(w, "haul.fastopen", "5");
	fd = fast_socket(p);
	EXPECT_EQ(10, fast_send(p, fd, 10));
	expect(p, "SYN seq=0 len=10");
}

WIRE_TEST(client, stateless_answer)
{
	opened(p);
	inject(p, "SYN ACK STATELESS ack=1");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	expect(p, "ACK seq=1 ack=1 len=100 init");
}

WIRE_TEST(client, message)
{
	int fd;

	p->kind = KIND_MESSAGE;
	give_cookie(p, 600);
	fd = fast_socket(p);
	EXPECT_EQ(100, fast_send(p, fd, 100));
	expect(p, "SYN PSH EOM seq=0 len=100 fastopen=" GIVEN);
	inject(p, "SYN ACK ack=101");
	expect(p, "ACK seq=101 ack=1 init");
	host_abort(fd);
	expect(p, "RST ACK");
	peer_next(p);
	/* a long one is queued whole, and goes on when it may */
	fd = fast_socket(p);
	EXPECT_EQ(1000, fast_send(p, fd, 1000));
	expect(p, "SYN seq=0 len=572 fastopen=" GIVEN);
	inject(p, "SYN ACK ack=573");
	expect(p, "ACK seq=573 ack=1 len=0 init");
	expect(p, "ACK PSH EOM seq=573 ack=1 len=428 init");
}

TEST_HARNESS_MAIN
