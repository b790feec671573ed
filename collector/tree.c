/* SPDX-License-Identifier: MIT */
/* How ends are noticed: by waitpid for our own children (the command, orphans), else by reading
 * /proc/PID/statm through a descriptor kept since the process attached, which fails with ESRCH once
 * that process is gone even when its pid is in use again. */
#include "collector/tree.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/scribe.h"

void tree_init(struct tree *tree, int command_pid, size_t n_fds_max)
{
    *tree = (struct tree){.command_pid = command_pid, .n_fds_max = n_fds_max};
}

static void close_statm(struct tree *tree, struct process *process)
{
    if (process->statm_fd < 0)
        return;
    close(process->statm_fd);
    process->statm_fd = -1;
    tree->n_fds--;
}

void tree_fini(struct tree *tree)
{
    for (size_t i = 0; i < tree->n; i++)
        close_statm(tree, &tree->processes[i]);
    free(tree->processes);
    *tree = (struct tree){0};
}

/* The process with this pid; one whose end is not written yet only if no other has it: a short
 * process may be reaped before its slot is first looked at. */
static struct process *find(const struct tree *tree, int pid)
{
    struct process *ended = NULL;
    for (size_t i = 0; i < tree->n; i++) {
        struct process *const process = &tree->processes[i];
        if (process->pid == pid && !process->ended)
            return process;
        if (process->pid == pid)
            ended = process;
    }
    return ended;
}

static struct process *add(struct tree *tree, int pid)
{
    if (tree->n == tree->capacity) {
        const size_t capacity = tree->capacity ? 2 * tree->capacity : 16;
        struct process *const grown = realloc(tree->processes, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        tree->processes = grown;
        tree->capacity = capacity;
    }
    struct process *const process = &tree->processes[tree->n++];
    *process = (struct process){.pid = pid, .statm_fd = -1};
    return process;
}

static void end(struct process *process, uint64_t ticks, const int *wait_status)
{
    process->ended = true;
    process->ended_ticks = ticks;
    if (wait_status) {
        process->has_status = true;
        process->wait_status = *wait_status;
    }
}

/* Read the small file /proc/PID/NAME as text, "" where it cannot be. */
static void read_proc(int pid, const char *name, char *text_out, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, text_out, cap - 1);
    if (fd >= 0)
        close(fd);
    text_out[n > 0 ? n : 0] = 0;
}

