export { FileImports } from "./file-imports.js";
export { ImportFolder, refuseSize } from "./import-folder.js";
export { registerFileImports } from "./import-workflow.js";
