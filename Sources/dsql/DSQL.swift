@main
enum DSQL {
  static func main() {}
}
