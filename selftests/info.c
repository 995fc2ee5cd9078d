// SPDX-License-Identifier: GPL-2.0
/*
 * HAUL_INFO: extensible by length, and true: after a known transfer the figures are the ones that
 * must be.
 */
#include <pthread.h>
#include "capture.h"
#include "kselftest_harness.h"

#define BYTES	200000

HOSTS_FIXTURE(info);

TEST_F(info, length_is_what_fits)
{
	struct pair p = connected(variant->family);
	struct { struct haul_info info; char more[64]; } longer;
	struct haul_info whole = info_of(p.client);
	socklen_t len;
	char one = 0;

	/* a program built when there was less */
	for (len = 1; len < sizeof(whole); len += 7) {
		socklen_t got = len;

		memset(&longer, 0x5a, sizeof(longer));
		ASSERT_EQ(0, getsockopt(p.client, SOL_HAUL, HAUL_INFO, &longer, &got));
		EXPECT_EQ(len, got);
		/* nothing behind the length given */
		EXPECT_EQ(0x5a, ((unsigned char *)&longer)[len]);
		EXPECT_EQ(HAUL_ESTABLISHED, longer.info.state);
	}
	/* a program built when there will be more */
	len = sizeof(longer);
	memset(&longer, 0x5a, sizeof(longer));
	ASSERT_EQ(0, getsockopt(p.client, SOL_HAUL, HAUL_INFO, &longer, &len));
	EXPECT_LE(sizeof(struct haul_info), len);
	EXPECT_EQ(0x5a, longer.more[63]);
	EXPECT_EQ(whole.snd_mss, longer.info.snd_mss);
	/* bad ones */
	len = 0;
	EXPECT_EQ(0, getsockopt(p.client, SOL_HAUL, HAUL_INFO, &one, &len));
	EXPECT_EQ(0, len);
	len = -1;
	EXPECT_EQ(-1, getsockopt(p.client, SOL_HAUL, HAUL_INFO, &longer, &len));
	EXPECT_EQ(EINVAL, errno);
	len = sizeof(longer);
	EXPECT_EQ(-1, getsockopt(p.client, SOL_HAUL, HAUL_INFO, (void *)8, &len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(p.client, SOL_HAUL, HAUL_INFO, &longer, sizeof(longer)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	done(&p);
}

TEST_F(info, figures_of_a_known_transfer)
{
	struct pair p;
	struct haul_info up, down;
	int header = (variant->family == AF_INET ? 20 : 40) + HEADER;

	ASSERT_EQ(0, sysctl_write(near_host, "congestion_control", "reno"));
	link_set("delay 20ms");
	p = connected(variant->family);
	transfer(p.client, p.server, BYTES);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	up = info_of(p.client);
	down = info_of(p.server);

	EXPECT_EQ(1, up.kind);
	EXPECT_EQ(0, up.fastopen_fail);
	EXPECT_EQ(HAUL_RECOVERY_OPEN, up.recovery);
	EXPECT_STREQ("reno", up.congestion);
	EXPECT_EQ(1500 - header, up.snd_mss);
	EXPECT_EQ(1500 - header, up.adv_mss);
	EXPECT_EQ(1500, up.pmtu);

	EXPECT_EQ(BYTES, up.bytes_acked);
	EXPECT_EQ(BYTES + up.bytes_retrans, up.bytes_sent);
	EXPECT_EQ(BYTES, down.bytes_received);
	EXPECT_EQ(0, down.bytes_sent);
	EXPECT_EQ(0, up.bytes_received);
	EXPECT_LE(BYTES / up.snd_mss, up.data_segs_out);
	EXPECT_LT(up.data_segs_out, up.segs_out);
	EXPECT_EQ(0, up.data_segs_in);
	EXPECT_EQ(0, down.data_segs_out);
	/* the other side saw the same packets (the SYN came for a record that is no socket yet) */
	EXPECT_LE(down.segs_in, up.segs_out);
	EXPECT_LE(up.segs_out, down.segs_in + 1);
	EXPECT_LE(down.data_segs_in, up.data_segs_out);

	EXPECT_EQ(0, up.unacked);
	EXPECT_EQ(0, up.notsent);
	EXPECT_EQ(0, up.in_flight);
	EXPECT_EQ(0, down.rcv_queue);
	EXPECT_EQ(0, down.ooo_queue);
	EXPECT_LE(10 * up.snd_mss, up.snd_cwnd);
	EXPECT_LE(65535, down.rcv_wnd);
	EXPECT_LE(65535, up.snd_wnd);

	EXPECT_LE(40 * MS, up.srtt);
	EXPECT_LE(40 * MS, up.min_rtt);
	EXPECT_GE(up.srtt * 8ULL, up.min_rtt);
	EXPECT_LE(40 * MS, up.handshake_rtt);
	EXPECT_LE(40 * MS, down.handshake_rtt);
	EXPECT_LE(up.srtt + 200 * MS, up.rto);

	EXPECT_EQ(~0U, up.last_data_recv);
	EXPECT_EQ(~0U, down.last_data_sent);
	EXPECT_GE(10000, up.last_data_sent);
	EXPECT_GE(10000, down.last_data_recv);
	EXPECT_LT(0, up.delivery_rate);
	EXPECT_LT(0, up.busy_time);
	done(&p);
}

TEST_F(info, queues_as_they_fill)
{
	struct pair p = connected(variant->family);
	struct haul_info info;
	static char zeros[1000];
	char buf[100];

	ASSERT_EQ(1000, send(p.client, zeros, 1000, 0));
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 1000));
	ASSERT_EQ(100, recv(p.server, buf, 100, 0));
	EXPECT_EQ(900, info_of(p.server).rcv_queue);
	ASSERT_TRUE(wait_until(!info_of(p.client).unacked));
	link_set("delay 400ms");
	ASSERT_EQ(1000, send(p.client, zeros, 1000, 0));
	info = info_of(p.client);
	EXPECT_EQ(1000, info.unacked);
	EXPECT_EQ(1000, info.in_flight);
	EXPECT_TRUE(wait_until(!info_of(p.client).unacked));
	EXPECT_EQ(1900, info_of(p.server).rcv_queue);
	done(&p);
}

/* sockets that are no connection have a state and nothing to count */
TEST_F(info, without_a_connection)
{
	int fd = stream(near_host, variant->family), listener = listening(variant->family);
	struct haul_info info = info_of(fd);

	EXPECT_EQ(HAUL_CLOSED, info.state);
	EXPECT_EQ(0, info.bytes_sent);
	EXPECT_EQ(0, info.segs_out);
	EXPECT_EQ(~0U, info.last_data_sent);
	EXPECT_EQ(HAUL_LISTEN, state_of(listener));
	close(fd);
	close(listener);
}

static void *transfer_beside(void *arg)
{
	struct pair *p = arg;

	transfer(p->client, p->server, 20000000);
	__atomic_store_n(&p->listener, -1, __ATOMIC_RELEASE);
	return NULL;
}

/* figures of one moment, however busy it is: what was sent is on its way or has arrived */
TEST_F(info, figures_agree_under_traffic)
{
	struct pair p = connected(variant->family);
	int listener = p.listener, differ = 0, times = 0;
	struct haul_info info;
	pthread_t thread;

	pthread_create(&thread, NULL, transfer_beside, &p);
	while (__atomic_load_n(&p.listener, __ATOMIC_ACQUIRE) >= 0) {
		info = info_of(p.client);
		differ += info.bytes_sent - info.bytes_retrans != info.bytes_acked + info.unacked;
		times++;
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(0, differ);
	EXPECT_LT(100, times);
	p.listener = listener;
	done(&p);
}

TEST_HARNESS_MAIN
