// SPDX-License-Identifier: GPL-2.0
/*
 * The receiver's window (TEXTBOOK 13, 14): a reader that stops, small buffers, small reads; every
 * byte is compared. Time is a subject here (a minute of standstill): listed in ./exact.
 */
#include "capture.h"
#include "timing.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(flow_control);

/* until nothing moves any more: what could be sent has arrived, the window is shut */
static void fill(struct flow *f)
{
	uint64_t before;

	do {
		before = f->sent;
		flow_fill(f);
		pause_us(500 * MS);
	} while (f->sent != before);
}

/* for a minute the reader does nothing; the sender probes; then all goes on, byte for byte */
TEST_F_TIMEOUT(flow_control, reader_stops_for_a_minute, 200)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	struct haul_info sender, receiver;
	long probes;

	link_set("delay 5ms");
	flow_run(&f, 100000, 20000, 65536);
	fill(&f);
	sender = info_of(p.client);
	receiver = info_of(p.server);
	EXPECT_GT(sender.snd_mss, sender.snd_wnd);
	EXPECT_EQ(0, sender.unacked);
	EXPECT_LT(0, sender.notsent);
	EXPECT_LE(1, sender.zero_windows);
	EXPECT_LE(1, receiver.rcv_zero_windows);
	EXPECT_EQ(f.sent - f.received, sender.notsent + receiver.rcv_queue);
	probes = counter(near_host, "PersistProbes");
	pause_us(60 * SECOND);
	/* from 0.2 s on, doubled: 0.2 + 0.4 + ... + 25.6 < 60; the first ones came before */
	EXPECT_LE(probes + 4, counter(near_host, "PersistProbes"));
	EXPECT_GE(probes + 12, counter(near_host, "PersistProbes"));
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	EXPECT_EQ(0, flow_send(&f, ~0ULL, 1));
	flow_run(&f, f.sent + 1000000, 65536, 65536);
	EXPECT_EQ(0, counter(near_host, "Timeouts"));
	EXPECT_EQ(0, counter(near_host, "AbortOnTimeout"));
	EXPECT_EQ(0, counter(far_host, "DropWindow"));
	done(&p);
}

/* the window's opening is told at once, not found by the next probe */
TEST_F_TIMEOUT(flow_control, opening_is_told, 200)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	uint64_t start;

	link_set("delay 5ms");
	fill(&f);
	/* by now the next probe is many seconds away */
	pause_us(30 * SECOND);
	start = now_us();
	flow_run(&f, f.sent + 100000, 65536, 65536);
	EXPECT_GE(2 * SECOND, now_us() - start);
	done(&p);
}

/* ... and if that is lost, the next probe finds it */
TEST_F_TIMEOUT(flow_control, lost_opening_is_found_by_a_probe, 200)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	long before;

	link_set("delay 5ms");
	fill(&f);
	deaf(near_host, true);
	while (flow_receive(&f, 65536))
		;
	pause_us(100 * MS);
	before = counter(near_host, "PersistProbes");
	deaf(near_host, false);
	flow_run(&f, f.sent + 100000, 65536, 65536);
	EXPECT_LT(before, counter(near_host, "PersistProbes"));
	done(&p);
}

/* the peer is gone while its window is shut: unanswered probes are not endless */
TEST_F_TIMEOUT(flow_control, unanswered_probes_give_up, 200)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	char c;

	setting(near_host, "retries2", 4);
	link_set("delay 5ms");
	fill(&f);
	cut(true);
	EXPECT_TRUE(poll_for(p.client, POLLIN, 100000) & POLLERR);
	EXPECT_EQ(-1, recv(p.client, &c, 1, 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(1, counter(near_host, "AbortOnTimeout"));
	cut(false);
	done(&p);
}

/* the smallest buffers that can be had */
TEST_F(flow_control, smallest_buffers)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct pair p;
	struct flow f;

	option(listener, SOL_SOCKET, SO_RCVBUF, 1);
	option(client, SOL_SOCKET, SO_SNDBUF, 1);
	p = connected_with(variant->family, listener, client);
	EXPECT_GE(20000, option_of(p.server, SOL_SOCKET, SO_RCVBUF));
	f = (struct flow){ .from = p.client, .to = p.server };
	link_set("delay 1ms");
	flow_run(&f, 300000, 65536, 65536);
	done(&p);
}

/* a small receive buffer against a sender with much to say: the window is kept */
TEST_F(flow_control, small_window_is_kept)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family), tap;
	uint32_t edge = 0;
	bool known = false;
	struct pair p;
	struct flow f;
	struct seen s;

	option(listener, SOL_SOCKET, SO_RCVBUF, 8192);
	tap = capture(near_host, "near0");
	p = connected_with(variant->family, listener, client);
	f = (struct flow){ .from = p.client, .to = p.server };
	flow_run(&f, 200000, 65536, 3000);
	/* nothing beyond the right edge announced; the edge never goes back */
	while (captured(tap, &s)) {
		if (s.flags & SEEN_SYN && s.out)
			continue;
		if (!s.out) {
			if (known)
				EXPECT_LE(0, (int32_t)(s.ack + s.window - edge));
			edge = s.ack + s.window;
			known = true;
			EXPECT_GE(16384, s.window);
		} else if (s.payload) {
			EXPECT_GE(0, (int32_t)(s.seq + s.payload - edge));
		}
	}
	EXPECT_TRUE(known);
	done(&p);
}

/* a reader of single bytes: no silly windows (RFC 9293 3.8.6.2) */
TEST_F(flow_control, tiny_reads)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct haul_info info;
	struct pair p;
	struct flow f;

	option(listener, SOL_SOCKET, SO_RCVBUF, 8192);
	p = connected_with(variant->family, listener, client);
	f = (struct flow){ .from = p.client, .to = p.server };
	while (f.received < 30000) {
		flow_send(&f, 40000, 65536);
		if (!flow_receive(&f, 1))
			pause_us(1 * MS);
	}
	info = info_of(p.client);
	/* a segment carries a good part of the buffer, not what one read freed */
	EXPECT_LE(500, info.bytes_sent / info.data_segs_out);
	done(&p);
}

/* both directions stand still at once and both go on */
TEST_F(flow_control, both_directions_shut)
{
	struct pair p = connected(variant->family);
	struct flow up = { .from = p.client, .to = p.server };
	struct flow down = { .from = p.server, .to = p.client };

	link_set("delay 2ms");
	fill(&up);
	fill(&down);
	pause_us(5 * SECOND);
	while (up.received < up.sent || down.received < down.sent) {
		ssize_t n = flow_receive(&up, 65536) + flow_receive(&down, 65536);

		if (!n)
			pause_us(1 * MS);
	}
	EXPECT_EQ(HAUL_ESTABLISHED, state_of(p.client));
	done(&p);
}

/* SO_RCVLOWAT more than the window could ever hold does not hang */
TEST_F(flow_control, low_water_mark_above_the_buffer)
{
	int listener = listening(variant->family), client = stream(near_host, variant->family);
	struct pair p;
	struct flow f;

	option(listener, SOL_SOCKET, SO_RCVBUF, 8192);
	p = connected_with(variant->family, listener, client);
	option(p.server, SOL_SOCKET, SO_RCVLOWAT, 1 << 20);
	f = (struct flow){ .from = p.client, .to = p.server };
	fill(&f);
	EXPECT_TRUE(poll_for(p.server, POLLIN, 5000) & POLLIN);
	done(&p);
}

TEST_HARNESS_MAIN
