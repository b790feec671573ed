/* SPDX-License-Identifier: MIT */
/* 50 questions of 10 bytes, each awaited, 30 bytes long; 20 reads after a seek; 5 writes with a sync each; 30 headers
 * and bodies; 64 KiB read twice; 10 reads from back to front; 1 MiB read whole into a block, in three ways; 100 reads
 * of an empty pipe; 8 blocks copied; one path asked for 25 times and 10 others once; one opened 12 times.
 *
 * A row's metric is CALL.KEY, of what print-habits says of the function's rows of that kernel call; path.CALL.KEY of
 * its rows of paths. */
#include "io_victim.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
    QUESTIONS = 50,
    BIG = 1 << 20,
    PART = BIG / 4,
    ODD = 1000000, /* no multiple of a page */
    PAGES = 16,
    PAGE = 4096,
};

static char bytes[PAGE];

/* ---- questions and answers ---- */

SITE static void serve(int fd)
{
    for (int i = 0; i < QUESTIONS; i++) {
        MUST(read(fd, bytes, 10) == 10);
        MUST(write(fd, bytes, 30) == 30);
    }
}

SITE static void ask(int fd)
{
    MUST(write(fd, bytes, 10) == 10);
}

SITE static void await(int fd)
{
    MUST(read(fd, bytes, sizeof bytes) == 30);
}

static void converse(void)
{
    int pair[2], status;
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    const pid_t server = fork();
    if (server == 0) {
        serve(pair[1]);
        exit(0);
    }
    for (int i = 0; i < QUESTIONS; i++) {
        ask(pair[0]);
        await(pair[0]);
    }
    MUST(waitpid(server, &status, 0) == server && status == 0);
    MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
    expect("await", "read.reply.count", QUESTIONS);
    expect("await", "read.reply_bytes", 30 * QUESTIONS);
    expect("await", "read.request_bytes", 10 * QUESTIONS);
    expect("serve", "read.reply.count", 0);
}

/* ---- places in a file ---- */

SITE static void seek_and_read(int fd)
{
    for (int i = 0; i < 20; i++) {
        MUST(lseek(fd, 100 * i, SEEK_SET) == 100 * i);
        MUST(read(fd, bytes, 8) == 8);
        MUST(read(fd, bytes, 8) == 8);
    }
}

SITE static void read_twice(int fd)
{
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < PAGES; i++)
            MUST(pread(fd, bytes, PAGE, i * PAGE) == PAGE);
}

SITE static void read_backward(int fd)
{
    for (int i = 10; i > 0; i--)
        MUST(pread(fd, bytes, PAGE, i * PAGE) == PAGE);
}

static void wander(void)
{
    const char *const name = io_path("io_habits.pages");
    const int file = io_file("io_habits.pages");
    for (int i = 0; i < PAGES; i++)
        MUST(write(file, bytes, PAGE) == PAGE);
    MUST(close(file) == 0);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    read_twice(fd);
    read_backward(fd);
    seek_and_read(fd);
    MUST(close(fd) == 0);
    expect("read_twice", "pread64.reread_bytes", PAGES * PAGE);
    expect("read_backward", "pread64.backward_calls", 10);
    expect("seek_and_read", "read.after_seek_calls", 20);
}

/* ---- writes ---- */

SITE static void write_head(int fd)
{
    MUST(write(fd, bytes, 4) == 4);
}

SITE static void write_body(int fd)
{
    MUST(write(fd, bytes, 60) == 60);
}

SITE static void write_and_sync(int fd)
{
    for (int i = 0; i < 5; i++) {
        MUST(write(fd, bytes, 100) == 100);
        MUST(fsync(fd) == 0);
    }
}

SITE static void copy(int from, int to)
{
    for (int i = 0; i < 8; i++) {
        MUST(read(from, bytes, PAGE) == PAGE);
        MUST(write(to, bytes, PAGE) == PAGE);
    }
}

static void write_all(void)
{
    const int file = io_file("io_habits.records"), synced = io_file("io_habits.synced");
    for (int i = 0; i < 30; i++) {
        write_head(file);
        write_body(file);
    }
    write_and_sync(synced);
    const int from = open(io_path("io_habits.pages"), O_RDONLY | O_CLOEXEC);
    copy(from, synced);
    MUST(close(file) == 0 && close(synced) == 0 && close(from) == 0);
    expect("write_body", "write.adjacent.count", 30);
    expect("write_body", "write.adjacent_bytes", 30 * 60);
    expect("write_head", "write.adjacent.count", 29);
    expect("write_and_sync", "write.synced_calls", 5);
    expect("write_and_sync", "write.adjacent.count", 0);
    expect("copy", "write.copied_elsewhere_calls", 8);
}

