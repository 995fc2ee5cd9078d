// SPDX-License-Identifier: GPL-2.0
/* wire.c: every check of the header and the options, one by one. */
#include "wire_check.h"

/* a packet under construction, and what parsing it gave */
struct bench {
	u8 bytes[1024];
	u32 len;
	struct haul_packet p;
	struct haul_options o;
};

static enum haul_wire_error parse(struct bench *b)
{
	return parse_bytes(b->bytes, b->len, b->len, &b->p, &b->o);
}

static void put16(struct bench *b, u32 at, u16 value)
{
	b->bytes[at] = value >> 8;
	b->bytes[at + 1] = value & 0xff;
}

static void put32(struct bench *b, u32 at, u32 value)
{
	put16(b, at, value >> 16);
	put16(b, at + 2, value & 0xffff);
}

/* A correct packet of @kind with @flags, @optlen zero bytes of room for options, @payload bytes. */
static struct bench start(u8 kind, u16 flags, u32 optlen, u32 payload)
{
	u32 fixed = kind == HAUL_KIND_DATAGRAM ? HAUL_DGRAM_HDR : HAUL_HDR;
	struct bench b = { .len = fixed + optlen + payload };

	put16(&b, 0, 1000);
	put16(&b, 2, 2000);
	b.bytes[8] = HAUL_VERSION << 4 | kind;
	b.bytes[9] = (fixed + optlen) / 4;
	put16(&b, 10, flags);
	memset(&b.p, 0x5a, sizeof(b.p));	/* nothing but parsing makes it right */
	if (kind == HAUL_KIND_DATAGRAM)
		return b;
	put32(&b, 4, 0x11121314);
	put16(&b, 12, 0x2122);
	put32(&b, 16, 0x31323334);
	put32(&b, 20, 0x41424344);
	put32(&b, 24, 0x00515253);
	put32(&b, 28, 0x61626364);
	put32(&b, 32, 0x71727374);
	return b;
}

static enum haul_wire_error parse_flags(u8 kind, u16 flags, u32 payload)
{
	struct bench b = start(kind, flags, 0, payload);

	return parse(&b);
}

/* An ACK with one option of @len bytes, of which @type and @length are written. */
static struct bench start_option(u8 type, u8 length, u32 len)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, len, 0);

	b.bytes[HAUL_HDR] = type;
	b.bytes[HAUL_HDR + 1] = length;
	return b;
}

static struct bench start_init(u16 mss, u32 tag)
{
	struct bench b = start_option(HAUL_OPT_INIT, HAUL_OPT_INIT_LEN, HAUL_OPT_INIT_LEN);

	put16(&b, HAUL_HDR + 2, mss);
	put32(&b, HAUL_HDR + 4, tag);
	put32(&b, HAUL_HDR + 8, 0x99887766);
	put16(&b, HAUL_HDR + 12, HAUL_INIT_ECN);
	return b;
}

TEST(header_fields)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK | HAUL_PSH, 0, 5);

	b.p.ecn = 3;
	b.p.dif = 42;
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(be16_to_cpu(b.p.sport), 1000);
	EXPECT_EQ(be16_to_cpu(b.p.dport), 2000);
	EXPECT_EQ(b.p.kind, HAUL_KIND_STREAM);
	EXPECT_EQ(b.p.seq, 0x11121314);
	EXPECT_EQ(b.p.end_seq, 0x11121314 + 5);
	EXPECT_EQ(b.p.flags, HAUL_ACK | HAUL_PSH);
	EXPECT_EQ(b.p.ce, 0x2122);
	EXPECT_EQ(b.p.tag, 0x31323334);
	EXPECT_EQ(b.p.ack, 0x41424344);
	EXPECT_EQ(b.p.window, 0x00515253);
	EXPECT_EQ(b.p.tsval, 0x61626364);
	EXPECT_EQ(b.p.tsecr, 0x71727374);
	EXPECT_EQ(b.p.hdrlen, HAUL_HDR);
	EXPECT_EQ(haul_packet_len(&b.p), 5);
	/* these are the caller's */
	EXPECT_EQ(b.p.ecn, 3);
	EXPECT_EQ(b.p.dif, 42);
}