/* Field 22 of /proc/PID/stat, as the shim read it in its own process; 0 where there is none. */
static uint64_t read_start(int pid)
{
    char text[1024];
    read_proc(pid, "stat", text, sizeof text);
    const char *at = strrchr(text, ')'); /* the name before it may hold anything */
    for (unsigned field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static void open_statm(struct tree *tree, struct process *process)
{
    char path[64];
    process->verified = process->start_clock_ticks == read_start(process->pid);
    if (!process->verified || process->statm_fd >= 0 || tree->n_fds >= tree->n_fds_max)
        return;
    snprintf(path, sizeof path, "/proc/%d/statm", process->pid);
    process->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (process->statm_fd >= 0)
        tree->n_fds++;
}

void tree_attach(struct tree *tree, const struct record_image *image, uint64_t ticks,
                 struct compress *out)
{
    struct process *process = find(tree, image->pid);
    if (process && process->image_id && process->start_clock_ticks != image->start_clock_ticks) {
        end(process, ticks, NULL); /* its pid is in use again */
        tree_write_ends(tree, out);
        process = NULL;
    }
    if (!process)
        process = add(tree, image->pid);
    if (!process)
        return;
    tree->n_attached += process->image_id == 0;
    if (image->image_id > process->image_id)
        process->image_id = image->image_id;
    process->start_clock_ticks = image->start_clock_ticks;
    tree->command_attached |= image->pid == tree->command_pid;
    if (!process->ended)
        open_statm(tree, process);
}

void tree_open_slot(struct tree *tree, int pid)
{
    struct process *process = find(tree, pid);
    if (!process)
        process = add(tree, pid);
    if (process)
        process->n_slots++;
}

void tree_close_slot(struct tree *tree, int pid)
{
    struct process *const process = find(tree, pid);
    if (process && process->n_slots > 0)
        process->n_slots--;
}

bool tree_is_alive(const struct tree *tree, int pid)
{
    const struct process *const process = find(tree, pid);
    return process && process->verified && !process->ended;
}

uint32_t tree_image_of(const struct tree *tree, int pid)
{
    const struct process *const process = find(tree, pid);
    return process ? process->image_id : 0;
}

/* What the kernel counted of a process, also of one that ended but was not reaped yet. Source: proc(5). */
static bool read_io(int pid, struct record_kernel_io *io_out)
{
    char text[512];
    unsigned long long n_reads, n_writes, read_bytes, written_bytes;
    read_proc(pid, "io", text, sizeof text);
    if (sscanf(text, "rchar: %llu wchar: %llu syscr: %llu syscw: %llu", &read_bytes, &written_bytes,
               &n_reads, &n_writes) != 4)
        return false;
    *io_out = (struct record_kernel_io){.pid = pid,
                                        .n_reads = n_reads,
                                        .n_writes = n_writes,
                                        .read_bytes = read_bytes,
                                        .written_bytes = written_bytes};
    return true;
}

/* Look for a child with news and leave them there. Returns its pid, 0 where none has any, -1 where there is no
 * child; *ended_out tells whether it is about its end. */
static pid_t next_with_news(bool *ended_out)
{
    siginfo_t news = {.si_pid = 0};
    const int options = WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT | __WALL;
    if (waitid(P_ALL, 0, &news, options) != 0)
        return -1;
    *ended_out = news.si_pid > 0 && news.si_code >= CLD_EXITED && news.si_code <= CLD_DUMPED;
    return news.si_pid;
}

static void note_exit(struct tree *tree, int pid, int status, uint64_t ticks,
                      const struct record_kernel_io *io)
{
    struct process *process = find(tree, pid);
    if (!process || process->ended)
        process = add(tree, pid);
    if (process) {
        end(process, ticks, &status);
        process->has_io = io != NULL;
        process->io = io ? *io : (struct record_kernel_io){0};
    }
    if (pid == tree->command_pid && !tree->command_ended) {
        tree->command_ended = true;
        tree->command_stopped = false;
        tree->command_status = status;
    }
}

bool tree_reap(struct tree *tree, uint64_t ticks, struct tree_news *news_out)
{
    *news_out = (struct tree_news){0};
    for (;;) {
        int status;
        struct record_kernel_io io;
        bool ended;
        const pid_t pid = next_with_news(&ended);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid <= 0)
            return pid == 0;
        const bool has_io = ended && read_io(pid, &io); /* once reaped it is gone */
        if (waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL) != pid)
            return true;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            note_exit(tree, pid, status, ticks, has_io ? &io : NULL);
        } else if (pid == tree->command_pid) {
            tree->command_stopped = WIFSTOPPED(status);
            news_out->stop_signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
        }
    }
}

/* Resident pages out of "size resident shared ...". Returns false when the process is gone. */
static bool read_resident_pages(int statm_fd, uint64_t *pages_out)
{
    char text[128];
    const ssize_t n = pread(statm_fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return n < 0 && errno != ESRCH;
    text[n] = 0;
    const char *const second = strchr(text, ' ');
    *pages_out = second ? strtoull(second, NULL, 10) : 0;
    return true;
}

void tree_sample_rss(struct tree *tree, uint64_t ticks, struct compress *out)
{
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < tree->n; i++) {
        struct process *const process = &tree->processes[i];
        uint64_t pages = 0;
        if (process->ended)
            continue;
        if (process->statm_fd < 0) {
            /* Never seen in /proc (too short, or too many): its slots tell. */
            if (process->n_slots == 0 && process->pid != tree->command_pid &&
                kill(process->pid, 0) && errno == ESRCH)
                end(process, ticks, NULL);
            continue;
        }
        if (!read_resident_pages(process->statm_fd, &pages)) {
            if (process->pid != tree->command_pid) /* waitpid will tell, with the status */
                end(process, ticks, NULL);
        } else if (pages * page_bytes != process->rss_bytes && pages > 0) {
            process->rss_bytes = pages * page_bytes;
            if (out)
                scribe_rss(out, ticks, process->pid, process->rss_bytes);
        }
    }
}

