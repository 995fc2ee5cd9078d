/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink as haulss speaks it, for tests: requests of any shape, answers as a list.
 */
#ifndef HAUL_DIAG_TEST_H
#define HAUL_DIAG_TEST_H

#include <linux/genetlink.h>
#include <linux/haul_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/stat.h>
#include "hosts.h"

#define ALL_STATES	(~0U)

/* one answer */
struct seen {
	struct haul_diag_msg msg;
	struct haul_info info;
	bool has_info, has_mem, has_mark, has_cgroup;
	uint32_t mark;
	uint32_t mem[SK_MEMINFO_VARS];
	char congestion[HAUL_CC_NAME_MAX];
	uint8_t tos;
};

struct seen_list {
	struct seen *at;
	int num, room;
};

/* a netlink socket on that host */
static inline int diag_open_bus(int host, int bus)
{
	int fd, old = here();

	go_to(host);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, bus);
	if (fd < 0)
		die("netlink");
	go_to(old);
	close(old);
	return fd;
}

static inline int diag_open(int host)
{
	return diag_open_bus(host, NETLINK_SOCK_DIAG);
}

static inline void diag_send(int fd, int type, int flags, const void *payload, int len)
{
	struct {
		struct nlmsghdr nlh;
		char payload[4096];
	} m = { .nlh = { .nlmsg_len = NLMSG_LENGTH(len), .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = 1 } };

	memcpy(m.payload, payload, len);
	if (send(fd, &m, m.nlh.nlmsg_len, 0) != (ssize_t)m.nlh.nlmsg_len)
		die("netlink: send");
}

/* what fits */
static inline void seen_take(void *to, size_t size, const struct nlattr *attr)
{
	size_t len = attr->nla_len - NLA_HDRLEN;

	memcpy(to, (const char *)attr + NLA_HDRLEN, len < size ? len : size);
}

static inline void seen_attribute(struct seen *s, const struct nlattr *attr)
{
	switch (attr->nla_type) {
	case HAUL_DIAG_MSG:
		seen_take(&s->msg, sizeof(s->msg), attr);
		break;
	case HAUL_DIAG_INFO:
		seen_take(&s->info, sizeof(s->info), attr);
		s->has_info = true;
		break;
	case HAUL_DIAG_MEMINFO:
		seen_take(&s->mem, sizeof(s->mem), attr);
		s->has_mem = true;
		break;
	case HAUL_DIAG_CONGESTION:
		seen_take(&s->congestion, sizeof(s->congestion), attr);
		break;
	case HAUL_DIAG_TOS:
		seen_take(&s->tos, sizeof(s->tos), attr);
		break;
	case HAUL_DIAG_MARK:
		seen_take(&s->mark, sizeof(s->mark), attr);
		s->has_mark = true;
		break;
	case HAUL_DIAG_CGROUP_ID:
		s->has_cgroup = true;
		break;
	}
}

static inline void seen_attributes(struct seen *s, const char *at, const char *end)
{
	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > end - at)
			die("a malformed attribute in an answer");
		seen_attribute(s, attr);
		at += NLA_ALIGN(attr->nla_len);
	}
}

static inline struct seen *seen_new(struct seen_list *list)
{
	if (list->num == list->room) {
		list->room = list->room ? 2 * list->room : 256;
		list->at = realloc(list->at, list->room * sizeof(*list->at));
	}
	memset(&list->at[list->num], 0, sizeof(*list->at));
	return &list->at[list->num++];
}

/*
 * One datagram of an answer. 1: there is more; 0: the end, or an answer of one message; negative:
 * the kernel's error.
 */
static inline int diag_receive(int fd, struct seen_list *list)
{
	static char buf[65536] __attribute__((aligned(8)));
	ssize_t len = recv(fd, buf, sizeof(buf), MSG_TRUNC);
	struct nlmsghdr *nlh = (void *)buf;
	int more = 0;

	if (len <= 0 || len > sizeof(buf))
		die("netlink: received %zd", len);
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		struct seen *s;

		if (nlh->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
		if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			die("an answer of type %d", nlh->nlmsg_type);
		s = seen_new(list);
		memcpy(&s->msg, NLMSG_DATA(nlh), sizeof(s->msg));
		seen_attributes(s, (char *)NLMSG_DATA(nlh) + NLMSG_ALIGN(sizeof(s->msg)),
				(char *)nlh + nlh->nlmsg_len);
		more = nlh->nlmsg_flags & NLM_F_MULTI;
	}
	return !!more;
}

static inline struct haul_diag_req diag_all(void)
{
	struct haul_diag_req req = { .family = AF_HAUL, .states = ALL_STATES };

	return req;
}

/* the whole answer; 0 or a negative errno */
static inline int diag_answer(int fd, struct seen_list *list)
{
	int more;

	do {
		more = diag_receive(fd, list);
	} while (more > 0);
	return more;
}

static inline struct seen_list diag_dump(int host, const struct haul_diag_req *req)
{
	struct seen_list list = { 0 };
	int fd = diag_open(host);

	diag_send(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, req, sizeof(*req));
	errno = -diag_answer(fd, &list);
	if (errno)
		die("dump");
	close(fd);
	return list;
}

static inline uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		die("SO_COOKIE");
	return cookie;
}

static inline uint64_t seen_cookie(const struct seen *s)
{
	return (uint64_t)s->msg.id.cookie[1] << 32 | s->msg.id.cookie[0];
}

/* how often a cookie is in a list; the last of them in *@found */
static inline int seen_find(const struct seen_list *list, uint64_t cookie, struct seen *found)
{
	int i, times = 0;

	for (i = 0; i < list->num; i++) {
		if (seen_cookie(&list->at[i]) != cookie)
			continue;
		*found = list->at[i];
		times++;
	}
	return times;
}

/* the only one in a state */
static inline int seen_in_state(const struct seen_list *list, int state, struct seen *found)
{
	int i, times = 0;

	for (i = 0; i < list->num; i++) {
		if (list->at[i].msg.state != state)
			continue;
		*found = list->at[i];
		times++;
	}
	return times;
}

/* SOCK_DESTROY; the kernel's answer */
static inline int diag_destroy(int host, const struct seen *s)
{
	struct haul_diag_req req = diag_all();
	struct seen_list none = { 0 };
	int err, fd = diag_open(host);

	req.kind = s->msg.kind;
	req.id = s->msg.id;
	diag_send(fd, SOCK_DESTROY, NLM_F_ACK, &req, sizeof(req));
	err = diag_answer(fd, &none);
	close(fd);
	return err;
}

#endif /* HAUL_DIAG_TEST_H */
