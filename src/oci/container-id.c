/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/container-id.h"

#include <string.h>

#define ID_MAX 200

bool container_id_is_valid(const char *id) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
        size_t n = strlen(id);

        return n >= 1 && n <= ID_MAX && id[0] != '.' && id[0] != '-' && strspn(id, letters) == n;
}
