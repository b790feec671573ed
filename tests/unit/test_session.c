/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct session_options options(void)
{
    return (struct session_options){.shim_path = "/lib/shim.so",
                                    .max_depth = 128,
                                    .main_ring_bytes = SESSION_MAIN_RING_BYTES,
                                    .max_file_bytes = UINT64_MAX};
}

static void the_path_leads_to_the_same_memory(void **state)
{
    static const uint32_t flags[] = {0, SESSION_OTHER_USERS};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct session session;
        struct session_options chosen = options();
        chosen.flags = flags[i];
        assert_int_equal(session_open(&session, &chosen), 0);
        const int fd = open(session.header->session_path, O_RDWR);
        assert_true(fd >= 0);
        struct session_header *const other =
            mmap(NULL, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        assert_true(other != MAP_FAILED);
        atomic_store(&other->wake, 77);
        assert_int_equal(atomic_load(&session.header->wake), 77);
        assert_true(other->magic == SESSION_MAGIC);
        assert_string_equal(other->shim_path, "/lib/shim.so");
        assert_int_equal(atomic_load(&other->recording), 1);
        munmap(other, SESSION_HEADER_BYTES);
        close(fd);
        session_close(&session);
    }
}

static void a_shared_file_cannot_be_found_and_is_removed(void **state)
{
    struct session session;
    struct session_options chosen = options();
    struct stat status;
    (void)state;
    chosen.flags = SESSION_OTHER_USERS;
    assert_int_equal(session_open(&session, &chosen), 0);
    assert_int_equal(stat(session.folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0711);
    assert_int_equal(stat(session.file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0666);
    assert_true(strlen(strrchr(session.file, '/')) == 33);
    session_close(&session);
    assert_int_equal(access(session.file, F_OK), -1);
    assert_int_equal(access(session.folder, F_OK), -1);
}

static void sizes_follow_the_options(void **state)
{
    static const struct {
        uint64_t ring_bytes, max_file_bytes;
        uint64_t main_ring_bytes; /* 0: refused */
    } rows[] =
        {
            {1, UINT64_MAX, 65536},         {65537, UINT64_MAX, 131072},
            {1 << 20, UINT64_MAX, 1 << 20}, {1 << 20, 3 << 20, 1 << 20},
            {1 << 20, 1 << 20, 1 << 18}, /* smaller rings rather than none */
            {1 << 20, 100000, 0},
        };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct session session;
        struct session_options chosen = options();
        chosen.main_ring_bytes = rows[i].ring_bytes;
        chosen.max_file_bytes = rows[i].max_file_bytes;
        const int error = session_open(&session, &chosen);
        assert_int_equal(error, rows[i].main_ring_bytes ? 0 : -EFBIG);
        if (error)
            continue;
        assert_int_equal(session.ring_bytes[0], rows[i].main_ring_bytes);
        assert_int_equal(session.slot_bytes % 4096, 0);
        assert_true(session.n_slots >= 2 && session.n_slots <= SESSION_MAX_SLOTS);
        session_close(&session);
    }
}

static void slots_are_real_memory(void **state)
{
    struct session session;
    struct session_options chosen = options();
    struct stat status;
    (void)state;
    assert_int_equal(session_open(&session, &chosen), 0);
    struct slot_header *const slot = session_map_slot(&session, 3);
    assert_non_null(slot);
    assert_int_equal(fstat(session.fd, &status), 0);
    assert_true((uint64_t)status.st_blocks * 512 >= session.slot_bytes);
    assert_int_equal(slot->ready, 0);
    munmap(slot, session.slot_bytes);
    session_close(&session);
}

static void a_dead_collector_is_seen_in_the_owner_word(void **state)
{
    (void)state;
    struct session session;
    struct session_header *const copy =
        mmap(NULL, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const pid_t pid = fork();
    if (pid == 0) {
        struct session_options chosen = options();
        chosen.flags = SESSION_OTHER_USERS;
        if (session_open(&session, &chosen))
            _exit(1);
        strcpy(copy->session_path, session.file);
        memcpy(copy->shim_path, session.folder, sizeof session.folder);
        raise(SIGSTOP);
        raise(SIGKILL);
    }
    int status;
    waitpid(pid, &status, WUNTRACED);
    assert_true(WIFSTOPPED(status));
    const int fd = open(copy->session_path, O_RDWR);
    assert_true(fd >= 0);
    struct session_header *const header =
        mmap(NULL, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_int_equal(session_owner_word(&header->alive) & FUTEX_TID_MASK, pid);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    assert_true(session_owner_word(&header->alive) & FUTEX_OWNER_DIED);
    munmap(header, SESSION_HEADER_BYTES);
    close(fd);
    unlink(copy->session_path);
    rmdir(copy->shim_path);
    munmap(copy, SESSION_HEADER_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_leads_to_the_same_memory),
        cmocka_unit_test(a_shared_file_cannot_be_found_and_is_removed),
        cmocka_unit_test(sizes_follow_the_options),
        cmocka_unit_test(slots_are_real_memory),
        cmocka_unit_test(a_dead_collector_is_seen_in_the_owner_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
