import { createHttpFunction } from "../lambda/http-function.ts";
import { createNpmApp } from "./app.ts";

/** `npm` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("npm", createNpmApp);
