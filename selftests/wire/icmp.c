// SPDX-License-Identifier: GPL-2.0
/* ICMP errors about packets that the host sent, and those that the host sends. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "wire.h"
#include "../bytes.h"

#define ICMP_HEADER 8

static size_t quoted_ip(const struct wire *w, uint8_t *at, size_t len)
{
	struct sockaddr_storage host, peer;
	uint16_t total;

	wire_address(w, true, 0, &host);
	wire_address(w, false, 0, &peer);
	if (w->family == AF_INET6) {
		memset(at, 0, 40);
		at[0] = 0x60;
		total = htons(len);
		memcpy(at + 4, &total, 2);
		at[6] = IPPROTO_HAUL;
		at[7] = 64;
		memcpy(at + 8, &((struct sockaddr_in6 *)&host)->sin6_addr, 16);
		memcpy(at + 24, &((struct sockaddr_in6 *)&peer)->sin6_addr, 16);
		return 40;
	}
	memset(at, 0, 20);
	at[0] = 0x45;
	total = htons(20 + len);
	memcpy(at + 2, &total, 2);
	at[6] = 0x40;
	at[8] = 64;
	at[9] = IPPROTO_HAUL;
	memcpy(at + 12, &((struct sockaddr_in *)&host)->sin_addr, 4);
	memcpy(at + 16, &((struct sockaddr_in *)&peer)->sin_addr, 4);
	total = htons(internet_checksum(at, 20));
	memcpy(at + 10, &total, 2);
	return 20;
}

/* ICMPv6's checksum covers a pseudo header (RFC 4443 2.3); the addresses are those of the cable. */
static uint16_t icmp6_checksum(const struct wire *w, const uint8_t *message, size_t len)
{
	struct sockaddr_storage host, peer;
	uint8_t bytes[2048] = {};

	wire_address(w, true, 0, &host);
	wire_address(w, false, 0, &peer);
	memcpy(bytes, &((struct sockaddr_in6 *)&peer)->sin6_addr, 16);
	memcpy(bytes + 16, &((struct sockaddr_in6 *)&host)->sin6_addr, 16);
	bytes[34] = len >> 8;
	bytes[35] = len;
	bytes[39] = IPPROTO_ICMPV6;
	memcpy(bytes + 40, message, len);
	return internet_checksum(bytes, 40 + len);
}

static size_t quoted_packet(struct peer *p, struct spec *s, uint8_t *at)
{
	size_t len, quote;
	uint8_t bytes[2048];

	s->p.sport = p->host_port;
	s->p.dport = p->port;
	if (!(s->given & G_KIND))
		s->p.kind = p->kind;
	if (!(s->given & G_TAG))
		s->p.tag = (s->p.flags & (F_SYN | F_ACK)) == F_SYN ? 0 : p->tag;
	s->p.len = 0;
	len = packet_encode(&s->p, bytes, sizeof(bytes));
	quote = p->quote && p->quote < len ? p->quote : len;
	memcpy(at, bytes, quote);
	return quote;
}

void peer_inject_icmp(struct peer *p, int type, int code, uint32_t info, const char *fmt, ...)
{
	struct frame f = peer_frame(p, false);
	uint8_t message[1024] = { type, code };
	uint32_t wire_info = htonl(info);
	const char *wrong;
	struct spec s;
	va_list args;
	uint16_t sum;
	size_t len;

	va_start(args, fmt);
	wrong = spec_parse(&s, &f, fmt, args);
	va_end(args);
	if (wrong)
		wire_fail(p->w, &f, "not understood in the test: %s", wrong);
	memcpy(message + 4, &wire_info, 4);
	len = ICMP_HEADER + quoted_ip(p->w, message + ICMP_HEADER, 1000);
	len += quoted_packet(p, &s, message + len);
	sum = htons(p->w->family == AF_INET ? internet_checksum(message, len)
					    : icmp6_checksum(p->w, message, len));
	memcpy(message + 2, &sum, 2);
	wire_send_ip(p->w, p->w->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, message, len,
		     0);
}

void peer_expect_icmp(struct peer *p, int type, int code)
{
	struct frame f = peer_frame(p, false);

	if (wire_receive(p->w, &p->rx, wire_now_us() + WIRE_PATIENCE_MS * 1000ULL) != WIRE_ICMP)
		wire_fail(p->w, &f, "ICMP type %d code %d expected", type, code);
	if (p->w->icmp[0] != type || p->w->icmp[1] != code)
		wire_fail(p->w, &f, "ICMP type %d code %d expected, came type %d code %d", type,
			  code, p->w->icmp[0], p->w->icmp[1]);
}
