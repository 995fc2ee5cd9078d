// SPDX-License-Identifier: GPL-2.0
/*
 * Packets' buffers, used again. Of what a byte costs that is sent by itself, a twelfth went into
 * the slabs: a buffer with room for a clone and its head, taken, zeroed (init_on_alloc) and given
 * back for each. So a buffer that was acknowledged is kept, without its pages, for the next.
 *
 * A packet without payload is kept by no queue. It is sent as a clone, too, and what it was cloned
 * from waits here until the clone is gone.
 *
 * Only the queue's packet is used again, never the clone that went down: nobody but Haul has
 * written to it, but for what the two share, which is set anew. Only what was written to a buffer
 * is ever sent, so nobody sees what it held before. Each processor keeps a few, and gives them back
 * when it has not sent for a second or two.
 */
#include <linux/percpu.h>
#include <linux/workqueue.h>
#include "conn.h"

#define HAUL_SPARES		16U
/* as many of those without payload: an ACK for each large segment is on its way for a moment */
#define HAUL_SPARE_CONTROLS	8U
/* bytes of linear room: larger ones are for few */
#define HAUL_SPARE_MAX		1024U

/**
 * struct haul_spares - what a processor keeps
 * @slot:	a buffer or NULL. Whoever takes or puts one does so by one atomic operation: no
 *		lock, whatever the context, and the work may run elsewhere
 * @top:	where the latest was put, as far as is known: wrong, it costs a slab's buffer
 * @control:	what packets without payload are clones of, in turn; likewise
 * @turn:	whose turn it is: the one that was sent first
 * @used:	since @work last looked
 * @work:	gives all of it back
 */
struct haul_spares {
	struct sk_buff		*slot[HAUL_SPARES];
	struct sk_buff		*control[HAUL_SPARE_CONTROLS];
	unsigned int		top;
	unsigned int		turn;
	bool			used;
	struct delayed_work	work;
};

static DEFINE_PER_CPU(struct haul_spares, haul_spares);

/**
 * haul_spare_get - a buffer that was used before
 *
 * Any context. Return: as alloc_skb_fclone(HAUL_MAX_HEADER) gives it; NULL: there is none.
 */
struct sk_buff *haul_spare_get(void)
{
	struct haul_spares *spares = raw_cpu_ptr(&haul_spares);
	unsigned int top = READ_ONCE(spares->top) % HAUL_SPARES;

	if (!READ_ONCE(spares->slot[top]))
		return NULL;
	WRITE_ONCE(spares->top, top - 1);
	return xchg(&spares->slot[top], NULL);
}

/* Is nothing left of the clone, and does nobody else share the head? */
static bool haul_spare_is_idle(struct sk_buff *skb)
{
	struct sk_buff_fclones *fclones = container_of(skb, struct sk_buff_fclones, skb1);

	if (refcount_read(&fclones->fclone_ref) != 1)
		return false;
	/* all that the clone's last owner did comes before what is done with it here */
	smp_acquire__after_ctrl_dep();
	return !skb_cloned(skb);
}

static bool haul_spare_fits(struct sk_buff *skb)
{
	unsigned int size = skb_end_offset(skb);

	return skb->fclone == SKB_FCLONE_ORIG && haul_spare_is_idle(skb) &&
	       !skb_has_frag_list(skb) && !skb_zcopy(skb) && !skb->pfmemalloc &&
	       !skb->head_frag && size >= HAUL_MAX_HEADER && size <= HAUL_SPARE_MAX;
}

/* As it was when it was new; what haul_output_alloc() sets is left to that. */
static __always_inline void haul_spare_reset(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	int i;

	for (i = 0; i < shinfo->nr_frags; i++)
		skb_frag_unref(skb, i);
	memset(shinfo, 0, offsetof(struct skb_shared_info, dataref));
	atomic_set(&shinfo->dataref, 1);
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
	skb->cloned = 0;
	skb->nohdr = 0;
	skb->len = 0;
	skb->data_len = 0;
	skb->data = skb->head;
	skb_reset_tail_pointer(skb);
}

