/* SPDX-License-Identifier: MIT */
/* How processes are told apart, and how a forked child gets the addresses its parent had live: a
 * snapshot at the fork, claimed by the child's first record. A parent with several threads may
 * allocate between the two, so what it holds when the child shows itself is added. */
#include "reader/processes.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/account.h"
#include "reader/array.h"
#include "reader/events.h"
#include "reader/io_events.h"
#include "reader/program.h"
#include "reader/site_habits.h"

static int add_process(struct model *model, int32_t pid, uint32_t parent)
{
    struct model_process *const processes = array_room(
        model->processes, model->n_processes, &model->processes_capacity, sizeof *processes);
    if (!processes)
        return -ENOMEM;
    model->processes = processes;
    processes[model->n_processes++] = (struct model_process){
        .pid = pid,
        .parent = parent,
        .first_ticks = model->now_ticks,
        .last_ticks = model->now_ticks,
        .rates = {.start_ticks = model->start_ticks},
    };
    return idmap_put(&model->process_by_pid, (uint32_t)pid, model->n_processes);
}

int processes_expect_root(struct model *model, int32_t pid)
{
    return pid <= 0 || model->n_processes ? 0 : add_process(model, pid, 0);
}

uint32_t processes_image(struct model *model, uint32_t image_id, int32_t pid)
{
    const uint32_t known = idmap_get(&model->image_by_id, image_id);
    if (known)
        return known;
    struct model_image **const images =
        array_room(model->images, model->n_images, &model->images_capacity, sizeof *images);
    if (!images)
        return 0;
    model->images = images;
    struct model_image *const image = calloc(1, sizeof *image);
    if (!image)
        return 0;
    image->model = model;
    image->number = model->n_images + 1;
    image->pid = pid;
    image->executable = image->allocator = "";
    image->sink = model->program ? program_pairing_sink(image) : events_pairing_sink(image);
    image->pairing.sink = &image->sink;
    images[model->n_images++] = image;
    return idmap_put(&model->image_by_id, image_id, image->number) ? 0 : image->number;
}

/* The process that a new one came from: its forker, else who had its parent's pid, else the root. */
static uint32_t find_parent(const struct model *model, const struct record_image *record)
{
    uint32_t parent = 0;
    if (record && record->parent_image) {
        const uint32_t image = idmap_get(&model->image_by_id, record->parent_image);
        parent = image ? model_image(model, image)->process : 0;
    }
    if (parent == 0 && record && record->parent_pid > 0) {
        parent = idmap_get(&model->process_by_pid, (uint32_t)record->parent_pid);
        if (parent && model_process(model, parent)->ended)
            parent = 0;
    }
    return parent || model->n_processes == 0 ? parent : 1;
}

/* The process this image continues, 0 if it begins one. */
static uint32_t find_continued(const struct model *model, int32_t pid, uint64_t start_clock_ticks)
{
    const uint32_t number = idmap_get(&model->process_by_pid, (uint32_t)pid);
    if (number == 0 || model_process(model, number)->ended)
        return 0;
    const uint64_t known = model_process(model, number)->start_clock_ticks;
    return known && start_clock_ticks && known != start_clock_ticks ? 0 : number;
}

static void free_snapshot(struct model *model, struct model_snapshot *snapshot)
{
    addrset_fini(&snapshot->addresses);
    fds_fini(&snapshot->fds, &model->io.descriptions);
    free(snapshot);
}

static struct model_snapshot *take_snapshot(struct model_image *image, uint32_t fork_id)
{
    for (struct model_snapshot **at = &image->snapshots; *at; at = &(*at)->next) {
        struct model_snapshot *const found = *at;
        if (found->fork_id != fork_id)
            continue;
        *at = found->next;
        image->n_snapshots--;
        return found;
    }
    return NULL;
}

static void drop_oldest_snapshot(struct model_image *image)
{
    struct model_snapshot **at = &image->snapshots;
    while (*at && (*at)->next)
        at = &(*at)->next;
    if (*at) {
        free_snapshot(image->model, *at);
        *at = NULL;
        image->n_snapshots--;
    }
}

/* Add what an image holds now, its own and what it inherited itself. */
static int add_addresses(struct addrset *addresses, const struct model_image *image)
{
    int error = addrset_add_all(addresses, &image->inherited);
    const struct block *block;
    for (size_t at = 0; error == 0 && (block = live_next(&image->pairing.live, &at));)
        error = addrset_add(addresses, block->address);
    return error;
}

int processes_fork(struct model *model, struct model_image *image, uint32_t fork_id)
{
    struct model_snapshot *const snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return -ENOMEM;
    processes_fork_failed(image, fork_id); /* the same id twice: the later one counts */
    if (image->n_snapshots >= MODEL_MAX_SNAPSHOTS)
        drop_oldest_snapshot(image);
    snapshot->fork_id = fork_id;
    snapshot->next = image->snapshots;
    image->snapshots = snapshot;
    image->n_snapshots++;
    snapshot->folder = image->folder;
    const int error = fds_copy(&snapshot->fds, &model->io.descriptions, &image->fds);
    return error ? error : add_addresses(&snapshot->addresses, image);
}

