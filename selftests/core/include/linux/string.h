/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space. */
#ifndef HAUL_SHIM_LINUX_STRING_H
#define HAUL_SHIM_LINUX_STRING_H

#include <string.h>

#endif /* HAUL_SHIM_LINUX_STRING_H */
