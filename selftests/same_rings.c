// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring: connect, accept, send and receive by a ring, once and many times by one request
 * (multishot), into buffers of the program's or provided ones. Each played over TCP and over Haul
 * (play.h). Kernels without io_uring skip it.
 */
#define _GNU_SOURCE
#include <liburing.h>

#include "play_stream.h"

#define DEPTH		16
#define BUFFERS		8		/* a power of two */
#define BUFFER_SIZE	64
#define GROUP		5

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char space[BUFFERS][BUFFER_SIZE];

static void provide(int number)
{
	io_uring_buf_ring_add(buffers, space[number], BUFFER_SIZE, number,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(buffers, 1);
}

static void ring_up(void)
{
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = GROUP };
	int i;

	if (io_uring_queue_init(DEPTH, &ring, 0))
		ksft_exit_fail_msg("io_uring_queue_init\n");
	buffers = aligned_alloc(4096, 4096);
	reg.ring_addr = (unsigned long)buffers;
	if (io_uring_register_buf_ring(&ring, &reg, 0))
		ksft_exit_fail_msg("io_uring_register_buf_ring\n");
	io_uring_buf_ring_init(buffers);
	for (i = 0; i < BUFFERS; i++)
		provide(i);
}

static void ring_down(void)
{
	io_uring_queue_exit(&ring);
	free(buffers);
}

/* hands over one request, which @name is known by in its answers */
static void submit(struct io_uring_sqe *sqe, const char *name)
{
	io_uring_sqe_set_data(sqe, (void *)name);
	io_uring_submit(&ring);
}

/* the next answer, written down; its result */
static int answer(struct play *p)
{
	struct __kernel_timespec patience = { .tv_sec = 10 };
	struct io_uring_cqe *cqe;
	const char *name;
	int res;

	if (io_uring_wait_cqe_timeout(&ring, &cqe, &patience)) {
		note(p, "no answer\n");
		return -ETIME;
	}
	name = io_uring_cqe_get_data(cqe);
	res = cqe->res;
	if (res < 0)
		note(p, "%s: %s", name, strerrorname_np(-res));
	else if (strcmp(name, "accept"))
		note(p, "%s: %d", name, res);
	else
		note(p, "%s", name);
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		int number = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

		note(p, " \"%.*s\"", res, space[number]);
		provide(number);
	}
	if (cqe->flags & IORING_CQE_F_NOTIF)
		note(p, ", the buffer is free");
	note(p, "%s\n", cqe->flags & IORING_CQE_F_MORE ? ", more" : "");
	io_uring_cqe_seen(&ring, cqe);
	return res;
}

/* ------------------------------------------------------------ situations */

static void ring__connect_and_accept(struct play *p)
{
	int listener = listen_on(p, 4), client = make(p), server;
	struct sockaddr_storage ss;
	socklen_t len = address(p, &ss, port_of(listener));
	struct io_uring_sqe *sqe;

	ring_up();
	/* one after the other: which would be answered first nobody knows */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_connect(sqe, client, (void *)&ss, len);
	submit(sqe, "connect");
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	submit(sqe, "accept");
	server = answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_connect(sqe, client, (void *)&ss, len);
	submit(sqe, "connect again");
	answer(p);
	close(server);
	close(client);
	close(listener);
	client = make(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_connect(sqe, client, (void *)&ss, len);
	submit(sqe, "nobody listens");
	answer(p);
	close(client);
	ring_down();
}

static void ring__send_and_receive(struct play *p)
{
	struct pair pair = connected(p);
	struct io_uring_sqe *sqe;
	char got[16] = "";

	ring_up();
	/* it waits for what is not there yet */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, pair.server, got, 5, MSG_WAITALL);
	submit(sqe, "receive");
	send(pair.client, "he", 2, 0);
	send(pair.client, "llo", 3, 0);
	answer(p);
	note(p, "%s\n", got);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_send(sqe, pair.client, "by ring", 7, 0);
	submit(sqe, "send");
	answer(p);
	wait_readable(pair.server);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, pair.server, got, sizeof(got), MSG_DONTWAIT);
	submit(sqe, "receive at once");
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, pair.server, got, sizeof(got), MSG_DONTWAIT);
	submit(sqe, "nothing there");
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_shutdown(sqe, pair.client, SHUT_WR);
	submit(sqe, "shutdown");
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, pair.server, got, sizeof(got), 0);
	submit(sqe, "the end");
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_send(sqe, pair.client, "x", 1, MSG_NOSIGNAL);
	submit(sqe, "send when shut");
	answer(p);
	done(&pair);
	ring_down();
}

