// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel: dumps and destroying over sock_diag, and the sockets that are being destroyed over
 * generic netlink.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "haulss.h"

#define BUFFER	65536		/* bytes; the kernel's messages are half of it at most */

static char buffer[BUFFER] __attribute__((aligned(8)));

/* ---------------------------------------------------------------- messages */

struct place {
	uint16_t type;
	uint16_t len;			/* bytes at least */
	size_t offset;			/* in struct entry */
	size_t size;			/* bytes there */
	size_t has;			/* offset of the flag, 0: none */
};

#define FIELD(name)	offsetof(struct entry, name), sizeof(((struct entry *)0)->name)

static const struct place places[] = {
	{ HAUL_DIAG_MSG, sizeof(struct haul_diag_msg), FIELD(msg), 0 },
	{ HAUL_DIAG_INFO, 1, FIELD(info), offsetof(struct entry, has_info) },
	{ HAUL_DIAG_MEMINFO, 4, FIELD(mem), offsetof(struct entry, has_mem) },
	{ HAUL_DIAG_TOS, 1, FIELD(tos), 0 },
	{ HAUL_DIAG_TCLASS, 1, FIELD(tclass), offsetof(struct entry, has_tclass) },
	{ HAUL_DIAG_MARK, 4, FIELD(mark), offsetof(struct entry, has_mark) },
	{ HAUL_DIAG_CGROUP_ID, 8, FIELD(cgroup), offsetof(struct entry, has_cgroup) },
	/* the last byte stays 0 */
	{ HAUL_DIAG_CONGESTION, 1, offsetof(struct entry, congestion), HAUL_CC_NAME_MAX - 1, 0 },
};

/* A shorter value than ours leaves the rest 0, a longer one is cut: kernels differ. */
static int attribute(const struct nlattr *attr, void *data)
{
	size_t len = mnl_attr_get_payload_len(attr), i;
	char *e = data;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *p = &places[i];

		if (p->type != mnl_attr_get_type(attr) || len < p->len)
			continue;
		memcpy(e + p->offset, mnl_attr_get_payload(attr), len < p->size ? len : p->size);
		if (p->has)
			*(bool *)(e + p->has) = true;
	}
	return MNL_CB_OK;
}

struct dump {
	entry_fn fn;
	void *arg;
};

static int diag_message(const struct nlmsghdr *nlh, void *data)
{
	struct dump *d = data;
	struct entry e = { 0 };

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(e.msg))
		return MNL_CB_OK;
	memcpy(&e.msg, mnl_nlmsg_get_payload(nlh), sizeof(e.msg));
	mnl_attr_parse(nlh, sizeof(e.msg), attribute, &e);
	d->fn(&e, d->arg);
	return MNL_CB_OK;
}

/* ---------------------------------------------------------------- sock_diag */

/* the family that the module was told to be */
static uint8_t diag_family(void)
{
	FILE *file = fopen("/sys/module/haul/parameters/family", "r");
	int family = AF_HAUL;

	if (file) {
		if (fscanf(file, "%d", &family) != 1)
			family = AF_HAUL;
		fclose(file);
	}
	return family;
}

static struct mnl_socket *open_netlink(int bus)
{
	struct mnl_socket *nl = mnl_socket_open(bus);

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("netlink: %s", strerror(errno));
	return nl;
}

static struct haul_diag_req *diag_request(struct nlmsghdr *nlh, uint16_t type, uint16_t flags)
{
	struct haul_diag_req *req;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = time(NULL);
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->family = diag_family();
	return req;
}

/* Sends what is in the buffer, reads until the end of the answer. 0 or an errno. */
static int converse(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t fn, void *arg)
{
	unsigned int seq = nlh->nlmsg_seq, port = mnl_socket_get_portid(nl);
	ssize_t len;
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return errno;
	while (ret > MNL_CB_STOP) {
		len = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
		if (len < 0)
			return errno;
		ret = mnl_cb_run(buffer, len, seq, port, fn, arg);
	}
	return ret < 0 ? errno : 0;
}

