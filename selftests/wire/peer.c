// SPDX-License-Identifier: GPL-2.0
/*
 * One end of a connection, played by hand: what a text leaves out is filled in, what comes is
 * compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire.h"

void peer_open(struct peer *p, struct wire *w)
{
	memset(p, 0, sizeof(*p));
	p->w = w;
	p->kind = KIND_STREAM;
	p->port = 40000;
	p->host_port = 7000;
	/* numbers and clock wrap early in each conversation */
	p->iss = 0xfffffc00;
	p->tag = 0x7a600001;
	p->ts_offset = 0xffff0000 - (uint32_t)wire_now_us();
	p->window = 1 << 20;
	p->mss = w->mtu - (w->family == AF_INET ? 20 : 40) - FIXED_HEADER;
	p->rtt_us = 200000;
	p->snd_nxt = p->iss;
}

void peer_next(struct peer *p)
{
	struct peer old = *p;

	peer_open(p, old.w);
	p->kind = old.kind;
	p->port = old.port + 1;
	p->host_port = old.host_port;
	p->tag = old.tag + 1;
	p->ts_offset = old.ts_offset;
	p->rtt_us = old.rtt_us;
	p->window = old.window;
	p->mss = old.mss;
	p->ecn = old.ecn;
}

struct frame peer_frame(const struct peer *p, bool sent)
{
	return (struct frame) {
		.seq_base = sent ? p->iss : p->irs,
		.ack_base = sent ? p->irs : p->iss,
		.host_tag = p->host_tag,
		.peer_tag = p->tag,
	};
}

static _Noreturn void fail(struct peer *p, const char *what, const char *detail)
{
	struct frame f = peer_frame(p, false);

	wire_fail(p->w, &f, "%s%s", what, detail);
}

/* ---- sending ---- */

static void fill_times(struct peer *p, struct spec *s)
{
	uint32_t now = (uint32_t)wire_now_us() + p->ts_offset;

	if (s->given & G_DELTA)
		s->p.tsval += p->last_tsval;
	else if (!(s->given & G_TSVAL))
		s->p.tsval =
			(int32_t)(now - p->last_tsval) > 0 || !p->last_tsval ? now : p->last_tsval;
	if ((s->p.flags & F_ACK) && !(s->given & G_TSECR))
		s->p.tsecr = p->host_tsval - p->rtt_us;
}

static void fill_init(struct peer *p, struct spec *s)
{
	s->p.has_init = (s->given & G_INIT) || ((s->p.flags & F_SYN) && !(s->given & G_NOINIT));
	if (!(s->given & G_MSS))
		s->p.init.mss = p->mss;
	if (!(s->given & G_ITAG))
		s->p.init.tag = p->tag;
	if (!(s->given & G_ISN))
		s->p.init.isn = s->p.flags & F_SYN ? s->p.seq : p->iss;
	if ((s->given & G_ECN) || (p->ecn && !(s->given & G_NOECN)))
		s->p.init.flags = INIT_ECN;
}

static void fill_payload(struct peer *p, struct spec *s)
{
	static uint8_t bytes[65536];
	uint32_t offset = s->p.seq + !!(s->p.flags & F_SYN) - p->iss - 1, i;

	if (s->given & G_DATA)
		return;
	for (i = 0; i < s->p.len && i < sizeof(bytes); i++)
		bytes[i] = pattern(offset + i);
	s->p.payload = bytes;
}

static void fill(struct peer *p, struct spec *s)
{
	struct packet *out = &s->p;

	if (!(s->given & G_SPORT))
		out->sport = p->port;
	if (!(s->given & G_DPORT))
		out->dport = p->host_port;
	if (!(s->given & G_KIND))
		out->kind = p->kind;
	if (out->kind == KIND_DATAGRAM) {
		fill_payload(p, s);
		return;
	}
	if (!(s->given & G_SEQ))
		out->seq = out->flags & F_SYN ? p->iss : p->snd_nxt;
	if (!(s->given & G_ACK) && (out->flags & F_ACK))
		out->ack = p->rcv_nxt;
	if (!(s->given & G_WIN))
		out->window = p->window;
	if (!(s->given & G_TAG))
		out->tag = (out->flags & (F_SYN | F_ACK)) == F_SYN ? 0 : p->host_tag;
	fill_times(p, s);
	fill_init(p, s);
	fill_payload(p, s);
}

static void parse(struct peer *p, struct spec *s, bool sent, const char *fmt, va_list args)
{
	struct frame f = peer_frame(p, sent);
	const char *wrong = spec_parse(s, &f, fmt, args);

	if (wrong)
		fail(p, "not understood in the test: ", wrong);
}

void peer_inject(struct peer *p, const char *fmt, ...)
{
	struct spec s;
	va_list args;

	va_start(args, fmt);
	parse(p, &s, true, fmt, args);
	va_end(args);
	fill(p, &s);
	if (!(s.given & G_SEQ) && !s.p.bad_sum)
		p->snd_nxt = packet_end(&s.p);
	if (!(s.given & G_TSVAL))
		p->last_tsval = s.p.tsval;
	p->tx_tag = s.p.tag;
	p->tx_us = wire_now_us();
	wire_send(p->w, &s.p);
}

