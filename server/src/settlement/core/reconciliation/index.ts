export {
  compareLines,
  comparison_lines,
  lineOfRecord,
  type ComparedLine,
  type ComparisonLine,
  type LineSum,
} from "./compare-lines.js";
