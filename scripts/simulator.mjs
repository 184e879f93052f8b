// npm run simulator: installs and builds what is missing, then runs the Stripe simulator in this very process.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./workspace.mjs";

prepare();
await import(pathToFileURL(path.join(root, "server", "simulators", "dist", "stripe", "main.js")).href);
