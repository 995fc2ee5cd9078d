// SPDX-License-Identifier: GPL-2.0
/* Opening a connection: protocol.rst section 3. */
#include "fixture.h"

WIRE_FIXTURE(client);
WIRE_FIXTURE(server);

/* ---- the host connects ---- */

WIRE_TEST(client, three_steps)
{
	int mss = WIRE_MTU - (w->family == AF_INET ? 20 : 40) - 36;
	int fd = host_connect(p);

	expect(p, "SYN seq=0 len=0 tag=0 ce=0 mss=%d notect", mss);
	EXPECT_LT(0, p->rx.window);
	host_expect_state(p, fd, HAUL_SYN_SENT);
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 len=0 init tsecr=%u", p->last_tsval);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	host_wait(p, fd, POLLOUT);
	inject(p, "ACK len=10");
	expect(p, "ACK seq=1 ack=11 noinit");
	host_read(p, fd, 10);
}

WIRE_TEST(client, init_repeated_until_confirmed)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK");
	expect(p, "ACK len=0 init");
	host_write(p, fd, 100);
	expect(p, "ACK seq=1 ack=1 len=100 init");
	inject(p, "ACK");
	host_write(p, fd, 100);
	expect(p, "ACK seq=101 len=100 noinit");
}

/* Options reduce the payload of the segment that carries them. */
WIRE_TEST(client, init_takes_room_from_payload)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK mss=1000");
	expect(p, "ACK init");
	host_write(p, fd, 1968);
	expect(p, "ACK seq=1 len=984 init");
	expect(p, "ACK seq=985 len=984 init");
	inject(p, "ACK");
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1969 len=1000 noinit");
}

WIRE_TEST(client, wrong_ack_is_reset)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK ack=2");
	expect(p, "RST REFLECTED seq=2");
	inject(p, "SYN ACK ack=0");
	expect(p, "RST REFLECTED seq=0");
	host_expect_state(p, fd, HAUL_SYN_SENT);
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 init");
}

WIRE_TEST(client, foreign_tag_is_reset)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK tag=bad");
	expect(p, "RST REFLECTED seq=1");
	/* what the old connection of a rebooted client says */
	inject(p, "ACK seq=5000 ack=777 tag=0x12345678");
	expect(p, "RST REFLECTED seq=777");
	host_expect_state(p, fd, HAUL_SYN_SENT);
}

WIRE_TEST(client, the_resets_are_limited)
{
	int i;

	wire_sysctl(w, "haul.challenge_limit", "3");
	host_connect(p);
	expect(p, "SYN");
	for (i = 0; i < 3; i++) {
		inject(p, "ACK seq=5000 ack=777 tag=0x12345678");
		expect(p, "RST REFLECTED seq=777");
	}
	inject(p, "ACK seq=5000 ack=777 tag=0x12345678");
	expect_silence(p);
}

WIRE_TEST(client, answers_that_are_dropped)
{
	static const char *const dropped[] = {
		"SYN ACK noinit",
		"ACK",
		"ACK len=10",
		"FIN ACK",
		"SYN ACK badsum",
		"SYN ACK version=2",
		"SYN ACK kind=4",
		"SYN ACK tag=0",
		"SYN tag=0x1234",
		"SYN noinit",
		"SYN ACK option=02040000",
		"RST ACK tag=bad",
		"RST ACK ack=2",
		"RST ACK ack=0",
		"RST ack=1",
		"RST ACK REFLECTED",
		"RST ACK REFLECTED tag=peer",
		"RST seq=0",
		"RST ACK badsum",
		"SYN ACK itag=0",
		"SYN FIN ACK",
	};
	int fd = host_connect(p);
	size_t i;

	expect(p, "SYN");
	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		uint32_t seq = p->snd_nxt;

		wire_note = dropped[i];
		inject(p, "%s", dropped[i]);
		expect_silence(p);
		host_expect_state(p, fd, HAUL_SYN_SENT);
		p->snd_nxt = seq;
	}
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 init");
}

WIRE_TEST(client, refused)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "RST ACK seq=@0 ack=1 win=0 tsval=0 tsecr=0");
	expect_silence(p);
	host_wait(p, fd, POLLERR);
	host_expect_error(p, fd, ECONNREFUSED);
}

WIRE_TEST(client, simultaneous_open)
{
	int fd = host_connect(p);

	expect(p, "SYN seq=0");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 init tsecr=%u", p->last_tsval);
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	inject(p, "ACK len=10");
	expect(p, "ACK ack=11");
	host_write(p, fd, 20);
	expect(p, "ACK seq=1 len=20");
}

