import EventGeneration
import Glibc
import Plumbing

/// Events of a shop that does not exist, as lines of JSON: live, from the past, or both.
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
    var stream = EventStream(model, part)
    var output = Output(summarizes: settings.summarizes)
    let pacer = Pacer(plan.pace, from: part.start)
    var block = LineBlock()
    while Interruption.count == 0 {
      let pause = stream.fill(&block, through: pacer.due)
      guard try output.write(&block, lines: stream.lines) else { break }
      switch pause {
      case .full: continue
      case .ended: return output.finish()
      case .wait(let moment): guard pacer.wait(for: moment) else { return output.finish() }
      }
    }
    return output.finish()
  }

  private func writeCatalogue(_ catalogue: Catalogue) throws {
    var output = LineWriter(to: STDOUT_FILENO, named: "standard output")
    for product in catalogue.products { try output.append(product.line) }
    try output.close()
  }
}
