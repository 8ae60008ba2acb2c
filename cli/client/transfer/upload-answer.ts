import type { ClientRequest, IncomingMessage } from "node:http";

/** What a server answered; of the body no more than was asked for. */
export interface UploadAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * The answer to a request whose body may still be on its way. A connection that ends without one fails with
 * `ECONNRESET`.
 *
 * @param maxCharacters - about how much of the body is kept; the rest is read and dropped.
 */
export function answerOf(request: ClientRequest, maxCharacters: number): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    request.once("error", (error) => {
      if (!answered) reject(error);
    });
    request.once("close", () => {
      if (!answered) reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    });
    request.once("response", (response) => {
      answered = true;
      readAnswer(response, maxCharacters).then(resolve, reject);
      // A refusal in the middle: the rest of the body is of no use to anybody.
      if ((response.statusCode ?? 0) >= 300) response.once("end", () => request.destroy());
    });
  });
}

async function readAnswer(response: IncomingMessage, maxCharacters: number): Promise<UploadAnswer> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    if (body.length < maxCharacters) body += String(chunk);
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  return { status: response.statusCode ?? 0, headers, body };
}
