/* SPDX-License-Identifier: MIT */
/* How the environment of a new image is made: everything as given, but LD_PRELOAD and our variable. */
#include "preload/environment.h"

#include <string.h>

#include "preload/session.h"

static const char preload_key[] = "LD_PRELOAD=";
static const char session_key[] = SESSION_ENVIRONMENT "=";

static const char *value_of(const char *entry, const char *key)
{
    const size_t n = strlen(key);
    return strncmp(entry, key, n) == 0 ? entry + n : NULL;
}

static const char *find(char *const *given, const char *key)
{
    for (; given && *given; given++) {
        const char *const value = value_of(*given, key);
        if (value)
            return value;
    }
    return NULL;
}

/* Where `shim` stands as one entry of an LD_PRELOAD list (spaces and colons separate), NULL if not. */
static const char *find_entry(const char *list, const char *shim)
{
    const size_t n = strlen(shim);
    for (const char *at = list; at && (at = strstr(at, shim)); at++) {
        const bool begins = at == list || at[-1] == ':' || at[-1] == ' ';
        const bool ends = at[n] == '\0' || at[n] == ':' || at[n] == ' ';
        if (begins && ends)
            return at;
    }
    return NULL;
}

struct environment_plan environment_plan(char *const *given, bool follow)
{
    const char *const preload = find(given, preload_key);
    const char *const path = find(given, session_key);
    const char *const shim = session.header->shim_path;
    const bool has_shim = preload && find_entry(preload, shim);
    const bool has_session = path && strcmp(path, session.header->session_path) == 0;
    struct environment_plan plan = {.follow = follow, .n_pointers = 3};
    plan.as_it_is = follow ? has_shim && has_session : !has_shim && !path;
    for (char *const *entry = given; entry && *entry; entry++)
        plan.n_pointers++;
    plan.n_text_bytes = sizeof preload_key + strlen(shim) + 2 + (preload ? strlen(preload) : 0) +
                        sizeof session_key + strlen(session.header->session_path) + 2;
    return plan;
}

static char *append(char *at, const char *text, size_t n_bytes)
{
    memcpy(at, text, n_bytes);
    at[n_bytes] = '\0';
    return at + n_bytes;
}

/* The user's list without our entry and its separator. */
static char *append_others(char *at, const char *list, const char *shim)
{
    const char *const entry = find_entry(list, shim);
    if (!entry)
        return append(at, list, strlen(list));
    at = append(at, list, (size_t)(entry - list));
    const char *rest = entry + strlen(shim);
    while (*rest == ':' || *rest == ' ')
        rest++;
    return append(at, rest, strlen(rest));
}

static char *write_preload(char *text, const char *given, bool follow)
{
    const char *const shim = session.header->shim_path;
    char *at = append(text, preload_key, strlen(preload_key));
    if (follow)
        at = append(at, shim, strlen(shim));
    char *const others = at;
    if (given && *given) {
        at = append_others(follow ? append(at, ":", 1) : at, given, shim);
        if (at == others + 1 && follow)
            *--at = '\0';
    }
    return at;
}

void environment_build(const struct environment_plan *plan, char *const *given, char **pointers,
                       char *text)
{
    char *const preload = text;
    char *at = write_preload(preload, find(given, preload_key), plan->follow);
    if (plan->follow || at > preload + strlen(preload_key))
        *pointers++ = preload;
    if (plan->follow) {
        char *const session_entry = at + 1;
        at = append(session_entry, session_key, strlen(session_key));
        append(at, session.header->session_path, strlen(session.header->session_path));
        *pointers++ = session_entry;
    }
    for (; given && *given; given++)
        if (!value_of(*given, preload_key) && !value_of(*given, session_key))
            *pointers++ = *given;
    *pointers = NULL;
}
