#pragma once

/* Without _GNU_SOURCE, which would give fd_set another shape here than in the module of libdispatch: what only it shows
   is named below. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* prctl is variadic. Names the calling thread; the kernel cuts the name to 15 bytes (PR_SET_NAME). */
static inline void muster_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/* A file in memory, close-on-exec (memfd_create(2)); -1 and errno when there is none. */
static inline int muster_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1U); }

/* A pipe whose ends are close-on-exec from the first moment (pipe(2)). */
static inline int muster_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

/* syscall is variadic. A descriptor that becomes readable when the process ends (pidfd_open(2)), or -1. */
static inline int muster_process_descriptor(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

/* Whether a child has ended; it stays a zombie, so that neither its id nor its group's is given to another process. */
static inline int muster_has_ended(pid_t process) {
    siginfo_t info = {0};
    int answer;
    do { answer = waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT); } while (answer == -1 && errno == EINTR);
    return answer == -1 || info.si_pid != 0;
}

/* Takes a child that has ended off the list. Returns its wait status, or -1 when somebody else took it. */
static inline int muster_reap(pid_t process) {
    int status = 0;
    pid_t answer;
    do { answer = waitpid(process, &status, 0); } while (answer == -1 && errno == EINTR);
    return answer == process ? status : -1;
}

/* Starts a program (posix_spawn(3)) as leader of a process group of its own, in a folder, with every signal at its
   default and none blocked, and with no descriptors but the three standard ones. Returns 0, or an errno value. */
static inline int muster_spawn(
    pid_t *process, const char *path, char *const arguments[], char *const environment[], const char *folder,
    int input, int output, int errors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    /* Who ignores SIGCHLD never learns an exit status (wait(2)); the disposition may have been inherited. */
    struct sigaction child;
    if (sigaction(SIGCHLD, 0, &child) == 0 && child.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) { posix_spawn_file_actions_destroy(&actions); return code; }
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (!code) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!code) code = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!code) code = posix_spawnattr_setpgroup(&attributes, 0);
    if (!code) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!code) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (!code) code = posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!code) code = posix_spawn(process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}
