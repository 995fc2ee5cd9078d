// SPDX-License-Identifier: GPL-2.0
/*
 * hauldemo: the flows while files move, the table when they have.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "demo.h"

static double demo_seconds(const struct demo_run *run)
{
	return (demo_now() - run->started) / 1e6;
}

static const char *demo_flow_state(const struct demo_flow *f)
{
	static const char *const name[] = { "",		   "ESTABLISHED", "SYN-SENT", "SYN-RCVD",
					    "FIN-WAIT-1",  "FIN-WAIT-2",  "TIME-WAIT", "CLOSED",
					    "CLOSE-WAIT",  "LAST-ACK",	  "LISTEN",    "CLOSING" };
	uint8_t state = f->report.state;

	if (f->error[0])
		return "failed";
	if (f->took)
		return "done";
	return state < sizeof(name) / sizeof(name[0]) ? name[state] : "?";
}

/* What arrived since the last picture, as the newest of the rates. */
static void demo_flow_measure(struct demo_flow *f, double us)
{
	unsigned long long arrived = f->arrived;

	memmove(f->rate, f->rate + 1, sizeof(f->rate) - sizeof(f->rate[0]));
	f->rate[DEMO_HISTORY - 1] = us > 0 ? (arrived - f->drawn) * 8 / us : 0;
	f->drawn = arrived;
}

/* The rates as a line of bars, the highest of all flows full. */
static void demo_spark_print(const struct demo_flow *f, double highest)
{
	static const char *const bar[] = { " ", "\u2581", "\u2582", "\u2583", "\u2584",
					   "\u2585", "\u2586", "\u2587", "\u2588" };
	int i;

	for (i = 0; i < DEMO_HISTORY; i++)
		fputs(bar[highest > 0 ? (int)(f->rate[i] * 8 / highest + 0.5) : 0], stdout);
}

static double demo_rate_highest(const struct demo_run *run)
{
	double highest = 0;
	int i, j;

	for (i = 0; i < DEMO_FLOWS; i++) {
		for (j = 0; j < DEMO_HISTORY; j++)
			highest = highest > run->flow[i].rate[j] ? highest : run->flow[i].rate[j];
	}
	return highest;
}

static void demo_flow_line(const struct demo_flow *f, double highest)
{
	const struct demo_report *r = &f->report;

	printf("\033[2K%-7s %-11s %6.1f %7.0f %6.0f %6.1f %6" PRIu64 " %6.1f ", f->name,
	       demo_flow_state(f), f->arrived / 1e6, r->snd_wnd / 1e3, r->cwnd / 1e3,
	       r->srtt / 1e3, r->retrans, f->rate[DEMO_HISTORY - 1]);
	demo_spark_print(f, highest);
	printf("\n");
}

/* The flows, over the last picture of them. */
static void demo_flow_lines(struct demo_run *run, bool first)
{
	uint64_t now = demo_now();
	double highest;
	int i;

	if (first)
		printf("%-7s %-11s %6s %7s %6s %6s %6s %6s\n%-7s %-11s %6s %7s %6s %6s %6s %6s\n",
		       "flow", "state", "done", "window", "cwnd", "RTT", "sent", "rate", "", "",
		       "MB", "kB", "kB", "ms", "again", "Mbit/s");
	else
		printf("\033[%dA", DEMO_FLOWS);
	for (i = 0; i < DEMO_FLOWS && !first; i++)
		demo_flow_measure(&run->flow[i], now - run->drawn);
	run->drawn = now;
	highest = demo_rate_highest(run);
	for (i = 0; i < DEMO_FLOWS; i++)
		demo_flow_line(&run->flow[i], highest);
}

static void demo_plain_line(const struct demo_run *run)
{
	int i;

	printf("%6.1f s  %-4s", demo_seconds(run), demo_transport_name[run->transport]);
	for (i = 0; i < DEMO_FLOWS; i++)
		printf("  %s %5.1f MB", run->flow[i].name, run->flow[i].arrived / 1e6);
	printf("\n");
}

/* Draw how each flow is: over the last picture on a terminal, as a new line elsewhere. */
void demo_flows_draw(struct demo_run *run, bool tty, bool first)
{
	if (tty)
		demo_flow_lines(run, first);
	else
		demo_plain_line(run);
	fflush(stdout);
}

