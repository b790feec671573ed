/* SPDX-License-Identifier: MIT */
/* How runs of frees are followed: each thread's has a number, and a site counts for the number it met last.
 *
 *   thread 1   free A  free A  free B  malloc  free A        run 1: A 2, B 1;  run 2: A 1
 *
 * One number at the site is enough while one thread at a time frees its blocks, as is usual. Where two do,
 * the run that is put aside while its thread still goes on with it is parked under site and thread. A
 * single free between two allocations, the most frequent case, gets no number at all. */
#include "reader/bursts.h"

#include <errno.h>

#include "reader/array.h"
#include "reader/site_habits.h"

static bool is_larger(const struct model_run *run, const struct model_run *than)
{
    return run->count != than->count ? run->count > than->count : run->id < than->id;
}

/* The run is over for its site. */
static int finish(struct model *model, struct model_run *run)
{
    if (run->id && run->count >= HABITS_BURST_BLOCKS) {
        struct model_rare_habits *const rare = site_habits_rare(model, run->site);
        if (!rare)
            return -ENOMEM;
        rare->n_bursts++;
        rare->burst_count += run->count;
        if (is_larger(run, &rare->largest_burst))
            rare->largest_burst = *run;
    }
    run->id = 0;
    return 0;
}

static uint64_t owner_of(uint32_t site, uint32_t thread)
{
    return (uint64_t)site << 32 | thread;
}

/* Keep a run that its thread may go on with. */
static int park(struct model *model, const struct model_run *run)
{
    struct model_habits *const habits = &model->habits;
    const uint64_t owner = owner_of(run->site, run->thread);
    const uint32_t known = idmap_get(&habits->parked_by_owner, owner);
    if (known) {
        const int error = finish(model, &habits->parked[known - 1]);
        habits->parked[known - 1] = *run;
        return error;
    }
    struct model_run *const parked =
        array_room(habits->parked, habits->n_parked, &habits->parked_capacity, sizeof *parked);
    if (!parked)
        return -ENOMEM;
    habits->parked = parked;
    parked[habits->n_parked++] = *run;
    return idmap_put(&habits->parked_by_owner, owner, habits->n_parked);
}

/* The run of this number that is parked, to go on with. NULL where there is none. */
static struct model_run *find_parked(struct model *model, uint64_t id, uint64_t owner)
{
    struct model_habits *const habits = &model->habits;
    const uint32_t at = habits->n_parked ? idmap_get(&habits->parked_by_owner, owner) : 0;
    struct model_run *const run = at ? &habits->parked[at - 1] : NULL;
    return run && run->id == id ? run : NULL;
}

static bool goes_on(const struct model *model, const struct model_run *run)
{
    const struct model_thread_habits *const by = model_thread_habits(model, run->thread);
    return by->n_freed > 1 && by->run == run->id;
}

/* Put the thread's run into a site's place for one, and what was there aside. */
static int turn_to(struct model *model, struct model_run *run, uint64_t id, uint64_t owner)
{
    const uint32_t thread = (uint32_t)owner, site = (uint32_t)(owner >> 32);
    const int error = run->id && run->thread != thread && goes_on(model, run) ? park(model, run)
                                                                              : finish(model, run);
    if (error)
        return error;
    struct model_run *const parked = find_parked(model, id, owner);
    *run = parked ? *parked
                  : (struct model_run){
                        .id = id, .first_born_ticks = UINT64_MAX, .thread = thread, .site = site};
    if (parked)
        parked->id = 0;
    return 0;
}

static int count(struct model *model, const struct model_thread_habits *by,
                 const struct model_freed *freed)
{
    struct model_run *const run = &model_site_habits(model, freed->site)->run;
    if (run->id != by->run) {
        const uint32_t thread = (uint32_t)(by - model->habits.threads);
        const int error = turn_to(model, run, by->run, owner_of(freed->site, thread));
        if (error)
            return error;
    }
    run->count++;
    run->bytes = add_capped(run->bytes, freed->bytes);
    run->died_ticks = freed->died_ticks;
    if (freed->born_ticks < run->first_born_ticks)
        run->first_born_ticks = freed->born_ticks;
    if (freed->born_ticks > run->last_born_ticks)
        run->last_born_ticks = freed->born_ticks;
    return 0;
}

int bursts_go_on(struct model *model, struct model_thread_habits *by,
                 const struct model_freed *freed)
{
    if (by->n_freed == 1) {
        by->n_freed = 2;
        by->run = ++model->habits.last_run;
        const int error = count(model, by, &by->first_freed);
        if (error)
            return error;
    }
    return count(model, by, freed);
}

int bursts_finish(struct model *model)
{
    int error = 0;
    for (uint32_t i = 0; i < model->n_sites && error == 0; i++)
        error = finish(model, &model->habits.sites[i].run);
    for (uint32_t i = 0; i < model->habits.n_parked && error == 0; i++)
        error = finish(model, &model->habits.parked[i]);
    return error;
}