/* The other side's SYN-ACK was lost, its ACK was not. */
WIRE_TEST(client, simultaneous_open_ended_by_ack)
{
	int fd = host_connect(p);

	expect(p, "SYN seq=0");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 init");
	inject(p, "ACK");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

WIRE_TEST(client, simultaneous_open_repeated_syn)
{
	int fd = host_connect(p);

	expect(p, "SYN seq=0");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 init");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 init");
	host_expect_state(p, fd, HAUL_SYN_RECEIVED);
}

WIRE_TEST(client, simultaneous_open_refused)
{
	int fd = host_connect(p);

	expect(p, "SYN seq=0");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 init");
	inject(p, "RST ACK");
	expect_silence(p);
	host_wait(p, fd, POLLERR);
	host_expect_error(p, fd, ECONNREFUSED);
}

/* The third step was lost: its answer to the repeated SYN-ACK is an ACK, with INIT. */
WIRE_TEST(client, repeated_syn_ack)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 init");
	inject(p, "SYN ACK seq=0");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	inject(p, "ACK");
	inject(p, "SYN ACK seq=0");
	expect(p, "ACK seq=1 ack=1 len=0 noinit");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

WIRE_TEST(client, unknown_options_and_flags_are_skipped)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK flags=0xff12 option=c8070102030405000902000000020000");
	expect(p, "ACK seq=1 ack=1 init");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

WIRE_TEST(client, mss_of_0_is_536)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK mss=0");
	expect(p, "ACK");
	inject(p, "ACK");
	host_write(p, fd, 2000);
	expect(p, "ACK seq=1 len=536");
	expect(p, "ACK seq=537 len=536");
}

WIRE_TEST(client, tiny_mss_is_88)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	inject(p, "SYN ACK mss=1");
	expect(p, "ACK");
	inject(p, "ACK");
	host_write(p, fd, 200);
	expect(p, "ACK seq=1 len=88");
	expect(p, "ACK seq=89 len=88");
}

WIRE_TEST(client, isn_and_tag_differ)
{
	uint32_t isn[3], tag[3];
	int i;

	for (i = 0; i < 3; i++) {
		host_connect(p);
		expect(p, "SYN");
		isn[i] = p->irs;
		tag[i] = p->host_tag;
		peer_next(p);
	}
	EXPECT_NE(isn[0], isn[1]);
	EXPECT_NE(isn[1], isn[2]);
	EXPECT_NE(tag[0], tag[1]);
	EXPECT_NE(tag[1], tag[2]);
}

/* ---- the host listens ---- */

WIRE_TEST(server, three_steps)
{
	int mss = WIRE_MTU - (w->family == AF_INET ? 20 : 40) - 36;
	int listener = host_listen(w, p->host_port, 8), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 len=0 ce=0 mss=%d tsecr=%u notect", mss, p->last_tsval);
	EXPECT_LT(0, p->rx.window);
	inject(p, "ACK init");
	expect_silence(p);
	fd = host_accept(p, listener);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	inject(p, "ACK len=10");
	expect(p, "ACK seq=1 ack=11 noinit");
	host_read(p, fd, 10);
	host_write(p, fd, 5);
	expect(p, "ACK seq=1 len=5 noinit");
}

WIRE_TEST(server, third_step_with_payload)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "PSH ACK init len=100");
	expect(p, "ACK seq=1 ack=101");
	fd = host_accept(p, listener);
	host_read(p, fd, 100);
}

WIRE_TEST(server, third_step_with_fin)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "FIN PSH ACK init len=100");
	expect(p, "ACK seq=1 ack=102");
	fd = host_accept(p, listener);
	host_expect_state(p, fd, HAUL_CLOSE_WAIT);
	host_read(p, fd, 100);
	host_expect_eof(p, fd);
}

/* The pure third step was lost; what comes is its successor. */
WIRE_TEST(server, third_step_out_of_order)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "ACK init seq=101 len=100");
	expect(p, "ACK seq=1 ack=1 sack=101-201");
	inject(p, "ACK init len=100");
	expect(p, "ACK seq=1 ack=201");
	fd = host_accept(p, listener);
	host_read(p, fd, 200);
}

WIRE_TEST(server, repeated_syn)
{
	host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1 tsecr=%u", p->last_tsval);
	inject(p, "ACK init");
	expect_silence(p);
}

/* One that is late does not turn back the timestamp that is echoed (RFC 7323 4.3). */
WIRE_TEST(server, repeated_syn_out_of_order)
{
	host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	inject(p, "SYN tsval=-1000");
	expect(p, "SYN ACK seq=0 ack=1 tsecr=%u", p->last_tsval);
}

/* RFC 5961 4 for half-open connections: whoever it is must prove that he gets the answers. */
WIRE_TEST(server, another_syn)
{
	int listener = host_listen(w, p->host_port, 8);

	wire_sysctl(w, "haul.challenge_limit", "255");
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	inject(p, "SYN itag=0x99 seq=0");
	expect(p, "ACK seq=1 ack=1 len=0");
	/* spaced evenly: 255 in a second */
	usleep(5000);
	inject(p, "SYN seq=100000");
	expect(p, "ACK seq=1 ack=1 len=0");
	inject(p, "ACK init");
	host_accept(p, listener);
}

