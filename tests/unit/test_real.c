/* SPDX-License-Identifier: MIT */
/* Which functions the hooks forward to: those of the C library, or of an allocator preloaded behind us. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/image.h"
#include "preload/real.h"

const char *image_executable(void)
{
    return "/the/executable";
}

static void every_needed_function_is_found(void **state)
{
    (void)state;
    real_resolve();
#define HOOK(kind, result, name, parameters) HOOK_##kind(name)
#define HOOK_NEEDED(name)                    assert_non_null(*(void **)(void *)&real.name);
#define HOOK_OPTIONAL(name)
#define HOOK_JUMP(name) assert_non_null(*(void **)(void *)&real.name##_jump);
#define HOOK_ALIAS(name)
#include "preload/hooks.def"
#undef HOOK
#undef HOOK_NEEDED
#undef HOOK_OPTIONAL
#undef HOOK_JUMP
#undef HOOK_ALIAS
    assert_true(real.malloc == dlsym(RTLD_DEFAULT, "malloc"));
    void *const block = real.malloc(100);
    assert_true(real_usable_bytes(block) >= 100);
    real.free(block);
}

static void what_no_library_has_stays_null(void **state)
{
    (void)state;
    real_resolve();
    assert_null(real.mallocx);
    assert_null(real.free_sized);
}

static void the_allocator_is_the_c_librarys(void **state)
{
    (void)state;
    real_resolve();
    assert_non_null(strstr(real_allocator_path(), "libc.so.6"));
}

/* The same program again with an allocator of the user's; its exit status says what was found. */
static int found_under(const char *library)
{
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
        char *const arguments[] = {"test_real", "probe", NULL};
        setenv("LD_PRELOAD", library, 1);
        execv("/proc/self/exe", arguments);
        _exit(99);
    }
    waitpid(child, &status, 0);
    return status;
}

static void an_allocator_preloaded_behind_us_is_the_real_one(void **state)
{
    (void)state;
    static const char jemalloc[] = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
    if (access(jemalloc, R_OK) != 0)
        skip();
    assert_int_equal(found_under(jemalloc), 0);
}

static void so_is_one_that_only_references_with_a_version_reach(void **state)
{
    (void)state;
    if (!dlopen("libc_malloc_debug.so.0", RTLD_LAZY | RTLD_LOCAL))
        skip();
    assert_int_equal(found_under("libc_malloc_debug.so.0"), 0);
}

static void glibcs_blocks_tell_their_size_once_tried(void **state)
{
    (void)state;
    void *blocks[200];
    enum { N = sizeof blocks / sizeof *blocks };
    real_resolve();
    assert_int_equal(real_blocks, REAL_BLOCKS_TRIED);
    for (size_t i = 0; i < N; i++) {
        const size_t n_bytes = i * 37;
        blocks[i] = real.malloc(n_bytes);
        assert_int_equal(real_usable_bytes(blocks[i]), real.malloc_usable_size(blocks[i]));
        assert_int_equal(real_is_usual(blocks[i], n_bytes), i >= 63);
        assert_false(real_is_usual(blocks[i], n_bytes + 32));
    }
    assert_int_equal(real_blocks, REAL_BLOCKS_KNOWN);
    for (size_t i = 0; i < N; i++)
        real.free(blocks[i]);
}

static void mapped_blocks_are_asked_for(void **state)
{
    (void)state;
    const size_t n_bytes = 64 << 20;
    glibcs_blocks_tell_their_size_once_tried(state);
    void *const block = real.malloc(n_bytes);
    assert_int_equal(real_usable_bytes(block), real.malloc_usable_size(block));
    assert_false(real_is_usual(block, n_bytes));
    real.free(block);
}

static size_t one_more(void *block)
{
    return malloc_usable_size(block) + 1;
}

static void a_word_that_is_wrong_is_never_believed(void **state)
{
    (void)state;
    real_resolve();
    void *const block = real.malloc(100);
    for (unsigned i = 0; i < 200; i++) {
        real.malloc_usable_size = i == 63 ? one_more : malloc_usable_size;
        assert_int_equal(real_usable_bytes(block), real.malloc_usable_size(block));
    }
    assert_int_equal(real_blocks, REAL_BLOCKS_FOREIGN);
    real.free(block);
}

static int probe(void)
{
    real_resolve();
    if (real_blocks != REAL_BLOCKS_FOREIGN)
        return 2;
    if (strstr(getenv("LD_PRELOAD"),
               "malloc_debug")) /* whose malloc libc's is not, nor that of any other */
        return real.malloc != dlsym(RTLD_NEXT, "malloc") && real.free != dlsym(RTLD_NEXT, "free")
                   ? 0
                   : 1;
    return strstr(real_allocator_path(), "jemalloc") && real.mallocx ? 0 : 1;
}

int main(int argc, char **argv)
{
    (void)argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_needed_function_is_found),
        cmocka_unit_test(what_no_library_has_stays_null),
        cmocka_unit_test(the_allocator_is_the_c_librarys),
        cmocka_unit_test(an_allocator_preloaded_behind_us_is_the_real_one),
        cmocka_unit_test(so_is_one_that_only_references_with_a_version_reach),
        cmocka_unit_test(glibcs_blocks_tell_their_size_once_tried),
        cmocka_unit_test(mapped_blocks_are_asked_for),
        cmocka_unit_test(a_word_that_is_wrong_is_never_believed),
    };
    return argc > 1 ? probe() : cmocka_run_group_tests(tests, NULL, NULL);
}
