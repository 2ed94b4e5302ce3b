import * as React from 'react';

import { Act, Notices, Said } from '../common/panel';
import { trans } from '../common/translation';
import type { ClusterHistory, LateWorkers } from '../schema';
import { Choice } from './choice';
import {
  each,
  facts,
  following,
  memoryNow,
  memorySaid,
  priced,
  scaling,
  stateText,
  tasksNow,
  tasksSaid
} from './format';
import { counted, memory, tasks } from './geometry';
import { pageIcons } from './icons';
import { pagesOf, rangeOf, type Cluster } from './model';
import { isFixed, MOST_WORKERS, reduced, same, top, type IRange } from './range';
import { Slider } from './slider';
import { Sparkline } from './sparkline';
import type { Order } from './api';
import type { ClustersStore } from './store';

export interface IActions {
  insertClientCode(name: string): void;
  openPage(name: string, path: string): void;
  /** Where a page of a cluster's dashboard is, for a browser's tab of its own. */
  address(name: string, path: string): string;
  /** End a cluster, if that is confirmed. */
  stop(cluster: Cluster): Promise<void>;
}

interface ICardProps {
  readonly cluster: Cluster;
  readonly store: ClustersStore;
  readonly actions: IActions;
}

/** One cluster: what it does and costs, its size, its dashboard. */
export function Card({ cluster, store, actions }: ICardProps): React.JSX.Element {
  const { name } = cluster;
  return (
    <section className="fabric-Cluster" aria-label={trans.__('Cluster %1', name)}>
      <h3>{name}</h3>
      {cluster.problem ? (
        <Notices sentences={[cluster.problem]} />
      ) : (
        <>
          <Now cluster={cluster} />
          <Size cluster={cluster} store={store} />
          <Dashboard cluster={cluster} actions={actions} />
          <div className="fabric-Clusters-form">
            <Act label={trans.__('Insert client code for %1', name)} does={() => actions.insertClientCode(name)}>
              {trans.__('Insert client code')}
            </Act>
            <Act busy={store.busy.has(name)} label={trans.__('Stop %1', name)} does={() => actions.stop(cluster)}>
              {trans.__('Stop')}
            </Act>
          </div>
        </>
      )}
      <Said {...store.said(name)} />
    </section>
  );
}

