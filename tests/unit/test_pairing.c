/* SPDX-License-Identifier: MIT */
/* What pairs with what, also when stamps of two threads are the wrong way round. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/pairing.h"

static const struct pairing_releaser releaser = {.thread = 7};

/* What the sink was told, one letter each: b began, e ended, w withdrawn late, m missed, u unknown;
 * then the block's size (0: released by somebody else), or the token of what is unknown. @ is where from it ended,
 * unless that is 0. */
struct log {
    char text[512];
};

static int note(struct log *log, char letter, uint64_t number)
{
    const size_t n = strlen(log->text);
    snprintf(log->text + n, sizeof log->text - n, "%s%c%d", n ? " " : "", letter, (int)number);
    return 0;
}

static int on_began(void *context, const struct block *block)
{
    return note(context, 'b', block->size_bytes);
}

static int on_ended(void *context, const struct block *block, uint64_t ticks,
                    struct pairing_releaser by)
{
    (void)ticks;
    note(context, 'e', by.thread == releaser.thread ? block->size_bytes : 0);
    return by.node ? note(context, '@', by.node) : 0;
}

static int on_withdrawn(void *context, const struct block *block, uint64_t token)
{
    (void)token;
    return note(context, 'w', block->size_bytes);
}

static int on_missed(void *context, const struct block *block)
{
    return note(context, 'm', block->size_bytes);
}

static int on_unknown(void *context, uint64_t address, uint64_t token)
{
    (void)address;
    return note(context, 'u', token);
}

/* One step: + acquire a block of that size, - release from there, < withdraw with the size as token, r restore. */
struct step {
    char what;
    uint64_t ticks, address;
    unsigned size_bytes;
};

static void run(const struct step *steps, char *text_out)
{
    struct log log = {.text = ""};
    const struct pairing_sink sink = {&log,         on_began,  on_ended,
                                      on_withdrawn, on_missed, on_unknown};
    struct pairing pairing = {.sink = &sink};
    for (; steps->what; steps++) {
        const struct block block = {.address = steps->address, .size_bytes = steps->size_bytes};
        struct block taken;
        bool found;
        int error = 0;
        if (steps->what == '+')
            error = pairing_acquire(&pairing, &block, steps->ticks);
        else if (steps->what == '-')
            error = pairing_release(
                &pairing, steps->address, steps->ticks,
                (struct pairing_releaser){releaser.thread, (uint32_t)steps->size_bytes});
        else if (steps->what == 'r')
            error = pairing_restore(&pairing, &block);
        else if (steps->what == '<') {
            error = pairing_withdraw(&pairing, steps->address, steps->ticks, steps->size_bytes,
                                     &taken, &found);
            if (found)
                note(&log, 'f', taken.size_bytes);
        }
        assert_int_equal(error, 0);
    }
    assert_int_equal(pairing_expire(&pairing, UINT64_MAX), 0);
    pairing_fini(&pairing);
    strcpy(text_out, log.text);
}

