// SPDX-License-Identifier: GPL-2.0
/* Ending a connection: protocol.rst section 5. */
#include "fixture.h"

WIRE_FIXTURE(close);
WIRE_FIXTURE(timewait);

WIRE_TEST(close, host_first)
{
	int fd = peer_establish(p);

	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1 len=0");
	inject(p, "ACK");
	expect_silence(p);
	inject(p, "FIN ACK");
	expect(p, "ACK seq=2 ack=2 len=0");
}

WIRE_TEST(close, peer_first)
{
	int fd = peer_establish(p);

	inject(p, "FIN ACK");
	expect(p, "ACK seq=1 ack=2 len=0");
	host_expect_state(p, fd, HAUL_CLOSE_WAIT);
	host_expect_eof(p, fd);
	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=2 len=0");
	inject(p, "ACK");
	expect_silence(p);
	/* nothing is left */
	inject(p, "ACK");
	expect(p, "RST REFLECTED seq=2");
}

WIRE_TEST(close, fin_and_its_acknowledgment_in_one)
{
	int fd = peer_establish(p);

	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK seq=1 ack=1");
	host_expect_state(p, fd, HAUL_FIN_WAIT_1);
	inject(p, "FIN ACK ack=2");
	expect(p, "ACK seq=2 ack=2");
	host_expect_state(p, fd, HAUL_CLOSED);
	host_expect_eof(p, fd);
}

WIRE_TEST(close, both_at_once)
{
	int fd = peer_establish(p);

	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "FIN ACK ack=1");
	expect(p, "ACK seq=2 ack=2");
	host_expect_state(p, fd, HAUL_CLOSING);
	inject(p, "ACK ack=2");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_CLOSED);
	/* TIME-WAIT answers the FIN again */
	inject(p, "FIN ACK seq=1 ack=2");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(close, half_closed_by_host)
{
	int fd = peer_establish(p), i;

	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK seq=1");
	inject(p, "ACK ack=2");
	host_expect_state(p, fd, HAUL_FIN_WAIT_2);
	for (i = 0; i < 3; i++) {
		inject(p, "ACK len=100");
		inject(p, "ACK len=100");
		host_read(p, fd, 200);
	}
	inject(p, "FIN ACK len=50");
	host_read(p, fd, 50);
	host_expect_eof(p, fd);
	while (p->rx.ack != p->snd_nxt)
		expect(p, "ACK seq=2 len=0");
}

WIRE_TEST(close, half_closed_by_peer)
{
	int fd = peer_establish(p), i;

	inject(p, "FIN ACK");
	expect(p, "ACK ack=2");
	for (i = 0; i < 3; i++) {
		host_write(p, fd, 100);
		expect(p, "ACK seq=%d ack=2 len=100", 1 + i * 100);
		inject(p, "ACK");
	}
	host_close(fd);
	expect(p, "FIN ACK seq=301 ack=2");
}

WIRE_TEST(close, fin_with_payload)
{
	int fd = peer_establish(p);

	inject(p, "FIN PSH ACK len=100");
	expect(p, "ACK ack=102");
	host_read(p, fd, 100);
	host_expect_eof(p, fd);
}

/* What was sent before is sent before the FIN. */
WIRE_TEST(close, fin_after_all_data)
{
	int fd = peer_establish(p);
	int mss = p->mss;

	host_write(p, fd, 3 * mss + 10);
	host_close(fd);
	expect(p, "ACK seq=1 len=%d", mss);
	expect(p, "ACK len=%d", mss);
	expect(p, "ACK len=%d", mss);
	expect(p, "PSH ACK len=10");
	expect(p, "FIN ACK seq=%d len=0", 11 + 3 * mss);
}

/* A FIN without payload tells of no more holes than payload does: it has no room for more. */
WIRE_TEST(close, fin_beside_many_holes)
{
	int fd = peer_establish(p), i;

	for (i = 0; i < SACK_BLOCKS + 5; i++) {
		inject(p, "ACK seq=%d len=1", 11 + i * 10);
		expect(p, "ACK seq=1 ack=1 len=0 sack=*");
	}
	EXPECT_EQ(SACK_BLOCKS, p->rx.num_sack);
	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK seq=1 ack=1 len=0 sack=*");
	EXPECT_EQ(4, p->rx.num_sack);
	host_expect_state(p, fd, HAUL_FIN_WAIT_1);
}

