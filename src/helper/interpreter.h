/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel could not execute the file: because there is no such interpreter ("#!/bin/bash"), or no such loader of
 * libraries? Its path, for free(), or NULL. */
char *missing_interpreter(const char *path);
