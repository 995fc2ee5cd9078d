// SPDX-License-Identifier: GPL-2.0
/*
 * One packet, and what /proc/net/haul/snmp says of it: each reason to throw a packet away, and each
 * kind of answer, is counted once and under its own name (counters.rst).
 */
#include <stdlib.h>
#include "fixture.h"

WIRE_FIXTURE(counts);

#define COUNTERS 128

struct counters {
	char names[4096];
	char values[4096];
	char *name[COUNTERS];
	long value[COUNTERS];
	int num;
};

static void read_counters(struct wire *w, struct counters *c)
{
	char *save_name, *save_value, *name, *value;
	FILE *file = fopen("/proc/net/haul/snmp", "r");

	if (!file || !fgets(c->names, sizeof(c->names), file) ||
	    !fgets(c->values, sizeof(c->values), file))
		wire_fail(w, NULL, "/proc/net/haul/snmp can't be read");
	fclose(file);
	name = strtok_r(c->names, " \n", &save_name);
	value = strtok_r(c->values, " \n", &save_value);
	for (c->num = 0; name && value && c->num < COUNTERS; c->num++) {
		c->name[c->num] = name;
		c->value[c->num] = strtol(value, NULL, 10);
		name = strtok_r(NULL, " \n", &save_name);
		value = strtok_r(NULL, " \n", &save_value);
	}
}

/* those that only a packet moves; what timers count may come between */
static bool moved_by_packets(const char *name)
{
	static const char *const names[] = {
		"ChallengeAcks", "ChallengeLimited", "TimeWaitAcks", "PureAcks", "InRsts",
		"OutRsts", "OooQueued", "RcvCoalesced", "DsacksSent", "AbortOnData", "EstabResets",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "Drop", 4);
}

/* how often @name stands in @text */
static int times(const char *text, const char *name)
{
	size_t len = strlen(name);
	int num = 0;

	for (; *text; text += strcspn(text, " "), text += strspn(text, " "))
		if (strcspn(text, " ") == len && !strncmp(text, name, len))
			num++;
	return num;
}

/*
 * Exactly the counters that @text names have grown since @before, each as often as it is named.
 * What came until now has been answered when the refusal of one packet more has come: a SYN for a
 * port that nobody has, which counts, too.
 */
static void expect_counted(struct wire *w, const struct counters *before, const char *text)
{
	uint32_t fence = 0;
	struct counters now;
	struct packet rx;
	int i, want;

	while (wire_before_fence(w, &rx, &fence))
		;
	read_counters(w, &now);
	for (i = 0; i < now.num; i++) {
		if (!moved_by_packets(now.name[i]))
			continue;
		want = times(text, now.name[i]) + times("DropNoFlow OutRsts", now.name[i]);
		if (now.value[i] - before->value[i] != want)
			wire_fail(w, NULL, "%s has grown by %ld, not by %d", now.name[i],
				  now.value[i] - before->value[i], want);
	}
}

/* A connection in @state; @orphan: nobody has its socket any more. */
static void reach(struct peer *p, int state, bool orphan)
{
	int listener = -1, fd;

	if (state != HAUL_CLOSED && state != HAUL_SYN_SENT)
		listener = host_listen(p->w, p->host_port, 8);
	fd = peer_reach(p, listener, state);
	if (orphan)
		host_close(fd);
}

static void run(struct peer *p, int state, bool orphan, const char *packet, const char *counters)
{
	struct counters before;

	reach(p, state, orphan);
	read_counters(p->w, &before);
	inject(p, "%s", packet);
	expect_counted(p->w, &before, counters);
}

#define COUNTS(name, state, packet, counters)						\
	WIRE_TEST(counts, name)								\
	{										\
		run(p, state, false, packet, counters);					\
	}										\
	struct name##_needs_a_semicolon

/* ---- no connection ---- */

COUNTS(ack_for_a_listener, HAUL_LISTEN, "ACK seq=5 ack=7 tag=0x77", "DropNoFlow OutRsts");
COUNTS(rst_for_a_listener, HAUL_LISTEN, "RST ACK seq=5 ack=7 tag=0x77", "DropRst");
COUNTS(syn_without_init, HAUL_LISTEN, "SYN noinit", "DropNoInit");
COUNTS(syn_with_a_tag, HAUL_LISTEN, "SYN tag=0x55", "DropTag");
COUNTS(syn_for_nobody, HAUL_CLOSED, "SYN", "DropNoFlow OutRsts");
COUNTS(no_flag_that_counts, HAUL_CLOSED, "PSH len=1", "DropFlags");

/* ---- SYN-SENT ---- */

