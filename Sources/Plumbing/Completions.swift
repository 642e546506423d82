/// `--completion SHELL`: the completions for bash, zsh and fish, generated from the list of
/// options.
extension CommandDescription {
  /// A shell function's name can't contain a dash.
  private var function: String { "_" + name.map { $0 == "-" ? "_" : String($0) }.joined() }

  /// How long a shell waits for an answer before it offers nothing.
  private static let patience = "0.2"

  /// The names of an option, as a shell's pattern has them.
  private func spellings(of flag: Flag) -> [String] {
    [flag.letter.map { "-\($0)" }, flag.spelling].compactMap { $0 }
  }

  var bashCompletion: String {
    let files = "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
    let commands = "mapfile -t COMPREPLY < <(compgen -c -- \"$word\")"
    var cases = ""
    for flag in flags where flag.value != nil {
      let action =
        switch flag.completion {
        case .nothing: "COMPREPLY=()"
        case .file: files
        case .choices(let words):
          "mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- \"$word\")"
        case .answer(let arguments, let words):
          "\(function)_answer '\(words.joined(separator: "|"))' \(arguments)"
        }
      cases += "    \(spellings(of: flag).joined(separator: "|"))) \(action); return ;;\n"
    }
    let all = flags.flatMap(spellings)
    let operands = operand == nil ? "COMPREPLY=()" : operandsEndOptions ? commands : files
    return """
      # bash completion for \(name): source it, or save it as ~/.local/share/bash-completion/completions/\(name)
      \(function)() {
        local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
        COMPREPLY=()
      \(operandsEndOptions ? bashDelegation : "")  # bash makes three words of --name=value.
        if [ "$word" = = ]; then
          word=
        elif [ "$before" = = ] && [ "$COMP_CWORD" -ge 2 ]; then
          before="${COMP_WORDS[COMP_CWORD-2]}"
        fi
        case "$before" in
          '<'|'>'|'>>'|'&>'|'>|') \(files); return ;;
      \(cases)  esac
        case "$word" in
          -*) mapfile -t COMPREPLY < <(compgen -W '\(all.joined(separator: " "))' -- "$word") ;;
          *) \(operands) ;;
        esac
      }
      \(bashAnswer)complete -o filenames -F \(function) \(name)

      """
  }

  /// For options whose values a server knows: asks it for a moment, and offers nothing when it does not answer.
  private var bashAnswer: String {
    let asks = flags.contains { if case .answer = $0.completion { true } else { false } }
    guard asks else { return "" }
    let handedOn = flags.filter(\.isForAnswers).map { flag in
      """
        if [[ " ${COMP_LINE-}" =~ [[:space:]](\(spellings(of: flag).joined(separator: "|")))[[:space:]=]*([^[:space:]]+) ]]; then
          given+=(\(flag.spelling) "${BASH_REMATCH[2]//[\\"\\']/}")
        fi

      """
    }
    return """
      # \(function)_answer WORDS ARGUMENTS...: what the command prints, as the whole word or behind one of WORDS in it
      \(function)_answer() {
        local behind="$1" typed="${word#[\\"\\']}" head= quote= name
        local -a given=()
        shift
        if [ -n "$behind" ]; then
          [[ "${typed,,}" =~ (^|[[:space:]\\(])($behind)[[:space:]]+(\\"?)([^[:space:]\\"]*)$ ]] || return
          quote="${BASH_REMATCH[3]}" head="${typed:0:${#typed}-${#BASH_REMATCH[4]}-${#quote}}"
          typed="${typed:${#head}+${#quote}}"
        fi
      \(handedOn.joined())  while IFS= read -r name; do
          [[ "$name" == "$typed"* ]] || continue
          # A name that is not plain needs quotes within a text.
          [ -n "$behind" ] && [[ -n "$quote" || ! "$name" =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] && name="\\"$name\\""
          COMPREPLY+=("$head$name")
        done < <(timeout \(Self.patience) \(name) "${given[@]}" "$@" 2> /dev/null < /dev/null)
        # Text in quotes is not the name of a file, and goes on behind the word.
        [ -n "$behind" ] && compopt +o filenames -o nospace 2> /dev/null
        return 0
      }

      """
  }

  /// For a command that runs another: what stands behind its own options is completed as that command's own line.
  private var bashDelegation: String {
    let valued = flags.filter { $0.value != nil }.flatMap(spellings)
    return """
        local place=1 start=
        while [ "$place" -lt "$COMP_CWORD" ] && [ -z "$start" ]; do
          case "${COMP_WORDS[place]}" in
            --) start=$((place + 1)) ;;
            \(valued.joined(separator: "|")))
              place=$((place + 1))
              if [ "${COMP_WORDS[place]-}" = = ]; then place=$((place + 1)); fi ;;
            -*) ;;
            *) start=$place ;;
          esac
          place=$((place + 1))
        done
        if [ -n "$start" ] && [ "$COMP_CWORD" -eq "$start" ]; then
          mapfile -t COMPREPLY < <(compgen -c -- "$word")
          return
        elif [ -n "$start" ]; then
          local name="${COMP_WORDS[start]}" other
          other=$(complete -p -- "$name" 2> /dev/null)
          # bash-completion loads the completions of a command when they are asked for.
          if [ -z "$other" ] && declare -F _completion_loader > /dev/null; then
            _completion_loader "$name"
            other=$(complete -p -- "$name" 2> /dev/null)
          fi
          case "$other" in
            *" -F "*)
              other=${other##* -F }
              COMP_WORDS=("${COMP_WORDS[@]:start}") COMP_CWORD=$((COMP_CWORD - start))
              "${other%% *}" "$name" "$word" "$before" ;;
            *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
          esac
          return
        fi

      """
  }

  var zshCompletion: String {
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
        case (let value?, .answer(let arguments, let words)) where words.isEmpty:
          ":\(zsh(value)):{compadd -- ${(f)\"$(timeout \(Self.patience) \(name) \(arguments) "
            + "2> /dev/null < /dev/null)\"}}"
        case (let value?, .answer): ":\(zsh(value)):"
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

  var fishCompletion: String {
    var out = "# fish completion for \(name): save it as ~/.config/fish/completions/\(name).fish\n"
    for flag in flags {
      out += "complete -c \(name) -l \(flag.name)"
      if let letter = flag.letter { out += " -s \(letter)" }
      switch (flag.value, flag.completion) {
      case (nil, _): break
      case (_, .nothing): out += " -x"
      case (_, .file): out += " -r -F"
      case (_, .choices(let words)): out += " -x -a '\(words.joined(separator: " "))'"
      case (_, .answer(let arguments, let words)) where words.isEmpty:
        out +=
          " -x -a '(timeout \(Self.patience) \(name) \(arguments) 2> /dev/null < /dev/null)'"
      case (_, .answer): out += " -x"
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
