const key_pattern = /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/;

export const catalog_key_rule = 'lower case letters and digits joined by "-" or "_", at most 64 characters';

/** The key of anything in the catalog: lower case letters and digits in groups joined by single - or _, at most 64 characters. */
export function isCatalogKey(text: string): boolean {
  return text.length <= 64 && key_pattern.test(text);
}