void processes_fork_failed(struct model_image *image, uint32_t fork_id)
{
    struct model_snapshot *const snapshot = take_snapshot(image, fork_id);
    if (snapshot)
        free_snapshot(image->model, snapshot);
}

static int inherit(struct model *model, struct model_image *child,
                   const struct record_image *record)
{
    const uint32_t number = idmap_get(&model->image_by_id, record->parent_image);
    if (number == 0 || number == child->number)
        return 0;
    struct model_image *const parent = model_image(model, number);
    struct model_snapshot *const snapshot = take_snapshot(parent, record->fork_id);
    fds_fini(&child->fds, &model->io.descriptions);
    child->folder = snapshot ? snapshot->folder : parent->folder;
    if (!snapshot) { /* no hook saw the fork */
        const int error = fds_copy(&child->fds, &model->io.descriptions, &parent->fds);
        return error ? error : add_addresses(&child->inherited, parent);
    }
    child->inherited = snapshot->addresses;
    child->fds = snapshot->fds;
    free(snapshot);
    return parent->n_threads > 1 ? add_addresses(&child->inherited, parent) : 0;
}

static int keep_names(struct model *model, struct model_image *image,
                      const struct record_image *record)
{
    struct unpack_cursor arguments = record->arguments;
    image->executable =
        strtab_text(&model->texts, strtab_add(&model->texts, record->executable.bytes,
                                              record->executable.n_bytes));
    image->allocator = strtab_text(&model->texts, strtab_add(&model->texts, record->allocator.bytes,
                                                             record->allocator.n_bytes));
    image->arguments = storage_array(model->storage, record->n_arguments, sizeof *image->arguments);
    if (!image->arguments)
        return -ENOMEM;
    for (uint32_t i = 0; i < record->n_arguments; i++) {
        struct unpack_text text;
        if (unpack_text(&arguments, &text))
            break;
        const uint32_t id = strtab_add(&model->texts, text.bytes, text.n_bytes);
        if (id == 0)
            return -ENOMEM;
        image->arguments[image->n_arguments++] = strtab_text(&model->texts, id);
    }
    return 0;
}

/* The process's next image: what the one before held went with the exec. */
static int follow(struct model *model, uint32_t number, struct model_image *image)
{
    struct model_process *const process = model_process(model, number);
    if (process->image) {
        struct model_image *const before = model_image(model, process->image);
        image->folder = before->folder;
        io_events_exec(image, before);
        const int error = processes_close_image(model, before);
        if (error)
            return error;
        account_forget_live(model, number);
    } else if (number == 1) {
        image->folder = model->io.first_folder;
    }
    image->process = number;
    image->next_of_process = process->image;
    process->image = image->number;
    process->n_images++;
    return 0;
}

int processes_attach(struct model *model, uint32_t number, const struct record_image *record)
{
    struct model_image *const image = model_image(model, number);
    if (record && record->pid > 0)
        image->pid = record->pid;
    const uint64_t start = record ? record->start_clock_ticks : 0;
    int error = 0;
    if (!image->process) {
        uint32_t process = find_continued(model, image->pid, start);
        const bool is_new = process == 0;
        if (is_new && (error = add_process(model, image->pid, find_parent(model, record))))
            return error;
        process = is_new ? model->n_processes : process;
        if ((error = follow(model, process, image)))
            return error;
        if (model_process(model, process)->start_clock_ticks == 0)
            model_process(model, process)->start_clock_ticks = start;
    }
    if (!record || image->arguments)
        return 0;
    if (record->parent_image && (error = inherit(model, image, record)))
        return error;
    return keep_names(model, image, record);
}

int processes_close_image(struct model *model, struct model_image *image)
{
    int error = pairing_expire(&image->pairing, UINT64_MAX);
    if (model->habits.gathered && error == 0)
        error = site_habits_image_over(image);
    io_joins_close(image);
    pairing_fini(&image->pairing);
    mapped_fini(&image->mapped);
    addrset_fini(&image->inherited);
    fds_fini(&image->fds, &model->io.descriptions);
    fds_fini(&image->before_exec, &model->io.descriptions);
    return error;
}

int processes_end(struct model *model, int32_t pid, const int32_t *status)
{
    const uint32_t number = idmap_get(&model->process_by_pid, (uint32_t)pid);
    if (number == 0)
        return 0;
    struct model_process *const process = model_process(model, number);
    if (status && !process->has_status) {
        process->has_status = true;
        process->wait_status = *status;
    }
    if (process->ended)
        return 0;
    if (model->now_ticks > process->last_ticks)
        process->last_ticks = model->now_ticks;
    const int error =
        process->image ? processes_close_image(model, model_image(model, process->image)) : 0;
    account_end_process(model, number);
    return error;
}

void processes_free_image(struct model_image *image)
{
    while (image->snapshots)
        drop_oldest_snapshot(image);
    free(image->joins.slots);
    live_fini(&image->grown);
    pairing_fini(&image->pairing);
    modmap_fini(&image->modules);
    mapped_fini(&image->mapped);
    addrset_fini(&image->inherited);
    fds_fini(&image->fds, &image->model->io.descriptions);
    fds_fini(&image->before_exec, &image->model->io.descriptions);
    free(image);
}
