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
};

static inline void *hold(void *arg)
{
	struct holder *h = arg;

	send(h->fd, h->page, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return NULL;
}

/* from here on the socket's lock is held. False: this kernel has no userfaultfd */
static inline bool hold_lock(struct holder *h, int fd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct pollfd pfd;

	h->fd = fd;
	h->size = sysconf(_SC_PAGESIZE);
	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (h->uffd < 0)
		return false;
	h->page = mmap(NULL, h->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)h->page;
	reg.range.len = h->size;
	if (h->page == MAP_FAILED || ioctl(h->uffd, UFFDIO_API, &api) ||
	    ioctl(h->uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	pthread_create(&h->thread, NULL, hold, h);
	pfd = (struct pollfd){ .fd = h->uffd, .events = POLLIN };
	if (poll(&pfd, 1, 10000) != 1)
		die("send() does not wait");
	return true;
}

static inline void let_go(struct holder *h)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (unsigned long)h->page, .len = h->size },
	};

	if (ioctl(h->uffd, UFFDIO_ZEROPAGE, &zero))
		die("UFFDIO_ZEROPAGE");
	pthread_join(h->thread, NULL);
	munmap(h->page, h->size);
	close(h->uffd);
}

static inline void *hold_asking(void *arg)
{
	struct holder *h = arg;
	char headers[256];

	getsockopt(h->fd, SOL_HAUL, HAUL_SAVED_SYN, headers, h->page);
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

/*
 * The same in a state in which send() would not get so far: HAUL_SAVED_SYN's answer writes its
 * length under the lock. False: this kernel's userfaultfd can't protect from writing
 */
static inline bool hold_lock_asking(struct holder *h, int fd)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_WP };
	struct pollfd pfd;

	h->fd = fd;
	h->size = sysconf(_SC_PAGESIZE);
	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (h->uffd < 0 || ioctl(h->uffd, UFFDIO_API, &api))
		return false;
	h->page = mmap(NULL, h->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->page == MAP_FAILED)
		die("mmap");
	*(socklen_t *)h->page = 256;
	reg.range.start = (unsigned long)h->page;
	reg.range.len = h->size;
	if (ioctl(h->uffd, UFFDIO_REGISTER, &reg) || !hold_write_protect(h, true))
		return false;
	pthread_create(&h->thread, NULL, hold_asking, h);
	pfd = (struct pollfd){ .fd = h->uffd, .events = POLLIN };
	if (poll(&pfd, 1, 10000) != 1)
		die("getsockopt() does not wait");
	return true;
}

static inline void let_go_asking(struct holder *h)
{
	if (!hold_write_protect(h, false))
		die("UFFDIO_WRITEPROTECT");
	pthread_join(h->thread, NULL);
	munmap(h->page, h->size);
	close(h->uffd);
}

#endif /* HAUL_HOLD_H */
