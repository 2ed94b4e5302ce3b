import { Notification } from '@jupyterlab/apputils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { afterEach, expect, it } from 'vitest';

import schema from '../../../schema/settings.json';
import { checked, DEFAULTS, SessionSettings } from '../../../src/common/settings';

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
