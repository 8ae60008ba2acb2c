import { afterAll, beforeAll, expect, it } from "vitest";
import {
  newUploadLocation,
  stageOf,
  verifyTicket,
} from "../../../functions/oci/edge/upload-tickets.ts";
import { NotFoundError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openTestRegistry();
});
afterAll(() => registry.close());

const REF = { registryId: "r", packageName: "team/app" };
const NAME = "images/team/app";
const ofGeneration = (ticketGeneration: number): Services => ({
  ...registry.services,
  options: { ...registry.services.options, ticketGeneration },
});

it("A ticket is good under the key that signed it and the one that follows, and no longer", async () => {
  for (const generation of [1, 2]) {
    const { id, location } = await newUploadLocation(ofGeneration(generation), NAME, REF);
    const request = { name: NAME, id, text: location.split("t=")[1] ?? "" };
    expect(request.text.startsWith(stageOf(REF))).toBe(true);
    for (const later of [generation, generation + 1]) {
      expect(await verifyTicket(ofGeneration(later), request, REF)).toMatchObject({ id });
    }
    for (const other of [generation + 2, ...(generation > 1 ? [generation - 1] : [])]) {
      const refused = verifyTicket(ofGeneration(other), request, REF);
      await expect(refused).rejects.toThrow(NotFoundError);
    }
  }
});
