import { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { now } from '../common/clock';
import { number } from '../common/format';
import { Act, Head, Notices, SidePanel } from '../common/panel';
import { mixed, trans } from '../common/translation';
import type { Balance, JobUse, Readings, SessionQuota, Usage } from '../schema';
import { timeShare } from './charts';
import { Days, Legend, Ring, Spark } from './drawings';
import { clock, left, shortGpu, shortLeft } from './facts';
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
  part,
  percent,
  shares,
  storagePart,
  storageText,
  warnedOf
} from './format';
import { cpuText, killedText, memoryText, nextStep, sourceText, sparkText, trendText } from './jobFormat';
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
/** From this share of its time on a session's ring says by its colour, too, that the end is near. */
const SOON = 0.1;

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
  const killed = (known?.killed ?? []).map(one => `${clock(one.at, now())} · ${killedText(one)} ${nextStep()}`);
  return [problem, known?.problem ?? '', known?.quota?.problem ?? '', idle, ...warnings, ...killed];
}

function Known(props: IProps & { readonly known: Usage }): React.JSX.Element {
  const { store, known } = props;
  const { quota } = known;
  return (
    <>
      <Time {...props} />
      {store.readings?.job ? <Machine job={store.readings.job} /> : null}
      {store.readings?.gpus.length ? <Gpus readings={store.readings} /> : null}
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
  const share = timeShare(time?.started_at, known.ends_at, at);
  return (
    <section aria-labelledby="fabric-usage-time">
      <h3 id="fabric-usage-time">{trans.__('Time')}</h3>
      <div className="fabric-Usage-ringed">
        {share === null ? null : (
          <Ring
            label={trans.__('%1 of this session’s time is left', percent(share))}
            text={shortLeft(known.ends_at, at)}
            parts={[[share <= SOON ? 'soon' : 'left', share]]}
          />
        )}
        <p>
          {known.ends_at === null
            ? trans.__('When this session ends is not known.')
            : `${left(known.ends_at, at)} · ${endsText(known.ends_at, at, time)}`}
        </p>
      </div>
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

/** The job's memory and CPUs against what was asked for, with where the numbers come from. */
function Machine({ job }: { readonly job: JobUse }): React.JSX.Element {
  return (
    <section aria-labelledby="fabric-usage-job">
      <h3 id="fabric-usage-job">{trans.__('Memory and CPU')}</h3>
      <Bar
        name={trans.__('Memory')}
        part={job.memory === null ? null : part(job.memory, job.memory_limit)}
        text={memoryText(job)}
      />
      <Bar
        name={trans.__('CPU')}
        part={job.cpus_busy === null ? null : part(job.cpus_busy, job.cpus)}
        text={cpuText(job)}
        plain
      />
      <p className="fabric-Usage-note">{sourceText(job)}</p>
    </section>
  );
}

/** Each GPU now, and its last ten minutes. */
function Gpus({ readings }: { readonly readings: Readings }): React.JSX.Element {
  const drawn = readings.gpus.some(gpu => !gpu.problem);
  return (
    <section aria-labelledby="fabric-usage-gpus">
      <h3 id="fabric-usage-gpus">{trans.__('GPUs, last ten minutes')}</h3>
      {readings.gpus.map((gpu, index) => {
        const name = `GPU ${gpu.index}${gpu.name ? ` · ${shortGpu(gpu.name)}` : ''}`;
        const points = readings.history[index]?.points ?? [];
        return (
          <div key={gpu.index} className="fabric-Usage-bar">
            <div className="fabric-Usage-name">
              <span>{name}</span>
              <span>{gpu.percent === null ? '' : `${Math.round(gpu.percent)}%`}</span>
            </div>
            {points.length > 1 && !gpu.problem ? <Spark history={points} label={sparkText(name, points)} /> : null}
            <div>{gpuText(gpu)}</div>
          </div>
        );
      })}
      {drawn ? (
        <>
          <Legend
            items={[
              ['use', trans.__('Use')],
              ['memory', trans.__('Memory')]
            ]}
          />
          <p className="fabric-Usage-note">
            {trans.__('Read by this session itself every %1 s; never billed.', readings.every_s)}
          </p>
        </>
      ) : null}
    </section>
  );
}

function Budgets({ quota }: { readonly quota: SessionQuota }): React.JSX.Element {
  const { gpu_hours: whole, user_gpu_hours: own, trend } = quota;
  return (
    <section aria-labelledby="fabric-usage-hours">
      <h3 id="fabric-usage-hours">{trans.__('GPU-hours')}</h3>
      {whole ? (
        <Budget
          name={quota.project_title || quota.project}
          balance={whole}
          own={own}
          warned={warnedOf(quota, 'project')}
        />
      ) : null}
      {own ? (
        <Bar
          name={trans.__('You')}
          part={budgetPart(own)}
          text={balanceText(own, true)}
          note={warnedOf(quota, 'user') ? '' : forecast(own)}
        />
      ) : null}
      {trend.length > 1 ? (
        trend.some(day => day.gpu_hours > 0) ? (
          <Days days={trend} said={trendText(trend, now())} />
        ) : (
          <p className="fabric-Usage-note">{trendText(trend, now())}</p>
        )
      ) : (
        <p className="fabric-Usage-note">{trans.__('No history yet · updated hourly')}</p>
      )}
    </section>
  );
}

interface IBudgetProps {
  readonly name: string;
  readonly balance: Balance;
  /** The person's own part of it. */
  readonly own: Balance | null;
  /** A warning says how long it lasts. */
  readonly warned: boolean;
}

/** A project's budget: a ring with the share that is mine, or a bar where another limit counts or there is none. */
function Budget({ name, balance, own, warned }: IBudgetProps): React.JSX.Element {
  const note = warned ? '' : forecast(balance);
  const used = shares(balance, own);
  const share = budgetPart(balance);
  if (used === null || share === null) {
    return <Bar name={name} part={share} text={balanceText(balance)} note={note} />;
  }
  const mine = own ? Math.min(own.used, balance.used) : null;
  const [you, others] = [
    trans.__('You: %1', hours(mine ?? 0)),
    trans.__('Others: %1', hours(Math.max(0, balance.used - (mine ?? 0))))
  ];
  return (
    <div className="fabric-Usage-bar" data-level={level(share)}>
      <div className="fabric-Usage-name">
        <span>{name}</span>
        <span>{percent(share)}</span>
      </div>
      <div className="fabric-Usage-ringed">
        <Ring
          label={
            mine === null
              ? trans.__('%1 of the budget is used', percent(share))
              : trans.__('%1 of the budget is used, %2 by you', percent(share), percent(used.mine))
          }
          text={percent(share)}
          parts={[
            ['mine', used.mine],
            ['others', used.others]
          ]}
        />
        <div>
          <div>{balanceText(balance)}</div>
          {mine === null ? null : (
            <Legend
              items={[
                ['mine', you],
                ['others', others]
              ]}
            />
          )}
        </div>
      </div>
      {note ? <div className="fabric-Usage-note">{note}</div> : null}
    </div>
  );
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
