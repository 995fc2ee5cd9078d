// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets what comes to a port: sockets that share it, by the kernel's choice or a BPF program's;
 * and who does not get the port, because a cgroup's program says so.
 */
#include "hosts.h"
#include <linux/bpf.h>
#include <linux/filter.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "kselftest_harness.h"

HOSTS_FIXTURE(sharing);

#define GROUP 4

static void group_up(int *group, int family)
{
	int i;

	for (i = 0; i < GROUP; i++) {
		group[i] = stream(far_host, family);
		option(group[i], SOL_SOCKET, SO_REUSEPORT, 1);
		if (bind_to(group[i], far_address(family), PORT) || listen(group[i], 200))
			die("listener %d of the group", i);
	}
}

/* connects @times; how many each of the group was given, all taken and closed */
static void group_share(int *group, int family, int times, int *share)
{
	int i, n, fd;

	memset(share, 0, GROUP * sizeof(*share));
	for (n = 0; n < times; n++) {
		fd = stream(near_host, family);
		if (connect_to(fd, far_address(family), PORT))
			die("connect to the group");
		for (i = 0; i < GROUP && !poll_for(group[i], POLLIN, 0); i++)
			;
		if (i == GROUP) {
			/* its child is a moment behind the client */
			for (i = 0; !poll_for(group[i], POLLIN, 1); i = (i + 1) % GROUP)
				;
		}
		share[i]++;
		close(accepted(group[i]));
		close(fd);
	}
}

TEST_F(sharing, reuseport_shares)
{
	int group[GROUP], share[GROUP], i;

	group_up(group, variant->family);
	group_share(group, variant->family, 200, share);
	/* a binomial's 200 tries of 1/4: outside 20 to 80 once in 10^8 */
	for (i = 0; i < GROUP; i++) {
		EXPECT_LE(20, share[i]);
		EXPECT_GE(80, share[i]);
		close(group[i]);
	}
}

TEST_F(sharing, reuseport_by_classic_bpf)
{
	struct sock_filter third[] = { BPF_STMT(BPF_RET | BPF_K, 2) };
	struct sock_fprog prog = { 1, third };
	int group[GROUP], share[GROUP], i;

	group_up(group, variant->family);
	ASSERT_EQ(0, setsockopt(group[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
				sizeof(prog)));
	group_share(group, variant->family, 20, share);
	EXPECT_EQ(20, share[2]);
	for (i = 0; i < GROUP; i++)
		close(group[i]);
}

TEST_F(sharing, reuseport_by_extended_bpf)
{
	struct bpf_insn second[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2,
				.insns = (uintptr_t)second, .license = (uintptr_t)"GPL" };
	int group[GROUP], share[GROUP], i, prog;

	prog = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0)
		SKIP(return, "no bpf()");
	group_up(group, variant->family);
	ASSERT_EQ(0, setsockopt(group[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &prog,
				sizeof(prog)));
	group_share(group, variant->family, 20, share);
	EXPECT_EQ(20, share[1]);
	ASSERT_EQ(0, setsockopt(group[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &prog,
				sizeof(prog)));
	group_share(group, variant->family, 100, share);
	EXPECT_GT(100, share[1]);
	close(prog);
	for (i = 0; i < GROUP; i++)
		close(group[i]);
}

/* a listener on the address that is asked for is better than one on any, whoever was first */
TEST_F(sharing, address_before_any)
{
	const char *const text[] = { variant->family == AF_INET ? "0.0.0.0" : "::",
				     far_address(variant->family) };
	int first, i, n, fd, pair[2];

	for (first = 0; first < 2; first++) {
		for (i = 0; i < 2; i++) {
			pair[i] = stream(far_host, variant->family);
			option(pair[i], SOL_SOCKET, SO_REUSEPORT, 1);
			ASSERT_EQ(0, bind_to(pair[i], text[i], PORT));
		}
		ASSERT_EQ(0, listen(pair[first], 20));
		ASSERT_EQ(0, listen(pair[!first], 20));
		for (n = 0; n < 20; n++) {
			fd = stream(near_host, variant->family);
			ASSERT_EQ(0, connect_to(fd, far_address(variant->family), PORT));
			close(accepted(pair[1]));
			close(fd);
		}
		EXPECT_EQ(0, poll_for(pair[0], POLLIN, 0));
		close(pair[0]);
		close(pair[1]);
	}
}

/* a cgroup whose members' bind() fails, by a program that is asked last; -1: no bpf(), no cgroup */
static int cgroup_without_bind(int family)
{
	struct bpf_insn refuse[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int type = family == AF_INET ? BPF_CGROUP_INET4_POST_BIND : BPF_CGROUP_INET6_POST_BIND;
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_SOCK, .insn_cnt = 2,
				.insns = (uintptr_t)refuse, .license = (uintptr_t)"GPL",
				.expected_attach_type = type };
	union bpf_attr attach = { .attach_type = type };
	char dir[] = "/tmp/haul_XXXXXX", member[64];

	if (!mkdtemp(dir) || mount("none", dir, "cgroup2", 0, NULL))
		return -1;
	snprintf(member, sizeof(member), "%s/%s", dir, strrchr(dir, '_'));
	attach.attach_bpf_fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	mkdir(member, 0700);
	attach.target_fd = open(member, O_RDONLY | O_DIRECTORY);
	umount2(dir, MNT_DETACH);
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)))
		return -1;
	return attach.target_fd;
}

/* what bind() may not have, another gets */
TEST_F(sharing, bind_refused_by_bpf)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	const char *any = variant->family == AF_INET ? "0.0.0.0" : "::";
	int others[3], refused[3], cgroup = cgroup_without_bind(variant->family), procs, i;

	if (cgroup < 0)
		SKIP(return, "no bpf(), or no cgroups");
	for (i = 0; i < 3; i++)
		others[i] = socket_at(near_host, variant->family, types[i]);
	procs = openat(cgroup, "cgroup.procs", O_WRONLY);
	ASSERT_EQ(1, write(procs, "0", 1));
	for (i = 0; i < 3; i++) {
		refused[i] = socket_at(near_host, variant->family, types[i]);
		EXPECT_EQ(-1, bind_to(refused[i], any, PORT));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(0, port_of(refused[i]));
		EXPECT_EQ(0, bind_to(others[i], any, PORT));
	}
	for (i = 0; i < 3; i++) {
		close(refused[i]);
		close(others[i]);
	}
	close(procs);
	close(cgroup);
}

TEST_HARNESS_MAIN
