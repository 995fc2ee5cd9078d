// SPDX-License-Identifier: GPL-2.0
/* Flow control, both ways: protocol.rst 4.3; RFC 9293 3.8.6, RFC 1122 4.2.3.3 and .4, RFC 896. */
#include "fixture.h"

WIRE_FIXTURE(sender);
WIRE_FIXTURE(receiver);

/* ---- the host sends ---- */

WIRE_TEST(sender, never_beyond_the_window)
{
	int fd;

	p->window = 2000;
	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 5000);
	expect(p, "ACK seq=1 len=1000");
	expect(p, "ACK seq=1001 len=1000");
	expect_silence(p);
	inject(p, "ACK win=1000");
	expect(p, "ACK seq=2001 len=1000");
	expect_silence(p);
	inject(p, "ACK win=5000");
	expect(p, "ACK seq=3001 len=1000");
	expect(p, "ACK seq=4001 len=1000");
	expect_silence(p);
}

/* The window counts from the acknowledgment number; an update needs no new acknowledgment. */
WIRE_TEST(sender, window_update)
{
	int fd;

	p->window = 1000;
	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 3000);
	expect(p, "ACK seq=1 len=1000");
	expect_silence(p);
	inject(p, "ACK ack=1 win=2000");
	expect(p, "ACK seq=1001 len=1000");
	expect_silence(p);
	inject(p, "ACK ack=1001 win=2000");
	expect(p, "ACK seq=2001 len=1000");
}

WIRE_TEST(sender, zero_window_stops)
{
	int fd;

	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=1000");
	inject(p, "ACK win=0");
	host_write(p, fd, 2000);
	expect_silence(p);
	EXPECT_LE(1, host_info(p, fd).zero_windows);
	inject(p, "ACK win=2000");
	expect(p, "ACK seq=1001 len=1000");
	expect(p, "ACK seq=2001 len=1000");
}

/* A peer takes back what it announced: nothing beyond is sent, nothing breaks. */
WIRE_TEST(sender, shrunken_window)
{
	int fd;

	p->mss = 1000;
	p->window = 3000;
	fd = peer_establish(p);
	host_write(p, fd, 6000);
	expect(p, "ACK seq=1 len=1000");
	expect(p, "ACK seq=1001 len=1000");
	expect(p, "ACK seq=2001 len=1000");
	inject(p, "ACK ack=1001 win=500");
	expect_silence(p);
	inject(p, "ACK ack=3001 win=3000");
	expect(p, "ACK seq=3001 len=1000");
	expect(p, "ACK seq=4001 len=1000");
	expect(p, "ACK seq=5001 len=1000");
}

/* Windows of old segments are not taken (RFC 9293's WL1 and WL2, and PAWS). */
WIRE_TEST(sender, old_segments_change_no_window)
{
	int fd;

	p->mss = 1000;
	p->window = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 4000);
	expect(p, "ACK seq=1 len=1000");
	inject(p, "ACK ack=1 win=4000 tsval=-5");
	expect_silence(p);
	inject(p, "ACK win=1000");
	expect(p, "ACK seq=1001 len=1000");
	/* older by its acknowledgment */
	inject(p, "ACK ack=1 win=4000");
	expect_silence(p);
}

/* Older by its sequence number, though it comes later and acknowledges as much (SND.WL1). */
WIRE_TEST(sender, reordered_segments_change_no_window)
{
	int fd;

	p->mss = 1000;
	p->window = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 3000);
	expect(p, "ACK seq=1 len=1000");
	inject(p, "ACK seq=1001 ack=1 len=10 win=1000");
	expect(p, "ACK ack=1 len=0 sack=1001-1011");
	inject(p, "ACK seq=1 ack=1 len=10 win=3000");
	expect(p, "ACK ack=11 len=0 sack=1001-1011");
	expect_silence(p);
	EXPECT_EQ(1000, host_info(p, fd).snd_wnd);
	inject(p, "ACK seq=1011 ack=1 len=10 win=3000");
	expect(p, "ACK seq=1001 len=988 sack=*");
}

