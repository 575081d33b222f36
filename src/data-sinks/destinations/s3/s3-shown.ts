import { type CredentialMask, maskOf } from '../../domain/credential-mask.js';
import type { PushExchange } from '../../egress/index.js';
import type { SendReport } from '../destination.js';
import type { KeySource } from './s3-access.js';
import { readAnswer } from './s3-answer.js';

/** What a store said, for people: the keys are masked, however it writes them. */
export interface Shown {
  readonly answer: (exchange: PushExchange) => SendReport['answer'];
  readonly text: CredentialMask;
}

/** What a store says of an error repeats what it was sent, keys and signatures among it: of that, code and message stay. */
export function shownWithout(source: KeySource): Shown {
  // Looked up each time: a session may have been renewed.
  const clean: CredentialMask = (text, isCut) => {
    const { accessKeyId, secretAccessKey, sessionToken } = source.keys;
    return maskOf([secretAccessKey, accessKeyId, ...(sessionToken ? [sessionToken] : [])])(text, isCut);
  };
  const shown: Shown['answer'] = (exchange) => {
    const { answer } = exchange;
    if (!answer) return null;
    const error = readAnswer(exchange);
    const excerpt = error?.code ? `${error.code}: ${error.message ?? ''}` : answer.excerpt;
    return {
      ...answer,
      headers: answer.headers.map(([name, value]) => [name, clean(value)] as const),
      excerpt: clean(excerpt, answer.ending !== 'complete'),
    };
  };
  return { answer: shown, text: clean };
}
