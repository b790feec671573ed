/* SPDX-License-Identifier: MIT */
/* The same in C++: templates, lambdas, static functions and a namespace without a name, whose names depend on what was
 * inlined. ids_shop FILE [THREADS]. */
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace shop
{

enum { ROUNDS = 24000 };

struct order {
    long number;
    explicit order(long a_number) : number(a_number) {}
    long price() const { return number; }
};

struct gift : order {
    using order::order;
    long price() const { return number - number; }
};

template <typename T> struct shelf {
    std::vector<T> items;
    void put(const T &item) { items.push_back(item); }
    long fill(unsigned n)
    {
        for (unsigned i = 0; i < n; i++)
            put(T(i));
        return static_cast<long>(items.size());
    }
};

template <typename T> long sell(long number)
{
    const std::unique_ptr<T> sold = std::make_unique<T>(number);
    return sold->price();
}

template <typename F> long repeat(unsigned n, F work)
{
    long sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += work(i);
    return sum;
}

namespace
{
struct box {
    static long open(unsigned n) { return *std::make_unique<long>(n); }
};
} // namespace

static long unpack(unsigned n)
{
    return box::open(n) + 1;
}

class till
{
  public:
    long ring(unsigned n)
    {
        long sum = 0;
        for (unsigned i = 0; i < n; i++)
            sum += static_cast<long>(label(i).size());
        return sum;
    }

  private:
    static std::string label(unsigned i) { return std::string(40 + i % 2, 'x'); }
};

static long trade(unsigned n)
{
    long sum = repeat(n, [](long i) { return sell<order>(i); });
    sum += repeat(n, [](long i) { return sell<gift>(i); });
    sum += repeat(n, [](long i) { return unpack(static_cast<unsigned>(i)); });
    sum += repeat(n / 400, [](long i) { return shelf<long>().fill(400) + i; });
    sum += repeat(n / 400, [](long i) { return shelf<double>().fill(400) + i; });
    sum += till().ring(n);
    const std::function<long(long)> task = [](long i) {
        return static_cast<long>(std::make_shared<long>(i).use_count());
    };
    return sum + repeat(n, task);
}

} // namespace shop

int main(int argc, char **argv)
{
    const unsigned n_threads = argc > 2 ? static_cast<unsigned>(std::stoi(argv[2])) : 2;
    std::vector<std::thread> threads;
    std::vector<long> sums(n_threads);
    for (unsigned i = 0; i < n_threads; i++)
        threads.emplace_back(
            [&sums, i, n_threads] { sums[i] += shop::trade(shop::ROUNDS / n_threads); });
    long sum = 0;
    for (unsigned i = 0; i < n_threads; i++) {
        threads[i].join();
        sum += sums[i];
    }
    std::ofstream out(argv[1]);
    for (unsigned i = 0; i < 3000; i++)
        out << "a line of " << i << std::endl;
    std::cout << sum << "\n";
    return 0;
}
