// SPDX-License-Identifier: GPL-2.0
/*
 * haulrun: can a library be put before this program's C library? Not if there is none (a static
 * program, Go), if the loader would refuse (setuid), or if it is not the loader that this build of
 * the library is for. A program that isn't recognised is let through: exec() judges it better.
 */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "haulrun.h"

#define ELF_SCRIPTS 4		/* interpreters of interpreters that the kernel follows */
#define ELF_NOTE_GO 4		/* type of the note with Go's build id */
#define ELF_TABLE_MAX 65536	/* bytes of program headers or notes: more is no program */

static const char elf_instead[] =
"a program that makes its sockets with IPPROTO_HAUL (protocol 253) needs no haulrun";

struct elf_segment {
	ElfW(Phdr)	header;
};

struct elf_note {
	ElfW(Nhdr)	header;
};

/* the parts of an ELF file that tell */
struct elf {
	ElfW(Ehdr)	head;
	char		interp[PATH_MAX];
	bool		go;
};

/* @size bytes at @offset, to be freed; NULL: not there */
static void *elf_read(int fd, size_t offset, size_t size)
{
	void *data = size && size <= ELF_TABLE_MAX ? malloc(size) : NULL;

	if (data && pread(fd, data, size, offset) != (ssize_t)size) {
		free(data);
		return NULL;
	}
	return data;
}

/* is there a note of Go's in the segment? */
static bool elf_has_go_note(int fd, size_t offset, size_t end)
{
	char *notes = elf_read(fd, offset, end);
	size_t at = 0;
	bool found = false;

	while (notes && !found && at + sizeof(struct elf_note) <= end) {
		const struct elf_note *note = (void *)(notes + at);
		size_t name = at + sizeof(*note);
		size_t namesz = note->header.n_namesz, descsz = note->header.n_descsz;

		if (namesz > end || descsz > end)
			break;
		found = note->header.n_type == ELF_NOTE_GO && namesz == 4 && name + 4 <= end &&
			!memcmp(notes + name, "Go\0", 4);
		at = name + ((namesz + 3) & ~3ul) + ((descsz + 3) & ~3ul);
	}
	free(notes);
	return found;
}

static void elf_segments(int fd, struct elf *elf)
{
	size_t count = elf->head.e_phnum, i, len;
	struct elf_segment *all = elf_read(fd, elf->head.e_phoff, count * sizeof(*all));

	for (i = 0; all && i < count; i++) {
		size_t at = all[i].header.p_offset, size = all[i].header.p_filesz;

		if (all[i].header.p_type == PT_INTERP) {
			len = size < PATH_MAX ? size : PATH_MAX - 1;
			if (pread(fd, elf->interp, len, at) < 0)
				len = 0;
			elf->interp[len] = 0;
		} else if (all[i].header.p_type == PT_NOTE) {
			elf->go |= elf_has_go_note(fd, at, size);
		}
	}
	free(all);
}

/* 0: an ELF file, 1: another file, its first bytes in @elf->interp; -1: it can't be read */
static int elf_load(const char *path, struct elf *elf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	memset(elf, 0, sizeof(*elf));
	if (fd < 0)
		return -1;
	len = pread(fd, &elf->head, sizeof(elf->head), 0);
	if (len == sizeof(elf->head) && !memcmp(elf->head.e_ident, ELFMAG, SELFMAG)) {
		if (elf->head.e_phentsize == sizeof(struct elf_segment))
			elf_segments(fd, elf);
		close(fd);
		return 0;
	}
	len = pread(fd, elf->interp, sizeof(elf->interp) - 1, 0);
	elf->interp[len < 0 ? 0 : len] = 0;
	close(fd);
	return len < 0 ? -1 : 1;
}

/* "#!/bin/sh -e" becomes "/bin/sh"; NULL: it is no script */
static char *elf_interpreter(char *text)
{
	if (strncmp(text, "#!", 2))
		return NULL;
	text += 2;
	text += strspn(text, " \t");
	text[strcspn(text, " \t\n")] = 0;
	return *text ? text : NULL;
}

static const char *elf_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Does exec() change who the process is? Then the loader takes no libraries from it. */
static bool elf_is_privileged(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (st.st_mode & S_ISUID && st.st_uid != getuid())
		return true;
	if (st.st_mode & S_ISGID && st.st_mode & 0010 && st.st_gid != getgid())
		return true;
	return getuid() && getxattr(path, "security.capability", NULL, 0) > 0;
}

/**
 * elf_refusal - why a preloaded library would not be heard
 * @path:	the program's file
 * @instead:	set to what works instead, when there is a why
 *
 * Return: the reason, to follow the program's name in a sentence; NULL: nothing speaks against it
 */
const char *elf_refusal(const char *path, const char **instead)
{
	struct elf elf, own;
	char script[PATH_MAX];
	int depth, kind;

	*instead = elf_instead;
	for (depth = 0; depth <= ELF_SCRIPTS; depth++) {
		kind = elf_load(path, &elf);
		if (kind <= 0)
			break;
		/* a script's own setuid bit counts for nothing */
		path = elf_interpreter(elf.interp);
		if (!path)
			return NULL;
		snprintf(script, sizeof(script), "%s", path);
		path = script;
	}
	if (elf_is_privileged(path))
		return "gains privileges (setuid, setgid, capabilities): nothing can be preloaded";
	if (kind || elf_load("/proc/self/exe", &own))
		return NULL;
	if (elf.head.e_machine != own.head.e_machine ||
	    elf.head.e_ident[EI_CLASS] != own.head.e_ident[EI_CLASS])
		return "is for another architecture than haulrun's library";
	if (elf.go)
		return "is written in Go, whose programs call the kernel without a C library";
	if (!*elf.interp)
		return "is statically linked: no library can be put before its C library";
	if (*own.interp && strcmp(elf_base(elf.interp), elf_base(own.interp)))
		return "has another dynamic loader than haulrun's library is made for";
	return NULL;
}
