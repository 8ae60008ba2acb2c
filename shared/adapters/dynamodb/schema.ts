/**
 * What the table looks like in DynamoDB; the stack that creates it in production imports this, so that
 * names are said once. Attributes of the port carry {@link ATTRIBUTE_PREFIX} and can never be one of these.
 */
export const PARTITION_KEY = "pk";
/** The table's sort key, a string. */
export const SORT_KEY = "sk";
/** The one global secondary index: sparse, all attributes projected. */
export const INDEX_NAME = "gsi1";
/** The index's partition key, a string. */
export const INDEX_PARTITION_KEY = "gsi1pk";
/** The index's sort key, a string. */
export const INDEX_SORT_KEY = "gsi1sk";
/** The TTL attribute, Unix seconds. DynamoDB removes expired items within days, so readers check it too. */
export const EXPIRY_ATTRIBUTE = "expiresAtSeconds";
/** Before the name of every attribute of the port. Not `_`, which would make `__proto__` of `_proto__`. */
export const ATTRIBUTE_PREFIX = "@";
/**
 * Documents above this are better kept in blob storage: a strong read costs a unit for every 4 KiB, and a partition
 * gives 3,000 units a second, which the metadata of one popular package with 1,000 versions (186 KB, 46 units) uses up
 * with 65 pulls. Three units cost as much as a GET of S3 and the time to wait for it (bench/scale.ts, docs/cost.md).
 */
export const PREFERRED_DOCUMENT_BYTES = 16 * 1024;
/**
 * Set to 0 by an update that sets nothing else. Without a SET, whether an update creates an absent item
 * depends on its other clauses; with it, it always does.
 */
export const MARKER_ATTRIBUTE = "u";
