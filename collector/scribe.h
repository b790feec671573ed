/* SPDX-License-Identifier: MIT */
/* Writing the file's own records (tags from TRACE_TAG_FILE on) into the compressed stream.
 *
 * Each call writes one record and returns what compress_write() says. Texts are cut to the format's
 * limits. The layouts are those of trace/trace_format.h. */
#ifndef HEAPWISE_COLLECTOR_SCRIBE_H
#define HEAPWISE_COLLECTOR_SCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/compress.h"
#include "collector/ticks.h"
#include "trace/record.h"

/* What RUN says of the host and the command. */
struct scribe_run {
    char *const *command; /* ends with NULL */
    const char *folder, *kernel, *libc, *cpu;
    uint32_t cores, page_bytes;
    bool tsc;
    uint64_t started_realtime_ns;
    int root_pid;
    uint32_t depth, flags;
};

/* What a stream says of itself at its end. */
struct scribe_stream_totals {
    uint64_t n_fast, n_fallback, n_truncated, n_stdio_calls;
};

struct scribe_end {
    uint64_t ticks;
    uint64_t n_events, n_streams, n_lost;
    bool has_status;
    int wait_status;
};

int scribe_header(struct compress *out);
int scribe_run(struct compress *out, const struct scribe_run *run);
int scribe_clock(struct compress *out, const struct ticks_moment *moment);
int scribe_stream(struct compress *out, uint32_t stream, uint32_t image_id, int pid, int tid,
                  unsigned ring);

/* Write a chunk: `head` (its chunk fields) and the head->chunk.n_bytes that stand in what was reserved
 * last with compress_reserve(), behind SCRIBE_CHUNK_HEAD_BYTES. `mark` as for compress_commit(). */
int scribe_chunk(struct compress *out, const struct record *head, uint8_t *reserved, uint64_t mark);
enum { SCRIBE_CHUNK_HEAD_BYTES = 64 };

int scribe_watermark(struct compress *out, uint64_t ticks);
int scribe_rss(struct compress *out, uint64_t ticks, int pid, uint64_t n_bytes);
int scribe_stream_end(struct compress *out, uint32_t stream,
                      const struct scribe_stream_totals *totals);
int scribe_process_end(struct compress *out, uint64_t ticks, int pid, const int *wait_status);
int scribe_process_io(struct compress *out, uint64_t ticks, const struct record_kernel_io *io);
int scribe_lost(struct compress *out, uint32_t stream, uint64_t n_events, uint32_t reason);
int scribe_unattached(struct compress *out, uint64_t ticks, int pid, uint32_t reason,
                      const char *path);
int scribe_stopped(struct compress *out, uint64_t ticks, uint32_t reason);
int scribe_string(struct compress *out, uint32_t id, const char *text);
int scribe_object(struct compress *out, uint32_t id, uint32_t path_string, const char *build_id);
int scribe_symbol(struct compress *out, uint32_t object, uint64_t offset,
                  const struct record_frame *frames, size_t n_frames);
int scribe_end(struct compress *out, const struct scribe_end *end);

#endif
