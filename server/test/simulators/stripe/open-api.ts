import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A schema of an OpenAPI 3.0 document, as far as Stripe's uses it. */
interface Schema {
  readonly $ref?: string;
  readonly type?: "string" | "integer" | "number" | "boolean" | "object" | "array";
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
}

const folder = fileURLToPath(new URL("../../../../../shared/data/stripe/", import.meta.url));

/** Stripe's own description of its API 2020-08-27; undefined when the data are not beside the checkout. */
export function readOpenApi(): OpenApi | undefined {
  const file = `${folder}spec3.2022.json`;
  if (!existsSync(file)) return undefined;
  return new OpenApi(JSON.parse(readFileSync(file, "utf8")) as Document);
}

/** An example of each of Stripe's objects, of 2026-08, by name; undefined when the data are not beside the checkout. */
export function readFixtures(): Readonly<Record<string, object>> | undefined {
  const file = `${folder}fixtures3.json`;
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { resources: Record<string, object> }).resources;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export class OpenApi {
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The paths with their methods, each id as ":id": "GET /v1/charges/:id". */
  operations(): ReadonlySet<string> {
    return new Set(
      Object.entries(this.#document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, ":id")}`),
      ),
    );
  }

  /** What of an object is not as its schema says, as far as the schema knows the field. */
  faults(name: string, object: unknown): readonly string[] {
    const schema = this.#document.components.schemas[name];
    return schema === undefined ? [`no schema ${name}`] : this.#check(schema, object, name);
  }

  #check(given: Schema, value: unknown, at: string): readonly string[] {
    const schema = this.#resolve(given);
    if (value === null) return schema.nullable === true || given.nullable === true ? [] : [`${at} is null`];
    if (schema.anyOf !== undefined) {
      const tries = schema.anyOf.map((choice) => this.#check(choice, value, at));
      return tries.some((faults) => faults.length === 0)
        ? []
        : (tries.toSorted((a, b) => a.length - b.length)[0] ?? []);
    }
    if (schema.enum !== undefined && !schema.enum.includes(value))
      return [`${at} is ${JSON.stringify(value)}`];
    if (schema.type === undefined) return [];
    if (schema.type === "integer") return Number.isInteger(value) ? [] : [`${at} is no integer`];
    if (schema.type === "object") return this.#checkObject(schema, value, at);
    if (schema.type !== "array") return typeof value === schema.type ? [] : [`${at} is no ${schema.type}`];
    if (!Array.isArray(value)) return [`${at} is no array`];
    return value.flatMap((item, index) => this.#check(schema.items ?? {}, item, `${at}[${index}]`));
  }

  #checkObject(schema: Schema, value: unknown, at: string): readonly string[] {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} is no object`];
    const object = value as Readonly<Record<string, unknown>>;
    const missing = (schema.required ?? [])
      .filter((name) => !(name in object))
      .map((name) => `${at}.${name} is missing`);
    const wrong = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      name in object && object[name] !== undefined
        ? this.#check(property, object[name], `${at}.${name}`)
        : [],
    );
    const more = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const others =
      more === undefined
        ? []
        : Object.entries(object)
            .filter(([name]) => schema.properties?.[name] === undefined)
            .flatMap(([name, item]) => this.#check(more, item, `${at}.${name}`));
    return [...missing, ...wrong, ...others];
  }

  #resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    const found = this.#document.components.schemas[name];
    if (found === undefined) throw new Error(`the document has no ${schema.$ref}`);
    return this.#resolve(found);
  }
}
