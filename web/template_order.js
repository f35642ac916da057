// Lists the pack's templates by their numbers. The host lists them as the file system does, in no order on Linux, and
// the front end keeps that order.
import { app } from "/scripts/app.js";
import { api } from "/scripts/api.js";

// The folder that the pack lies in, as the host names it.
const PACK = decodeURIComponent(new URL(".", import.meta.url).pathname.split("/").at(-2));

app.registerExtension({
  name: "anytobokeh.TemplateOrder",
  init() {
    const listed = api.getWorkflowTemplates;
    if (!listed) return;
    api.getWorkflowTemplates = async (...values) => {
      const templates = await listed.apply(api, values);
      templates?.[PACK]?.sort?.();
      return templates;
    };
  },
});
