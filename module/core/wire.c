// SPDX-License-Identifier: GPL-2.0
/*
 * Taking packets apart and putting them together (Documentation/protocol.rst). What comes in is
 * hostile until it has passed here: nothing is read beyond the bytes given, at any alignment, and
 * whoever reads a struct haul_packet need not ask again whether its flags make sense.
 */
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "seq.h"
#include "wire.h"

#define HAUL_OPT_ALIGN	4
#define HAUL_OPT_MIN	2	/* type and length */

/* the header at any alignment, read where it lies */
struct haul_wire_header {
	struct haulhdr h;
} __packed;

/* option INIT on the wire */
struct haul_opt_init {
	__u8	type;
	__u8	len;
	__be16	mss;
	__be32	tag;
	__be32	isn;
	__be16	flags;
	__be16	zero;
};

/* one block of option SACK on the wire */
struct haul_opt_block {
	__be32	start;
	__be32	end;
};

static_assert(sizeof(struct haulhdr) == HAUL_HDR);
static_assert(offsetof(struct haulhdr, tag) == HAUL_DGRAM_HDR);
static_assert(sizeof(struct haul_opt_init) == HAUL_OPT_INIT_LEN);
static_assert(sizeof(struct haul_packet) <= 44);
static_assert(HAUL_HDR + HAUL_OPT_INIT_LEN + HAUL_OPT_SACK_LEN(HAUL_SACK_MAX) <= HAUL_HDR_MAX);

/* bytes of the header before its options */
static u32 haul_wire_fixed_len(u8 kind)
{
	return kind == HAUL_KIND_DATAGRAM ? HAUL_DGRAM_HDR : HAUL_HDR;
}

/* The flags that need others, or exclude others (protocol.rst 1.3). */
static bool haul_wire_flags_ok(u8 kind, u16 flags, u32 payload)
{
	u16 control = flags & (HAUL_SYN | HAUL_FIN | HAUL_RST);

	if (kind == HAUL_KIND_DATAGRAM)
		return !flags;
	if ((flags & ~HAUL_PSH) == HAUL_ACK)
		return true;		/* most packets */
	if (control & (control - 1))
		return false;		/* at most one of them */
	if (!(flags & (HAUL_SYN | HAUL_ACK | HAUL_RST)))
		return false;		/* RFC 9293 3.10.7.4: whatever follows a SYN acknowledges */
	if ((flags & HAUL_RST) && payload)
		return false;
	if ((flags & HAUL_EOM) && (kind != HAUL_KIND_MESSAGE || !payload))
		return false;		/* no message is empty */
	if ((flags & HAUL_REFLECTED) && !(flags & HAUL_RST))
		return false;
	return !(flags & HAUL_STATELESS) ||
	       (flags & (HAUL_SYN | HAUL_ACK)) == (HAUL_SYN | HAUL_ACK);
}

/* Fixed parts and flags in order? @at: the first HAUL_DGRAM_HDR bytes at least. */
static enum haul_wire_error haul_wire_check(const struct haul_wire_header *at, u32 avail, u32 total)
{
	u32 hdrlen = at->h.words * 4U;
	u16 flags = be16_to_cpu(at->h.flags) & HAUL_FLAGS;
	u8 kind = at->h.version_kind & 0xf;

	if (at->h.version_kind >> 4 != HAUL_VERSION)
		return HAUL_WIRE_VERSION;
	if (kind < HAUL_KIND_STREAM || kind > HAUL_KIND_DATAGRAM)
		return HAUL_WIRE_KIND;
	if (hdrlen < haul_wire_fixed_len(kind) || hdrlen > HAUL_HDR_MAX)
		return HAUL_WIRE_HEADER;
	if (kind == HAUL_KIND_DATAGRAM && at->h.seq)
		return HAUL_WIRE_HEADER;
	if (hdrlen > avail)
		return HAUL_WIRE_SHORT;
	if (!at->h.source || !at->h.dest)
		return HAUL_WIRE_PORT;
	if (!haul_wire_flags_ok(kind, flags, total - hdrlen))
		return HAUL_WIRE_FLAGS;
	return HAUL_WIRE_OK;
}

