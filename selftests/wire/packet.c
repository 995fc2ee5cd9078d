// SPDX-License-Identifier: GPL-2.0
/*
 * From packets to bytes and back, by Documentation/protocol.rst section 1; strict on what it
 * decodes.
 */
#include <string.h>
#include "packet.h"
#include "../bytes.h"

static uint8_t *put_init(uint8_t *at, const struct init *init)
{
	at = put16(put8(put8(at, OPT_INIT), 16), init->mss);
	at = put32(put32(at, init->tag), init->isn);
	return put16(put16(at, init->flags), 0);
}

static uint8_t *put_fastopen(uint8_t *at, const struct packet *p)
{
	at = put16(put8(put8(at, OPT_FASTOPEN), 4 + p->cookie_len), 0);
	memcpy(at, p->cookie, p->cookie_len);
	return at + p->cookie_len;
}

static uint8_t *put_sack(uint8_t *at, const struct block *blocks, unsigned int num)
{
	unsigned int i;

	at = put16(put8(put8(at, OPT_SACK), 4 + 8 * num), 0);
	for (i = 0; i < num; i++)
		at = put32(put32(at, blocks[i].start), blocks[i].end);
	return at;
}

static uint8_t *put_options(uint8_t *at, const struct packet *p)
{
	if (p->has_init)
		at = put_init(at, &p->init);
	if (p->has_fastopen)
		at = put_fastopen(at, p);
	if (p->num_sack)
		at = put_sack(at, p->sack, p->num_sack);
	memcpy(at, p->raw, p->raw_len);
	return at + p->raw_len;
}

static size_t header_length(const struct packet *p)
{
	size_t fixed = p->kind == KIND_DATAGRAM ? FIXED_DATAGRAM : FIXED_HEADER;

	return fixed + (p->has_init ? 16 : 0) + (p->has_fastopen ? 4 + p->cookie_len : 0) +
	       (p->num_sack ? 4 + 8 * p->num_sack : 0) + p->raw_len;
}

size_t packet_encode(const struct packet *p, uint8_t *out, size_t room)
{
	size_t hdrlen = header_length(p), len = hdrlen + p->len;
	uint8_t *at = out;

	if (len > room)
		return 0;
	at = put32(put16(put16(at, p->sport), p->dport), p->seq);
	at = put8(put8(at, p->version << 4 | p->kind), p->words ? p->words : hdrlen / 4);
	at = put16(put16(put16(at, p->flags), p->ce), 0);
	if (p->kind != KIND_DATAGRAM) {
		at = put32(put32(put32(at, p->tag), p->ack), p->window);
		at = put32(put32(at, p->tsval), p->tsecr);
	}
	at = put_options(at, p);
	if (p->len)
		memcpy(at, p->payload, p->len);
	put16(out + 14, internet_checksum(out, len) ^ (p->bad_sum ? 0x0100 : 0));
	return len;
}

static const char *decode_init(struct packet *p, const uint8_t *at, unsigned int len)
{
	if (p->has_init)
		return "INIT twice";
	if (len != 16)
		return "INIT of a length other than 16";
	p->has_init = true;
	p->init.mss = get16(at + 2);
	p->init.tag = get32(at + 4);
	p->init.isn = get32(at + 8);
	p->init.flags = get16(at + 12);
	if (!p->init.tag)
		return "INIT with tag 0";
	if ((p->flags & F_SYN) && p->init.isn != p->seq)
		return "SYN whose INIT has another ISN";
	if ((p->init.flags & ~INIT_ECN) || get16(at + 14))
		return "INIT with reserved bits set";
	return NULL;
}

static const char *decode_fastopen(struct packet *p, const uint8_t *at, unsigned int len)
{
	if (p->has_fastopen)
		return "FASTOPEN twice";
	if (len < 4 || len > 4 + COOKIE_MAX || len % 4)
		return "FASTOPEN of a wrong length";
	if (get16(at + 2))
		return "FASTOPEN with reserved bits set";
	if (!(p->flags & F_SYN))
		return "FASTOPEN without SYN";
	p->has_fastopen = true;
	p->cookie_len = len - 4;
	memcpy(p->cookie, at + 4, p->cookie_len);
	return NULL;
}

static const char *decode_sack(struct packet *p, const uint8_t *at, unsigned int len)
{
	unsigned int i;

	if (p->num_sack)
		return "SACK twice";
	if (len < 12 || len > 4 + 8 * SACK_BLOCKS || (len - 4) % 8)
		return "SACK of a wrong length";
	if (get16(at + 2))
		return "SACK with reserved bits set";
	p->num_sack = (len - 4) / 8;
	for (i = 0; i < p->num_sack; i++) {
		p->sack[i].start = get32(at + 4 + 8 * i);
		p->sack[i].end = get32(at + 8 + 8 * i);
		if ((int32_t)(p->sack[i].end - p->sack[i].start) <= 0)
			return "SACK block that ends before it starts";
	}
	return NULL;
}