/* ---- whole files ---- */

SITE static void slurp(const char *name)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    char *const all = malloc(BIG);
    for (int i = 0; i < 4; i++)
        MUST(read(fd, all + i * PART, PART) == PART);
    MUST(read(fd, all, PART) == 0);
    free(all);
    MUST(close(fd) == 0);
}

SITE static void slurp_growing(const char *name)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    char *all = NULL;
    for (int i = 0; i < 4; i++) {
        all = realloc(all, (size_t)(i + 1) * PART);
        MUST(read(fd, all + i * PART, PART) == PART);
    }
    free(all);
    MUST(close(fd) == 0);
}

SITE static void slurp_stream(const char *name)
{
    FILE *const file = fopen(name, "re");
    char *const all = malloc(ODD);
    MUST(fread(all, 1, ODD, file) == ODD);
    free(all);
    MUST(fclose(file) == 0);
}

/* The same memory for each part. */
SITE static void stream_through(const char *name)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    char *const part = malloc(PART);
    for (int i = 0; i < 4; i++)
        MUST(read(fd, part, PART) == PART);
    free(part);
    MUST(close(fd) == 0);
}

static void read_whole(void)
{
    const int big = io_file("io_habits.big"), odd = io_file("io_habits.odd");
    MUST(ftruncate(big, BIG) == 0 && ftruncate(odd, ODD) == 0);
    MUST(close(big) == 0 && close(odd) == 0);
    slurp(io_path("io_habits.big"));
    slurp_growing(io_path("io_habits.big"));
    slurp_stream(io_path("io_habits.odd"));
    stream_through(io_path("io_habits.big"));
    expect("slurp", "read.whole_file_calls", 4);
    expect("slurp", "read.whole_file_bytes", BIG);
    expect("slurp_growing", "read.whole_file_calls", 4);
    expect("slurp_stream", "read.whole_file_calls", 1);
    expect("slurp_stream", "read.whole_file_bytes", ODD);
    expect("stream_through", "read.whole_file_calls", 0);
}

/* ---- in vain ---- */

SITE static void spin(int fd)
{
    for (int i = 0; i < 100; i++)
        MUST(read(fd, bytes, 8) == -1 && errno == EAGAIN);
}

SITE static void read_to_end(int fd)
{
    while (read(fd, bytes, 8) > 0)
        ;
}

static void wait_for_nothing(void)
{
    int ends[2];
    MUST(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    spin(ends[0]);
    MUST(write(ends[1], bytes, 32) == 32 && close(ends[1]) == 0);
    read_to_end(ends[0]);
    MUST(close(ends[0]) == 0);
    expect("spin", "read.longest_dry_run", 100);
    expect("read_to_end", "read.longest_dry_run", 1);
}

/* ---- paths ---- */

SITE static void look(const char *name)
{
    struct stat status;
    stat(name, &status);
}

SITE static void look_nowhere(void)
{
    struct stat status;
    for (int i = 0; i < 3; i++)
        MUST(stat("", &status) != 0);
}

SITE static void open_again(const char *name)
{
    for (int i = 0; i < 12; i++)
        MUST(close(open(name, O_RDONLY | O_CLOEXEC)) == 0);
}

static void name_paths(void)
{
    for (int i = 0; i < 35; i++) {
        char missing[32];
        snprintf(missing, sizeof missing, "io_habits.missing.%d", i);
        look(io_path(i < 10 ? missing : "io_habits.pages"));
    }
    look_nowhere();
    open_again(io_path("io_habits.pages"));
    expect("look", "path.newfstatat.calls", 35);
    expect("look", "path.newfstatat.failed", 10);
    expect("look", "path.newfstatat.n_paths", 11);
    expect("look", "path.newfstatat.repeated_calls", 24);
    expect("look", "path.newfstatat.path_calls", 25);
    expect("look_nowhere", "path.newfstatat.repeated_calls", 0);
    expect("open_again", "path.openat.repeated_calls", 11);
    expect("open_again", "path.openat.n_paths", 1);
}

int main(void)
{
    converse();
    wander();
    write_all();
    read_whole();
    wait_for_nothing();
    name_paths();
    return 0;
}