enum demo_row {
	ROW_HANDSHAKE,
	ROW_SEGMENTS,
	ROW_RETRANS,
	ROW_TIMEOUTS,
	ROW_DSACKS,
	ROW_SRTT,
	ROW_MIN_RTT,
	ROW_CWND,
	ROW_SND_WND,
	ROW_SECONDS,
	ROW_GOODPUT,
	DEMO_ROWS,
};

static const struct {
	const char *label;
	int decimals;
} demo_row_head[DEMO_ROWS] = {
	[ROW_HANDSHAKE] = { "handshake, ms", 1 },
	[ROW_SEGMENTS] = { "segments sent", 0 },
	[ROW_RETRANS] = { "retransmitted", 0 },
	[ROW_TIMEOUTS] = { "timeouts", 0 },
	[ROW_DSACKS] = { "duplicate reports", 0 },
	[ROW_SRTT] = { "smoothed RTT, ms", 2 },
	[ROW_MIN_RTT] = { "least RTT, ms", 2 },
	[ROW_CWND] = { "cong. window, kB", 0 },
	[ROW_SND_WND] = { "peer window, kB", 0 },
	[ROW_SECONDS] = { "time, s", 1 },
	[ROW_GOODPUT] = { "goodput, Mbit/s", 1 },
};

static double demo_row_value(enum demo_row row, const struct demo_flow *f)
{
	const struct demo_report *r = &f->report;

	switch (row) {
	case ROW_HANDSHAKE:
		return f->handshake / 1e3;
	case ROW_SEGMENTS:
		return r->segs_out;
	case ROW_RETRANS:
		return r->retrans;
	case ROW_TIMEOUTS:
		return r->timeouts;
	case ROW_DSACKS:
		return r->dsacks;
	case ROW_SRTT:
		return r->srtt / 1e3;
	case ROW_MIN_RTT:
		return r->min_rtt / 1e3;
	case ROW_CWND:
		return r->cwnd / 1e3;
	case ROW_SND_WND:
		return r->snd_wnd / 1e3;
	case ROW_SECONDS:
		return f->took / 1e6;
	case ROW_GOODPUT:
		return f->took ? f->arrived * 8.0 / f->took : 0;
	default:
		return 0;
	}
}

static void demo_cell_print(enum demo_row row, const struct demo_flow *f)
{
	double value = demo_row_value(row, f);

	if (value < 0)
		printf(" %6s", "*");
	else
		printf(" %6.*f", demo_row_head[row].decimals, value);
}

static void demo_table_head(struct demo_run *const run[DEMO_TRANSPORTS])
{
	int t, i;

	printf("\n%-17s", "");
	for (t = 0; t < DEMO_TRANSPORTS; t++) {
		if (run[t])
			printf(" | %-*s", DEMO_FLOWS * 7,
			       t == DEMO_HAUL ? "Haul" : "the kernel's TCP");
	}
	printf("\n%-17s", "");
	for (t = 0; t < DEMO_TRANSPORTS; t++) {
		if (!run[t])
			continue;
		printf(" | ");
		for (i = 0; i < DEMO_FLOWS; i++)
			printf(" %6s", run[t]->flow[i].name);
	}
	printf("\n");
}

/* Both transports' numbers side by side; a transport that did not run is NULL. */
void demo_table_print(struct demo_run *const run[DEMO_TRANSPORTS])
{
	enum demo_row row;
	int t, i;

	demo_table_head(run);
	for (row = 0; row < DEMO_ROWS; row++) {
		printf("%-17s", demo_row_head[row].label);
		for (t = 0; t < DEMO_TRANSPORTS; t++) {
			if (!run[t])
				continue;
			printf(" | ");
			for (i = 0; i < DEMO_FLOWS; i++)
				demo_cell_print(row, &run[t]->flow[i]);
		}
		printf("\n");
	}
	if (run[DEMO_TCP] && run[DEMO_TCP]->flow[0].report.timeouts < 0)
		printf("* this kernel counts TCP's timeouts per host: %" PRId64 " in all four\n",
		       run[DEMO_TCP]->namespace_timeouts);
}