COUNTS(answer_without_init, HAUL_SYN_SENT, "SYN ACK noinit", "DropNoInit");
COUNTS(answer_with_wrong_ack, HAUL_SYN_SENT, "SYN ACK ack=2", "DropAck OutRsts");
COUNTS(answer_with_wrong_tag, HAUL_SYN_SENT, "SYN ACK tag=bad", "DropTag OutRsts");
COUNTS(answer_without_syn, HAUL_SYN_SENT, "ACK", "DropState");
COUNTS(refusal_of_another_syn, HAUL_SYN_SENT, "RST ACK ack=2", "DropRst");
COUNTS(crossing_syn_with_a_tag, HAUL_SYN_SENT, "SYN tag=0x55", "DropTag");

/* ---- half open ---- */

COUNTS(half_open_same_syn, HAUL_SYN_RECEIVED, "SYN", "DropSyn");
COUNTS(half_open_other_syn, HAUL_SYN_RECEIVED, "SYN seq=9000", "DropSyn ChallengeAcks");
COUNTS(half_open_syn_with_a_tag, HAUL_SYN_RECEIVED, "SYN tag=0x55", "DropTag");
COUNTS(half_open_syn_without_init, HAUL_SYN_RECEIVED, "SYN noinit", "DropNoInit");
COUNTS(half_open_syn_ack, HAUL_SYN_RECEIVED, "SYN ACK seq=0", "DropSyn ChallengeAcks");
COUNTS(half_open_wrong_tag, HAUL_SYN_RECEIVED, "ACK init tag=bad", "DropTag");
COUNTS(half_open_old_clock, HAUL_SYN_RECEIVED, "ACK init tsval=-1000", "DropPaws");
COUNTS(half_open_old_fin, HAUL_SYN_RECEIVED, "FIN ACK init tsval=-9", "DropPaws ChallengeAcks");
COUNTS(half_open_far, HAUL_SYN_RECEIVED, "ACK init seq=1000000", "DropSequence ChallengeAcks");
COUNTS(half_open_wrong_ack, HAUL_SYN_RECEIVED, "ACK init ack=2", "DropAck OutRsts");
COUNTS(half_open_rst, HAUL_SYN_RECEIVED, "RST ACK", "InRsts");
COUNTS(half_open_rst_near, HAUL_SYN_RECEIVED, "RST ACK seq=2", "DropRst ChallengeAcks");
COUNTS(half_open_rst_far, HAUL_SYN_RECEIVED, "RST ACK seq=100000000", "DropRst");
COUNTS(half_open_rst_with_wrong_tag, HAUL_SYN_RECEIVED, "RST ACK tag=bad", "DropTag");

/* ---- established ---- */

COUNTS(pure_ack, HAUL_ESTABLISHED, "ACK", "PureAcks");
COUNTS(syn_again, HAUL_ESTABLISHED, "SYN", "DropSyn ChallengeAcks");
COUNTS(syn_ack_with_wrong_tag, HAUL_ESTABLISHED, "SYN ACK seq=0 tag=bad", "DropTag");
COUNTS(wrong_tag, HAUL_ESTABLISHED, "ACK len=10 tag=bad", "DropTag");
COUNTS(ack_of_the_future, HAUL_ESTABLISHED, "ACK ack=2", "DropAck ChallengeAcks");
COUNTS(ack_ancient, HAUL_ESTABLISHED, "ACK ack=-2000000", "DropAck ChallengeAcks");
COUNTS(old_clock, HAUL_ESTABLISHED, "ACK len=10 tsval=-1000", "DropPaws");
COUNTS(old_clock_and_sequence, HAUL_ESTABLISHED, "ACK seq=0 tsval=-1000", "DropPaws");
COUNTS(probe, HAUL_ESTABLISHED, "ACK seq=0", "DropSequence ChallengeAcks");
COUNTS(payload_again, HAUL_ESTABLISHED, "ACK seq=-9 len=10", "DropSequence DsacksSent");
COUNTS(payload_out_of_order, HAUL_ESTABLISHED, "ACK seq=11 len=10", "OooQueued");
COUNTS(rst_that_ends, HAUL_ESTABLISHED, "RST ACK", "InRsts EstabResets");
COUNTS(rst_near, HAUL_ESTABLISHED, "RST ACK seq=2", "DropRst ChallengeAcks");
COUNTS(rst_far, HAUL_ESTABLISHED, "RST ACK seq=1100000000", "DropRst");
COUNTS(rst_with_wrong_tag, HAUL_ESTABLISHED, "RST ACK tag=bad", "DropTag");

