/* SPDX-License-Identifier: GPL-2.0 */
/*
 * haulss: what its files share. main.c reads the command line, request.c asks the kernel, filter.c
 * decides who is shown, print.c and json.c show, proc.c knows programs, names.c addresses.
 */
#ifndef HAULSS_H
#define HAULSS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <linux/haul_diag.h>
#include <linux/sock_diag.h>

/* One socket, as the kernel told it */
struct entry {
	struct haul_diag_msg msg;
	struct haul_info info;
	uint32_t mem[SK_MEMINFO_VARS];
	char congestion[HAUL_CC_NAME_MAX];
	uint64_t cgroup;
	uint32_t mark;
	uint8_t tos;
	uint8_t tclass;
	/* which of them came */
	bool has_info;
	bool has_mem;
	bool has_cgroup;
	bool has_mark;
	bool has_tclass;
};

/* What the command line asks for */
struct options {
	bool numeric;			/* -n */
	bool resolve;			/* -r */
	bool extended;			/* -e */
	bool memory;			/* -m */
	bool info;			/* -i */
	bool timers;			/* -o */
	bool processes;			/* -p */
	bool summary;			/* -s */
	bool no_header;			/* -H */
	bool oneline;			/* -O */
	bool kill;			/* -K */
	bool events;			/* -E */
	bool json;			/* --json */
	uint32_t kinds;			/* 1 << kind; 0: all */
	uint8_t net;			/* AF_INET, AF_INET6; 0: both */
	uint32_t states;		/* 1 << HAUL_ESTABLISHED ... */
};

extern struct options opt;

__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

/* --- request.c: the kernel; all that goes wrong ends the program --- */
typedef void (*entry_fn)(const struct entry *e, void *arg);

/* all sockets of @states: @fn is called for each */
void request_dump(uint32_t states, uint32_t show, entry_fn fn, void *arg);
/* 0, or the errno that it could not be closed for */
int request_destroy(const struct entry *e);
/* sockets as they are destroyed, for ever */
void request_follow(entry_fn fn, void *arg);

/* --- filter.c --- */
/*
 * Reads "state S", "exclude S" and an expression from the words of the command line. Sets
 * opt.states
 */
void filter_parse(int argc, char **argv);
bool filter_matches(const struct entry *e);

/* --- names.c --- */
const char *state_name(unsigned int state);
/* 1 << state for a name of ss's or RFC 9293's or a group; 0: unknown */
uint32_t state_bits(const char *name);
const char *kind_name(unsigned int kind);
const char *timer_name(unsigned int timer);
/* text of one end: address with its device, and port. @numeric: whatever the options say */
void name_address(const struct entry *e, bool peer, bool numeric, char *text, size_t size);
void name_port(const struct entry *e, bool peer, bool numeric, char *text, size_t size);

/* --- print.c --- */
void print_all(const struct entry *entries, size_t num);
void print_one(const struct entry *e);
void print_summary(const struct entry *entries, size_t num);

/* --- info.c: struct haul_info, as text and as JSON --- */
void info_print(const struct entry *e);
void info_json(const struct haul_info *info);

/* --- json.c --- */
void json_all(const struct entry *entries, size_t num);
void json_one(const struct entry *e);
void json_summary(const struct entry *entries, size_t num);
/* a string with its quotes */
void json_string(const char *text);

/* --- proc.c --- */
struct user {
	struct user *next;
	uint32_t inode;
	int pid;
	int fd;
	char name[17];
};

/* the next program that holds a socket, as far as /proc shows them; @after: the last, or NULL */
const struct user *proc_users(uint32_t inode, const struct user *after);
/* path below the root of the cgroups, or NULL */
const char *proc_cgroup(uint64_t id);

/* what print_summary() and json_summary() count */
struct summary {
	unsigned int total;
	unsigned int estab;
	unsigned int closing;
	unsigned int orphaned;
	unsigned int timewait;
	unsigned int half_open;
	unsigned int listening;
	unsigned int by_kind[4][2];		/* kind, IPv6? */
};

void summarize(struct summary *s, const struct entry *entries, size_t num);

#endif /* HAULSS_H */
