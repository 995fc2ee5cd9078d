/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hauldemo: what its files share.
 *
 * transfer.c moves a file over one connection, report.c asks the kernel what that took, screen.c
 * draws the flows as they go and the table, hauldemo.c starts the processes and judges. The flows
 * live in memory that all processes share.
 */
#ifndef HAUL_DEMO_H
#define HAUL_DEMO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum demo_transport { DEMO_HAUL, DEMO_TCP, DEMO_TRANSPORTS };

#define DEMO_FLOWS 4 /* IPv4 and IPv6, there and back */

/* What the sender's kernel says when all has arrived; times in us, sizes in bytes. */
struct demo_report {
	uint64_t segs_out;
	uint64_t retrans;
	int64_t timeouts; /* -1: this kernel does not tell */
	uint32_t dsacks;
	uint32_t srtt;
	uint32_t min_rtt;
	uint32_t cwnd;
	uint32_t snd_wnd;
	uint8_t state; /* RFC 9293's, by the numbers of both transports */
};

#define DEMO_HISTORY 16 /* points of a sparkline */

struct demo_flow {
	char name[16];
	int family;
	bool to_client; /* the server sends the file */
	uint16_t port;
	char error[160];	   /* the first thing that went wrong, if any */
	atomic_ullong arrived;	   /* bytes, counted where they are received */
	atomic_ullong took;	   /* us, until the receiver's last word; 0: not over */
	uint64_t handshake;	   /* us that connect() took */
	struct demo_report report; /* the sender's; while it sends, as of a moment ago */
	/* the screen's own: what it drew last, and the rates before, newest last */
	unsigned long long drawn;
	double rate[DEMO_HISTORY]; /* Mbit/s */
};

/* One transport's run: everything that its processes need to know. */
struct demo_run {
	enum demo_transport transport;
	const char *near; /* network namespaces; NULL: stay */
	const char *far;
	const char *out_dir; /* where received files go */
	const void *data;    /* the file */
	size_t size;
	uint64_t started;	    /* us, monotonic clock */
	uint64_t until;		    /* us: send the file again and again till then, keep nothing */
	uint64_t drawn;		    /* us: the screen's */
	int64_t namespace_timeouts; /* TCP's, both namespaces, this run; -1: unknown */
	struct demo_flow flow[DEMO_FLOWS];
};

extern const char *const demo_transport_name[DEMO_TRANSPORTS];

uint64_t demo_now(void);
void demo_output_path(char *path, size_t len, const struct demo_run *run,
		      const struct demo_flow *f);

int demo_listen(const struct demo_run *run, struct demo_flow *f);
int demo_serve(const struct demo_run *run, struct demo_flow *f, int listener);
int demo_connect(const struct demo_run *run, struct demo_flow *f);

int demo_report_read(int fd, enum demo_transport transport, struct demo_report *r);
int64_t demo_report_tcp_timeouts(void);

void demo_flows_draw(struct demo_run *run, bool tty, bool first);
void demo_table_print(struct demo_run *const run[DEMO_TRANSPORTS]);

#endif /* HAUL_DEMO_H */
