/* SPDX-License-Identifier: MIT */
/* Counts how often each word occurs in a file, and does it as many first versions of programs do: it
 * copies every word although most are known already, and never gives the table back. A first
 * program to record:
 *
 *     gcc -g -O1 -o build/words examples/words.c
 *     build/heapwise run -o build/words.hwt -- build/words README.md
 *     build/heapwise report build/words.hwt */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 512 };

struct entry {
    struct entry *next;
    char *word;
    unsigned n_times;
};

static struct entry *table[N_BUCKETS];

static char *copy_lower(const char *word)
{
    char *copy = malloc(strlen(word) + 1);

    for (size_t i = 0; copy && (copy[i] = (char)tolower((unsigned char)word[i])); i++)
        ;
    return copy;
}

static struct entry **place_of(const char *word)
{
    unsigned hash = 5381;
    struct entry **at;

    for (const char *c = word; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    for (at = &table[hash % N_BUCKETS]; *at && strcmp((*at)->word, word) != 0; at = &(*at)->next)
        ;
    return at;
}

static void count_word(const char *word)
{
    char *copy = copy_lower(word);
    struct entry **at = place_of(copy);

    if (*at) {
        (*at)->n_times++;
        free(copy); /* made for nothing: a temporary allocation */
        return;
    }
    *at = malloc(sizeof **at); /* never freed: a leak */
    **at = (struct entry){.word = copy, .n_times = 1};
}

int main(int argc, char **argv)
{
    char word[256];
    unsigned long n_words = 0;
    FILE *file = argc > 1 ? fopen(argv[1], "r") : stdin;

    if (!file) {
        perror(argv[1]);
        return 1;
    }
    while (fscanf(file, "%255s", word) == 1) {
        count_word(word);
        n_words++;
    }
    fclose(file);
    printf("%lu words\n", n_words);
    return 0;
}