static void ring__one_request_many_connections(struct play *p)
{
	int listener = listen_on(p, 8), clients[3], servers[3], i;
	struct io_uring_sqe *sqe;

	ring_up();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
	submit(sqe, "accept");
	for (i = 0; i < 3; i++) {
		clients[i] = make(p);
		call(p, "connect", connect_to(p, clients[i], port_of(listener)));
		servers[i] = answer(p);
	}
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_cancel(sqe, "accept", IORING_ASYNC_CANCEL_FD);
	sqe->fd = listener;
	submit(sqe, "cancel");
	answer(p);
	answer(p);
	for (i = 0; i < 3; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	close(listener);
	ring_down();
}

static void ring__one_request_many_receives(struct play *p)
{
	struct pair pair = connected(p);
	struct io_uring_sqe *sqe;

	ring_up();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv_multishot(sqe, pair.server, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	submit(sqe, "receive");
	send(pair.client, "one", 3, 0);
	answer(p);
	send(pair.client, "two", 3, 0);
	answer(p);
	send(pair.client, "three", 5, 0);
	answer(p);
	close(pair.client);
	answer(p);
	close(pair.server);
	close(pair.listener);
	ring_down();
}

static void ring__poll(struct play *p)
{
	struct pair pair = connected(p);
	struct io_uring_sqe *sqe;

	ring_up();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, pair.server, POLLIN);
	submit(sqe, "readable");
	send(pair.client, "x", 1, 0);
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, pair.client, POLLOUT | POLLRDHUP);
	submit(sqe, "writable");
	answer(p);
	done(&pair);
	ring_down();
}

static void ring__messages(struct play *p)
{
	struct pair pair = connected(p);
	char a[4] = "", b[8] = "";
	struct iovec out[2] = { { "abc", 3 }, { "defgh", 5 } }, in[2] = { { a, 3 }, { b, 5 } };
	struct msghdr send_it = { .msg_iov = out, .msg_iovlen = 2 };
	struct msghdr receive_it = { .msg_iov = in, .msg_iovlen = 2 };
	struct io_uring_sqe *sqe;

	ring_up();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_sendmsg(sqe, pair.client, &send_it, 0);
	submit(sqe, "sendmsg");
	answer(p);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recvmsg(sqe, pair.server, &receive_it, MSG_WAITALL);
	submit(sqe, "recvmsg");
	answer(p);
	note(p, "%s %s\n", a, b);
	done(&pair);
	ring_down();
}

/* two requests, the second when the first is done */
static void ring__linked(struct play *p)
{
	struct pair pair = connected(p);
	struct io_uring_sqe *sqe;
	char got[8] = "";

	ring_up();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_send(sqe, pair.client, "link", 4, 0);
	io_uring_sqe_set_data(sqe, "send");
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, pair.server, got, 4, MSG_WAITALL);
	submit(sqe, "receive");
	answer(p);
	answer(p);
	note(p, "%s\n", got);
	done(&pair);
	ring_down();
}

/* the program's own pages are sent, and a second answer says that they are its own again */
static void ring__zero_copy(struct play *p)
{
	static char page[4096] = "zero copy";
	struct pair pair = connected(p);
	struct io_uring_sqe *sqe;
	char got[16] = "";

	ring_up();
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_send_zc(sqe, pair.client, page, 9, 0, 0);
	submit(sqe, "send");
	answer(p);
	call(p, "recv", recv(pair.server, got, sizeof(got), 0));
	note(p, "%s\n", got);
	answer(p);
	shutdown(pair.client, SHUT_WR);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_send_zc(sqe, pair.client, page, 9, MSG_NOSIGNAL, 0);
	submit(sqe, "send when shut");
	answer(p);
	answer(p);
	done(&pair);
	ring_down();
}

static const struct situation situations[] = {
	SITUATION(ring__connect_and_accept), SITUATION(ring__send_and_receive),
	SITUATION(ring__one_request_many_connections), SITUATION(ring__one_request_many_receives),
	SITUATION(ring__poll), SITUATION(ring__messages), SITUATION(ring__linked),
	SITUATION(ring__zero_copy),
};

int main(void)
{
	if (io_uring_queue_init(1, &ring, 0)) {
		ksft_print_header();
		ksft_exit_skip("this kernel has no io_uring\n");
	}
	io_uring_queue_exit(&ring);
	signal(SIGPIPE, SIG_IGN);
	return play_all(situations, sizeof(situations) / sizeof(situations[0]), play_stream_setup);
}
