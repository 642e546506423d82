extension Function {
  /// Functions with their own syntax, which INFORMATION_SCHEMA.ROUTINES lists.
  static let syntax: [Function] = [
    syntax("ARRAY", "An array of values."), syntax("CAST", "A value in another type."),
    syntax("EXTRACT", "A part of a time."),
    syntax("TIMESTAMPADD", "A time moved by a number of units."),
    syntax("TIMESTAMPDIFF", "The number of whole units between two times."),
    syntax("TRIM", "A text without blanks, or other characters, at its ends."),
    syntax("UNNEST", "The elements of an array as rows."),
  ]

  /// What Druid has and this module refuses, so that the error does not say that there is no such function.
  static let refused: [Function] = [
    refused("LOOKUP", "A value of a lookup table."),
    refused("BLOOM_FILTER_TEST", "Whether a Bloom filter may hold a value."),
    refused("IPV6_MATCH", "Whether an IPv6 address is in a subnet."),
    refused(
      "COMPLEX_DECODE_BASE64", aliases: ["DECODE_BASE64_COMPLEX"], "A sketch decoded from Base64."),
    refused(
      "HLL_SKETCH_ESTIMATE", aliases: ["THETA_SKETCH_ESTIMATE"], "The count of a sketch."),
    refused(
      "DS_HLL",
      aliases: [
        "DS_THETA", "DS_QUANTILES_SKETCH", "DS_GET_QUANTILE", "DS_GET_QUANTILES", "DS_RANK",
        "DS_CDF", "DS_HISTOGRAM", "DS_QUANTILE_SUMMARY", "HLL_SKETCH_UNION", "HLL_SKETCH_TO_STRING",
        "HLL_SKETCH_ESTIMATE_WITH_ERROR_BOUNDS", "THETA_SKETCH_UNION", "THETA_SKETCH_INTERSECT",
        "THETA_SKETCH_NOT", "THETA_SKETCH_ESTIMATE_WITH_ERROR_BOUNDS",
      ], "Sketches."),
    refused(
      "CONVERT",
      aliases: [
        "ROW", "TABLE_APPEND", "APPEND", "EXTERN", "INLINE", "HTTP", "LOCALFILES", "S3",
        "SESSION", "HOP", "TUMBLE", "CLASSIFIER", "MATCH_NUMBER", "RUNNING", "PREV", "NEXT",
        "SPECIFIC", "NEW", "PERIOD", "UNIQUE",
      ], "Known to the parser."),
  ]
}
