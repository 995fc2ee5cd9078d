/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every state and every kind of packet, as one table: what is answered, and which state comes
 * next. It is the table of protocol.rst 6.2, packet by packet; calls and timers are other tests'.
 */
#ifndef HAUL_WIRE_STATES_H
#define HAUL_WIRE_STATES_H

#include <stdio.h>
#include "fixture.h"

/* What comes back */
enum answer {
	DROP,	/* nothing */
	ACKS,	/* ACK, no payload, with the host's next numbers: a challenge or an answer */
	TAKES,	/* ACK of the payload that the packet brought */
	ENDS,	/* ACK of the FIN that it brought */
	RESET,	/* RST that reflects the packet's tag */
	REFUSE, /* RST that answers a SYN */
	SYNACK,
};

/* Which state follows; else a HAUL_* number */
enum {
	SAME = 0,
	GONE = 100,	/* the connection is not known any more */
	NEW,		/* a new half-open connection in its place */
	RESTED,		/* TIME-WAIT: the socket is CLOSED, a remnant answers */
};

struct cell {
	uint8_t answer;
	uint8_t next;
};

#define STATES HAUL_NUM_STATES

/*
 * What a row says in each state. SEQ, ALL, UNA and the like are replaced: peer's next number,
 * the ack of all that the host sent, the ack of all but its FIN.
 */
struct row {
	const char *text;
	struct cell cells[STATES];
};

/* three that are not open yet, SYN-RECEIVED; ESTABLISHED, CLOSE-WAIT; four that close; TIME-WAIT */
#define CELLS(closed, listen, sent, received, open, close_wait, fin_1, fin_2, closing, last, time) \
	{ \
		[HAUL_CLOSED] = closed, [HAUL_LISTEN] = listen, [HAUL_SYN_SENT] = sent, \
		[HAUL_SYN_RECEIVED] = received, [HAUL_ESTABLISHED] = open, \
		[HAUL_CLOSE_WAIT] = close_wait, [HAUL_FIN_WAIT_1] = fin_1, \
		[HAUL_FIN_WAIT_2] = fin_2, [HAUL_CLOSING] = closing, \
		[HAUL_LAST_ACK] = last, [HAUL_TIME_WAIT] = time \
	}
#define ALL_DROP CELLS(D, D, D, D, D, D, D, D, D, D, D)

#define D	{ DROP, SAME }
#define A	{ ACKS, SAME }
#define R	{ RESET, SAME }
#define X	{ DROP, HAUL_CLOSED }
#define TO(answer, next) { answer, next }

/* the fixture: one state, one IP version */
FIXTURE(state) {
	struct wire w;
	struct peer p;
	int fd;
	int listener;
	int una;		/* relative, host's SND.UNA and SND.NXT */
	int nxt;
	int seq;		/* relative, host's RCV.NXT */
};

FIXTURE_VARIANT(state) {
	int family;
	int state;
};

/* test_states_v4.c and test_states_v6.c say which IP version they are of */
#define VARIANT(name, number) \
	FIXTURE_VARIANT_ADD(state, name) { .family = STATES_FAMILY, .state = number }

VARIANT(closed, HAUL_CLOSED);
VARIANT(listen, HAUL_LISTEN);
VARIANT(syn_sent, HAUL_SYN_SENT);
VARIANT(syn_received, HAUL_SYN_RECEIVED);
VARIANT(established, HAUL_ESTABLISHED);
VARIANT(close_wait, HAUL_CLOSE_WAIT);
VARIANT(fin_wait_1, HAUL_FIN_WAIT_1);
VARIANT(fin_wait_2, HAUL_FIN_WAIT_2);
VARIANT(closing, HAUL_CLOSING);
VARIANT(last_ack, HAUL_LAST_ACK);
VARIANT(time_wait, HAUL_TIME_WAIT);

static bool has_fin(int state)
{
	return state == HAUL_FIN_WAIT_1 || state == HAUL_FIN_WAIT_2 || state == HAUL_CLOSING ||
	       state == HAUL_LAST_ACK || state == HAUL_TIME_WAIT;
}

static bool fin_acked(int state)
{
	return state == HAUL_FIN_WAIT_2 || state == HAUL_TIME_WAIT;
}

static bool no_connection(int state)
{
	return state == HAUL_CLOSED || state == HAUL_LISTEN;
}

