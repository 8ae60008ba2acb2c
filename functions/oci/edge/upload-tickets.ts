import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { NotFoundError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { SessionTicket } from "../../../shared/services/upload-sessions.ts";
import type { PackageRef } from "../../../shared/services/blob-links.ts";
import { ticketMessage } from "./decision.ts";

/** Shorter than what blob storage keeps of unfinished uploads (24 h), longer than a slow push of a large layer. */
const SESSION_SECONDS = 12 * 3600;
const PURPOSE = "oci-upload-ticket";
/** The stage of a session that has bytes already: from here on every request is the function's. */
const CONTINUED = "-";

const TICKET = /^([A-Za-z0-9_-]{1,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Signs what {@link ticketMessage} gives, as the edge does. */
export async function signTicket(services: Services, message: string): Promise<string> {
  return Buffer.from(await services.stores.keys.mac(PURPOSE, message)).toString("base64url");
}

/** What scopes direct uploads to a repository; differs for a registry of the same slug that comes later. */
export function stageOf({ registryId, packageName }: PackageRef): string {
  return createHash("sha256")
    .update(`${registryId}#${packageName}`)
    .digest("base64url")
    .slice(0, 27);
}

/** Where a new session is, relative: every client stays on the host that it knows. */
export async function newUploadLocation(
  services: Services,
  name: string,
  ref: PackageRef,
): Promise<{ readonly id: string; readonly location: string }> {
  const id = randomUUID();
  const expiresAt = Math.floor(services.stores.now() / 1000) + SESSION_SECONDS;
  return { id, location: await locationOf(services, name, id, stageOf(ref), String(expiresAt)) };
}

/** Where a session that has bytes goes on. */
export async function continuedLocation(
  services: Services,
  name: string,
  ticket: SessionTicket,
): Promise<string> {
  const expiresAt = String(Math.floor(ticket.expiresAtMs / 1000));
  return locationOf(services, name, ticket.id, CONTINUED, expiresAt);
}

/** The session that a URL names. @throws {NotFoundError} unless its ticket is ours, for this repository, and fresh enough. */
export async function verifyTicket(
  services: Services,
  request: { readonly name: string; readonly id: string; readonly text: string },
  ref: PackageRef,
): Promise<SessionTicket> {
  const { name, id, text } = request;
  const [, stage = "", expiresAt = "", given = ""] = TICKET.exec(text) ?? [];
  const isPossible = UUID.test(id) && (stage === CONTINUED || stage === stageOf(ref));
  const expected = await signTicket(services, ticketMessage(pathOf(name, id), stage, expiresAt));
  const isOurs =
    given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
  const expiresAtMs = Number(expiresAt) * 1000;
  if (!isPossible || !isOurs || expiresAtMs <= services.stores.now()) {
    throw new NotFoundError("upload", id.slice(0, 64));
  }
  return { ...ref, id, expiresAtMs };
}

const pathOf = (name: string, id: string): string => `/v2/${name}/blobs/uploads/${id}`;

async function locationOf(
  services: Services,
  name: string,
  id: string,
  stage: string,
  expiresAt: string,
): Promise<string> {
  const path = pathOf(name, id);
  const mac = await signTicket(services, ticketMessage(path, stage, expiresAt));
  return `${path}?t=${stage}.${expiresAt}.${mac}`;
}
