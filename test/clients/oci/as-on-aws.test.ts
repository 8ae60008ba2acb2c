import { describeWith } from "../../support/programs.ts";
import { testImageTool } from "./image-tool.ts";
import { crane, oras, regctl, skopeo } from "./image-tools.ts";
import { useSession } from "./session.ts";

// What the clients meet on AWS: bodies of at most 6 MB through the function, and blobs that leave by redirect.
const AS_ON_AWS = ["--limits", "lambda", "--downloads", "redirect"];

for (const [name, tool] of Object.entries({ skopeo, crane, regctl, oras })) {
  describeWith(name, `${name}, as on AWS`, (program) => {
    testImageTool(useSession(program, {}, AS_ON_AWS), tool);
  });
}
