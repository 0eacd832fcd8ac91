import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// For tests that run many schedules, each some seconds long, and want a machine of their own.
    static var faultSchedules: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["FAULT_SCHEDULES"] != nil,
            "set FAULT_SCHEDULES to how many times as many schedules are to be run, such as 1"
        )
    }
}
