import { useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import { useAction } from '../app/use-action.js';
import { Brand } from '../ui/brand.js';
import { Button, ButtonLink } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { Notice, ProblemNotice } from '../ui/notice.js';

interface LoginParts {
  /** Why the person must log in again. */
  readonly refusal: string | null;
  readonly signInUrl: string | null;
  /** @throws Problem */
  readonly onEnter: (token: string) => Promise<void>;
}

export function Login({ refusal, signInUrl, onEnter }: LoginParts) {
  return (
    <main class="login">
      <div class="card login-card">
        <Brand />
        <h1>Sign in</h1>
        {refusal && (
          <Notice tone="warn" role="alert">
            {refusal}
          </Notice>
        )}
        {signInUrl === null ? <TokenForm onEnter={onEnter} /> : <HostSignIn url={signInUrl} />}
      </div>
    </main>
  );
}

function HostSignIn({ url }: { url: string }) {
  return (
    <>
      <p>You are not signed in to the platform.</p>
      <ButtonLink kind="primary" href={url}>
        Sign in
      </ButtonLink>
    </>
  );
}

function TokenForm({ onEnter }: Pick<LoginParts, 'onEnter'>) {
  const [token, setToken] = useState('');
  const [missing, setMissing] = useState(false);
  const entering = useAction(onEnter);
  const submit = (event: Event): void => {
    event.preventDefault();
    setMissing(token.trim() === '');
    if (token.trim() !== '') void entering.run(token.trim());
  };
  return (
    <form onSubmit={submit} noValidate class="stack">
      <Field
        label="API token"
        help="A token of your workspace, beginning with mt_. It stays in this tab: close the tab, and it is forgotten."
        error={missing ? 'Enter a token' : whatIsWrong(entering.problem)}
      >
        {(links) => (
          <input
            {...links}
            type="password"
            class="mono"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
            autofocus
          />
        )}
      </Field>
      {entering.problem?.isOfHost && <ProblemNotice problem={entering.problem} />}
      <Button type="submit" kind="primary" isBusy={entering.isRunning}>
        Sign in
      </Button>
    </form>
  );
}

function whatIsWrong(problem: Problem | null): string | null {
  if (!problem || problem.isOfHost) return null;
  return problem.status === 401
    ? 'This token is unknown or was revoked. Check that all of it was copied'
    : problem.detail;
}
