// Stops a program at one of its renames. Loaded with LD_PRELOAD; STOP_AT_RENAME is
//   before N, after N  the program is killed just before or just after its N-th rename
//   fail N             that rename fails as on a full disk
//   count              the number of renames is printed to standard error at the end
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Rename(int, const char*, int, const char*);

static atomic_int renames;

static int at(const char* how) {
  const char* told = getenv("STOP_AT_RENAME");
  const size_t length = strlen(how);
  return told && strncmp(told, how, length) == 0 ? atoi(told + length) : 0;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  const int number = ++renames;
  if (number == at("before ")) raise(SIGKILL);
  if (number == at("fail ")) {
    errno = ENOSPC;
    return -1;
  }
  const int status = ((Rename*)dlsym(RTLD_NEXT, "renameat"))(from_folder, from, to_folder, to);
  if (number == at("after ")) raise(SIGKILL);
  return status;
}

int rename(const char* from, const char* to) {
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

__attribute__((destructor)) static void print_count(void) {
  const char* told = getenv("STOP_AT_RENAME");
  if (told && strcmp(told, "count") == 0) fprintf(stderr, "%d renames\n", atomic_load(&renames));
}
