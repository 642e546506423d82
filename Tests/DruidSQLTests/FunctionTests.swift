import Foundation
import JavaValues
import TestSupport
import Testing

@testable import DruidSQL

/// Checks everything that knows functions against the list of functions.
@Suite struct FunctionTests {
  @Test func namesAndKernelsAreUnique() {
    let names = Function.all.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
    let kernels = Function.kernels.map(\.name)
    #expect(Set(kernels).count == kernels.count)
    for function in Function.all {
      #expect(function.summary.hasSuffix("."), "\(function.name)")
      #expect(Function.named(function.name) === function)
      for alias in function.aliases { #expect(Function.named(alias) === function) }
    }
  }

  @Test func routinesAreTheListedFunctions() {
    let names = Function.routines.map(\.name)
    #expect(names == names.sorted() && Set(names).count == names.count)
    for function in Function.all {
      for name in [function.name] + function.aliases {
        #expect(names.contains(name) == function.isListed, "\(name)")
      }
    }
    #expect(names.contains("TIME_FLOOR") && names.contains("STRLEN"))
    #expect(!names.contains("ROW_NUMBER") && !names.contains("LOOKUP"))
  }

  /// Every function of the list is found by its name, in any case, and is supported or refused with
  /// a reason.
  @Test func everyFunctionIsFound() {
    for function in Function.all {
      for name in [function.name, function.name.lowercased()] + function.aliases {
        let failure = BindingFixture.failure("SELECT \"\(name)\"(n) FROM edge")
        #expect(
          failure?.message.hasPrefix("No match found") != true, "\(name): \(failure?.message ?? "")"
        )
      }
    }
    #expect(
      BindingFixture.failure("SELECT NO_SUCH_FUNCTION(n) FROM edge")?.message
        == "No match found for function signature NO_SUCH_FUNCTION(<NUMERIC>)")
  }

  /// A call with any number of arguments that a signature accepts is translated to a number that
  /// its kernels accept.
  @Test func kernelsTakeWhatIsWritten() throws {
    let kernels = Dictionary(uniqueKeysWithValues: Function.kernels.map { ($0.name, $0) })
    var planned = 0
    for function in Function.all where function.isScalar || function.isAggregate {
      let signature = function.signature
      let most = signature.operands.count + (signature.isVariadic ? 2 : 0)
      for count in signature.required...max(most, signature.required) {
        let arguments = (0..<count).map { Self.sample(signature.operand(at: $0)) }
        let sql = "SELECT \(function.name)(\(arguments.joined(separator: ", "))) FROM edge"
        guard BindingFixture.failure(sql) == nil else { continue }
        planned += 1
        for (name, count) in Self.calls(try BindingFixture.plan(sql).sqlite) {
          let kernel = kernels[name]
          #expect(kernel != nil, "\(name) in \(sql)")
          #expect(kernel?.arity.contains(count) == true, "\(name) of \(count) in \(sql)")
        }
      }
    }
    #expect(planned > 120, "\(planned)")
  }

  /// A suitable argument.
  private static func sample(_ operand: FunctionSignature.Operand) -> String {
    switch operand {
    case .any, .number, .strictNumber, .integer: "n"
    case .string, .optionalString, .printable, .scalar: "name"
    case .time, .optionalTime: "__time"
    case .boolean: "TRUE"
    case .array: "ARRAY['a', 'b']"
    case .arrayOrText, .multiple: "tags"
    case .constantText, .optionalText, .pattern: "'P1D'"
    case .constantInteger: "1"
    case .address: "'10.1.2.3'"
    }
  }

  /// The kernels that SQL calls, each with its number of arguments.
  private static func calls(_ sql: String) -> [(String, Int)] {
    var calls: [(String, Int)] = []
    var open: [(name: String, count: Int, isEmpty: Bool)] = []
    var word = ""
    var isQuoted = false
    for character in sql {
      if character == "'" { isQuoted.toggle() }
      if !open.isEmpty, character != ")", character != " " { open[open.count - 1].isEmpty = false }
      if isQuoted { continue }
      switch character {
      case "(":
        open.append((word, 1, true))
        word = ""
      case ")":
        guard let call = open.popLast() else { break }
        if call.name.hasPrefix("druid_") {
          calls.append((call.name, call.isEmpty ? 0 : call.count))
        }
        word = ""
      case ",":
        if !open.isEmpty { open[open.count - 1].count += 1 }
        word = ""
      default:
        word =
          character.isLetter || character.isNumber || character == "_" ? word + "\(character)" : ""
      }
    }
    return calls
  }
}
