/* SPDX-License-Identifier: MIT */
/* How the image record is gathered: raw reads of /proc/self, kept in one private mapping, so that a
 * forked child can announce itself again without opening anything. */
#include "preload/image.h"

#include <string.h>
#include <unistd.h>

#include "preload/event.h"
#include "preload/kernel_io.h"
#include "preload/real.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/syscalls.h"
#include "trace/pack.h"

enum {
    ARGUMENT_BYTES = 8192, /* of the command line; the record must fit a quarter of a small ring */
    ENVIRONMENT_BYTES = 4 << 20,
    STATUS_BYTES = 1 << 20, /* a process may be in 65,536 groups */
    FIXED_BYTES = 512,      /* of the record: keys, numbers, heads */
};

struct image_text {
    char executable[TRACE_MAX_TEXT_BYTES];
    char arguments[ARGUMENT_BYTES]; /* each ends in NUL */
    size_t n_argument_bytes;
    uint64_t start_clock_ticks;
};
static struct image_text *image; /* set once, before a second thread exists */

/* Read a whole file of /proc, at most cap bytes. Returns its length, 0 on failure. */
static size_t read_file(const char *path, char *bytes, size_t cap)
{
    const long fd = sys_open(path, O_RDONLY);
    if (fd < 0)
        return 0;
    size_t n = 0;
    while (n < cap) {
        const long got = sys_read(fd, bytes + n, cap - n);
        kernel_io_own(got);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    sys_close(fd);
    return n;
}

static size_t copy_value(const char *entry, size_t n_entry, const char *name, char *value_out,
                         size_t cap)
{
    const size_t n_name = strlen(name);
    if (n_entry <= n_name || entry[n_name] != '=' || memcmp(entry, name, n_name) != 0)
        return 0;
    const size_t n_value = n_entry - n_name - 1;
    if (n_value >= cap)
        return 0;
    memcpy(value_out, entry + n_name + 1, n_value);
    value_out[n_value] = '\0';
    return n_value;
}

static size_t environment_of_proc(const char *name, char *value_out, size_t cap)
{
    char *const bytes = sys_map(ENVIRONMENT_BYTES);
    if (!bytes)
        return 0;
    const size_t n = read_file("/proc/self/environ", bytes, ENVIRONMENT_BYTES - 1);
    size_t found = 0;
    for (size_t at = 0; at < n && !found; at += strlen(bytes + at) + 1)
        found = copy_value(bytes + at, strlen(bytes + at), name, value_out, cap);
    sys_unmap(bytes, ENVIRONMENT_BYTES);
    return found;
}

size_t image_environment(const char *name, char *value_out, size_t cap)
{
    if (!environ)
        return environment_of_proc(name, value_out, cap);
    size_t found = 0;
    for (char **entry = environ; *entry && !found; entry++)
        found = copy_value(*entry, strlen(*entry), name, value_out, cap);
    return found;
}

static uint32_t number_at(const char *at)
{
    uint32_t value = 0;
    while (*at == ' ' || *at == '\t')
        at++;
    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint32_t)(*at - '0');
    return value;
}

/* Source: proc(5), /proc/pid/status. The name in its first line cannot hold a line's end. */
uint32_t image_count_filters(void)
{
    static const char key[] = "\nSeccomp_filters:";
    char *const text = sys_map(STATUS_BYTES);
    if (!text)
        return 0;
    text[read_file("/proc/self/status", text, STATUS_BYTES - 1)] = '\0';
    const char *const at = strstr(text, key);
    const uint32_t n = at ? number_at(at + sizeof key - 1) : 0;
    sys_unmap(text, STATUS_BYTES);
    return n;
}

/* Field 22 of /proc/self/stat; the command in parentheses may hold anything, so count from the last
 * closing one. Source: proc(5). */
void image_read_start_time(void)
{
    if (!image)
        return;
    char text[1024];
    const size_t n = read_file("/proc/self/stat", text, sizeof text - 1);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    for (unsigned field = 2; at && field < 22; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    uint64_t value = 0;
    for (; at && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    image->start_clock_ticks = value;
}

void image_read(void)
{
    image = sys_map(sizeof *image);
    if (!image)
        return;
    const long n = sys_readlink("/proc/self/exe", image->executable, sizeof image->executable - 1);
    image->executable[n > 0 ? n : 0] = '\0';
    image->n_argument_bytes = read_file("/proc/self/cmdline", image->arguments, ARGUMENT_BYTES - 1);
    image->arguments[image->n_argument_bytes] = '\0';
    image_read_start_time();
}

const char *image_executable(void)
{
    return image ? image->executable : "";
}

static void pack_key_uint(struct pack_cursor *cursor, const char *key, uint64_t value)
{
    pack_text(cursor, key, strlen(key));
    pack_uint64(cursor, value);
}

static void pack_key_text(struct pack_cursor *cursor, const char *key, const char *text)
{
    const size_t n = strnlen(text, TRACE_MAX_TEXT_BYTES);
    pack_text(cursor, key, strlen(key));
    pack_text(cursor, text, n);
}

static uint32_t count_arguments(void)
{
    uint32_t n = 0;
    for (size_t at = 0; at < image->n_argument_bytes && n < TRACE_MAX_ARGUMENTS; n++)
        at += strlen(image->arguments + at) + 1;
    return n;
}

static void pack_arguments(struct pack_cursor *cursor)
{
    const uint32_t n = count_arguments();
    pack_text(cursor, "arguments", 9);
    pack_array(cursor, n);
    const char *at = image->arguments;
    for (uint32_t i = 0; i < n; i++) {
        const size_t n_bytes = strlen(at);
        pack_text(cursor, at, n_bytes < TRACE_MAX_TEXT_BYTES ? n_bytes : TRACE_MAX_TEXT_BYTES);
        at += n_bytes + 1;
    }
}

/* That the record takes at most: what these texts take, not what any may, for which a small ring has no room. */
static size_t count_bytes(void)
{
    return FIXED_BYTES + strlen(image->executable) +
           strnlen(real_allocator_path(), TRACE_MAX_TEXT_BYTES) + image->n_argument_bytes +
           PACK_HEAD_BYTES * count_arguments();
}

void image_announce(struct lane *lane)
{
    if (!image)
        return;
    uint8_t *const room = ring_reserve(lane, count_bytes());
    if (!room) {
        ring_count_loss(lane, ring_loss_reason(), 1);
        return;
    }
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, TRACE_IMAGE, 3);
    pack_map(&cursor, 9);
    pack_key_uint(&cursor, "image", session.image_id);
    pack_key_uint(&cursor, "pid", (uint64_t)sys_pid());
    pack_key_uint(
        &cursor, "parent_pid",
        (uint64_t)(session.parent_pid ? session.parent_pid : (pid_t)arch_syscall(SYS_getppid)));
    pack_key_uint(&cursor, "parent_image", session.parent_image);
    pack_key_uint(&cursor, "fork_id", session.fork_id);
    pack_key_uint(&cursor, "start", image->start_clock_ticks);
    pack_key_text(&cursor, "executable", image->executable);
    pack_key_text(&cursor, "allocator", real_allocator_path());
    pack_arguments(&cursor);
    ring_publish(lane, cursor.at);
}
