/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/demangle.h"

static void names_become_readable(void **state)
{
    (void)state;
    static const struct {
        const char *name, *readable;
    } rows[] = {
        {"malloc", "malloc"},
        {"", ""},
        {"_start", "_start"},
        {"_Znwm", "operator new(unsigned long)"},
        {"_ZN2ns3BoxC2Ei", "ns::Box::Box(int)"},
        {"_ZSt4sortIPiEvT_S1_", "void std::sort<int*>(int*, int*)"},
        {"_ZN2ns3addEv.cold", "ns::add() [clone .cold]"},
        {"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"}, /* Rust, legacy */
        {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},                    /* Rust, v0 */
        {"_Zgarbage", "_Zgarbage"},
        {"_R", "_R"},
        {"_Z", "_Z"},
    };
    struct strpool pool = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(demangle_name(&pool, rows[i].name), rows[i].readable);
    }
    strpool_fini(&pool);
}

/* Each pair doubles: 2^60 times "int" could never be printed. */
static void exploding_name_stays_mangled(void **state)
{
    (void)state;
    char name[1024] = "_Z1fSt4pairIiiE";
    for (int i = 0; i < 60; i++) {
        char piece[32];
        static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        char last[8] = "S_";
        if (i > 0) {
            const int number = i - 1; /* substitution of the pair before this one */
            last[0] = 'S';
            if (number < 36) {
                last[1] = digits[number];
                last[2] = '_';
                last[3] = '\0';
            } else {
                last[1] = '1';
                last[2] = digits[number - 36];
                last[3] = '_';
                last[4] = '\0';
            }
        }
        strcpy(piece, "St4pairI");
        strcat(piece, last);
        strcat(piece, last);
        strcat(piece, "E");
        strcat(name, piece);
    }
    struct strpool pool = {0};
    const char *readable = demangle_name(&pool, name);
    assert_true(strlen(readable) <= 16 * 1024);
    strpool_fini(&pool);
}

static void overlong_and_random_names_do_no_harm(void **state)
{
    (void)state;
    struct strpool pool = {0};
    enum { N = 100000 };
    char *name = malloc(N + 1);
    assert_non_null(name);
    static const char letters[] = "NKSt3fooIiEvT_S0_PRLRCsBpFDhu0123_";
    srand(7);
    for (int round = 0; round < 300; round++) {
        const size_t n = round < 290 ? 200 : N;
        for (size_t i = 2; i < n; i++) {
            name[i] = letters[(size_t)rand() % (sizeof letters - 1)];
        }
        memcpy(name, round % 2 == 0 ? "_Z" : "_R", 2);
        name[n] = '\0';
        assert_true(strlen(demangle_name(&pool, name)) <= 16 * 1024);
    }
    memset(name + 2, 'P', N - 2); /* deep recursion */
    assert_true(demangle_name(&pool, name)[0] != '\0');
    free(name);
    strpool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_readable),
        cmocka_unit_test(exploding_name_stays_mangled),
        cmocka_unit_test(overlong_and_random_names_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