void tree_write_ends(struct tree *tree, struct compress *out)
{
    for (size_t i = 0; i < tree->n;) {
        struct process *const process = &tree->processes[i];
        if (!process->ended) {
            i++;
            continue;
        }
        if (process->has_io)
            scribe_process_io(out, process->ended_ticks, &process->io);
        scribe_process_end(out, process->ended_ticks, process->pid,
                           process->has_status ? &process->wait_status : NULL);
        close_statm(tree, process);
        *process = tree->processes[--tree->n];
    }
}

/* ---- who is still alive ---- */

struct listing {
    char *text;
    size_t cap, used;
    size_t n;
};

enum { MAX_LISTED_DEPTH = 64, FOREIGN_CHECK_NS = 50 * 1000000 };

static void read_name(int pid, char *name, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, name, cap - 1);
    if (fd >= 0)
        close(fd);
    name[n > 0 ? n : 0] = 0;
    name[strcspn(name, "\n")] = 0;
    for (char *at = name; *at; at++)
        if (!isprint((unsigned char)*at))
            *at = '?';
}

static void list_one(void *context, int pid)
{
    struct listing *const listing = context;
    char name[64];
    listing->n++;
    read_name(pid, name, sizeof name);
    char entry[128];
    const int n = snprintf(entry, sizeof entry, "%s%d (%s)", listing->used ? ", " : "", pid, name);
    if (listing->used + (size_t)n + sizeof ", ..." <= listing->cap) {
        memcpy(listing->text + listing->used, entry, (size_t)n + 1);
        listing->used += (size_t)n;
    } else if (listing->used && listing->cap - listing->used >= sizeof ", ...") {
        strcpy(listing->text + listing->used, ", ...");
        listing->cap = listing->used; /* once */
    }
}

/* Visit the children of `pid` and theirs. Children of other threads than the first are missed. */
static void visit_children(int pid, unsigned depth, void (*visit)(void *context, int pid),
                           void *context)
{
    char path[64];
    if (depth >= MAX_LISTED_DEPTH)
        return;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *const file = fopen(path, "re");
    if (!file)
        return;
    int child;
    while (fscanf(file, "%d", &child) == 1) {
        visit(context, child);
        visit_children(child, depth + 1, visit, context);
    }
    fclose(file);
}

size_t tree_list_alive(char *text, size_t cap)
{
    struct listing listing = {.text = text, .cap = cap};
    text[0] = 0;
    visit_children(getpid(), 0, list_one, &listing);
    return listing.n;
}

/* ---- pid namespaces ---- */

struct namespaces {
    ino_t own;
    bool foreign;
};

static ino_t pid_namespace_of(int pid)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    return stat(path, &status) ? 0 : status.st_ino;
}

static void compare_namespace(void *context, int pid)
{
    struct namespaces *const namespaces = context;
    const ino_t theirs = pid_namespace_of(pid);
    namespaces->foreign |= theirs != 0 && theirs != namespaces->own;
}

bool tree_knows_pid(struct tree *tree, int pid, uint64_t now_ns)
{
    const struct process *const process = find(tree, pid);
    if (process && (process->verified || process->ended))
        return true;
    if (now_ns >= tree->next_foreign_ns) {
        struct namespaces namespaces = {.own = pid_namespace_of(getpid())};
        visit_children(getpid(), 0, compare_namespace, &namespaces);
        tree->foreign = namespaces.foreign;
        tree->next_foreign_ns = now_ns + FOREIGN_CHECK_NS;
    }
    return !tree->foreign;
}
