// SPDX-License-Identifier: GPL-2.0
/*
 * Who is shown: "state S" and "exclude S", then an expression over addresses, ports and devices, in
 * ss's language. It is evaluated here, not in the kernel, which is only told the states.
 *
 *	or:	and { ("or" | "|" | "||") and }
 *	and:	not { ["and" | "&" | "&&"] not }
 *	not:	("not" | "!") not | "(" or ")" | term
 *	term:	("src" | "dst") [op] HOST[/PREFIX][:PORT] | ("sport" | "dport") [op] [:]PORT |
 *		"dev" [op] DEVICE
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "haulss.h"

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_HOST, NODE_PORT, NODE_DEV };
enum op { OP_EQ, OP_NE, OP_LT, OP_GT, OP_LE, OP_GE };

struct node {
	enum node_kind kind;
	struct node *left, *right;
	/* a term */
	enum op op;
	bool peer;
	struct in6_addr addr;
	unsigned int prefix;		/* bits of @addr that count */
	bool v6;			/* an IPv6 address: none of AF_INET's */
	int port;			/* -1: any */
	unsigned int dev;
	struct node *next_address;	/* a host name may have several */
};

static struct node *expression;

/* ---------------------------------------------------------------- words */

static char *words;			/* the rest of the command line */
static char word[256];			/* the present word; empty: the end */

static bool is_operator(char c)
{
	return c == '=' || c == '!' || c == '<' || c == '>';
}

/* Words end at blanks; parentheses and operators need none. */
static void next_word(void)
{
	size_t len = 0;

	words += strspn(words, " \t\n");
	if (strchr("()", *words))
		len = *words != 0;
	else if (strchr("&|", *words))
		len = words[1] == words[0] ? 2 : 1;
	else if (is_operator(*words))
		len = words[1] == '=' ? 2 : 1;
	else
		len = strcspn(words, " \t\n()=!<>&|");
	if (len >= sizeof(word))
		fail("too long a word in the expression");
	memcpy(word, words, len);
	word[len] = 0;
	words += len;
}

static bool take(const char *text)
{
	if (strcmp(word, text))
		return false;
	next_word();
	return true;
}

static struct node *new_node(enum node_kind kind, struct node *left, struct node *right)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		fail("no memory");
	n->kind = kind;
	n->left = left;
	n->right = right;
	return n;
}

/* ---------------------------------------------------------------- terms */

static enum op take_op(void)
{
	static const struct {
		const char *text;
		enum op op;
	} ops[] = {
		{ "=", OP_EQ }, { "==", OP_EQ }, { "eq", OP_EQ }, { "!=", OP_NE }, { "ne", OP_NE },
		{ "neq", OP_NE }, { "<", OP_LT }, { "lt", OP_LT }, { ">", OP_GT }, { "gt", OP_GT },
		{ "<=", OP_LE }, { "le", OP_LE }, { "leq", OP_LE }, { ">=", OP_GE },
		{ "ge", OP_GE }, { "geq", OP_GE },
	};
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (take(ops[i].text))
			return ops[i].op;
	return OP_EQ;
}

static int parse_port(const char *text)
{
	const struct servent *found;
	unsigned long port;
	char *end;

	if (!strcmp(text, "*"))
		return -1;
	port = strtoul(text, &end, 10);
	if (*text && !*end && port <= 65535)
		return port;
	found = getservbyname(text, "tcp");
	if (!found)
		fail("\"%s\" is no port", text);
	return ntohs(found->s_port);
}

static unsigned int parse_prefix(const char *text, unsigned int most)
{
	char *end;
	unsigned long prefix = strtoul(text, &end, 10);

	if (!*text || *end || prefix > most)
		fail("\"/%s\" is no prefix of %u bits at most", text, most);
	return prefix;
}

