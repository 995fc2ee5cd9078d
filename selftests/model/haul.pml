/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handshake, teardown, TIME-WAIT and crashes between two peers, for spin (scripts/model).
 *
 * The peers have the same address and ports all along, and so would share old packets. Sequence
 * numbers start at 0 in every incarnation, which is the worst that chance could do: what tells
 * incarnations apart is the tag, of which each has a fresh one. SYN is number 0, one byte of data
 * 1, FIN 2. A packet carries, for the assertions alone, the incarnation (own tag) that sent it.
 *
 * The network holds SLOTS packets each way, delivers them in any order, and MISCHIEF times in all it
 * loses one, delivers one and keeps it, or a retransmission timer fires though packets are on their
 * way. A timer that must wait for more than packets' lifetimes (a retransmission after everything
 * was lost, 2 MSL) fires when nothing else can happen, those of two peers in turn. A packet for
 * which there is no room is lost. CRASHES: each peer forgets everything, that many times.
 *
 * Proven, within these bounds: what is left when nothing more can happen is two closed ends, so
 * there is no deadlock and no connection that only one side has; nobody gives up for want of an
 * answer, but for SYN-RECEIVED, which an old SYN may have called forth and which ends by itself; no
 * data, FIN or acknowledgment of another incarnation is taken; no state is left by an edge that
 * module/core/state.c does not have.
 *
 * BREAK=n breaks a rule, for scripts/model to see the proof fail.
 */
#include "states.pml"

#ifndef SLOTS
#define SLOTS		3
#endif
#ifndef MISCHIEF
#define MISCHIEF	2
#endif
#ifndef CRASHES
#define CRASHES		1
#endif
#ifndef BOTH_OPEN
#define BOTH_OPEN	0	/* 1: both connect (simultaneous open); 0: peer 1 listens */
#endif
#ifndef BREAK
#define BREAK		0
#endif
#ifndef OPENS
#define OPENS		2	/* connections that each peer opens */
#endif
#define TAGS		7	/* incarnations of each peer */
#define SYNACKS		1	/* SYN-ACKs sent again before a half-open connection is forgotten */
#define TRIES		(MISCHIEF + SYNACKS + 4)	/* retransmissions before a peer would give up */

/* a packet: 0 is none */
#define F_SYN		1
#define F_ACK		2
#define F_FIN		4
#define F_RST		8
#define F_REFLECTED	16
#define F_DATA		32
#define PACKET(fl, tg, own, sq, ak, from) \
	((fl) | ((tg) << 6) | ((own) << 9) | ((sq) << 12) | ((ak) << 14) | ((from) << 16) | (1 << 20))
#define HAS(p, f)	(((p) & (f)) != 0)
#define TAG(p)		(((p) >> 6) & 7)
#define INIT(p)		(((p) >> 9) & 7)
#define SEQ(p)		(((p) >> 12) & 3)
#define ACKNO(p)	(((p) >> 14) & 3)
#define FROM(p)		(((p) >> 16) & 7)

typedef peer {
	byte state;
	byte tag;	/* own */
	byte peer_tag;
	byte una;	/* SND.UNA, SND.NXT, RCV.NXT */
	byte nxt;
	byte rcv;
	byte used;	/* tags given out */
	byte opens;
	byte crashes;
	byte tries;
	bool crossed	/* simultaneous open */
};

peer P[2];
int net[2 * SLOTS];	/* packets for peer i in i * SLOTS ... */
byte mischief;
int p;			/* the one that is being looked at */
int out;		/* the one that is being sent */
byte i, x;		/* x: the peer that does something */
bit have;
byte act;

#define ME		P[x]
#define RESTING(st)	((st) == CLOSED || (st) == LISTEN)
/* where a peer rests: the second one listens */
#define HOME		((BOTH_OPEN || x == 0) -> CLOSED : LISTEN)

/* One function changes a state, by a legal edge only; LISTEN is CLOSED with a listener at hand. */
inline go(to)
{
	assert(LEGAL(ME.state, to) || ME.state == to);
	ME.state = to;
	ME.tries = 0
}

inline fresh_tag()
{
	assert(ME.used < TAGS);
	ME.used++;
	ME.tag = ME.used
}

/* nothing here says more than one thing at a time; post() brings it on its way */
inline send(fl, tg, own, sq, ak)
{
	out = PACKET(fl, tg, own, sq, ak, ME.tag)
}

/* To the other side, sorted, so that order makes no states of its own; a second one like it is no more. */
inline post()
{
	i = (1 - x) * SLOTS;
	do
	:: out == 0 || i == (2 - x) * SLOTS || net[i] == out -> break
	:: else ->
		if
		:: net[i] < out -> out = out ^ net[i]; net[i] = out ^ net[i]; out = out ^ net[i]
		:: else -> skip
		fi;
		i++
	od;
	out = 0
}

