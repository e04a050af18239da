/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/creation.h"

int runtime_create(const Runtime *rt, const CreateOptions *options, Error *reterr) {
        _cleanup_creation_ Creation c = CREATION_NEW(rt, options, false);
        int r;

        r = creation_plan(&c, reterr);
        return r < 0 ? r : creation_make(&c, reterr);
}
