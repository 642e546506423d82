@main
enum KProd {
  static func main() {}
}
