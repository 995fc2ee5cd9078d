// SPDX-License-Identifier: GPL-2.0
/* wire.c: random packets there and back, then mutated ones and noise. */
#include "core/seq.h"
#include "wire_check.h"

/* A random packet that a sender could mean. */
static void random_packet(struct haul_packet *p, struct haul_options *o, u32 *payload)
{
	static const u16 flags[] = {
		HAUL_SYN, HAUL_SYN | HAUL_ACK, HAUL_SYN | HAUL_ACK | HAUL_STATELESS, HAUL_ACK,
		HAUL_ACK | HAUL_PSH, HAUL_FIN | HAUL_ACK, HAUL_RST | HAUL_ACK,
		HAUL_RST | HAUL_REFLECTED,
	};
	u32 i;

	memset(p, 0, sizeof(*p));
	memset(o, 0, sizeof(*o));
	p->kind = HAUL_KIND_STREAM + test_random_below(2);
	p->flags = flags[test_random_below(8)];
	*payload = p->flags & HAUL_RST ? 0 : test_random_below(3);
	if (p->kind == HAUL_KIND_MESSAGE && *payload && test_random_below(2))
		p->flags |= HAUL_EOM;
	p->sport = cpu_to_be16(1 + test_random_below(65535));
	p->dport = cpu_to_be16(1 + test_random_below(65535));
	p->seq = test_random();
	p->end_seq = p->seq + *payload + !!(p->flags & HAUL_SYN) + !!(p->flags & HAUL_FIN);
	p->ce = test_random();
	p->tag = test_random();
	p->window = test_random_below(HAUL_MAX_WINDOW + 1);
	p->tsval = test_random();
	p->ack = p->flags & HAUL_ACK ? test_random() : 0;
	p->tsecr = p->flags & HAUL_ACK ? test_random() : 0;
	o->has_init = test_random_below(2);
	if (o->has_init)
		o->init = (struct haul_init){
			.tag = 1 + test_random_below(~0U - 1), .isn = test_random(),
			.mss = 88 + test_random_below(60000), .flags = test_random_below(2),
		};
	o->num_sack = test_random_below(HAUL_SACK_MAX + 1);
	for (i = 0; i < o->num_sack; i++) {
		o->sack[i].start = test_random();
		o->sack[i].end = o->sack[i].start + 1 + test_random_below(0x7ffffffe);
	}
	p->hdrlen = haul_wire_hdrlen(o->has_init, o->num_sack);
	/* beside the longest SACK there is no room */
	o->has_fastopen = o->num_sack < HAUL_SACK_MAX - 1 && test_random_below(2);
	if (!o->has_fastopen)
		return;
	o->fastopen.len = HAUL_FASTOPEN_STEP * test_random_below(5);
	for (i = 0; i < o->fastopen.len; i++)
		o->fastopen.cookie[i] = test_random();
	p->hdrlen += HAUL_OPT_FASTOPEN_LEN(o->fastopen.len);
}

static u32 build(const struct haul_packet *p, const struct haul_options *o, u32 payload, u8 *bytes)
{
	struct haulhdr h;
	void *at = bytes + HAUL_HDR;

	haul_wire_build(&h, p);
	memcpy(bytes, &h, HAUL_HDR);
	if (o->has_init)
		at = haul_wire_put_init(at, &o->init);
	if (o->has_fastopen)
		at = haul_wire_put_fastopen(at, &o->fastopen);
	at = haul_wire_put_sack(at, o->sack, o->num_sack);
	ASSERT_EQ((u8 *)at - bytes, p->hdrlen);
	memset(at, 'x', payload);
	return p->hdrlen + payload;
}

