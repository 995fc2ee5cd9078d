// SPDX-License-Identifier: GPL-2.0
/* The usual openings, and the way to each of the eleven states. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "wire.h"

const char *state_name(int state)
{
	static const char *const names[HAUL_NUM_STATES] = {
		[HAUL_ESTABLISHED] = "ESTABLISHED",
		[HAUL_SYN_SENT] = "SYN-SENT",
		[HAUL_SYN_RECEIVED] = "SYN-RECEIVED",
		[HAUL_FIN_WAIT_1] = "FIN-WAIT-1",
		[HAUL_FIN_WAIT_2] = "FIN-WAIT-2",
		[HAUL_TIME_WAIT] = "TIME-WAIT",
		[HAUL_CLOSED] = "CLOSED",
		[HAUL_CLOSE_WAIT] = "CLOSE-WAIT",
		[HAUL_LAST_ACK] = "LAST-ACK",
		[HAUL_LISTEN] = "LISTEN",
		[HAUL_CLOSING] = "CLOSING",
	};

	return state > 0 && state < HAUL_NUM_STATES ? names[state] : "no state";
}

static void half_open(struct peer *p)
{
	peer_inject(p, "SYN");
	peer_expect(p, "SYN ACK seq=0 ack=1 init");
}

int peer_connect(struct peer *p, int listener)
{
	uint32_t rtt_us = p->rtt_us;

	half_open(p);
	if (p->far) {
		usleep(rtt_us);
		p->rtt_us = 0;	/* that echo is true */
	}
	peer_inject(p, "ACK init");
	p->rtt_us = rtt_us;
	return host_accept(p, listener);
}

int peer_accept(struct peer *p)
{
	int fd = host_connect(p);

	peer_expect(p, "SYN seq=0 init");
	peer_inject(p, "SYN ACK");
	peer_expect(p, "ACK seq=1 ack=1 len=0 init");
	/* the first packet without SYN ends the repetition of INIT */
	peer_inject(p, "ACK");
	return fd;
}

int peer_establish(struct peer *p)
{
	int listener = host_listen(p->w, p->host_port, 8), fd = peer_connect(p, listener);

	host_close(listener);
	return fd;
}

void peer_expect_alive(struct peer *p, int fd, const char *ack)
{
	host_expect_state(p, fd, HAUL_ESTABLISHED);
	peer_inject(p, "ACK len=10");
	do
		peer_expect(p, "%s", ack);
	while (p->rx.ack != p->snd_nxt);
	host_read(p, fd, 10);
	host_write(p, fd, 10);
	peer_expect(p, "ACK len=10 ack=@0x%x", p->snd_nxt);
	peer_inject(p, "ACK");
	peer_expect_silence(p, 0);
}

/* the host closes first: FIN-WAIT-1, FIN-WAIT-2, CLOSING, TIME-WAIT */
static void close_host_first(struct peer *p, int fd, int state)
{
	shutdown(fd, SHUT_WR);
	peer_expect(p, "FIN ACK seq=1 ack=1 len=0");
	if (state == HAUL_FIN_WAIT_1)
		return;
	if (state == HAUL_CLOSING) {
		peer_inject(p, "FIN ACK ack=1");
		peer_expect(p, "ACK seq=2 ack=2");
		return;
	}
	peer_inject(p, "ACK");
	if (state == HAUL_FIN_WAIT_2)
		return;
	peer_inject(p, "FIN ACK");
	peer_expect(p, "ACK seq=2 ack=2");
}

/* the peer closes first: CLOSE-WAIT, LAST-ACK */
static void close_peer_first(struct peer *p, int fd, int state)
{
	peer_inject(p, "FIN ACK");
	peer_expect(p, "ACK seq=1 ack=2");
	if (state == HAUL_CLOSE_WAIT)
		return;
	shutdown(fd, SHUT_WR);
	peer_expect(p, "FIN ACK seq=1 ack=2 len=0");
}

int peer_reach(struct peer *p, int listener, int state)
{
	int fd;

	switch (state) {
	case HAUL_CLOSED:
	case HAUL_LISTEN:
		return -1;
	case HAUL_SYN_SENT:
		fd = host_connect(p);
		peer_expect(p, "SYN seq=0 init");
		return fd;
	case HAUL_SYN_RECEIVED:
		half_open(p);
		return -1;
	}
	fd = peer_connect(p, listener);
	if (state == HAUL_CLOSE_WAIT || state == HAUL_LAST_ACK)
		close_peer_first(p, fd, state);
	else if (state != HAUL_ESTABLISHED)
		close_host_first(p, fd, state);
	return fd;
}

int peer_fill_window(struct peer *p)
{
	int listener = host_listen(p->w, p->host_port, 8), fd;
	uint32_t room;

	host_option(p, listener, SOL_SOCKET, SO_RCVBUF, 8192);
	fd = peer_connect(p, listener);
	host_close(listener);
	while ((room = p->right_edge - p->snd_nxt)) {
		peer_inject(p, "ACK len=%u", room < 1000 ? room : 1000);
		while (peer_receive(p, room <= 1000 ? 300 : 0))
			;
	}
	return fd;
}
