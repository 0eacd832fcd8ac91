"""Reads what our client wrote, and writes what it is to read. Usage: crosscheck.py HOST:PORT"""
import sys

import aerospike
from aerospike_helpers import expressions as exp
from aerospike_helpers.operations import expression_operations as eo
from aerospike_helpers.operations import list_operations as lo
from aerospike_helpers.operations import map_operations as mo

host, port = sys.argv[1].rsplit(":", 1)
client = aerospike.client({"hosts": [(host, int(port))]}).connect()
key = ("test", "swift-wire", "for-python")
_, _, bins = client.get(key)
assert bins == {
    "int": -(2**63),
    "double": 2.5,
    "bool": True,
    "string": "hé漢😀",
    "blob": b"\x00\xff",
    "list": [1, "a", b"\x09", 2.5, True, None, [[]], {"k": {}}],
    "map": {"k": [1, {"n": None}], 7: "seven"},
    "ordered": {"a": 1, "b": 2, "c": 0},
    "sorted": [1, 2, 3],
}, bins
_, _, answer = client.operate_ordered(
    key,
    [
        mo.map_get_by_rank("ordered", 0, aerospike.MAP_RETURN_KEY),
        lo.list_get_by_rank("sorted", -1, aerospike.LIST_RETURN_VALUE),
        eo.expression_read("e", exp.Add(exp.MapSize(None, exp.MapBin("ordered")), 1).compile()),
    ],
)
assert [value for _, value in answer] == ["c", 3, 4], answer
written = {
    "int": -5,
    "double": 1.25,
    "bool": False,
    "string": "ü",
    "blob": b"\x01\x02",
    "list": [1, [2, {"x": None}], "three", 4.5],
    "map": {"a": [1], "b": b"z"},
    "ordered": aerospike.KeyOrderedDict({"b": 2, "a": 1}),
    "geo": aerospike.GeoJSON('{"type": "Point", "coordinates": [1.0, 2.0]}'),
}
client.put(("test", "swift-wire", "from-python"), written)
