@main
enum FakeEvents {
  static func main() {}
}
