/* SPDX-License-Identifier: MIT */
/* Which blocks die together, so that they could be given back in one go?
 *
 * A burst is a run of frees by one thread without an allocation in between. Places whose largest bursts are
 * the same run are members of one arena: a tree's nodes, their names, their lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "findings/findings.h"
#include "findings/frame.h"
#include "findings/place.h"
#include "findings/sites.h"
#include "findings/store.h"
#include "reader/array.h"

/* Taking the next bytes of an arena: a comparison and an addition. */
static const double ARENA_SECONDS = 1e-9;

/* Places of one burst: members[0..n), the one with the most blocks first. */
struct arena {
    const struct site *const *members;
    uint32_t n;
    uint64_t blocks, bytes; /* of the largest burst, all members together */
    double bursts;          /* of the member with the most; at most, where it has several stacks */
    double all_blocks, freed_count; /* in all bursts; all frees */
    double first_seconds, died_seconds;
};

static struct arena sum_up(const struct site *const *members, uint32_t n)
{
    struct arena arena = {.members = members, .n = n};
    const struct burst *const first = &members[0]->habits->largest_burst;
    arena.first_seconds = first->first_born_seconds;
    arena.died_seconds = first->died_seconds;
    for (uint32_t i = 0; i < n; i++) {
        const struct site_habits *const habits = members[i]->habits;
        const struct burst *const burst = &habits->largest_burst;
        arena.blocks = add_capped(arena.blocks, burst->count);
        arena.bytes = add_capped(arena.bytes, burst->bytes);
        arena.all_blocks += (double)habits->burst_count;
        arena.freed_count += (double)members[i]->metrics.free_count;
        if ((double)habits->n_bursts > arena.bursts)
            arena.bursts = (double)habits->n_bursts;
        if (burst->first_born_seconds < arena.first_seconds)
            arena.first_seconds = burst->first_born_seconds;
        if (burst->died_seconds > arena.died_seconds)
            arena.died_seconds = burst->died_seconds;
    }
    if (arena.bursts > arena.all_blocks) /* only a strange trace says so */
        arena.bursts = arena.all_blocks;
    return arena;
}

/* ---- the place of several stacks ---- */

/* Two calls on different lines of one function are frames of their own, but the same activation. */
static bool is_one_function(const struct profile *profile, uint32_t a, uint32_t b)
{
    return a == b || frame_is_same_function(&profile->frames[a], &profile->frames[b]);
}

/* How many outermost frames the stacks have in common. */
static uint32_t count_common(const struct profile *profile, const struct site *a,
                             const struct site *b)
{
    const uint32_t most = a->n_frames < b->n_frames ? a->n_frames : b->n_frames;
    uint32_t n = 0;
    while (n < most && a->frames[a->n_frames - 1 - n] == b->frames[b->n_frames - 1 - n])
        n++;
    if (n < most &&
        is_one_function(profile, a->frames[a->n_frames - 1 - n], b->frames[b->n_frames - 1 - n]))
        n++;
    return n;
}

/* The deepest frame of the user's that all members were called from; where there is none, the place of the
 * first member. */
static struct finding_place common_place(const struct profile *profile, const struct arena *arena)
{
    const struct site *const first = arena->members[0];
    uint32_t n_common = first->n_frames;
    for (uint32_t i = 1; i < arena->n; i++) {
        const uint32_t n = count_common(profile, first, arena->members[i]);
        n_common = n < n_common ? n : n_common;
    }
    const uint32_t least = first->n_frames - n_common;
    for (uint32_t i = least > first->place ? least : first->place; i < first->n_frames; i++)
        if (place_is_user(&profile->frames[first->frames[i]]))
            return (struct finding_place){first->n_frames - least, first->frames + least,
                                          i - least};
    return (struct finding_place){first->n_frames, first->frames, first->place};
}

/* ---- telling ---- */

