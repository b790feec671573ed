/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/repack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "collector/way.h"

enum { MOST_BYTES = 16 << 20, KIB = 1024 };

static char folder[] = "/tmp/heapwise-repack-XXXXXX";
static char path[128];
static int folder_fd;
static uint8_t plain[MOST_BYTES], before[MOST_BYTES], after[MOST_BYTES];
static size_t n_plain, n_before, n_after;

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/t.hwt", folder);
    folder_fd = open(folder, O_PATH | O_DIRECTORY);
    return folder_fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    close(folder_fd);
    unlink(path);
    return rmdir(folder);
}

/* ---- a file of frames ---- */

struct frame {
    enum pace_way way;
    size_t n_kib;
};

/* Repetitions that only a search finds. */
static void fill(uint8_t *bytes, size_t n_bytes)
{
    static uint32_t patterns[64][16];
    for (size_t i = 0; i < 64 * 16; i++)
        patterns[i / 16][i % 16] = (uint32_t)random();
    for (size_t at = 0; at < n_bytes; at += sizeof *patterns)
        memcpy(bytes + at, patterns[random() % 64], sizeof *patterns);
}

static void add_frame(ZSTD_CCtx *context, const struct frame *frame)
{
    const size_t n = frame->n_kib * KIB;
    fill(plain + n_plain, n);
    way_take(context, frame->way);
    const size_t n_written =
        ZSTD_compress2(context, before + n_before, MOST_BYTES - n_before, plain + n_plain, n);
    assert_false(ZSTD_isError(n_written));
    n_plain += n;
    n_before += n_written;
}

static void write_before(void)
{
    unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(fd, before, n_before), n_before);
    assert_int_equal(fchmod(fd, 0640), 0);
    close(fd);
}

static void make_trace(const struct frame *frames, size_t n)
{
    ZSTD_CCtx *const context = way_new_context();
    n_plain = n_before = 0;
    for (size_t i = 0; i < n; i++)
        add_frame(context, &frames[i]);
    ZSTD_freeCCtx(context);
    write_before();
}

static const struct frame mixed[] = {
    {PACE_DENSE, 1},     {PACE_STORED, 700}, {PACE_STORED, 1},   {PACE_QUICK, 512},
    {PACE_DENSE, 512},   {PACE_STORED, 0},   {PACE_STORED, 512}, {PACE_STORED, 800},
    {PACE_STORED, 5000}, {PACE_DENSE, 300},  {PACE_STORED, 64},  {PACE_STORED, 512},
    {PACE_STORED, 512},  {PACE_STORED, 512}, {PACE_STORED, 512},
};
enum { N_MIXED = sizeof mixed / sizeof *mixed };

/* ---- packing it ---- */

static int pack(uint64_t debt_bytes, uint32_t unwanted, uint64_t *n_bytes_out)
{
    const _Atomic uint32_t stop = unwanted;
    const int trace_fd = open(path, O_WRONLY);
    const struct repack repack = {.trace_fd = trace_fd,
                                  .folder_fd = folder_fd,
                                  .name = "t.hwt",
                                  .debt_bytes = debt_bytes,
                                  .unwanted = &stop};
    const int error = repack_trace(&repack, n_bytes_out);
    close(trace_fd);
    return error;
}

static size_t count_files(void)
{
    DIR *const stream = opendir(folder);
    size_t n = 0;
    for (const struct dirent *entry; (entry = readdir(stream));)
        n += entry->d_name[0] != '.';
    closedir(stream);
    return n;
}

static void read_after(void)
{
    const int fd = open(path, O_RDONLY);
    const ssize_t n = read(fd, after, MOST_BYTES);
    assert_true(n >= 0);
    n_after = (size_t)n;
    close(fd);
}

/* The same stream, by nobody's leave but the same one's, and nothing else lies about. */
static void assert_same_stream(uint64_t n_bytes)
{
    struct stat status;
    uint8_t *const stream = malloc(n_plain + 1);
    read_after();
    assert_int_equal(n_after, n_bytes);
    assert_int_equal(ZSTD_decompress(stream, n_plain, after, n_after), n_plain);
    assert_memory_equal(stream, plain, n_plain);
    free(stream);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(count_files(), 1);
}

static void assert_left_alone(void)
{
    read_after();
    assert_int_equal(n_after, n_before);
    assert_memory_equal(after, before, n_before);
    assert_int_equal(count_files(), 1);
}

static void the_stream_stays_and_the_file_shrinks(void **state)
{
    uint64_t n_bytes = 0;
    (void)state;
    make_trace(mixed, N_MIXED);
    assert_int_equal(pack(UINT64_MAX, 0, &n_bytes), 0);
    assert_same_stream(n_bytes);
    assert_true(n_bytes < n_before - 2000 * KIB);
}

static void every_frame_has_its_checksum(void **state)
{
    uint64_t n_bytes;
    (void)state;
    make_trace(mixed, N_MIXED);
    assert_int_equal(pack(UINT64_MAX, 0, &n_bytes), 0);
    read_after();
    for (size_t at = 0; at < n_after; at += ZSTD_findFrameCompressedSize(after + at, n_after - at))
        assert_int_equal(after[at + 4] & 4, 4); /* RFC 8878, 3.1.1.1.1 */
}

