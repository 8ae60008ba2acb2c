import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { NotFoundError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { SessionTicket } from "../../../shared/services/upload-sessions.ts";
import type { PackageRef } from "../../../shared/services/blob-links.ts";
import { ticketMessage } from "./decision.ts";

/** Shorter than what blob storage keeps of unfinished uploads (24 h), longer than a slow push of a large layer. */
const SESSION_SECONDS = 12 * 3600;
/** The stage of a session that has bytes already: from here on every request is the function's. */
const CONTINUED = "-";

const TICKET = /^([A-Za-z0-9_-]{1,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The purpose for which `Keys` makes the key of a generation; the edge is given that key. */
export function ticketPurpose(generation: number): string {
  return generation === 1 ? "oci-upload-ticket" : `oci-upload-ticket-${generation}`;
}

/** Signs what {@link ticketMessage} gives, as the edge does; with the key of today unless another is named. */
export async function signTicket(
  services: Services,
  message: string,
  generation = currentGeneration(services),
): Promise<string> {
  const mac = await services.stores.keys.mac(ticketPurpose(generation), message);
  return Buffer.from(mac).toString("base64url");
}

const currentGeneration = (services: Services): number => services.options.ticketGeneration ?? 1;

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
  const message = ticketMessage(pathOf(name, id), stage, expiresAt);
  const isOurs = await isSigned(services, message, given);
  const expiresAtMs = Number(expiresAt) * 1000;
  if (!isPossible || !isOurs || expiresAtMs <= services.stores.now()) {
    throw new NotFoundError("upload", id.slice(0, 64));
  }
  return { ...ref, id, expiresAtMs };
}

/** By the key of today or the one before it, with which uploads may still be under way. */
async function isSigned(services: Services, message: string, given: string): Promise<boolean> {
  const current = currentGeneration(services);
  for (const generation of current === 1 ? [1] : [current, current - 1]) {
    const expected = Buffer.from(await signTicket(services, message, generation));
    const isSame =
      given.length === expected.length && timingSafeEqual(Buffer.from(given), expected);
    if (isSame) return true;
  }
  return false;
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
