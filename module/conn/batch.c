// SPDX-License-Identifier: GPL-2.0
/*
 * What waits for the end of a run of the softirq: per processor two lists of sockets, and a tasklet
 * that serves them; one scheduled by a softirq that receives, or that a device's is, runs when that
 * is through.
 *
 * Readers: where nobody merges them (GRO off), the packets of one large segment come one by one,
 * but all in one run, or they wait in one backlog. An ACK that is owed for every second of them
 * (RFC 5681 4.2) would be twenty in a row, each out of date by the next. So it waits for the end of
 * the run, as it would for the end of a merged segment. What must be told at once (a hole, a
 * duplicate) does not come here. For packets out of the backlog release_sock() is the end.
 *
 * Where a program answers questions at once, the ACK of a question waits for the answer to ride on
 * (haul_receiver_may_hold()); where somebody slept until data would come, it waits for him to read
 * (haul_ack_reader_comes()). That is a third list, served by a timer soon after. The packets that
 * come meanwhile wake nobody: either he reads, or the timer wakes again.
 *
 * Writers: a socket leaves only so much with qdisc and device (haul_batch_throttle()); the rest
 * waits in its own queue, where it does not delay others and can still be merged, split or
 * dropped. When one of its packets is freed, haul_wfree() has the socket send on.
 */
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include "conn.h"
#include "../sock/sock.h"

/* bytes of memory that a socket may have below it: between these, what a millisecond sends */
#define HAUL_DEVICE_MAX		(1024 * 1024)

/* bits of sk->sk_tsq_flags */
enum haul_write_flag {
	HAUL_WRITE_THROTTLED,	/* more is to be sent when a packet is freed */
	HAUL_WRITE_LISTED,	/* in a list of writers */
};

/**
 * struct haul_batch - sockets that something is to be done for at the end of this run
 * @tasklet:	the end
 * @timer:	the end of what the list @held waits for
 * @readers:	haul_sock.batch_node, each with a reference; BH off, on this processor
 * @held:	haul_sock.held_node of those whose ACK waits for an answer, likewise
 * @lock:	of @held: the timer of a processor that goes offline moves to another
 * @writers:	haul_sock.write_node, each with a reference on sk_wmem_alloc; interrupts off
 */
struct haul_batch {
	struct tasklet_struct	tasklet;
	struct hrtimer		timer;
	struct list_head	readers;
	struct list_head	held;
	spinlock_t		lock;		/* of @held */
	struct list_head	writers;
};

static DEFINE_PER_CPU(struct haul_batch, haul_batches);

/* ---------------------------------------------------------------- readers */

/**
 * haul_batch_add - an ACK is due, and readers are to be woken, at the end of the run
 * @sk:	the socket; its lock is held, BH off or its program is at its backlog
 */
void haul_batch_add(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_batch *batch;

	hs->batched = true;
	/* a tasklet that has taken it off its list waits for the lock, and will see the mark */
	if (sock_owned_by_user(sk) || hs->batch_listed)
		return;
	hs->batch_listed = true;
	sock_hold(sk);
	batch = this_cpu_ptr(&haul_batches);
	list_add_tail(&hs->batch_node, &batch->readers);
	tasklet_schedule(&batch->tasklet);
}

/**
 * haul_batch_hold - the ACK that is due waits for the program, a moment
 * @sk:		the socket; its lock is held
 * @why:	rcv.ack_held or rcv.ack_by_reader, to be set
 *
 * Any context.
 */
void haul_batch_hold(struct sock *sk, bool *why)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_batch *batch;

	if (hs->batch_listed) {		/* the run's end comes first, and asks again */
		hs->batched = true;
		return;
	}
	*why = true;
	if (hs->batch_held)		/* the timer that comes anyway will see the mark */
		return;
	hs->batch_held = true;
	sock_hold(sk);
	local_bh_disable();
	batch = this_cpu_ptr(&haul_batches);
	spin_lock(&batch->lock);
	list_add_tail(&hs->held_node, &batch->held);
	if (!hrtimer_is_queued(&batch->timer))
		hrtimer_start(&batch->timer, ns_to_ktime(HAUL_ACK_HOLD_US * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_PINNED_SOFT);
	spin_unlock(&batch->lock);
	local_bh_enable();
}

