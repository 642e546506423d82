internal import CSimdjson

/// Finds where the tokens of a text begin, with simdjson, for readers with their own grammar.
@safe package struct JSONMarks: ~Copyable {
  private let marker: OpaquePointer
  private var marks: UnsafePointer<UInt32>?
  private var count = 0

  package init() {
    guard let marker = unsafe csj_marker_new() else { preconditionFailure("out of memory") }
    unsafe self.marker = marker
  }

  deinit { unsafe csj_marker_free(marker) }

  /// Marks a text, which may hold any number of values: each bracket, comma and colon outside of
  /// strings, the opening quote of each string, and the first byte of each other run without space.
  ///
  /// There are no marks for a text that is not valid UTF-8, has an unclosed string or has a control
  /// character in a string.
  package mutating func mark(_ text: RawSpan) {
    unsafe text.withUnsafeBytes { text in
      unsafe marks = csj_mark(marker, text.baseAddress, text.count, &count)
    }
  }

  /// The offsets of the tokens in the last marked text, in order.
  package var offsets: Span<UInt32> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: marks ?? emptyMarks, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private var emptyMarks: UnsafePointer<UInt32> { unsafe UnsafePointer(marker) }
}
