/* SPDX-License-Identifier: MIT */
/* How does a file appear whole or not at all? It is written beside its place and renamed. */
#include "cli/output.h"

#include "cli/message.h"
#include "cli/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path)
{
    message_error(path, "%s", strerror(errno));
    return STATUS_USAGE;
}

static bool is_same_file(const struct stat *a, const char *path)
{
    struct stat b;
    return path && stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* What a new file would be allowed: mkostemp(3) makes it 0600. */
static mode_t usual_mode(void)
{
    const mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Write beside `output->path`. Returns false where that folder does not let us. */
static bool open_temporary(struct output *output, mode_t mode)
{
    if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
        output->temporary = NULL;
        return false;
    }
    const int fd = mkostemp(output->temporary, O_CLOEXEC);
    if (fd >= 0) {
        (void)fchmod(fd, mode);
        output->stream = fdopen(fd, "w");
    }
    if (output->stream)
        return true;
    if (fd >= 0) {
        unlink(output->temporary);
        close(fd);
    }
    free(output->temporary);
    output->temporary = NULL;
    return false;
}

static void forget(struct output *output)
{
    free(output->path);
    free(output->temporary);
    *output = (struct output){0};
}

int output_open(struct output *output, const char *path, const char *input)
{
    *output = (struct output){.stream = stdout};
    if (!path || strcmp(path, "-") == 0)
        return 0;
    struct stat old;
    const bool exists = stat(path, &old) == 0;
    if (exists && is_same_file(&old, input)) {
        message_error(path, "is the trace itself; choose another name");
        return STATUS_USAGE;
    }
    /* A link stays a link: what it points to is replaced. */
    output->stream = NULL;
    output->path = exists ? realpath(path, NULL) : strdup(path);
    if (!output->path)
        return fail(path);
    const bool direct = exists && !S_ISREG(old.st_mode);
    if (!direct && open_temporary(output, exists ? old.st_mode & 0777 : usual_mode()))
        return 0;
    output->stream = fopen(output->path, "we");
    if (output->stream)
        return 0;
    const int code = fail(path);
    forget(output);
    return code;
}

/* Flush a stream; 0, or the errno of the first write that failed. */
static int finish(FILE *stream)
{
    errno = 0;
    const bool had_failed = ferror(stream) != 0;
    if (fflush(stream) == 0 && !had_failed)
        return 0;
    return errno ? errno : EIO;
}

static int close_stdout(void)
{
    int error = finish(stdout);
    if (error == 0)
        return 0;
    if (error == EPIPE)
        return STATUS_PIPE;
    message_error("standard output", "%s", strerror(error));
    return STATUS_USAGE;
}

int output_close(struct output *output, bool keep)
{
    if (!output->stream)
        return 0;
    if (!output->path)
        return close_stdout();
    int error = finish(output->stream);
    if (fclose(output->stream) != 0 && error == 0)
        error = errno;
    const bool whole = keep && error == 0;
    if (whole && output->temporary && rename(output->temporary, output->path) != 0)
        error = errno;
    if (output->temporary && (!whole || error != 0))
        unlink(output->temporary);
    if (error != 0)
        message_error(output->path, "%s", strerror(error));
    forget(output);
    return error ? STATUS_USAGE : 0;
}
