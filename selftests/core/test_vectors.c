// SPDX-License-Identifier: GPL-2.0
/*
 * wire.c against vectors.txt, which an independent encoder wrote (scripts/vectors.py): each
 * packet is parsed and put together again, each malformed one is refused for the reason that the
 * file names.
 */
#include <asm/byteorder.h>
#include "core/wire.h"
#include "test.h"

struct vector {
	char name[64];
	char error[32];
	struct haul_packet p;
	struct haul_options o;
	u8 payload[64];
	u32 paylen;
	u32 checksum;
	bool unknown;		/* has options or flags that wire.c does not build */
	u8 bytes[512];
	u32 len;
};

static const char *const error_names[] = {
	[HAUL_WIRE_OK] = "",
	[HAUL_WIRE_SHORT] = "short",
	[HAUL_WIRE_VERSION] = "version",
	[HAUL_WIRE_KIND] = "kind",
	[HAUL_WIRE_HEADER] = "header",
	[HAUL_WIRE_FLAGS] = "flags",
	[HAUL_WIRE_OPTION] = "option",
	[HAUL_WIRE_PORT] = "port",
};

static void take_word(char *to, u32 room, const char *text)
{
	snprintf(to, room, "%.*s", (int)strcspn(text, " \n"), text);
}

static u32 hex_bytes(const char *text, u8 *out)
{
	char pair[3] = {};
	u32 len = 0;

	for (; *text; text += strspn(text, " \n")) {
		memcpy(pair, text, 2);
		out[len++] = strtoul(pair, NULL, 16);
		text += 2;
	}
	return len;
}

static u16 flag_bits(struct vector *v, char *text)
{
	static const struct { const char *name; u16 bit;
	} names[] = {
		{ "FIN", HAUL_FIN },
		{ "SYN", HAUL_SYN },
		{ "RST", HAUL_RST },
		{ "PSH", HAUL_PSH },
		{ "ACK", HAUL_ACK },
		{ "EOM", HAUL_EOM },
		{ "REFLECTED", HAUL_REFLECTED },
		{ "STATELESS", HAUL_STATELESS },
		{ "none", 0 },
	};
	u16 bits = 0;
	char *word;
	u32 i;

	for (word = strtok(text, " \n"); word; word = strtok(NULL, " \n")) {
		if (!strncmp(word, "0x", 2)) {
			v->unknown = true;
			continue;
		}
		for (i = 0; i < sizeof(names) / sizeof(names[0]) && strcmp(names[i].name, word);
		     i++)
			;
		ASSERT_TRUE(i < sizeof(names) / sizeof(names[0]));
		bits |= names[i].bit;
	}
	return bits;
}

static void set_kind(struct vector *v, const char *value)
{
	v->p.kind = *value == 's'   ? HAUL_KIND_STREAM
		    : *value == 'm' ? HAUL_KIND_MESSAGE
				    : HAUL_KIND_DATAGRAM;
}

/* the number after @word in @text */
static u32 number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	ASSERT_TRUE(at);
	return strtoul(at + strlen(word), NULL, 0);
}

static void set_option(struct vector *v, const char *key, const char *value)
{
	struct haul_init *init = &v->o.init;
	struct haul_block *block = &v->o.sack[v->o.num_sack];

	if (!strcmp(key, "init")) {
		v->o.has_init = true;
		init->mss = number_after(value, "mss ");
		init->tag = number_after(value, "tag ");
		init->isn = number_after(value, "isn ");
		init->flags = number_after(value, "flags ");
	} else if (!strcmp(key, "sack")) {
		v->o.num_sack++;
		block->start = strtoul(value, NULL, 0);
		block->end = number_after(value, " ");
	} else if (!strcmp(key, "fastopen")) {
		v->o.has_fastopen = true;
		if (strncmp(value, "none", 4))
			v->o.fastopen.len = hex_bytes(value, v->o.fastopen.cookie);
	} else {
		v->unknown = true;
	}
}