inline send_ack()
{
	send(F_ACK, ME.peer_tag, 0, ME.nxt, ME.rcv)
}

/* what is at SND.UNA, again; a SYN is a SYN-ACK when the other's has come */
inline send_una()
{
	if
	:: ME.una == 0 && ME.state == SYN_SENT -> send(F_SYN, 0, ME.tag, 0, 0)
	:: ME.una == 0 && ME.state != SYN_SENT -> send(F_SYN | F_ACK, ME.peer_tag, ME.tag, 0, ME.rcv)
	:: ME.una == 1 && ME.nxt > 1 -> send(F_ACK | F_DATA, ME.peer_tag, 0, 1, ME.rcv)
	:: ME.una == 2 && ME.nxt > 2 -> send(F_ACK | F_FIN, ME.peer_tag, 0, 2, ME.rcv)
	:: else -> skip
	fi
}

inline home()
{
	go(CLOSED);
	if
	:: HOME == LISTEN -> go(LISTEN)
	:: else -> skip
	fi;
	ME.tag = 0; ME.peer_tag = 0; ME.una = 0; ME.nxt = 0; ME.rcv = 0; ME.crossed = false
}

/* A packet that matches nothing (protocol.rst 5.1, module/conn/reset.c) */
inline refuse()
{
	if
	:: HAS(p, F_RST) -> skip
	:: !HAS(p, F_RST) && HAS(p, F_SYN) && !HAS(p, F_ACK) -> send(F_RST | F_ACK, INIT(p), 0, 0, 1)
	:: !HAS(p, F_RST) && HAS(p, F_ACK) -> send(F_RST | F_REFLECTED, TAG(p), 0, ACKNO(p), 0)
	fi
}

inline take_syn()
{
	ME.peer_tag = INIT(p);
	ME.rcv = 1
}

inline rcv_listen()
{
	if
	:: HAS(p, F_SYN) && !HAS(p, F_ACK) && ME.used < TAGS ->
		fresh_tag();
		take_syn();
		ME.nxt = 1;
		go(SYN_RECEIVED);
		send_una()
	:: HAS(p, F_SYN) && !HAS(p, F_ACK) && ME.used == TAGS -> skip
	:: else -> refuse()
	fi
}

/* RFC 9293 3.10.7.3 with protocol.rst 3.5, module/conn/handshake.c */
inline rcv_syn_sent()
{
	if
	:: HAS(p, F_RST) ->
		if
		:: !HAS(p, F_REFLECTED) && TAG(p) == ME.tag && HAS(p, F_ACK) && ACKNO(p) == 1 -> home()
		:: else -> skip
		fi
	:: !HAS(p, F_RST) && HAS(p, F_ACK) && (TAG(p) != ME.tag || ACKNO(p) != 1) ->
		if
		:: BREAK == 2 -> skip
		:: else -> refuse()
		fi
	:: !HAS(p, F_RST) && HAS(p, F_ACK) && TAG(p) == ME.tag && ACKNO(p) == 1 ->
		if
		:: HAS(p, F_SYN) ->
			take_syn();
			ME.una = 1;
			go(ESTABLISHED);
			send_ack()
		:: else -> skip
		fi
	:: !HAS(p, F_RST) && !HAS(p, F_ACK) ->
		take_syn();
		ME.crossed = true;
		go(SYN_RECEIVED);
		send_una()
	fi
}

/* The reset rules of core/validate.c */
inline rcv_rst()
{
	if
	:: TAG(p) != (HAS(p, F_REFLECTED) -> ME.peer_tag : ME.tag) -> skip
	:: TAG(p) == (HAS(p, F_REFLECTED) -> ME.peer_tag : ME.tag) && SEQ(p) == ME.rcv ->
		if
		:: ME.state == TIME_WAIT -> skip	/* RFC 1337 */
		:: else -> home()
		fi
	:: else -> send_ack()
	fi
}

/* a SYN where a connection is: the same again, RFC 6191 for TIME-WAIT, or RFC 5961 4.2 */
inline rcv_syn()
{
	if
	:: HAS(p, F_ACK) && TAG(p) != ME.tag -> skip
	:: HAS(p, F_ACK) && TAG(p) == ME.tag -> send_ack()
	:: !HAS(p, F_ACK) && ME.state == SYN_RECEIVED && INIT(p) == ME.peer_tag -> send_una()
	:: !HAS(p, F_ACK) && ME.state == TIME_WAIT && HOME == LISTEN && INIT(p) > ME.peer_tag ->
		/* timestamps grow from one incarnation to the next, unless a crash came between */
		home();
		rcv_listen()
	:: else -> send_ack()
	fi
}

