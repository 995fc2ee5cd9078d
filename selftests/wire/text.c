// SPDX-License-Identifier: GPL-2.0
/* Packets as text, see text.h: parsing and printing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

static const struct {
	const char *name;
	uint16_t bit;
} flag_names[] = {
	{ "SYN", F_SYN }, { "FIN", F_FIN }, { "RST", F_RST }, { "PSH", F_PSH }, { "ACK", F_ACK },
	{ "EOM", F_EOM }, { "REFLECTED", F_REFLECTED }, { "STATELESS", F_STATELESS },
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t number(const char *text)
{
	return strtoll(text, NULL, 0);
}

/* relative to @base, or absolute after an @ */
static uint32_t relative(const char *text, uint32_t base)
{
	return *text == '@' ? number(text + 1) : base + number(text);
}

static uint32_t tag_named(const char *text, const struct frame *f)
{
	if (!strcmp(text, "host"))
		return f->host_tag;
	if (!strcmp(text, "peer"))
		return f->peer_tag;
	if (!strcmp(text, "bad"))
		return f->host_tag ^ 0x00010000;
	return number(text);
}

static void parse_sack(struct spec *s, const struct frame *f, const char *text)
{
	s->given |= G_SACK;
	if (*text == '*' || *text == '?') {
		s->given |= *text == '*' ? G_ANYSACK : G_MAYSACK;
		return;
	}
	while (s->p.num_sack < SACK_BLOCKS) {
		struct block *block = &s->p.sack[s->p.num_sack++];
		char *end;

		block->start = f->ack_base + strtoll(text, &end, 0);
		block->end = f->ack_base + (*end == '-' ? strtoll(end + 1, &end, 0) : 0);
		if (*end != ',')
			break;
		text = end + 1;
	}
}

static void parse_option(struct spec *s, const char *text)
{
	unsigned int byte;

	while (s->p.raw_len < sizeof(s->p.raw) && sscanf(text, "%2x", &byte) == 1) {
		s->p.raw[s->p.raw_len++] = byte;
		text += 2;
	}
}

static void parse_cookie(struct spec *s, const char *text)
{
	unsigned int byte;

	s->p.has_fastopen = true;
	if (*text == '*')
		s->given |= G_ANYCOOKIE;
	while (s->p.cookie_len < COOKIE_MAX && sscanf(text, "%2x", &byte) == 1) {
		s->p.cookie[s->p.cookie_len++] = byte;
		text += 2;
	}
}

static void parse_tsval(struct spec *s, const char *text)
{
	s->given |= G_TSVAL;
	if (*text == '+' || *text == '-')
		s->given |= G_DELTA;
	s->p.tsval = number(text);
}

static void parse_data(struct spec *s, const char *text)
{
	s->given |= G_DATA | G_LEN;
	s->p.len = strlen(text);
	memcpy(s->data, text, s->p.len);
	s->p.payload = s->data;
}

#define NUMBER(name, field, bit) \
	{ name, offsetof(struct packet, field), sizeof(((struct packet *)0)->field), bit }

/* keys whose value is a number that goes into a field of its own */
static const struct {
	const char *key;
	size_t offset;
	size_t size;
	uint32_t given;
} numbers[] = {
	NUMBER("len", len, G_LEN), NUMBER("win", window, G_WIN), NUMBER("tsecr", tsecr, G_TSECR),
	NUMBER("ce", ce, G_CE), NUMBER("mss", init.mss, G_MSS | G_INIT),
	NUMBER("itag", init.tag, G_ITAG | G_INIT), NUMBER("kind", kind, G_KIND),
	NUMBER("version", version, G_VERSION), NUMBER("words", words, 0), NUMBER("flags", flags, 0),
	NUMBER("sport", sport, G_SPORT), NUMBER("dport", dport, G_DPORT),
};

static bool parse_number(struct spec *s, const char *key, const char *value)
{
	uint32_t n = number(value);
	size_t i;

	for (i = 0; i < ARRAY_LEN(numbers); i++) {
		uint8_t *field = (uint8_t *)&s->p + numbers[i].offset;

		if (strcmp(key, numbers[i].key))
			continue;
		if (numbers[i].size == 1)
			*field = n;
		else if (numbers[i].size == 2)
			*(uint16_t *)field = n;
		else
			*(uint32_t *)field = n;
		s->given |= numbers[i].given;
		return true;
	}
	return false;
}

static bool parse_value(struct spec *s, const struct frame *f, const char *key, const char *value)
{
	if (parse_number(s, key, value))
		return true;
	if (!strcmp(key, "seq")) {
		s->given |= G_SEQ;
		s->p.seq = relative(value, f->seq_base);
	} else if (!strcmp(key, "ack")) {
		s->given |= G_ACK;
		s->p.ack = relative(value, f->ack_base);
	} else if (!strcmp(key, "isn")) {
		s->given |= G_ISN | G_INIT;
		s->p.init.isn = relative(value, f->seq_base);
	} else if (!strcmp(key, "tag")) {
		s->given |= G_TAG;
		s->p.tag = tag_named(value, f);
	} else if (!strcmp(key, "sack")) {
		parse_sack(s, f, value);
	} else if (!strcmp(key, "tsval")) {
		parse_tsval(s, value);
	} else if (!strcmp(key, "data")) {
		parse_data(s, value);
	} else if (!strcmp(key, "fastopen")) {
		parse_cookie(s, value);
	} else if (!strcmp(key, "option")) {
		parse_option(s, value);
	} else {
		return false;
	}
	return true;
}

