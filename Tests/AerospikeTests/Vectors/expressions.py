"""Expressions as the Python client packs them: a line is a name and bytes. Usage: expressions.py HOST:PORT"""
import base64
import sys

import aerospike
from aerospike import KeyOrderedDict
from aerospike_helpers import cdt_ctx as ctx
from aerospike_helpers.expressions import *

host, port = sys.argv[1].rsplit(":", 1)
client = aerospike.client({"hosts": [(host, int(port))]}).connect()

A = IntBin("a")
B = IntBin("b")
D = FloatBin("d")
L = ListBin("l")
M = MapBin("m")
X = BlobBin("x")
H = HLLBin("h")
INT = ResultType.INTEGER
STR = ResultType.STRING
LIST = ResultType.LIST
R = aerospike
LPOL = {"list_order": R.LIST_ORDERED, "write_flags": R.LIST_WRITE_ADD_UNIQUE}
MPOL = {"map_order": R.MAP_KEY_VALUE_ORDERED, "map_write_flags": R.MAP_WRITE_FLAGS_CREATE_ONLY}

# The best entry of a map taken and put back changed: names, calls in calls, and the server's clock.
BEST = Var("best")
NOW = Add(Div(LastUpdateTime(), 1_000_000), SinceUpdateTime())
PERSISTED = {"map_order": R.MAP_KEY_VALUE_ORDERED, "persist_index": True}
LEASE = ListSet(
    None, None, 0, 1,
    ListSet(None, None, 1, Add(NOW, Mul(ListGetByIndex(None, R.LIST_RETURN_VALUE, INT, 3, BEST), 1000)), BEST),
)
POP = Let(
    Def("best", MapGetByRank(None, R.MAP_RETURN_VALUE, LIST, 0, M)),
    MapPut(None, PERSISTED, MapGetByRank(None, R.MAP_RETURN_KEY, INT, 0, M), LEASE, M),
)

