// SPDX-License-Identifier: GPL-2.0
/*
 * What an off-path attacker must not guess: initial sequence numbers (RFC 6528), tags, timestamp
 * offsets, cookies. All but the tag are keyed hashes of the flow, under keys drawn once.
 */
#include <linux/once.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <net/ipv6.h>
#include <net/netns/hash.h>
#include "conn.h"

static siphash_key_t haul_start_key __read_mostly;
static siphash_key_t haul_cookie_key __read_mostly;

/*
 * 64 bits that only this host can tell of a flow. Two words of it are all of an IPv4 flow; net's
 * part is no secret, but namespaces need not share numbers.
 */
static u64 haul_secret_flow(const struct haul_flow_key *key)
{
	get_random_once(&haul_start_key, sizeof(haul_start_key));
	if (ipv6_addr_v4mapped(&key->remote))
		return siphash_4u32((__force u32)key->local.s6_addr32[3],
				    (__force u32)key->remote.s6_addr32[3],
				    (__force u32)key->lport << 16 | (__force u32)key->rport,
				    net_hash_mix(key->net) ^ key->kind, &haul_start_key);
	return siphash(key, sizeof(*key), &haul_start_key);
}

/**
 * haul_secret_start - initial sequence number and timestamp offset of a new connection
 * @key:	its flow
 * @now:	us of haul_now_us()
 * @ts_offset:	haul_secret_ts_offset() of it is put here
 *
 * RFC 6528 3: M + F(flow, secret), M ticking every 4 microseconds, so that successive connections
 * of one flow get growing numbers. F and the offset are the two halves of one keyed hash: either
 * says nothing about the other. Context: any. Return: the number.
 */
u32 haul_secret_start(const struct haul_flow_key *key, u64 now, u32 *ts_offset)
{
	u64 secret = haul_secret_flow(key);

	*ts_offset = secret >> 32;
	return (u32)secret + (u32)(now >> 2);
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
	return haul_secret_flow(key) >> 32;
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
