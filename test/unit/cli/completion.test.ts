import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { completionScript, SHELLS } from "../../../cli/client/completion-script.ts";
import { createProgram } from "../../../cli/program.ts";

const program = createProgram("1.2.3");

/** What bash offers for a line whose last word is being typed. */
function complete(...words: readonly string[]): readonly string[] {
  const line = ["entrepot", ...words].map((word) => JSON.stringify(word)).join(" ");
  const script = `${completionScript(program, "bash")}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}
_entrepot
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8", cwd: "/" });
  return output.split("\n").filter((word) => word !== "");
}

describe("completion in bash", () => {
  test("offers the commands", () => {
    expect(complete("re")).toEqual(["registry"]);
    expect(complete("")).toEqual(expect.arrayContaining(["serve", "push", "pull", "package"]));
  });

  test("offers the commands of a group", () => {
    expect(complete("registry", "")).toEqual(
      expect.arrayContaining(["create", "list", "show", "update", "delete"]),
    );
    expect(complete("token", "re")).toEqual(["revoke"]);
  });

  test("offers the flags of a command, also behind other words", () => {
    expect(complete("push", "builds", "--pat")).toEqual(["--path"]);
    expect(complete("registry", "create", "x", "--ecosystem", "npm", "--vis")).toEqual([
      "--visibility",
    ]);
  });

  test("offers the values that a flag takes", () => {
    expect(complete("registry", "create", "--ecosystem", "")).toEqual([
      "generic",
      "maven",
      "npm",
      "oci",
      "pypi",
    ]);
    expect(complete("serve", "--downloads", "r")).toEqual(["redirect"]);
  });

  test("offers files where anything may stand", () => {
    expect(complete("push", "builds", "us")).toEqual(["usr"]);
    expect(complete("serve", "--data", "us")).toEqual(["usr"]);
  });

  test("takes no value for a command", () => {
    expect(complete("push", "token", "--pat")).toEqual(["--path"]);
  });
});

test("every command of the program is in the script of every shell", () => {
  for (const shell of SHELLS) {
    const script = completionScript(program, shell);
    for (const command of program.commands) expect(script).toContain(command.name());
  }
});
