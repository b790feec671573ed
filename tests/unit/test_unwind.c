/* SPDX-License-Identifier: MIT */
/* The shim's unwinders against libunwind, on stacks of many shapes (tests/support/shapes.h). */
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

#include "tests/support/oracle.h"
#include "preload/lane.h"
#include "preload/unwind.h"
#include "preload/unwind_step.h"
#include "tests/support/shapes.h"

/* Not inlined, with a frame of its own: the stack that is compared begins at its caller. */
__attribute__((noinline)) void unwind_point(const char *shape)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    oracle_check(&caller, shape);
}

struct library {
    void *handle;
    void (*run)(void);
    void (*walk)(unsigned seed, unsigned n_steps);
    long (*work)(unsigned n_rounds);
};

static struct library open_library(const char *name)
{
    char path[4096];
    struct library library;
    snprintf(path, sizeof path, "%s/tests/unit/lib%s.so", TEST_BUILD_ROOT, name);
    library.handle = dlopen(path, RTLD_NOW);
    if (!library.handle)
        fail_msg("%s", dlerror());
    oracle_new_generation();
    *(void **)&library.run = dlsym(library.handle, "shapes_run");
    *(void **)&library.walk = dlsym(library.handle, "shapes_walk");
    *(void **)&library.work = dlsym(library.handle, "shapes_work");
    return library;
}

static const char *const libraries[] = {"shapes_plain", "shapes_optimised", "shapes_framed",
                                        "shapes_avx"};
enum { N_LIBRARIES = sizeof libraries / sizeof *libraries, REALIGNED = N_LIBRARIES - 1 };

static void check_counts(const struct oracle_counts *before, size_t n_least)
{
    const struct oracle_counts now = oracle_counts();
    if (now.n_wrong)
        fail_msg("%zu of %zu stacks differ, first %s", now.n_wrong, now.n_checks, now.first);
    assert_true(now.n_checks - before->n_checks >= n_least);
}

static void shapes_in_c_agree_with_libunwind(void **state)
{
    const struct oracle_counts before = oracle_counts();
    (void)state;
    for (size_t i = 0; i < N_LIBRARIES; i++) {
        const struct library library = open_library(libraries[i]);
        library.run();
        dlclose(library.handle); /* its destructor is a shape too; it stays in memory, see below */
    }
    check_counts(&before, 2000);
}

static void shapes_in_cpp_agree_with_libunwind(void **state)
{
    const struct oracle_counts before = oracle_counts();
    (void)state;
    open_library("shapes_cpp").run();
    check_counts(&before, 80);
}

static void random_walks_agree_with_libunwind(void **state)
{
    const struct oracle_counts before = oracle_counts();
    (void)state;
    for (size_t i = 0; i < N_LIBRARIES; i++)
        open_library(libraries[i]).walk((unsigned)i + 1, 100000);
    check_counts(&before, 20000);
    const struct oracle_counts now = oracle_counts();
    print_message("%zu stacks of %zu frames on average; %zu needed the library, %zu steps\n",
                  now.n_checks, now.n_frames / now.n_checks, now.n_unusual, now.n_by_steps);
    assert_true(now.n_fast > now.n_unusual); /* the fast way is what these tests are about */
}

static void on_timer(int signal_number)
{
    (void)signal_number;
    unwind_point("timer");
}

static void on_timer_alone(int signal_number)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    (void)signal_number;
    oracle_survive(&caller);
}

/* Let a timer interrupt the work of libraries[first..last) until n_least stacks were taken. */
static void interrupt_work(size_t first, size_t last, void (*handler)(int), size_t n_least)
{
    const struct oracle_counts before = oracle_counts();
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    struct itimerval interval = {.it_interval.tv_usec = 300, .it_value.tv_usec = 300};
    const struct itimerval none = {.it_interval.tv_usec = 0};
    struct library all[N_LIBRARIES];
    for (size_t i = first; i < last; i++) {
        all[i] = open_library(libraries[i]);
        all[i].work(1);
    }
    sigaction(SIGPROF, &action, &old);
    setitimer(ITIMER_PROF, &interval, NULL);
    for (unsigned round = 0; round < 100000 && oracle_counts().n_checks < before.n_checks + n_least;
         round++)
        all[first + round % (last - first)].work(200);
    setitimer(ITIMER_PROF, &none, NULL);
    sigaction(SIGPROF, &old, NULL);
    check_counts(&before, n_least);
}

