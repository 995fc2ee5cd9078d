// SPDX-License-Identifier: GPL-2.0
/*
 * haulrun --bpf: sockets are made Haul's inside the kernel, by a BPF program at
 * update_socket_protocol(), which the kernel calls for each socket() (since 6.6) so that it may be
 * changed. Nothing is preloaded: static programs, Go's and those that gain privileges are reached,
 * too. It is for whoever is in a control group of our own, so children inherit it; a process in the
 * background keeps it alive until the last of them is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/btf.h>

#include "haulrun.h"

#define KERNEL_TYPES	"/sys/kernel/btf/vmlinux"
#define HOOKED		"update_socket_protocol"
#define SOCK_TYPE_MASK	0xf	/* the kernel's: what is above are SOCK_CLOEXEC and its like */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* ---------------------------------------------------------------- the kernel's types */

/* bytes behind a struct btf_type */
static size_t type_more(const struct btf_type *t)
{
	unsigned int num = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return num * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return num * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return num * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return num * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return num * sizeof(struct btf_enum64);
	default:
		return 0;
	}
}

/* the whole file; NULL: it is not there */
static char *file_read(const char *name, size_t *len)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	data = malloc(st.st_size + 1);
	for (*len = 0; data && *len < (size_t)st.st_size; *len += n) {
		n = read(fd, data + *len, st.st_size - *len);
		if (n <= 0)
			break;
	}
	close(fd);
	return data;
}

/* the number of a function's type, 0: the kernel has no such function */
static uint32_t function_type(const char *name)
{
	size_t len, at, end;
	char *data = file_read(KERNEL_TYPES, &len);
	const struct btf_header *head = (void *)data;
	uint32_t id = 1, found = 0;
	const char *strings;

	if (!data || len < sizeof(*head) || head->magic != BTF_MAGIC)
		return 0;
	at = head->hdr_len + head->type_off;
	end = at + head->type_len;
	strings = data + head->hdr_len + head->str_off;
	for (; at + sizeof(struct btf_type) <= end && end <= len && !found; id++) {
		const struct btf_type *t = (void *)(data + at);

		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC &&
		    !strcmp(strings + t->name_off, name))
			found = id;
		at += sizeof(*t) + type_more(t);
	}
	free(data);
	return found;
}

/* ---------------------------------------------------------------- the program */

#define INSN(c, dst, src, o, i)								\
	((struct bpf_insn){ .code = (c), .dst_reg = (dst), .src_reg = (src), .off = (o),	\
			    .imm = (i) })
/* goes on @off instructions later if the lower half of @reg is, or is not, @value */
#define IF_EQUAL(reg, value, off)	INSN(BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, off, value)
#define IF_NOT(reg, value, off)		INSN(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, off, value)
#define ARGUMENT(reg, number) \
	INSN(BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_1, 8 * (number), 0)
#define MOVE(reg, value)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define RETURN		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Attaches it to the kernel: returns what holds it there, or -1. @group: an array of one cgroup */
static int program_attach(int group, int protocol, bool dgram)
{
	const struct bpf_insn insns[] = {
		ARGUMENT(BPF_REG_6, 0),				/* family */
		ARGUMENT(BPF_REG_7, 1),				/* type */
		ARGUMENT(BPF_REG_8, 2),				/* protocol */
		IF_EQUAL(BPF_REG_6, AF_INET, 1),
		IF_NOT(BPF_REG_6, AF_INET6, 14),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_7, 0, 0, SOCK_TYPE_MASK),
		MOVE(BPF_REG_9, IPPROTO_TCP),
		IF_EQUAL(BPF_REG_7, SOCK_STREAM, 2),
		MOVE(BPF_REG_9, IPPROTO_UDP),
		IF_NOT(BPF_REG_7, dgram ? SOCK_DGRAM : SOCK_STREAM, 9),
		IF_EQUAL(BPF_REG_8, 0, 1),
		INSN(BPF_JMP32 | BPF_JNE | BPF_X, BPF_REG_8, BPF_REG_9, 7, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, group),
		INSN(0, 0, 0, 0, 0),				/* its upper half */
		MOVE(BPF_REG_2, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_current_task_under_cgroup),
		IF_NOT(BPF_REG_0, 1, 2),
		MOVE(BPF_REG_0, protocol),
		RETURN,
		MOVE(BPF_REG_0, 0),				/* as the program said */
		RETURN,
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = BPF_MODIFY_RETURN,
		.insn_cnt = sizeof(insns) / sizeof(*insns),
		.insns = (uintptr_t)insns,
		.license = (uintptr_t)"GPL",
		.attach_btf_id = function_type(HOOKED),
		.prog_name = "haulrun",
	};
	union bpf_attr attach = {};
	int fd;

	if (!load.attach_btf_id) {
		errno = EOPNOTSUPP;
		return -1;
	}
	fd = bpf(BPF_PROG_LOAD, &load);
	if (fd < 0)
		return -1;
	attach.raw_tracepoint.prog_fd = fd;
	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attach);
}

