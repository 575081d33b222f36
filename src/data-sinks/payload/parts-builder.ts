import { failpoint } from '../tools/failpoint.js';
import { keyText } from '../domain/key-text.js';
import type { IdFactory } from '../domain/ids.js';
import type { JobKey } from '../domain/job-completed.js';
import type { PayloadFacts } from '../domain/body/layout.js';
import { MAX_PARTS, type PartRecipe, recipeName } from '../domain/body/payload-recipe.js';
import type { MappingResults } from '../ports/mapping-results.js';
import { bodyChunks } from './body-chunks.js';
import type { BodyThreadClient } from './body-thread-client.js';
import { beingBuilt, BuildLease } from './build-lease.js';
import { expectedRows } from './expected-rows.js';
import type { PartChunk, PartsBuild } from './part-store.js';
import { ResultsMissingError, TooManyPartsError } from './payload-errors.js';
import type { PayloadStore } from './payload-store.js';
import { RowCursor } from './row-cursor.js';
import type { BodyChunk } from './row-slices.js';

/** Builds the bodies of all needed parts of a job, in one pass over its rows. */
export class PartsBuilder {
  /** Builds in this process: deliveries of other parts wait for the running one. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly results: MappingResults,
    private readonly store: PayloadStore,
    private readonly newId: IdFactory,
    private readonly bodyThread: BodyThreadClient,
  ) {}

  /**
   * @param recipe the recipe of any part
   * @throws ResultsMissingError, InvalidResultsError, TooManyPartsError; no part was built
   * @throws PayloadBeingBuiltError while another worker builds them
   */
  async build(key: JobKey, recipe: PartRecipe, facts: PayloadFacts): Promise<void> {
    if (recipe.split.of > MAX_PARTS) throw new TooManyPartsError(recipe.split.of);
    const group = recipeName({ ...recipe, split: { ...recipe.split, number: 0 } });
    const name = keyText(key.workspaceId, key.jobId, key.run, group);
    let building = this.#underWay.get(name);
    if (!building) {
      building = this.#buildUnderLease(key, recipe, group, facts).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, building);
    }
    return building;
  }

  async #buildUnderLease(
    { workspaceId, jobId, run }: JobKey,
    recipe: PartRecipe,
    group: string,
    facts: PayloadFacts,
  ): Promise<void> {
    const build: PartsBuild = { workspaceId, jobId, run, group, buildId: this.newId('payload') };
    const leased = { workspaceId, jobId, run, recipe: group };
    if (!(await this.store.beginBuild(leased, build.buildId))) throw beingBuilt(build);
    const lease = new BuildLease(this.store, leased, build.buildId);
    try {
      await this.#buildWanted(build, lease, allParts(recipe), facts);
    } finally {
      lease.stop();
      await this.store.parts.end(build);
    }
  }

  async #buildWanted(
    build: PartsBuild,
    lease: BuildLease,
    recipes: readonly PartRecipe[],
    facts: PayloadFacts,
  ): Promise<void> {
    const wanted = await this.store.parts.wanted(build, recipes.map(recipeName));
    if (wanted.size === 0) return;
    const { workspaceId, jobId, run } = build;
    const batches = await this.results.streamRows({ workspaceId, jobId, run });
    if (!batches) throw new ResultsMissingError(`the host has no results of job ${jobId}, run ${run}`);
    const rows = new RowCursor(expectedRows(facts.stats.total, lease.whileHeld(batches)));
    try {
      // Reads all rows, even those of parts that are not needed: with an invalid row, no part may be sent.
      for (const recipe of recipes) {
        const { number, of, rowsPerPart } = recipe.split;
        // The last part is read to the end of the rows, to detect rows beyond the expected number.
        const count = number === of ? Infinity : rowsPerPart;
        if (wanted.has(recipeName(recipe))) {
          await this.#buildPart(build, recipe, bodyChunks(recipe, facts, rows.take(count), this.bodyThread));
        } else await rows.skip(count);
      }
    } finally {
      await rows.close();
    }
    if (!(await this.store.parts.publish(build))) throw beingBuilt(build);
  }

  async #buildPart(build: PartsBuild, recipe: PartRecipe, chunks: AsyncIterable<BodyChunk>): Promise<void> {
    const bodyId = `${build.buildId}.${recipe.split.number}`;
    const body = this.bodyThread.begin(recipe);
    let [bytes, rows, seq] = [0, 0, 0];
    let last: PartChunk | null = null;
    try {
      for await (const chunk of chunks) {
        if (last && !(await this.store.parts.appendChunk(build, last))) throw beingBuilt(build);
        bytes += chunk.bytes.length;
        rows = chunk.rowsSoFar;
        last = { bodyId, seq: seq++, bytes: await body.pack(chunk.bytes) };
      }
      if (!last) throw new Error('a body has at least one chunk');
      const { sha256 } = await body.end();
      const name = recipeName(recipe);
      if (!(await this.store.parts.finishPart(build, name, { bodyId, sha256, bytes, rows }, last)))
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