/**
 * haul_batch_end - the run is over
 * @sk:	the socket; its lock is held
 */
void haul_batch_end(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);

	if (likely(!hs->batched))
		return;
	hs->batched = false;
	if (sk->sk_state == HAUL_CLOSED)
		return;
	if (!sock_flag(sk, SOCK_DEAD))
		haul_sock_data_ready(sk);
	haul_ack_after_batch(sk);
}

/**
 * haul_batch_hold_end - an ACK has waited long enough, or, if it began to just now, waits on
 * @sk:	the socket, off the list; its lock is held, BH off
 */
void haul_batch_hold_end(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_receiver *rcv = &hs->rcv;

	hs->batch_held = false;
	if (sk->sk_state == HAUL_CLOSED)
		return;
	if (rcv->ack_by_reader) {
		rcv->ack_by_reader = false;
		if (!sock_flag(sk, SOCK_DEAD))
			haul_sock_data_ready(sk);
		haul_ack_schedule(sk);
		return;
	}
	if (!rcv->ack_held)
		return;
	if (haul_now_us() - rcv->last_data_us < HAUL_ACK_HOLD_US / 2) {
		haul_batch_hold(sk, &rcv->ack_held);
		return;
	}
	/* no answer came: the next question is acknowledged as any other data */
	rcv->prompt = false;
	rcv->ack_held = false;
	haul_ack_schedule(sk);
}

static enum hrtimer_restart haul_batch_hold_fire(struct hrtimer *timer)
{
	struct haul_batch *batch = container_of(timer, struct haul_batch, timer);
	struct haul_sock *hs, *next;
	LIST_HEAD(held);

	spin_lock(&batch->lock);
	list_splice_init(&batch->held, &held);
	spin_unlock(&batch->lock);
	list_for_each_entry_safe(hs, next, &held, held_node) {
		struct sock *sk = haul_sock_sk(hs);

		list_del_init(&hs->held_node);
		bh_lock_sock(sk);
		if (sock_owned_by_user(sk))
			haul_defer(sk, HAUL_DEFER_HOLD);
		else
			haul_batch_hold_end(sk);
		bh_unlock_sock(sk);
		sock_put(sk);
	}
	return HRTIMER_NORESTART;
}

static void haul_batch_read(struct list_head *socks)
{
	struct haul_sock *hs, *next;

	list_for_each_entry_safe(hs, next, socks, batch_node) {
		struct sock *sk = haul_sock_sk(hs);

		list_del_init(&hs->batch_node);
		bh_lock_sock(sk);
		hs->batch_listed = false;
		if (!sock_owned_by_user(sk))
			haul_batch_end(sk);
		bh_unlock_sock(sk);
		sock_put(sk);
	}
}

/* ---------------------------------------------------------------- writers */

/**
 * haul_batch_throttle - is enough of this socket's on its way through qdisc and device?
 * @sk:		the socket; its lock is held
 * @skb:	what would be next
 *
 * If so, the socket is told when a packet has been freed. What nothing precedes always goes: whom
 * else should it wait for? As TCP's small queues; there, too, it is a millisecond's worth at the
 * present rate, but two packets at least.
 */
bool haul_batch_throttle(struct sock *sk, const struct sk_buff *skb)
{
	struct haul_sock *hs = haul_sk(sk);
	u32 limit = 2 * skb->truesize;
	u64 rate;

	if (likely(refcount_read(&sk->sk_wmem_alloc) <= limit) || !haul_rtx_head(sk))
		return false;
	rate = haul_paced(sk) ? READ_ONCE(sk->sk_pacing_rate) : haul_sender_pacing_rate(&hs->snd);
	limit = max_t(u32, min_t(u64, rate >> HAUL_PACE_SHIFT, HAUL_DEVICE_MAX), limit);
	if (refcount_read(&sk->sk_wmem_alloc) <= limit)
		return false;
	set_bit(HAUL_WRITE_THROTTLED, &sk->sk_tsq_flags);
	smp_mb__after_atomic();		/* pairs with who frees a packet and looks at the bit */
	return refcount_read(&sk->sk_wmem_alloc) > limit;
}

