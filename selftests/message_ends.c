// SPDX-License-Identifier: GPL-2.0
/*
 * How a program meets the ends of messages (SOCK_SEQPACKET): MSG_EOR, MSG_TRUNC, MSG_PEEK,
 * MSG_MORE, poll(), FIONREAD, splice(), end of file.
 */
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include "messages.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(message_ends);

/* --- reading --- */

TEST_F(message_ends, too_little_room_cuts)
{
	struct pair p = message_pair(variant->family);

	say(p.client, 0, 100, 0);
	say(p.client, 1, 50, 0);
	say(p.client, 2, 3000, 0);
	say(p.client, 3, 9, 0);
	EXPECT_EQ(10, receive(p.server, 10, 0));
	EXPECT_EQ(MSG_EOR | MSG_TRUNC, last_flags);
	EXPECT_EQ(0, memcmp(buf, message(0, 10), 10));
	hear(p.server, 1, 50);
	/* told how long it was */
	EXPECT_EQ(3000, receive(p.server, 20, MSG_TRUNC));
	EXPECT_EQ(MSG_EOR | MSG_TRUNC, last_flags);
	/* as on every socket, read() of nothing takes nothing */
	EXPECT_EQ(0, read(p.server, buf, 0));
	hear(p.server, 3, 9);
	done(&p);
}

TEST_F(message_ends, peek)
{
	struct pair p = message_pair(variant->family);
	int i;

	say(p.client, 0, 100, 0);
	say(p.client, 1, 50, 0);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(10, receive(p.server, 10, MSG_PEEK));
		EXPECT_EQ(MSG_EOR | MSG_TRUNC, last_flags);
		EXPECT_EQ(100, receive(p.server, 0, MSG_PEEK | MSG_TRUNC));
		EXPECT_EQ(100, receive(p.server, 1000, MSG_PEEK));
		EXPECT_EQ(MSG_EOR, last_flags);
		EXPECT_EQ(0, memcmp(buf, message(0, 100), 100));
	}
	hear(p.server, 0, 100);
	hear(p.server, 1, 50);
	done(&p);
}

TEST_F(message_ends, peek_goes_on_with_an_offset)
{
	struct pair p = message_pair(variant->family);

	say(p.client, 0, 100, 0);
	say(p.client, 1, 50, 0);
	option(p.server, SOL_SOCKET, SO_PEEK_OFF, 0);
	EXPECT_EQ(60, receive(p.server, 60, MSG_PEEK));
	EXPECT_EQ(40, receive(p.server, 60, MSG_PEEK));
	EXPECT_EQ(MSG_EOR, last_flags);
	EXPECT_EQ(0, memcmp(buf, message(0, 100) + 60, 40));
	EXPECT_EQ(50, receive(p.server, 60, MSG_PEEK));
	EXPECT_EQ(MSG_EOR, last_flags);
	hear(p.server, 0, 100);
	EXPECT_EQ(50, option_of(p.server, SOL_SOCKET, SO_PEEK_OFF));
	hear(p.server, 1, 50);
	done(&p);
}

TEST_F(message_ends, bytes_waiting_are_the_next_ones)
{
	struct pair p = message_pair(variant->family);

	EXPECT_EQ(0, waiting_bytes(p.server));
	say(p.client, 0, 100, 0);
	say(p.client, 1, 50, 0);
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 150));
	EXPECT_EQ(100, waiting_bytes(p.server));
	hear(p.server, 0, 100);
	EXPECT_EQ(50, waiting_bytes(p.server));
	hear(p.server, 1, 50);
	EXPECT_EQ(0, waiting_bytes(p.server));
	done(&p);
}

/* the low-water mark counts a stream's bytes: a message is enough */
TEST_F(message_ends, low_water_mark)
{
	struct pair p = message_pair(variant->family);

	option(p.server, SOL_SOCKET, SO_RCVLOWAT, 1000);
	say(p.client, 0, 10, 0);
	EXPECT_EQ(POLLIN, poll_for(p.server, POLLIN, 10000));
	hear(p.server, 0, 10);
	done(&p);
}