/* One address into a term; an IPv4 address is compared as the kernel tells it, v4-mapped. */
static void set_address(struct node *n, int family, const void *addr, const char *prefix)
{
	unsigned int bits = family == AF_INET ? 32 : 128;

	n->prefix = 128 - bits + (prefix ? parse_prefix(prefix, bits) : bits);
	if (family == AF_INET6) {
		n->v6 = true;
		memcpy(&n->addr, addr, 16);
		return;
	}
	memset(&n->addr, 0, 10);
	n->addr.s6_addr[10] = 0xff;
	n->addr.s6_addr[11] = 0xff;
	memcpy(&n->addr.s6_addr[12], addr, 4);
}

static void set_host_name(struct node *n, const char *host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *ai;

	if (getaddrinfo(host, NULL, &hints, &all))
		fail("\"%s\" is no address", host);
	for (ai = all; ai; ai = ai->ai_next) {
		if (n->prefix) {
			n->next_address = new_node(NODE_HOST, NULL, NULL);
			n = n->next_address;
		}
		if (ai->ai_family == AF_INET)
			set_address(n, AF_INET, &((struct sockaddr_in *)ai->ai_addr)->sin_addr,
				    NULL);
		else if (ai->ai_family == AF_INET6)
			set_address(n, AF_INET6, &((struct sockaddr_in6 *)ai->ai_addr)->sin6_addr,
				    NULL);
	}
	freeaddrinfo(all);
}

/*
 * Cuts ":PORT" off. With brackets, what follows them; without, what follows the only colon: several
 * are an IPv6 address's.
 */
static char *cut_port(char *text)
{
	char *bracket = strrchr(text, ']'), *colon = strrchr(bracket ? bracket : text, ':');

	if (!colon || (!bracket && strchr(text, ':') != colon))
		return NULL;
	*colon = 0;
	return colon + 1;
}

static void parse_host(struct node *n, char *text)
{
	char *port = cut_port(text), *prefix;
	struct in6_addr addr;
	size_t len;

	n->port = port ? parse_port(port) : -1;
	prefix = strchr(text, '/');
	if (prefix)
		*prefix++ = 0;
	len = strlen(text);
	if (*text == '[' && text[len - 1] == ']') {
		text[len - 1] = 0;
		text++;
	}
	if (!*text || !strcmp(text, "*"))
		return;				/* no bit counts */
	if (inet_pton(AF_INET, text, &addr) == 1)
		set_address(n, AF_INET, &addr, prefix);
	else if (inet_pton(AF_INET6, text, &addr) == 1)
		set_address(n, AF_INET6, &addr, prefix);
	else
		set_host_name(n, text);
}

static void parse_value(struct node *n, char *text)
{
	switch (n->kind) {
	case NODE_HOST:
		if (n->op != OP_EQ && n->op != OP_NE)
			fail("addresses are equal or not");
		parse_host(n, text);
		break;
	case NODE_PORT:
		n->port = parse_port(*text == ':' ? text + 1 : text);
		break;
	default:
		if (n->op != OP_EQ && n->op != OP_NE)
			fail("devices are equal or not");
		n->dev = if_nametoindex(text);
		if (!n->dev)
			fail("there is no device \"%s\"", text);
	}
}

static struct node *parse_term(void)
{
	static const struct {
		const char *text;
		enum node_kind kind;
		bool peer;
	} terms[] = {
		{ "src", NODE_HOST, false }, { "dst", NODE_HOST, true },
		{ "sport", NODE_PORT, false }, { "dport", NODE_PORT, true },
		{ "dev", NODE_DEV, false },
	};
	char value[sizeof(word)];
	struct node *n;
	size_t i;

	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		if (!take(terms[i].text))
			continue;
		n = new_node(terms[i].kind, NULL, NULL);
		n->peer = terms[i].peer;
		n->op = take_op();
		memcpy(value, word, sizeof(value));
		if (!*value)
			fail("\"%s\" of what?", terms[i].text);
		next_word();
		parse_value(n, value);
		return n;
	}
	fail("\"%s\" is no part of an expression; see haulss(8)", word);
}

