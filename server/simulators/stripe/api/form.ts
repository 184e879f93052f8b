import { badParameter } from "./api-error.js";

/** A form with brackets: `a[b]=1` is { a: { b: "1" } }; lists are maps by their index. */
export type FormNode = Map<string, string | FormNode>;

const pairs_max = 1_000;
const depth_max = 6;

/**
 * Decodes a body or a query: `a=1`, `a[b]=1`, `a[]=1`, `a[0]=1`, with or without the brackets percent-encoded.
 * @throws ApiError 400 for what is no such form
 */
export function decodeForm(text: string): FormNode {
  const form: FormNode = new Map();
  if (text === "") return form;
  const pairs = text.split("&");
  if (pairs.length > pairs_max)
    throw badParameter("", `Too many parameters: ${pairs.length}, and at most ${pairs_max} are read.`);
  for (const pair of pairs) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decode(at === -1 ? pair : pair.slice(0, at));
    put(form, pathOf(name), at === -1 ? "" : decode(pair.slice(at + 1)), name);
  }
  return form;
}

function put(form: FormNode, path: readonly string[], value: string, name: string): void {
  let node = form;
  for (const [index, key] of path.entries()) {
    const own = key === "" ? String(node.size) : key;
    if (index === path.length - 1) {
      node.set(own, value);
      return;
    }
    let below = node.get(own);
    if (typeof below === "string")
      throw badParameter(name, `Invalid parameter: ${name} is both a value and a hash.`);
    if (below === undefined) {
      below = new Map();
      node.set(own, below);
    }
    node = below;
  }
}

function pathOf(name: string): readonly string[] {
  const open = name.indexOf("[");
  if (open === -1) return [name];
  const rest = name.slice(open);
  if (open === 0 || !/^(\[[^[\]]*\])+$/.test(rest))
    throw badParameter(name, `Invalid parameter name: ${name}`);
  const path = [name.slice(0, open), ...rest.slice(1, -1).split("][")];
  if (path.length > depth_max) throw badParameter(name, `Parameters nest at most ${depth_max} deep: ${name}`);
  return path;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw badParameter("", "Invalid request: a parameter is not percent-encoded UTF-8.");
  }
}
