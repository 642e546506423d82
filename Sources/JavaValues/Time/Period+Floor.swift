extension Period {
  /// TIME_FLOOR: the start of the bucket that contains the instant.
  ///
  /// Buckets of several units count from `origin`, or without one from 1970 in the zone's local
  /// time.
  package func floor(_ time: Int64, origin: Int64? = nil, zone: TimeZoneTable) -> Int64 {
    let start = origin ?? zone.instant(local: 0)
    if isCompound {
      guard !needsSteps(in: zone), let length = fixedMilliseconds, length > 0 else {
        return stepped(time, from: start, zone)
      }
      return time &- CivilTime.floorRemainder(time % length &- start % length, length)
    }
    let isAligned = origin != nil
    let months = years &* 12 &+ self.months
    if months > 0 {
      guard isAligned || (years > 0 ? years : self.months) > 1 else {
        return floorCalendar(time, zone, isYear: years > 0)
      }
      return aligned(time, start, zone) { CivilTime.months(from: $0, to: $1) / months * months }
    }
    if weeks > 0 || days > 0 {
      let count = weeks > 0 ? weeks &* 7 : days
      guard isAligned || (weeks > 0 ? weeks : days) > 1 else {
        return floorDays(time, zone, isWeek: weeks > 0)
      }
      return alignedDays(time, start, zone, count)
    }
    return floorTime(time, start, zone, isAligned: isAligned)
  }

  /// Whether buckets can only be found one after another: months mixed with shorter units, or days
  /// in a zone whose offset changes.
  package func needsSteps(in zone: TimeZoneTable) -> Bool {
    isCompound && (fixedMilliseconds.map { $0 <= 0 } ?? true || !zone.isFixed)
  }

  /// TIME_FLOOR of such a period without an origin. `steps` has the known bucket starts from 1970
  /// on.
  func floor(_ time: Int64, zone: TimeZoneTable, steps: inout [Int64]) -> Int64 {
    let start = zone.instant(local: 0)
    guard time >= start else { return floor(time, zone: zone) }
    if steps.isEmpty { steps.append(start) }
    while let last = steps.last, last <= time {
      let next = added(to: last, zone: zone)
      guard next > last, steps.count < 2_000_000 else { return last }
      steps.append(next)
    }
    var low = 0
    var high = steps.count
    while low < high {
      let middle = (low + high) / 2
      if steps[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return steps[max(0, low - 1)]
  }

  private func floorCalendar(_ time: Int64, _ zone: TimeZoneTable, isYear: Bool) -> Int64 {
    let fields = CivilTime.fields(zone.local(time))
    let start = CivilTime.Fields(year: fields.year, month: isYear ? 1 : fields.month)
    return zone.instant(local: start.milliseconds, original: time)
  }

  private func floorDays(_ time: Int64, _ zone: TimeZoneTable, isWeek: Bool) -> Int64 {
    var days = CivilTime.floorDivide(zone.local(time), CivilTime.millisecondsPerDay)
    if isWeek { days -= CivilTime.dayOfWeek(days: days) - 1 }
    return zone.instant(local: days &* CivilTime.millisecondsPerDay, original: time)
  }

  private func aligned(
    _ time: Int64, _ start: Int64, _ zone: TimeZoneTable, _ whole: (Int64, Int64) -> Int64
  ) -> Int64 {
    let local = zone.local(start)
    let months = whole(local, zone.local(time))
    func bucket(_ count: Int64) -> Int64 {
      zone.instant(local: CivilTime.adding(months: count, to: local), original: time)
    }
    let found = bucket(months)
    return time < found ? bucket(months - (years &* 12 &+ self.months)) : found
  }

  private func alignedDays(
    _ time: Int64, _ start: Int64, _ zone: TimeZoneTable, _ count: Int64
  ) -> Int64 {
    let local = zone.local(start)
    let length = count &* CivilTime.millisecondsPerDay
    let buckets = CivilTime.floorDivide(zone.local(time) &- local, length)
    return zone.instant(local: local &+ buckets &* length, original: time)
  }

  private func floorTime(
    _ time: Int64, _ start: Int64, _ zone: TimeZoneTable, isAligned: Bool
  ) -> Int64 {
    let units: [(count: Int64, length: Int64)] = [
      (hours, 3_600_000), (minutes, 60_000), (seconds, 1000), (milliseconds, 1),
    ]
    for unit in units where unit.count > 0 {
      guard isAligned || unit.count > 1 else {
        return time &- CivilTime.floorRemainder(zone.local(time), unit.length)
      }
      let length = unit.count &* unit.length
      let found = start &+ (time &- start) / length &* length
      guard time < found else { return found }
      return unit.length == 3_600_000 && start <= 0 ? found : found &- length
    }
    return time
  }

  /// Walks bucket by bucket from the origin, for periods that mix months with shorter units.
  private func stepped(_ time: Int64, from start: Int64, _ zone: TimeZoneTable) -> Int64 {
    var current = start
    var steps = 0
    if time >= start {
      while steps < 200_000 {
        let next = added(to: current, zone: zone)
        if next > time || next <= current { return current }
        current = next
        steps += 1
      }
    } else {
      while steps < 200_000, current > time {
        let previous = added(to: current, times: -1, zone: zone)
        if previous >= current { return current }
        current = previous
        steps += 1
      }
    }
    return current
  }
}
