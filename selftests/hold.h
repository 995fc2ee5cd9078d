/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket's lock, held by a call of a program's for as long as a test wants: the call waits for a
 * page that userfaultfd has not filled yet, or does not let it write to.
 */
#ifndef HAUL_HOLD_H
#define HAUL_HOLD_H

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "hosts.h"

struct holder {
	pthread_t thread;
	int uffd, fd;
	void *page;
	long size;
	bool asks;
};

static inline void *hold(void *arg)
{
	struct holder *h = arg;
	char headers[256];

	if (h->asks)
		getsockopt(h->fd, SOL_HAUL, HAUL_SAVED_SYN, headers, h->page);
	else
		send(h->fd, h->page, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return NULL;
}

static inline bool hold_write_protect(const struct holder *h, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (unsigned long)h->page, .len = h->size },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return !ioctl(h->uffd, UFFDIO_WRITEPROTECT, &wp);
}

/* the page that the call will wait for */
static inline bool hold_page(struct holder *h)
{
	struct uffdio_api api = {
		.api = UFFD_API, .features = h->asks ? UFFD_FEATURE_PAGEFAULT_FLAG_WP : 0,
	};
	struct uffdio_register reg = {
		.mode = h->asks ? UFFDIO_REGISTER_MODE_WP : UFFDIO_REGISTER_MODE_MISSING,
	};

	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (h->uffd < 0 || ioctl(h->uffd, UFFDIO_API, &api))
		return false;
	if (h->asks)
		*(socklen_t *)h->page = 256;
	reg.range.start = (unsigned long)h->page;
	reg.range.len = h->size;
	return !ioctl(h->uffd, UFFDIO_REGISTER, &reg) && (!h->asks || hold_write_protect(h, true));
}

static inline void hold_end(struct holder *h)
{
	munmap(h->page, h->size);
	if (h->uffd >= 0)
		close(h->uffd);
}

static inline bool hold_lock_by(struct holder *h, int fd, bool asks)
{
	struct pollfd pfd = { .events = POLLIN };

	h->fd = fd;
	h->asks = asks;
	h->size = sysconf(_SC_PAGESIZE);
	h->page = mmap(NULL, h->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->page == MAP_FAILED)
		die("mmap");
	if (!hold_page(h)) {
		hold_end(h);
		return false;
	}
	pthread_create(&h->thread, NULL, hold, h);
	pfd.fd = h->uffd;
	if (poll(&pfd, 1, 10000) != 1)
		die("the call does not wait");
	return true;
}

/* from here on send() holds the socket's lock. False: this kernel has no userfaultfd */
static inline bool hold_lock(struct holder *h, int fd)
{
	return hold_lock_by(h, fd, false);
}

/*
 * The same in a state in which send() would not get so far: HAUL_SAVED_SYN's answer writes its
 * length under the lock. False: this kernel's userfaultfd can't protect from writing
 */
static inline bool hold_lock_asking(struct holder *h, int fd)
{
	return hold_lock_by(h, fd, true);
}

static inline void let_go(struct holder *h)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (unsigned long)h->page, .len = h->size },
	};

	if (h->asks ? !hold_write_protect(h, false) : ioctl(h->uffd, UFFDIO_ZEROPAGE, &zero))
		die("userfaultfd");
	pthread_join(h->thread, NULL);
	hold_end(h);
}

#endif /* HAUL_HOLD_H */
