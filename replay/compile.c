/* SPDX-License-Identifier: MIT */
/* How calls are put into their threads' lists, and what has to wait for what. */
#include "replay/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"
#include "reader/idmap.h"
#include "replay/block_slots.h"

#define NO_LIST UINT32_MAX

/* A request that came last in its thread; it is temporary if the thread's next one finds it released. */
struct temporary {
    uint32_t slot, turn; /* as the request left it */
    uint64_t at;
    uint16_t row; /* that serves it then; 0 none */
};

struct thread {
    struct ops_list list;
    struct temporary temporary;
    uint32_t epoch; /* the one it is in, plus 1; 0 before its first */
    struct block_slots_own free_slots;
    bool is_unstarted;
};

/* A thread that uses a row of the plan; of rows that reserve, the block that may be growing. */
struct use {
    uint32_t slot, turn;         /* the last block acquired, as the acquisition left it */
    uint32_t old_slot, old_turn; /* the one before, where it may be given up for it; or 0 */
    uint64_t bytes, grow_at;
};

struct compiler {
    const struct compile_options *options;
    struct ops_writer *file;
    struct thread *threads; /* [0]: the main one */
    struct block_slots slots;
    uint32_t *epochs; /* how many threads take part */
    struct use *uses;
    struct ops_row *rows;
    uint32_t n_threads, threads_capacity;
    uint32_t n_epochs, epochs_capacity, n_uses, uses_capacity;
    struct idmap list_of_thread, use_of; /* program's thread number + 1; list << 16 | row */
    uint32_t last_list;                  /* whose op came last */
    uint64_t n_calls, calls_per_epoch, epoch_end; /* the first call that is in the next one */
    uint32_t epoch;
    uint64_t last_at, peak_at; /* of the last call; of the one after which most bytes lived; or 0 */
    uint64_t n_kind[OPS_N_CALLS];
    int file_error;
};

static struct block_slot *slot_at(const struct compiler *compiler, uint32_t number)
{
    return block_slots_at(&compiler->slots, number);
}

static int put(struct compiler *compiler, uint32_t list, const struct ops_op *op, uint64_t *at_out)
{
    const int error = ops_writer_add(compiler->file, &compiler->threads[list].list, op, at_out);
    if (error)
        compiler->file_error = error;
    return error;
}

/* ---- threads and epochs ---- */

static int add_thread(struct compiler *compiler, uint32_t *list_out)
{
    struct thread *const threads = array_room(compiler->threads, compiler->n_threads,
                                              &compiler->threads_capacity, sizeof *threads);
    if (!threads)
        return -ENOMEM;
    compiler->threads = threads;
    *list_out = compiler->n_threads++;
    threads[*list_out] = (struct thread){.epoch = 0};
    return 0;
}

/* A thread's first call: whoever did the call before it starts it. */
static int start_thread(struct compiler *compiler, uint32_t list)
{
    uint64_t at;
    const struct ops_op op = {.kind = OPS_THREAD, .slot = list};
    if (compiler->last_list != NO_LIST)
        return put(compiler, compiler->last_list, &op, &at);
    compiler->threads[list].is_unstarted = true;
    return 0;
}

static int find_list(struct compiler *compiler, uint32_t thread, bool is_main, uint32_t *list_out)
{
    *list_out = idmap_get(&compiler->list_of_thread, thread);
    if (is_main || *list_out) {
        *list_out = is_main ? 0 : *list_out;
        return 0;
    }
    int error = add_thread(compiler, list_out);
    if (error == 0)
        error = idmap_put(&compiler->list_of_thread, thread, *list_out);
    return error ? error : start_thread(compiler, *list_out);
}

static int enter_epoch(struct compiler *compiler, uint32_t list)
{
    struct thread *const thread = &compiler->threads[list];
    uint64_t at;
    if (compiler->n_calls == compiler->epoch_end) {
        compiler->epoch++;
        compiler->epoch_end += compiler->calls_per_epoch;
    }
    const uint32_t epoch = compiler->epoch;
    if (thread->epoch == epoch + 1)
        return 0;
    while (compiler->n_epochs <= epoch) {
        uint32_t *const epochs = array_room(compiler->epochs, compiler->n_epochs,
                                            &compiler->epochs_capacity, sizeof *epochs);
        if (!epochs)
            return -ENOMEM;
        compiler->epochs = epochs;
        epochs[compiler->n_epochs++] = 0;
    }
    compiler->epochs[epoch]++;
    thread->epoch = epoch + 1;
    const struct ops_op op = {.kind = OPS_EPOCH, .bytes = epoch};
    return put(compiler, list, &op, &at);
}

