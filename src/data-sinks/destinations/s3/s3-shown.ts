import { credentialMask } from '../../domain/credential-mask.js';
import type { PushExchange } from '../../egress/index.js';
import type { SendReport } from '../destination.js';
import type { KeySource } from './s3-access.js';
import { readAnswer } from './s3-answer.js';

/** What a store says of an error repeats what it was sent, keys and signatures among it: of that, code and message stay. */
export function shownWithout(source: KeySource): (exchange: PushExchange) => SendReport['answer'] {
  return (exchange) => {
    const { answer } = exchange;
    if (!answer) return null;
    const { accessKeyId, secretAccessKey, sessionToken } = source.keys;
    const masks = [secretAccessKey, accessKeyId, ...(sessionToken ? [sessionToken] : [])].map((it) =>
      credentialMask(`Bearer ${it}`),
    );
    const clean = (text: string, isCut = false): string => masks.reduce((rest, mask) => mask(rest, isCut), text);
    const error = readAnswer(exchange);
    const excerpt = error?.code ? `${error.code}: ${error.message ?? ''}` : answer.excerpt;
    return {
      ...answer,
      headers: answer.headers.map(([name, value]) => [name, clean(value)] as const),
      excerpt: clean(excerpt, answer.ending !== 'complete'),
    };
  };
}
