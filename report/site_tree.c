/* SPDX-License-Identifier: MIT */
/* How does a section of places become rows?
 *
 * The tree below a place shows `stacks` call paths, the largest first: a place's budget of paths is
 * handed down, one to every caller shown and the rest by their share. */
#include "report/site_tree.h"

#include "report/calltree.h"
#include "report/names.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A chain of frames longer than `shown` is folded to its first and last few. */
struct fold {
    size_t shown, head, tail;
};
static const struct fold fold_chain = {6, 4, 1};
static const struct fold fold_followed = {4, 2, 1};

/* Where the budget of paths ends, the largest caller is followed past so many more forks. */
#define FOLLOWED 2

/* Other callers together below 1 in 200 are passed over, unless --stacks 0 asks for everything. */
#define SHARE_DOMINANT 0.995

/* Places below this share are noise in the default report, after the first few. */
#define SHARE_PLACE  0.001
#define PLACES_LEAST 3

/* A bound for --stacks 0: recursion goes as deep as there are paths to hand out. */
#define STACKS_MAX 1000

/* Stands for a caller that is not known. */
#define STACK_ENDS "[end of stack]"

/* Callers below this share of their place are summed up in one line. */
#define SHARE_SHOWN 0.03

/* Everything a builder hands down while it walks one section. */
struct walk {
    const struct site_section *section;
    const struct calltree *tree;
    struct calltree_measure measure;
    struct view *view;
    const struct profile *profile;
    double whole;
    double place_value; /* of the place under which we are */
    double least_share; /* of its place, that a caller must have to be shown */
    double dominant;    /* a caller with this share of a frame's value is its only one, nearly */
};

