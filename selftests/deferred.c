// SPDX-License-Identifier: GPL-2.0
/*
 * What comes while a program holds the socket's lock is left for the moment when it lets go
 * (haul_sock.deferred, the backlog). Here send() holds it for as long as the test wants: it waits
 * for a page that userfaultfd has not filled yet.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "hosts.h"
#include "kselftest_harness.h"

HOSTS_FIXTURE(deferred);

struct holder {
	pthread_t thread;
	int uffd, fd;
	void *page;
	long size;
};

static void *hold(void *arg)
{
	struct holder *h = arg;

	send(h->fd, h->page, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return NULL;
}

/* from here on the socket's lock is held. False: this kernel has no userfaultfd */
static bool hold_lock(struct holder *h, int fd)
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

static void let_go(struct holder *h)
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

/* the timeout, and what else is due then, follows when the lock is free */
TEST_F(deferred, timer)
{
	struct pair p = connected(variant->family);
	struct flow f = { .from = p.client, .to = p.server };
	struct holder h;
	char c = 1;

	transfer(p.client, p.server, 1000);
	f.sent = 1000;
	f.received = 1000;
	deaf(far_host, true);
	flow_send(&f, f.sent + 10, 10);
	if (!hold_lock(&h, p.client)) {
		deaf(far_host, false);
		done(&p);
		SKIP(return, "needs userfaultfd");
	}
	pause_us(SECOND);
	EXPECT_EQ(0, counter(near_host, "Timeouts") + counter(near_host, "LossProbes"));
	deaf(far_host, false);
	let_go(&h);
	flow_run(&f, f.sent, 10, 10);
	EXPECT_LE(1, counter(near_host, "Timeouts") + counter(near_host, "LossProbes"));
	/* and the byte of the call that waited */
	ASSERT_EQ(1, recv(p.server, &c, 1, 0));
	EXPECT_EQ(0, c);
	done(&p);
}

/* the connection ends meanwhile: the socket's next one has timers all the same */
TEST_F(deferred, timer_of_a_connection_that_was_reset)
{
	struct sockaddr_in6 none = { .sin6_family = AF_UNSPEC };
	struct linger abort = { .l_onoff = 1 };
	struct pair p = connected(variant->family);
	struct holder h;

	deaf(far_host, true);
	ASSERT_EQ(10, send(p.client, "0123456789", 10, 0));
	if (!hold_lock(&h, p.client)) {
		deaf(far_host, false);
		done(&p);
		SKIP(return, "needs userfaultfd");
	}
	pause_us(SECOND);
	setsockopt(p.server, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	close(p.server);
	ASSERT_TRUE(wait_until(counter(near_host, "Backlogged") > 0));
	let_go(&h);
	EXPECT_EQ(1, counter(near_host, "InRsts"));
	EXPECT_EQ(0, connect(p.client, (void *)&none, sizeof(none)));
	nonblocking(p.client, true);
	EXPECT_EQ(-1, connect_to(p.client, far_address(variant->family), PORT));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_TRUE(wait_until(counter(near_host, "SynRetrans") > 0));
	deaf(far_host, false);
	EXPECT_TRUE(poll_for(p.client, POLLOUT, 10000) & POLLOUT);
	EXPECT_EQ(0, error_of(p.client));
	close(p.client);
	close(p.listener);
}

TEST_HARNESS_MAIN
