/* SPDX-License-Identifier: MIT */
/* How what is known of input and output goes. */
#include "reader/io_model.h"

#include <stdlib.h>

#include "reader/io_habits.h"

void io_model_site_fini(struct model_io_site *site)
{
    idmap_fini(&site->files);
    idmap_fini(&site->threads);
    histogram_fini(&site->sizes);
    histogram_fini(&site->latency_ticks);
}

void io_model_fini(struct model_io *io)
{
    for (uint32_t i = 0; i < io->n_sites; i++)
        io_model_site_fini(&io->sites[i]);
    for (uint32_t i = 0; i < io->n_files; i++) {
        covered_fini(&io->files[i].covered);
        histogram_fini(&io->files[i].read_sizes);
        histogram_fini(&io->files[i].write_sizes);
        histogram_fini(&io->files[i].latency_ticks);
    }
    idmap_fini(&io->site_by_stack);
    idmap_fini(&io->opener_by_stack);
    idmap_fini(&io->file_by_name);
    fds_pool_fini(&io->descriptions);
    io_habits_fini(io);
    free(io->sites);
    free(io->files);
    free(io->openers);
    free(io->threads);
    *io = (struct model_io){.n_sites = 0};
}
