import type { Postgres } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { tooMany } from "./file-refusals.js";
import { sumWaitingFiles } from "./store/files.js";

/** Of one organization, that wait, are at work or arrive. */
export interface ArrivalLimits {
  readonly filesMax: number;
  readonly filesBytesMax: number;
}

/** A file that arrives, which takes its room until it ends. */
export interface Arrival {
  /** @throws Refusal 429 once there is no room for so much */
  add(bytes: number): void;
  end(): void;
}

/** The files that arrive in this process now, and what room is left for more. */
export class FileArrivals {
  readonly #postgres: Postgres;
  readonly #limits: ArrivalLimits;
  readonly #arriving = new Map<OrganizationId, { files: number; bytes: number }>();

  constructor(postgres: Postgres, limits: ArrivalLimits) {
    this.#postgres = postgres;
    this.#limits = limits;
  }

  has(organization: OrganizationId): boolean {
    return this.#arriving.has(organization);
  }

  /** @throws Refusal 429 when there is no room for another file; it may be refused later too, as it grows */
  async begin(organization: OrganizationId): Promise<Arrival> {
    const { filesMax, filesBytesMax } = this.#limits;
    const arriving = this.#arriving.get(organization) ?? { files: 0, bytes: 0 };
    this.#arriving.set(organization, arriving);
    arriving.files += 1;
    let own = 0;
    const end = () => {
      arriving.files -= 1;
      arriving.bytes -= own;
      if (arriving.files === 0) this.#arriving.delete(organization);
    };
    try {
      const waiting = await this.#postgres.inOrganization(organization, sumWaitingFiles);
      if (waiting.files + arriving.files > filesMax) throw tooMany(`${filesMax} files`);
      return {
        add(bytes) {
          own += bytes;
          arriving.bytes += bytes;
          if (waiting.bytes + arriving.bytes > filesBytesMax) throw tooMany(`${filesBytesMax} bytes`);
        },
        end,
      };
    } catch (error) {
      end();
      throw error;
    }
  }
}
