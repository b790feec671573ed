/* SPDX-License-Identifier: MIT */
/* How a recording stops early without ever leaving a broken file, and how it is released. */
#include "collector/recording.h"

#include <sys/socket.h>

#include "collector/scribe.h"

static const uint64_t sane_count = UINT64_C(1) << 32; /* more programs than that are scribble */

void recording_ring_bell(const struct recording *recording)
{
    /* A full socket already holds a ring; a closed one has nobody to hear it. */
    if (send(recording->bell_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return;
}

void recording_enter(const struct recording *recording, enum board_phase phase)
{
    atomic_store(&recording->board->phase, phase);
    recording_ring_bell(recording);
}

void recording_stop(struct recording *recording)
{
    const int error = compress_error(recording->out);
    const enum trace_stop_reason reason = trace_file_stop_reason(&recording->file, error);
    bool cut = false;
    session_stop_recording(&recording->session);
    recording->drain.discarding = true;
    atomic_store(&recording->board->stop_reason, reason);
    if (compress_stop(recording->out, &cut)) {
        recording->broken = true;
        return;
    }
    /* What was refused or cut off was counted and is not there. */
    const uint64_t n_kept = compress_mark(recording->out);
    if (recording->drain.n_events > n_kept) {
        recording->drain.n_lost[TRACE_LOSS_STOPPED] += recording->drain.n_events - n_kept;
        recording->drain.n_events = n_kept;
    }
    scribe_stopped(recording->out, ticks_now(recording->session.tsc), reason);
    compress_end_frame(recording->out);
}

void recording_write_unattached(struct recording *recording)
{
    for (uint32_t reason = 1; reason < BOARD_REASONS; reason++) {
        const uint64_t n = atomic_load(&recording->session.header->n_unattached[reason]);
        const uint64_t ticks = ticks_now(recording->session.tsc);
        if (n <= recording->n_unattached[reason] || n > sane_count)
            continue;
        /* One record each, as many as anyone will read. */
        for (uint64_t i = recording->n_unattached[reason]; i < n && i < 1000; i++)
            if (!recording->drain.discarding)
                scribe_unattached(recording->out, ticks, 0, reason, "");
        recording->n_unattached[reason] = n;
        atomic_store(&recording->board->n_unattached[reason], n);
    }
}

void recording_fini(struct recording *recording)
{
    coarse_clock_fini(&recording->clock);
    drain_fini(&recording->drain);
    tree_fini(&recording->tree);
    places_free(recording->places);
    compress_free(recording->out);
    trace_file_close(&recording->file);
    slots_fini(&recording->slots);
    session_close(&recording->session);
}
