const WIDTH = 1_000;

interface StackedBarParts {
  /** From left to right, each with the class of its colour. */
  readonly parts: readonly { readonly fill: string; readonly value: number }[];
  readonly total: number;
}

/** Parts of a whole, beside words that say the same. */
export function StackedBar({ parts, total }: StackedBarParts) {
  let from = 0;
  return (
    <svg
      class="stacked-bar"
      viewBox={`0 0 ${WIDTH} 10`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {parts.map(({ fill, value }) => {
        const x = from;
        const width = total === 0 ? 0 : (value / total) * WIDTH;
        from += width;
        return <rect key={fill} class={fill} x={x} y={0} width={width} height={10} />;
      })}
    </svg>
  );
}
