export { readCoupon, readProduct, writeCoupon, writeProduct, type WrittenCoupon } from "./coupon-notation.js";
export { didYouMean } from "./did-you-mean.js";
export { isMapping, MappingReader } from "./mapping-reader.js";
export { readMeter, writeMeter, type DeclaredMeter } from "./meter-notation.js";
export { isExactNumber, kindOf, NumberText } from "./number-text.js";
export { readAddOn, readPlan, writeAddOn, writePlan } from "./plan-notation.js";
export {
  placeOfModelField,
  readPriceModel,
  writePriceModel,
  writePriceModelBriefly,
} from "./price-model-notation.js";
export { given, readPrice, writePrice } from "./price-notation.js";
