// SPDX-License-Identifier: GPL-2.0
/*
 * A sender and a receiver of core/ with a network between them that loses, doubles and delays what
 * the input says, until the input is used up; then it is a good one. Everything must arrive, in a
 * time that the timers bound, and what is acknowledged must have arrived.
 */
#include "core/queue.h"
#include "core/receiver.h"
#include "fuzz.h"

#define SEGS	96	/* to be sent */
#define NET	256	/* packets on their way, both directions; more are lost */
#define HOURS	(48ULL * 3600 * 1000000)

struct packet {
	bool is_ack;
	u32 seq;		/* data: its segment; ACK: SEG.ACK */
	u32 tsval, tsecr;
	unsigned int num;
	struct haul_block blocks[HAUL_SACK_MAX];
};

struct world {
	struct queue q;
	struct haul_receiver rcv;
	bool held[SEGS];
	struct packet net[NET];
	u64 due[NET];		/* when each arrives; 0: free */
	u64 rto_at;		/* 0: off */
	u64 reorder_at;
	unsigned int sent;	/* segments for the first time */
	unsigned int packets;
};

static void network(struct world *w, struct input *in, const struct packet *p)
{
	u8 fate = take_u8(in);
	unsigned int copies = !in->left ? 1 : fate % 4 == 0 ? 0 : fate % 4 == 1 ? 2 : 1, i;

	for (i = 0; i < NET && copies; i++) {
		if (w->due[i])
			continue;
		w->net[i] = *p;
		w->due[i] = w->q.now + RTT / 2 + (in->left ? take_spread(in, 18) : 0);
		copies--;
	}
	w->packets++;
}

static void send_segment(struct world *w, struct input *in, const struct haul_seg *seg)
{
	struct packet p = { .seq = seg->seq, .tsval = (u32)w->q.now };

	network(w, in, &p);
	if (!w->rto_at)
		w->rto_at = w->q.now + haul_rtt_rto(&w->q.snd.rtt);
}

static void transmit(struct world *w, struct input *in)
{
	struct queue *q = &w->q;
	unsigned int i;

	for (i = 0; i < q->num; i++) {
		struct haul_seg *seg = &q->seg[i];

		if ((seg->marks & (HAUL_SEG_LOST | HAUL_SEG_RETRANS)) != HAUL_SEG_LOST)
			continue;
		if (haul_sender_cwnd_room(&q->snd) < haul_seg_len(seg))
			break;
		queue_resend(q, seg);
		send_segment(w, in, seg);
	}
	while (w->sent < SEGS && haul_sender_cwnd_room(&q->snd) >= MSS) {
		send_segment(w, in, queue_send_len(q, MSS, HAUL_ACK));
		w->sent++;
	}
	haul_sender_note_limit(&q->snd, w->sent < SEGS, w->sent < SEGS);
}

/* the earliest time at which RACK takes one more for lost */
static void arm_reorder(struct world *w)
{
	struct haul_sender *snd = &w->q.snd;
	u32 wnd = haul_rack_reo_wnd(&snd->rack, haul_rtt_srtt(&snd->rtt), snd->rtt.min,
				    haul_sender_recovering(snd), snd->sacked / snd->mss);
	u32 least = HAUL_RACK_NEVER, left;
	unsigned int i;

	for (i = 0; i < w->q.num; i++) {
		left = haul_rack_remaining(&snd->rack, &w->q.seg[i], wnd, w->q.now);
		least = left < least ? left : least;
	}
	w->reorder_at = least == HAUL_RACK_NEVER ? 0 : w->q.now + (least ?: 1);
}

static void receive_ack(struct world *w, const struct packet *p)
{
	struct queue *q = &w->q;
	u32 una = q->snd.una, i;

	if (haul_sender_check_ack(&q->snd, p->seq) > HAUL_ACK_DUPLICATE)
		return;
	if (p->seq != una)
		haul_rtt_sample(&q->snd.rtt, (u32)q->now - p->tsecr, q->now);
	queue_ack_full(q, p->seq, p->blocks, p->num, p->tsecr, 0);
	for (i = 0; i < SEGS && queue_seq(i) != q->snd.una; i++)
		CHECK(w->held[i]);
	for (i = 0; i < q->num; i++)
		if (q->seg[i].marks & HAUL_SEG_SACKED)
			CHECK(w->held[(q->seg[i].seq - queue_seq(0)) / MSS]);
	if (q->snd.una != una)
		w->rto_at = q->num ? q->now + haul_rtt_rto(&q->snd.rtt) : 0;
	arm_reorder(w);
}

