// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that move bytes in ways of their own, or treat a socket as any file: each played over TCP
 * and over Haul (play.h).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "play_stream.h"

#define LARGE	200000

/* reads @len bytes, however they come; how many did */
static size_t read_all(int fd, char *data, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len && (n = recv(fd, data + got, len - got, 0)) > 0)
		got += n;
	return got;
}

static void fill(char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = i * 7 + i / 251;
}

/* a connection that takes LARGE bytes without being read */
static struct pair roomy(struct play *p)
{
	struct pair pair = connected(p);
	int bytes = 1 << 20;

	setsockopt(pair.client, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return pair;
}

static int file_of(const char *data, size_t len)
{
	int fd = memfd_create("file", 0);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		ksft_exit_fail_msg("memfd_create\n");
	return fd;
}

static void note_same(struct play *p, const char *what, int fd, const char *data, size_t len)
{
	static char got[LARGE];
	size_t n = read_all(fd, got, len);

	note(p, "%s: %zu, %s\n", what, n, memcmp(got, data, len) ? "other" : "the same");
}

/* ------------------------------------------------------------ situations */

static void file__sent(struct play *p)
{
	static char data[LARGE];
	struct pair pair = roomy(p);
	off_t at = 0;
	int fd;

	fill(data, LARGE);
	fd = file_of(data, LARGE);
	call(p, "sendfile", sendfile(pair.client, fd, &at, LARGE));
	note(p, "at %ld\n", (long)at);
	note_same(p, "arrived", pair.server, data, LARGE);
	at = LARGE - 10;
	call(p, "tail", sendfile(pair.client, fd, &at, 1000));
	note_same(p, "tail arrived", pair.server, data + LARGE - 10, 10);
	call(p, "behind the end", sendfile(pair.client, fd, &at, 10));
	shutdown(pair.client, SHUT_WR);
	at = 0;
	call(p, "shut", sendfile(pair.client, fd, &at, 10));
	call(p, "from a socket", sendfile(pair.client, pair.server, NULL, 10));
	close(fd);
	done(&pair);
}

static void file__not_connected(struct play *p)
{
	int fd = file_of("data", 4), s = make(p);
	off_t at = 0;

	call(p, "sendfile", sendfile(s, fd, &at, 4));
	close(s);
	close(fd);
}

static void pipe__spliced_in(struct play *p)
{
	static char data[60000];
	struct pair pair = roomy(p);
	int ends[2];

	fill(data, sizeof(data));
	if (pipe(ends))
		ksft_exit_fail_msg("pipe\n");
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 17);
	call(p, "write", write(ends[1], data, sizeof(data)));
	call(p, "splice", splice(ends[0], NULL, pair.client, NULL, sizeof(data), 0));
	note_same(p, "arrived", pair.server, data, sizeof(data));
	call(p, "empty", splice(ends[0], NULL, pair.client, NULL, 10, SPLICE_F_NONBLOCK));
	call(p, "write more", write(ends[1], "more", 4));
	call(p, "SPLICE_F_MORE", splice(ends[0], NULL, pair.client, NULL, 4, SPLICE_F_MORE));
	call(p, "send", send(pair.client, "!", 1, 0));
	note_same(p, "more arrived", pair.server, "more!", 5);
	close(ends[0]);
	close(ends[1]);
	done(&pair);
}

static void pipe__spliced_out(struct play *p)
{
	struct pair pair = connected(p);
	char got[16] = "";
	int ends[2];

	if (pipe(ends))
		ksft_exit_fail_msg("pipe\n");
	fcntl(pair.server, F_SETFL, O_NONBLOCK);
	call(p, "nothing there", splice(pair.server, NULL, ends[1], NULL, 10, 0));
	fcntl(pair.server, F_SETFL, 0);
	send(pair.client, "0123456789", 10, 0);
	wait_readable(pair.server);
	call(p, "splice", splice(pair.server, NULL, ends[1], NULL, 4, 0));
	call(p, "the rest", splice(pair.server, NULL, ends[1], NULL, 100, 0));
	call(p, "read", read(ends[0], got, sizeof(got)));
	note(p, "%s\n", got);
	close(pair.client);
	wait_readable(pair.server);
	call(p, "end", splice(pair.server, NULL, ends[1], NULL, 10, 0));
	close(ends[0]);
	close(ends[1]);
	close(pair.server);
	close(pair.listener);
}

