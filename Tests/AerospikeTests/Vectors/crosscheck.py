"""Reads what our client wrote, and writes what it is to read. Usage: crosscheck.py HOST PORT SET; prints ok."""

import sys

import aerospike
from aerospike_helpers import expressions as exp
from aerospike_helpers.operations import expression_operations as eo
from aerospike_helpers.operations import list_operations as lo
from aerospike_helpers.operations import map_operations as mo

HOST, PORT, SET = sys.argv[1], int(sys.argv[2]), sys.argv[3]
OURS = ("test", SET, "for-python")
THEIRS = ("test", SET, "from-python")


def check(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def reads_what_ours_wrote(client):
    _, _, bins = client.get(OURS)
    check(
        bins,
        {
            "int": -(2**63),
            "double": 2.5,
            "bool": True,
            "string": "hé漢😀",
            "blob": b"\x00\xff",
            "list": [1, "a", b"\x09", 2.5, True, None, [[]], {"k": {}}],
            "map": {"k": [1, {"n": None}], 7: "seven"},
            "ordered": {"a": 1, "b": 2, "c": 0},
            "sorted": [1, 2, 3],
            # What expressions of ours came to.
            "written": 45,
            "top": ["c", "a", "b"],
        },
    )
    _, _, answer = client.operate_ordered(
        OURS,
        [
            mo.map_get_by_rank("ordered", 0, aerospike.MAP_RETURN_KEY),
            lo.list_get_by_rank("sorted", -1, aerospike.LIST_RETURN_VALUE),
            eo.expression_read("e", exp.Add(exp.MapSize(None, exp.MapBin("ordered")), 1).compile()),
        ],
    )
    check([value for _, value in answer], ["c", 3, 4])


def writes_what_ours_reads(client):
    client.put(
        THEIRS,
        {
            "int": -5,
            "double": 1.25,
            "bool": False,
            "string": "ü",
            "blob": b"\x01\x02",
            "list": [1, [2, {"x": None}], "three", 4.5],
            "map": {"a": [1], "b": b"z"},
            "ordered": aerospike.KeyOrderedDict({"b": 2, "a": 1}),
            "geo": aerospike.GeoJSON('{"type": "Point", "coordinates": [1.0, 2.0]}'),
        },
    )
    total = exp.Sub(exp.MapSize(None, exp.MapBin("ordered")), exp.IntBin("int")).compile()
    second = exp.ListGetByIndex(
        None, aerospike.LIST_RETURN_VALUE, exp.ResultType.STRING, 2, exp.ListBin("list")
    ).compile()
    client.operate(
        THEIRS, [eo.expression_write("written", total), eo.expression_write("third", second)]
    )
    client.operate(THEIRS, [lo.list_append("list", 6), mo.map_put("map", "c", 7)])


client = aerospike.client({
    "hosts": [(HOST, PORT)],
    "policies": {"total_timeout": 10000, "socket_timeout": 5000},
}).connect()
reads_what_ours_wrote(client)
writes_what_ours_reads(client)
client.close()
print("ok")
