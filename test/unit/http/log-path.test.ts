import { expect, test } from "vitest";
import { logPath } from "../../../shared/http/log-path.ts";

test.each([
  ["/npm/js/-/user/token/ep_st_abc_def", "/npm/js/-/user/token/…"],
  ["/npm/js/-/npm/v1/tokens/token/ep_at_abc_def", "/npm/js/-/npm/v1/tokens/token/…"],
  ["/npm/js/-/v1/done/secret", "/npm/js/-/v1/done/…"],
  ["/npm/js/-/v1/login/code", "/npm/js/-/v1/login/…"],
  ["/npm/js/-/v1/login", "/npm/js/-/v1/login"],
  ["/npm/js/@acme%2fpad/-/pad-1.0.0.tgz", "/npm/js/@acme%2fpad/-/pad-1.0.0.tgz"],
])("%s is logged as %s", (path, logged) => {
  expect(logPath(path)).toBe(logged);
});
