import { expect, test } from "vitest";
import { ConditionFailedError } from "../../../shared/ports/table.ts";
import { replaceVersionOp, toVersion, versionKey } from "../../../shared/records/versions.ts";
import { openTestRegistry } from "../../support/services.ts";

test("a version that got another file since it was read is not replaced, and its count not lost", async () => {
  const registry = await openTestRegistry();
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
  const put = (path: string) =>
    registry.request(`/generic/files/tool/1.0.0/${path}`, { method: "PUT", body: "content" });
  const { table } = registry.stores;
  const { id } = Object(await (await registry.request("/api/v1/registries/files")).json());
  const read = async () => {
    const item = await table.get(versionKey(id, "tool", "1.0.0"));
    if (item === undefined) throw new Error("the version is missing");
    return toVersion(item);
  };
  await put("a");
  const before = await read();
  await put("b");
  const deprecated = { ...before, state: "deprecated" as const };
  const replacing = table.write([replaceVersionOp(deprecated, before)]);
  await expect(replacing).rejects.toThrow(ConditionFailedError);
  const now = await read();
  await table.write([replaceVersionOp({ ...now, state: "deprecated" }, now)]);
  expect(await read()).toMatchObject({ state: "deprecated", fileCount: 2, sizeBytes: 14 });
  await registry.close();
});
