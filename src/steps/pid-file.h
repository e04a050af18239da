/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Of an earlier process: its presence says success. */
void pid_file_remove(const char *path);
