/* SPDX-License-Identifier: GPL-2.0 */
/* Each case of a fixture over both IP versions: variant->family. Behind FIXTURE(). */
#ifndef FAMILIES_H
#define FAMILIES_H

#define FAMILIES(name)							\
	FIXTURE_VARIANT(name) {						\
		int family;						\
	};								\
	FIXTURE_VARIANT_ADD(name, v4) { .family = AF_INET };		\
	FIXTURE_VARIANT_ADD(name, v6) { .family = AF_INET6 };		\
	struct name##_families_need_a_semicolon

#endif /* FAMILIES_H */
