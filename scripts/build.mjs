// npm run build: installs what is missing, then builds.
import { build, prepare } from "./workspace.mjs";

prepare();
build();
