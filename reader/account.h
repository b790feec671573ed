/* SPDX-License-Identifier: MIT */
/* What a block's life adds to the numbers of its site, its process and the whole.
 *
 * Exact peaks at O(1) an event: a process counts its new maxima in peak_serial; a site that is about
 * to change, and has not since the last maximum, first notes what it held then. What is only a sum over
 * a process's sites is made at the end. The functions here are inline because each event calls two.
 * `account` is that of the block's site. */
#ifndef HEAPWISE_READER_ACCOUNT_H
#define HEAPWISE_READER_ACCOUNT_H

#include "reader/array.h"
#include "reader/model.h"

/* Whose numbers a block belongs to, looked up once an event. */
struct account {
    struct model *model;
    struct model_site *site;
    struct model_process *process;
    bool shown;       /* the process's numbers are asked for */
    bool counts_live; /* and it has not ended */
};

static inline struct account account_of(struct model *model, uint32_t site_number)
{
    struct model_site *const site = model_site(model, site_number);
    struct model_process *const process = model_process(model, site->process);
    const bool shown = model_shows(model, site->process);
    return (struct account){.model = model,
                            .site = site,
                            .process = process,
                            .shown = shown,
                            .counts_live = shown && !process->ended};
}

/* Note what a site held at its process's peak, if it has not changed since. */
static inline void account_settle_peak(const struct model_process *process, struct model_site *site)
{
    if (site->seen_serial == process->peak_serial)
        return;
    site->seen_serial = process->peak_serial;
    site->peak_count = site->live_count;
    site->peak_bytes = site->live_bytes;
    site->peak_slack_bytes = site->live_slack_bytes;
}

/* Which octave a size of at most LIVE_MAX_SIZE_BYTES belongs to: how many bits it has. */
static inline unsigned account_octave(uint64_t size_bytes)
{
    return 63 - (unsigned)__builtin_clzll(2 * size_bytes + 1);
}

/* Whether the site asked for sizes of one bucket only, as most do. Then all that its octave needs to know is
 * in the site, and the octave learns it at once: when another size comes, or at the end. */
static inline bool account_is_uniform(const struct model_site *site)
{
    return site->sizes.n_slots == 0;
}

/* Add what a uniform site counted to its octave. Returns 0 or -ENOMEM. */
int account_settle_octave(struct model *model, const struct model_site *site);

static inline int account_count_octave(const struct account *account, uint32_t bucket,
                                       uint64_t size_bytes, bool is_new)
{
    struct model *const model = account->model;
    const struct model_site *const site = account->site;
    struct model_octave *const octave = &model->octaves[account_octave(size_bytes)];
    int error = 0;
    if (account_is_uniform(site)) {
        if (site->sizes.only_bucket == bucket || site->sizes.n == 0)
            return 0;
        error = account_settle_octave(model, site);
    }
    octave->alloc_count += is_new;
    octave->alloc_bytes = add_capped(octave->alloc_bytes, size_bytes);
    return error;
}

/* An allocation or resize was made: counts, sizes and rates, nothing about live bytes. Returns 0 or
 * -ENOMEM. `is_new` is false for a resize. */
static inline __attribute__((always_inline)) int account_request(const struct account *account,
                                                                 uint64_t size_bytes, bool is_new)
{
    struct model *const model = account->model;
    struct model_site *const site = account->site;
    const uint32_t bucket = histogram_bucket(size_bytes);
    int error = 0;
    /* Distributions and rates of the whole are put together from sites and processes at the end. */
    if (account->shown) {
        error = account_count_octave(account, bucket, size_bytes, is_new);
        timeline_count(&model->timeline, is_new, size_bytes);
    }
    site->alloc_count += is_new;
    site->realloc_count += !is_new;
    site->alloc_bytes = add_capped(site->alloc_bytes, size_bytes);
    if (error == 0)
        error = histogram_count(&site->sizes, bucket, size_bytes);
    return error ? error
                 : rates_count(&account->process->rates, model->now_ticks, is_new, size_bytes);
}

