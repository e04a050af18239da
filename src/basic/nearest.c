/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/nearest.h"

#include <strings.h>

#include "basic/str.h"

#define WORD_MAX 40U
#define PART_MIN 3U     /* fewer letters are the beginning or the end of anything */

/* Optimal string alignment distance: insertions, deletions, replacements, swaps of neighbours. */
static unsigned distance(const char *a, const char *b) {
        unsigned d[WORD_MAX + 1][WORD_MAX + 1];
        size_t n = strlen(a), m = strlen(b);

        if (n > WORD_MAX || m > WORD_MAX)
                return UINT32_MAX;
        for (size_t i = 0; i <= n; i++)
                for (size_t j = 0; j <= m; j++) {
                        unsigned best;

                        if (i == 0 || j == 0) {
                                d[i][j] = (unsigned) (i + j);
                                continue;
                        }
                        best = MIN(d[i - 1][j], d[i][j - 1]) + 1;
                        best = MIN(best, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                best = MIN(best, d[i - 2][j - 2] + 1);
                        d[i][j] = best;
                }
        return d[n][m];
}

/* "net" of "network", "x86_64" of "SCMP_ARCH_X86_64". */
static bool is_part(const char *word, const char *candidate) {
        size_t n = strlen(word), m = strlen(candidate);

        return n >= PART_MIN && n <= m &&
               (strncasecmp(word, candidate, n) == 0 || strcasecmp(word, candidate + m - n) == 0);
}

static const char *nearest_by_letters(const char *word, const char *const *candidates, size_t n) {
        unsigned best = MAX((unsigned) strlen(word) / 3, 1U) + 1; /* a third of the letters wrong at most */
        const char *found = NULL;

        for (size_t i = 0; i < n; i++) {
                unsigned d = distance(word, candidates[i]);

                if (d < best) {
                        best = d;
                        found = candidates[i];
                }
        }
        return found;
}

const char *nearest(const char *word, const char *const *candidates, size_t n) {
        const char *found = NULL;

        for (size_t i = 0; i < n; i++)
                if (is_part(word, candidates[i]) && (!found || strlen(candidates[i]) < strlen(found)))
                        found = candidates[i];
        return found ?: nearest_by_letters(word, candidates, n);
}
