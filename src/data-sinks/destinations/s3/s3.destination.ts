import { Inject, Injectable, Optional } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../../data-sinks.options.js';
import { NETWORK_POLICY, OPTIONS } from '../../data-sinks.tokens.js';
import { BODY_FORMATS } from '../../domain/body/body-format.js';
import { ADDRESS_REFUSED_DETAIL } from '../../domain/endpoint-url.js';
import { ProblemError } from '../../domain/errors.js';
import { invalid } from '../../domain/invalid-request.js';
import type { NetworkPolicy } from '../../domain/network-policy.js';
import { PushClient } from '../../egress/index.js';
import type { CancelSignal } from '../../tools/cancellation.js';
import {
  type AcceptedSecret,
  type Admission,
  type AttemptUnderway,
  type ConfigChange,
  Destination,
  type Given,
  type Leftover,
  type ProbedPush,
  type ProbeReport,
  type Push,
  type PushPreparation,
  type SecretValues,
  type SendReport,
  type SinkRef,
} from '../destination.js';
import { DestinationMissingError } from '../destinations.js';
import { objectKey, probeKey } from './object-key.js';
import { clockFrom, givenKeys, readyRole } from './s3-access.js';
import { addressOf, objectUrl } from './s3-address.js';
import { outcomeOf } from './s3-answer.js';
import { type S3Access, S3Client } from './s3-client.js';
import { acceptS3Config, compareS3Configs, locationOf, type S3Config, storedConfig } from './s3-config.js';
import { S3ConfigFields, S3SecretFields } from './s3-fields.js';
import { probe, roleRefused } from './s3-probe.js';
import { S3Roles } from './s3-roles.js';
import { acceptSecret, readKeys } from './s3-secret.js';
import { shownWithout } from './s3-shown.js';
import type { RoleFailure } from './sts-client.js';
import { abortUpload, abortUploadsOf } from './s3-upload.js';
import { MAX_SINGLE_PUT_BYTES, notWritten, type S3Object, S3Writer } from './s3-writer.js';

const UNRESOLVED = 'The host of this bucket cannot be found now. Nothing can be written before its name resolves.';

/** Writes each delivery as one object of a bucket, of AWS or of any store with the same interface (contract, section 9). */
@Injectable()
export class S3Destination extends Destination<S3Config> {
  /** For the API's document. */
  static readonly fields = [S3ConfigFields, S3SecretFields] as const;

  readonly type = 'S3';
  readonly configFields = S3ConfigFields;
  readonly secretFields = S3SecretFields;
  /** Larger bodies go in parts. */
  protected readonly singlePutBytes: number = MAX_SINGLE_PUT_BYTES;

  constructor(
    private readonly client: PushClient,
    @Inject(NETWORK_POLICY) private readonly policy: NetworkPolicy,
    @Inject(OPTIONS) private readonly options: Pick<ResolvedDataSinksOptions, 'allowedPorts'>,
    @Optional() private readonly roles?: S3Roles,
  ) {
    super();
  }

  acceptConfig(given: Given, before: S3Config | null): S3Config {
    return acceptS3Config(given, before, this.policy, this.options.allowedPorts, this.roles?.rules ?? null);
  }