static void vectors__read_and_written(struct play *p)
{
	struct pair pair = connected(p);
	char a[3] = "", b[5] = "";
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } };
	struct iovec in[2] = { { a, 2 }, { b, 4 } };

	call(p, "writev", writev(pair.client, out, 3));
	wait_readable(pair.server);
	call(p, "readv", readv(pair.server, in, 2));
	note(p, "%s %s\n", a, b);
	call(p, "pwritev", pwritev(pair.client, out, 3, 0));
	call(p, "pread", pread(pair.server, a, 1, 0));
	call(p, "no vectors", writev(pair.client, out, 0));
	out[1].iov_len = -1;
	call(p, "bad length", writev(pair.client, out, 3));
	done(&pair);
}

static void messages__many_at_once(struct play *p)
{
	struct pair pair = connected(p);
	struct iovec out[3] = { { "one", 3 }, { "two", 3 }, { "three", 5 } }, in[3];
	struct mmsghdr send_them[3] = { }, receive_them[3] = { };
	struct timespec patience = { .tv_sec = 5 };
	char got[3][8] = { };
	int i;

	for (i = 0; i < 3; i++) {
		in[i] = (struct iovec){ got[i], 4 };
		send_them[i].msg_hdr = (struct msghdr){ .msg_iov = &out[i], .msg_iovlen = 1 };
		receive_them[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
	}
	call(p, "sendmmsg", sendmmsg(pair.client, send_them, 3, 0));
	for (i = 0; i < 3; i++)
		note(p, "%u ", send_them[i].msg_len);
	while (ioctl(pair.server, SIOCINQ, &i) || i < 11)
		usleep(1000);
	call(p, "recvmmsg", recvmmsg(pair.server, receive_them, 3, 0, &patience));
	for (i = 0; i < 3; i++)
		note(p, "%u %s ", receive_them[i].msg_len, got[i]);
	call(p, "nothing left", recvmmsg(pair.server, receive_them, 3, MSG_DONTWAIT, NULL));
	call(p, "none", sendmmsg(pair.client, send_them, 0, 0));
	done(&pair);
}

static void messages__names_and_controls(struct play *p)
{
	struct pair pair = connected(p);
	struct sockaddr_storage ss;
	char control[64], data[8];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_name = &ss, .msg_namelen = sizeof(ss), .msg_iov = &iov,
			      .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };

	/* an address is no use on a connection, and none is given */
	address(p, &ss, 9);
	call(p, "sendmsg to elsewhere", sendmsg(pair.client, &(struct msghdr){
		.msg_name = &ss, .msg_namelen = sizeof(ss), .msg_iov = &(struct iovec){ "x", 1 },
		.msg_iovlen = 1 }, 0));
	wait_readable(pair.server);
	call(p, "recvmsg", recvmsg(pair.server, &msg, 0));
	note(p, "name %u, control %zu, flags %#x\n", msg.msg_namelen, msg.msg_controllen,
	     msg.msg_flags);
	msg.msg_controllen = sizeof(control);
	call(p, "error queue", recvmsg(pair.server, &msg, MSG_ERRQUEUE));
	call(p, "error queue of a listener", recvmsg(pair.listener, &msg, MSG_ERRQUEUE));
	msg.msg_control = (void *)1;
	call(p, "bad control", sendmsg(pair.client, &msg, 0));
	msg.msg_iov = (void *)1;
	call(p, "bad vectors", recvmsg(pair.server, &msg, MSG_DONTWAIT));
	done(&pair);
}

static volatile sig_atomic_t signals;

static void on_sigio(int sig)
{
	signals++;
}

static void signal__when_readable(struct play *p)
{
	struct pair pair = connected(p);
	int i;

	signals = 0;
	signal(SIGIO, on_sigio);
	call(p, "F_SETOWN", fcntl(pair.server, F_SETOWN, getpid()));
	note(p, "owner: %d\n", fcntl(pair.server, F_GETOWN) == getpid());
	call(p, "O_ASYNC", fcntl(pair.server, F_SETFL, O_ASYNC));
	note(p, "before: %d\n", (int)signals);
	send(pair.client, "x", 1, 0);
	for (i = 0; i < 5000 && !signals; i++)
		usleep(1000);
	note(p, "after: %d\n", signals > 0);
	i = 0;
	call(p, "FIOASYNC off", ioctl(pair.server, FIOASYNC, &i));
	note(p, "flags: %#x\n", fcntl(pair.server, F_GETFL) & (O_ASYNC | O_NONBLOCK | O_ACCMODE));
	signal(SIGIO, SIG_DFL);
	done(&pair);
}

