import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { IsString, Matches } from 'class-validator';
import * as sinks from 'nestjs-data-sinks';

class DirectoryFields extends sinks.BodySettingsFields {
  @Matches(/^[a-z0-9-]{1,64}$/, { message: 'must be lower-case letters, digits and hyphens' })
  @IsString()
  directory!: string;
}
class NoSecret {}

type Config = sinks.SinkConfig & { readonly directory: string };
const NEW = { compression: 'none', includeFields: null, maxRowsPerPush: null } as const;
const NO_TIMINGS = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 0 };

/** Writes each delivery as a file of a directory that the customer sees over the platform's own file service. */
@Injectable()
export class DirectoryDestination extends sinks.Destination<Config> {
  readonly type = 'DIRECTORY';
  readonly configFields = DirectoryFields;
  readonly secretFields = NoSecret;
  protected readonly root: string = '/srv/customers';

  acceptConfig(given: sinks.Given, before: Config | null): Config {
    const config = { ...NEW, ...before, ...given } as Config;
    if (/^[a-z0-9-]{1,64}$/.test(config.directory)) return config;
    const errors = [{ pointer: '/config/directory', detail: 'must be lower-case letters, digits and hyphens' }];
    throw new sinks.ProblemError('validation-failed', 'The directory is not valid.', { errors });
  }

  compare = (before: Config, after: Config) => ({ moves: before.directory !== after.directory, needsSecretFor: null });
  acceptSecret = () => ({ value: '-', hint: null, generated: false, warnings: [] });
  overlap = () => ({ seconds: 0, warnings: [] });
  admit = async () => ({ kind: 'fine' }) as const;
  override location = ({ directory }: Config) => directory;
  describe = (push: sinks.Push<Config>) => ({ url: `file://${this.fileOf(push)}`, authScheme: 'None' });

  prepare = (push: sinks.Push<Config>): sinks.PushPreparation => ({
    watch: null,
    ready: async (body) => ({ send: ({ signal }) => this.write(push, () => body.open(), signal) }),
  });

  async probe(push: sinks.ProbedPush<Config>): Promise<sinks.ProbeReport> {
    const path = this.fileOf(push);
    const report = await this.write(push, async function* () {
      yield push.body;
    });
    const fits = report.outcome.status === 'SUCCEEDED' && (await readFile(path)).equals(push.body);
    await rm(path, { force: true });
    const steps = [{ name: 'write', passed: fits, detail: `wrote ${path} and read it` }];
    return { ...report, sent: { method: 'WRITE', url: `file://${path}`, headers: {} }, steps, policy: null };
  }

  /** Under another name first: readers see the whole file, or none. A retry writes the same bytes again. */
  private async write(
    push: sinks.Push<Config>,
    body: () => AsyncIterable<Uint8Array>,
    signal?: sinks.AttemptUnderway['signal'],
  ): Promise<sinks.SendReport> {
    signal?.throwIfAborted();
    const path = this.fileOf(push);
    const report = { timings: NO_TIMINGS, answer: null, operatorDetail: null };
    try {
      await mkdir(join(this.root, push.config.directory), { recursive: true });
      const file = await open(`${path}.part`, 'w');
      try {
        for await (const piece of body()) await file.write(piece);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.part`, path);
      return { ...report, outcome: sinks.outcome('SUCCEEDED', null, 'DELIVERED', null) };
    } catch (error) {
      // A disk that is full is a receiver that is down: retried, and the deliveries behind it wait.
      return {
        ...report,
        operatorDetail: String(error),
        outcome: sinks.outcome('NETWORK_ERROR', 'network_error', 'RETRY', null),
      };
    }
  }

  private fileOf({ config, deliveryId, recipe }: sinks.Push<Config>): string {
    return join(this.root, config.directory, `${deliveryId}.${recipe.format.toLowerCase()}`);
  }
}
