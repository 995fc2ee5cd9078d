// SPDX-License-Identifier: GPL-2.0
/* Fast open, the host listens: protocol.rst section 3.6. */
#include "fixture.h"
#include <stdio.h>

#define CLIENT		1
#define SERVER		2
#define NO_COOKIE	0x200

WIRE_FIXTURE(server);
static int listen_fast(struct wire *w, struct peer *p, int qlen)
{
	int fd = host_listen(w, p->host_port, 8);

	wire_sysctl(w, "haul.fastopen", "%d", CLIENT | SERVER);
	host_option(p, fd, SOL_HAUL, HAUL_FASTOPEN, qlen);
	return fd;
}

/* as text, the cookie that the host grants to the peer; another connection's SYN-ACK brings it */
static const char *cookie(struct peer *p)
{
	static char text[2 * COOKIE_MAX + 1];
	struct peer other = *p;
	unsigned int i;

	peer_next(&other);
	other.port += 1000;
	peer_inject(&other, "SYN fastopen");
	peer_expect(&other, "SYN ACK seq=0 ack=1 fastopen=*");
	for (i = 0; i < other.rx.cookie_len; i++)
		sprintf(text + 2 * i, "%02x", other.rx.cookie[i]);
	peer_inject(&other, "RST ACK seq=1");
	p->last_tsval = other.last_tsval;
	return text;
}

/* a SYN with a good cookie and 10 bytes, and its answer */
static void open_fast(struct peer *p, const char *good)
{
	peer_inject(p, "SYN len=10 fastopen=%s", good);
	peer_expect(p, "SYN ACK seq=0 ack=11");
}

/* the program has such a connection from @listener, and the third step has not come */
static int accept_fast(struct peer *p, int listener)
{
	open_fast(p, cookie(p));
	return host_accept(p, listener);
}

WIRE_TEST(server, cookie_is_granted)
{
	const char *first, *again;
	char copy[40];

	listen_fast(w, p, 5);
	first = cookie(p);
	EXPECT_EQ(16, strlen(first));
	strcpy(copy, first);
	again = cookie(p);
	EXPECT_STREQ(copy, again);
	EXPECT_EQ(2, wire_counter(w, "FastOpenCookieReqd"));
	EXPECT_EQ(0, wire_counter(w, "FastOpenPassive"));
}

WIRE_TEST(server, no_cookie_without_being_told)
{
	int fd = host_listen(w, p->host_port, 8);

	inject(p, "SYN fastopen");
	expect(p, "SYN ACK seq=0 ack=1");
	inject(p, "RST ACK seq=1");
	/* the program has said so, the administrator has not */
	host_option(p, fd, SOL_HAUL, HAUL_FASTOPEN, 5);
	peer_next(p);
	inject(p, "SYN fastopen");
	expect(p, "SYN ACK seq=0 ack=1");
	/* and the other way round */
	wire_sysctl(w, "haul.fastopen", "%d", SERVER);
	host_option(p, fd, SOL_HAUL, HAUL_FASTOPEN, 0);
	peer_next(p);
	inject(p, "SYN fastopen len=10 fastopen");
	expect(p, "SYN ACK seq=0 ack=1");
}

WIRE_TEST(server, payload_is_there_before_the_third_step)
{
	int listener = listen_fast(w, p, 5), fd;

	inject(p, "SYN len=100 fastopen=%s", cookie(p));
	expect(p, "SYN ACK seq=0 ack=101 init");
	fd = host_accept(p, listener);
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
	host_read(p, fd, 100);
	inject(p, "ACK ack=1");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	EXPECT_TRUE(host_info(p, fd).options & HAUL_INFO_SYN_DATA);
	EXPECT_EQ(100, host_info(p, fd).bytes_received);
	inject(p, "ACK len=50");
	expect(p, "ACK seq=1 ack=151");
	host_read(p, fd, 50);
	EXPECT_EQ(1, wire_counter(w, "FastOpenPassive"));
	EXPECT_EQ(1, wire_counter(w, "PassiveOpens"));
}

WIRE_TEST(server, answer_before_the_third_step)
{
	int fd = accept_fast(p, listen_fast(w, p, 5));

	host_wait(p, fd, POLLOUT);
	host_write(p, fd, 100);
	expect(p, "ACK seq=1 ack=11 len=100 tag=peer noinit");
	host_write(p, fd, 50);
	/* Nagle's rule is as ever: a small segment is on its way */
	expect_silence(p);
	inject(p, "ACK ack=101");
	expect(p, "ACK seq=101 ack=11 len=50");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	inject(p, "ACK");
	EXPECT_EQ(150, host_info(p, fd).bytes_acked);
}

