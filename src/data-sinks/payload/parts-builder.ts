import { failpoint } from '../core/failpoint.js';
import type { IdFactory } from '../core/ids.js';
import type { JobKey } from '../core/job-completed.js';
import type { PayloadFacts } from '../core/payload-layout.js';
import { MAX_PARTS, type PartRecipe, recipeName } from '../core/payload-recipe.js';
import type { MappingResults } from '../ports/mapping-results.js';
import { type BodyChunk, bodyChunks } from './body-chunks.js';
import type { BodyPress } from './body-press.js';
import { beingBuilt, BuildLease } from './build-lease.js';
import type { PartChunk, PartsBuild } from './part-store.js';
import { ResultsMissingError, TooManyPartsError } from './payload-errors.js';
import type { PayloadStore } from './payload-store.js';
import { RowCursor } from './row-cursor.js';

/** Makes the bodies of all parts of a job that are wanted, in one pass over its rows. */
export class PartsBuilder {
  readonly #results: Pick<MappingResults, 'streamRows'>;
  readonly #store: PayloadStore;
  readonly #newId: IdFactory;
  readonly #press: BodyPress;
  /** Builds of this process: the deliveries of other parts wait for the one that is under way. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(results: Pick<MappingResults, 'streamRows'>, store: PayloadStore, newId: IdFactory, press: BodyPress) {
    this.#results = results;
    this.#store = store;
    this.#newId = newId;
    this.#press = press;
  }

  /**
   * @param recipe that of any of the parts
   * @throws ResultsMissingError, InvalidResultRowError, TooManyPartsError; then no part was made
   * @throws PayloadBeingBuiltError while another worker makes them
   */
  async build(key: JobKey, recipe: PartRecipe, facts: PayloadFacts): Promise<void> {
    if (recipe.split.of > MAX_PARTS) throw new TooManyPartsError(recipe.split.of);
    const group = recipeName({ ...recipe, split: { ...recipe.split, number: 0 } });
    const name = `${key.jobId}/${key.run}/${group}`;
    let building = this.#underWay.get(name);
    if (!building) {
      building = this.#buildUnderLease(key, recipe, group, facts).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, building);
    }
    return building;
  }

  async #buildUnderLease(
    { jobId, run }: JobKey,
    recipe: PartRecipe,
    group: string,
    facts: PayloadFacts,
  ): Promise<void> {
    const build: PartsBuild = { jobId, run, group, buildId: this.#newId('payload') };
    const leased = { jobId, run, recipe: group };
    if (!(await this.#store.beginBuild(leased, build.buildId))) throw beingBuilt(build);
    const lease = new BuildLease(this.#store, leased, build.buildId);
    try {
      await this.#buildWanted(build, lease, allParts(recipe), facts);
    } finally {
      lease.stop();
      await this.#store.parts.end(build);
    }
  }

  async #buildWanted(
    build: PartsBuild,
    lease: BuildLease,
    recipes: readonly PartRecipe[],
    facts: PayloadFacts,
  ): Promise<void> {
    const wanted = await this.#store.parts.wanted(build, recipes.map(recipeName));
    if (wanted.size === 0) return;
    const { jobId, run } = build;
    const batches = await this.#results.streamRows({ jobId, run });
    if (!batches) throw new ResultsMissingError(`the host has no results of job ${jobId}, run ${run}`);
    const rows = new RowCursor(lease.whileHeld(batches));
    try {
      // To the end, also of rows that go into no wanted part: of a job with one that cannot be sent no part may leave.
      for (const recipe of recipes) {
        const { number, of, rowsPerPart } = recipe.split;
        // The last part has what is left, should the job have more rows than it said.
        const count = number === of ? Infinity : rowsPerPart;
        if (wanted.has(recipeName(recipe))) {
          await this.#buildPart(build, recipe, bodyChunks(recipe, facts, rows.take(count)));
        } else await rows.skip(count);
      }
    } finally {
      await rows.close();
    }
    if (!(await this.#store.parts.publish(build))) throw beingBuilt(build);
  }

  async #buildPart(build: PartsBuild, recipe: PartRecipe, chunks: AsyncIterable<BodyChunk>): Promise<void> {
    const bodyId = `${build.buildId}.${recipe.split.number}`;
    const body = this.#press.begin(recipe.compression);
    let [bytes, rows, seq] = [0, 0, 0];
    let last: PartChunk | null = null;
    try {
      for await (const chunk of chunks) {
        if (last && !(await this.#store.parts.appendChunk(build, last))) throw beingBuilt(build);
        bytes += chunk.bytes.length;
        rows = chunk.rowsSoFar;
        last = { bodyId, seq: seq++, bytes: await body.pack(chunk.bytes) };
      }
      if (!last) throw new Error('a body has at least one chunk');
      const { sha256 } = await body.end();
      const name = recipeName(recipe);
      if (!(await this.#store.parts.finishPart(build, name, { bodyId, sha256, bytes, rows }, last)))
        throw beingBuilt(build);
    } finally {
      body.forget();
    }
    failpoint('mid-build');
  }
}

function allParts(recipe: PartRecipe): PartRecipe[] {
  return Array.from({ length: recipe.split.of }, (_, i) => ({ ...recipe, split: { ...recipe.split, number: i + 1 } }));
}
