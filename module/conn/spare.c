// SPDX-License-Identifier: GPL-2.0
/*
 * Small packets' buffers, used again. Of what a byte costs that is sent by itself, a twelfth went
 * into the slabs: a buffer with room for a clone and its head, taken, zeroed (init_on_alloc) and
 * given back for each. So a buffer that was acknowledged and has no pages is kept for the next.
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
/* bytes of linear room: larger ones are for few */
#define HAUL_SPARE_MAX		1024U

/**
 * struct haul_spares - what a processor keeps
 * @slot:	a buffer or NULL. Whoever takes or puts one does so by one atomic operation: no
 *		lock, whatever the context, and the work may run elsewhere
 * @top:	where the latest was put, as far as is known: wrong, it costs a slab's buffer
 * @used:	since @work last looked
 * @work:	gives all of it back
 */
struct haul_spares {
	struct sk_buff		*slot[HAUL_SPARES];
	unsigned int		top;
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

/* Nothing but a head, which nobody shares any more, nor is there a clone of it? */
static bool haul_spare_fits(struct sk_buff *skb)
{
	struct sk_buff_fclones *fclones = container_of(skb, struct sk_buff_fclones, skb1);
	unsigned int size = skb_end_offset(skb);

	if (skb->fclone != SKB_FCLONE_ORIG || refcount_read(&fclones->fclone_ref) != 1)
		return false;
	/* all that the clone's last owner did comes before what is done with it here */
	smp_acquire__after_ctrl_dep();
	return !skb_cloned(skb) && !skb_is_nonlinear(skb) && !skb_zcopy(skb) && !skb->pfmemalloc &&
	       !skb->head_frag && size >= HAUL_MAX_HEADER && size <= HAUL_SPARE_MAX;
}

/* As it was when it was new; what haul_output_alloc() sets is left to that. */
static void haul_spare_reset(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	memset(shinfo, 0, offsetof(struct skb_shared_info, dataref));
	atomic_set(&shinfo->dataref, 1);
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
	skb->cloned = 0;
	skb->nohdr = 0;
	skb->len = 0;
	skb->data = skb->head;
	skb_reset_tail_pointer(skb);
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
	if (!READ_ONCE(spares->used))
		WRITE_ONCE(spares->used, true);
	if (unlikely(!delayed_work_pending(&spares->work)))
		schedule_delayed_work(&spares->work, HZ);
	return true;
}

static void haul_spare_release(struct haul_spares *spares)
{
	unsigned int i;

	for (i = 0; i < HAUL_SPARES; i++)
		consume_skb(xchg(&spares->slot[i], NULL));
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
