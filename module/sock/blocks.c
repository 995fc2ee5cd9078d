// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that programs' bytes are copied into, used again. It comes in blocks of several pages
 * (sk_page_frag()), which the kernel may have to zero first (init_on_alloc): of what a long flow
 * costs on one host that alone is a seventh. So a block that is full is kept, and filled anew when
 * nobody else has a piece of it any more: it was acknowledged, left the device and, if it stayed on
 * this host, was read.
 *
 * Only what was written to a block is ever sent, so nobody sees what it held before. Each processor
 * keeps a megabyte at most, and gives all of it back when it has not sent for a second or two.
 */
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/sock.h>

#include "sock.h"

#define HAUL_BLOCK_SIZE		32768U	/* sk_page_frag_refill()'s, where memory is not split up */
#define HAUL_BLOCKS		32U
/* so many are looked at, in turn: the one that was kept first is most likely free */
#define HAUL_BLOCKS_LOOK	4
/* bytes: with less left a block is full, for sk_page_frag_refill() */
#define HAUL_BLOCK_REST		32U

/**
 * struct haul_blocks - what a processor keeps
 * @lock:	of all below; its work may run elsewhere
 * @work:	gives all of it back
 * @used:	since @work last looked
 * @at:		where to look next
 * @page:	first pages of blocks, each with a reference; NULL: room
 */
struct haul_blocks {
	spinlock_t		lock;		/* of all below */
	struct delayed_work	work;
	bool			used;
	unsigned int		at;
	struct page		*page[HAUL_BLOCKS];
};

static DEFINE_PER_CPU(struct haul_blocks, haul_blocks);

/* Keeps @full if there is room. Returns a block that is free, or NULL. */
static struct page *haul_blocks_swap(struct haul_blocks *blocks, struct page *full)
{
	struct page *page;
	unsigned int i;

	spin_lock(&blocks->lock);
	blocks->used = true;
	for (i = 0; i < HAUL_BLOCKS_LOOK; i++) {
		struct page **slot = &blocks->page[blocks->at];

		blocks->at = (blocks->at + 1) % HAUL_BLOCKS;
		page = *slot;
		if (page && page_ref_count(page) != 1)
			continue;
		*slot = full;
		spin_unlock(&blocks->lock);
		return page;
	}
	spin_unlock(&blocks->lock);
	put_page(full);
	return NULL;
}

/* May the block go on here? Not one of the memory that is there for emergencies. */
static bool haul_block_is_worth(const struct page_frag *frag)
{
	return frag->page && frag->size == HAUL_BLOCK_SIZE &&
	       frag->offset + HAUL_BLOCK_REST > HAUL_BLOCK_SIZE &&
	       page_ref_count(frag->page) != 1 && !page_is_pfmemalloc(frag->page) &&
	       page_to_nid(frag->page) == numa_mem_id();
}

/**
 * haul_blocks_refill - sk_page_frag_refill(), with a block used before if there is one
 * @sk:		the socket; its lock is held
 * @frag:	sk_page_frag()
 *
 * May sleep. Return: false: no memory.
 */
bool haul_blocks_refill(struct sock *sk, struct page_frag *frag)
{
	struct haul_blocks *blocks;

	if (haul_block_is_worth(frag) && !sk_under_memory_pressure(sk)) {
		blocks = raw_cpu_ptr(&haul_blocks);
		frag->page = haul_blocks_swap(blocks, frag->page);
		frag->offset = 0;
		if (frag->page)
			haul_sock_count(sk, HAUL_CNT_SND_BLOCKS_REUSED, 1);
		if (!delayed_work_pending(&blocks->work))
			schedule_delayed_work(&blocks->work, HZ);
	}
	return sk_page_frag_refill(sk, frag);
}

static void haul_blocks_release(struct haul_blocks *blocks)
{
	unsigned int i;

	for (i = 0; i < HAUL_BLOCKS; i++) {
		if (blocks->page[i])
			put_page(blocks->page[i]);
		blocks->page[i] = NULL;
	}
}

static void haul_blocks_work(struct work_struct *work)
{
	struct haul_blocks *blocks = container_of(to_delayed_work(work), struct haul_blocks, work);
	bool used;

	spin_lock(&blocks->lock);
	used = blocks->used;
	blocks->used = false;
	if (!used)
		haul_blocks_release(blocks);
	spin_unlock(&blocks->lock);
	if (used)
		schedule_delayed_work(&blocks->work, HZ);
}

/**
 * haul_blocks_init - nothing is kept yet
 *
 * Return: 0.
 */
int haul_blocks_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct haul_blocks *blocks = per_cpu_ptr(&haul_blocks, cpu);

		spin_lock_init(&blocks->lock);
		INIT_DELAYED_WORK(&blocks->work, haul_blocks_work);
	}
	return 0;
}

/**
 * haul_blocks_exit - gives all back
 *
 * No socket exists any more. May sleep.
 */
void haul_blocks_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct haul_blocks *blocks = per_cpu_ptr(&haul_blocks, cpu);

		cancel_delayed_work_sync(&blocks->work);
		haul_blocks_release(blocks);
	}
}
