/* SPDX-License-Identifier: MIT */
/* How the session object comes into being. Its memory is allocated slot by slot: a page that is
 * missing when a target writes to it would be a SIGBUS there, so fallocate comes before the offer. */
#include "collector/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "collector/host.h"
#include "collector/ticks.h"

enum { MIN_RING_BYTES = 64 * 1024, MIN_SLOTS = 2 };

static uint64_t power_of_two(uint64_t n)
{
    uint64_t power = MIN_RING_BYTES;
    while (power < n && power < (UINT64_C(1) << 40))
        power *= 2;
    return power;
}

/* How many slots there may ever be: as many as the file limit and half of the memory hold. */
static uint32_t slots_that_fit(const struct session *session, uint64_t max_file_bytes)
{
    struct sysinfo info;
    uint64_t bytes = UINT64_MAX;
    if (sysinfo(&info) == 0)
        bytes = (uint64_t)info.totalram * info.mem_unit / 2;
    if (max_file_bytes < bytes)
        bytes = max_file_bytes;
    if (bytes < SESSION_HEADER_BYTES)
        return 0;
    const uint64_t n = (bytes - SESSION_HEADER_BYTES) / session->slot_bytes;
    return n < SESSION_MAX_SLOTS ? (uint32_t)n : SESSION_MAX_SLOTS;
}

/* Choose the sizes; smaller rings rather than none at all. */
static int choose_sizes(struct session *session, const struct session_options *options)
{
    uint64_t main_bytes = power_of_two(options->main_ring_bytes);
    for (; main_bytes >= MIN_RING_BYTES; main_bytes /= 2) {
        session->ring_bytes[0] = main_bytes;
        session->ring_bytes[1] = SESSION_SIGNAL_RING_BYTES;
        session->slot_bytes = SLOT_HEADER_BYTES + main_bytes + SESSION_SIGNAL_RING_BYTES;
        session->n_slots = slots_that_fit(session, options->max_file_bytes);
        if (session->n_slots >= MIN_SLOTS)
            return 0;
    }
    return -EFBIG;
}

static int random_name(char *name, size_t n_bytes)
{
    unsigned char random[16];
    if (n_bytes < 2 * sizeof random + 1 || getrandom(random, sizeof random, 0) != sizeof random)
        return -EIO;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(name + 2 * i, 3, "%02x", random[i]);
    return 0;
}

/* A file that other users can open if they were told its name, and cannot find. */
static int open_shared_file(struct session *session)
{
    char names[2][33];
    if (random_name(names[0], sizeof names[0]) || random_name(names[1], sizeof names[1]))
        return -EIO;
    snprintf(session->folder, sizeof session->folder, "/dev/shm/heapwise-%s", names[0]);
    snprintf(session->file, sizeof session->file, "%s/%s", session->folder, names[1]);
    if (mkdir(session->folder, 0700) || chmod(session->folder, 0711))
        return -errno;
    const int fd = open(session->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    session->fd = fd;
    return fchmod(fd, 0666) ? -errno : 0;
}

static int open_object(struct session *session)
{
    if (session->flags & SESSION_OTHER_USERS)
        return open_shared_file(session);
    session->fd = memfd_create("heapwise", MFD_CLOEXEC);
    return session->fd < 0 ? -errno : 0;
}

static int lock_alive(pthread_mutex_t *alive)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    int error = pthread_mutex_init(alive, &attributes);
    if (error == 0)
        error = pthread_mutex_lock(alive);
    pthread_mutexattr_destroy(&attributes);
    return -error;
}

static int fill_header(struct session *session, const struct session_options *options)
{
    struct session_header *const header = session->header;
    if (strlen(options->shim_path) >= sizeof header->shim_path)
        return -ENAMETOOLONG;
    header->magic = SESSION_MAGIC;
    header->layout_version = SESSION_LAYOUT_VERSION;
    header->flags = session->flags;
    header->max_depth = options->max_depth;
    header->n_slots = session->n_slots;
    header->slot_bytes = session->slot_bytes;
    header->main_ring_bytes = session->ring_bytes[0];
    header->signal_ring_bytes = session->ring_bytes[1];
    header->collector_pid = getpid();
    header->n_filters = host_count_filters();
    strcpy(header->shim_path, options->shim_path);
    if (session->file[0])
        snprintf(header->session_path, sizeof header->session_path, "%s", session->file);
    else
        snprintf(header->session_path, sizeof header->session_path, "/proc/%d/fd/%d", getpid(),
                 session->fd);
    atomic_store(&header->next_image_id, 1);
    atomic_store(&header->recording, 1);
    return lock_alive(&header->alive);
}

int session_open(struct session *session, const struct session_options *options)
{
    *session = (struct session){.fd = -1, .tsc = ticks_tsc_is_usable(), .flags = options->flags};
    if (!session->tsc)
        session->flags |= SESSION_CLOCK_MONOTONIC;
    int error = choose_sizes(session, options);
    if (error == 0)
        error = open_object(session);
    if (error == 0 && fallocate(session->fd, 0, 0, SESSION_HEADER_BYTES))
        error = -errno;
    if (error)
        goto failed;
    void *const map =
        mmap(NULL, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, session->fd, 0);
    if (map == MAP_FAILED) {
        error = -errno;
        goto failed;
    }
    session->header = map;
    error = fill_header(session, options);
    if (error == 0)
        return 0;
failed:
    session_close(session);
    return error;
}

void session_close(struct session *session)
{
    if (session->file[0])
        unlink(session->file);
    if (session->folder[0])
        rmdir(session->folder);
    if (session->header)
        munmap(session->header, SESSION_HEADER_BYTES);
    if (session->fd >= 0)
        close(session->fd);
    session->header = NULL;
    session->fd = -1;
}

struct slot_header *session_map_slot(struct session *session, uint32_t i)
{
    const off_t offset = SESSION_HEADER_BYTES + (off_t)(i * session->slot_bytes);
    const size_t n_bytes = session->slot_bytes;
    if (fallocate(session->fd, 0, offset, (off_t)n_bytes))
        return NULL;
    void *const map = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, session->fd, offset);
    return map == MAP_FAILED ? NULL : map;
}

void session_stop_recording(struct session *session)
{
    atomic_store(&session->header->recording, 0);
}
