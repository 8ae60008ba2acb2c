/**
 * Says in the answer that begins an upload how many bytes a request to its Location may have, where nothing takes
 * more: whoever has more announces the blob at the management API (`POST /api/v1/uploads`). Ours; clients of the
 * Distribution Specification do not know it.
 */
export const UPLOAD_LIMIT_HEADER = "entrepot-upload-limit";
