// SPDX-License-Identifier: GPL-2.0
/* The end of a test case that went wrong: says where, what, and what had happened on the wire. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire.h"

#define EXIT_FAIL 1	/* kselftest's KSFT_FAIL */

const char *wire_file = "?";
int wire_line;
const char *wire_note;

static void print_history(const struct wire *w, const struct frame *f)
{
	static const struct frame absolute;
	unsigned int first = w->events > WIRE_HISTORY ? w->events - WIRE_HISTORY : 0, i;
	char text[2048];

	for (i = first; i < w->events; i++) {
		const struct wire_event *event = &w->history[i % WIRE_HISTORY];
		struct frame mine = f ? *f : absolute;

		/* @f numbers packets of the host; those of the peer are the other way round */
		if (event->sent) {
			mine.seq_base = f ? f->ack_base : 0;
			mine.ack_base = f ? f->seq_base : 0;
		}
		printf("#   %+9.3f ms %s %u>%u %s\n",
		       (event->us - w->history[first % WIRE_HISTORY].us) / 1000.0,
		       event->sent ? "peer:" : "host:", event->p.sport, event->p.dport,
		       packet_print(text, sizeof(text), &event->p, &mine));
	}
}

/* why packets were dropped, and what else was counted in this namespace */
static void print_counters(void)
{
	static char names[65536], values[65536];
	char *save_name, *save_value, *n, *v;
	FILE *file = fopen("/proc/net/haul/snmp", "r");

	if (!file)
		return;
	printf("# what the module counted:");
	while (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		n = strtok_r(names, " \n", &save_name);
		v = strtok_r(values, " \n", &save_value);
		while (n && v) {
			if (strcmp(v, "0") && strcmp(n, v))
				printf(" %s=%s", n, v);
			n = strtok_r(NULL, " \n", &save_name);
			v = strtok_r(NULL, " \n", &save_value);
		}
	}
	printf("\n");
	fclose(file);
}

_Noreturn void wire_fail(struct wire *w, const struct frame *f, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", wire_file, wire_line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	if (wire_note)
		printf("\n#   at: %s", wire_note);
	printf("\n# what happened on the wire:\n");
	print_history(w, f);
	print_counters();
	fflush(stdout);
	exit(EXIT_FAIL);
}
