// SPDX-License-Identifier: GPL-2.0
/* state.c: the whole matrix of edges, against a list written from RFC 9293's figure 5. */
#include "core/state.h"
#include "test.h"

static const struct {
	u8 from;
	u8 to;
} figure_5[] = {
	{ HAUL_CLOSED, HAUL_LISTEN },		/* passive OPEN */
	{ HAUL_CLOSED, HAUL_SYN_SENT },		/* active OPEN */
	{ HAUL_LISTEN, HAUL_SYN_RECEIVED },	/* rcv SYN */
	{ HAUL_LISTEN, HAUL_SYN_SENT },		/* SEND */
	{ HAUL_SYN_SENT, HAUL_SYN_RECEIVED },	/* rcv SYN: simultaneous open */
	{ HAUL_SYN_SENT, HAUL_ESTABLISHED },	/* rcv SYN,ACK */
	{ HAUL_SYN_RECEIVED, HAUL_ESTABLISHED },
	{ HAUL_SYN_RECEIVED, HAUL_FIN_WAIT_1 },	/* CLOSE */
	{ HAUL_SYN_RECEIVED, HAUL_LISTEN },	/* rcv RST, note 1 */
	{ HAUL_ESTABLISHED, HAUL_FIN_WAIT_1 },
	{ HAUL_ESTABLISHED, HAUL_CLOSE_WAIT },
	{ HAUL_FIN_WAIT_1, HAUL_FIN_WAIT_2 },
	{ HAUL_FIN_WAIT_1, HAUL_CLOSING },
	{ HAUL_FIN_WAIT_1, HAUL_TIME_WAIT },	/* rcv FIN,ACK, note 3 */
	{ HAUL_FIN_WAIT_2, HAUL_TIME_WAIT },
	{ HAUL_CLOSING, HAUL_TIME_WAIT },
	{ HAUL_CLOSE_WAIT, HAUL_LAST_ACK },
	{ HAUL_CLOSED, HAUL_SYN_RECEIVED },	/* a child, born of a request */
};

static bool is_state(u32 s)
{
	return s >= HAUL_ESTABLISHED && s <= HAUL_CLOSING;
}

static bool expected(u32 from, u32 to)
{
	u32 i;

	if (!is_state(from) || !is_state(to))
		return false;
	if (to == HAUL_CLOSED)
		return true;
	for (i = 0; i < sizeof(figure_5) / sizeof(figure_5[0]); i++)
		if (figure_5[i].from == from && figure_5[i].to == to)
			return true;
	return false;
}

TEST(every_edge)
{
	u32 from, to;

	for (from = 0; from < 256; from++)
		for (to = 0; to < 256; to++)
			if (haul_state_edge_legal(from, to) != expected(from, to))
				test_fail(__FILE__, __LINE__, "%s to %s (%u to %u) is %s",
					  haul_state_name(from), haul_state_name(to), from, to,
					  expected(from, to) ? "missing" : "not one");
}

TEST(names)
{
	EXPECT_STREQ(haul_state_name(HAUL_ESTABLISHED), "ESTABLISHED");
	EXPECT_STREQ(haul_state_name(HAUL_SYN_SENT), "SYN-SENT");
	EXPECT_STREQ(haul_state_name(HAUL_SYN_RECEIVED), "SYN-RECEIVED");
	EXPECT_STREQ(haul_state_name(HAUL_FIN_WAIT_1), "FIN-WAIT-1");
	EXPECT_STREQ(haul_state_name(HAUL_FIN_WAIT_2), "FIN-WAIT-2");
	EXPECT_STREQ(haul_state_name(HAUL_TIME_WAIT), "TIME-WAIT");
	EXPECT_STREQ(haul_state_name(HAUL_CLOSED), "CLOSED");
	EXPECT_STREQ(haul_state_name(HAUL_CLOSE_WAIT), "CLOSE-WAIT");
	EXPECT_STREQ(haul_state_name(HAUL_LAST_ACK), "LAST-ACK");
	EXPECT_STREQ(haul_state_name(HAUL_LISTEN), "LISTEN");
	EXPECT_STREQ(haul_state_name(HAUL_CLOSING), "CLOSING");
	EXPECT_STREQ(haul_state_name(0), "?");
	EXPECT_STREQ(haul_state_name(HAUL_NUM_STATES), "?");
	EXPECT_STREQ(haul_state_name(255), "?");
}

static bool in(u32 states, u32 s)
{
	return states & HAUL_STATE_BIT(s);
}

TEST(sets)
{
	u32 s;

	for (s = HAUL_ESTABLISHED; s <= HAUL_CLOSING; s++) {
		bool opening = s == HAUL_SYN_SENT || s == HAUL_SYN_RECEIVED;
		bool half_closed = s == HAUL_FIN_WAIT_1 || s == HAUL_FIN_WAIT_2;

		EXPECT_EQ(in(HAUL_STATES_SYNCHRONIZED, s),
			  !opening && s != HAUL_CLOSED && s != HAUL_LISTEN);
		EXPECT_EQ(in(HAUL_STATES_MAY_SEND, s),
			  s == HAUL_ESTABLISHED || s == HAUL_CLOSE_WAIT);
		EXPECT_EQ(in(HAUL_STATES_MAY_RECEIVE, s), s == HAUL_ESTABLISHED || half_closed);
	}
}