static unsigned int ranges(const struct world *w, struct haul_block *out)
{
	unsigned int i = (w->rcv.nxt - queue_seq(0)) / MSS, num = 0;

	while (i < SEGS) {
		if (!w->held[i++])
			continue;
		out[num].start = queue_seq(i - 1);
		while (i < SEGS && w->held[i])
			i++;
		out[num++].end = queue_seq(i);
	}
	return num;
}

static void receive_data(struct world *w, struct input *in, const struct packet *p)
{
	unsigned int at = (p->seq - queue_seq(0)) / MSS, i;
	struct haul_block more[SEGS];
	struct packet ack = { .is_ack = true };

	haul_receiver_update_ts(&w->rcv, p->seq, p->tsval, w->q.now);
	if (w->held[at]) {
		haul_receiver_duplicate(&w->rcv, p->seq, p->seq + MSS);
	} else {
		w->held[at] = true;
		for (i = at; i < SEGS && w->held[i]; i++)
			;
		if (p->seq == w->rcv.nxt) {
			w->rcv.nxt = queue_seq(i);
			haul_receiver_data(&w->rcv, MSS, w->q.now);
			haul_receiver_advanced(&w->rcv);
		} else {
			while (at && w->held[at - 1])
				at--;
			haul_receiver_ooo(&w->rcv, queue_seq(at), queue_seq(i));
		}
	}
	ack.seq = w->rcv.nxt;
	ack.tsecr = w->rcv.ts_recent;
	ack.num = haul_receiver_sack_blocks(&w->rcv, more, ranges(w, more), ack.blocks,
					    HAUL_SACK_MAX);
	haul_receiver_ack_sent(&w->rcv);
	network(w, in, &ack);
}

static void retransmission_timeout(struct world *w)
{
	haul_rtt_backoff(&w->q.snd.rtt);
	queue_timeout(&w->q);
	w->rto_at = w->q.now + haul_rtt_rto(&w->q.snd.rtt);
	w->reorder_at = 0;
}

/* index of the packet that arrives first; NET: none is on its way */
static unsigned int next_packet(const struct world *w)
{
	unsigned int next = NET, i;

	for (i = 0; i < NET; i++)
		if (w->due[i] && (next == NET || w->due[i] < w->due[next]))
			next = i;
	return next;
}

/* the earliest of packet, reordering timer and retransmission timer; false: nothing will happen */
static bool step(struct world *w, struct input *in)
{
	unsigned int next = next_packet(w);
	u64 at = next < NET ? w->due[next] : ~0ULL;
	struct packet p;

	if (w->reorder_at && w->reorder_at < at && w->reorder_at <= (w->rto_at ?: ~0ULL)) {
		w->q.now = w->reorder_at;
		haul_recovery_lost(&w->q.snd, queue_detect_lost(&w->q, NULL), w->q.now);
		arm_reorder(w);
	} else if (w->rto_at && w->rto_at < at) {
		w->q.now = w->rto_at;
		retransmission_timeout(w);
	} else if (next < NET) {
		w->q.now = at;
		p = w->net[next];
		w->due[next] = 0;
		if (p.is_ack)
			receive_ack(w, &p);
		else
			receive_data(w, in, &p);
	} else {
		return false;
	}
	queue_check(&w->q);
	transmit(w, in);
	return true;
}

void fuzz(struct input *in)
{
	static const struct haul_cc_ops * const controllers[] = { &haul_cc_reno, &haul_cc_cubic };
	static struct world w;
	size_t before = in->left;

	memset(&w, 0, sizeof(w));
	queue_open(&w.q, 10);
	haul_sender_set_cc(&w.q.snd, controllers[take_u8(in) % 2], NULL, w.q.now);
	haul_receiver_init(&w.rcv, ISS, 0);
	w.rcv.adv_mss = MSS;
	transmit(&w, in);
	while (step(&w, in))
		CHECK(w.q.now < HOURS);
	CHECK_EQ(w.rcv.nxt, queue_seq(SEGS));
	CHECK_EQ(w.q.snd.una, queue_seq(SEGS));
	/* each decision of the network costs what it lost at most, and go-back-N after a timeout */
	CHECK(w.packets <= 4 * SEGS + SEGS * before);
}