/* Blocks that nearly all are freed when the run is all but over. */
static bool is_at_end(const struct finder *finder, const struct arena *arena)
{
    return (double)arena->blocks >= 0.9 * arena->all_blocks &&
           arena->died_seconds > 0.95 * finder->profile->totals.duration_seconds;
}

static const char *say_arena(struct finder *finder, const struct arena *arena)
{
    return finder_text(
        finder,
        "Allocate these blocks from one region and give it back as a whole where they are freed "
        "now: %s for %s blocks of the largest burst, which was built from %s on and freed by %s. "
        "That replaces %s frees by at most %s.%s",
        finder_bytes(finder, (double)arena->bytes), finder_number(finder, (double)arena->blocks),
        finder_seconds(finder, arena->first_seconds), finder_seconds(finder, arena->died_seconds),
        finder_number(finder, arena->all_blocks), finder_number(finder, arena->bursts),
        is_at_end(finder, arena) ? " As the run ended then, they may not need to be freed at all."
                                 : "");
}

/* Members' calls differ in price, so each is asked for its own. */
static void save_arena(struct finding *finding, const struct arena *arena)
{
    bool measured = true;
    double seconds = 0;
    for (uint32_t i = 0; i < arena->n; i++) {
        bool is_timed;
        const double pair = finder_pair_seconds(arena->members[i], &is_timed);
        if (pair > ARENA_SECONDS)
            seconds += (double)arena->members[i]->habits->burst_count * (pair - ARENA_SECONDS);
        measured &= is_timed;
    }
    finding->saves.allocations = maybe_known(arena->all_blocks - arena->bursts);
    finding->saves.seconds = maybe_known(seconds);
    if (!measured)
        finder_doubt(finding, 0.9, "no call of the allocator was timed at some of the places");
}

static int tell_arena(struct finder *finder, const struct rule *rule, const struct arena *arena)
{
    const struct profile *const profile = finder->profile;
    struct finding *const finding =
        sites_found(finder, rule, arena->members[0], "free_count", arena->all_blocks);
    if (!finding)
        return -ENOMEM;
    const double together = finder_percent(arena->all_blocks, arena->freed_count);
    finding->place = common_place(profile, arena);
    finding->sites = arena->members + 1;
    finding->n_sites = arena->n - 1;
    finding->title = finder_text(finder, "%s blocks from %u %s freed in runs of %d and more",
                                 finder_number(finder, arena->all_blocks), arena->n,
                                 arena->n > 1 ? "places" : "place", HABITS_BURST_BLOCKS);
    finding->percentage = finder_percent(arena->all_blocks, (double)profile->totals.alloc_count);
    finding->whole = OF_ALLOC_COUNT;
    finding->impact = finding->percentage * (1 - arena->bursts / arena->all_blocks);
    finding->evidence.count = arena->blocks;
    finding->evidence.bytes = maybe_known((double)arena->bytes);
    finding->suggestion.text = say_arena(finder, arena);
    finding->suggestion.arena = (struct finding_arena){true, arena->bytes, arena->blocks, together};
    save_arena(finding, arena);
    if (together < 99)
        finder_doubt(finding, 0.9, "some of the blocks are freed on their own, before the rest");
    return 0;
}

/* ---- grouping ---- */

/* By burst; in it the place with the most blocks first, then as the profile orders them. */
static int compare_members(const void *a_, const void *b_)
{
    const struct site *const a = *(const struct site *const *)a_, *const b = *(
                                                                      const struct site *const *)b_;
    const struct burst *const of_a = &a->habits->largest_burst, *const of_b =
                                                                    &b->habits->largest_burst;
    if (of_a->id != of_b->id)
        return of_a->id < of_b->id ? -1 : 1;
    if (of_a->count != of_b->count)
        return of_a->count > of_b->count ? -1 : 1;
    return (a > b) - (a < b);
}

/* A thread that only frees what others allocate is in one run of frees all its life: that is no burst, and
 * more blocks "die" in it than were ever live. */