static void signal__when_writable(struct play *p)
{
	struct pair pair = connected(p);
	static char data[1 << 16];
	long total = 0, n;
	int i;

	signal(SIGIO, on_sigio);
	call(p, "F_SETOWN", fcntl(pair.client, F_SETOWN, getpid()));
	call(p, "O_ASYNC", fcntl(pair.client, F_SETFL, O_ASYNC | O_NONBLOCK));
	/* what the first windows take may leave signals of its own: until nothing moves any more */
	for (i = 0; i < 50; i++) {
		while ((n = send(pair.client, data, sizeof(data), 0)) > 0) {
			total += n;
			i = 0;
		}
		usleep(2000);
	}
	note(p, "full: %s\n", strerrorname_np(errno));
	signals = 0;
	note(p, "read: %d\n", read_all(pair.server, data, sizeof(data)) == sizeof(data));
	for (total -= sizeof(data); total > 0 && !signals; total -= n) {
		n = recv(pair.server, data, sizeof(data), 0);
		if (n <= 0)
			break;
	}
	for (i = 0; i < 5000 && !signals; i++)
		usleep(1000);
	note(p, "signal: %d\n", signals > 0);
	signal(SIGIO, SIG_DFL);
	done(&pair);
}

static void file__like_any(struct play *p)
{
	struct pair pair = connected(p);
	int on = 1, got = -1;
	struct stat st;
	char c;

	call(p, "fstat", fstat(pair.client, &st));
	note(p, "type %#o, size %ld\n", st.st_mode & S_IFMT, (long)st.st_size);
	call(p, "lseek", lseek(pair.client, 0, SEEK_SET));
	call(p, "ftruncate", ftruncate(pair.client, 0));
	call(p, "fsync", fsync(pair.client));
	call(p, "FIONBIO", ioctl(pair.client, FIONBIO, &on));
	call(p, "recv", recv(pair.client, &c, 1, 0));
	call(p, "FIONREAD", ioctl(pair.client, FIONREAD, &got));
	note(p, "%d\n", got);
	call(p, "TIOCGPGRP", ioctl(pair.client, TIOCGPGRP, &got));
	call(p, "no such ioctl", ioctl(pair.client, 0x12345, &got));
	call(p, "FIONREAD, bad address", ioctl(pair.client, FIONREAD, (void *)1));
	done(&pair);
}

static void file__sent_to_each_other(struct play *p)
{
	struct pair pair = connected(p), other = connected(p);
	int ends[2];

	if (pipe(ends))
		ksft_exit_fail_msg("pipe\n");
	/* a proxy that moves bytes from one connection to another without looking at them */
	send(pair.client, "through", 7, 0);
	wait_readable(pair.server);
	call(p, "in", splice(pair.server, NULL, ends[1], NULL, 100, SPLICE_F_MOVE));
	call(p, "out", splice(ends[0], NULL, other.client, NULL, 7, SPLICE_F_MOVE));
	note_same(p, "arrived", other.server, "through", 7);
	close(ends[0]);
	close(ends[1]);
	done(&pair);
	done(&other);
}

static void timeout__sending(struct play *p)
{
	struct pair pair = connected(p);
	struct timeval tv = { .tv_usec = 100000 };
	static char data[1 << 20];
	int small = 4608, i;
	ssize_t n = 0;

	setsockopt(pair.client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	call(p, "SO_SNDTIMEO", setsockopt(pair.client, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	/* what fits is taken, and then nothing */
	for (i = 0; i < 100 && n >= 0; i++)
		n = send(pair.client, data, sizeof(data), 0);
	note(p, "in the end: %s\n", n < 0 ? strerrorname_np(errno) : "sent");
	done(&pair);
}

static const struct situation situations[] = {
	SITUATION(file__sent), SITUATION(file__not_connected), SITUATION(pipe__spliced_in),
	SITUATION(pipe__spliced_out), SITUATION(vectors__read_and_written),
	SITUATION(messages__many_at_once), SITUATION(messages__names_and_controls),
	SITUATION(signal__when_readable), SITUATION(signal__when_writable),
	SITUATION(file__like_any),
	SITUATION(file__sent_to_each_other), SITUATION(timeout__sending),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