/** How its workers fare, what they do, and what that costs. */
function Now({ cluster }: { readonly cluster: Cluster }): React.JSX.Element {
  const workers = cluster.workers ?? [];
  const here = workers.filter(worker => worker.address !== null);
  const states = counted(workers);
  const follows = following(cluster);
  return (
    <>
      {states.length ? (
        <>
          {/* the list below says the same */}
          <div className="fabric-Cluster-bar" aria-hidden="true">
            {states.map(([state, count]) => (
              <span key={state} data-state={state} style={{ flexGrow: count }} />
            ))}
          </div>
          <ul className="fabric-Cluster-states" aria-label={trans.__('Workers by state')}>
            {states.map(([state, count]) => (
              <li key={state} data-state={state}>
                {stateText(state, count)}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {cluster.cost ? <p className="fabric-Cluster-cost">{cluster.cost}</p> : null}
      <p className="fabric-Cluster-facts">{facts(cluster).join(' · ')}</p>
      {cluster.history?.at.length ? <Curves history={cluster.history} /> : null}
      {follows ? <p>{follows}</p> : null}
      {here.length ? (
        <details className="fabric-Cluster-workers">
          <summary>{trans.__('Each worker')}</summary>
          <ul>
            {here.map(worker => (
              <li key={worker.name}>{each(cluster, worker)}</li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  );
}

function Curves({ history }: { readonly history: ClusterHistory }): React.JSX.Element {
  const work = tasks(history);
  const limit = Math.max(0, ...history.memory_limit, ...history.memory);
  return (
    <div className="fabric-Cluster-curves">
      <Sparkline
        points={work}
        highest={Math.max(0, ...history.tasks)}
        text={tasksNow(history)}
        said={tasksSaid(history)}
      />
      <Sparkline points={memory(history)} highest={limit} text={memoryNow(history)} said={memorySaid(history)} />
    </div>
  );
}

/** How many workers there may be: one slider, with the price of more before they are asked for. */
function Size({ cluster, store }: Omit<ICardProps, 'actions'>): React.JSX.Element {
  const { name } = cluster;
  const pools = Object.keys(cluster.pools ?? {});
  const [chosenPool, choosePool] = React.useState('');
  const pool = pools.includes(chosenPool) ? chosenPool : (pools[0] ?? '');
  const known = rangeOf(cluster, pool, MOST_WORKERS);
  const [chosen, choose] = React.useState<IRange | null>(null); // null: as the cluster is, whatever it becomes
  const range = chosen ?? known;
  const ofPool = (cluster.workers ?? []).filter(worker => worker.pool === pool);
  const wanted = ofPool.length;
  const run = ofPool.filter(worker => worker.address !== null).length;
  const asks = !!cluster.pools?.[pool]?.profile && range.most > wanted && !same(range, known);
  const { most } = range;
  React.useEffect(
    () => void (asks ? store.quoteAll(name, pool, most) : store.quoteNothing(name)),
    [store, name, pool, asks, most, wanted, run]
  );
  const quoted = asks ? store.quoted.get(name) : '';
  const busy = store.busy.has(name);
  const scale = (to: IRange, of: string): Promise<boolean> =>
    store.send(name, order(to, of), words => scaling(to, words));
  return (
    <>
      <Notices sentences={[...(cluster.waiting ?? []), ...Object.values(cluster.problems ?? {}), cluster.hub ?? '']} />
      {(cluster.late ?? []).map(late => (
        <Late
          key={late.pool}
          late={late}
          several={pools.length > 1}
          busy={busy}
          reduce={() => scale(reduced(rangeOf(cluster, late.pool, MOST_WORKERS), late.keep), late.pool)}
        />
      ))}
      {pools.length > 1 ? (
        <Choice
          label={trans.__('Kind of worker')}
          value={pool}
          options={pools.map(one => [one, one])}
          choose={other => {
            choosePool(other);
            choose(null);
          }}
        />
      ) : null}
      <Slider name={name} value={range} top={top(known, range)} change={choose}>
        <Act
          busy={busy}
          label={trans.__('Scale %1', name)}
          does={async () => {
            if (await scale(range, pool)) {
              choose(null);
            }
          }}
        >
          {trans.__('Scale')}
        </Act>
      </Slider>
      {quoted ? <p className="fabric-Cluster-facts">{priced(range, quoted)}</p> : null}
    </>
  );
}

function order(range: IRange, pool: string): Order {
  return isFixed(range)
    ? { verb: 'scale', n: range.most, pool }
    : { verb: 'adapt', minimum: range.least, maximum: range.most, pool };
}

interface ILateProps {
  readonly late: LateWorkers;
  readonly several: boolean;
  readonly busy: boolean;
  readonly reduce: () => Promise<boolean>;
}

/** The way out for workers that would come when the session is over. */
function Late({ late, several, busy, reduce }: ILateProps): React.JSX.Element {
  const { pool, keep } = late;
  const label = several ? trans.__('Reduce %1 to %2', pool, keep) : trans.__('Reduce to %1', keep);
  return (
    <div className="fabric-Clusters-form">
      <Act busy={busy} does={reduce}>
        {label}
      </Act>
    </div>
  );
}

/** Its dashboard's pages, each as a link: a click opens it in JupyterLab, with the browser's own keys elsewhere. */
function Dashboard({ cluster, actions }: Omit<ICardProps, 'store'>): React.JSX.Element {
  const { name } = cluster;
  return (
    <ul className="fabric-Cluster-pages" aria-label={trans.__('Dashboard of %1', name)}>
      {pagesOf(cluster).map(page => {
        const icon = pageIcons[page.path];
        return (
          <li key={page.path}>
            <a
              href={actions.address(name, page.path)}
              title={page.title}
              onClick={event => {
                if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
                  event.preventDefault();
                  actions.openPage(name, page.path);
                }
              }}
            >
              {icon ? <icon.react tag="span" width="16px" aria-hidden="true" /> : null}
              {page.name}
            </a>
          </li>
        );
      })}
    </ul>
  );
}
