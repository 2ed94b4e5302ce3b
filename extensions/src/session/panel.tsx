import { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { now } from '../common/clock';
import { number } from '../common/format';
import { Act, Head, Notices, SidePanel } from '../common/panel';
import { mixed, trans } from '../common/translation';
import type { Balance, DayUse, SessionQuota, Usage } from '../schema';
import { left } from './facts';
import {
  ago,
  balanceText,
  budgetPart,
  endsText,
  forecast,
  gpuText,
  hours,
  idleText,
  level,
  percent,
  points,
  storagePart,
  storageText,
  trendText,
  warnedOf
} from './format';
import type { SessionStore } from './store';

/** A gauge. */
export const usageIcon = new LabIcon({
  name: 'fabric-lab:usage',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M12 4C6.500 4 2 8.500 2 14c0 2.100.7 4.100 1.800 5.700l1.700-1.100C4.600 17.300 4 15.700 4 14c0-4.400 3.600-8 8-8s8 3.600 8 8c0 1.700-.6 3.300-1.500 4.600l1.700 1.100C21.300 18.100 22 16.100 22 14c0-5.500-4.500-10-10-10z"/>
    <path d="M17.200 8.800 10.700 12.800a2 2 0 1 0 2.500 2.500z"/>
  </g>
</svg>`
});

const OLD_S = 600;

export interface IUsageActions {
  readonly continueSession: () => void;
  readonly extend: () => void;
}

interface IProps extends IUsageActions {
  readonly store: SessionStore;
}

/** The panel on use and time; GPUs are read for nobody else. */
export class UsagePanel extends SidePanel<SessionStore> {
  constructor(
    store: SessionStore,
    private readonly actions: IUsageActions
  ) {
    super(store, { id: 'fabric-usage', className: 'fabric-Usage', title: trans.__('Usage'), icon: usageIcon });
  }

  protected override content(): React.JSX.Element {
    return <Panel store={this.store} {...this.actions} />;
  }
}

function Panel(props: IProps): React.JSX.Element {
  const { store } = props;
  const { known } = store;
  return (
    <>
      <Head title={trans.__('Usage')} tooltip={trans.__('Refresh the figures')} refresh={() => store.refresh()} />
      <Notices sentences={notices(store)} />
      {known && !store.gone ? <Known {...props} known={known} /> : null}
      {known || store.problem ? null : <p>{trans.__('Asking what is used and what is left …')}</p>}
    </>
  );
}

/** What is wrong, and what the hub warns of, each as a sentence. */
function notices({ known, problem }: SessionStore): string[] {
  const idle = known?.idle?.state === 'warn' ? idleText(known.idle, now()) : '';
  const warnings = known?.quota?.warnings.map(one => one.text) ?? [];
  return [problem, known?.problem ?? '', known?.quota?.problem ?? '', idle, ...warnings];
}

function Known(props: IProps & { readonly known: Usage }): React.JSX.Element {
  const { store, known } = props;
  const { quota } = known;
  return (
    <>
      <Time {...props} />
      {quota ? <Budgets quota={quota} /> : null}
      {quota && quota.storage.length ? (
        <section aria-labelledby="fabric-usage-storage">
          <h3 id="fabric-usage-storage">{trans.__('Storage')}</h3>
          {quota.storage.map(one => (
            <Bar
              key={`${one.path} ${one.scope ?? ''} ${one.title}`}
              name={one.title}
              part={storagePart(one)}
              text={storageText(one)}
              note={typeof one.at === 'number' ? trans.__('%1 · asked %2', one.path, ago(now() - one.at)) : one.path}
            />
          ))}
        </section>
      ) : null}
      {store.gpus.length ? (
        <section aria-labelledby="fabric-usage-gpus">
          <h3 id="fabric-usage-gpus">{trans.__('GPUs of this session, now')}</h3>
          {store.gpus.map(gpu => (
            <Bar
              key={gpu.index}
              name={`GPU ${gpu.index}${gpu.name ? ` · ${gpu.name}` : ''}`}
              part={gpu.memory_total ? (gpu.memory_used ?? 0) / gpu.memory_total : null}
              plain
              text={gpuText(gpu)}
            />
          ))}
        </section>
      ) : null}
      {quota?.idle ? (
        <p>
          {trans.__(
            'A session is stopped after %1 min without a running cell, output of a terminal, a task on a Dask cluster, or a GPU above %2%. You are told before.',
            number(quota.idle.minutes, 1),
            number(quota.idle.gpu_percent, 1)
          )}
        </p>
      ) : null}
      <Age store={store} known={known} />
      {mixed() ? (
        <p className="fabric-Usage-note">{trans.__('The menus of JupyterLab itself are in another language.')}</p>
      ) : null}
    </>
  );
}

function Time({ store, known, continueSession, extend }: IProps & { readonly known: Usage }): React.JSX.Element {
  const at = now();
  const time = known.quota?.time;
  return (
    <section aria-labelledby="fabric-usage-time">
      <h3 id="fabric-usage-time">{trans.__('Time')}</h3>
      <p>
        {known.ends_at === null
          ? trans.__('When this session ends is not known.')
          : `${left(known.ends_at, at)} · ${endsText(known.ends_at, at, time)}`}
      </p>
      <div className="fabric-Usage-actions">
        <Act does={continueSession}>{trans.__('Continue in a new session …')}</Act>
        {time?.can_extend ? <Act does={extend}>{trans.__('Extend …')}</Act> : null}
      </div>
      {store.next ? <p className="fabric-Usage-note">{store.next.text}</p> : null}
      {time && !time.can_extend && time.extend_why_not ? (
        <p className="fabric-Usage-note">{time.extend_why_not}</p>
      ) : null}
    </section>
  );
}

function Budgets({ quota }: { readonly quota: SessionQuota }): React.JSX.Element | null {
  if (!quota.gpu_hours && !quota.user_gpu_hours && !quota.trend.length) {
    return null;
  }
  return (
    <section aria-labelledby="fabric-usage-hours">
      <h3 id="fabric-usage-hours">{trans.__('GPU-hours')}</h3>
      {quota.gpu_hours ? (
        <Budget
          name={quota.project_title || quota.project}
          balance={quota.gpu_hours}
          warned={warnedOf(quota, 'project')}
        />
      ) : null}
      {quota.user_gpu_hours ? (
        <Budget name={trans.__('You')} balance={quota.user_gpu_hours} warned={warnedOf(quota, 'user')} personal />
      ) : null}
      {quota.trend.length > 1 ? <Trend days={quota.trend} /> : null}
    </section>
  );
}

interface IBudgetProps {
  readonly name: string;
  readonly balance: Balance;
  /** A warning says how long it lasts. */
  readonly warned: boolean;
  /** It is one person's own. */
  readonly personal?: boolean;
}

function Budget({ name, balance, warned, personal = false }: IBudgetProps): React.JSX.Element {
  const note = warned ? '' : forecast(balance);
  return <Bar name={name} part={budgetPart(balance)} text={balanceText(balance, personal)} note={note} />;
}

interface IBarProps {
  readonly name: string;
  readonly part: number | null;
  readonly text: string;
  readonly note?: string;
  /** A full one is nothing to worry about. */
  readonly plain?: boolean;
}

function Bar(props: IBarProps): React.JSX.Element {
  const share = props.part === null ? 0 : Math.min(1, Math.max(0, props.part));
  return (
    <div className="fabric-Usage-bar" data-level={props.plain ? 'fine' : level(props.part)}>
      <div className="fabric-Usage-name">
        <span>{props.name}</span>
        <span>{percent(props.part)}</span>
      </div>
      {props.part === null ? null : (
        <div className="fabric-Usage-track" aria-hidden="true">
          <div style={{ width: `${share * 100}%` }} />
        </div>
      )}
      <div>{props.text}</div>
      {props.note ? <div className="fabric-Usage-note">{props.note}</div> : null}
    </div>
  );
}

function Trend({ days }: { readonly days: readonly DayUse[] }): React.JSX.Element {
  const said = trendText(days, now());
  if (days.every(day => day.gpu_hours === 0)) {
    return <div className="fabric-Usage-note">{said}</div>;
  }
  return (
    <>
      <svg
        className="fabric-Usage-trend"
        viewBox="-1 -1 202 42"
        role="img"
        aria-label={said}
        preserveAspectRatio="none"
      >
        <polyline points={points(days, 200, 40)} />
      </svg>
      <div className="fabric-Usage-note">{said}</div>
      <details>
        <summary>{trans.__('Each day')}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('Day')}</th>
              <th scope="col">{trans.__('GPU-hours')}</th>
            </tr>
          </thead>
          <tbody>
            {[...days].reverse().map(day => (
              <tr key={day.day}>
                <td>{day.day}</td>
                <td>{hours(day.gpu_hours)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

function Age({ store, known }: { readonly store: SessionStore; readonly known: Usage }): React.JSX.Element | null {
  const age = known.quota?.age_s;
  if (age === null || age === undefined) {
    return null;
  }
  const seconds = age + now() - store.knownAt;
  return (
    <p className="fabric-Usage-note">
      {trans.__('Updated %1.', ago(seconds))}
      {seconds > OLD_S ? ` ${trans.__('These figures are old: Slurm does not answer the hub.')}` : ''}
    </p>
  );
}
