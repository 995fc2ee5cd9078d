// SPDX-License-Identifier: GPL-2.0
/*
 * rtt.c: RFC 6298's numbers, the limits of the timeout, and the windowed minimum against a slow
 * exact one.
 */
#include "core/rtt.h"
#include "test.h"

#define SECOND 1000000ULL

static struct haul_rtt start(void)
{
	struct haul_rtt rtt;

	memset(&rtt, 0xee, sizeof(rtt));
	haul_rtt_init(&rtt, HAUL_RTO_FLOOR_US);
	return rtt;
}

TEST(before_the_first_sample)
{
	struct haul_rtt rtt = start();

	EXPECT_EQ(haul_rtt_srtt(&rtt), 0);
	EXPECT_EQ(haul_rtt_rto(&rtt), HAUL_RTO_INITIAL_US);
	EXPECT_EQ(rtt.min, HAUL_RTT_NONE);
	EXPECT_EQ(rtt.backoff, 0);
	haul_rtt_init(&rtt, 3000000);
	EXPECT_EQ(haul_rtt_rto(&rtt), 3000000);
}

TEST(first_sample)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 400000, SECOND);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 400000);
	EXPECT_EQ(rtt.rttvar4, 4 * 200000);
	EXPECT_EQ(rtt.latest, 400000);
	EXPECT_EQ(rtt.min, 400000);
	/* SRTT + 4 * R/2 */
	EXPECT_EQ(haul_rtt_rto(&rtt), 1200000);
}

TEST(second_sample_up_and_down)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 400000, SECOND);
	haul_rtt_sample(&rtt, 480000, 2 * SECOND);
	/* RTTVAR = 3/4 * 200000 + 1/4 * 80000, SRTT = 7/8 * 400000 + 1/8 * 480000 */
	EXPECT_EQ(rtt.rttvar4, 4 * 170000);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 410000);
	EXPECT_EQ(haul_rtt_rto(&rtt), 410000 + 680000);

	haul_rtt_sample(&rtt, 330000, 3 * SECOND);
	/* RTTVAR = 3/4 * 170000 + 1/4 * 80000, SRTT = 7/8 * 410000 + 1/8 * 330000 */
	EXPECT_EQ(rtt.rttvar4, 4 * 147500);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 400000);
}

TEST(steady_path_keeps_a_margin)
{
	struct haul_rtt rtt = start();
	u32 i;

	for (i = 0; i < 1000; i++)
		haul_rtt_sample(&rtt, 300000, i * SECOND);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 300000);
	EXPECT_LE(rtt.rttvar4, 4);
	EXPECT_EQ(haul_rtt_rto(&rtt), 300000 + HAUL_RTO_FLOOR_US);
}

TEST(follows_a_change_of_path)
{
	struct haul_rtt rtt = start();
	u32 i;

	for (i = 0; i < 100; i++)
		haul_rtt_sample(&rtt, 1000, i * SECOND);
	for (i = 0; i < 100; i++)
		haul_rtt_sample(&rtt, 50000, (100 + i) * SECOND);
	EXPECT_GE(haul_rtt_srtt(&rtt), 49990);
	EXPECT_LE(haul_rtt_srtt(&rtt), 50000);
	for (i = 0; i < 100; i++)
		haul_rtt_sample(&rtt, 10, (200 + i) * SECOND);
	EXPECT_GE(haul_rtt_srtt(&rtt), 10);
	EXPECT_LE(haul_rtt_srtt(&rtt), 20);
}

TEST(odd_samples)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, HAUL_RTT_NONE, SECOND);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 0);
	EXPECT_EQ(rtt.min, HAUL_RTT_NONE);
	haul_rtt_sample(&rtt, 0, SECOND);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 1);
	EXPECT_EQ(rtt.min, 1);
	rtt = start();
	haul_rtt_sample(&rtt, HAUL_RTT_NONE - 1, SECOND);
	EXPECT_EQ(haul_rtt_srtt(&rtt), HAUL_RTO_MAX_US);
	EXPECT_EQ(haul_rtt_rto(&rtt), HAUL_RTO_MAX_US);
}

TEST(limit_that_a_program_sets)
{
	struct haul_rtt rtt = start();
	u32 i;

	rtt.rto_max_ms = 2000;
	EXPECT_EQ(haul_rtt_rto(&rtt), HAUL_RTO_INITIAL_US);
	for (i = 0; i < 10; i++)
		haul_rtt_backoff(&rtt);
	EXPECT_EQ(haul_rtt_rto(&rtt), 2000000);
	haul_rtt_sample(&rtt, 5000000, SECOND);
	EXPECT_EQ(haul_rtt_base(&rtt), 2000000);
}

