/* SPDX-License-Identifier: MIT */
/* How the run's facts are read: maps with text keys; unknown keys and values of another type than
 * expected are passed over. */
#include "reader/runfacts.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "trace/session_layout.h"

static bool key_is(const struct unpack_text *key, const char *name)
{
    return key->n_bytes == strlen(name) && memcmp(key->bytes, name, key->n_bytes) == 0;
}

static int take_command(struct runfacts *facts, struct unpack_cursor *cursor)
{
    struct profile *const profile = facts->profile;
    uint32_t n;
    if (unpack_array(cursor, &n) || n > TRACE_MAX_ARGUMENTS)
        return 0;
    const char **const command = storage_array(facts->storage, n, sizeof *command);
    if (!command)
        return -ENOMEM;
    profile->n_command = 0;
    profile->command = command;
    for (uint32_t i = 0; i < n; i++) {
        struct unpack_text text;
        if (unpack_text(cursor, &text))
            break;
        command[i] = storage_text(facts->storage, text.bytes, text.n_bytes);
        if (!command[i])
            return -ENOMEM;
        profile->n_command++;
    }
    return 0;
}

static int take_text(struct runfacts *facts, struct unpack_cursor *cursor, const char **text_out)
{
    struct unpack_text text;
    if (unpack_text(cursor, &text))
        return 0;
    const char *const copy = storage_text(facts->storage, text.bytes, text.n_bytes);
    if (!copy)
        return -ENOMEM;
    *text_out = copy;
    return 0;
}

static int set_started(struct runfacts *facts, uint64_t realtime_ns)
{
    const time_t when = (time_t)(realtime_ns / 1000000000);
    struct tm utc;
    char text[40];
    if (!gmtime_r(&when, &utc) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return 0;
    facts->profile->started = storage_text(facts->storage, text, strlen(text));
    return facts->profile->started ? 0 : -ENOMEM;
}

static void take_flags(struct runfacts *facts, uint64_t flags)
{
    facts->no_io = flags & SESSION_NO_IO;
    if (!facts->tells_free_stacks)
        facts->profile->free_stacks = flags & SESSION_FREE_STACKS ? 1 : 0;
}

static void take_free_stacks(struct runfacts *facts, uint32_t one_in)
{
    facts->tells_free_stacks = true;
    facts->profile->free_stacks = one_in;
}

static int take_run_pair(struct runfacts *facts, const struct unpack_text *key,
                         struct unpack_cursor cursor)
{
    struct profile *const profile = facts->profile;
    const char *clock = "";
    uint64_t number = 0;
    int error = 0;
    if (key_is(key, "command"))
        return take_command(facts, &cursor);
    if (key_is(key, "kernel"))
        return take_text(facts, &cursor, &profile->kernel);
    if (key_is(key, "libc"))
        return take_text(facts, &cursor, &profile->libc);
    if (key_is(key, "cpu"))
        return take_text(facts, &cursor, &profile->cpu);
    if (key_is(key, "folder"))
        return take_text(facts, &cursor, &facts->folder);
    if (key_is(key, "clock")) {
        error = take_text(facts, &cursor, &clock);
        facts->ticks_are_ns = strcmp(clock, "monotonic") == 0;
    } else if (unpack_uint(&cursor, &number) == 0) {
        if (key_is(key, "cores"))
            profile->n_cores = (uint32_t)number;
        else if (key_is(key, "started_ns"))
            error = set_started(facts, number);
        else if (key_is(key, "flags"))
            take_flags(facts, number);
        else if (key_is(key, "free_stacks") && number <= UINT32_MAX)
            take_free_stacks(facts, (uint32_t)number);
        else if (key_is(key, "cycles_per_tick"))
            facts->cycles_per_tick = number;
        else if (key_is(key, "root_pid") && number <= INT32_MAX)
            facts->root_pid = (int32_t)number;
    }
    return error;
}

int runfacts_take_header(struct runfacts *facts, const struct record *record)
{
    const struct unpack_text version = record->header.tool_version;
    const char *const copy = storage_text(facts->storage, version.bytes, version.n_bytes);
    if (!copy)
        return -ENOMEM;
    facts->profile->tool_version = copy;
    return 0;
}

int runfacts_take_run(struct runfacts *facts, const struct record *record)
{
    struct unpack_cursor cursor = record->map.pairs;
    int error = 0;
    for (uint32_t i = 0; i < record->map.n_pairs && error == 0; i++) {
        struct unpack_text key;
        if (unpack_text(&cursor, &key))
            break;
        error = take_run_pair(facts, &key, cursor);
        if (unpack_skip(&cursor, TRACE_MAX_NESTING))
            break;
    }
    return error;
}

void runfacts_take_end(struct runfacts *facts, const struct record *record)
{
    struct profile *const profile = facts->profile;
    struct unpack_cursor cursor = record->map.pairs;
    for (uint32_t i = 0; i < record->map.n_pairs; i++) {
        struct unpack_text key;
        int64_t value;
        if (unpack_text(&cursor, &key))
            break;
        struct unpack_cursor ahead = cursor;
        if (key_is(&key, "status") && unpack_int(&ahead, &value) == 0) {
            profile->has_status = true;
            profile->wait_status = (int32_t)value;
        }
        if (unpack_skip(&cursor, TRACE_MAX_NESTING))
            break;
    }
}