/* ---- what must be true of every packet ---- */

/* An RST that answers a packet comes from no connection: it has no clock and no window. */
static bool socketless(const struct packet *rx)
{
	return (rx->flags & F_RST) && ((rx->flags & F_REFLECTED) || !rx->seq);
}

static const char *check_init(struct peer *p, const struct packet *rx)
{
	if ((rx->flags & F_SYN) && !rx->has_init)
		return "SYN without INIT";
	if ((rx->flags & F_SYN) && rx->len && (rx->flags & F_ACK))
		return "SYN-ACK with payload";
	if (!rx->has_init)
		return NULL;
	if (!p->learned) {
		p->learned = true;
		p->irs = rx->init.isn;
		p->host_tag = rx->init.tag;
	}
	if (rx->init.tag != p->host_tag || rx->init.isn != p->irs)
		return "INIT with another tag or ISN than before";
	return NULL;
}

static const char *check_rst(const struct packet *rx)
{
	if (rx->has_init || rx->has_fastopen || rx->num_sack || rx->raw_len)
		return "RST with options";
	if (socketless(rx) && (rx->window || rx->tsval || rx->tsecr || rx->ce))
		return "an answering RST with window, timestamps or CE";
	return NULL;
}

/* after 30 minutes the sign of the difference says nothing (protocol.rst 4.4) */
static const char *check_clock(struct peer *p, const struct packet *rx)
{
	const uint64_t outdated = 1800ULL * 1000 * 1000;

	if (p->host_tsval_seen && wire_now_us() - p->host_tsval_us < outdated &&
	    (int32_t)(rx->tsval - p->host_tsval) < 0)
		return "the timestamp went back";
	return NULL;
}

static const char *check_window(struct peer *p, const struct packet *rx)
{
	uint32_t edge = rx->ack + rx->window;

	if (!(rx->flags & F_ACK) || (rx->flags & F_RST))
		return NULL;
	if (p->edge_seen && (int32_t)(edge - p->right_edge) < 0)
		return "the window's right edge went back";
	p->right_edge = edge;
	p->edge_seen = true;
	return NULL;
}

static const char *check_size(struct peer *p, const struct packet *rx)
{
	uint32_t options = rx->words * 4 - FIXED_HEADER;

	if (rx->len && rx->len + options > p->mss)
		return "payload and options above the MSS";
	if (rx->ecn && !p->ecn)
		return "ECT without agreement";
	if (rx->raw_len)
		return "an option that this version does not have";
	if (rx->num_sack > 4 && rx->len)
		return "more than four SACK blocks beside payload";
	return NULL;
}

static const char *check_tag(struct peer *p, const struct packet *rx)
{
	uint32_t want = rx->flags & F_REFLECTED ? p->tx_tag : p->tag;

	if ((rx->flags & (F_SYN | F_ACK)) == F_SYN)
		want = 0;
	return rx->tag == want ? NULL : "not the peer's tag";
}

static const char *check(struct peer *p, const struct packet *rx)
{
	const char *wrong = check_init(p, rx);

	if (!wrong && (rx->flags & F_RST))
		wrong = check_rst(rx);
	if (!wrong)
		wrong = check_tag(p, rx);
	if (!wrong && !socketless(rx)) {
		wrong = check_clock(p, rx);
		if (!wrong)
			wrong = check_window(p, rx);
		if (!wrong)
			wrong = check_size(p, rx);
	}
	return wrong;
}

/* What the peer remembers of a packet that it received. */
static void note(struct peer *p, const struct packet *rx)
{
	uint32_t end = packet_end(rx);

	if (rx->kind == KIND_DATAGRAM || socketless(rx))
		return;
	if (rx->flags & F_SYN)
		p->rcv_nxt =
			(int32_t)(end - p->rcv_nxt) > 0 || !p->host_tsval_seen ? end : p->rcv_nxt;
	else if ((int32_t)(rx->seq - p->rcv_nxt) <= 0 && (int32_t)(end - p->rcv_nxt) > 0)
		p->rcv_nxt = end;
	p->host_tsval = rx->tsval;
	p->host_tsval_us = wire_now_us();
	p->host_tsval_seen = true;
}

/* ---- receiving ---- */

static unsigned int patience_ms(void)
{
	const char *text = getenv("HAUL_WIRE_PATIENCE_MS");

	return text ? atoi(text) : WIRE_PATIENCE_MS;
}

static bool receive(struct peer *p, uint64_t deadline)
{
	const char *wrong = NULL;
	enum wire_kind kind;

	do
		kind = wire_receive(p->w, &p->rx, deadline);
	while (kind == WIRE_ICMP);
	if (kind == WIRE_NOTHING)
		return false;
	p->rx_us = wire_now_us();
	if (p->rx.sport != p->host_port || p->rx.dport != p->port || p->rx.kind != p->kind)
		fail(p, "a packet for another connection", "");
	if (p->rx.kind != KIND_DATAGRAM)
		wrong = check(p, &p->rx);
	if (wrong)
		fail(p, "wrong in any case: ", wrong);
	return true;
}

