import "./prepaid-balance-types.js";
import "./top-up-settings-types.js";
import "./top-up-types.js";