/* The part of the header that only connections have. */
static void haul_wire_parse_connection(const struct haul_wire_header *at, struct haul_packet *p)
{
	bool ack = p->flags & HAUL_ACK;

	p->ce = be16_to_cpu(at->h.ce);
	p->tag = be32_to_cpu(at->h.tag);
	p->window = min_t(u32, be32_to_cpu(at->h.window), HAUL_MAX_WINDOW);
	p->tsval = be32_to_cpu(at->h.tsval);
	p->ack = ack ? be32_to_cpu(at->h.ack) : 0;
	p->tsecr = ack ? be32_to_cpu(at->h.tsecr) : 0;
}

/**
 * haul_wire_parse() - take the header of a received packet apart
 * @data: the header, at any alignment
 * @avail: bytes that may be read at @data; a header that is longer is HAUL_WIRE_SHORT
 * @total: bytes of the packet, header and payload
 * @p: where the fields go, in host order; its @ecn and @dif are the caller's and stay. Untouched on
 *	error.
 *
 * Checks all that can be checked without a connection, but for the checksum, and the options, which
 * haul_wire_parse_options() takes. Payload on a SYN is for the handshake to judge. A datagram has
 * no acknowledgment, window, timestamp or tag: they are 0, as are the acknowledgment fields without
 * HAUL_ACK.
 *
 * Context: any.
 * Return: HAUL_WIRE_OK or the reason why the packet is dropped.
 */
enum haul_wire_error haul_wire_parse(const void *data, u32 avail, u32 total, struct haul_packet *p)
{
	const struct haul_wire_header *at = data;
	enum haul_wire_error err;

	avail = min(avail, total);
	if (avail < HAUL_DGRAM_HDR)
		return HAUL_WIRE_SHORT;
	err = haul_wire_check(at, avail, total);
	if (err)
		return err;

	p->sport = at->h.source;
	p->dport = at->h.dest;
	p->seq = be32_to_cpu(at->h.seq);
	p->flags = be16_to_cpu(at->h.flags) & HAUL_FLAGS;
	p->hdrlen = at->h.words * 4U;
	p->kind = at->h.version_kind & 0xf;
	p->end_seq = p->seq + total - p->hdrlen +
		     !!(p->flags & HAUL_SYN) + !!(p->flags & HAUL_FIN);
	if (likely(p->kind != HAUL_KIND_DATAGRAM)) {
		haul_wire_parse_connection(at, p);
		return HAUL_WIRE_OK;
	}
	p->ack = 0;
	p->window = 0;
	p->tsval = 0;
	p->tsecr = 0;
	p->tag = 0;
	p->ce = 0;
	return HAUL_WIRE_OK;
}

/* RFC 9293 3.7.1's default, and a floor: a segment for each few bytes would be an attack. */
static u16 haul_wire_sane_mss(u16 mss)
{
	if (!mss)
		return HAUL_DEFAULT_MSS;
	return max_t(u16, mss, HAUL_MIN_MSS);
}

static bool haul_wire_parse_init(const u8 *opt, u8 len, struct haul_options *o)
{
	struct haul_opt_init init;

	if (o->has_init || len < HAUL_OPT_INIT_LEN)
		return false;		/* longer: a later version's addition */
	memcpy(&init, opt, sizeof(init));
	if (!init.tag)
		return false;		/* 0 stands for "not known yet" */
	o->has_init = true;
	o->init.tag = be32_to_cpu(init.tag);
	o->init.isn = be32_to_cpu(init.isn);
	o->init.mss = haul_wire_sane_mss(be16_to_cpu(init.mss));
	o->init.flags = be16_to_cpu(init.flags) & HAUL_INIT_ECN;
	return true;
}

/*
 * A block that does not end after its start says nothing and is skipped by itself (protocol.rst
 * 4.6).
 */
static bool haul_wire_parse_sack(const u8 *opt, u8 len, struct haul_options *o)
{
	u32 at;

	if (len < HAUL_OPT_SACK_LEN(1) ||
	    (len - HAUL_OPT_SACK_LEN(0)) % sizeof(struct haul_opt_block))
		return false;
	for (at = HAUL_OPT_SACK_LEN(0); at < len; at += sizeof(struct haul_opt_block)) {
		struct haul_opt_block block;
		u32 start, end;

		memcpy(&block, opt + at, sizeof(block));
		start = be32_to_cpu(block.start);
		end = be32_to_cpu(block.end);
		if (!haul_before(start, end))
			continue;
		o->sack[o->num_sack].start = start;
		o->sack[o->num_sack].end = end;
		o->num_sack++;
	}
	return true;
}

