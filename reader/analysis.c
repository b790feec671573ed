/* SPDX-License-Identifier: MIT */
/* In which order the parts of a profile are made. */
#include "reader/analysis.h"

#include <stdlib.h>

#include "reader/rowstack.h"

static int (*const analyses[])(struct analysis *analysis) = {
    frames_analyse,        rowstacks_analyse,   totals_analyse,     rows_analyse,
    leaks_analyse,         site_places_analyse, sizes_analyse,      timeline_analyse,
    io_rows_analyse,       io_places_analyse,   path_sites_analyse, io_openers_analyse,
    io_slow_calls_analyse, io_files_analyse,    io_threads_analyse, remarks_analyse,
};

int analysis_run(struct analysis *analysis)
{
    int error = 0;
    for (size_t i = 0; i < sizeof analyses / sizeof *analyses && error == 0; i++)
        error = analyses[i](analysis);
    rowstacks_free(analysis->rowstacks);
    free(analysis->call_of_node);
    free(analysis->calls);
    free(analysis->frames);
    free(analysis->site_sources);
    free(analysis->io_site_sources);
    analysis->rowstacks = NULL;
    analysis->call_of_node = NULL;
    analysis->calls = NULL;
    analysis->frames = NULL;
    analysis->site_sources = analysis->io_site_sources = NULL;
    return error;
}
