// SPDX-License-Identifier: GPL-2.0
/*
 * struct haul_info: every field, once, in a table. Text has ss's names and units where ss has the
 * field, JSON the field's own name and unit.
 */
#include <stddef.h>
#include <stdio.h>
#include "haulss.h"

enum unit {
	PLAIN,		/* a number; 0 is not shown */
	TEXT,		/* the controller's name */
	HIDDEN,		/* in the columns, or part of another field's text */
	TIME_MS,	/* us, shown in ms */
	RTT,		/* srtt and rttvar */
	SINCE,		/* ms; ~0: never */
	RATE,		/* bytes per second, shown in bits; ~0: no limit */
	SHARE,		/* us, with their share of busy_time */
	RECOVERY,	/* HAUL_RECOVERY_* */
	OPTIONS,	/* HAUL_INFO_* */
	THRESHOLD,	/* bytes; not shown before it is set */
};

/* X(field, name in text, unit), in the order of the text */
#define INFO_FIELDS(X)					\
	X(state, "", HIDDEN)				\
	X(kind, "", HIDDEN)				\
	X(fastopen_fail, "fastopen_fail", PLAIN)	\
	X(options, "", OPTIONS)				\
	X(congestion, "", TEXT)				\
	X(recovery, "recovery", RECOVERY)		\
	X(rto, "rto", TIME_MS)				\
	X(backoff, "backoff", PLAIN)			\
	X(srtt, "rtt", RTT)				\
	X(rttvar, "", HIDDEN)				\
	X(min_rtt, "minrtt", TIME_MS)			\
	X(latest_rtt, "latest_rtt", TIME_MS)		\
	X(handshake_rtt, "handshake_rtt", TIME_MS)	\
	X(ato, "ato", TIME_MS)				\
	X(snd_mss, "mss", PLAIN)			\
	X(pmtu, "pmtu", PLAIN)				\
	X(rcv_mss, "rcvmss", PLAIN)			\
	X(adv_mss, "advmss", PLAIN)			\
	X(snd_cwnd, "cwnd", PLAIN)			\
	X(snd_ssthresh, "ssthresh", THRESHOLD)		\
	X(snd_wnd, "snd_wnd", PLAIN)			\
	X(rcv_wnd, "rcv_wnd", PLAIN)			\
	X(bytes_sent, "bytes_sent", PLAIN)		\
	X(bytes_retrans, "bytes_retrans", PLAIN)	\
	X(bytes_acked, "bytes_acked", PLAIN)		\
	X(bytes_received, "bytes_received", PLAIN)	\
	X(segs_out, "segs_out", PLAIN)			\
	X(segs_in, "segs_in", PLAIN)			\
	X(data_segs_out, "data_segs_out", PLAIN)	\
	X(data_segs_in, "data_segs_in", PLAIN)		\
	X(retrans_segs, "retrans_segs", PLAIN)		\
	X(last_data_sent, "lastsnd", SINCE)		\
	X(last_data_recv, "lastrcv", SINCE)		\
	X(last_ack_recv, "lastack", SINCE)		\
	X(pacing_rate, "pacing_rate", RATE)		\
	X(max_pacing_rate, "max_pacing_rate", RATE)	\
	X(delivery_rate, "delivery_rate", RATE)		\
	X(busy_time, "busy", TIME_MS)			\
	X(rwnd_limited, "rwnd_limited", SHARE)		\
	X(sndbuf_limited, "sndbuf_limited", SHARE)	\
	X(cwnd_limited, "cwnd_limited", SHARE)		\
	X(in_flight, "in_flight", PLAIN)		\
	X(unacked, "unacked", PLAIN)			\
	X(sacked, "sacked", PLAIN)			\
	X(lost, "lost", PLAIN)				\
	X(retrans_out, "retrans_out", PLAIN)		\
	X(notsent, "notsent", PLAIN)			\
	X(rcv_queue, "rcv_queue", PLAIN)		\
	X(ooo_queue, "ooo_queue", PLAIN)		\
	X(rcv_space, "rcv_space", PLAIN)		\
	X(rcv_ssthresh, "rcv_ssthresh", PLAIN)		\
	X(retransmits, "retransmits", PLAIN)		\
	X(probes, "probes", PLAIN)			\
	X(reordering, "reordering", TIME_MS)		\
	X(reord_seen, "reord_seen", PLAIN)		\
	X(timeouts, "timeouts", PLAIN)			\
	X(recoveries, "recoveries", PLAIN)		\
	X(undos, "undos", PLAIN)			\
	X(dsacks, "dsack_dups", PLAIN)			\
	X(tlps, "tlps", PLAIN)				\
	X(ce_received, "ce_received", PLAIN)		\
	X(ce_delivered, "delivered_ce", PLAIN)		\
	X(zero_windows, "zero_windows", PLAIN)		\
	X(rcv_zero_windows, "rcv_zero_windows", PLAIN)

