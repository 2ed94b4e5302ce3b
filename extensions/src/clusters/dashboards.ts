import type { JupyterFrontEnd } from '@jupyterlab/application';
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import { Panel } from '@lumino/widgets';

import { trans } from '../common/translation';
import type { ClustersApi } from './api';
import { clustersIcon } from './icons';
import { pages } from './model';

/** A page of a cluster's dashboard in a tab. It goes with the cluster, which then is said in its place. */
class Page extends Panel {
  private frame: IFrame | null;

  constructor(
    readonly cluster: string,
    title: string,
    url: string
  ) {
    super();
    this.addClass('fabric-Dashboard');
    // the cluster's own pages, from this session's server: bokeh draws with scripts and a websocket
    this.frame = new IFrame({ sandbox: ['allow-same-origin', 'allow-scripts', 'allow-popups'] });
    this.frame.url = url;
    this.frame.node.querySelector('iframe')?.setAttribute('title', trans.__('%1 of cluster %2', title, cluster));
    this.addWidget(this.frame);
  }

  get stopped(): boolean {
    return this.frame === null;
  }

  stop(): void {
    if (!this.frame) {
      return;
    }
    this.frame.dispose();
    this.frame = null;
    const said = document.createElement('div');
    said.className = 'fabric-Dashboard-stopped';
    said.setAttribute('role', 'status');
    const heading = document.createElement('h2');
    heading.textContent = trans.__('Cluster stopped');
    const text = document.createElement('p');
    text.textContent = trans.__('Cluster %1 and its dashboard are gone. You can close this tab.', this.cluster);
    said.append(heading, text);
    this.node.append(said);
  }
}

/** The tabs with pages of dashboards. */
export class Dashboards {
  private readonly tabs = new Map<string, MainAreaWidget<Page>>();

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly api: ClustersApi
  ) {}

  /** Whether any tab shows a page of a cluster that is there, as far as is known. */
  get live(): boolean {
    return [...this.tabs.values()].some(tab => !tab.content.stopped);
  }

  /** Show a page; the same page is opened once, and anew where its cluster was stopped meanwhile. */
  open(name: string, path: string): void {
    const id = `fabric-dashboard-${name}-${path}`;
    const there = this.tabs.get(id);
    if (there?.content.stopped) {
      there.dispose();
    }
    if (!this.tabs.has(id)) {
      this.app.shell.add(this.made(id, name, path), 'main');
    }
    this.app.shell.activateById(id);
  }

  private made(id: string, name: string, path: string): MainAreaWidget<Page> {
    const title = pages().find(page => page.path === path)?.title ?? path;
    const tab = new MainAreaWidget({ content: new Page(name, title, this.api.page(name, path)) });
    tab.id = id;
    tab.title.label = `${name}: ${title}`;
    tab.title.icon = clustersIcon;
    tab.title.closable = true;
    this.tabs.set(id, tab);
    tab.disposed.connect(() => this.tabs.delete(id));
    return tab;
  }

  /** Say it in the tabs of clusters that are not among these. */
  look(running: readonly string[]): void {
    for (const { content } of this.tabs.values()) {
      if (!running.includes(content.cluster)) {
        content.stop();
      }
    }
  }
}
