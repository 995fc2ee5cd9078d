// SPDX-License-Identifier: GPL-2.0
/*
 * The receiver's ranges: what arrived out of order and twice, and the SACK blocks that tell of it,
 * against a map with one entry for each byte.
 */
#include "core/receiver.h"
#include "fuzz.h"

#define SPAN	1024	/* bytes of sequence space that are played with */
#define MORE	64	/* ranges that the reassembly queue is asked for */

struct map {
	struct haul_receiver rcv;
	u32 base;
	bool held[SPAN];
	u32 nxt;	/* of the map: index of the first byte missing */
	u32 newest;	/* an index within the latest range out of order, SPAN: none */
	bool dup;
	u32 dup_start, dup_end;
};

/* the whole run of held bytes around @at */
static struct haul_block map_run(const struct map *m, u32 at)
{
	u32 start = at, end = at;

	while (start > 0 && m->held[start - 1])
		start--;
	while (end < SPAN && m->held[end])
		end++;
	return (struct haul_block){ m->base + start, m->base + end };
}

/* runs above nxt, sorted */
static unsigned int map_runs(const struct map *m, struct haul_block *out, unsigned int max)
{
	unsigned int num = 0;
	u32 at;

	for (at = m->nxt; at < SPAN && num < max; at++) {
		if (!m->held[at])
			continue;
		out[num] = map_run(m, at);
		at = out[num++].end - m->base;
	}
	return num;
}

/* what conn/reassembly.c does with a segment: duplicates told, then in order or not */
static void map_arrive(struct map *m, u32 start, u32 end)
{
	u32 at = start, dup_end;

	while (at < end && !m->held[at])
		at++;
	for (dup_end = at; dup_end < end && m->held[dup_end]; dup_end++)
		;
	if (at < dup_end) {
		haul_receiver_duplicate(&m->rcv, m->base + at, m->base + dup_end);
		m->dup_start = at;
		m->dup_end = dup_end;
		m->dup = true;
	}
	for (at = start; at < end; at++)
		m->held[at] = true;
	if (start > m->nxt) {
		struct haul_block run = map_run(m, start);

		haul_receiver_ooo(&m->rcv, run.start, run.end);
		m->newest = start;
		return;
	}
	while (m->nxt < SPAN && m->held[m->nxt])
		m->nxt++;
	m->rcv.nxt = m->base + m->nxt;
	haul_receiver_advanced(&m->rcv);
	if (m->newest < m->nxt)
		m->newest = SPAN;
}

/* the blocks of an ACK: true, different from each other, the newest first, none left out */
static void map_check_blocks(struct map *m, unsigned int max)
{
	struct haul_block more[MORE], out[MORE];
	unsigned int num_more = map_runs(m, more, MORE), num, i = 0, j;
	bool dup = m->dup;

	num = haul_receiver_sack_blocks(&m->rcv, more, num_more, out, max);
	CHECK(num <= max);
	CHECK(!m->rcv.dsack_valid || !max);
	if (dup && num) {
		/* joined with earlier ones that touch it */
		CHECK(out[0].start - m->base <= m->dup_start);
		CHECK(out[0].end - m->base >= m->dup_end);
		i = 1;
	}
	if (max)
		m->dup = false;
	for (j = i; j < num; j++) {
		struct haul_block run = map_run(m, out[j].start - m->base);
		unsigned int k;

		CHECK(out[j].start - m->base > m->nxt && out[j].end - m->base <= SPAN);
		CHECK(out[j].start == run.start && out[j].end == run.end);
		for (k = i; k < j; k++)
			CHECK(out[k].start != out[j].start);
	}
	if (!dup && m->newest < SPAN && num)
		CHECK_EQ(out[0].start, map_run(m, m->newest).start);
	if (num < max)
		CHECK_EQ(num - i, num_more);
}

void fuzz(struct input *in)
{
	struct map m = { .newest = SPAN };

	m.base = take_u32(in);
	haul_receiver_init(&m.rcv, m.base - 1, 0);
	CHECK_EQ(m.rcv.nxt, m.base);
	while (in->left) {
		u32 start = take_below(in, SPAN), len = take_u8(in);

		if (len >= 200) {
			map_check_blocks(&m, take_below(in, 32));
			continue;
		}
		if (start + len > SPAN)
			len = SPAN - start;
		if (len)
			map_arrive(&m, start, start + len);
	}
	map_check_blocks(&m, 31);
}
