import Foundation
import Testing

/// The console at `/`, in a real browser if one is installed.
@Suite struct DevstackConsoleTests {
  private static let driver = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/console/drive.py").path

  @Test(
    .enabled(if: Commands.chromium != nil, "no chromium is installed (apt-get install chromium)"))
  func aPersonTypesRunsAndReads() throws {
    let chromium = try #require(Commands.chromium)
    let outcome = try Commands.run(
      """
      mkdir shots
      fake-events -n 3000 --from 2026-01-01 --rate 0.3 > events
      devstack --quiet -- sh -c '
        kprod -t ecommerce < events
        printf "a\\nb\\n" | kprod -t plain
        python3 \(Self.driver) \(chromium) $DRUID_URL/ $PWD/shots'
      \(ProcessInfo.processInfo.environment["CONSOLE_SHOTS"].map { "cp shots/*.png '\($0)'" } ?? "")
      """, in: Commands.Workspace())
    #expect(
      outcome.output
        == """
        datasources: ecommerce
        focus: sql
        topics: ecommerce plain
        skipped: topic 'plain' can't be queried
        head: h n big
        first: 2026-01-01T00:00:00.000Z FIRST 9007199254740993
        status: HOURS rows in T s
        chart: 2
        dark: rgb(18, 22, 29)
        csv: h,n,big
        error: Object 'ecommerse' not found
        place: ecommerse
        selected: ecommerse
        cells: <img src=x onerror=alert(1)> | null
        images: 0

        """
        .replacingOccurrences(of: "FIRST", with: Self.match("first: \\S+ (\\d+) ", outcome.output))
        .replacingOccurrences(of: "HOURS", with: Self.match("status: (\\d+) ", outcome.output)),
      "\(outcome.errors)")
    #expect(outcome.status == 0)
  }

  /// The text of a pattern's group, or an empty text.
  private static func match(_ pattern: String, _ text: String) -> String {
    guard let expression = try? NSRegularExpression(pattern: pattern),
      let found = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)),
      let range = Range(found.range(at: 1), in: text)
    else { return "?" }
    return String(text[range])
  }

  @Test func thePageLetsNothingElseIn() throws {
    let outcome = try Commands.run(
      #"""
      devstack -- sh -c '
        curl -sS -D head $DRUID_URL/ > page
        tr -d "\r" < head | grep -iE "^(HTTP|content-security|x-frame|cross-origin-resource)" | sed "s/nonce-[a-z0-9]*/nonce-X/g"
        grep -cE "https?://[^w]" page
        curl -sS -o /dev/null -w "%{http_code}\n" -H "Origin: https://evil.example" $DRUID_URL/devstack/state
        curl -sS -o /dev/null -w "%{http_code}\n" -H "Host: evil.example" $DRUID_URL/
        curl -sS -o /dev/null -w "%{http_code}\n" -H "Sec-Fetch-Site: cross-site" -H "Sec-Fetch-Mode: navigate" $DRUID_URL/
        curl -sS $DRUID_URL/devstack/state'
      """#, in: Commands.Workspace())
    #expect(
      outcome.output.hasPrefix(
        """
        HTTP/1.1 200 OK
        Content-Security-Policy: default-src 'none'; script-src 'nonce-X'; style-src 'nonce-X'; \
        connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        X-Frame-Options: DENY
        Cross-Origin-Resource-Policy: same-origin
        0
        403
        403
        200
        {"kafka":"127.0.0.1:
        """), "\(outcome.output)\(outcome.errors)")
  }
}
