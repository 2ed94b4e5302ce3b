import { Button, HTMLSelect, ReactWidget, refreshIcon, ToolbarButtonComponent, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import * as React from 'react';

import { clustersIcon } from './icon';
import { PAGES, type ICluster, type IProfile } from './model';
import type { ClustersStore } from './store';
import { each, facts, following, profile } from './words';

export interface IActions {
  insertClientCode(name: string): void;
  openPage(name: string, path: string): void;
}

interface IProps {
  readonly store: ClustersStore;
  readonly actions: IActions;
}

/** The side panel; it tells when it comes into view, for only then is anything asked. */
export class ClustersPanel extends ReactWidget {
  private readonly _shown = new Signal<this, void>(this);

  constructor(private readonly props: IProps) {
    super();
    this.id = 'fabric-clusters';
    this.addClass('fabric-Clusters');
    this.title.icon = clustersIcon;
    this.title.caption = 'Dask clusters';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Dask clusters');
  }

  get shown(): ISignal<this, void> {
    return this._shown;
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._shown.emit();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._shown.emit();
  }

  protected override render(): React.JSX.Element {
    return <UseSignal signal={this.props.store.changed}>{() => <Panel {...this.props} />}</UseSignal>;
  }
}

function Panel({ store, actions }: IProps): React.JSX.Element {
  const { known } = store;
  return (
    <>
      <div className="fabric-Clusters-head">
        <h2>Dask clusters</h2>
        <ToolbarButtonComponent
          icon={refreshIcon}
          label=""
          tooltip="Refresh the clusters"
          onClick={() => void store.refresh()}
        />
      </div>
      <p role="status" className="fabric-Clusters-said" data-wrong={store.said.wrong}>
        {store.said.text}
      </p>
      {[store.problem, known?.problem ?? ''].filter(Boolean).map(sentence => (
        <p key={sentence} className="fabric-Clusters-notice">
          {sentence}
        </p>
      ))}
      {known ? (
        <>
          {known.clusters.length ? null : <p>This session has no cluster.</p>}
          {known.clusters.map(cluster => (
            <Cluster key={cluster.name} cluster={cluster} store={store} actions={actions} />
          ))}
          <New store={store} profiles={known.profiles} />
        </>
      ) : store.problem ? null : (
        <p>Asking which clusters there are …</p>
      )}
    </>
  );
}

function Act(props: { busy: boolean; label?: string; does: () => unknown; children: string }): React.JSX.Element {
  return (
    <Button
      type="button"
      className="fabric-Clusters-act"
      aria-label={props.label ?? props.children}
      aria-disabled={props.busy}
      onClick={() => {
        if (!props.busy) {
          void props.does();
        }
      }}
    >
      {props.children}
    </Button>
  );
}

function Count(props: { label: string; value: number; set: (value: number) => void }): React.JSX.Element {
  return (
    <label className="fabric-Clusters-field">
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

function Cluster({ cluster, store, actions }: IProps & { readonly cluster: ICluster }): React.JSX.Element {
  const { name } = cluster;
  const pools = Object.keys(cluster.pools ?? {});
  const here = (cluster.workers ?? []).filter(worker => worker.address !== null);
  const [chosen, choose] = React.useState('');
  const pool = pools.includes(chosen) ? chosen : (pools[0] ?? '');
  const [page, setPage] = React.useState('status');
  const wanted = (kind: string): number => (cluster.workers ?? []).filter(worker => worker.pool === kind).length || 1;
  const [workers, setWorkers] = React.useState(wanted(pool));
  const [least, setLeast] = React.useState(0);
  const [most, setMost] = React.useState(4);
  const busy = store.busy.has(name);
  const follows = following(cluster);
  return (
    <section className="fabric-Cluster" aria-label={`Cluster ${name}`}>
      <h3>{name}</h3>
      {cluster.problem ? (
        <p className="fabric-Clusters-notice">{cluster.problem}</p>
      ) : (
        <>
          <p className="fabric-Cluster-facts">{facts(cluster).join(' · ')}</p>
          {cluster.cost ? <p className="fabric-Cluster-facts">{cluster.cost}</p> : null}
          {follows ? <p>{follows}</p> : null}
          {[...(cluster.waiting ?? []), ...Object.values(cluster.problems ?? {}), cluster.hub ?? '']
            .filter(Boolean)
            .map(sentence => (
              <p key={sentence} className="fabric-Clusters-notice">
                {sentence}
              </p>
            ))}
          {here.length ? (
            <details className="fabric-Cluster-workers">
              <summary>Each worker</summary>
              <ul>
                {here.map(worker => (
                  <li key={worker.name}>{each(cluster, worker)}</li>
                ))}
              </ul>
            </details>
          ) : null}
          {pools.length > 1 ? (
            <label className="fabric-Clusters-field">
              Kind of worker
              <HTMLSelect
                value={pool}
                onChange={event => {
                  choose(event.target.value);
                  setWorkers(wanted(event.target.value));
                }}
              >
                {pools.map(one => (
                  <option key={one}>{one}</option>
                ))}
              </HTMLSelect>
            </label>
          ) : null}
          <div className="fabric-Clusters-form">
            <Count label="Workers" value={workers} set={setWorkers} />
            <Act
              busy={busy}
              label={`Scale ${name}`}
              does={() => store.tell(name, { verb: 'scale', n: workers, pool }, `${name} shall have ${workers} workers.`)}
            >
              Scale
            </Act>
          </div>
          <div className="fabric-Clusters-form">
            <Count label="At least" value={least} set={setLeast} />
            <Count label="At most" value={most} set={setMost} />
            <Act
              busy={busy}
              label={`Let ${name} follow the work`}
              does={() =>
                store.tell(
                  name,
                  { verb: 'adapt', minimum: least, maximum: Math.max(least, most), pool },
                  `${name} follows the work.`
                )
              }
            >
              Adapt
            </Act>
          </div>
          <div className="fabric-Clusters-form">
            <label className="fabric-Clusters-field">
              Dashboard
              <HTMLSelect value={page} onChange={event => setPage(event.target.value)}>
                {PAGES.map(([path, title]) => (
                  <option key={path} value={path}>
                    {title}
                  </option>
                ))}
              </HTMLSelect>
            </label>
            <Act busy={false} label={`Open the dashboard of ${name}`} does={() => actions.openPage(name, page)}>
              Open
            </Act>
          </div>
          <div className="fabric-Clusters-form">
            <Act busy={false} label={`Insert client code for ${name}`} does={() => actions.insertClientCode(name)}>
              Insert client code
            </Act>
            <Act
              busy={busy}
              label={`Stop ${name}`}
              does={() => store.tell(name, { verb: 'close' }, `${name} ends, with all its workers.`)}
            >
              Stop
            </Act>
          </div>
        </>
      )}
    </section>
  );
}

function New({ store, profiles }: { store: ClustersStore; profiles: readonly IProfile[] }): React.JSX.Element {
  const [chosen, choose] = React.useState('');
  const [workers, setWorkers] = React.useState(2);
  const one = profiles.find(candidate => candidate.name === chosen) ?? profiles[0];
  const name = one?.name ?? '';
  React.useEffect(() => void store.quote(name, workers), [store, name, workers]);
  return (
    <section className="fabric-Cluster" aria-label="New cluster">
      <h3>New cluster</h3>
      {profiles.length ? (
        <label className="fabric-Clusters-field">
          Each worker is like
          <HTMLSelect value={name} onChange={event => choose(event.target.value)}>
            {profiles.map(candidate => (
              <option key={candidate.name} value={candidate.name}>
                {profile(candidate)}
              </option>
            ))}
          </HTMLSelect>
        </label>
      ) : null}
      <div className="fabric-Clusters-form">
        <Count label="Workers" value={workers} set={setWorkers} />
        <Act busy={store.busy.has('')} label="Start a new cluster" does={() => store.start(name, workers)}>
          Start
        </Act>
      </div>
      {store.quoted ? <p className="fabric-Cluster-facts">{store.quoted}</p> : null}
    </section>
  );
}
