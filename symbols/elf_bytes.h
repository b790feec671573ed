/* SPDX-License-Identifier: MIT */
/* The bytes of an ELF file that names come from.
 *
 * Code and data, most of a library, say nothing here: they are left out, and read as zero. What is
 * read is copied, so that a file cut short by its owner while names are looked up cannot raise SIGBUS.
 * Only where that would be more than 4 MiB the file is mapped instead, since copying takes up to a
 * millisecond per MiB. */
#ifndef HEAPWISE_SYMBOLS_ELF_BYTES_H
#define HEAPWISE_SYMBOLS_ELF_BYTES_H

#include <stddef.h>

enum elf_bytes_wanted {
    ELF_BYTES_NAMES, /* headers, notes, the interpreter's name, symbols, links to debug files */
    ELF_BYTES_DWARF, /* these, and what .debug_* and .zdebug_* sections hold */
};

struct elf_bytes {
    unsigned char *bytes; /* private, writable; munmap() it */
    size_t size_bytes;    /* of the whole file */
};

/* Read the regular file `fd`, which stays open. Whether it is an ELF file at all is not said: what has
 * an unusual header is read whole.
 * Returns 0; -EINVAL when it is no regular file; -ENOEXEC when it is too short; -ENOMEM; or the errno
 * of fstat/read, negative. */
int elf_bytes_read(int fd, enum elf_bytes_wanted wanted, struct elf_bytes *bytes_out);

#endif
