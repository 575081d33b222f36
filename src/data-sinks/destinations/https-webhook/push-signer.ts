import { Injectable } from '@nestjs/common';
import { ServerClock } from '../../database/server-clock.js';
import { startSigning } from '../../domain/signing/body-signer.js';
import { signatureScheme } from '../../domain/signing/signature-schemes.js';
import { type SigningInput } from '../../domain/signing/signature-scheme.js';
import { type SigningTask, SigningWatch } from './signing-watch.js';

/** What is signed: any stored body, or the synthetic one of a Test. */
export interface SignableBody {
  readonly whole: Uint8Array | null;
  open(): AsyncIterable<Uint8Array>;
}

export interface SigningRequest extends SigningTask {
  readonly body: SignableBody;
}

/** Step 5b: the headers that prove where a push comes from. */
@Injectable()
export class PushSigner {
  /** @param clock for the age of a signature */
  constructor(private readonly clock: ServerClock) {}

  /** One streaming pass over the body, if the scheme signs it. */
  async sign(request: SigningRequest): Promise<Readonly<Record<string, string>>> {
    const { config, body } = request;
    const scheme = signatureScheme(config.authScheme);
    const pass = startSigning(scheme, await signingInput(request));
    if (scheme.readsBody) {
      if (body.whole) pass.update(body.whole);
      else for await (const chunk of body.open()) pass.update(chunk);
    }
    return pass.headers();
  }

  /** Signs a large body while it is built, which saves reading it again. */
  watch(task: SigningTask): SigningWatch {
    return new SigningWatch(
      task,
      () => signingInput(task),
      () => this.clock.now(),
    );
  }
}

/** The timestamp that is signed is the time at which the secrets were found to be in force. */
async function signingInput({ deliveryId, config, secrets }: SigningTask): Promise<SigningInput> {
  const { current, previous, nowMs } = await secrets();
  return {
    ...{ deliveryId, timestamp: Math.floor(nowMs / 1000), secret: current, previousSecret: previous },
    username: config.username,
  };
}
