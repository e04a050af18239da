/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/interpreter.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/str.h"

#define PROGRAM_HEADERS_MAX 64U

/* As the kernel has it: one line. */
#define SCRIPT_MAX 256

/* The kernel has read all this, too, and found it good enough; but the file is the container's and may change. */
#define DEFINE_ELF_INTERPRETER(bits)                                                                             \
        static char *elf##bits##_interpreter(int fd) {                                                           \
                Elf##bits##_Ehdr header;                                                                         \
                                                                                                                 \
                if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||                                   \
                    header.e_phentsize != sizeof(Elf##bits##_Phdr))                                              \
                        return NULL;                                                                             \
                for (unsigned i = 0; i < MIN((unsigned) header.e_phnum, PROGRAM_HEADERS_MAX); i++) {             \
                        off_t at = (off_t) (header.e_phoff + i * sizeof(Elf##bits##_Phdr));                      \
                        Elf##bits##_Phdr p;                                                                      \
                                                                                                                 \
                        if (pread(fd, &p, sizeof(p), at) != sizeof(p))                                           \
                                return NULL;                                                                     \
                        if (p.p_type == PT_INTERP)                                                               \
                                return read_text(fd, (off_t) p.p_offset, p.p_filesz);                            \
                }                                                                                                \
                return NULL;                                                                                     \
        }

static char *read_text(int fd, off_t at, uint64_t size) {
        char text[PATH_MAX];
        ssize_t n = pread(fd, text, MIN(size, (uint64_t) sizeof(text) - 1), at);

        if (n <= 0)
                return NULL;
        text[n] = '\0';
        return xstrdup(text);
}

DEFINE_ELF_INTERPRETER(32)
DEFINE_ELF_INTERPRETER(64)

static char *script_interpreter(int fd) {
        _cleanup_free_ char *line = read_text(fd, 2, SCRIPT_MAX);
        char *word = line ? line + strspn(line, " \t") : NULL;

        if (!word)
                return NULL;
        word[strcspn(word, " \t\n")] = '\0';
        return xstrdup(word);
}

char *missing_interpreter(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* own */
        _cleanup_free_ char *found = NULL;
        unsigned char magic[EI_NIDENT] = {};

        if (fd < 0 || pread(fd, magic, sizeof(magic), 0) < 2)
                return NULL;
        if (magic[0] == '#' && magic[1] == '!')
                found = script_interpreter(fd);
        else if (memcmp(magic, ELFMAG, SELFMAG) == 0)
                found = magic[EI_CLASS] == ELFCLASS64 ? elf64_interpreter(fd) : elf32_interpreter(fd);
        if (isempty(found) || access(found, F_OK) == 0 || errno != ENOENT) /* own */
                return NULL;
        return TAKE_PTR(found);
}
