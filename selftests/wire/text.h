/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets as text: one notation to say what to send, what to expect, and to print what came.
 *
 *	SYN ACK FIN RST PSH EOM REFLECTED STATELESS
 *			flags; all but PSH are exact in an expectation
 *	seq=1 ack=1	relative to the ISN of the side that numbers; @0x1234 is absolute
 *	len=100		bytes of payload, content by pattern(); data=abc: these bytes
 *	win=65536 tsval=5 tsecr=5 ce=0
 *			as on the wire; when sending, tsval=+5 and tsval=-5 count from the last
 *	tag=host tag=peer tag=0 tag=bad tag=0x1234
 *			whose tag; bad: the host's with a bit changed
 *	sack=1001-2001,3001-4001
 *			relative; without it an expected packet has none; sack=* is some, sack=?
 *			some or none
 *	init noinit mss=1400 ecn noecn
 *			option INIT
 *	fastopen fastopen=0011223344556677
 *			option FASTOPEN, without a cookie and with one; fastopen=* is some cookie.
 *			Without it an expected packet has none
 *	ect0 ce-mark notect
 *			the IP header's ECN field
 *	version= kind= words= sport= dport= option=09040001 badsum flags=0x1234 itag= isn=
 *			for spoilt packets
 *
 * In an expectation what is not named is not compared, but for flags, SACK and FASTOPEN.
 */
#ifndef HAUL_WIRE_TEXT_H
#define HAUL_WIRE_TEXT_H

#include <stdarg.h>
#include "packet.h"

/* what a text named */
enum {
	G_SEQ = 1 << 0,
	G_ACK = 1 << 1,
	G_LEN = 1 << 2,
	G_WIN = 1 << 3,
	G_TSVAL = 1 << 4,
	G_TSECR = 1 << 5,
	G_CE = 1 << 6,
	G_TAG = 1 << 7,
	G_SACK = 1 << 8,
	G_ANYSACK = 1 << 9,
	G_INIT = 1 << 10,
	G_NOINIT = 1 << 11,
	G_MSS = 1 << 12,
	G_ECN = 1 << 13,
	G_NOECN = 1 << 14,
	G_IPECN = 1 << 15,
	G_DATA = 1 << 16,
	G_KIND = 1 << 17,
	G_SPORT = 1 << 18,
	G_VERSION = 1 << 19,
	G_ITAG = 1 << 20,
	G_ISN = 1 << 21,
	G_DELTA = 1 << 22,	/* tsval is a difference */
	G_MAYSACK = 1 << 23,
	G_DPORT = 1 << 24,
	G_ANYCOOKIE = 1 << 25,
};

/* whose numbers a packet's are, and its tags */
struct frame {
	uint32_t seq_base;
	uint32_t ack_base;
	uint32_t host_tag;
	uint32_t peer_tag;
};

struct spec {
	struct packet p;
	uint32_t given;
	uint8_t data[128];
};

/* NULL, or the word that was not understood */
const char *spec_parse(struct spec *s, const struct frame *f, const char *fmt, va_list args);
/* returns @out */
char *packet_print(char *out, size_t room, const struct packet *p, const struct frame *f);

/* byte @offset of every stream that these tests send */
static inline uint8_t pattern(uint32_t offset)
{
	return offset * 31 + offset / 251;
}

#endif /* HAUL_WIRE_TEXT_H */
