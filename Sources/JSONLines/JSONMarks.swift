internal import CSimdjson

/// Where the tokens of a text begin, found by simdjson many bytes at a time: for readers that know their grammar.
@safe package struct JSONMarks: ~Copyable {
  private let marker: OpaquePointer
  private var marks: UnsafePointer<UInt32>?
  private var count = 0

  package init() {
    guard let marker = unsafe csj_marker_new() else { preconditionFailure("out of memory") }
    unsafe self.marker = marker
  }

  deinit { unsafe csj_marker_free(marker) }

  /// Marks a text, which may hold any number of values: each bracket, comma and colon outside of strings, the opening quote
  /// of each string, and the first byte of each other run without space.
  ///
  /// There are no marks for a text that is no UTF-8, leaves a string open or has a control character in one.
  package mutating func mark(_ text: RawSpan) {
    unsafe text.withUnsafeBytes { text in
      unsafe marks = csj_mark(marker, text.baseAddress, text.count, &count)
    }
  }

  /// The offsets of the tokens in the text that was marked last, in their order.
  package var offsets: Span<UInt32> {
    @_lifetime(borrow self)
    get {
      let span = unsafe Span(_unsafeStart: marks ?? emptyMarks, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private var emptyMarks: UnsafePointer<UInt32> { unsafe UnsafePointer(marker) }
}