FIXTURE_SETUP(state)
{
	struct peer *p = &self->p;

	self->listener = -1;
	wire_open(&self->w, variant->family);
	peer_open(p, &self->w);
	wire_here();
	wire_sysctl(&self->w, "haul.challenge_limit", "255");
	if (variant->state != HAUL_CLOSED && variant->state != HAUL_SYN_SENT)
		self->listener = host_listen(&self->w, p->host_port, 8);
	self->fd = peer_reach(p, self->listener, variant->state);
	self->nxt = has_fin(variant->state) ? 2 : 1;
	self->una = has_fin(variant->state) && fin_acked(variant->state) ? 2 : 1;
	if (no_connection(variant->state)) {
		/* numbers of nobody */
		p->learned = true;
		p->irs = 5000;
		p->host_tag = 0x47110815;
		p->snd_nxt = p->iss + 1;
		p->rcv_nxt = p->irs + 1;
	}
	if (variant->state == HAUL_SYN_SENT)
		p->snd_nxt = p->iss + 1;
	self->seq = p->snd_nxt - p->iss;
}

FIXTURE_TEARDOWN(state)
{
	close(self->w.tun);
}

/* replaces SEQ, UNA and NXT by @self's numbers; they may be followed by +1 or -1000 */
static const char *fill(const char *text, int seq, int una, int nxt)
{
	static char out[512];
	char *at = out;

	while (*text) {
		int base = 0, more = 0, used = 0, word = 3;

		if (!strncmp(text, "SEQ", 3))
			base = seq;
		else if (!strncmp(text, "UNA", 3))
			base = una;
		else if (!strncmp(text, "NXT", 3))
			base = nxt;
		else
			word = 0;
		if (!word) {
			*at++ = *text++;
			continue;
		}
		text += word;
		if (sscanf(text, "%d%n", &more, &used) == 1)
			text += used;
		at += sprintf(at, "%d", base + more);
	}
	*at = 0;
	return out;
}

/* the @answer that must come to a packet that acknowledged @ack (absolute) */
static void expect_answer(struct peer *p, int answer, int nxt, int seq, uint32_t ack)
{
	switch (answer) {
	case DROP:
		expect_silence(p);
		break;
	case ACKS:
		expect(p, "ACK seq=%d ack=%d len=0 sack=?", nxt, seq);
		break;
	case TAKES:
		expect(p, "ACK seq=%d ack=@0x%x len=0", nxt, p->snd_nxt);
		break;
	case ENDS:
		expect(p, "ACK seq=%d ack=2 len=0", nxt);
		break;
	case RESET:
		expect(p, "RST REFLECTED seq=@0x%x", ack);
		break;
	case REFUSE:
		expect(p, "RST ACK seq=@0 ack=@0x%x tag=peer", p->iss + 1);
		break;
	case SYNACK:
		expect(p, "SYN ACK seq=0 ack=1 init");
		break;
	}
}

/* Is the connection gone? Then whatever is said about it is reset. */
static void expect_gone(struct peer *p)
{
	inject(p, "ACK seq=1 ack=777 tag=host");
	expect(p, "RST REFLECTED seq=777");
}

static void expect_next(struct peer *p, int fd, int now, int next)
{
	int state = next == SAME ? now : next;

	if (state == GONE || no_connection(state)) {
		if (fd >= 0)
			host_expect_state(p, fd, HAUL_CLOSED);
		expect_gone(p);
	} else if (state == NEW) {
		inject(p, "SYN");
		expect(p, "SYN ACK seq=0 ack=1");
	} else if (state == RESTED || state == HAUL_TIME_WAIT) {
		host_expect_state(p, fd, HAUL_CLOSED);
		inject(p, "FIN ACK seq=1 ack=2");
		expect(p, "ACK seq=2 ack=2 sack=?");
	} else if (fd >= 0) {
		host_expect_state(p, fd, state);
	} else if (state == HAUL_SYN_RECEIVED) {
		/*
		 * Another half-open connection would have another tag, which expect() refuses.
		 * What it answers is spaced evenly, 255 times a second.
		 */
		usleep(5000);
		inject(p, "SYN");
		expect(p, "SYN ACK seq=0 ack=1");
	}
}

/* A SYN of a new connection: nothing of the old one is true of its answer. */
static void forget(struct peer *p)
{
	p->learned = false;
	p->host_tsval_seen = false;
	p->edge_seen = false;
	p->snd_nxt = p->iss;
}

static void run(struct peer *p, int fd, int listener, int state, const struct row *row, int seq,
		int una, int nxt)
{
	struct cell cell = row->cells[state];
	const char *text = fill(row->text, seq, una, nxt);
	char note[600];

	snprintf(note, sizeof(note), "%s in %s", text, state_name(state));
	wire_note = note;
	if (cell.answer == SYNACK && state != HAUL_SYN_RECEIVED && state != HAUL_SYN_SENT)
		forget(p);
	inject(p, "%s", text);
	expect_answer(p, cell.answer, nxt, seq,
		      p->w->history[(p->w->events - 1) % WIRE_HISTORY].p.ack);
	if (cell.answer == SYNACK && cell.next == NEW)
		p->snd_nxt = p->iss + 1;
	if (state == HAUL_SYN_RECEIVED &&
	    (cell.next == HAUL_ESTABLISHED || cell.next == HAUL_CLOSE_WAIT))
		fd = host_accept(p, listener);
	expect_next(p, fd, state, cell.next);
}

