/** Names that the distribution and the functions in front of it share. */
export const API_ORIGIN = "api";
export const UPLOADS_ORIGIN = "uploads";
export const INGEST_ORIGIN = "ingest";

/** Uploads on which the edge decides; `*` spans slashes, and image names have some. */
export const UPLOAD_PATTERN = "/v2/*/blobs/uploads/*";

/** The KeyValueStore's two keys: each generation of the ticket key has its slot, the next one the other. */
export const TICKET_SLOTS = ["ticket-key-0", "ticket-key-1"] as const;

/** The slot of a generation. */
export function ticketSlot(generation: number): (typeof TICKET_SLOTS)[number] {
  return TICKET_SLOTS[generation % 2 === 0 ? 0 : 1];
}

/** What the viewer request function tells the viewer response function; never taken from a client. */
export const LOCATION_HEADER = "x-entrepot-location";
