/* SPDX-License-Identifier: MIT */
/* Does nothing: 0 allocations of its own. What a report of it shows is the runtime's. */
int main(void)
{
    return 0;
}
