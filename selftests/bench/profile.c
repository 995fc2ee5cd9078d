// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's TCG that counts the guest's instructions by address, between two marks that
 * the guest executes (profile_begin() and profile_end() in work.c). `scripts/bench --profile`
 * loads it and turns addresses into symbols.
 *
 *	-plugin profile.so,out=FILE
 *
 * FILE gets, for each pair of marks, a line "begin" and then "ADDRESS INSTRUCTIONS RUNS" for each
 * translated block that ran. A block is straight code, so it lies in one function. For a machine
 * with one processor: the counters have no lock.
 *
 * Debian's QEMU has plugins but no header for them; what is used of version 1 of the interface is
 * declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

enum { QEMU_PLUGIN_CB_NO_REGS };
enum { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void tb_trans_cb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void udata_cb(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb *cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter,
					      uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, udata_cb *cb, int flags,
					    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

/* Runs of one block; the same code may be translated more than once, and adds up here. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t insns;
	uint64_t runs;
};

#define BUCKETS (1 << 16)

static struct block *blocks[BUCKETS];
static FILE *out;

static struct block *block_get(uint64_t address, uint64_t insns)
{
	struct block **bucket = &blocks[(address * 0x9e3779b97f4a7c15ULL) >> 48], *b;

	for (b = *bucket; b; b = b->next)
		if (b->address == address && b->insns == insns)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->address = address;
	b->insns = insns;
	b->next = *bucket;
	*bucket = b;
	return b;
}

static void on_begin(unsigned int vcpu, void *data)
{
	struct block *b;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			b->runs = 0;
}

static void on_end(unsigned int vcpu, void *data)
{
	struct block *b;
	size_t i;

	fprintf(out, "begin\n");
	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			if (b->runs)
				fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", b->address,
					b->insns * b->runs, b->runs);
	fflush(out);
}

/* nopl 0x5a5000NN(%rax,%rax,1), NN 1 or 2 */
static void on_insn(struct qemu_plugin_insn *insn)
{
	static const uint8_t mark[] = { 0x0f, 0x1f, 0x84, 0x00 };
	const uint8_t *code = qemu_plugin_insn_data(insn);
	uint32_t number;

	if (qemu_plugin_insn_size(insn) != 8 || memcmp(code, mark, sizeof(mark)))
		return;
	memcpy(&number, code + sizeof(mark), sizeof(number));
	if (number == 0x5a500001)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
	if (number == 0x5a500002)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t insns = qemu_plugin_tb_n_insns(tb), i;
	struct block *b = block_get(qemu_plugin_tb_vaddr(tb), insns);

	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->runs, 1);
	for (i = 0; i < insns; i++)
		on_insn(qemu_plugin_tb_get_insn(tb, i));
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
			       char **argv)
{
	if (argc == 1 && !strncmp(argv[0], "out=", 4))
		out = fopen(argv[0] + 4, "w");
	if (!out) {
		fprintf(stderr, "profile: out=FILE is needed\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
