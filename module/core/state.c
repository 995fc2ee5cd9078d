// SPDX-License-Identifier: GPL-2.0
/* The edges of RFC 9293's figure 5, and those that sockets add to it. */
#include <linux/kernel.h>
#include "state.h"

#define TO(s)	HAUL_STATE_BIT(HAUL_##s)

/*
 * By the state left, the states that may follow. CLOSED follows any: abort, reset, timeout, the end
 * of a handshake that failed. CLOSED itself goes straight to SYN-RECEIVED when a child is born of a
 * request, which has kept the listener's side of the handshake.
 */
static const u16 haul_state_edges[HAUL_NUM_STATES] = {
	[HAUL_CLOSED]		= TO(CLOSED) | TO(LISTEN) | TO(SYN_SENT) | TO(SYN_RECEIVED),
	[HAUL_LISTEN]		= TO(CLOSED) | TO(SYN_SENT) | TO(SYN_RECEIVED),
	[HAUL_SYN_SENT]		= TO(CLOSED) | TO(SYN_RECEIVED) | TO(ESTABLISHED),
	[HAUL_SYN_RECEIVED]	= TO(CLOSED) | TO(LISTEN) | TO(ESTABLISHED) | TO(FIN_WAIT_1),
	[HAUL_ESTABLISHED]	= TO(CLOSED) | TO(FIN_WAIT_1) | TO(CLOSE_WAIT),
	[HAUL_FIN_WAIT_1]	= TO(CLOSED) | TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT),
	[HAUL_FIN_WAIT_2]	= TO(CLOSED) | TO(TIME_WAIT),
	[HAUL_CLOSING]		= TO(CLOSED) | TO(TIME_WAIT),
	[HAUL_CLOSE_WAIT]	= TO(CLOSED) | TO(LAST_ACK),
	[HAUL_LAST_ACK]		= TO(CLOSED),
	[HAUL_TIME_WAIT]	= TO(CLOSED),
};

static const char * const haul_state_names[HAUL_NUM_STATES] = {
	[HAUL_CLOSED]		= "CLOSED",
	[HAUL_LISTEN]		= "LISTEN",
	[HAUL_SYN_SENT]		= "SYN-SENT",
	[HAUL_SYN_RECEIVED]	= "SYN-RECEIVED",
	[HAUL_ESTABLISHED]	= "ESTABLISHED",
	[HAUL_FIN_WAIT_1]	= "FIN-WAIT-1",
	[HAUL_FIN_WAIT_2]	= "FIN-WAIT-2",
	[HAUL_CLOSE_WAIT]	= "CLOSE-WAIT",
	[HAUL_CLOSING]		= "CLOSING",
	[HAUL_LAST_ACK]		= "LAST-ACK",
	[HAUL_TIME_WAIT]	= "TIME-WAIT",
};

/**
 * haul_state_edge_legal() - may a connection go from one state to another?
 * @from: HAUL_CLOSED ..., or any number
 * @to: the same
 *
 * Context: any.
 * Return: true for the edges of RFC 9293 figure 5 with its note 3 (FIN-WAIT-1 to TIME-WAIT), any
 * state to CLOSED, and CLOSED to SYN-RECEIVED.
 */
bool haul_state_edge_legal(u8 from, u8 to)
{
	if (from >= HAUL_NUM_STATES || to >= HAUL_NUM_STATES)
		return false;
	return haul_state_edges[from] & HAUL_STATE_BIT(to);
}

/**
 * haul_state_name() - a state as RFC 9293 writes it
 * @state: HAUL_CLOSED ..., or any number
 *
 * Context: any.
 * Return: its name, "?" for a number that is no state.
 */
const char *haul_state_name(u8 state)
{
	if (state >= HAUL_NUM_STATES || !haul_state_names[state])
		return "?";
	return haul_state_names[state];
}