/* one kind is the kernel's to choose, of several the filter does */
static uint8_t one_kind(uint32_t kinds)
{
	return kinds && !(kinds & (kinds - 1)) ? __builtin_ctz(kinds) : 0;
}

void request_dump(uint32_t states, uint32_t show, entry_fn fn, void *arg)
{
	struct mnl_socket *nl = open_netlink(NETLINK_SOCK_DIAG);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct haul_diag_req *req = diag_request(nlh, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	struct dump d = { fn, arg };
	int err;

	req->net = opt.net;
	req->kind = one_kind(opt.kinds);
	req->states = states;
	req->show = show;
	err = converse(nl, nlh, diag_message, &d);
	mnl_socket_close(nl);
	if (err == ENOENT)
		fail("no sockets: the module haul is not loaded");
	if (err)
		fail("the kernel does not tell: %s", strerror(err));
}

int request_destroy(const struct entry *e)
{
	static struct mnl_socket *nl;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct haul_diag_req *req = diag_request(nlh, SOCK_DESTROY, NLM_F_ACK);

	if (!nl)
		nl = open_netlink(NETLINK_SOCK_DIAG);
	req->kind = e->msg.kind;
	req->id = e->msg.id;
	return converse(nl, nlh, NULL, NULL);
}

/* ---------------------------------------------------------------- generic netlink */

static int group_attribute(const struct nlattr *attr, void *data)
{
	const struct nlattr **found = data;

	if (mnl_attr_get_type(attr) <= CTRL_ATTR_MCAST_GRP_MAX)
		found[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* the number of the group, in the list of groups of the family */
static int family_attribute(const struct nlattr *attr, void *data)
{
	const struct nlattr *group;
	uint32_t *number = data;

	if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
		return MNL_CB_OK;
	mnl_attr_for_each_nested(group, attr) {
		const struct nlattr *found[CTRL_ATTR_MCAST_GRP_MAX + 1] = { 0 };

		mnl_attr_parse_nested(group, group_attribute, found);
		if (found[CTRL_ATTR_MCAST_GRP_NAME] && found[CTRL_ATTR_MCAST_GRP_ID] &&
		    !strcmp(mnl_attr_get_str(found[CTRL_ATTR_MCAST_GRP_NAME]),
			    HAUL_DIAG_GENL_GROUP))
			*number = mnl_attr_get_u32(found[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return MNL_CB_OK;
}

static int family_message(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), family_attribute, data);
}

static uint32_t follow_group(struct mnl_socket *nl)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;
	uint32_t number = 0;
	int err;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = time(NULL);
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, HAUL_DIAG_GENL_NAME);
	err = converse(nl, nlh, family_message, &number);
	if (err == ENOENT)
		fail("no sockets: the module haul is not loaded");
	if (err || !number)
		fail("no group to listen to: %s", strerror(err));
	return number;
}

static int event_message(const struct nlmsghdr *nlh, void *data)
{
	struct dump *d = data;
	struct entry e = { 0 };

	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), attribute, &e);
	if (e.msg.family)
		d->fn(&e, d->arg);
	return MNL_CB_OK;
}

void request_follow(entry_fn fn, void *arg)
{
	struct mnl_socket *nl = open_netlink(NETLINK_GENERIC);
	unsigned int group = follow_group(nl);
	struct dump d = { fn, arg };
	ssize_t len;

	if (mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		fail("listening: %s", strerror(errno));
	for (;;) {
		len = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
		if (len < 0 && errno == ENOBUFS) {
			fprintf(stderr, "haulss: too many at once, some were missed\n");
			continue;
		}
		if (len < 0)
			fail("listening: %s", strerror(errno));
		mnl_cb_run(buffer, len, 0, 0, event_message, &d);
	}
}
