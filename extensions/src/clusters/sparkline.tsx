import * as React from 'react';

import { corners, span, type Point } from './geometry';

const WIDTH = 120;
const HEIGHT = 24;

interface ISparklineProps {
  readonly points: readonly Point[];
  /** The value at the upper end; of a curve that never is above 0, what it would be. */
  readonly highest: number;
  /** What it shows now, to be read beside it. */
  readonly text: string;
  /** The same with what was before, for who does not see the curve. */
  readonly said: string;
}

/** The last ten minutes of a number, and what it is now. */
export function Sparkline({ points, highest, text, said }: ISparklineProps): React.JSX.Element {
  const line = corners(points, {
    width: WIDTH,
    height: HEIGHT,
    seconds: span(points),
    highest: Math.max(highest, 1)
  });
  return (
    <div className="fabric-Cluster-curve">
      <svg role="img" aria-label={said} viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`} preserveAspectRatio="none">
        <title>{said}</title>
        <polyline points={line} vectorEffect="non-scaling-stroke" />
      </svg>
      <span>{text}</span>
    </div>
  );
}
