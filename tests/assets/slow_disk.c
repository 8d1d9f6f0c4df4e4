/* A disk that takes half a second for everything, below one folder: preloaded into a process (LD_PRELOAD).
 *
 *   SLOW_DISK_BELOW=/folder SLOW_DISK_SWITCH=/file LD_PRELOAD=.../slow_disk.so program
 *
 * While the file SLOW_DISK_SWITCH exists, each write, fsync and fdatasync of a file below SLOW_DISK_BELOW
 * waits as many milliseconds as stand in it (500 if none do).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void delay(int descriptor) {
    const char *below = getenv("SLOW_DISK_BELOW"), *file = getenv("SLOW_DISK_SWITCH");
    char link[64], path[4096], text[16] = {0};
    if (!below || !file) return;
    int control = open(file, O_RDONLY | O_CLOEXEC);
    if (control < 0) return;
    ssize_t taken = read(control, text, sizeof text - 1);
    close(control);
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (strncmp(path, below, strlen(below)) != 0) return;
    long ms = taken > 0 && atol(text) > 0 ? atol(text) : 500;
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *from, size_t count) { delay(fd); return NEXT(write)(fd, from, count); }
ssize_t writev(int fd, const struct iovec *parts, int count) { delay(fd); return NEXT(writev)(fd, parts, count); }
ssize_t pwrite(int fd, const void *from, size_t count, off_t at) { delay(fd); return NEXT(pwrite)(fd, from, count, at); }
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) { delay(fd); return NEXT(pwrite64)(fd, from, count, at); }
int fsync(int fd) { delay(fd); return NEXT(fsync)(fd); }
int fdatasync(int fd) { delay(fd); return NEXT(fdatasync)(fd); }
