export { CatalogFiles, type ApplyOptions, type CatalogReport } from "./catalog-files.js";
