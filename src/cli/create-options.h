/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* What create and run have in common. run adds rows of its own after these. */
#define CREATE_FIELD(field) .offset = offsetof(CreateOptions, field)
#define CREATE_OPTION_ROWS                                                                                          \
        { .name = "bundle", .letter = 'b', CREATE_FIELD(bundle), .type = OPTION_STRING, .argument = "DIR",          \
          .help = "The bundle (default: working directory)" },                                                      \
        { .name = "config", .letter = 'f', CREATE_FIELD(config), .type = OPTION_STRING, .argument = "FILE",         \
          .help = "(default: config.json of the bundle)" },                                                         \
        { .name = "pid-file", CREATE_FIELD(pid_file), .type = OPTION_STRING, .argument = "FILE",                    \
          .help = "Write the pid of its process there" },                                                           \
        { .name = "console-socket", CREATE_FIELD(console_socket), .type = OPTION_STRING, .argument = "SOCKET",      \
          .help = "Send the terminal's master there" },                                                             \
        { .name = "pidfd-socket", CREATE_FIELD(pidfd_socket), .type = OPTION_STRING, .argument = "SOCKET",          \
          .help = "Send a pidfd of its process there" },                                                            \
        { .name = "preserve-fds", CREATE_FIELD(preserve_fds), .type = OPTION_U32, .argument = "N",                  \
          .help = "Pass on N descriptors from 3 on" },                                                              \
        { .name = "no-pivot", CREATE_FIELD(no_pivot), .type = OPTION_FLAG,                                          \
          .help = "No pivot_root(2), as in an initramfs" },                                                              \
        { .name = "no-new-keyring", CREATE_FIELD(no_new_keyring), .type = OPTION_FLAG,                              \
          .help = "Keep the caller's session keyring" },                                                            \
        { .name = "supervise", CREATE_FIELD(supervise), .type = OPTION_FLAG,                                        \
          .help = "As a service, which systemd watches over" },                                                     \
        { .name = "restart", CREATE_FIELD(restart), .type = OPTION_STRING, .argument = "WHEN",                      \
          .help = "no (default), on-failure, always, ..." },                                                        \
        { .name = "stop-timeout", CREATE_FIELD(stop_timeout), .type = OPTION_TIME, .argument = "TIME",              \
          .help = "Until SIGKILL when it is stopped (default: 10s)" },                                              \
        { .name = "property", CREATE_FIELD(properties), .type = OPTION_LIST, .argument = "NAME=VALUE",              \
          .help = "Of that service, as in a unit file" }

/* --no-subreaper of runc: we never are one. */
#define CREATE_OPTION_NO_SUBREAPER { .name = "no-subreaper", CREATE_FIELD(ignored), .type = OPTION_FLAG }

/* What Podman and Docker have there. */
#define CREATE_OPTIONS_ELSEWHERE                                                                                    \
        OPTION_ELSEWHERE("name", 0, "the name is the ID, which stands alone"),                                      \
        OPTION_ELSEWHERE("interactive", 'i', "standard input is always passed on, and a terminal is "               \
                         "process.terminal in config.json"),                                                        \
        OPTION_ELSEWHERE("env", 'e', "the environment is process.env in config.json"),                              \
        OPTION_ELSEWHERE("user", 'u', "the user is process.user in config.json"),                                   \
        OPTION_ELSEWHERE("workdir", 'w', "the working directory is process.cwd in config.json"),                    \
        OPTION_ELSEWHERE("volume", 'v', "what is mounted is mounts in config.json"),                                \
        OPTION_ELSEWHERE("memory", 'm', "limits are linux.resources in config.json"),                               \
        OPTION_ELSEWHERE("publish", 'p', "ports are the work of engines; linux.namespaces in config.json says "     \
                         "which network it is in (a property of the service is --property)"),                       \
        OPTION_ELSEWHERE("tty", 't', "a terminal is process.terminal in config.json")

#define COMMAND_IS_IN_CONFIG "the command to run is process.args in config.json"

/* The one word, and what options say together. */
int create_take_id(CreateOptions *o, char **words, Error *reterr);
