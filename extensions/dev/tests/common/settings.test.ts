import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { afterEach, expect, it } from 'vitest';

import schema from '../../../schema/settings.json';
import { checked, DEFAULTS, SessionSettings, translated } from '../../../src/common/settings';
import { translate } from '../../../src/common/translation';

/** JupyterLab's registry with one plugin, whose settings a test changes. */
class Registry {
  readonly plugin = { composite: {} as Record<string, unknown>, changed: new Signal<object, void>({}) };
  broken = false;

  load(): Promise<unknown> {
    return this.broken ? Promise.reject(new Error('not valid')) : Promise.resolve(this.plugin);
  }

  set(composite: Record<string, unknown>): void {
    this.plugin.composite = composite;
    this.plugin.changed.emit();
  }
}

async function followed(registry: Registry): Promise<SessionSettings> {
  const settings = new SessionSettings();
  await settings.follow(registry as unknown as ISettingRegistry, 'fabric-lab:settings');
  return settings;
}

function said(): string[] {
  return Notification.manager.notifications.map(one => one.message).reverse();
}

afterEach(() => Notification.dismiss());

it('has the defaults that its schema has', () => {
  const defaults = Object.entries(schema.properties).map(([name, property]) => [name, property.default]);
  expect(Object.fromEntries(defaults)).toEqual(DEFAULTS);
  expect(checked(Object.fromEntries(defaults) as Record<string, unknown>)).toEqual({ values: DEFAULTS, wrong: [] });
});

it('sorts the times of warnings, and always has the one with which documents are saved', () => {
  expect(checked({ warningMinutes: [5, 60, 5] }).values.warningMinutes).toEqual([60, 5, 2]);
  expect(checked({ warningMinutes: [] }).values.warningMinutes).toEqual([2]);
});

it('takes the default in place of what cannot be used, says so, and takes the rest', async () => {
  const registry = new Registry();
  const settings = await followed(registry);
  registry.set({ warningMinutes: [1], refreshSeconds: 'often', usagePanel: 1, datasetsPanel: false });
  expect(settings.values).toEqual({ ...DEFAULTS, datasetsPanel: false });
  await expect
    .poll(said)
    .toEqual([
      'The setting warningMinutes must be numbers from 2 to 1440. Its default is used.',
      'The setting refreshSeconds must be from 10 to 600. Its default is used.',
      'The setting usagePanel must be true or false. Its default is used.'
    ]);
});

it('follows a change at once', async () => {
  const registry = new Registry();
  const settings = await followed(registry);
  let heard = 0;
  settings.changed.connect(() => (heard += 1));
  registry.set({ refreshSeconds: 60 });
  expect([heard, settings.values.refreshSeconds]).toEqual([1, 60]);
});

it('has the defaults where nothing can be read, and says so', async () => {
  const registry = new Registry();
  registry.broken = true;
  expect((await followed(registry)).values).toEqual(DEFAULTS);
  await expect.poll(said).toEqual(['Your settings of the session cannot be read. The defaults are used.']);
});

it('has its schema in the language that was chosen on the hub, with all else of it as it was', () => {
  const texts = {
    '': { domain: 'fabric_lab', language: 'nl', plural_forms: 'nplurals=2; plural=(n != 1);' },
    'schema\u0004Fabric Hub session': ['Sessie van Fabric Hub'],
    'settings\u0004Usage panel': ['Paneel Verbruik']
  };
  PageConfig.setOption('fabricLanguage', 'nl');
  PageConfig.setOption('fabricTexts', JSON.stringify(texts));
  translate(null);
  const dutch = translated(schema as unknown as ISettingRegistry.ISchema);
  const wanted: unknown = {
    ...schema,
    title: 'Sessie van Fabric Hub',
    properties: { ...schema.properties, usagePanel: { ...schema.properties.usagePanel, title: 'Paneel Verbruik' } }
  };
  expect(dutch).toEqual(wanted);
  expect(translated(dutch)).toEqual(wanted);
  PageConfig.setOption('fabricLanguage', 'en');
  translate(null);
});
