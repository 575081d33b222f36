import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../../data-sinks.options.js';
import { NETWORK_POLICY, OPTIONS } from '../../data-sinks.tokens.js';
import { payloadLayout } from '../../domain/body/payload-layout.js';
import { ADDRESS_REFUSED_DETAIL } from '../../domain/endpoint-url.js';
import { invalid } from '../../domain/invalid-request.js';
import type { NetworkPolicy } from '../../domain/network-policy.js';
import { PushClient, type PushExchange } from '../../egress/index.js';
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
} from '../destination.js';
import { objectKey } from './object-key.js';
import { addressOf, objectUrl } from './s3-address.js';
import { outcomeOf, readAnswer } from './s3-answer.js';
import { S3Client } from './s3-client.js';
import { acceptS3Config, compareS3Configs, locationOf, type S3Config } from './s3-config.js';
import { S3ConfigFields, S3SecretFields } from './s3-fields.js';
import { probe } from './s3-probe.js';
import { acceptKeys, readKeys, type S3Keys } from './s3-secret.js';
import { abortUpload, abortUploadsOf } from './s3-upload.js';
import { MAX_SINGLE_PUT_BYTES, S3Writer } from './s3-writer.js';

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
  ) {
    super();
  }

  acceptConfig(given: Given, before: S3Config | null): S3Config {
    return acceptS3Config(given, before, this.policy, this.options.allowedPorts);
  }

  compare(before: S3Config, after: S3Config): ConfigChange {
    return compareS3Configs(before, after);
  }

  override location(config: S3Config): string {
    return locationOf(config);
  }

  acceptSecret(given: Given | undefined, _config: S3Config, pointer: '/secret' | ''): AcceptedSecret {
    return acceptKeys(given, pointer);
  }

  overlap(_config: S3Config, asked: number | undefined): { seconds: number; warnings: readonly string[] } {
    if (asked === undefined) return { seconds: 0, warnings: [] };
    const detail = 'is not for S3: a request is signed with one pair of keys, so the old pair ends at once';
    throw invalid([{ pointer: '/overlapSeconds', detail }]);
  }

  async admit(config: S3Config): Promise<Admission> {
    const verdict = await this.client.judge(addressOf(config));
    if (verdict.kind === 'fine') return { kind: 'fine' };
    if (verdict.kind === 'unresolved') return { kind: 'doubtful', warning: UNRESOLVED };
    const { kind: reason, operatorDetail } = verdict;
    const pointer = config.endpointUrl === null ? '/config/bucket' : '/config/endpointUrl';
    const detail = reason === 'url_refused' ? 'must be an https URL of a public host' : ADDRESS_REFUSED_DETAIL;
    return { kind: 'refused', pointer, detail, reason, operatorDetail };
  }

  /** Lists no objects. `AccessDenied` passes: the keys need not be allowed to list. */
  override async ping(config: S3Config, secrets: () => Promise<SecretValues>, signal: CancelSignal): Promise<boolean> {
    const { current, nowMs } = await secrets();
    const client = new S3Client(this.client, { config, keys: readKeys(current), nowMs });
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
        const access = await this.#access(push);
        const { bytes, sha256 } = body.payload;
        const object = {
          key: objectKey(push.config.prefix, push),
          body: { bytes, whole: body.whole, open: () => body.open() },
          sha256,
          headers: headersOf(push, sha256),
          maxSinglePutBytes: this.singlePutBytes,
        };
        return { send: (attempt) => this.#write(access, object, attempt) };
      },
    };
  }

  async #write(
    access: Access,
    object: ConstructorParameters<typeof S3Writer>[1],
    attempt: AttemptUnderway,
  ): Promise<SendReport> {
    const { endpointUrl, region, bucket } = access.config;
    const place = { endpointUrl, region, bucket };
    return new S3Writer(new S3Client(this.client, access), object, attempt, shownWithout(access.keys), place).write();
  }

  async probe(push: ProbedPush<S3Config>): Promise<ProbeReport> {
    const access = await this.#access(push);
    return probe(new S3Client(this.client, access), push, headersOf(push, push.sha256), shownWithout(access.keys));
  }

  /** Where the upload was begun, whatever the sink says by now. */
  override async cleanUp(leftover: Leftover, config: S3Config, secrets: SecretValues): Promise<boolean> {
    const { endpointUrl, region, bucket, key, uploadId } = leftover as unknown as UploadLeft;
    const access = {
      config: { ...config, endpointUrl, region, bucket },
      keys: readKeys(secrets.current),
      nowMs: secrets.nowMs,
    };
    const client = new S3Client(this.client, access);
    return uploadId === null ? abortUploadsOf(client, key) : abortUpload(client, key, uploadId);
  }

  async #access(push: Push<S3Config>): Promise<Access> {
    const { current, nowMs } = await push.secrets();
    return { config: push.config, keys: readKeys(current), nowMs };
  }
}

interface Access {
  readonly config: S3Config;
  readonly keys: S3Keys;
  readonly nowMs: number;
}

type UploadLeft = Pick<S3Config, 'endpointUrl' | 'region' | 'bucket'> & {
  readonly key: string;
  /** Null for one whose id nobody has heard. */
  readonly uploadId: string | null;
};

/** A compressed object says so by its name alone: with `Content-Encoding` some stores and readers would unpack it unasked. */
function headersOf({ config, recipe, deliveryId, facts }: Push<S3Config>, sha256: string): Record<string, string> {
  const { kmsKeyId, storageClass } = config;
  return {
    'content-type': recipe.compression === 'gzip' ? 'application/gzip' : payloadLayout(recipe).contentType,
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

/** What a store says of an error repeats what it was sent, keys and signatures among it: of that, code and message stay. */
function shownWithout({ accessKeyId, secretAccessKey }: S3Keys): (exchange: PushExchange) => SendReport['answer'] {
  const clean = (text: string): string => text.replaceAll(secretAccessKey, '****').replaceAll(accessKeyId, '****');
  return (exchange) => {
    const { answer } = exchange;
    if (!answer) return null;
    const error = readAnswer(exchange);
    const excerpt = error?.code ? `${error.code}: ${error.message ?? ''}` : answer.excerpt;
    return {
      ...answer,
      headers: answer.headers.map(([name, value]) => [name, clean(value)] as const),
      excerpt: clean(excerpt),
    };
  };
}
