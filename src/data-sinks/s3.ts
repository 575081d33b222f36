import type { Type } from '@nestjs/common';
import type { Destination } from './destinations/destination.js';
import { S3Destination } from './destinations/s3/s3.destination.js';
import { MAX_SINGLE_PUT_BYTES } from './destinations/s3/s3-writer.js';
import { ConfigurationError } from './domain/errors.js';

export interface S3Options {
  /** Larger bodies are uploaded in parts. At most 5 GB, which is what stores take in one. @default 67108864 (64 MB) */
  readonly singlePutBytes?: number;
}

const MOST_BYTES = 5 * 1024 ** 3;

/**
 * For `DataSinksModule`'s `destinations`: sinks of type `S3`, which write each delivery as one object of a bucket. It needs
 * the package `aws4fetch`.
 * @example DataSinksModule.forRoot({ …, destinations: [s3()] })
 * @throws ConfigurationError when an option cannot work
 */
export function s3({ singlePutBytes = MAX_SINGLE_PUT_BYTES }: S3Options = {}): Type<Destination> {
  if (!Number.isInteger(singlePutBytes) || singlePutBytes < 0 || singlePutBytes > MOST_BYTES) {
    throw new ConfigurationError(`s3: singlePutBytes must be a whole number from 0 to ${MOST_BYTES}`);
  }
  const destination = class extends S3Destination {
    protected override readonly singlePutBytes = singlePutBytes;
  };
  Object.defineProperty(destination, 'name', { value: S3Destination.name });
  return destination as Type<Destination>;
}
