import { Inject, Injectable } from '@nestjs/common';
import { DataSourceConfigBody } from '../../api/dto/data-source-config.body.js';
import { SecretBody } from '../../api/dto/data-source.body.js';
import type { ResolvedDataSinksOptions } from '../../data-sinks.options.js';
import { NETWORK_POLICY, OPTIONS, RANDOM_BYTES } from '../../data-sinks.tokens.js';
import { classify } from '../../domain/attempt-outcome.js';
import { headersToSend } from '../../domain/custom-headers.js';
import type { HttpsWebhookConfig } from '../../domain/data-sink.js';
import { ADDRESS_REFUSED_DETAIL } from '../../domain/endpoint-url.js';
import { invalid } from '../../domain/invalid-request.js';
import type { NetworkPolicy } from '../../domain/network-policy.js';
import { pushHeaders } from '../../domain/push-headers.js';
import { overlapOfRotation } from '../../domain/rotation-overlap.js';
import { signatureScheme } from '../../domain/signing/signature-schemes.js';
import { NO_BODY, PushClient, type PushExchange } from '../../egress/index.js';
import type { PayloadBody } from '../../payload/payload-bodies.js';
import type { CancelSignal } from '../../tools/cancellation.js';
import {
  type AcceptedSecret,
  type Admission,
  type ConfigChange,
  Destination,
  type Given,
  type ProbedPush,
  type ProbeReport,
  type Push,
  type PushPreparation,
  type ReadyPush,
  type SendReport,
} from '../destination.js';
import { PushSigner } from './push-signer.js';
import { acceptConfig, changedConfig, type GivenFields, newConfig } from './webhook-config.js';
import { acceptSecret } from './webhook-secret.js';

const UNRESOLVED =
  'The host of this endpoint cannot be found now. Nothing can be delivered before its name resolves to a public address.';

type WebhookPush = Push<HttpsWebhookConfig>;

/** Posts to an HTTPS endpoint of the customer's, signed. */
@Injectable()
export class HttpsWebhookDestination extends Destination<HttpsWebhookConfig> {
  readonly type = 'HTTPS_WEBHOOK';
  readonly configFields = DataSourceConfigBody;
  readonly secretFields = SecretBody;

  constructor(
    private readonly signer: PushSigner,
    private readonly client: PushClient,
    @Inject(NETWORK_POLICY) private readonly policy: NetworkPolicy,
    @Inject(RANDOM_BYTES) private readonly randomBytes: (size: number) => Buffer,
    @Inject(OPTIONS) private readonly options: Pick<ResolvedDataSinksOptions, 'allowedPorts'>,
  ) {
    super();
  }

  acceptConfig(given: Given, before: HttpsWebhookConfig | null): HttpsWebhookConfig {
    const fields = given as GivenFields;
    const whole = before ? changedConfig(before, fields) : newConfig(fields);
    return acceptConfig(whole, this.policy, this.options.allowedPorts);
  }

  /** The secret stays with its host, and with its scheme too, since Bearer would show what HMAC only uses. */
  compare(before: HttpsWebhookConfig, after: HttpsWebhookConfig): ConfigChange {
    const moved = new URL(before.url).origin !== new URL(after.url).origin;
    const used = before.authScheme !== after.authScheme || before.username !== after.username;
    return {
      moves: before.url !== after.url,
      needsSecretFor: moved ? 'the endpoint’s host' : used ? 'how the secret is used' : null,
    };
  }

  acceptSecret(given: Given | undefined, config: HttpsWebhookConfig, pointer: '/secret' | ''): AcceptedSecret {
    return acceptSecret(given?.['value'] as string | undefined, config, this.randomBytes, pointer);
  }

  overlap(
    { authScheme }: HttpsWebhookConfig,
    asked: number | undefined,
  ): { readonly seconds: number; readonly warnings: readonly string[] } {
    const seconds = overlapOfRotation(authScheme, asked);
    if (seconds === null) {
      const detail = `must be 0 or left out for ${authScheme}: it sends one header, so the old secret ends at once`;
      throw invalid([{ pointer: '/overlapSeconds', detail }]);
    }
    const ended = `${authScheme} sends one secret at a time, so the old one has ended: pushes carry the new one from now on.`;
    return { seconds, warnings: signatureScheme(authScheme).overlaps ? [] : [ended] };
  }

