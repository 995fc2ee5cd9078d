// SPDX-License-Identifier: GPL-2.0
/*
 * What an off-path attacker must not guess: initial sequence numbers (RFC 6528), tags, timestamp
 * offsets, cookies. All but the tag are keyed hashes of the flow, under keys drawn once.
 */
#include <linux/once.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include "conn.h"

static siphash_key_t haul_isn_key __read_mostly;
static siphash_key_t haul_ts_key __read_mostly;
static siphash_key_t haul_cookie_key __read_mostly;

/**
 * haul_secret_isn - initial sequence number of a new connection
 * @key:	its flow
 *
 * RFC 6528 3: M + F(flow, secret), M ticking every 4 microseconds, so that successive connections
 * of one flow get growing numbers. Context: any.
 */
u32 haul_secret_isn(const struct haul_flow_key *key)
{
	get_random_once(&haul_isn_key, sizeof(haul_isn_key));
	return (u32)siphash(key, sizeof(*key), &haul_isn_key) + (u32)(haul_now_us() >> 2);
}

/**
 * haul_secret_ts_offset - what is added to the clock for a connection's timestamps
 * @key:	its flow
 *
 * The same for each connection of the flow: timestamps go on growing, so that RFC 6191 can tell old
 * from new, and a cookie need not keep it (RFC 7323 5.4). Context: any. Return: us.
 */
u32 haul_secret_ts_offset(const struct haul_flow_key *key)
{
	get_random_once(&haul_ts_key, sizeof(haul_ts_key));
	return (u32)siphash(key, sizeof(*key), &haul_ts_key);
}

/**
 * haul_secret_tag - a new connection's own tag
 *
 * Context: any. Return: random, never 0.
 */
u32 haul_secret_tag(void)
{
	u32 tag;

	do {
		tag = get_random_u32();
	} while (!tag);
	return tag;
}

/**
 * haul_secret_cookie - the server's ISN and tag, when it keeps no state
 * @key:	the flow, from the server's side
 * @init:	the client's INIT; its tag and ISN count, MSS and flags may be told anew
 * @slot:	number of the time slot
 *
 * Context: any. Return: ISN in the high, tag (never 0) in the low 32 bits.
 */
u64 haul_secret_cookie(const struct haul_flow_key *key, const struct haul_init *init, u32 slot)
{
	const struct {
		struct haul_flow_key	key;
		u32			tag;
		u32			isn;
		u32			slot;
		u32			zero;
	} __aligned(SIPHASH_ALIGNMENT) input = {
		.key	= *key,
		.tag	= init->tag,
		.isn	= init->isn,
		.slot	= slot,
	};
	u64 cookie;

	get_random_once(&haul_cookie_key, sizeof(haul_cookie_key));
	cookie = siphash(&input, sizeof(input), &haul_cookie_key);
	return (u32)cookie ? cookie : cookie | 1;
}
