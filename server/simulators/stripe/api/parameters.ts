import { badParameter } from "./api-error.js";
import type { FormNode } from "./form.js";

const metadata_keys_max = 50;
const metadata_key_length_max = 40;
const metadata_value_length_max = 500;
const text_length_max = 5_000;

/** A bound on a number, as in `created[gte]=…`. */
export interface Range {
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

/** The parameters of a request, read by name and type; what nobody asked for is refused by `done`. */
export class Parameters {
  readonly #form: FormNode;
  readonly #path: string;
  readonly #unread: Set<string>;

  constructor(form: FormNode, path = "") {
    this.#form = form;
    this.#path = path;
    this.#unread = new Set(form.keys());
  }

  has(name: string): boolean {
    return this.#form.has(name);
  }

  /** @throws ApiError 400 for an empty text, which stands for "unset" and is only taken where a thing can be unset */
  text(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string")
      throw badParameter(this.#name(name), `Invalid string: ${this.#name(name)}`);
    if (value === "") {
      const full = this.#name(name);
      const advice = `We assume empty values are an attempt to unset a parameter; however '${full}' cannot be unset.`;
      throw badParameter(
        full,
        `You passed an empty string for '${full}'. ${advice} You should remove '${full}' from your request or supply a non-empty value.`,
        "parameter_invalid_empty",
      );
    }
    if (value.length > text_length_max)
      throw badParameter(
        this.#name(name),
        `Invalid string: ${value.slice(0, 20)}…; must be at most ${text_length_max} characters`,
        "parameter_invalid_string",
      );
    return value;
  }

  /** A text that may be unset: null when it is given and empty. */
  unsettableText(name: string): string | null | undefined {
    if (this.#form.get(name) !== "") return this.text(name);
    this.#unread.delete(name);
    return null;
  }

  url(name: string): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !URL.canParse(value))
      throw badParameter(this.#name(name), "Not a valid URL", "url_invalid");
    return value;
  }

  requiredText(name: string): string {
    return this.text(name) ?? this.#isMissing(name);
  }

  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,15}$/.test(value))
      throw badParameter(this.#name(name), `Invalid integer: ${value}`, "parameter_invalid_integer");
    return Number(value);
  }

  requiredInteger(name: string): number {
    return this.integer(name) ?? this.#isMissing(name);
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value !== "true" && value !== "false")
      throw badParameter(this.#name(name), `Invalid boolean: ${value}`, "parameter_invalid_string_blank");
    return value === "true";
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined)
      throw badParameter(
        this.#name(name),
        `Invalid ${this.#name(name)}: must be one of ${choices.join(", ")}`,
      );
    return chosen;
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value === "string") throw badParameter(this.#name(name), `Invalid array: ${this.#name(name)}`);
    return [...value.values()].map((item) => {
      if (typeof item !== "string")
        throw badParameter(this.#name(name), `Invalid string in ${this.#name(name)}`);
      return item;
    });
  }

  /** A hash of its own; `done` of the hash is the caller's. */
  nested(name: string): Parameters | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value === "string") throw badParameter(this.#name(name), `Invalid hash: ${this.#name(name)}`);
    return new Parameters(value, this.#name(name));
  }

  /** The metadata as they become: what is given is put over `before`, an empty value unsets a key, an empty hash all. */
  metadata(before: Readonly<Record<string, string>>): Record<string, string> {
    const value = this.#take("metadata");
    if (value === undefined) return { ...before };
    const after: Record<string, string> = value === "" ? {} : { ...before };
    if (typeof value === "string") {
      if (value !== "") throw badParameter("metadata", "Invalid hash: metadata");
      return after;
    }
    for (const [key, text] of value) {
      if (typeof text !== "string")
        throw badParameter(`metadata[${key}]`, "Metadata values must be strings, but were a hash.");
      if (key.length > metadata_key_length_max)
        throw badParameter(
          "metadata",
          `Metadata keys must be at most ${metadata_key_length_max} characters: ${key.slice(0, 60)}`,
        );
      if (text.length > metadata_value_length_max)
        throw badParameter(
          `metadata[${key}]`,
          `Metadata values can have up to ${metadata_value_length_max} characters, but you passed in a value that is ${text.length} characters.`,
        );
      if (text === "") delete after[key];
      else after[key] = text;
    }
    if (Object.keys(after).length > metadata_keys_max)
      throw badParameter("metadata", `You can have up to ${metadata_keys_max} metadata keys on an object.`);
    return after;
  }

  /** `name=5` or `name[gte]=5`: the first is both bounds. */
  range(name: string): Range | undefined {
    const value = this.#form.get(name);
    if (value === undefined) return undefined;
    if (typeof value === "string") {
      const exact = this.requiredInteger(name);
      return { gte: exact, lte: exact };
    }
    const bounds = this.nested(name);
    if (bounds === undefined) return undefined;
    const [gt, gte, lt, lte] = (["gt", "gte", "lt", "lte"] as const).map((bound) => bounds.integer(bound));
    bounds.done();
    return {
      ...(gt !== undefined && { gt }),
      ...(gte !== undefined && { gte }),
      ...(lt !== undefined && { lt }),
      ...(lte !== undefined && { lte }),
    };
  }

  /** Takes parameters of Stripe's that change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name);
  }

  /** @throws ApiError 400 when there are parameters that nobody read */
  done(): void {
    const [first] = this.#unread;
    if (first === undefined) return;
    const names = [...this.#unread].map((name) => this.#name(name)).join(", ");
    throw badParameter(
      this.#name(first),
      `Received unknown parameter${this.#unread.size > 1 ? "s" : ""}: ${names} (unknown to the simulator, at least)`,
      "parameter_unknown",
    );
  }

  #take(name: string): string | FormNode | undefined {
    this.#unread.delete(name);
    return this.#form.get(name);
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}[${name}]`;
  }

  #isMissing(name: string): never {
    throw badParameter(this.#name(name), `Missing required param: ${this.#name(name)}.`, "parameter_missing");
  }
}
