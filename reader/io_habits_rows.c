/* SPDX-License-Identifier: MIT */
/* How the habits of sites become those of rows: sums over the processes of a row, the sites before named by
 * their rows. */
#include "reader/io_habits_rows.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "reader/habits.h"
#include "reader/io_habits.h"
#include "reader/members.h"

/* One row while its sites are summed; votes are for rows, by index + 1. */
struct sum {
    struct io_habits_site all;
    uint64_t longest_ticks;
    uint32_t thread; /* number + 1 of the only one, 0 none yet */
    bool has_several_threads;
};

static void add_counts(struct io_habits_site *to, const struct io_habits_site *from)
{
    static const size_t added[] = {
        offsetof(struct io_habits_site, adjacent_calls),
        offsetof(struct io_habits_site, adjacent_bytes),
        offsetof(struct io_habits_site, answer_calls),
        offsetof(struct io_habits_site, reply_calls),
        offsetof(struct io_habits_site, reply_ticks),
        offsetof(struct io_habits_site, reply_bytes),
        offsetof(struct io_habits_site, request_bytes),
        offsetof(struct io_habits_site, after_seek_calls),
        offsetof(struct io_habits_site, synced_calls),
        offsetof(struct io_habits_site, synced_ticks),
        offsetof(struct io_habits_site, backward_calls),
        offsetof(struct io_habits_site, reread_bytes),
        offsetof(struct io_habits_site, whole_file_calls),
        offsetof(struct io_habits_site, copied_elsewhere_calls),
    };
    members_add(to, from, added, sizeof added / sizeof *added);
    if (from->whole_file_bytes > to->whole_file_bytes)
        to->whole_file_bytes = from->whole_file_bytes;
    if (from->longest_dry_run > to->longest_dry_run)
        to->longest_dry_run = from->longest_dry_run;
}

static void add_votes(struct io_habits_votes *to, const struct io_habits_votes *from,
                      const uint32_t *row_of_site)
{
    for (size_t i = 0; i < IO_HABITS_BEFORE; i++)
        if (from->sites[i] && row_of_site[from->sites[i] - 1])
            io_habits_vote(to, row_of_site[from->sites[i] - 1], from->counts[i]);
}

static void add_threads(struct sum *sum, const struct idmap *threads)
{
    sum->has_several_threads = sum->has_several_threads || threads->n_used > 1;
    for (size_t i = 0; i < threads->n_slots && !sum->has_several_threads; i++) {
        const uint32_t thread = (uint32_t)threads->entries[i].key + 1;
        if (threads->entries[i].value == 0)
            continue;
        sum->has_several_threads = sum->thread && sum->thread != thread;
        sum->thread = thread;
    }
}

static void add_site(struct sum *sum, const struct analysis *analysis, uint32_t number,
                     const uint32_t *row_of_site)
{
    const struct model_io *const io = &analysis->model->io;
    const struct model_io_site *const site = io_site(io, number);
    const struct histogram *const latency = &site->latency_ticks;
    add_threads(sum, &site->threads);
    if (latency->n && latency->max > sum->longest_ticks)
        sum->longest_ticks = latency->max;
    if (number > io->habits->n_sites)
        return;
    const struct io_habits_site *const habits = &io->habits->sites[number - 1];
    add_counts(&sum->all, habits);
    add_votes(&sum->all.adjacent, &habits->adjacent, row_of_site);
    add_votes(&sum->all.reply, &habits->reply, row_of_site);
}

static struct io_before before_of(const struct io_habits_votes *votes, uint64_t count,
                                  const struct io_site *sites)
{
    size_t most = 0;
    for (size_t i = 1; i < IO_HABITS_BEFORE; i++)
        if (votes->counts[i] > votes->counts[most] ||
            (votes->counts[i] == votes->counts[most] && votes->sites[i] < votes->sites[most]))
            most = i;
    return (struct io_before){.count = count,
                              .site = votes->counts[most] ? &sites[votes->sites[most] - 1] : NULL};
}

static const char *thread_name(const struct model *model, const struct sum *sum)
{
    if (sum->has_several_threads || sum->thread == 0)
        return "";
    const uint32_t name = model->io.threads[sum->thread - 1].name;
    return name ? strtab_text(&model->texts, name) : "";
}

static struct io_habits make_row(const struct analysis *analysis, const struct sum *sum,
                                 const struct io_site *sites)
{
    const struct io_habits_site *const all = &sum->all;
    return (struct io_habits){
        .adjacent = before_of(&all->adjacent, all->adjacent_calls, sites),
        .adjacent_bytes = all->adjacent_bytes,
        .answer_calls = all->answer_calls,
        .reply = before_of(&all->reply, all->reply_calls, sites),
        .reply_seconds = io_reports_seconds(analysis, all->reply_ticks),
        .reply_bytes = all->reply_bytes,
        .request_bytes = all->request_bytes,
        .after_seek_calls = all->after_seek_calls,
        .synced_calls = all->synced_calls,
        .synced_seconds = io_reports_seconds(analysis, all->synced_ticks),
        .backward_calls = all->backward_calls,
        .reread_bytes = all->reread_bytes,
        .whole_file_calls = all->whole_file_calls,
        .whole_file_bytes = all->whole_file_bytes,
        .copied_elsewhere_calls = all->copied_elsewhere_calls,
        .longest_dry_run = all->longest_dry_run,
        .thread = thread_name(analysis->model, sum),
        .longest_seconds = io_reports_seconds(analysis, sum->longest_ticks),
    };
}

int io_habits_rows_fill(const struct analysis *analysis, struct io_site *sites, size_t n,
                        const uint32_t *row_of_site)
{
    struct io_habits *const habits = storage_array(analysis->storage, n, sizeof *habits);
    struct sum *const sums = calloc(n + 1, sizeof *sums);
    if (!habits || !sums) {
        free(sums);
        return -ENOMEM;
    }
    for (uint32_t i = 1; i <= analysis->model->io.n_sites; i++)
        if (row_of_site[i - 1])
            add_site(&sums[row_of_site[i - 1] - 1], analysis, i, row_of_site);
    for (size_t i = 0; i < n; i++) {
        habits[i] = make_row(analysis, &sums[i], sites);
        sites[i].habits = &habits[i];
    }
    free(sums);
    return 0;
}
