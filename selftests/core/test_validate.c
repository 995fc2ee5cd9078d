// SPDX-License-Identifier: GPL-2.0
/* validate.c: which RST ends a connection (protocol.rst 4.2 and 3.5, RFC 5961 3.2). */
#include "core/receiver.h"
#include "test.h"

#define OWN	0x11111111
#define PEER	0x22222222

static struct haul_receiver at(u32 nxt, u32 wnd)
{
	struct haul_receiver rcv;

	haul_receiver_init(&rcv, nxt - 1, 0);
	rcv.wnd = wnd;
	return rcv;
}

static enum haul_verdict check(u16 flags, u32 tag, u32 seq, const struct haul_receiver *rcv)
{
	struct haul_packet p = { .flags = HAUL_RST | flags, .tag = tag, .seq = seq };

	return haul_check_rst(&p, OWN, PEER, rcv);
}

TEST(tag)
{
	struct haul_receiver rcv = at(1000, 100);

	EXPECT_EQ(check(0, OWN, 1000, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(HAUL_ACK, OWN, 1000, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(0, PEER, 1000, &rcv), HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check(0, 0, 1000, &rcv), HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check(HAUL_REFLECTED, PEER, 1000, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(HAUL_REFLECTED, OWN, 1000, &rcv), HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check(HAUL_REFLECTED, 0, 1000, &rcv), HAUL_VERDICT_DROP_TAG);
}

TEST(tag_comes_before_sequence)
{
	struct haul_receiver rcv = at(1000, 100);

	EXPECT_EQ(check(0, PEER, 1050, &rcv), HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check(0, PEER, 5000, &rcv), HAUL_VERDICT_DROP_TAG);
}

TEST(sequence)
{
	struct haul_receiver rcv = at(1000, 100);

	EXPECT_EQ(check(0, OWN, 999, &rcv), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check(0, OWN, 1000, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(0, OWN, 1001, &rcv), HAUL_VERDICT_CHALLENGE);
	EXPECT_EQ(check(0, OWN, 1099, &rcv), HAUL_VERDICT_CHALLENGE);
	EXPECT_EQ(check(0, OWN, 1100, &rcv), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check(HAUL_REFLECTED, PEER, 1099, &rcv), HAUL_VERDICT_CHALLENGE);
	EXPECT_EQ(check(HAUL_REFLECTED, PEER, 1100, &rcv), HAUL_VERDICT_DROP_SEQ);
}

TEST(sequence_across_the_wrap)
{
	struct haul_receiver rcv = at(0xfffffff0, 0x20);

	EXPECT_EQ(check(0, OWN, 0xfffffff0, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(0, OWN, 0xffffffef, &rcv), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check(0, OWN, 0, &rcv), HAUL_VERDICT_CHALLENGE);
	EXPECT_EQ(check(0, OWN, 0xf, &rcv), HAUL_VERDICT_CHALLENGE);
	EXPECT_EQ(check(0, OWN, 0x10, &rcv), HAUL_VERDICT_DROP_SEQ);
}

TEST(closed_window)
{
	struct haul_receiver rcv = at(1000, 0);

	EXPECT_EQ(check(0, OWN, 1000, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(0, OWN, 1001, &rcv), HAUL_VERDICT_DROP_SEQ);
}

/* What was announced at an earlier RCV.NXT counts from there. */
TEST(window_partly_used)
{
	struct haul_receiver rcv = at(1000, 100);

	rcv.nxt = 1060;
	EXPECT_EQ(check(0, OWN, 1000, &rcv), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check(0, OWN, 1060, &rcv), HAUL_VERDICT_RESET);
	EXPECT_EQ(check(0, OWN, 1099, &rcv), HAUL_VERDICT_CHALLENGE);
	EXPECT_EQ(check(0, OWN, 1100, &rcv), HAUL_VERDICT_DROP_SEQ);
}

static enum haul_verdict check_syn_sent(u16 flags, u32 tag, u32 ack, u32 iss)
{
	struct haul_packet p = { .flags = HAUL_RST | flags, .tag = tag, .ack = ack };

	return haul_check_rst_syn_sent(&p, OWN, iss, 0);
}

TEST(syn_sent)
{
	EXPECT_EQ(check_syn_sent(HAUL_ACK, OWN, 5001, 5000), HAUL_VERDICT_RESET);
	EXPECT_EQ(check_syn_sent(HAUL_ACK, OWN, 0, 0xffffffff), HAUL_VERDICT_RESET);
	EXPECT_EQ(check_syn_sent(HAUL_ACK, OWN, 5000, 5000), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check_syn_sent(HAUL_ACK, OWN, 5002, 5000), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check_syn_sent(0, OWN, 5001, 5000), HAUL_VERDICT_DROP_SEQ);
	/* without ACK the field is 0, which is ISS + 1 here */
	EXPECT_EQ(check_syn_sent(0, OWN, 0, 0xffffffff), HAUL_VERDICT_DROP_SEQ);
	EXPECT_EQ(check_syn_sent(HAUL_ACK, OWN + 1, 5001, 5000), HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check_syn_sent(HAUL_ACK, 0, 5001, 5000), HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check_syn_sent(HAUL_ACK | HAUL_REFLECTED, OWN, 5001, 5000),
		  HAUL_VERDICT_DROP_TAG);
	EXPECT_EQ(check_syn_sent(HAUL_ACK | HAUL_REFLECTED, 0, 5001, 5000),
		  HAUL_VERDICT_DROP_TAG);
}

/* Whoever does not know fast open refuses the SYN with all that it carried; others, the SYN. */
TEST(syn_sent_with_payload)
{
	struct haul_packet p = { .flags = HAUL_RST | HAUL_ACK, .tag = OWN };
	u32 acked;

	for (acked = 0; acked < 14; acked++) {
		p.ack = 0xfffffffa + acked;
		EXPECT_EQ(haul_check_rst_syn_sent(&p, OWN, 0xfffffffb, 10),
			  acked >= 2 && acked <= 12 ? HAUL_VERDICT_RESET : HAUL_VERDICT_DROP_SEQ);
	}
}
