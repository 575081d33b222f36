import { createHash } from 'node:crypto';
import { NO_BODY, type PushBody, type PushClient, type PushExchange, type PushRequest } from '../../egress/index.js';
import type { CancelSignal } from '../../tools/cancellation.js';
import { signedHeaders } from './aws-signature.js';
import type { KeySource } from './s3-access.js';
import { readAnswer } from './s3-answer.js';
import { addressOf, encoded, objectUrl } from './s3-address.js';
import type { S3Config } from './s3-config.js';

/** One request to a bucket. */
export interface S3Request {
  readonly method: NonNullable<PushRequest['method']>;
  /** Null for the bucket itself. */
  readonly key: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: PushBody;
  /** Of the body, lower-case hex; needed with one. */
  readonly sha256?: string;
  readonly freshConnection?: boolean;
  readonly awaitsEarlyAnswer?: boolean;
  readonly signal?: CancelSignal;
}

const EMPTY_SHA256 = createHash('sha256').update('').digest('hex');

/** Whose bucket, with which keys, at what time. */
export interface S3Access {
  readonly config: S3Config;
  readonly source: KeySource;
  /** By the database's clock, in milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Signs requests (AWS Signature Version 4, with the hash of the body) and sends them with the guarded client. Nothing that
 * is optional is added: no checksum trailers, no chunked encoding, which other stores than AWS refuse.
 */
export class S3Client {
  constructor(
    private readonly client: Pick<PushClient, 'post' | 'userAgent'>,
    private readonly access: S3Access,
  ) {}

  /** A session of a role that has ended before its time is renewed, once. */
  async send(request: S3Request): Promise<PushExchange> {
    const exchange = await this.#send(request);
    const code = readAnswer(exchange)?.code;
    if (code !== 'ExpiredToken' && code !== 'TokenRefreshRequired') return exchange;
    return (await this.access.source.renew(request.signal)) ? this.#send(request) : exchange;
  }

  async #send(request: S3Request): Promise<PushExchange> {
    const { method, body = NO_BODY, freshConnection, awaitsEarlyAnswer, signal } = request;
    const url = this.url(request);
    // What is no URL cannot be signed, and the client refuses it as it refuses every wrong address.
    const headers = URL.canParse(url) ? await this.#signed(url, request) : {};
    return this.client.post({
      ...{ method, url, body, customHeaders: [], headers },
      ...(freshConnection !== undefined && { freshConnection }),
      ...(awaitsEarlyAnswer !== undefined && { awaitsEarlyAnswer }),
      ...(signal && { signal }),
    });
  }

  url({ key, query = {} }: Pick<S3Request, 'key' | 'query'>): string {
    const { config } = this.access;
    const base = key === null ? `${addressOf(config)}/` : objectUrl(config, key);
    const search = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
    return search.length === 0 ? base : `${base}?${search.join('&')}`;
  }

  async #signed(
    url: string,
    { method, headers = {}, sha256 = EMPTY_SHA256 }: S3Request,
  ): Promise<Record<string, string>> {
    const { config, source, now } = this.access;
    const owner = config.expectedBucketOwner;
    return signedHeaders({
      ...{ method, url, service: 's3', region: config.region, keys: source.keys, nowMs: now() },
      headers: {
        ...headers,
        'x-amz-content-sha256': sha256,
        ...(owner !== null && { 'x-amz-expected-bucket-owner': owner }),
      },
    });
  }
}
