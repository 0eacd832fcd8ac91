"""Drives a beanstalkd server through the whole interface of beanstalkc3."""

import beanstalkc
import yaml
from common import HOST, PORT, check, raises

# Its own choice, yaml.load, is gone from today's PyYAML.
client = beanstalkc.Connection(host=HOST, port=PORT, parse_yaml=yaml.safe_load)

# Put, reserve and what a job can do.
first = client.put("one", priority=5)
job = client.reserve(timeout=5)
check((job.jid, job.body) == (first, "one"), job)
check(job.stats()["state"] == "reserved", job.stats())
job.touch()
job.release(priority=9, delay=0)
check(client.peek(first).stats()["pri"] == 9, "release sets the priority")
job = client.reserve(timeout=0)
job.bury()
check(client.peek_buried().jid == first, "peek-buried")
check(client.kick(5) == 1, "kick")
check(client.peek_ready().jid == first, "peek-ready")
job = client.reserve()
job.bury(3)
client.kick_job(first)
job = client.reserve()
job.delete()
check(client.peek(first) is None, "a deleted job")
check(client.peek_ready() is None and client.peek_delayed() is None and client.peek_buried() is None, "peeks")
check(client.reserve(timeout=0) is None, "nothing to reserve")

# Delays.
delayed = client.put("later", delay=3600)
check(client.peek_delayed().jid == delayed, "peek-delayed")
check(client.kick(1) == 1, "kick takes delayed jobs where none is buried")
client.reserve(timeout=0).delete()

# Tubes.
check(client.using() == "default" and client.watching() == ["default"], "at first")
check(client.use("other") == "other" and client.watch("other") == 2, "use and watch")
check(client.ignore("default") == 1 and client.ignore("other") == 0 or client.watching() == ["other"], "ignore")
check(set(client.tubes()) == {"default", "other"}, client.tubes())
second = client.put("two")
client.pause_tube("other", 3600)
check(client.reserve(timeout=0) is None, "a paused tube")
check(client.stats_tube("other")["pause"] == 3600, client.stats_tube("other"))
client.pause_tube("other", 0)
check(client.reserve(timeout=5).jid == second, "the pause is over")
stats = client.stats()
check(stats["total-jobs"] == 3 and stats["current-jobs-reserved"] == 1, stats)
raises(beanstalkc.CommandFailed, client.stats_tube, "never-seen")
raises(beanstalkc.CommandFailed, client.delete, 12345)

# A soon deadline, and jobs given up with the connection.
client.put("soon", ttr=1)
client.reserve(timeout=0)
raises(beanstalkc.DeadlineSoon, client.reserve, timeout=5)
client.reconnect()
client.watch("other")
check(client.reserve(timeout=5) is not None, "the jobs of the old connection")
client.close()
print("ok")
