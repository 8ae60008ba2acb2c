import * as z from "zod";
import type { Aws } from "./aws-call.ts";
import { CommandError } from "./options.ts";

const resultSchema = z.object({ token: z.string().nullable() });

/**
 * The first admin token of a new registry, made by its maintenance function; `undefined` when there was one before.
 * Whoever may invoke that function may do this, and nobody else.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 *
 * @throws {CommandError} when the function fails.
 */
export async function makeFirstToken(aws: Aws, functionName: string): Promise<string | undefined> {
  const answer = await aws.call({
    service: "lambda",
    path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
    contentType: "application/json",
    body: JSON.stringify({ task: "bootstrap" }),
  });
  const parsed = resultSchema.safeParse(parseJson(answer));
  if (!parsed.success) {
    throw new CommandError(`${functionName} failed: ${answer.slice(0, 1000)}. See its log.`);
  }
  return parsed.data.token ?? undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
