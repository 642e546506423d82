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

  /// Functions that Druid or its parser knows but this module does not support. They are listed so
  /// that the error does not say that the function does not exist.
  static let refused: [Function] = [
    refused("LOOKUP", "A value of a lookup table."),
    refused("JSON_PATHS", "The paths of a JSON value."),
    refused("JSON_MERGE", "Several JSON values in one."),
    refused("JSON_QUERY_ARRAY", "The JSON list at a path."),
    refused("JSON_EXISTS", "Whether there is a value at a path."),
    refused("JSON_ARRAY", aliases: ["JSON_OBJECTAGG", "JSON_ARRAYAGG"], "JSON of values."),
    refused("BLOOM_FILTER_TEST", "Whether a Bloom filter may contain a value."),
    refused("IPV6_MATCH", "Whether an IPv6 address is in a subnet."),
    refused(
      "COMPLEX_DECODE_BASE64", aliases: ["DECODE_BASE64_COMPLEX"], "A sketch decoded from Base64."),
    refused(
      "HLL_SKETCH_ESTIMATE", aliases: ["THETA_SKETCH_ESTIMATE"], "The count of a sketch."),
    refused(
      "DS_HLL",
      aliases: [
        "DS_THETA", "DS_QUANTILES_SKETCH", "DS_GET_QUANTILE", "DS_RANK", "DS_CDF", "DS_HISTOGRAM",
      ], "Sketches."),
    refused("APPROX_QUANTILE", aliases: ["APPROX_QUANTILE_FIXED_BUCKETS"], "An older quantile."),
    refused(
      "OVERLAY",
      aliases: [
        "TRANSLATE", "NVL2", "DECODE", "IF", "CONVERT", "OCTET_LENGTH", "CARDINALITY", "ELEMENT",
        "CHR", "HOUR", "MINUTE", "SECOND", "YEAR", "MONTH", "QUARTER", "WEEK", "DAYOFMONTH",
        "DAYOFWEEK", "DAYOFYEAR", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP", "USER",
        "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "RAND", "RANDOM", "ROW", "MULTISET",
        "COLLECT", "GROUPING_ID", "GROUP_ID", "SOME", "EVERY", "FUSION", "MODE", "NTH_VALUE",
        "CLASSIFIER", "MATCH_NUMBER", "RUNNING", "PREV", "NEXT", "FIRST", "LAST",
        "PERCENTILE_CONT", "PERCENTILE_DISC", "SESSION", "HOP", "TUMBLE", "APPROX_TOP_K",
        "SPECIFIC", "NEW", "PERIOD", "UNIQUE", "MIN_BY", "MAX_BY", "ARG_MIN", "ARG_MAX",
        "DATEDIFF", "VAR_POP", "TABLE_APPEND", "EXTERN", "INLINE", "HTTP", "LOCALFILES", "S3",
      ], "Known to the parser."),
  ]
}