TEST(syn_and_fin_take_a_number_each)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_SYN, 0, 0);

	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.end_seq - b.p.seq, 1);
	EXPECT_EQ(haul_packet_len(&b.p), 0);
	b = start(HAUL_KIND_STREAM, HAUL_FIN | HAUL_ACK, 0, 7);
	put32(&b, 4, 0xfffffffc);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.end_seq, 4);
	EXPECT_EQ(haul_packet_len(&b.p), 7);
}

TEST(acknowledgment_counts_with_ack_only)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_SYN, 0, 0);

	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.ack, 0);
	EXPECT_EQ(b.p.tsecr, 0);
	EXPECT_EQ(b.p.tsval, 0x61626364);
	EXPECT_EQ(b.p.window, 0x00515253);
}

TEST(window_is_clamped)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);

	put32(&b, 24, HAUL_MAX_WINDOW);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.window, HAUL_MAX_WINDOW);
	put32(&b, 24, 0xffffffff);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.window, HAUL_MAX_WINDOW);
}

TEST(unknown_flags_are_ignored)
{
	struct bench b = start(HAUL_KIND_STREAM, 0xff00 | HAUL_ACK, 0, 0);

	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.flags, HAUL_ACK);
	b = start(HAUL_KIND_DATAGRAM, 0xff00, 0, 1);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.flags, 0);
}

TEST(datagram_has_no_connection_fields)
{
	struct bench b = start(HAUL_KIND_DATAGRAM, 0, 0, 40);

	memset(b.bytes + HAUL_DGRAM_HDR, 0xee, 40);
	put16(&b, 12, 0xeeee);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.p.kind, HAUL_KIND_DATAGRAM);
	EXPECT_EQ(b.p.hdrlen, HAUL_DGRAM_HDR);
	EXPECT_EQ(haul_packet_len(&b.p), 40);
	EXPECT_EQ(b.p.ce, 0);
	EXPECT_EQ(b.p.tag, 0);
	EXPECT_EQ(b.p.ack, 0);
	EXPECT_EQ(b.p.window, 0);
	EXPECT_EQ(b.p.tsval, 0);
	EXPECT_EQ(b.p.tsecr, 0);
}

TEST(datagram_rules)
{
	struct bench b;
	u32 bit;

	for (bit = 0; bit < 8; bit++)
		EXPECT_EQ(parse_flags(HAUL_KIND_DATAGRAM, 1 << bit, 1), HAUL_WIRE_FLAGS);
	b = start(HAUL_KIND_DATAGRAM, 0, 0, 1);
	put32(&b, 4, 1);
	EXPECT_EQ(parse(&b), HAUL_WIRE_HEADER);
	b = start(HAUL_KIND_DATAGRAM, 0, 0, 0);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
	b.bytes[9] = HAUL_DGRAM_HDR / 4 - 1;
	EXPECT_EQ(parse(&b), HAUL_WIRE_HEADER);
}

TEST(datagram_options_are_skipped)
{
	struct bench b = start(HAUL_KIND_DATAGRAM, 0, HAUL_OPT_INIT_LEN + 8, 3);

	b.bytes[16] = HAUL_OPT_INIT;
	b.bytes[17] = HAUL_OPT_INIT_LEN;
	b.bytes[32] = HAUL_OPT_SACK;
	b.bytes[33] = 7;
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_FALSE(b.o.has_init);
	EXPECT_EQ(b.o.num_sack, 0);
	EXPECT_EQ(b.p.hdrlen, HAUL_DGRAM_HDR + HAUL_OPT_INIT_LEN + 8);
	b.bytes[33] = 9;
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
}

TEST(short_of_any_header)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);

	for (b.len = 0; b.len < HAUL_HDR; b.len++)
		EXPECT_EQ(parse(&b), HAUL_WIRE_SHORT);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
	b = start(HAUL_KIND_DATAGRAM, 0, 0, 0);
	for (b.len = 0; b.len < HAUL_DGRAM_HDR; b.len++)
		EXPECT_EQ(parse(&b), HAUL_WIRE_SHORT);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
}

TEST(header_must_be_within_avail_and_total)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 100);

	EXPECT_EQ(parse_bytes(b.bytes, HAUL_HDR, b.len, &b.p, &b.o), HAUL_WIRE_OK);
	EXPECT_EQ(haul_packet_len(&b.p), 100);
	EXPECT_EQ(parse_bytes(b.bytes, HAUL_HDR - 1, b.len, &b.p, &b.o), HAUL_WIRE_SHORT);
	/* bytes behind the packet, as from a padded frame */
	EXPECT_EQ(parse_bytes(b.bytes, b.len, HAUL_HDR, &b.p, &b.o), HAUL_WIRE_OK);
	EXPECT_EQ(haul_packet_len(&b.p), 0);
	EXPECT_EQ(parse_bytes(b.bytes, b.len, HAUL_HDR - 1, &b.p, &b.o), HAUL_WIRE_SHORT);
}

