extension DruidServer {
  /// The project's supervisor spec, which is in place by default.
  package static let ecommerceSpec = """
    {"type": "kafka", "spec": {
      "dataSchema": {
        "dataSource": "ecommerce",
        "timestampSpec": {"column": "timestamp", "format": "posix"},
        "dimensionsSpec": {"dimensions": [
          {"type": "string", "name": "event_type"},
          {"type": "string", "name": "country"},
          {"type": "string", "name": "city"},
          {"type": "string", "name": "device"},
          {"type": "long", "name": "user_id"},
          {"type": "long", "name": "product_id"},
          {"type": "double", "name": "price"},
          {"type": "long", "name": "quantity"}
        ], "useSchemaDiscovery": true},
        "metricsSpec": [],
        "granularitySpec": {
          "type": "uniform", "segmentGranularity": "HOUR", "queryGranularity": "NONE", "rollup": false
        }
      },
      "ioConfig": {
        "type": "kafka", "topic": "ecommerce", "inputFormat": {"type": "json"},
        "consumerProperties": {}, "useEarliestOffset": true,
        "taskCount": 1, "replicas": 1, "taskDuration": "PT10M"
      },
      "tuningConfig": {
        "type": "kafka", "logParseExceptions": true, "maxSavedParseExceptions": 10
      }
    }}
    """
}
