import type { OrganizationId } from "./ids.js";

export interface ArrivalLimits {
  /** Files of one organization that are kept or arrive, and their bytes. */
  readonly filesMax: number;
  readonly filesBytesMax: number;
}

/** Files, and what they come to. */
export interface KeptFiles {
  readonly files: number;
  readonly bytes: number;
}

/** A file that arrives, which takes its room until it ends. */
export interface Arrival {
  /** @throws what was said to refuse with, once there is no room for so much */
  add(bytes: number): void;
  end(): void;
}

/** The files that arrive in this process now, and what room each organization has for more. */
export class Arrivals {
  readonly #limits: ArrivalLimits;
  readonly #refuse: (limit: string) => Error;
  readonly #arriving = new Map<OrganizationId, { files: number; bytes: number }>();

  /** @param refuse  says that a limit, such as "16 files", is reached */
  constructor(limits: ArrivalLimits, refuse: (limit: string) => Error) {
    this.#limits = limits;
    this.#refuse = refuse;
  }

  has(organization: OrganizationId): boolean {
    return this.#arriving.has(organization);
  }

  /**
   * @param lookUp  what is kept of the organization's, and may make room: for so many files beside it there is some
   * @throws what was said to refuse with, when there is no room for another file
   */
  async begin(
    organization: OrganizationId,
    lookUp: (files_max: number) => Promise<KeptFiles>,
  ): Promise<Arrival> {
    const { filesMax, filesBytesMax } = this.#limits;
    const arriving = this.#arriving.get(organization) ?? { files: 0, bytes: 0 };
    this.#arriving.set(organization, arriving);
    // Counted before the others are looked up: of two that arrive at once, each sees the other.
    arriving.files += 1;
    let own = 0;
    const end = () => {
      arriving.files -= 1;
      arriving.bytes -= own;
      if (arriving.files === 0) this.#arriving.delete(organization);
    };
    try {
      const kept = await lookUp(filesMax - arriving.files);
      if (kept.files + arriving.files > filesMax) throw this.#refuse(`${filesMax} files`);
      return {
        add: (bytes) => {
          own += bytes;
          arriving.bytes += bytes;
          if (kept.bytes + arriving.bytes > filesBytesMax) throw this.#refuse(`${filesBytesMax} bytes`);
        },
        end,
      };
    } catch (error) {
      end();
      throw error;
    }
  }
}
