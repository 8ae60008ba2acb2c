import type { Aws } from "./aws-call.ts";

/**
 * What a stack gave out, by name: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 *
 * @throws {CommandError} when there is no such stack.
 */
export async function readStackOutputs(
  aws: Aws,
  stack: string,
): Promise<ReadonlyMap<string, string>> {
  const body = new URLSearchParams({
    Action: "DescribeStacks",
    Version: "2010-05-15",
    StackName: stack,
  });
  return parseStackOutputs(
    await aws.call({
      service: "cloudformation",
      path: "/",
      contentType: "application/x-www-form-urlencoded; charset=utf-8",
      body: body.toString(),
    }),
  );
}

/** The outputs in an answer to DescribeStacks. Names are letters and digits; values of ours hold nothing to escape. */
export function parseStackOutputs(xml: string): ReadonlyMap<string, string> {
  const outputs = /<Outputs>([\s\S]*?)<\/Outputs>/.exec(xml)?.[1] ?? "";
  return new Map(
    Array.from(outputs.matchAll(/<member>([\s\S]*?)<\/member>/g), ([, member = ""]) => [
      /<OutputKey>([^<]*)<\/OutputKey>/.exec(member)?.[1] ?? "",
      /<OutputValue>([^<]*)<\/OutputValue>/.exec(member)?.[1] ?? "",
    ]),
  );
}
