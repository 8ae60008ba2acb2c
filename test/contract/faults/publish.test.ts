import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AwsRegistry, openAwsRegistry } from "../../support/aws/aws-registry.ts";
import { dynamoSource } from "../../support/dynoxide.ts";
import { describeWhen } from "../../support/programs.ts";
import type { Seen, Verdict } from "../../support/proxy.ts";
import { s3ProgramPath } from "../../support/s3-server.ts";
import { expectUnavailable, PUBLISHES } from "./publishes.ts";

/** DynamoDB's refusals, as they come over the wire. */
const exception = (type: string, more: object = {}): Verdict => ({
  status: 400,
  body: JSON.stringify({
    __type: `com.amazonaws.dynamodb.v20120810#${type}`,
    message: type,
    ...more,
  }),
});
const cancelled = (code: string): Verdict =>
  exception("TransactionCanceledException", { CancellationReasons: [{ Code: code }] });
const slowDown: Verdict = {
  status: 503,
  body: "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
};

const isCommit = ({ target }: Seen): boolean => target?.endsWith(".TransactWriteItems") === true;
const isWrite = ({ target }: Seen): boolean =>
  /\.(?:TransactWriteItems|PutItem|UpdateItem|DeleteItem)$/.test(target ?? "");

const needed = s3ProgramPath() === undefined ? undefined : dynamoSource();

describeWhen(
  needed,
  "versitygw and dynoxide",
  "a publish while a store is in difficulties",
  (source) => {
    let registry: AwsRegistry;
    let lastVersion = 0;
    beforeAll(async () => {
      registry = await openAwsRegistry(source);
      await registry.createRegistry({ slug: "node", ecosystem: "npm" });
      await registry.createRegistry({ slug: "files", ecosystem: "generic" });
      await registry.createRegistry({ slug: "images", ecosystem: "oci" });
    });
    afterAll(async () => registry.close());
    beforeEach(() => {
      registry.dynamo.reset();
      registry.s3.reset();
      lastVersion += 1;
    });

    /** Harm is done to the first requests that match, and to none after `times` of them. */
    const harm = (matches: (seen: Seen) => boolean, verdict: Verdict, times: number) => {
      const done = { times: 0 };
      const judge = (seen: Seen): Verdict => {
        if (done.times >= times || !matches(seen)) return "pass";
        done.times += 1;
        return verdict;
      };
      return { judge, done };
    };

    describe.each(PUBLISHES)("$protocol", (publish) => {
      test.each<[string, Verdict]>([
        ["is throttled", exception("ThrottlingException")],
        ["has no throughput left", exception("ProvisionedThroughputExceededException")],
        ["cancels the transaction for a throttle", cancelled("ThrottlingError")],
        ["cancels the transaction for a conflict", cancelled("TransactionConflict")],
        ["fails", { status: 500, body: '{"__type":"InternalServerError"}' }],
        ["closes the connection", "reset"],
        ["does not answer in time", "stall"],
        ["commits, but its answer is lost", { cutAfterBytes: 0 }],
      ])("succeeds when DynamoDB %s at the commit twice", async (_, verdict) => {
        const send = await publish.prepare(registry, lastVersion);
        const { judge, done } = harm(isCommit, verdict, 2);
        registry.dynamo.judge = judge;
        const answer = await send();
        expect(publish.published).toContain(answer.status);
        expect(done.times).toBe(2);
        registry.dynamo.reset();
        expect(await publish.look(registry, lastVersion)).toBe("whole");
      });

      test.each<[string, Verdict]>([
        ["throttles", exception("ThrottlingException")],
        ["does not let anybody in", exception("AccessDeniedException")],
      ])(
        "is unavailable and leaves nothing while DynamoDB %s writes, and succeeds afterwards",
        async (_, verdict) => {
          const send = await publish.prepare(registry, lastVersion);
          registry.dynamo.judge = harm(isWrite, verdict, Number.POSITIVE_INFINITY).judge;
          await expectUnavailable(publish, await send());
          registry.dynamo.reset();
          expect(await publish.look(registry, lastVersion)).toBe("absent");
          expect(publish.published).toContain((await send()).status);
          expect(await publish.look(registry, lastVersion)).toBe("whole");
        },
      );

      test("can be repeated when DynamoDB commits and all its answers are lost", async () => {
        const send = await publish.prepare(registry, lastVersion);
        registry.dynamo.judge = harm(
          isCommit,
          { cutAfterBytes: 0 },
          Number.POSITIVE_INFINITY,
        ).judge;
        await expectUnavailable(publish, await send());
        registry.dynamo.reset();
        expect(await publish.look(registry, lastVersion)).toBe("whole");
        expect(publish.published).toContain((await send()).status);
      });
    });

    describe.each(PUBLISHES)("$protocol", (publish) => {
      const toS3 = ({ method }: Seen): boolean => method === "PUT" || method === "POST";

      test.each<[string, Verdict]>([
        ["asks for fewer requests", slowDown],
        ["closes the connection", "reset"],
        ["does not answer in time", "stall"],
      ])(
        "is unavailable and leaves nothing while S3 %s, and succeeds afterwards",
        async (_, verdict) => {
          const send = await publish.prepare(registry, lastVersion);
          const { judge, done } = harm(toS3, verdict, Number.POSITIVE_INFINITY);
          registry.s3.judge = judge;
          const answer = await send();
          expect(done.times).toBeGreaterThan(1);
          await expectUnavailable(publish, answer);
          registry.s3.reset();
          expect(await publish.look(registry, lastVersion)).toBe("absent");
          expect(publish.published).toContain((await send()).status);
          expect(await publish.look(registry, lastVersion)).toBe("whole");
        },
      );

      test("succeeds when S3 asks for fewer requests once", async () => {
        const send = await publish.prepare(registry, lastVersion);
        const { judge, done } = harm(toS3, slowDown, 1);
        registry.s3.judge = judge;
        expect(publish.published).toContain((await send()).status);
        expect(done.times).toBe(1);
        expect(await publish.look(registry, lastVersion)).toBe("whole");
      });
    });
  },
);
