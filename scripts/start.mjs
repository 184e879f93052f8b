// npm start: installs and builds what is missing, then runs Weir in this very process, so that signals reach it.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./workspace.mjs";

prepare();
await import(pathToFileURL(path.join(root, "server", "dist", "main.js")).href);