  async admit({ url }: HttpsWebhookConfig): Promise<Admission> {
    const verdict = await this.client.judge(url);
    if (verdict.kind === 'fine') return { kind: 'fine' };
    if (verdict.kind === 'unresolved') return { kind: 'doubtful', warning: UNRESOLVED };
    const { kind: reason, operatorDetail } = verdict;
    // Only where an operator opened private ranges: the URL is one for them alone, and its name leads elsewhere.
    const detail = reason === 'url_refused' ? 'must be an https URL of a public host' : ADDRESS_REFUSED_DETAIL;
    return { kind: 'refused', pointer: '/config/url', detail, reason, operatorDetail };
  }

  /** Any answer passes: many endpoints accept only POST. Custom headers are left out, since they may be credentials. */
  override async ping({ url }: HttpsWebhookConfig, _secrets: unknown, signal: CancelSignal): Promise<boolean> {
    const asked = { method: 'OPTIONS', url, headers: {}, customHeaders: [], body: NO_BODY, signal } as const;
    return (await this.client.post(asked)).result.kind === 'answered';
  }

  describe({ config: { url, authScheme } }: WebhookPush): { url: string; authScheme: string } {
    return { url, authScheme };
  }

  prepare(push: WebhookPush): PushPreparation {
    const watch = this.signer.watch(push);
    return {
      watch,
      ready: async (body) => {
        const signedAsMade = body.watchedBy === watch ? watch.headers() : null;
        return this.#ready(push, body, signedAsMade ?? (await this.signer.sign({ ...push, body })));
      },
    };
  }

  #ready(push: WebhookPush, body: PayloadBody, signature: Readonly<Record<string, string>>): ReadyPush {
    const { deliveryId, config, recipe, facts, lastErrorCode } = push;
    const { sha256, bytes } = body.payload;
    return {
      send: async ({ attemptNumber, traceparent, signal }) => {
        const general = pushHeaders({
          ...{ deliveryId, attemptNumber, sha256, recipe, facts, test: false },
          traceparent: config.sendTraceparent ? traceparent : null,
        });
        const exchange = await this.client.post({
          url: config.url,
          headers: { ...general, ...signature },
          customHeaders: config.customHeaders,
          body: { bytes, whole: body.whole, open: () => body.open() },
          freshConnection: lastErrorCode === 'stale_connection',
          ...(signal && { signal }),
        });
        return toReport(exchange, config.retryableStatuses);
      },
    };
  }

  async probe(push: ProbedPush<HttpsWebhookConfig>): Promise<ProbeReport> {
    const { deliveryId, config, recipe, facts, body, sha256 } = push;
    const whole = { bytes: body.length, whole: body, open: () => once(body) };
    const signature = await this.signer.sign({ ...push, body: whole });
    const traceparent = config.sendTraceparent ? push.traceparent : null;
    const general = pushHeaders({ deliveryId, attemptNumber: 1, sha256, recipe, facts, test: true, traceparent });
    const headers = { ...general, ...signature };
    const exchange = await this.client.post({
      url: config.url,
      headers,
      customHeaders: config.customHeaders,
      body: whole,
      // Connecting and the certificate are part of what is tested, and no connection from before can spoil it.
      freshConnection: true,
    });
    // As the client does it.
    const custom = headersToSend(config.customHeaders, Object.keys(headers));
    const shown = {
      ...{ 'User-Agent': this.client.userAgent, 'Content-Length': String(body.length), ...headers },
      ...Object.fromEntries(custom.map(({ name, value }) => [name, value])),
    };
    const sent = { method: 'POST', url: config.url, headers: withoutCredentials(shown) };
    return { ...toReport(exchange, []), sent, steps: [], policy: null };
  }
}

function toReport(
  { result, timings, answer, operatorDetail }: PushExchange,
  retryableStatuses: readonly number[],
): SendReport {
  return { outcome: classify(result, retryableStatuses), timings, answer, operatorDetail };
}

/** A credential that is sent as it is must not come back in an answer; a signature may. */
function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { Authorization: authorization, ...rest } = headers;
  return authorization === undefined ? rest : { ...rest, Authorization: `${authorization.split(' ')[0]} ****` };
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
