/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "plan/init/internal.h"

/*
 * Mounts that show other owners than the file system has. The kernel takes the maps from a user namespace, in the
 * words of /proc/PID/uid_map: what is ID containerID in the file system is ID hostID of the host's in the mount. Such
 * a namespace is made for each pair of maps, and shared by the mounts that have the same; that of a container which
 * joins one is opened once more.
 */

/* A list that grows, of one mount's option. */
typedef struct IdMaps {
        SpecIdMap *list;
        size_t n;
} IdMaps;

/* "idmap=uids=0-1000-1#5-2000-3;gids=@0-0-10", as crun has it: FIRST-HOST-COUNT, with @ FIRST-CONTAINER-COUNT. */
typedef struct Words {
        const InitBuild *b;
        const char *option; /* its JSON path */
        const char *p;
} Words;

static int refuse_words(const Words *w, const char *text) {
        return error_setf(w->b->reterr, EINVAL, "%s: %s", w->option, text);
}

static void grow(IdMaps *maps, SpecIdMap map) {
        GREW(maps->list, maps->n);
        maps->list[maps->n++] = map;
}

static int take_number(Words *w, uint32_t *ret) {
        size_t n = strspn(w->p, "0123456789");
        _cleanup_free_ char *digits = xasprintf("%.*s", (int) MIN(n, (size_t) 20), w->p);

        w->p += n;
        return parse_u32(digits, ret);
}

/* The host's IDs behind the container's, in as many parts as the container's own maps cut them into. */
static int add_relative(const Words *w, SpecIdMap map, bool users, IdMaps *to) {
        const SpecLinux *l = &w->b->spec->linux_;
        const SpecIdMap *own = users ? l->uid_mappings : l->gid_mappings;
        size_t n = users ? l->n_uid_mappings : l->n_gid_mappings;

        while (map.size > 0) {
                uint32_t offset, part;
                size_t i = 0;

                while (i < n && (map.host_id < own[i].container_id || map.host_id - own[i].container_id >= own[i].size))
                        i++;
                if (i == n)
                        return refuse_words(w, users ? "linux.uidMappings has no such IDs"
                                                     : "linux.gidMappings has no such IDs");
                offset = map.host_id - own[i].container_id;
                part = MIN(map.size, own[i].size - offset);
                grow(to, (SpecIdMap){ map.container_id, own[i].host_id + offset, part });
                map = (SpecIdMap){ map.container_id + part, map.host_id + part, map.size - part };
        }
        return 0;
}

static int take_triple(Words *w, bool users, IdMaps *to) {
        static const char text[] = "expected idmap=uids=FIRST-HOST-COUNT[#...];gids=FIRST-HOST-COUNT[#...]";
        bool relative = w->p[0] == '@';
        SpecIdMap map;

        w->p += relative;
        /* What ends the last of them may be the '\0', which strchr() finds, too. */
        if (take_number(w, &map.container_id) < 0 || *w->p++ != '-' || take_number(w, &map.host_id) < 0 ||
            *w->p++ != '-' || take_number(w, &map.size) < 0 || !strchr("#;", *w->p) || map.size == 0)
                return refuse_words(w, text);
        if (relative)
                return add_relative(w, map, users, to);
        grow(to, map);
        return 0;
}

static int take_words(Words *w, IdMaps *uids, IdMaps *gids) {
        while (w->p[0]) {
                bool users = startswith(w->p, "uids=");
                int r;

                if (!users && !startswith(w->p, "gids="))
                        return refuse_words(w, "takes uids= and gids= and nothing else");
                w->p += strlen("uids=");
                do {
                        w->p += w->p[0] == '#';
                        r = take_triple(w, users, users ? uids : gids);
                        if (r < 0)
                                return r;
                } while (w->p[0] == '#');
                w->p += w->p[0] == ';';
        }
        return uids->n > 0 && gids->n > 0 ? 0 : refuse_words(w, "uids= and gids= must be given together");
}

static const char **lines(const InitBuild *b, const SpecIdMap *maps, size_t n) {
        const char **ret = arena_calloc(b->arena, n + 1, sizeof(*ret));

        for (size_t i = 0; i < n; i++)
                ret[i] = arena_printf(b->arena, "%u:%u:%u", maps[i].container_id, maps[i].host_id, maps[i].size);
        return ret;
}

