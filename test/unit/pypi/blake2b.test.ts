import { expect, test } from "vitest";
import { startBlake2b256 } from "../../../functions/pypi/intake/distribution-intake.ts";

const ascending = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, position) => position % 251);

/** By Python's `hashlib.blake2b(…, digest_size=32)`. */
test.each([
  [0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"],
  [1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"],
  [128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"],
  [129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"],
  [1000, "b372d0608f720c8c3dd41e9c8eecb10143b41abe520b616607e754bf79c08331"],
  [65536, "e4f2b5871e75b1993cd3cd4663ca4879794dbe50152c522dcbc66ee1bfecffa6"],
])("%i bytes have the digest that Python computes", async (length, digest) => {
  const bytes = ascending(length);
  expect((await startBlake2b256()).update(bytes).digest()).toBe(digest);
  const hash = await startBlake2b256();
  for (let at = 0; at < length; at += 37) hash.update(bytes.subarray(at, at + 37));
  expect(hash.digest()).toBe(digest);
});
