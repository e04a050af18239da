/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signals as a program expects them: none ignored, none blocked. Both are inherited, by us and by what we execute. */
void signals_reset(void);
