/* SPDX-License-Identifier: MIT */
/* Which records a heapwise trace is made of, and their limits.
 *
 * This header and FORMAT.md are the one description of the format; the shim and the collector write
 * by it, the reader reads by it. Every record is one msgpack array whose first element is its tag.
 * Tags below TRACE_TAG_FILE travel through a thread's ring and lie inside a chunk; the others are
 * written by the collector alone. A top-level nil (0xc0) is padding and carries nothing.
 *
 * Two ways to shorten numbers are used in ring records only, and restart at each chunk:
 *   dt  ticks since the stream's previous stamped record (signed; the first one since base_ticks)
 *   da  bytes from the stream's previous block address (signed; the first one from base_address)
 */
#ifndef HEAPWISE_TRACE_FORMAT_H
#define HEAPWISE_TRACE_FORMAT_H

#define TRACE_NAME          "heapwise-trace"
#define TRACE_VERSION_MAJOR 1
#define TRACE_VERSION_MINOR 3

/* Without --free-stacks: one release in so many has its stack. */
#define TRACE_FREES_SAMPLED 64

enum trace_tag {
    /* Allocations: [tag, dt, da, size, stack {, usable {, alignment}}].
     * usable is left out where it equals trace_usual_usable(size). */
    TRACE_MALLOC = 1,
    TRACE_CALLOC = 2,
    TRACE_REALLOC_NEW = 3,      /* realloc(NULL, n) */
    TRACE_REALLOCARRAY_NEW = 4, /* reallocarray(NULL, n, m) */
    TRACE_POSIX_MEMALIGN = 5,
    TRACE_ALIGNED_ALLOC = 6,
    TRACE_MEMALIGN = 7,
    TRACE_VALLOC = 8,
    TRACE_PVALLOC = 9,
    TRACE_MALLOCX = 10,

    /* Resizing an existing block: a begin, then exactly one of end, fail, freed in the same stream.
     * The begin is stamped before the allocator is called, the end after it succeeded. */
    TRACE_REALLOC_BEGIN = 16, /* [tag, dt, da(old), resize_call] */
    TRACE_REALLOC_END = 17,   /* [tag, dt, da(new), size, stack {, usable {, alignment}}] */
    TRACE_REALLOC_FAIL = 18,  /* [tag, dt]: the block of the begin lives on unchanged */
    TRACE_REALLOC_FREED = 19, /* [tag, dt {, stack}]: realloc(p, 0) gave the block back */

    /* Releases: [tag, dt, da {, stack}]; stamped before the allocator is called. RUN says how many have
     * a stack. */
    TRACE_FREE = 24,
    TRACE_FREE_SIZED = 25,
    TRACE_FREE_ALIGNED_SIZED = 26,
    TRACE_CFREE = 27,
    TRACE_DALLOCX = 28,
    TRACE_SDALLOCX = 29,

    /* Anonymous memory, addresses absolute. An unmap or remap begin is followed in the same stream
     * by TRACE_MAP_FAIL when the kernel refused, and a remap begin else by TRACE_REMAP_END. */
    TRACE_MMAP = 32,        /* [tag, dt, address, bytes, stack] */
    TRACE_MUNMAP = 33,      /* [tag, dt, address, bytes] */
    TRACE_REMAP_BEGIN = 34, /* [tag, dt, old_address, old_bytes] */
    TRACE_REMAP_END = 35,   /* [tag, dt, new_address, new_bytes, stack] */
    TRACE_MAP_FAIL = 36,    /* [tag, dt] */

    /* How long the allocator itself took, of one call in 64. */
    TRACE_CALL_TIME = 37, /* [tag, dt, trace_timed_call, cycles] */

    /* What events refer to. Stack ids belong to one stream and are given in order from 1. */
    TRACE_NODE = 40,        /* [tag, id, parent_id, return_address] */
    TRACE_TREE_RESET = 41,  /* [tag]: ids start again at 1 */
    TRACE_MODULE = 42,      /* [tag, dt, module_id, path, build_id, bias, start, end] */
    TRACE_MODULE_GONE = 43, /* [tag, dt, module_id] */

