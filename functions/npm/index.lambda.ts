import { createHttpFunction } from "../lambda/http-function.ts";
import { createNpmApp } from "./app.ts";
import { NPM_LISTINGS } from "./listing.ts";

/** `npm` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("npm", createNpmApp, { npm: NPM_LISTINGS });
