# shellcheck shell=bash
# What the scripts here share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# How what is shipped is built. Swift's own library is linked in: the program runs where no Swift is installed, and answers
# a lone command a tenth sooner. The run-time checks of exclusive access find mistakes in tests; in a server they took a
# tenth of the time.
# shellcheck disable=SC2034  # used by those who source this
release=(-c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked)

# The text at a script's top, from its second line to the first that is no comment.
usage() {
    sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
}

# Prints the usage and ends if that was asked for.
help_if_asked() {
    case "${1:-}" in
    -h | --help)
        usage
        exit 0
        ;;
    esac
}

say() {
    printf '%s\n' "==> $*" >&2
}

die() {
    printf '%s\n' "$(basename "$0"): $*" >&2
    exit 1
}