    /* Processes and threads. */
    TRACE_IMAGE = 44,  /* [tag, dt, map]: first record of the attaching thread; keys in FORMAT.md */
    TRACE_THREAD = 45, /* [tag, dt, tid, name]: at a thread's first event and at renaming */
    TRACE_FORK = 46,   /* [tag, dt, fork_id]: before fork; the child's image names it */
    TRACE_FORK_FAIL = 47,  /* [tag, dt, fork_id] */
    TRACE_EXEC = 48,       /* [tag, dt, path]: before exec */
    TRACE_EXEC_FAIL = 49,  /* [tag, dt, errno] */
    TRACE_CHILD_EXIT = 50, /* [tag, dt, pid, wait_status]: seen by a hooked wait */
    TRACE_REMARK = 51,     /* [tag, dt, remark, text] */

    /* I/O: stamped when the call returned; `op` is of trace/io_ops.h, `result` what the kernel
     * returned, -errno where it refused, `took` the call's ticks. */
    TRACE_IO = 52,        /* [tag, dt, op, fd, requested, result, took, stack, buffer, detail] */
    TRACE_STDIO = 53,     /* the same, made by stdio */
    TRACE_PATH_CALL = 54, /* [tag, dt, op, folder_fd, result, took, stack, path] */
    TRACE_FD_NEW = 55,    /* [tag, dt, op, fd, other_fd, stack] */
    TRACE_FD_IS = 56,     /* [tag, dt, fd, name, kind, flags, offset, device, inode, size] */
    TRACE_FD_CLOSE = 57,  /* [tag, dt, first, last]: before the call */
    TRACE_FOLDER = 58,    /* [tag, dt, path]: the working folder from now on */
    TRACE_KERNEL_IO = 59, /* [tag, dt, moment, reads, writes, read_bytes, written_bytes] */

    TRACE_TAG_FILE = 64,

    /* The file's own records, written by the collector; all times absolute. */
    TRACE_HEADER = 64, /* [tag, TRACE_NAME, major, minor, tool_version]: first object of a file */
    TRACE_RUN = 65,    /* [tag, map]: command, folder, host; keys in FORMAT.md */
    TRACE_CLOCK = 66,  /* [tag, ticks, monotonic_ns, realtime_ns] */
    TRACE_STREAM = 67, /* [tag, stream, image_id, pid, tid, ring]: ring 0 main, 1 signal */
    TRACE_CHUNK = 68, /* [tag, stream, n_bytes, n_records, base_ticks, base_address] then n_bytes */
    TRACE_WATERMARK = 69,   /* [tag, ticks]: no record written later is stamped before it */
    TRACE_RSS = 70,         /* [tag, ticks, pid, bytes] */
    TRACE_STREAM_END = 71,  /* [tag, stream, map of counters]: nothing more comes from it */
    TRACE_PROCESS_END = 72, /* [tag, ticks, pid, wait_status or nil] */
    TRACE_LOST = 73,        /* [tag, stream or 0, n_events, loss_reason] */
    TRACE_UNATTACHED = 74,  /* [tag, ticks, pid, reason, path] */
    TRACE_STOPPED = 75,     /* [tag, ticks, stop_reason]: recording ended before the program did */
    /* [tag, ticks, pid, reads, writes, read_bytes, written_bytes]: the kernel's count of a process
     * that ended, with those of the children it waited for */
    TRACE_PROCESS_IO = 76,
    TRACE_STRING = 80, /* [tag, string_id, text] */
    TRACE_OBJECT = 81, /* [tag, object_id, path_string, build_id] */
    TRACE_SYMBOL = 82, /* [tag, object_id, offset, [[function, file, line, inlined]..]] */
    TRACE_END = 90,    /* [tag, ticks, map of totals]: last object of a whole trace */
};

/* Which call resized a block; the fourth element of TRACE_REALLOC_BEGIN. */
enum trace_resize_call {
    TRACE_CALL_REALLOC = 0,
    TRACE_CALL_REALLOCARRAY = 1,
    TRACE_CALL_RALLOCX = 2,
    TRACE_CALL_XALLOCX = 3,
};

/* Which call of its stream a TRACE_CALL_TIME is about; its third element. */
enum trace_timed_call {
    TRACE_TIMED_ACQUISITION = 0, /* the allocation or the resize's end just before */
    TRACE_TIMED_RELEASE = 1,     /* the release just before */
};