static int read_words(const InitBuild *b, const BuildMount *m, const char *option, BuildIdmap *ret) {
        Words w = { .b = b, .option = option, .p = m->o.id_words };
        IdMaps uids = {}, gids = {};
        int r = take_words(&w, &uids, &gids);

        if (r >= 0)
                r = spec_check_id_maps(option, uids.list, uids.n, b->reterr);
        if (r >= 0)
                r = spec_check_id_maps(option, gids.list, gids.n, b->reterr);
        if (r >= 0) {
                ret->uids = lines(b, uids.list, uids.n);
                ret->gids = lines(b, gids.list, gids.n);
        }
        free(uids.list);
        free(gids.list);
        return r;
}

/* The maps that a mount asks for; where it says none, the container's. */
static int read_idmap(const InitBuild *b, const BuildMount *m, const char *option, BuildIdmap *ret) {
        const SpecNamespace *user = spec_namespace(b->spec, CLONE_NEWUSER);
        const SpecLinux *l = &b->spec->linux_;
        const SpecMount *s = m->spec;

        if (m->o.id_words && s->n_uid_mappings > 0)
                return error_setf(b->reterr, EINVAL, "%s: mounts[%zu].uidMappings are given too", option, m->index);
        if (m->o.id_words)
                return read_words(b, m, option, ret);
        if (s->n_uid_mappings == 0 && !user)
                return error_setf(b->reterr, EINVAL, "%s: idmap needs mappings or a user namespace", option);
        if (s->n_uid_mappings == 0 && user->path) {
                ret->path = user->path;
                return 0;
        }
        ret->uids = s->n_uid_mappings > 0 ? lines(b, s->uid_mappings, s->n_uid_mappings)
                                          : lines(b, l->uid_mappings, l->n_uid_mappings);
        ret->gids = s->n_uid_mappings > 0 ? lines(b, s->gid_mappings, s->n_gid_mappings)
                                          : lines(b, l->gid_mappings, l->n_gid_mappings);
        return 0;
}

static bool same_list(const char **a, const char **b) {
        if (!a || !b)
                return a == b;
        while (*a && *b && streq(*a, *b))
                a++, b++;
        return !*a && !*b;
}

static BuildIdmap *find(const InitBuild *b, const BuildIdmap *like) {
        for (size_t i = 0; i < b->n_idmaps; i++)
                if (same_list(b->idmaps[i].uids, like->uids) && same_list(b->idmaps[i].gids, like->gids) &&
                    streq_null(b->idmaps[i].path, like->path))
                        return &b->idmaps[i];
        return NULL;
}

int build_read_idmap(InitBuild *b, BuildMount *m) {
        BuildIdmap idmap = {}, *found;
        int r;

        if (!m->o.idmap && m->spec->n_uid_mappings == 0)
                return 0;
        idmap.origin = m->o.idmap ? arena_printf(b->arena, "%s.options[%zu]", m->origin,
                                                 m->o.at[m->o.ridmap ? OPT_RIDMAP : OPT_IDMAP])
                                  : arena_printf(b->arena, "%s.uidMappings", m->origin);
        if (m->kind == KIND_REMOUNT || m->kind == KIND_CGROUP || m->o.copy_up)
                return error_setf(b->reterr, EINVAL, "%s: %s cannot have other owners", idmap.origin,
                                  m->o.copy_up ? "a copy (tmpcopyup)" : "what is mounted already");
        if (!b->facts->privileged)
                return error_setf(b->reterr, EOPNOTSUPP, "%s: needs privileges over the file system, which only root "
                                  "has", idmap.origin);
        r = read_idmap(b, m, idmap.origin, &idmap);
        if (r < 0)
                return r;
        found = find(b, &idmap);
        if (!found) {
                r = build_slot(b, &idmap.slot);
                if (r < 0)
                        return r;
                found = &b->idmaps[b->n_idmaps++];
                *found = idmap;
        }
        m->idmap = found->slot;
        return 0;
}

void build_idmaps(InitBuild *b) {
        for (const BuildIdmap *i = b->idmaps; i < b->idmaps + b->n_idmaps; i++)
                if (i->path)
                        *init_add_open_ns(b->plan, i->origin) = (InitOpenNs){
                                .path = i->path,
                                .slot = i->slot,
                                .type = CLONE_NEWUSER,
                        };
                else
                        *init_add_idmap(b->plan, i->origin) = (InitIdmap){
                                .slot = i->slot,
                                .uids = i->uids,
                                .gids = i->gids,
                        };
}
