import type { TransactionSql } from "postgres";
import type { OrganizationId } from "../../src/kernel/ids.js";
import type { Log } from "../../src/kernel/log.js";
import { MortalWeir } from "./mortal-weir.js";
import type { Plan } from "./plan.js";
import { playSeed, type PlayedSeed } from "./played-seed.js";
import { SimulatedOrganization } from "./simulated-organization.js";

export interface BatchOptions {
  readonly log?: Log;
  /** Counts boundaries by name, when given. */
  readonly places?: Map<string, number>;
}

/** An organization whose plan was played. */
export interface KeptOrganization {
  readonly of: SimulatedOrganization;
  readonly played: PlayedSeed;
  readonly forget: () => void;
}

/** Plays plans on one Weir, which dies and lives again, so many organizations at once. */
export class Batch {
  readonly #weir: MortalWeir;
  readonly #byId: Map<OrganizationId, SimulatedOrganization>;
  readonly #byHost: Map<string, SimulatedOrganization>;
  readonly #places: Map<string, number> | undefined;
  #played = 0;

  private constructor(
    weir: MortalWeir,
    byId: Map<OrganizationId, SimulatedOrganization>,
    byHost: Map<string, SimulatedOrganization>,
    places: Map<string, number> | undefined,
  ) {
    this.#weir = weir;
    this.#byId = byId;
    this.#byHost = byHost;
    this.#places = places;
  }

  static async open({ log, places }: BatchOptions = {}): Promise<Batch> {
    const byId = new Map<OrganizationId, SimulatedOrganization>();
    const byHost = new Map<string, SimulatedOrganization>();
    const weir = await MortalWeir.open({
      ...(log === undefined ? {} : { log }),
      boundariesOf: (organization) => byId.get(organization)?.boundaries,
      providerOf(host) {
        const found = byHost.get(host);
        return found && { organization: found.organization, client: found.provider.client };
      },
      onDeath: ({ cause = "" }) => {
        for (const one of byId.values()) one.boundaries.died(cause);
      },
    });
    return new Batch(weir, byId, byHost, places);
  }

  get lives(): number {
    return this.#weir.lives;
  }

  async play(plan: Plan): Promise<PlayedSeed> {
    const { played, forget } = await this.playAndKeep(plan);
    forget();
    return played;
  }

  /** Plays a plan, and keeps its organization as it is then, until it is forgotten. */
  async playAndKeep(plan: Plan): Promise<KeptOrganization> {
    this.#played += 1;
    const of = new SimulatedOrganization(this.#weir, plan, `seed-${plan.seed}-${this.#played}`, this.#places);
    const forget = () => {
      this.#byHost.delete(of.host);
      this.#byId.delete(of.caller?.organization);
    };
    this.#byHost.set(of.host, of);
    try {
      await of.open((organization) => this.#byId.set(organization, of));
      return { of, played: await playSeed(of), forget };
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Changes tables as no role of Weir's may. */
  async tamper(work: (sql: TransactionSql) => Promise<unknown>): Promise<void> {
    await this.#weir.superuser.begin(async (sql) => {
      await sql`SET LOCAL search_path = weir`;
      await work(sql);
    });
  }

  /** Takes what would refuse a change from tables: triggers, references and checks. */
  async withoutRules(tables: readonly string[]): Promise<void> {
    await this.tamper(async (sql) => {
      for (const table of tables) {
        const checks = await sql<{ name: string }[]>`
          SELECT conname AS name FROM pg_constraint WHERE conrelid = ${table}::regclass AND contype = 'c'`;
        for (const { name } of checks) await sql`ALTER TABLE ${sql(table)} DROP CONSTRAINT ${sql(name)}`;
        await sql`ALTER TABLE ${sql(table)} DISABLE TRIGGER ALL`;
      }
    });
  }

  /** Plays all, so many at once. */
  async playAll(
    plans: readonly Plan[],
    atOnce: number,
    onPlayed: (played: PlayedSeed) => void,
  ): Promise<void> {
    const waiting = plans.values();
    const work = async () => {
      for (const plan of waiting) onPlayed(await this.play(plan));
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  close(): Promise<void> {
    return this.#weir.close();
  }
}
