/* SPDX-License-Identifier: MIT */
/* What a record is once it is in memory, and how one is decoded.
 *
 * record_decode() takes one top-level object off a byte range and checks it whole: its length, the
 * type of every field, every limit of trace_format.h. Collector and reader both use it, so the
 * grammar of the format is written down once. Unknown tags of a newer minor version decode as
 * `tag` with `known` false and are passed over; extra trailing fields of known tags as well. */
#ifndef HEAPWISE_TRACE_RECORD_H
#define HEAPWISE_TRACE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace_format.h"
#include "trace/unpack.h"

/* What a ring's short numbers count from. Zero it at a stream's start; set both fields from the
 * head of each chunk. record_decode() moves it on. */
struct record_base {
    uint64_t ticks;
    uint64_t address;
};

struct record_block {
    uint64_t address; /* 0 for ends without one */
    uint64_t size_bytes;
    uint64_t usable_bytes; /* 0 in releases and begins */
    uint64_t alignment;    /* 0 where the call named none */
    union {
        uint32_t stack;      /* stream's stack id, 0 unknown */
        uint32_t timed_call; /* TRACE_CALL_TIME: trace_timed_call; its cycles are in size_bytes */
    };
    uint8_t resize_call; /* trace_resize_call */
};

struct record_image {
    uint32_t image_id;
    int32_t pid;
    int32_t parent_pid;
    uint32_t parent_image;      /* image this one was forked from; 0 after an exec */
    uint32_t fork_id;           /* of the parent's TRACE_FORK; 0 where no hook saw the fork */
    uint64_t start_clock_ticks; /* field 22 of /proc/PID/stat; tells reused pids apart */
    struct unpack_text executable;
    struct unpack_text allocator; /* module that serves malloc */
    uint32_t n_arguments;
    struct unpack_cursor arguments; /* n_arguments texts, checked; take them with unpack_text() */
};

struct record_io {
    uint8_t op; /* enum io_op, or a newer one */
    int32_t fd;
    uint64_t requested_bytes; /* of a seek: whence */
    int64_t result;           /* bytes, a position, 0; -errno */
    uint64_t took_ticks;
    uint32_t stack;  /* stream's stack id, 0 unknown */
    uint64_t buffer; /* address of the memory, of the first piece; 0 none */
    int64_t detail;  /* positional calls: offset; copies: descriptor written to; stdio: calls */
};

struct record_path_call {
    uint8_t op;
    int32_t folder_fd; /* AT_FDCWD: the working folder */
    int64_t result;    /* the new descriptor or 0; -errno */
    uint64_t took_ticks;
    uint32_t stack;
    struct unpack_text path; /* as the program gave it */
};

struct record_fd_is {
    int32_t fd;
    struct unpack_text name;
    uint8_t kind;         /* trace_fd_kind */
    uint32_t flags;       /* of open(2), as F_GETFL tells them */
    int64_t offset_bytes; /* its position now, -1 where it has none */
    uint64_t device, inode, size_bytes;
};

struct record_kernel_io {
    int32_t pid;    /* TRACE_PROCESS_IO */
    uint8_t moment; /* TRACE_KERNEL_IO: trace_kernel_io_moment */
    uint64_t n_reads, n_writes, read_bytes, written_bytes;
};

struct record {
    uint8_t tag;    /* trace_tag */
    bool known;     /* false: of a newer minor version, passed over */
    uint64_t ticks; /* absolute; 0 for records without a stamp */
    union {
        struct record_block
            block; /* allocations, resizes, releases; maps: address, size_bytes, stack */
        struct {
            uint32_t id, parent;
            uint64_t return_address;
        } node;
        struct {
            uint32_t id;
            struct unpack_text path, build_id;
            uint64_t bias, start, end;
        } module;
        struct record_image image;
        struct {
            int32_t tid;
            struct unpack_text name;
        } thread;
        struct {
            uint32_t id;
        } fork; /* TRACE_FORK, TRACE_FORK_FAIL */
        struct {
            struct unpack_text path;
            int32_t error;
        } exec;
        struct {
            int32_t pid;
            bool has_status;
            int32_t wait_status;
        } exit; /* CHILD_EXIT, PROCESS_END */
        struct {
            uint32_t what;
            struct unpack_text text;
        } remark;
        struct record_io io; /* TRACE_IO, TRACE_STDIO */
        struct record_path_call path_call;
        struct {
            uint8_t op;
            int32_t fd, other_fd; /* duplicated from, accepted on, the pipe's other end; -1 none */
            uint32_t stack;
        } fd_new;
        struct record_fd_is fd_is;
        struct {
            uint32_t first, last; /* last may be UINT32_MAX */
        } fd_close;
        struct {
            struct unpack_text path;
        } folder;
        struct record_kernel_io kernel_io; /* TRACE_KERNEL_IO, TRACE_PROCESS_IO */
        struct {
            uint64_t major, minor;
            struct unpack_text tool_version;
        } header;
        struct {
            uint32_t n_pairs;
            struct unpack_cursor pairs;
        } map; /* RUN, END: checked text keys */
        struct {
            uint64_t monotonic_ns;
            int64_t realtime_ns;
        } clock;
        struct {
            uint32_t id, image_id;
            int32_t pid, tid;
            uint8_t ring;
        } stream;
        struct {
            uint32_t stream, n_bytes;
            uint64_t n_records;
            struct record_base base;
        } chunk;
        struct {
            int32_t pid;
            uint64_t bytes;
        } rss;
        struct {
            uint32_t stream;
            uint32_t n_pairs;
            struct unpack_cursor pairs;
        } stream_end;
        struct {
            uint32_t stream;
            uint64_t n_events;
            uint32_t reason;
        } lost;
        struct {
            int32_t pid;
            uint32_t reason;
            struct unpack_text path;
        } unattached;
        struct {
            uint32_t reason;
        } stopped;
        struct {
            uint32_t id;
            struct unpack_text text;
        } string;
        struct {
            uint32_t id, path_string;
            struct unpack_text build_id;
        } object;
        struct {
            uint32_t object;
            uint64_t offset;
            uint32_t n_frames;
            struct unpack_cursor frames;
        } symbol;
    };
};

/* One frame of a TRACE_SYMBOL; strings by id, 0 unknown. */
struct record_frame {
    uint32_t function, file, line;
    bool inlined;
};

/* Decode the next top-level object of `cursor`, passing over padding before it.
 *
 * `base` is read and moved on by ring records (tag < TRACE_TAG_FILE); may be NULL where only file
 * records are legal. Text and inner cursors point into the input.
 * Returns 0; -EAGAIN when the input ends inside the object or holds padding only (the cursor stands
 * at the object's start then); -EBADMSG when it breaks the grammar (the cursor stands there too). */
int record_decode(struct unpack_cursor *cursor, struct record_base *base,
                  struct record *record_out);

/* Take the next frame off a symbol's `frames`. The same errors. */
int record_next_frame(struct unpack_cursor *frames, struct record_frame *frame_out);

/* The name of a tag as `dump` prints it ("malloc", "realloc_end"), NULL for an unknown one. */
const char *record_name(uint8_t tag);

/* What kind of event a tag is; the metrics count by these. */
static inline bool record_is_allocation(uint8_t tag)
{
    return tag >= TRACE_MALLOC && tag <= TRACE_MALLOCX;
}
static inline bool record_is_release(uint8_t tag)
{
    return tag >= TRACE_FREE && tag <= TRACE_SDALLOCX;
}
static inline bool record_is_io(uint8_t tag)
{
    return tag >= TRACE_IO && tag <= TRACE_FD_NEW;
}

#endif
