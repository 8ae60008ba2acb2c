import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/http/app.ts";
import { DocumentSender } from "../../shared/http/send-document.ts";
import type { Services } from "../../shared/services/services.ts";
import { methodNotAllowed, NPM_ERRORS } from "./errors.ts";
import { canonicalPath } from "./names.ts";
import {
  getVisibility,
  listCollaborators,
  listScopePackages,
  listUserPackages,
  setAccess,
} from "./routes/access.ts";
import { auditBulk, auditTree } from "./routes/audit.ts";
import { deleteDistTag, listDistTags, putDistTag } from "./routes/dist-tags.ts";
import { getPackument, getVersionManifest } from "./routes/packument.ts";
import { putPackage } from "./routes/put-package.ts";
import { search } from "./routes/search.ts";
import { getProfile, getUser, login, logout, ping, setProfile, whoami } from "./routes/session.ts";
import { getAttestations, listKeys } from "./routes/signatures.ts";
import { getTarball } from "./routes/tarball.ts";
import { createToken, listTokens, revokeToken } from "./routes/tokens.ts";
import { deletePackage, deleteTarball, putRevision } from "./routes/unpublish.ts";
import { beginLogin, grantLogin, pollLogin, showLogin } from "./routes/web-login.ts";

const ROOT = "/npm/:registry";
const OWN = `${ROOT}/-`;
/** Names never begin with a dash, which is where our own paths begin. */
const PACKAGE = `${ROOT}/:package{[^/-][^/]*}`;
const TARBALL = `${PACKAGE}/-/:file`;
const VERSION = `${PACKAGE}/:version{[^/-][^/]*}`;
const ABOUT = `${OWN}/package/:package`;
const COUCH_USER = `${OWN}/user/:user{org\\.couchdb\\.user(?::|%3[Aa])[^/]+}`;

/** A client with an old token sends it with its login and logout too. */
const SESSION_PATH =
  /^\/npm\/[^/]+\/-\/(?:user\/(?:org\.couchdb\.user|token\/)|v1\/(?:login|done)(?:\/|$))/;

/** npm's protocol under `/npm/<registry>`, as npm, pnpm, yarn and bun speak it. */
export function createNpmApp(services: Services): Hono<AppEnv> {
  const documents = new DocumentSender(services);
  const app = createApp(services, {
    errors: NPM_ERRORS,
    canonicalPath,
    hotPaths: [PACKAGE, TARBALL],
    allowsWrongCredentials: (path) => SESSION_PATH.test(path),
  });

  app.get(`${OWN}/ping`, (c) => ping(c, services));
  app.get(`${OWN}/whoami`, (c) => whoami(c, services));
  app.get(`${OWN}/npm/v1/user`, (c) => getProfile(c, services));
  app.post(`${OWN}/npm/v1/user`, (c) => setProfile(c, services));

  app.put(COUCH_USER, (c) => login(c, services));
  app.put(`${COUCH_USER}/-rev/:rev`, (c) => login(c, services));
  app.get(COUCH_USER, (c) => getUser(c, services));
  app.delete(`${OWN}/user/token/:token`, (c) => logout(c, services));
  app.post(`${OWN}/v1/login`, (c) => beginLogin(c, services));
  app.get(`${OWN}/v1/login/:code`, (c) => showLogin(c, services));
  app.post(`${OWN}/v1/login/:code`, (c) => grantLogin(c, services));
  app.get(`${OWN}/v1/done/:secret`, (c) => pollLogin(c, services));

  app.get(`${OWN}/npm/v1/tokens`, (c) => listTokens(c, services));
  app.post(`${OWN}/npm/v1/tokens`, (c) => createToken(c, services));
  app.delete(`${OWN}/npm/v1/tokens/token/:key`, (c) => revokeToken(c, services));

  app.get(`${OWN}/v1/search`, (c) => search(c, services));
  app.get(`${OWN}/npm/v1/keys`, (c) => listKeys(c, services));
  app.get(`${OWN}/npm/v1/attestations/:spec`, (c) => getAttestations(c, services));
  app.post(`${OWN}/npm/v1/security/advisories/bulk`, (c) => auditBulk(c, services));
  app.post(`${OWN}/npm/v1/security/audits`, (c) => auditTree(c, services));
  app.post(`${OWN}/npm/v1/security/audits/quick`, (c) => auditTree(c, services));

  app.get(`${ABOUT}/dist-tags`, (c) => listDistTags(c, services));
  app.put(`${ABOUT}/dist-tags/:tag`, (c) => putDistTag(c, services));
  app.post(`${ABOUT}/dist-tags/:tag`, (c) => putDistTag(c, services));
  app.delete(`${ABOUT}/dist-tags/:tag`, (c) => deleteDistTag(c, services));
  app.get(`${ABOUT}/access`, (c) => getVisibility(c, services));
  app.get(`${ABOUT}/visibility`, (c) => getVisibility(c, services));
  app.get(`${ABOUT}/collaborators`, (c) => listCollaborators(c, services));
  app.post(`${ABOUT}/access`, (c) => setAccess(c, services));
  app.get(`${OWN}/org/:scope/package`, (c) => listScopePackages(c, services));
  app.get(`${OWN}/user/:user/package`, (c) => listUserPackages(c, services));

  app.get(PACKAGE, (c) => getPackument(c, services, documents));
  app.put(PACKAGE, (c) => putPackage(c, services));
  app.get(TARBALL, (c) => getTarball(c, services));
  app.get(VERSION, (c) => getVersionManifest(c, services));
  app.put(`${PACKAGE}/-rev/:rev`, (c) => putRevision(c, services));
  app.delete(`${PACKAGE}/-rev/:rev`, (c) => deletePackage(c, services));
  app.delete(`${PACKAGE}/-/:file/-rev/:rev`, (c) => deleteTarball(c, services));
  app.all(PACKAGE, (c) => methodNotAllowed(c, "GET, HEAD, PUT"));
  for (const path of [TARBALL, VERSION]) app.all(path, (c) => methodNotAllowed(c, "GET, HEAD"));
  return app;
}
