"""Drives a beanstalkd server through the whole interface of pystalk."""

from common import HOST, PORT, check, raises
from pystalk import BeanstalkClient, BeanstalkError

client = BeanstalkClient(HOST, PORT)
check(client.ping(), "ping")


def fails_with(message, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except BeanstalkError as error:
        check(error.message == message, f"{call} failed with {error.message}, not {message}")
        return
    raise AssertionError(f"{call} should have failed with {message}")


# Put, reserve, release, bury, kick, delete.
_, first = client.put_job("one", pri=5)
_, second = client.put_job_into("other", b"two", pri=4, ttr=60)
check(second > first, "ids rise")
job = client.reserve_job(timeout=5)
check((job.job_id, bytes(job.job_data)) == (first, b"one"), job)
client.release_job(job.job_id, pri=9)
check(client.stats_job(first)["pri"] == 9, "release sets the priority")
job = client.reserve_job(timeout=5)
client.bury_job(job.job_id, pri=2)
check(client.stats_job(first)["state"] == "buried", "buried")
client.kick_jobs(10)
check(client.peek_ready().job_id == first, "kicked")
client.use("default")
client.delete_job(first)

# Peeks.
fails_with("NOT_FOUND", client.peek_ready)
fails_with("NOT_FOUND", client.peek_delayed)
fails_with("NOT_FOUND", client.peek_buried)
check(client.stats_job(second)["ttr"] == 60, "stats-job")
_, delayed = client.put_job("later", delay=3600)
check(client.peek_delayed().job_id == delayed, "peek-delayed")
with client.using("other") as inserter:
    _, third = inserter.put_job("three", pri=1)
check(third > delayed, "ids rise")

# Tubes.
client.watch("other")
check(client.watchlist == {"other"}, "its first watch takes the place of default")
client.watch("default")
check(set(client.list_tubes()) >= {"default", "other"}, client.list_tubes())
check(set(client.watchlist) == {"default", "other"}, client.watchlist)
ids = [job.job_id for job in client.reserve_iter()]
check(ids == [third, second], ids)
client.ignore("other")
client.watchlist = {"default"}
check(client.stats_tube("other")["current-jobs-reserved"] == 2, "stats-tube")
check(client.stats()["total-jobs"] == 4, client.stats()["total-jobs"])
client.pause_tube("other", delay=3600)
check(client.stats_tube("other")["pause"] == 3600, "pause-tube")
client.unpause_tube("other")
check(client.stats_tube("other")["pause"] == 0, "unpause")
fails_with("TIMED_OUT", client.reserve_job, timeout=0)
fails_with("NOT_FOUND", client.stats_tube, "never-seen")
fails_with("NOT_FOUND", client.delete_job, 12345)
fails_with("NOT_FOUND", client.kick_job, 12345)
client.kick_job(delayed)
check([job.job_id for job in client.reserve_iter()] == [delayed], "kick-job")
client.delete_job(delayed)
raises(BeanstalkError, client.use, "bad name")
client.close()

# A body of some size, on a new connection.
client = BeanstalkClient.from_uri(f"beanstalk://{HOST}:{PORT}", auto_decode=True)
client.put_job("x" * 60000)
check(client.reserve_job(timeout=5).job_data == "x" * 60000, "a large body")
client.close()
print("ok")
