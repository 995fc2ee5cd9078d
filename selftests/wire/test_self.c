// SPDX-License-Identifier: GPL-2.0
/*
 * The harness against itself, without the module: its encoder and decoder against the vectors of
 * protocol.rst, the notation there and back, and, over a pair of sockets in place of the TUN
 * device, that expect() and expect_silence() see every difference that they should.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "wire.h"
#include "../bytes.h"
#include "../families.h"

__asm__(".section .rodata\nvectors_begin:\n.incbin \"" VECTORS "\"\n.byte 0\n.previous\n");
extern const char vectors_begin[];

/* ---- the vectors ---- */

struct vector {
	char name[64];
	char error[32];
	bool reserved;		/* has bits that a sender of this version never sets */
	uint8_t bytes[512];
	size_t len;
};

static void take_line(struct vector *v, const char *line)
{
	unsigned int byte;
	int at;

	if (sscanf(line, "packet %63s", v->name) == 1 ||
	    sscanf(line, "malformed %63s", v->name) == 1)
		return;
	if (sscanf(line, " error %31s", v->error) == 1)
		return;
	if (!strncmp(line, "  flags", 7) && strstr(line, "0x"))
		v->reserved = true;
	if (sscanf(line, " hex %n%2x", &at, &byte) < 1)
		return;
	for (line += at; sscanf(line, "%2x", &byte) == 1; line += strspn(line, " ")) {
		v->bytes[v->len++] = byte;
		line += 2;
	}
}

/* the vector at *@text; moves it behind; false: there is none */
static bool next_vector(const char **text, struct vector *v)
{
	char line[256];
	size_t len;

	memset(v, 0, sizeof(*v));
	while (**text) {
		len = strcspn(*text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, *text);
		*text += len + !!(*text)[len];
		if (!strcmp(line, "end"))
			return true;
		take_line(v, line);
	}
	return false;
}

TEST(vectors_decode_and_encode)
{
	const char *text = vectors_begin, *wrong;
	uint8_t again[512];
	struct packet p;
	struct vector v;
	int seen = 0;

	while (next_vector(&text, &v)) {
		wrong = packet_decode(&p, v.bytes, v.len);
		if (*v.error || v.reserved) {
			EXPECT_NE(NULL, wrong)
				TH_LOG("%s was taken", v.name);
			continue;
		}
		seen++;
		EXPECT_EQ(NULL, wrong)
			TH_LOG("%s: %s", v.name, wrong);
		/*
		 * unknown options come after the known ones when encoded; the vectors with them
		 * are the exception
		 */
		if (p.raw_len && p.num_sack)
			continue;
		p.words = 0;
		EXPECT_EQ(v.len, packet_encode(&p, again, sizeof(again)));
		EXPECT_EQ(0, memcmp(again, v.bytes, v.len))
			TH_LOG("%s is encoded otherwise", v.name);
	}
	EXPECT_LE(20, seen);
}

TEST(checksum_of_odd_lengths)
{
	const uint8_t bytes[] = { 0x12, 0x34, 0x56 };

	EXPECT_EQ(0xffff & ~(0x1234 + 0x5600), internet_checksum(bytes, 3));
	EXPECT_EQ(0xffff & ~0x1234, internet_checksum(bytes, 2));
	EXPECT_EQ(0xffff, internet_checksum(bytes, 0));
}

/* ---- the notation ---- */

static const char *parse(struct spec *s, const struct frame *f, const char *fmt, ...)
{
	const char *wrong;
	va_list args;

	va_start(args, fmt);
	wrong = spec_parse(s, f, fmt, args);
	va_end(args);
	return wrong;
}

TEST(text_there_and_back)
{
	static const char *const texts[] = {
		"SYN seq=0 len=0 win=65536 tag=0x0 tsval=1 init mss=1400 itag=0x22 isn=@0xffffffff ecn",
		"SYN ACK STATELESS seq=0 ack=1 len=0 win=5 tag=host tsval=1 tsecr=2 init mss=88 itag=0x1 isn=@0xffffffff",
		"FIN PSH ACK seq=1 ack=1 len=0 win=0 tag=peer tsval=4294967295 tsecr=0 ce=65535 sack=-5-1,1001-2001",
		"RST REFLECTED seq=1 len=0 win=0 tag=0x99 tsval=0",
		"ACK EOM seq=-1 ack=-1 len=0 win=1 tag=host tsval=3 tsecr=4 option=09040001 kind=2 ect0 badsum",
	};
	struct frame f = {
		.seq_base = 0xffffffff, .ack_base = 0x7fffffff, .host_tag = 0x11, .peer_tag = 0x22
	};
	char printed[1024];
	struct spec s;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ASSERT_EQ(NULL, parse(&s, &f, "%s", texts[i]));
		s.p.has_init = s.given & G_INIT;
		s.p.init.flags = s.given & G_ECN ? INIT_ECN : 0;
		s.p.kind = s.p.kind ?: KIND_STREAM;
		ASSERT_STREQ(texts[i], packet_print(printed, sizeof(printed), &s.p, &f));
	}
}