WIRE_TEST(close, fin_out_of_order)
{
	int fd = peer_establish(p);

	inject(p, "FIN ACK seq=101");
	expect(p, "ACK ack=1 sack=*");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	inject(p, "ACK len=100");
	expect(p, "ACK ack=102");
	host_read(p, fd, 100);
	host_expect_eof(p, fd);
	host_expect_state(p, fd, HAUL_CLOSE_WAIT);
}

WIRE_TEST(close, fin_with_payload_out_of_order)
{
	int fd = peer_establish(p);

	inject(p, "FIN PSH ACK seq=101 len=50");
	expect(p, "ACK ack=1 sack=*");
	inject(p, "ACK len=100");
	expect(p, "ACK ack=152");
	host_read(p, fd, 150);
	host_expect_eof(p, fd);
}

WIRE_TEST(close, repeated_fin)
{
	int fd = peer_establish(p);

	inject(p, "FIN ACK");
	expect(p, "ACK ack=2");
	inject(p, "FIN ACK seq=1");
	expect(p, "ACK ack=2 sack=1-2");
	host_expect_state(p, fd, HAUL_CLOSE_WAIT);
}

WIRE_TEST(close, payload_behind_a_fin_is_refused)
{
	int fd = peer_establish(p);

	inject(p, "FIN ACK");
	expect(p, "ACK ack=2");
	inject(p, "ACK seq=2 len=10");
	expect(p, "ACK ack=2");
	host_expect_eof(p, fd);
}

WIRE_TEST(close, with_unread_data_resets)
{
	int fd = peer_establish(p);

	inject(p, "ACK len=10");
	expect(p, "ACK ack=11");
	host_close(fd);
	expect(p, "RST ACK seq=1 ack=11");
}

WIRE_TEST(close, with_linger_0_resets)
{
	int fd = peer_establish(p);

	host_write(p, fd, 10);
	expect(p, "ACK len=10");
	host_abort(fd);
	expect(p, "RST ACK seq=11 ack=1");
	inject(p, "ACK");
	expect(p, "RST REFLECTED seq=11");
}

/* Data that can never be read: RFC 9293 3.10.7.4 seventh, RFC 2525 2.17. */
WIRE_TEST(close, orphan_resets_on_data)
{
	int fd = peer_establish(p);

	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK ack=2");
	inject(p, "ACK len=10");
	expect(p, "RST ACK seq=2");
	inject(p, "ACK");
	expect(p, "RST REFLECTED");
}

WIRE_TEST(close, orphan_in_fin_wait_1_resets_on_data)
{
	int fd = peer_establish(p);

	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK len=10 ack=1");
	expect(p, "RST ACK seq=2");
}

/* ... but what was read before it closed may come again, with the FIN behind it. */
WIRE_TEST(close, orphan_accepts_a_fin_behind_old_data)
{
	int fd = peer_establish(p);

	inject(p, "ACK len=10");
	expect(p, "ACK ack=11");
	host_read(p, fd, 10);
	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=11");
	inject(p, "FIN ACK seq=1 len=10");
	expect(p, "ACK seq=2 ack=12 sack=?");
	EXPECT_EQ(0, wire_counter(w, "AbortOnData"));
}

WIRE_TEST(close, orphan_accepts_a_pure_fin)
{
	int fd = peer_establish(p);

	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK ack=2");
	inject(p, "FIN ACK");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(close, write_after_both_ends)
{
	int fd = peer_establish(p);

	shutdown(fd, SHUT_WR);
	expect(p, "FIN ACK");
	EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

WIRE_TEST(close, in_syn_sent_says_nothing)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	host_close(fd);
	expect_silence(p);
	inject(p, "SYN ACK");
	expect(p, "RST REFLECTED seq=1");
}

/* shutdown() before the SYN is acknowledged: the FIN waits for that. */
WIRE_TEST(close, in_syn_received_sends_fin_after)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN");
	expect(p, "SYN ACK");
	shutdown(fd, SHUT_WR);
	expect_silence(p);
	inject(p, "SYN ACK");
	do
		expect(p, p->rx.flags & F_SYN ? "ACK seq=1 ack=1" : "FIN ACK seq=1 ack=1");
	while (!(p->rx.flags & F_FIN));
	host_expect_state(p, fd, HAUL_FIN_WAIT_1);
}

/* ---- TIME-WAIT ---- */

