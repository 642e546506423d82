/// `--completion SHELL`: the completions for bash, zsh and fish, generated from the list of
/// options.
extension CommandDescription {
  /// A shell function's name can't contain a dash.
  private var function: String { "_" + name.map { $0 == "-" ? "_" : String($0) }.joined() }

  package var bashCompletion: String {
    var cases = ""
    for flag in flags where flag.value != nil {
      let names = [flag.letter.map { "-\($0)" }, flag.spelling].compactMap { $0 }
      let action =
        switch flag.completion {
        case .nothing: "COMPREPLY=()"
        case .file: "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
        case .choices(let words):
          "mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- \"$word\")"
        }
      cases += "    \(names.joined(separator: "|"))) \(action); return ;;\n"
    }
    let all = flags.flatMap { [$0.letter.map { "-\($0)" }, $0.spelling].compactMap { $0 } }
    let operands =
      operand == nil
      ? "COMPREPLY=()"
      : operandsEndOptions
        ? "mapfile -t COMPREPLY < <(compgen -c -- \"$word\")"
        : "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
    return """
      # bash completion for \(name): source it, or save it as ~/.local/share/bash-completion/completions/\(name)
      \(function)() {
        local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
        # bash makes three words of --name=value.
        if [ "$word" = = ]; then
          word=
        elif [ "$before" = = ] && [ "$COMP_CWORD" -ge 2 ]; then
          before="${COMP_WORDS[COMP_CWORD-2]}"
        fi
        case "$before" in
      \(cases)  esac
        case "$word" in
          -*) mapfile -t COMPREPLY < <(compgen -W '\(all.joined(separator: " "))' -- "$word") ;;
          *) \(operands) ;;
        esac
      }
      complete -o filenames -F \(function) \(name)

      """
  }

  package var zshCompletion: String {
    var lines: [String] = []
    for flag in flags {
      let names = [flag.letter.map { "-\($0)" }, flag.spelling].compactMap { $0 }
      let help = zsh(flag.help)
      let exclusion = flag.isRepeatable ? "'*'" : "'(\(names.joined(separator: " ")))'"
      let value =
        switch (flag.value, flag.completion) {
        case (nil, _): ""
        case (let value?, .nothing): ":\(zsh(value)):"
        case (let value?, .file): ":\(zsh(value)):_files"
        case (let value?, .choices(let words)):
          ":\(zsh(value)):(\(words.joined(separator: " ")))"
        }
      let spellings = names.map { $0 + (flag.value == nil ? "" : $0.hasPrefix("--") ? "=" : "+") }
      let group = spellings.count > 1 ? "{\(spellings.joined(separator: ","))}" : spellings[0]
      lines.append("    \(exclusion)\(group)'[\(help)]\(value)'")
    }
    if operand != nil {
      lines.append(operandsEndOptions ? "    '*:::command:_normal'" : "    '*:file:_files'")
    }
    return """
      #compdef \(name)
      # zsh completion for \(name): save it as _\(name) in a folder of $fpath
      \(function)() {
        _arguments -s \\
      \(lines.joined(separator: " \\\n"))
      }
      if [ "$funcstack[1]" = "_\(name)" ]; then
        \(function) "$@"
      else
        compdef \(function) \(name)
      fi

      """
  }

  package var fishCompletion: String {
    var out = "# fish completion for \(name): save it as ~/.config/fish/completions/\(name).fish\n"
    for flag in flags {
      out += "complete -c \(name) -l \(flag.name)"
      if let letter = flag.letter { out += " -s \(letter)" }
      switch (flag.value, flag.completion) {
      case (nil, _): break
      case (_, .nothing): out += " -x"
      case (_, .file): out += " -r -F"
      case (_, .choices(let words)): out += " -x -a '\(words.joined(separator: " "))'"
      }
      out += " -d '\(fish(flag.help))'\n"
    }
    if operand == nil { out += "complete -c \(name) -f\n" }
    return out
  }
}

/// Escapes text for a single-quoted specification of zsh's _arguments.
private func zsh(_ text: String) -> String {
  text.map { character in
    switch character {
    case "'": "'\\''"
    case "[", "]", ":", "\\": "\\\(character)"
    default: String(character)
    }
  }.joined()
}

/// Escapes text for single quotes in fish.
private func fish(_ text: String) -> String {
  text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
}
