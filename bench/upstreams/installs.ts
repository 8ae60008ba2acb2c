import { NPM_APPLICATION } from "../../test/support/npm-application.ts";
import { run, secondsInFolder, secondsOfNpmInstall } from "../installs.ts";
import type { Source } from "./servers.ts";

const PYTHON_REQUIREMENTS = ["numpy", "pandas", "scipy", "matplotlib", "scikit-learn", "requests"];

/** Installs once with empty caches; gives the seconds it took. */
export type Install = (source: Source) => Promise<number>;

/** `npm install` without a lock file: documents and tarballs of every package. */
export const npmInstall: Install = (source) => secondsOfNpmInstall(source, NPM_APPLICATION);

/** `pip download` of a scientific stack: the resolver, metadata and wheels, without what pip does with them. */
export const pipDownload: Install = (source) =>
  secondsInFolder(async (folder) => {
    const url = new URL(source.url);
    if (source.token !== "") {
      url.username = "__token__";
      url.password = source.token;
    }
    const args = ["download", "--no-cache-dir", "--only-binary", ":all:", "-q", "-d", folder];
    await run(
      ["pip", ...args, "-i", url.href, "--trusted-host", url.hostname, ...PYTHON_REQUIREMENTS],
      folder,
      { PIP_CONFIG_FILE: process.env["PIP_CONFIG_FILE"] ?? "" },
    );
  });
