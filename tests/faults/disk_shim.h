/* What a process tells the disk shim while a database runs: plain C, for disk_shim.c and the tests.
 * How it is preloaded and what each fault does is told in disk_shim.c. */
#ifndef ACCRUE_TESTS_FAULTS_DISK_SHIM_H
#define ACCRUE_TESTS_FAULTS_DISK_SHIM_H

#include <stdint.h>

#define DISK_CONTROL_VARIABLE "ACCRUE_DISK_CONTROL"

/* The control file, mapped by everybody: all zero means no fault. Little-endian, offsets in brackets,
 * so that a shell can write it as well. Each field is read and written as a whole, at any time. */
struct disk_control {
  uint32_t sync_delay_us; /* [0] added to each sync, and to each write of a file opened O_(D)SYNC */
  uint32_t grow_error;  /* [4] errno of what would make a file longer: a full disk is ENOSPC, 28 */
  uint32_t write_error; /* [8] errno of every write, growing or not */
  uint32_t sync_error;  /* [12] errno of every sync, which then does not reach the disk; EIO is 5 */
  uint32_t read_error;  /* [16] errno of every read */
  uint32_t every;       /* [20] only every n-th call fails; 0 and 1: each */
  uint64_t syncs;       /* [24] counted by the shim: syncs asked for, delayed or not */
  uint64_t failures;    /* [32] counted by the shim: calls that were made to fail */
  uint64_t candidates;  /* [40] counted by the shim: calls that `every` chooses from */
  uint64_t spare[2];    /* [48] */
  char only[64]; /* [64] faults meet only files whose path contains this text, e.g. /pg_wal/ or
                    /base/; empty: each regular file. Set while no fault is. */
};

#endif
