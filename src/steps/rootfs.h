/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"
#include "host/container.h"

/* What is done to the rootfs in a mount namespace that is not the container's alone, by helpers of their own: one does
 * what it likes with its namespaces, and is in none that a procfs of the container may show. */

/* tree came with INIT_MSG_DETACHED. */
int rootfs_attach(const Runtime *rt, const Container *c, const Spec *spec, int tree, Error *reterr);

/* Nothing, if it was not mounted or is not there any more; a failure is a warning. */
void rootfs_unmount(const Runtime *rt, const Container *c);
