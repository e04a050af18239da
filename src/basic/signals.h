/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signals as a program expects them: none ignored, none blocked. Both are inherited, by us and by what we execute. */
void signals_reset(void);

/* The number of the signal that wants us to wait for nothing any more (loop_interrupt()): it has come, and is gone for who
 * waits next. 0: there is none. */
unsigned signals_take_interrupt(void);
