export { cardFilesProvider } from "./card-files-provider.js";