TEST(backoff_doubles_to_the_limit)
{
	struct haul_rtt rtt = start();
	u64 want = HAUL_RTO_INITIAL_US;
	u32 i;

	for (i = 0; i < 300; i++) {
		EXPECT_EQ(haul_rtt_rto(&rtt), want);
		haul_rtt_backoff(&rtt);
		want = want * 2 > HAUL_RTO_MAX_US ? HAUL_RTO_MAX_US : want * 2;
	}
}

TEST(base_does_not_back_off)
{
	struct haul_rtt rtt;
	u32 before;

	haul_rtt_init(&rtt, HAUL_RTO_FLOOR_US);
	EXPECT_EQ(haul_rtt_base(&rtt), HAUL_RTO_INITIAL_US);
	haul_rtt_sample(&rtt, 10000, 1);
	before = haul_rtt_rto(&rtt);
	haul_rtt_backoff(&rtt);
	EXPECT_EQ(haul_rtt_base(&rtt), before);
	EXPECT_EQ(haul_rtt_rto(&rtt), 2 * before);
}

TEST(backoff_from_a_tiny_timeout_reaches_the_limit)
{
	struct haul_rtt rtt;
	u32 i;

	haul_rtt_init(&rtt, 1);
	for (i = 0; i < 100; i++)
		haul_rtt_sample(&rtt, 1, SECOND);
	EXPECT_LE(haul_rtt_rto(&rtt), 4);
	for (i = 0; i < 40; i++)
		haul_rtt_backoff(&rtt);
	EXPECT_EQ(haul_rtt_rto(&rtt), HAUL_RTO_MAX_US);
}

TEST(sample_ends_the_backoff)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 100000, SECOND);
	haul_rtt_backoff(&rtt);
	haul_rtt_backoff(&rtt);
	EXPECT_EQ(rtt.backoff, 2);
	EXPECT_EQ(haul_rtt_rto(&rtt), 4 * 300000);
	haul_rtt_sample(&rtt, 100000, 2 * SECOND);
	EXPECT_EQ(rtt.backoff, 0);
	EXPECT_EQ(haul_rtt_rto(&rtt), 300000);
}

TEST(min_falls_at_once)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 500, SECOND);
	haul_rtt_sample(&rtt, 400, 2 * SECOND);
	haul_rtt_sample(&rtt, 450, 3 * SECOND);
	EXPECT_EQ(rtt.min, 400);
}

TEST(min_ages_out)
{
	struct haul_rtt rtt = start();
	u64 t;

	haul_rtt_sample(&rtt, 400, SECOND);
	for (t = 2; t <= 301; t++)
		haul_rtt_sample(&rtt, 900, t * SECOND);
	EXPECT_EQ(rtt.min, 400);
	haul_rtt_sample(&rtt, 900, 302 * SECOND);
	EXPECT_EQ(rtt.min, 900);
}

TEST(min_ages_out_to_the_least_of_the_second_half)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 400, SECOND);
	haul_rtt_sample(&rtt, 500, 100 * SECOND);
	haul_rtt_sample(&rtt, 800, 160 * SECOND);
	haul_rtt_sample(&rtt, 700, 200 * SECOND);
	haul_rtt_sample(&rtt, 900, 250 * SECOND);
	haul_rtt_sample(&rtt, 950, 302 * SECOND);
	EXPECT_EQ(rtt.min, 700);
}

TEST(min_seen_again_is_young_again)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 400, SECOND);
	haul_rtt_sample(&rtt, 900, 160 * SECOND);
	haul_rtt_sample(&rtt, 400, 200 * SECOND);
	haul_rtt_sample(&rtt, 900, 400 * SECOND);
	EXPECT_EQ(rtt.min, 400);
	haul_rtt_sample(&rtt, 900, 501 * SECOND);
	EXPECT_EQ(rtt.min, 900);
}

TEST(min_after_a_long_silence)
{
	struct haul_rtt rtt = start();

	haul_rtt_sample(&rtt, 400, SECOND);
	haul_rtt_sample(&rtt, 600, 200 * SECOND);
	haul_rtt_sample(&rtt, 900, 2000 * SECOND);
	EXPECT_EQ(rtt.min, 900);
}

