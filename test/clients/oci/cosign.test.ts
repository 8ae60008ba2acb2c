import { expect, test } from "vitest";
import * as z from "zod";
import { buildImage, writeLayout } from "../../support/oci-image.ts";
import { describeWith, programPath } from "../../support/programs.ts";
import { Client } from "./client.ts";
import type { Visibility } from "./registry.ts";
import { type Session, useSession } from "./session.ts";

/** Nothing of the public infrastructure: no transparency log, no signing configuration fetched for it. */
const LOCAL = ["--key", "cosign.key", "--tlog-upload=false", "--use-signing-config=false", "--yes"];
const VERIFY = ["--key", "cosign.pub", "--insecure-ignore-tlog=true"];
const HTTP = "--allow-http-registry";

const referrers = z.object({ manifests: z.array(z.object({ artifactType: z.string() })) });

describeWith("cosign", "cosign", (program) => {
  const current = useSession(program, { COSIGN_PASSWORD: "the password of a key" });

  for (const visibility of ["private", "public"] as const) {
    test(`signs an image in a ${visibility} registry with a local key, and verifies it`, async () => {
      const { client, registry } = current();
      const reference = await pushImage(current(), visibility, "signed");
      await createKey(client);
      await client.succeed(["sign", ...LOCAL, HTTP, reference]);
      const verified = await client.succeed(["verify", ...VERIFY, HTTP, reference]);
      expect(verified).toContain(reference.slice(reference.indexOf("@") + 1));
      if (registry.server !== undefined) {
        const digest = reference.slice(reference.indexOf("@") + 1);
        const name = registry.repository(visibility, "signed");
        const answer = await registry.request(name, `referrers/${digest}`);
        const { manifests } = referrers.parse(await answer.json());
        expect(manifests.map(({ artifactType }) => artifactType)).toEqual([
          "application/vnd.dev.sigstore.bundle.v0.3+json",
        ]);
      }
    });
  }

  test("does not verify an image that nobody signed", async () => {
    const { client } = current();
    const reference = await pushImage(current(), "private", "unsigned");
    await createKey(client);
    expect((await client.run(["verify", ...VERIFY, HTTP, reference])).code).not.toBe(0);
  });
});

async function createKey(client: Client): Promise<void> {
  // Asks before it overwrites a key that is there; that is no reason to fail.
  await client.run(["generate-key-pair"]);
}

/** Pushes an image with crane, logged in, whose login cosign reads as well. Gives its reference by digest. */
async function pushImage(session: Session, visibility: Visibility, name: string): Promise<string> {
  const { registry, client, path } = session;
  const crane = programPath("crane");
  if (crane === undefined) throw new Error("crane is missing, which pushes what cosign signs");
  const pusher = await Client.create(crane, client.folder);
  const password = ["-u", registry.user, "-p", registry.password];
  await pusher.succeed(["auth", "login", registry.host(visibility), ...password]);
  const image = await buildImage({ labels: { test: `${name} ${visibility}` } });
  const layout = path(`${name}-${visibility}`);
  await writeLayout(layout, image, "v1");
  const repository = registry.repository(visibility, name);
  await pusher.succeed(["push", layout, `${repository}:v1`]);
  return `${repository}@${image.descriptor.digest}`;
}
