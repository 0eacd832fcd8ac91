#!/usr/bin/env python3
"""Measures PyPI's client of Aerospike, which wraps the C client, the way README.md beside it says.

Usage: pybench.py [--processes N] HOST PORT AMOUNT [MEASURE ...]

The client is synchronous and lets go of the interpreter's lock in a call, so 64 in flight are 64 threads. What holds the
lock is done by one thread at a time: with --processes the 64 are shared out among so many processes, the most that this
client can be brought to do.
"""

import argparse
import array
import json
import multiprocessing
import resource
import threading
import time

import aerospike

IN_FLIGHT = 64
# A multiple of what is in flight: no two callers ever meet at a record.
RECORDS = 6_400
BODY = bytes(range(64))
WARM_UP_CALLS = 1_280
MEASURES = ["put-one", "get-one", "put-64", "get-64"]


def connect(host, port):
    once = {"max_retries": 0, "total_timeout": 5_000, "socket_timeout": 5_000}
    return aerospike.client({"hosts": [(host, port)], "policies": {"read": once, "write": once}}).connect()


def caller(client, set_name, is_put):
    """What one call is: a key from an integer, and a record with one blob that is written or read whole."""
    bins = {"b": BODY}

    def put(number):
        client.put(("test", set_name, number), bins)

    def get(number):
        _, _, read = client.get(("test", set_name, number))
        if len(read["b"]) != len(BODY):
            raise SystemExit(f"record {number} is not what was written")

    return put if is_put else get


def repeat(call, first, stride, count=None, deadline=None):
    """Calls until so many were made or that time has come, and says how long each took, in nanoseconds."""
    now = time.perf_counter_ns
    took = []
    number = first
    begin = now()
    while (len(took) < count) if deadline is None else (begin < deadline):
        call(number % RECORDS)
        end = now()
        took.append(end - begin)
        begin = end
        number += stride
    return took


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run(options, measure, width, first, start):
    """One process's part: `width` callers at once. Returns when it began and ended, its CPU seconds, and all latencies."""
    client = connect(options.host, options.port)
    call = caller(client, options.set, measure.startswith("put"))
    prepare = caller(client, options.set, True)
    amount = options.amount
    stride = IN_FLIGHT if measure.endswith("64") else 1
    calls = {}
    begun = {}

    def begin():
        start.wait()
        begun["cpu"] = cpu_seconds()
        begun["ns"] = time.perf_counter_ns()
        if amount.endswith("s"):
            calls["deadline"] = begun["ns"] + int(float(amount[:-1]) * 1e9)
        else:
            calls["count"] = max(1, int(amount) // stride)

    ready = threading.Barrier(width, action=begin)
    latencies = [[] for _ in range(width)]

    def work(index):
        if measure.startswith("get"):
            repeat(prepare, first + index, stride, count=RECORDS // stride)
        repeat(call, first + index, stride, count=WARM_UP_CALLS // stride)
        ready.wait()
        latencies[index] = repeat(call, first + index, stride, **calls)

    if width == 1:
        work(0)
    else:
        threads = [threading.Thread(target=work, args=(index,)) for index in range(width)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ended = time.perf_counter_ns()
    cpu = cpu_seconds() - begun["cpu"]
    client.close()
    return begun["ns"], ended, cpu, array.array("q", [each for one in latencies for each in one])


def measure_in(options, measure):
    width = IN_FLIGHT if measure.endswith("64") else 1
    processes = options.processes if width > 1 else 1
    if processes == 1:
        parts = [run(options, measure, width, 0, threading.Barrier(1))]
    else:
        start = multiprocessing.Barrier(processes)
        results = multiprocessing.SimpleQueue()
        share = width // processes

        def part(index):
            results.put(run(options, measure, share, index * share, start))

        workers = [multiprocessing.Process(target=part, args=(index,)) for index in range(processes)]
        for worker in workers:
            worker.start()
        parts = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
    latencies = sorted(each for part in parts for each in part[3])
    calls = len(latencies)
    return {
        "client": options.name,
        "measure": measure,
        "p50_us": round(latencies[calls // 2] / 1e3, 1),
        "p99_us": round(latencies[calls * 99 // 100] / 1e3, 1),
        "calls": calls,
        "seconds": round((max(part[1] for part in parts) - min(part[0] for part in parts)) / 1e9, 3),
        "cpu_us_per_call": round(sum(part[2] for part in parts) * 1e6 / calls, 2),
    }


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--processes", type=int, choices=[1, 2, 4, 8], default=1)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("amount")
    parser.add_argument("measures", nargs="*")
    options = parser.parse_args()
    options.name = "pypi" if options.processes == 1 else f"pypi-{options.processes}"
    options.set = f"bench-{options.name}"
    for measure in options.measures or MEASURES:
        if measure not in MEASURES:
            parser.error(f"there is no measure {measure}")
        print(json.dumps(measure_in(options, measure)), flush=True)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
