import Testing

@testable import JavaValues

@Suite struct NumberTests {
  @Test(arguments: [
    (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (1.5, "1.5"), (0.001, "0.001"), (0.0001, "1.0E-4"),
    (1e-7, "1.0E-7"), (1234567, "1234567.0"), (1e7, "1.0E7"), (12345678.9, "1.23456789E7"),
    (1e300, "1.0E300"), (0.1, "0.1"), (-0.25, "-0.25"), (123456789.123456, "1.23456789123456E8"),
    (.infinity, "Infinity"), (-.infinity, "-Infinity"), (.nan, "NaN"), (100, "100.0"),
    (9999999.5, "9999999.5"), (0.00123, "0.00123"), (1e21, "1.0E21"),
  ])
  func printsDoubles(value: Double, expected: String) {
    #expect(JavaNumber.text(value) == expected)
  }

  @Test func printsFloats() {
    #expect(JavaNumber.text(Float(0.1)) == "0.1")
    #expect(JavaNumber.text(Float(16_777_216)) == "1.6777216E7")
  }

  @Test(arguments: [
    ("12", Int64(12)), ("-12", -12), ("+12", 12), ("1.9", 1), ("-1.9", -1), ("1e3", 1000),
    ("9223372036854775808", .max), ("NaN", 0), ("1.5d", 1), (".5", 0), ("5.", 5),
  ])
  func castsTextToLong(text: String, expected: Int64) { #expect(JavaNumber.long(text) == expected) }

  @Test(arguments: ["", "x", " 12", "12 ", "1e", "--1", "0x10", "1_000", "٣", "e5", "."])
  func refusesOtherText(text: String) { #expect(JavaNumber.long(text) == nil) }

  @Test(arguments: [
    (2.567, Int64(2), 2.57), (2.5, 0, 3), (-2.5, 0, -3), (0.285, 2, 0.29), (1.005, 2, 1.01),
    (1234.5, -2, 1200), (1250, -2, 1300), (0.04, 1, 0), (9.999, 2, 10), (1e300, 2, 1e300),
    (.nan, 2, 0), (.infinity, 2, .greatestFiniteMagnitude), (0.5, 0, 1), (49, -2, 0), (51, -2, 100),
  ])
  func rounds(value: Double, scale: Int64, expected: Double) {
    #expect(Arithmetic.round(value, scale: scale) == expected)
  }

  @Test(arguments: [
    (Int64(1250), Int64(-2), Int64(1300)), (-1250, -2, -1300), (1249, -2, 1200), (7, 3, 7),
  ])
  func roundsLongs(value: Int64, scale: Int64, expected: Int64) {
    #expect(Arithmetic.round(value, scale: scale) == expected)
  }

  @Test func truncates() {
    #expect(Arithmetic.truncate(1.999, scale: 1) == 1.9)
    #expect(Arithmetic.truncate(-1.999, scale: 0) == -1)
    #expect(Arithmetic.truncate(1999, scale: -2) == 1900)
  }

  @Test func dividesAsJava() throws {
    #expect(try Arithmetic.divide(-7, 2) == -3)
    #expect(try Arithmetic.divide(.min, -1) == .min)
    #expect(try Arithmetic.remainder(-7, 3) == -1)
    #expect(throws: ValueFailure.divisionByZero) { try Arithmetic.divide(1, 0) }
  }

  @Test func showsReadableSizes() throws {
    #expect(try Arithmetic.binaryBytes(1_048_576, precision: 2) == "1.00 MiB")
    #expect(try Arithmetic.binaryBytes(-1023, precision: 2) == "-1023 B")
    #expect(try Arithmetic.binaryBytes(.min, precision: 0) == "-8 EiB")
    #expect(try Arithmetic.decimal(1_048_576, precision: 2, suffix: "B") == "1.05 MB")
    #expect(try Arithmetic.decimal(1_048_576, precision: 2, suffix: "") == "1.05 M")
    #expect(try Arithmetic.decimal(999, precision: 2, suffix: "") == "999")
    #expect(throws: ValueFailure.self) { try Arithmetic.binaryBytes(1, precision: 4) }
  }
}
