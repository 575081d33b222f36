import type { Provider, Type } from '@nestjs/common';
import type { Destination } from '../destinations/destination.js';
import { Destinations } from '../destinations/destinations.js';
import { HttpsWebhookDestination } from '../destinations/https-webhook/https-webhook.destination.js';
import { PushSigner } from '../destinations/https-webhook/push-signer.js';

/** What those that the host added document of their fields (`static fields`). */
export function fieldsOf(added: readonly Type<Destination>[]): readonly Type<object>[] {
  return added.flatMap((it) => (it as { readonly fields?: readonly Type<object>[] }).fields ?? []);
}

/** What those that the host added need beside what every module has (`static providers`). */
function providersOf(added: readonly Type<Destination>[]): readonly Provider[] {
  return added.flatMap((it) => (it as { readonly providers?: readonly Provider[] }).providers ?? []);
}

/** The destinations that every module has, and those that the host added. */
export function hostDestinations(added: readonly Type<Destination>[]): readonly Provider[] {
  const all = [HttpsWebhookDestination, ...added];
  const registry = (...destinations: Destination[]): Destinations => new Destinations(destinations);
  return [PushSigner, ...providersOf(added), ...all, { provide: Destinations, inject: all, useFactory: registry }];
}
