/* SPDX-License-Identifier: MIT */
/* What programs linked before glibc 2.33 call instead of stat: 10 of each, and io_uring_setup, which is named as not
 * measured. */
#include "io_victim.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/syscall.h>

typedef int (*by_name)(int version, const char *path, struct stat *facts);
typedef int (*by_fd)(int version, int fd, struct stat *facts);

enum { VERSION_OF_STAT = 1 };

int main(void)
{
    struct stat facts;
    by_name stat_, lstat_;
    by_fd fstat_;
    *(void **)&stat_ = dlsym(RTLD_DEFAULT, "__xstat");
    *(void **)&lstat_ = dlsym(RTLD_DEFAULT, "__lxstat64");
    *(void **)&fstat_ = dlsym(RTLD_DEFAULT, "__fxstat");
    MUST(stat_ && lstat_ && fstat_);
    for (int i = 0; i < 10; i++)
        MUST(stat_(VERSION_OF_STAT, "/", &facts) == 0 &&
             lstat_(VERSION_OF_STAT, "/", &facts) == 0 && fstat_(VERSION_OF_STAT, 0, &facts) == 0);
    char parameters[120] = {0};
    const long fd = syscall(SYS_io_uring_setup, 1, parameters);
    if (fd >= 0)
        close((int)fd);
    expect("", "stat_count", 30);
    return 0;
}