/* ---------------------------------------------------------------- the control group */

/* where we are in the hierarchy of version 2, relative to its root; or NULL */
static char *group_path(void)
{
	static char line[4096];
	FILE *file = fopen("/proc/self/cgroup", "re");
	char *path = NULL;

	while (file && !path && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::/", 4))
			path = line + 4;
	if (file)
		fclose(file);
	if (path)
		path[strcspn(path, "\n")] = 0;
	return path;
}

/* The hierarchy, wherever it is mounted, or not at all ("ip netns exec" hides it). */
static int group_root(void)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC), root;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return root;
}

static bool group_is_empty(int events)
{
	char text[256] = {};

	return pread(events, text, sizeof(text) - 1, 0) <= 0 || strstr(text, "populated 0");
}

/* Keeps what it has inherited until the last one has left the group. */
static void group_watch(int parent, const char *name, int group)
{
	struct pollfd pfd = { .events = POLLPRI };
	int null = open("/dev/null", O_RDWR), fd;

	setsid();
	for (fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (chdir("/"))
		_exit(1);
	pfd.fd = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
	while (pfd.fd >= 0 && !group_is_empty(pfd.fd))
		poll(&pfd, 1, -1);
	unlinkat(parent, name, AT_REMOVEDIR);
	_exit(0);
}

static int group_enter(int group)
{
	int fd = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	int rc = fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -1;

	close(fd);
	return rc;
}

/*
 * Into a group of our own; another process stays outside and watches. It is nobody's child, for
 * the program does not expect one.
 */
static int group_leave_watched(int parent, const char *name, int group)
{
	pid_t pid, watcher;
	int status, back;

	if (group_enter(group))
		return -1;
	pid = fork();
	if (!pid) {
		back = openat(parent, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		watcher = back < 0 || write(back, "0", 1) != 1 ? -1 : fork();
		if (!watcher)
			group_watch(parent, name, group);
		_exit(watcher < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	errno = ECHILD;		/* without a watcher the BPF program would be gone with us */
	return status ? -1 : 0;
}

static int group_array(int group)
{
	union bpf_attr make = {
		.map_type = BPF_MAP_TYPE_CGROUP_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint32_t),
		.max_entries = 1,
	};
	uint32_t key = 0, value = group;
	union bpf_attr put = { .key = (uintptr_t)&key, .value = (uintptr_t)&value };
	int fd = bpf(BPF_MAP_CREATE, &make);

	put.map_fd = fd;
	return fd < 0 || bpf(BPF_MAP_UPDATE_ELEM, &put) ? -1 : fd;
}

/**
 * bpf_run - has the kernel make Haul's sockets for this process and its children
 * @protocol:	Haul's
 * @dgram:	datagrams, too
 *
 * Return: NULL, or what it failed at, with errno; EOPNOTSUPP: the kernel is too old
 */
const char *bpf_run(int protocol, bool dgram)
{
	int root = group_root(), parent, group, array;
	char name[32], *path = group_path();

	parent = root >= 0 && path ? openat(root, *path ? path : ".", O_DIRECTORY | O_CLOEXEC) : -1;
	if (parent < 0)
		return "control groups of version 2";
	snprintf(name, sizeof(name), "haulrun-%d", (int)getpid());
	if (mkdirat(parent, name, 0755))
		return "a control group";
	group = openat(parent, name, O_DIRECTORY | O_CLOEXEC);
	array = group_array(group);
	if (array < 0 || program_attach(array, protocol, dgram) < 0) {
		int saved = errno;

		unlinkat(parent, name, AT_REMOVEDIR);
		errno = saved;
		return array < 0 ? "a BPF map" : "a BPF program at " HOOKED "()";
	}
	return group_leave_watched(parent, name, group) ? "entering a control group" : NULL;
}
