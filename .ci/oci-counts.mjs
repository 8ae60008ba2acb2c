// Prints the counts of a JUnit report and the names of what failed; ends with 1 unless something passed and nothing failed.
import { readFileSync } from "node:fs";

const [name, file] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
// A test case is one element, closed at once or around what happened to it.
const cases = [
  ...text.matchAll(/<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g),
];
// The suite of 2023 says the outcome with an element, the redesigned one with an attribute.
const outcome = ([, attributes, body = ""]) => {
  const status = /\bstatus="([^"]*)"/.exec(attributes)?.[1];
  if (/<(?:failure|error)\b/.test(body) || ["failure", "error"].includes(status)) return "failed";
  return /<skipped\b/.test(body) || ["skipped", "disabled"].includes(status) ? "skipped" : "passed";
};
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const some of cases) counts[outcome(some)] += 1;
console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
// The report has them all; when very many fail, it is for one reason.
for (const some of cases.filter((one) => outcome(one) === "failed").slice(0, 20)) {
  console.log(`  failed: ${/\bname="([^"]*)"/.exec(some[1])?.[1] ?? "a test without a name"}`);
}
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
