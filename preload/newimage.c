/* SPDX-License-Identifier: MIT */
/* How a new image is judged: ELF class and machine, its interpreter's name, and whether the shim can
 * be read from where the program now stands (another root, another user). */
#include "preload/newimage.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/image.h"
#include "preload/kernel_io.h"
#include "preload/session.h"
#include "preload/syscalls.h"

enum {
    HEAD_BYTES = 4096, /* ELF header, program headers and interpreter name lie here */
    SCRIPT_DEPTH = 5,  /* as the kernel's limit of nested interpreters */
};

struct head {
    uint8_t bytes[HEAD_BYTES + 1];
    size_t n_bytes;
};

/* Where it is worked: not on the stack, of which a thread or coroutine may have a few KiB in all. Lives
 * within newimage_inspect() only, so a vfork child leaves nothing of it in its parent. */
struct desk {
    struct head head;
    char interpreter[256];
    char found[4096];
    char list[4096]; /* PATH */
};

/* Opening what is not a regular file may have effects (a FIFO's writer goes on, a device wakes up), and
 * reading takes data away from whom it is meant for; exec refuses such files unopened. */
static bool is_regular(const char *path, struct stat *status_out)
{
    return arch_syscall(SYS_newfstatat, AT_FDCWD, path, status_out, 0) == 0 &&
           S_ISREG(status_out->st_mode);
}

static bool read_head(const char *path, struct head *head_out)
{
    const long fd = sys_open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return false;
    const long n = sys_read(fd, head_out->bytes, HEAD_BYTES);
    kernel_io_own(n);
    sys_close(fd);
    head_out->n_bytes = n > 0 ? (size_t)n : 0;
    head_out->bytes[head_out->n_bytes] = 0;
    return n > 0;
}

static const char *name_of(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static struct newimage judge_interpreter(const struct head *head, const Elf64_Phdr *segment)
{
    if (segment->p_offset >= head->n_bytes)
        return (struct newimage){.reason = 0};
    const char *const path = (const char *)head->bytes + segment->p_offset;
    if (strcmp(name_of(path), "ld-linux-x86-64.so.2") == 0)
        return (struct newimage){.reason = 0};
    return (struct newimage){.reason = TRACE_UNATTACHED_FOREIGN, .drop_entry = true};
}

/* No interpreter: linked statically. The loader itself, run as a command, has none either; it is told
 * by its name, since a static program may be a shared object as well (-static-pie). */
static struct newimage judge_independent(const char *path)
{
    const bool is_loader = strncmp(name_of(path), "ld-", 3) == 0;
    return (struct newimage){.reason = is_loader ? 0 : TRACE_UNATTACHED_STATIC};
}

static struct newimage judge_elf(const char *path, const struct head *head)
{
    Elf64_Ehdr header;
    if (head->n_bytes < sizeof header)
        return (struct newimage){.reason = 0};
    memcpy(&header, head->bytes, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        return (struct newimage){.reason = TRACE_UNATTACHED_FOREIGN, .drop_entry = true};
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        const size_t at = header.e_phoff + i * sizeof segment;
        if (header.e_phoff > HEAD_BYTES || at + sizeof segment > head->n_bytes)
            return (struct newimage){.reason = 0};
        memcpy(&segment, head->bytes + at, sizeof segment);
        if (segment.p_type == PT_INTERP)
            return judge_interpreter(head, &segment);
    }
    return judge_independent(path);
}

/* The interpreter of a `#!` line, cut out in place; NULL where it is none. */
static const char *script_interpreter(struct head *head)
{
    char *at = (char *)head->bytes + 2;
    if (head->n_bytes < 3 || memcmp(head->bytes, "#!", 2) != 0)
        return NULL;
    at += strspn(at, " \t");
    at[strcspn(at, " \t\n")] = '\0';
    return *at ? at : NULL;
}

static bool gains_rights(const struct stat *status)
{
    return ((status->st_mode & S_ISUID) && status->st_uid != (uid_t)arch_syscall(SYS_geteuid)) ||
           ((status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) &&
            status->st_gid != (gid_t)arch_syscall(SYS_getegid));
}

/* By the effective ids where the kernel can (Linux 5.8), else by the real ones. */
static bool may_access(const char *path, int mode)
{
    long result = arch_syscall(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS);
    if (result == -ENOSYS)
        result = arch_syscall(SYS_faccessat, AT_FDCWD, path, mode);
    return result == 0;
}

static struct newimage judge_file(const char *path, struct desk *desk)
{
    struct head *const head = &desk->head;
    struct stat status;
    for (unsigned depth = 0; depth <= SCRIPT_DEPTH; depth++) {
        if (!is_regular(path, &status) || !read_head(path, head))
            break;
        if (gains_rights(&status))
            return (struct newimage){.reason = TRACE_UNATTACHED_SETUID};
        if (head->n_bytes >= SELFMAG && memcmp(head->bytes, ELFMAG, SELFMAG) == 0)
            return judge_elf(path, head);
        const char *const next = script_interpreter(head);
        if (!next || strlen(next) >= sizeof desk->interpreter)
            break;
        strcpy(desk->interpreter, next);
        path = desk->interpreter;
    }
    return (struct newimage){.reason = 0};
}

/* Find a name without slash as execvp does; leaves the first executable candidate in desk->found. */
static bool search_path(const char *name, struct desk *desk)
{
    char *const found = desk->found;
    if (!image_environment("PATH", desk->list, sizeof desk->list))
        strcpy(desk->list, "/bin:/usr/bin");
    const size_t n_name = strlen(name);
    for (const char *at = desk->list; at; at = *at ? at + 1 : NULL) {
        const size_t n = strcspn(at, ":");
        if (n + n_name + 2 <= sizeof desk->found) {
            memcpy(found, at, n);
            found[n] = '/';
            strcpy(found + n + (n ? 1 : 0), name);
            if (may_access(found, X_OK))
                return true;
        }
        at += n;
        if (!*at)
            break;
    }
    return false;
}

static struct newimage judge(const char *path, bool search, struct desk *desk)
{
    if (!search || strchr(path, '/'))
        return judge_file(path, desk);
    if (!search_path(path, desk))
        return (struct newimage){.reason = 0};
    return judge_file(desk->found, desk);
}

struct newimage newimage_inspect(const char *path, bool search)
{
    if (!may_access(session.header->shim_path, R_OK))
        return (struct newimage){.reason = TRACE_UNATTACHED_UNREADABLE, .drop_entry = true};
    struct desk *const desk = sys_map(sizeof *desk);
    if (!desk)
        return (struct newimage){.reason = 0};
    const struct newimage image = judge(path, search, desk);
    sys_unmap(desk, sizeof *desk);
    return image;
}
