"""Drives a beanstalkd server through the whole interface of greenstalk."""

import time

import greenstalk
from common import HOST, PORT, check, raises
from greenstalk import Address, Client

ADDRESS: Address = (HOST, PORT)

with Client(ADDRESS) as client:
    # The first job of a fresh store is 1.
    check(client.put("first") == 1, "the first id")
    job = client.reserve()
    check((job.id, job.body) == (1, "first"), "the first job")
    client.delete(job)

    # Priorities, delays, time to run.
    low = client.put("low", priority=100)
    high = client.put("high", priority=1)
    check(client.reserve().id == high, "the best priority first")
    check(client.reserve().id == low, "then the other")
    client.delete(low)
    client.delete(high)
    delayed = client.put("delayed", delay=1)
    started = time.monotonic()
    check(client.peek_delayed().id == delayed, "peek-delayed")
    check(client.reserve(timeout=30).id == delayed, "a delayed job comes")
    check(time.monotonic() - started > 0.9, "but not too early")
    client.touch(client.peek(delayed))
    client.release(client.peek(delayed), priority=7, delay=0)
    stats = client.stats_job(delayed)
    check(stats["pri"] == 7 and stats["state"] == "ready" and stats["releases"] == 1, stats)
    check(
        list(stats)
        == [
            "id", "tube", "state", "pri", "age", "delay", "ttr", "time-left", "file",
            "reserves", "timeouts", "releases", "buries", "kicks",
        ],
        stats,
    )  # fmt: skip
    check(client.reserve_job(delayed).body == "delayed", "reserve-job")
    client.bury(client.peek(delayed), priority=3)
    check(client.peek_buried().id == delayed, "peek-buried")
    client.kick_job(delayed)
    check(client.peek_ready().id == delayed, "peek-ready")
    client.reserve()
    client.bury(client.peek(delayed))
    check(client.kick(10) == 1, "kick")
    client.delete(delayed)

    # Errors.
    raises(greenstalk.NotFoundError, client.delete, 12345)
    raises(greenstalk.NotFoundError, client.peek, 12345)
    raises(greenstalk.NotFoundError, client.peek_ready)
    raises(greenstalk.NotFoundError, client.stats_tube, "never-seen")
    raises(greenstalk.TimedOutError, client.reserve, timeout=0)
    raises(greenstalk.TimedOutError, client.reserve, timeout=1)
    raises(greenstalk.NotIgnoredError, client.ignore, "default")
    raises(greenstalk.JobTooBigError, client.put, "x" * 65536)
    raises(greenstalk.BadFormatError, client.use, "bad name")
    raises(greenstalk.UnknownCommandError, client._send_cmd, b"nonsense", b"OK")
    client.put("soon", ttr=1)
    soon = client.reserve()
    raises(greenstalk.DeadlineSoonError, client.reserve, timeout=5)
    client.delete(soon)

    # Tubes.
    client.use("letters")
    check(client.using() == "letters", "list-tube-used")
    check(client.watch("letters") == 2, "watch")
    check(client.ignore("default") == 1, "ignore")
    check(client.watching() == ["letters"], "list-tubes-watched")
    check(sorted(client.tubes()) == ["default", "letters"], "list-tubes")
    letter = client.put("a")
    client.pause_tube("letters", 3600)
    raises(greenstalk.TimedOutError, client.reserve, timeout=0)
    tube = client.stats_tube("letters")
    check(tube["name"] == "letters" and tube["pause"] == 3600 and tube["current-jobs-ready"] == 1, tube)
    client.pause_tube("letters", 0)
    check(client.reserve(timeout=5).id == letter, "the pause is over")
    stats = client.stats()
    check(stats["max-job-size"] == 65535 and stats["draining"] == "false", stats)
    check(stats["current-jobs-reserved"] >= 1, stats)

    # Bodies that the server must not look at.
    client.put("\r\nINSERTED 1\r\n\u00e9\u4e16")
    check(client.reserve().body == "\r\nINSERTED 1\r\n\u00e9\u4e16", "any text")

# Bytes instead of text, and a tube of one's own from the start.
with Client(ADDRESS, encoding=None, use="bytes", watch=["bytes"]) as client:
    body = bytes(range(256)) * 200
    id = client.put(body)
    job = client.reserve(timeout=5)
    check((job.id, job.body) == (id, body), "any bytes")
    client.delete(job)

# The jobs that the first client held are ready again.
with Client(ADDRESS, watch=["letters"]) as client:
    check(client.reserve(timeout=5).id == letter, "jobs of a closed connection")

print("ok")
