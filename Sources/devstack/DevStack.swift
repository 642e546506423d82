@main
enum DevStack {
  static func main() {}
}
