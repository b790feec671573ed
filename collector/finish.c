/* SPDX-License-Identifier: MIT */
/* In which order a trace ends: first all facts, as one whole frame, so that nothing that happens
 * while names are looked up (a damaged ELF file, a full disk) can cost any of them; then names; then
 * the end mark. What comes last, packing the file anew, changes no fact. */
#include "collector/finish.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "collector/coarse_clock.h"
#include "collector/name_places.h"
#include "collector/recording.h"
#include "collector/repack.h"
#include "collector/scribe.h"

enum { MANY_SLOTS = 8 }; /* for fewer, a thread takes longer than it saves */

/* Should the last writes be refused, use the reserve for what remains. */
static void stop_if_refused(struct recording *recording)
{
    if (compress_error(recording->out) && !recording->drain.discarding)
        recording_stop(recording);
}

/* Programs that go on (the user ended the recording, or children are not followed) are told first,
 * then what they had published is taken. */
static void take_the_last_events(struct recording *recording)
{
    struct tree_news news;
    session_stop_recording(&recording->session);
    coarse_clock_fini(&recording->clock); /* nobody needs it while names are looked up */
    drain_run(&recording->drain);
    tree_reap(&recording->tree, ticks_now(recording->session.tsc), &news);
    drain_run(&recording->drain);
    stop_if_refused(recording);
}

/* The command itself never attached: say so, with its path. */
static void note_unattached_command(struct recording *recording)
{
    atomic_store(&recording->board->command_attached, recording->tree.command_attached);
    if (recording->tree.command_attached || recording->drain.discarding)
        return;
    scribe_unattached(recording->out, ticks_now(recording->session.tsc), recording->command.pid,
                      TRACE_UNATTACHED_UNKNOWN, recording->settings->command.program);
}

static void write_facts(struct recording *recording)
{
    const struct ticks_moment now = ticks_moment_now(recording->session.tsc);
    drain_finish(&recording->drain);
    tree_sample_rss(&recording->tree, now.ticks, NULL); /* who ended since the last sample */
    tree_write_ends(&recording->tree, recording->out);
    recording_write_unattached(recording);
    note_unattached_command(recording);
    scribe_clock(recording->out, &now);
    compress_end_frame(recording->out);
    stop_if_refused(recording);
    atomic_store(&recording->board->ended_ns, now.monotonic_ns);
}

static void write_names(struct recording *recording)
{
    bool cut;
    if (!recording->settings->names_now)
        return;
    name_places(recording->places, recording->out);
    if (compress_error(recording->out) && compress_stop(recording->out, &cut))
        recording->broken = true;
}

static void write_end(struct recording *recording)
{
    const struct tree *const tree = &recording->tree;
    struct scribe_end end = {
        .ticks = ticks_now(recording->session.tsc),
        .n_events = recording->drain.n_events,
        .n_streams = recording->drain.n_streams,
        .has_status = tree->command_ended,
        .wait_status = tree->command_status,
    };
    for (size_t i = 0; i < 8; i++)
        end.n_lost += recording->drain.n_lost[i];
    scribe_end(recording->out, &end);
    compress_end_frame(recording->out);
}

/* The link to the shim is removed unless somebody may still exec through it. */
static void remove_link(const struct recording *recording)
{
    const char *const folder = recording->settings->link_folder;
    if (!folder || drain_count_live(&recording->drain) > 0)
        return;
    unlink(recording->settings->command.shim_path);
    rmdir(folder);
}

static void *release_rings(void *recording)
{
    slots_fini(&((struct recording *)recording)->slots);
    session_close(&((struct recording *)recording)->session);
    return NULL;
}

/* Nobody looks at the rings any more, and freeing the 14 MB of a run that was no short one takes as long
 * as the names do: let both go on side by side. Who still runs has mapped them for himself. */
static bool begin_release(struct recording *recording, pthread_t *thread_out)
{
    if (recording->slots.n_offered < MANY_SLOTS)
        return false;
    signal(SIGCHLD, SIG_DFL); /* our handler writes to the session */
    return pthread_create(thread_out, NULL, release_rings, recording) == 0;
}

/* Pay for what was put off. Should it not be possible, the trace stays as thick as it is. */
static void pack_anew(struct recording *recording)
{
    const struct trace_file *const file = &recording->file;
    const char *const path = recording->board->trace_path;
    const char *const slash = strrchr(path, '/');
    const struct repack repack = {
        .trace_fd = file->fd,
        .folder_fd = file->folder_fd,
        .name = slash ? slash + 1 : path,
        .debt_bytes = pace_debt_bytes(compress_pace(recording->out), file->n_bytes),
        .unwanted = &recording->board->packing_unwanted,
    };
    if (repack.debt_bytes == 0 || recording->drain.discarding || compress_error(recording->out))
        return;
    recording_enter(recording, BOARD_PACKING);
    if (repack_trace(&repack, &recording->n_packed_bytes))
        recording->n_packed_bytes = 0;
}

static void write_rest(struct recording *recording)
{
    if (!recording->broken)
        write_names(recording);
    if (!recording->broken)
        write_end(recording);
    if (!recording->broken)
        pack_anew(recording);
    trace_file_close(&recording->file);
}

void finish_recording(struct recording *recording)
{
    pthread_t releaser;
    take_the_last_events(recording);
    write_facts(recording);
    remove_link(recording);
    const bool releases = begin_release(recording, &releaser);
    write_rest(recording);
    if (releases)
        pthread_join(releaser, NULL);
}