TEST(error_leaves_the_packet_alone)
{
	struct bench b = start(HAUL_KIND_STREAM, 0, 0, 0);

	EXPECT_EQ(parse(&b), HAUL_WIRE_FLAGS);
	EXPECT_EQ(b.p.seq, 0x5a5a5a5a);
	EXPECT_EQ(b.p.hdrlen, 0x5a5a);
}

TEST(version_and_kind)
{
	struct bench b;
	u32 i;

	for (i = 0; i < 16; i++) {
		b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);
		b.bytes[8] = i << 4 | HAUL_KIND_STREAM;
		EXPECT_EQ(parse(&b), i == HAUL_VERSION ? HAUL_WIRE_OK : HAUL_WIRE_VERSION);
		if (i >= 1 && i <= 3)
			continue;
		b.bytes[8] = HAUL_VERSION << 4 | i;
		EXPECT_EQ(parse(&b), HAUL_WIRE_KIND);
	}
}

TEST(header_length)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);
	u32 words;

	for (words = 0; words < HAUL_HDR / 4; words++) {
		b.bytes[9] = words;
		EXPECT_EQ(parse(&b), HAUL_WIRE_HEADER);
	}
	b.bytes[9] = HAUL_HDR / 4 + 1;
	EXPECT_EQ(parse(&b), HAUL_WIRE_SHORT);
	/* one option that fills what is allowed, and four bytes more */
	b = start_option(99, 255, HAUL_HDR_MAX - HAUL_HDR);
	b.bytes[HAUL_HDR + 256] = 98;
	b.bytes[HAUL_HDR + 257] = HAUL_HDR_MAX - HAUL_HDR - 256;
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
	b.bytes[9]++;
	b.len += 4;
	EXPECT_EQ(parse(&b), HAUL_WIRE_HEADER);
}

TEST(port_0)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);

	put16(&b, 0, 0);
	EXPECT_EQ(parse(&b), HAUL_WIRE_PORT);
	b = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);
	put16(&b, 2, 0);
	EXPECT_EQ(parse(&b), HAUL_WIRE_PORT);
	b = start(HAUL_KIND_DATAGRAM, 0, 0, 0);
	put16(&b, 2, 0);
	EXPECT_EQ(parse(&b), HAUL_WIRE_PORT);
}

TEST(every_combination_of_flags)
{
	u32 flags, kind, payload;

	for (kind = HAUL_KIND_STREAM; kind <= HAUL_KIND_DATAGRAM; kind++) {
		for (flags = 0; flags <= HAUL_FLAGS; flags++) {
			for (payload = 0; payload < 2; payload++) {
				bool bad = flags_forbidden(kind, flags, payload);

				EXPECT_EQ(parse_flags(kind, flags, payload),
					  bad ? HAUL_WIRE_FLAGS : HAUL_WIRE_OK);
			}
		}
	}
}

TEST(init)
{
	struct bench b = start_init(1400, 0xabcdef01);

	put16(&b, HAUL_HDR + 12, 0xffff);
	put16(&b, HAUL_HDR + 14, 0xffff);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_TRUE(b.o.has_init);
	EXPECT_EQ(b.o.init.tag, 0xabcdef01);
	EXPECT_EQ(b.o.init.isn, 0x99887766);
	EXPECT_EQ(b.o.init.mss, 1400);
	EXPECT_EQ(b.o.init.flags, HAUL_INIT_ECN);
	EXPECT_EQ(b.o.num_sack, 0);
}

TEST(fastopen_lengths)
{
	u32 length, i;

	for (length = 0; length < 40; length++) {
		struct bench b = start_option(HAUL_OPT_FASTOPEN, length, 40);
		bool good = length >= 4 && length <= 20 && !(length % 4);

		/* what follows it is padding's or another option's */
		for (i = length < 4 ? 4 : (length + 3) / 4 * 4; i < 40; i += 4)
			b.bytes[HAUL_HDR + i + 1] = 4;
		if (good)
			memset(b.bytes + HAUL_HDR + 4, 0x77, length - 4);
		ASSERT_EQ(parse(&b), good ? HAUL_WIRE_OK : HAUL_WIRE_OPTION);
		if (!good)
			continue;
		EXPECT_TRUE(b.o.has_fastopen);
		EXPECT_EQ(b.o.fastopen.len, length - 4);
		for (i = 0; i < b.o.fastopen.len; i++)
			EXPECT_EQ(b.o.fastopen.cookie[i], 0x77);
	}
}