static bool is_member(const struct finder *finder, const struct rule *rule, const struct site *site)
{
    const struct site_habits *const habits = site->habits;
    if (!habits || habits->largest_burst.id == 0 ||
        habits->largest_burst.count > site->max_live_count)
        return false;
    const double freed = (double)site->metrics.free_count;
    return finder_percent((double)habits->freed_elsewhere_count, freed) < 50 &&
           finder_percent((double)habits->burst_count, freed) >=
               finder_limit(finder, rule, "min_together_percent");
}

static int look_at(struct finder *finder, const struct rule *rule,
                   const struct site *const *members, uint32_t n)
{
    const struct arena arena = sum_up(members, n);
    const double percent =
        finder_percent(arena.all_blocks, (double)finder->profile->totals.alloc_count);
    if ((double)arena.blocks < finder_limit(finder, rule, "min_blocks") ||
        percent < finder_limit(finder, rule, "min_percent"))
        return 0;
    return tell_arena(finder, rule, &arena);
}

static int find_arenas(struct finder *finder, const struct rule *rule)
{
    const struct profile *const profile = finder->profile;
    const struct site **const members =
        storage_new(&finder->findings->store->storage, (profile->n_places + 1) * sizeof *members);
    size_t n = 0;
    int error = 0;
    if (!members)
        return -ENOMEM;
    for (size_t i = 0; i < profile->n_places; i++)
        if (is_member(finder, rule, &profile->places[i]))
            members[n++] = &profile->places[i];
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 0, end; i < n && error == 0; i = end) {
        const uint64_t id = members[i]->habits->largest_burst.id;
        for (end = i + 1; end < n && members[end]->habits->largest_burst.id == id;)
            end++;
        error = look_at(finder, rule, members + i, (uint32_t)(end - i));
    }
    return error;
}

static const struct rule rows[] = {
    {
        .id = "AL130",
        .name = "arena",
        .brief = "blocks of one or several places that die together",
        .category = CATEGORY_ALLOCATION,
        .group = GROUP_NONE,
        .kind = SUGGEST_ARENA,
        .effort = 3,
        .confidence = 0.8,
        .ceiling = SEVERITY_CRITICAL,
        .limits = {{"min_together_percent", 90, "share of a place's frees that come in bursts"},
                   {"min_blocks", 1000, "blocks of the largest burst, all its places together"},
                   {"min_percent", 5, "share of blocks freed in bursts in all allocations"}},
        .must_keep = {"what a block owns besides memory must still be closed",
                      "a block that outlives the rest must not lie in the region"},
        .why_same_output = "The blocks hold the same data until all of them are dropped at the "
                           "moment they are dropped now.",
        .sort = "free_count",
        .expect = "free_count of the places falls to one for each region; the finding is gone",
        .meaning = "Many blocks are built up in a phase and then freed one after the other,\n"
                   "with nothing allocated in between: a tree, a table, a request's data. In a\n"
                   "region an allocation is an addition, and all blocks go in one call.\n",
        .evidence = "The share of the places' frees that came in runs of at least 32, without an\n"
                    "allocation by the same thread in between; the largest run, with when its\n"
                    "blocks were born and when they died. Places that died in the same run are\n"
                    "told together.\n",
        .example_c = "    /* before */                         /* after */\n"
                     "    free_tree(root->left);               struct region r = {0};\n"
                     "    free_tree(root->right);              root = build(&r, input);\n"
                     "    free(root->name);                    use(root);\n"
                     "    free(root);                          region_free(&r);\n",
        .example_cpp =
            "    // before                            // after\n"
            "    Tree tree;                           std::pmr::monotonic_buffer_resource\n"
            "    build(tree, input);                      region;\n"
            "                                         Tree tree(&region); // pmr\n"
            "                                         build(tree, input);\n",
        .when_not = "Leave it where parts must be freed early to keep memory low. Blocks freed\n"
                    "right before the program ends need no region: they need not be freed.\n",
        .find = find_arenas,
    },
};

const struct rule_family alloc_arena_rules = {rows, sizeof rows / sizeof *rows};
