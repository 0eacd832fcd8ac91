# What the scripts here share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

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
