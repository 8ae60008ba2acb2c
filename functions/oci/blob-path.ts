/** Under which path a blob is announced as an upload of the management API, by its digest (`sha256:<hex>`). */
export const blobPath = (digest: string): string => `blobs/${digest}`;
