/** A business rule that an e-invoice breaks. */
export interface RuleFault {
  /** As the standard names it: "BR-07". */
  readonly rule: string;
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** Gathers faults, each said once. */
export class RuleFaults {
  readonly #faults = new Map<string, RuleFault>();

  /** Adds a fault unless what the rule asks for holds. */
  expect(rule: string, holds: boolean, message: string): void {
    if (!holds) this.#faults.set(`${rule} ${message}`, { rule, message });
  }

  get all(): readonly RuleFault[] {
    return [...this.#faults.values()];
  }
}

/** Whether a text is there. */
export function isGiven(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}