/* the padding is kept with it, so that raw options are a multiple of 4 bytes on both ways */
static const char *decode_raw(struct packet *p, const uint8_t *at, unsigned int len)
{
	if (p->raw_len + len > sizeof(p->raw))
		return "more unknown options than the harness takes";
	memcpy(p->raw + p->raw_len, at, len);
	p->raw_len += len;
	return NULL;
}

static const char *decode_options(struct packet *p, const uint8_t *at, const uint8_t *end)
{
	const char *wrong = NULL;

	while (!wrong && at < end) {
		unsigned int len = at[1], padded = (len + 3) & ~3U;

		if (len < 2)
			return "option of length 0 or 1";
		if (padded > end - at)
			return "option past the header's end";
		if (at[0] == OPT_INIT)
			wrong = decode_init(p, at, len);
		else if (at[0] == OPT_SACK)
			wrong = decode_sack(p, at, len);
		else if (at[0] == OPT_FASTOPEN)
			wrong = decode_fastopen(p, at, len);
		else
			wrong = decode_raw(p, at, padded);
		for (; !wrong && len < padded; len++)
			if (at[len])
				wrong = "option with padding that is not zero";
		at += padded;
	}
	return wrong;
}

static const char *check_connection_flags(const struct packet *p)
{
	if (!(p->flags & (F_SYN | F_RST | F_ACK)))
		return "none of SYN, RST, ACK";
	if (!!(p->flags & F_SYN) + !!(p->flags & F_FIN) + !!(p->flags & F_RST) > 1)
		return "more than one of SYN, FIN, RST";
	if ((p->flags & F_RST) && p->len)
		return "RST with payload";
	if ((p->flags & F_REFLECTED) && !(p->flags & F_RST))
		return "tag-reflected without RST";
	if ((p->flags & F_STATELESS) && (p->flags & (F_SYN | F_ACK)) != (F_SYN | F_ACK))
		return "stateless outside a SYN-ACK";
	if ((p->flags & F_EOM) && (p->kind != KIND_MESSAGE || !p->len))
		return "EOM without a message";
	if (!p->tag != ((p->flags & (F_SYN | F_ACK | F_RST)) == F_SYN))
		return "tag 0 belongs to a SYN without ACK, and only there";
	return NULL;
}

static const char *check_flags(const struct packet *p)
{
	if (p->flags & ~F_ALL)
		return "reserved flags set";
	if (p->kind != KIND_DATAGRAM)
		return check_connection_flags(p);
	if (p->flags || p->seq || p->ce)
		return "a datagram with flags, sequence number or CE";
	return NULL;
}

static const char *decode_connection(struct packet *p, const uint8_t *bytes)
{
	p->tag = get32(bytes + 16);
	p->ack = get32(bytes + 20);
	p->window = get32(bytes + 24);
	p->tsval = get32(bytes + 28);
	p->tsecr = get32(bytes + 32);
	if (!(p->flags & F_ACK) && (p->ack || p->tsecr))
		return "acknowledgment or echo without ACK";
	if (p->window > WINDOW_MAX)
		return "window above 2^30";
	return NULL;
}

static const char *decode_header(struct packet *p, const uint8_t *bytes, size_t len)
{
	size_t fixed, hdrlen;

	if (len < FIXED_DATAGRAM)
		return "shorter than any header";
	p->sport = get16(bytes);
	p->dport = get16(bytes + 2);
	p->seq = get32(bytes + 4);
	p->version = bytes[8] >> 4;
	p->kind = bytes[8] & 0xf;
	p->words = bytes[9];
	p->flags = get16(bytes + 10);
	p->ce = get16(bytes + 12);
	p->check = get16(bytes + 14);
	if (p->version != 1)
		return "another version";
	if (p->kind < KIND_STREAM || p->kind > KIND_DATAGRAM)
		return "unknown kind";
	fixed = p->kind == KIND_DATAGRAM ? FIXED_DATAGRAM : FIXED_HEADER;
	hdrlen = p->words * 4;
	if (hdrlen < fixed || hdrlen > HEADER_MAX)
		return "header of an impossible length";
	if (hdrlen > len)
		return "shorter than its header";
	if (!p->sport || !p->dport)
		return "port 0";
	return NULL;
}

const char *packet_decode(struct packet *p, const uint8_t *bytes, size_t len)
{
	const char *wrong;
	size_t hdrlen, fixed;

	memset(p, 0, sizeof(*p));
	wrong = decode_header(p, bytes, len);
	if (wrong)
		return wrong;
	hdrlen = p->words * 4;
	p->payload = bytes + hdrlen;
	p->len = len - hdrlen;
	fixed = p->kind == KIND_DATAGRAM ? FIXED_DATAGRAM : FIXED_HEADER;
	if (p->kind != KIND_DATAGRAM)
		wrong = decode_connection(p, bytes);
	if (!wrong)
		wrong = check_flags(p);
	if (!wrong && internet_checksum(bytes, len))
		wrong = "wrong checksum";
	if (!wrong)
		wrong = decode_options(p, bytes + fixed, bytes + hdrlen);
	return wrong;
}
