/* SPDX-License-Identifier: MIT */
/* How wide is the page, and what can it show? */
#include "cli/page.h"

#include "report/report.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool page_is_terminal(const char *output)
{
    return (!output || strcmp(output, "-") == 0) && isatty(STDOUT_FILENO);
}

size_t page_width(bool is_terminal)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    const unsigned long asked = columns ? strtoul(columns, NULL, 10) : 0;
    if (asked >= 20 && asked <= 10000)
        return asked;
    if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return REPORT_WIDTH_FILE;
}

bool page_wants_colour(bool is_terminal)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return is_terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

bool page_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
