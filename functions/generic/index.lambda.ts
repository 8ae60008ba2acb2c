import { createHttpFunction } from "../lambda/http-function.ts";
import { createGenericApp } from "./app.ts";

/** `generic` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("generic", createGenericApp);