/* Whose list the next call goes to; puts what has to come before it. */
static int begin_call(struct compiler *compiler, uint32_t thread, bool is_main, uint32_t *list_out)
{
    int error = find_list(compiler, thread, is_main, list_out);
    if (error == 0)
        error = enter_epoch(compiler, *list_out);
    compiler->last_list = *list_out;
    return error;
}

/* Put a call on a slot, behind a wait where another thread's was the last. */
static int put_call(struct compiler *compiler, uint32_t list, const struct ops_op *op)
{
    struct block_slot *const slot = slot_at(compiler, op->slot);
    int error = 0;
    if (slot->turn && slot->list != list) {
        const struct ops_op wait = {.kind = OPS_WAIT, .slot = op->slot, .bytes = slot->turn};
        error = put(compiler, list, &wait, &compiler->last_at);
        if (op->row && op->kind >= OPS_RESIZE)
            compiler->rows[op->row - 1].crosses = 1;
    }
    if (error == 0)
        error = put(compiler, list, op, &compiler->last_at);
    slot->turn++;
    slot->list = list;
    compiler->n_calls++;
    compiler->n_kind[op->kind]++;
    return error;
}

/* ---- rows of the plan ---- */

static uint16_t row_of(const struct compiler *compiler, uint32_t site)
{
    const struct compile_options *const options = compiler->options;
    return site - 1 < options->n_site_rows ? options->row_of_site[site - 1] : 0;
}

/* The thread's use of a row, made if new; NULL when out of memory. */
static struct use *find_use(struct compiler *compiler, uint32_t list, uint16_t row)
{
    const uint64_t key = (uint64_t)list << 16 | row;
    const uint32_t known = idmap_get(&compiler->use_of, key);
    if (known)
        return &compiler->uses[known - 1];
    struct use *const uses =
        array_room(compiler->uses, compiler->n_uses, &compiler->uses_capacity, sizeof *uses);
    if (!uses)
        return NULL;
    compiler->uses = uses;
    uses[compiler->n_uses] = (struct use){.slot = 0};
    if (idmap_put(&compiler->use_of, key, compiler->n_uses + 1))
        return NULL;
    struct ops_row *const facts = &compiler->rows[row - 1];
    facts->is_met_by_several = ++facts->n_threads > 1;
    return &uses[compiler->n_uses++];
}

/* A block of a row that reserves comes to be. The thread's last one there may be about to give way to it:
 * a place is kept to say so. */
static int expect_growth(struct compiler *compiler, uint32_t list, uint16_t row, uint64_t bytes)
{
    struct use *const use = find_use(compiler, list, row);
    if (!use)
        return -ENOMEM;
    if (compiler->rows[row - 1].technique != REPLAY_RESERVE)
        return 0;
    const struct block_slot *const last = use->slot ? slot_at(compiler, use->slot) : NULL;
    const bool may_grow = last && last->is_live && last->turn == use->turn && bytes > use->bytes;
    use->old_slot = may_grow ? use->slot : 0;
    use->old_turn = use->turn;
    use->bytes = bytes;
    const struct ops_op op = {.kind = OPS_GROW};
    return put(compiler, list, &op, &use->grow_at);
}

static void expected(struct compiler *compiler, uint32_t list, uint16_t row, uint32_t number)
{
    struct use *const use = find_use(compiler, list, row); /* is there */
    use->slot = number;
    use->turn = slot_at(compiler, number)->turn;
}

/* Whether a block is given back because the thread's last one replaced it; says so there as well. */
static bool confirm_growth(struct compiler *compiler, uint32_t list, uint32_t number)
{
    const struct block_slot *const slot = slot_at(compiler, number);
    const uint32_t at = idmap_get(&compiler->use_of, (uint64_t)list << 16 | slot->row);
    struct use *const use = at ? &compiler->uses[at - 1] : NULL;
    if (!use || use->old_slot != number || use->old_turn != slot->turn ||
        slot_at(compiler, use->slot)->turn != use->turn)
        return false;
    ops_writer_op(compiler->file, use->grow_at)->slot = number;
    use->old_slot = 0;
    return true;
}

/* ---- rows that serve temporary blocks alone ---- */

static bool is_for_temporary(const struct compiler *compiler, uint16_t row)
{
    return row && compiler->options->plan->rows[row - 1].only_temporary;
}

/* A request of the row came last in the list: whether it is served by it is known at the thread's next call. */
static void expect_release(struct compiler *compiler, uint32_t list, uint16_t row, uint32_t number)
{
    compiler->threads[list].temporary = (struct temporary){.row = row,
                                                           .slot = number,
                                                           .turn = slot_at(compiler, number)->turn,
                                                           .at = compiler->last_at};
}