bool peer_receive(struct peer *p, unsigned int ms)
{
	if (!receive(p, wire_now_us() + ms * 1000ULL))
		return false;
	note(p, &p->rx);
	return true;
}

static const char *differs_options(const struct spec *s, const struct packet *rx)
{
	uint32_t given = s->given;

	if ((given & G_INIT) && !rx->has_init)
		return "INIT missing";
	if ((given & G_NOINIT) && rx->has_init)
		return "INIT not expected";
	if ((given & G_MSS) && rx->init.mss != s->p.init.mss)
		return "MSS";
	if ((given & G_ECN) && !(rx->init.flags & INIT_ECN))
		return "ECN not offered";
	if ((given & G_NOECN) && (rx->init.flags & INIT_ECN))
		return "ECN offered";
	if (given & G_ANYCOOKIE ? !rx->cookie_len :
	    rx->has_fastopen != s->p.has_fastopen || rx->cookie_len != s->p.cookie_len ||
	    memcmp(rx->cookie, s->p.cookie, rx->cookie_len))
		return "FASTOPEN";
	if (given & G_MAYSACK)
		return NULL;
	if (given & G_ANYSACK)
		return rx->num_sack ? NULL : "SACK missing";
	if (rx->num_sack != s->p.num_sack ||
	    memcmp(rx->sack, s->p.sack, rx->num_sack * sizeof(rx->sack[0])))
		return "SACK";
	return NULL;
}

static const char *differs_payload(struct peer *p, const struct spec *s, const struct packet *rx)
{
	uint32_t offset = rx->seq + !!(rx->flags & F_SYN) - p->irs - 1, i;

	if ((s->given & G_LEN) && rx->len != s->p.len)
		return "len";
	for (i = 0; i < rx->len; i++)
		if (rx->payload[i] != (s->given & G_DATA ? s->data[i] : pattern(offset + i)))
			return "payload";
	return NULL;
}

static const char *differs_fields(const struct spec *s, const struct packet *rx)
{
	const struct packet *want = &s->p;
	uint32_t given = s->given;

	if ((rx->flags & ~F_PSH) != (want->flags & ~F_PSH) ||
	    ((want->flags & F_PSH) && !(rx->flags & F_PSH)))
		return "flags";
	if ((given & G_SEQ) && rx->seq != want->seq)
		return "seq";
	if ((given & G_ACK) && rx->ack != want->ack)
		return "ack";
	if ((given & G_WIN) && rx->window != want->window)
		return "win";
	if ((given & G_TSVAL) && rx->tsval != want->tsval)
		return "tsval";
	if ((given & G_TSECR) && rx->tsecr != want->tsecr)
		return "tsecr";
	if ((given & G_CE) && rx->ce != want->ce)
		return "ce";
	if ((given & G_TAG) && rx->tag != want->tag)
		return "tag";
	if ((given & G_IPECN) && rx->ecn != want->ecn)
		return "ECN field of IP";
	return NULL;
}

static _Noreturn void mismatch(struct peer *p, const struct spec *s, const char *text,
			       const char *what)
{
	struct frame f = peer_frame(p, false);
	char want[2048], got[2048];

	wire_fail(p->w, &f, "%s differs\n#   expected: %s\n#   that is:  %s\n#   came:     %s",
		  what, text, packet_print(want, sizeof(want), &s->p, &f),
		  packet_print(got, sizeof(got), &p->rx, &f));
}

void peer_expect(struct peer *p, const char *fmt, ...)
{
	const char *what;
	char text[1024];
	struct spec s;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!receive(p, wire_now_us() + patience_ms() * 1000ULL))
		fail(p, "nothing came; expected: ", text);
	va_start(args, fmt);
	parse(p, &s, false, fmt, args);
	va_end(args);
	what = differs_fields(&s, &p->rx);
	if (!what)
		what = differs_payload(p, &s, &p->rx);
	if (!what && p->rx.kind != KIND_DATAGRAM)
		what = differs_options(&s, &p->rx);
	if (what)
		mismatch(p, &s, text, what);
	note(p, &p->rx);
}

void peer_expect_data(struct peer *p, uint32_t up_to)
{
	uint32_t end = p->irs + up_to;

	while ((int32_t)(p->rcv_nxt - end) < 0)
		peer_expect(p, "ACK seq=@0x%x", p->rcv_nxt);
	if (p->rcv_nxt != end)
		fail(p, "more payload came than was expected", "");
}

/* ---- silence ---- */

void peer_expect_silence(struct peer *p, unsigned int ms)
{
	struct frame f = peer_frame(p, false);
	char got[2048];

	if (ms && wire_receive(p->w, &p->rx, wire_now_us() + ms * 1000ULL) != WIRE_NOTHING)
		wire_fail(p->w, &f, "silence was expected, for %u ms; came: %s", ms,
			  packet_print(got, sizeof(got), &p->rx, &f));
	if (!wire_fence(p->w, &p->rx, patience_ms()))
		wire_fail(p->w, &f, "silence was expected; came: %s",
			  packet_print(got, sizeof(got), &p->rx, &f));
}
