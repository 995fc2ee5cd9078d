/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench's workload program: what its files share. A workload is one function in costs.c or
 * paths.c and one line in work.c's list; it takes its arguments with arg() and tells what it
 * measured with result(). The first result of a run is the one that the bench compares.
 */
#ifndef HAUL_BENCH_H
#define HAUL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_PORT	7000
#define BENCH_SKIP	4	/* exit status: this transport can't do that */

enum transport { TCP, HAUL, UDP, UNIX };

/* what is measured: from the arguments transport= and link= */
struct bench {
	enum transport transport;
	int family;
	const char *cc;
};

extern struct bench bench;

/* both ends of one connection; a datagram pair is connected on both sides */
struct pair {
	int near;
	int far;
};

/* --- work.c --- */
/* the value of KEY=VALUE on the command line, or @def */
const char *arg(const char *key, const char *def);
/* the same as a number; k, M and G mean powers of 1000 */
uint64_t arg_number(const char *key, uint64_t def);
void result(const char *name, double value);
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* leaves: the transport can't do it */
void skip(const char *why) __attribute__((noreturn));
/*
 * What is between them is what `scripts/bench --profile` looks at, if result "rounds" tells how
 * many operations that were.
 */
void profile_begin(void);
void profile_end(void);
uint64_t now_ns(void);
void sleep_until(uint64_t ns);
/* a child that runs @run(@arg) and exits 0; it dies with its parent */
pid_t child(void (*run)(void *arg), void *arg);
/* ends it at once */
void child_kill(pid_t pid);
/* waits for it; dies if it failed */
void child_wait(pid_t pid);
/* memory that children write to, zeroed */
void *shared(size_t len);

/* --- sockets.c --- */
/* a socket on host near or far, of the transport (or of another) */
int socket_near(enum transport transport);
int socket_far(enum transport transport);
/* a listener on far, at BENCH_PORT + @offset */
int listen_far(enum transport transport, int offset);
/* a connection of near to it */
int connect_far(enum transport transport, int offset);
struct pair pair_via(enum transport transport, int listener, int offset);
/* a listener and one connection */
struct pair pair_open(enum transport transport, int offset);
void pair_close(struct pair *p);
void set_congestion(enum transport transport, int fd, const char *name);
void set_nodelay(enum transport transport, int fd);
/* all of it, or dies; read_all() returns false at end of file before the first byte */
bool read_all(int fd, void *buf, size_t len);
void write_all(int fd, const void *buf, size_t len);

/* --- costs.c: instructions and memory --- */
void work_rr(void);
void work_bulk(void);
void work_connect(void);
void work_memory(void);
void work_object(void);

/* --- paths.c: what a network does to a flow --- */
void work_goodput(void);
void work_short(void);
void work_queue(void);
void work_share(void);
void work_fair(void);

#endif /* HAUL_BENCH_H */
