import type { CreateSink, S3Config, Sink, SinkConfig, UpdateSink } from '../api/types.js';
import { formatConfig, type FormatSettings, PLAIN_FORMAT } from './format-details.js';

export const S3 = 's3';

/** What the form holds. */
export interface S3Draft extends FormatSettings {
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  /** Empty: AWS. */
  readonly endpointUrl: string;
  readonly access: 'keys' | 'role';
  readonly roleArn: string;
  /** Both empty: the stored ones stay. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const EMPTY_S3: S3Draft = {
  name: '',
  bucket: '',
  prefix: '',
  region: '',
  endpointUrl: '',
  access: 'keys',
  roleArn: '',
  accessKeyId: '',
  secretAccessKey: '',
  format: 'JSONL',
  ...PLAIN_FORMAT,
};

export function isS3(sink: Pick<Sink, 'type'>): boolean {
  return sink.type === 'S3';
}

/** What a webhook has; of another type, what all have. */
export function webhookOf({ config }: Pick<Sink, 'config'>): SinkConfig {
  return config as SinkConfig;
}

export function s3ConfigOf(sink: Pick<Sink, 'config'>): S3Config & { readonly externalId?: string | null } {
  return sink.config as S3Config;
}

/** Whether it writes with a role, and so has no secret. */
export function hasRole(sink: Pick<Sink, 'type' | 'config'>): boolean {
  return isS3(sink) && typeof s3ConfigOf(sink).roleArn === 'string';
}

/** Where a sink's results go, in a line. */
export function placeOf(sink: Pick<Sink, 'type' | 'config'>): string {
  if (!isS3(sink)) return webhookOf(sink).url;
  const { bucket, prefix, region, endpointUrl } = s3ConfigOf(sink);
  return `s3://${bucket}/${prefix ?? ''} ${endpointUrl ?? region}`;
}

export function s3DraftOf(sink: Sink): S3Draft {
  const { bucket, prefix, region, endpointUrl, roleArn, compression, csvFormulas, parquetCodec } = s3ConfigOf(sink);
  return {
    ...EMPTY_S3,
    ...{ name: sink.name, bucket, prefix: prefix ?? '', region, endpointUrl: endpointUrl ?? '' },
    ...{ access: typeof roleArn === 'string' ? 'role' : 'keys', roleArn: roleArn ?? '' },
    ...{ format: sink.format, isCompressed: compression === 'gzip', isRawCsv: csvFormulas === 'raw' },
    parquetCodec: parquetCodec ?? PLAIN_FORMAT.parquetCodec,
  };
}

export function toCreateS3(draft: S3Draft): CreateSink {
  const { accessKeyId, secretAccessKey, name, format } = draft;
  return {
    ...{ role: 'RESULTS_SINK', type: 'S3', name, format },
    config: { ...configOf(draft) },
    ...(draft.access === 'keys' && { secret: { accessKeyId, secretAccessKey } }),
  };
}

/** Only what was changed. @returns null when nothing was */
export function toUpdateS3(draft: S3Draft, before: S3Draft): UpdateSink | null {
  const [after, stored] = [configOf(draft), configOf(before)];
  const keys = Object.keys(after) as (keyof typeof after)[];
  const changed = keys.filter((key) => after[key] !== stored[key]);
  const { accessKeyId, secretAccessKey } = draft;
  const update: UpdateSink = {
    ...(draft.name !== before.name && { name: draft.name }),
    ...(draft.format !== before.format && { format: draft.format }),
    ...(changed.length > 0 && {
      // Another place needs the role again.
      config: {
        ...(after.roleArn !== null && { roleArn: after.roleArn }),
        ...Object.fromEntries(changed.map((key) => [key, after[key]])),
      },
    }),
    ...((accessKeyId !== '' || secretAccessKey !== '') && { secret: { accessKeyId, secretAccessKey } }),
  };
  return Object.keys(update).length === 0 ? null : update;
}

/** What to allow over there: writing below the prefix, and nothing else. */
export function policyOf({ bucket, prefix, region }: Pick<S3Draft, 'bucket' | 'prefix' | 'region'>): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const resource = `arn:${partition}:s3:::${bucket || 'your-bucket'}/${folder}*`;
  const statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: resource };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, null, 2);
}

function configOf({ bucket, prefix, region, endpointUrl, access, roleArn, ...format }: S3Draft) {
  return {
    ...{ bucket: bucket.trim(), prefix: prefix.trim(), region: region.trim() },
    endpointUrl: endpointUrl.trim() === '' ? null : endpointUrl.trim(),
    roleArn: access === 'role' ? roleArn.trim() : null,
    ...formatConfig(format),
  };
}
