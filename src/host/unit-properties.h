/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "host/unit-ref.h"
#include "plan/unit/plan.h"

struct sd_bus_message;

/* The properties of a plan, as they are sent to one systemd: with the scope that has them, or to a unit that runs. */
typedef struct UnitProperties {
        const UnitPlan *plan;           /* the caller's, and there for as long as this is used */
        bool *dropped;                  /* by index into plan->props: optional ones that it does not know */
        struct sd_bus_message **saved;  /* the same: what they were before, or NULL */
} UnitProperties;

void unit_properties_done(UnitProperties *p);
/* Those of this plan, of which nothing has been dropped yet, unless they are that already. */
void unit_properties_use(UnitProperties *p, const UnitPlan *plan);
/* Was it about one that may be left out, that systemd said no? Then it is from now on. By the name and the text of the
 * D-Bus error. */
bool unit_properties_drop(UnitProperties *p, const char *name, const char *text);
/* Did the unit have to do without this optional property? */
bool unit_properties_dropped(const UnitProperties *p, const char *property);
/* "Cannot set property X, or unknown property."? */
bool unit_property_is_refused(const char *property, const char *name, const char *text);

/* Was it about one that was asked for? Then this is the error: whose it is, and which systemd does not know it. Else 0. */
int unit_properties_explain(const UnitProperties *p, Manager *m, const char *name, const char *text, Error *reterr);

/* The same for a unit that was started without us: of those which files stand in for, does it lack any? */
void unit_properties_look(UnitProperties *p, Manager *m, UnitRef unit);

/* As Get of org.freedesktop.DBus.Properties answers: of what its kind of unit has, and of what every unit has. */
int manager_get_property(Manager *m, UnitRef unit, const char *property, struct sd_bus_message **ret, Error *reterr);
int manager_get_unit_property(Manager *m, UnitRef unit, const char *property, struct sd_bus_message **ret,
                              Error *reterr);
/* And of any other object of systemd's. */
int manager_get_of(Manager *m, const char *object, const char *interface, const char *property,
                   struct sd_bus_message **ret, Error *reterr);
/* A text, in a; NULL: systemd does not say. of_kind: it is one of the service's or scope's, and not of any unit's. */
const char *manager_get_text(Manager *m, UnitRef unit, const char *property, bool of_kind, Arena *a);
int manager_get_u64(Manager *m, UnitRef unit, const char *property, uint64_t *ret, Error *reterr);
/* Of CPUs or memory nodes, as "0-3,7"; "": none are said. */
int manager_get_mask(Manager *m, UnitRef unit, const char *property, Text *ret, Error *reterr);

/* Is it what the plan says, of a mask or of values for devices? 0: a drop-in, or somebody since, says something else. */
int manager_has_property(Manager *m, UnitRef unit, const UnitProp *p, Error *reterr);

/* SetProperties(runtime=true): all of the plan's properties or none, but for optional ones that systemd does not know. */
int manager_set_properties(Manager *m, UnitRef unit, UnitProperties *p, Error *reterr);
/* Keeps what they are before they are set, and puts it back: nothing, if that was refused. */
int manager_save_properties(Manager *m, UnitRef unit, UnitProperties *p, Error *reterr);
int manager_restore_properties(Manager *m, UnitRef unit, const UnitProperties *p, Error *reterr);
