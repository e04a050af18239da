/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The config.json that `spec` writes: a shell in a read-only root, with the namespaces and masks that everybody uses. */
extern const char spec_template[];
