// SPDX-License-Identifier: GPL-2.0
/* Resets and what an attacker off the path may try: protocol.rst 4.1, 4.2; RFC 5961. */
#include "fixture.h"

WIRE_FIXTURE(rst);
WIRE_FIXTURE(blind);

WIRE_TEST(rst, exact)
{
	int fd = peer_establish(p);

	inject(p, "RST ACK");
	expect_silence(p);
	host_expect_error(p, fd, ECONNRESET);
	host_expect_state(p, fd, HAUL_CLOSED);
	inject(p, "ACK");
	expect(p, "RST REFLECTED seq=1");
}

WIRE_TEST(rst, reflected)
{
	int fd = peer_establish(p);

	inject(p, "RST REFLECTED tag=peer");
	expect_silence(p);
	host_expect_error(p, fd, ECONNRESET);
}

/* neither the acknowledgment number nor the clock of an RST is looked at */
WIRE_TEST(rst, with_any_ack_and_clock)
{
	int fd = peer_establish(p);

	inject(p, "RST ACK ack=99999 tsval=-50000000");
	expect_silence(p);
	host_expect_error(p, fd, ECONNRESET);
}

WIRE_TEST(rst, near_is_challenged)
{
	int fd = peer_establish(p);

	inject(p, "RST ACK seq=2");
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "RST ACK seq=1000");
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "RST REFLECTED seq=1000 tag=peer");
	expect(p, "ACK seq=1 ack=1 len=0");
	expect_alive(p, fd, "ACK len=0");
}

/* The last number inside the window, and the first outside. */
WIRE_TEST(rst, at_the_window_edge)
{
	int fd = peer_establish(p);
	uint32_t edge = p->right_edge - p->iss;

	inject(p, "RST ACK seq=%u", edge - 1);
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "RST ACK seq=%u", edge);
	expect_silence(p);
	expect_alive(p, fd, "ACK len=0");
}

WIRE_TEST(rst, those_that_are_dropped)
{
	static const char *const dropped[] = {
		"RST ACK tag=bad",
		"RST ACK tag=peer",
		"RST REFLECTED tag=host",
		"RST REFLECTED tag=bad",
		"RST ACK tag=0",
		"RST ACK seq=0",
		"RST ACK seq=-1000",
		"RST ACK seq=1000000000",
		"RST ACK seq=2147483000",
		"RST ACK badsum",
		"RST ACK version=0",
		"RST ACK len=1",
		"RST FIN ACK",
		"RST SYN ACK",
		"RST ACK kind=2",
		"RST ACK option=01000000",
		"RST REFLECTED ACK tag=bad",
	};
	int fd = peer_establish(p);
	size_t i;

	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		wire_note = dropped[i];
		inject(p, "%s", dropped[i]);
		p->snd_nxt = p->iss + 1;
		expect_silence(p);
	}
	wire_note = NULL;
	expect_alive(p, fd, "ACK len=0");
}

WIRE_TEST(rst, exact_with_a_closed_window)
{
	int fd = peer_fill_window(p);

	inject(p, "RST ACK");
	expect_silence(p);
	host_expect_state(p, fd, HAUL_CLOSED);
}

WIRE_TEST(rst, errors_by_state)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	fd = peer_reach(p, listener, HAUL_CLOSE_WAIT);
	inject(p, "RST ACK");
	expect_silence(p);
	EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	peer_next(p);
	fd = peer_reach(p, listener, HAUL_FIN_WAIT_2);
	inject(p, "RST ACK");
	expect_silence(p);
	host_expect_error(p, fd, ECONNRESET);
}

WIRE_TEST(rst, is_never_answered)
{
	static const char *const resets[] = {
		"RST ACK seq=1 ack=1 tag=0x77",
		"RST seq=1 tag=0x77",
		"RST REFLECTED seq=1 tag=0x77",
	};
	size_t i;

	for (i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
		inject(p, "%s", resets[i]);
		expect_silence(p);
	}
}