static void set_field(struct vector *v, const char *key, char *value)
{
	struct { const char *key; u32 *to;
	} words[] = {
		{ "seq", &v->p.seq },	      { "tag", &v->p.tag },	{ "ack", &v->p.ack },
		{ "window", &v->p.window },   { "tsval", &v->p.tsval }, { "tsecr", &v->p.tsecr },
		{ "checksum", &v->checksum },
	};
	u32 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].key, key))
			*words[i].to = strtoul(value, NULL, 0);
	if (!strcmp(key, "kind"))
		set_kind(v, value);
	else if (!strcmp(key, "source"))
		v->p.sport = cpu_to_be16(atoi(value));
	else if (!strcmp(key, "dest"))
		v->p.dport = cpu_to_be16(atoi(value));
	else if (!strcmp(key, "ce"))
		v->p.ce = atoi(value);
	else if (!strcmp(key, "flags"))
		v->p.flags = flag_bits(v, value);
	else if (!strcmp(key, "payload"))
		v->paylen = hex_bytes(value, v->payload);
	else if (!strcmp(key, "hex"))
		v->len += hex_bytes(value, v->bytes + v->len);
	else if (!strcmp(key, "error"))
		take_word(v->error, sizeof(v->error), value);
	else if (!strcmp(key, "init") || !strcmp(key, "sack") || !strcmp(key, "fastopen") ||
		 !strcmp(key, "unknown"))
		set_option(v, key, value);
}

/* The file lies beside this source, wherever the program runs. */
static FILE *vectors_open(void)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%.*s/vectors.txt", (int)(strrchr(__FILE__, '/') - __FILE__),
		 __FILE__);
	file = fopen(path, "r");
	ASSERT_TRUE(file);
	return file;
}

static bool vector_next(FILE *file, struct vector *v)
{
	char line[512], key[16], *value;

	memset(v, 0, sizeof(*v));
	while (fgets(line, sizeof(line), file)) {
		if (*line == '#' || *line == '\n')
			continue;
		if (!strcmp(line, "end\n"))
			return true;
		value = line + strspn(line, " ");
		take_word(key, sizeof(key), value);
		value += strlen(key);
		value += strspn(value, " ");
		if (!strcmp(key, "packet") || !strcmp(key, "malformed"))
			take_word(v->name, sizeof(v->name), value);
		else
			set_field(v, key, value);
	}
	return false;
}