WIRE_TEST(sender, window_above_2_to_the_30_is_clamped)
{
	int fd;

	p->window = 0xffffffff;
	fd = peer_establish(p);
	host_write(p, fd, 100);
	expect(p, "ACK len=100");
	inject(p, "ACK");
	EXPECT_EQ(1 << 30, host_info(p, fd).snd_wnd);
}

/* Silly window: a little room is not used while more is on the way (RFC 9293 3.8.6.2.1). */
WIRE_TEST(sender, little_room_is_not_used)
{
	int fd;

	p->mss = 1000;
	p->window = 2000;
	fd = peer_establish(p);
	host_write(p, fd, 5000);
	expect(p, "ACK seq=1 len=1000");
	expect(p, "ACK seq=1001 len=1000");
	inject(p, "ACK ack=1001 win=1100");
	expect_silence(p);
	inject(p, "ACK ack=1001 win=2000");
	expect(p, "ACK seq=2001 len=1000");
}

WIRE_TEST(sender, nagle_gathers)
{
	int fd = peer_establish(p);

	host_write(p, fd, 10);
	expect(p, "ACK seq=1 len=10");
	host_write(p, fd, 10);
	host_write(p, fd, 10);
	expect_silence(p);
	inject(p, "ACK");
	expect(p, "PSH ACK seq=11 len=20");
}

WIRE_TEST(sender, nagle_lets_full_segments_go)
{
	int fd;

	p->mss = 500;
	fd = peer_establish(p);
	host_write(p, fd, 10);
	expect(p, "ACK seq=1 len=10");
	host_write(p, fd, 1200);
	expect(p, "ACK seq=11 len=500");
	expect(p, "ACK seq=511 len=500");
	expect_silence(p);
	inject(p, "ACK");
	expect(p, "ACK seq=1011 len=200");
}

WIRE_TEST(sender, nodelay_does_not_gather)
{
	int fd = peer_establish(p);

	host_option(p, fd, SOL_HAUL, HAUL_NODELAY, 1);
	host_write(p, fd, 10);
	expect(p, "ACK seq=1 len=10");
	host_write(p, fd, 10);
	expect(p, "ACK seq=11 len=10");
	host_write(p, fd, 10);
	expect(p, "ACK seq=21 len=10");
}

WIRE_TEST(sender, cork_holds_back)
{
	int fd;

	p->mss = 500;
	fd = peer_establish(p);
	host_option(p, fd, SOL_HAUL, HAUL_CORK, 1);
	host_write(p, fd, 700);
	expect(p, "ACK seq=1 len=500");
	inject(p, "ACK");
	expect_silence(p);
	host_option(p, fd, SOL_HAUL, HAUL_CORK, 0);
	expect(p, "ACK seq=501 len=200");
}

WIRE_TEST(sender, initial_window)
{
	int fd, i;

	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 30000);
	for (i = 0; i < 10; i++)
		expect(p, "ACK seq=%d len=1000", 1 + i * 1000);
	expect_silence(p);
	/* slow start: two for each one that is acknowledged */
	inject(p, "ACK ack=2001");
	for (; i < 14; i++)
		expect(p, "ACK seq=%d len=1000", 1 + i * 1000);
	expect_silence(p);
}

WIRE_TEST(sender, initial_window_can_be_one)
{
	int fd;

	wire_sysctl(w, "haul.initial_cwnd", "1");
	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 10000);
	expect(p, "ACK seq=1 len=1000");
	expect_silence(p);
	inject(p, "ACK");
	expect(p, "ACK seq=1001 len=1000");
	expect(p, "ACK seq=2001 len=1000");
	expect_silence(p);
}

/* ---- the host receives ---- */

/* takes and remembers every ACK that comes within @ms */
static void drain(struct peer *p, unsigned int ms)
{
	while (peer_receive(p, ms))
		;
}

