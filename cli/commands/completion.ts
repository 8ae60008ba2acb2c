import { Argument, type Command } from "commander";
import * as z from "zod";
import { completionScript, SHELLS } from "../client/completion-script.ts";
import { withExamples } from "./session.ts";

/** `completion bash|zsh|fish`. */
export function addCompletionCommand(program: Command): void {
  const completion = program
    .command("completion")
    .summary("print a completion script for your shell")
    .description("Prints a script that makes your shell complete commands and flags.")
    .addArgument(new Argument("<shell>", "your shell").choices(SHELLS));
  withExamples(completion, [
    "completion bash > ~/.local/share/bash-completion/completions/entrepot",
    'completion zsh > "${fpath[1]}/_entrepot"',
    "completion fish > ~/.config/fish/completions/entrepot.fish",
  ]).action((shell: string) => {
    process.stdout.write(completionScript(program, z.enum(SHELLS).parse(shell)));
  });
}
