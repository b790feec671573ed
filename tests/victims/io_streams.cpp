/* SPDX-License-Identifier: MIT */
/* Files by iostreams: the lines are this program's, the calls libstdc++'s. 5000 lines of 11 bytes out, the same in. */
#include <fstream>
#include <string>

extern "C" {
void io_streams_expect(void);
const char *io_streams_path(void);
}

__attribute__((noinline)) void writes_lines()
{
    std::ofstream out(io_streams_path());
    for (int i = 0; i < 5000; i++)
        out << "0123456789\n";
}

__attribute__((noinline)) int reads_lines()
{
    std::ifstream in(io_streams_path());
    std::string line;
    int n = 0;
    while (std::getline(in, line))
        n++;
    return n;
}

int main()
{
    writes_lines();
    const int n = reads_lines();
    io_streams_expect();
    return n != 5000;
}
