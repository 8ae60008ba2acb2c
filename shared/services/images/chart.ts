import * as z from "zod";
import { UnsupportedError } from "../../errors.ts";
import type { Version } from "../../domain/package.ts";
import { BlobsUnavailableError } from "../../ports/blobs.ts";
import { type ImageBlobs, UnreadableError } from "./image-blobs.ts";
import { imageMetadataOf, kindOf } from "./image-metadata.ts";
import { BudgetExceededError, ReadBudget } from "./read-budget.ts";
import { readTar, type EntryBytes } from "./read-tar.ts";

const text = z.string().catch("");
const texts = z.array(z.string()).catch([]);
const maintainer = z.object({ name: text, email: text, url: text });
const dependency = z.object({ name: text, version: text, repository: text, condition: text });

/** https://helm.sh/docs/topics/charts/#the-chartyaml-file */
const fields = z.object({
  apiVersion: text,
  name: text,
  version: text,
  appVersion: text,
  kubeVersion: text,
  type: text,
  description: text,
  home: text,
  icon: text,
  deprecated: z.boolean().catch(false),
  keywords: texts,
  sources: texts,
  maintainers: z.array(maintainer).catch([]),
  dependencies: z.array(dependency).catch([]),
  annotations: z.record(z.string(), z.string()).catch({}),
});

/** The fields of a Chart.yaml; what it does not say is empty. */
export type ChartFields = z.infer<typeof fields>;

export interface ChartDetails {
  readonly chart: ChartFields;
  /** Text of the README; empty without one. */
  readonly readme: string;
  /** Text of values.yaml; empty without one. */
  readonly values: string;
  /** Sentences on what could not be read. */
  readonly problems: readonly string[];
}

/** https://helm.sh/docs/topics/registries/#helm-chart-manifest */
const CONTENT = /^application\/(?:vnd\.cncf\.helm\.chart\.content\.v1\.tar\+gzip|tar\+gzip)$/;
const MAX_TEXT_BYTES = 256 * 1024;
const LIMITS = {
  maxEntries: 10_000,
  maxPathCharacters: 1_000_000,
  maxBytes: 128 * 1024 * 1024,
  maxMs: 10_000,
};

/**
 * What a Helm chart says of itself. The fields come from the config, into which `helm push` writes the chart's
 * Chart.yaml as JSON, the texts from the chart's archive. The caller has checked that the version may be read.
 *
 * @throws {UnsupportedError} for what is no chart.
 */
export async function readChart(blobs: ImageBlobs, version: Version): Promise<ChartDetails> {
  const metadata = imageMetadataOf(version);
  const { config, layers } = metadata;
  if (config === undefined || kindOf(metadata) !== "chart") {
    throw new UnsupportedError("This version is no Helm chart.");
  }
  const problems: string[] = [];
  const attempt = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (error instanceof BlobsUnavailableError) throw error;
      problems.push(wordsOf(error));
      return undefined;
    }
  };
  const chart = await attempt(() => blobs.readConfig(version, config, parseFields));
  const archive = layers.find(({ mediaType }) => CONTENT.test(mediaType));
  const texts =
    archive === undefined
      ? undefined
      : await attempt(async () => readTexts(await blobs.open(version, archive.digest)));
  return {
    chart: chart ?? fields.parse({}),
    readme: texts?.get("readme.md") ?? "",
    values: texts?.get("values.yaml") ?? "",
    problems,
  };
}

function parseFields(bytes: Uint8Array): ChartFields {
  const parsed = fields.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (parsed.success) return parsed.data;
  throw new SyntaxError("it is not a JSON object");
}

/** README.md and values.yaml of the chart itself, not of the charts inside it, by name in lower case. */
async function readTexts(
  stream: Parameters<typeof readTar>[0],
): Promise<ReadonlyMap<string, string>> {
  const budget = new ReadBudget(LIMITS);
  const found = new Map<string, Uint8Array[]>();
  await readTar(stream, budget, {
    enter: ({ name, size, type }, bytes) => {
      budget.countEntry(name);
      const file = /^(?:\.\/)?[^/]+\/(readme\.md|values\.yaml)$/i.exec(name)?.[1]?.toLowerCase();
      if (file === undefined || type !== "file" || (size ?? 0) > MAX_TEXT_BYTES) return;
      found.set(file, gather(bytes));
    },
    leave: () => {},
  });
  const decoder = new TextDecoder();
  return new Map([...found].map(([name, chunks]) => [name, decoder.decode(Buffer.concat(chunks))]));
}

function gather(bytes: EntryBytes): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  bytes.on("data", (chunk) => {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  });
  return chunks;
}

function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const isKnown = error instanceof BudgetExceededError || error instanceof UnreadableError;
  return isKnown ? message : `The chart's archive is damaged (${message}).`;
}