static void sequences_pair_as_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct step steps[8];
        const char *told;
    } rows[] = {
        {"one life", {{'+', 1, 16, 5}, {'-', 2, 16, 0}}, "b5 e5"},
        {"told where from", {{'+', 1, 16, 5}, {'-', 2, 16, 8}}, "b5 e5 @8"},
        {"the same of what was waiting",
         {{'-', 100, 16, 8}, {'-', 100, 32, 9}, {'+', 101, 32, 4}, {'+', 102, 16, 5}},
         "b4 e4 @9 b5 e5 @8"},
        {"an address again", {{'+', 1, 16, 5}, {'-', 2, 16, 0}, {'+', 3, 16, 6}}, "b5 e5 b6"},
        {"release stamped after the next acquisition",
         {{'+', 1, 16, 5}, {'+', 100, 16, 6}, {'-', 101, 16, 0}, {'-', 200, 16, 0}},
         "b5 e5 b6 e6"},
        {"release within the window's last tick",
         {{'+', 1, 16, 5}, {'+', 100, 16, 6}, {'-', 100 + PAIRING_WINDOW_TICKS, 16, 0}},
         "b5 e5 b6"},
        {"release lost",
         {{'+', 1, 16, 5}, {'+', 100, 16, 6}, {'-', 101 + PAIRING_WINDOW_TICKS, 16, 0}},
         "b5 m5 b6 e6"},
        {"release lost, nothing after", {{'+', 1, 16, 5}, {'+', 100, 16, 6}}, "b5 m5 b6"},
        {"two releases lost in a row",
         {{'+', 1, 16, 5}, {'+', 2, 16, 6}, {'+', 3, 16, 7}, {'-', 4, 16, 0}},
         "b5 m5 b6 e6 b7"},
        {"acquisition stamped after its release",
         {{'-', 100, 16, 0}, {'+', 101, 16, 5}, {'+', 102, 16, 6}},
         "b5 e5 b6"},
        {"acquisition too late",
         {{'-', 100, 16, 0}, {'+', 101 + PAIRING_WINDOW_TICKS, 16, 5}},
         "u0 b5"},
        {"release of nothing", {{'-', 100, 16, 0}}, "u0"},
        {"other addresses do not end the wait",
         {{'-', 100, 16, 0}, {'+', 101, 32, 4}, {'+', 102, 16, 5}},
         "b4 b5 e5"},
        {"waiting for two addresses",
         {{'-', 100, 16, 0}, {'-', 101, 32, 0}, {'+', 102, 32, 4}, {'+', 103, 16, 5}},
         "b4 e4 b5 e5"},
        {"resize takes out and puts back",
         {{'+', 1, 16, 5}, {'<', 2, 16, 9}, {'r', 0, 16, 5}, {'-', 3, 16, 0}},
         "b5 f5 e5"},
        {"address used again during a resize",
         {{'+', 1, 16, 5}, {'<', 2, 16, 9}, {'+', 3, 16, 6}, {'-', 4, 16, 0}},
         "b5 f5 b6 e6"},
        {"resize of a block that shows up late",
         {{'<', 100, 16, 9}, {'+', 101, 16, 5}, {'+', 102, 16, 6}},
         "b5 w5 b6"},
        {"resize of nothing", {{'<', 100, 16, 9}, {'+', 6000, 16, 5}}, "u9 b5"},
        {"resize stamped after the address's next use",
         {{'+', 1, 16, 5}, {'+', 100, 16, 6}, {'<', 101, 16, 9}},
         "b5 b6 f5"},
        {"restored over a block whose release was lost",
         {{'+', 1, 16, 5}, {'<', 2, 16, 9}, {'+', 3, 16, 6}, {'r', 0, 16, 5}},
         "b5 f5 b6 m6"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char told[512];
        run(rows[i].steps, told);
        if (strcmp(told, rows[i].told) != 0)
            fail_msg("%s: %s instead of %s", rows[i].name, told, rows[i].told);
    }
}

static void waiting_is_bounded(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    const struct pairing_sink sink = {&log,         on_began,  on_ended,
                                      on_withdrawn, on_missed, on_unknown};
    struct pairing pairing = {.sink = &sink};
    for (uint64_t i = 1; i <= 2 * PAIRING_MAX_WAITING; i++)
        assert_int_equal(pairing_release(&pairing, 16 * i, 100, releaser), 0);
    assert_int_equal(pairing.n_released, PAIRING_MAX_WAITING);
    assert_int_equal(pairing_expire(&pairing, UINT64_MAX), 0);
    log.text[0] = 0;
    for (uint64_t i = 1; i <= 2 * PAIRING_MAX_WAITING; i++)
        for (unsigned twice = 0; twice < 2; twice++) {
            const struct block block = {.address = 16 * i, .size_bytes = 1};
            log.text[0] = 0;
            assert_int_equal(pairing_acquire(&pairing, &block, 200), 0);
        }
    assert_int_equal(pairing.n_acquired, PAIRING_MAX_WAITING);
    pairing_fini(&pairing);
}

static void old_block_of_the_same_thread_is_superseded(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    const struct pairing_sink sink = {&log,         on_began,  on_ended,
                                      on_withdrawn, on_missed, on_unknown};
    struct pairing pairing = {.sink = &sink};
    const struct block first = {.address = 16, .thread = 3}, second = {.address = 16, .thread = 3};
    pairing_acquire(&pairing, &first, 1);
    pairing_acquire(&pairing, &second, 2);
    assert_int_equal(live_find(&pairing.live, 16)->superseded, 1);
    pairing_release(&pairing, 16, 3, releaser);
    assert_int_equal(live_find(&pairing.live, 16)->superseded, 0);
    pairing_fini(&pairing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_pair_as_they_should),
        cmocka_unit_test(waiting_is_bounded),
        cmocka_unit_test(old_block_of_the_same_thread_is_superseded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