TEST(what_is_built_parses_as_the_same)
{
	u32 round, payload;

	for (round = 0; round < 5000; round++) {
		struct haul_packet p, q = { .seq = ~0U, .ack = ~0U, .tsecr = ~0U };
		struct haul_options o, r = {};
		u8 bytes[HAUL_HDR_MAX + 16];
		u32 len;

		random_packet(&p, &o, &payload);
		len = build(&p, &o, payload, bytes);
		ASSERT_EQ(parse_bytes(bytes, len, len, &q, &r), HAUL_WIRE_OK);
		ASSERT_EQ(memcmp(&p, &q, sizeof(p)), 0);
		ASSERT_EQ(r.has_init, o.has_init);
		ASSERT_EQ(memcmp(&r.init, &o.init, sizeof(o.init)), 0);
		ASSERT_EQ(r.has_fastopen, o.has_fastopen);
		ASSERT_EQ(memcmp(&r.fastopen, &o.fastopen, sizeof(o.fastopen)), 0);
		ASSERT_EQ(r.num_sack, o.num_sack);
		ASSERT_EQ(memcmp(r.sack, o.sack, o.num_sack * sizeof(o.sack[0])), 0);
	}
}

/* What whoever reads a parsed packet relies on. */
static void check_promises(const struct haul_packet *p, const struct haul_options *o, u32 total)
{
	u32 i;

	ASSERT_LE(p->hdrlen, HAUL_HDR_MAX);
	ASSERT_LE(p->hdrlen, total);
	ASSERT_EQ(haul_packet_len(p), total - p->hdrlen);
	ASSERT_LE(p->window, HAUL_MAX_WINDOW);
	ASSERT_TRUE(p->dport && p->sport);
	ASSERT_FALSE(flags_forbidden(p->kind, p->flags, haul_packet_len(p)));
	ASSERT_TRUE(p->kind != HAUL_KIND_DATAGRAM || !p->seq);
	ASSERT_LE(o->num_sack, HAUL_SACK_MAX);
	for (i = 0; i < o->num_sack; i++)
		ASSERT_TRUE(haul_before(o->sack[i].start, o->sack[i].end));
	ASSERT_TRUE(!o->has_fastopen || o->fastopen.len <= HAUL_FASTOPEN_MAX);
	ASSERT_TRUE(!o->has_init || (o->init.tag && o->init.mss >= HAUL_MIN_MSS));
}

/* Alters a few bytes, mostly where lengths, types and flags are, and cuts or extends. */
static u32 mutate(u8 *bytes, u32 len, u32 room)
{
	u32 changes = test_random_below(4);

	while (changes--) {
		u32 at = test_random_below(test_random_below(2) ? 16 : len);

		if (test_random_below(2))
			bytes[at] ^= 1 << test_random_below(8);
		else
			bytes[at] = test_random();
	}
	switch (test_random_below(4)) {
	case 0:
		return test_random_below(len + 1);
	case 1:
		return len + test_random_below(room - len + 1);
	default:
		return len;
	}
}

TEST(survives_mutated_packets)
{
	u32 round, payload, good = 0;

	for (round = 0; round < 200000; round++) {
		u8 bytes[HAUL_HDR_MAX + 64] = {};
		struct haul_packet p;
		struct haul_options o;
		u32 len;

		random_packet(&p, &o, &payload);
		len = mutate(bytes, build(&p, &o, payload, bytes), sizeof(bytes));
		if (parse_bytes(bytes, len, len, &p, &o))
			continue;
		good++;
		check_promises(&p, &o, len);
	}
	/*
	 * the mutations must not be so coarse that nothing passes the first checks, nor so mild
	 * that all does
	 */
	EXPECT_GT(good, 20000);
	EXPECT_LT(good, 180000);
}

TEST(survives_noise)
{
	u32 round, i;

	for (round = 0; round < 200000; round++) {
		u8 bytes[128];
		u32 len = test_random_below(sizeof(bytes) + 1);
		struct haul_packet p;
		struct haul_options o;

		for (i = 0; i < len; i++)
			bytes[i] = test_random();
		if (len > 9 && test_random_below(4)) {
			bytes[8] = HAUL_VERSION << 4 | (1 + test_random_below(3));
			bytes[9] = test_random_below(len / 4 + 2);
		}
		if (!parse_bytes(bytes, len, len, &p, &o))
			check_promises(&p, &o, len);
	}
}
