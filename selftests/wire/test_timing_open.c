// SPDX-License-Identifier: GPL-2.0
/*
 * When SYNs, SYN-ACKs and third steps are sent again, and when it is given up: protocol.rst 3
 * and 6.3.
 */
#include "timing.h"

WIRE_FIXTURE(open);

WIRE_TEST(open, syn_backs_off_and_gives_up)
{
	int fd = host_connect(p), i;
	uint64_t last;

	patience_ms("200000");
	expect(p, "SYN seq=0 init");
	for (i = 0; i < 6; i++) {
		last = p->rx_us;
		expect(p, "SYN seq=0 init");
		EXPECT_GAP(p->rx_us - last, SECOND << i);
	}
	expect_silence_for(p, 63000);
	host_expect_state(p, fd, HAUL_SYN_SENT);
	pause_us(10 * SECOND);
	host_expect_error(p, fd, ETIMEDOUT);
	expect_silence(p);
}

WIRE_TEST(open, syn_retries_can_be_set)
{
	int fd;

	wire_sysctl(w, "haul.syn_retries", "1");
	fd = host_connect(p);
	expect(p, "SYN");
	expect(p, "SYN");
	expect_silence_for(p, 1900);
	pause_us(SECOND);
	host_expect_error(p, fd, ETIMEDOUT);
}

WIRE_TEST(open, answered_after_a_retransmission)
{
	int fd = host_connect(p);

	expect(p, "SYN");
	expect(p, "SYN");
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 init");
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	expect_silence_for(p, 10000);
}

WIRE_TEST(open, syn_ack_backs_off_and_is_forgotten)
{
	uint64_t last;
	int i;

	patience_ms("100000");
	host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	for (i = 0; i < 5; i++) {
		last = p->rx_us;
		expect(p, "SYN ACK seq=0 ack=1");
		EXPECT_GAP_COARSE(p->rx_us - last, SECOND << i);
	}
	pause_us(31 * SECOND);
	EXPECT_EQ(0, wire_counter(w, "SynAckGiveUps"));
	pause_us(6 * SECOND);
	EXPECT_EQ(1, wire_counter(w, "SynAckGiveUps"));
	inject(p, "ACK init");
	expect(p, "RST REFLECTED seq=1");
}

WIRE_TEST(open, syn_ack_stops_at_the_third_step)
{
	int listener = host_listen(w, p->host_port, 8), fd;

	inject(p, "SYN");
	expect(p, "SYN ACK");
	expect(p, "SYN ACK");
	inject(p, "ACK init");
	fd = host_accept(p, listener);
	/* a loss in the handshake: one segment to begin with (RFC 5681 3.1) */
	EXPECT_EQ(host_info(p, fd).snd_mss, host_info(p, fd).snd_cwnd);
	expect_silence_for(p, 60000);
}

/* A cookie's SYN-ACK is not sent again by the server. */
WIRE_TEST(open, cookie_is_not_repeated)
{
	wire_sysctl(w, "haul.syncookies", "2");
	host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	expect_silence_for(p, 60000);
}

WIRE_TEST(open, cookie_expires)
{
	int listener;

	wire_sysctl(w, "haul.syncookies", "2");
	listener = host_listen(w, p->host_port, 8);
	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	pause_us(130 * SECOND);
	inject(p, "ACK init");
	expect(p, "RST REFLECTED seq=1");
	peer_next(p);
	inject(p, "SYN");
	expect(p, "SYN ACK STATELESS");
	pause_us(62 * SECOND);
	inject(p, "ACK init");
	expect(p, "ACK seq=1 ack=1");
	host_accept(p, listener);
}

/* After a stateless SYN-ACK the client says its third step again until it is heard. */
WIRE_TEST(open, third_step_backs_off)
{
	int fd = host_connect(p), i;
	uint64_t last;

	expect(p, "SYN");
	inject(p, "SYN ACK STATELESS");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	for (i = 0; i < 4; i++) {
		last = p->rx_us;
		expect(p, "ACK seq=1 ack=1 len=0 init");
		EXPECT_GAP_COARSE(p->rx_us - last, 200 * MS << i);
	}
	inject(p, "ACK");
	expect_silence_for(p, 20000);
	host_expect_state(p, fd, HAUL_ESTABLISHED);
}

WIRE_TEST(open, third_step_gives_up)
{
	int fd, i;

	wire_sysctl(w, "haul.retries2", "3");
	fd = host_connect(p);
	expect(p, "SYN");
	inject(p, "SYN ACK STATELESS");
	for (i = 0; i < 4; i++)
		expect(p, "ACK seq=1 ack=1 len=0 init");
	expect_silence_for(p, 1500);
	pause_us(SECOND);
	host_expect_error(p, fd, ETIMEDOUT);
}

/* The third step of a SYN-ACK that is not stateless is said once. */
WIRE_TEST(open, third_step_is_said_once)
{
	host_connect(p);
	expect(p, "SYN");
	inject(p, "SYN ACK");
	expect(p, "ACK seq=1 ack=1 len=0 init");
	expect_silence_for(p, 60000);
}

TEST_HARNESS_MAIN
