/** Shells that completion is written for. */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** One of {@link shells}. */
export type Shell = (typeof shells)[number];

// Each script asks `systemprompt complete -- words…`, which answers `value<TAB>description` lines: so it knows the
// commands of the version that is installed, and the tenants and profiles of the folder one is in.
const scripts: Readonly<Record<Shell, string>> = {
  bash: `_systemprompt() {
  local IFS=$'\\n' value
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    COMPREPLY+=("$value")
  done < <(systemprompt complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _systemprompt systemprompt
`,
  zsh: `#compdef systemprompt
_systemprompt() {
  local value description
  local -a candidates
  while IFS=$'\\t' read -r value description; do
    candidates+=("\${value//:/\\\\:}:$description")
  done < <(systemprompt complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then _describe systemprompt candidates; else _files; fi
}
# As a file of fpath this is the function's first call; else it is sourced.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _systemprompt "$@"; else compdef _systemprompt systemprompt; fi
`,
  fish: `function __systemprompt_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (systemprompt complete -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c systemprompt -f -a '(__systemprompt_complete)'
`,
  powershell: `Register-ArgumentCompleter -Native -CommandName systemprompt -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '""' }
  systemprompt complete '--' @words 2>$null | ForEach-Object {
    $value, $description = $_ -split "\`t", 2
    if (-not $description) { $description = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
  }
}
`,
};

/** The script that completes `systemprompt` in a shell. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

/** How a person has it from now on. */
export function completionHint(shell: Shell): string {
  const line = {
    bash: 'systemprompt completion bash > ~/.local/share/bash-completion/completions/systemprompt',
    zsh: 'systemprompt completion zsh > "${fpath[1]}/_systemprompt"',
    fish: 'systemprompt completion fish > ~/.config/fish/completions/systemprompt.fish',
    powershell: 'systemprompt completion powershell >> $PROFILE',
  };
  return line[shell];
}

/** The shell of `SHELL`; `undefined` for one that completion is not written for. */
export function shellOf(env: Readonly<Record<string, string | undefined>>): Shell | undefined {
  const name = /([^\\/]+?)(?:\.exe)?$/.exec(env['SHELL'] ?? '')?.[1];
  return shells.find((shell) => shell === name);
}
