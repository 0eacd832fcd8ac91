// features.h, which defines __GLIBC__, comes with any header of the C library.
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