static const struct field {
	const char *name;
	const char *text;
	size_t offset;
	size_t size;
	enum unit unit;
} fields[] = {
#define X(field, text, unit) \
	{ #field, text, offsetof(struct haul_info, field), \
	  sizeof(((struct haul_info *)0)->field), unit },
	INFO_FIELDS(X)
#undef X
};

/* Whoever adds a field to struct haul_info adds it to the table above, too (it has a hole of 4). */
static const struct haul_info none;
#define X(field, text, unit)	sizeof(none.field) +
_Static_assert(sizeof(struct haul_info) < INFO_FIELDS(X) 8, "a field is missing");
#undef X

#define NUM_FIELDS	(sizeof(fields) / sizeof(fields[0]))

static const char *const recoveries[] = { "open", "disorder", "cwr", "recovery", "loss" };

static const struct {
	unsigned int bit;
	const char *name;
} option_names[] = {
	{ HAUL_INFO_ECN, "ecn" },
	{ HAUL_INFO_COOKIE, "cookie" },
	{ HAUL_INFO_APP_LIMITED, "app_limited" },
	{ HAUL_INFO_BLACK_HOLE, "black_hole" },
	{ HAUL_INFO_SYN_DATA, "syn_data" },
};

static unsigned long long value_of(const struct haul_info *info, const struct field *f)
{
	const char *at = (const char *)info + f->offset;

	switch (f->size) {
	case 1:
		return *(const uint8_t *)at;
	case 4:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

/* ---------------------------------------------------------------- text */

static void print_options(unsigned int options)
{
	size_t i;

	for (i = 0; i < sizeof(option_names) / sizeof(option_names[0]); i++)
		if (options & option_names[i].bit)
			printf("%s ", option_names[i].name);
}

static void print_rate(const char *name, unsigned long long rate)
{
	if (rate && rate != ~0ULL)
		printf("%s %llubps ", name, rate * 8);
}

static void print_share(const struct field *f, unsigned long long us, const struct haul_info *info)
{
	if (!us)
		return;
	printf("%s:%gms", f->text, us / 1000.0);
	if (info->busy_time)
		printf("(%.1f%%)", 100.0 * us / info->busy_time);
	putchar(' ');
}

static void print_field(const struct field *f, const struct haul_info *info)
{
	unsigned long long value = f->unit == TEXT ? 0 : value_of(info, f);

	switch (f->unit) {
	case TEXT:
		if (*info->congestion)
			printf("%.*s ", HAUL_CC_NAME_MAX, info->congestion);
		break;
	case PLAIN:
		if (value)
			printf("%s:%llu ", f->text, value);
		break;
	case TIME_MS:
		if (value)
			printf("%s:%.*g%s ", f->text, 7, value / 1000.0,
			       f->size == 8 ? "ms" : "");
		break;
	case RTT:
		if (value)
			printf("rtt:%g/%g ", value / 1000.0, info->rttvar / 1000.0);
		break;
	case SINCE:
		if (value != ~0U)
			printf("%s:%llu ", f->text, value);
		break;
	case RATE:
		print_rate(f->text, value);
		break;
	case SHARE:
		print_share(f, value, info);
		break;
	case RECOVERY:
		if (value && value < sizeof(recoveries) / sizeof(recoveries[0]))
			printf("%s:%s ", f->text, recoveries[value]);
		break;
	case OPTIONS:
		print_options(value);
		break;
	case THRESHOLD:
		if (value && value < 0x7fffffff)
			printf("%s:%llu ", f->text, value);
		break;
	case HIDDEN:
		break;
	}
}

void info_print(const struct entry *e)
{
	size_t i;

	for (i = 0; i < NUM_FIELDS; i++)
		print_field(&fields[i], &e->info);
}

/* ---------------------------------------------------------------- JSON */

void info_json(const struct haul_info *info)
{
	const char *before = "{";
	size_t i;

	for (i = 0; i < NUM_FIELDS; i++) {
		printf("%s\"%s\":", before, fields[i].name);
		if (fields[i].unit == TEXT)
			json_string(info->congestion);
		else
			printf("%llu", value_of(info, &fields[i]));
		before = ",";
	}
	putchar('}');
}