/* Something is kept here: it is to be given back one day. */
static __always_inline void haul_spare_note(struct haul_spares *spares)
{
	if (!READ_ONCE(spares->used))
		WRITE_ONCE(spares->used, true);
	if (unlikely(!delayed_work_pending(&spares->work)))
		schedule_delayed_work(&spares->work, HZ);
}

/**
 * haul_spare_put - a buffer is needed no more
 * @skb:	from haul_output_alloc(); in no queue, charged to nobody
 *
 * Any context. Return: true: it is kept; false: the caller frees it.
 */
bool haul_spare_put(struct sk_buff *skb)
{
	struct haul_spares *spares = raw_cpu_ptr(&haul_spares);
	unsigned int top = (READ_ONCE(spares->top) + 1) % HAUL_SPARES;

	/* KASAN is to see who uses it after this */
	if (IS_ENABLED(CONFIG_KASAN) || READ_ONCE(spares->slot[top]) || !haul_spare_fits(skb))
		return false;
	haul_spare_reset(skb);
	if (cmpxchg(&spares->slot[top], NULL, skb))
		return false;
	WRITE_ONCE(spares->top, top);
	haul_spare_note(spares);
	return true;
}

/* To be cloned: one that was sent before, or a new one. NULL: no memory, or its clone is out */
static struct sk_buff *haul_spare_take_control(struct sk_buff **slot, gfp_t gfp)
{
	struct sk_buff *skb = xchg(slot, NULL);

	if (!skb)
		return alloc_skb_fclone(HAUL_MAX_HEADER, gfp | __GFP_NOWARN);
	if (haul_spare_is_idle(skb)) {
		haul_spare_reset(skb);
		return skb;
	}
	if (cmpxchg(slot, NULL, skb))
		consume_skb(skb);
	return NULL;
}

/**
 * haul_spare_control - a buffer for a packet without payload
 * @gfp:	for it
 *
 * Any context. Return: HAUL_MAX_HEADER bytes of room in front, and none behind; NULL: no memory.
 */
struct sk_buff *haul_spare_control(gfp_t gfp)
{
	struct haul_spares *spares = raw_cpu_ptr(&haul_spares);
	unsigned int turn = READ_ONCE(spares->turn) % HAUL_SPARE_CONTROLS;
	struct sk_buff *skb = NULL, *clone;

	if (!IS_ENABLED(CONFIG_KASAN))
		skb = haul_spare_take_control(&spares->control[turn], gfp);
	if (!skb) {
		clone = alloc_skb(HAUL_MAX_HEADER, gfp | __GFP_NOWARN);
		if (likely(clone))
			skb_reserve(clone, HAUL_MAX_HEADER);
		return clone;
	}
	skb_reserve(skb, HAUL_MAX_HEADER);
	__skb_header_release(skb);
	clone = skb_clone(skb, gfp);
	if (unlikely(skb->pfmemalloc) || cmpxchg(&spares->control[turn], NULL, skb)) {
		consume_skb(skb);
		return clone;
	}
	WRITE_ONCE(spares->turn, turn + 1);
	haul_spare_note(spares);
	return clone;
}

static void haul_spare_release(struct haul_spares *spares)
{
	unsigned int i;

	for (i = 0; i < HAUL_SPARES; i++)
		consume_skb(xchg(&spares->slot[i], NULL));
	for (i = 0; i < HAUL_SPARE_CONTROLS; i++)
		consume_skb(xchg(&spares->control[i], NULL));
}

static void haul_spare_work(struct work_struct *work)
{
	struct haul_spares *spares = container_of(to_delayed_work(work), struct haul_spares, work);

	if (!READ_ONCE(spares->used)) {
		haul_spare_release(spares);
		return;
	}
	WRITE_ONCE(spares->used, false);
	schedule_delayed_work(&spares->work, HZ);
}

/**
 * haul_spare_init - nothing is kept yet
 *
 * Return: 0.
 */
int haul_spare_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_DELAYED_WORK(&per_cpu_ptr(&haul_spares, cpu)->work, haul_spare_work);
	return 0;
}

/**
 * haul_spare_exit - gives all back
 *
 * No socket exists any more. May sleep.
 */
void haul_spare_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct haul_spares *spares = per_cpu_ptr(&haul_spares, cpu);

		cancel_delayed_work_sync(&spares->work);
		haul_spare_release(spares);
	}
}
