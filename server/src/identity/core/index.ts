export { formatKey, parseKey, type KeyKind, type KeyParts } from "./key-format.js";
export { parseBearer } from "./bearer.js";