WIRE_TEST(rst, answer_to_what_matches_nothing)
{
	inject(p, "ACK seq=5 ack=7 tag=0x77");
	expect(p, "RST REFLECTED seq=7 tag=0x77 win=0");
	inject(p, "FIN PSH ACK seq=5 ack=@0xfffffff0 tag=0x78 len=100");
	expect(p, "RST REFLECTED seq=@0xfffffff0 tag=0x78");
	inject(p, "SYN ACK seq=5 ack=9 tag=0x79");
	expect(p, "RST REFLECTED seq=9 tag=0x79");
	inject(p, "ACK seq=5 ack=9 tag=0x79 kind=2");
	p->kind = KIND_MESSAGE;
	expect(p, "RST REFLECTED seq=9 tag=0x79");
}

/*
 * A peer that forgot: its SYN is challenged, its reset ends the old connection, its next SYN
 * succeeds.
 */
WIRE_TEST(rst, rebooted_client)
{
	int listener = host_listen(w, p->host_port, 8), fd = peer_connect(p, listener);
	struct peer old = *p;

	inject(p, "SYN seq=70000 itag=0x99");
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "RST REFLECTED seq=@0x%x tag=peer", p->rx.ack);
	expect_silence(p);
	host_expect_error(p, fd, ECONNRESET);
	peer_next(p);
	p->port = old.port;
	p->iss = old.iss + 70000;
	peer_connect(p, listener);
}

WIRE_TEST(rst, abort_carries_our_numbers)
{
	int fd = peer_establish(p);

	inject(p, "ACK len=5");
	expect(p, "ACK ack=6");
	host_read(p, fd, 5);
	host_write(p, fd, 100);
	expect(p, "ACK seq=1 len=100");
	inject(p, "ACK");
	host_abort(fd);
	expect(p, "RST ACK seq=101 ack=6 tag=peer tsecr=%u", p->last_tsval);
}

/* ---- RFC 5961 ---- */

WIRE_TEST(blind, syn_is_challenged)
{
	int fd = peer_establish(p);

	inject(p, "SYN seq=0");
	expect(p, "ACK seq=1 ack=1 len=0 noinit");
	inject(p, "SYN seq=1 itag=0x99");
	expect(p, "ACK seq=1 ack=1");
	inject(p, "SYN seq=1000000000 itag=0x99 tsval=-1000000");
	expect(p, "ACK seq=1 ack=1");
	inject(p, "SYN tag=host seq=1");
	expect_silence(p);
	inject(p, "SYN ACK seq=0");
	expect(p, "ACK seq=1 ack=1");
	inject(p, "SYN ACK seq=1 tag=bad");
	expect_silence(p);
	expect_alive(p, fd, "ACK len=0");
}

WIRE_TEST(blind, challenges_are_limited)
{
	int fd, i;
	long before;

	wire_sysctl(w, "haul.challenge_limit", "4");
	fd = peer_establish(p);
	before = wire_counter(w, "ChallengeLimited");
	for (i = 0; i < 4; i++) {
		inject(p, "SYN seq=1 itag=0x99");
		expect(p, "ACK seq=1 ack=1");
	}
	inject(p, "SYN seq=1 itag=0x99");
	expect_silence(p);
	inject(p, "RST ACK seq=2");
	expect_silence(p);
	inject(p, "ACK ack=100000");
	expect_silence(p);
	EXPECT_LE(before + 3, wire_counter(w, "ChallengeLimited"));
	expect_alive(p, fd, "ACK len=0");
}