static void interrupted_work_agrees_with_libunwind(void **state)
{
    (void)state;
    const size_t n_unasked = oracle_counts().n_unasked;
    interrupt_work(0, REALIGNED, on_timer, 300);
    print_message("%zu of them by ours alone\n", oracle_counts().n_unasked - n_unasked);
}

/* gcc's tables for realigned frames are wrong in their last instructions. libunwind 1.6.2 dies of them
 * now and then; ours may stop there, no more. */
static void interrupted_realigned_frames_are_survived(void **state)
{
    (void)state;
    interrupt_work(REALIGNED, N_LIBRARIES, on_timer_alone, 400);
}

/* libcrypto's hand-written code saves registers in ways no compiler does. Its allocation hooks are
 * our points. */
static void *crypto_malloc(size_t n_bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    unwind_point("libcrypto");
    return malloc(n_bytes);
}

static void *crypto_realloc(void *at, size_t n_bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    unwind_point("libcrypto");
    return realloc(at, n_bytes);
}

static void crypto_free(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    free(at);
}

static void libcrypto_agrees_with_libunwind(void **state)
{
    const struct oracle_counts before = oracle_counts();
    void *const library = dlopen("libcrypto.so.3", RTLD_NOW);
    int (*set)(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
               void (*)(void *, const char *, int));
    void *(*generate)(void *, size_t *, const char *, ...);
    (void)state;
    if (!library)
        skip();
    *(void **)&set = dlsym(library, "CRYPTO_set_mem_functions");
    *(void **)&generate = dlsym(library, "EVP_PKEY_Q_keygen");
    oracle_new_generation();
    if (!set || !generate || !set(crypto_malloc, crypto_realloc, crypto_free))
        skip();
    assert_non_null(generate(NULL, NULL, "RSA", (size_t)1024));
    check_counts(&before, 500);
}

static void a_cut_stack_keeps_the_innermost_frames(void **state)
{
    uintptr_t pcs[8];
    enum unwind_end end;
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    (void)state;
    assert_int_equal(unwind_fast(&caller, pcs, 2, &end), 2);
    assert_int_equal(end, UNWIND_CUT);
    assert_true(pcs[0] == caller.pc);
    assert_int_equal(unwind_library(&caller, pcs, 2, &end), 2);
    assert_int_equal(end, UNWIND_CUT);
    assert_true(pcs[0] == caller.pc);
}

/* Code that no module holds, as a compiler at run time makes it. */
static void a_frame_without_table_ends_the_stack(void **state)
{
    uintptr_t stack[8] = {0}, pcs[8];
    enum unwind_end end;
    const struct arch_frame caller = {
        .pc = (uintptr_t)stack, .sp = (uintptr_t)&stack[2], .bp = (uintptr_t)&stack[4]};
    (void)state;
    assert_int_equal(unwind_fast(&caller, pcs, 8, &end), 1);
    assert_int_equal(end, UNWIND_NO_TABLE);
    assert_int_equal(unwind_library(&caller, pcs, 8, &end), 1);
    assert_int_equal(end, UNWIND_NO_TABLE);
    assert_true(pcs[0] == caller.pc);
}

