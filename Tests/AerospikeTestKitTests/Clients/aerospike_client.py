"""Uses a cluster through PyPI's `aerospike` (the C client): `aerospike_client.py port...`; prints ok."""

import sys

import aerospike
from aerospike import exception, predicates
from aerospike_helpers.batch import records as batch_records
from aerospike_helpers.expressions import base as expressions
from aerospike_helpers.expressions import arithmetic
from aerospike_helpers.operations import expression_operations
from aerospike_helpers.operations import list_operations, map_operations, operations

PORTS = [int(port) for port in sys.argv[1:]]
NAMESPACE = "test"
SET = "python"


def key(name):
    return (NAMESPACE, SET, name)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def raises(code, call):
    try:
        call()
    except exception.AerospikeError as error:
        check(error.code == code, f"{error.code} instead of {code}: {error.msg}")
    else:
        raise AssertionError(f"no error where {code} belongs")


def records_go_there_and_back(client):
    bins = {
        "i": -(2**63), "f": 2.5, "s": "hé漢😀", "b": b"\x00\xff", "t": True,
        "l": [1, "a", [2.5, {"k": None}]], "m": {"a": [1], 7: "seven"},
    }
    client.put(key("types"), bins, policy={"key": aerospike.POLICY_KEY_SEND})
    stored_key, meta, found = client.get(key("types"))
    check(found == bins, found)
    check(meta["gen"] == 1, meta)
    _, meta = client.exists(key("types"))
    check(meta is not None, "exists")
    _, _, some = client.select(key("types"), ["i", "none"])
    check(some == {"i": -(2**63)}, some)
    client.increment(key("types"), "i", 1)
    client.append(key("types"), "s", "!")
    client.touch(key("types"))
    check(client.get(key("types"))[2]["s"] == "hé漢😀!", "append")
    raises(2, lambda: client.get(key("none")))
    raises(5, lambda: client.put(key("types"), {"i": 1}, policy={"exists": aerospike.POLICY_EXISTS_CREATE}))
    raises(3, lambda: client.put(key("types"), {"i": 1}, meta={"gen": 1}, policy={"gen": aerospike.POLICY_GEN_EQ}))
    client.remove(key("types"))
    check(client.exists(key("types"))[1] is None, "removed")


def operations_answer_in_order(client):
    client.put(key("ops"), {"n": 1})
    _, _, results = client.operate_ordered(
        key("ops"),
        [operations.increment("n", 4), operations.read("n"), operations.write("s", "x"), operations.append("s", "y"),
         operations.read("s")],
    )
    check([value for _, value in results if value is not None] == [5, "xy"], results)
    client.remove(key("ops"))


def filters_are_evaluated(client):
    client.put(key("filter"), {"n": 5})
    matching = expressions.GT(expressions.IntBin("n"), 4).compile()
    other = expressions.LT(expressions.IntBin("n"), 4).compile()
    check(client.get(key("filter"), {"expressions": matching})[2] == {"n": 5}, "filter")
    raises(27, lambda: client.get(key("filter"), {"expressions": other}))
    total = arithmetic.Add(expressions.IntBin("n"), 1).compile()
    _, _, bins = client.operate(key("filter"), [expression_operations.expression_read("e", total)])
    check(bins == {"e": 6}, bins)
    client.remove(key("filter"))


def collections_are_changed(client):
    client.put(key("cdt"), {"l": [3, 1, 2], "m": {"a": 1}})
    _, _, results = client.operate_ordered(
        key("cdt"),
        [list_operations.list_append("l", 9), list_operations.list_get_by_rank("l", -1, aerospike.LIST_RETURN_VALUE),
         map_operations.map_put("m", "b", 2), map_operations.map_size("m")],
    )
    check([value for _, value in results] == [4, 9, 2, 2], results)
    client.remove(key("cdt"))


def batches_mix_calls(client):
    keys = [key(f"batch{number}") for number in range(100)]
    writes = batch_records.BatchRecords(
        [batch_records.Write(k, [operations.write("n", number)]) for number, k in enumerate(keys)]
    )
    client.batch_write(writes)
    check(all(record.result == 0 for record in writes.batch_records), "batch_write")
    found = client.batch_read(keys + [key("none")])
    check([record.record[2]["n"] for record in found.batch_records[:-1]] == list(range(100)), "batch_read")
    check(found.batch_records[-1].result == 2, "batch_read of nothing")
    removed = client.batch_remove(keys)
    check(removed.result == 0, "batch_remove")
    check(all(client.exists(k)[1] is None for k in keys[:5]), "batch_remove left something")


def queries_find_records(client):
    keys = [key(f"query{number}") for number in range(50)]
    for number, k in enumerate(keys):
        client.put(k, {"q": number})
    found = client.query(NAMESPACE, SET).results()
    check(sorted(bins["q"] for _, _, bins in found) == list(range(50)), "query of a set")
    client.index_single_value_create(NAMESPACE, SET, "q", aerospike.INDEX_NUMERIC, "python_q")
    query = client.query(NAMESPACE, SET)
    query.where(predicates.between("q", 10, 19))
    check(sorted(bins["q"] for _, _, bins in query.results()) == list(range(10, 20)), "query by index")
    client.index_remove(NAMESPACE, "python_q")
    client.truncate(NAMESPACE, SET, 0)
    check(client.query(NAMESPACE, SET).results() == [], "truncate")


def nodes_tell_of_themselves(client):
    check(len(client.get_nodes()) == len(PORTS), client.get_nodes())
    answers = client.info_all("namespaces")
    check(len(answers) == len(PORTS), answers)
    check(all("test" in answer for _, answer in answers.values()), answers)


def main():
    client = aerospike.client({
        "hosts": [("127.0.0.1", PORTS[0])],
        "policies": {"total_timeout": 10000, "socket_timeout": 5000},
    }).connect()
    for test in (
        nodes_tell_of_themselves, records_go_there_and_back, operations_answer_in_order, filters_are_evaluated,
        collections_are_changed, batches_mix_calls, queries_find_records,
    ):
        test(client)
    client.close()
    print("ok")


main()
