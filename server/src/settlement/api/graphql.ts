import "./exception-operations.js";
import "./file-operations.js";
import "./reconciliation-operations.js";
