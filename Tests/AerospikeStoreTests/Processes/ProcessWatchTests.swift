import AerospikeTestKit
import NIOCore
import Testing

@testable import AerospikeStore

struct ProcessWatchTests {
    private func at(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    private func watch(_ processes: [Int], own: Int = 1) -> ProcessWatch {
        var watch = ProcessWatch(defaultInterval: .seconds(5))
        watch.note(listed: processes, own: own, now: at(0))
        return watch
    }

    @Test func aBeatThatStandsStillIsDeath() {
        var watch = watch([1, 2])
        #expect(watch.processes == [2])
        let beat = ProcessWatch.Sighting.beat(7, interval: .seconds(2))
        #expect(watch.saw(beat, of: 2, now: at(100), chance: 0) == nil)
        #expect(watch.nextDue == at(2_100))
        look(&watch, beat, at: 1_000, 2_000, 2_099)
        #expect(watch.saw(beat, of: 2, now: at(2_100), chance: 0) == .markDead(2, beat: 7))
        // In hand: neither read nor acted on again.
        #expect(watch.processes == [])
        #expect(watch.saw(beat, of: 2, now: at(9_000), chance: 0) == nil)
        #expect(watch.nextDue == nil)
    }

    /// The watch sees the same at several times, and nothing is to be done.
    private func look(_ watch: inout ProcessWatch, _ sighting: ProcessWatch.Sighting, at times: Int64...) {
        for time in times {
            let action = watch.saw(sighting, of: 2, now: at(time), chance: 0)
            #expect(action == nil, "at \(time)")
        }
    }

    @Test func timeInWhichNothingWasSeenDoesNotCount() {
        var watch = watch([1, 2])
        let beat = ProcessWatch.Sighting.beat(7, interval: .seconds(2))
        look(&watch, beat, at: 0, 500)
        // The cluster stands still for three seconds; then the watcher is the first to get through.
        look(&watch, beat, at: 3_500, 4_500, 5_400)
        #expect(watch.saw(beat, of: 2, now: at(5_500), chance: 0) == .markDead(2, beat: 7))
    }

    @Test func aBeatThatMovesIsLife() {
        var watch = watch([1, 2])
        for count in 0..<100 as Range<Int64> {
            let beat = ProcessWatch.Sighting.beat(count / 2, interval: .seconds(2))
            #expect(watch.saw(beat, of: 2, now: at(count * 1_900), chance: 0) == nil)
        }
    }

    @Test func theIntervalIsThatWhichTheProcessDeclared() {
        var watch = watch([1, 2, 3])
        #expect(watch.saw(.beat(1, interval: .seconds(60)), of: 2, now: at(0), chance: 0) == nil)
        #expect(watch.saw(.beat(1, interval: .seconds(1)), of: 3, now: at(0), chance: 0) == nil)
        look(&watch, .beat(1, interval: .seconds(60)), at: 30_000, 59_999)
        #expect(watch.saw(.beat(1, interval: .seconds(1)), of: 3, now: at(500), chance: 0) == nil)
        #expect(watch.saw(.beat(1, interval: .seconds(1)), of: 3, now: at(1_000), chance: 0) == .markDead(3, beat: 1))
    }

    @Test func jitterOnlyAddsToTheWait() {
        var watch = watch([1, 2])
        let beat = ProcessWatch.Sighting.beat(7, interval: .seconds(10))
        #expect(watch.saw(beat, of: 2, now: at(0), chance: 1) == nil)
        look(&watch, beat, at: 5_000, 10_000, 10_999)
        #expect(watch.saw(beat, of: 2, now: at(11_000), chance: 0) == .markDead(2, beat: 7))
    }

    @Test func whoIsMarkedDeadIsLeftToTheOneWhoMarkedItForAWhile() {
        var watch = watch([1, 2])
        #expect(watch.saw(.beat(7, interval: .seconds(2)), of: 2, now: at(0), chance: 0) == nil)
        #expect(watch.saw(.dead, of: 2, now: at(2_000), chance: 0) == nil)
        look(&watch, .dead, at: 4_000, 6_000, 6_999)
        #expect(watch.saw(.dead, of: 2, now: at(7_000), chance: 0) == .recover(2))
        // It failed: it is tried again after the same wait.
        watch.finished(2, now: at(7_500))
        look(&watch, .dead, at: 8_000, 10_000, 12_000)
        #expect(watch.saw(.dead, of: 2, now: at(13_000), chance: 0) == .recover(2))
        // It was done: the list no longer has it.
        watch.note(listed: [1], own: 1, now: at(13_100))
        watch.finished(2, now: at(13_100))
        watch.note(listed: [1], own: 1, now: at(13_100))
        #expect(watch.processes == [])
    }

    @Test func whoHasNoRecordIsWaitedForAndClearedUp() {
        var watch = watch([1, 2])
        look(&watch, .missing, at: 0, 2_500)
        #expect(watch.saw(.missing, of: 2, now: at(5_000), chance: 0) == .recover(2))
    }

    @Test func eachWatchesThoseAfterItAndAllAreWatched() {
        let processes = Array(stride(from: 10, to: 400, by: 13))
        var watchers: [Int: Int] = [:]
        for own in processes {
            let watched = watch(processes, own: own).processes
            #expect(watched.count == ProcessWatch.watchedMax)
            #expect(!watched.contains(own))
            watched.forEach { watchers[$0, default: 0] += 1 }
        }
        #expect(processes.allSatisfy { watchers[$0] == ProcessWatch.watchedMax })
        #expect(watch([5], own: 5).processes == [])
        #expect(watch([], own: 5).processes == [])
        #expect(Set(watch([3, 5, 9], own: 5).processes) == [3, 9])
    }

    /// Processes that beat, pause and die by chance, in simulated time: nobody who beats in time is marked dead, and every
    /// death is found within the interval and a little more.
    @Test(arguments: 0..<30 as Range<UInt64>) func nobodyIsTakenForDeadThatBeats(seed: UInt64) {
        var dice = Dice(seed: seed)
        let count = 5
        let interval = 1_000 as Int64
        var beats = [Int64](repeating: 1, count: count)
        var lastBeat = [Int64](repeating: 0, count: count)
        var hearts = (0..<count).map { _ in Heart(interval: .milliseconds(interval), beatAt: at(0)) }
        var deadAt: [Int: Int64] = [:]
        var marked: [Int: Int64] = [:]
        var watches = (0..<count).map { watch(Array(0..<count), own: $0) }
        for now in stride(from: 0 as Int64, to: 60_000, by: 20) {
            for process in 0..<count where deadAt[process] == nil {
                if dice.fraction() < 0.0003 {
                    deadAt[process] = now
                    continue
                }
                // A beat comes late by chance, but never later than the heart itself allows.
                let isLate = dice.fraction() < 0.5
                if now - lastBeat[process] >= (isLate ? 580 : 200) {
                    if hearts[process].isDoubtful(at: at(now)) { Issue.record("\(process) doubts itself") }
                    beats[process] += 1
                    lastBeat[process] = now
                    hearts[process].beat(sentAt: at(now))
                }
            }
            for watcher in 0..<count where deadAt[watcher] == nil && (now / 20 + Int64(watcher)) % 10 == 0 {
                for process in watches[watcher].processes {
                    let sighting: ProcessWatch.Sighting =
                        marked[process] == nil
                        ? .beat(beats[process], interval: .milliseconds(interval)) : .dead
                    let action = watches[watcher].saw(sighting, of: process, now: at(now), chance: dice.fraction())
                    guard case .markDead(_, let beat) = action else { continue }
                    if beat == beats[process], marked[process] == nil {
                        if deadAt[process] == nil { Issue.record("process \(process) lives") }
                        marked[process] = now
                    }
                    watches[watcher].finished(process, now: at(now))
                }
            }
        }
        let living = count - deadAt.count
        for (process, time) in deadAt where living > 0 && time < 55_000 {
            #expect(marked[process].map { $0 - time < 2_000 } == true, "\(process) died at \(time)")
        }
    }
}

struct HeartTests {
    private func at(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    @Test func isDoubtfulBeforeAnyoneCanTakeItForDead() {
        var heart = Heart(interval: .seconds(5), beatAt: at(0))
        #expect(heart.beatInterval == .seconds(1))
        #expect(!heart.isDoubtful(at: at(3_000)))
        #expect(heart.isDoubtful(at: at(3_001)))
        heart.beat(sentAt: at(3_500))
        #expect(!heart.isDoubtful(at: at(6_500)))
        // An answer to an earlier beat takes nothing back.
        heart.beat(sentAt: at(1_000))
        #expect(!heart.isDoubtful(at: at(6_500)))
    }

    @Test func bearsOneAbsenceFromTheList() {
        var heart = Heart(interval: .seconds(5), beatAt: at(0))
        #expect(heart.note(isListed: false) == true)
        #expect(heart.note(isListed: true) == true)
        #expect(heart.note(isListed: false) == true)
        #expect(heart.note(isListed: false) == false)
    }
}