/* Whether the block given back is the one that the thread's last call asked for; says so there as well. */
static uint16_t confirm_temporary(struct compiler *compiler, uint32_t list, uint32_t number)
{
    struct temporary *const last = &compiler->threads[list].temporary;
    const uint16_t row = last->row;
    if (row == 0 || last->slot != number || last->turn != slot_at(compiler, number)->turn)
        return 0;
    ops_writer_op(compiler->file, last->at)->row = row;
    last->row = 0;
    return row;
}

/* ---- calls ---- */

static uint8_t alignment_of(const struct program_request *request)
{
    return request->alignment_log2 < OPS_MAX_ALIGNMENT ? request->alignment_log2
                                                       : OPS_MAX_ALIGNMENT;
}

static int on_acquire(void *context, const struct program_request *request, uint64_t *block_out)
{
    static const uint8_t kinds[] = {[PROGRAM_MALLOC] = OPS_MALLOC,
                                    [PROGRAM_CALLOC] = OPS_CALLOC,
                                    [PROGRAM_ALIGNED] = OPS_ALIGNED};
    struct compiler *const compiler = context;
    const uint16_t planned = row_of(compiler, request->site);
    const uint16_t row = is_for_temporary(compiler, planned) ? 0 : planned;
    uint32_t list, number;
    int error = begin_call(compiler, request->thread, request->is_main, &list);
    if (error ||
        (error = block_slots_take(&compiler->slots, &compiler->threads[list].free_slots, &number)))
        return error;
    if (planned && (error = expect_growth(compiler, list, planned, request->size_bytes)))
        return error;
    const struct ops_op op = {.bytes = request->size_bytes,
                              .slot = number,
                              .row = row,
                              .kind = kinds[request->kind],
                              .flags = alignment_of(request)};
    error = put_call(compiler, list, &op);
    slot_at(compiler, number)->row = row;
    *block_out = number;
    if (row)
        expected(compiler, list, row, number);
    expect_release(compiler, list, row == planned ? 0 : planned, number);
    return error;
}

/* Only a trace that contradicts itself (an image that goes on after its exec) names a block that is gone. */
static int on_resize(void *context, const struct program_request *request, uint64_t block)
{
    struct compiler *const compiler = context;
    const uint32_t number = (uint32_t)block;
    uint32_t list;
    if (!slot_at(compiler, number)->is_live)
        return 0;
    const int error = begin_call(compiler, request->thread, request->is_main, &list);
    if (error)
        return error;
    struct block_slot *const slot = slot_at(compiler, number);
    const uint16_t planned = row_of(compiler, request->site);
    compiler->threads[list].temporary = (struct temporary){.row = 0};
    if (slot->row == 0 && !is_for_temporary(compiler, planned))
        slot->row = planned;
    const struct ops_op op = {.bytes = request->size_bytes,
                              .slot = number,
                              .row = slot->row,
                              .kind = OPS_RESIZE,
                              .flags = alignment_of(request)};
    return put_call(compiler, list, &op);
}

static int on_release(void *context, const struct program_release *release, uint64_t block)
{
    struct compiler *const compiler = context;
    const uint32_t number = (uint32_t)block;
    uint32_t list;
    if (!slot_at(compiler, number)->is_live)
        return 0;
    int error = begin_call(compiler, release->thread, release->is_main, &list);
    if (error)
        return error;
    const uint16_t temporary = confirm_temporary(compiler, list, number);
    const uint16_t row = slot_at(compiler, number)->row;
    struct ops_op op = {.slot = number, .row = temporary ? temporary : row, .kind = OPS_RELEASE};
    if (row)
        op.flags = confirm_growth(compiler, list, number) ? OPS_MOVED : 0;
    error = put_call(compiler, list, &op);
    block_slots_give(&compiler->slots, &compiler->threads[list].free_slots, number);
    return error;
}

static void on_peaked(void *context)
{
    struct compiler *const compiler = context;
    compiler->peak_at = compiler->last_at;
}

static int on_replaced(void *context, const struct program_release *release)
{
    struct compiler *const compiler = context;
    int error = 0;
    while (compiler->slots.first_live && error == 0)
        error = on_release(compiler, release, compiler->slots.first_live);
    return error;
}

static const struct program_sink calls = {.acquire = on_acquire,
                                          .resize = on_resize,
                                          .release = on_release,
                                          .peaked = on_peaked,
                                          .replaced = on_replaced};

/* ---- the file ---- */

