import type { AuthScheme } from '../api/types.js';
import { SCHEMES } from '../text/labels.js';
import { Field, FieldGroup } from '../ui/field.js';
import type { FieldsParts } from './sink-form.js';

const SCHEME_NAMES = Object.keys(SCHEMES) as AuthScheme[];

/** How a push proves where it comes from, and the secret that it does so with. */
export function AuthFields(fields: FieldsParts) {
  const { draft, problem, change, isNew } = fields;
  const isSigned = draft.authScheme === 'HmacSha256';
  return (
    <>
      <FieldGroup legend="How your endpoint knows that it is us" error={problem?.at('/config/authScheme')}>
        <div class="choices">
          {SCHEME_NAMES.map((scheme) => (
            <label class="choice" key={scheme}>
              <input
                type="radio"
                name="scheme"
                checked={draft.authScheme === scheme}
                onChange={() => change({ authScheme: scheme })}
              />
              <span>
                <strong>{SCHEMES[scheme].name}</strong>
                <span class="quiet small">{SCHEMES[scheme].says}</span>
              </span>
            </label>
          ))}
        </div>
      </FieldGroup>
      {draft.authScheme === 'Basic' && (
        <Field label="Username" help="Sent with the password." error={problem?.at('/config/username')}>
          {(links) => (
            <input
              {...links}
              type="text"
              value={draft.username}
              onInput={(event) => change({ username: event.currentTarget.value })}
              autocomplete="off"
              spellcheck={false}
            />
          )}
        </Field>
      )}
      {isNew && isSigned && <WhoMakesTheSecret {...fields} />}
      {!(isNew && isSigned && draft.isGenerated) && <SecretField {...fields} />}
    </>
  );
}

function WhoMakesTheSecret({ draft, change }: FieldsParts) {
  return (
    <FieldGroup legend="Signing secret">
      <div class="choices">
        <label class="choice">
          <input
            type="radio"
            name="secret"
            checked={draft.isGenerated}
            onChange={() => change({ isGenerated: true, secret: '' })}
          />
          <span>
            <strong>Make one for me</strong>
            <span class="quiet small">32 random bytes. You see it once, right after saving.</span>
          </span>
        </label>
        <label class="choice">
          <input
            type="radio"
            name="secret"
            checked={!draft.isGenerated}
            onChange={() => change({ isGenerated: false })}
          />
          <span>
            <strong>Use mine</strong>
            <span class="quiet small">At least 16 bytes; 32 random bytes are better.</span>
          </span>
        </label>
      </div>
    </FieldGroup>
  );
}

const SECRET_NAMES: Readonly<Record<AuthScheme, string>> = {
  HmacSha256: 'Secret',
  Bearer: 'Token',
  Basic: 'Password',
};

function SecretField({ draft, problem, change, isNew }: FieldsParts) {
  const keeps = 'Leave it empty to keep the stored one. Changing the host, or how it is used, needs it again.';
  return (
    <Field
      label={SECRET_NAMES[draft.authScheme]}
      optional={!isNew}
      help={`${isNew ? '' : `${keeps} `}It is kept encrypted and never shown again.`}
      error={problem?.at('/secret/value') ?? problem?.at('/secret')}
    >
      {(links) => (
        <input
          {...links}
          type="password"
          class="mono"
          value={draft.secret}
          onInput={(event) => change({ secret: event.currentTarget.value })}
          autocomplete="new-password"
          spellcheck={false}
        />
      )}
    </Field>
  );
}
