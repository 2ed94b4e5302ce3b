import { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Act, Head, Notices, Said, SidePanel } from '../common/panel';
import { trans } from '../common/translation';
import type { WorkerProfile } from '../schema';
import { Choice } from './choice';
import { distinct, each, facts, following, profile } from './format';
import { pages, type Cluster } from './model';
import type { ClustersStore } from './store';

/** One box that leads three. */
export const clustersIcon = new LabIcon({
  name: 'fabric-lab:clusters',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M8 2h8v6h-8z"/>
    <path d="M1 16h6v6h-6zM9 16h6v6h-6zM17 16h6v6h-6z"/>
    <path d="M11 8h2v3h8v5h-2v-3h-6v3h-2v-3h-6v3h-2v-5h8z"/>
  </g>
</svg>`
});

export interface IActions {
  insertClientCode(name: string): void;
  openPage(name: string, path: string): void;
  /** End a cluster, if that is confirmed. */
  stop(cluster: Cluster): Promise<void>;
}

interface IProps {
  readonly store: ClustersStore;
  readonly actions: IActions;
}

export class ClustersPanel extends SidePanel<ClustersStore> {
  constructor(
    store: ClustersStore,
    private readonly actions: IActions
  ) {
    super(store, {
      id: 'fabric-clusters',
      className: 'fabric-Clusters',
      title: trans.__('Dask clusters'),
      icon: clustersIcon
    });
  }

  protected override content(): React.JSX.Element {
    return <Panel store={this.store} actions={this.actions} />;
  }
}

function Panel({ store, actions }: IProps): React.JSX.Element {
  const { known } = store;
  return (
    <>
      <Head
        title={trans.__('Dask clusters')}
        tooltip={trans.__('Refresh the clusters')}
        refresh={() => store.refresh()}
      />
      <Said {...store.said(null)} />
      <Notices sentences={[store.problem, known?.problem ?? '']} />
      {known ? (
        <>
          {known.clusters.length ? null : <p>{trans.__('No cluster yet. Spread work over more CPUs or GPUs.')}</p>}
          {known.clusters.map(cluster => (
            <Cluster key={cluster.name} cluster={cluster} store={store} actions={actions} />
          ))}
          <New store={store} profiles={known.profiles} />
        </>
      ) : store.problem ? null : (
        <p>{trans.__('Asking which clusters there are …')}</p>
      )}
    </>
  );
}

/** A number that follows the cluster for as long as nobody types another one. */
function useFollowing(known: number): [value: number, type: (value: number) => void, follow: () => void] {
  const [typed, type] = React.useState<number | null>(null);
  return [typed ?? known, type, () => type(null)];
}

function Count(props: { label: string; value: number; set: (value: number) => void }): React.JSX.Element {
  return (
    <label className="fabric-Panel-field">
      {props.label}
      <input
        type="number"
        className="jp-mod-styled"
        min={0}
        max={1000}
        value={props.value}
        onChange={event => props.set(Math.max(0, Math.round(Number(event.target.value) || 0)))}
      />
    </label>
  );
}

function Cluster({ cluster, store, actions }: IProps & { readonly cluster: Cluster }): React.JSX.Element {
  const { name } = cluster;
  const pools = Object.keys(cluster.pools ?? {});
  const here = (cluster.workers ?? []).filter(worker => worker.address !== null);
  const [chosen, choose] = React.useState('');
  const pool = pools.includes(chosen) ? chosen : (pools[0] ?? '');
  const [page, setPage] = React.useState('status');
  const wanted = (cluster.workers ?? []).filter(worker => worker.pool === pool).length;
  const adaptive = cluster.adaptive?.pool === pool ? cluster.adaptive : null;
  const [workers, setWorkers, followWorkers] = useFollowing(wanted);
  const [least, setLeast, followLeast] = useFollowing(adaptive?.minimum ?? 0);
  const [most, setMost, followMost] = useFollowing(adaptive?.maximum ?? 4);
  const busy = store.busy.has(name);
  const kind = cluster.pools?.[pool]?.profile ?? '';
  const run = here.filter(worker => worker.pool === pool).length;
  const asks = kind !== '' && workers > wanted;
  React.useEffect(
    () => void (asks ? store.quoteAll(name, pool, workers) : store.quoteNothing(name)),
    [store, name, pool, asks, workers, wanted, run]
  );
  const quoted = asks ? store.quoted.get(name) : '';
  const follows = following(cluster);
  return (
    <section className="fabric-Cluster" aria-label={trans.__('Cluster %1', name)}>
      <h3>{name}</h3>
      {cluster.problem ? (
        <Notices sentences={[cluster.problem]} />
      ) : (
        <>
          <p className="fabric-Cluster-facts">{facts(cluster).join(' · ')}</p>
          {cluster.cost ? <p className="fabric-Cluster-facts">{cluster.cost}</p> : null}
          {follows ? <p>{follows}</p> : null}
          <Notices
            sentences={[...(cluster.waiting ?? []), ...Object.values(cluster.problems ?? {}), cluster.hub ?? '']}
          />
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
          {pools.length > 1 ? (
            <Choice
              label={trans.__('Kind of worker')}
              value={pool}
              options={pools.map(one => [one, one])}
              choose={other => {
                choose(other);
                [followWorkers, followLeast, followMost].forEach(follow => follow());
              }}
            />
          ) : null}
          <div className="fabric-Clusters-form">
            <Count label={trans.__('Workers')} value={workers} set={setWorkers} />
            <Act
              busy={busy}
              label={trans.__('Scale %1', name)}
              does={async () => {
                const done = trans._n('Scaling to %1 worker.', 'Scaling to %1 workers.', workers);
                if (await store.send(name, { verb: 'scale', n: workers, pool }, done)) {
                  followWorkers();
                }
              }}
            >
              {trans.__('Scale')}
            </Act>
          </div>
          {quoted ? <p className="fabric-Cluster-facts">{quoted}</p> : null}
          <div className="fabric-Clusters-form">
            <Count label={trans.__('At least')} value={least} set={setLeast} />
            <Count label={trans.__('At most')} value={most} set={setMost} />
            <Act
              busy={busy}
              label={trans.__('Let %1 follow the work', name)}
              does={async () => {
                const order = { verb: 'adapt', minimum: least, maximum: Math.max(least, most), pool } as const;
                if (await store.send(name, order, trans.__('%1 follows the work.', name))) {
                  [followWorkers, followLeast, followMost].forEach(follow => follow());
                }
              }}
            >
              {trans.__('Adapt')}
            </Act>
          </div>
          <div className="fabric-Clusters-form">
            <Choice label={trans.__('Dashboard')} value={page} options={pages()} choose={setPage} />
            <Act label={trans.__('Open the dashboard of %1', name)} does={() => actions.openPage(name, page)}>
              {trans.__('Open')}
            </Act>
          </div>
          <div className="fabric-Clusters-form">
            <Act label={trans.__('Insert client code for %1', name)} does={() => actions.insertClientCode(name)}>
              {trans.__('Insert client code')}
            </Act>
            <Act busy={busy} label={trans.__('Stop %1', name)} does={() => actions.stop(cluster)}>
              {trans.__('Stop')}
            </Act>
          </div>
        </>
      )}
      <Said {...store.said(name)} />
    </section>
  );
}

function New({ store, profiles }: { store: ClustersStore; profiles: readonly WorkerProfile[] }): React.JSX.Element {
  const [chosen, choose] = React.useState('');
  const [workers, setWorkers] = React.useState(2);
  const choices = distinct(profiles);
  const one = choices.find(candidate => candidate.name === chosen) ?? choices[0];
  const name = one?.name ?? '';
  const quoted = store.quoted.get('');
  React.useEffect(() => void store.quoteNew(name, workers), [store, name, workers]);
  return (
    <section className="fabric-Cluster" aria-label={trans.__('New cluster')}>
      <h3>{trans.__('New cluster')}</h3>
      {choices.length ? (
        <Choice
          label={trans.__('Worker size')}
          value={name}
          options={choices.map(candidate => [candidate.name, profile(candidate)])}
          choose={choose}
        />
      ) : null}
      <div className="fabric-Clusters-form">
        <Count label={trans.__('Workers')} value={workers} set={setWorkers} />
        <Act busy={store.busy.has('')} label={trans.__('Start a new cluster')} does={() => store.start(name, workers)}>
          {trans.__('Start')}
        </Act>
      </div>
      {quoted ? <p className="fabric-Cluster-facts">{quoted}</p> : null}
      <Said {...store.said('')} />
    </section>
  );
}
