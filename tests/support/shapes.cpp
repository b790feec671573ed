/* SPDX-License-Identifier: MIT */
#include "tests/support/shapes.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

struct Guard {
    const char *name;
    explicit Guard(const char *what) : name(what) {}
    ~Guard() { unwind_point(name); }
};

__attribute__((noinline)) long thrower(unsigned n)
{
    Guard guard("destructor run by an exception");
    if (n == 0)
        throw std::runtime_error("inner end");
    return thrower(n - 1) + 1;
}

__attribute__((noinline)) void rethrow(unsigned n)
{
    try {
        thrower(n);
    } catch (const std::runtime_error &) {
        unwind_point("catch");
        throw;
    }
}

void exceptions()
{
    for (unsigned n = 0; n < 12; n += 3) {
        try {
            rethrow(n);
        } catch (const std::exception &) {
            unwind_point("outer catch");
        }
        unwind_point("after an exception");
    }
}

struct Base {
    virtual ~Base() = default;
    virtual void call(unsigned n) = 0;
};
struct Left final : Base {
    std::unique_ptr<Base> next;
    void call(unsigned n) override
    {
        unwind_point("virtual call");
        if (n)
            next->call(n - 1);
        unwind_point("after a virtual call");
    }
};

void virtual_calls()
{
    auto a = std::make_unique<Left>();
    auto b = std::make_unique<Left>();
    auto *inner = b.get();
    inner->next = std::make_unique<Left>();
    a->next = std::move(b);
    a->call(2);
}

void algorithms()
{
    std::vector<std::string> words{"pear", "fig", "apple", "quince", "date"};
    std::sort(words.begin(), words.end(), [](const std::string &a, const std::string &b) {
        unwind_point("std::sort");
        return a < b;
    });
    std::function<int(int)> count = [&count](int n) -> int {
        unwind_point("std::function");
        return n ? 1 + count(n - 1) : 0;
    };
    count(9);
}

struct Static {
    Static() { unwind_point("static of a function"); }
};

void statics()
{
    static Static once;
    (void)once;
}

thread_local Guard of_thread("destructor of a thread_local");

} // namespace

extern "C" void shapes_run()
{
    exceptions();
    virtual_calls();
    algorithms();
    statics();
    std::thread([] {
        of_thread.name = "destructor of a thread_local";
        exceptions();
    }).join();
    unwind_point("end of C++");
}