static void reach_time_wait(struct peer *p)
{
	int fd = peer_establish(p);

	host_close(fd);
	expect(p, "FIN ACK seq=1 ack=1");
	inject(p, "ACK");
	inject(p, "FIN ACK");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(timewait, answers_the_fin_again)
{
	reach_time_wait(p);
	inject(p, "FIN ACK seq=1");
	expect(p, "ACK seq=2 ack=2 tsecr=%u", p->last_tsval);
	inject(p, "FIN ACK seq=1 ack=1");
	expect(p, "ACK seq=2 ack=2 tsecr=%u", p->last_tsval);
}

WIRE_TEST(timewait, drops_what_needs_no_answer)
{
	static const char *const dropped[] = {
		"ACK",
		"ACK tag=bad len=1",
		"ACK badsum len=1",
		"RST ACK",
		"RST ACK seq=3",
		"RST REFLECTED tag=peer",
		"RST ACK tag=bad",
		"ACK version=2",
		"ACK tsval=-1000000",
		"FIN ACK seq=1 tag=peer",
	};
	size_t i;

	reach_time_wait(p);
	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		wire_note = dropped[i];
		inject(p, "%s", dropped[i]);
		p->snd_nxt = p->iss + 2;
		expect_silence(p);
	}
	/* and is still there */
	inject(p, "FIN ACK seq=1");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(timewait, answers_payload)
{
	reach_time_wait(p);
	inject(p, "ACK seq=2 len=10");
	expect(p, "ACK seq=2 ack=2");
	inject(p, "ACK seq=1000000 len=10");
	expect(p, "ACK seq=2 ack=2");
	inject(p, "SYN ACK seq=0");
	expect(p, "ACK seq=2 ack=2");
}

/* RFC 9293 3.10.7.4, fifth, for what is left: an ACK of what was never sent is challenged. */
WIRE_TEST(timewait, answers_an_ack_of_the_future)
{
	reach_time_wait(p);
	inject(p, "ACK ack=1000");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(timewait, answers_are_limited)
{
	int i, answers = 0;
	uint64_t begin;

	wire_sysctl(w, "haul.challenge_limit", "5");
	reach_time_wait(p);
	begin = wire_now_us();
	for (i = 0; i < 20; i++) {
		inject(p, "ACK seq=1000000");
		if (peer_receive(p, 20))
			answers++;
	}
	EXPECT_LE(1, answers);
	/* one in a fifth of a second, and on a slow machine this takes several */
	EXPECT_GE(1 + (wire_now_us() - begin) / 200000, answers);
}

/* RFC 6191: a SYN with a later timestamp opens a new connection. */
WIRE_TEST(timewait, new_syn_with_listener)
{
	int listener;
	struct peer old;

	reach_time_wait(p);
	listener = host_listen(w, p->host_port, 8);
	old = *p;
	peer_next(p);
	p->port = old.port;
	p->iss = old.iss - 50000;
	p->last_tsval = old.last_tsval;
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	EXPECT_NE(old.host_tag, p->host_tag);
	inject(p, "ACK init");
	host_accept(p, listener);
}

/* A SYN has no tag (protocol.rst 1.1): this is none, however new, and opens nothing. */
WIRE_TEST(timewait, new_syn_with_a_tag)
{
	reach_time_wait(p);
	host_listen(w, p->host_port, 8);
	inject(p, "SYN seq=100000 itag=0x99 tag=0x55");
	expect_silence(p);
	EXPECT_EQ(0, wire_counter(w, "TimeWaitReused"));
	inject(p, "FIN ACK seq=1");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(timewait, new_syn_with_old_timestamp)
{
	reach_time_wait(p);
	host_listen(w, p->host_port, 8);
	inject(p, "SYN seq=100000 itag=0x99 tsval=-1000");
	expect(p, "ACK seq=2 ack=2");
}

WIRE_TEST(timewait, new_syn_with_equal_timestamp)
{
	struct peer old;

	reach_time_wait(p);
	host_listen(w, p->host_port, 8);
	inject(p, "SYN seq=-100 itag=0x99 tsval=+0");
	expect(p, "ACK seq=2 ack=2");
	old = *p;
	peer_next(p);
	p->port = old.port;
	p->iss = old.iss + 100000;
	p->last_tsval = old.last_tsval;
	inject(p, "SYN tsval=+0");
	expect(p, "SYN ACK seq=0 ack=1");
}

WIRE_TEST(timewait, new_syn_without_listener)
{
	reach_time_wait(p);
	inject(p, "SYN seq=100000 itag=0x99");
	expect(p, "ACK seq=2 ack=2");
}

TEST_HARNESS_MAIN