WIRE_TEST(server, answer_within_the_windows)
{
	int listener = listen_fast(w, p, 5), fd, i;

	p->window = 5000;
	inject(p, "SYN len=10 mss=1000 fastopen=%s", cookie(p));
	expect(p, "SYN ACK seq=0 ack=11");
	fd = host_accept(p, listener);
	host_write(p, fd, 12000);
	for (i = 0; i < 5; i++)
		expect(p, "ACK seq=%d ack=11 len=1000", 1 + 1000 * i);
	expect_silence(p);
	p->window = 50000;
	inject(p, "ACK ack=1");
	/* the initial congestion window */
	for (; i < 10; i++)
		expect(p, "ACK seq=%d ack=11 len=1000", 1 + 1000 * i);
	expect_silence(p);
}

WIRE_TEST(server, syn_ack_alone_is_acknowledged)
{
	int fd = accept_fast(p, listen_fast(w, p, 5));

	host_write(p, fd, 100);
	expect(p, "ACK seq=1 len=100");
	inject(p, "ACK ack=1");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	inject(p, "ACK ack=101");
	EXPECT_EQ(100, host_info(p, fd).bytes_acked);
}

WIRE_TEST(server, valid_cookie_without_payload)
{
	int listener = listen_fast(w, p, 5), fd;

	inject(p, "SYN fastopen=%s", cookie(p));
	expect(p, "SYN ACK seq=0 ack=1");
	fd = host_accept(p, listener);
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
	host_write(p, fd, 10);
	expect(p, "ACK seq=1 ack=1 len=10");
	inject(p, "ACK len=5");
	expect(p, "ACK seq=11 ack=6");
	EXPECT_FALSE(host_info(p, fd).options & HAUL_INFO_SYN_DATA);
}

WIRE_TEST(server, wrong_cookie_falls_back)
{
	int listener = listen_fast(w, p, 5), fd;
	const char *right = cookie(p);
	char wrong[17], expected[64];

	strcpy(wrong, right);
	wrong[15] = wrong[15] == '0' ? '1' : '0';
	snprintf(expected, sizeof(expected), "SYN ACK seq=0 ack=1 fastopen=%s", right);
	inject(p, "SYN seq=0 len=10 fastopen=%s", wrong);
	expect(p, "%s", expected);
	EXPECT_EQ(-1, accept(listener, NULL, NULL));
	EXPECT_EQ(1, wire_counter(w, "FastOpenPassiveFail"));
	p->snd_nxt = p->iss + 1;
	inject(p, "ACK len=10");
	expect(p, "ACK seq=1 ack=11");
	fd = host_accept(p, listener);
	host_read(p, fd, 10);
}

/* A cookie of another length is a wrong one, and no reason to think ill of the packet. */
WIRE_TEST(server, cookies_of_all_lengths)
{
	static const char *const cookies[] = { "01020304", "0102030405060708090a0b0c",
					       "0102030405060708090a0b0c0d0e0f10" };
	unsigned int i;

	listen_fast(w, p, 5);
	for (i = 0; i < 3; i++, peer_next(p)) {
		inject(p, "SYN len=10 fastopen=%s", cookies[i]);
		expect(p, "SYN ACK seq=0 ack=1 fastopen=*");
		EXPECT_EQ(8, p->rx.cookie_len);
	}
}

WIRE_TEST(server, malformed_options)
{
	static const char *const options[] = {
		"option=03020000", "option=03030000", "option=03050000ff000000",
		"option=03060000ffff0000", "option=030c0000ffffffff", "option=0304000003040000",
		"option=031800000000000000000000000000000000000000000000",
	};
	unsigned int i;

	listen_fast(w, p, 5);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		inject(p, "SYN len=10 %s", options[i]);
		expect_silence(p);
	}
	EXPECT_EQ(i, wire_counter(w, "DropOption"));
}

/* Where no SYN is the option is ignored, but it must be well-formed there, too. */
WIRE_TEST(server, option_without_syn)
{
	int fd = peer_establish(p);

	inject(p, "ACK len=10 fastopen=0102030405060708");
	expect(p, "ACK ack=11");
	inject(p, "ACK len=10 option=03060000ffff0000");
	expect_silence(p);
	p->snd_nxt -= 10;
	inject(p, "ACK len=10");
	expect(p, "ACK ack=21");
	host_read(p, fd, 20);
}

