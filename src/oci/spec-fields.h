/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oci/json.h"
#include "oci/spec.h"

/* What the files of this directory share: one table an object of the specification. */

/* (uid_t) -1 is nobody's: setresuid() and chown() take it for "leave as it is". */
#define SPEC_ID_MAX .max = UINT32_MAX - 1

/* Where a property goes: the first words of a note. */
#define UNIT(property) .note = "unit property " property
#define CGROUP(file) .note = "cgroup file " file
#define HELPER(what) .note = "helper: " what
#define RUNTIME(what) .note = "runtime: " what
#define IGNORED(why) .note = "ignored: " why
#define REFUSED(why) .note = "refused: " why

extern const JsonField spec_fields[];            /* config.json as a whole → Spec */
extern const JsonField spec_process_fields[];    /* process → SpecProcess */
extern const JsonField spec_mount_fields[];      /* mounts[] → SpecMount */
extern const JsonField spec_id_map_fields[];     /* uidMappings[], gidMappings[] → SpecIdMap */
extern const JsonField spec_hooks_fields[];      /* hooks → Spec */
extern const JsonField spec_linux_fields[];      /* linux → SpecLinux */
extern const JsonField spec_resources_fields[];  /* linux.resources → SpecResources */
extern const JsonField spec_seccomp_fields[];    /* linux.seccomp → SpecSeccomp */

/* Checks for the rows. */
int spec_check_mount(const JsonNode *node, void *mount);
int spec_check_process(const JsonNode *node, void *process);
int spec_check_resources(const JsonNode *node, void *resources);
int spec_check_seccomp(const JsonNode *node, void *seccomp);
/* A string such as "0-3,7" (parse_bits()); NULL when it names nothing. */
int spec_check_list(const JsonNode *node, void *string);
/* "KEY=value" */
int spec_check_env(const JsonNode *node, void *string);
/* Not empty, and without white space: it becomes a word in a line for the kernel. */
int spec_check_word(const JsonNode *node, const char *what, const char *s);

/* Rules between properties. */
int spec_check_sysctl(const JsonNode *node, void *linux_);
/* Where the seccomp listener goes, which an annotation may say, too. */
int spec_find_listener(Spec *spec, Error *reterr);
int spec_validate(const Spec *spec, Error *reterr);
