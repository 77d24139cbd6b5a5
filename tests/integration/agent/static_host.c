/* A statically linked program: LD_PRELOAD cannot reach it, and must not hurt it. */
#include <stdio.h>

int main(void) {
  puts("static");
  return 0;
}