/*
 * Every byte that was announced is taken, and the right edge has never gone back: receive()
 * checks that.
 */
WIRE_TEST(receiver, byte_exact_until_zero)
{
	uint32_t sent;
	int fd = peer_fill_window(p);

	sent = p->snd_nxt - p->iss - 1;
	EXPECT_EQ(p->snd_nxt, p->rx.ack);
	EXPECT_EQ(0, p->rx.window);
	EXPECT_LE(4096, sent);
	host_read(p, fd, sent);
}

WIRE_TEST(receiver, beyond_a_closed_window)
{
	peer_fill_window(p);
	inject(p, "ACK seq=@0x%x len=1", p->snd_nxt);
	expect(p, "ACK ack=@0x%x win=0", p->snd_nxt);
	/* a probe of either form is answered */
	inject(p, "ACK seq=@0x%x", p->snd_nxt - 1);
	expect(p, "ACK ack=@0x%x win=0", p->snd_nxt);
	/* a pure ACK where it should be is none of them */
	inject(p, "ACK");
	expect_silence(p);
}

/* Reading opens the window in large steps, and says so unasked. */
WIRE_TEST(receiver, opens_without_being_asked)
{
	int fd = peer_fill_window(p);
	uint32_t sent = p->snd_nxt - p->iss - 1;

	host_read(p, fd, 1);
	expect_silence(p);
	host_read(p, fd, sent - 1);
	expect(p, "ACK seq=1 len=0 ack=@0x%x", p->snd_nxt);
	EXPECT_LE(p->mss < sent / 2 ? p->mss : sent / 2, p->rx.window);
	EXPECT_LE(1, host_info(p, fd).rcv_zero_windows);
	inject(p, "ACK len=1000");
	host_read(p, fd, 1000);
}

/* A connection whose host does not read, with at most 1000 bytes of its window left: @room. */
static int nearly_fill_window(struct peer *p, uint32_t *room)
{
	int listener = host_listen(p->w, p->host_port, 8), fd;

	host_option(p, listener, SOL_SOCKET, SO_RCVBUF, 8192);
	fd = peer_connect(p, listener);
	while (p->right_edge - p->snd_nxt > 1000) {
		inject(p, "ACK len=1000");
		drain(p, 0);
	}
	drain(p, 300);
	*room = p->right_edge - p->snd_nxt;
	return fd;
}

WIRE_TEST(receiver, payload_over_the_edge_is_cut)
{
	uint32_t room;
	int fd = nearly_fill_window(p, &room);

	inject(p, "ACK seq=@0x%x len=%u", p->snd_nxt, room + 100);
	expect(p, "ACK ack=@0x%x", p->snd_nxt + room);
	host_read(p, fd, p->snd_nxt - p->iss - 1 + room);
}

/* What ends the stream is behind what was cut off: it is not taken before that has come. */
WIRE_TEST(receiver, fin_over_the_edge_is_cut)
{
	uint32_t room;
	int fd = nearly_fill_window(p, &room);

	inject(p, "FIN ACK seq=@0x%x len=%u", p->snd_nxt, room + 100);
	expect(p, "ACK ack=@0x%x", p->snd_nxt + room);
	host_read(p, fd, p->snd_nxt - p->iss - 1 + room);
	host_expect_error(p, fd, EAGAIN);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	drain(p, 0);
	inject(p, "FIN ACK seq=@0x%x len=100", p->snd_nxt + room);
	host_read(p, fd, 100);
	host_expect_eof(p, fd);
}

WIRE_TEST(receiver, window_never_above_2_to_the_30)
{
	int fd;

	wire_sysctl(w, "haul.rmem", "4096 2000000000 2000000000");
	fd = peer_establish(p);
	inject(p, "ACK len=10");
	expect(p, "ACK");
	EXPECT_GE(1 << 30, p->rx.window);
	host_read(p, fd, 10);
}

TEST_HARNESS_MAIN