/* Things worth telling the user once; third element of TRACE_REMARK. */
enum trace_remark {
    TRACE_REMARK_DEEPBIND = 1,     /* text: the library opened with RTLD_DEEPBIND */
    TRACE_REMARK_OWN_MALLOC = 2,   /* text: the module whose malloc the program really uses */
    TRACE_REMARK_USER_CHANGED = 3, /* text: the new user id */
    TRACE_REMARK_MARK = 4,         /* text: what the program said by heapwise_mark() */
    TRACE_REMARK_STDIO_UNSEEN = 5, /* text: why transfers made by stdio are not seen */
};

/* What a descriptor leads to; fifth element of TRACE_FD_IS. */
enum trace_fd_kind {
    TRACE_FD_OTHER = 0, /* eventfd, epoll, signalfd, ... */
    TRACE_FD_FILE = 1,
    TRACE_FD_FOLDER = 2,
    TRACE_FD_PIPE = 3,
    TRACE_FD_SOCKET = 4,
    TRACE_FD_TERMINAL = 5,
    TRACE_FD_CHARACTER = 6, /* another character device */
    TRACE_FD_BLOCK = 7,
};

/* When a TRACE_KERNEL_IO was read; third element. */
enum trace_kernel_io_moment {
    TRACE_KERNEL_IO_START = 0, /* as the shim attached: the loader's own reads, or the parent's */
    TRACE_KERNEL_IO_END = 1,   /* as late as the process could, its last flush may follow */
    TRACE_KERNEL_IO_OWN = 2,   /* no moment: the shim's own since START, which END is without */
};

enum trace_loss_reason {
    TRACE_LOSS_RING_FULL = 1, /* --on-full drop, or a collector that made no progress */
    TRACE_LOSS_NESTED = 2,    /* a hook inside a hook inside a hook */
    TRACE_LOSS_NO_SLOT = 3,   /* no ring could be had or mapped for a thread */
    TRACE_LOSS_CORRUPT = 4,   /* the program wrote over its ring */
    TRACE_LOSS_STOPPED = 5,   /* after recording stopped (size limit, full disk) */
};

enum trace_stop_reason {
    TRACE_STOP_MAX_SIZE = 1,
    TRACE_STOP_NO_SPACE = 2,   /* ENOSPC, EDQUOT */
    TRACE_STOP_FILE_LIMIT = 3, /* EFBIG: RLIMIT_FSIZE or the file system's limit */
    TRACE_STOP_IO_ERROR = 4,
};

/* Why a process could not be recorded; fourth element of TRACE_UNATTACHED. */
enum trace_unattached {
    TRACE_UNATTACHED_STATIC = 1,
    TRACE_UNATTACHED_SETUID = 2,
    TRACE_UNATTACHED_FOREIGN = 3, /* other class, machine or C library */
    TRACE_UNATTACHED_UNREADABLE =
        4,                        /* the new image could not read the shim (chroot, other user) */
    TRACE_UNATTACHED_UNKNOWN = 5, /* seen running, never attached */
};

/* A tick of a trace whose clock is the time stamp counter: 3 or 4 ns, while one reading of the counter takes 5 to
 * 16. Nearly all differences between a program's events then fit one byte, where cycles take three. */
enum { TRACE_CYCLES_PER_TICK = 8 };

enum trace_limits {
    TRACE_MAX_DEPTH = 1024,      /* frames per stack */
    TRACE_MAX_TEXT_BYTES = 4096, /* a path, an argument, a name; longer ones are cut */
    TRACE_MAX_ARGUMENTS = 1024,
    TRACE_MAX_BUILD_ID_BYTES = 64,
    TRACE_MAX_RECORD_BYTES = 32768, /* any ring record */
    TRACE_MAX_NESTING = 16,
};

/* The usable size glibc's malloc gives on x86-64 for a request that is carved from an arena:
 * room for the size word, rounded up to 16, at least 32, less the size word. Source: glibc
 * malloc/malloc.c, request2size. */
#define TRACE_USUAL_USABLE(size)                                                                   \
    ((size) <= 24 ? (unsigned long)24 : ((((unsigned long)(size) + 8 + 15) & ~15UL) - 8))

#endif