static u16 internet_checksum(const u8 *bytes, u32 len)
{
	u32 sum = 0, i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static enum haul_wire_error parse(const struct vector *v, struct haul_packet *p,
				  struct haul_options *o)
{
	/* a copy of exactly this length, so that a byte read past it is noticed */
	u8 *bytes = malloc(v->len ?: 1);
	enum haul_wire_error err;

	memcpy(bytes, v->bytes, v->len);
	memset(p, 0, sizeof(*p));
	memset(o, 0, sizeof(*o));
	err = haul_wire_parse(bytes, v->len, v->len, p);
	if (!err)
		err = haul_wire_parse_options(bytes, p->hdrlen, o);
	free(bytes);
	return err;
}

static void expect_options(const struct haul_options *got, const struct haul_options *want)
{
	u32 i;

	EXPECT_EQ(got->has_init, want->has_init);
	if (want->has_init) {
		EXPECT_EQ(got->init.tag, want->init.tag);
		EXPECT_EQ(got->init.isn, want->init.isn);
		EXPECT_EQ(got->init.mss, want->init.mss);
		EXPECT_EQ(got->init.flags, want->init.flags);
	}
	EXPECT_EQ(got->has_fastopen, want->has_fastopen);
	if (want->has_fastopen) {
		EXPECT_EQ(got->fastopen.len, want->fastopen.len);
		EXPECT_EQ(memcmp(got->fastopen.cookie, want->fastopen.cookie, want->fastopen.len),
			  0);
	}
	EXPECT_EQ(got->num_sack, want->num_sack);
	for (i = 0; i < want->num_sack; i++) {
		EXPECT_EQ(got->sack[i].start, want->sack[i].start);
		EXPECT_EQ(got->sack[i].end, want->sack[i].end);
	}
}

static void expect_packet(const struct haul_packet *got, const struct vector *v)
{
	const struct haul_packet *want = &v->p;

	EXPECT_EQ(got->kind, want->kind);
	EXPECT_EQ(be16_to_cpu(got->sport), be16_to_cpu(want->sport));
	EXPECT_EQ(be16_to_cpu(got->dport), be16_to_cpu(want->dport));
	EXPECT_EQ(got->seq, want->seq);
	EXPECT_EQ(got->flags & HAUL_FLAGS, want->flags);
	EXPECT_EQ(haul_packet_len(got), v->paylen);
	EXPECT_EQ(got->hdrlen, v->len - v->paylen);
	if (want->kind == HAUL_KIND_DATAGRAM)
		return;
	EXPECT_EQ(got->ce, want->ce);
	EXPECT_EQ(got->tag, want->tag);
	EXPECT_EQ(got->ack, want->ack);
	EXPECT_EQ(got->window, want->window);
	EXPECT_EQ(got->tsval, want->tsval);
	EXPECT_EQ(got->tsecr, want->tsecr);
}

/* the same packet, by wire.c; its bytes must be those of the file */
static void expect_built(const struct vector *v)
{
	u32 hdrlen = v->p.kind == HAUL_KIND_DATAGRAM ? HAUL_DGRAM_HDR :
		     haul_wire_hdrlen(v->o.has_init, v->o.num_sack), i;
	struct haul_packet p = v->p;
	u8 bytes[512] = {};
	void *at = bytes + HAUL_HDR;
	u16 sum;

	if (v->o.has_fastopen)
		hdrlen += HAUL_OPT_FASTOPEN_LEN(v->o.fastopen.len);
	p.hdrlen = hdrlen;
	p.end_seq = p.seq + v->paylen + !!(p.flags & HAUL_SYN) + !!(p.flags & HAUL_FIN);
	haul_wire_build((struct haulhdr *)bytes, &p);
	if (v->o.has_init)
		at = haul_wire_put_init(at, &v->o.init);
	if (v->o.has_fastopen)
		at = haul_wire_put_fastopen(at, &v->o.fastopen);
	if (v->o.num_sack)
		at = haul_wire_put_sack(at, v->o.sack, v->o.num_sack);
	if (p.kind != HAUL_KIND_DATAGRAM)
		EXPECT_EQ((u8 *)at - bytes, hdrlen);
	memcpy(bytes + hdrlen, v->payload, v->paylen);
	ASSERT_EQ(hdrlen + v->paylen, v->len);
	bytes[14] = 0;
	bytes[15] = 0;
	sum = internet_checksum(bytes, v->len);
	EXPECT_EQ(sum, v->checksum);
	bytes[14] = sum >> 8;
	bytes[15] = sum & 0xff;
	for (i = 0; i < v->len; i++)
		if (bytes[i] != v->bytes[i])
			test_fail(__FILE__, __LINE__, "%s: byte %u is %02x, not %02x", v->name, i,
				  bytes[i], v->bytes[i]);
}

TEST(parses_what_an_independent_encoder_wrote)
{
	struct haul_packet p;
	struct haul_options o;
	struct vector v;
	FILE *file = vectors_open();
	u32 seen = 0;

	while (vector_next(file, &v)) {
		if (*v.error)
			continue;
		seen++;
		EXPECT_STREQ(error_names[parse(&v, &p, &o)], "");
		expect_packet(&p, &v);
		expect_options(&o, &v.o);
		EXPECT_EQ(internet_checksum(v.bytes, v.len), 0);
	}
	fclose(file);
	EXPECT_GE(seen, 20);
}

TEST(builds_the_same_bytes)
{
	struct vector v;
	FILE *file = vectors_open();

	while (vector_next(file, &v))
		if (!*v.error && !v.unknown)
			expect_built(&v);
	fclose(file);
}

TEST(refuses_the_malformed_for_the_right_reason)
{
	struct haul_packet p;
	struct haul_options o;
	struct vector v;
	FILE *file = vectors_open();
	u32 seen = 0;

	while (vector_next(file, &v)) {
		if (!*v.error || !strcmp(v.error, "checksum"))
			continue;
		seen++;
		if (strcmp(error_names[parse(&v, &p, &o)], v.error))
			test_fail(__FILE__, __LINE__, "%s: refused as \"%s\", not \"%s\"", v.name,
				  error_names[parse(&v, &p, &o)], v.error);
	}
	fclose(file);
	EXPECT_GE(seen, 30);
}

TEST(refuses_every_truncation_of_a_header)
{
	struct haul_packet p;
	struct haul_options o;
	struct vector v, cut;
	FILE *file = vectors_open();

	while (vector_next(file, &v)) {
		if (*v.error)
			continue;
		cut = v;
		for (cut.len = 0; cut.len < v.len - v.paylen; cut.len++)
			EXPECT_EQ(parse(&cut, &p, &o), HAUL_WIRE_SHORT);
	}
	fclose(file);
}