TEST(fastopen_twice)
{
	struct bench b = start_option(HAUL_OPT_FASTOPEN, 4, 16);

	b.bytes[HAUL_HDR + 4] = HAUL_OPT_FASTOPEN;
	b.bytes[HAUL_HDR + 5] = 12;
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
	b.bytes[HAUL_HDR] = 9;
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.o.fastopen.len, 8);
}

/* The next packet's options have nothing of this one's. */
TEST(fastopen_is_forgotten)
{
	struct bench b = start_option(HAUL_OPT_FASTOPEN, 4, 4);

	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_TRUE(b.o.has_fastopen);
	b.bytes[HAUL_HDR] = 9;
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_FALSE(b.o.has_fastopen);
}

TEST(init_mss)
{
	static const u16 in[] = { 0, 1, 87, 88, 89, 65535 };
	static const u16 out[] = { 536, 88, 88, 88, 89, 65535 };
	u32 i;

	for (i = 0; i < 6; i++) {
		struct bench b = start_init(in[i], 1);

		ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
		EXPECT_EQ(b.o.init.mss, out[i]);
	}
}

TEST(init_tag_0)
{
	struct bench b = start_init(1400, 0);

	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
}

TEST(init_length)
{
	struct bench b;
	u32 len;

	for (len = 0; len <= HAUL_OPT_INIT_LEN; len++) {
		b = start_init(1400, 1);
		b.bytes[HAUL_HDR + 1] = len;
		EXPECT_EQ(parse(&b), len < HAUL_OPT_INIT_LEN ? HAUL_WIRE_OPTION : HAUL_WIRE_OK);
	}
	/* a later version's longer one */
	b = start_option(HAUL_OPT_INIT, 21, 24);
	put32(&b, HAUL_HDR + 4, 77);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_EQ(b.o.init.tag, 77);
}

TEST(init_twice)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 2 * HAUL_OPT_INIT_LEN, 0);
	struct haul_init init = { .tag = 1, .isn = 2, .mss = 1000 };

	haul_wire_put_init(haul_wire_put_init(b.bytes + HAUL_HDR, &init), &init);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
	b.bytes[HAUL_HDR] = 77;
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
}

TEST(options_are_forgotten_between_packets)
{
	struct bench b = start_init(1400, 5), plain = start(HAUL_KIND_STREAM, HAUL_ACK, 0, 0);

	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	b.o.num_sack = 3;
	ASSERT_EQ(parse_bytes(plain.bytes, plain.len, plain.len, &b.p, &b.o), HAUL_WIRE_OK);
	EXPECT_FALSE(b.o.has_init);
	EXPECT_EQ(b.o.init.tag, 0);
	EXPECT_EQ(b.o.num_sack, 0);
}

TEST(sack_length)
{
	u32 len;

	for (len = 0; len < 256; len++) {
		struct bench b = start_option(HAUL_OPT_SACK, len, 256);
		u32 end = HAUL_HDR + (len + 3) / 4 * 4;
		bool right = len >= 12 && (len - 4) % 8 == 0;

		/* what follows must be an option, too */
		if (len && end < HAUL_HDR + 256) {
			b.bytes[end] = 99;
			b.bytes[end + 1] = HAUL_HDR + 256 - end;
		}
		EXPECT_EQ(parse(&b), right ? HAUL_WIRE_OK : HAUL_WIRE_OPTION);
	}
}

TEST(sack_blocks_that_make_no_sense_are_skipped)
{
	static const struct haul_block blocks[] = {
		{ 10, 10 }, { 100, 200 }, { 300, 299 }, { 0xfffffff0, 0x10 }, { 0, 0x80000001 },
	};
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, HAUL_OPT_SACK_LEN(5), 0);

	haul_wire_put_sack(b.bytes + HAUL_HDR, blocks, 5);
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	ASSERT_EQ(b.o.num_sack, 2);
	EXPECT_EQ(b.o.sack[0].start, 100);
	EXPECT_EQ(b.o.sack[0].end, 200);
	EXPECT_EQ(b.o.sack[1].start, 0xfffffff0);
	EXPECT_EQ(b.o.sack[1].end, 0x10);
}