/* All of them are a multiple of 4 bytes long: a cookie needs no padding. */
static bool haul_wire_parse_fastopen(const u8 *opt, u8 len, struct haul_options *o)
{
	if (o->has_fastopen || len < HAUL_OPT_FASTOPEN_LEN(0) ||
	    len > HAUL_OPT_FASTOPEN_LEN(HAUL_FASTOPEN_MAX) || len % HAUL_FASTOPEN_STEP)
		return false;
	o->has_fastopen = true;
	o->fastopen.len = len - HAUL_OPT_FASTOPEN_LEN(0);
	memcpy(o->fastopen.cookie, opt + HAUL_OPT_FASTOPEN_LEN(0), o->fastopen.len);
	return true;
}

/**
 * haul_wire_parse_options() - take the options of a header apart
 * @header: the header, at any alignment, as haul_wire_parse() accepted it
 * @hdrlen: its length in bytes, options included (haul_packet.hdrlen)
 * @o: what was found; sack[] is filled up to num_sack, fastopen if there is one
 *
 * Unknown types are skipped, in a datagram all are. INIT, SACK or FASTOPEN twice, and any length
 * that cannot be, make the whole packet malformed.
 *
 * Context: any.
 * Return: HAUL_WIRE_OK or HAUL_WIRE_OPTION.
 */
enum haul_wire_error haul_wire_parse_options(const void *header, u32 hdrlen,
					     struct haul_options *o)
{
	const u8 *bytes = header;
	u8 kind = bytes[offsetof(struct haulhdr, version_kind)] & 0xf;
	u32 at = haul_wire_fixed_len(kind);
	bool sack_seen = false;
	u8 len;

	memset(&o->init, 0, sizeof(o->init));
	o->has_init = false;
	o->has_fastopen = false;
	o->num_sack = 0;
	for (; at < hdrlen; at += round_up((u32)len, HAUL_OPT_ALIGN)) {
		u32 left = hdrlen - at;

		if (left < HAUL_OPT_MIN)
			return HAUL_WIRE_OPTION;
		len = bytes[at + 1];
		if (len < HAUL_OPT_MIN || len > left)
			return HAUL_WIRE_OPTION;
		if (kind == HAUL_KIND_DATAGRAM)
			continue;
		if (bytes[at] == HAUL_OPT_INIT && !haul_wire_parse_init(bytes + at, len, o))
			return HAUL_WIRE_OPTION;
		if (bytes[at] == HAUL_OPT_FASTOPEN &&
		    !haul_wire_parse_fastopen(bytes + at, len, o))
			return HAUL_WIRE_OPTION;
		if (bytes[at] != HAUL_OPT_SACK)
			continue;
		if (sack_seen || !haul_wire_parse_sack(bytes + at, len, o))
			return HAUL_WIRE_OPTION;
		sack_seen = true;
	}
	return HAUL_WIRE_OK;
}

/**
 * haul_wire_is_init() - is INIT the only option, and such as haul_wire_parse_options() takes?
 * @header: the header, at any alignment, as haul_wire_parse() accepted it, not a datagram's
 * @hdrlen: its length in bytes, options included
 *
 * That is what most packets with options are. Context: any.
 * Return: false: it may be good all the same.
 */
bool haul_wire_is_init(const void *header, u32 hdrlen)
{
	struct haul_opt_init init;

	if (hdrlen != HAUL_HDR + HAUL_OPT_INIT_LEN)
		return false;
	memcpy(&init, header + HAUL_HDR, sizeof(init));
	return init.type == HAUL_OPT_INIT && init.len == HAUL_OPT_INIT_LEN && init.tag;
}

/**
 * haul_wire_hdrlen() - length of a connection's header with these options; a FASTOPEN comes to it
 * @init: with INIT
 * @num_sack: number of SACK blocks, at most HAUL_SACK_MAX
 *
 * Context: any.
 * Return: bytes, a multiple of 4, at most HAUL_HDR_MAX.
 */
