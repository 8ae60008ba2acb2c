import { spawnSync } from "node:child_process";

/** Dependencies of an application of the usual tools: some 570 packages of the public registry. */
export const NPM_APPLICATION = {
  "@babel/core": "^7",
  "@babel/preset-env": "^7",
  axios: "^1",
  eslint: "^8",
  express: "^4",
  jest: "^29",
  react: "^18",
  "react-dom": "^18",
  typescript: "^5",
  webpack: "^5",
  "webpack-cli": "^5",
};

/** What npm on this machine installs from, without a slash at its end: the public registry, or a mirror of it. */
export function npmRegistryHere(): string {
  const { stdout } = spawnSync("npm", ["config", "get", "registry"], { encoding: "utf8" });
  return stdout.trim().replace(/\/$/, "");
}
