import * as z from "zod";

const text = z.string().optional().catch(undefined);
const texts = z.array(z.string()).catch([]);
/** Sets are written as objects of empty objects. */
const names = z
  .record(z.string(), z.unknown())
  .transform((set) => Object.keys(set))
  .catch([]);

const schema = z.object({
  created: text,
  author: text,
  architecture: text,
  os: text,
  variant: text,
  "os.version": text,
  config: z
    .object({
      User: text,
      Entrypoint: texts,
      Cmd: texts,
      Env: texts,
      WorkingDir: text,
      StopSignal: text,
      Labels: z.record(z.string(), z.string()).catch({}),
      ExposedPorts: names,
      Volumes: names,
    })
    .optional()
    .catch(undefined),
  history: z
    .array(
      z
        .object({ created_by: text, empty_layer: z.boolean().optional().catch(undefined) })
        .catch({}),
    )
    .catch([]),
});

/** What an image says of itself, as far as it could be understood. */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly os?: string;
  readonly osVersion?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly user?: string;
  readonly workingDir?: string;
  readonly stopSignal?: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Such as `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
}

export interface ParsedConfig {
  readonly config: ImageConfig;
  /** What made each layer, in their order; empty where the image does not say. */
  readonly layerCommands: readonly string[];
}

/**
 * Reads the config of an image: https://github.com/opencontainers/image-spec/blob/main/config.md. Registries never
 * look into it, so a field that is not what it should be counts as absent.
 *
 * @throws {SyntaxError} for what is no JSON object.
 */
export function parseImageConfig(bytes: Uint8Array): ParsedConfig {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new SyntaxError("it is not a JSON object");
  const { config, history, "os.version": osVersion, ...own } = parsed.data;
  const found = {
    created: own.created,
    author: own.author,
    os: own.os,
    osVersion,
    architecture: own.architecture,
    variant: own.variant,
    user: config?.User,
    workingDir: config?.WorkingDir,
    stopSignal: config?.StopSignal,
  };
  const layers = history.filter(({ empty_layer: isEmpty }) => isEmpty !== true);
  return {
    config: {
      ...withoutEmpty(found),
      entrypoint: config?.Entrypoint ?? [],
      command: config?.Cmd ?? [],
      env: config?.Env ?? [],
      labels: config?.Labels ?? {},
      exposedPorts: config?.ExposedPorts ?? [],
      volumes: config?.Volumes ?? [],
    },
    layerCommands: layers.map(({ created_by: command }) => command ?? ""),
  };
}

function withoutEmpty<Name extends string>(
  fields: Readonly<Record<Name, string | undefined>>,
): Partial<Record<Name, string>>;
function withoutEmpty(fields: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ""),
  );
}
