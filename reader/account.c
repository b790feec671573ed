/* SPDX-License-Identifier: MIT */
/* How the sums are kept; see the header for the peak. */
#include "reader/account.h"

#include "reader/array.h"

void account_settle_peak(const struct model_process *process, struct model_site *site)
{
    if (site->seen_serial == process->peak_serial)
        return;
    site->seen_serial = process->peak_serial;
    site->peak_count = site->live_count;
    site->peak_bytes = site->live_bytes;
    site->peak_slack_bytes = site->live_slack_bytes;
}

unsigned account_octave(uint64_t size_bytes)
{
    return size_bytes == 0 ? 0 : 64 - (unsigned)__builtin_clzll(size_bytes & LIVE_MAX_SIZE_BYTES);
}

/* Distributions and rates of the whole are put together from sites and processes at the end. */
static void count_shown(struct model *model, uint64_t size_bytes, bool is_new)
{
    struct model_octave *const octave = &model->octaves[account_octave(size_bytes)];
    octave->alloc_count += is_new;
    octave->alloc_bytes = add_capped(octave->alloc_bytes, size_bytes);
    timeline_count(&model->timeline, is_new, size_bytes);
}

int account_request(struct model *model, uint32_t site_number, uint64_t size_bytes, bool is_new)
{
    struct model_site *const site = model_site(model, site_number);
    struct model_process *const process = model_process(model, site->process);
    site->alloc_count += is_new;
    site->realloc_count += !is_new;
    site->alloc_bytes = add_capped(site->alloc_bytes, size_bytes);
    process->alloc_count += is_new;
    process->realloc_count += !is_new;
    process->alloc_bytes = add_capped(process->alloc_bytes, size_bytes);
    process->events++;
    if (model_shows(model, site->process))
        count_shown(model, size_bytes, is_new);
    const int error = histogram_add(&site->sizes, size_bytes, 1);
    return error ? error : rates_count(&process->rates, model->now_ticks, is_new, size_bytes);
}

static void note_peak(struct model *model, struct model_process *process)
{
    process->peak_serial++;
    process->peak_bytes = process->live_bytes;
    process->peak_count = process->live_count;
    process->peak_slack_bytes = process->live_slack_bytes;
    process->peak_ticks = model->now_ticks;
}

/* Live bytes of the processes shown changed. */
static void show_live(struct model *model, uint32_t process, uint64_t gained, uint64_t dropped)
{
    if (!model_shows(model, process) || model_process(model, process)->ended)
        return;
    model->live_bytes = subtract_floored(add_capped(model->live_bytes, gained), dropped);
    timeline_set_live(&model->timeline, model->live_bytes);
}

void account_gain(struct model *model, const struct block *block)
{
    struct model_site *const site = model_site(model, block->site);
    struct model_process *const process = model_process(model, site->process);
    account_settle_peak(process, site);
    site->live_count++;
    site->live_bytes = add_capped(site->live_bytes, block->size_bytes);
    site->live_slack_bytes += live_slack(block);
    if (site->live_count > site->max_live_count)
        site->max_live_count = site->live_count;
    if (site->live_bytes > site->max_live_bytes)
        site->max_live_bytes = site->live_bytes;
    process->live_count++;
    process->live_bytes = add_capped(process->live_bytes, block->size_bytes);
    process->live_slack_bytes += live_slack(block);
    if (process->live_bytes > process->peak_bytes)
        note_peak(model, process);
    show_live(model, site->process, block->size_bytes, 0);
}

void account_drop(struct model *model, const struct block *block)
{
    struct model_site *const site = model_site(model, block->site);
    struct model_process *const process = model_process(model, site->process);
    account_settle_peak(process, site);
    site->live_count = subtract_floored(site->live_count, 1);
    site->live_bytes = subtract_floored(site->live_bytes, block->size_bytes);
    site->live_slack_bytes = subtract_floored(site->live_slack_bytes, live_slack(block));
    process->live_count = subtract_floored(process->live_count, 1);
    process->live_bytes = subtract_floored(process->live_bytes, block->size_bytes);
    process->live_slack_bytes = subtract_floored(process->live_slack_bytes, live_slack(block));
    show_live(model, site->process, 0, block->size_bytes);
}

/* Whether no allocation or resize of the block's own thread came after the block's. */
static bool is_temporary(struct model *model, const struct block *block)
{
    uint64_t *const last = &model->last_address[block->thread];
    if (block->superseded || *last != block->address)
        return false;
    *last = 0; /* the address may be given out again, to any thread */
    return true;
}

int account_free(struct model *model, const struct block *block, uint64_t ticks)
{
    struct model_site *const site = model_site(model, block->site);
    const uint64_t lifetime = subtract_floored(ticks, block->start_ticks);
    const bool temporary = is_temporary(model, block);
    site->free_count++;
    site->temporary_count += temporary;
    model_process(model, site->process)->temporary_count += temporary;
    const int error = histogram_add(&site->lifetime_ticks, lifetime, 1);
    if (error || !model_shows(model, site->process))
        return error;
    struct model_octave *const octave = &model->octaves[account_octave(block->size_bytes)];
    octave->temporary_count += temporary;
    return histogram_add(&octave->lifetime_ticks, lifetime, 1);
}

void account_forget_live(struct model *model, uint32_t number)
{
    struct model_process *const process = model_process(model, number);
    show_live(model, number, 0, process->live_bytes);
    for (uint32_t i = process->first_site; i; i = model_site(model, i)->next_of_process) {
        struct model_site *const site = model_site(model, i);
        account_settle_peak(process, site);
        site->live_count = site->live_bytes = site->live_slack_bytes = 0;
    }
    process->live_count = process->live_bytes = process->live_slack_bytes = 0;
}

void account_end_process(struct model *model, uint32_t number)
{
    struct model_process *const process = model_process(model, number);
    if (process->ended)
        return;
    show_live(model, number, 0, process->live_bytes);
    process->ended = true;
}
