// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc and the cgroup file system know: which programs hold a socket, as far as the user may
 * see that, and a cgroup's name.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "haulss.h"

#define BUCKETS		4096		/* a power of two */
#define CGROUP_ROOT	"/sys/fs/cgroup"

/* ---------------------------------------------------------------- programs */

static struct user *users[BUCKETS];

static void read_name(int pid, char *name, size_t size)
{
	char path[64];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	len = file ? fread(name, 1, size - 1, file) : 0;
	if (file)
		fclose(file);
	/* a program may call itself anything; only the last newline is the kernel's */
	if (len && name[len - 1] == '\n')
		len--;
	name[len] = 0;
}

static void add_user(uint32_t inode, int pid, int fd, const char *name)
{
	struct user *u = calloc(1, sizeof(*u));

	if (!u)
		fail("no memory");
	u->inode = inode;
	u->pid = pid;
	u->fd = fd;
	snprintf(u->name, sizeof(u->name), "%s", name);
	u->next = users[inode & (BUCKETS - 1)];
	users[inode & (BUCKETS - 1)] = u;
}

static void read_program(int pid)
{
	char path[300], target[64], name[17] = "";
	const struct dirent *d;
	unsigned int inode;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;			/* gone, or not ours to see */
	while ((d = readdir(dir))) {
		if (!isdigit((unsigned char)*d->d_name))
			continue;
		len = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = 0;
		if (sscanf(target, "socket:[%u]", &inode) != 1)
			continue;
		if (!*name)
			read_name(pid, name, sizeof(name));
		add_user(inode, pid, atoi(d->d_name), name);
	}
	closedir(dir);
}

static void read_programs(void)
{
	DIR *dir = opendir("/proc");
	const struct dirent *d;

	if (!dir)
		return;
	while ((d = readdir(dir)))
		if (isdigit((unsigned char)*d->d_name))
			read_program(atoi(d->d_name));
	closedir(dir);
}

const struct user *proc_users(uint32_t inode, const struct user *after)
{
	static bool known;
	const struct user *u;

	if (!known)
		read_programs();
	known = true;
	if (!inode)
		return NULL;
	for (u = after ? after->next : users[inode & (BUCKETS - 1)]; u; u = u->next)
		if (u->inode == inode)
			return u;
	return NULL;
}

/* ---------------------------------------------------------------- cgroups */

static uint64_t cgroup_wanted;
static char cgroup_found[4096];

static int cgroup_visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type != FTW_D || st->st_ino != cgroup_wanted)
		return 0;
	path += strlen(CGROUP_ROOT);
	snprintf(cgroup_found, sizeof(cgroup_found), "%s", *path ? path : "/");
	return 1;
}

const char *proc_cgroup(uint64_t id)
{
	/* sockets of one program follow each other: the last answer is often the next */
	if (!id || id != cgroup_wanted) {
		cgroup_wanted = id;
		*cgroup_found = 0;
		nftw(CGROUP_ROOT, cgroup_visit, 16, FTW_PHYS | FTW_MOUNT);
	}
	return *cgroup_found ? cgroup_found : NULL;
}
