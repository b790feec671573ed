/* SPDX-License-Identifier: MIT */
/* How the sums are kept that not every event needs. */
#include "reader/account.h"

#include "reader/site_habits.h"

/* Live bytes of a process go all at once. */
static void hide_live(struct model *model, uint32_t number)
{
    const struct model_process *const process = model_process(model, number);
    if (model_shows(model, number) && !process->ended)
        timeline_drop(&model->timeline, process->live_bytes);
}

void account_forget_live(struct model *model, uint32_t number)
{
    struct model_process *const process = model_process(model, number);
    hide_live(model, number);
    for (uint32_t i = process->first_site; i; i = model_site(model, i)->next_of_process) {
        struct model_site *const site = model_site(model, i);
        account_settle_peak(process, site);
        site->live_count = site->live_bytes = site->live_slack_bytes = 0;
        if (model->habits.gathered)
            site_habits_forget_leaks(model, i);
    }
    process->live_count = process->live_bytes = process->live_slack_bytes = 0;
}

void account_end_process(struct model *model, uint32_t number)
{
    struct model_process *const process = model_process(model, number);
    if (process->ended)
        return;
    hide_live(model, number);
    process->ended = true;
}

int account_settle_octave(struct model *model, const struct model_site *site)
{
    struct model_octave *const octave = &model->octaves[account_octave(site->sizes.max)];
    octave->alloc_count += site->alloc_count;
    octave->alloc_bytes = add_capped(octave->alloc_bytes, site->alloc_bytes);
    octave->temporary_count += site->temporary_count;
    return histogram_merge(&octave->lifetime_ticks, &site->lifetime_ticks);
}

int account_sum_sites(struct model *model)
{
    int error = 0;
    for (uint32_t i = 1; i <= model->n_sites; i++) {
        struct model_site *const site = model_site(model, i);
        struct model_process *const process = model_process(model, site->process);
        account_settle_peak(process, site);
        process->alloc_count += site->alloc_count;
        process->realloc_count += site->realloc_count;
        process->alloc_bytes = add_capped(process->alloc_bytes, site->alloc_bytes);
        process->temporary_count += site->temporary_count;
        process->events += site->alloc_count + site->realloc_count;
        if (error == 0 && account_is_uniform(site) && model_shows(model, site->process))
            error = account_settle_octave(model, site);
    }
    return error;
}
