internal import CLZ4
internal import CZlib
internal import CZstd
package import Plumbing

extension LinkedLibrary {
  /// The libraries that the embedded Kafka is linked against. Snappy is missing, because its C
  /// interface has no function for its version.
  package static let ofEmbeddedKafka = [
    LinkedLibrary("zlib", unsafe String(cString: zlibVersion())),
    LinkedLibrary("lz4", unsafe String(cString: LZ4_versionString())),
    LinkedLibrary("zstd", unsafe String(cString: ZSTD_versionString())),
  ]
}
