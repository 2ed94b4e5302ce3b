import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

import { ofSchema, trans, translate } from './translation';

export type PanelName = 'usagePanel' | 'datasetsPanel' | 'clustersPanel';

/** What a person has set, checked: `schema/settings.json` tells what each is. */
export interface IValues extends Readonly<Record<PanelName, boolean>> {
  /** Never without 2: documents are saved then. */
  readonly warningMinutes: readonly number[];
  readonly refreshSeconds: number;
}

export interface ISessionSettings {
  readonly values: IValues;
  readonly changed: ISignal<ISessionSettings, void>;
}

export const ISessionSettings = new Token<ISessionSettings>(
  'fabric-lab:ISessionSettings',
  'What a person has set for the session: warnings before its end, how often is asked, which panels are shown.'
);

export const DEFAULTS: IValues = {
  warningMinutes: [30, 10, 2],
  refreshSeconds: 30,
  usagePanel: true,
  datasetsPanel: true,
  clustersPanel: true
};

const LAST_MIN = 2;
const LONGEST_MIN = 1440;
const SHORTEST_S = 10;
const LONGEST_S = 600;

function between(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

/**
 * What can be used of what was set, with defaults in place of the rest.
 *
 * @param set By name, as it comes from a file that a person writes.
 * @returns The values, and a sentence on each that is not used.
 */
export function checked(set: Readonly<Record<string, unknown>>): { values: IValues; wrong: string[] } {
  const wrong: string[] = [];
  const take = <T>(name: keyof IValues, fits: (value: unknown) => value is T, fallback: T, limit: string): T => {
    const value = set[name];
    if (value === undefined || fits(value)) {
      return value ?? fallback;
    }
    wrong.push(trans.__('The setting %1 must be %2. Its default is used.', name, limit));
    return fallback;
  };
  const yes = (value: unknown): value is boolean => typeof value === 'boolean';
  const minutes = (value: unknown): value is readonly number[] =>
    Array.isArray(value) && value.every(one => between(one, LAST_MIN, LONGEST_MIN));
  const seconds = (value: unknown): value is number => between(value, SHORTEST_S, LONGEST_S);
  const warnings = take(
    'warningMinutes',
    minutes,
    DEFAULTS.warningMinutes,
    trans.__('numbers from %1 to %2', LAST_MIN, LONGEST_MIN)
  );
  const either = trans.__('true or false');
  const values = {
    warningMinutes: [...new Set([...warnings, LAST_MIN])].sort((a, b) => b - a),
    refreshSeconds: take(
      'refreshSeconds',
      seconds,
      DEFAULTS.refreshSeconds,
      trans.__('from %1 to %2', SHORTEST_S, LONGEST_S)
    ),
    usagePanel: take('usagePanel', yes, true, either),
    datasetsPanel: take('datasetsPanel', yes, true, either),
    clustersPanel: take('clustersPanel', yes, true, either)
  };
  return { values, wrong };
}

/** The defaults, until what was set is known and whenever it is not. */
export class SessionSettings implements ISessionSettings {
  private _values = DEFAULTS;
  private readonly _changed = new Signal<this, void>(this);

  /** @param ready When the page can show a notification. */
  constructor(private readonly ready: Promise<unknown> = Promise.resolve()) {}

  get values(): IValues {
    return this._values;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Take over what was set; what cannot be used is said once per change. */
  take(set: Readonly<Record<string, unknown>>): void {
    const { values, wrong } = checked(set);
    this._values = values;
    wrong.forEach(sentence => this.say(sentence));
    this._changed.emit();
  }

  private say(sentence: string): void {
    void this.ready.then(() => Notification.warning(sentence, { autoClose: false }));
  }

  /** Follow the settings of a plugin from now on. */
  async follow(registry: ISettingRegistry, plugin: string): Promise<void> {
    try {
      const settings = await registry.load(plugin);
      const look = (): void => this.take(settings.composite);
      settings.changed.connect(look, this);
      look();
    } catch (error) {
      console.error(error);
      this.say(trans.__('Your settings of the session cannot be read. The defaults are used.'));
    }
  }
}

const PLUGIN = 'fabric-lab:settings';
const ICON = 'jupyter.lab.setting-icon-label';

function said<T extends { title?: string; description?: string }>(context: 'schema' | 'settings', one: T): T {
  return {
    ...one,
    ...(one.title ? { title: ofSchema(context, one.title) } : {}),
    ...(one.description ? { description: ofSchema(context, one.description) } : {})
  };
}

/**
 * A schema with its titles and descriptions in the reader's language, for the settings editor. JupyterLab's server
 * translates schemas too, but knows the catalogues of language packs only, and no language that was chosen on the hub.
 */
export function translated(schema: ISettingRegistry.ISchema): ISettingRegistry.ISchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, one]) => [name, said('settings', one)]);
  return {
    ...said('schema', schema),
    [ICON]: ofSchema('settings', schema[ICON] ?? ''),
    properties: Object.fromEntries(properties) as NonNullable<ISettingRegistry.ISchema['properties']>
  };
}

export const settingsPlugin: JupyterFrontEndPlugin<ISessionSettings> = {
  id: PLUGIN,
  description: 'What a person has set for the session, for the other plugins.',
  autoStart: true,
  optional: [ISettingRegistry, ITranslator],
  provides: ISessionSettings,
  activate: (
    app: JupyterFrontEnd,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): ISessionSettings => {
    translate(translator); // all other plugins of ours come after this one
    const settings = new SessionSettings(app.restored);
    if (registry) {
      registry.transform(PLUGIN, { fetch: plugin => ({ ...plugin, schema: translated(plugin.schema) }) });
      void settings.follow(registry, PLUGIN);
    }
    return settings;
  }
};