/* A half-open connection's answer to @syn comes once a second: the rest is met by silence. */
static void answers_once(struct peer *p, const char *syn, const char *answer)
{
	int i;

	wire_sysctl(p->w, "haul.challenge_limit", "1");
	host_listen(p->w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	inject(p, "%s", syn);
	expect(p, "%s", answer);
	for (i = 0; i < 5; i++) {
		inject(p, "%s", syn);
		expect_silence(p);
	}
}

WIRE_TEST(server, half_open_answers_are_limited)
{
	answers_once(p, "SYN itag=0x99 seq=0", "ACK seq=1 ack=1 len=0");
}

/* Nor can the client's own SYN, said again and again, be made to call forth more than that. */
WIRE_TEST(server, answers_to_the_same_syn_are_limited)
{
	answers_once(p, "SYN", "SYN ACK seq=0 ack=1");
}

/* Outside of the window that the SYN-ACK offered: not the third step (RFC 9293 3.10.7.4, first). */
WIRE_TEST(server, third_step_beyond_the_window)
{
	int listener = host_listen(w, p->host_port, 8);
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "ACK init seq=100000000 len=10");
	expect(p, "ACK seq=1 ack=1 len=0");
	expect_silence(p);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	inject(p, "ACK init");
	host_accept(p, listener);
}

/* Older than the SYN by its clock (RFC 7323 5.3): dropped; answered where it carries anything. */
WIRE_TEST(server, third_step_of_the_past)
{
	int listener = host_listen(w, p->host_port, 8);
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "ACK init tsval=-1000");
	expect_silence(p);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	inject(p, "ACK init seq=1 len=1 tsval=-1000");
	expect(p, "ACK seq=1 ack=1 len=0");
	expect_silence(p);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	inject(p, "ACK init");
	host_accept(p, listener);
}

WIRE_TEST(server, third_step_with_wrong_ack_is_reset)
{
	int listener = host_listen(w, p->host_port, 8);

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "ACK init ack=2");
	expect(p, "RST REFLECTED seq=2");
	inject(p, "ACK init ack=0");
	expect(p, "RST REFLECTED seq=0");
	inject(p, "ACK init");
	host_accept(p, listener);
}

WIRE_TEST(server, third_steps_that_are_dropped)
{
	static const char *const dropped[] = {
		"ACK init tag=bad", "ACK init tag=peer",      "ACK init tag=0",
		"ACK init badsum",  "ACK init version=0",     "RST ACK tag=bad",
		"RST ACK seq=-5",   "RST REFLECTED tag=host", "ACK option=01080000aabbccdd",
	};
	int listener = host_listen(w, p->host_port, 8);
	struct pollfd pfd = { .fd = listener, .events = POLLIN };
	size_t i;

	inject(p, "SYN");
	expect(p, "SYN ACK");
	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		wire_note = dropped[i];
		inject(p, "%s", dropped[i]);
		expect_silence(p);
		EXPECT_EQ(0, poll(&pfd, 1, 0));
	}
	inject(p, "ACK init");
	host_accept(p, listener);
}

WIRE_TEST(server, syns_that_are_dropped)
{
	static const char *const dropped[] = {
		"SYN noinit",
		"SYN tag=0x55",
		"SYN badsum",
		"SYN version=2",
		"SYN kind=0",
		"SYN words=8",
		"SYN FIN",
		"SYN RST",
		"SYN itag=0",
		"SYN STATELESS",
		"SYN option=09010000",
		"SYN option=09000000",
		"SYN option=09050000",
		"SYN words=40",
		"FIN",
		"PSH len=1",
		"SYN sport=0",
	};
	size_t i;

	host_listen(w, p->host_port, 8);
	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		wire_note = dropped[i];
		inject(p, "%s", dropped[i]);
		expect_silence(p);
	}
	inject(p, "SYN");
	expect(p, "SYN ACK");
}

WIRE_TEST(server, payload_of_a_syn_is_ignored)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	inject(p, "SYN seq=0 len=100");
	expect(p, "SYN ACK seq=0 ack=1");
	p->snd_nxt = p->iss + 1;
	inject(p, "ACK init len=10");
	expect(p, "ACK ack=11");
	fd = host_accept(p, listener);
	host_read(p, fd, 10);
}