/* The client's SYN-ACK was lost, or the network made two of the SYN. */
WIRE_TEST(server, syn_again)
{
	int listener = listen_fast(w, p, 5), fd;
	const char *good = cookie(p);

	inject(p, "SYN seq=0 len=10 fastopen=%s", good);
	expect(p, "SYN ACK seq=0 ack=11");
	inject(p, "SYN seq=0 len=10 fastopen=%s", good);
	expect(p, "SYN ACK seq=0 ack=11");
	inject(p, "SYN seq=0");
	expect(p, "SYN ACK seq=0 ack=11");
	p->snd_nxt = p->iss + 11;
	inject(p, "ACK");
	fd = host_accept(p, listener);
	host_read(p, fd, 10);
	inject(p, "SYN seq=0 len=10 fastopen=%s", good);
	expect(p, "ACK seq=1 ack=11");
	EXPECT_EQ(-1, recv(fd, &(char){ 0 }, 1, 0));
	EXPECT_EQ(-1, accept(listener, NULL, NULL));
	EXPECT_EQ(1, wire_counter(w, "FastOpenPassive"));
}

WIRE_TEST(server, answers_to_syns_are_limited)
{
	const char *good;
	int i;

	listen_fast(w, p, 5);
	good = cookie(p);
	wire_sysctl(w, "haul.challenge_limit", "3");
	inject(p, "SYN seq=0 len=10 fastopen=%s", good);
	expect(p, "SYN ACK seq=0 ack=11");
	for (i = 0; i < 3; i++) {
		inject(p, "SYN seq=0 len=10 fastopen=%s", good);
		expect(p, "SYN ACK seq=0 ack=11");
	}
	inject(p, "SYN seq=0 len=10 fastopen=%s", good);
	expect_silence(p);
}

WIRE_TEST(server, another_syn_is_challenged)
{
	int listener = listen_fast(w, p, 5);

	open_fast(p, cookie(p));
	inject(p, "SYN seq=5000 itag=0x12345678 len=10");
	expect(p, "ACK seq=1 ack=11");
	host_read(p, host_accept(p, listener), 10);
}

WIRE_TEST(server, syn_ack_lost)
{
	int fd = accept_fast(p, listen_fast(w, p, 5));

	host_write(p, fd, 20);
	expect(p, "ACK seq=1 len=20");
	/* after a second */
	expect(p, "SYN ACK seq=0 ack=11");
	inject(p, "ACK ack=1");
	expect(p, "ACK seq=1 len=20");
	inject(p, "ACK ack=21");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	EXPECT_EQ(1, wire_counter(w, "SynAckRetrans"));
}

WIRE_TEST(server, syn_ack_never_answered)
{
	int listener = listen_fast(w, p, 5), fd;

	wire_sysctl(w, "haul.synack_retries", "0");
	fd = accept_fast(p, listener);
	host_read(p, fd, 10);
	expect(p, "SYN ACK seq=0 ack=11");
	host_wait(p, fd, POLLERR);
	host_expect_error(p, fd, ETIMEDOUT);
	host_expect_state(p, fd, HAUL_CLOSED);
}

WIRE_TEST(server, reset_before_the_third_step)
{
	int listener = listen_fast(w, p, 1), fd;
	const char *good = cookie(p);

	open_fast(p, good);
	fd = host_accept(p, listener);
	inject(p, "RST ACK ack=1");
	expect_silence(p);
	host_wait(p, fd, POLLERR);
	host_expect_state(p, fd, HAUL_CLOSED);
	host_read(p, fd, 10);
	host_expect_error(p, fd, ECONNRESET);
	/* it still counts, and one is all that there may be */
	peer_next(p);
	inject(p, "SYN len=10 fastopen=%s", good);
	expect(p, "SYN ACK seq=0 ack=1");
	EXPECT_EQ(1, wire_counter(w, "FastOpenListenOverflow"));
}

WIRE_TEST(server, reset_before_accept)
{
	int listener = listen_fast(w, p, 5), fd;

	open_fast(p, cookie(p));
	inject(p, "RST ACK ack=1");
	fd = host_accept(p, listener);
	host_read(p, fd, 10);
	host_expect_error(p, fd, ECONNRESET);
}

