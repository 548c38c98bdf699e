/**
 * The completion script for bash. Our own, because the library's needs the package bash-completion, cannot be read twice
 * in one shell (two programs), and puts the typed line through `eval`: a Tab after `$(reboot)` would run it.
 */

/** Text for `source <(program completion bash)`. */
export function bashCompletion(program: string): string {
  const name = `__${program.replaceAll(/\W/g, '_')}_complete`;
  return `# bash completion for ${program}
${name}() {
  local line value cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    [[ $line != :* && $value == "$cur"* ]] && COMPREPLY+=("$value")
  done < <(${program} complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F ${name} ${program}
`;
}
