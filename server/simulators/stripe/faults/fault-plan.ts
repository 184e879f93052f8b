import { seededRandom } from "../seeded-random.js";
import { InvalidFault, parseFault, type Fault, type FaultEffect, type NewFault } from "./fault.js";

/** What a fault is matched by. */
export interface FaultSubject {
  readonly customer: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface PlannedFault {
  readonly id: string;
  readonly fault: Fault;
  /** How often it was matched, and how often it struck. */
  readonly matches: number;
  readonly strikes: number;
}

interface Entry {
  readonly id: string;
  readonly fault: Fault;
  readonly random: () => number;
  matches: number;
  strikes: number;
}

/** The faults of a simulator: which of them strike a request, an outcome or a webhook. */
export class FaultPlan {
  readonly #seed: string;
  readonly #faults_max: number;
  readonly #entries = new Map<string, Entry>();
  #count = 0;

  constructor(seed: string, faults_max: number) {
    this.#seed = seed;
    this.#faults_max = faults_max;
  }

  /** @throws InvalidFault */
  add(input: NewFault): string {
    const fault = parseFault(input);
    if (this.#entries.size >= this.#faults_max)
      throw new InvalidFault(`there are ${this.#faults_max} faults already: remove some`);
    this.#count += 1;
    const id = `fault_${this.#count}`;
    // A stream of chances of its own, so that one fault's do not move with what else is asked of the simulator.
    const random = seededRandom(`${this.#seed} ${id}`);
    this.#entries.set(id, { id, fault, random, matches: 0, strikes: 0 });
    return id;
  }

  /** False when there is no such fault. */
  remove(id: string): boolean {
    return this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
  }

  list(): readonly PlannedFault[] {
    return [...this.#entries.values()].map(({ id, fault, matches, strikes }) => ({
      id,
      fault,
      matches,
      strikes,
    }));
  }

  /** What strikes an operation, in the order the faults were added. `subjectOf` is asked only when a fault is matched by it. */
  strikeOperation(operation: string, subjectOf: () => FaultSubject): readonly FaultEffect[] {
    return this.#strike(
      ({ operation: pattern, effect }) => !isOfWebhooks(effect) && isOfName(operation, pattern),
      subjectOf,
    );
  }

  strikeEvent(type: string, subjectOf: () => FaultSubject): readonly FaultEffect[] {
    return this.#strike(({ event, effect }) => isOfWebhooks(effect) && isOfName(type, event), subjectOf);
  }

  #strike(isMatched: (fault: Fault) => boolean, subjectOf: () => FaultSubject): readonly FaultEffect[] {
    if (this.#entries.size === 0) return [];
    const effects: FaultEffect[] = [];
    for (const entry of this.#entries.values()) {
      const { fault } = entry;
      if (!isMatched(fault) || !isAbout(fault, subjectOf)) continue;
      entry.matches += 1;
      if (fault.nth !== undefined && entry.matches !== fault.nth) continue;
      if (fault.times !== undefined && entry.strikes >= fault.times) continue;
      if (fault.probability !== undefined && entry.random() >= fault.probability) continue;
      entry.strikes += 1;
      effects.push(fault.effect);
    }
    return effects;
  }
}

function isAbout(fault: Fault, subjectOf: () => FaultSubject): boolean {
  if (fault.customer === undefined && fault.metadata === undefined) return true;
  const { customer, metadata } = subjectOf();
  if (fault.customer !== undefined && fault.customer !== customer) return false;
  return Object.entries(fault.metadata ?? {}).every(([key, value]) => metadata[key] === value);
}

function isOfName(name: string, pattern: string | undefined): boolean {
  if (pattern === undefined || pattern === "*") return true;
  return pattern.endsWith(".*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function isOfWebhooks(effect: FaultEffect): boolean {
  return effect.kind.startsWith("webhook_");
}
