import {
  CatalogFaults,
  checkAddOn,
  checkCoupon,
  checkPlan,
  checkProduct,
  MappingReader,
  readAddOn,
  readCoupon,
  readMeter,
  readPlan,
  readProduct,
  type CatalogFault,
  type DeclaredMeter,
  type NewAddOn,
  type NewPlan,
  type NewProduct,
  type WrittenCoupon,
} from "../core/index.js";
import { parseYaml, type ParsedYaml, type Position } from "./parse-yaml.js";
import type { CatalogSection } from "./section.js";

/** A definition and where it stands: "plans[2]". */
export interface Located<T> {
  readonly at: string;
  /** Whether the text alone shows nothing to be wrong with it. */
  readonly sound: boolean;
  readonly definition: T;
}

/** A catalog file that was read, whole and without faults of its form. */
export interface CatalogFile {
  readonly meters: readonly Located<DeclaredMeter>[];
  readonly products: readonly Located<NewProduct>[];
  readonly plans: readonly Located<NewPlan>[];
  readonly addOns: readonly Located<NewAddOn>[];
  readonly coupons: readonly Located<WrittenCoupon>[];
  /** What other domains' sections read. */
  readonly others: ReadonlyMap<CatalogSection, unknown>;
}

/** Something wrong with a file: where, and what to do. */
export interface FileFault extends Position {
  readonly path: string;
  readonly message: string;
}

export interface ReadFile {
  readonly file: CatalogFile;
  readonly faults: readonly FileFault[];
  /** Says where in the text other faults are. */
  locate(faults: readonly CatalogFault[]): FileFault[];
}

/** Reads a catalog file; every fault that the text alone shows is in the answer. */
export function readCatalogFile(text: string, sections: readonly CatalogSection[]): ReadFile {
  const parsed = parseYaml(text);
  const faults = new CatalogFaults();
  // A file that does not parse has one kind of fault: what would be read from the rest of it is chance.
  const readable = parsed.value !== undefined || parsed.faults.length === 0;
  const file = readSections(readable ? (parsed.value ?? {}) : {}, sections, faults);
  const locate = (found: readonly CatalogFault[]) => locateFaults(found, parsed);
  const ofForm = parsed.faults.map(({ field, ...rest }) => ({ path: field, ...rest }));
  return { file, locate, faults: inOrder([...ofForm, ...locate(faults.found)]) };
}

function readSections(
  value: unknown,
  sections: readonly CatalogSection[],
  faults: CatalogFaults,
): CatalogFile {
  const reader = MappingReader.of(value, faults);
  const located = <T>(
    name: string,
    read: (item: unknown, at: CatalogFaults) => T | undefined,
  ): Located<T>[] =>
    reader?.list(name, (item, at) => {
      const before = at.found.length;
      const definition = read(item, at);
      if (definition === undefined) return undefined;
      return { at: at.at, sound: at.found.length === before, definition };
    }) ?? [];
  const checked =
    <T>(
      read: (item: unknown, at: CatalogFaults) => T | undefined,
      check: (definition: T, at: CatalogFaults) => void,
    ) =>
    (item: unknown, at: CatalogFaults) => {
      const definition = read(item, at);
      if (definition !== undefined) check(definition, at);
      return definition;
    };
  const keyed = <T extends { readonly key: string }>(check: (definition: T, at: CatalogFaults) => void) => {
    return (definition: T, at: CatalogFaults) => {
      at.key("key", definition.key);
      check(definition, at);
    };
  };
  const file: CatalogFile = {
    meters: located("meters", readMeter),
    products: located("products", checked(readProduct, checkProduct)),
    plans: located("plans", checked(readPlan, keyed<NewPlan>(checkPlan))),
    addOns: located("addOns", checked(readAddOn, keyed<NewAddOn>(checkAddOn))),
    coupons: located("coupons", checked(readCoupon, checkCoupon)),
    others: new Map(
      sections.flatMap((section) => {
        const items = reader?.value(section.name);
        return items === undefined
          ? []
          : [[section, section.read(items, faults.inside(section.name))] as const];
      }),
    ),
  };
  reader?.end();
  refuseTwice(file.meters, ({ slug }) => slug, "slug", faults);
  for (const items of [file.products, file.plans, file.addOns, file.coupons])
    refuseTwice(items as readonly Located<{ readonly key: string }>[], ({ key }) => key, "key", faults);
  return file;
}

function refuseTwice<T>(
  items: readonly Located<T>[],
  nameOf: (definition: T) => string,
  field: string,
  faults: CatalogFaults,
): void {
  const seen = new Map<string, string>();
  for (const { at, definition } of items) {
    const name = nameOf(definition);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, at);
    else if (name !== "") faults.inside(at).add(field, `"${name}" is there twice: ${first} is it too`);
  }
}

function locateFaults(faults: readonly CatalogFault[], parsed: ParsedYaml): FileFault[] {
  const located = faults.map(({ field, message }) => {
    const path = field.replace(
      /((?:^|\.)prices\[\d+\])\.model\b\.?/g,
      (whole, price: string, offset: number) => {
        // A file's prices name their model directly: prices[0].graduated, not prices[0].model.graduated.
        const written = parsed.has(`${field.slice(0, offset)}${price}.model`);
        if (written) return whole;
        return whole.endsWith(".") ? `${price}.` : price;
      },
    );
    return { path, message, ...parsed.positionOf(path) };
  });
  const once = new Map(located.map((fault) => [`${fault.path}\n${fault.message}`, fault]));
  // What is missing is not wrong besides.
  const missing = new Set(located.filter(isMissing).map(({ path }) => path));
  return inOrder([...once.values()].filter((fault) => isMissing(fault) || !missing.has(fault.path)));
}

function inOrder(faults: readonly FileFault[]): FileFault[] {
  return [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
}

function isMissing({ message }: FileFault): boolean {
  return message.startsWith("is missing");
}
