export { ObjectDiffers, ObjectMissing, ObjectsFull, ObjectTooLarge } from "./errors.js";
export { FolderObjects, type FolderObjectsOptions } from "./folder-objects.js";
export type { Objects, PutOptions, StoredObject } from "./objects.js";
