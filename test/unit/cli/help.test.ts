import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../../../cli/program.ts";

const nameOf = (command: Command): string =>
  command.parent === null ? "" : `${nameOf(command.parent)} ${command.name()}`.trim();

const leavesOf = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);

test.each(leavesOf(createProgram("1.2.3")).map((command) => [nameOf(command), command] as const))(
  "the help of %s has examples of itself",
  (name, command) => {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toContain(`Examples:\n  $ entrepot ${name}`);
  },
);
