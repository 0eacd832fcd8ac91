#ifndef BEANSPIKE_CSQLITE_H
#define BEANSPIKE_CSQLITE_H

#include <sqlite3.h>

/* Swift cannot call variadic functions. */

/* Turns off the counting of allocations, which takes a lock each. Has no effect once SQLite is in use. */
static inline int csqlite_disable_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Refuses SQL that could damage the file on purpose, and schemas that try to. */
static inline int csqlite_enable_defensive(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

#endif
