export { bankTransferProvider } from "./bank-transfer-provider.js";
