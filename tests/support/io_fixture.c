/* SPDX-License-Identifier: MIT */
#include "tests/support/io_fixture.h"

#include <dlfcn.h>
#include <string.h>

#include "preload/identity.h"
#include "preload/real.h"
#include "preload/session.h"
#include "tests/support/lane_fixture.h"

struct real real;
__thread struct thread_state thread_state
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
bool io_fixture_is_guest;
unsigned io_fixture_n_refused;
static _Atomic uint64_t told[IDENTITY_BITS / 64];
static uint8_t canary;

/* Also before the first test: the test program's own start already comes through the hooks. */
void session_start(void)
{
#define HOOK(kind, result, name, parameters) HOOK_##kind(name)
#define HOOK_NEEDED(name)                    *(void **)&real.name = dlsym(RTLD_NEXT, #name);
#define HOOK_OPTIONAL(name)                  HOOK_NEEDED(name)
#define HOOK_JUMP(name)
#define HOOK_ALIAS(name)
#include "preload/hooks.def"
#undef HOOK
#undef HOOK_NEEDED
#undef HOOK_OPTIONAL
#undef HOOK_JUMP
#undef HOOK_ALIAS
    atomic_store(&session.state, SESSION_OFF);
}

struct lane *session_enter_slow(uintptr_t frame)
{
    (void)frame;
    io_fixture_n_refused++;
    return NULL;
}

void session_check_fork(void) {}

bool session_is_guest(void)
{
    return io_fixture_is_guest;
}

void io_fixture_start(void)
{
    lane_fixture_start(LANE_FIXTURE_BYTES);
    session_start();
    memset((void *)told, 0, sizeof told);
    canary = SESSION_OURS | SESSION_PLAIN_IO;
    session.fork_canary = &canary;
    session.told = told;
    thread_state.slot = lane_fixture_slot();
    io_fixture_is_guest = false;
    atomic_store(&session.state, SESSION_ON);
}

size_t io_fixture_stop(struct record *records_out, size_t cap)
{
    thread_state.slot = NULL;
    atomic_store(&session.state, SESSION_OFF);
    return lane_fixture_records(records_out, cap);
}

bool io_fixture_text_is(const struct unpack_text *text, const char *wanted)
{
    return text->n_bytes == strlen(wanted) && memcmp(text->bytes, wanted, text->n_bytes) == 0;
}