/* Tables that lead downwards, beyond the stack's end or to an odd address are not followed. */
static void a_frame_that_cannot_be_right_is_not_followed(void **state)
{
    const struct cfi_rule rows[] = {
        {.kind = CFI_RULE, .cfa_offset = 0},
        {.kind = CFI_RULE, .cfa_offset = -16},
        {.kind = CFI_RULE, .cfa_offset = 12},
        {.kind = CFI_RULE, .cfa_offset = 1 << 30},
        {.kind = CFI_RULE, .cfa_offset = 8, .cfa_from_bp = 1},
        {.kind = CFI_RULE, .cfa_offset = 16, .bp_saved = 1, .bp_words = -128},
    };
    uintptr_t words[64];
    const struct arch_frame frame = {.pc = 1, .sp = (uintptr_t)&words[8], .bp = 1};
    const struct unwind_walk walk = unwind_begin(frame.sp, 0);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arch_frame at = frame;
        assert_false(unwind_can_follow(rows[i]) && unwind_step(&walk, cfi_word_of(rows[i]), &at));
    }
    const struct cfi_rule good = {
        .kind = CFI_RULE, .cfa_offset = 16, .bp_saved = 1, .bp_words = -2};
    struct arch_frame at = frame;
    words[8] = 77;
    words[9] = 88;
    assert_true(unwind_can_follow(good) && unwind_step(&walk, cfi_word_of(good), &at));
    assert_true(at.pc == 88 && at.bp == 77 && at.sp == (uintptr_t)&words[10]);
}

/* As of the last writer of a stream, when the process is about to end. */
static void a_frame_of_which_only_pc_is_known_is_a_stack(void **state)
{
    static struct lane lane;
    static struct ring ring;
    const struct arch_frame caller = {.pc = (uintptr_t)qsort + 1};
    (void)state;
    lane.ring = &ring;
    unwind_stack(&caller, &lane, 128);
    assert_int_equal(lane.stack.n, 1);
    assert_int_equal(lane.stack.frames[0].at.pc, caller.pc);
    assert_int_equal(ring.n_truncated, 0);
}

static struct arch_frame outside;
static bool is_outside;

static int leave_libc(const void *one, const void *other)
{
    struct dl_find_object libc;
    (void)one;
    (void)other;
    outside = ARCH_CALLER_FRAME();
    if (_dl_find_object((void *)outside.pc, &libc) == 0)
        is_outside =
            unwind_out_of((uintptr_t)libc.dlfo_map_start, (uintptr_t)libc.dlfo_map_end, &outside);
    return 0;
}

static __attribute__((noinline)) uintptr_t sort_two(void)
{
    int two[2] = {1, 2};
    qsort(two, 2, sizeof *two, leave_libc);
    return (uintptr_t)__builtin_dwarf_cfa();
}

static void the_first_frame_outside_a_module_is_found(void **state)
{
    (void)state;
    const uintptr_t end = sort_two();
    assert_true(is_outside);
    assert_in_range(outside.pc, (uintptr_t)sort_two, (uintptr_t)sort_two + 256);
    assert_in_range(outside.sp, (uintptr_t)end - 256, (uintptr_t)end);
    const struct arch_frame before = outside;
    assert_false(unwind_out_of(0, UINTPTR_MAX, &outside));
    assert_memory_equal(&outside, &before, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_in_c_agree_with_libunwind),
        cmocka_unit_test(shapes_in_cpp_agree_with_libunwind),
        cmocka_unit_test(random_walks_agree_with_libunwind),
        cmocka_unit_test(interrupted_work_agrees_with_libunwind),
        cmocka_unit_test(interrupted_realigned_frames_are_survived),
        cmocka_unit_test(libcrypto_agrees_with_libunwind),
        cmocka_unit_test(a_cut_stack_keeps_the_innermost_frames),
        cmocka_unit_test(a_frame_without_table_ends_the_stack),
        cmocka_unit_test(a_frame_that_cannot_be_right_is_not_followed),
        cmocka_unit_test(a_frame_of_which_only_pc_is_known_is_a_stack),
        cmocka_unit_test(the_first_frame_outside_a_module_is_found),
    };
    if (!oracle_open()) {
        print_message("1..0 # SKIP no libunwind\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
