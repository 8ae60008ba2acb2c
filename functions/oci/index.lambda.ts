import { createHttpFunction } from "../lambda/http-function.ts";
import { createOciApp } from "./app.ts";

/** `oci` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("oci", createOciApp);