static int prepare(struct compiler *compiler)
{
    const struct compile_options *const options = compiler->options;
    const struct replay_plan *const plan = options->plan;
    const uint64_t share = options->n_expected_calls / OPS_EPOCHS;
    const size_t n_rows = plan ? plan->n_rows : 0;
    uint32_t list;
    compiler->calls_per_epoch = share > OPS_EPOCH_CALLS ? share : OPS_EPOCH_CALLS;
    compiler->epoch_end = compiler->calls_per_epoch;
    compiler->last_list = NO_LIST;
    compiler->rows = calloc(n_rows + 1, sizeof *compiler->rows);
    if (!compiler->rows)
        return -ENOMEM;
    for (size_t i = 0; i < n_rows; i++) {
        const struct replay_plan_row *const row = &plan->rows[i];
        compiler->rows[i] = (struct ops_row){.technique = row->technique,
                                             .is_shared = row->is_shared,
                                             .group = row->group,
                                             .bytes = row->bytes,
                                             .slots = row->slots};
    }
    return add_thread(compiler, &list);
}

static int put_threads(struct compiler *compiler, struct ops_head *head)
{
    struct ops_thread *const table = calloc(compiler->n_threads, sizeof *table);
    const struct ops_op end = {.kind = OPS_END};
    int error = table ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < compiler->n_threads && error == 0; i++) {
        uint64_t at;
        error = put(compiler, i, &end, &at);
        table[i] = (struct ops_thread){.first_at = compiler->threads[i].list.first_at,
                                       .n_first = compiler->threads[i].list.n_first,
                                       .is_unstarted = compiler->threads[i].is_unstarted};
    }
    if (error == 0)
        error = ops_writer_put(compiler->file, table, compiler->n_threads * sizeof *table,
                               &head->threads_at);
    free(table);
    return error;
}

static int finish(struct compiler *compiler, struct ops_head *head)
{
    const struct replay_plan *const plan = compiler->options->plan;
    *head = (struct ops_head){
        .magic = OPS_MAGIC,
        .n_threads = compiler->n_threads,
        .n_slots = compiler->slots.n,
        .n_rows = plan ? (uint32_t)plan->n_rows : 0,
        .n_epochs = compiler->n_epochs,
        .sample_every = compiler->n_calls < 1000000 ? 16 : 64,
    };
    memcpy(head->n_calls, compiler->n_kind, sizeof head->n_calls);
    if (compiler->peak_at)
        ops_writer_op(compiler->file, compiler->peak_at)->flags |= OPS_PEAK;
    int error = put_threads(compiler, head);
    if (error == 0)
        error = ops_writer_put(compiler->file, compiler->rows,
                               head->n_rows * sizeof *compiler->rows, &head->rows_at);
    if (error == 0)
        error = ops_writer_put(compiler->file, compiler->epochs,
                               head->n_epochs * sizeof *compiler->epochs, &head->epochs_at);
    if (error == 0)
        memcpy(compiler->file->bytes, head, sizeof *head);
    return error;
}

static void free_compiler(struct compiler *compiler)
{
    free(compiler->threads);
    block_slots_fini(&compiler->slots);
    free(compiler->epochs);
    free(compiler->uses);
    free(compiler->rows);
    idmap_fini(&compiler->list_of_thread);
    idmap_fini(&compiler->use_of);
}

/* Say of a failure that it was the file of operations, where it was. */
static void explain(const struct compiler *compiler, struct trace_error *error_out)
{
    if (compiler->file_error == 0)
        return;
    *error_out = (struct trace_error){.record = "replay"};
    snprintf(error_out->reason, sizeof error_out->reason, "the list of operations: %s",
             strerror(-compiler->file_error));
}

int compile_trace(const char *path, const struct compile_options *options,
                  struct compiled *compiled_out, struct trace_error *error_out)
{
    struct compiled compiled = {.is_truncated = false};
    struct compiler compiler = {.options = options, .file = &compiled.file};
    struct program_sink sink = calls;
    struct program program = {.sink = &sink, .process_id = options->process_id};
    sink.context = &compiler;
    *error_out = (struct trace_error){.record = ""};
    int error = compiler.file_error = ops_writer_open(&compiled.file);
    if (error == 0)
        error = prepare(&compiler);
    if (error == 0)
        error = program_load(path, &program, &compiled.is_truncated, error_out);
    if (error == 0)
        error = finish(&compiler, &compiled.head);
    compiled.counts = program.counts;
    explain(&compiler, error_out);
    free_compiler(&compiler);
    if (error)
        compiled_fini(&compiled);
    else
        *compiled_out = compiled;
    return error;
}

void compiled_fini(struct compiled *compiled)
{
    ops_writer_close(&compiled->file);
}
