import * as z from "zod";
import { AUDIT_ACTIONS, type RegistryEvent } from "../../shared/domain/audit.ts";

/** An event as it lies in a queue: its fields as JSON. */
const schema = z.object({
  id: z.string().min(1),
  atMs: z.number(),
  action: z.enum(AUDIT_ACTIONS),
  actor: z.string(),
  tokenId: z.string(),
  address: z.string(),
  requestId: z.string(),
  registry: z.string(),
  package: z.string(),
  version: z.string(),
  detail: z.string(),
  registryId: z.string(),
});

/** The message that carries an event. */
export function toMessage(event: RegistryEvent): string {
  return JSON.stringify(event);
}

/** The event that a message carries. @throws {Error} for what {@link toMessage} did not write. */
export function fromMessage(message: string): RegistryEvent {
  return schema.parse(JSON.parse(message));
}