/* The estimate must lie between the least of the whole window and that of its latest half. */
TEST(min_against_the_exact_one)
{
	static u32 sample[3000];
	struct haul_rtt rtt = start();
	u32 i, j, base = 1000;

	for (i = 0; i < 3000; i++) {
		u32 whole = ~0U, half = ~0U;

		if (!test_random_below(300))
			base = 100 + test_random_below(5000);
		sample[i] = base + test_random_below(1000);
		haul_rtt_sample(&rtt, sample[i], (i + 1) * SECOND);
		for (j = i > 300 ? i - 300 : 0; j <= i; j++) {
			whole = sample[j] < whole ? sample[j] : whole;
			if (i - j < 150)
				half = sample[j] < half ? sample[j] : half;
		}
		ASSERT_GE(rtt.min, whole);
		ASSERT_LE(rtt.min, half);
	}
}

/* RFC 7765 4: RTO - T_earliest where that is left of it and fewer than four segments are about */
TEST(restart_with_few_segments)
{
	struct haul_rtt rtt = start();
	u32 rto;

	haul_rtt_sample(&rtt, 300000, SECOND);
	rto = haul_rtt_rto(&rtt);
	EXPECT_EQ(haul_rtt_restart(&rtt, 0, 1), rto);
	EXPECT_EQ(haul_rtt_restart(&rtt, 100000, 1), rto - 100000);
	EXPECT_EQ(haul_rtt_restart(&rtt, 100000, 3), rto - 100000);
	EXPECT_EQ(haul_rtt_restart(&rtt, 100000, 4), rto);
	EXPECT_EQ(haul_rtt_restart(&rtt, rto - 1, 3), 1);
	EXPECT_EQ(haul_rtt_restart(&rtt, rto, 3), rto);
	EXPECT_EQ(haul_rtt_restart(&rtt, 1ULL << 40, 3), rto);
}

/* RFC 4015 3.3: SRTT and RTTVAR at least what the late sample would give as the first */
TEST(spurious_timeout_waits_longer)
{
	struct haul_rtt rtt = start();
	int i;

	for (i = 0; i < 100; i++)
		haul_rtt_sample(&rtt, 100000, (i + 1) * SECOND);
	haul_rtt_sample(&rtt, 800000, 200 * SECOND);
	haul_rtt_spurious(&rtt, 800000);
	EXPECT_EQ(haul_rtt_srtt(&rtt), 800000);
	EXPECT_EQ(haul_rtt_rto(&rtt), 3 * 800000);
	/* nothing is taken back */
	haul_rtt_spurious(&rtt, 1000);
	EXPECT_EQ(haul_rtt_rto(&rtt), 3 * 800000);
}

/* RFC 9040: what is longer is believed at once, what is shorter by and by */
TEST(memory_of_a_path)
{
	struct haul_rtt_memory m = { };
	struct haul_rtt rtt = start();
	u32 before;
	int i;

	haul_rtt_sample(&rtt, 80000, SECOND);
	haul_rtt_remember(&m, &rtt);
	EXPECT_EQ(m.srtt, 80000);
	EXPECT_EQ(m.rttvar, 40000);

	rtt = start();
	haul_rtt_sample(&rtt, 100000, SECOND);
	haul_rtt_remember(&m, &rtt);
	EXPECT_EQ(m.srtt, 100000);
	EXPECT_EQ(m.rttvar, 50000);

	rtt = start();
	haul_rtt_sample(&rtt, 20000, SECOND);
	haul_rtt_remember(&m, &rtt);
	EXPECT_EQ(m.srtt, 90000);
	EXPECT_EQ(m.rttvar, 40000);
	for (i = 0; i < 100; i++) {
		before = m.srtt;
		haul_rtt_remember(&m, &rtt);
		EXPECT_LE(m.srtt, before);
	}
	EXPECT_LE(m.srtt, 20008);
	EXPECT_GE(m.srtt, 20000);
	EXPECT_LE(m.rttvar, 10004);
}

TEST(first_packet_again_ahead_of_the_timeout)
{
	struct haul_rtt_memory m = { };
	struct haul_rtt rtt = start();

	/* a stranger */
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 0);
	m = (struct haul_rtt_memory){ .srtt = 40000, .rttvar = 20000 };
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 240000);
	m.rttvar = 60000;
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 280000);
	/* a third of the second at most */
	m = (struct haul_rtt_memory){ .srtt = 133333, .rttvar = 0 };
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 333333);
	m.srtt++;
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 0);
	m = (struct haul_rtt_memory){ .srtt = ~0U, .rttvar = ~0U };
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 0);
	/* or of what the program lets it be */
	rtt.rto_max_ms = 600;
	m = (struct haul_rtt_memory){ .srtt = 1 };
	EXPECT_EQ(haul_rtt_early(&m, &rtt), 0);
}
