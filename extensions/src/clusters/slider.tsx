import * as React from 'react';

import { trans } from '../common/translation';
import { between, MOST_WORKERS, moved, type End, type IRange } from './range';

interface ISliderProps {
  /** Whose workers, for screen readers. */
  readonly name: string;
  readonly value: IRange;
  /** Where the slider ends; a number that is typed may be higher. */
  readonly top: number;
  readonly change: (value: IRange) => void;
  /** The button that asks for it. */
  readonly children: React.ReactNode;
}

/** Least and most workers: a slider with two ends, each also as a number to type. Both together are a fixed number. */
export function Slider({ name, value, top, change, children }: ISliderProps): React.JSX.Element {
  const { start, length } = between(value, top);
  const ends: readonly (readonly [end: End, label: string, said: string])[] = [
    ['least', trans.__('Minimum'), trans.__('Minimum workers of %1', name)],
    ['most', trans.__('Maximum'), trans.__('Maximum workers of %1', name)]
  ];
  return (
    <div role="group" aria-label={trans.__('Workers of %1', name)} className="fabric-Slider">
      <div className="fabric-Slider-track">
        <div className="fabric-Slider-rail">
          <div className="fabric-Slider-line" style={{ left: `${start}%`, width: `${length}%` }} />
        </div>
        {ends.map(([end, , said]) => (
          <input
            key={end}
            type="range"
            min={0}
            max={top}
            // where both ends are at the right of the track only the lower one can be moved apart
            data-above={end === 'least' && value.least > top / 2}
            aria-label={said}
            aria-valuetext={trans._n('%1 worker', '%1 workers', value[end])}
            value={value[end]}
            onChange={event => change(moved(value, end, event.target.valueAsNumber))}
          />
        ))}
      </div>
      <div className="fabric-Clusters-form">
        {ends.map(([end, label]) => (
          <Typed key={end} end={end} label={label} value={value} change={change} />
        ))}
        {children}
      </div>
    </div>
  );
}

/** One end as a number. While it is typed, each digit counts from where both ends were before the first one. */
function Typed(props: { end: End; label: string; value: IRange; change: (value: IRange) => void }): React.JSX.Element {
  const { end, label, value, change } = props;
  const before = React.useRef(value);
  const [text, setText] = React.useState<string | null>(null);
  return (
    <label className="fabric-Panel-field">
      {label}
      <input
        type="number"
        className="jp-mod-styled"
        min={0}
        max={MOST_WORKERS}
        value={text ?? value[end]}
        onFocus={() => (before.current = value)}
        onChange={event => {
          setText(event.target.value);
          change(moved(before.current, end, event.target.valueAsNumber));
        }}
        onBlur={() => setText(null)}
      />
    </label>
  );
}
