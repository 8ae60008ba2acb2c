// The process that `local:deploy` leaves running: run-gateway.ts <port> <endpoint> <api id>
import * as z from "zod";
import { createGateway } from "./gateway.ts";

const [port, endpoint, apiId] = z
  .tuple([z.coerce.number().int().min(1).max(65_535), z.url(), z.string().regex(/^[a-z0-9]+$/)])
  .parse(process.argv.slice(2));
createGateway({ endpoint, apiId }).listen(port, "127.0.0.1");
