internal import CRdkafka
internal import JSONLines
package import Plumbing

extension LinkedLibrary {
  /// The libraries that the producer is linked against.
  package static let ofKafka = [
    LinkedLibrary("librdkafka", unsafe String(cString: rd_kafka_version_str())),
    LinkedLibrary("simdjson", JSONLine.libraryVersion),
  ]
}
