// npm run build: installs what is missing, then builds.
import { build } from "./workspace.mjs";

build();