#define ARRIVES(name, packet, ...)							\
	TEST_F(state, name)								\
	{										\
		static const struct row row = { packet, __VA_ARGS__ };			\
											\
		run(&self->p, self->fd, self->listener, variant->state, &row,		\
		    self->seq, self->una, self->nxt);					\
	}										\
	struct name##_needs_a_semicolon

/*
 *                    CLOSED LISTEN SYN-SENT SYN-RECEIVED   ESTABL. CLOSE-WAIT FIN-1 FIN-2
 * CLOSING LAST-ACK TIME-WAIT
 */
#define REFUSED		TO(REFUSE, SAME)
#define OPENED		TO(SYNACK, NEW)
#define CROSSED		TO(SYNACK, HAUL_SYN_RECEIVED)

ARRIVES(syn_again, "SYN",
	CELLS(REFUSED, OPENED, CROSSED, TO(SYNACK, SAME), A, A, A, A, A, A, OPENED));
ARRIVES(syn_with_old_clock, "SYN tsval=-1000",
	CELLS(REFUSED, OPENED, CROSSED, TO(SYNACK, SAME), A, A, A, A, A, A, A));
ARRIVES(syn_with_a_tag, "SYN tag=0x55", ALL_DROP);
ARRIVES(syn_without_init, "SYN noinit", CELLS(D, D, D, D, A, A, A, A, A, A, D));
ARRIVES(syn_ack, "SYN ACK seq=0 ack=1",
	CELLS(R, R, TO(ACKS, HAUL_ESTABLISHED), A, A, A, A, A, A, A, A));
ARRIVES(syn_ack_with_wrong_tag, "SYN ACK seq=0 ack=1 tag=bad",
	CELLS(R, R, R, D, D, D, D, D, D, D, D));
ARRIVES(syn_ack_without_init, "SYN ACK seq=0 ack=1 noinit", CELLS(D, D, D, A, A, A, A, A, A, A, A));

ARRIVES(ack_of_data, "ACK seq=SEQ ack=UNA",
	CELLS(R, R, D, TO(DROP, HAUL_ESTABLISHED), D, D, D, D, D, D, D));
ARRIVES(ack_of_all, "ACK seq=SEQ ack=NXT",
	CELLS(R, R, D, TO(DROP, HAUL_ESTABLISHED), D, D, TO(DROP, HAUL_FIN_WAIT_2), D,
	      TO(DROP, RESTED), TO(DROP, GONE), D));
ARRIVES(ack_beyond, "ACK seq=SEQ ack=NXT+1", CELLS(R, R, R, R, A, A, A, A, A, A, A));
ARRIVES(ack_ancient, "ACK seq=SEQ ack=UNA-1048577", CELLS(R, R, R, R, A, A, A, A, A, A, D));
ARRIVES(ack_old, "ACK seq=SEQ ack=UNA-1", CELLS(R, R, R, R, D, D, D, D, D, D, D));
ARRIVES(ack_of_the_past, "ACK seq=SEQ ack=UNA tsval=-1000",
	CELLS(R, R, D, D, D, D, D, D, D, D, D));
ARRIVES(probe, "ACK seq=SEQ-1 ack=UNA", CELLS(R, R, D, A, A, A, A, A, A, A, A));
ARRIVES(ack_beyond_the_window, "ACK seq=SEQ+1100000000 ack=UNA",
	CELLS(R, R, D, A, A, A, A, A, A, A, A));

#define TAKEN	TO(TAKES, SAME)
ARRIVES(payload, "ACK len=10 ack=UNA",
	CELLS(R, R, D, TO(TAKES, HAUL_ESTABLISHED), TAKEN, A, TAKEN, TAKEN, A, A, A));
ARRIVES(payload_beyond_the_window, "ACK seq=SEQ+1100000000 ack=UNA len=10",
	CELLS(R, R, D, A, A, A, A, A, A, A, A));
ARRIVES(payload_again, "ACK seq=SEQ-10 ack=UNA len=10", CELLS(R, R, D, A, A, A, A, A, A, A, A));
ARRIVES(payload_of_the_past, "ACK seq=SEQ ack=UNA len=10 tsval=-1000",
	CELLS(R, R, D, A, A, A, A, A, A, A, A));
