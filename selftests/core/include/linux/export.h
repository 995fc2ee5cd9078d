/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's header of this name in user space. */
#ifndef HAUL_SHIM_LINUX_EXPORT_H
#define HAUL_SHIM_LINUX_EXPORT_H

#define HAUL_SHIM_NOTHING(sym)	extern __typeof__(sym) sym
#define EXPORT_SYMBOL_GPL	HAUL_SHIM_NOTHING

#endif /* HAUL_SHIM_LINUX_EXPORT_H */
