import type { ApiRouter } from "./validation.ts";

const DESCRIPTION = `Everything about registries, packages and tokens that is no package manager's own protocol.

Send a token as \`Authorization: Bearer <token>\`, or as the password of Basic authentication. Times are ISO 8601,
sizes are in bytes. Lists give \`items\` and, while there is more, \`nextCursor\` for the next request's \`cursor\`.
Failures are problem details (RFC 9457): \`type\` tells them apart, \`detail\` says what to do. What a token may not
know of is answered with 404. GET and HEAD never change anything.`;

/** The OpenAPI 3.1 document of all routes: https://spec.openapis.org/oas/v3.1.1.html. */
export function openApiDocument(api: ApiRouter) {
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "A token of Entrepot.",
  });
  api.openAPIRegistry.registerComponent("securitySchemes", "basic", {
    type: "http",
    scheme: "basic",
    description: "Any user name, with the token as password.",
  });
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Entrepot",
      version: "1",
      description: DESCRIPTION,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/", description: "The server that this document came from." }],
    // The empty one: public registries are read without a token.
    security: [{ bearer: [] }, { basic: [] }, {}],
    tags: [
      { name: "Registries", description: "Where packages of one ecosystem live." },
      { name: "Upstreams", description: "Registries of others, which proxies cache." },
      { name: "Packages" },
      { name: "Versions" },
      { name: "Files" },
      { name: "Images", description: "Container images, Helm charts and other OCI artifacts." },
      { name: "Tags", description: "Movable pointers to versions: npm's dist-tags." },
      { name: "Tokens", description: "Who may do what." },
      { name: "Uploads", description: "Large files, in parts, straight to storage." },
      { name: "Webhooks", description: "Who is told of what happens." },
      { name: "Operations", description: "The audit log, and what the workers do." },
    ],
  });
}
