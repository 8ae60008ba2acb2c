import { randomUUID } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { ABBREVIATED } from "../load/requests.ts";
import { readAnswers } from "./answers.ts";

// The least that a Node server can do: packuments from memory, files as streams, and for a publish one file
// written and fsynced. Started as: node bare-node-program.ts <port> <answers> <own folder>
const [port = "", answersFolder = "", ownFolder = ""] = process.argv.slice(2);

interface Packument {
  readonly contentType: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

const packuments = new Map<string, Packument>();
const tarballs = new Map<string, { readonly file: string; readonly sizeBytes: number }>();
for (const { path, kind, file, contentType } of await readAnswers(answersFolder)) {
  if (kind === "tarball") {
    const source = join(answersFolder, file);
    tarballs.set(path, { file: source, sizeBytes: (await stat(source)).size });
  } else {
    const plain = readFileSync(join(ownFolder, file));
    const gzip = readFileSync(join(ownFolder, `${file}.gz`));
    packuments.set(`${kind} ${path}`, { contentType, plain, gzip });
  }
}

createServer((request, response) => {
  if (request.method === "PUT") void receive(request, response);
  else answer(request, response);
}).listen(Number(port), "127.0.0.1");

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "/";
  const kind = request.headers.accept?.includes(ABBREVIATED) === true ? "abbreviated" : "full";
  const packument = packuments.get(`${kind} ${path}`);
  if (packument !== undefined) {
    sendPackument(request, response, packument);
    return;
  }
  const tarball = tarballs.get(path);
  if (tarball === undefined) {
    response.writeHead(404, { "content-length": 0 }).end();
    return;
  }
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": tarball.sizeBytes,
  });
  createReadStream(tarball.file).pipe(response);
}

function sendPackument(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, plain, gzip }: Packument,
): void {
  const takesGzip = request.headers["accept-encoding"]?.includes("gzip") === true;
  const body = takesGzip ? gzip : plain;
  response.writeHead(200, {
    "content-type": contentType,
    "content-length": body.length,
    ...(takesGzip ? { "content-encoding": "gzip" } : {}),
  });
  response.end(body);
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const handle = await open(join(ownFolder, randomUUID()), "wx");
  await handle.write(Buffer.concat(chunks));
  await handle.sync();
  await handle.close();
  response.writeHead(201, { "content-length": 0 }).end();
}
