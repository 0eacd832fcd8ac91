"""Digests of random keys: a line is set, type, key in hexadecimal (UTF-8, or 8 bytes big-endian), digest."""
import random
import struct

import aerospike

random.seed(160)
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-_é漢😀"


def text(longest):
    return "".join(random.choice(ALPHABET) for _ in range(random.randint(1, longest)))


for number in range(150):
    set_name = "" if number % 10 == 0 else text(12)
    kind = ["integer", "string", "blob"][number % 3]
    if kind == "integer":
        key = random.choice([random.randint(-5, 5), random.getrandbits(63), -random.getrandbits(62)])
        raw = struct.pack(">q", key)
    elif kind == "string":
        key = text(random.choice([3, 20, 60, 200]))
        raw = key.encode()
    else:
        key = bytearray(random.getrandbits(8) for _ in range(random.choice([1, 30, 54, 55, 56, 63, 64, 65, 300])))
        raw = bytes(key)
    digest = aerospike.calc_digest("test", set_name, key)
    print(set_name.encode().hex() or "-", kind, raw.hex(), digest.hex())
