import EventGeneration
import Glibc
import Plumbing

/// Writes events of an invented shop as JSON lines: live, from the past, or both.
@main
struct FakeEvents: Tool {
  static let description = CommandDescription(
    name: "fake-events",
    summary: "Writes the events of an invented shop to standard output, one JSON object a line.",
    usage: ["[-n N] [--from TIME] [--to TIME] [-r RATE] [option]...", "--catalog [option]..."],
    examples: [
      ("fake-events | kprod --topic ecommerce", "ten events a second until stopped"),
      ("fake-events -n 100000 --from 2026-01-01 > day.ndjson", "always the same events"),
    ],
    flags: Settings.flags,
    statuses: Settings.statuses,
    prose: Settings.prose)

  private let settings: Settings

  init(_ arguments: Arguments) throws {
    settings = try Settings(arguments, now: Pacer.now.second)
  }

  mutating func run() throws -> ExitStatus {
    let plan = settings.plan
    let (model, part) = try plan.resolve(settings.model)
    if settings.isCatalogue {
      try writeCatalogue(model.catalogue)
      return .done
    }
    Diagnostics.verbose("seed \(settings.model.seed), \(model.settings.rate) events a second")
    let anomalies =
      settings.anomalies.enumerated().map { index, spec in
        spec.anomaly(id: "\(index + 1)", runStart: part.start)
      }
      + settings.decoys.enumerated().map { index, spec in
        spec.anomaly(id: "decoy-\(index + 1)", runStart: part.start)
      }
    warnOfMisses(anomalies, part)
    var labels = try settings.labels.map { path throws(SystemFailure) in try LabelFile(path) }
    var stream = EventStream(
      model, part, anomalies: anomalies, random: settings.random, dirt: settings.dirt,
      store: SpillFile(in: settings.folder))
    stream.recordsDirt = settings.labels != nil
    var output = Output(summarizes: settings.summarizes)
    var pacer = Pacer(plan.pace, from: part.start)
    let progress = Progress(part, plan.pace)
    var block = LineBlock()
    loop: while Interruption.count == 0 {
      let pause = try stream.fill(&block, through: pacer.due)
      try labels?.write(stream.takeLabels())
      guard try output.write(&block, lines: stream.lineCount) else { break }
      switch pause {
      case .full: break
      case .ended: break loop
      case .wait(let moment): guard pacer.wait(for: moment) else { break loop }
      }
      pacer.report(stream.lineCount, reached: stream.second)
      progress.show(stream.lineCount, bytes: output.bytes, reached: stream.second)
    }
    Diagnostics.endProgress()
    stream.cut()
    try labels?.write(stream.takeLabels())
    try labels.take()?.close()
    output.finish()
    return .done
  }

  private func warnOfMisses(_ anomalies: [Anomaly], _ part: EventStream.Part) {
    for anomaly in anomalies
    where anomaly.end ?? .max <= part.start || anomaly.start >= part.end ?? .max {
      let name = anomaly.kind.isExpected ? anomaly.id : "anomaly \(anomaly.id)"
      Diagnostics.warning("\(name) (\(anomaly.kind.rawValue)) is outside the span")
    }
  }

  private func writeCatalogue(_ catalogue: Catalogue) throws {
    let start = ContinuousClock.now
    var output = LineWriter(to: STDOUT_FILENO, named: "standard output")
    var bytes = 0
    for product in catalogue.products {
      let line = product.line
      bytes += line.utf8.count
      try output.append(line)
    }
    try output.close()
    guard settings.summarizes else { return }
    Diagnostics.summary(
      lines: catalogue.products.count, bytes: bytes, after: start.duration(to: .now))
  }
}
