/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opens a null device on a file system of its own, which nobody sees; -errno where none can be made. */
int open_new_null(int flags);