inline fin_acked()
{
	if
	:: ME.state == FIN_WAIT_1 -> go(FIN_WAIT_2)
	:: ME.state == CLOSING -> go(TIME_WAIT)
	:: ME.state == LAST_ACK -> home()
	:: else -> skip
	fi
}

inline rcv_ack()
{
	if
	:: ACKNO(p) > ME.una ->
		assert(FROM(p) == ME.peer_tag);
		ME.una = ACKNO(p);
		ME.tries = 0;
		if
		:: ME.state == SYN_RECEIVED -> go(ESTABLISHED)
		:: ME.una == 3 -> fin_acked()
		:: else -> skip
		fi
	:: else -> skip
	fi
}

inline rcv_fin()
{
	if
	:: ME.state == ESTABLISHED -> go(CLOSE_WAIT)
	:: ME.state == FIN_WAIT_1 -> go(CLOSING)
	:: ME.state == FIN_WAIT_2 -> go(TIME_WAIT)
	:: else -> assert(false)
	fi
}

/* RFC 9293 3.10.7.4, seventh and eighth; what is out of order is not kept, only acknowledged */
inline rcv_text()
{
	if
	:: HAS(p, F_DATA | F_FIN) && SEQ(p) == ME.rcv && !RESTING(ME.state) ->
		assert(FROM(p) == ME.peer_tag);
		ME.rcv++;
		if
		:: HAS(p, F_FIN) -> rcv_fin()
		:: else -> skip
		fi;
		send_ack()
	:: HAS(p, F_DATA | F_FIN) && SEQ(p) != ME.rcv && !RESTING(ME.state) ->
		if
		:: BREAK == 3 && ME.state == TIME_WAIT -> skip
		:: else -> send_ack()
		fi
	:: else -> skip
	fi
}

/* SYN-RECEIVED and the synchronised states, module/conn/input.c */
inline rcv_synchronized()
{
	have = (ME.state == SYN_RECEIVED && ME.crossed && HAS(p, F_SYN) && HAS(p, F_ACK) &&
		TAG(p) == ME.tag && ACKNO(p) == 1);
	if
	:: HAS(p, F_RST) -> rcv_rst()
	:: have -> rcv_ack(); send_ack()
	:: HAS(p, F_SYN) && !have -> rcv_syn()
	:: !HAS(p, F_RST) && !HAS(p, F_SYN) && TAG(p) != ME.tag && BREAK != 1 -> skip
	:: !HAS(p, F_RST) && !HAS(p, F_SYN) && (TAG(p) == ME.tag || BREAK == 1) ->
		if
		:: ACKNO(p) > ME.nxt -> send_ack()
		:: ME.state == SYN_RECEIVED && ACKNO(p) != 1 -> refuse()
		:: else -> rcv_ack(); rcv_text()
		fi
	fi
}

inline receive()
{
	if
	:: ME.state == CLOSED -> refuse()
	:: ME.state == LISTEN -> rcv_listen()
	:: ME.state == SYN_SENT -> rcv_syn_sent()
	:: else -> rcv_synchronized()
	fi
}

inline open()
{
	if
	:: ME.state == TIME_WAIT -> home()
	:: else -> skip
	fi;
	fresh_tag();
	ME.opens++;
	ME.nxt = 1;
	go(SYN_SENT);
	send_una()
}

/* close(2): FIN goes behind the data */
inline shut()
{
	if
	:: ME.state == ESTABLISHED -> go(FIN_WAIT_1)
	:: ME.state == CLOSE_WAIT -> go(LAST_ACK)
	:: ME.state == SYN_RECEIVED -> go(FIN_WAIT_1)
	fi
}

#define MAY_CONNECT(n)	((BOTH_OPEN || n == 0) && (P[n].state == CLOSED || P[n].state == TIME_WAIT) && \
			 P[n].opens < OPENS && P[n].used < TAGS)
#define SENDS(n)	(P[n].state == ESTABLISHED || P[n].state == CLOSE_WAIT || P[n].state == FIN_WAIT_1 || \
			 P[n].state == CLOSING || P[n].state == LAST_ACK)