cases = {
    "bin.bool": Eq(BoolBin("t"), True),
    "bin.int": Eq(A, 5),
    "bin.double": Eq(D, 5.25),
    "bin.string": Eq(StrBin("s"), "hello"),
    "bin.blob": Eq(X, b"\x01\x02\xff"),
    "bin.list": Eq(L, [1, "two", [3.5, None]]),
    "bin.map": Eq(M, KeyOrderedDict({"a": 1, "b": [2]})),
    "bin.exists": BinExists("a"),
    "bin.type": Eq(BinType("a"), 20),
    "geo": CmpGeo(GeoBin("g"), aerospike.GeoJSON('{"type":"Point","coordinates":[1.0,2.0]}')),
    "hll.bin": Eq(HLLGetCount(H), 4),
    "int.large": Eq(A, 1 << 62),
    "int.255": Eq(A, 255),
    "int.65536": Eq(A, 65536),
    "int.minus1": Eq(A, -1),
    "int.minus33": Eq(A, -33),
    "int.minus40000": Eq(A, -40000),
    "int.min": Eq(A, -(1 << 63)),
    "string.long": Eq(StrBin("s"), "x" * 40),
    "string.longer": Eq(StrBin("s"), "x" * 300),
    "compare.ne": NE(A, B),
    "compare.gt": GT(A, B),
    "compare.ge": GE(A, B),
    "compare.lt": LT(A, B),
    "compare.le": LE(A, B),
    "logic.and": And(GT(A, 1), LT(A, 9)),
    "logic.or": Or(GT(A, 1), LT(A, 9)),
    "logic.not": Not(GT(A, 1)),
    "logic.exclusive": Exclusive(GT(A, 1), LT(A, 9), Eq(B, 2)),
    "logic.all3": And(GT(A, 1), LT(A, 9), Eq(B, 2)),
    "math.add": Eq(Add(A, B), 7),
    "math.sub": Eq(Sub(A, B), 7),
    "math.neg": Eq(Sub(A), 7),
    "math.mul": Eq(Mul(A, 3), 9),
    "math.div": Eq(Div(D, 2.0), 1.5),
    "math.pow": Eq(Pow(D, 2.0), 9.0),
    "math.log": Eq(Log(D, 10.0), 1.0),
    "math.mod": Eq(Mod(A, 3), 1),
    "math.abs": Eq(Abs(A), 3),
    "math.floor": Eq(Floor(D), 2.0),
    "math.ceil": Eq(Ceil(D), 2.0),
    "math.toint": Eq(ToInt(D), 2),
    "math.tofloat": Eq(ToFloat(A), 2.0),
    "math.min": Eq(Min(A, B, 3), 1),
    "math.max": Eq(Max(A, B, 3), 1),
    "bits.and": Eq(IntAnd(A, 15), 1),
    "bits.or": Eq(IntOr(A, 15), 1),
    "bits.xor": Eq(IntXOr(A, 15), 1),
    "bits.not": Eq(IntNot(A), 1),
    "bits.lshift": Eq(IntLeftShift(A, 2), 4),
    "bits.rshift": Eq(IntRightShift(A, 2), 4),
    "bits.arshift": Eq(IntArithmeticRightShift(A, 2), 4),
    "bits.count": Eq(IntCount(A), 4),
    "bits.lscan": Eq(IntLeftScan(A, True), 4),
    "bits.rscan": Eq(IntRightScan(A, False), 4),
    "meta.lastUpdate": GT(LastUpdateTime(), 1000),
    "meta.sinceUpdate": GT(SinceUpdateTime(), 1000),
    "meta.voidTime": GT(VoidTime(), 1000),
    "meta.ttl": GT(TTL(), 1000),
    "meta.setName": Eq(SetName(), "s"),
    "meta.keyExists": KeyExists(),
    "meta.tombstone": IsTombstone(),
    "meta.deviceSize": GT(DeviceSize(), 1),
    "meta.memorySize": GT(MemorySize(), 1),
    "meta.recordSize": GT(RecordSize(), 1),
    "meta.digestModulo": Eq(DigestMod(3), 1),
    "key.int": Eq(KeyInt(), 1),
    "key.string": Eq(KeyStr(), "k"),
    "key.blob": Eq(KeyBlob(), b"k"),
    "regex": CmpRegex(R.REGEX_EXTENDED | R.REGEX_ICASE, "^a.*z$", StrBin("s")),
    "cond": Eq(Cond(LT(A, 1), 10, GT(A, 5), 20, 30), 20),
    "cond.unknown": Eq(Cond(LT(A, 1), 10, Unknown()), 10),
    "let": Let(Def("x", Add(A, B)), And(GT(Var("x"), 1), LT(Var("x"), 9))),
    "let.two": Let(Def("x", A), Def("y", Add(Var("x"), 1)), GT(Var("y"), Var("x"))),
    "list.size": Eq(ListSize(None, L), 3),
    "list.getByIndex": Eq(ListGetByIndex(None, R.LIST_RETURN_VALUE, INT, 0, L), 3),
    "list.getByIndex.rank": Eq(ListGetByIndex(None, R.LIST_RETURN_RANK, INT, A, L), 3),
    "list.getByIndexRange": Eq(ListGetByIndexRange(None, R.LIST_RETURN_COUNT, 1, 2, L), 2),
    "list.getByIndexRangeToEnd": Eq(ListGetByIndexRangeToEnd(None, R.LIST_RETURN_VALUE, 1, L), [1]),
    "list.getByRank": Eq(ListGetByRank(None, R.LIST_RETURN_VALUE, STR, -1, L), "z"),
    "list.getByRankRange": Eq(ListGetByRankRange(None, R.LIST_RETURN_INDEX, 0, 2, L), [0]),
    "list.getByRankRangeToEnd": Eq(ListGetByRankRangeToEnd(None, R.LIST_RETURN_VALUE, -2, L), [0]),
    "list.getByValue": ListGetByValue(None, R.LIST_RETURN_EXISTS, 7, L),
    "list.getByValue.inverted": Eq(ListGetByValue(None, R.LIST_RETURN_COUNT, 7, L, True), 2),
    "list.getByValueList": Eq(ListGetByValueList(None, R.LIST_RETURN_COUNT, [1, 2], L), 2),
    "list.getByValueRange": Eq(ListGetByValueRange(None, R.LIST_RETURN_COUNT, 1, 9, L), 2),
    "list.getByValueRange.infinity": Eq(
        ListGetByValueRange(None, R.LIST_RETURN_COUNT, 1, aerospike.CDTInfinite(), L), 2
    ),
    "list.getByRelRankToEnd": Eq(ListGetByValueRelRankRangeToEnd(None, R.LIST_RETURN_COUNT, 5, -1, L), 2),
    "list.getByRelRank": Eq(ListGetByValueRelRankRange(None, R.LIST_RETURN_COUNT, 5, -1, 2, L), 2),
    "list.nested": Eq(ListSize([ctx.cdt_ctx_list_index(-1)], L), 3),
    "list.nestedInMap": Eq(
        ListGetByIndex(
            [ctx.cdt_ctx_map_key("k"), ctx.cdt_ctx_list_rank(1), ctx.cdt_ctx_map_value(3)],
            R.LIST_RETURN_VALUE, INT, 0, M,
        ),
        3,
    ),
    "list.append": Eq(ListAppend(None, None, 5, L), [1]),
    "list.append.policy": Eq(ListAppend(None, LPOL, A, L), [1]),
    "list.appendItems": Eq(ListAppendItems(None, None, [5, 6], L), [1]),
    "list.insert": Eq(ListInsert(None, None, 0, "x", L), [1]),
    "list.insert.policy": Eq(ListInsert(None, LPOL, 0, "x", L), [1]),
    "list.insertItems": Eq(ListInsertItems(None, None, 0, ["x"], L), [1]),
    "list.increment": Eq(ListIncrement(None, None, 0, 2, L), [1]),
    "list.set": Eq(ListSet(None, None, 0, 2, L), [1]),
    "list.clear": Eq(ListClear(None, L), [1]),
    "list.sort": Eq(ListSort(None, R.LIST_SORT_DROP_DUPLICATES, L), [1]),
    "list.removeByIndex": Eq(ListRemoveByIndex(None, 1, L), [1]),
    "list.removeByIndexRange": Eq(ListRemoveByIndexRange(None, 1, 2, L), [1]),
    "list.removeByIndexRangeToEnd": Eq(ListRemoveByIndexRangeToEnd(None, 1, L), [1]),
    "list.removeByRank": Eq(ListRemoveByRank(None, 1, L), [1]),
    "list.removeByRankRange": Eq(ListRemoveByRankRange(None, 1, 2, L), [1]),
    "list.removeByRankRangeToEnd": Eq(ListRemoveByRankRangeToEnd(None, 1, L), [1]),
    "list.removeByValue": Eq(ListRemoveByValue(None, 1, L), [1]),
    "list.removeByValue.inverted": Eq(ListRemoveByValue(None, 1, L, True), [1]),
    "list.removeByValueList": Eq(ListRemoveByValueList(None, [1], L), [1]),
    "list.removeByValueRange": Eq(ListRemoveByValueRange(None, 1, 5, L), [1]),
    "list.removeByRelRank": Eq(ListRemoveByValueRelRankRange(None, 1, 0, 3, L), [1]),
    "list.removeByRelRankToEnd": Eq(ListRemoveByValueRelRankToEnd(None, 1, 0, L), [1]),
    "list.nestedAppend": Eq(ListAppend([ctx.cdt_ctx_map_key("k")], None, 5, M), KeyOrderedDict({"k": 1})),
    "map.size": Eq(MapSize(None, M), 3),
    "map.getByKey": Eq(MapGetByKey(None, R.MAP_RETURN_VALUE, INT, "k", M), 3),
    "map.getByKey.list": Eq(MapGetByKey(None, R.MAP_RETURN_VALUE, LIST, 7, M), [3]),
    "map.getByKeyRange": Eq(MapGetByKeyRange(None, R.MAP_RETURN_COUNT, "a", "f", M), 3),
    "map.getByKeyList": Eq(MapGetByKeyList(None, R.MAP_RETURN_COUNT, ["a", "f"], M), 3),
    "map.getByKeyRelToEnd": Eq(MapGetByKeyRelIndexRangeToEnd(None, R.MAP_RETURN_COUNT, "a", 1, M), 3),
    "map.getByKeyRel": Eq(MapGetByKeyRelIndexRange(None, R.MAP_RETURN_COUNT, "a", 1, 2, M), 3),
    "map.getByValue": MapGetByValue(None, R.MAP_RETURN_EXISTS, 3, M),
    "map.getByValueRange": Eq(MapGetByValueRange(None, R.MAP_RETURN_KEY, 3, 5, M), ["a"]),
    "map.getByValueList": Eq(MapGetByValueList(None, R.MAP_RETURN_KEY, [3, 5], M), ["a"]),
    "map.getByValueRelToEnd": Eq(MapGetByValueRelRankRangeToEnd(None, R.MAP_RETURN_COUNT, 3, 5, M), 1),
    "map.getByValueRel": Eq(MapGetByValueRelRankRange(None, R.MAP_RETURN_COUNT, 3, 5, 1, M), 1),
    "map.getByIndex": Eq(MapGetByIndex(None, R.MAP_RETURN_KEY, STR, 0, M), "a"),
    "map.getByIndexRange": Eq(MapGetByIndexRange(None, R.MAP_RETURN_COUNT, 0, 2, M), 1),
    "map.getByIndexRangeToEnd": Eq(MapGetByIndexRangeToEnd(None, R.MAP_RETURN_COUNT, 0, M), 1),
    "map.getByRank": Eq(MapGetByRank(None, R.MAP_RETURN_INDEX, INT, 0, M), 1),
    "map.getByRankRange": Eq(MapGetByRankRange(None, R.MAP_RETURN_COUNT, 0, 2, M), 1),
    "map.getByRankRangeToEnd": Eq(MapGetByRankRangeToEnd(None, R.MAP_RETURN_COUNT, 0, M), 1),
    "map.getByRank.nested": Eq(
        MapGetByRank([ctx.cdt_ctx_map_index(0), ctx.cdt_ctx_map_rank(-1)], R.MAP_RETURN_VALUE, INT, 0, M), 1
    ),
    "map.put": Eq(MapPut(None, None, "k", 5, M), KeyOrderedDict({"k": 1})),
    "map.put.policy": Eq(MapPut(None, MPOL, A, B, M), KeyOrderedDict({"k": 1})),
    "map.putItems": Eq(MapPutItems(None, None, KeyOrderedDict({"z": 1}), M), KeyOrderedDict({"k": 1})),
    "map.increment": Eq(MapIncrement(None, None, "k", 5, M), KeyOrderedDict({"k": 1})),
    "map.clear": Eq(MapClear(None, M), KeyOrderedDict({"k": 1})),
    "map.removeByKey": Eq(MapSize(None, MapRemoveByKey(None, "k", M)), 1),
    "map.removeByKeyList": Eq(MapSize(None, MapRemoveByKeyList(None, ["k"], M)), 1),
    "map.removeByKeyRange": Eq(MapSize(None, MapRemoveByKeyRange(None, "k", "q", M)), 1),
    "map.removeByKeyRelToEnd": Eq(MapSize(None, MapRemoveByKeyRelIndexRangeToEnd(None, "k", 1, M)), 1),
    "map.removeByKeyRel": Eq(MapSize(None, MapRemoveByKeyRelIndexRange(None, "k", 1, 2, M)), 1),
    "map.removeByValue": Eq(MapSize(None, MapRemoveByValue(None, 1, M)), 1),
    "map.removeByValue.inverted": Eq(MapSize(None, MapRemoveByValue(None, 1, M, True)), 1),
    "map.removeByValueList": Eq(MapSize(None, MapRemoveByValueList(None, [1], M)), 1),
    "map.removeByValueRange": Eq(MapSize(None, MapRemoveByValueRange(None, 1, 4, M)), 1),
    "map.removeByValueRelToEnd": Eq(MapSize(None, MapRemoveByValueRelRankRangeToEnd(None, 1, 4, M)), 1),
    "map.removeByValueRel": Eq(MapSize(None, MapRemoveByValueRelRankRange(None, 1, 4, 1, M)), 1),
    "map.removeByIndex": Eq(MapSize(None, MapRemoveByIndex(None, 1, M)), 1),
    "map.removeByIndexRange": Eq(MapSize(None, MapRemoveByIndexRange(None, 1, 2, M)), 1),
    "map.removeByIndexRangeToEnd": Eq(MapSize(None, MapRemoveByIndexRangeToEnd(None, 1, M)), 1),
    "map.removeByRank": Eq(MapSize(None, MapRemoveByRank(None, 1, M)), 1),
    "map.removeByRankRange": Eq(MapSize(None, MapRemoveByRankRange(None, 1, 2, M)), 1),
    "map.removeByRankRangeToEnd": Eq(MapSize(None, MapRemoveByRankRangeToEnd(None, 1, M)), 1),
    "pop": Eq(MapSize(None, POP), 1),
    "blob.get": Eq(BitGet(0, 8, X), b"\x01"),
    "blob.count": Eq(BitCount(0, 8, X), 1),
    "blob.lscan": Eq(BitLeftScan(0, 8, True, X), 1),
    "blob.rscan": Eq(BitRightScan(0, 8, False, X), 1),
    "blob.getInt": Eq(BitGetInt(0, 8, True, X), 1),
    "blob.resize": Eq(BitResize(None, 4, aerospike.BIT_RESIZE_DEFAULT, X), b"\x01"),
    "blob.resize.front": Eq(BitResize({"bit_write_flags": aerospike.BIT_WRITE_NO_FAIL}, A, aerospike.BIT_RESIZE_FROM_FRONT, X), b"\x01"),
    "blob.insert": Eq(BitInsert(None, 1, b"\x05\x06", X), b"\x01"),
    "blob.insert.expression": Eq(BitInsert({"bit_write_flags": aerospike.BIT_WRITE_CREATE_ONLY}, A, X, X), b"\x01"),
    "blob.remove": Eq(BitRemove(None, 1, 2, X), b"\x01"),
    "blob.set": Eq(BitSet(None, 4, 8, b"\x05", X), b"\x01"),
    "blob.or": Eq(BitOr(None, 4, 8, b"\x05", X), b"\x01"),
    "blob.xor": Eq(BitXor(None, 4, 8, b"\x05", X), b"\x01"),
    "blob.and": Eq(BitAnd({"bit_write_flags": aerospike.BIT_WRITE_PARTIAL}, -4, A, b"\x05", X), b"\x01"),
    "blob.not": Eq(BitNot(None, 4, 8, X), b"\x01"),
    "blob.lshift": Eq(BitLeftShift(None, 4, 8, 3, X), b"\x01"),
    "blob.rshift": Eq(BitRightShift(None, 4, 8, A, X), b"\x01"),
    "blob.add": Eq(BitAdd(None, 4, 8, 3, aerospike.BIT_OVERFLOW_FAIL, X), b"\x01"),
    "blob.add.wrap": Eq(BitAdd({"bit_write_flags": aerospike.BIT_WRITE_UPDATE_ONLY}, 4, 8, A, aerospike.BIT_OVERFLOW_WRAP, X), b"\x01"),
    "blob.subtract": Eq(BitSubtract(None, 4, 8, 300, aerospike.BIT_OVERFLOW_SATURATE, X), b"\x01"),
    "blob.setInt": Eq(BitSetInt(None, 4, 8, 7, X), b"\x01"),
    "hll.init": Eq(HLLGetCount(HLLInit(None, 8, 10, H)), 0),
    "hll.init.flags": Eq(HLLGetCount(HLLInit({"flags": aerospike.HLL_WRITE_UPDATE_ONLY}, None, None, H)), 0),
    "hll.union": Eq(HLLGetCount(HLLGetUnion(L, H)), 3),
    "hll.unionCount": Eq(HLLGetUnionCount(L, H), 3),
    "hll.intersectCount": Eq(HLLGetIntersectCount(L, H), 3),
    "hll.similarity": Eq(HLLGetSimilarity(L, H), 0.5),
    "hll.describe": Eq(HLLDescribe(H), [4, 0]),
    "hll.add": Eq(HLLGetCount(HLLAdd(None, ["a", "b"], 8, 0, H)), 2),
    "hll.mayContain": Eq(HLLMayContain(["a"], H), 1),
}

for name, expression in cases.items():
    try:
        packed = base64.b64decode(client.get_expression_base64(expression.compile()))
    except Exception as error:
        print(name, error, file=sys.stderr)
        continue
    print(name, packed.hex())
