import * as React from 'react';

import { number } from '../common/format';
import { Act } from '../common/panel';
import { trans } from '../common/translation';
import type { DayUse, GpuPoint } from '../schema';
import { arcs, columnAt, columnBy, columns, dashes, lines, roundUp } from './charts';
import { hours } from './format';
import { dayText, shortDay } from './jobFormat';

interface IRingProps {
  /** What it shows, for who does not see it. */
  readonly label: string;
  /** What stands in its middle. */
  readonly text: string;
  /** Shares of the whole, each with the name of what it is: that is its colour. */
  readonly parts: readonly (readonly [kind: string, share: number])[];
}

const RADIUS = 15.915; // round about 100

/** A ring of parts; what is left of the whole stays a thin line. */
export function Ring({ label, text, parts }: IRingProps): React.JSX.Element {
  const drawn = arcs(parts.map(([, share]) => share));
  return (
    <div className="fabric-Usage-ring" role="img" aria-label={label}>
      <svg viewBox="0 0 42 42" aria-hidden="true">
        <circle className="fabric-Usage-ringTrack" cx="21" cy="21" r={RADIUS} />
        {drawn.map((arc, index) =>
          arc.length > 0 ? (
            <circle key={parts[index]?.[0]} data-kind={parts[index]?.[0]} cx="21" cy="21" r={RADIUS} {...dashes(arc)} />
          ) : null
        )}
      </svg>
      <span>{text}</span>
    </div>
  );
}

/** What the colours stand for, with the numbers. */
export function Legend({
  items
}: {
  readonly items: readonly (readonly [kind: string, text: string])[];
}): React.JSX.Element {
  return (
    <ul className="fabric-Usage-legend">
      {items.map(([kind, text]) => (
        <li key={kind} data-kind={kind}>
          {text}
        </li>
      ))}
    </ul>
  );
}

/** Days as stacked columns, and as a table. A day's numbers are told where the pointer is, or by arrow keys. */
export function Days({ days, said }: { readonly days: readonly DayUse[]; readonly said: string }): React.JSX.Element {
  const [table, setTable] = React.useState(false);
  const shared = days.some(day => typeof day.mine === 'number');
  return (
    <>
      {table ? <DayTable days={days} shared={shared} /> : <DayColumns days={days} said={said} shared={shared} />}
      <div className="fabric-Usage-note">{said}</div>
      <div className="fabric-Usage-actions">
        <Act does={() => setTable(!table)} pressed={table}>
          {trans.__('As table')}
        </Act>
      </div>
    </>
  );
}

interface IDaysProps {
  readonly days: readonly DayUse[];
  /** Whether one's own share of a day is known. */
  readonly shared: boolean;
}

function DayColumns({ days, said, shared }: IDaysProps & { readonly said: string }): React.JSX.Element {
  const [chosen, setChosen] = React.useState<number | null>(null);
  const most = roundUp(Math.max(...days.map(day => day.gpu_hours)));
  const at = chosen === null ? days.length - 1 : Math.min(chosen, days.length - 1);
  const day = days[at];
  return (
    <>
      <div className="fabric-Usage-chart">
        <div className="fabric-Usage-axis" aria-hidden="true">
          <span>{number(most, 2)}</span>
          <span>{number(most / 2, 2)}</span>
          <span>0</span>
        </div>
        <div className="fabric-Usage-plot">
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={said}>
            <path className="fabric-Usage-grid" d="M0 0H100M0 50H100M0 100H100" />
            {columns(days, most).map(({ day: one, x, width, mine, others }, index) => (
              <g key={one.day} data-chosen={index === chosen}>
                <rect
                  data-kind="others"
                  x={x * 100}
                  width={width * 100}
                  y={(1 - mine - others) * 100}
                  height={others * 100}
                />
                <rect data-kind="mine" x={x * 100} width={width * 100} y={(1 - mine) * 100} height={mine * 100} />
              </g>
            ))}
          </svg>
          <div
            className="fabric-Usage-days"
            role="slider"
            tabIndex={0}
            aria-label={trans.__('Day')}
            aria-valuemin={0}
            aria-valuemax={days.length - 1}
            aria-valuenow={at}
            aria-valuetext={day ? dayText(day) : ''}
            onPointerMove={event => {
              const box = event.currentTarget.getBoundingClientRect();
              setChosen(columnAt((event.clientX - box.left) / (box.width || 1), days.length));
            }}
            onPointerLeave={() => setChosen(null)}
            onFocus={() => setChosen(at)}
            onBlur={() => setChosen(null)}
            onKeyDown={event => {
              const next = columnBy(event.key, chosen, days.length);
              if (next !== null) {
                event.preventDefault();
                setChosen(next);
              }
            }}
          />
        </div>
        <div className="fabric-Usage-dates" aria-hidden="true">
          <span>{shortDay(days[0]?.day ?? '')}</span>
          <span>{shortDay(days[days.length - 1]?.day ?? '')}</span>
        </div>
      </div>
      {chosen !== null && day ? <div className="fabric-Usage-day">{dayText(day)}</div> : null}
      {shared ? (
        <Legend
          items={[
            ['mine', trans.__('You')],
            ['others', trans.__('Others')]
          ]}
        />
      ) : null}
    </>
  );
}

function DayTable({ days, shared }: IDaysProps): React.JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{trans.__('Day')}</th>
          {shared ? <th scope="col">{trans.__('You')}</th> : null}
          <th scope="col">{trans.__('GPU-hours')}</th>
        </tr>
      </thead>
      <tbody>
        {[...days].reverse().map(day => (
          <tr key={day.day}>
            <th scope="row">{shortDay(day.day)}</th>
            {shared ? <td>{hours(day.mine ?? 0)}</td> : null}
            <td>{hours(day.gpu_hours)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const SPARK = { width: 240, height: 40 };

/** Ten minutes of a GPU: its use as a line, its memory as a dashed one. */
export function Spark(props: { readonly history: readonly GpuPoint[]; readonly label: string }): React.JSX.Element {
  const { width, height } = SPARK;
  return (
    <svg
      className="fabric-Usage-spark"
      viewBox={`0 -1 ${width} ${height + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={props.label}
    >
      <path className="fabric-Usage-grid" d={`M0 0H${width}M0 ${height}H${width}`} />
      {(['memory', 'use'] as const).map(what =>
        lines(props.history, what, width, height).map(line => (
          <polyline key={`${what} ${line.slice(0, 12)}`} data-kind={what} points={line} />
        ))
      )}
    </svg>
  );
}
