#ifndef BEANSPIKE_CLZ4_H
#define BEANSPIKE_CLZ4_H

#include <lz4.h>

#endif
