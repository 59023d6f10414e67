#pragma once

/* _GNU_SOURCE shows F_OFD_SETLK, which the Swift overlay of glibc does not. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif

/* fcntl is variadic. Tries an open-file-description lock of one byte (fcntl(2), "Open file description locks").
   type: F_RDLCK, F_WRLCK or F_UNLCK. Returns 0, or an errno value. */
static inline int muster_try_byte_lock(int descriptor, short type, long long offset) {
    struct flock lock = {0};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = offset;
    lock.l_len = 1;
    int answer;
    do { answer = fcntl(descriptor, F_OFD_SETLK, &lock); } while (answer == -1 && errno == EINTR);
    return answer == -1 ? errno : 0;
}

/* Returns 1 when somebody else holds a lock that conflicts with an exclusive one, 0 when nobody does, or -errno. */
static inline int muster_byte_is_locked(int descriptor, long long offset) {
    struct flock lock = {0};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = offset;
    lock.l_len = 1;
    if (fcntl(descriptor, F_OFD_GETLK, &lock) == -1) return -errno;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

/* Wait status macros (wait(2)). */
static inline int muster_exited(int status) { return WIFEXITED(status); }
static inline int muster_exit_code(int status) { return WEXITSTATUS(status); }
static inline int muster_signaled(int status) { return WIFSIGNALED(status); }
static inline int muster_signal(int status) { return WTERMSIG(status); }
