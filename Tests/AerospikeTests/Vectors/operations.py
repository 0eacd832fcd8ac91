"""Requests of the Python client, caught on their way to a server: a line is a name and bytes.

Names that begin with "op." have the operations of an operate call alone; those with "request." the whole message.
Usage: operations.py HOST:PORT of a server with one node, without users.
"""
import socket
import struct
import sys
import threading

import aerospike
from aerospike import KeyOrderedDict
from aerospike_helpers import cdt_ctx as ctx
from aerospike_helpers import expressions as exp
from aerospike_helpers.batch import records as br
from aerospike_helpers.operations import bitwise_operations as bo
from aerospike_helpers.operations import expression_operations as eo
from aerospike_helpers.operations import hll_operations as ho
from aerospike_helpers.operations import list_operations as lo
from aerospike_helpers.operations import map_operations as mo
from aerospike_helpers.operations import operations as op

R = aerospike
HOST, PORT = sys.argv[1].rsplit(":", 1)
PROXY = int(PORT) + 1000  # of as many digits, so that replies can be rewritten in place
caught = []


def receive(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def pump(source, target, is_request):
    while True:
        head = receive(source, 8)
        if head is None:
            break
        body = receive(source, struct.unpack(">Q", head)[0] & 0xFFFFFFFFFFFF)
        if is_request and head[1] == 3:
            caught.append(head + body)
        if not is_request and head[1] == 1:
            body = body.replace(PORT.encode(), str(PROXY).encode())
        target.sendall(head + body)
    target.close()


def serve(listener):
    while True:
        client_side, _ = listener.accept()
        server_side = socket.create_connection((HOST, int(PORT)))
        threading.Thread(target=pump, args=(client_side, server_side, True), daemon=True).start()
        threading.Thread(target=pump, args=(server_side, client_side, False), daemon=True).start()


threading.Thread(target=serve, args=(socket.create_server(("127.0.0.1", PROXY)),), daemon=True).start()
client = aerospike.client({"hosts": [("127.0.0.1", PROXY)]}).connect()
key = ("test", "golden", "vectors")
policy = {"total_timeout": 1000, "socket_timeout": 1000, "max_retries": 0, "key": R.POLICY_KEY_DIGEST}


def catch(call):
    caught.clear()
    try:
        call()
    except R.exception.ClientError as error:
        print("note:", error, file=sys.stderr)
    except R.exception.AerospikeError:
        pass
    assert len(caught) == 1, len(caught)
    return caught[0]


def operations_of(message):
    n_fields = struct.unpack(">H", message[26:28])[0]
    at = 30
    for _ in range(n_fields):
        at += 4 + struct.unpack(">I", message[at : at + 4])[0]
    return message[at:]


C = [ctx.cdt_ctx_list_index(-1), ctx.cdt_ctx_map_key("k")]
LPOL = {"list_order": R.LIST_ORDERED, "write_flags": R.LIST_WRITE_ADD_UNIQUE | R.LIST_WRITE_NO_FAIL}
MPOL = {"map_order": R.MAP_KEY_VALUE_ORDERED, "persist_index": True}
MFLAGS = {"map_order": R.MAP_KEY_ORDERED, "map_write_flags": R.MAP_WRITE_FLAGS_CREATE_ONLY | R.MAP_WRITE_FLAGS_NO_FAIL}
V = R.LIST_RETURN_VALUE
N = R.LIST_RETURN_NONE
COUNT = R.LIST_RETURN_COUNT
MV = R.MAP_RETURN_VALUE
MN = R.MAP_RETURN_NONE

operations = {
    "read": op.read("b"),
    "write.int": op.write("b", -7),
    "write.double": op.write("b", 2.5),
    "write.bool": op.write("b", True),
    "write.string": op.write("b", "hé"),
    "write.blob": op.write("b", b"\x00\xff"),
    "write.list": op.write("b", [1, "a", b"\x01", 2.5, True, None, [2]]),
    "write.map": op.write("b", {"k": [1]}),
    "write.orderedMap": op.write("b", KeyOrderedDict({"a": 1, "b": {"c": 300}})),
    "write.geo": op.write("b", R.GeoJSON('{"type": "Point", "coordinates": [1.0, 2.0]}')),
    "write.null": op.write("b", R.null()),
    "add.int": op.increment("b", 3),
    "add.double": op.increment("b", 3.5),
    "append": op.append("b", "x"),
    "prepend": op.prepend("b", "x"),
    "touch": op.touch(),
    "delete": op.delete(),
    "exp.read": eo.expression_read("r", exp.Add(exp.IntBin("a"), 1).compile()),
    "exp.read.flags": eo.expression_read("r", exp.Add(exp.IntBin("a"), 1).compile(), R.EXP_READ_EVAL_NO_FAIL),
    "exp.write": eo.expression_write("w", exp.Add(exp.IntBin("a"), 1).compile(), R.EXP_WRITE_UPDATE_ONLY),
    "list.create": lo.list_create("l", R.LIST_ORDERED, False, True),
    "list.create.nested": lo.list_create("l", R.LIST_UNORDERED, True, False, ctx=C),
    "list.setOrder": lo.list_set_order("l", R.LIST_ORDERED),
    "list.sort": lo.list_sort("l", R.LIST_SORT_DROP_DUPLICATES),
    "list.size": lo.list_size("l"),
    "list.size.nested": lo.list_size("l", ctx=C),
    "list.clear": lo.list_clear("l"),
    "list.append": lo.list_append("l", "v"),
    "list.append.policy": lo.list_append("l", "v", LPOL),
    "list.appendItems": lo.list_append_items("l", [1, 2], LPOL, C),
    "list.insert": lo.list_insert("l", 2, "v"),
    "list.insert.policy": lo.list_insert("l", 2, "v", LPOL),
    "list.insertItems": lo.list_insert_items("l", 2, ["v"]),
    "list.increment": lo.list_increment("l", 2, 5),
    "list.increment.policy": lo.list_increment("l", 2, 5, LPOL),
    "list.set": lo.list_set("l", -1, "v"),
    "list.pop": lo.list_pop("l", 1),
    "list.popRange": lo.list_pop_range("l", 1, 3),
    "list.remove": lo.list_remove("l", 1),
    "list.removeRange": lo.list_remove_range("l", 1, 3),
    "list.trim": lo.list_trim("l", 1, 3),
    "list.get": lo.list_get("l", 1),
    "list.getRange": lo.list_get_range("l", 1, 3),
    "list.getByIndex": lo.list_get_by_index("l", 1, V),
    "list.getByIndexRange": lo.list_get_by_index_range("l", 1, V, 3),
    "list.getByIndexRangeToEnd": lo.list_get_by_index_range("l", 1, COUNT, None, True),
    "list.getByRank": lo.list_get_by_rank("l", -1, V),
    "list.getByRankRange": lo.list_get_by_rank_range("l", 1, V, 3),
    "list.getByRankRangeToEnd": lo.list_get_by_rank_range("l", 1, V),
    "list.getByValue": lo.list_get_by_value("l", "v", R.LIST_RETURN_EXISTS),
    "list.getByValueList": lo.list_get_by_value_list("l", ["v", 1], R.LIST_RETURN_RANK),
    "list.getByValueRange": lo.list_get_by_value_range("l", V, 1, 9),
    "list.getByValueRange.infinity": lo.list_get_by_value_range("l", V, [1, R.CDTWildcard()], R.CDTInfinite()),
    "list.getByRelRank": lo.list_get_by_value_rank_range_relative("l", 5, -1, V, 2),
    "list.getByRelRankToEnd": lo.list_get_by_value_rank_range_relative("l", 5, -1, V),
    "list.removeByIndex": lo.list_remove_by_index("l", 1, N),
    "list.removeByIndexRange": lo.list_remove_by_index_range("l", 1, V, 3),
    "list.removeByIndexRangeToEnd": lo.list_remove_by_index_range("l", 1, N),
    "list.removeByRank": lo.list_remove_by_rank("l", -1, N),
    "list.removeByRankRange": lo.list_remove_by_rank_range("l", 1, N, 3),
    "list.removeByRankRangeToEnd": lo.list_remove_by_rank_range("l", 1, N),
    "list.removeByValue": lo.list_remove_by_value("l", "v", N, True),
    "list.removeByValueList": lo.list_remove_by_value_list("l", ["v", 1], N),
    "list.removeByValueRange": lo.list_remove_by_value_range("l", N, 1, 9),
    "list.removeByRelRank": lo.list_remove_by_value_rank_range_relative("l", 5, -1, N, 2),
    "list.removeByRelRankToEnd": lo.list_remove_by_value_rank_range_relative("l", 5, -1, N),
    "map.create": mo.map_create("m", R.MAP_KEY_VALUE_ORDERED, True),
    "map.create.nested": mo.map_create("m", R.MAP_KEY_ORDERED, False, ctx=C),
    "map.setPolicy": mo.map_set_policy("m", MPOL),
    "map.size": mo.map_size("m"),
    "map.clear": mo.map_clear("m"),
    "map.put": mo.map_put("m", "k", 1),
    "map.put.order": mo.map_put("m", "k", 1, MPOL),
    "map.put.flags": mo.map_put("m", "k", 1, MFLAGS, C),
    "map.putItems": mo.map_put_items("m", {"k": 1}),
    "map.putItems.order": mo.map_put_items("m", KeyOrderedDict({"a": 1, "b": 2}), MPOL),
    "map.putItems.flags": mo.map_put_items("m", {"k": 1}, MFLAGS),
    "map.increment": mo.map_increment("m", "k", 2),
    "map.decrement": mo.map_decrement("m", "k", 2, MPOL),
    "map.getByKey": mo.map_get_by_key("m", "k", MV),
    "map.getByKeyList": mo.map_get_by_key_list("m", ["k", 2], R.MAP_RETURN_KEY_VALUE),
    "map.getByKeyRange": mo.map_get_by_key_range("m", "a", "k", R.MAP_RETURN_ORDERED_MAP),
    "map.getByKeyRel": mo.map_get_by_key_index_range_relative("m", "k", 1, MV, 2),
    "map.getByKeyRelToEnd": mo.map_get_by_key_index_range_relative("m", "k", 1, MV),
    "map.getByIndex": mo.map_get_by_index("m", -1, R.MAP_RETURN_KEY),
    "map.getByIndexRange": mo.map_get_by_index_range("m", 0, 3, MV, True),
    "map.getByRank": mo.map_get_by_rank("m", 0, R.MAP_RETURN_REVERSE_RANK),
    "map.getByRankRange": mo.map_get_by_rank_range("m", 0, 3, MV),
    "map.getByValue": mo.map_get_by_value("m", 1, R.MAP_RETURN_EXISTS),
    "map.getByValueList": mo.map_get_by_value_list("m", [1, 2], R.MAP_RETURN_UNORDERED_MAP),
    "map.getByValueRange": mo.map_get_by_value_range("m", 1, 5, MV),
    "map.getByValueRel": mo.map_get_by_value_rank_range_relative("m", 5, -1, MV, 2),
    "map.getByValueRelToEnd": mo.map_get_by_value_rank_range_relative("m", 5, -1, MV),
    "map.removeByKey": mo.map_remove_by_key("m", "k", MN),
    "map.removeByKeyList": mo.map_remove_by_key_list("m", ["k"], R.MAP_RETURN_COUNT),
    "map.removeByKeyRange": mo.map_remove_by_key_range("m", "a", "k", MN),
    "map.removeByKeyRel": mo.map_remove_by_key_index_range_relative("m", "k", 1, MN, 2),
    "map.removeByKeyRelToEnd": mo.map_remove_by_key_index_range_relative("m", "k", 1, MN),
    "map.removeByIndex": mo.map_remove_by_index("m", 0, MV),
    "map.removeByIndexRange": mo.map_remove_by_index_range("m", 0, 2, MN),
    "map.removeByRank": mo.map_remove_by_rank("m", 0, MV),
    "map.removeByRankRange": mo.map_remove_by_rank_range("m", 0, 2, R.MAP_RETURN_KEY_VALUE),
    "map.removeByValue": mo.map_remove_by_value("m", 1, MN, True),
    "map.removeByValueList": mo.map_remove_by_value_list("m", [1, 2], MN),
    "map.removeByValueRange": mo.map_remove_by_value_range("m", 1, 5, MN),
    "map.removeByValueRel": mo.map_remove_by_value_rank_range_relative("m", 5, -1, MN, 2),
    "map.removeByValueRelToEnd": mo.map_remove_by_value_rank_range_relative("m", 5, -1, MN),
    "bits.resize": bo.bit_resize("x", 10, None, R.BIT_RESIZE_FROM_FRONT),
    "bits.insert": bo.bit_insert("x", 1, 2, b"\x01\x02"),
    "bits.remove": bo.bit_remove("x", 1, 2),
    "bits.set": bo.bit_set("x", 3, 16, 2, b"\x01\x02", {"bit_write_flags": R.BIT_WRITE_NO_FAIL}),
    "bits.or": bo.bit_or("x", 3, 16, 2, b"\x01\x02"),
    "bits.xor": bo.bit_xor("x", 3, 16, 2, b"\x01\x02"),
    "bits.and": bo.bit_and("x", 3, 16, 2, b"\x01\x02"),
    "bits.not": bo.bit_not("x", 3, 16),
    "bits.lshift": bo.bit_lshift("x", 3, 16, 2),
    "bits.rshift": bo.bit_rshift("x", 3, 16, 2),
    "bits.add": bo.bit_add("x", 3, 16, 200, False, R.BIT_OVERFLOW_WRAP),
    "bits.subtract": bo.bit_subtract("x", 3, 16, 200, True, R.BIT_OVERFLOW_SATURATE),
    "bits.setInt": bo.bit_set_int("x", 3, 16, 200),
    "bits.get": bo.bit_get("x", 3, 16),
    "bits.count": bo.bit_count("x", 3, 16),
    "bits.lscan": bo.bit_lscan("x", 3, 16, True),
    "bits.rscan": bo.bit_rscan("x", 3, 16, False),
    "bits.getInt": bo.bit_get_int("x", 3, 16, False),
    "bits.getInt.signed": bo.bit_get_int("x", 3, 16, True),
    "hll.init": ho.hll_init("h", 8, 20),
    "hll.add": ho.hll_add("h", ["a", "b"], 8),
    "hll.refresh": ho.hll_refresh_count("h"),
    "hll.fold": ho.hll_fold("h", 6),
    "hll.count": ho.hll_get_count("h"),
    "hll.describe": ho.hll_describe("h"),
}

for name, operation in operations.items():
    message = catch(lambda: client.operate(key, [operation], policy=policy))
    print("op." + name, operations_of(message).hex())

FILTER = exp.Eq(exp.IntBin("a"), 5).compile()
requests = {
    "get": lambda: client.get(key, policy=policy),
    "get.bins": lambda: client.select(key, ["a", "b"], policy=policy),
    "exists": lambda: client.exists(key, policy=policy),
    "put": lambda: client.put(key, {"a": 5, "b": "x"}, policy=policy),
    "put.sendKey": lambda: client.put(key, {"a": 5}, policy=dict(policy, key=R.POLICY_KEY_SEND)),
    "put.intKey": lambda: client.put(("test", "golden", 7), {"a": 5}, policy=dict(policy, key=R.POLICY_KEY_SEND)),
    "put.noSet": lambda: client.put(("test", None, "vectors"), {"a": 5}, policy=policy),
    "put.createOnly": lambda: client.put(key, {"a": 5}, policy=dict(policy, exists=R.POLICY_EXISTS_CREATE)),
    "put.updateOnly": lambda: client.put(key, {"a": 5}, policy=dict(policy, exists=R.POLICY_EXISTS_UPDATE)),
    "put.replace": lambda: client.put(key, {"a": 5}, policy=dict(policy, exists=R.POLICY_EXISTS_CREATE_OR_REPLACE)),
    "put.replaceOnly": lambda: client.put(key, {"a": 5}, policy=dict(policy, exists=R.POLICY_EXISTS_REPLACE)),
    "put.generation": lambda: client.put(key, {"a": 5}, meta={"gen": 3}, policy=dict(policy, gen=R.POLICY_GEN_EQ)),
    "put.newer": lambda: client.put(key, {"a": 5}, meta={"gen": 3}, policy=dict(policy, gen=R.POLICY_GEN_GT)),
    "put.ttl": lambda: client.put(key, {"a": 5}, meta={"ttl": 100}, policy=policy),
    "put.never": lambda: client.put(key, {"a": 5}, meta={"ttl": R.TTL_NEVER_EXPIRE}, policy=policy),
    "put.unchanged": lambda: client.put(key, {"a": 5}, meta={"ttl": R.TTL_DONT_UPDATE}, policy=policy),
    "put.master": lambda: client.put(key, {"a": 5}, policy=dict(policy, commit_level=R.POLICY_COMMIT_LEVEL_MASTER)),
    "put.filter": lambda: client.put(key, {"a": 5}, policy=dict(policy, expressions=FILTER)),
    "get.filter": lambda: client.get(key, policy=dict(policy, expressions=FILTER)),
    "remove": lambda: client.remove(key, policy=policy),
    "operate.read": lambda: client.operate(key, [op.read("a")], policy=policy),
    "operate.map": lambda: client.operate(key, [mo.map_put("m", "k", 1), op.read("a")], policy=policy),
    "apply": lambda: client.apply(key, "module", "function", [1, "two"], policy=policy),
}
for name, call in requests.items():
    print("request." + name, catch(call).hex())

keys = [("test", "golden", "batch%d" % number) for number in range(3)]
batch = br.BatchRecords(
    [
        br.Read(keys[0], None, read_all_bins=True),
        br.Read(keys[1], None, read_all_bins=True),
        br.Write(keys[2], [op.write("a", 5)], policy={"key": R.POLICY_KEY_DIGEST}),
    ]
)
message = catch(lambda: client.batch_write(batch, policy_batch={"total_timeout": 1000, "socket_timeout": 1000}))
print("request.batch", message.hex())
