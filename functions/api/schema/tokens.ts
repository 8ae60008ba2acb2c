import * as z from "zod";
import { SCOPES } from "../../../shared/domain/token.ts";
import { closed, line, time } from "./common.ts";

const patterns = (what: string) =>
  z
    .array(line(1, 220))
    .max(100)
    .meta({
      description: `Names of ${what}, in which * stands for any characters. Empty: all that the creator may reach.`,
    });

export const newToken = closed({
  description: line(1, 200),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  registries: patterns("registries").default([]),
  packages: patterns("packages").default([]),
  expiresAt: time
    .optional()
    .meta({ description: "Absent: never, or with the token that creates it." }),
  owner: line(1, 100)
    .optional()
    .meta({ description: "Absent: the creator. Another one needs the scope `admin`." }),
  rateLimitExempt: z.boolean().default(false).meta({ description: "Needs the scope `admin`." }),
}).meta({ id: "NewToken" });

const rights = {
  owner: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  registries: z.array(z.string()),
  packages: z.array(z.string()),
  expiresAt: time.optional().meta({ description: "Absent: never." }),
  rateLimitExempt: z.boolean(),
};

const token = {
  id: z.string(),
  kind: z.enum(["access", "session"]),
  description: z.string(),
  ...rights,
  hint: z.string().meta({ description: "How the token's text begins." }),
  createdAt: time,
};

export const tokenIdParam = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "is not a token's id");
export const tokenView = closed(token).meta({ id: "Token" });
export const createdToken = closed({
  ...token,
  token: z
    .string()
    .meta({ description: "The text to authenticate with. Shown once; stored nowhere." }),
}).meta({ id: "CreatedToken" });
export const whoami = closed({ kind: z.literal("token"), tokenId: z.string(), ...rights }).meta({
  id: "Principal",
});
