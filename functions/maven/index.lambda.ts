import { createHttpFunction } from "../lambda/http-function.ts";
import { createMavenApp } from "./app.ts";

/** `maven` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("maven", createMavenApp);