ARRIVES(payload_with_wrong_tag, "ACK seq=SEQ ack=UNA len=10 tag=bad",
	CELLS(R, R, R, D, D, D, D, D, D, D, D));
ARRIVES(payload_with_the_peers_tag, "ACK seq=SEQ ack=UNA len=10 tag=peer",
	CELLS(R, R, R, D, D, D, D, D, D, D, D));
ARRIVES(payload_with_tag_0, "ACK seq=SEQ ack=UNA len=10 tag=0", ALL_DROP);
ARRIVES(payload_acknowledging_too_much, "ACK seq=SEQ ack=NXT+1 len=10",
	CELLS(R, R, R, R, A, A, A, A, A, A, A));

ARRIVES(fin, "FIN ACK seq=1 ack=UNA",
	CELLS(R, R, D, TO(ENDS, HAUL_CLOSE_WAIT), TO(ENDS, HAUL_CLOSE_WAIT), A,
	      TO(ENDS, HAUL_CLOSING), TO(ENDS, RESTED), A, A, A));
ARRIVES(fin_and_ack_of_all, "FIN ACK seq=1 ack=NXT",
	CELLS(R, R, D, TO(ENDS, HAUL_CLOSE_WAIT), TO(ENDS, HAUL_CLOSE_WAIT), A,
	      TO(ENDS, RESTED), TO(ENDS, RESTED), A, A, A));
ARRIVES(fin_beyond_the_window, "FIN ACK seq=SEQ+1100000000 ack=UNA",
	CELLS(R, R, D, A, A, A, A, A, A, A, A));
ARRIVES(fin_of_the_past, "FIN ACK seq=SEQ ack=UNA tsval=-1000",
	CELLS(R, R, D, A, A, A, A, A, A, A, A));
ARRIVES(fin_with_wrong_tag, "FIN ACK seq=SEQ ack=UNA tag=bad",
	CELLS(R, R, R, D, D, D, D, D, D, D, D));

ARRIVES(rst, "RST ACK seq=SEQ ack=NXT", CELLS(D, D, X, TO(DROP, GONE), X, X, X, X, X, X, D));
ARRIVES(rst_reflected, "RST REFLECTED seq=SEQ tag=peer",
	CELLS(D, D, D, TO(DROP, GONE), X, X, X, X, X, X, D));
ARRIVES(rst_near, "RST ACK seq=SEQ+1 ack=NXT", CELLS(D, D, X, A, A, A, A, A, A, A, D));
ARRIVES(rst_reflected_near, "RST REFLECTED seq=SEQ+1 tag=peer",
	CELLS(D, D, D, A, A, A, A, A, A, A, D));
ARRIVES(rst_before, "RST ACK seq=SEQ-1 ack=NXT", CELLS(D, D, X, D, D, D, D, D, D, D, D));
ARRIVES(rst_far, "RST ACK seq=SEQ+1100000000 ack=NXT", CELLS(D, D, X, D, D, D, D, D, D, D, D));
ARRIVES(rst_with_wrong_tag, "RST ACK seq=SEQ ack=NXT tag=bad", ALL_DROP);
ARRIVES(rst_with_the_peers_tag, "RST ACK seq=SEQ ack=NXT tag=peer", ALL_DROP);
ARRIVES(rst_reflecting_our_tag, "RST REFLECTED seq=SEQ tag=host", ALL_DROP);
ARRIVES(rst_with_payload, "RST ACK seq=SEQ ack=NXT len=1", ALL_DROP);

ARRIVES(wrong_checksum, "ACK seq=SEQ ack=UNA len=10 badsum", ALL_DROP);
ARRIVES(unknown_version, "ACK seq=SEQ ack=UNA len=10 version=2", ALL_DROP);
ARRIVES(unknown_kind, "ACK seq=SEQ ack=UNA len=10 kind=5", ALL_DROP);
ARRIVES(short_header, "ACK seq=SEQ ack=UNA len=10 words=8", ALL_DROP);
ARRIVES(header_past_the_end, "ACK seq=SEQ ack=UNA len=10 words=60", ALL_DROP);
ARRIVES(no_flag_that_counts, "PSH seq=SEQ len=10", ALL_DROP);
ARRIVES(all_flags, "SYN FIN RST ACK PSH seq=SEQ ack=UNA", ALL_DROP);
ARRIVES(option_of_length_0, "ACK seq=SEQ ack=UNA len=10 option=09000000", ALL_DROP);
ARRIVES(sack_of_length_4, "ACK seq=SEQ ack=UNA len=10 option=02040000", ALL_DROP);

#endif /* HAUL_WIRE_STATES_H */