/*
 * Of what @skb was charged with one byte stays, as a reference. True: it went to the list. Any
 * context.
 */
static bool haul_batch_want_write(struct sock *sk)
{
	struct haul_sock *hs = haul_sk(sk);
	struct haul_batch *batch;
	unsigned long flags;

	if (!test_bit(HAUL_WRITE_THROTTLED, &sk->sk_tsq_flags) ||
	    !test_and_clear_bit(HAUL_WRITE_THROTTLED, &sk->sk_tsq_flags) ||
	    test_and_set_bit(HAUL_WRITE_LISTED, &sk->sk_tsq_flags))
		return false;
	local_irq_save(flags);
	batch = this_cpu_ptr(&haul_batches);
	list_add_tail(&hs->write_node, &batch->writers);
	tasklet_schedule(&batch->tasklet);
	local_irq_restore(flags);
	return true;
}

/**
 * haul_wfree - skb->destructor of a socket's packets
 * @skb:	the packet, freed or received on this host
 *
 * Any context.
 */
void haul_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	WARN_ON_ONCE(refcount_sub_and_test(skb->truesize - 1, &sk->sk_wmem_alloc));
	smp_mb__after_atomic();		/* pairs with haul_batch_throttle() */
	if (!haul_batch_want_write(sk))
		sk_free(sk);
}

/**
 * haul_set_owner_w - charge a packet that leaves to its socket
 * @skb:	the packet, charged to nobody
 * @sk:		the socket
 *
 * Any context in which the socket can't go away.
 */
void haul_set_owner_w(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = haul_wfree;
	refcount_add(skb->truesize, &sk->sk_wmem_alloc);
}

static void haul_batch_write(struct list_head *socks)
{
	struct haul_sock *hs, *next;

	list_for_each_entry_safe(hs, next, socks, write_node) {
		struct sock *sk = haul_sock_sk(hs);

		list_del_init(&hs->write_node);
		smp_mb__before_atomic();	/* who sees the bit cleared may list it again */
		clear_bit(HAUL_WRITE_LISTED, &sk->sk_tsq_flags);
		bh_lock_sock(sk);
		if (sock_owned_by_user(sk))
			haul_defer(sk, HAUL_DEFER_WRITE);
		else
			haul_output_resume(sk);
		bh_unlock_sock(sk);
		sk_free(sk);
	}
}

/* ---------------------------------------------------------------- the end of a run */

static void haul_batch_run(struct tasklet_struct *t)
{
	struct haul_batch *batch = from_tasklet(batch, t, tasklet);
	LIST_HEAD(readers);
	LIST_HEAD(writers);

	/* who is added from here on is for another run */
	list_splice_init(&batch->readers, &readers);
	local_irq_disable();
	list_splice_init(&batch->writers, &writers);
	local_irq_enable();
	haul_batch_read(&readers);
	haul_batch_write(&writers);
}

/**
 * haul_batch_init - the processors' lists
 *
 * Return: 0.
 */
int haul_batch_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct haul_batch *batch = per_cpu_ptr(&haul_batches, cpu);

		INIT_LIST_HEAD(&batch->readers);
		INIT_LIST_HEAD(&batch->held);
		spin_lock_init(&batch->lock);
		hrtimer_setup(&batch->timer, haul_batch_hold_fire, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_SOFT);
		INIT_LIST_HEAD(&batch->writers);
		tasklet_setup(&batch->tasklet, haul_batch_run);
	}
	return 0;
}

/**
 * haul_batch_exit - waits for those that run
 *
 * No socket exists any more. May sleep.
 */
void haul_batch_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		hrtimer_cancel(&per_cpu_ptr(&haul_batches, cpu)->timer);
		tasklet_kill(&per_cpu_ptr(&haul_batches, cpu)->tasklet);
	}
}
