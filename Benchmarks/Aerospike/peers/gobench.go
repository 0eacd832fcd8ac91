// Command gobench measures Aerospike's client for Go the way README.md beside it says.
//
// Usage: gobench HOST PORT AMOUNT [MEASURE ...]
//
// It is a program of its own, no part of this package: it needs the module
// github.com/aerospike/aerospike-client-go/v7 and is not built by any script here.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	aerospike "github.com/aerospike/aerospike-client-go/v7"
)

const (
	inFlight = 64
	// A multiple of what is in flight: no two callers ever meet at a record.
	records     = 6_400
	warmUpCalls = 1_280
	bodyBytes   = 64
	namespace   = "test"
	set         = "bench-go"
)

var measures = []string{"put-one", "get-one", "put-64", "get-64"}

// result is one line of output.
type result struct {
	Client       string  `json:"client"`
	Measure      string  `json:"measure"`
	P50us        float64 `json:"p50_us"`
	P99us        float64 `json:"p99_us"`
	Calls        int     `json:"calls"`
	Seconds      float64 `json:"seconds"`
	CPUusPerCall float64 `json:"cpu_us_per_call"`
}

// bench holds what the calls share.
type bench struct {
	client *aerospike.Client
	read   *aerospike.BasePolicy
	write  *aerospike.WritePolicy
	body   []byte
}

func (b *bench) put(number int) error {
	key, err := aerospike.NewKey(namespace, set, number)
	if err != nil {
		return err
	}
	if err := b.client.PutBins(b.write, key, aerospike.NewBin("b", b.body)); err != nil {
		return err
	}
	return nil
}

func (b *bench) get(number int) error {
	key, err := aerospike.NewKey(namespace, set, number)
	if err != nil {
		return err
	}
	record, err := b.client.Get(b.read, key)
	if err != nil {
		return err
	}
	if body, ok := record.Bins["b"].([]byte); !ok || len(body) != bodyBytes {
		return fmt.Errorf("record %d is not what was written", number)
	}
	return nil
}

// amount is how long a measure lasts: until a time, or until so many calls were made.
type amount struct {
	calls    int
	duration time.Duration
}

func parseAmount(text string) (amount, error) {
	if seconds, isSeconds := strings.CutSuffix(text, "s"); isSeconds {
		value, err := strconv.ParseFloat(seconds, 64)
		return amount{duration: time.Duration(value * float64(time.Second))}, err
	}
	calls, err := strconv.Atoi(text)
	return amount{calls: calls}, err
}

// repeat calls until so many calls were made or, if there is a deadline, until then, and says how long each took.
func repeat(call func(int) error, first, stride, count int, deadline time.Time) []time.Duration {
	var took []time.Duration
	begin := time.Now()
	for number := first; ; number += stride {
		if deadline.IsZero() {
			if len(took) >= count {
				return took
			}
		} else if !begin.Before(deadline) {
			return took
		}
		if err := call(number % records); err != nil {
			fail(err)
		}
		end := time.Now()
		took = append(took, end.Sub(begin))
		begin = end
	}
}

func (b *bench) run(measure string, lasting amount) result {
	call, width := b.get, 1
	if strings.HasPrefix(measure, "put") {
		call = b.put
	}
	if strings.HasSuffix(measure, "64") {
		width = inFlight
	}

	var ready, done sync.WaitGroup
	start := make(chan time.Time)
	latencies := make([][]time.Duration, width)
	for index := range width {
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			if strings.HasPrefix(measure, "get") {
				repeat(b.put, index, width, records/width, time.Time{})
			}
			repeat(call, index, width, warmUpCalls/width, time.Time{})
			ready.Done()
			deadline := <-start
			latencies[index] = repeat(call, index, width, max(1, lasting.calls/width), deadline)
		}()
	}
	ready.Wait()
	cpu, begun := cpuTime(), time.Now()
	var deadline time.Time
	if lasting.duration > 0 {
		deadline = begun.Add(lasting.duration)
	}
	for range width {
		start <- deadline
	}
	done.Wait()
	seconds, cpu := time.Since(begun).Seconds(), cpuTime()-cpu

	all := slices.Concat(latencies...)
	slices.Sort(all)
	return result{
		Client:       "go",
		Measure:      measure,
		P50us:        microseconds(all[len(all)/2]),
		P99us:        microseconds(all[len(all)*99/100]),
		Calls:        len(all),
		Seconds:      seconds,
		CPUusPerCall: microseconds(cpu) / float64(len(all)),
	}
}

func microseconds(duration time.Duration) float64 {
	return float64(duration.Nanoseconds()) / 1e3
}

// cpuTime is what this process has used so far, in user and system mode.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gobench:", err)
	os.Exit(1)
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: gobench HOST PORT AMOUNT [MEASURE ...]")
		os.Exit(2)
	}
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	lasting, err := parseAmount(os.Args[3])
	if err != nil {
		fail(err)
	}
	wanted := os.Args[4:]
	if len(wanted) == 0 {
		wanted = measures
	}

	client, aerospikeErr := aerospike.NewClient(os.Args[1], port)
	if aerospikeErr != nil {
		fail(aerospikeErr)
	}
	defer client.Close()
	b := &bench{client: client, read: aerospike.NewPolicy(), write: aerospike.NewWritePolicy(0, 0)}
	for _, policy := range []*aerospike.BasePolicy{b.read, &b.write.BasePolicy} {
		policy.MaxRetries = 0
		policy.TotalTimeout = 5 * time.Second
		policy.SocketTimeout = 5 * time.Second
	}
	for each := range bodyBytes {
		b.body = append(b.body, byte(each))
	}
	output := json.NewEncoder(os.Stdout)
	for _, measure := range wanted {
		if !slices.Contains(measures, measure) {
			fail(fmt.Errorf("there is no measure %s", measure))
		}
		if err := output.Encode(b.run(measure, lasting)); err != nil {
			fail(err)
		}
	}
}
