/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A packet as the wire tests see it, and the way to and from bytes. Written from
 * Documentation/protocol.rst and from nothing of the module's, so that a mistake has to be made
 * twice to go unnoticed.
 */
#ifndef HAUL_WIRE_PACKET_H
#define HAUL_WIRE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KIND_STREAM = 1,
	KIND_MESSAGE = 2,
	KIND_DATAGRAM = 3,
};

enum {
	F_FIN = 0x01,
	F_SYN = 0x02,
	F_RST = 0x04,
	F_PSH = 0x08,
	F_ACK = 0x10,
	F_EOM = 0x20,
	F_REFLECTED = 0x40,
	F_STATELESS = 0x80,
	F_ALL = 0xff,
};

enum {
	OPT_INIT = 1,
	OPT_SACK = 2,
	OPT_FASTOPEN = 3,
	INIT_ECN = 1,
	SACK_BLOCKS = 31,
	COOKIE_MAX = 16,
	FIXED_HEADER = 36,
	FIXED_DATAGRAM = 16,
	HEADER_MAX = 320,
	WINDOW_MAX = 1 << 30,
};

struct init {
	uint16_t mss;
	uint32_t tag;
	uint32_t isn;
	uint16_t flags;
};

struct block {
	uint32_t start;
	uint32_t end;
};

struct packet {
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint8_t version;
	uint8_t kind;
	uint8_t words;			/* encode: 0: as long as needed */
	uint16_t flags;
	uint16_t ce;
	uint16_t check;
	uint32_t tag;
	uint32_t ack;
	uint32_t window;
	uint32_t tsval;
	uint32_t tsecr;

	bool has_init;
	struct init init;
	bool has_fastopen;
	uint8_t cookie[COOKIE_MAX];
	unsigned int cookie_len;	/* 0: one is asked for */
	unsigned int num_sack;
	struct block sack[SACK_BLOCKS];
	uint8_t raw[256];		/* further options, as bytes */
	unsigned int raw_len;

	const uint8_t *payload;
	uint32_t len;			/* bytes of payload */

	uint8_t ecn;			/* of the IP header: 0, 1, 2 (ECT(0)), 3 (CE) */
	bool bad_sum;			/* encode: spoil the checksum */
};

static inline uint32_t packet_end(const struct packet *p)
{
	return p->seq + p->len + !!(p->flags & F_SYN) + !!(p->flags & F_FIN);
}

/* Bytes written to @out, which holds @room. */
size_t packet_encode(const struct packet *p, uint8_t *out, size_t room);
/* NULL, or what is wrong by protocol.rst. @p->payload points into @bytes. */
const char *packet_decode(struct packet *p, const uint8_t *bytes, size_t len);

#endif /* HAUL_WIRE_PACKET_H */
