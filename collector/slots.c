/* SPDX-License-Identifier: MIT */
/* How many slots are kept ahead: enough that a burst of threads between two passes finds one, grown
 * in proportion to how many are in use, since each costs its rings' memory. */
#include "collector/slots.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/futex.h"

enum slots_tuning {
    FIRST_AHEAD = 1, /* before the command runs: zeroing takes 0.15 ms each, on its way */
    START_AHEAD = 4, /* while it starts, before its first thread has claimed one */
    MIN_AHEAD = 12,  /* under seccomp a thread cannot wait for a slot: it must find one */
    MAX_AHEAD = 64,
    STEP = 2, /* offered per pass while nobody waits, so that a short run pays for few */
};

int slots_init(struct slots *slots, struct session *session)
{
    *slots = (struct slots){.session = session};
    slots->slots = calloc(session->n_slots, sizeof *slots->slots);
    return slots->slots ? 0 : -ENOMEM;
}

void slots_fini(struct slots *slots)
{
    for (uint32_t i = 0; slots->slots && i < slots->n_offered; i++)
        if (slots->slots[i].header)
            munmap(slots->slots[i].header, slots->session->slot_bytes);
    free(slots->slots);
    *slots = (struct slots){0};
}

static void announce_offer(struct slots *slots)
{
    struct session_header *const header = slots->session->header;
    atomic_fetch_add(&header->slots_epoch, 1);
    if (atomic_load(&header->slots_wanted))
        futex_wake_all(&header->slots_epoch);
}

static uint32_t count_free(struct slots *slots)
{
    uint32_t n_free = 0;
    for (uint32_t i = 0; i < slots->n_offered; i++)
        n_free += SLOT_STATE(atomic_load(&slots->session->header->slots[i])) == SLOT_FREE;
    slots->n_claimed = slots->n_offered - n_free;
    return n_free;
}

static bool offer_next(struct slots *slots)
{
    const uint32_t i = slots->n_offered;
    if (i >= slots->session->n_slots || slots->exhausted)
        return false;
    struct slot_header *const header = session_map_slot(slots->session, i);
    if (!header) {
        slots->exhausted = true; /* asking again each pass would only burn time */
        return false;
    }
    slots->slots[i].header = header;
    slots->n_offered++;
    atomic_store(&slots->session->header->slots[i], SLOT_WORD(SLOT_FREE, 0, 0));
    return true;
}

/* How many free slots there are to be in the end. */
static uint32_t choose_ahead(const struct slots *slots, uint32_t n_waiting)
{
    if (slots->n_offered == 0)
        return FIRST_AHEAD;
    if (slots->n_claimed == 0 && n_waiting == 0)
        return START_AHEAD;
    const uint32_t ahead = MIN_AHEAD + slots->n_claimed / 4;
    return ahead < MAX_AHEAD && n_waiting < MAX_AHEAD - ahead ? ahead + n_waiting : MAX_AHEAD;
}

void slots_offer(struct slots *slots)
{
    const uint32_t n_free = count_free(slots);
    const uint32_t n_waiting = atomic_load(&slots->session->header->slots_wanted);
    const uint32_t ahead = choose_ahead(slots, n_waiting);
    const uint32_t n_max = n_waiting || n_free < STEP ? ahead : STEP;
    uint32_t n_new = 0;
    while (n_free + n_new < ahead && n_new < n_max && offer_next(slots))
        n_new++;
    if (n_new)
        announce_offer(slots);
}

struct slot *slots_look(struct slots *slots, uint32_t i, uint64_t since_ticks, bool *adopted_out)
{
    struct slot *const slot = &slots->slots[i];
    const uint64_t word = atomic_load(&slots->session->header->slots[i]);
    *adopted_out = false;
    if (slot->word)
        return slot; /* what it was adopted as, whatever the table says now */
    if (SLOT_STATE(word) != SLOT_CLAIMED ||
        atomic_load_explicit(&slot->header->ready, memory_order_acquire) == 0)
        return NULL;
    *slot = (struct slot){.header = slot->header, .word = word, .image_id = slot->header->image_id};
    slot->streams[0].hold_ticks = slot->streams[1].hold_ticks = since_ticks;
    *adopted_out = true;
    return slot;
}

struct ring *slot_ring(const struct slot *slot, unsigned ring)
{
    return &slot->header->rings[ring];
}

const uint8_t *slots_ring_bytes(const struct slots *slots, const struct slot *slot, unsigned ring)
{
    const uint8_t *const first = (const uint8_t *)slot->header + SLOT_HEADER_BYTES;
    return ring == 0 ? first : first + slots->session->ring_bytes[0];
}

bool slots_thread_is_gone(uint64_t word)
{
    return syscall(SYS_tgkill, SLOT_PID(word), SLOT_TID(word), 0) != 0 && errno == ESRCH;
}

void slots_give_back(struct slots *slots, uint32_t i)
{
    struct slot *const slot = &slots->slots[i];
    memset(slot->header, 0, sizeof *slot->header);
    *slot = (struct slot){.header = slot->header};
    atomic_store(&slots->session->header->slots[i], SLOT_WORD(SLOT_FREE, 0, 0));
    announce_offer(slots);
}
