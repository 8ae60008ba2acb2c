import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface CompletedOption {
  /** Such as `--json` and `-y`. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

interface CompletedCommand {
  /** Words that lead to it, such as `registry create`; empty for the program itself. */
  readonly path: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CompletedOption[];
}

/** The script that makes a shell complete the commands and flags of a program. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = describe(program, []);
  const name = program.name();
  switch (shell) {
    case "bash":
      return bashScript(name, commands);
    case "fish":
      return fishScript(name, commands);
    case "zsh":
    default:
      // zsh runs bash's completions: https://zsh.sourceforge.io/Doc/Release/Completion-System.html (bashcompinit)
      return `#compdef ${name}\nautoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(name, commands)}`;
  }
}

function describe(command: Command, path: readonly string[]): readonly CompletedCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command).filter((child) => child.name() !== "help");
  const own: CompletedCommand = {
    path: path.join(" "),
    subcommands: subcommands.map((child) => ({ name: child.name(), description: child.summary() })),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.long, option.short].filter((name) => typeof name === "string"),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
  };
  return [own, ...subcommands.flatMap((child) => describe(child, [...path, child.name()]))];
}

function bashScript(name: string, commands: readonly CompletedCommand[]): string {
  const words = commands.map(({ path, subcommands, options }) => {
    const all = [
      ...subcommands.map((child) => child.name),
      ...options.flatMap(({ names }) => names),
    ];
    return `    "${path}") words="${all.join(" ")}" ;;`;
  });
  const values = commands.flatMap(({ path, options }) =>
    options.flatMap(({ names, choices, takesValue }) =>
      takesValue
        ? names.map(
            (option) => `    "${path} ${option}") values="${choices.join(" ")}"; valued=1 ;;`,
          )
        : [],
    ),
  );
  const paths = commands.map(({ path }) => `"${path}"`).join("|");
  return `_${name}() {
  local path="" words="" values="" valued="" word
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${values.join("\n")}
  esac
  if [[ -n "$valued" ]]; then
    if [[ -n "$values" ]]; then COMPREPLY=($(compgen -W "$values" -- "$current"))
    else COMPREPLY=($(compgen -f -- "$current")); fi
    return
  fi
  case "$path" in
${words.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 0 && "$current" != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _${name} ${name}
`;
}

function fishScript(name: string, commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ path, subcommands, options }) => {
    const condition = fishCondition(path, subcommands);
    return [
      ...subcommands.map(
        (child) =>
          `complete -c ${name} -f -n '${condition}' -a ${child.name} -d ${fishText(child.description)}`,
      ),
      ...options.map((option) => fishOption(name, condition, option)),
    ];
  });
  return `${lines.join("\n")}\n`;
}

function fishCondition(path: string, subcommands: CompletedCommand["subcommands"]): string {
  const seen = path.split(" ").filter((word) => word !== "");
  const conditions = seen.map((word) => `__fish_seen_subcommand_from ${word}`);
  if (path === "") return "__fish_use_subcommand";
  const below = subcommands.map((child) => child.name).join(" ");
  const none = below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`];
  return [...conditions, ...none].join("; and ");
}

function fishOption(name: string, condition: string, option: CompletedOption): string {
  const flags = option.names.map((text) =>
    text.startsWith("--") ? `-l ${text.slice(2)}` : `-s ${text.slice(1)}`,
  );
  const value = option.takesValue ? ["-r"] : [];
  const choices =
    option.choices.length > 0 ? ["-f", `-a ${fishText(option.choices.join(" "))}`] : [];
  return [
    `complete -c ${name} -n '${condition}'`,
    ...flags,
    ...value,
    ...choices,
    `-d ${fishText(option.description)}`,
  ].join(" ");
}

function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
