import { expect, test } from "vitest";
import { openPypiRegistry } from "./pypi-registry.ts";

/** twine, uv and the publish action drop the upload URL's path; nothing stops others from keeping it. */
const ROOTS = ["", "/pypi/py", "/pypi/py/legacy"];

test.each(ROOTS)(
  "at %s/_/oidc anybody learns the audience, a private registry or not",
  async (root) => {
    await using pypi = await openPypiRegistry();
    const answer = await pypi.test.request(`${root}/_/oidc/audience`, { token: null });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ audience: "registry.test" });
  },
);

test.each(ROOTS)(
  "at %s/_/oidc no token is minted, in the words that clients print",
  async (root) => {
    await using pypi = await openPypiRegistry();
    const answer = await pypi.test.request(`${root}/_/oidc/mint-token`, {
      method: "POST",
      token: null,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: "e30.e30.x" }),
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({
      message: "Token request failed",
      errors: [{ code: "not-enabled", description: expect.stringContaining("API token") }],
    });
  },
);
