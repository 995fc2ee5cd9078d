// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram socket's receive queue. What is in it counts against SO_RCVBUF and net.haul.mem; the
 * queue's own lock guards the account, since nobody takes the socket lock to receive.
 */
#include <linux/skbuff.h>
#include <net/sock.h>

#include "dgram.h"

/* the packet has been read, or thrown away: its memory is free again */
static void haul_dgram_rfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	unsigned long flags;

	spin_lock_irqsave(&sk->sk_receive_queue.lock, flags);
	sock_rfree(skb);
	spin_unlock_irqrestore(&sk->sk_receive_queue.lock, flags);
}

/* as skb_set_owner_r(); the queue's lock */
static bool haul_dgram_charge(struct sock *sk, struct sk_buff *skb)
{
	if (!sk_rmem_schedule(sk, skb, skb->truesize))
		return false;
	skb->sk = sk;
	skb->destructor = haul_dgram_rfree;
	atomic_add(skb->truesize, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, skb->truesize);
	return true;
}

/**
 * haul_dgram_enqueue - a datagram for the program
 * @sk:		the socket
 * @skb:	orphaned; data at the payload, transport header at Haul's
 *
 * The last datagram may go over the buffer's edge, as UDP's may: one that is larger than the buffer
 * can be received. Context: softirq, RCU.
 * Return: the counter of the reason why not, HAUL_NUM_COUNTERS: it is in the queue
 */
enum haul_counter haul_dgram_enqueue(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	enum haul_counter why = HAUL_NUM_COUNTERS;
	unsigned long flags;

	if (atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf)) {
		haul_sk_dropped(sk, skb);
		return HAUL_CNT_DROP_RCVBUF;
	}
	skb->dev = NULL;
	spin_lock_irqsave(&queue->lock, flags);
	if (haul_dgram_charge(sk, skb)) {
		sock_skb_set_dropcount(sk, skb);
		__skb_queue_tail(queue, skb);
	} else {
		why = HAUL_CNT_DROP_MEMORY;
		haul_sk_dropped(sk, skb);
	}
	spin_unlock_irqrestore(&queue->lock, flags);

	if (why == HAUL_NUM_COUNTERS && !sock_flag(sk, SOCK_DEAD))
		sk->sk_data_ready(sk);
	return why;
}