TEST(text_refuses_what_it_does_not_know)
{
	static const struct frame f;
	struct spec s;

	EXPECT_STREQ("SIN", parse(&s, &f, "SIN seq=1"));
	EXPECT_STREQ("sec", parse(&s, &f, "SYN sec=1"));
	EXPECT_EQ(NULL, parse(&s, &f, "SYN seq=%u", 1));
}

/* ---- expect() and silence, with a host that is this test ---- */

FIXTURE(pair) {
	struct wire w;
	struct peer p;
	int host;
};

FAMILIES(pair);

FIXTURE_SETUP(pair)
{
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends));
	memset(&self->w, 0, sizeof(self->w));
	self->w.family = variant->family;
	self->w.mtu = WIRE_MTU;
	self->w.tun = ends[0];
	self->host = ends[1];
	peer_open(&self->p, &self->w);
	self->p.learned = true;
	self->p.irs = 5000;
	self->p.rcv_nxt = 5001;
	self->p.snd_nxt = self->p.iss + 1;
	self->p.host_tag = 0x40570001;
	setenv("HAUL_WIRE_PATIENCE_MS", "20", 1);
}

FIXTURE_TEARDOWN(pair)
{
	close(self->w.tun);
	close(self->host);
}

/* The host's packet: the peer's IP header with the addresses changed over. */
static void host_sends_bytes(struct wire *w, int host, const uint8_t *bytes, size_t len)
{
	size_t header = w->family == AF_INET ? 20 : 40, size = w->family == AF_INET ? 4 : 16;
	struct wire turned = *w;
	uint8_t frame[4096], address[16];
	int ends[2];
	ssize_t got;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		exit(KSFT_FAIL);
	turned.tun = ends[0];
	wire_send_ip(&turned, IPPROTO_HAUL, bytes, len, 0);
	got = read(ends[1], frame, sizeof(frame));
	memcpy(address, frame + header - 2 * size, size);
	memmove(frame + header - 2 * size, frame + header - size, size);
	memcpy(frame + header - size, address, size);
	if (write(host, frame, got) != got)
		exit(KSFT_FAIL);
	close(ends[0]);
	close(ends[1]);
}

static void host_sends(struct peer *p, int host, const char *fmt, ...)
{
	struct frame f = peer_frame(p, false);
	uint8_t bytes[4096], payload[2048];
	struct spec s;
	va_list args;
	uint32_t i;

	va_start(args, fmt);
	if (spec_parse(&s, &f, fmt, args))
		exit(KSFT_FAIL);
	va_end(args);
	s.p.sport = s.p.sport ?: p->host_port;
	s.p.dport = s.p.dport ?: p->port;
	s.p.kind = s.p.kind ?: KIND_STREAM;
	s.p.tag = s.given & G_TAG ? s.p.tag : p->tag;
	s.p.has_init = s.given & G_INIT;
	s.p.init.mss = 1400;
	s.p.init.tag = s.given & G_ITAG ? s.p.init.tag : p->host_tag;
	s.p.init.isn = s.given & G_ISN ? s.p.init.isn : p->irs;
	for (i = 0; !(s.given & G_DATA) && i < s.p.len && i < sizeof(payload); i++)
		payload[i] = pattern(s.p.seq - p->irs - 1 + i);
	s.p.payload = s.given & G_DATA ? s.data : payload;
	host_sends_bytes(p->w, host, bytes, packet_encode(&s.p, bytes, sizeof(bytes)));
}

/* exit status of a child that expects @text */
static int outcome(struct peer *p, const char *text)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		expect(p, "%s", text);
		_exit(KSFT_PASS);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(pair, expect_takes_what_fits)
{
	host_sends(&self->p, self->host,
		   "PSH ACK seq=1 ack=1 len=100 win=1000 tsval=7 sack=11-21,31-41");
	expect(&self->p, "ACK seq=1 ack=1 len=100 win=1000 tsval=7 tag=peer sack=11-21,31-41");
	host_sends(&self->p, self->host, "ACK seq=101 ack=1 win=1000 tsval=8 init");
	expect(&self->p, "ACK seq=101 init");
	host_sends(&self->p, self->host, "ACK seq=101 ack=1 win=1000 tsval=9 data=abc");
	expect(&self->p, "ACK data=abc");
	EXPECT_EQ(5104, self->p.rcv_nxt);
}

