import type { Context } from "hono";
import { DIGEST_HEX_LENGTH } from "../../../shared/domain/digest.ts";
import { ChecksumMismatchError, InvalidInputError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { readUploadForm, type UploadField, type UploadForm } from "../intake/upload-form.ts";
import { parseDistributionName, parseProjectName } from "../names.ts";
import { publish } from "../publication.ts";
import { openRegistry } from "../target.ts";
import { compareVersions, parseVersion } from "../versions.ts";

const KINDS: ReadonlyMap<string, "wheel" | "sdist"> = new Map([
  ["bdist_wheel", "wheel"],
  ["sdist", "sdist"],
]);

/** `POST` of a form with one distribution: 200, also when the same bytes were published before. */
export async function uploadFile(c: Context<AppEnv>, services: Services): Promise<Response> {
  const grant = await openRegistry(c, services, "packages:write");
  const form = await readUploadForm(
    c.req.raw,
    services.stores.blobs,
    grant.registry.policies.maxFileBytes,
  );
  const { checked, intake } = form;
  try {
    const project = requireForm(form);
    await publish(services, grant, {
      project,
      fileName: intake.fileName,
      checked,
      attestations: form.fields.get("attestations") ?? "",
      store: () => intake.commit(),
    });
  } finally {
    // Nothing after a publish; whatever was not published goes.
    await intake.discard();
  }
  return c.text("", 200);
}

/** The normalised project of a form whose words fit its file. @throws {InvalidInputError} | {@link ChecksumMismatchError} */
function requireForm({ fields, intake, checked }: UploadForm): string {
  const action = fields.get(":action") ?? "";
  if (action !== "file_upload") {
    throw badField(":action", `"${action.slice(0, 40)}" is not served; send "file_upload"`);
  }
  const protocol = fields.get("protocol_version") ?? "1";
  if (protocol !== "1") throw badField("protocol_version", "it must be 1");
  const project = parseProjectName(required(fields, "name"));
  const version = parseVersion(required(fields, "version"));
  const file = parseDistributionName(intake.fileName, project);
  if (compareVersions(file.version, version) !== 0) {
    throw badField("version", `it is ${version}, but the file is of ${file.version}`);
  }
  const fileType = fields.get("filetype") ?? "";
  if (KINDS.get(fileType) !== file.kind) {
    throw badField("filetype", `"${fileType.slice(0, 40)}" is not what the file's name says`);
  }
  requireDigest("md5_digest", fields, DIGEST_HEX_LENGTH.md5, checked.digests.md5);
  requireDigest("sha256_digest", fields, DIGEST_HEX_LENGTH.sha256, checked.digests.sha256);
  requireDigest("blake2_256_digest", fields, DIGEST_HEX_LENGTH.sha256, checked.blake2b256);
  return project;
}

function required(fields: UploadForm["fields"], field: UploadField): string {
  const value = fields.get(field) ?? "";
  if (value === "") throw badField(field, "it is missing");
  return value;
}

/** Digests are hexadecimal; twine leaves out what its Python cannot compute. */
function requireDigest(
  field: UploadField,
  fields: UploadForm["fields"],
  length: number,
  actual: string,
): void {
  const announced = (fields.get(field) ?? "").toLowerCase();
  if (announced === "") return;
  if (announced.length !== length || !/^[0-9a-f]+$/.test(announced)) {
    throw badField(field, "it is not a digest in hexadecimal");
  }
  if (announced !== actual) {
    throw new ChecksumMismatchError(
      `The file does not have its ${field}: ${announced} was announced, ${actual} arrived. Send it again.`,
    );
  }
}

const badField = (field: UploadField, problem: string): InvalidInputError =>
  new InvalidInputError(`The field "${field}" of the upload cannot be right: ${problem}.`, [
    { at: field, problem },
  ]);
