/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire: every number of Documentation/protocol.rst, the header, the options, and the functions
 * that take a packet apart and put one together. Host order inside, network order only in struct
 * haulhdr.
 */
#ifndef HAUL_CORE_WIRE_H
#define HAUL_CORE_WIRE_H

#include <linux/types.h>
#include <asm/byteorder.h>

#define HAUL_VERSION		1

enum haul_kind {
	HAUL_KIND_STREAM	= 1,
	HAUL_KIND_MESSAGE	= 2,
	HAUL_KIND_DATAGRAM	= 3,
};

/* Header flags. Bits not named here are sent as zero and ignored on receipt. */
#define HAUL_FIN		0x0001
#define HAUL_SYN		0x0002
#define HAUL_RST		0x0004
#define HAUL_PSH		0x0008
#define HAUL_ACK		0x0010
#define HAUL_EOM		0x0020	/* the segment's last byte ends a message */
#define HAUL_REFLECTED		0x0040	/* an RST whose tag is the one its cause carried */
#define HAUL_STATELESS		0x0080	/* a SYN-ACK from a cookie: repeat INIT until confirmed */
#define HAUL_FLAGS		0x00ff

/* Header lengths in bytes */
#define HAUL_DGRAM_HDR		16
#define HAUL_HDR		36
#define HAUL_HDR_MAX		320	/* INIT and 31 SACK blocks; longer is malformed */

#define HAUL_MAX_WINDOW		(1U << 30)
#define HAUL_MIN_MSS		88	/* a smaller MSS in an INIT is taken as this */
#define HAUL_DEFAULT_MSS	536	/* an INIT with MSS 0 (RFC 9293 3.7.1) */

/* Options: type, length of the whole option, value; each starts on a multiple of 4 bytes. */
enum haul_option_type {
	HAUL_OPT_INIT	= 1,
	HAUL_OPT_SACK	= 2,
	HAUL_OPT_FASTOPEN = 3,
};

#define HAUL_OPT_INIT_LEN	16	/* type, length, MSS, tag, ISN, flags, zero */
#define HAUL_INIT_ECN		0x0001	/* SYN: would use ECN; SYN-ACK: does */

#define HAUL_OPT_SACK_LEN(n)	(4 + 8 * (n))	/* type, length, zero, n pairs of start and end */
#define HAUL_SACK_MAX		31	/* on a pure ACK */
#define HAUL_SACK_MAX_DATA	4	/* beside payload */

#define HAUL_OPT_FASTOPEN_LEN(n) (4 + (n))	/* type, length, zero, n bytes of cookie */
#define HAUL_FASTOPEN_STEP	4	/* n is a multiple of this */
#define HAUL_FASTOPEN_MAX	16

/**
 * struct haulhdr - the header as it is on the wire; a datagram's ends before @tag
 * @source:	source port
 * @dest:	destination port
 * @seq:	sequence number of the first payload byte (of SYN when set); 0 in a datagram
 * @version_kind: version in the high four bits, kind in the low four
 * @words:	header length in 32-bit words, options included
 * @flags:	HAUL_FIN ...
 * @ce:		CE-marked packets received on this connection, modulo 2^16
 * @check:	internet checksum over header and payload, no pseudo header
 * @tag:	connection tag of the receiver
 * @ack:	next sequence number expected; meaningful with HAUL_ACK only
 * @window:	receive window in bytes, from @ack
 * @tsval:	sender's timestamp, microseconds
 * @tsecr:	latest timestamp of the peer (TS.Recent), meaningful with HAUL_ACK only
 */
struct haulhdr {
	__be16	source;
	__be16	dest;
	__be32	seq;
	__u8	version_kind;
	__u8	words;
	__be16	flags;
	__be16	ce;
	__sum16	check;
	__be32	tag;
	__be32	ack;
	__be32	window;
	__be32	tsval;
	__be32	tsecr;
};

/**
 * struct haul_packet - a received header in host order; lives in skb->cb of a received packet
 * @seq:	first sequence number
 * @end_seq:	@seq + payload + SYN + FIN
 * @ack:	acknowledgment number
 * @window:	bytes, clamped to HAUL_MAX_WINDOW
 * @tsval:	microseconds
 * @tsecr:	microseconds
 * @tag:	the receiver's tag as the sender knows it
 * @flags:	HAUL_FIN ...
 * @ce:		CE counter
 * @sport:	source port, network order
 * @dport:	destination port, network order
 * @hdrlen:	bytes, options included
 * @kind:	enum haul_kind
 * @ecn:	INET_ECN_* bits of the IP header that brought it
 * @dif:	index of the device it came in by (the VRF's when enslaved)
 *
 * 44 bytes; the last four of cb stay free.
 */
struct haul_packet {
	u32	seq;
	u32	end_seq;
	u32	ack;
	u32	window;
	u32	tsval;
	u32	tsecr;
	u32	tag;
	u16	flags;
	u16	ce;
	__be16	sport;
	__be16	dport;
	u16	hdrlen;
	u8	kind;
	u8	ecn;
	int	dif;
};

/* payload bytes of a parsed packet */
static inline u32 haul_packet_len(const struct haul_packet *p)
{
	return p->end_seq - p->seq - !!(p->flags & HAUL_SYN) - !!(p->flags & HAUL_FIN);
}

/* INIT as carried: the sender's own side of the connection */
struct haul_init {
	u32	tag;
	u32	isn;
	u16	mss;	/* payload bytes that the sender takes in one packet without options */
	u16	flags;	/* HAUL_INIT_* */
};

/* one SACK block: [start, end) */
struct haul_block {
	u32	start;
	u32	end;
};

/* option FASTOPEN as carried: a cookie of @len bytes; 0: a client asks for one */
struct haul_fastopen_option {
	u8	len;
	u8	cookie[HAUL_FASTOPEN_MAX];
};

/* the options of one packet, parsed */
struct haul_options {
	struct haul_init	init;
	bool			has_init;
	bool			has_fastopen;
	u8			num_sack;
	struct haul_fastopen_option fastopen;
	struct haul_block	sack[HAUL_SACK_MAX];
};

/* Why a packet could not be parsed; 0 is success. Each is counted by its own name. */
enum haul_wire_error {
	HAUL_WIRE_OK		= 0,
	HAUL_WIRE_SHORT,	/* shorter than its header claims, or than any header */
	HAUL_WIRE_VERSION,	/* not HAUL_VERSION */
	HAUL_WIRE_KIND,		/* no such kind */
	HAUL_WIRE_HEADER,	/* header length out of bounds; a datagram's seq not 0 */
	HAUL_WIRE_FLAGS,	/* flags that exclude each other, or payload where none may be */
	HAUL_WIRE_OPTION,	/* an option of impossible length, or twice, or an INIT of tag 0 */
	HAUL_WIRE_PORT,		/* port 0 */
};

enum haul_wire_error haul_wire_parse(const void *data, u32 avail, u32 total, struct haul_packet *p);
enum haul_wire_error haul_wire_parse_options(const void *header, u32 hdrlen,
					     struct haul_options *o);

/* is INIT the only option, and a good one? False: parse them */
bool haul_wire_is_init(const void *header, u32 hdrlen);

u32 haul_wire_hdrlen(bool init, unsigned int num_sack);
void haul_wire_build(struct haulhdr *h, const struct haul_packet *p);
void *haul_wire_put_init(void *at, const struct haul_init *init);
void *haul_wire_put_fastopen(void *at, const struct haul_fastopen_option *fastopen);
void *haul_wire_put_sack(void *at, const struct haul_block *blocks, unsigned int num);

#endif /* HAUL_CORE_WIRE_H */
