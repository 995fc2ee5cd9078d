/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RFC 9293 3.3.2: the eleven states and the legal edges between them, as data. The numbers are
 * those of the uapi header (and so TCP's, which the kernel's tools and qdiscs know).
 */
#ifndef HAUL_CORE_STATE_H
#define HAUL_CORE_STATE_H

#include <linux/types.h>
#include <linux/haul.h>

#define HAUL_STATE_BIT(s)	(1U << (s))

/* states in which both sides agree on the sequence numbers (RFC 9293 3.10.7.4) */
#define HAUL_STATES_SYNCHRONIZED \
	(~(HAUL_STATE_BIT(HAUL_CLOSED) | HAUL_STATE_BIT(HAUL_LISTEN) | \
	   HAUL_STATE_BIT(HAUL_SYN_SENT) | HAUL_STATE_BIT(HAUL_SYN_RECEIVED)))
/* states in which this side may still send new data */
#define HAUL_STATES_MAY_SEND \
	(HAUL_STATE_BIT(HAUL_ESTABLISHED) | HAUL_STATE_BIT(HAUL_CLOSE_WAIT))
/* states in which the peer may still send new data */
#define HAUL_STATES_MAY_RECEIVE \
	(HAUL_STATE_BIT(HAUL_ESTABLISHED) | HAUL_STATE_BIT(HAUL_FIN_WAIT_1) | \
	 HAUL_STATE_BIT(HAUL_FIN_WAIT_2))

bool haul_state_edge_legal(u8 from, u8 to);
const char *haul_state_name(u8 state);

#endif /* HAUL_CORE_STATE_H */
