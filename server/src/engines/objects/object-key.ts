const part_form = /^[a-z0-9][a-z0-9_.-]{0,127}$/;
const parts_max = 8;

/**
 * The parts of a key, each a plain file name: none begins with a dot, so that no key leads out of the folder or to a draft.
 * @throws RangeError for what is no key
 */
export function partsOfKey(key: string): readonly string[] {
  const parts = key.split("/");
  if (parts.length > parts_max || !parts.every((part) => part_form.test(part)))
    throw new RangeError(
      `"${key}" is no object's key: write up to ${parts_max} parts of a-z, 0-9, "_", "-" and ".", with "/" between`,
    );
  return parts;
}
