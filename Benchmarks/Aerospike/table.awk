# Prints script/bench-aerospike's results: a table for each measure, and ratios of ours to each other client.
#
# Input: lines of JSON, as README.md beside this describes them, with "round" and "as", the client's name in the tables.
# Variables: clients and measures, separated by spaces, in the order to print them; rounds.

function field(name,    text) {
    if (!match($0, "\"" name "\" *: *(\"[^\"]*\"|[^,}]*)")) {
        print "no " name " in: " $0 >"/dev/stderr"
        failed = 1
        exit 1
    }
    text = substr($0, RSTART, RLENGTH)
    sub(/^"[^"]*" *: */, "", text)
    gsub(/"/, "", text)
    return text
}

{
    as = field("as")
    at = field("measure") SUBSEP as
    round = field("round")
    value[at, "p50", round] = field("p50_us") + 0
    value[at, "p99", round] = field("p99_us") + 0
    value[at, "rate", round] = field("calls") / field("seconds")
    value[at, "cpu", round] = field("cpu_us_per_call") + 0
    present[at] = 1
}

# The middle one of `sorted[1...count]`, which need not be sorted yet.
function middle(sorted, count,    i, j, moved) {
    for (i = 2; i <= count; i++) {
        moved = sorted[i]
        for (j = i - 1; j >= 1 && sorted[j] > moved; j--) sorted[j + 1] = sorted[j]
        sorted[j + 1] = moved
    }
    return count % 2 ? sorted[(count + 1) / 2] : (sorted[count / 2] + sorted[count / 2 + 1]) / 2
}

function median(measure, client, what,    round, list) {
    for (round = 1; round <= rounds; round++) list[round] = value[measure, client, what, round]
    return middle(list, rounds)
}

# Ours to theirs: the median of the rounds' ratios.
function ratio(measure, client, what,    round, list) {
    for (round = 1; round <= rounds; round++) {
        list[round] = value[measure, "ours", what, round] / value[measure, client, what, round]
    }
    return middle(list, rounds)
}

# The best other client by its median, among those that `bars` counts; "" if there is none.
function best(measure, what, most,    i, client, found) {
    found = ""
    for (i = 1; i <= client_count; i++) {
        client = client_names[i]
        if (!counts[client] || !((measure, client) in present)) continue
        if (found == "" || (most ? median(measure, client, what) > median(measure, found, what) \
                                 : median(measure, client, what) < median(measure, found, what))) found = client
    }
    return found
}

function bar(measure, what, most, limit, words,    peer, ours) {
    peer = best(measure, what, most)
    if (peer == "" || !((measure, "ours") in present)) return
    ours = ratio(measure, peer, what)
    printf "%s: %.2f of %s, the best of those that count; the bar is %s %.1f: %s\n", words, ours, peer,
        most ? "at least" : "at most", limit, (most ? ours >= limit : ours <= limit) ? "met" : "NOT MET"
}

function cell(measure, client, what) {
    if (client == "ours" || !((measure, "ours") in present)) return "-"
    return sprintf("%.2f", ratio(measure, client, what))
}

END {
    if (failed) exit 1
    client_count = split(clients, client_names, " ")
    measure_count = split(measures, measure_names, " ")
    # The bars are about these; the C client by itself is there to show what is possible.
    counts["pypi"] = counts["pypi-4"] = counts["go"] = 1
    for (m = 1; m <= measure_count; m++) {
        measure = measure_names[m]
        flight = measure ~ /64$/
        printf "\n== %s: %s, %d round%s\n\n", measure, flight ? "64 calls in flight" : "one caller in turn", rounds,
            rounds == 1 ? "" : "s"
        printf "%-10s %10s %10s %10s %10s   %s\n", "", "p50 us", "p99 us", "calls/s", "CPU us", "ours to it: p50, calls/s, CPU"
        for (c = 1; c <= client_count; c++) {
            client = client_names[c]
            if (!((measure, client) in present)) continue
            printf "%-10s %10.1f %10.1f %10.0f %10.2f   %10s %8s %8s\n", client, median(measure, client, "p50"),
                median(measure, client, "p99"), median(measure, client, "rate"), median(measure, client, "cpu"),
                cell(measure, client, "p50"), cell(measure, client, "rate"), cell(measure, client, "cpu")
        }
        print ""
        if (!((measure, "ours") in present)) print "ours was not measured: no ratios"
        if (flight) {
            bar(measure, "rate", 1, 1.3, "calls a second")
            bar(measure, "cpu", 0, 1.0, "CPU for a call")
        } else {
            bar(measure, "p50", 0, 1.1, "median")
        }
    }
}
