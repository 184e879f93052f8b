const needs_escape = /["\\]/;
const escaped = /["\\]/g;

/**
 * A PostgreSQL array, as text for `${arrayText(values)}::text[]` and its like. The driver makes one of an array too, by four
 * calls and two replacements for each value; a run that writes thousands of rows of thirty columns spends its time there.
 */
export function arrayText(values: readonly (string | number | bigint)[]): string {
  if (values.length === 0) return "{}";
  const texts = values.map((value) =>
    typeof value === "string" && needs_escape.test(value) ? value.replace(escaped, "\\$&") : value,
  );
  return `{"${texts.join('","')}"}`;
}