#define MAY_SEND(n)	(SENDS(n) && P[n].una > 0 && P[n].nxt == 1)
#define MAY_FIN(n)	((P[n].state == FIN_WAIT_1 || P[n].state == CLOSING || P[n].state == LAST_ACK) && P[n].nxt == 2)
#define MAY_CLOSE(n)	(P[n].state == ESTABLISHED || P[n].state == CLOSE_WAIT)
/* these end by time: 2 MSL, and an orphan's patience in FIN-WAIT-2 (net.haul.fin_timeout_ms) */
#define LINGERS(n)	(P[n].state == TIME_WAIT || P[n].state == FIN_WAIT_2)
#define WAITS(n)	(P[n].una < P[n].nxt)

#define EMPTY		(net[0] == 0 && net[SLOTS] == 0)
#define QUIET		(EMPTY && !MAY_SEND(0) && !MAY_SEND(1) && !MAY_FIN(0) && !MAY_FIN(1) && \
			 !MAY_CLOSE(0) && !MAY_CLOSE(1))

inline retransmit()
{
	ME.tries++;
	if
	:: ME.state == SYN_RECEIVED && ME.tries > SYNACKS -> home()
	:: else ->
		assert(ME.tries < TRIES);
		send_una()
	fi
}

/* takes packet i of peer x's out of the network */
inline remove()
{
	do
	:: i + 1 < (x + 1) * SLOTS -> net[i] = net[i + 1]; i++
	:: else -> net[i] = 0; break
	od
}

/* what may happen; act says which, so that the model holds each rule once */
#define CONNECT		1
#define SEND		2
#define FIN		3
#define CLOSE		4
#define CRASH		5
#define TIMER		6
#define EXPIRE		7
#define DELIVER		8
#define DUPLICATE	9
#define LOSE		10

#define PEER(n)								\
	:: MAY_CONNECT(n) -> x = n; act = CONNECT			\
	:: MAY_SEND(n) -> x = n; act = SEND				\
	:: MAY_FIN(n) -> x = n; act = FIN				\
	:: MAY_CLOSE(n) -> x = n; act = CLOSE				\
	:: P[n].crashes < CRASHES && !RESTING(P[n].state) -> x = n; act = CRASH	\
	:: WAITS(n) && !EMPTY && mischief < MISCHIEF -> x = n; mischief++; P[n].tries = 0; act = TIMER	\
	:: WAITS(n) && QUIET && (!WAITS(1 - n) || P[n].tries <= P[1 - n].tries) -> x = n; act = TIMER	\
	:: LINGERS(n) && QUIET -> x = n; act = EXPIRE

#define SLOT(n, s)							\
	:: net[n * SLOTS + s] != 0 -> x = n; i = n * SLOTS + s; act = DELIVER	\
	:: net[n * SLOTS + s] != 0 && mischief < MISCHIEF -> x = n; i = n * SLOTS + s; mischief++; act = DUPLICATE	\
	:: net[n * SLOTS + s] != 0 && mischief < MISCHIEF -> x = n; i = n * SLOTS + s; mischief++; act = LOSE

inline perform()
{
	if
	:: act == CONNECT -> open()
	:: act == SEND -> ME.nxt = 2; send(F_ACK | F_DATA, ME.peer_tag, 0, 1, ME.rcv)
	:: act == FIN -> ME.nxt = 3; send(F_ACK | F_FIN, ME.peer_tag, 0, 2, ME.rcv)
	:: act == CLOSE -> shut()
	:: act == CRASH -> ME.crashes++; home()
	:: act == TIMER -> retransmit()
	:: act == EXPIRE -> home()
	:: act == DELIVER -> p = net[i]; remove(); receive()
	:: act == DUPLICATE -> p = net[i]; receive()
	:: act == LOSE -> remove()
	fi;
	printf("%d: act %d, takes %x (seq %d ack %d tag %d), state %d, sends %x (seq %d ack %d tag %d)\n", x, act,
	       p & 63, SEQ(p), ACKNO(p), TAG(p), ME.state, out & 63, SEQ(out), ACKNO(out), TAG(out))
}

init {
	d_step {
		P[0].state = CLOSED;
		P[1].state = (BOTH_OPEN -> CLOSED : LISTEN)
	}
	do
	:: atomic {
		if
		PEER(0)
		PEER(1)
		SLOT(0, 0)
		SLOT(0, 1)
		SLOT(1, 0)
		SLOT(1, 1)
#if SLOTS > 2
		SLOT(0, 2)
		SLOT(1, 2)
#endif
		fi;
		d_step {
			perform();
			post();
			act = 0; i = 0; x = 0; p = 0; have = 0
		}
	}
	:: QUIET && !WAITS(0) && !WAITS(1) && !LINGERS(0) && !LINGERS(1) && !MAY_CONNECT(0) && !MAY_CONNECT(1) ->
		/* nothing more can happen */
		assert(RESTING(P[0].state) && RESTING(P[1].state));
		break
	od
}
