import { createHttpFunction } from "../lambda/http-function.ts";
import { createMavenApp } from "./app.ts";
import { MAVEN_LISTINGS } from "./listing.ts";

/** `maven` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("maven", createMavenApp, { maven: MAVEN_LISTINGS });