static inline __attribute__((always_inline)) void account_note_peak(const struct model *model,
                                                                    struct model_process *process)
{
    process->peak_serial++;
    process->peak_bytes = process->live_bytes;
    process->peak_count = process->live_count;
    process->peak_slack_bytes = process->live_slack_bytes;
    process->peak_ticks = model->now_ticks;
}

/* The block lives from now on. */
static inline void account_gain(const struct account *account, const struct block *block)
{
    const uint64_t size_bytes = block->size_bytes, slack_bytes = live_slack(block);
    struct model *const model = account->model;
    struct model_site *const site = account->site;
    struct model_process *const process = account->process;
    account_settle_peak(process, site);
    site->live_count++;
    site->live_bytes = add_capped(site->live_bytes, size_bytes);
    site->live_slack_bytes += slack_bytes;
    if (site->live_count > site->max_live_count)
        site->max_live_count = site->live_count;
    if (site->live_bytes > site->max_live_bytes)
        site->max_live_bytes = site->live_bytes;
    process->live_count++;
    process->live_bytes = add_capped(process->live_bytes, size_bytes);
    process->live_slack_bytes += slack_bytes;
    if (process->live_bytes > process->peak_bytes)
        account_note_peak(model, process);
    if (account->counts_live)
        timeline_gain(&model->timeline, size_bytes);
}

/* The block lives no longer. */
static inline void account_drop(const struct account *account, const struct block *block)
{
    const uint64_t size_bytes = block->size_bytes, slack_bytes = live_slack(block);
    struct model_site *const site = account->site;
    struct model_process *const process = account->process;
    account_settle_peak(process, site);
    site->live_count = subtract_floored(site->live_count, 1);
    site->live_bytes = subtract_floored(site->live_bytes, size_bytes);
    site->live_slack_bytes = subtract_floored(site->live_slack_bytes, slack_bytes);
    process->live_count = subtract_floored(process->live_count, 1);
    process->live_bytes = subtract_floored(process->live_bytes, size_bytes);
    process->live_slack_bytes = subtract_floored(process->live_slack_bytes, slack_bytes);
    if (account->counts_live)
        timeline_drop(&account->model->timeline, size_bytes);
}

/* Whether no allocation or resize of the block's own thread came after the block's. */
static inline bool account_is_temporary(struct model *model, const struct block *block)
{
    uint64_t *const last = &model->last_address[block->thread];
    if (block->superseded || *last != block->address)
        return false;
    *last = 0; /* the address may be given out again, to any thread */
    return true;
}

/* The block was freed at `ticks`: its lifetime, whether it was temporary. 0 or -ENOMEM. */
static inline int account_free(const struct account *account, const struct block *block,
                               uint64_t ticks)
{
    struct model *const model = account->model;
    struct model_site *const site = account->site;
    const uint64_t lifetime = subtract_floored(ticks, block->start_ticks);
    const uint32_t bucket = histogram_bucket(lifetime);
    const bool temporary = account_is_temporary(model, block);
    site->free_count++;
    site->temporary_count += temporary;
    const int error = histogram_count(&site->lifetime_ticks, bucket, lifetime);
    if (error || !account->shown || account_is_uniform(site))
        return error;
    struct model_octave *const octave = &model->octaves[account_octave(block->size_bytes)];
    octave->temporary_count += temporary;
    return histogram_count(&octave->lifetime_ticks, bucket, lifetime);
}

/* The process starts anew (exec): its live blocks are gone without being freed or leaked. */
void account_forget_live(struct model *model, uint32_t process);

/* The process is over: what it holds no longer counts as live now, but stays as leaked. */
void account_end_process(struct model *model, uint32_t process);

/* Everything was read: settle all peaks and octaves, and add to each process what its sites counted. Returns 0
 * or -ENOMEM. */
int account_sum_sites(struct model *model);

#endif
