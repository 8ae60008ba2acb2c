const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Entrepot</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
  code { background: #8882; padding: .1em .3em; border-radius: .2em; }
</style>
<main>
  <h1>Entrepot</h1>
  <p>This is a package registry. Point your client at one of its registries:</p>
  <ul>
    <li>npm: <code>/npm/&lt;registry&gt;/</code></li>
    <li>containers and other OCI artifacts: <code>&lt;this host&gt;/&lt;registry&gt;/&lt;image&gt;</code></li>
    <li>Python: <code>/pypi/&lt;registry&gt;/simple/</code></li>
    <li>Maven: <code>/maven/&lt;registry&gt;/</code></li>
    <li>files: <code>/generic/&lt;registry&gt;/</code></li>
  </ul>
  <p>Manage it with the <code>entrepot</code> command or the <a href="/api/v1/openapi.json">REST API</a>.</p>
</main>
</html>
`;

/** What a browser sees at the root: where the registries are, and nothing about them. */
export function landingPage(): Response {
  return new Response(PAGE, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      "x-content-type-options": "nosniff",
    },
  });
}