static bool parse_word(struct spec *s, const char *word)
{
	static const struct {
		const char *name;
		uint32_t given;
		int ecn;
	} words[] = {
		{ "init", G_INIT, 0 },	   { "noinit", G_NOINIT, 0 }, { "ecn", G_ECN | G_INIT, 0 },
		{ "noecn", G_NOECN, 0 },   { "notect", G_IPECN, 0 },  { "ect0", G_IPECN, 2 },
		{ "ce-mark", G_IPECN, 3 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(flag_names); i++) {
		if (!strcmp(word, flag_names[i].name)) {
			s->p.flags |= flag_names[i].bit;
			return true;
		}
	}
	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(word, words[i].name)) {
			s->given |= words[i].given;
			s->p.ecn |= words[i].ecn;
			return true;
		}
	}
	if (!strcmp(word, "fastopen")) {
		s->p.has_fastopen = true;
		return true;
	}
	if (strcmp(word, "badsum"))
		return false;
	s->p.bad_sum = true;
	return true;
}

const char *spec_parse(struct spec *s, const struct frame *f, const char *fmt, va_list args)
{
	static char text[1024];
	char *word, *save, *value;

	memset(s, 0, sizeof(*s));
	s->p.version = 1;
	vsnprintf(text, sizeof(text), fmt, args);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		value = strchr(word, '=');
		if (!value) {
			if (!parse_word(s, word))
				return word;
			continue;
		}
		*value++ = 0;
		if (!parse_value(s, f, word, value))
			return word;
	}
	return NULL;
}

/* appends, as far as there is room */
static void __attribute__((format(printf, 3, 4))) add(char *out, size_t room, const char *fmt, ...)
{
	size_t used = strlen(out);
	va_list args;

	va_start(args, fmt);
	vsnprintf(out + used, room - used, fmt, args);
	va_end(args);
}

static void print_tag(char *out, size_t room, uint32_t tag, const struct frame *f)
{
	if (tag == f->host_tag && tag)
		add(out, room, " tag=host");
	else if (tag == f->peer_tag && tag)
		add(out, room, " tag=peer");
	else
		add(out, room, " tag=0x%x", tag);
}

static void print_options(char *out, size_t room, const struct packet *p, const struct frame *f)
{
	unsigned int i;

	if (p->has_init)
		add(out, room, " init mss=%u itag=0x%x isn=@0x%x%s", p->init.mss, p->init.tag,
		    p->init.isn, p->init.flags & INIT_ECN ? " ecn" : "");
	if (p->has_fastopen)
		add(out, room, " fastopen");
	for (i = 0; i < p->cookie_len; i++)
		add(out, room, "%s%02x", i ? "" : "=", p->cookie[i]);
	for (i = 0; i < p->num_sack; i++)
		add(out, room, "%s%d-%d",
		    i ? "," : " sack=", (int32_t)(p->sack[i].start - f->ack_base),
		    (int32_t)(p->sack[i].end - f->ack_base));
	for (i = 0; i < p->raw_len; i++)
		add(out, room, "%s%02x", i ? "" : " option=", p->raw[i]);
}

static void print_connection(char *out, size_t room, const struct packet *p, const struct frame *f)
{
	add(out, room, " seq=%d", (int32_t)(p->seq - f->seq_base));
	if (p->flags & F_ACK)
		add(out, room, " ack=%d", (int32_t)(p->ack - f->ack_base));
	add(out, room, " len=%u win=%u", p->len, p->window);
	print_tag(out, room, p->tag, f);
	add(out, room, " tsval=%u", p->tsval);
	if (p->flags & F_ACK)
		add(out, room, " tsecr=%u", p->tsecr);
	if (p->ce)
		add(out, room, " ce=%u", p->ce);
}

char *packet_print(char *out, size_t room, const struct packet *p, const struct frame *f)
{
	static const char *const ecn[] = { "", " ect1", " ect0", " ce-mark" };
	size_t i;

	*out = 0;
	for (i = 0; i < ARRAY_LEN(flag_names); i++)
		if (p->flags & flag_names[i].bit)
			add(out, room, "%s%s", *out ? " " : "", flag_names[i].name);
	if (p->kind == KIND_DATAGRAM)
		add(out, room, "datagram len=%u", p->len);
	else
		print_connection(out, room, p, f);
	print_options(out, room, p, f);
	if (p->kind == KIND_MESSAGE)
		add(out, room, " kind=2");
	if (p->version != 1)
		add(out, room, " version=%u", p->version);
	add(out, room, "%s%s", ecn[p->ecn & 3], p->bad_sum ? " badsum" : "");
	return out;
}
