import type { SinkConfig } from '../../domain/data-sink.js';

export const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
] as const;
export type StorageClass = (typeof STORAGE_CLASSES)[number];

/** Where objects are written, and how. */
export interface S3Config extends SinkConfig {
  readonly bucket: string;
  /** Without a slash at its start; empty for the bucket's root. */
  readonly prefix: string;
  readonly region: string;
  /** Of a store that is not AWS, in the parser's form, without a slash at its end; null for AWS. */
  readonly endpointUrl: string | null;
  /** The role that is assumed to write; null for a sink that has keys. */
  readonly roleArn: string | null;
  /** What is said as it is assumed: of the workspace, made by us, in no request; null without a role. */
  readonly externalId: string | null;
  /** The key of AWS KMS that objects are encrypted with; null for the bucket's own way. */
  readonly kmsKeyId: string | null;
  /** The twelve digits of the account that must own the bucket; null for any. */
  readonly expectedBucketOwner: string | null;
  /** Null for the bucket's default. */
  readonly storageClass: StorageClass | null;
}
