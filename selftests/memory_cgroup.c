// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets' memory is counted for the cgroup of the program that opened or accepted them, as TCP's
 * is. Where there is no second version of cgroups, or none with memory, it is skipped.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include "hosts.h"
#include "kselftest_harness.h"

#define WAITING		150000		/* bytes that nobody reads */

#ifndef SO_MEMINFO
#define SO_MEMINFO	55
#endif

FIXTURE(memory_cgroup) {
	char dir[64];
	char group[96];
};

FAMILIES(memory_cgroup);

/* 0, or what keeps it from being written; a file of a cgroup's */
static int put(const char *group, const char *name, const char *text)
{
	char path[192];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* the number behind @key, or the only one; -1: there is none */
static long get(const char *group, const char *name, const char *key)
{
	char path[192], line[128];
	size_t len = strlen(key);
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	file = fopen(path, "r");
	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len))
			value = atol(line + len);
	if (file)
		fclose(file);
	return value;
}

static void enter(const char *group)
{
	errno = put(group, "cgroup.procs", "0");
	if (errno)
		die("entering %s", group);
}

FIXTURE_SETUP(memory_cgroup)
{
	strcpy(self->dir, "/tmp/haul-cgroup-XXXXXX");
	hosts_up();
	if (!mkdtemp(self->dir) || mount("none", self->dir, "cgroup2", 0, NULL))
		SKIP(return, "needs cgroup2");
	snprintf(self->group, sizeof(self->group), "%s/test-%d", self->dir, getpid());
	if (put(self->dir, "cgroup.subtree_control", "+memory") || mkdir(self->group, 0700))
		SKIP(return, "needs the memory controller");
}

FIXTURE_TEARDOWN(memory_cgroup)
{
	if (!put(self->dir, "cgroup.procs", "0"))
		rmdir(self->group);
	umount(self->dir);
	rmdir(self->dir);
}

static long counted(const char *group)
{
	return get(group, "memory.stat", "sock ");
}

/* of memory, for what waits to be read */
static long waiting(int fd)
{
	uint32_t values[16] = {};
	socklen_t len = sizeof(values);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &len))
		die("SO_MEMINFO");
	return values[0];
}

/* as much as goes in, up to @end bytes of the flow */
static void stuff(struct flow *f, uint64_t end)
{
	while (flow_send(f, end, 65536))
		;
}

/* what came before accept(), and after it; and it is given back */
TEST_F(memory_cgroup, accepted_connections_are_counted)
{
	int listener = listening(variant->family);
	struct flow f = { .from = stream(near_host, variant->family) };
	long before;

	ASSERT_EQ(0, connect_to(f.from, far_address(variant->family), PORT));
	stuff(&f, WAITING / 2);
	ASSERT_LT(0, f.sent);
	ASSERT_TRUE(poll_for(listener, POLLIN, 10000));
	ASSERT_TRUE(wait_until(!info_of(f.from).unacked));
	EXPECT_EQ(0, counted(self->group));
	enter(self->group);
	f.to = accepted(listener);
	before = waiting(f.to);
	EXPECT_LT(0, before);
	/* newer kernels add up what processors have counted every other second */
	EXPECT_TRUE(wait_until(counted(self->group) >= before));
	stuff(&f, f.sent + WAITING / 2);
	ASSERT_TRUE(wait_until(waiting(f.to) > before));
	EXPECT_TRUE(wait_until(counted(self->group) >= waiting(f.to)));
	flow_run(&f, f.sent, 65536, 65536);
	close(f.to);
	close(f.from);
	close(listener);
	EXPECT_TRUE(wait_until(!counted(self->group)));
}

/* ... as are those that a program opens */
TEST_F(memory_cgroup, opened_sockets_are_counted)
{
	int listener = listening(variant->family);
	struct flow f = {};

	enter(self->group);
	f.from = stream(near_host, variant->family);
	ASSERT_EQ(0, put(self->dir, "cgroup.procs", "0"));
	ASSERT_EQ(0, connect_to(f.from, far_address(variant->family), PORT));
	f.to = accepted(listener);
	deaf(far_host, true);
	stuff(&f, WAITING);
	EXPECT_TRUE(wait_until(counted(self->group) >= (long)f.sent));
	deaf(far_host, false);
	flow_run(&f, f.sent, 65536, 65536);
	close(f.to);
	close(f.from);
	close(listener);
	EXPECT_TRUE(wait_until(!counted(self->group)));
}

TEST_HARNESS_MAIN
