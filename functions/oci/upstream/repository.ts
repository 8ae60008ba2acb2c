import type { Upstream } from "../../../shared/domain/upstream.ts";

const DOCKER_HUB = ["registry-1.docker.io", "index.docker.io", "docker.io"];

/** Docker Hub, or what was configured under its key to stand for it. */
const isDockerHub = ({ key, url }: Upstream): boolean =>
  key === "docker-hub" || DOCKER_HUB.includes(new URL(url).hostname);

/**
 * What an upstream calls an image; its copies are kept under this name. On Docker Hub names of one component stand for
 * official images, as docker itself has it: https://github.com/distribution/reference/blob/main/normalize.go
 */
export function repositoryOf(upstream: Upstream, image: string): string {
  return isDockerHub(upstream) && !image.includes("/") ? `library/${image}` : image;
}

/** All names by which an image of an upstream can be asked for: what is said of one holds for the others. */
export function namesOf(upstream: Upstream, image: string): readonly string[] {
  const repository = repositoryOf(upstream, image);
  const [, official] = /^library\/([^/]+)$/.exec(repository) ?? [];
  return isDockerHub(upstream) && official !== undefined ? [repository, official] : [repository];
}

/**
 * Where an upstream has an image: `…/v2/<repository>`. What the upstream's URL has behind its host comes before the
 * repository, as in the names of images (`packages.example.com/images`); where it holds a `/v2` itself, what stands
 * before that stays there.
 */
export function repositoryUrl({ url }: Upstream, repository: string): string {
  const { origin, pathname } = new URL(url);
  const [, base = "", rest = pathname] = /^(.*?)\/v2(\/.*)?$/.exec(pathname) ?? [];
  const prefix = pathname === `${base}/v2` ? "" : rest;
  return `${origin}${base}/v2${prefix.replace(/\/$/, "")}/${repository}`;
}
