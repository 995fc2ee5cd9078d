/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For modules that bring a congestion controller: struct haul_cc_ops and what it is told are in
 * core/cc.h, the sender that it works on in core/sender.h. examples/cc_scalable is one. Nothing
 * here is stable: a controller is built against the Haul that it is loaded beside.
 */
#ifndef HAUL_CC_H
#define HAUL_CC_H

#include "core/sender.h"

struct module;

/* process context. 0; -EINVAL: a hook is missing; -EEXIST: the name is taken; -ENOMEM */
int haul_cc_register(const struct haul_cc_ops *ops, struct module *owner);
/* from module_exit(): nobody uses it any more. Sleeps */
void haul_cc_unregister(const struct haul_cc_ops *ops);

#endif /* HAUL_CC_H */