TEST(sack_twice)
{
	static const struct haul_block bad = { 10, 10 };
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 2 * HAUL_OPT_SACK_LEN(1), 0);

	haul_wire_put_sack(haul_wire_put_sack(b.bytes + HAUL_HDR, &bad, 1), &bad, 1);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
}

TEST(option_lengths)
{
	struct bench b;

	b = start_option(99, 0, 4);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
	b = start_option(99, 1, 4);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
	b = start_option(99, 2, 4);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
	b = start_option(99, 4, 4);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
	b = start_option(99, 5, 4);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OPTION);
	b = start_option(0, 2, 4);
	EXPECT_EQ(parse(&b), HAUL_WIRE_OK);
}

TEST(unknown_options_and_padding_are_skipped)
{
	struct bench b = start(HAUL_KIND_STREAM, HAUL_ACK, 8 + HAUL_OPT_INIT_LEN + 4, 0);
	static const u8 first[] = { 200, 5, 1, 2, 3, 0xff, 0xff, 0xff };
	static const u8 last[] = { 201, 3, 1, 0xff };
	struct haul_init init = { .tag = 9, .isn = 8, .mss = 700 };
	u8 *at = b.bytes + HAUL_HDR;

	memcpy(at, first, sizeof(first));
	at = haul_wire_put_init(at + sizeof(first), &init);
	memcpy(at, last, sizeof(last));
	ASSERT_EQ(parse(&b), HAUL_WIRE_OK);
	EXPECT_TRUE(b.o.has_init);
	EXPECT_EQ(b.o.init.tag, 9);
}

/* Neither may a caller's odd header length lead it past the end. */
TEST(odd_header_length)
{
	u8 *header = malloc(HAUL_HDR + 1);
	struct haul_options o;

	ASSERT_TRUE(header);
	memset(header, 0, HAUL_HDR + 1);
	header[8] = HAUL_VERSION << 4 | HAUL_KIND_STREAM;
	EXPECT_EQ(haul_wire_parse_options(header, HAUL_HDR + 1, &o), HAUL_WIRE_OPTION);
	free(header);
}

TEST(header_lengths_to_build)
{
	EXPECT_EQ(haul_wire_hdrlen(false, 0), 36);
	EXPECT_EQ(haul_wire_hdrlen(true, 0), 52);
	EXPECT_EQ(haul_wire_hdrlen(false, 1), 48);
	EXPECT_EQ(haul_wire_hdrlen(true, HAUL_SACK_MAX), 304);
}

TEST(build_writes_no_more_than_a_datagram_has)
{
	struct haul_packet p = { .kind = HAUL_KIND_DATAGRAM, .hdrlen = HAUL_DGRAM_HDR, .tag = 1 };
	union { struct haulhdr h; u8 bytes[HAUL_HDR]; } u;

	memset(&u, 0xaa, sizeof(u));
	haul_wire_build(&u.h, &p);
	EXPECT_EQ(u.bytes[8], 0x13);
	EXPECT_EQ(u.bytes[HAUL_DGRAM_HDR - 1], 0);
	EXPECT_EQ(u.bytes[HAUL_DGRAM_HDR], 0xaa);
}

TEST(build_writes_only_what_may_be_sent)
{
	struct haul_packet p = {
		.kind = HAUL_KIND_STREAM, .hdrlen = HAUL_HDR, .window = HAUL_MAX_WINDOW + 1,
		.flags = HAUL_SYN | 0x4000, .ack = 7, .tsecr = 7,
	};
	struct haulhdr h;

	haul_wire_build(&h, &p);
	EXPECT_EQ(be32_to_cpu(h.window), HAUL_MAX_WINDOW);
	EXPECT_EQ(be16_to_cpu(h.flags), HAUL_SYN);
	EXPECT_EQ(h.ack, 0);
	EXPECT_EQ(h.tsecr, 0);
	EXPECT_EQ(h.check, 0);
}

TEST(no_sack_option_without_blocks)
{
	u8 byte = 0xaa;

	EXPECT_TRUE(haul_wire_put_sack(&byte, NULL, 0) == &byte);
	EXPECT_EQ(byte, 0xaa);
}