WIRE_TEST(server, listener_answers_what_is_no_syn)
{
	host_listen(w, p->host_port, 8);
	inject(p, "ACK seq=1000 ack=500 tag=0x77");
	expect(p, "RST REFLECTED seq=500 tag=0x77");
	inject(p, "SYN ACK seq=0 ack=500 tag=0x77");
	expect(p, "RST REFLECTED seq=500 tag=0x77");
	inject(p, "FIN ACK seq=1000 ack=500 tag=0x77 len=10");
	expect(p, "RST REFLECTED seq=500 tag=0x77");
	inject(p, "RST ACK seq=1000 ack=500 tag=0x77");
	expect_silence(p);
	inject(p, "RST REFLECTED seq=1000 tag=0x77");
	expect_silence(p);
}

WIRE_TEST(server, nobody_listens)
{
	inject(p, "SYN");
	expect(p, "RST ACK seq=@0 ack=1 tag=peer win=0 noinit");
	inject(p, "SYN noinit");
	expect_silence(p);
}

WIRE_TEST(server, listener_of_another_kind)
{
	host_listen(w, p->host_port, 8);
	p->kind = KIND_MESSAGE;
	inject(p, "SYN");
	expect(p, "RST ACK seq=@0 ack=1 tag=peer");
}

WIRE_TEST(server, rst_removes_the_half_open)
{
	int listener = host_listen(w, p->host_port, 8);

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "RST ACK");
	expect_silence(p);
	inject(p, "ACK seq=1 ack=1 init");
	expect(p, "RST REFLECTED seq=1");
	peer_next(p);
	peer_connect(p, listener);
}

/* RFC 6528 3: successive connections of one flow begin at numbers that a clock of 4 us tells. */
WIRE_TEST(server, isn_grows_with_the_clock)
{
	uint64_t begin, end;
	uint32_t isn;

	host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	begin = p->tx_us;
	expect(p, "SYN ACK");
	end = p->rx_us;
	isn = p->irs;
	inject(p, "RST ACK");
	usleep(10000);
	/* another connection of the same ports: nothing that is known of the first is true of it */
	p->learned = false;
	p->host_tsval_seen = false;
	p->edge_seen = false;
	inject(p, "SYN");
	end = p->tx_us - end;
	expect(p, "SYN ACK");
	begin = p->rx_us - begin;
	EXPECT_LE(end / 4 - 1, p->irs - isn);
	EXPECT_GE(begin / 4 + 1, p->irs - isn);
}

WIRE_TEST(server, closing_the_listener_removes_the_half_open)
{
	int listener = host_listen(w, p->host_port, 8);

	inject(p, "SYN");
	expect(p, "SYN ACK");
	host_close(listener);
	inject(p, "ACK init");
	expect(p, "RST REFLECTED seq=1");
}

/* Connections that nobody accepted are reset when their listener goes. */
WIRE_TEST(server, closing_the_listener_resets_the_unaccepted)
{
	int listener = host_listen(w, p->host_port, 8);

	inject(p, "SYN");
	expect(p, "SYN ACK");
	inject(p, "ACK init");
	expect_silence(p);
	host_close(listener);
	expect(p, "RST ACK seq=1 ack=1");
}

/* With the accept queue full the third step is dropped, not reset, and works once there is room. */
WIRE_TEST(server, accept_queue_full)
{
	int listener = host_listen(w, p->host_port, 1), i;
	long dropped;
	struct peer peers[3];

	for (i = 0; i < 3; i++) {
		peers[i] = *p;
		peer_next(p);
	}
	/* a backlog of 1 takes two; the third is half open before they are there */
	inject(&peers[0], "SYN");
	expect(&peers[0], "SYN ACK");
	inject(&peers[0], "ACK init");
	for (i = 1; i < 3; i++) {
		inject(&peers[i], "SYN");
		expect(&peers[i], "SYN ACK");
	}
	inject(&peers[1], "ACK init");
	dropped = wire_counter(w, "DropAcceptFull");
	inject(&peers[2], "ACK init");
	expect_silence(&peers[2]);
	EXPECT_EQ(dropped + 1, wire_counter(w, "DropAcceptFull"));
	inject(p, "SYN");
	expect_silence(p);

	host_accept(p, listener);
	inject(&peers[2], "ACK init");
	expect_silence(&peers[2]);
	host_accept(p, listener);
	host_accept(p, listener);
}

WIRE_TEST(server, init_of_an_existing_connection_is_ignored)
{
	int fd = peer_establish(p);

	inject(p, "ACK itag=0x1234 isn=77 mss=100 len=10");
	expect(p, "ACK seq=1 ack=11 tag=peer");
	host_read(p, fd, 10);
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=1000");
}

WIRE_TEST(server, ecn_is_agreed_on)
{
	wire_sysctl(w, "haul.ecn", "1");
	host_listen(w, p->host_port, 8);
	p->ecn = true;
	inject(p, "SYN");
	expect(p, "SYN ACK ecn notect");
	peer_next(p);
	p->ecn = false;
	inject(p, "SYN");
	expect(p, "SYN ACK noecn notect");
}

TEST_HARNESS_MAIN
