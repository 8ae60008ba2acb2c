import { expect } from "vitest";
import { Repository } from "../../protocol/oci/builders.ts";
import { buildTarball, packagePath, publishBody } from "../../support/npm-package.ts";
import type { TestRegistry } from "../../support/services.ts";

/** A client's way of publishing something, and of seeing whether it is there. */
export interface Publish {
  readonly protocol: string;
  /** What does not belong to the publish itself (layers), while nothing fails; then the publish as often as it is called. */
  prepare(registry: TestRegistry, version: number): Promise<() => Promise<Response>>;
  /** Statuses of a publish that succeeded, and of one whose first answer was lost. */
  readonly published: readonly number[];
  /** Whether what was published is there, whole: `absent` and `whole` are the only good answers. */
  look(registry: TestRegistry, version: number): Promise<"absent" | "whole" | "half">;
  /** The words of a failure in the protocol's own shape. */
  problem(body: string): unknown;
}

const NPM_SESSION = "the-same-run-of-npm";

const npm: Publish = {
  protocol: "npm",
  prepare: async (registry, version) => {
    const options = { name: "left-pad", version: `1.0.${version}` };
    const body = JSON.stringify(publishBody(options, await buildTarball(options)));
    const headers = { "content-type": "application/json", "npm-session": NPM_SESSION };
    return () =>
      registry.request(packagePath("node", "left-pad"), { method: "PUT", headers, body });
  },
  published: [200, 201],
  look: async (registry, version) => {
    const packument = await registry.request(packagePath("node", "left-pad"));
    const listed = (await packument.text()).includes(`"1.0.${version}"`);
    const file = await registry.request(`/npm/node/left-pad/-/left-pad-1.0.${version}.tgz`);
    await file.body?.cancel();
    return verdict(listed, file.status === 200);
  },
  problem: (body) => JSON.parse(body).error,
};

const generic: Publish = {
  protocol: "generic",
  prepare: async (registry, version) => () =>
    registry.request(`/generic/files/tool/1.0.${version}/tool.bin`, {
      method: "PUT",
      body: `bytes of ${version}`,
    }),
  published: [200, 201],
  look: async (registry, version) => {
    const list = await registry.request(`/generic/files/tool/1.0.${version}/`);
    const listed = (await list.text()).includes("tool.bin");
    const file = await registry.request(`/generic/files/tool/1.0.${version}/tool.bin`);
    const whole = file.status === 200 && (await file.text()) === `bytes of ${version}`;
    return verdict(listed, whole);
  },
  problem: (body) => JSON.parse(body).detail,
};

const oci: Publish = {
  protocol: "oci",
  prepare: async (registry, version) => {
    const repository = new Repository(registry, "images/app");
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const config = await repository.pushBlob(`{"version":${version}}`);
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: config.digest,
        size: config.bytes.length,
      },
      layers: [],
      // Too large for its row, so that its bytes go to the store of blobs as those of the others do.
      annotations: { filler: "x".repeat(80_000) },
    };
    return () => repository.putManifest(`1.0.${version}`, manifest, mediaType);
  },
  published: [201],
  look: async (registry, version) => {
    const repository = new Repository(registry, "images/app");
    const tags = await repository.send("tags/list");
    const listed = (await tags.text()).includes(`"1.0.${version}"`);
    return verdict(listed, (await repository.status(`manifests/1.0.${version}`)) === 200);
  },
  problem: (body) => JSON.parse(body).errors[0].message,
};

export const PUBLISHES: readonly Publish[] = [npm, generic, oci];

function verdict(listed: boolean, served: boolean): "absent" | "whole" | "half" {
  if (listed !== served) return "half";
  return served ? "whole" : "absent";
}

/** A publish failed as it should: 503 with a time to come back, in the protocol's own words. */
export async function expectUnavailable(publish: Publish, answer: Response): Promise<void> {
  const body = await answer.text();
  expect([answer.status, body]).toEqual([503, body]);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(publish.problem(body)).toMatch(/Storage does not answer|try again|send them again/);
}