  override async complete(config: S3Config, workspaceId: string): Promise<S3Config> {
    if (config.roleArn === null) return { ...config, externalId: null };
    return { ...config, externalId: config.externalId ?? (await this.#offered().externalIdOf(workspaceId)) };
  }

  override trustPolicy(config: S3Config): string | null {
    return this.roles?.trustPolicy(storedConfig(config)) ?? null;
  }

  compare(before: S3Config, after: S3Config): ConfigChange {
    return compareS3Configs(before, after);
  }

  override location(config: S3Config): string {
    return locationOf(config);
  }

  acceptSecret(given: Given | undefined, { roleArn }: S3Config, pointer: '/secret' | ''): AcceptedSecret {
    return acceptSecret(given, roleArn !== null && roleArn !== undefined, pointer);
  }

  overlap(_config: S3Config, asked: number | undefined): { seconds: number; warnings: readonly string[] } {
    if (asked === undefined) return { seconds: 0, warnings: [] };
    const detail = 'is not for S3: a request is signed with one pair of keys, so the old pair ends at once';
    throw invalid([{ pointer: '/overlapSeconds', detail }]);
  }

  async admit(config: S3Config): Promise<Admission> {
    const ofBucket = await this.client.judge(addressOf(config));
    const asksSts = ofBucket.kind === 'fine' && config.roleArn !== null && this.roles;
    const verdict = asksSts ? await this.client.judge(asksSts.stsUrl(config)) : ofBucket;
    if (verdict.kind === 'fine') return { kind: 'fine' };
    if (verdict.kind === 'unresolved') return { kind: 'doubtful', warning: UNRESOLVED };
    const { kind: reason, operatorDetail } = verdict;
    const ofPlace = config.endpointUrl === null ? '/config/bucket' : '/config/endpointUrl';
    const pointer = asksSts ? '/config/region' : ofPlace;
    const detail = reason === 'url_refused' ? 'must be an https URL of a public host' : ADDRESS_REFUSED_DETAIL;
    return { kind: 'refused', pointer, detail, reason, operatorDetail };
  }

  /** Lists no objects. `AccessDenied` passes: the keys need not be allowed to list. */
  override async ping(
    config: S3Config,
    secrets: () => Promise<SecretValues>,
    signal: CancelSignal,
    of: SinkRef,
  ): Promise<boolean> {
    const opened = await (await this.#ready(config, await secrets(), of))(signal);
    if (opened.kind === 'refused') return false;
    const client = new S3Client(this.client, opened.access);
    const query = { 'list-type': '2', 'max-keys': '0' };
    const { status, errorCode } = outcomeOf(await client.send({ method: 'GET', key: null, query, signal }));
    return status === 'SUCCEEDED' || errorCode === 'bucket_access_denied';
  }

  describe(push: Push<S3Config>): { url: string; authScheme: string } {
    return { url: objectUrl(push.config, objectKey(push.config.prefix, push)), authScheme: 'AwsSigV4' };
  }

  prepare(push: Push<S3Config>): PushPreparation {
    return {
      watch: null,
      ready: async (body) => {
        // Read now, so that a vault that is away leaves no attempt on record.
        const open = await this.#ready(push.config, await push.secrets(), push);
        const { bytes, sha256 } = body.payload;
        const object = {
          key: objectKey(push.config.prefix, push),
          body: { bytes, whole: body.whole, open: () => body.open() },
          sha256,
          headers: headersOf(push, sha256),
          maxSinglePutBytes: this.singlePutBytes,
        };
        return { send: async (attempt) => this.#write(await open(attempt.signal), object, attempt) };
      },
    };
  }

  async #write(opened: Opened, object: S3Object, attempt: AttemptUnderway): Promise<SendReport> {
    if (opened.kind === 'refused') return notWritten(object, opened);
    const { access } = opened;
    const { endpointUrl, region, bucket } = access.config;
    const place = { endpointUrl, region, bucket };
    const shown = shownWithout(access.source).answer;
    return new S3Writer(new S3Client(this.client, access), object, attempt, shown, place).write();
  }

  async probe(push: ProbedPush<S3Config>): Promise<ProbeReport> {
    const config = storedConfig(push.config);
    if (config.roleArn !== null && !this.roles) throw new ProblemError('destination-missing', NO_ROLES);
    const opened = await this.#probed(config, push);
    if (opened.kind === 'refused') return roleRefused(push, opened, this.#offered());
    const { access } = opened;
    const client = new S3Client(this.client, access);
    return probe(client, push, headersOf(push, push.sha256), shownWithout(access.source));
  }

  /** Where the upload was begun, whatever the sink says by now. */
  override async cleanUp(leftover: Leftover, now: S3Config, secrets: SecretValues, of: SinkRef): Promise<boolean> {
    const { endpointUrl, region, bucket, key, uploadId } = leftover as unknown as UploadLeft;
    const prefix = key.slice(0, key.lastIndexOf('/') + 1);
    const config = { ...now, endpointUrl, region, bucket, prefix };
    const opened = await (await this.#ready(config, secrets, of))(undefined);
    if (opened.kind === 'refused') return false;
    const client = new S3Client(this.client, opened.access);
    return uploadId === null ? abortUploadsOf(client, key) : abortUpload(client, key, uploadId);
  }

  /** Asks for what may fail on our side; what it returns begins a session where one is needed. */
  async #ready(given: S3Config, { current, nowMs }: SecretValues, of: SinkRef): Promise<OpenAccess> {
    const config = storedConfig(given);
    const now = clockFrom(nowMs);
    if (config.roleArn === null) {
      const access = { config, source: givenKeys(readKeys(current)), now };
      return async () => ({ kind: 'open', access });
    }
    const roles = this.#offered();
    const role = await readyRole(roles.sessions, roles.useOf(config, of, null), now);
    return async (signal) => {
      const opened = await role.open(signal);
      return opened.kind === 'refused' ? opened : { kind: 'open', access: { config, source: opened.source, now } };
    };
  }

  /** A Test trusts no session that is in force: the role may have been changed since. */
  async #probed(config: S3Config, push: ProbedPush<S3Config>): Promise<Opened> {
    const secrets = await push.secrets();
    if (config.roleArn === null) return (await this.#ready(config, secrets, push))(undefined);
    const roles = this.#offered();
    const use = roles.useOf(config, push, probeKey(config.prefix, push.dataSourceId));
    const now = clockFrom(secrets.nowMs);
    const begun = await roles.sessions.begin(use, await roles.sessions.ownKeys(), now());
    if (begun.kind === 'refused') return begun;
    return { kind: 'open', access: { config, source: givenKeys(begun.session.keys), now } };
  }

  #offered(): S3Roles {
    if (!this.roles) throw new DestinationMissingError(NO_ROLES);
    return this.roles;
  }
}

const NO_ROLES = 'Roles are not offered here any more: give s3() its option "credentials", or the sink keys.';

type Opened = { readonly kind: 'open'; readonly access: S3Access } | ({ readonly kind: 'refused' } & RoleFailure);

type OpenAccess = (signal: CancelSignal | undefined) => Promise<Opened>;

type UploadLeft = Pick<S3Config, 'endpointUrl' | 'region' | 'bucket'> & {
  readonly key: string;
  /** Null for one whose id nobody has heard. */
  readonly uploadId: string | null;
};

/** A compressed object says so by its name alone: with `Content-Encoding` some stores and readers would unpack it unasked. */
function headersOf({ config, recipe, deliveryId, facts }: Push<S3Config>, sha256: string): Record<string, string> {
  const { kmsKeyId, storageClass } = config;
  return {
    'content-type': recipe.compression === 'gzip' ? 'application/gzip' : BODY_FORMATS[recipe.format].contentType,
    'x-amz-meta-sha256': sha256,
    'x-amz-meta-delivery-id': deliveryId,
    'x-amz-meta-completed-at': facts.completedAt.toISOString(),
    ...(kmsKeyId !== null && {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': kmsKeyId,
    }),
    ...(storageClass !== null && { 'x-amz-storage-class': storageClass }),
  };
}