uint64_t site_tree_add(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t calls_of(const struct site *site)
{
    return site_tree_add(site->metrics.alloc_count, site->metrics.realloc_count);
}

static void add_extra(const struct walk *walk, const struct site_column *column,
                      const struct calltree_range *range)
{
    if (!column->of)
        return;
    const struct calltree_measure measure = {.of = column->of};
    const uint64_t value = calltree_sum(&measure, range);
    if (!column->is_share_of_calls) {
        view_integer(walk->view, column->unit, value);
        return;
    }
    const struct calltree_measure calls = {.of = calls_of};
    view_real(walk->view, UNIT_SHARE,
              view_share((double)value, (double)calltree_sum(&calls, range)));
}

static void add_numbers(const struct walk *walk, uint64_t value, const struct calltree_range *range)
{
    view_integer(walk->view, walk->section->value.unit, value);
    view_real(walk->view, UNIT_SHARE, view_share((double)value, walk->whole));
    for (size_t i = 0; i < 2; i++)
        add_extra(walk, &walk->section->extra[i], range);
}

/* Leave all columns empty but the last. */
static void skip_numbers(const struct walk *walk)
{
    for (size_t i = 0; i + 1 < walk->view->n_columns; i++)
        view_skip(walk->view);
}

static void add_place(const struct walk *walk, const struct profile_frame *frame,
                      const char *unknown)
{
    if (frame)
        view_frame(walk->view, frame);
    else
        view_text(walk->view, unknown);
}

__attribute__((format(printf, 3, 4))) static void add_words(const struct walk *walk, uint32_t depth,
                                                            const char *format, ...)
{
    va_list arguments;
    view_row(walk->view, VIEW_ROW_CHAIN, depth, false);
    skip_numbers(walk);
    va_start(arguments, format);
    view_words_of(walk->view, format, arguments);
    va_end(arguments);
}

/* Frames of `range` from depth `from` to its own, as rows that continue the one above. */
static void add_chain(const struct walk *walk, const struct calltree_range *range, size_t from,
                      uint32_t depth, const struct fold *fold)
{
    const size_t n = range->depth >= from ? range->depth - from + 1 : 0;
    for (size_t i = 0; i < n; i++) {
        if (n > fold->shown && i == fold->head) {
            const size_t folded = n - fold->head - fold->tail;
            add_words(walk, depth, "... %zu more frames", folded);
            i += folded;
        }
        view_row(walk->view, VIEW_ROW_CHAIN, depth, false);
        skip_numbers(walk);
        add_place(walk, calltree_frame(walk->tree, range, from + i), "?");
    }
}

/* Does no stack of the range go on? */
static bool is_end(const struct walk *walk, const struct calltree_range *range)
{
    return !calltree_frame(walk->tree, range, range->depth) ||
           (calltree_is_chain(walk->tree, range) &&
            !calltree_frame(walk->tree, range, range->depth + 1));
}

/* Go out as long as the stacks of the range have the same next frame, or all but a trifle have. */
static int extend_chain(const struct walk *walk, struct calltree_range *range)
{
    while (!is_end(walk, range)) {
        if (calltree_is_chain(walk->tree, range)) {
            range->depth++;
            continue;
        }
        struct calltree_run *runs = NULL;
        size_t n = 0;
        const int result =
            calltree_split(walk->tree, range, range->depth + 1, &walk->measure, &runs, &n);
        if (result < 0)
            return result;
        const struct calltree_run largest = runs[0];
        free(runs);
        const double sum = (double)calltree_sum(&walk->measure, range);
        if ((double)largest.value < sum * walk->dominant ||
            !calltree_frame(walk->tree, &largest.range, largest.range.depth))
            break;
        *range = largest.range;
    }
    return 0;
}

/* How many of the runs to show, given a budget of paths. */
static size_t count_shown(const struct walk *walk, const struct calltree_run *runs, size_t n,
                          size_t budget)
{
    size_t shown = 0;
    while (shown < n && shown < budget &&
           (shown == 0 || (double)runs[shown].value >= walk->place_value * walk->least_share))
        shown++;
    return shown;
}

/* The callers that are not shown, in one row; a single one is as well named in it. */
static void add_rest(const struct walk *walk, const struct calltree_run *runs, size_t n,
                     uint32_t depth)
{
    if (n == 1) {
        view_row(walk->view, VIEW_ROW_BRANCH, depth, true);
        add_numbers(walk, runs->value, &runs->range);
        add_place(walk, calltree_frame(walk->tree, &runs->range, runs->range.depth), STACK_ENDS);
        return;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = site_tree_add(value, runs[i].value);
    char words[64];
    snprintf(words, sizeof words, "%zu more callers", n);
    view_row(walk->view, VIEW_ROW_BRANCH, depth, true);
    view_integer(walk->view, walk->section->value.unit, value);
    view_real(walk->view, UNIT_SHARE, view_share((double)value, walk->whole));
    for (size_t i = 3; i < walk->view->n_columns; i++)
        view_skip(walk->view);
    view_text(walk->view, words);
}

/* The budget ends at a fork: name its largest caller and go on with that one alone. */
static int follow_largest(const struct walk *walk, struct calltree_range range, uint32_t depth)
{
    int result = 0;
    for (int fork = 0; result == 0 && !is_end(walk, &range); fork++) {
        struct calltree_run *runs = NULL;
        size_t n = 0;
        result = calltree_split(walk->tree, &range, range.depth + 1, &walk->measure, &runs, &n);
        if (result < 0)
            break;
        const struct calltree_run largest = runs[0];
        free(runs);
        if (fork == FOLLOWED) {
            add_words(walk, depth, "... %zu callers", n);
            break;
        }
        const double sum = (double)calltree_sum(&walk->measure, &range);
        add_words(walk, depth, "... %zu callers, %.0f %% by:", n,
                  view_share((double)largest.value, sum) * 100);
        range = largest.range;
        result = extend_chain(walk, &range);
        add_chain(walk, &range, largest.range.depth, depth, &fold_followed);
    }
    return result;
}

static int add_callers(const struct walk *walk, const struct calltree_range *range, uint32_t depth,
                       size_t budget);

/* One caller and what calls it in turn. */
static int add_branch(const struct walk *walk, const struct calltree_run *run, uint32_t depth,
                      bool last, size_t budget)
{
    struct calltree_range range = run->range;
    view_row(walk->view, VIEW_ROW_BRANCH, depth, last);
    if ((double)run->value == walk->place_value)
        skip_numbers(walk); /* the only caller: its place has just shown them */
    else
        add_numbers(walk, run->value, &range);
    add_place(walk, calltree_frame(walk->tree, &range, range.depth), STACK_ENDS);
    const int result = extend_chain(walk, &range);
    if (result < 0)
        return result;
    add_chain(walk, &range, run->range.depth + 1, depth, &fold_chain);
    if (budget <= 1)
        return follow_largest(walk, range, depth);
    return add_callers(walk, &range, depth + 1, budget);
}

/* Show runs [0..shown) and hand the budget down: one path each, the rest by their share. */
static int add_shown(const struct walk *walk, const struct calltree_run *runs, size_t shown,
                     uint32_t depth, size_t budget, bool complete)
{
    double sum = 0;
    for (size_t i = 0; i < shown; i++)
        sum += (double)runs[i].value;
    const size_t extra = budget - shown;
    size_t spare = extra;
    for (size_t i = 0; i < shown; i++) {
        const bool last = i + 1 == shown;
        const double share = view_share((double)runs[i].value, sum);
        const size_t wanted = (size_t)((double)extra * share + 0.5);
        const size_t more = last || wanted > spare ? spare : wanted;
        spare -= more;
        const int result = add_branch(walk, &runs[i], depth, last && complete, 1 + more);
        if (result < 0)
            return result;
    }
    return 0;
}

/* All that call the frame at range->depth, as branches at `depth`. */
static int add_callers(const struct walk *walk, const struct calltree_range *range, uint32_t depth,
                       size_t budget)
{
    if (is_end(walk, range))
        return 0;
    struct calltree_run *runs = NULL;
    size_t n = 0;
    int result = calltree_split(walk->tree, range, range->depth + 1, &walk->measure, &runs, &n);
    if (result < 0)
        return result;
    const size_t shown = count_shown(walk, runs, n, budget);
    result = add_shown(walk, runs, shown, depth, budget, shown == n);
    if (result == 0 && shown < n)
        add_rest(walk, runs + shown, n - shown, depth);
    free(runs);
    return result;
}

/* The library function that the place called to allocate, of the largest of its stacks. */
static void add_inside(const struct walk *walk, const struct calltree_range *range)
{
    const struct site *main_site = range->sites[0];
    bool same = true;
    for (size_t i = 1; i < range->n; i++) {
        same &= calltree_same_inside(walk->tree, main_site, range->sites[i]);
        if (calltree_value(&walk->measure, range->sites[i]) >
            calltree_value(&walk->measure, main_site))
            main_site = range->sites[i];
    }
    struct buffer text = {0};
    if (names_add_inside(&text, walk->profile, main_site)) {
        view_row(walk->view, VIEW_ROW_CHAIN, 0, false);
        skip_numbers(walk);
        buffer_text(&text, same ? "" : ", mostly");
        view_text(walk->view, buffer_string(&text));
    }
    walk->view->failed |= text.failed;
    buffer_fini(&text);
}

/* How many paths to show below a place with that share of all. One that has most, as a program's own
 * xmalloc does, says little without its callers; below a tenth, each has less to say. */
static size_t count_paths(double share, size_t stacks)
{
    if (stacks == 0 || stacks > STACKS_MAX / 2)
        return STACKS_MAX;
    if (share > 0.5)
        return stacks * 2;
    const size_t scaled = (size_t)(share * 10 * (double)stacks) + 1;
    return scaled < stacks ? scaled : stacks;
}

static int add_entry(struct walk *walk, const struct calltree_run *run, size_t stacks)
{
    walk->place_value = (double)run->value;
    view_row(walk->view, VIEW_ROW_HEAD, 0, false);
    add_numbers(walk, run->value, &run->range);
    add_place(walk, calltree_frame(walk->tree, &run->range, 0), NAMES_NO_STACK);
    add_inside(walk, &run->range);
    if (walk->section->describe)
        walk->section->describe(walk->profile, &run->range, walk->view);
    const size_t budget = count_paths(view_share(walk->place_value, walk->whole), stacks);
    return add_callers(walk, &run->range, 1, budget);
}

static void add_columns(struct view *view, const struct site_section *section)
{
    view_column(view, section->value.name, section->value.title, section->value.unit);
    view_column(view, "share", "share", UNIT_SHARE);
    for (size_t i = 0; i < 2; i++)
        if (section->extra[i].of)
            view_column(view, section->extra[i].name, section->extra[i].title,
                        section->extra[i].unit);
    view_column(view, "place", "place and its callers", UNIT_FRAME);
}

static void note_hidden(const struct walk *walk, const struct calltree_run *runs, size_t shown,
                        size_t n)
{
    if (shown >= n)
        return;
    uint64_t value = 0;
    for (size_t i = shown; i < n; i++)
        value = site_tree_add(value, runs[i].value);
    struct buffer text = {0};
    units_add_integer(&text, walk->section->value.unit, value);
    buffer_text(&text, ", ");
    units_add_real(&text, UNIT_SHARE, view_share((double)value, walk->whole));
    walk->view->failed |= text.failed;
    view_note(walk->view, "%zu more place%s (%s) not shown; --top 0 shows all", n - shown,
              n - shown == 1 ? "" : "s", buffer_string(&text));
    buffer_fini(&text);
}

/* Sites with a value above zero, sorted by path. */
static int pick_sites(const struct walk *walk, struct calltree_range *range_out)
{
    const struct profile *profile = walk->profile;
    const struct site **sites = calloc(profile->n_sites + 1, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < profile->n_sites; i++)
        if (calltree_value(&walk->measure, &profile->sites[i]) > 0)
            sites[n++] = &profile->sites[i];
    calltree_sort(walk->tree, sites, n);
    *range_out = (struct calltree_range){sites, n, 0};
    return 0;
}

/* How many places to show: --top where it was given, else what matters of the default. */
static size_t count_places(const struct walk *walk, const struct report_options *options,
                           const struct calltree_run *runs, size_t n)
{
    size_t shown = options->top && options->top < n ? options->top : n;
    if (options->has_top || walk->section->keeps_small)
        return shown;
    while (shown > PLACES_LEAST && (double)runs[shown - 1].value < walk->whole * SHARE_PLACE)
        shown--;
    return shown;
}

static int fill(struct walk *walk, const struct report_options *options)
{
    struct calltree_range all = {0};
    struct calltree_run *runs = NULL;
    size_t n = 0;
    int result = pick_sites(walk, &all);
    if (result == 0)
        result = calltree_split(walk->tree, &all, 0, &walk->measure, &runs, &n);
    if (result < 0)
        goto done;
    if (!walk->section->whole)
        walk->whole = (double)calltree_sum(&walk->measure, &all);
    const size_t shown = count_places(walk, options, runs, n);
    for (size_t i = 0; i < shown && result == 0; i++)
        result = add_entry(walk, &runs[i], options->stacks);
    if (n == 0)
        view_note(walk->view, "%s", walk->section->nothing);
    note_hidden(walk, runs, shown, n);
done:
    free(runs);
    free(all.sites);
    return result;
}

int site_tree_build(const struct site_section *section, const struct metric *metric,
                    const struct profile *profile, const struct report_options *options,
                    struct view *view)
{
    struct calltree *own = NULL;
    int result = options->tree ? 0 : calltree_new(profile, &own);
    if (result < 0)
        return result;
    view_init(view, section->id, section->title, section->subtitle);
    add_columns(view, section);
    struct walk walk = {
        .section = section,
        .tree = options->tree ? options->tree : own,
        .measure = {section->value.of, metric, profile->totals.duration_seconds},
        .view = view,
        .profile = profile,
        .whole = section->whole ? (double)section->whole(profile) : 0,
        .least_share = options->stacks ? SHARE_SHOWN : 0,
        .dominant = options->stacks ? SHARE_DOMINANT : 2,
    };
    result = fill(&walk, options);
    calltree_free(own);
    return result;
}
