/* SPDX-License-Identifier: MIT */
/* How does text grow? By doubling; a failed growth makes every later call do nothing. */
#include "report/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more < buffer->capacity - buffer->length)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : 128;
    while (capacity - buffer->length <= more) {
        if (capacity > SIZE_MAX / 2) {
            buffer->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_add(struct buffer *buffer, const char *data, size_t n)
{
    if (!reserve(buffer, n))
        return;
    memcpy(buffer->data + buffer->length, data, n);
    buffer->length += n;
    buffer->data[buffer->length] = '\0';
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_repeat(struct buffer *buffer, const char *text, size_t times)
{
    for (size_t i = 0; i < times && !buffer->failed; i++)
        buffer_text(buffer, text);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0) {
        buffer->failed = true;
        return;
    }
    if (!reserve(buffer, (size_t)n))
        return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->length, (size_t)n + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)n;
}

const char *buffer_string(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

void buffer_reset(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

void buffer_fini(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