static void the_group_stays(void **state)
{
    uint64_t n_bytes;
    struct stat status;
    (void)state;
    make_trace(mixed, 3);
    if (chown(path, (uid_t)-1, 1)) {
        print_message("skipped: giving a file to another group needs root\n");
        skip();
    }
    assert_int_equal(pack(UINT64_MAX, 0, &n_bytes), 0);
    assert_same_stream(n_bytes);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_gid, 1);
}

static void no_more_is_packed_than_the_debt(void **state)
{
    enum { N = 20, DEBT = 300 * KIB };
    struct frame frames[N];
    uint64_t n_bytes, n_least;
    (void)state;
    for (size_t i = 0; i < N; i++)
        frames[i] = (struct frame){PACE_STORED, 512};
    make_trace(frames, N);
    assert_int_equal(pack(DEBT, 0, &n_bytes), 0);
    assert_same_stream(n_bytes);
    assert_true(n_bytes <= n_before - DEBT);
    assert_int_equal(pack(UINT64_MAX, 0, &n_least), 0);
    assert_same_stream(n_least);
    assert_true(n_least < n_bytes);
}

static void what_others_put_between_frames_stays(void **state)
{
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    uint64_t n_bytes;
    (void)state;
    make_trace(mixed, 3);
    memcpy(before + n_before, skippable, sizeof skippable);
    n_before += sizeof skippable;
    write_before();
    assert_int_equal(pack(UINT64_MAX, 0, &n_bytes), 0);
    assert_same_stream(n_bytes);
    assert_memory_equal(after + n_after - sizeof skippable, skippable, sizeof skippable);
}

/* ---- leaving it alone ---- */

static void a_torn_or_damaged_trace_is_left_alone(void **state)
{
    uint64_t n_bytes = 1;
    (void)state;
    for (int i = 0; i < 4; i++) {
        make_trace(mixed, N_MIXED);
        if (i < 3)
            n_before -= (size_t[]){1, 5, 600}[i] * (i < 2 ? 1 : KIB);
        else
            before[n_before - 100 * KIB] ^= 1;
        write_before();
        assert_int_equal(pack(UINT64_MAX, 0, &n_bytes), -EBADMSG);
        assert_left_alone();
    }
    assert_int_equal(n_bytes, 1);
}

static void a_packing_nobody_wants_is_given_up(void **state)
{
    uint64_t n_bytes;
    (void)state;
    make_trace(mixed, N_MIXED);
    assert_int_equal(pack(UINT64_MAX, 1, &n_bytes), -ECANCELED);
    assert_left_alone();
    assert_int_equal(pack(0, 1, &n_bytes), -ECANCELED); /* all of it is copied */
    assert_left_alone();
}

static void a_refused_write_leaves_the_trace(void **state)
{
    static const rlim_t limits_bytes[] = {0, 100 * KIB, 3000 * KIB};
    struct rlimit limit;
    uint64_t n_bytes;
    (void)state;
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    make_trace(mixed, N_MIXED);
    for (size_t i = 0; i < sizeof limits_bytes / sizeof *limits_bytes; i++) {
        for (int all = 0; all < 2; all++) {
            const struct rlimit low = {limits_bytes[i], limit.rlim_max};
            setrlimit(RLIMIT_FSIZE, &low);
            const int error = pack(all ? UINT64_MAX : 0, 0, &n_bytes);
            setrlimit(RLIMIT_FSIZE, &limit);
            assert_int_equal(error, -EFBIG);
            assert_left_alone();
        }
    }
}

static void a_name_that_is_anothers_is_not_taken(void **state)
{
    char other[160];
    const _Atomic uint32_t stop = 0;
    uint64_t n_bytes;
    (void)state;
    snprintf(other, sizeof other, "%s/other", folder);
    make_trace(mixed, 3);
    const struct repack repack = {.trace_fd = open(path, O_WRONLY),
                                  .folder_fd = folder_fd,
                                  .name = "t.hwt",
                                  .debt_bytes = UINT64_MAX,
                                  .unwanted = &stop};
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(repack_trace(&repack, &n_bytes), -ENOENT);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(repack_trace(&repack, &n_bytes), -ELOOP);
    unlink(path);
    assert_int_equal(link(other, path), 0);
    assert_int_equal(repack_trace(&repack, &n_bytes), -ESTALE);
    unlink(path);
    write_before();
    assert_int_equal(repack_trace(&repack, &n_bytes), -ESTALE);
    assert_int_equal(unlink(other), 0);
    assert_left_alone();
    close(repack.trace_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_stays_and_the_file_shrinks),
        cmocka_unit_test(every_frame_has_its_checksum),
        cmocka_unit_test(the_group_stays),
        cmocka_unit_test(no_more_is_packed_than_the_debt),
        cmocka_unit_test(what_others_put_between_frames_stays),
        cmocka_unit_test(a_torn_or_damaged_trace_is_left_alone),
        cmocka_unit_test(a_packing_nobody_wants_is_given_up),
        cmocka_unit_test(a_refused_write_leaves_the_trace),
        cmocka_unit_test(a_name_that_is_anothers_is_not_taken),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
