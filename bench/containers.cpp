/* SPDX-License-Identifier: MIT */
/* What C++ programs do to a heap through the standard containers: nodes, strings, lists.
 *
 *     containers [ROUNDS]        default 12
 *
 * A round counts the words of a made-up text in a map of strings, turns the map over by a second one of
 * lists, and takes it apart again. Prints how much was counted, which no run may change. */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <string>

namespace
{

enum { WORDS_PER_ROUND = 120000, DISTINCT_WORDS = 9000, MAX_FILLING = 40 };

using counts = std::map<std::string, long>;
using ranking = std::map<long, std::list<std::string>>;

std::uint64_t random_state = 1;

/* Knuth's MMIX multiplier; the upper bits are the good ones. */
unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return static_cast<unsigned>((random_state >> 33) % below);
}

/* Half of the words are too long to live inside std::string itself. */
std::string word(unsigned number)
{
    std::string text = "word-" + std::to_string(number);
    if (number % 2)
        text.append(number % MAX_FILLING, 'x');
    return text;
}

counts count_words()
{
    counts seen;
    for (int i = 0; i < WORDS_PER_ROUND; i++)
        seen[word(draw(DISTINCT_WORDS))]++;
    return seen;
}

ranking rank(const counts &seen)
{
    ranking by_count;
    for (const auto &[text, n] : seen)
        by_count[n].push_back(text);
    return by_count;
}

/* Every other word goes, from both ends, as in a cache that is trimmed. */
long trim(ranking &by_count)
{
    long n_left = 0;
    for (auto &[n, words] : by_count) {
        for (auto at = words.begin(); at != words.end();)
            at = draw(2) ? words.erase(at) : std::next(at);
        n_left += static_cast<long>(words.size()) * n;
    }
    return n_left;
}

} // namespace

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 12;
    long n_left = 0;
    for (int i = 0; i < rounds; i++) {
        ranking by_count = rank(count_words());
        n_left += trim(by_count);
    }
    std::printf("%ld\n", n_left);
    return 0;
}
