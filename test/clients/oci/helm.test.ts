import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "../../support/programs.ts";
import type { Visibility } from "./registry.ts";
import { type Session, useSession } from "./session.ts";

const HTTP = "--plain-http";

describeWith("helm", "helm", (program) => {
  const current = useSession(program);

  for (const visibility of ["private", "public"] as const) {
    test(`pushes a chart to a ${visibility} registry, pulls it, and renders it`, async () => {
      const { client } = current();
      const charts = await pushChart(current(), visibility, ["1.2.3"]);
      await mkdir(join(client.folder, visibility), { recursive: true });
      const version = ["--version", "1.2.3"];
      await client.succeed(["pull", HTTP, `${charts}/demo`, ...version, "-d", visibility]);
      expect(await readFile(join(client.folder, visibility, "demo-1.2.3.tgz"))).toEqual(
        await readFile(join(client.folder, "demo-1.2.3.tgz")),
      );
      const shown = await client.succeed(["show", "chart", HTTP, `${charts}/demo`, ...version]);
      expect(shown).toContain("description: A chart for a test");
      // `install --dry-run` asks a cluster for its version even on the client's side, and there is none here.
      const rendered = await client.succeed([
        "template",
        "release-name",
        HTTP,
        `${charts}/demo`,
        ...version,
      ]);
      expect(rendered).toContain("name: release-name-settings");
    });
  }

  test("finds the newest version in a range by the tags, and takes + for _ in versions", async () => {
    const { registry, client } = current();
    const charts = await pushChart(current(), "private", ["2.0.0", "2.1.0", "3.0.0+build.7"]);
    const [two, three] = ["~2", "3.0.0+build.7"];
    const newest = await client.succeed([
      "show",
      "chart",
      HTTP,
      `${charts}/demo`,
      "--version",
      two,
    ]);
    expect(newest).toContain("version: 2.1.0");
    const built = await client.succeed([
      "show",
      "chart",
      HTTP,
      `${charts}/demo`,
      "--version",
      three,
    ]);
    expect(built).toContain("version: 3.0.0+build.7");
    const name = registry.repository("private", "charts/demo");
    const answer = await registry.request(name, "manifests/3.0.0_build.7", {
      method: "HEAD",
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    expect(answer.status).toBe(200);
  });

  test("pulls from a public registry without a login, and not from a private one", async () => {
    for (const visibility of ["public", "private"] as const) {
      const charts = await pushChart(current(), visibility, ["4.0.0"]);
      const stranger = await current().anonymous();
      const args = ["pull", HTTP, `${charts}/demo`, "--version", "4.0.0"];
      const { code, stderr } = await stranger.run(args);
      if (visibility === "public") expect(code).toBe(0);
      else {
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/unauthori[sz]ed|401|denied|basic credential not found/i);
      }
    }
  });

  test("logs in and out, and not with a wrong password", async () => {
    const { registry, client } = current();
    await login(current(), "private");
    await client.succeed(["registry", "logout", registry.host("private")]);
    const args = ["registry", "login", HTTP, "-u", registry.user, "--password-stdin"];
    const { code } = await client.run([...args, registry.host("private")], "wrong\n");
    expect(code).not.toBe(0);
  });
});

async function login({ registry, client }: Session, visibility: Visibility): Promise<void> {
  const args = ["registry", "login", HTTP, "-u", registry.user, "--password-stdin"];
  await client.succeed([...args, registry.host(visibility)], `${registry.password}\n`);
}

/** Pushes versions of the chart `demo`, logged in. Gives the URL of its folder. */
async function pushChart(
  session: Session,
  visibility: Visibility,
  versions: readonly string[],
): Promise<string> {
  await login(session, visibility);
  const { registry, client } = session;
  const chart = join(client.folder, "demo");
  await mkdir(join(chart, "templates"), { recursive: true });
  await writeFile(join(chart, "values.yaml"), "colour: green\n");
  await writeFile(
    join(chart, "templates", "settings.yaml"),
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-settings\ndata:\n  colour: {{ .Values.colour }}\n",
  );
  const charts = `oci://${registry.repository(visibility, "charts")}`;
  for (const version of versions) {
    await writeFile(
      join(chart, "Chart.yaml"),
      `apiVersion: v2\nname: demo\nversion: ${version}\ndescription: A chart for a test\n`,
    );
    await client.succeed(["package", chart]);
    await client.succeed(["push", HTTP, `demo-${version}.tgz`, charts]);
  }
  return charts;
}
