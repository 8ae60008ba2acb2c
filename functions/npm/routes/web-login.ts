import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readText } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { type LoginPage, PAGE_HEADERS, renderLoginPage } from "../login-page.ts";
import { param } from "../target.ts";

const MAX_FORM_BYTES = 16 * 1024;
/** How often npm asks; it asks at once without. */
const POLL_SECONDS = 2;

/** `POST /-/v1/login`: where the user is to go, and where npm waits for the outcome (npm-profile/lib/index.js). */
export async function beginLogin(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { address, baseUrl } = c.get("caller");
  await services.rateLimits.countLogin(address);
  const { secret, code } = await services.logins.begin(
    clientName(c.req.header("user-agent"), address),
  );
  const root = `${baseUrl}/npm/${encodeURIComponent(param(c, "registry"))}/-/v1`;
  return c.json({ loginUrl: `${root}/login/${code}`, doneUrl: `${root}/done/${secret}` }, 200, {
    "cache-control": "no-store",
  });
}

/** `GET /-/v1/done/<secret>`: 202 while the user has not answered, then the token, once. */
export async function pollLogin(c: Context<AppEnv>, services: Services): Promise<Response> {
  const created = await services.logins.poll(c.get("caller"), param(c, "secret"));
  if (created === undefined) {
    return c.json({}, 202, { "retry-after": String(POLL_SECONDS), "cache-control": "no-store" });
  }
  return c.json({ token: created.text }, 200, { "cache-control": "no-store" });
}

/** `GET /-/v1/login/<code>`: the page on which a person grants the login. */
export async function showLogin(c: Context<AppEnv>, services: Services): Promise<Response> {
  return page(c, services, async (client) => ({ kind: "form", client, problem: "" }));
}

/** The form of that page. The token is typed anew each time: no cookie, nothing to steal. */
export async function grantLogin(c: Context<AppEnv>, services: Services): Promise<Response> {
  return page(c, services, async (client) => {
    const form = new URLSearchParams(await readText(c.req.raw, MAX_FORM_BYTES));
    const caller = c.get("caller");
    const principal = await services.tokens.authenticate((form.get("token") ?? "").trim());
    if (principal === undefined) {
      await services.rateLimits.countWrongCredentials(caller.address);
      return {
        kind: "form",
        client,
        problem: "This is not a valid token. It may have expired or been revoked.",
      };
    }
    await services.logins.grant({ ...caller, principal }, param(c, "code"));
    return { kind: "done", client };
  });
}

async function page(
  c: Context<AppEnv>,
  services: Services,
  show: (client: string) => Promise<LoginPage>,
): Promise<Response> {
  const { baseUrl } = c.get("caller");
  try {
    const login = await services.logins.get(param(c, "code"));
    if (login.grantedByTokenId !== "") throw new NotFoundError("login", login.code);
    const shown = await show(login.client);
    const status = shown.kind === "form" && shown.problem !== "" ? 403 : 200;
    return c.html(renderLoginPage(shown, baseUrl), status, PAGE_HEADERS);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return c.html(renderLoginPage({ kind: "gone" }, baseUrl), 404, PAGE_HEADERS);
  }
}

/** What the page tells of the client, so that a person does not grant somebody else's login. */
function clientName(userAgent: string | undefined, address: string): string {
  const [program = "a client"] = (userAgent ?? "a client").split(" ");
  return `${program.replaceAll("/", " ").slice(0, 50)} at ${address || "an unknown address"}`;
}