u32 haul_wire_hdrlen(bool init, unsigned int num_sack)
{
	return HAUL_HDR + (init ? HAUL_OPT_INIT_LEN : 0) +
	       (num_sack ? HAUL_OPT_SACK_LEN(num_sack) : 0);
}

/**
 * haul_wire_build() - write a header without its options
 * @h: where; HAUL_DGRAM_HDR bytes for a datagram, else HAUL_HDR
 * @p: what; its hdrlen says how long the header is with the options that follow. The fields that
 *	only go with HAUL_ACK are written as 0 without it, the window is cut to HAUL_MAX_WINDOW.
 *
 * The checksum is left 0, for whoever knows the payload.
 *
 * Context: any.
 */
void haul_wire_build(struct haulhdr *h, const struct haul_packet *p)
{
	bool ack = p->flags & HAUL_ACK;

	h->source = p->sport;
	h->dest = p->dport;
	h->seq = cpu_to_be32(p->seq);
	h->version_kind = HAUL_VERSION << 4 | p->kind;
	h->words = p->hdrlen / 4;
	h->flags = cpu_to_be16(p->flags & HAUL_FLAGS);
	h->ce = cpu_to_be16(p->ce);
	h->check = 0;
	if (p->kind == HAUL_KIND_DATAGRAM)
		return;
	h->tag = cpu_to_be32(p->tag);
	h->ack = cpu_to_be32(ack ? p->ack : 0);
	h->window = cpu_to_be32(min_t(u32, p->window, HAUL_MAX_WINDOW));
	h->tsval = cpu_to_be32(p->tsval);
	h->tsecr = cpu_to_be32(ack ? p->tsecr : 0);
}

/**
 * haul_wire_put_init() - write option INIT
 * @at: where, at any alignment; HAUL_OPT_INIT_LEN bytes
 * @init: this side of the connection
 *
 * Context: any.
 * Return: where the next option goes.
 */
void *haul_wire_put_init(void *at, const struct haul_init *init)
{
	struct haul_opt_init opt = {
		.type	= HAUL_OPT_INIT,
		.len	= HAUL_OPT_INIT_LEN,
		.mss	= cpu_to_be16(init->mss),
		.tag	= cpu_to_be32(init->tag),
		.isn	= cpu_to_be32(init->isn),
		.flags	= cpu_to_be16(init->flags),
	};

	memcpy(at, &opt, sizeof(opt));
	return (u8 *)at + sizeof(opt);
}

/**
 * haul_wire_put_fastopen() - write option FASTOPEN
 * @at: where, at any alignment; HAUL_OPT_FASTOPEN_LEN() bytes
 * @fastopen: the cookie, of a length that the wire knows
 *
 * Context: any.
 * Return: where the next option goes.
 */
void *haul_wire_put_fastopen(void *at, const struct haul_fastopen_option *fastopen)
{
	const u8 head[HAUL_OPT_FASTOPEN_LEN(0)] = {
		HAUL_OPT_FASTOPEN, HAUL_OPT_FASTOPEN_LEN(fastopen->len),
	};
	u8 *to = at;

	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), fastopen->cookie, fastopen->len);
	return to + sizeof(head) + fastopen->len;
}

/**
 * haul_wire_put_sack() - write option SACK
 * @at: where, at any alignment; HAUL_OPT_SACK_LEN(@num) bytes, none if @num is 0
 * @blocks: the blocks, the one to be read first at the front
 * @num: how many, at most HAUL_SACK_MAX
 *
 * Context: any.
 * Return: where the next option goes.
 */
void *haul_wire_put_sack(void *at, const struct haul_block *blocks, unsigned int num)
{
	const u8 head[HAUL_OPT_SACK_LEN(0)] = { HAUL_OPT_SACK, HAUL_OPT_SACK_LEN(num) };
	u8 *to = at;
	unsigned int i;

	if (!num)
		return at;
	memcpy(to, head, sizeof(head));
	to += sizeof(head);
	for (i = 0; i < num; i++, to += sizeof(struct haul_opt_block)) {
		struct haul_opt_block block = {
			.start	= cpu_to_be32(blocks[i].start),
			.end	= cpu_to_be32(blocks[i].end),
		};

		memcpy(to, &block, sizeof(block));
	}
	return to;
}
