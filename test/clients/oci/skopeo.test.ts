import { describeWith } from "../../support/programs.ts";
import { testImageTool } from "./image-tool.ts";
import { skopeo } from "./image-tools.ts";
import { useSession } from "./session.ts";

describeWith("skopeo", "skopeo", (program) => {
  testImageTool(useSession(program), skopeo);
});
