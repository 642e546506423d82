import Testing

/// What bash offers, asked of bash.
@Suite struct CompletionTests {
  /// - Parameters:
  ///   - function: the completion function of the command.
  ///   - words: the line, the last of them the one that is completed.
  static func offers(_ function: String, _ words: String) throws -> [String] {
    let outcome = try Commands.run(
      """
      touch data.ndjson query.sql
      cat > try.bash <<'END'
      for tool in devstack kprod dsql; do source <($tool --completion bash); done
      COMP_WORDS=(\(words)) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
      \(function)
      printf '%s\\n' "${COMPREPLY[@]}"
      END
      bash --norc try.bash
      """, in: Commands.Workspace())
    #expect(outcome.errors == "")
    return outcome.output.split(separator: "\n").map(String.init)
  }

  /// A command without operands reads files from the shell, and writes them.
  @Test(arguments: ["'<'", "'>'", "'>>'"]) func redirections(sign: String) throws {
    #expect(try Self.offers("_kprod", "kprod -t x \(sign) da") == ["data.ndjson"])
    #expect(try Self.offers("_dsql", "dsql \(sign) que") == ["query.sql"])
  }

  /// What stands behind devstack's own options is another command's line.
  @Test func theCommandOfDevstack() throws {
    #expect(try Self.offers("_devstack", "devstack -- kpro").contains("kprod"))
    #expect(try Self.offers("_devstack", "devstack kpro").contains("kprod"))
    #expect(try Self.offers("_devstack", "devstack -- kprod --dry-").contains("--dry-run"))
    #expect(try Self.offers("_devstack", "devstack -- dsql --format mark") == ["markdown"])
    #expect(try Self.offers("_devstack", "devstack -- cat da") == ["data.ndjson"])
    #expect(try Self.offers("_devstack", "devstack --complet").contains("--completion"))
  }
}