WIRE_TEST(server, forged_resets)
{
	int fd = accept_fast(p, listen_fast(w, p, 5));

	inject(p, "RST ACK tag=bad ack=1");
	inject(p, "RST ACK seq=1000000000 ack=1");
	expect_silence(p);
	inject(p, "RST ACK seq=20 ack=1");
	expect(p, "ACK seq=1 ack=11");
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
}

/* An error about the SYN-ACK: the program has the connection, so it is a soft one. */
WIRE_TEST(server, hard_icmp_is_soft)
{
	int listener = listen_fast(w, p, 5), fd;
	bool v4 = w->family == AF_INET;

	fd = accept_fast(p, listener);
	inject_icmp(p, v4 ? 3 : 1, v4 ? 3 : 4, 0, "SYN ACK seq=0 ack=11");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
}

WIRE_TEST(server, third_steps_that_are_none)
{
	int fd = accept_fast(p, listen_fast(w, p, 5));

	inject(p, "ACK ack=0");
	expect(p, "RST REFLECTED seq=0");
	inject(p, "ACK ack=2");
	expect(p, "RST REFLECTED seq=2");
	inject(p, "ACK ack=1 tag=bad");
	expect_silence(p);
	inject(p, "ACK ack=1 tsval=-1000000 len=1");
	expect(p, "ACK seq=1 ack=11");
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
}

WIRE_TEST(server, payload_beyond_the_window)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	wire_sysctl(w, "haul.fastopen", "%d", SERVER);
	host_option(p, listener, SOL_HAUL, HAUL_FASTOPEN, 5);
	host_option(p, listener, SOL_HAUL, HAUL_WINDOW_CLAMP, 1);
	inject(p, "SYN seq=0 len=1400 fastopen=%s", cookie(p));
	expect(p, "SYN ACK seq=0");
	fd = p->rx.ack - p->iss - 1;
	EXPECT_LT(0, fd);
	EXPECT_GT(1400, fd);
	host_read(p, host_accept(p, listener), fd);
}

WIRE_TEST(server, fin_right_after)
{
	int listener = listen_fast(w, p, 5), fd;

	open_fast(p, cookie(p));
	inject(p, "FIN ACK ack=1 len=5");
	expect(p, "ACK seq=1 ack=17");
	fd = host_accept(p, listener);
	host_expect_state(p, fd, HAUL_CLOSE_WAIT);
	host_read(p, fd, 15);
	host_expect_eof(p, fd);
}

/* The program is quick: its FIN waits for the third step. */
WIRE_TEST(server, closed_before_the_third_step)
{
	int fd = accept_fast(p, listen_fast(w, p, 5));

	host_read(p, fd, 10);
	host_write(p, fd, 30);
	expect(p, "ACK seq=1 len=30");
	host_close(fd);
	expect_silence(p);
	inject(p, "ACK ack=31");
	expect(p, "FIN ACK seq=31 ack=11");
	inject(p, "FIN ACK ack=32");
	expect(p, "ACK seq=32 ack=12");
}

WIRE_TEST(server, closed_unread)
{
	int listener = listen_fast(w, p, 5);

	open_fast(p, cookie(p));
	host_close(host_accept(p, listener));
	expect(p, "RST ACK seq=1");
}

WIRE_TEST(server, listener_closed)
{
	int listener = listen_fast(w, p, 5), fd;
	const char *good = cookie(p);

	open_fast(p, good);
	fd = host_accept(p, listener);
	peer_next(p);
	open_fast(p, good);
	host_close(listener);
	expect(p, "RST ACK seq=1");
	/* what was accepted lives on without it */
	host_close(fd);
}

WIRE_TEST(server, no_more_pending_than_allowed)
{
	int listener = listen_fast(w, p, 2), fd, i;
	const char *good = cookie(p);
	struct peer first;

	for (i = 0; i < 2; i++, peer_next(p)) {
		open_fast(p, good);
		if (!i)
			first = *p;
	}
	inject(p, "SYN len=10 fastopen=%s", good);
	expect(p, "SYN ACK seq=0 ack=1");
	EXPECT_EQ(1, wire_counter(w, "FastOpenListenOverflow"));
	inject(&first, "ACK ack=1");
	expect_silence(&first);
	fd = host_accept(&first, listener);
	host_expect_state(&first, fd, HAUL_ESTABLISHED);
	peer_next(p);
	open_fast(p, good);
}

