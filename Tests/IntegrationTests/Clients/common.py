"""What the client scripts share: the port they are given, and how they end."""

import sys

HOST = "127.0.0.1"
PORT = int(sys.argv[1])


def check(condition, what):
    """Ends the script with the reason if the condition does not hold."""
    if not condition:
        raise AssertionError(what)


def raises(error, call, *arguments, **options):
    """Checks that the call raises this error."""
    try:
        result = call(*arguments, **options)
    except error:
        return
    raise AssertionError(f"{call} {arguments} should have raised {error}, returned {result!r}")
