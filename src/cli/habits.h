/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Verbs that people type who know Podman, Docker and systemctl, and what to type here. (Options that they type are rows
 * of OPTION_ELSEWHERE in the table of the verb.) */

/* The verb that has another name here, or NULL. */
const char *habit_verb(const char *word);
/* What to do instead of what is no verb here, or NULL. */
const char *habit_advice(const char *word);