WIRE_TEST(server, full_queues)
{
	int listener = host_listen(w, p->host_port, 0);
	const char *good;

	wire_sysctl(w, "haul.fastopen", "%d", SERVER);
	host_option(p, listener, SOL_HAUL, HAUL_FASTOPEN, 5);
	good = cookie(p);
	/* by SYN cookies: nothing is kept, so nothing is taken */
	wire_sysctl(w, "haul.syncookies", "2");
	inject(p, "SYN len=10 fastopen=%s", good);
	expect(p, "SYN ACK STATELESS seq=0 ack=1");
	wire_sysctl(w, "haul.syncookies", "0");
	peer_next(p);
	open_fast(p, good);
	/* the accept queue is full now */
	peer_next(p);
	inject(p, "SYN len=10 fastopen=%s", good);
	expect_silence(p);
}

WIRE_TEST(server, without_cookies)
{
	int listener = listen_fast(w, p, 5), fd;

	inject(p, "SYN len=10");
	expect(p, "SYN ACK seq=0 ack=1");
	peer_next(p);
	host_option(p, listener, SOL_HAUL, HAUL_FASTOPEN_NO_COOKIE, 1);
	inject(p, "SYN len=10");
	expect(p, "SYN ACK seq=0 ack=11");
	host_read(p, host_accept(p, listener), 10);
	host_option(p, listener, SOL_HAUL, HAUL_FASTOPEN_NO_COOKIE, 0);
	wire_sysctl(w, "haul.fastopen", "%d", SERVER | NO_COOKIE);
	peer_next(p);
	inject(p, "SYN len=10 fastopen=0102030405060708");
	expect(p, "SYN ACK seq=0 ack=11");
	fd = host_accept(p, listener);
	host_read(p, fd, 10);
}

WIRE_TEST(server, keys)
{
	unsigned char old[16] = "older key", both[32] = "newer key";
	int listener = listen_fast(w, p, 5);
	char first[20], of_old[20], of_new[20];

	strcpy(first, cookie(p));
	ASSERT_EQ(0, setsockopt(listener, SOL_HAUL, HAUL_FASTOPEN_KEY, old, 16));
	strcpy(of_old, cookie(p));
	EXPECT_STRNE(first, of_old);
	memcpy(both + 16, old, 16);
	ASSERT_EQ(0, setsockopt(listener, SOL_HAUL, HAUL_FASTOPEN_KEY, both, 32));
	strcpy(of_new, cookie(p));
	EXPECT_STRNE(of_new, of_old);
	open_fast(p, of_new);
	peer_next(p);
	inject(p, "SYN len=10 fastopen=%s", of_old);
	expect(p, "SYN ACK seq=0 ack=11 fastopen=%s", of_new);
	EXPECT_EQ(1, wire_counter(w, "FastOpenPassiveAltKey"));
	peer_next(p);
	inject(p, "SYN len=10 fastopen=%s", first);
	expect(p, "SYN ACK seq=0 ack=1 fastopen=%s", of_new);
}

WIRE_TEST(server, key_of_the_namespace)
{
	char first[20];

	listen_fast(w, p, 5);
	wire_sysctl(w, "haul.fastopen_key", "00000001-00000002-00000003-00000004");
	strcpy(first, cookie(p));
	wire_sysctl(w, "haul.fastopen_key", "5-6-7-8,1-2-3-4");
	EXPECT_STRNE(first, cookie(p));
	inject(p, "SYN len=10 fastopen=%s", first);
	expect(p, "SYN ACK seq=0 ack=11 fastopen=*");
}

WIRE_TEST(server, message)
{
	int listener = host_listen_kind(w, p->host_port, 8, SOCK_SEQPACKET), fd;
	char buffer[100];

	p->kind = KIND_MESSAGE;
	wire_sysctl(w, "haul.fastopen", "%d", SERVER);
	host_option(p, listener, SOL_HAUL, HAUL_FASTOPEN, 5);
	inject(p, "SYN EOM len=10 fastopen=%s", cookie(p));
	expect(p, "SYN ACK seq=0 ack=11");
	fd = host_accept(p, listener);
	EXPECT_EQ(10, recv(fd, buffer, sizeof(buffer), 0));
	ASSERT_EQ(3, send(fd, "abc", 3, 0));
	expect(p, "ACK EOM seq=1 ack=11 data=abc");
	inject(p, "ACK EOM len=20");
	expect(p, "ACK ack=31");
	EXPECT_EQ(20, recv(fd, buffer, sizeof(buffer), 0));
}

TEST_HARNESS_MAIN