TEST_F(pair, expect_refuses_each_difference)
{
	static const char *const came =
		"ACK seq=1 ack=1 len=10 win=1000 tsval=7 tsecr=8 ce=3 sack=11-21";
	static const char *const wrong[] = {
		"ACK seq=2 sack=*",
		"ACK ack=2 sack=*",
		"ACK len=11 sack=*",
		"ACK win=1001 sack=*",
		"ACK tsval=8 sack=*",
		"ACK tsecr=7 sack=*",
		"ACK ce=4 sack=*",
		"FIN ACK sack=*",
		"PSH ACK sack=*",
		"SYN sack=*",
		"ACK sack=11-22",
		"ACK sack=11-21,31-41",
		"ACK",
		"ACK sack=* init",
		"ACK sack=* data=0123456789",
		"ACK sack=* tag=host",
		"ACK sack=* ect0",
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		host_sends(&self->p, self->host, "%s", came);
		EXPECT_EQ(KSFT_FAIL, outcome(&self->p, wrong[i]))
			TH_LOG("taken for: %s", wrong[i]);
	}
	host_sends(&self->p, self->host, "%s", came);
	EXPECT_EQ(KSFT_PASS, outcome(&self->p, "ACK sack=*"));
	EXPECT_EQ(KSFT_FAIL, outcome(&self->p, "ACK"));
}

TEST_F(pair, expect_refuses_what_may_never_be)
{
	static const char *const never[] = {
		"ACK seq=1 ack=1 win=1000 tsval=9 badsum",
		"ACK seq=1 ack=1 win=1000 tsval=9 tag=bad",
		"ACK seq=1 ack=1 win=1000 tsval=7",
		"ACK seq=1 ack=1 win=10 tsval=9",
		"ACK seq=1 ack=1 win=1073741825 tsval=9",
		"ACK seq=1 ack=1 win=1000 tsval=9 init itag=5",
		"ACK seq=1 ack=1 win=1000 tsval=9 init isn=1",
		"ACK seq=1 ack=1 win=1000 tsval=9 dport=1",
		"ACK seq=1 ack=1 win=1000 tsval=9 len=1450",
		"ACK seq=1 ack=1 win=1000 tsval=9 option=09040001",
		"ACK EOM seq=1 ack=1 win=1000 tsval=9 len=1",
		"ACK seq=1 ack=1 win=1000 tsval=9 flags=0x110",
		"ACK seq=1 ack=1 win=1000 tsval=9 version=2",
		"ACK seq=1 ack=1 win=1000 tsval=9 words=10",
		"RST ACK seq=1 ack=1 tsval=9 sack=1-2",
		"SYN ACK seq=0 ack=1 tsval=9 win=1000",
		"ACK seq=1 ack=1 win=1000 tsval=9 sack=5-5",
	};
	size_t i;

	host_sends(&self->p, self->host, "ACK seq=1 ack=1 win=1000 tsval=8");
	expect(&self->p, "ACK");
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		host_sends(&self->p, self->host, "%s", never[i]);
		EXPECT_EQ(KSFT_FAIL,
			  outcome(&self->p,
				  strncmp(never[i], "RST", 3)
					  ? strncmp(never[i], "SYN", 3) ? "ACK sack=*" : "SYN ACK"
					  : "RST ACK sack=*"))
		TH_LOG("taken: %s", never[i]);
	}
}

TEST_F(pair, inject_fills_in)
{
	uint8_t bytes[4096];
	struct packet p;
	size_t header = variant->family == AF_INET ? 20 : 40;
	ssize_t len;

	self->p.host_tsval = 1000000;
	inject(&self->p, "ACK len=5");
	len = read(self->host, bytes, sizeof(bytes));
	ASSERT_EQ(NULL, packet_decode(&p, bytes + header, len - header));
	EXPECT_EQ(self->p.iss + 1, p.seq);
	EXPECT_EQ(5001, p.ack);
	EXPECT_EQ(5, p.len);
	EXPECT_EQ(self->p.host_tag, p.tag);
	EXPECT_EQ(1000000 - self->p.rtt_us, p.tsecr);
	EXPECT_EQ(self->p.iss + 6, self->p.snd_nxt);
	EXPECT_EQ(pattern(4), p.payload[4]);
	inject(&self->p, "ACK seq=1 len=5 tsval=-1");
	EXPECT_EQ(self->p.iss + 6, self->p.snd_nxt);
	len = read(self->host, bytes, sizeof(bytes));
	ASSERT_EQ(NULL, packet_decode(&p, bytes + header, len - header));
	EXPECT_EQ(self->p.last_tsval - 1, p.tsval);
}

/* status of a child that expects silence while the host says @noise, then refuses the fence */
static int silence_outcome(struct peer *p, int host, bool noise)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		if (noise)
			host_sends(p, host, "ACK seq=1 ack=1 win=1000 tsval=7");
		host_sends(p, host, "RST ACK seq=@0 ack=@0x101 sport=1 dport=1 tag=0xfe7ce000");
		expect_silence(p);
		_exit(KSFT_PASS);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(pair, silence_is_told_from_noise)
{
	EXPECT_EQ(KSFT_PASS, silence_outcome(&self->p, self->host, false));
	EXPECT_EQ(KSFT_FAIL, silence_outcome(&self->p, self->host, true));
}

TEST_HARNESS_MAIN
