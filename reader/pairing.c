/* SPDX-License-Identifier: MIT */
/* How halves that arrive in the wrong order wait for each other: in two short lists, which are empty
 * nearly always and cost one comparison then. */
#include "reader/pairing.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"

static uint64_t deadline(uint64_t ticks)
{
    return add_capped(ticks, PAIRING_WINDOW_TICKS);
}

static int make_live(struct pairing *pairing, const struct block *block)
{
    const int error = live_add(&pairing->live, block);
    return error ? error : pairing->sink->began(pairing->sink->context, block);
}

/* The old block at the address of waiting acquisition `at` is out of the way: let it live. */
static int let_live(struct pairing *pairing, uint32_t at)
{
    const struct block block = pairing->acquired[at].block;
    pairing->n_acquired--;
    for (uint32_t i = at; i < pairing->n_acquired; i++)
        pairing->acquired[i] = pairing->acquired[i + 1];
    return make_live(pairing, &block);
}

static int let_live_at(struct pairing *pairing, uint64_t address)
{
    for (uint32_t i = 0; i < pairing->n_acquired; i++)
        if (pairing->acquired[i].block.address == address)
            return let_live(pairing, i);
    return 0;
}

/* The release of the block that waiting acquisition `at` collides with was lost. */
static int give_up_acquired(struct pairing *pairing, uint32_t at)
{
    struct block old;
    if (live_take(&pairing->live, pairing->acquired[at].block.address, &old)) {
        const int error = pairing->sink->missed(pairing->sink->context, &old);
        if (error)
            return error;
    }
    return let_live(pairing, at);
}

static void drop_released(struct pairing *pairing, uint32_t at)
{
    pairing->n_released--;
    for (uint32_t i = at; i < pairing->n_released; i++)
        pairing->released[i] = pairing->released[i + 1];
}

static int give_up_released(struct pairing *pairing, uint32_t at)
{
    const struct pairing_released released = pairing->released[at];
    drop_released(pairing, at);
    return pairing->sink->unknown(pairing->sink->context, released.address, released.token);
}

static int expire(struct pairing *pairing, uint64_t ticks)
{
    int error = 0;
    for (uint32_t i = 0; i < pairing->n_acquired && error == 0;) {
        if (pairing->acquired[i].deadline_ticks < ticks)
            error = give_up_acquired(pairing, i);
        else
            i++;
    }
    for (uint32_t i = 0; i < pairing->n_released && error == 0;) {
        if (deadline(pairing->released[i].ticks) < ticks)
            error = give_up_released(pairing, i);
        else
            i++;
    }
    return error;
}

int pairing_expire(struct pairing *pairing, uint64_t ticks)
{
    int error = 0;
    if (ticks < UINT64_MAX)
        return pairing->n_acquired + pairing->n_released ? expire(pairing, ticks) : 0;
    while (pairing->n_acquired && error == 0)
        error = give_up_acquired(pairing, 0);
    while (pairing->n_released && error == 0)
        error = give_up_released(pairing, 0);
    return error;
}

/* Wait for the release of the block that is live at this address. */
static int wait_for_release(struct pairing *pairing, const struct block *block, uint64_t ticks)
{
    int error = 0;
    for (uint32_t i = 0; i < pairing->n_acquired && error == 0; i++)
        if (pairing->acquired[i].block.address == block->address) {
            error = give_up_acquired(pairing, i); /* a third one: no inversion explains that */
            break;
        }
    if (error == 0 && pairing->n_acquired >= PAIRING_MAX_WAITING)
        error = give_up_acquired(pairing, 0);
    if (error)
        return error;
    struct pairing_acquired *const acquired = array_room(
        pairing->acquired, pairing->n_acquired, &pairing->acquired_capacity, sizeof *acquired);
    if (!acquired)
        return -ENOMEM;
    pairing->acquired = acquired;
    acquired[pairing->n_acquired++] =
        (struct pairing_acquired){.block = *block, .deadline_ticks = deadline(ticks)};
    return 0;
}

/* Meet a release that came before its acquisition. Returns 1 if there was one, 0, or an errno. */
static int meet_released(struct pairing *pairing, const struct block *block)
{
    for (uint32_t i = 0; i < pairing->n_released; i++) {
        const struct pairing_released released = pairing->released[i];
        if (released.address != block->address)
            continue;
        drop_released(pairing, i);
        int error = pairing->sink->began(pairing->sink->context, block);
        if (error == 0 && released.token == 0)
            error =
                pairing->sink->ended(pairing->sink->context, block, released.ticks, released.by);
        else if (error == 0)
            error = pairing->sink->withdrawn(pairing->sink->context, block, released.token);
        return error ? error : 1;
    }
    return 0;
}

int pairing_acquire(struct pairing *pairing, const struct block *block, uint64_t ticks)
{
    int error = pairing_expire(pairing, ticks);
    if (error)
        return error;
    if (pairing->n_released && (error = meet_released(pairing, block)))
        return error < 0 ? error : 0;
    struct block *old;
    if ((error = live_add_unless(&pairing->live, block, &old)))
        return error;
    if (!old)
        return pairing->sink->began(pairing->sink->context, block);
    /* The thread's last allocation is the new one: whatever it frees first, the old is not it. */
    if (old->thread == block->thread)
        old->superseded = 1;
    return wait_for_release(pairing, block, ticks);
}

static int wait_for_acquisition(struct pairing *pairing, const struct pairing_released *release)
{
    if (pairing->n_released >= PAIRING_MAX_WAITING) {
        const int error = give_up_released(pairing, 0);
        if (error)
            return error;
    }
    struct pairing_released *const released = array_room(
        pairing->released, pairing->n_released, &pairing->released_capacity, sizeof *released);
    if (!released)
        return -ENOMEM;
    pairing->released = released;
    released[pairing->n_released++] = *release;
    return 0;
}

int pairing_release(struct pairing *pairing, uint64_t address, uint64_t ticks,
                    struct pairing_releaser by)
{
    struct block block;
    int error = pairing_expire(pairing, ticks);
    if (error)
        return error;
    if (!live_take(&pairing->live, address, &block)) {
        const struct pairing_released release = {.address = address, .ticks = ticks, .by = by};
        return wait_for_acquisition(pairing, &release);
    }
    error = pairing->sink->ended(pairing->sink->context, &block, ticks, by);
    return error || !pairing->n_acquired ? error : let_live_at(pairing, address);
}

int pairing_withdraw(struct pairing *pairing, uint64_t address, uint64_t ticks, uint64_t token,
                     struct block *block_out, bool *found_out)
{
    int error = pairing_expire(pairing, ticks);
    if (error)
        return error;
    *found_out = live_take(&pairing->live, address, block_out);
    if (*found_out)
        return pairing->n_acquired ? let_live_at(pairing, address) : 0;
    const struct pairing_released release = {.address = address, .ticks = ticks, .token = token};
    return wait_for_acquisition(pairing, &release);
}

int pairing_restore(struct pairing *pairing, const struct block *block)
{
    struct block old;
    if (live_take(&pairing->live, block->address, &old)) {
        const int error = pairing->sink->missed(pairing->sink->context, &old);
        if (error)
            return error;
    }
    return live_add(&pairing->live, block);
}

void pairing_fini(struct pairing *pairing)
{
    live_fini(&pairing->live);
    free(pairing->acquired);
    free(pairing->released);
    pairing->acquired = NULL;
    pairing->released = NULL;
    pairing->n_acquired = pairing->n_released = 0;
}
