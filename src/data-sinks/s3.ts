import type { Provider, Type } from '@nestjs/common';
import { HOST_AWS_CREDENTIALS } from './data-sinks.tokens.js';
import type { Destination } from './destinations/destination.js';
import { ExternalIds } from './destinations/s3/external-ids.js';
import { S3Destination } from './destinations/s3/s3.destination.js';
import { S3Roles } from './destinations/s3/s3-roles.js';
import { MAX_SINGLE_PUT_BYTES } from './destinations/s3/s3-writer.js';
import { ConfigurationError } from './domain/errors.js';
import { PushClient } from './egress/index.js';
import type { AwsCredentials } from './ports/index.js';
import { BoundAwsCredentials } from './ports/bound/index.js';

export { AwsCredentials, type AwsKeys } from './ports/aws-credentials.js';

export interface S3Options {
  /** Larger bodies are uploaded in parts. At most 5 GB, which is what stores take in one. @default 67108864 (64 MB) */
  readonly singlePutBytes?: number;
  /**
   * Offers roles: the platform's own credentials at AWS, an injectable class, which Nest makes with what `imports` export.
   * @default none: sinks have keys, and `config.roleArn` is refused
   */
  readonly credentials?: Type<AwsCredentials>;
  /**
   * A service with the interface of AWS's Security Token Service, in the place of AWS's of each region: for development. Its
   * sessions may then be used at any `endpointUrl`. Judged as every address is.
   * @default `https://sts.<region>.amazonaws.com`
   */
  readonly stsEndpointUrl?: string;
}

const MOST_BYTES = 5 * 1024 ** 3;
const CREDENTIALS_MS = 10_000;

/**
 * For `DataSinksModule`'s `destinations`: sinks of type `S3`, which write each delivery as one object of a bucket. It needs
 * the package `aws4fetch`.
 * @example DataSinksModule.forRoot({ …, destinations: [s3()] })
 * @throws ConfigurationError when an option cannot work
 */
export function s3(options: S3Options = {}): Type<Destination> {
  const { singlePutBytes = MAX_SINGLE_PUT_BYTES, credentials, stsEndpointUrl } = options;
  if (!Number.isInteger(singlePutBytes) || singlePutBytes < 0 || singlePutBytes > MOST_BYTES) {
    throw new ConfigurationError(`s3: singlePutBytes must be a whole number from 0 to ${MOST_BYTES}`);
  }
  const sts = stsEndpointUrl === undefined ? null : originOf(stsEndpointUrl);
  const destination = class extends S3Destination {
    /** What Nest makes beside it. */
    static readonly providers = credentials === undefined ? [] : roleProviders(credentials, sts);
    protected override readonly singlePutBytes = singlePutBytes;
  };
  Object.defineProperty(destination, 'name', { value: S3Destination.name });
  return destination as Type<Destination>;
}

function roleProviders(credentials: Type<AwsCredentials>, stsEndpointUrl: string | null): readonly Provider[] {
  if (typeof credentials !== 'function') {
    throw new ConfigurationError('s3: credentials must be an injectable class that extends AwsCredentials');
  }
  return [
    { provide: HOST_AWS_CREDENTIALS, useClass: credentials },
    ExternalIds,
    {
      provide: S3Roles,
      inject: [PushClient, HOST_AWS_CREDENTIALS, ExternalIds],
      useFactory: (client: PushClient, host: AwsCredentials, externalIds: ExternalIds) =>
        new S3Roles(client, new BoundAwsCredentials(host, CREDENTIALS_MS), externalIds, stsEndpointUrl),
    },
  ];
}

function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed && /^https?:$/.test(parsed.protocol) && parsed.pathname === '/' && parsed.search === '')
    return parsed.origin;
  throw new ConfigurationError('s3: stsEndpointUrl must be a URL without a path, such as https://sts.example.com');
}