/* ---------------------------------------------------------------- expressions */

static struct node *parse_or(void);

static struct node *parse_not(void)
{
	struct node *n;

	if (take("not") || take("!"))
		return new_node(NODE_NOT, parse_not(), NULL);
	if (!take("("))
		return parse_term();
	n = parse_or();
	if (!take(")"))
		fail("a \")\" is missing in the expression");
	return n;
}

static struct node *parse_and(void)
{
	struct node *n = parse_not();

	while (*word && strcmp(word, ")") && strcmp(word, "or") && *word != '|') {
		if (!take("and") && !take("&&"))
			take("&");
		n = new_node(NODE_AND, n, parse_not());
	}
	return n;
}

static struct node *parse_or(void)
{
	struct node *n = parse_and();

	while (take("or") || take("||") || take("|"))
		n = new_node(NODE_OR, n, parse_and());
	return n;
}

/* "state S" and "exclude S", which stand in front; the number of words that they were */
static int parse_states(int argc, char **argv)
{
	uint32_t with = 0, without = 0, bits;
	int i;

	for (i = 0; i + 1 < argc; i += 2) {
		bool exclude = !strcmp(argv[i], "exclude") || !strcmp(argv[i], "excl");

		if (!exclude && strcmp(argv[i], "state"))
			break;
		bits = state_bits(argv[i + 1]);
		if (!bits)
			fail("there is no state \"%s\"", argv[i + 1]);
		if (exclude)
			without |= bits;
		else
			with |= bits;
	}
	if (with || without)
		opt.states = (with ? with : state_bits("all")) & ~without;
	return i;
}

void filter_parse(int argc, char **argv)
{
	size_t size = 1;
	char *text;
	int i, first = parse_states(argc, argv);

	for (i = first; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = calloc(1, size);
	if (!text)
		fail("no memory");
	for (i = first; i < argc; i++) {
		strcat(text, argv[i]);
		strcat(text, " ");
	}
	words = text;
	next_word();
	if (*word)
		expression = parse_or();
	if (*word)
		fail("\"%s\" does not belong into the expression", word);
	free(text);
}

/* ---------------------------------------------------------------- evaluation */

static bool compare(long a, enum op op, long b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_GT:
		return a > b;
	case OP_LE:
		return a <= b;
	default:
		return a >= b;
	}
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	return !memcmp(a, b, bytes) && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

static unsigned int port_at(const struct node *n, const struct entry *e)
{
	return ntohs(n->peer ? e->msg.id.dport : e->msg.id.sport);
}

static bool host_matches(const struct node *n, const struct entry *e)
{
	const void *addr = n->peer ? e->msg.id.dst : e->msg.id.src;
	const struct node *at;
	bool match = false;

	for (at = n; at && !match; at = at->next_address)
		match = (!at->v6 || e->msg.net == AF_INET6) &&
			same_prefix(at->addr.s6_addr, addr, at->prefix);
	if (n->port >= 0)
		match = match && n->port == port_at(n, e);
	return match == (n->op == OP_EQ);
}

static bool evaluate(const struct node *n, const struct entry *e)
{
	switch (n->kind) {
	case NODE_AND:
		return evaluate(n->left, e) && evaluate(n->right, e);
	case NODE_OR:
		return evaluate(n->left, e) || evaluate(n->right, e);
	case NODE_NOT:
		return !evaluate(n->left, e);
	case NODE_HOST:
		return host_matches(n, e);
	case NODE_PORT:
		return n->port < 0 || compare(port_at(n, e), n->op, n->port);
	default:
		return compare(e->msg.id.dev, n->op, n->dev);
	}
}

bool filter_matches(const struct entry *e)
{
	if (opt.kinds && !(opt.kinds & 1U << e->msg.kind))
		return false;
	if (opt.net && opt.net != e->msg.net)
		return false;
	return !expression || evaluate(expression, e);
}
