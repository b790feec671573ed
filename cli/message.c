/* SPDX-License-Identifier: MIT */
/* How is an error said? In one write, so that lines of several programs do not mix. */
#include "cli/message.h"

#include "report/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *what, const char *format, va_list arguments)
{
    struct buffer line = {0};
    char *text = NULL;
    buffer_text(&line, "heapwise: ");
    if (what) {
        escape_text(&line, what[0] ? what : "''", false);
        buffer_text(&line, ": ");
    }
    if (vasprintf(&text, format, arguments) >= 0) {
        escape_text(&line, text, false);
        free(text);
    }
    buffer_text(&line, "\n");
    fwrite(buffer_string(&line), 1, line.length, stderr);
    buffer_fini(&line);
}

void message_error(const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(what, format, arguments);
    va_end(arguments);
}

void message_hint(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(NULL, format, arguments);
    va_end(arguments);
}
