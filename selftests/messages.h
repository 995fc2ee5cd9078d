/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of messages (SOCK_SEQPACKET) share: sockets, and messages with a number, of which
 * each byte is known.
 */
#ifndef HAUL_MESSAGES_H
#define HAUL_MESSAGES_H

#include "hosts.h"

#define LARGEST		4194304		/* net.haul.wmem */

static uint8_t buf[2 * LARGEST], expected[LARGEST];
static int last_flags;		/* msg_flags of the last receive() */

static inline int message_socket(int host, int family)
{
	return socket_at(host, family, SOCK_SEQPACKET);
}

static inline int message_listener(int family, int port)
{
	return listener_of(SOCK_SEQPACKET, far_host, family == AF_INET ? "0.0.0.0" : "::", port,
			   16);
}

static inline struct pair message_pair(int family)
{
	return connected_of(SOCK_SEQPACKET, family);
}

/* the content of message @num */
static inline uint8_t *message(int num, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		expected[i] = byte_at(num * 7919ULL + i);
	return expected;
}

static inline ssize_t receive(int fd, size_t room, int flags)
{
	struct iovec iov = { .iov_base = buf, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t len = recvmsg(fd, &msg, flags);

	last_flags = msg.msg_flags & (MSG_EOR | MSG_TRUNC);
	return len;
}

static inline void say(int fd, int num, size_t len, int flags)
{
	ssize_t sent = send(fd, message(num, len), len, flags | MSG_NOSIGNAL);

	if (sent != (ssize_t)len)
		die("message %d: %zd of %zu bytes sent", num, sent, len);
}

/* the next message must be that one, whole */
static inline void hear(int fd, int num, size_t len)
{
	ssize_t got = receive(fd, sizeof(buf), 0);

	if (got != (ssize_t)len || last_flags != MSG_EOR)
		die("message %d: %zd bytes, flags 0x%x, not %zu", num, got, last_flags, len);
	if (memcmp(buf, message(num, len), len))
		die("message %d: wrong bytes", num);
}

static inline int waiting_bytes(int fd)
{
	int bytes = -1;

	if (ioctl(fd, FIONREAD, &bytes))
		die("FIONREAD");
	return bytes;
}

/* a process that sends messages of these sizes */
static inline int speaker(int fd, const size_t *sizes, int num)
{
	int pid = fork(), i;

	if (pid)
		return pid;
	for (i = 0; i < num; i++)
		say(fd, i, sizes[i], 0);
	_exit(0);
}

static inline bool ended_well(int pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && !status;
}

#endif /* HAUL_MESSAGES_H */
