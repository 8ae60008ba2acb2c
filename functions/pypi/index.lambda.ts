import { createHttpFunction } from "../lambda/http-function.ts";
import { createPypiApp } from "./app.ts";
import { PYPI_LISTINGS } from "./listing.ts";

/** `pypi` on AWS: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("pypi", createPypiApp, { pypi: PYPI_LISTINGS });
