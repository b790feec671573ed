/* SPDX-License-Identifier: MIT */
/* Wide streams, unlocked functions, reopened, temporary and piped ones. */
#include "io_victim.h"

#include <sys/wait.h>
#include <wchar.h>

SITE static void writes_wide(void)
{
    FILE *const stream = fopen(io_path("io_wide"), "w");
    MUST(stream);
    for (int i = 0; i < 1000; i++)
        MUST(fwprintf(stream, L"wide %04d\n", i) == 10);
    for (int i = 0; i < 1000; i++)
        MUST(fputwc(L'w', stream) == L'w');
    MUST(fputws(L"the end\n", stream) >= 0);
    MUST(fclose(stream) == 0);
}

SITE static void reads_wide(void)
{
    FILE *const stream = fopen(io_path("io_wide"), "r");
    MUST(stream);
    int n = 0;
    while (fgetwc(stream) != WEOF)
        n++;
    MUST(n == 11008 && fclose(stream) == 0);
}

SITE static void unlocked(void)
{
    FILE *const stream = fopen(io_path("io_unlocked"), "w");
    MUST(stream);
    for (int i = 0; i < 1000; i++) {
        MUST(fwrite_unlocked("0123456789", 1, 10, stream) == 10);
        MUST(fputs_unlocked("abcde", stream) >= 0 && fputc_unlocked('\n', stream) == '\n');
    }
    MUST(fclose(stream) == 0);
}

SITE static void reopened(void)
{
    FILE *stream = fopen(io_path("io_reopened.first"), "w");
    MUST(stream && fputs("first", stream) >= 0);
    stream = freopen(io_path("io_reopened.second"), "w", stream);
    MUST(stream && fputs("the second", stream) >= 0 && fclose(stream) == 0);
}

SITE static void nameless(void)
{
    FILE *const stream = tmpfile();
    char line[16];
    MUST(stream && fputs("a line\n", stream) >= 0);
    rewind(stream);
    MUST(fgets(line, sizeof line, stream) && strcmp(line, "a line\n") == 0 && fclose(stream) == 0);
}

SITE static void piped(void)
{
    FILE *const stream = popen("cat > /dev/null", "w");
    MUST(stream && fputs("to the other end", stream) >= 0 && pclose(stream) == 0);
}

int main(void)
{
    writes_wide();
    reads_wide();
    unlocked();
    reopened();
    nameless();
    piped();
    expect("writes_wide", "stdio.write.bytes", 11008);
    expect("reads_wide", "stdio.read.bytes", 11008);
    expect_io("unlocked", "stdio.write", 4, 16000);
    expect_io("reopened", "stdio.write", 2, 15);
    expect("io_reopened.first", "file.write_bytes", 5);
    expect("io_reopened.second", "file.write_bytes", 10);
    expect_io("nameless", "stdio.write", 1, 7);
    expect("nameless", "stdio.read.bytes", 7);
    expect_io("piped", "stdio.write", 1, 16);
    return 0;
}
