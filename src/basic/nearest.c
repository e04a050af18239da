/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/nearest.h"

#include <strings.h>

#define WORD_MAX 40U
#define LIST_MAX 64U    /* letters; more words are no help in a sentence */
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

/* What all begin with, as with "RLIMIT_", tells nothing of what was meant. */
static size_t common_length(const char *word, const char *const *candidates, size_t n) {
        size_t length = n > 1 ? strlen(word) : 0;

        for (size_t i = 0; i < n; i++) {
                size_t same = 0;

                while (same < length && word[same] == candidates[i][same])
                        same++;
                length = same;
        }
        return length;
}

static const char *nearest_by_letters(const char *word, const char *const *candidates, size_t n) {
        size_t common = common_length(word, candidates, n);
        unsigned best = MAX((unsigned) strlen(word + common) / 3, 1U) + 1; /* a third of the letters wrong at most */
        const char *found = NULL;

        for (size_t i = 0; i < n; i++) {
                unsigned d = distance(word + common, candidates[i] + common);

                if (d < best && d < strlen(word + common)) { /* not every letter */
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

void text_add_known(Text *t, const char *word, const char *const *candidates, size_t n) {
        const char *near = nearest(word, candidates, n);
        size_t letters = 0;

        text_addn(t, "", 0);
        if (near) {
                text_addf(t, ", did you mean %s?", near);
                return;
        }
        for (size_t i = 0; i < n; i++)
                letters += strlen(candidates[i]); /* NOLINT(clang-analyzer-core.NonNullParamChecker): none is NULL */
        for (size_t i = 0; letters <= LIST_MAX && i < n; i++)
                text_addf(t, "%s%s", i == 0 ? ", expected " : i == n - 1 ? " or " : ", ", candidates[i]);
}