/* ---- closing ---- */

COUNTS(payload_behind_a_fin, HAUL_CLOSE_WAIT, "ACK len=10", "DropState");
COUNTS(time_wait_fin_again, HAUL_TIME_WAIT, "FIN ACK seq=1", "DropDuplicate TimeWaitAcks");
COUNTS(time_wait_payload, HAUL_TIME_WAIT, "ACK len=10", "DropState");
COUNTS(time_wait_ack, HAUL_TIME_WAIT, "ACK", "DropState");
COUNTS(time_wait_old_payload, HAUL_TIME_WAIT, "ACK len=10 tsval=-1000", "DropPaws");
COUNTS(time_wait_old_clock, HAUL_TIME_WAIT, "ACK tsval=-1000", "DropPaws");
COUNTS(time_wait_probe, HAUL_TIME_WAIT, "ACK seq=1", "DropSequence ChallengeAcks");
COUNTS(time_wait_ack_of_the_future, HAUL_TIME_WAIT, "ACK ack=3", "DropAck ChallengeAcks");
COUNTS(time_wait_wrong_tag, HAUL_TIME_WAIT, "ACK tag=bad", "DropTag");
COUNTS(time_wait_rst, HAUL_TIME_WAIT, "RST ACK", "DropRst");
COUNTS(time_wait_old_syn, HAUL_TIME_WAIT, "SYN tsval=-1000", "DropSyn ChallengeAcks");
COUNTS(time_wait_syn_with_a_tag, HAUL_TIME_WAIT, "SYN tag=0x55", "DropTag");
COUNTS(time_wait_syn_without_init, HAUL_TIME_WAIT, "SYN noinit", "DropNoInit");
COUNTS(time_wait_syn_ack, HAUL_TIME_WAIT, "SYN ACK seq=0", "DropSyn ChallengeAcks");

/* RFC 1122 4.2.2.13: the program has closed and will not read what comes */
WIRE_TEST(counts, payload_for_an_orphan)
{
	run(p, HAUL_FIN_WAIT_2, true, "ACK len=10", "DropClosed AbortOnData OutRsts");
}

/* ---- what is not one packet's doing ---- */

WIRE_TEST(counts, payload_that_joins_what_waits)
{
	int fd = peer_establish(p);
	struct counters before;

	inject(p, "ACK len=1");
	host_wait(p, fd, POLLIN);
	read_counters(w, &before);
	inject(p, "ACK len=1");
	expect_counted(w, &before, "RcvCoalesced");
	host_read(p, fd, 2);
}

/* Memory, not the window, is what a byte at a time uses up (RFC 2018 8). */
WIRE_TEST(counts, pruned_for_memory)
{
	int listener = host_listen(w, p->host_port, 8), i;
	struct packet rx;

	host_option(p, listener, SOL_SOCKET, SO_RCVBUF, 8192);
	peer_connect(p, listener);
	for (i = 0; i < 500 && !wire_counter(w, "RcvPruned"); i++) {
		uint32_t fence = 0;

		EXPECT_EQ(0, wire_counter(w, "DropMemory"));
		inject(p, "ACK seq=%d len=1", 11 + i * 10);
		while (wire_before_fence(w, &rx, &fence))
			;
	}
	EXPECT_EQ(1, wire_counter(w, "RcvPruned"));
	EXPECT_LE(1, wire_counter(w, "DropMemory"));
	EXPECT_GT(i, wire_counter(w, "DropMemory"));
}

/* A connection has two ends: what is sent to all is none of its packets. */
WIRE_TEST(counts, to_all_hosts)
{
	struct counters before;

	host_listen(w, p->host_port, 8);
	read_counters(w, &before);
	w->to_all = true;
	inject(p, "SYN");
	w->to_all = false;
	expect_counted(w, &before, "DropAddress");
}

/* The way back is gone before the third step comes. */
WIRE_TEST(counts, third_step_without_a_way_back)
{
	int listener = host_listen(w, p->host_port, 8);
	uint64_t end = wire_now_us() + WIRE_PATIENCE_MS * 1000ULL;
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	inject(p, "SYN");
	expect(p, "SYN ACK");
	ASSERT_EQ(0, system(w->family == AF_INET ? "ip route flush dev wire0" :
						   "ip -6 route flush dev wire0"));
	inject(p, "ACK init");
	while (!wire_counter(w, "DropChild") && wire_now_us() < end)
		;
	EXPECT_EQ(1, wire_counter(w, "DropChild"));
	EXPECT_EQ(0, wire_counter(w, "PassiveOpens"));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

TEST_HARNESS_MAIN
