import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface DisclosureParts {
  readonly summary: string;
  readonly startsOpen: boolean;
  /** Opens it if something inside must be seen; never closes it. */
  readonly hasErrors: boolean;
  readonly children: ComponentChildren;
}

export function Disclosure({ summary, startsOpen, hasErrors, children }: DisclosureParts) {
  const element = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (hasErrors && element.current) element.current.open = true;
  }, [hasErrors]);
  return (
    <details ref={element} class="more" open={startsOpen}>
      <summary>{summary}</summary>
      <div class="stack">{children}</div>
    </details>
  );
}