/* the connecting side, whose peer has said nothing yet; sequence numbers are random, so: often */
TEST_F(message_ends, nothing_is_read_until_a_message_comes)
{
	int i;

	for (i = 0; i < 8; i++) {
		struct pair p = message_pair(variant->family);

		EXPECT_EQ(-1, recv(p.client, buf, 10, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(0, poll_for(p.client, POLLIN, 0));
		say(p.server, i, 7, 0);
		hear(p.client, i, 7);
		done(&p);
	}
}

/* --- writing in pieces --- */

TEST_F(message_ends, more_to_come)
{
	struct pair p = message_pair(variant->family);
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(10, send(p.client, message(0, 110) + 10 * i, 10, MSG_MORE));
	EXPECT_EQ(0, info_of(p.client).data_segs_out);
	ASSERT_EQ(10, send(p.client, message(0, 110) + 100, 10, 0));
	EXPECT_EQ(1, info_of(p.client).data_segs_out);
	hear(p.server, 0, 110);
	/* MSG_EOR has the last word */
	say(p.client, 1, 20, MSG_MORE | MSG_EOR);
	hear(p.server, 1, 20);
	done(&p);
}

/* what was sent of a message is no message: nobody is woken for it */
TEST_F(message_ends, nothing_to_read_before_the_end)
{
	struct pair p = message_pair(variant->family);

	ASSERT_EQ(30000, send(p.client, message(0, 30010), 30000, MSG_MORE));
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 30000));
	EXPECT_EQ(0, poll_for(p.server, POLLIN, 0));
	EXPECT_EQ(0, waiting_bytes(p.server));
	EXPECT_EQ(-1, receive(p.server, 100, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(10, send(p.client, message(0, 30010) + 30000, 10, 0));
	EXPECT_EQ(POLLIN, poll_for(p.server, POLLIN, 10000));
	EXPECT_EQ(30010, waiting_bytes(p.server));
	hear(p.server, 0, 30010);
	done(&p);
}

/* waiting can't make a message larger: Nagle and cork hold no whole one back */
TEST_F(message_ends, small_ones_go_at_once)
{
	struct pair p = message_pair(variant->family);
	int i;

	link_set("delay 50ms");
	for (i = 0; i < 10; i++)
		say(p.client, i, 5, 0);
	EXPECT_EQ(10, info_of(p.client).data_segs_out);
	option(p.client, SOL_HAUL, HAUL_CORK, 1);
	say(p.client, 10, 5, 0);
	EXPECT_EQ(11, info_of(p.client).data_segs_out);
	for (i = 0; i < 11; i++)
		hear(p.server, i, 5);
	done(&p);
}

/* --- the end --- */

TEST_F(message_ends, whole_ones_are_read_before_the_end)
{
	struct pair p = message_pair(variant->family);

	say(p.client, 0, 100, 0);
	say(p.client, 1, 5000, 0);
	shutdown(p.client, SHUT_WR);
	ASSERT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSE_WAIT));
	hear(p.server, 0, 100);
	hear(p.server, 1, 5000);
	EXPECT_EQ(0, receive(p.server, 100, 0));
	EXPECT_EQ(0, waiting_bytes(p.server));
	/* the other direction goes on */
	say(p.server, 2, 100, 0);
	hear(p.client, 2, 100);
	done(&p);
}

TEST_F(message_ends, the_end_cuts_the_last_one)
{
	struct pair p = message_pair(variant->family);

	say(p.client, 0, 100, 0);
	ASSERT_EQ(5000, send(p.client, buf, 5000, MSG_MORE));
	shutdown(p.client, SHUT_WR);
	ASSERT_TRUE(wait_until(state_of(p.server) == HAUL_CLOSE_WAIT));
	EXPECT_LE(1, counter(far_host, "DropMessageCut"));
	hear(p.server, 0, 100);
	EXPECT_EQ(0, receive(p.server, 100, 0));
	/* it was not the program's to read, so closing is no reset */
	close(p.server);
	EXPECT_EQ(0, receive(p.client, 100, 0));
	close(p.client);
	close(p.listener);
	EXPECT_EQ(0, counter(far_host, "AbortOnData"));
}

/* --- without a copy in user space --- */

/* one call moves one message, or as much of it as asked for: what is left is there for the next */
TEST_F(message_ends, splice_to_a_pipe)
{
	struct pair p = message_pair(variant->family);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	say(p.client, 0, 3000, 0);
	say(p.client, 1, 500, 0);
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 3500));
	EXPECT_EQ(1000, splice(p.server, NULL, ends[1], NULL, 1000, 0));
	EXPECT_EQ(2000, splice(p.server, NULL, ends[1], NULL, 10000, 0));
	EXPECT_EQ(500, splice(p.server, NULL, ends[1], NULL, 10000, 0));
	ASSERT_EQ(3500, read(ends[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, message(0, 3000), 3000));
	EXPECT_EQ(0, memcmp(buf + 3000, message(1, 500), 500));
	nonblocking(p.server, true);
	EXPECT_EQ(-1, splice(p.server, NULL, ends[1], NULL, 10000, 0));
	EXPECT_EQ(EAGAIN, errno);
	close(ends[0]);
	close(ends[1]);
	done(&p);
}

/* while a message's end is missing, the call sleeps, and not for longer than it may */
TEST_F(message_ends, splice_waits_for_the_end)
{
	struct pair p = message_pair(variant->family);
	struct timeval patience = { .tv_usec = 200000 };
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, setsockopt(p.server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	say(p.client, 0, 3000, MSG_MORE);
	option(p.client, SOL_HAUL, HAUL_NODELAY, 1);
	ASSERT_TRUE(wait_until(info_of(p.server).rcv_queue == 3000));
	EXPECT_EQ(-1, splice(p.server, NULL, ends[1], NULL, 10000, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(1, send(p.client, "x", 1, 0));
	ASSERT_TRUE(poll_for(p.server, POLLIN, 10000));
	EXPECT_EQ(3001, splice(p.server, NULL, ends[1], NULL, 10000, 0));
	close(ends[0]);
	close(ends[1]);
	done(&p);
}

TEST_F(message_ends, a_file_is_one_message)
{
	struct pair p = message_pair(variant->family);
	int fd = memfd_create("file", 0);
	off_t at = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(300000, write(fd, message(0, 300000), 300000));
	EXPECT_EQ(300000, sendfile(p.client, fd, &at, 300000));
	hear(p.server, 0, 300000);
	close(fd);
	done(&p);
}

TEST_HARNESS_MAIN
