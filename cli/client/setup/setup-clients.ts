import { GENERIC_CLIENTS } from "./generic-clients.ts";
import { MAVEN_CLIENTS } from "./maven-clients.ts";
import { NPM_CLIENTS } from "./npm-clients.ts";
import { OCI_CLIENTS } from "./oci-clients.ts";
import { PYPI_CLIENTS } from "./pypi-clients.ts";

/** What a client's configuration is made of. */
export interface SetupInput {
  /** Of the server, without a slash at the end. */
  readonly url: string;
  readonly registry: string;
  readonly isPublic: boolean;
  /** Composites and proxies stand in the place of public registries, sources beside them. */
  readonly isSource: boolean;
  /** What publishes is left out where it cannot work. */
  readonly takesPackages: boolean;
  /** Absent: a placeholder stands in its place, which the client fills from the environment where it can. */
  readonly token?: string;
}

export interface SetupStep {
  /** What to do with the text: a sentence. */
  readonly title: string;
  /** Where it belongs; absent for commands to run. */
  readonly file?: string;
  readonly text: string;
  /** It is of no use where nothing can be published. */
  readonly publishes?: boolean;
}

export interface SetupClient {
  readonly name: string;
  readonly description: string;
  readonly steps: (input: SetupInput) => readonly SetupStep[];
}

const CLIENTS: Readonly<Record<string, readonly SetupClient[]>> = {
  generic: GENERIC_CLIENTS,
  maven: MAVEN_CLIENTS,
  npm: NPM_CLIENTS,
  oci: OCI_CLIENTS,
  pypi: PYPI_CLIENTS,
};

/** The clients of an ecosystem that can be configured; empty for one that this version does not know. */
export function setupClients(ecosystem: string): readonly SetupClient[] {
  return Object.hasOwn(CLIENTS, ecosystem) ? (CLIENTS[ecosystem] ?? []) : [];
}
