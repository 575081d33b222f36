import { CopyButton } from './copy-button.js';

interface CodeParts {
  readonly text: string;
  readonly what: string;
  readonly copyable?: boolean;
}

/** Plain text, never markup. Long lines scroll, also by keyboard. */
export function Code({ text, what, copyable = true }: CodeParts) {
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={what}>
        <code>{text}</code>
      </pre>
      {copyable && <CopyButton text={text} what={what} />}
    </div>
  );
}