/* The limit is each connection's own: another one tells nothing about it. */
WIRE_TEST(blind, limit_is_per_connection)
{
	int listener, i;
	struct peer other;

	wire_sysctl(w, "haul.challenge_limit", "2");
	listener = host_listen(w, p->host_port, 8);
	peer_connect(p, listener);
	other = *p;
	peer_next(p);
	peer_connect(p, listener);
	for (i = 0; i < 5; i++)
		inject(p, "SYN seq=1 itag=0x99");
	while (peer_receive(p, 30))
		;
	for (i = 0; i < 2; i++) {
		inject(&other, "SYN seq=1 itag=0x99");
		expect(&other, "ACK seq=1 ack=1");
	}
}

WIRE_TEST(blind, payload_with_a_wrong_tag_is_dropped)
{
	static const char *const dropped[] = {
		"ACK len=10 tag=bad",
		"ACK len=10 tag=peer",
		"ACK len=10 tag=0",
		"FIN ACK tag=bad",
		"ACK tag=bad",
		"ACK seq=1000000 len=10 tag=bad",
		"ACK ack=100000 tag=bad",
		"ACK tag=bad sack=1-2",
		"ACK len=10 badsum",
		"PSH len=10",
		"FIN len=10",
		"ACK STATELESS len=10",
		"ACK REFLECTED len=10",
		"ACK EOM len=10",
		"ACK len=10 option=09010000",
		"ACK len=10 option=02040000",
		"ACK len=10 option=020d00000000000100000002aa000000",
		"ACK len=10 option=01100590000000010000000100000000011005900000000100000001",
	};
	int fd = peer_establish(p);
	long before = wire_counter(w, "DropTag");
	size_t i;

	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		wire_note = dropped[i];
		inject(p, "%s", dropped[i]);
		p->snd_nxt = p->iss + 1;
		expect_silence(p);
	}
	wire_note = NULL;
	EXPECT_LE(before + 7, wire_counter(w, "DropTag"));
	expect_alive(p, fd, "ACK len=0");
}

/* RFC 5961 5: acknowledgments too far off are challenged, their payload is not taken. */
WIRE_TEST(blind, ack_out_of_range_is_challenged)
{
	int fd;

	p->window = 5000;
	fd = peer_establish(p);
	host_write(p, fd, 100);
	expect(p, "ACK seq=1 len=100");
	inject(p, "ACK ack=102 len=10 seq=1");
	expect(p, "ACK seq=101 ack=1 len=0");
	inject(p, "ACK ack=-5000 len=10 seq=1");
	expect(p, "ACK seq=101 ack=1 len=0");
	/* just inside: old, but its payload counts */
	inject(p, "ACK ack=-4999 len=10");
	expect(p, "ACK seq=101 ack=11 len=0");
	host_read(p, fd, 10);
}

WIRE_TEST(blind, out_of_window_is_answered)
{
	int fd = peer_establish(p);
	uint32_t edge = p->right_edge - p->iss;

	inject(p, "ACK seq=%u len=10", edge);
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "ACK seq=%u", edge + 1);
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "ACK seq=0");
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "ACK seq=-9 len=10");
	expect(p, "ACK seq=1 ack=1 len=0 sack=-9-1");
	inject(p, "FIN ACK seq=0");
	expect(p, "ACK seq=1 ack=1 len=0 sack=*");
	expect_alive(p, fd, "ACK len=0");
}

/* PAWS: too old with payload is answered and dropped, too old without is taken for its ACK only. */
WIRE_TEST(blind, too_old_by_the_clock)
{
	int fd = peer_establish(p);

	inject(p, "ACK");
	expect_silence(p);
	inject(p, "ACK len=10 seq=1 tsval=-1000");
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "FIN ACK seq=1 tsval=-1000");
	expect(p, "ACK seq=1 ack=1 len=0");
	host_write(p, fd, 100);
	expect(p, "ACK seq=1 len=100");
	inject(p, "ACK tsval=-1000");
	expect_silence(p);
	EXPECT_EQ(0, host_info(p, fd).unacked);
	inject(p, "ACK seq=0 tsval=-1000");
	expect_silence(p);
	expect_alive(p, fd, "ACK len=0");
}

TEST_HARNESS_MAIN
