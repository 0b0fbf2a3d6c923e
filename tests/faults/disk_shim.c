/* A disk that is slow, full or broken, for the processes of PostgreSQL that preload this library.
 * Other programs that preload it are left alone. What the tests do with it is in attacks_at_home.cpp.
 *
 *   truncate -s 128 control && chmod 666 control    # all zero: no fault
 *   LD_PRELOAD=build/release/lib/disk_shim.so ACCRUE_DISK_CONTROL=$PWD/control accrued --data-dir d
 *
 * accrued hands its environment to the PostgreSQL it starts; a cluster of one's own takes the same two
 * variables at `pg_ctl start`. The control file (struct disk_control in disk_shim.h) has to be there
 * before the database starts, and be open for reading and writing to the user it runs as: `postgres`,
 * where accrued runs as root. It may be written at any time and counts from the next call on:
 *
 *   printf '\xe8\x03\x00\x00' | dd of=control conv=notrunc status=none           # syncs take 1 ms more
 *   printf '\x1c\x00\x00\x00' | dd of=control conv=notrunc status=none seek=4 bs=1   # disk full
 *
 * The delay comes on top of what the disk takes. Files that were there keep their room when the disk is
 * full (`grow_error`): PostgreSQL's own spare WAL segments stay usable, as in life. A sync that fails does
 * not sync. Only calls that PostgreSQL makes are replaced; it makes them through libc's names. */
#define _GNU_SOURCE
#include "disk_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct disk_control* control;

/* Before the program's own code, and inherited by every child of the postmaster. */
__attribute__((constructor)) static void map_control(void) {
  const char* path = getenv(DISK_CONTROL_VARIABLE);
  if (path == NULL || strcmp(program_invocation_short_name, "postgres") != 0)
    return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  struct stat found;
  if (fd >= 0 && fstat(fd, &found) == 0 && found.st_size >= (off_t)sizeof *control) {
    void* mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
      control = mapped;
  }
  if (control == NULL) {
    fprintf(stderr, "disk_shim: cannot map %s: %s\n", path, strerror(errno));
    _exit(126);
  }
  close(fd);
}

#define READ(field) __atomic_load_n(&control->field, __ATOMIC_RELAXED)
#define COUNT(field) __atomic_add_fetch(&control->field, 1, __ATOMIC_RELAXED)

/* The next definition of the name: libc's. */
#define REAL(name)                                                                                 \
  static __typeof__(&name) real;                                                                   \
  if (real == NULL)                                                                                \
  *(void**)&real = dlsym(RTLD_NEXT, #name)

/* A regular file that the filter names: sockets, pipes and devices never fail. */
static int is_meant(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
    return 0;
  if (control->only[0] == '\0')
    return 1;
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0)
    return 0;
  path[length] = '\0';
  return strstr(path, control->only) != NULL;
}

/* Whether this call fails; errno is set. */
static int fails(uint32_t error, int fd) {
  if (error == 0 || !is_meant(fd))
    return 0;
  const uint32_t every = READ(every);
  if (COUNT(candidates) % (every > 1 ? every : 1) != 0)
    return 0;
  COUNT(failures);
  errno = (int)error;
  return 1;
}

static void take_time(void) {
  const uint32_t delay_us = READ(sync_delay_us);
  if (delay_us == 0)
    return;
  const int kept = errno;
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += (long)(delay_us % 1000000) * 1000;
  until.tv_sec += (time_t)(delay_us / 1000000) + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
  }
  errno = kept;
}

static int sync_fails(int fd) {
  if (control == NULL)
    return 0;
  COUNT(syncs);
  take_time();
  return fails(READ(sync_error), fd);
}

/* `end` is where the write would end; -1: at the file's offset, `length` further. */
static int write_fails(int fd, off_t end, size_t length) {
  if (control == NULL)
    return 0;
  if (READ(sync_delay_us) != 0 && (fcntl(fd, F_GETFL) & O_DSYNC) != 0 && is_meant(fd))
    take_time();
  if (fails(READ(write_error), fd))
    return 1;
  const uint32_t error = READ(grow_error);
  struct stat found;
  if (error == 0 || fstat(fd, &found) != 0)
    return 0;
  if (end < 0) {
    const off_t at = (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? found.st_size : lseek(fd, 0, SEEK_CUR);
    end = at + (off_t)length;
  }
  return end > found.st_size && fails(error, fd);
}

static int read_fails(int fd) { return control != NULL && fails(READ(read_error), fd); }

static size_t length_of(const struct iovec* parts, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; ++i)
    sum += parts[i].iov_len;
  return sum;
}

int fsync(int fd) {
  REAL(fsync);
  return sync_fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return sync_fails(fd) ? -1 : real(fd);
}

int sync_file_range(int fd, off64_t from, off64_t length, unsigned flags) {
  REAL(sync_file_range);
  return sync_fails(fd) ? -1 : real(fd, from, length, flags);
}

ssize_t write(int fd, const void* bytes, size_t length) {
  REAL(write);
  return write_fails(fd, -1, length) ? -1 : real(fd, bytes, length);
}

ssize_t pwrite(int fd, const void* bytes, size_t length, off_t at) {
  REAL(pwrite);
  return write_fails(fd, at + (off_t)length, length) ? -1 : real(fd, bytes, length, at);
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
  REAL(pwritev);
  const size_t length = length_of(parts, count);
  return write_fails(fd, at + (off_t)length, length) ? -1 : real(fd, parts, count, at);
}

int ftruncate(int fd, off_t length) {
  REAL(ftruncate);
  return write_fails(fd, length, 0) ? -1 : real(fd, length);
}

/* Says its error instead of setting errno. */
int posix_fallocate(int fd, off_t from, off_t length) {
  REAL(posix_fallocate);
  return write_fails(fd, from + length, 0) ? errno : real(fd, from, length);
}

ssize_t read(int fd, void* bytes, size_t length) {
  REAL(read);
  return read_fails(fd) ? -1 : real(fd, bytes, length);
}

ssize_t pread(int fd, void* bytes, size_t length, off_t at) {
  REAL(pread);
  return read_fails(fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t preadv(int fd, const struct iovec* parts, int count, off_t at) {
  REAL(preadv);
  return read_fails(fd) ? -1 : real(fd, parts, count, at);
}
