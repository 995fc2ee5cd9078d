// SPDX-License-Identifier: GPL-2.0
/*
 * Strangers beside the path, who know everything but one thing, and peers who lie: RFC 5961, RFC
 * 5927, and Savage et al., "TCP Congestion Control with a Misbehaving Receiver". Guessed is a
 * million times in all: GUESSES in each case of fixture guess.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fixture.h"
#include "../bytes.h"

#define GUESSES	100000
/* an ACK may tell of something that was forged, too */
#define ACKNOWLEDGED	"ACK len=0 sack=?"
#define BURST	64		/* between two looks at the answers: fewer than the device queues */

WIRE_FIXTURE(guess);
WIRE_FIXTURE(beside);
WIRE_FIXTURE(field);
WIRE_FIXTURE(liar);

/* the same guesses in every run */
static uint32_t guess32(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

/*
 * Packets from the host until none is there: how many pure ACKs, and whether one was neither that
 * nor payload, which the host sends again for want of an acknowledgment.
 */
static int drain(struct peer *p, bool *other)
{
	struct packet rx;
	int num = 0;

	while (wire_receive(p->w, &rx, 0) == WIRE_HAUL) {
		num += !rx.len;
		*other |= (rx.flags & ~F_PSH) != F_ACK;
	}
	return num;
}

/* until the host is silent; whatever it says, to whatever port */
static void hear_out(struct peer *p)
{
	uint32_t fence = 0;

	while (wire_before_fence(p->w, &p->rx, &fence))
		;
}

/* what somebody sends who knows the addresses, the ports and where both streams are */
static struct packet forged(const struct peer *p, uint16_t flags)
{
	return (struct packet) {
		.version = 1, .kind = p->kind, .sport = p->port, .dport = p->host_port,
		.flags = flags, .seq = p->snd_nxt, .ack = p->rcv_nxt, .window = p->window,
		.tsval = p->last_tsval + 1000, .tsecr = p->host_tsval,
	};
}

/* not the host's tag */
static uint32_t guessed_tag(const struct peer *p)
{
	uint32_t tag;

	do
		tag = guess32();
	while (!tag || tag == p->host_tag);
	return tag;
}

/* GUESSES of the tag with those flags; nothing may be answered */
static void guess_tags(struct __test_metadata *_metadata, struct peer *p, uint16_t flags,
		       const void *payload, uint32_t len)
{
	long before = wire_counter(p->w, "DropTag");
	struct packet out = forged(p, flags);
	uint32_t fence = 0;
	bool other = false;
	int i;

	out.payload = payload;
	out.len = len;
	for (i = 0; i < GUESSES; i++) {
		out.tag = guessed_tag(p);
		wire_send(p->w, &out);
		if (i % BURST == 0)
			ASSERT_EQ(0, drain(p, &other));
	}
	EXPECT_FALSE(other);
	while (wire_before_fence(p->w, &p->rx, &fence))
		EXPECT_LT(0, p->rx.len);
	EXPECT_EQ(before + GUESSES, wire_counter(p->w, "DropTag"));
}

WIRE_TEST(guess, resets)
{
	int fd = peer_establish(p);

	guess_tags(_metadata, p, F_RST | F_ACK, NULL, 0);
	expect_alive(p, fd, ACKNOWLEDGED);
}

/* it would reflect the peer's tag, which is as unknown */
WIRE_TEST(guess, reflected_resets)
{
	long before = wire_counter(w, "DropTag");
	int fd = peer_establish(p), i;
	struct packet out = forged(p, F_RST | F_REFLECTED);

	for (i = 0; i < GUESSES; i++) {
		do
			out.tag = guess32();
		while (out.tag == p->tag);
		wire_send(w, &out);
	}
	expect_silence(p);
	EXPECT_EQ(before + GUESSES, wire_counter(w, "DropTag"));
	expect_alive(p, fd, ACKNOWLEDGED);
}

WIRE_TEST(guess, payload)
{
	int fd = peer_establish(p);

	guess_tags(_metadata, p, F_ACK, "forged", 6);
	expect_alive(p, fd, ACKNOWLEDGED);
}

WIRE_TEST(guess, acknowledgments)
{
	int fd;

	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=1000");
	guess_tags(_metadata, p, F_ACK, NULL, 0);
	EXPECT_EQ(1000, host_info(p, fd).unacked);
	inject(p, "ACK");
	expect_alive(p, fd, ACKNOWLEDGED);
}

/*
 * Neither SYN nor ICMP carries the tag. A SYN is challenged, now and then, and that is all; an ICMP
 * error must name what is in flight, and then tells an established connection nothing but a smaller
 * MTU. Here all is known but the sequence number.
 */
WIRE_TEST(guess, syns_and_icmp)
{
	int fd, i, answers = 0, type = w->family == AF_INET ? 3 : 2;
	bool other = false;
	struct packet out;
	uint32_t off, fence = 0;

	fd = peer_establish(p);
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=1000");
	p->quote = 8;
	out = forged(p, F_SYN);
	out.has_init = true;
	out.init.mss = 1400;
	for (i = 0; i < GUESSES / 2; i++) {
		out.seq = guess32();
		out.init.isn = out.seq;
		out.init.tag = guess32() | 1;
		out.tsval = guess32();
		wire_send(w, &out);
		do
			off = guess32();
		while (off >= 1 && off <= 1001);
		peer_inject_icmp(p, type, type == 3 ? 4 : 0, 1300, "ACK seq=%d", (int)off);
		if (i % BURST == 0)
			answers += drain(p, &other);
	}
	while (wire_before_fence(w, &p->rx, &fence)) {
		answers += !p->rx.len;
		EXPECT_EQ(F_ACK, p->rx.flags & ~F_PSH);
	}
	EXPECT_FALSE(other);
	EXPECT_GE(GUESSES / 100, answers);
	EXPECT_EQ(1500, host_info(p, fd).pmtu);
	EXPECT_EQ(GUESSES / 2, wire_counter(w, "IcmpIgnored"));
	inject(p, "ACK");
	/* the challenges' time is over */
	usleep(1100000);
	expect_alive(p, fd, ACKNOWLEDGED);
}

/* ---- beside the path, but well informed ---- */

/* what all counters say, as text */
static void counters(char *out, size_t room)
{
	FILE *file = fopen("/proc/net/haul/snmp", "r");
	size_t len = file ? fread(out, 1, room - 1, file) : 0;

	out[len] = 0;
	if (file)
		fclose(file);
}

/* the sums of @num counters' growth from @before to @after, in @by */
static int growth(const char *before, const char *after, long *by, int max)
{
	int num = 0;

	while (*before && *after && num < max) {
		char *next_before, *next_after;
		long a = strtol(before, &next_before, 10), b = strtol(after, &next_after, 10);

		if (next_before == before) {
			before++;
			after++;
			continue;
		}
		by[num++] = b - a;
		before = next_before;
		after = next_after;
	}
	return num;
}

/*
 * Nobody can find out whether sequence and acknowledgment numbers are right as long as the tag is
 * wrong: not by an answer, and not by a counter, which any program on the host can read.
 */
WIRE_TEST(beside, counters_tell_nothing_of_numbers)
{
	static char before[65536], between[65536], after[65536];
	static long right[1024], wrong[1024];
	struct packet out;
	int fd = peer_establish(p), num, i, j;
	static const uint16_t flags[] = {
		F_ACK, F_RST | F_ACK, F_FIN | F_ACK, F_RST | F_REFLECTED
	};

	for (i = 0; i < 4; i++) {
		counters(before, sizeof(before));
		for (j = 0; j < 100; j++) {
			out = forged(p, flags[i]);
			out.tag = guessed_tag(p) ^ (p->tag == out.tag);
			wire_send(w, &out);
		}
		counters(between, sizeof(between));
		for (j = 0; j < 100; j++) {
			out = forged(p, flags[i]);
			out.tag = guessed_tag(p);
			out.seq += 0x40000000 + (j << 20);
			out.ack += 0x40000000 + (j << 20);
			out.tsval -= 1000000;
			wire_send(w, &out);
		}
		counters(after, sizeof(after));
		num = growth(before, between, right, 1024);
		ASSERT_LT(50, num);
		ASSERT_EQ(num, growth(between, after, wrong, 1024));
		for (j = 0; j < num; j++)
			EXPECT_EQ(right[j], wrong[j]) {
				TH_LOG("flags 0x%x: counter %d", flags[i], j);
			}
	}
	expect_silence(p);
	expect_alive(p, fd, ACKNOWLEDGED);
}

/* the server that was meant, to whom no stranger's SYN matters */
static void the_server_answers(struct __test_metadata *_metadata, struct peer *p, int fd)
{
	inject(p, "SYN ACK");
	p->edge_seen = false;
	expect(p, "ACK seq=1 ack=1 init");
	inject(p, "ACK");
	expect_alive(p, fd, ACKNOWLEDGED);
	EXPECT_EQ(p->mss, host_info(p, fd).snd_mss);
}

/*
 * A SYN needs no tag. In SYN-SENT it means a simultaneous open, and anybody may have sent it; but
 * the answer to our SYN carries our tag, which only the SYN's readers know.
 */
WIRE_TEST(beside, syn_in_syn_sent)
{
	int fd = host_connect(p);
	struct peer other;

	expect(p, "SYN seq=0");
	other = *p;
	other.tag = 0x0ff0a000;
	other.iss = 0x12345678;
	inject(&other, "SYN seq=0 tsval=5");
	expect(&other, "SYN ACK seq=0 ack=1");
	p->host_tsval = other.host_tsval;
	the_server_answers(_metadata, p, fd);
}

/* ... and the same after a retransmission of what was taken for the SYN-ACK */
WIRE_TEST(beside, many_syns_in_syn_sent)
{
	int fd = host_connect(p), i;
	struct packet out;
	bool other = false;

	expect(p, "SYN seq=0");
	out = forged(p, F_SYN);
	out.has_init = true;
	out.init.mss = 100;
	for (i = 0; i < 1000; i++) {
		out.seq = guess32();
		out.init.isn = out.seq;
		out.init.tag = guess32() | 1;
		wire_send(w, &out);
		if (i % BURST == 0)
			drain(p, &other);
	}
	hear_out(p);
	the_server_answers(_metadata, p, fd);
}

/* a half-open connection: nobody else takes it over or ends it */
WIRE_TEST(beside, half_open)
{
	int listener = host_listen(w, p->host_port, 8), fd, i;
	struct packet out;
	bool other = false;

	inject(p, "SYN");
	expect(p, "SYN ACK seq=0 ack=1");
	for (i = 0; i < 1000; i++) {
		static const uint16_t flags[] = { F_ACK, F_RST | F_ACK, F_FIN | F_ACK, F_SYN };

		out = forged(p, flags[i % 4]);
		out.tag = flags[i % 4] == F_SYN ? 0 : guessed_tag(p);
		out.has_init = flags[i % 4] == F_SYN;
		out.init.tag = guess32() | 1;
		out.init.isn = out.seq;
		out.init.mss = 100;
		wire_send(w, &out);
		if (i % BURST == 0)
			drain(p, &other);
	}
	hear_out(p);
	inject(p, "ACK seq=1 ack=1 init");
	fd = host_accept(p, listener);
	expect_alive(p, fd, ACKNOWLEDGED);
	EXPECT_EQ(p->mss, host_info(p, fd).snd_mss);
}

/* ---- wrong in exactly one field ---- */

enum { HEADER_BITS = FIXED_HEADER * 8 };

/* sends @p's packet with one bit of its header turned round, the checksum made right again */
static void inject_turned(struct peer *p, const struct packet *out, unsigned int bit)
{
	uint8_t bytes[2048];
	size_t len = packet_encode(out, bytes, sizeof(bytes));
	uint16_t sum;

	bytes[bit / 8] ^= 0x80 >> bit % 8;
	if (bit / 16 != 7) {
		memset(bytes + 14, 0, 2);
		sum = internet_checksum(bytes, len);
		bytes[14] = sum >> 8;
		bytes[15] = sum;
	}
	wire_send_ip(p->w, IPPROTO_HAUL, bytes, len, 0);
}

/*
 * An RST must have the ports, the kind, the tag and the exact sequence number. Its acknowledgment,
 * window, clock and CE count are nobody's business (protocol.rst 4.2), nor are PSH, ACK and the
 * flags that have no meaning yet.
 */
static bool matters_to_rst(unsigned int bit)
{
	unsigned int byte = bit / 8;

	if (byte == 10)
		return false;
	if (byte == 11)
		return !((0x80 >> bit % 8) & (F_PSH | F_ACK));
	return byte < 12 || (byte >= 14 && byte < 20);
}

WIRE_TEST(field, of_a_reset)
{
	int fd = peer_establish(p);
	struct packet out = forged(p, F_RST | F_ACK);
	unsigned int bit;

	out.tag = p->host_tag;
	for (bit = 0; bit < HEADER_BITS; bit++) {
		if (!matters_to_rst(bit))
			continue;
		inject_turned(p, &out, bit);
		hear_out(p);
		ASSERT_EQ(HAUL_ESTABLISHED, host_info(p, fd).state) {
			TH_LOG("bit %u of byte %u", bit % 8, bit / 8);
		}
	}
	expect_alive(p, fd, ACKNOWLEDGED);
	/* and without a fault it does reset */
	out = forged(p, F_RST | F_ACK);
	out.tag = p->host_tag;
	wire_send(w, &out);
	expect_silence(p);
	host_expect_state(p, fd, HAUL_CLOSED);
}

/*
 * A segment of payload: what is taken is what belongs there, and the connection goes on. Its
 * sequence number's low bits are left out: what lies elsewhere in the window is text out of order,
 * as the tag vouches for it.
 */
static bool matters_to_payload(unsigned int bit)
{
	unsigned int byte = bit / 8;

	if (byte == 10 || (byte == 11 && ((0x80 >> bit % 8) & F_PSH)))
		return false;
	if (byte == 4)
		return true;		/* beyond any window of this connection, or before it */
	return byte < 4 || (byte >= 8 && byte < 12) || (byte >= 14 && byte < 20);
}

WIRE_TEST(field, of_payload)
{
	static const char foreign[] = "not from the peer";
	int fd = peer_establish(p);
	struct packet out;
	unsigned int bit;

	for (bit = 0; bit < HEADER_BITS; bit++) {
		if (!matters_to_payload(bit))
			continue;
		/* FIN, RST and REFLECTED with the right tag are the peer's own words */
		if (bit / 8 == 11 && ((0x80 >> bit % 8) & F_FIN))
			continue;
		out = forged(p, F_ACK);
		out.tag = p->host_tag;
		out.payload = (const void *)foreign;
		out.len = sizeof(foreign);
		inject_turned(p, &out, bit);
		hear_out(p);
		ASSERT_EQ(HAUL_ESTABLISHED, host_info(p, fd).state) {
			TH_LOG("bit %u of byte %u", bit % 8, bit / 8);
		}
		ASSERT_EQ(0, host_info(p, fd).bytes_received) {
			TH_LOG("bit %u of byte %u", bit % 8, bit / 8);
		}
	}
	usleep(1100000);
	expect_alive(p, fd, ACKNOWLEDGED);
}

/* a pure acknowledgment with one bit wrong: nothing unsent is acknowledged, all goes on */
WIRE_TEST(field, of_an_acknowledgment)
{
	struct packet out;
	unsigned int bit;
	int fd;

	p->mss = 1000;
	fd = peer_establish(p);
	host_write(p, fd, 1000);
	expect(p, "ACK seq=1 len=1000");
	for (bit = 0; bit < HEADER_BITS; bit++) {
		unsigned int byte = bit / 8;

		/* beside the point of an ACK, and control bits from who knows the tag */
		if (byte == 10 || (byte == 11 && ((0x80 >> bit % 8) & (F_PSH | F_FIN | F_RST))))
			continue;
		if (byte >= 24 || byte == 12 || byte == 13 || (byte >= 4 && byte < 8))
			continue;
		out = forged(p, F_ACK);
		out.tag = p->host_tag;
		/* a bit of this decides between in flight and not */
		out.ack = p->irs + 1;
		if (byte >= 20 && byte < 24) {
			out.ack = p->irs + 1001 + 0x400;
			if ((out.ack ^ (0x80000000 >> (bit - 160))) - (p->irs + 1) <= 1000)
				continue;
		}
		inject_turned(p, &out, bit);
		hear_out(p);
		ASSERT_EQ(HAUL_ESTABLISHED, host_info(p, fd).state) {
			TH_LOG("bit %u of byte %u", bit % 8, bit / 8);
		}
		ASSERT_EQ(1000, host_info(p, fd).unacked) {
			TH_LOG("bit %u of byte %u", bit % 8, bit / 8);
		}
	}
	inject(p, "ACK");
	usleep(1100000);
	expect_alive(p, fd, ACKNOWLEDGED);
}

/* ---- peers who lie to get more than their share ---- */

#define SEGMENT	1000
#define FLIGHT	10		/* segments of the initial window */

static int flight(struct peer *p, const char *controller)
{
	int fd, i;

	p->mss = SEGMENT;
	fd = peer_establish(p);
	if (setsockopt(fd, SOL_HAUL, HAUL_CONGESTION, controller, strlen(controller)))
		wire_fail(p->w, NULL, "no controller %s", controller);
	host_write(p, fd, 30 * SEGMENT);
	for (i = 0; i < FLIGHT; i++)
		expect(p, "ACK seq=%d len=%d", 1 + i * SEGMENT, SEGMENT);
	expect_silence(p);
	return fd;
}

static uint32_t cwnd(struct peer *p, int fd)
{
	return host_info(p, fd).snd_cwnd;
}

/* acknowledges the first segment in @parts; what the congestion window is then */
static uint32_t window_after(struct peer *p, const char *controller, int parts)
{
	int fd = flight(p, controller), i;
	uint32_t got;

	for (i = 1; i <= parts; i++)
		inject(p, "ACK ack=%d", 1 + SEGMENT * i / parts);
	hear_out(p);
	got = cwnd(p, fd);
	host_abort(fd);
	hear_out(p);
	peer_next(p);
	return got;
}

/* a window grows by what is acknowledged, not by how often that is said (RFC 5681 3.1, RFC 3465) */
WIRE_TEST(liar, divides_acknowledgments)
{
	static const char * const controllers[] = { "reno", "cubic" };
	int i;

	for (i = 0; i < 2; i++) {
		uint32_t honest = window_after(p, controllers[i], 1);

		EXPECT_LE(SEGMENT * FLIGHT, honest);
		EXPECT_GE(honest, window_after(p, controllers[i], SEGMENT)) {
			TH_LOG("%s", controllers[i]);
		}
	}
}

/* only SACK tells that something has left the path: an ACK that repeats itself lets nothing go */
WIRE_TEST(liar, repeats_acknowledgments)
{
	int fd = flight(p, "reno"), i;
	uint32_t before = cwnd(p, fd);

	for (i = 0; i < 200; i++)
		inject(p, "ACK ack=1");
	expect_silence(p);
	EXPECT_EQ(before, cwnd(p, fd));
	EXPECT_EQ(FLIGHT * SEGMENT, host_info(p, fd).unacked);
}

/* what was never sent can't be acknowledged, neither here nor by SACK */
WIRE_TEST(liar, acknowledges_what_was_not_sent)
{
	int fd = flight(p, "reno"), i;
	uint32_t before = cwnd(p, fd), sent = FLIGHT * SEGMENT;

	for (i = 0; i < 100; i++)
		inject(p, "ACK ack=%d", 2 + sent + i * SEGMENT);
	for (i = 0; i < 100; i++)
		inject(p, "ACK ack=1 sack=%d-%d", 1 + sent + i, 1 + sent + SEGMENT + i);
	/* also when it begins with what was */
	for (i = 1; i < 100; i++)
		inject(p, "ACK ack=1 sack=%d-%d", 1 + sent - SEGMENT, 1 + sent + i);
	hear_out(p);
	EXPECT_EQ(before, cwnd(p, fd));
	EXPECT_EQ(sent, host_info(p, fd).unacked);
	EXPECT_EQ(0, host_info(p, fd).retrans_segs);
	inject(p, "ACK");
}

/* reports of duplicates that were never sent twice give nothing back, as nothing was taken */
WIRE_TEST(liar, invents_duplicates)
{
	int fd = flight(p, "reno"), i;
	uint32_t before = cwnd(p, fd), grown;

	for (i = 0; i < 100; i++)
		inject(p, "ACK ack=1 sack=-%d-1", i + 1);
	expect_silence(p);
	EXPECT_EQ(before, cwnd(p, fd));
	EXPECT_EQ(0, host_info(p, fd).undos);
	inject(p, "ACK ack=%d", 1 + SEGMENT);
	hear_out(p);
	grown = cwnd(p, fd);
	EXPECT_GE(before + SEGMENT, grown);
}

/* a loss, and the lie that it was none: at best all is as it had been without one */
WIRE_TEST(liar, denies_a_loss)
{
	int fd = flight(p, "reno"), i;
	uint32_t before = cwnd(p, fd);

	inject(p, "ACK ack=1 sack=%d-%d", 1 + SEGMENT, 1 + FLIGHT * SEGMENT);
	hear_out(p);
	ASSERT_LE(1, host_info(p, fd).retrans_segs);
	ASSERT_GT(before, host_info(p, fd).snd_ssthresh);
	for (i = 0; i < 20; i++)
		inject(p, "ACK ack=%d sack=1-%d", 1 + FLIGHT * SEGMENT, 1 + SEGMENT);
	hear_out(p);
	EXPECT_GE(before + FLIGHT * SEGMENT, cwnd(p, fd));
}

/* takes back by the next ACK what it reported: it is sent again, and no window grows by it */
WIRE_TEST(liar, reneges)
{
	int fd = flight(p, "reno"), i;
	uint32_t before = cwnd(p, fd);

	for (i = 0; i < 50; i++) {
		inject(p, "ACK ack=1 sack=%d-%d", 1 + SEGMENT, 1 + 2 * SEGMENT);
		inject(p, "ACK ack=1 sack=%d-%d", 1 + 2 * SEGMENT, 1 + 3 * SEGMENT);
		inject(p, "ACK ack=1");
	}
	hear_out(p);
	EXPECT_GE(before, cwnd(p, fd));
	EXPECT_GE(3, host_info(p, fd).retrans_segs);
}

/* echoes of times that never were: no measured round trip is longer than the connection */
WIRE_TEST(liar, invents_times)
{
	uint64_t begun = wire_now_us();
	int fd = flight(p, "reno"), i;
	struct haul_info info;

	for (i = 1; i <= 1000; i++)
		inject(p, "ACK ack=%d tsecr=%u", 1 + i, guess32());
	hear_out(p);
	info = host_info(p, fd);
	EXPECT_GE(wire_now_us() - begun, info.srtt);
	EXPECT_LE(200000, info.rto);
	EXPECT_GE(60000000, info.rto);
}

/*
 * A CE count that runs wild is a mark: it costs half of the window, and PRR's first segment (RFC
 * 9937 6) is all that it lets go.
 */
WIRE_TEST(liar, miscounts_marks)
{
	uint32_t before;
	int fd, i;

	p->ecn = true;
	wire_sysctl(w, "haul.ecn", "1");
	fd = flight(p, "reno");
	before = cwnd(p, fd);
	for (i = 0; i < 100; i++)
		inject(p, "ACK ack=1 ce=%u", guess32() & 0xffff);
	hear_out(p);
	EXPECT_GE(before + SEGMENT, cwnd(p, fd));
	EXPECT_GE(before / 2, host_info(p, fd).snd_ssthresh);
	inject(p, "ACK ack=%d", 1 + FLIGHT * SEGMENT);
	hear_out(p);
	EXPECT_GE(before / 2 + SEGMENT, cwnd(p, fd));
}

TEST_HARNESS_MAIN
