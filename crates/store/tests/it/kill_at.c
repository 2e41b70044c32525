/* Preloaded into a process, this kills it before its Nth change of a file: a write, a truncation, a sync, a
   rename, a removal. N stands in the environment; standard output and standard error do not count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long changes;

static void step(void)
{
    const char *text = getenv("WAXSEAL_TEST_KILL_AT");
    if (text && atomic_fetch_add(&changes, 1) + 1 == atol(text))
        kill(getpid(), SIGKILL);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *octets, size_t count)
{
    if (fd > 2)
        step();
    return NEXT(write)(fd, octets, count);
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t at)
{
    step();
    return NEXT(pwrite)(fd, octets, count, at);
}

ssize_t pwrite64(int fd, const void *octets, size_t count, off64_t at)
{
    step();
    return NEXT(pwrite64)(fd, octets, count, at);
}

int ftruncate(int fd, off_t length)
{
    step();
    return NEXT(ftruncate)(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    step();
    return NEXT(ftruncate64)(fd, length);
}

int fsync(int fd)
{
    step();
    return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    step();
    return NEXT(fdatasync)(fd);
}

int rename(const char *from, const char *to)
{
    step();
    return NEXT(rename)(from, to);
}

int unlink(const char *path)
{
    step();
    return NEXT(unlink)(path);
}
